"""Money: the one place that rounds, divides, converts and allocates. Decimal throughout, never a float.

Intermediate values are never rounded (domain guide, 0.4). Frames hold Decimal(38, 12); only output is cut to 6 places.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_05UP, ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import chain
from typing import NamedTuple

import polars as pl

from scoring.schemas import MONEY

EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""Wide enough for any product of two stored values; the process-wide context is never consulted."""

IMPORT = "import"
"""The connection that files read by ``scoreback import`` stand under: what an admin brought beats what a CRM says."""

RATE_DAYS = timedelta(days=7)
"""How long a rate is good of which nobody says how long it is in force (domain guide, 0.4)."""

_LARGEST_RATE = Decimal(10) ** 8
"""A larger one is a mistake (the cheapest currencies take some 100,000), and no column holds what it makes of an amount."""

_STORED = Decimal("1E-12")
_SHOWN = Decimal("1E-6")
_MINOR = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    "CLF": 4,
    "UYW": 4,
}  # ISO 4217, table A.1; every other currency has two


def minor_unit(currency: str) -> Decimal:
    """The smallest amount that can be paid: 0.01 USD, 1 JPY, 0.001 KWD."""
    return Decimal(1).scaleb(-_MINOR.get(currency, 2))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units, half-even. For posted lines only."""
    return amount.quantize(minor_unit(currency), ROUND_HALF_EVEN, EXACT)


def divided(numerator: Decimal, denominator: Decimal) -> Decimal:
    """The quotient to 60 digits. The caller has seen to it that the denominator is not 0."""
    return EXACT.divide(numerator, denominator)


def stored(value: Decimal) -> Decimal:
    """The value to the 12 places that a frame keeps.

    A cut digit leaves its trace (ROUND_05UP), so that rounding to 6 places later never rounds twice.
    """
    return value.quantize(_STORED, ROUND_05UP, EXACT)


def plain(value: Decimal) -> str:
    """The value as people and files read it: half-even to 6 places, no exponent, no trailing zeros, no -0."""
    text = format(value.quantize(_SHOWN, ROUND_HALF_EVEN, EXACT), "f").rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def allocate(amount: Decimal, shares: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The amount cut by shares into minor units that add up to it, by largest remainder; ties go to the earlier share.

    Shares are fractions that sum to 1. What is smaller than a minor unit (converted amounts have such dust) goes to the
    first share.
    """
    with localcontext(EXACT):
        unit = minor_unit(currency)
        exact = [amount * share for share in shares]
        parts = [part.quantize(unit, ROUND_DOWN) for part in exact]
        left = amount - sum(parts)
        step = unit.copy_sign(left)
        order = sorted(range(len(parts)), key=lambda index: (-abs(exact[index] - parts[index]), index))
        for index in order[: int(left / step)]:
            parts[index] += step
        if parts:
            parts[0] += amount - sum(parts)
        return parts


class Quote(NamedTuple):
    """One line of a rate list: from ``on`` to ``until``, the last day, unless a newer line begins before."""

    on: date
    rate: Decimal
    until: date


@dataclass(frozen=True, slots=True)
class RateBook:
    """Exchange rates by source: what was imported first, then each CRM in name order.

    ``quotes[source][currency, to]`` are in date order.
    """

    quotes: dict[str, dict[tuple[str, str], list[Quote]]]

    @classmethod
    def of(cls, rates: pl.DataFrame) -> "RateBook":
        """The book of all ``rate`` records that are not deleted and hold a positive rate."""
        known = rates.filter(pl.col("deleted").not_() & (pl.col("rate") > 0)).sort(
            "connection", "on", "recorded_at", "remote_id"
        )
        quotes: dict[str, dict[tuple[str, str], list[Quote]]] = defaultdict(lambda: defaultdict(list))
        last_day = pl.coalesce("until", pl.col("on") + RATE_DAYS)
        rows = known.select("connection", "currency", "to", "on", "rate", last_day)
        for connection, currency, to, on, rate, until in rows.iter_rows():
            quotes[connection][currency, to].append(Quote(on, rate, until))
        ordered = sorted(quotes, key=lambda name: (name != IMPORT, name))
        return cls({name: dict(quotes[name]) for name in ordered})

    def rate(self, currency: str, to: str, on: date) -> Decimal | None:
        """What 1 ``currency`` was worth in ``to`` on a day: the newest rate, None where it was no longer in force.

        A rate is in force until its own last day; one that names none, for 7 days (decision 0009).
        Within a source a direct rate goes first, then the inverse, then both through a third currency.
        """
        if currency == to:
            return Decimal(1)
        found = (rate for pairs in self.quotes.values() if (rate := _through(pairs, currency, to, on)) is not None)
        return next(found, None)


def _quoted(pairs: dict[tuple[str, str], list[Quote]], currency: str, to: str, on: date) -> Decimal | None:
    lines = pairs.get((currency, to), [])
    place = bisect_right(lines, on, key=lambda quote: quote.on)
    return lines[place - 1].rate if place and on <= lines[place - 1].until else None


def _either_way(pairs: dict[tuple[str, str], list[Quote]], currency: str, to: str, on: date) -> Decimal | None:
    direct = _quoted(pairs, currency, to, on)
    if direct is not None:
        return direct
    inverse = _quoted(pairs, to, currency, on)
    return None if inverse is None else divided(Decimal(1), inverse)


def _through(pairs: dict[tuple[str, str], list[Quote]], currency: str, to: str, on: date) -> Decimal | None:
    found = _either_way(pairs, currency, to, on)
    if found is not None:
        return found
    for pivot in sorted(set(chain.from_iterable(pairs))):
        first, second = _either_way(pairs, currency, pivot, on), _either_way(pairs, pivot, to, on)
        if first is not None and second is not None:
            return EXACT.multiply(first, second)
    return None


def rate_frame(book: RateBook, wanted: Iterable[tuple[str, date]], to: str) -> pl.DataFrame:
    """Columns ``currency``, ``rate_on``, ``rate`` (null without one in force that can be), one row per wanted pair."""
    rows = [(currency, on, book.rate(currency, to, on)) for currency, on in sorted(set(wanted))]
    return pl.DataFrame(
        [
            (currency, on, stored(rate) if rate is not None and rate < _LARGEST_RATE else None)
            for currency, on, rate in rows
        ],
        schema={"currency": pl.String, "rate_on": pl.Date, "rate": MONEY},
        orient="row",
    )
