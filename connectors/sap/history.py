"""Changes of a deal from the versions that SAP keeps of it: each differs from the one before in some fields."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.sap.values import Row, day, milliseconds
from connectors.types import canonical_text

PARENT, AT = "ParentObjectID", "CreationDateTime"

TRACKED: Mapping[str, str] = {
    "stage": "SalesCyclePhaseCode",
    "close_on": "ExpectedProcessingEndDate",
    "amount": "ExpectedRevenueAmount",
    "owner_id": "MainEmployeeResponsiblePartyID",
    "probability": "ProbabilityPercent",
    "forecast_category": "SalesForecastCategoryCode",
}
"""Our field and the property of a version that holds it."""

COLUMNS = ("ObjectID", PARENT, AT, "CreatedBy", "ExpectedRevenueAmountCurrencyCode", *TRACKED.values())


def changes(versions: Sequence[Row], before: Mapping[str, Row]) -> Iterator[Row]:
    """One row per field that a version changed. ``before`` gives the version in front of each, by ObjectID.

    A deal's first version says what it began with: the old value is not known.
    """
    for version in versions:
        earlier = before.get(version["ObjectID"])
        for field in TRACKED:
            new = _text(field, version)
            old = None if earlier is None else _text(field, earlier)
            if new != old:
                made = {"@id": f"{version['ObjectID']}/{field}", "@field": field, "@old": old, "@new": new}
                yield {**version, **made}


def versions_before(versions: Iterable[Row]) -> dict[str, Row]:
    """The version in front of each, of whole histories in any order."""
    found: dict[str, Row] = {}
    last: Row | None = None
    for version in sorted(versions, key=_place):
        if last is not None and last[PARENT] == version[PARENT] and last["ObjectID"] != version["ObjectID"]:
            found[version["ObjectID"]] = last
        last = version
    return found


def is_in_order(versions: Sequence[Row]) -> bool:
    """Whether versions come deal by deal, each deal's from the first one on."""
    places = [_place(version)[:2] for version in versions]
    return places == sorted(places)


def _place(version: Row) -> tuple[str, int, str]:
    at = version.get(AT)
    return str(version[PARENT]), milliseconds(at) if at else 0, str(version["ObjectID"])


def _text(field: str, version: Mapping[str, Any]) -> str | None:
    value = version.get(TRACKED[field])
    if value in (None, ""):
        return None
    if field == "close_on":
        return day(value).isoformat()
    if field == "probability":
        return canonical_text(Decimal(value) / 100)
    if field == "amount":
        return _amount(value, version)
    return str(value)


def _amount(value: str, version: Mapping[str, Any]) -> str | None:
    """An amount without a currency is one that nobody entered: SAP writes zero for it."""
    number = Decimal(value)
    return canonical_text(number) if number or version.get("ExpectedRevenueAmountCurrencyCode") else None
