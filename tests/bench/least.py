"""The least that anybody could write for the same work: requests, json and sqlite3, nothing validated, nothing kept.

No retry, no limits, no mapping, no history, no second database. The same calls with the same parameters, the same
fields stored, one commit per page: so the ratio tells what everything else costs.
"""

import json
import sqlite3
from typing import Any
from urllib.parse import urlencode

import requests

FIELDS = (
    "dealname", "hubspot_owner_id", "pipeline", "dealstage", "amount", "deal_currency_code", "createdate", "closedate",
    "dealtype", "hs_deal_stage_probability", "hs_manual_forecast_category", "hs_analytics_source", "hs_next_step",
    "hs_lastmodifieddate", "hs_is_closed", "hs_is_closed_won", "hs_is_closed_lost",
)  # fmt: skip
_PLACES = ", ".join("?" * (len(FIELDS) + 2))


def _open(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = "Bearer sandbox"
    return session


def pull(url: str, store: str) -> dict[str, Any]:
    """Every deal with its company, a hundred per call, into one table."""
    db, session = _open(store), _session()
    db.execute(f"CREATE TABLE deal (id TEXT PRIMARY KEY, company TEXT, {', '.join(FIELDS)})")
    query = {"limit": 100, "archived": "false", "properties": ",".join(FIELDS), "associations": "companies"}
    after: str | None = None
    rows = 0
    while True:
        asked = urlencode(query if after is None else {**query, "after": after})
        page = json.loads(session.get(f"{url}/crm/objects/2026-03/deals?{asked}", timeout=30).content)
        db.executemany(f"INSERT OR REPLACE INTO deal VALUES ({_PLACES})", [_row(deal) for deal in page["results"]])  # noqa: S608 - question marks
        db.commit()
        rows += len(page["results"])
        if "paging" not in page:
            return {"rows": rows}
        after = page["paging"]["next"]["after"]


def _row(deal: dict[str, Any]) -> list[Any]:
    companies = deal.get("associations", {}).get("companies", {}).get("results")
    values = deal["properties"]
    return [deal["id"], companies[0]["id"] if companies else None, *(values.get(name) for name in FIELDS)]


def queue(store: str, deals: str) -> dict[str, Any]:
    """Makes a queue of the scores that the real outbox ``deals`` holds, spelled already. Not measured."""
    from connectors.hubspot.write import spell
    from sync.store.values import parse_values

    with sqlite3.connect(deals) as real:
        waiting = real.execute("SELECT remote_id, fields FROM outbox ORDER BY id").fetchall()
    db = _open(store)
    db.execute("CREATE TABLE queue (id INTEGER PRIMARY KEY, deal TEXT, fields TEXT)")
    db.execute("CREATE TABLE accepted (deal TEXT PRIMARY KEY, fields TEXT)")
    db.execute("CREATE TABLE log (deal TEXT, before TEXT, after TEXT)")
    spelled = (
        (deal, json.dumps({name: spell(value) for name, value in parse_values(fields).items()}))
        for deal, fields in waiting
    )
    db.executemany("INSERT INTO queue (deal, fields) VALUES (?, ?)", spelled)
    db.commit()
    return {"rows": len(waiting)}


def push(url: str, store: str) -> dict[str, Any]:
    """Every waiting score, a hundred per call; what was accepted is noted, logged with what stood there, and done."""
    db, session = _open(store), _session()
    rows = 0
    while waiting := db.execute("SELECT id, deal, fields FROM queue ORDER BY id LIMIT 100").fetchall():
        inputs = [{"id": deal, "properties": json.loads(fields)} for _, deal, fields in waiting]
        answer = session.post(f"{url}/crm/objects/2026-03/deals/batch/update", json={"inputs": inputs}, timeout=30)
        accepted = {row["id"] for row in json.loads(answer.content)["results"]}
        done = [(number, deal, fields) for number, deal, fields in waiting if deal in accepted]
        marks = ", ".join("?" * len(done))
        deals = [deal for _, deal, _ in done]
        before = dict(db.execute(f"SELECT deal, fields FROM accepted WHERE deal IN ({marks})", deals))  # noqa: S608 - question marks
        db.executemany("INSERT INTO log VALUES (?, ?, ?)", [(deal, before.get(deal), text) for _, deal, text in done])
        db.executemany("INSERT OR REPLACE INTO accepted VALUES (?, ?)", [(deal, text) for _, deal, text in done])
        db.executemany("DELETE FROM queue WHERE id = ?", [(number,) for number, _, _ in done])
        db.commit()
        rows += len(done)
        if not done:
            break
    return {"rows": rows}
