"""Peer figures of one day: computed once from everything, stored, and read alike by full and incremental runs.

Everything in it is JSON: numbers are text or whole, keys are in order, and floats (logarithms) are rounded before use.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from scoring.aggregate import quantile
from scoring.components import metrics_of, row_of
from scoring.facts import Facts
from scoring.history import of_field
from scoring.metric import measure
from scoring.metrics.targets import Targets
from scoring.money import EXACT, divided, plain
from scoring.normalise import median
from scoring.period import Period
from scoring.plan import Component, Plan
from scoring.settings import MetricSettings
from scoring.told import told_fields

LOOKBACK = "-24mo"
"""How far back deals serve as peers."""

LEAST_VISITS = 5
"""Fewer won deals than this do not say how long a stage usually takes."""

LEAST_AMOUNTS = 8
"""Fewer amounts than this have no outliers."""

_DWELL_SHARE = Decimal("0.8")
_OUTLYING = 3.5 * 1.4826  # a robust z of 3.5, in median absolute deviations
_CENT = Decimal("0.01")
_LARGEST_LOG = 25.0  # of what a column of money holds; no record's amount comes near it
_TENURES = ((365, "under 1 year"), (3 * 365, "1 to 3 years"))


def baseline(facts: Facts, plan: Plan, periods: Sequence[Period]) -> dict[str, Any]:
    """The peer figures of a plan, from everything that is known at as_of.

    ``stage_dwell_p80``: whole days by "connection/pipeline/stage" within which four of five won deals left the stage;
    ``outliers``: [low, high] amounts by "connection/pipeline/type", beyond which the robust z of the log amount exceeds
    3.5; ``told``: connections by deal column that they ever fill; ``changes_since``: first day of the stage history by
    connection; ``win_rates``: [won, decided] by "connection/pipeline"; ``places``: role, region and tenure band by
    person; ``peers``: by period the ``values`` by metric and person, and the ``priors`` by metric.
    """
    recent = facts.deals.filter(
        (pl.col("close_on") >= pl.lit(facts.as_of).dt.offset_by(LOOKBACK)).fill_null(value=False)
    )
    return {
        "as_of": facts.as_of.isoformat(),
        "changes_since": _changes_since(facts),
        "outliers": _outliers(recent),
        "peers": _peers(facts, plan, periods),
        "places": _places(facts),
        "stage_dwell_p80": _stage_dwell(facts, recent),
        "told": told_fields(facts.deals),
        "win_rates": _win_rates(recent),
    }


def _where(*columns: str) -> pl.Expr:
    return pl.concat_str([pl.col(name).fill_null("") for name in columns], separator="/").alias("where")


def _stage_dwell(facts: Facts, recent: pl.DataFrame) -> dict[str, int]:
    """From entering to leaving, visits of one deal added up; the first stage is entered when the deal is created."""
    won = recent.filter("is_won").select("deal", "connection", "pipeline", "created_at")
    moves = of_field(facts.changes, "opportunity", "stage").rename({"key": "deal"}).join(won, on="deal")
    visits = (
        moves.sort("deal", "at", maintain_order=True)
        .with_columns(pl.col("at").shift().over("deal").fill_null(pl.col("created_at")).alias("since"))
        .filter(pl.col("old").is_not_null(), pl.col("since") <= pl.col("at"))
        .rename({"old": "stage"})
        .group_by("deal", _where("connection", "pipeline", "stage"))
        .agg((pl.col("at") - pl.col("since")).sum().dt.total_days().alias("days"))
    )
    usual = quantile(pl.col("days"), _DWELL_SHARE)
    rows = visits.group_by("where").agg(*usual.parts("days")).sort("where").iter_rows(named=True)
    found = {row["where"]: (row["days|count"], usual.read("days", row)) for row in rows}
    return {
        where: int(days.quantize(Decimal(1), ROUND_HALF_EVEN, EXACT))
        for where, (count, days) in found.items()
        if days is not None and count >= LEAST_VISITS
    }


def _outliers(recent: pl.DataFrame) -> dict[str, list[str]]:
    rows = (
        recent.filter(pl.col("amount") > 0, pl.col("is_omitted").not_())
        .group_by(_where("connection", "pipeline", "type"))
        .agg(pl.col("amount").sort())
        .sort("where")
    )
    bounds = {where: amount_bounds(amounts) for where, amounts in rows.iter_rows()}
    return {where: [plain(low), plain(high)] for where, found in bounds.items() if found for low, high in [found]}


def amount_bounds(amounts: Sequence[Decimal]) -> tuple[Decimal, Decimal] | None:
    """The amounts at a robust z of -3.5 and 3.5 of the logarithms, outwards to a cent; None where there is no spread.

    Logarithms are floats, in order and rounded to 9 places, so that every machine finds the same bounds.
    """
    if len(amounts) < LEAST_AMOUNTS:
        return None
    logs = [Fraction(str(round(math.log10(amount), 9))) for amount in sorted(amounts)]
    centre = median(logs)
    spread = median([abs(log - centre) for log in logs])
    if spread == 0:
        return None
    low, high = (round(float(centre) + sign * _OUTLYING * float(spread), 9) for sign in (-1, 1))
    return _amount(low, ROUND_DOWN), _amount(high, ROUND_UP)


def _amount(log: float, rounding: str) -> Decimal:
    log = min(log, _LARGEST_LOG)
    return EXACT.power(Decimal(10), Decimal(str(log))).quantize(_CENT, rounding, EXACT)


def _changes_since(facts: Facts) -> dict[str, str]:
    stages = facts.changes.filter(pl.col("record") == "opportunity", pl.col("field") == "stage")
    firsts = stages.group_by("connection").agg(pl.col("at").min().dt.date()).sort("connection")
    return {connection: day.isoformat() for connection, day in firsts.iter_rows()}


def _win_rates(recent: pl.DataFrame) -> dict[str, list[int]]:
    counts = (
        recent.filter("is_decided").group_by(_where("connection", "pipeline")).agg(pl.col("is_won").sum(), pl.len())
    )
    return {where: [won, decided] for where, won, decided in counts.sort("where").iter_rows()}


def _places(facts: Facts) -> dict[str, dict[str, str | None]]:
    rows = facts.people.filter(pl.col("deleted").not_()).sort("person")
    return {
        person: {"role": role, "region": region, "tenure": tenure(started_on, facts.as_of)}
        for person, role, region, started_on in rows.select("person", "role", "region", "started_on").iter_rows()
    }


def tenure(started_on: date | None, as_of: date) -> str | None:
    """The tenure band that peers share; None where the start is not known."""
    if started_on is None:
        return None
    days = (as_of - started_on).days
    return next((band for limit, band in _TENURES if days < limit), "over 3 years")


def members(people: pl.DataFrame, who: Mapping[str, str | Collection[str]]) -> pl.DataFrame:
    """The people that a plan's ``who`` names, among those that are not deleted."""
    rows = people.filter(pl.col("deleted").not_())
    for column, wanted in who.items():
        rows = rows.filter(pl.col(column).is_in([wanted] if isinstance(wanted, str) else list(wanted)))
    return rows


def _compares(component: Component) -> bool:
    return component.low_sample == "shrink" or component.normaliser.chosen[0] in ("percentile", "zscore")


def _peers(facts: Facts, plan: Plan, periods: Sequence[Period]) -> dict[str, Any]:
    """Only what the scorecard compares with: most plans need none."""
    names = {row_of(part) for part in (plan.scorecard.components if plan.scorecard else []) if _compares(part)}
    if not names:
        return {}
    settings = MetricSettings.of(plan.settings)
    people = set(members(facts.people, plan.who)["person"])
    metrics = {name: metric for name, metric in metrics_of(plan, settings).items() if name in names}
    targets = Targets(facts, plan.targets, every=plan.period, people=people)
    rows = measure(metrics, facts, periods, ("person",), settings, targets=targets)
    mine = rows.filter(pl.col("key").is_in(list(people))).sort("period", "metric", "key")
    return {
        period.name: {
            "values": {name: _values(mine, period, name) for name in sorted(names)},
            "priors": {
                name: plain12(prior) for name in sorted(names) if (prior := _prior(mine, period, name)) is not None
            },
        }
        for period in periods
    }


def _of(rows: pl.DataFrame, period: Period, metric: str) -> Iterable[dict[str, Any]]:
    return rows.filter(pl.col("period") == period.name, pl.col("metric") == metric).iter_rows(named=True)


def _values(rows: pl.DataFrame, period: Period, metric: str) -> dict[str, str]:
    """Of those whose sample is large enough: a small one would move its betters."""
    return {row["key"]: plain12(row["value"]) for row in _of(rows, period, metric) if row["status"] == "ok"}


def _prior(rows: pl.DataFrame, period: Period, metric: str) -> Decimal | None:
    """What everybody came to together: summed parts divided once, else the median of the known values."""
    told = [row for row in _of(rows, period, metric) if row["value"] is not None]
    parts = [(row["numerator"], row["denominator"]) for row in told if row["denominator"] is not None]
    below = sum((denominator for _, denominator in parts), Decimal(0))
    if below:
        return divided(sum((numerator for numerator, _ in parts), Decimal(0)), below)
    values = [Fraction(row["value"]) for row in told]
    if not values:
        return None
    middle = median(values)
    return divided(Decimal(middle.numerator), Decimal(middle.denominator))


def plain12(value: Decimal) -> str:
    """The value to the 12 places that are stored, without trailing zeros or an exponent."""
    text = format(value.quantize(Decimal("1E-12"), ROUND_HALF_EVEN, EXACT), "f").rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
