"""Sums and order statistics by Polars; what must be exact (quotients, medians, means) is left to Python's Decimal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from scoring.money import EXACT, divided


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """A median, mean or quantile of the known values of a column.

    A quantile lies between its neighbours in proportion, as a median does; ``share`` is the fraction below it.
    """

    column: pl.Expr
    kind: Literal["quantile", "mean"] = "quantile"
    share: Decimal = Decimal("0.5")

    def parts(self, name: str) -> Iterator[pl.Expr]:
        """The aggregates that ``read`` needs, under the name of the metric."""
        known = self.column.drop_nulls()
        count = known.len().cast(pl.Int64)
        yield count.alias(f"{name}|count")
        if self.kind == "mean":
            yield known.sum().alias(f"{name}|low")
            return
        over, under = self.share.as_integer_ratio()
        place = (count - 1) * over // under
        ordered = known.sort()
        yield ordered.get(place, null_on_oob=True).alias(f"{name}|low")
        yield ordered.get(pl.min_horizontal(place + 1, count - 1), null_on_oob=True).alias(f"{name}|high")

    def read(self, name: str, row: Mapping[str, Any]) -> Decimal | None:
        """The statistic of one group, None where nothing is known."""
        count = row[f"{name}|count"]
        if not count:
            return None
        low = exact(row[f"{name}|low"])
        if self.kind == "mean":
            return divided(low, Decimal(count))
        over, under = self.share.as_integer_ratio()
        between = divided(Decimal((count - 1) * over % under), Decimal(under))
        return EXACT.add(low, EXACT.multiply(EXACT.subtract(exact(row[f"{name}|high"]), low), between))


def median(column: pl.Expr) -> Statistic:
    """The middle of the known values."""
    return Statistic(column)


def mean(column: pl.Expr) -> Statistic:
    """The sum of the known values by their number."""
    return Statistic(column, "mean")


def quantile(column: pl.Expr, share: Decimal) -> Statistic:
    """The value below which that share of the known values lies."""
    return Statistic(column, "quantile", share)


def exact(value: Decimal | int) -> Decimal:
    """A number of a frame as Decimal. Floats are refused: they have already lost what they held."""
    if isinstance(value, float):
        message = "a metric must not compute with floats: aggregate whole numbers or decimals"
        raise TypeError(message)
    return Decimal(value)


def sums(expression: pl.Expr) -> Iterator[pl.Expr]:
    """What the expression sums: the inside of every sum in it."""
    inside = expression.meta.pop()
    if len(inside) == 1 and str(expression) == f"{inside[0]}.sum()":
        yield inside[0]
        return
    for part in inside:
        yield from sums(part)


def missing(expression: pl.Expr) -> pl.Expr:
    """Whether one of its sums had rows to add and not one known value: then the whole is unknown, not zero.

    Polars sums nulls to 0 and SQL to NULL; this makes both say what ``docs/reference/metrics.md`` promises.
    """
    lost = [(_rows(inside) > 0) & (inside.count() == 0) for inside in sums(expression)]
    return pl.any_horizontal(lost) if lost else pl.lit(value=False)


def _rows(inside: pl.Expr) -> pl.Expr:
    """How many rows are to be added: of ``CASE WHEN x THEN amount END`` those where x holds."""
    parts = inside.meta.pop()
    if len(parts) == 3 and str(parts[1]) == "null" and str(inside).startswith(".when("):
        return parts[0].sum()
    return inside.len()
