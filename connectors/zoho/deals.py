"""What Zoho tells of one deal at a time: its e-mails, and the timeline of its fields. A call per deal that moved."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.base import Page, Raw, Stream, Window
from connectors.errors import ContractError, RejectedError
from connectors.types import canonical_text
from connectors.zoho import coql
from connectors.zoho.api import PAGE, ZohoApi, rows_of
from connectors.zoho.streams import READINGS, STAMP
from connectors.zoho.values import ref

TOUCHED = "Last_Activity_Time"
"""Moves with every activity, an e-mail too, and does not stamp the deal as modified."""

FIELDS = {"Amount": "amount", "Closing_Date": "close_on", "Owner": "owner_id", "Probability": "probability"}
"""Of the timeline; stages come with DealHistory, which takes no call per deal."""


class PerDeal:
    """The streams ``email`` and ``timeline``: deals behind the last one, and what each has to tell."""

    def __init__(self, api: ZohoApi) -> None:
        self._api = api
        self._people: dict[str, str | None] = {}

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """A page per deal, so that nothing is asked twice. ``resume`` is the deal's stamp and id."""
        read = self._emails if stream.name == "email" else self._timeline
        for deal, behind in self._deals(TOUCHED if stream.name == "email" else STAMP, window, resume):
            rows = [row for row in read(deal) if window.since is None or row["@at"][:10] >= window.since.isoformat()]
            made = READINGS[stream.name].derived
            for row in rows:
                row.update({path: make(row) for path, (_, make) in made.items() if make is not None})
            yield Page([Raw(stream, row) for row in rows], behind)

    def _deals(self, cursor: str, window: Window, resume: str | None) -> Iterator[tuple[str, str]]:
        limit = coql.FEW_ROWS if window.start else coql.MOST_ROWS
        order = f"{cursor} asc, id asc" if window.start else "id asc"
        while True:
            query = coql.select(["id", cursor], "Deals", _where(cursor, window, resume), order, limit)
            rows, more = self._api.coql(query, limit)
            if more and not rows:
                raise ContractError("Deals: Zoho says that there are more rows, and gives none")
            for row in rows:
                resume = f"{row.get(cursor) or ''}|{row['id']}"
                yield str(row["id"]), resume
            if not more:
                return
            limit = coql.MOST_ROWS

    def _emails(self, deal: str) -> Iterator[dict[str, Any]]:
        index: str | None = None
        while True:
            asked = {"index": index} if index else {}
            answer = self._of_deal(f"Deals/{deal}/Emails", asked)
            for row in rows_of(answer, "Emails") if answer else ():
                yield {**row, "owner.id": ref(row.get("owner")), "@deal": deal, "@at": row.get("time") or ""}
            index = (answer or {}).get("info", {}).get("next_index")
            if not index or not answer["info"].get("more_records"):
                return

    def _timeline(self, deal: str) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            asked = {"per_page": PAGE, "sort_by": "audited_time", "sort_order": "desc"}
            answer = self._of_deal(f"Deals/{deal}/__timeline", asked | ({"page_token": token} if token else {}))
            for event in rows_of(answer, "__timeline") if answer else ():
                yield from self._changes(deal, event)
            info = (answer or {}).get("info", {})
            token = info.get("next_page_token")
            if not token or not info.get("more_records"):
                return

    def _of_deal(self, path: str, asked: Mapping[str, Any]) -> Any:
        try:
            return self._api.get(path, **asked)
        except RejectedError as error:
            if error.code == "INVALID_DATA":  # deleted since it was listed
                return None
            raise

    def _changes(self, deal: str, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for one in event.get("field_history") or ():
            name = one.get("api_name")
            if name not in FIELDS:
                continue
            values = one.get("_value") or {}
            old, new = (self._spelled(name, values.get(side)) for side in ("old", "new"))
            if old != new:
                yield {
                    "id": f"{event['id']}:{FIELDS[name]}", "@deal": deal, "@field": FIELDS[name], "@old": old, "@new": new,
                    "@at": event["audited_time"], "@by": ref(event.get("done_by")),
                }  # fmt: skip

    def _spelled(self, name: str, value: Any) -> str | None:
        if value in (None, ""):
            return None
        if name == "Owner":
            return self._person(value)
        if name == "Closing_Date":
            return str(value)
        number = Decimal(str(value))
        return canonical_text(number / 100 if name == "Probability" else number)

    def _person(self, value: Any) -> str | None:
        """The id of a user whom the timeline calls by name only; None where two have it."""
        if isinstance(value, Mapping):
            return ref(value)
        if not self._people:
            for sort in ("AllUsers", "DeletedUsers"):
                for page in self._api.users(sort):
                    for user in page:
                        name, known = str(user.get("full_name")), str(user["id"])
                        self._people[name] = known if self._people.get(name, known) == known else None
        return self._people.get(str(value))


def _where(cursor: str, window: Window, resume: str | None) -> list[str]:
    stamp, _, row_id = (resume or "").partition("|")
    if window.start is None:
        there = f"{TOUCHED} is not null" if cursor == TOUCHED else ""  # a deal without activities has no e-mail
        return [there, coql.behind(None, "", row_id) if resume else ""]
    begin = coql.behind(cursor, stamp, row_id) if resume else f"{cursor} >= {coql.moment(window.start)}"
    return [begin, f"{cursor} < {coql.moment(window.end)}"]
