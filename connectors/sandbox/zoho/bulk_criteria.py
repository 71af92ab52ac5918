"""Bulk Read's criteria: groups of ``{field, comparator, value}`` to a test of rows."""

from collections.abc import Callable
from typing import Any

from connectors.sandbox.zoho.errors import Refusal
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.schema import LOOKUPS, NUMBERS, Field, Module
from connectors.sandbox.zoho.store import Org, Row
from connectors.sandbox.zoho.times import is_date, seconds_of

Test = Callable[[Row], bool]
MAX_CRITERIA = 25
MAX_VALUES = 200
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "equal": lambda held, value: held == value,
    "not_equal": lambda held, value: held != value,
    "in": lambda held, value: held in value,
    "not_in": lambda held, value: held not in value,
    "greater_than": lambda held, value: held is not None and held > value,
    "greater_equal": lambda held, value: held is not None and held >= value,
    "less_than": lambda held, value: held is not None and held < value,
    "less_equal": lambda held, value: held is not None and held <= value,
    "between": lambda held, value: held is not None and value[0] <= held <= value[1],
    "not_between": lambda held, value: held is not None and not value[0] <= held <= value[1],
    "contains": lambda held, value: value in (held or ""),
    "not_contains": lambda held, value: value not in (held or ""),
    "starts_with": lambda held, value: (held or "").startswith(value),
    "ends_with": lambda held, value: (held or "").endswith(value),
}
_TEXT_ONLY = {"contains", "not_contains", "starts_with", "ends_with"}
_LISTS = {"in", "not_in", "between", "not_between"}
_RANGES = {"greater_than", "greater_equal", "less_than", "less_equal", "between", "not_between"}


def criteria(org: Org, module: Module, given: Any) -> Test:
    """The test that a group or a single criterion stands for. Refusal: what Bulk Read refuses."""
    if _count(given) > MAX_CRITERIA:
        raise _refuse("CRITERIA_LIMIT_EXCEEDED", "the criteria limit is exceeded", max_limit=MAX_CRITERIA)
    return _any(org, module, given)


def _refuse(code: str, message: str, **details: Any) -> Refusal:
    return Refusal(400, code, message, details)


def _count(given: Any) -> int:
    if isinstance(given, dict) and isinstance(given.get("group"), list):
        return sum(_count(one) for one in given["group"])
    return 1


def _any(org: Org, module: Module, given: Any) -> Test:
    if not isinstance(given, dict):
        raise _refuse("INVALID_CRITERIA", "the criteria is invalid")
    if "group" not in given:
        return _one(org, module, given)
    if "field" in given:
        raise _refuse("AMBIGUOUS_CRITERIA", "a criteria is either a group or a field")
    word = str(given.get("group_operator", "")).lower()
    if word not in {"and", "or"}:
        raise _refuse("GROUP_OPERATOR_NOT_SUPPORTED", "the group operator is not supported", supported=["and", "or"])
    tests = [_any(org, module, one) for one in given["group"]]
    return (
        (lambda row: all(test(row) for test in tests))
        if word == "and"
        else lambda row: any(test(row) for test in tests)
    )


def _one(org: Org, module: Module, given: dict[str, Any]) -> Test:
    named = given.get("field")
    name = named.get("api_name") if isinstance(named, dict) else given.get("api_name")
    field = org.field(module, str(name))
    if field is None:
        raise _refuse("FIELD_NOT_AVAILABLE", "the field is not available")
    if field.hidden or field.data_type == "textarea":
        raise _refuse("FIELD_IN_CRITERIA_NOT_SUPPORTED", "the field is not supported in criteria", api_name=name)
    comparator, value = str(given.get("comparator")), given.get("value")
    compare = _COMPARE.get(comparator)
    if compare is None or not _fits(field, comparator):
        message = "the comparator is not supported for the field"
        raise _refuse("FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED", message, api_name=name, comparator=comparator)
    held = _values(field, comparator, value)
    key = field.name
    return lambda row: compare(row.get(key), held)


def _fits(field: Field, comparator: str) -> bool:
    text = field.data_type not in NUMBERS | LOOKUPS | {"date", "datetime", "boolean", "bigid"}
    return text if comparator in _TEXT_ONLY else not (comparator in _RANGES and (text or field.data_type in LOOKUPS))


def _values(field: Field, comparator: str, value: Any) -> Any:
    details = {"api_name": field.name, "comparator": comparator, "value": value, "type": field.data_type}
    if comparator not in _LISTS:
        found = _value(field, value)
        if found is None and value not in (None, "", "${EMPTY}"):
            raise _refuse("VALUE_IN_CRITERIA_NOT_SUPPORTED", "the value is not supported", **details)
        return found
    values = value.split(",") if isinstance(value, str) else value
    if not isinstance(values, list) or (comparator.endswith("between") and len(values) != 2):
        raise _refuse("COMPARATOR_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE", "value and comparator do not fit", **details)
    if len(values) > MAX_VALUES:
        raise _refuse("VALUE_LIMIT_EXCEEDED_IN_CRITERIA", "the value limit is exceeded", max_limit=MAX_VALUES)
    found_list = [_value(field, one) for one in values]
    if None in found_list:
        raise _refuse("VALUE_IN_CRITERIA_NOT_SUPPORTED", "the value is not supported", **details)
    return found_list


def _value(field: Field, value: Any) -> Any:
    if field.data_type in LOOKUPS or field.data_type == "bigid":
        return parse_id(value.get("id") if isinstance(value, dict) else value)
    if field.data_type == "datetime":
        return seconds_of(value)
    if field.data_type == "date":
        return value if is_date(value) else None
    if field.data_type in NUMBERS:
        try:
            return float(value)
        except (TypeError, ValueError):
            return None
    if field.data_type == "boolean":
        return {"true": True, "false": False}.get(str(value).lower())
    return value if isinstance(value, str) and value != "${EMPTY}" else None
