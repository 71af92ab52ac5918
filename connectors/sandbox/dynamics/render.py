"""Rows as JSON text: columns in the order asked for, annotations on demand, money with its ten digits."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from connectors.sandbox.dynamics.errors import no_property
from connectors.sandbox.dynamics.schema import OPTIONS, Column, TableType
from connectors.sandbox.dynamics.store import Org, Row

FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"

_quote: Callable[[str], str] = json.encoder.encode_basestring


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a ``Prefer`` header asks for."""

    page: int | None = None
    annotations: tuple[str, ...] = ()
    track: bool = False
    representation: bool = False
    go_on: bool = False
    applied: tuple[str, ...] = field(default=())

    def wants(self, annotation: str) -> bool:
        """Whether an annotation shall come along."""
        return any(fnmatchcase(annotation, pattern) for pattern in self.annotations)


def read_preferences(header: str) -> Preferences:
    """The preferences of a header; words that nobody knows are passed over, as RFC 7240 has it."""
    found: dict[str, Any] = {}
    applied: list[str] = []
    for word in _split(header):
        name, _, value = word.partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name in {"odata.maxpagesize", "maxpagesize"} and value.isdigit() and int(value) > 0:
            found["page"] = int(value)
        elif name in {"odata.include-annotations", "include-annotations"}:
            found["annotations"] = tuple(part.strip() for part in value.split(",") if part.strip())
        elif name in {"odata.track-changes", "track-changes"}:
            found["track"] = True
        elif (name, value) == ("return", "representation"):
            found["representation"] = True
        elif name in {"odata.continue-on-error", "continue-on-error"}:
            found["go_on"] = True
        else:
            continue
        applied.append(word.strip() if name != "odata.include-annotations" else f'{name}="{value}"')
    return Preferences(applied=tuple(applied), **found)


def _split(header: str) -> list[str]:
    words, inside = [""], False
    for sign in header:
        if sign == '"':
            inside = not inside
        if sign == "," and not inside:
            words.append("")
        else:
            words[-1] += sign
    return [word for word in words if word.strip()]


Writer = Callable[[Row], str]


class Projection:
    """Writes rows of a table: the columns asked for (all, if none is named) and the key. Refusal 400: unknown column."""

    def __init__(self, org: Org, table: TableType, select: Sequence[str], prefer: Preferences) -> None:
        self.org = org
        self.table = table
        self.prefer = prefer
        self.writers = [self._writer(column) for column in self._columns(select)]

    def _columns(self, select: Sequence[str]) -> list[Column]:
        if not select:
            return [one for one in self.table.columns.values() if self.org.column(self.table, one.key)]
        found = {}
        for key in (*select, self.table.pk):
            column = self.org.column(self.table, key)
            if column is None:
                raise no_property(key, self.table.name)
            found[key] = column
        return list(found.values())

    def text(self, row: Row, more: str = "") -> str:
        """One row as a JSON object; ``more`` goes in front of its columns, ending with a comma."""
        version = row.get("versionnumber")
        etag = f'"@odata.etag":"W/\\"{version}\\"",' if version is not None else ""
        return "{" + etag + more + ",".join([writer(row) for writer in self.writers]) + "}"

    def _writer(self, column: Column) -> Writer:
        key, wire = column.key, self._wire(column)
        head = f'"{key}":'
        notes = self._notes(column)

        def write(row: Row) -> str:
            value = row.get(key)
            if value is None:
                return head + "null"
            text = head + wire(value)
            return text + "".join([note(row, value) for note in notes]) if notes else text

        return write

    def _wire(self, column: Column) -> Callable[[Any], str]:
        if self.org.mistyped(self.table, column.key):
            return _wrong
        if column.type in {"money", "decimal"}:
            digits = 12 if column.name == "exchangerate" else 10
            return lambda value: f"{value:.{digits}f}"
        if column.type == "bool":
            return lambda value: "true" if value else "false"
        if column.type in {"int", "bigint", "double", *OPTIONS}:
            return str
        return _quote

    def _notes(self, column: Column) -> list[Callable[[Row, Any], str]]:
        notes: list[Callable[[Row, Any], str]] = []
        wants = self.prefer.wants
        if wants(FORMATTED) and column.type not in {"guid", "string", "memo", "entityname"}:
            head = f',"{column.key}@{FORMATTED}":'
            shown = self._shown(column)
            notes.append(lambda row, value: head + _quote(found) if (found := shown(row, value)) is not None else "")
        if column.is_lookup and wants(LOGICAL_NAME):
            mark = f',"{column.key}@{LOGICAL_NAME}":'
            notes.append(lambda row, _value: mark + _quote(target_of(column, row)))
        if column.is_lookup and wants(NAVIGATION):
            nav = f',"{column.key}@{NAVIGATION}":'
            notes.append(lambda row, _value: nav + _quote(column.navs.get(target_of(column, row), column.name)))
        return notes

    def _shown(self, column: Column) -> Callable[[Row, Any], str | None]:
        if column.is_lookup:
            return lambda row, value: self.org.title(target_of(column, row), value)
        if column.type == "money":
            return lambda row, value: f"{self._symbol(column, row)}{value:,.2f}"
        return lambda _row, value: formatted(column, value)

    def _symbol(self, column: Column, row: Row) -> str:
        held = self.org.base_currency_id if column.base else row.get("_transactioncurrencyid_value")
        currency = self.org.rows("transactioncurrency").get(held or self.org.base_currency_id, {})
        return str(currency.get("currencysymbol") or "")


def target_of(column: Column, row: Row) -> str:
    """The table that a lookup of a row points to; polymorphic ones say so under ``key@``."""
    return str(row.get(f"{column.key}@") or column.targets[0])


def formatted(column: Column, value: Any) -> str | None:
    """What the user interface shows for a value of a plain column, in English."""
    if column.type in OPTIONS:
        return column.options.get(value, str(value))
    if column.type == "bool":
        return "Yes" if value else "No"
    if column.type in {"date", "datetime"}:
        return _shown_time(value)
    if isinstance(value, Decimal):
        return f"{value:,.{column.precision}f}"
    return f"{value:,}" if isinstance(value, int) else None


@lru_cache(
    maxsize=65_536
)  # days and stamps come again and again, and parsing one costs more than a row's other columns
def _shown_time(text: str) -> str:
    at = datetime.fromisoformat(text)
    day = f"{at.month}/{at.day}/{at.year}"
    return day if len(text) == 10 else f"{day} {at.hour % 12 or 12}:{at.minute:02d} {'AM' if at.hour < 12 else 'PM'}"


def _wrong(value: Any) -> str:
    return "12345" if isinstance(value, str) else _quote(f"n/a {value}")
