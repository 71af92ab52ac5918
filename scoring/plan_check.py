"""What is wrong in a plan beyond its form: names of metrics, columns, settings and people's fields that do not exist."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import permutations
from typing import Any

import polars as pl
from pydantic import ValidationError

from connectors.records import RECORDS
from scoring.condition import compile_condition
from scoring.custom import compile_metric
from scoring.facts import DEAL_COLUMNS, Organisation, prepare
from scoring.metrics.results import family
from scoring.opportunity.rules import rule_schema
from scoring.plan import CustomMetric, Plan
from scoring.scorecard import gate_schema
from scoring.settings import MetricSettings
from scoring.sql import MetricError, advice

Place = tuple[str | int, ...]
"""Keys and list positions from the top of the plan to a value."""

Finding = tuple[Place, str]

WHO = ("name", "email", "team", "territory", "region", "role")
"""Fields of a person that ``who`` may ask for."""

_PLACE = re.compile(r"\{(\w+)\}")

LATER = ("incentives", "detectors")
"""Parts of a plan that are read and kept, and not computed by this version."""


def plan_findings(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Where, and what is wrong with it; for a plan as its file says it, whether or not its form is right.

    Only what the plan's model cannot see by itself: that one reports keys and types. Nothing is raised.
    """
    yield from _who(data)
    yield from _settings(data)
    yield from _own_metrics(data)
    yield from _named_metrics(data)
    yield from _gates(data)
    yield from _rules(data)


def plan_notes(data: Mapping[str, Any]) -> Iterator[Finding]:
    """What is right and has no effect in this version."""
    for part in LATER:
        if data.get(part):
            yield (part,), f"{part} are kept with the plan, but not computed in this version"


def plans_on(plans: Sequence[Plan], day: date) -> list[Plan]:
    """The highest version of each plan in effect on a day, those for everybody last."""
    newest: dict[str, Plan] = {}
    for plan in sorted(plans, key=lambda plan: plan.version):
        if plan.effective is None or plan.effective[0] <= day < plan.effective[1]:
            newest[plan.plan] = plan
    return sorted(newest.values(), key=lambda plan: (not plan.who, plan.plan))


def overlaps(plans: Sequence[Plan]) -> Iterator[tuple[Plan, Plan, date]]:
    """Pairs of plans that everybody in the second is in both of, with the first day that this is so.

    Only what ``who`` says by itself: two plans that ask for different fields may have people in common too, which
    scoring finds. A plan for all takes whom no other names, so it clashes with another one for all only.
    """
    days = sorted({date.min, *(day for plan in plans for day in plan.effective or ())})
    told = set[tuple[str, str]]()
    for day in days:
        current = plans_on(plans, day)
        for first, second in permutations(current, 2):
            pair = (min(first.plan, second.plan), max(first.plan, second.plan))
            if pair not in told and bool(first.who) == bool(second.who) and _holds(first.who, second.who):
                told.add(pair)
                yield first, second, day


def _holds(wide: Mapping[str, str | list[str]], narrow: Mapping[str, str | list[str]]) -> bool:
    """Whether whoever ``narrow`` names is named by ``wide``."""
    return all(name in narrow and _values(narrow[name]) <= _values(wanted) for name, wanted in wide.items())


def _values(wanted: str | list[str]) -> set[str]:
    return {wanted} if isinstance(wanted, str) else set(wanted)


def _who(data: Mapping[str, Any]) -> Iterator[Finding]:
    known = [name for name in RECORDS["person"].model_fields if name in WHO]
    for field in _map(data, "who"):
        if field not in known:
            yield ("who", field), f"who.{field} is not a field of a person. {advice(field, known)}"


def _settings(data: Mapping[str, Any]) -> Iterator[Finding]:
    known = [info.alias or name for name, info in MetricSettings.model_fields.items()]
    for key, value in _map(data, "settings").items():
        if key not in known:
            yield ("settings", key), f"settings: {key} is not a setting. {advice(key, known)}"
            continue
        try:
            MetricSettings.of({key: value})
        except ValidationError as error:
            yield ("settings", key), f"settings: {key}: {error.errors()[0]['msg']}"


def _own_metrics(data: Mapping[str, Any]) -> Iterator[Finding]:
    ours = family(MetricSettings())
    for name, body in _map(data, "metrics").items():
        if name in ours:
            yield ("metrics", name), f"metrics.{name} is the name of one of our metrics: choose another"
        try:
            compile_metric(name, CustomMetric.model_validate(body))
        except MetricError as error:
            yield ("metrics", name), str(error)
        except ValidationError:
            continue  # the plan's model reports its form


def _named_metrics(data: Mapping[str, Any]) -> Iterator[Finding]:
    known = [*family(MetricSettings()), *_map(data, "metrics")]
    places: list[tuple[Place, Any]] = [(("targets", name), name) for name in _map(data, "targets")]
    for place, component in _listed(_map(data, "scorecard"), "components"):
        places.append((("scorecard", "components", place, "metric"), component.get("metric")))
    for where, name in places:
        if isinstance(name, str) and name not in known:
            yield where, f"{name} is not a metric. {advice(name, known)}"


def _gates(data: Mapping[str, Any]) -> Iterator[Finding]:
    schema = gate_schema(_map(data, "metrics"))
    for place, gate in _listed(_map(data, "scorecard"), "gates"):
        where: Place = ("scorecard", "gates", place, "when")
        yield from _condition(where, f"scorecard.gates.{gate.get('id', place)}", gate.get("when"), schema)


def _rules(data: Mapping[str, Any]) -> Iterator[Finding]:
    schema = _deal_schema()
    for place, rule in _listed(_map(data, "opportunity_score"), "rules"):
        top: Place = ("opportunity_score", "rules", place)
        name = f"opportunity_score.rules.{rule.get('id', place)}"
        yield from _condition((*top, "when"), name, rule.get("when"), schema)
        yield from _age((*top, "age"), name, rule.get("age"), schema)
        for part in ("reason", "otherwise"):
            for language, text in _map(rule, part).items():
                yield from _places((*top, part, language), f"{name}.{part}", text, schema)


@cache
def _deal_schema() -> pl.Schema:
    """Columns of a deal, and what rules see besides."""
    deals = prepare({}, Organisation(), date.min, MetricSettings(), sources={}).deals
    return rule_schema(deals.select(DEAL_COLUMNS).schema)


def _condition(where: Place, name: str, sql: Any, schema: pl.Schema) -> Iterator[Finding]:
    if not isinstance(sql, str):
        return  # the plan's model reports what is missing
    try:
        compile_condition(name, sql, schema)
    except MetricError as error:
        yield where, str(error)


def _age(where: Place, name: str, column: Any, schema: pl.Schema) -> Iterator[Finding]:
    days = [known for known, dtype in schema.items() if dtype == pl.Int64]
    if isinstance(column, str) and column not in days:
        yield where, f"{name}: age {column} is not a column of days. {advice(column, days)}"


def _places(where: Place, name: str, text: Any, schema: pl.Schema) -> Iterator[Finding]:
    """The ``{column}`` places of a text that people read."""
    if not isinstance(text, str):
        return
    for column in sorted(set(_PLACE.findall(text)) - set(schema)):
        yield where, f"{name}: {{{column}}} is not a column of a deal. {advice(column, schema)}"
    if set("{}") & set(_PLACE.sub("", text)):
        yield where, f"{name}: a brace stands alone: write a column of a deal as {{column}}, and nothing else in braces"


def _map(data: Any, key: str) -> dict[str, Any]:
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, dict) else {}


def _listed(data: Mapping[str, Any], key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    value: Collection[Any] = data.get(key) or ()
    for place, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield place, item
