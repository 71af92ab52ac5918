"""Values of the REST services: dotted paths, moments in filters, and what is written and read back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.base import Value

Row = dict[str, Any]
MISFIT = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
"""What comes of a value that is not of the type that it should be."""
EXTENSIONS = "extensions"


def at_path(row: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where it ends too early."""
    value: Any = row
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def stamp(row: Mapping[str, Any]) -> str:
    """``adminData.updatedOn``; "" where there is none."""
    return str(at_path(row, "adminData.updatedOn") or "")


def tag_of(row: Mapping[str, Any]) -> str:
    """A record's ETag where no header tells it: its stamp in quotes."""
    return f'"{stamp(row)}"'


def moment(text: str) -> datetime:
    """A moment, aware UTC; one without a zone is UTC as well, never of this machine's zone."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def fraction(percent: Any) -> Decimal:
    """0-100 as 0-1."""
    return Decimal(str(percent)) / 100


def is_older(row: Mapping[str, Any], start: datetime) -> bool:
    """Whether a row was changed last before a moment; one that does not tell was not."""
    return bool(stamp(row)) and moment(stamp(row)) < start


def is_newest_first(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows come as asked for: a service may pass an order over without a word."""
    stamps = [moment(stamp(row)) for row in rows if stamp(row)]
    return stamps == sorted(stamps, reverse=True)


def moment_literal(at: datetime) -> str:
    """A moment in a filter: bare, in whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def text_literal(value: str) -> str:
    """A text in a filter."""
    return "'" + value.replace("'", "''") + "'"


def seconds_between(start: str | None, end: str | None) -> int | None:
    """Seconds from one moment to another; None if either is unknown or they are the wrong way round."""
    if not start or not end:
        return None
    length = int((moment(end) - moment(start)).total_seconds())
    return length if length >= 0 else None


def spelled(value: Value) -> str | int | bool | Decimal | None:
    """A value as JSON carries it: numbers as numbers, times in ISO with Z; null deletes (RFC 7396)."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return value.isoformat() if isinstance(value, date) else value


def understood(value: Any) -> Value:
    """An extension's value in our types. Nothing tells the type of a field but its value."""
    if isinstance(value, Mapping):  # an amount, or a quantity
        value = value.get("content")
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return bool(value) if isinstance(value, bool) else str(value)
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str) and len(value) >= 20 and value[10:11] == "T":
        return _moment_or_text(value)
    return value


def _moment_or_text(text: str) -> datetime | str:
    try:
        return moment(text)
    except ValueError:
        return text
