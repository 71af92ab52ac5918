"""The composite appraisal: components brought to one scale, weighted, gated and banded (domain guide 3)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from scoring.appraisal import Appraisal, GateHit, Status, kept
from scoring.components import Bench, available_weight, least_sample, metrics_of, row_of
from scoring.condition import compile_condition
from scoring.confidence import UNKNOWN, DataQuality, confidence
from scoring.metrics.results import family
from scoring.plan import Gate, Plan, Scorecard
from scoring.schemas import MONEY
from scoring.settings import MetricSettings

__all__ = ["appraise", "band_of", "gate_schema", "least_sample", "metrics_of", "row_of"]

GATE_COLUMNS = ("score", "confidence", "available_weight", "quality", "resolved")
"""What a gate may ask about besides the metrics."""

_BELOW = Fraction("0.01")


def gate_schema(own: Collection[str] = ()) -> pl.Schema:
    """What a gate's condition may speak of: ``GATE_COLUMNS``, our metrics and the plan's ``own``, by name."""
    return pl.Schema(dict.fromkeys([*GATE_COLUMNS, *family(MetricSettings()), *own], MONEY))


def appraise(
    plan: Plan,
    people: Collection[str],
    rows: pl.DataFrame,
    quality: Mapping[str, DataQuality],
    baseline: Mapping[str, Any],
    period: str,
) -> list[Appraisal]:
    """Appraisals of the people (keys) for one period, in the order of their keys.

    ``rows`` are those of ``measure(metrics_of(plan, settings), ..., by=("person",))``, of one period or several;
    ``quality`` comes from ``data_quality``; of ``baseline`` are read the peers' figures of the period. Raises
    ConditionError for a gate that cannot be computed, ValueError for a plan without a scorecard.
    """
    if plan.scorecard is None:
        message = f"plan {plan.plan} has no scorecard"
        raise ValueError(message)
    bench = Bench.of(plan, plan.scorecard, rows.filter(pl.col("period") == period), baseline, period)
    ungated = [
        _ungated(plan.scorecard, bench, person, period, quality.get(person, UNKNOWN)) for person in sorted(people)
    ]
    held = _held(plan, ungated, bench, quality)
    return [_banded(plan.scorecard, one, gates) for one, gates in zip(ungated, held, strict=True)]


def _ungated(card: Scorecard, bench: Bench, person: str, period: str, quality: DataQuality) -> Appraisal:
    components = bench.components(person)
    available = available_weight(components)
    rated = available > 0 and available >= Fraction(card.minimum_weight)
    score = sum((part.points or Fraction(0) for part in components), Fraction(0)) if rated else None
    status: Status = "ok" if rated else "not_rated"
    sure = confidence(quality, available)
    return Appraisal(person, period, status, score, score, None, available, sure, components, ())


def _held(
    plan: Plan, appraisals: Sequence[Appraisal], bench: Bench, quality: Mapping[str, DataQuality]
) -> list[list[Gate]]:
    """Per appraisal the gates whose condition holds. Conditions see the score before any gate."""
    gates = plan.scorecard.gates if plan.scorecard else []
    schema = gate_schema(plan.metrics)
    table = pl.DataFrame(
        [_gate_row(schema, one, bench, quality.get(one.person, UNKNOWN)) for one in appraisals],
        schema=schema,
        orient="row",
    )
    conditions = [compile_condition(f"scorecard.gates.{gate.id}", gate.when, schema) for gate in gates]
    flags = table.select(condition.alias(str(place)) for place, condition in enumerate(conditions))
    if not gates:
        return [[] for _ in appraisals]
    return [[gate for gate, holds in zip(gates, row, strict=True) if holds] for row in flags.iter_rows()]


def _gate_row(schema: pl.Schema, one: Appraisal, bench: Bench, quality: DataQuality) -> list[Decimal | None]:
    own: dict[str, Decimal | None] = {
        "score": one.score,
        "confidence": one.confidence,
        "available_weight": kept(one.available_weight),
        "quality": None if quality.mean is None else kept(quality.mean),
        "resolved": Decimal(quality.resolved),
    }
    return [own[name] if name in own else bench.value(one.person, name) for name in schema]


def _banded(card: Scorecard, one: Appraisal, gates: Sequence[Gate]) -> Appraisal:
    """The appraisal after its gates, in their order, with its band."""
    if one.exact is None:
        return one
    score, hits, blocked = one.exact, [], False
    for gate in gates:
        after, limit = _through(card, gate, score)
        blocked = blocked or gate.block
        hits.append(GateHit(gate.id, gate.kind, limit, score, after))
        score = after
    if blocked:
        status: Status = "blocked"
    else:
        status = "ok" if one.exact_confidence >= Fraction(card.minimum_confidence) else "low_confidence"
    band = band_of(card, score) if status == "ok" else None
    return replace(one, exact=score, status=status, band=band, gates=tuple(hits))


def _through(card: Scorecard, gate: Gate, score: Fraction) -> tuple[Fraction, str]:
    """The score behind one gate, and the gate's limit in words. A cap puts it just under the next better band."""
    if gate.cap is not None:
        above = card.bound_above(gate.cap)
        return (score if above is None else min(score, Fraction(above) - _BELOW)), gate.cap
    if gate.floor is not None:
        return max(score, Fraction(gate.floor)), str(gate.floor)
    return score, ""


def band_of(card: Scorecard, score: Fraction) -> str:
    """The best band whose lower bound the unrounded score reaches."""
    return next((band for band, bound in card.bands.items() if score >= Fraction(bound)), card.lowest_band)
