"""Appraisals of people as results, and as wishes for every CRM that knows the person."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from connectors.base import Value
from scoring.appraisal import Appraisal
from scoring.components import metrics_of
from scoring.confidence import DataQuality, data_quality
from scoring.facts import Facts
from scoring.language import LANGUAGES, Language
from scoring.metric import measure
from scoring.metrics.targets import Targets
from scoring.money import plain
from scoring.period import Period
from scoring.quality import deal_quality, faults
from scoring.scorecard import appraise
from scoring.settings import MetricSettings
from sync.config import Config
from sync.plans import Stamp, fingerprint
from sync.store.results import NewResult
from sync.wishes import Wish, shown_appraisal

_FOUR = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Appraised:
    """Results of one pass. ``running`` names the newest period, ``accounts`` the copies of each person in CRMs."""

    results: Sequence[NewResult]
    people: Collection[str]
    accounts: Mapping[str, Sequence[str]]
    running: str
    label: str
    language: str
    languages: Mapping[str, str]

    def wishes(self, now: datetime) -> Iterator[Wish]:
        """One wish for each account of each person: of every period for rows of our own, else of the running one."""
        for result in self.results:
            attainment = result.payload["attainment"]
            values: dict[str, Value] = {
                "appraisal": shown_appraisal(result.score),
                "band": result.grade,
                "attainment": None if attainment is None else Decimal(attainment).quantize(_FOUR),
                "period": result.period,
                "reasons": result.payload["reasons_text"],
                "confidence": Decimal(result.payload["confidence"]).quantize(Decimal("0.01")),
                "scored_at": now,
                "plan": self.label,
                "digest": result.payload["inputs"],
            }
            for account in self.accounts.get(result.subject, (result.subject,)):
                connection, _, remote_id = account.partition(":")
                own = {"reasons": result.payload["reasons_texts"][self.languages.get(connection, self.language)]}
                newest = result.period == self.running
                yield Wish(connection, "person", remote_id, {**values, **own}, result.period, newest=newest)


def appraise_people(
    facts: Facts,
    baseline: Mapping[str, Any],
    touched: Collection[str],
    periods: Sequence[Period],
    stamp: Stamp,
    config: Config,
    members: Collection[str],
) -> Appraised:
    """Appraisals of the ``touched`` people, of each period."""
    plan = stamp.plan
    settings = MetricSettings.of(plan.settings)
    targets = Targets(facts, plan.targets, every=plan.period, people=members)
    mine = _only(facts, touched)
    rows = measure(metrics_of(plan, settings), mine, periods, ("person",), settings, targets=targets)
    penalties = {name: Decimal(value) for name, value in config.settings.quality.penalties.items()}
    qualities = deal_quality(faults(facts, baseline, penalties, settings=settings, period=plan.period))
    language = config.settings.organisation.language
    about = {row["person"]: row for row in facts.people.iter_rows(named=True)}
    told: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows.iter_rows(named=True):
        told[row["key"], row["period"]][row["metric"]] = row
    results = [
        _result(one, told[one.person, one.period], about.get(one.person, {}), quality.get(one.person), stamp, language)
        for period in periods
        for quality in [data_quality(facts, qualities, period)]
        for one in appraise(plan, touched, rows, quality, baseline, period.name)
    ]
    accounts = dict(facts.aliases.group_by("person").agg(pl.col("key").sort()).iter_rows())
    languages = {name: c.language or language for name, c in config.connections.items()}
    return Appraised(results, touched, accounts, periods[-1].name, stamp.label, language, languages)


def _only(facts: Facts, people: Collection[str]) -> Facts:
    """The facts with only these people to be measured; what others did stays, for it counts in shared figures."""
    from dataclasses import replace

    return replace(facts, people=facts.people.filter(pl.col("person").is_in(list(people))))


def _result(
    one: Appraisal,
    told: Mapping[str, Mapping[str, Any]],
    about: Mapping[str, Any],
    quality: DataQuality | None,
    stamp: Stamp,
    language: Language,
) -> NewResult:
    attainment = told.get("attainment", {}).get("value")
    inputs = [stamp.text, one.person, one.period, repr(quality)]
    inputs += [f"{name} {row['value']} {row['n']} {row['status']}" for name, row in sorted(told.items())]
    payload = {
        **one.payload(),
        "reasons_text": one.reasons_text(language),
        "reasons_texts": {name: one.reasons_text(name) for name in LANGUAGES},
        "plan": stamp.label,
        "name": about.get("name"),
        "team": about.get("team"),
        "region": about.get("region"),
        "attainment": None if attainment is None else plain(attainment),
    }
    return NewResult(
        kind="person",
        subject=one.person,
        as_of=stamp.as_of,
        status=one.status,
        digest=fingerprint(json.dumps([one.band, one.status, payload], sort_keys=True)),
        plan=stamp.plan.plan,
        plan_version=stamp.plan.version,
        period=one.period,
        score=one.score,
        grade=one.band,
        payload={**payload, "inputs": fingerprint("\x1f".join(inputs))},
    )
