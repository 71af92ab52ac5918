"""Zoho's values in our words: percentages, days, rates, and what activities and stages mean."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from connectors.errors import ContractError

Row = Mapping[str, Any]

DIRECTIONS = {"Inbound": "inbound", "Missed": "inbound", "Outbound": "outbound"}
_NOT_HELD = frozenset({"Scheduled", "Overdue", "Cancelled"})
_OUTCOMES = {"open": "open", "closed won": "won", "closed lost": "lost", "omitted": "omitted"}
_RATE_DIGITS = Context(prec=50, rounding=ROUND_HALF_EVEN)


def fraction(percent: Any) -> Decimal:
    """0-100 as 0-1."""
    return Decimal(percent) / 100


def noon(day: Any) -> str:
    """A date without a time as noon UTC: it stays the same local date in every zone from UTC-12 to UTC+11."""
    return f"{date.fromisoformat(day)}T12:00:00Z"


def inverse(rate: Any) -> Decimal | None:
    """1 / rate to 12 places; None for a rate of zero. Zoho's text has the currency's units per unit of the base."""
    number = Decimal(rate)
    if not number:
        return None
    return _RATE_DIGITS.quantize(_RATE_DIGITS.divide(Decimal(1), number), Decimal("1E-12"))


def ref(value: Any) -> str | None:
    """The id of a lookup: an object in JSON, bare digits in a file. Raises ContractError for another thing."""
    found = value.get("id", "?") if isinstance(value, Mapping) else value
    if found in (None, ""):
        return None
    if not str(found).isdigit():
        raise ContractError("Zoho answered with something that is no id where a lookup belongs", str(value))
    return str(found)


def stage_outcome(row: Row) -> str | None:
    """A stage's outcome by its forecast type; an open one that forecasts leave out is no pipeline either."""
    kind = str(row.get("forecast_type") or "").casefold()
    meant = _OUTCOMES.get(kind)
    category = (row.get("forecast_category") or {}).get("name")
    return "omitted" if meant == "open" and str(category).casefold() == "omitted" else meant


def call_done_at(row: Row) -> str | None:
    """When a call took place; None for one that is planned, or that nobody answered."""
    if row.get("Outgoing_Call_Status") in _NOT_HELD or row.get("Call_Type") == "Missed":
        return None
    at: str | None = row.get("Call_Start_Time")
    return at


def call_planned_at(row: Row) -> str | None:
    """When a call is to take place; not known of one that was only logged."""
    at: str | None = row.get("Call_Start_Time") if row.get("Outgoing_Call_Status") in _NOT_HELD else None
    return at


def call_seconds(row: Row) -> int | None:
    """How long a call took: the number, else the text ``mm:ss``."""
    number, words = row.get("Call_Duration_in_seconds"), str(row.get("Call_Duration") or "")
    if number not in (None, ""):
        return int(Decimal(str(number)))
    parts = words.split(":")
    if len(parts) < 2 or not all(part.isdigit() for part in parts):
        return None
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return seconds


def task_done_at(row: Row) -> str | None:
    """When a completed task was closed; its day where no moment is known; None for an open one."""
    if str(row.get("Status") or "").casefold() != "completed":
        return None
    day = row.get("Due_Date")
    return row.get("Closed_Time") or (noon(day) if day else None)


def event_start(row: Row) -> str | None:
    """A meeting's begin; an all-day one has its day only."""
    return _event_at(row, "Start_DateTime")


def event_end(row: Row) -> str | None:
    """A meeting's end. One that lies ahead counts as held only when it is over: Zoho keeps no status of it."""
    return _event_at(row, "End_DateTime")


def _event_at(row: Row, column: str) -> str | None:
    at: str | None = row.get(column)
    all_day = row.get("All_day") in (True, "true")
    return noon(at[:10]) if at and all_day else at


def event_seconds(row: Row) -> int | None:
    """How long a meeting lasts; not known of an all-day one."""
    start, end = row.get("Start_DateTime"), row.get("End_DateTime")
    if not start or not end or row.get("All_day") in (True, "true"):
        return None
    seconds = int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    return seconds if seconds >= 0 else None


def mail_direction(row: Row) -> str:
    """Whether we sent an e-mail."""
    return "outbound" if row.get("sent") else "inbound"
