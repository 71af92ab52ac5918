"""Reports as rows: what the commands print, the tests read and other tools take as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.errors import ConfigError
from scoring.custom import compile_metrics
from scoring.dimensions import DEAL_DIMENSIONS
from scoring.facts import Facts
from scoring.language import Language
from scoring.metric import Metric, compute
from scoring.metrics.results import family
from scoring.metrics.targets import Targets
from scoring.money import plain
from scoring.period import Period, PeriodError, parse_period, period_of
from scoring.plan import Plan
from scoring.settings import MetricSettings
from scoring.sql import MetricError
from sync.config import Config
from sync.config_errors import nearest
from sync.facts_of import KINDS, calendar_of, facts_of, today, view_of
from sync.plans import members_of, plans_in_effect
from sync.store.engine import Store
from sync.store.sources import known_sources
from sync.texts import DIMENSIONS, SEPARATOR, TITLES, text

METRIC_COLUMNS = (
    "period", "by", "subject", "name", "metric", "value", "unit", "numerator", "denominator", "n", "status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """Rows under columns. ``numbers`` names the columns whose cells are numbers, written as plain decimals; unknown is None.

    ``language`` is that of the title, and of what tables show; the names of columns stay ours.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    numbers: frozenset[str] = frozenset()
    language: Language = "en"


def chosen_plan(config: Config, name: str | None, on: date) -> Plan | None:
    """The named plan, else the only one of ours in effect on a day, else None (the defaults). Raises ConfigError."""
    in_effect = plans_in_effect(config, on) if config.plans else []
    if name is None:
        return in_effect[0] if len(in_effect) == 1 else None
    named = [plan for plan in config.plans if plan.plan == name]
    if not named:
        known = {plan.plan for plan in config.plans}
        advice = nearest(name, known) or f" There are {', '.join(sorted(known)) or 'none'}"
        message = f"--plan {name} is not one of our plans.{advice}"
        raise ConfigError(message)
    return max(named, key=lambda plan: (plan in in_effect, plan.version))


def parse_periods(config: Config, texts: Sequence[str] | None, *, kind: str, as_of: date) -> list[Period]:
    """The named periods, each once, or the one around ``as_of``. Raises ConfigError, which says how they are written."""
    calendar = calendar_of(config)
    if not texts:
        return [period_of(as_of, kind, calendar)]  # type: ignore[arg-type] # Plan.period's words are PeriodKind's
    try:
        return [parse_period(text, calendar) for text in dict.fromkeys(texts)]
    except PeriodError as error:
        message = f"--period {error}"
        raise ConfigError(message) from None


def metrics_of(plan: Plan | None, settings: MetricSettings) -> dict[str, Metric]:
    """The results family by its settings, and the plan's own metrics."""
    try:
        return {**family(settings), **compile_metrics(plan.metrics if plan else {})}
    except MetricError as error:
        raise ConfigError(str(error)) from None


def targets_of(facts: Facts, plan: Plan | None) -> Targets:
    """Targets by the plan's rules, for the plan's people."""
    if plan is None:
        return Targets(facts)
    return Targets(facts, plan.targets, every=plan.period, people=members_of(plan, facts))


def report_metrics(
    config: Config,
    store: Store,
    *,
    by: Sequence[str],
    periods: Sequence[str] | None = None,
    as_of: date | None = None,
    plan_name: str | None = None,
    only: Sequence[str] | None = None,
) -> Report:
    """Metric rows for a grouping. Raises ConfigError for an unknown dimension, metric, period or plan."""
    _check_dimensions(by)
    plan = chosen_plan(config, plan_name, as_of or today(config))
    view = view_of(config, plan, as_of=as_of)
    wanted = parse_periods(config, periods, kind=plan.period if plan else "quarter", as_of=view.as_of)
    metrics = _chosen_metrics(metrics_of(plan, view.settings), only)
    with store.reading() as tx:
        kinds = [kind for kind in KINDS if kind != "activity" or _asks_activities(plan, metrics)]
        facts = facts_of(config, tx, view, sources=known_sources(tx, KINDS), kinds=kinds)
    try:
        frame = compute(metrics, facts, wanted, tuple(by), view.settings, targets=targets_of(facts, plan))
    except MetricError as error:
        raise ConfigError(str(error)) from None
    rows = [tuple(_cell(row[name], name) for name in METRIC_COLUMNS) for row in frame.iter_rows(named=True)]
    numbers = frozenset(("value", "numerator", "denominator", "n"))
    language = config.settings.organisation.language
    dimensions = SEPARATOR[language].join(text(DIMENSIONS, name, language) for name in by)
    title = text(TITLES, "metrics", language, by=dimensions)
    return Report(title, METRIC_COLUMNS, rows, numbers, language)


def _asks_activities(plan: Plan | None, metrics: dict[str, Metric]) -> bool:
    """Whether activities, of which there are most, need be read: the results family does without, a metric of the plan may not."""
    return plan is not None and bool(plan.metrics.keys() & metrics.keys())


def _cell(value: Any, name: str) -> Any:
    return plain(value) if name in ("value", "numerator", "denominator") and value is not None else value


def _check_dimensions(by: Sequence[str]) -> None:
    for name in by:
        if name not in DEAL_DIMENSIONS and not name.startswith("extra."):
            advice = nearest(name, DEAL_DIMENSIONS) or f" Write one of {', '.join(DEAL_DIMENSIONS)} or extra.NAME."
            message = f"--by {name} is nothing to group by.{advice}"
            raise ConfigError(message)


def _chosen_metrics(metrics: dict[str, Metric], only: Sequence[str] | None) -> dict[str, Metric]:
    for name in only or ():
        if name not in metrics:
            advice = nearest(name, metrics) or f" There are {', '.join(metrics)}"
            message = f"--metric {name} is not a metric.{advice}"
            raise ConfigError(message)
    return {name: metrics[name] for name in only} if only else metrics
