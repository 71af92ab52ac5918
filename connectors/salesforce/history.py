"""Rows of OpportunityHistory as changes: each row holds the values after a change, so a change is the step between two.

Whether a value changed, and from what, depends on the row before it of the same deal. The caller brings that row along
whenever it is not in the page, so that the same history gives the same changes whichever way it was read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from connectors.base import Window
from connectors.salesforce import soql
from connectors.salesforce.api import SalesforceApi
from connectors.salesforce.streams import HISTORY_COLUMNS
from connectors.salesforce.values import Row, forecast_category, fraction
from connectors.types import canonical_text

_FIELDS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("stage", "StageName", str),
    ("amount", "Amount", lambda amount: canonical_text(Decimal(amount))),
    ("close_on", "CloseDate", str),
    ("probability", "Probability", lambda percent: canonical_text(fraction(percent))),
    ("forecast_category", "ForecastCategory", forecast_category),
)


def rows_before(rows: Iterable[Row]) -> Mapping[str, Row]:
    """For each row's Id the row before it of the same deal, by time and then Id; nothing for a deal's first row."""
    ordered = sorted(
        {row["Id"]: row for row in rows}.values(), key=lambda row: (row["OpportunityId"], row["CreatedDate"], row["Id"])
    )
    return {
        later["Id"]: earlier
        for earlier, later in pairwise(ordered)
        if earlier["OpportunityId"] == later["OpportunityId"]
    }


def changes(rows: Sequence[Row], before: Mapping[str, Row]) -> Iterator[dict[str, Any]]:
    """The changes that these rows stand for, as rows of the ``history`` stream's mapping.

    The first row of a deal is its creation: every value it has counts as new.
    """
    for row in rows:
        earlier = before.get(row["Id"], {})
        for field, column, spelled in _FIELDS:
            new, old = (None if value is None else spelled(value) for value in (row[column], earlier.get(column)))
            if new != old:
                yield {**row, "Id": f"{row['Id']}:{field}", "Field": field, "OldValue": old, "NewValue": new}


class Steps:
    """Turns the pages of one pull of OpportunityHistory into changes, with the row before wherever that is."""

    def __init__(self, api: SalesforceApi, window: Window, *, resumed: bool) -> None:
        self._api = api
        self._window = window
        self._resumed = resumed
        self._behind: Row | None = None

    def of(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The wanted changes of the next page."""
        if not rows:
            return []
        before = self._before(rows)
        self._behind = rows[-1]
        since = self._window.since if self._window.start is None else None
        return [row for row in changes(rows, before) if since is None or row["CreatedDate"][:10] >= since.isoformat()]

    def _before(self, rows: Sequence[Row]) -> Mapping[str, Row]:
        """The row before each of these: in a full pull it is the one above; else the deals' histories are read."""
        if self._window.start is not None:
            return rows_before([*rows, *self._histories([row["OpportunityId"] for row in rows])])
        if self._behind is not None:
            return rows_before([self._behind, *rows])
        return rows_before([*rows, *(self._histories([rows[0]["OpportunityId"]]) if self._resumed else ())])

    def _histories(self, deals: Sequence[str]) -> Iterator[Row]:
        for condition in soql.among("OpportunityId", deals):
            yield from self._api.rows(soql.select(HISTORY_COLUMNS, "OpportunityHistory", [condition]), recycled=True)
