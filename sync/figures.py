"""Figures as people read them: thousands apart, money with two places or none, shares as percent, short moments."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import partial
from typing import Any

from scoring.language import Language
from sync.texts import SEPARATOR, WORDS, text

_TENTH = Decimal("0.1")
_CENT = Decimal("0.01")


def number(value: Any, places: Decimal = _CENT) -> str:
    """``12,345`` or ``12,345.60``; half-even. What is no number stands as it is."""
    exact = _decimal(value)
    if exact is None:
        return str(value)
    if exact == exact.to_integral_value():
        return f"{exact:,.0f}"
    rounded = exact.quantize(places, ROUND_HALF_EVEN)
    return f"{abs(rounded) if rounded == 0 else rounded:,}"


def fixed(value: Any, places: Decimal = _TENTH) -> str:
    """With the same places always, so that a column stands digit under digit."""
    exact = _decimal(value)
    return str(value) if exact is None else f"{exact.quantize(places, ROUND_HALF_EVEN):,}"


def aligned(values: Iterable[Any]) -> Callable[[Any], str]:
    """How the numbers of one column are written: all with two places if one of them needs any, else all without."""
    exact = [_decimal(value) for value in values]
    whole = all(value is None or value == value.to_integral_value() for value in exact)
    return partial(fixed, places=Decimal(1) if whole else _CENT)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """``1 record``, ``2,000 records``; English, for the lines that tell what a run did."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def percent(value: Any) -> str:
    """A share as percent with one place, none where it is whole: ``61 %``, ``39.5 %``."""
    exact = _decimal(value)
    return str(value) if exact is None else f"{number(exact * 100, _TENTH)} %"


def money(value: Any, currency: str | None) -> str:
    """``12,345.00 EUR``: both places always, for a price reads so."""
    return f"{fixed(value, _CENT)} {currency or ''}".rstrip()


def days(value: Any, language: Language) -> str:
    """``12 days``, ``1 day``."""
    return f"{number(value, _TENTH)} {text(WORDS, 'day' if _decimal(value) == 1 else 'days', language)}"


def in_unit(value: Any, unit: str, language: Language) -> str:
    """The value of a metric, by its unit (product.md section 3)."""
    if unit == "ratio":
        return percent(value)
    if unit == "days":
        return days(value, language)
    if unit == "count":
        return number(value)
    return money(value, unit)


def moment(value: datetime) -> str:
    """``2026-10-13 07:26 UTC``."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def word(value: Any, language: Language) -> str:
    """Any value of a record, without a trace of the language that the program is written in."""
    match value:
        case None:
            return text(WORDS, "unknown", language)
        case bool():
            return text(WORDS, "yes" if value else "no", language)
        case date():
            return moment(value) if isinstance(value, datetime) else value.isoformat()
        case Decimal() | int():
            exact = f"{Decimal(value):,f}"
            return exact.rstrip("0").rstrip(".") if "." in exact else exact
        case list() | tuple():
            return SEPARATOR[language].join(word(each, language) for each in value)
        case dict():
            return SEPARATOR[language].join(f"{name} {word(each, language)}" for name, each in value.items())
        case _:
            return str(value)


def _decimal(value: Any) -> Decimal | None:
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return None
    return exact if exact.is_finite() else None
