"""A plan's ``expect:`` examples, run as far as this version computes them; what it does not compute it says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import polars as pl
from polars.exceptions import PolarsError

from connectors.records import RECORDS
from connectors.types import canonical_text
from scoring.confidence import DataQuality
from scoring.facts import Organisation, prepare
from scoring.metric import SCHEMA
from scoring.normalise import LEAST_PEERS
from scoring.opportunity.rules import score_opportunities
from scoring.plan import Plan
from scoring.scorecard import appraise, gate_schema, row_of
from scoring.settings import MetricSettings
from scoring.sql import MetricError
from sync.config_errors import nearest

_HERE = "example"
_SOURCES_READ = {"activities_completed": 0, "push_count": 0}
"""What says of a deal that its activities and its history are read: an example knows what it does not name to be none."""

Where = tuple[str | int, ...]
_DEAL_ANSWERS = ("score", "grade")
_CARD_ANSWERS = ("score", "band")
_MANY = 10**6
"""Deals that an example's metrics rest on: its figures are given, so they are sure."""
_PAY = frozenset(("credit", "target", "earns"))


@dataclass(frozen=True, slots=True)
class Example:
    """What became of one example. ``where`` is its place in the file."""

    where: tuple[str | int, ...]
    status: Literal["passed", "failed", "not_computed"]
    text: str


def run_examples(plan: Plan) -> Iterator[Example]:
    """Each example of a plan with its verdict.

    ``{deal: {column: value, ...}, score: 55, grade: C}`` is computed by the plan's opportunity score, columns that are not
    named being unknown; ``{metrics: {attainment: 0.6, ...}, score: 78.29, band: C}`` by its scorecard, with scores cut off
    at two decimals. A scorecard that compares people cannot be tried on one of them. Examples of pay (``credit``, ``earns``) wait for a version that computes incentives.
    """
    for place, example in enumerate(plan.expect):
        where = ("expect", place)
        if "deal" in example:
            yield _deal_example(plan, where, example)
        elif "metrics" in example:
            yield _card_example(plan, where, example)
        elif example.keys() & _PAY:
            yield Example(where, "not_computed", "incentives are not computed in this version")
        else:
            known = ("deal", "metrics", *_DEAL_ANSWERS, *_CARD_ANSWERS, *sorted(_PAY))
            unknown = next((key for key in example if key not in known), None)
            advice = nearest(unknown, known) if unknown else ""
            text = f"says nothing that can be computed: write deal with score or grade, or metrics with score or band.{advice}"
            yield Example(where, "failed", text)


def _deal_example(plan: Plan, where: Where, example: Mapping[str, Any]) -> Example:
    wrong = _misspelled(example, "deal", _DEAL_ANSWERS)
    if wrong is None and plan.opportunity_score is None:
        wrong = "this plan has no opportunity_score"
    if wrong is not None:
        return Example(where, "failed", wrong)
    try:
        found = _scored(plan, example["deal"])
    except (MetricError, PolarsError, ValueError) as error:
        return Example(where, "failed", str(error).splitlines()[0])
    reasons = "; ".join(f"{_text(reason['points'])} {reason['rule']}" for reason in found["reasons"])
    return _compared(where, example, found, _DEAL_ANSWERS, reasons or "no rule holds")


def _card_example(plan: Plan, where: Where, example: Mapping[str, Any]) -> Example:
    wrong = _misspelled(example, "metrics", _CARD_ANSWERS)
    if wrong is None and plan.scorecard is None:
        wrong = "this plan has no scorecard"
    if wrong is not None or plan.scorecard is None:
        return Example(where, "failed", wrong or "")
    peers = [part.id for part in plan.scorecard.components if part.normaliser.chosen[0] in LEAST_PEERS]
    if peers:
        return Example(where, "not_computed", f"{', '.join(peers)}: compared with peers, which an example has not")
    rows = {row_of(part) for part in plan.scorecard.components}
    known = rows | set(gate_schema(plan.metrics).names())
    for name in example["metrics"]:
        if name not in known:
            return Example(where, "failed", f"{name} is not a metric.{nearest(name, known)}")
    values = [
        (_HERE, "person", _HERE, None, name, Decimal(value), "", None, None, _MANY, "ok", _HERE)
        for name, value in example["metrics"].items()
        if value is not None
    ]
    frame = pl.DataFrame(values, schema=SCHEMA, orient="row")
    sure = {_HERE: DataQuality(Fraction(1), _MANY)}
    try:
        one = appraise(plan, [_HERE], frame, sure, {}, _HERE)[0]
    except (MetricError, PolarsError, ValueError) as error:
        return Example(where, "failed", str(error).splitlines()[0])
    return _compared(where, example, {"score": one.shown, "band": one.band}, _CARD_ANSWERS, one.reasons_text())


def _misspelled(example: Mapping[str, Any], given: str, answers: Sequence[str]) -> str | None:
    strange = next((name for name in example if name not in (given, *answers)), None)
    if strange is None and isinstance(example[given], dict) and example.keys() & set(answers):
        return None
    advice = nearest(strange, answers) if strange else ""
    return f"an example gives {given}: {{name: value}} and {' or '.join(answers)}.{advice}"


def _compared(
    where: Where, example: Mapping[str, Any], found: Mapping[str, Any], answers: Sequence[str], why: str
) -> Example:
    asked = [name for name in answers if name in example]
    wrong = [
        f"{name} is {_text(found[name])}, expected {_text(example[name])}"
        for name in asked
        if _text(found[name]) != _text(example[name])
    ]
    if wrong:
        return Example(where, "failed", f"{', '.join(wrong)} ({why})")
    return Example(where, "passed", ", ".join(f"{name} {_text(found[name])}" for name in asked))


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    return canonical_text(Decimal(value)) if isinstance(value, int | Decimal) else str(value)


def _scored(plan: Plan, deal: Mapping[str, Any]) -> Mapping[str, Any]:
    """The score of one deal of which only these columns are known. Raises ValueError for a column that is none."""
    facts = prepare({}, Organisation(), date.min, MetricSettings(), sources={_HERE: frozenset(RECORDS)})
    schema = facts.deals.schema
    peers = {name: deal[name] for name in deal if name == "stage_dwell_p80"}
    for name in deal:
        if name not in schema and name not in peers:
            message = f"{name} is not a column of a deal.{nearest(name, schema.names())}"
            raise ValueError(message)
    known = {"deal": f"{_HERE}:1", "connection": _HERE, "mirrors": [f"{_HERE}:1"], "is_open": True, **_SOURCES_READ}
    row = {
        **dict.fromkeys(schema.names()),
        **known,
        **{name: _cell(deal[name], schema[name]) for name in deal if name in schema},
    }
    baseline = {
        "stage_dwell_p80": {
            f"{_HERE}/{deal.get('pipeline') or ''}/{deal.get('stage') or ''}": value for value in peers.values()
        }
    }
    assert plan.opportunity_score is not None  # noqa: S101 - the caller has looked
    frame = pl.DataFrame([row], schema=schema)
    scored = score_opportunities(facts, plan.opportunity_score, baseline, "en", frame)
    if scored.is_empty():
        message = "only open deals are scored: leave is_open away"
        raise ValueError(message)
    return scored.row(0, named=True)


def _cell(value: Any, dtype: pl.DataType) -> Any:
    if dtype.is_decimal():
        return None if value is None else Decimal(value)
    if isinstance(value, date) and not isinstance(value, datetime) and dtype == pl.String:
        return value.isoformat()
    return value


def verdict(examples: Sequence[Example]) -> str:
    """The examples of one plan in one line."""
    counts = {status: sum(e.status == status for e in examples) for status in ("passed", "failed", "not_computed")}
    words = {"passed": "passed", "failed": "failed", "not_computed": "not computed by this version"}
    told = [f"{count} {words[status]}" for status, count in counts.items() if count]
    return f"{len(examples)} examples: {', '.join(told)}" if examples else "no examples"
