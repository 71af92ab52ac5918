"""SOQL as text: literals, selects, and id lists that fit into a URL."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from urllib.parse import quote

LIST_CHARACTERS = 9_000
"""How long an IN list may get in its URL spelling: the edge refuses requests of about 16 kB; the rest needs room."""

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def text(value: str) -> str:
    """A quoted SOQL string."""
    return f"'{value.translate(_ESCAPES)}'"


def moment(value: datetime) -> str:
    """An unquoted datetime literal in UTC, cut to whole seconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_start(value: date) -> str:
    """The literal of a day's first second in UTC."""
    return f"{value.isoformat()}T00:00:00Z"


def window(cursor: str, start: datetime | None, end: datetime) -> str:
    """The half-open condition ``[start, end)``. The end bounds a full pull too: the next window begins there."""
    before = f"{cursor} < {moment(end)}"
    return before if start is None else f"{cursor} >= {moment(start)} AND {before}"


def select(columns: Iterable[str], remote: str, where: Iterable[str] = (), order: str = "") -> str:
    """One SELECT. Conditions are joined by AND; empty ones are left out."""
    conditions = " AND ".join(condition for condition in where if condition)
    parts = ["SELECT", ", ".join(dict.fromkeys(columns)), "FROM", remote]
    if conditions:
        parts += ["WHERE", conditions]
    if order:
        parts += ["ORDER BY", order]
    return " ".join(parts)


def among(column: str, values: Sequence[str]) -> Iterator[str]:
    """``column IN (...)`` conditions that together cover the values, each short enough for a URL."""
    part: list[str] = []
    used = 0
    for value in dict.fromkeys(values):
        literal = text(value)
        length = len(quote(literal)) + len("%2C+")
        if part and used + length > LIST_CHARACTERS:
            yield f"{column} IN ({', '.join(part)})"
            part, used = [], 0
        part.append(literal)
        used += length
    if part:
        yield f"{column} IN ({', '.join(part)})"
