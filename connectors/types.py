"""How values travel between a record and a database: decimals as text, aware UTC times, lists and maps as JSON."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator
from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator


def canonical_text(number: Decimal) -> str:
    """The one spelling of a decimal: no exponent, no trailing zeros, no negative zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _canonical(number: Decimal) -> Decimal:
    text = str(number)
    if text[-1] in "123456789" and "E" not in text and "N" not in text:
        return number  # already in its one spelling, as nearly all are; this runs for every number that comes in
    if not number.is_finite():
        message = "must be a finite number"
        raise ValueError(message)
    return Decimal(canonical_text(number))


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = "must name its time zone"
        raise ValueError(message)
    return moment.astimezone(UTC)


Exact = Annotated[Decimal, AfterValidator(_canonical)]
"""A finite Decimal in its canonical spelling, so that equal numbers hash alike."""

Utc = Annotated[datetime, AfterValidator(_utc)]
"""An aware time, in UTC."""


class DecimalText(TypeDecorator[Decimal]):
    """A Decimal kept digit for digit as text: SQLite would turn NUMERIC into a float and lose cents."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else canonical_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time: TIMESTAMPTZ on PostgreSQL, ISO text with microseconds on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """A list or map as JSON text with sorted keys."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
