"""Payments of Fxiaoke name their order only: which deal an order belongs to, and which orders may have changed theirs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.errors import RejectedError
from connectors.fxiaoke.api import Filter, FxiaokeApi, Row, where
from connectors.fxiaoke.values import epoch_ms

ORDER, STAMP = "SalesOrderObj", "last_modified_time"
_DEAL = "new_opportunity_id"


def changed_within(start: datetime, end: datetime) -> list[Filter]:
    """Filters of the rows that were changed in ``[start, end)``."""
    return [where(STAMP, "GTE", str(epoch_ms(start))), where(STAMP, "LT", str(epoch_ms(end)))]


@dataclass(frozen=True, slots=True)
class _Changed:
    start: datetime
    end: datetime
    ids: list[str]


class Orders:
    """The orders that were asked for so far, with their deals."""

    def __init__(self, api: FxiaokeApi, overlap: timedelta) -> None:
        self._api = api
        self._overlap = overlap
        self._deals: dict[str, str | None] = {}
        self._changed: _Changed | None = None
        self.tell = True
        """False where orders have no field for their deal."""

    def deal(self, order: str) -> str | None:
        """The deal of an order that was learnt."""
        return self._deals.get(order)

    def learn(self, orders: Collection[str], *, anew: bool) -> None:
        """Asks for the deals of those orders that are not known yet. ``anew``: what is known may be too old."""
        wanted = sorted(set(orders) if anew else set(orders) - self._deals.keys())
        self._deals.update(dict.fromkeys(wanted))
        self._note([row for rows in self._api.among(ORDER, (_DEAL,), "_id", wanted) for row in rows])

    def _note(self, found: Sequence[Row]) -> None:
        """Keeps what orders tell, and whether they have a field for it at all."""
        if found:
            described = None if any(_DEAL in row for row in found) else self._api.describe(ORDER, fresh=True)
            self.tell = described is None or _DEAL in described.fields
        self._deals.update({row["_id"]: row.get(_DEAL) for row in found})

    def changed(self, start: datetime, end: datetime) -> list[str]:
        """Ids of the orders that changed in ``[start, end)``: asked once for streams that are read one after the other.

        What an answer is too early for is in the next window, which begins an overlap before the end of this one.
        """
        if self._changed is None or self._changed.start > start or end - self._changed.end > self._overlap:
            pages = self._api.pages(ORDER, (_DEAL,), changed_within(start, end))
            try:
                found = [row for rows, _ in pages for row in rows]
            except RejectedError:  # no such object here: then no payment has an order
                found = []
            self._note(found)
            self._changed = _Changed(start, end, [row["_id"] for row in found])
        return self._changed.ids
