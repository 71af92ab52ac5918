"""Filters of a query: each becomes a test of one record. Filters are joined by AND; there is no OR."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.sandbox.fxiaoke.errors import bad_argument
from connectors.sandbox.fxiaoke.schema import Field, ObjectType
from connectors.sandbox.fxiaoke.store import Row

Test = Callable[[Row], bool]
Value = str | Decimal
_ONE = {"EQ", "N", "GT", "GTE", "LT", "LTE", "LIKE", "NLIKE", "STARTWITH", "ENDWITH"}
_TWO = {"BETWEEN", "NBETWEEN"}
_MANY = {"IN", "NIN"}
_EMPTY = {"IS", "ISN"}
_PRESET_ONLY = {"HASANYOF", "NHASANYOF"}
_CUSTOM_ONLY = {"CONTAINS"}
OPERATORS = frozenset(_ONE | _TWO | _MANY | _EMPTY | _PRESET_ONLY | _CUSTOM_ONLY)
_COMPARED: dict[str, Callable[[Any, list[Any]], bool]] = {
    "EQ": lambda value, asked: value == asked[0],
    "GT": lambda value, asked: value > asked[0],
    "GTE": lambda value, asked: value >= asked[0],
    "LT": lambda value, asked: value < asked[0],
    "LTE": lambda value, asked: value <= asked[0],
    "LIKE": lambda value, asked: str(asked[0]) in str(value),
    "STARTWITH": lambda value, asked: str(value).startswith(str(asked[0])),
    "ENDWITH": lambda value, asked: str(value).endswith(str(asked[0])),
    "IN": lambda value, asked: value in asked,
    "HASANYOF": lambda value, asked: value in asked,
    "CONTAINS": lambda value, asked: value in asked,
    "BETWEEN": lambda value, asked: asked[0] <= value <= asked[1],
}
_OPPOSITE = {"N": "EQ", "NLIKE": "LIKE", "NIN": "IN", "NHASANYOF": "HASANYOF", "NBETWEEN": "BETWEEN"}
"""Operators that hold where their opposite does not, so for empty fields too."""


def compile_filter(kind: ObjectType, one: Any, gone: frozenset[str], people: Mapping[str, str] | None) -> Test:
    """The test of one filter. ``people``: FSUID by employee number, where the call is written in numbers.

    Refusal 15002: not a filter, a field or operator that this object does not have, or values that do not fit.
    """
    name, operator, asked = _parts(one)
    field = kind.fields.get(name)
    if field is None or name in gone:
        raise bad_argument(f"filters.field_name {name}")
    _check_operator(kind, operator)
    if operator in _EMPTY:
        return (lambda row: not row.get(name)) if operator == "IS" else (lambda row: bool(row.get(name)))
    values = [_value(field, value, people) for value in asked]
    wanted = 1 if operator in _ONE else 2 if operator in _TWO else None
    if not values or (wanted is not None and len(values) != wanted):
        raise bad_argument(f"filters.field_values of {operator}")
    return _test(field, operator, values)


def _parts(one: Any) -> tuple[str, str, list[Any]]:
    if not isinstance(one, dict):
        raise bad_argument("filters")
    for name in ("field_name", "operator", "field_values"):
        if name not in one:
            raise bad_argument(f"filters.{name}")
    if not isinstance(one["field_values"], list):
        raise bad_argument("filters.field_values")
    return str(one["field_name"]), str(one["operator"]), one["field_values"]


def _check_operator(kind: ObjectType, operator: str) -> None:
    elsewhere = _PRESET_ONLY if kind.custom else _CUSTOM_ONLY
    if operator not in OPERATORS or operator in elsewhere:
        raise bad_argument(f"filters.operator {operator}")


def _value(field: Field, value: Any, people: Mapping[str, str] | None) -> Value:
    if isinstance(value, (list, dict)) or value is None:
        raise bad_argument(f"filters.field_values of {field.name}")
    if field.type == "employee" and people is not None:
        return people.get(str(value), str(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if not field.numeric:
        return str(value)
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise bad_argument(f"filters.field_values of {field.name}") from error


def _test(field: Field, operator: str, asked: list[Value]) -> Test:
    holds = _COMPARED[_OPPOSITE.get(operator, operator)]
    name, wanted = field.name, operator not in _OPPOSITE
    if field.numeric and field.type not in {"number", "currency", "percentile", "formula", "count"}:
        # moments are whole numbers, and comparing those is what a page of 100,000 records costs
        stamps = [int(value) for value in asked]
        return lambda row: ((value := row.get(name)) is not None and holds(value, stamps)) is wanted
    if field.numeric:
        return lambda row: ((value := row.get(name)) is not None and holds(Decimal(str(value)), asked)) is wanted
    if operator in {"EQ", "N"}:
        text = str(asked[0])
        return lambda row: (text in _texts(row.get(name))) is wanted
    return lambda row: any(holds(text, asked) for text in _texts(row.get(name))) is wanted


def _texts(value: Any) -> tuple[str, ...]:
    """What a field's value is compared as: the members of a list, a truth value in small letters."""
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    return (str(value),)
