"""Property values: how HubSpot reads what is written, what it keeps (always text), and which values it refuses."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.hubspot.errors import Problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_DAY_MS = 86_400_000
_MAX_TEXT = 65_536


@dataclass(slots=True)
class Property:
    """One property definition. ``extras`` keeps what a creator sent beyond the common keys (display hints)."""

    name: str
    type: str
    field_type: str
    label: str
    group: str = ""
    options: list[dict[str, Any]] = field(default_factory=list)
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    own: bool = True
    """HubSpot's own property; False for one that somebody created."""
    owner_picker: bool = False
    archived: bool = False
    created_ms: int = 0
    updated_ms: int = 0
    extras: dict[str, Any] = field(default_factory=dict)


def iso(moment_ms: int) -> str:
    """``2026-11-23T07:59:12.345Z``."""
    day, rest = divmod(moment_ms, _DAY_MS)
    seconds, millis = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{_day(day)}T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{millis:03d}Z"


@lru_cache(maxsize=1 << 15)
def _day(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).date().isoformat()


def iso_short(moment_ms: int) -> str:
    """As ``iso``, but without a fraction where the milliseconds are zero: the form of datetime properties."""
    text = iso(moment_ms)
    return text[:-5] + "Z" if text.endswith(".000Z") else text


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware time."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def parse_moment(text: str) -> int | None:
    """Epoch ms of epoch-ms text, an ISO date (its midnight UTC) or an ISO time with a zone; None for anything else."""
    if text.lstrip("-").isdigit() and not re.fullmatch(r"\d{8}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return to_ms(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)


def local_midnight(day: date, zone: ZoneInfo) -> int:
    """Epoch ms of the first moment of a calendar day in a time zone."""
    return to_ms(datetime.combine(day, time(), tzinfo=zone))


@lru_cache(maxsize=1 << 16)
def parse_number(text: str | None) -> Decimal | None:
    """The number in plain notation; None for no number (an exponent or a thousands mark makes it none)."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    return Decimal(text)


def normalise(prop: Property, value: str | None, before: str | None) -> str | None:
    """The text HubSpot keeps for a written value; None where it was emptied. Raises Unfit with the vendor's code."""
    if value is None or value == "":
        return None
    if value.startswith(";") and prop.field_type == "checkbox":
        value = f"{before or ''}{value}"  # a leading semicolon adds to the values that are there
    return _READERS[prop.type](prop, value)


class Unfit(Exception):  # noqa: N818 - carries the vendor's verdict on one value
    """A value that its property does not take."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _text(prop: Property, value: str) -> str:
    if len(value) > _MAX_TEXT:
        message = f"Property value for {prop.name} is {len(value)} characters long, the maximum is {_MAX_TEXT}"
        raise Unfit(Problem(prop.name, "PROPERTY_VALUE_TOO_LONG", message))
    return value


def _number(prop: Property, value: str) -> str:
    if parse_number(value.strip()) is None:
        raise Unfit(Problem(prop.name, "INVALID_NUMBER", f"{value} was not a valid number."))
    return value.strip()


def _flag(prop: Property, value: str) -> str:
    if value not in ("true", "false"):
        message = f"{value} was not one of the allowed options: [true, false]"
        raise Unfit(Problem(prop.name, "INVALID_OPTION", message))
    return value


def _datetime(prop: Property, value: str) -> str:
    moment = parse_moment(value)
    if moment is None:
        message = f"{value} was not a valid datetime. Datetimes are epoch milliseconds or ISO 8601."
        raise Unfit(Problem(prop.name, "INVALID_DATE", message))
    return iso_short(moment)


def _date(prop: Property, value: str) -> str:
    moment = parse_moment(value)
    if moment is None:
        raise Unfit(Problem(prop.name, "INVALID_DATE", f"{value} was not a valid date."))
    if moment % _DAY_MS:
        raise Unfit(Problem(prop.name, "INVALID_DATE", f"{value} is at {iso(moment)[11:-1]} UTC, not midnight!"))
    return iso(moment)[:10]


def _option(prop: Property, value: str) -> str:
    if prop.owner_picker:
        return value  # checked against the owners, which this module does not know
    chosen = [one for one in value.split(";") if one] if prop.field_type == "checkbox" else [value]
    allowed = [option["value"] for option in prop.options]
    for one in chosen:
        if one not in allowed:
            message = f"{one} was not one of the allowed options: [{', '.join(allowed)}]"
            raise Unfit(Problem(prop.name, "INVALID_OPTION", message))
    return ";".join(dict.fromkeys(chosen))


_READERS: dict[str, Callable[[Property, str], str]] = {
    "string": _text,
    "phone_number": _text,
    "json": _text,
    "number": _number,
    "bool": _flag,
    "datetime": _datetime,
    "date": _date,
    "enumeration": _option,
}

FIELD_TYPES: dict[str, frozenset[str]] = {
    "string": frozenset(("text", "textarea", "html", "phonenumber", "file", "calculation_equation")),
    "phone_number": frozenset(("phonenumber",)),
    "number": frozenset(("number", "calculation_equation")),
    "bool": frozenset(("booleancheckbox", "calculation_equation")),
    "date": frozenset(("date",)),
    "datetime": frozenset(("date",)),
    "enumeration": frozenset(("select", "radio", "checkbox", "booleancheckbox", "calculation_equation")),
}
"""Which ``fieldType`` goes with which ``type``."""
