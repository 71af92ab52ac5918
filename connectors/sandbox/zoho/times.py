"""Moments and dates as Zoho writes them: ISO-8601 in whole seconds with the offset of the user's zone, never ``Z``."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


@lru_cache(maxsize=65_536)
def text_of(seconds: int, zone: ZoneInfo) -> str:
    """An epoch second as ``2026-09-12T17:22:05+02:00``."""
    return datetime.fromtimestamp(seconds, zone).isoformat()


def seconds_of(text: object) -> int | None:
    """``2026-09-12T17:22:05+02:00`` as an epoch second; None for what is not a moment with an offset."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return None


def is_date(text: object) -> bool:
    """Whether this is ``YYYY-MM-DD``."""
    if not isinstance(text, str) or len(text) != 10:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def world_seconds(cell: str) -> int | None:
    """A moment or day of a world folder as an epoch second; None for an empty cell."""
    if not cell:
        return None
    moment = datetime.fromisoformat(cell)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
