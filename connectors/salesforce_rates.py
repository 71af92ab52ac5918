"""Exchange rates of an organisation with several currencies: dated ones where it has them, else one for each currency."""

from collections.abc import Sequence
from typing import Any

from connectors.salesforce_values import inverse, last_day

ALWAYS = "1970-01-01"
"""Day from which a rate without dates holds: Salesforce applies it to every date."""

SOURCES = (
    ("DatedConversionRate", ("Id", "IsoCode", "ConversionRate", "StartDate", "NextStartDate")),
    ("CurrencyType", ("Id", "IsoCode", "ConversionRate")),
)
"""Where rates stand, the better place first."""


def add_rates(rows: Sequence[dict[str, Any]], corporate: str | None) -> None:
    """What the mapping reads. ConversionRate is how many units of the currency one corporate unit buys: a rate says it the
    other way round."""
    for row in rows:
        row["@to"] = corporate
        row["@rate"] = inverse(row["ConversionRate"])
        row["@on"] = row.get("StartDate") or ALWAYS
        row["@until"] = last_day(row.get("NextStartDate"))
