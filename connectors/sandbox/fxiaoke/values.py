"""What a caller may write into a field, and in which form it is kept."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.sandbox.fxiaoke.auth import Caller
from connectors.sandbox.fxiaoke.errors import bad_argument
from connectors.sandbox.fxiaoke.schema import MOMENTS, NUMBERS, REFERENCES, Field
from connectors.sandbox.fxiaoke.store import Tenant

_NUMBER = re.compile(r"-?\d{1,16}(?:\.\d+)?")


def stored(tenant: Tenant, one: Field, value: Any, caller: Caller, *, strict: bool) -> Any:
    """The value as the record keeps it; None empties the field. Refusal 15002: it does not fit the field."""
    if value is None or value in ("", []):
        if one.required:
            raise bad_argument(f"{one.label}({one.name})为必填项")
        return None
    if one.type in NUMBERS:
        return _number(one, value, strict=strict)
    if one.type in MOMENTS:
        return _moment(one, value)
    if one.type in REFERENCES:
        return _reference(tenant, one, value)
    if one.type in {"employee", "department"}:
        return _people(tenant, one, value, caller)
    return _simple(one, value)


def _reference(tenant: Tenant, one: Field, value: Any) -> str:
    target = tenant.tables.get(one.target)
    if not isinstance(value, str) or target is None or value not in target.rows:
        raise _unfit(one)
    return value


def _number(one: Field, value: Any, *, strict: bool) -> str:
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or (strict and not isinstance(value, str)):
        raise _unfit(one)
    if not _NUMBER.fullmatch(text):
        raise _unfit(one)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise _unfit(one) from error
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > (one.decimals or 0):
        raise bad_argument(f"{one.label}({one.name})小数位数超过{one.decimals}")
    return text


def _moment(one: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unfit(one)
    return value


def _people(tenant: Tenant, one: Field, value: Any, caller: Caller) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _unfit(one)
    if one.type == "department":
        if any(not text.isdecimal() or int(text) not in tenant.departments for text in value):
            raise _unfit(one)
        return list(value)
    known: Mapping[str, str] = (
        tenant.by_employee if caller.style == "header" else {name: name for name in tenant.people}
    )
    if any(text not in known for text in value):
        raise _unfit(one)
    return [known[text] for text in value]


def _simple(one: Field, value: Any) -> Any:
    if one.type == "true_or_false":
        fits = isinstance(value, bool)
    elif one.type == "select_one":
        fits = isinstance(value, str) and (value in one.options or value == "other")
    elif one.type == "select_many":
        fits = isinstance(value, list) and all(text in one.options for text in value)
    elif one.length is not None:
        fits = isinstance(value, str)
        if fits and len(value) > one.length:
            raise bad_argument(f"{one.label}({one.name})长度超过{one.length}")
    else:
        fits = isinstance(value, list)
    if not fits:
        raise _unfit(one)
    return value


def _unfit(one: Field) -> Exception:
    return bad_argument(f"{one.label}({one.name})的值格式不正确")
