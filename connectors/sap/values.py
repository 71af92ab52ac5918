"""Values of OData version 2: dates in JSON and in filters, decimals as text, and what they are in our words."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.base import Value
from connectors.records import OPEN_END
from connectors.types import canonical_text

Row = dict[str, Any]

MISFIT = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
"""What comes of a value that is not of the type that it should be."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_DURATION = re.compile(r"P(?:0+Y)?(?:0+M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?")
INBOUND, OUTBOUND = "2", "1"


def milliseconds(text: str) -> int:
    """``/Date(1594346713123)/`` as milliseconds since 1970 in UTC; an offset behind them only says how to show it."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("is no /Date(...)/")
    return int(match[1])


def moment(text: str) -> datetime:
    """A moment, aware UTC."""
    return _EPOCH + milliseconds(text) * _MILLISECOND


def ms_of(at: datetime) -> int:
    """A moment as whole milliseconds since 1970, rounded down."""
    return (at - _EPOCH) // _MILLISECOND


def day(text: str) -> date:
    """A calendar date, which SAP writes as its midnight in UTC: never to be shifted into another zone."""
    return moment(text).date()


def last_day(text: str) -> date | None:
    """A date until which something holds; None for 9999-12-31, which means until further notice."""
    found = day(text)
    return None if found == OPEN_END else found


def noon(text: str) -> datetime:
    """A date without a time as noon UTC: it stays the same local date in every zone from UTC-12 to UTC+11."""
    return moment(text).replace(hour=12, minute=0, second=0, microsecond=0)


def fraction(percent: Any) -> Decimal:
    """0-100 as 0-1."""
    return Decimal(str(percent)) / 100


def direction(code: str) -> str | None:
    """Which way an e-mail or a call went."""
    return {INBOUND: "inbound", OUTBOUND: "outbound"}.get(code)


def automatic(origin: str) -> bool | None:
    """Whether a program wrote an activity down, from its DataOriginTypeCode: "1" by hand, "2" groupware."""
    return {"1": False, "2": True}.get(origin)


def seconds(text: str) -> int | None:
    """An ISO 8601 duration without months, ``PT1H30M``."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def between(start: str | None, end: str | None) -> int | None:
    """Seconds from one moment to another; None if either is unknown or they are the wrong way round."""
    if not start or not end:
        return None
    length = (milliseconds(end) - milliseconds(start)) // 1000
    return length if length >= 0 else None


# What goes to SAP.


def text_literal(value: str) -> str:
    """A text in a filter."""
    return "'" + value.replace("'", "''") + "'"


def moment_literal(at: datetime) -> str:
    """A moment in a filter, in whole seconds as SAP's own examples have it."""
    return f"datetimeoffset'{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


def spelled(value: Value) -> str | int | bool | None:
    """A value as JSON carries it to SAP: decimals as text, times as ``/Date(ms)/``."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Decimal):
        return canonical_text(value)
    if isinstance(value, datetime):
        return f"/Date({ms_of(value.astimezone(UTC))})/"
    if isinstance(value, date):
        return f"/Date({ms_of(datetime(value.year, value.month, value.day, tzinfo=UTC))})/"
    return value


def fitted(value: Value, edm: str) -> str | int | bool | None:
    """A value for a property of that type; a number or a time in a text field in its readable spelling."""
    if edm == "Edm.String" and isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        return canonical_text(Decimal(value))
    if edm == "Edm.String" and isinstance(value, (datetime, date)):
        return value.isoformat()
    if edm == "Edm.Decimal" and isinstance(value, int):
        return str(value)
    return spelled(value)


READERS: Mapping[str, Callable[[Any], Value]] = {
    "Edm.Decimal": lambda text: Decimal(str(text)),
    "Edm.Double": lambda text: Decimal(str(text)),
    "Edm.Int32": Decimal,
    "Edm.DateTimeOffset": moment,
    "Edm.DateTime": day,
    "Edm.Boolean": bool,
}
"""How a property's value is read, by its type; a text stays as it is."""
