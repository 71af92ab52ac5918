"""Search filters: each becomes a test of one row, with HubSpot's way of comparing times, numbers and words."""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.hubspot.store import Table, Thing
from connectors.sandbox.hubspot.values import Property, parse_moment, parse_number

Test = Callable[[Thing], bool]
Filter = Mapping[str, Any]

_MAX_GROUPS, _MAX_FILTERS, _MAX_TOTAL = 5, 6, 18
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda one, other: bool(one == other),
    "LT": lambda one, other: bool(one < other),
    "LTE": lambda one, other: bool(one <= other),
    "GT": lambda one, other: bool(one > other),
    "GTE": lambda one, other: bool(one >= other),
}
_SETS = ("IN", "NOT_IN")
_TOKENS = ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN")
_PRESENCE = ("HAS_PROPERTY", "NOT_HAS_PROPERTY")
OPERATORS = (*_COMPARE, "NEQ", "BETWEEN", *_SETS, *_TOKENS, *_PRESENCE)


def check_groups(groups: list[dict[str, Any]]) -> None:
    """Raises Refusal (400) for more groups or filters than the guide allows: 5 groups, 6 filters each, 18 in all."""
    sizes = [len(group["filters"]) for group in groups]
    if len(sizes) > _MAX_GROUPS or any(size > _MAX_FILTERS for size in sizes) or sum(sizes) > _MAX_TOTAL:
        raise invalid(
            f"Search supports at most {_MAX_GROUPS} filterGroups of {_MAX_FILTERS} filters and {_MAX_TOTAL} in all"
        )


def ignores(table: Table, one: Filter) -> bool:
    """Whether the filter has no effect: ISO times on goal targets, which the vendor passes over without a word."""
    prop = table.properties.get(one["propertyName"])
    value = one.get("value") or ""
    return table.kind.plural == "goal_targets" and prop is not None and prop.type == "datetime" and "-" in value[1:]


def compile_filter(table: Table, one: Filter) -> Test:
    """The test that a filter makes of a row. Raises Refusal (400) for one that HubSpot does not take."""
    name, operator = one["propertyName"], one["operator"]
    prop = table.properties.get(name)
    if operator not in OPERATORS:
        raise invalid(f"Enum type must be one of: {sorted(OPERATORS)}, was {operator}")
    if prop is None or prop.archived:
        raise invalid(f'Property "{name}" does not exist')
    value_of = _value_of(table, name)
    if operator in _PRESENCE:
        wanted = operator == "HAS_PROPERTY"
        return lambda thing: bool(value_of(thing)) is wanted
    if operator in _SETS:
        return _membership(prop, one, value_of)
    if operator in _TOKENS:
        return _token_test(one, value_of)
    if operator == "BETWEEN":
        return _between(prop, one, value_of)
    operand = _operand(prop, one, "value")
    key = sort_key(prop)
    if operator == "NEQ":
        return lambda thing: (value := value_of(thing)) is None or key(value) != operand
    compare = _COMPARE[operator]
    return lambda thing: (value := value_of(thing)) is not None and _safe(compare, key(value), operand)


def sort_key(prop: Property) -> Callable[[str], Any]:
    """How values of a property are compared: times by epoch ms, numbers as numbers, words without case."""
    if prop.type in ("datetime", "date"):
        return parse_moment
    if prop.type == "number":
        return parse_number
    return str.lower


def _safe(compare: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    return one is not None and compare(one, other)


def _value_of(table: Table, name: str) -> Callable[[Thing], str | None]:
    compute = table.calculated.get(name)
    if compute is None:
        return lambda thing: thing.props.get(name)
    return lambda thing: table.value(thing, name)


def _operand(prop: Property, one: Filter, key: str) -> Any:
    text = one.get(key)
    if text is None:
        raise invalid(f"operator {one['operator']} requires {key}")
    operand = sort_key(prop)(text)
    if operand is None:
        kind = "number" if prop.type == "number" else "timestamp"
        raise invalid(f"Unable to parse value {text} of property {prop.name} as a {kind}")
    return operand


def _between(prop: Property, one: Filter, value_of: Callable[[Thing], str | None]) -> Test:
    low, high = _operand(prop, one, "value"), _operand(prop, one, "highValue")
    key = sort_key(prop)

    def test(thing: Thing) -> bool:
        value = value_of(thing)
        number = None if value is None else key(value)
        return number is not None and low <= number <= high

    return test


def _membership(prop: Property, one: Filter, value_of: Callable[[Thing], str | None]) -> Test:
    """String values are compared in lower case with what was asked for as it is: capitals in ``values`` never match."""
    if not one.get("values"):
        raise invalid(f"operator {one['operator']} requires values")
    wanted = set(one["values"])
    key = str.lower if prop.type == "string" else str
    inside = one["operator"] == "IN"

    def test(thing: Thing) -> bool:
        value = value_of(thing)
        return (value is not None and key(value) in wanted) is inside

    return test


def _token_test(one: Filter, value_of: Callable[[Thing], str | None]) -> Test:
    if not one.get("value"):
        raise invalid(f"operator {one['operator']} requires value")
    pattern = one["value"].lower()
    wanted = one["operator"] == "CONTAINS_TOKEN"

    def test(thing: Thing) -> bool:
        value = (value_of(thing) or "").lower()
        return any(fnmatchcase(token, pattern) for token in (value, *words(value))) is wanted

    return test


def words(text: str) -> list[str]:
    """The tokens of a text, as the search index cuts them."""
    return [word for word in re.split(r"[^\w]+", text.lower()) if word]
