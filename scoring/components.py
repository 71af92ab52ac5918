"""One component after the other: which metric it reads, whether that counts, and what it comes to (domain guide 3.2, 3.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from scoring.appraisal import ComponentScore, Standing, kept
from scoring.custom import compile_metrics
from scoring.metric import Metric
from scoring.metrics.results import attainment_of, family
from scoring.normalise import LEAST_PEERS, attained, minmax, peer_group, percentile, piecewise, zscore
from scoring.plan import Component, Plan, Scorecard
from scoring.settings import MetricSettings

SHRINK = 20
"""Weight of the peers' figure when a small sample is shrunk toward it (the m of domain guide 5.2)."""


def metrics_of(plan: Plan, settings: MetricSettings) -> dict[str, Metric]:
    """Every metric that the plan can name, by name: ours, its own, and the attainments its components are scored by.

    Raises MetricError for an own metric that cannot be computed.
    """
    known = family(settings) | compile_metrics(plan.metrics)
    components = plan.scorecard.components if plan.scorecard else []
    wanted = {component.metric for component in components if row_of(component) != component.metric}
    return known | {_attained_name(name): attainment_of(name, known[name]) for name in sorted(wanted)}


def row_of(component: Component) -> str:
    """The metric whose rows a component reads: its own, or the attainment of its own."""
    options = component.normaliser.attainment
    if options is None or options.target is not None or component.metric == "attainment":
        return component.metric
    return _attained_name(component.metric)


def _attained_name(metric: str) -> str:
    return f"attainment:{metric}"


def least_sample(metric: Metric, settings: MetricSettings) -> int:
    """How many deals the metric needs not to be low_sample."""
    if metric.inputs:
        return max(least_sample(part, settings) for part in metric.inputs.values())
    return settings.win_rate_min_sample if metric.min_sample is None else metric.min_sample


_NO_ROW: Mapping[str, Any] = {"value": None, "n": 0, "status": "no_data"}


@dataclass(frozen=True, slots=True)
class Bench:
    """What all appraisals of one plan and period read."""

    card: Scorecard
    settings: MetricSettings
    least: Mapping[str, int]
    rows: Mapping[tuple[str, str], Mapping[str, Any]]
    values: Mapping[str, Mapping[str, Fraction]]
    priors: Mapping[str, Fraction]
    places: Mapping[str, Mapping[str, str | None]]

    @classmethod
    def of(cls, plan: Plan, card: Scorecard, rows: pl.DataFrame, baseline: Mapping[str, Any], period: str) -> "Bench":
        """For the rows, and the peers' figures, of one period."""
        settings = MetricSettings.of(plan.settings)
        peers = baseline.get("peers", {}).get(period, {})
        return cls(
            card,
            settings,
            {name: least_sample(metric, settings) for name, metric in metrics_of(plan, settings).items()},
            {(row["key"], row["metric"]): row for row in rows.iter_rows(named=True)},
            {name: {p: Fraction(text) for p, text in known.items()} for name, known in peers.get("values", {}).items()},
            {name: Fraction(text) for name, text in peers.get("priors", {}).items()},
            baseline.get("places", {}),
        )

    def value(self, person: str, metric: str) -> Decimal | None:
        """What a metric says of a person, None where it is unknown."""
        value: Decimal | None = self.rows.get((person, metric), _NO_ROW)["value"]
        return value

    def components(self, person: str) -> tuple[ComponentScore, ...]:
        """Every component of the scorecard, each with its share of the weight that is available."""
        parts = [self._component(person, component) for component in self.card.components]
        available = available_weight(parts)
        return tuple(
            part
            if part.normalised is None or not available
            else replace(part, effective_weight=part.weight / available)
            for part in parts
        )

    def _component(self, person: str, component: Component) -> ComponentScore:
        name = row_of(component)
        row = self._row(person, component, name)
        standing = self._standing(component, name, row)
        part = ComponentScore(
            component.id, component.metric, component.group, standing, row["value"], row["n"], None,
            Fraction(component.weight), Fraction(0), self.least[component.metric],
        )  # fmt: skip
        if standing == "zero":
            return replace(part, normalised=Fraction(0))
        return part if standing != "counted" else self._normalised(person, component, part, _exact(row), row["status"])

    def _row(self, person: str, component: Component, name: str) -> Mapping[str, Any]:
        """The answer to score; an attainment rests on no more deals than its metric does."""
        row = self.rows.get((person, name), _NO_ROW)
        own = self.rows.get((person, component.metric), _NO_ROW)
        is_small = row["status"] == "ok" and own["status"] == "low_sample"
        return {**row, "status": "low_sample", "n": own["n"]} if is_small else row

    def _standing(self, component: Component, name: str, row: Mapping[str, Any]) -> Standing:
        """Whether the metric's answer counts. A small sample is dropped unless the component says otherwise."""
        if row["status"] == "low_sample":
            dropped = component.low_sample == "drop" or (component.low_sample == "shrink" and name not in self.priors)
            return "low_sample" if dropped else "counted"
        if row["status"] in ("blocked", "not_applicable"):
            return "blocked" if row["status"] == "blocked" else "not_applicable"
        if row["value"] is not None:
            return "counted"
        return "zero" if (component.missing or self.settings.missing_policy) == "zero" else "no_data"

    def _normalised(
        self, person: str, component: Component, part: ComponentScore, value: Fraction, status: str
    ) -> ComponentScore:
        name = row_of(component)
        if status == "low_sample" and component.low_sample == "shrink":
            part = replace(part, shrunk_from=part.value)
            value = (part.n * value + SHRINK * self.priors[name]) / (part.n + SHRINK)
            part = replace(part, value=kept(value))
        kind = component.normaliser.chosen[0]
        if kind in LEAST_PEERS and part.value is not None:
            return self._compared(person, component, part, Fraction(part.value), kind)  # to 12 places, as peers' are
        options = component.normaliser
        if options.attainment is not None:
            cap = options.attainment.cap or self.settings.normaliser_cap
            return replace(part, normalised=attained(value, options.attainment, cap))
        if options.piecewise is not None:
            return replace(part, normalised=piecewise(value, options.piecewise))
        assert options.minmax is not None  # noqa: S101 - the plan has exactly one normaliser
        return replace(part, normalised=minmax(value, options.minmax))

    def _compared(
        self, person: str, component: Component, part: ComponentScore, value: Fraction, kind: str
    ) -> ComponentScore:
        options = component.normaliser.percentile or component.normaliser.zscore
        assert options is not None  # noqa: S101 - the caller has looked
        least = options.minimum or LEAST_PEERS[kind]
        known = self.values.get(row_of(component), {})
        peers = peer_group(person, value, known, self.places, options, least)
        if peers is None:
            return replace(part, standing="few_peers", needed=least)
        score = (
            percentile(value, peers.values)
            if kind == "percentile"
            else zscore(value, peers.values, robust=options.robust)
        )
        return replace(part, normalised=score, peers=peers.alike_in, widened=peers.widened)


def available_weight(parts: Iterable[ComponentScore]) -> Fraction:
    """The weight of what counts."""
    return sum((part.weight for part in parts if part.normalised is not None), Fraction(0))


def _exact(row: Mapping[str, Any]) -> Fraction:
    """The value without the rounding of its 12 stored places, where its two parts are known."""
    if row["numerator"] is not None and row["denominator"]:
        return Fraction(row["numerator"]) / Fraction(row["denominator"])
    return Fraction(row["value"])
