"""Salesforce's values in our words: percentages, days without a time, ids, forecast categories, rates, outcomes."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from connectors.records import OPEN_END

Row = Mapping[str, Any]

FORECAST_CATEGORIES = {
    "Pipeline": "pipeline",
    "BestCase": "best case",
    "MostLikely": "most likely",
    "Forecast": "commit",
    "Omitted": "omitted",
    "Closed": "closed",
}
"""Salesforce's fixed names (the API's, not the renameable labels) in our words."""

DIRECTIONS = {"Inbound": "inbound", "Outbound": "outbound"}
_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_RATE_DIGITS = Context(prec=50, rounding=ROUND_HALF_EVEN)


def fraction(percent: int | Decimal) -> Decimal:
    """0-100 as 0-1."""
    return Decimal(percent) / 100


def forecast_category(name: str) -> str:
    """Our word for a forecast category; an unknown one stays as it is."""
    return FORECAST_CATEGORIES.get(name, name)


def noon(day: str) -> str:
    """A date without a time as noon UTC: it stays the same local date in every zone from UTC-12 to UTC+11."""
    return f"{day}T12:00:00Z"


def full_id(identifier: str) -> str:
    """The 18-character form of a Salesforce id: three letters say which of the first 15 are capitals.

    >>> full_id("005000000000abC")
    '005000000000abCAAQ'
    """
    if len(identifier) != 15:
        return identifier
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, letter in enumerate(identifier[start : start + 5]) if "A" <= letter <= "Z")
        suffix += _ID_ALPHABET[bits]
    return identifier + suffix


def is_user_id(value: object) -> bool:
    """Whether a history value is a user's id: owner changes come twice, once with names."""
    return isinstance(value, str) and value.startswith("005") and len(value) in (15, 18) and value.isalnum()


def inverse(rate: int | Decimal) -> Decimal | None:
    """1 / rate to 12 places; None for a rate of zero."""
    number = Decimal(rate)
    if not number:
        return None
    return _RATE_DIGITS.quantize(_RATE_DIGITS.divide(Decimal(1), number), Decimal("1E-12"))


def last_day(next_start: str | None) -> str:
    """The last day before the next one starts; the open end where none is to start, which may be written 9999-12-31."""
    if next_start is None or next_start == OPEN_END.isoformat():
        return OPEN_END.isoformat()
    return (date.fromisoformat(next_start) - timedelta(days=1)).isoformat()


def outcome(row: Row) -> str | None:
    """What a deal's stage means, by the organisation's own stage list (never by a label)."""
    if row.get("IsClosed") is None:
        return None
    if not row["IsClosed"]:
        return "open"
    return "won" if row.get("IsWon") else "lost"


def stage_outcome(row: Row) -> str | None:
    """A stage's outcome; an open stage that the organisation leaves out of its forecasts is no pipeline either."""
    meant = outcome(row)
    return "omitted" if meant == "open" and row.get("ForecastCategory") == "Omitted" else meant


def closed_at(row: Row) -> str | None:
    """When the stage turned to a closed one; None for an open deal."""
    return row.get("LastStageChangeDate") if row.get("IsClosed") else None


def opportunity_id(what: str) -> str | None:
    """The deal that an activity is about: ``WhatId`` names the object by its first three characters."""
    return what if what.startswith("006") else None


def account_id(row: Row) -> str | None:
    """The account of an activity: Salesforce's own finding, else what the activity is about."""
    account: str | None = row.get("AccountId")
    what: str = row.get("WhatId") or ""
    return account or (what if what.startswith("001") else None)


def task_done_at(row: Row) -> str | None:
    """When a closed task was done; its day where no moment is known; None for an open one."""
    if not row.get("IsClosed"):
        return None
    day = row.get("ActivityDate")
    return row.get("CompletedDateTime") or (noon(day) if day else None)


def event_at(column: str) -> Callable[[Row], str | None]:
    """Reads a meeting's begin or end; an all-day one has its day only."""

    def at(row: Row) -> str | None:
        day = row.get("ActivityDate")
        if row.get("IsAllDayEvent") and day:
            return noon(day)
        moment: str | None = row.get(column)
        return moment

    return at


def split_kind(whole: bool) -> str:
    """A type of splits that must add up to 100 % shares out the deal's revenue; any other is laid over it."""
    return "revenue" if whole else "overlay"


def since_activity(since: date) -> str:
    """The condition of a first load of activities: their own day, else that of their creation."""
    return f"(ActivityDate >= {since} OR (ActivityDate = null AND CreatedDate >= {since}T00:00:00Z))"
