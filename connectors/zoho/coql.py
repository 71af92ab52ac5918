"""COQL as text: selects, conditions in pairs, and keysets that go on behind a row."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

MOST_ROWS = 2_000
"""Rows of one query at most, for 3 credits."""

FEW_ROWS = 200
"""Rows for 1 credit: what is asked for first where nothing may have changed. The declared LIMIT decides the price."""

MOST_COLUMNS = 50
MOST_VALUES = 50
"""Values of one ``in`` list that every version takes."""


def text(value: str) -> str:
    """A quoted COQL string: a quotation mark in it is doubled."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def moment(value: datetime) -> str:
    """A quoted datetime in UTC, in whole seconds. Zoho wants an offset and takes no ``Z``."""
    return f"'{value.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S')}+00:00'"


def day_start(value: date) -> str:
    """The quoted first second of a day in UTC."""
    return f"'{value.isoformat()}T00:00:00+00:00'"


def every(conditions: Iterable[str]) -> str:
    """All conditions at once. Zoho reads them in pairs only: ``((A and B) and C)``; and there must be one."""
    joined = ""
    for condition in conditions:
        if condition:
            joined = f"({joined} and {condition})" if joined else condition
    return joined or "id is not null"


def behind(cursor: str | None, stamp: str, row_id: str) -> str:
    """The condition for rows behind one, by stamp and then id; by id alone without a cursor."""
    if cursor is None:
        return f"id > {row_id}"
    return f"({cursor} > {text(stamp)} or ({cursor} = {text(stamp)} and id > {row_id}))"


def select(columns: Iterable[str], module: str, where: Iterable[str], order: str, limit: int) -> str:
    """One query."""
    names = ", ".join(dict.fromkeys(columns))
    return f"select {names} from {module} where {every(where)} order by {order} limit {limit}"  # noqa: S608 - names of configuration; values are quoted by `text`


def among(column: str, values: Sequence[str]) -> Iterator[str]:
    """``column in (...)`` conditions that together cover the values."""
    names = list(dict.fromkeys(values))
    for start in range(0, len(names), MOST_VALUES):
        listed = ", ".join(text(name) for name in names[start : start + MOST_VALUES])
        yield f"{column} in ({listed})"
