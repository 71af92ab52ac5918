"""SQL that goes to the driver itself, on the paths where every pulled or pushed record passes.

SQLAlchemy builds, compiles and binds a statement in the time that SQLite takes for ten rows.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlmodel import SQLModel

from sync.store.engine import Dialect
from sync.store.state import book


def mark(dialect: Dialect) -> str:
    """How a parameter is spelled."""
    return "?" if dialect == "sqlite" else "%s"


def moment_text(moment: datetime) -> str:
    """SQLite's spelling of a moment: UTC with microseconds, so that text order is time order."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]


def moment(at: datetime, dialect: Dialect) -> Any:
    """A moment as the driver takes it."""
    return moment_text(at) if dialect == "sqlite" else at


def among(column: str, dialect: Dialect) -> str:
    """SQL that asks whether a column is one of a list given as one parameter (see ``listed``)."""
    if dialect == "sqlite":
        return f'"{column}" IN (SELECT value FROM json_each(?))'  # noqa: S608 - a column's name, not input
    return f'"{column}" = ANY(%s)'


def listed(values: Sequence[str] | Sequence[int], dialect: Dialect) -> Any:
    """The parameter that ``among`` takes."""
    return json.dumps(list(values)) if dialect == "sqlite" else list(values)


@cache
def insert_sql(model: type[SQLModel], dialect: Dialect, columns: tuple[str, ...], *, over: bool = False) -> str:
    """An INSERT into one of our books; with ``over`` it overwrites the row that has the same primary key."""
    table = book(model)
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join([mark(dialect)] * len(columns))})'  # noqa: S608 - our own names
    if not over:
        return statement
    keys = [column.name for column in table.primary_key]
    rest = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in keys)
    return f"{statement} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {rest}"
