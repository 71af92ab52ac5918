"""How values travel between a record and a database: decimals as text, aware UTC times, lists and maps as JSON."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

_DIGITS = 18
"""Of a number before its point. Sums and exchanged amounts of a whole company then still fit the 26 of scoring's frames."""

_LONGEST_EXPONENT = 400
"""No number that means something has more zeros (doubles end at 1E-324); written out, ``1E-999999999`` fills the memory."""


def canonical_text(number: Decimal) -> str:
    """The one spelling of a decimal: no exponent (short of 400 zeros), no trailing zeros, no negative zero."""
    text = str(number)
    if "E" in text:
        if number and abs(number.adjusted()) > _LONGEST_EXPONENT:
            return text
        text = format(number, "f") if number else "0"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _canonical(number: Decimal) -> Decimal:
    text = str(number)
    if len(text) <= _DIGITS and text[-1] in "123456789" and "E" not in text and "N" not in text:
        return number  # already in its one spelling, as nearly all are; this runs for every number that comes in
    if not number.is_finite():
        message = "must be a finite number"
        raise ValueError(message)
    if number.adjusted() >= _DIGITS:
        message = f"must have at most {_DIGITS} digits before the point"
        raise ValueError(message)
    if number and number.adjusted() < -_LONGEST_EXPONENT:
        message = f"must not be closer to zero than 1E-{_LONGEST_EXPONENT}"
        raise ValueError(message)
    return Decimal(canonical_text(number))


def _utc(value: Any) -> datetime:
    # Read here, not by pydantic: it takes a plain number, and the text of one, for seconds since 1970.
    moment = _parsed(value) if type(value) is str else value
    if not isinstance(moment, datetime):
        raise _unfit("datetime", value)
    if moment.tzinfo is None:
        message = "must name its time zone"
        raise ValueError(message)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _day(value: Any) -> date:
    found = _parsed(value) if type(value) is str else value
    if isinstance(found, datetime):
        if found.time() != time():
            message = "should be a date without a time of day"
            raise ValueError(message)
        return found.date()
    if not isinstance(found, date):
        raise _unfit("date", value)
    return found


def _parsed(text: str) -> datetime | None:
    """ISO text with dashes as a moment; None for any other, the digits of a number among them."""
    try:
        return datetime.fromisoformat(text) if text[4:5] == "-" else None
    except ValueError:
        return None


def _unfit(wanted: str, value: Any) -> ValueError:
    number = isinstance(value, (int, float, Decimal))
    return ValueError(f"should be a valid {wanted}: ISO text{', and no plain number' if number else ''}")


Exact = Annotated[Decimal, AfterValidator(_canonical)]
"""A finite Decimal in its canonical spelling, so that equal numbers hash alike."""

Utc = Annotated[datetime, BeforeValidator(_utc)]
"""An aware time, in UTC, from ISO text or a datetime; never from a number."""

Day = Annotated[date, BeforeValidator(_day)]
"""A date, from ISO text or a date; never from a number."""


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
