"""DealHistory as changes of stage: each row is a stay in a stage, so a change is the step from the row before it.

From what a stage was left only the row before of the same deal tells. A change's window brings whole histories of the
deals that moved; a full pull keeps all rows in a few bytes each until it has them together.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from sys import intern
from typing import Any

from connectors.base import Page, Raw, Stream, Window
from connectors.zoho import coql
from connectors.zoho.api import ZohoApi
from connectors.zoho.read import Reader
from connectors.zoho.streams import HISTORY_COLUMNS, STAMP
from connectors.zoho.values import ref

PORTION = 2_000

Stay = tuple[int, int, int, str, str | None]
"""Deal, second of entry, row, stage, who moved it."""


def pull(reader: Reader, api: ZohoApi, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
    """Pages of changes. A full pull has no place to resume at: it is made of all rows at once."""
    if window.start is None:
        stays = sorted(_stays(row for portion in reader.portions(stream, window, None) for row in portion.rows))
        found = [one for one in _changes(stays) if window.since is None or _day(one) >= window.since]
        for start in range(0, len(found), PORTION):
            yield Page([Raw(stream, _shown(one)) for one in found[start : start + PORTION]], lacks=reader.lacks(stream))
        return
    for portion in reader.portions(stream, window, resume):
        moved = {int(row["id"]) for row in portion.rows}
        deals = sorted({deal for row in portion.rows if (deal := ref(row.get("Potential_Name")))})
        stays = sorted(set(_stays(portion.rows)) | set(_stays(_histories(api, deals))))
        found = [one for one in _changes(stays) if one[1][2] in moved]
        yield Page([Raw(stream, _shown(one)) for one in found], portion.resume, lacks=reader.lacks(stream))


def _histories(api: ZohoApi, deals: Sequence[str]) -> Iterator[dict[str, Any]]:
    for condition in coql.among("Potential_Name", deals):
        for rows in api.rows(HISTORY_COLUMNS, "DealHistory", [condition]):
            yield from rows


def _stays(rows: Iterable[dict[str, Any]]) -> Iterator[Stay]:
    """Rows in a few bytes each; those of deleted deals name no deal."""
    for row in rows:
        deal, at, by = ref(row.get("Potential_Name")), row.get(STAMP), ref(row.get("Modified_By"))
        if deal is not None and at:
            second = int(datetime.fromisoformat(at).timestamp())
            stage = intern(str(row.get("Stage") or ""))
            yield int(deal), second, int(row["id"]), stage, None if by is None else intern(by)


def _changes(stays: Sequence[Stay]) -> Iterator[tuple[str | None, Stay]]:
    """The stage before, and the row that ended it. A deal's first row is its creation."""
    if stays:
        yield None, stays[0]
    for earlier, later in pairwise(stays):
        same = earlier[0] == later[0]
        if not same or earlier[3] != later[3]:
            yield (earlier[3] if same else None), later


def _day(change: tuple[str | None, Stay]) -> date:
    return datetime.fromtimestamp(change[1][1], UTC).date()


def _shown(change: tuple[str | None, Stay]) -> dict[str, Any]:
    old, (deal, second, row, stage, by) = change
    at = datetime.fromtimestamp(second, UTC)
    return {
        "id": str(row), "@deal": str(deal), "@old": old or None, "@new": stage or None, "@at": at, "@by": by, STAMP: at,
    }  # fmt: skip
