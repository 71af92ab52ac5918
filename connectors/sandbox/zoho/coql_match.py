"""COQL: criteria to functions that tell whether a row meets them, and to the range of stamps worth looking at."""

import operator
import re
from collections.abc import Callable
from typing import Any

from connectors.sandbox.zoho.coql import Both, Criterion, Where
from connectors.sandbox.zoho.errors import Refusal
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.schema import LOOKUPS, NUMBERS, Field, Module
from connectors.sandbox.zoho.store import Org, Row
from connectors.sandbox.zoho.times import is_date, seconds_of

Test = Callable[[Row], bool]
Get = Callable[[Row], Any]
Range = tuple[int | None, int | None]
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_EQUAL = {"=", "!=", "in", "not in", "is null", "is not null"}
_TEXT = _EQUAL | {"like", "not like"}
_NUMERIC = _EQUAL | {"<", "<=", ">", ">=", "between", "not between"}
MAX_HOPS = 2


def invalid_query(message: str, **details: Any) -> Refusal:
    """400 INVALID_QUERY."""
    return Refusal(400, "INVALID_QUERY", message, details)


class Columns:
    """Finds the columns of queries on one module, over lookups too (``Potential_Name.Owner``)."""

    def __init__(self, org: Org, module: Module) -> None:
        self.org = org
        self.module = module

    def find(self, name: str) -> tuple[Module, Field, Get, list[str]]:
        """Module and field at the end of the path, a reader of its row's value, and the lookups passed.

        Refusal: INVALID_QUERY for a column that is not there.
        """
        module, path = self.module, name.split(".")
        if len(path) > MAX_HOPS + 1:
            raise invalid_query("the number of joins exceeds the limit", column_name=name)
        for step in path[:-1]:
            one = self._field(module, step, name)
            if one.data_type not in LOOKUPS or one.to not in self.org.tables:
                raise invalid_query("column given seems to be invalid", column_name=name)
            module = self.org.tables[one.to].module
        return module, self._field(module, path[-1], name), self._getter(path), path[:-1]

    def _field(self, module: Module, name: str, whole: str) -> Field:
        one = self.org.field(module, name)
        if one is None or one.hidden:
            raise invalid_query("column given seems to be invalid", column_name=whole)
        return one

    def row(self, row: Row | None, path: list[str]) -> Row | None:
        """The row at the end of lookups."""
        module = self.module
        for step in path:
            one = module.find(step)
            if row is None or one is None:
                return None
            table = self.org.tables[one.to]
            row, module = table.rows.get(row.get(one.name, 0)), table.module
        return row

    def _getter(self, path: list[str]) -> Get:
        name = path[-1]
        if len(path) == 1:
            return lambda row: row.get(name)
        before = path[:-1]
        return lambda row: None if (found := self.row(row, before)) is None else found.get(name)


def compile_where(columns: Columns, where: Where | None) -> Test:
    """Whether a row meets the criteria. Refusal: INVALID_QUERY for columns, comparators and values that do not fit."""
    if where is None:
        return lambda _: True
    if isinstance(where, Criterion):
        return _criterion(columns, where)
    left, right = compile_where(columns, where.left), compile_where(columns, where.right)
    if where.word == "and":
        return lambda row: left(row) and right(row)
    return lambda row: left(row) or right(row)


def _criterion(columns: Columns, one: Criterion) -> Test:
    _, field, get, _ = columns.find(one.column)
    if field.data_type == "textarea":
        raise invalid_query("column cannot be used in criteria", column_name=one.column)
    if one.comparator not in _comparators(field):
        raise invalid_query("invalid operator for the column", column_name=one.column, operator=one.comparator)
    if one.comparator == "is null":
        return lambda row: get(row) in (None, "")
    if one.comparator == "is not null":
        return lambda row: get(row) not in (None, "")
    values = one.value if isinstance(one.value, list) else [one.value]
    return _compare(one.comparator, get, [_value(field, one.column, value) for value in values])


def _compare(comparator: str, get: Get, values: list[Any]) -> Test:
    if comparator.endswith("like"):
        pattern = re.compile(
            ".*".join(re.escape(part) for part in str(values[0]).split("%")), re.IGNORECASE | re.DOTALL
        )
        wanted = comparator == "like"
        return lambda row: (pattern.fullmatch(str(get(row) or "")) is not None) is wanted
    if comparator.endswith("in"):
        known, inside = set(values), comparator == "in"
        return lambda row: (get(row) in known) is inside
    if comparator.endswith("between"):
        low, high = values
        between = comparator == "between"
        return lambda row: (value := get(row)) is not None and (low <= value <= high) is between
    compare, value = _ORDERED[comparator], values[0]
    if comparator in {"=", "!="}:
        return lambda row: compare(get(row), value)
    return lambda row: (found := get(row)) is not None and compare(found, value)


def _comparators(field: Field) -> set[str]:
    if field.data_type in NUMBERS | {"date", "datetime", "bigid"}:
        return _NUMERIC
    if field.data_type == "boolean":
        return {"=", "!="}
    return _EQUAL if field.data_type in LOOKUPS else _TEXT


def _value(field: Field, column: str, value: Any) -> Any:
    """A value of the query as rows hold it."""
    found: Any = value
    if field.data_type in LOOKUPS or field.data_type == "bigid":
        found = parse_id(value)
    elif field.data_type == "datetime":
        found = seconds_of(value)
    elif field.data_type == "date":
        found = value if is_date(value) else None
    elif field.data_type in NUMBERS:
        found = _number(value)
    elif field.data_type == "boolean":
        found = value if isinstance(value, bool) else None
    elif not isinstance(value, str):
        found = None
    if found is None:
        raise invalid_query("invalid value found", column_name=column, expected_data_type=field.data_type)
    return found


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def bounds(where: Where | None, name: str) -> Range:
    """The closed range in which a column's value must be, as far as the criteria tell; for stamps and ids."""
    if isinstance(where, Criterion):
        return _bounds_of(where, name)
    if not isinstance(where, Both):
        return None, None
    (low, high), (low_2, high_2) = bounds(where.left, name), bounds(where.right, name)
    if where.word == "and":
        lows, highs = (
            [one for one in (low, low_2) if one is not None],
            [one for one in (high, high_2) if one is not None],
        )
        return max(lows, default=None), min(highs, default=None)
    return (
        None if low is None or low_2 is None else min(low, low_2),
        None if high is None or high_2 is None else max(high, high_2),
    )


def _bounds_of(one: Criterion, name: str) -> Range:
    if one.column != name or isinstance(one.value, bool) or one.value is None:
        return None, None
    values = one.value if isinstance(one.value, list) else [one.value]
    found = [parse_id(value) if name == "id" else seconds_of(value) for value in values]
    known = [value for value in found if value is not None]
    if len(known) < len(found):
        return None, None
    if one.comparator in {"=", "in", "between"}:
        return min(known), max(known)
    if one.comparator in {">", ">="}:
        return known[0], None
    return (None, known[0]) if one.comparator in {"<", "<="} else (None, None)
