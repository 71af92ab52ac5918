"""How records become rows: prepared per kind and database once, since every pulled record passes here.

No ORM objects and no SQLAlchemy on this path: a hundred thousand records cost seconds, not minutes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Date, Text
from sqlalchemy.types import TypeEngine

from connectors.records import RECORDS, Record
from connectors.types import DecimalText, JsonText, UtcDateTime
from sync.store import driver
from sync.store.driver import moment_text
from sync.store.engine import Dialect
from sync.store.tables import table_of

KEYS = ("connection", "recorded_at", "content_hash", "current", "first_load", "run", "stamped_at")

Convert = Callable[[Any], Any]


_json_text = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def _decimal_text(number: Decimal) -> str:
    return format(number, "f")  # records hold decimals in their one spelling already


def _converter(column: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """What a value needs before the driver takes it; None for nothing. psycopg knows dates, times and booleans itself."""
    if isinstance(column, DecimalText):
        return _decimal_text
    if isinstance(column, JsonText):
        return _json_text
    if isinstance(column, UtcDateTime):
        return moment_text if dialect == "sqlite" else None
    if isinstance(column, Date) and dialect == "sqlite":
        return date.isoformat
    return None


def _drop_nul(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Codec:
    """One kind's row in one database. ``fields`` are the record's fields, ``columns`` all columns of an insert."""

    kind: str
    dialect: Dialect
    fields: tuple[str, ...]
    columns: tuple[str, ...]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    texts: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    converters: tuple[tuple[int, Convert], ...]
    insert: str
    mark: str
    modified: int
    """Where ``modified_at`` stands among the fields."""

    def row(self, values: Mapping[str, Any]) -> list[Any]:
        """Field values as the driver takes them. A NUL, which no PostgreSQL text can hold, is dropped on both databases."""
        row = list(self.pick(values))
        if "\0" in "".join(filter(None, self.texts(values))):
            row = [_drop_nul(value) for value in row]
        for index, convert in self.converters:
            value = row[index]
            if value is not None:
                row[index] = convert(value)
        return row

    def moment(self, moment: datetime) -> Any:
        """A moment as the driver takes it."""
        return driver.moment(moment, self.dialect)

    def among(self, column: str) -> str:
        """SQL that asks whether a column is one of a list given as one parameter (see ``listed``)."""
        return driver.among(column, self.dialect)

    def listed(self, values: Sequence[str]) -> Any:
        """The parameter that ``among`` takes."""
        return driver.listed(values, self.dialect)


@cache
def codec(kind: str, dialect: Dialect) -> Codec:
    """The prepared codec of a kind."""
    table = table_of(kind)
    fields = tuple(RECORDS[kind].model_fields)
    types = [table.columns[name].type for name in fields]
    converters = [(index, _converter(column, dialect)) for index, column in enumerate(types)]
    columns = (*KEYS, *fields)
    mark = driver.mark(dialect)
    names = ", ".join(f'"{name}"' for name in columns)
    return Codec(
        kind=kind,
        dialect=dialect,
        fields=fields,
        columns=columns,
        pick=itemgetter(*fields),
        texts=itemgetter(*(name for name in fields if isinstance(table.columns[name].type, Text))),
        converters=tuple((index, convert) for index, convert in converters if convert is not None),
        insert=f'INSERT INTO "{kind}" ({names}) VALUES ({", ".join([mark] * len(columns))})',  # noqa: S608 - our own names
        mark=mark,
        modified=fields.index("modified_at"),
    )


def stated(record: Record) -> dict[str, Any]:
    """The fields that a record states: set by its maker and not None."""
    values = record.__dict__
    return {name: values[name] for name in record.model_fields_set if values.get(name) is not None}
