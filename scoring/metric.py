"""A metric is data; the engine here computes it for any grouping and is the only place that divides.

``{value, numerator, denominator, n, status}`` is the answer of every metric (domain guide, 0.3). Unknown is None: a
division by zero, a sum of which every amount is missing, a statistic of nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

import polars as pl

from scoring.aggregate import Statistic, exact, missing, quantile
from scoring.dimensions import (
    MetricError,
    grouped,
    in_period,
    known_subjects,
    subject_names,
    subject_texts,
)
from scoring.facts import Facts, Selector
from scoring.metrics.targets import Targets
from scoring.money import divided, stored
from scoring.period import Period
from scoring.schemas import MONEY
from scoring.settings import MetricSettings

__all__ = ["Answer", "Metric", "MetricError", "Unit", "compute", "measure", "ratio"]

Status = Literal["ok", "no_data", "low_sample", "not_applicable", "blocked"]
Key = tuple[str | None, ...]


class Unit(StrEnum):
    """What a value is counted in."""

    MONEY = "money"
    RATIO = "ratio"
    COUNT = "count"
    DAYS = "days"
    MONEY_PER_DAY = "money/day"

    def text(self, currency: str) -> str:
        """As it is written in results: a currency code, ``CUR/day``, or the word itself."""
        return self.value.replace("money", currency)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a metric says of one subject and period. Values are exact to 60 digits."""

    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    n: int = 0
    status: Status = "no_data"


Formula = Callable[[Mapping[str, Answer]], Answer]


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One number, as data. The first line of ``text`` is what a reader sees of it.

    In one of four shapes: a sum or ratio (``numerator``, ``denominator``), a ``statistic``, a ``formula`` over the
    answers of other metrics (``inputs``), or the ``target`` of the named metric. ``sample`` counts what it rests on;
    below ``min_sample`` (None: the settings' own) it is low_sample. One that ``matures`` waits for its cohort to age.
    """

    text: str
    unit: Unit
    over: Selector | None = None
    numerator: pl.Expr | None = None
    denominator: pl.Expr | None = None
    statistic: Statistic | None = None
    sample: pl.Expr = field(default_factory=pl.len)
    min_sample: int | None = 0
    inputs: Mapping[str, "Metric"] = field(default_factory=dict)
    formula: Formula | None = None
    target: str | None = None
    matures: bool = False

    def __post_init__(self) -> None:
        shapes = (self.numerator, self.statistic, self.formula, self.target)
        if sum(shape is not None for shape in shapes) != 1:
            message = "a metric has exactly one of numerator, statistic, formula, target"
            raise MetricError(message)
        if (self.over is None) == (self.numerator is not None or self.statistic is not None):
            message = "a numerator or statistic is over something, a formula or target is not"
            raise MetricError(message)


def ratio(numerator: Decimal | None, denominator: Decimal | None, n: int) -> Answer:
    """The quotient, unknown without either part or over zero."""
    if numerator is None or not denominator:
        return Answer(None, numerator, denominator, n, "no_data")
    return Answer(divided(numerator, denominator), numerator, denominator, n, "ok")


def compute(
    metrics: Mapping[str, Metric],
    facts: Facts,
    periods: Sequence[Period],
    by: Sequence[str] = ("person",),
    settings: MetricSettings | None = None,
    *,
    targets: Targets | None = None,
) -> pl.DataFrame:
    """Metric rows ``period, by, subject, name, metric, value, unit, numerator, denominator, n, status``.

    One row for every period, known subject and metric; values are Decimal(38, 12), null where unknown. Several
    dimensions are one subject, written with `` / `` between. ``targets`` default to those among the facts.
    """
    return measure(metrics, facts, periods, by, settings, targets=targets).drop("key")


def measure(
    metrics: Mapping[str, Metric],
    facts: Facts,
    periods: Sequence[Period],
    by: Sequence[str] = ("person",),
    settings: MetricSettings | None = None,
    *,
    targets: Targets | None = None,
) -> pl.DataFrame:
    """The rows of ``compute`` and a column ``key``: the subject as the facts know it (``connection:remote_id``)."""
    engine = _Engine(facts, tuple(by), settings or MetricSettings(), targets or Targets(facts))
    answers = {period: engine.answers(metrics, period) for period in periods}
    return _frame(metrics, facts, tuple(by), answers)


class _Engine:
    """Keeps the grouped rows of each selector while one call computes its periods."""

    def __init__(self, facts: Facts, by: tuple[str, ...], settings: MetricSettings, targets: Targets) -> None:
        self.facts = facts
        self.by = by
        self.settings = settings
        self.targets = targets
        self.rows: dict[str, pl.DataFrame] = {}

    def answers(self, metrics: Mapping[str, Metric], period: Period) -> dict[Key, dict[str, Answer]]:
        """Every metric for every known subject."""
        leaves = {id(leaf): leaf for metric in metrics.values() for leaf in _leaves(metric)}
        read = {selector.name: selector for leaf in leaves.values() if (selector := leaf.over) is not None}
        for selector in read.values():
            if selector.name not in self.rows:
                self.rows[selector.name] = grouped(self.facts, selector, self.by, self.settings)
        here = {name: in_period(self.rows[name], read[name], period.start, period.end) for name in read}
        timed = bool({"month", "quarter"} & set(self.by))
        subjects = known_subjects(self.facts, self.by, (here if timed else {n: self.rows[n] for n in read}).values())
        parts = {name: self._aggregates(leaves.values(), read[name], here[name]) for name in read}
        found: dict[Key, dict[str, Answer]] = {}
        for subject in subjects:
            told = {ref: self._leaf(leaf, subject, period, parts) for ref, leaf in leaves.items()}
            found[subject] = {name: _resolved(metric, told) for name, metric in metrics.items()}
        return found

    def _aggregates(
        self, leaves: Collection[Metric], selector: Selector, rows: pl.DataFrame
    ) -> Mapping[Key, Mapping[str, Any]]:
        """The parts of every metric over the selector, by subject; a subject without rows has those of no rows."""
        wanted = [part for leaf in leaves if leaf.over is selector for part in _parts(leaf)]
        keys = [f"by:{place}" for place in range(len(self.by))]
        table = rows.group_by(keys).agg(wanted)
        found = {tuple(row[key] for key in keys): row for row in table.iter_rows(named=True)}
        nothing = rows.clear().select(wanted).row(0, named=True)
        return defaultdict(lambda: nothing, found)

    def _leaf(
        self, leaf: Metric, subject: Key, period: Period, parts: Mapping[str, Mapping[Key, Mapping[str, Any]]]
    ) -> Answer:
        if leaf.target is not None:
            amount = self.targets.amount(self.by, subject, leaf.target, period)
            return Answer(amount, status="not_applicable" if amount is None else "ok")
        assert leaf.over is not None  # noqa: S101 - __post_init__ has seen to it
        if not self.facts.has(leaf.over.kind):
            return Answer()
        answer = _read(leaf, parts[leaf.over.name][subject])
        if leaf.matures and not self._is_mature(period):
            return Answer(None, answer.numerator, answer.denominator, answer.n, "not_applicable")
        least = self.settings.win_rate_min_sample if leaf.min_sample is None else leaf.min_sample
        if answer.status == "ok" and answer.n < least:
            return Answer(answer.value, answer.numerator, answer.denominator, answer.n, "low_sample")
        return answer

    def _is_mature(self, period: Period) -> bool:
        """Whether the youngest deal of a created cohort has had the time that nine in ten won deals needed."""
        days: int | Decimal | None = self.settings.win_rate_cohort_days
        if days is None:
            needed = quantile(pl.col("cycle_days").filter("is_won"), Decimal("0.9"))
            row = self.facts.deals.select(*needed.parts("cycle")).row(0, named=True)
            days = needed.read("cycle", row)
        return days is not None and (self.facts.as_of - period.last_day).days >= days


def _leaves(metric: Metric) -> list[Metric]:
    return [leaf for part in metric.inputs.values() for leaf in _leaves(part)] if metric.formula else [metric]


def _resolved(metric: Metric, told: Mapping[int, Answer]) -> Answer:
    if metric.formula is None:
        return told[id(metric)]
    return metric.formula({name: _resolved(part, told) for name, part in metric.inputs.items()})


def _parts(leaf: Metric) -> list[pl.Expr]:
    name = str(id(leaf))
    parts = [leaf.sample.cast(pl.Int64).alias(f"{name}|n")]
    if leaf.statistic is not None:
        return [*parts, *leaf.statistic.parts(name)]
    for role, expression in (("numerator", leaf.numerator), ("denominator", leaf.denominator)):
        if expression is not None:
            parts += [expression.alias(f"{name}|{role}"), missing(expression).alias(f"{name}|{role}|missing")]
    return parts


def _read(leaf: Metric, row: Mapping[str, Any]) -> Answer:
    name = str(id(leaf))
    n = row[f"{name}|n"]
    if leaf.statistic is not None:
        value = leaf.statistic.read(name, row)
        return Answer(value, None, None, n, "no_data" if value is None else "ok")
    numerator = _sum(row, f"{name}|numerator")
    if leaf.denominator is not None:
        return ratio(numerator, _sum(row, f"{name}|denominator"), n)
    return Answer(numerator, numerator, None, n, "no_data" if numerator is None else "ok")


def _sum(row: Mapping[str, Any], name: str) -> Decimal | None:
    value = row[name]
    return None if value is None or row[f"{name}|missing"] else exact(value)


SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "period": pl.String,
    "by": pl.String,
    "subject": pl.String,
    "name": pl.String,
    "metric": pl.String,
    "value": MONEY,
    "unit": pl.String,
    "numerator": MONEY,
    "denominator": MONEY,
    "n": pl.Int64,
    "status": pl.String,
    "key": pl.String,
}


def _frame(
    metrics: Mapping[str, Metric],
    facts: Facts,
    by: tuple[str, ...],
    answers: Mapping[Period, Mapping[Key, Mapping[str, Answer]]],
) -> pl.DataFrame:
    subjects = {subject for found in answers.values() for subject in found}
    texts = [subject_texts(facts, name, (subject[place] for subject in subjects)) for place, name in enumerate(by)]
    names = [subject_names(facts, name) for name in by]
    rows = []
    for period, found in answers.items():
        for subject, told in found.items():
            text = _joined([texts[place][part] for place, part in enumerate(subject)])
            name = _joined([names[place].get(part or "", texts[place][part]) for place, part in enumerate(subject)])
            for metric, answer in told.items():
                values = [None if value is None else stored(value) for value in (answer.value, answer.numerator)]
                below = None if answer.denominator is None else stored(answer.denominator)
                unit = metrics[metric].unit.text(facts.currency)
                rows.append(
                    (period.name, ",".join(by), text, name, metric, values[0], unit, values[1], below, answer.n,
                     answer.status, _joined(subject))
                )  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _joined(parts: Sequence[str | None]) -> str | None:
    return None if all(part is None for part in parts) else " / ".join(part or "" for part in parts)
