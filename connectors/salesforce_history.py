"""Rows of OpportunityHistory as changes: each row holds the values after a change, so a change is the step between two.

Whether a value changed, and from what, depends on the row before it of the same deal. The caller brings that row along
whenever it is not in the page, so that the same history gives the same changes whichever way it was read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from connectors.salesforce_values import Row, forecast_category, fraction
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
