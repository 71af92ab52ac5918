"""What a field takes: values of requests checked and brought into the form in which rows hold them."""

from collections.abc import Callable
from typing import Any

from connectors.sandbox.zoho.errors import Refusal, invalid
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.schema import LOOKUPS, Field, Module
from connectors.sandbox.zoho.store import Org
from connectors.sandbox.zoho.times import is_date, seconds_of

_MAX_WHOLE = 999_999_999


class _Wrong(Exception):  # noqa: N818 - says which type was expected, and never leaves this file
    """The value is not of the field's type."""


def read_value(org: Org, one: Field, value: Any, path: str) -> Any:
    """A value of JSON as rows hold it; None for null and "".

    Refusal: INVALID_DATA with the expected type or length.
    """
    if value is None or value == "":
        return None
    try:
        if one.data_type in LOOKUPS:
            return _lookup(org, one, value)
        if one.data_type in {"picklist", "multiselectpicklist"}:
            return _pick(one, value)
        read: Callable[[Field, Any], Any] = _READERS.get(one.data_type, _text)
        return read(one, value)
    except _Wrong as wrong:
        kind = str(wrong)
        raise invalid("invalid data", expected_data_type=kind, api_name=one.name, json_path=path) from wrong
    except OverflowError as wrong:
        raise invalid("invalid data", maximum_length=one.length, api_name=one.name, json_path=path) from wrong


def _text(one: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("text")
    if len(value) > one.length:
        raise OverflowError
    return value


def _whole(one: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong("integer")
    if one.data_type == "integer" and abs(value) > _MAX_WHOLE:
        raise OverflowError
    return value


def _number(one: Field, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong("double")
    if one.decimals is not None and round(value, one.decimals) != value:
        raise OverflowError
    if abs(value) >= 10**one.length:
        raise OverflowError
    return value


def _boolean(_: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("boolean")
    return value


def _date(_: Field, value: Any) -> str:
    if not is_date(value):
        raise _Wrong("date")
    return str(value)


def _moment(_: Field, value: Any) -> int:
    seconds = seconds_of(value)
    if seconds is None:
        raise _Wrong("datetime")
    return seconds


def _lookup(org: Org, one: Field, value: Any) -> int:
    given = value.get("id") if isinstance(value, dict) else value
    key = parse_id(given)
    if key is None:
        raise _Wrong("jsonobject" if isinstance(value, dict) else "bigint")
    table = org.tables.get(one.to)
    if table is not None and key not in table.rows:
        raise _Wrong("bigint")
    return key


def _pick(one: Field, value: Any) -> Any:
    if one.data_type == "multiselectpicklist":
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _Wrong("jsonarray")
        return value
    if not isinstance(value, str):
        raise _Wrong("text")
    return None if value == "-None-" else value


_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "integer": _whole, "bigint": _whole, "double": _number, "currency": _number, "percent": _number,
    "boolean": _boolean, "date": _date, "datetime": _moment,
}  # fmt: skip


def mandatory(module: Module, values: dict[str, Any], number: int) -> None:
    """Refusal: a field that a new record must have is not among the values."""
    for one in module.fields.values():
        if one.mandatory and values.get(one.name) is None:
            details = {"api_name": one.name, "json_path": f"$.data[{number}].{one.name}"}
            raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", details)
