"""Turns the conditions of a query into fast predicates over rows, typed and refused as the vendor does."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.salesforce.ids import to_18
from connectors.sandbox.salesforce.schema import NUMBERS, TEXTS, Field
from connectors.sandbox.salesforce.soql_tree import All, Condition, Literal, Name, Not, Order, Some, Test, complain

Values = Mapping[str, Any]
Getter = Callable[[Values], Any]
Predicate = Callable[[Values], bool]
Resolve = Callable[[Name], tuple[Field, Getter]]


def moment_text(text: str) -> str:
    """A SOQL datetime literal in the form rows hold: UTC, whole seconds, ``.000+0000``."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class Compiler:
    """Compiles the conditions of one query."""

    def __init__(self, text: str, resolve: Resolve) -> None:
        self._text = text
        self._resolve = resolve

    def predicate(self, condition: Condition) -> Predicate:
        """A function that tells whether a row meets the condition. SoqlError where the vendor refuses it."""
        if isinstance(condition, All | Some):
            parts = [self.predicate(part) for part in condition.parts]
            if isinstance(condition, Some):
                return lambda row: any(part(row) for part in parts)
            if len(parts) == 2:
                one, other = parts
                return lambda row: one(row) and other(row)
            return lambda row: all(part(row) for part in parts)
        if isinstance(condition, Not):
            inner = self.predicate(condition.part)
            return lambda row: not inner(row)
        return self._test(condition)

    def literal(self, one: Field, name: Name, value: Literal) -> Any:
        """The literal as rows of that field hold it; INVALID_FIELD if it is of another type."""
        if value.kind == "null":
            return None
        kinds, wanted = _LITERALS.get(one.type, ("string", "string"))
        if value.kind != kinds:
            quoted = "should be enclosed in quotes" if kinds == "string" else "should not be enclosed in quotes"
            why = f"value of filter criterion for field '{one.name}' must be of type {wanted} and {quoted}"
            complain(self._text, name.at, "INVALID_FIELD", why)
        if one.type in {"id", "reference"}:
            return self._id(one, name, value.value)
        if value.kind == "datetime":
            return moment_text(value.value)
        return value.value.casefold() if value.kind == "string" else value.value

    def _id(self, one: Field, name: Name, text: str) -> str | None:
        if text == "":
            return None
        known = to_18(text)
        if known is None:
            complain(self._text, name.at, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
        return known

    def _test(self, test: Test) -> Predicate:
        one, get = self._resolve(test.name)
        if not one.filterable:
            why = f"field '{one.name}' can not be filtered in a query call"
            complain(self._text, test.name.at, "INVALID_FIELD", why)
        if isinstance(test.value, tuple):
            return self._membership(test, one, get)
        if test.operator == "like":
            return self._like(test, one, get)
        value = self.literal(one, test.name, test.value)
        fold = one.type in TEXTS
        if test.operator in {"=", "!="}:
            return _equality(get, value, fold=fold, wanted=test.operator == "=")
        if value is None or one.type in {"boolean", "id", "reference"}:
            complain(self._text, test.name.at, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator")
        return _comparison(get, test.operator, value, fold=fold)

    def _membership(self, test: Test, one: Field, get: Getter) -> Predicate:
        assert isinstance(test.value, tuple)  # noqa: S101 - narrows for the type checker
        values = {self.literal(one, test.name, value) for value in test.value}
        fold, wanted = one.type in TEXTS, test.operator == "in"
        return lambda row: (_folded(get(row), fold=fold) in values) is wanted

    def _like(self, test: Test, one: Field, get: Getter) -> Predicate:
        if one.type not in TEXTS or not isinstance(test.value, Literal) or test.value.kind != "string":
            complain(self._text, test.name.at, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on LIKE")
        pattern = _like_pattern(test.value.value)
        return lambda row: (value := get(row)) is not None and pattern.fullmatch(value) is not None


_LITERALS = {
    "boolean": ("boolean", "boolean"), "date": ("date", "date"), "datetime": ("datetime", "dateTime"),
    **dict.fromkeys(NUMBERS, ("number", "double")),
}  # fmt: skip


def _folded(value: Any, *, fold: bool) -> Any:
    return value.casefold() if fold and isinstance(value, str) else value


def _equality(get: Getter, value: Any, *, fold: bool, wanted: bool) -> Predicate:
    if fold and value is not None:
        return lambda row: (_folded(get(row), fold=True) == value) is wanted
    if wanted:
        return lambda row: get(row) == value
    return lambda row: get(row) != value


def _comparison(get: Getter, operator: str, value: Any, *, fold: bool) -> Predicate:
    if fold:
        plain = get
        get = lambda row: _folded(plain(row), fold=True)  # noqa: E731 - one wrapper, used at once
    if operator == "<":
        return lambda row: (found := get(row)) is not None and found < value
    if operator == "<=":
        return lambda row: (found := get(row)) is not None and found <= value
    if operator == ">":
        return lambda row: (found := get(row)) is not None and found > value
    return lambda row: (found := get(row)) is not None and found >= value


def _like_pattern(text: str) -> re.Pattern[str]:
    pieces = re.findall(r"\\[%_]|%|_|[^%_\\]+|\\", text)
    regex = "".join(
        {"%": ".*", "_": "."}.get(piece) or re.escape(piece.removeprefix("\\") or piece) for piece in pieces
    )
    return re.compile(regex, re.IGNORECASE | re.DOTALL)


def bounds(condition: Condition | None, cursor: str) -> tuple[str | None, str | None]:
    """The closed range of ``cursor`` outside which no row can meet the condition; None: no bound on that side."""
    low: str | None = None
    high: str | None = None
    tests = condition.parts if isinstance(condition, All) else (condition,)
    for test in tests:
        if not isinstance(test, Test) or test.name.path.lower() != cursor.lower():
            continue
        if not isinstance(test.value, Literal) or test.value.kind != "datetime":
            continue
        value = moment_text(test.value.value)
        if test.operator in {">", ">=", "="}:
            low = max(low, value) if low else value
        if test.operator in {"<", "<=", "="}:
            high = min(high, value) if high else value
    return low, high


def wanted_ids(condition: Condition | None) -> list[str] | None:
    """The ids that ``Id =`` or ``Id IN`` names at the top of the condition; None if it does not."""
    tests = condition.parts if isinstance(condition, All) else (condition,)
    for test in tests:
        if isinstance(test, Test) and test.name.path.lower() == "id" and test.operator in {"=", "in"}:
            values = test.value if isinstance(test.value, tuple) else (test.value,)
            return [known for value in values if isinstance(value.value, str) and (known := to_18(value.value))]
    return None


def sort_rows(rows: list[Any], order: list[Order], resolve: Resolve) -> list[Any]:
    """The rows in that order: texts without regard to case, nulls first unless said otherwise."""
    for key in reversed(order):
        one, get = resolve(key.name)
        fold = one.type in TEXTS
        filled = [row for row in rows if get(row) is not None]
        empty = [row for row in rows if get(row) is None]
        filled.sort(key=lambda row, get=get, fold=fold: _folded(get(row), fold=fold), reverse=key.descending)  # type: ignore[misc]  # the defaults bind the loop's values
        rows = [*filled, *empty] if key.nulls_last else [*empty, *filled]
    return rows
