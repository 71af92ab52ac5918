"""Everything that must be alike after two ways to the same end: what is known, scored, accepted, and held by the CRMs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.records import RECORDS
from connectors.sandbox.hubspot import HubSpotEmulator
from connectors.sandbox.salesforce import SalesforceEmulator
from sync.store.books import Outbox, Pushed, Result
from sync.store.state import book, set_meta
from sync.store.tables import table_of
from tests.sync.company import KINDS, Company, open_company

_TIMES = ("systemmodstamp", "lastmodifieddate", "createddate", "hs_lastmodifieddate", "scored_at", "createdate")

State = dict[str, dict[Any, Any]]


@contextmanager
def opened(folder: Path, world: Path, at: datetime, kinds: Sequence[str] = KINDS) -> Iterator[Company]:
    """A company whose CRMs' clocks stand still, and whose store hashes by a key that all of them share."""
    with open_company(folder, world, kinds) as found:
        set_clocks(found, at)
        with found.store() as store, store.writing() as tx:
            set_meta(tx, "hash_key", "00" * 32)
        for path in (found.config_folder / "connections").iterdir():
            path.write_text(path.read_text(encoding="utf-8") + "deletions_every: 0s\n", encoding="utf-8")
        yield found


def set_clocks(company: Company, at: datetime) -> None:
    for emulator in company.emulators.values():
        emulator.clock = lambda: at


def state(company: Company) -> State:
    """Everything that must not depend on how often the process died: what is known, scored, accepted, and held by the CRMs."""
    found: State = {}
    with company.store() as store, store.reading() as tx:
        for kind in RECORDS:
            table = table_of(kind)
            versions: dict[Any, list[Any]] = {}
            for row in tx.db.execute(table.select().order_by(table.c.seq)):
                versions.setdefault((row.connection, row.remote_id), []).append((row.content_hash, row.deleted))
            found[kind] = versions
        results, pushed, outbox = (book(model) for model in (Result, Pushed, Outbox))
        found["results"] = {
            (row.kind, row.subject, row.plan, row.period): (row.score, row.grade, row.status, row.payload)
            for row in tx.db.execute(results.select().where(results.c.current))
        }
        found["accepted"] = {
            (row.connection, row.record, row.target, row.remote_id): timeless(row.fields)
            for row in tx.db.execute(pushed.select())
        }
        found["waiting"] = {row.id: row.fields for row in tx.db.execute(outbox.select())}
    return {**found, **held(company)}


def held(company: Company) -> State:
    """What the CRMs hold, but for their clocks."""
    found: State = {}
    for emulator in company.emulators.values():
        if isinstance(emulator, HubSpotEmulator):
            for name, table in emulator.portal.store.tables.items():
                found[f"hubspot {name}"] = {row.id: timeless(row.props) for row in table.live.values()}
        elif isinstance(emulator, SalesforceEmulator):
            for name, rows in emulator.org.tables.items():
                found[f"salesforce {name}"] = {key: timeless(row) for key, row in rows.rows.items()}
    return found


def timeless(fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not any(word in name.lower() for word in _TIMES)}


def differing(left: dict[Any, Any], right: dict[Any, Any]) -> dict[Any, Any]:
    """A few entries that are not alike, for a failing test."""
    keys = [key for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
    return {key: (left.get(key), right.get(key)) for key in keys[:3]}
