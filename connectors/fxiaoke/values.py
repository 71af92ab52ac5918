"""Fxiaoke's values in our types, by what describe says of a field: text numbers, epoch milliseconds, lists of people."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_DIGITS = re.compile(r"-?\d+")
_ISO_CURRENCY = re.compile(r"[A-Z]{3}")

NUMBERS = frozenset({"number", "currency", "percentile"})
PEOPLE = frozenset({"employee", "employee_many", "department", "department_many"})
SELECTIONS = frozenset({"select_one", "select_many"})
CALCULATED = frozenset({"formula", "count", "quote", "auto_number"})


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970, as every time travels."""
    return (at - _EPOCH) // _MS


def moment(value: Any) -> Any:
    """Epoch milliseconds, a number or its digits, as aware UTC; anything else as it is."""
    if not isinstance(value, int) and not (isinstance(value, str) and _DIGITS.fullmatch(value)):
        return value
    try:
        return _EPOCH + int(value) * _MS
    except OverflowError:
        return value  # no time that we could hold: the record refuses it


def day(value: Any, zone: ZoneInfo) -> Any:
    """A date, which is a midnight of the tenant's zone: read in UTC it would be the day before."""
    found = moment(value)
    try:
        return found.astimezone(zone).date() if isinstance(found, datetime) else found
    except OverflowError:
        return value


def midnight_ms(on: date, zone: ZoneInfo) -> int:
    """The first moment of a day in the tenant's zone, as date fields hold it."""
    return epoch_ms(datetime(on.year, on.month, on.day, tzinfo=zone).astimezone(UTC))


def number(value: Any) -> Any:
    """A number, which comes as text or as a number; what is none stays as it is and is refused by the record."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        return value


def fraction(value: Any) -> Any:
    """A percentage (60) as a fraction (0.6)."""
    found = number(value)
    return found / 100 if isinstance(found, Decimal) else found


def share(value: Any) -> Any:
    """A percentage that is kept as a plain number: above 1 it can be no fraction."""
    found = number(value)
    return found / 100 if isinstance(found, Decimal) and found.is_finite() and abs(found) > 1 else found


def person(value: Any) -> Any:
    """The one of a list of people or departments; several stay a list."""
    if not isinstance(value, list):
        return value
    return value[0] if len(value) == 1 else value or None


def currency(value: Any, options: Mapping[str, str]) -> Any:
    """The ISO code that an option of the currency stands for: its value, else the beginning of its label."""
    if isinstance(value, str) and not _ISO_CURRENCY.fullmatch(value):
        found = _ISO_CURRENCY.match(options.get(value, ""))
        return found[0] if found else value
    return value


def read(value: Any, kind: str, options: Mapping[str, str], zone: ZoneInfo) -> Any:
    """A value of a field of this type in ours; selections become their label."""
    if value is None:
        return None
    if kind in ("number", "currency"):
        return number(value)
    if kind == "percentile":
        return fraction(value)
    if kind == "date":
        return day(value, zone)
    if kind == "date_time":
        return moment(value)
    if kind in PEOPLE:
        return person(value)
    if kind in SELECTIONS:
        listed = isinstance(value, list)
        labels = [options.get(one, one) if isinstance(one, str) else one for one in (value if listed else [value])]
        return labels if listed else labels[0]
    return value


def name_of(value: Any) -> str | None:
    """The name in a derived ``__r`` field, which is a text or an object."""
    if isinstance(value, Mapping):
        value = value.get("name")
    return str(value) if value else None
