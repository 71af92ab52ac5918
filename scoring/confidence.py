"""How sure a person's score is: what the data are worth, how much of the scorecard counts, on how many deals it rests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Literal

import polars as pl

from scoring.facts import Facts
from scoring.money import EXACT
from scoring.period import Period

Label = Literal["high", "medium", "low"]

MEDIUM, HIGH = Decimal("0.5"), Decimal("0.75")
_HALFWAY = 4
"""With so many resolved deals the sample counts half."""


@dataclass(frozen=True, slots=True)
class DataQuality:
    """A person's deals: amount-weighted mean quality (None without deals), and how many were resolved in the period."""

    mean: Fraction | None = None
    resolved: int = 0


UNKNOWN = DataQuality()


def confidence(quality: DataQuality, available_weight: Fraction) -> Fraction:
    """Amount-weighted mean quality x available weight x n / (n + 4); 0 without deals (domain guide 6)."""
    if quality.mean is None:
        return Fraction(0)
    return quality.mean * available_weight * Fraction(quality.resolved, quality.resolved + _HALFWAY)


def label(value: Decimal | Fraction) -> Label:
    """In a word: low below 0.5, high from 0.75."""
    return "low" if value < MEDIUM else "medium" if value < HIGH else "high"


def data_quality(facts: Facts, qualities: Mapping[str, Decimal], period: Period) -> dict[str, DataQuality]:
    """Per person the quality of the deals decided in the period and of those open at as_of.

    ``qualities`` holds the deals below 1 by key (``scoring.quality.deal_quality``). A deal whose amount is not known
    weighs as much as the mean of the person's others: its gap must not hide it.
    """
    closed = pl.col("is_decided") & (pl.col("close_on") >= period.start) & (pl.col("close_on") < period.end)
    mine = facts.deals.filter(pl.col("person").is_not_null(), (closed | pl.col("is_open")).fill_null(value=False))
    deals: dict[str, list[tuple[Decimal | None, Decimal]]] = {}
    resolved: dict[str, int] = {}
    for person, deal, amount, is_decided in mine.select("person", "deal", "amount", "is_decided").iter_rows():
        deals.setdefault(person, []).append((amount, qualities.get(deal, Decimal(1))))
        resolved[person] = resolved.get(person, 0) + is_decided
    return {person: DataQuality(weighted_mean(deals[person]), resolved[person]) for person in sorted(deals)}


def weighted_mean(deals: Sequence[tuple[Decimal | None, Decimal]]) -> Fraction | None:
    """Mean of the qualities, each weighted by the size of its amount; evenly where no amount is known."""
    if not deals:
        return None
    with localcontext(EXACT):  # 60 digits hold the sums of what a frame can hold, exactly
        known = [(abs(amount), q) for amount, q in deals if amount is not None]
        total = sum((amount for amount, _ in known), Decimal(0))
        good = sum((amount * q for amount, q in known), Decimal(0))
        rest = [q for amount, q in deals if amount is None]
        others = sum(rest, Decimal(0))
        if not total:
            return Fraction(sum((q for _, q in deals), Decimal(0))) / len(deals)
    usual = Fraction(total) / len(known)
    return (Fraction(good) + usual * Fraction(others)) / (Fraction(total) + usual * len(rest))
