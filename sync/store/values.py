"""Field values that travel to a CRM, kept as text without losing their type."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from connectors.base import Value
from connectors.types import canonical_text

Values = Mapping[str, Value]


def _tagged(value: object) -> object:
    if isinstance(value, Decimal):
        return {"decimal": canonical_text(value)}
    if isinstance(value, datetime):
        return {"moment": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    message = f"a {type(value).__name__} cannot be written to a CRM field"
    raise TypeError(message)


def _untagged(tagged: dict[str, Any]) -> Any:
    if len(tagged) != 1:
        return tagged
    tag, text = next(iter(tagged.items()))
    if tag == "decimal":
        return Decimal(text)
    if tag == "moment":
        return datetime.fromisoformat(text)
    return date.fromisoformat(text)


def values_text(values: Values) -> str:
    """The one spelling of a field set: equal sets give equal text, whatever their order or a number's trailing zeros."""
    given: Iterable[object] = values.values()
    for value in given:
        if isinstance(value, float):  # json would take it, and cents would be lost
            _tagged(value)
    return json.dumps(dict(values), default=_tagged, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def stored_text(values: Values) -> str:
    """The same as the books hold it: without NUL, which no PostgreSQL text can hold."""
    return values_text(values).replace("\\u0000", "")


def parse_values(text: str) -> dict[str, Value]:
    """The field set that ``values_text`` wrote."""
    pairs: dict[str, Any] = json.loads(text)
    return {name: _untagged(value) if isinstance(value, dict) else value for name, value in pairs.items()}


class ValuesText(TypeDecorator[dict[str, Value]]):
    """A field set as text: numbers stay Decimal, times aware, dates dates."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Values | None, dialect: Dialect) -> str | None:
        return None if value is None else stored_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> dict[str, Value] | None:
        return None if value is None else parse_values(value)
