"""Score: what the new facts touch becomes results, and what is worth a write goes to the outbox.

One transaction notes the results, the outbox rows and the watermark, so that a kill repeats the whole step or nothing.
Peer figures are read from the day's stored baseline, by full and incremental runs alike.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import structlog

from connectors.csv_cells import csv_line, defused
from connectors.errors import ConfigError
from connectors.types import canonical_text
from scoring.baseline import baseline as make_baseline
from scoring.facts import Facts, Sources
from scoring.identity import match_people
from scoring.period import Period, period_of
from scoring.plan import Plan
from scoring.schemas import SCHEMAS
from sync.appraise import Appraised, appraise_people
from sync.config import Config
from sync.deal_scores import ScoredDeals, deals_of, score_deals
from sync.dirty import Dirty, find_dirty, mark_clean
from sync.facts_of import KINDS, View, calendar_of, facts_of, today, view_of
from sync.leavers import Present, leavers
from sync.loaded import accounts_of_matched, half_loaded, loaded
from sync.plans import ENGINE, Stamp, fingerprint, members_of, plan_digest, plans_in_effect
from sync.scored import ScoreOptions, ScoreOutcome
from sync.store.books import Baseline
from sync.store.engine import Store, Tx
from sync.store.facts import load
from sync.store.results import NewResult, retire_results, save_results
from sync.store.scope import Scope, Subject, deals_of_people, people_of
from sync.store.sources import known_sources
from sync.store.state import book, get_meta, set_meta, upsert
from sync.wishes import Wish, queue_wishes

log = structlog.get_logger(__name__)

_SCORED = "scored"


class Scorer:
    """Scores one store by one configuration."""

    def __init__(self, config: Config, store: Store, *, run: int, options: ScoreOptions) -> None:
        self.config = config
        self.store = store
        self.run = run
        self.options = options
        self.as_of = options.as_of or today(config)
        self.plans = plans_in_effect(config, self.as_of)

    def score(self) -> ScoreOutcome:
        """Everything the dirty set touches; everything at all on a new day, by a new configuration, or when asked."""
        outcome = ScoreOutcome(self.as_of, out=self.options.out)
        if self.options.as_of is not None or self.options.out is not None:
            self._export(outcome)
            return outcome
        with self.store.reading() as tx:
            waiting = half_loaded(tx, self.config)
            outcome.notes = list(waiting.values())
            dirty = self._dirty(tx)
            if dirty.nothing or (waiting and waiting.keys() >= self.config.connections.keys()):
                return outcome
            work = _Work(self, tx, dirty, waiting=frozenset(waiting))
            work.do()
        self._keep(work, dirty, outcome)
        return outcome

    def _dirty(self, tx: Tx) -> Dirty:
        dirty = find_dirty(tx)
        cohort = any(plan.settings.get("win_rate.denominator") == "created_cohort" for plan in self.plans)
        if (
            self.options.full or cohort or get_meta(tx, _SCORED) != self._state_text(tx)
        ):  # a cohort ages by everybody's deals
            return Dirty(None, dirty.seen, dirty.changed)
        return dirty

    def _state_text(self, tx: Tx) -> str:
        """What, besides facts, scores depend on: when it differs from the last run's, everything is scored."""
        known = {
            "day": self.as_of.isoformat(),
            "engine": ENGINE,
            "loaded": loaded(tx),
            "waiting": sorted(half_loaded(tx, self.config)),
            "plans": [plan_digest(plan) for plan in self.plans],
            "settings": self.config.settings.model_dump_json(exclude={"store", "service"}),
            "people": sorted(self.config.people.items()),
            "write_back": {name: repr(c.write_back) for name, c in sorted(self.config.connections.items())},
        }
        return fingerprint(json.dumps(known, sort_keys=True))

    def _keep(self, work: "_Work", dirty: Dirty, outcome: ScoreOutcome) -> None:
        now = datetime.now(UTC)
        with self.store.writing() as tx:
            for row in work.new_baselines:
                upsert(tx, Baseline, row)
            counts = save_results(tx, work.results, recorded_at=now, run=self.run)
            outcome.ended = retire_results(tx, list(leavers(tx, work.present(), work.results)))
            outcome.queued = queue_wishes(
                tx,
                self.config.connections,
                work.wishes(now.replace(microsecond=0)),  # CRMs keep whole seconds
                hysteresis=self.config.settings.push.hysteresis,
                at=now,
                run=self.run,
            )
            mark_clean(tx, dirty)
            set_meta(tx, _SCORED, self._state_text(tx))
            set_meta(tx, "scored_as_of", self.as_of.isoformat())
        outcome.full = dirty.scope is None
        outcome.deals, outcome.people = work.deals, work.people
        outcome.new, outcome.changed = counts.new, counts.changed
        outcome.notes += work.notes
        log.info("scored", **outcome.as_dict())

    def as_known(self) -> list[NewResult]:
        """Results of deals and people as known at the end of ``options.as_of``; nothing is stored."""
        with self.store.reading() as tx:
            work = _Work(self, tx, Dirty(None, {}, 0), as_of=self.as_of)
            work.do()
        return work.results

    def _export(self, outcome: ScoreOutcome) -> None:
        """Deal scores as known at the end of a day, as CSV."""
        if self.options.out is None:
            message = "score --as-of needs --out FILE: what is in the store and the CRMs is always as of today"
            raise ConfigError(message)
        with self.store.reading() as tx:
            work = _Work(self, tx, Dirty(None, {}, 0), as_of=self.as_of)
            work.do(people=False)
        with self.options.out.open("w", encoding="utf-8", newline="") as file:
            file.write(csv_line(("deal", "probability", "score", "grade", "reasons", "model")))
            for result in sorted(work.results, key=lambda result: result.subject):
                score = None if result.score is None else canonical_text(result.score)
                reasons = defused(result.payload["reasons_text"])
                model = f"rules {result.payload['plan']}"
                file.write(csv_line((defused(result.subject), None, score, result.grade, reasons, model)))
        outcome.deals = work.deals


class _Work:
    """One scoring pass: facts once per view, every plan's deals and people."""

    def __init__(
        self, scorer: Scorer, tx: Tx, dirty: Dirty, *, as_of: date | None = None, waiting: frozenset[str] = frozenset()
    ) -> None:
        self.scorer = scorer
        self.config = scorer.config
        self.tx = tx
        self.aliases = self._aliases() if dirty.scope is not None else None
        self.renamed = self._accounts(dirty.renamed)
        self.scope = self._widened(dirty.scope)
        self.as_of = as_of
        self.waiting = waiting
        self.matched = accounts_of_matched(tx, self.config, waiting)
        self.sources: Sources = {name: kinds for name, kinds in known_sources(tx, KINDS).items() if name not in waiting}
        self.results: list[NewResult] = []
        self.new_baselines: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.deals = self.people = 0
        self._facts: dict[str, Facts] = {}
        self._scored: list[ScoredDeals | Appraised] = []

    def do(self, *, people: bool = True) -> None:
        """Scores deals, then people, plan by plan."""
        claimed: dict[str, str] = {}
        for plan in self.scorer.plans:
            view = view_of(self.config, plan, as_of=self.as_of)
            facts = self._facts_of(view)
            members = self._members(plan, facts, claimed)
            baseline, digest = self._baseline(plan, facts, view)
            stamp = Stamp(plan, digest, view.as_of)
            mine = deals_of(facts, members, claimed, rest=plan is self.scorer.plans[-1], touched=self._touched(facts))
            scored = score_deals(facts, mine, baseline, stamp, self.config)
            self._scored.append(scored)
            self.results += scored.results
            self.deals += len(scored.results)
            if people and plan.scorecard is not None:
                appraised = appraise_people(
                    facts, baseline, self._touched_people(facts, members) - self.matched, self._periods(plan, view), stamp,
                    self.config, members,
                )  # fmt: skip
                self._scored.append(appraised)
                self.results += appraised.results
                self.people += len(appraised.people)
            self._note(facts)

    def _aliases(self) -> pl.DataFrame:
        rows = load(self.tx, ("person",))["person"].select(SCHEMAS["person"].keys())
        return match_people(rows, self.config.people or None)

    def _accounts(self, persons: frozenset[Subject]) -> frozenset[Subject]:
        """These and every other account of the same people, for one person may live in several CRMs."""
        if self.aliases is None:
            return persons
        people = self.aliases.filter(pl.col("key").is_in(list(_keys(persons))))["person"]
        keys = self.aliases.filter(pl.col("person").is_in(people.implode()))["key"]
        return persons | {(name, remote_id) for name, _, remote_id in (key.partition(":") for key in keys)}

    def _widened(self, scope: Scope | None) -> Scope | None:
        """The scope with all that its people need, and since when it looks.

        What a renamed person owns shows it, and so do the results of everybody who has a part in that.
        """
        if scope is None:
            return None
        since = min(self._periods(plan, view_of(self.config, plan))[0].start for plan in self.scorer.plans)
        partners = people_of(self.tx, deals_of_people(self.tx, self.renamed, since))
        activities = any(
            metric.over == "activities_completed" for plan in self.scorer.plans for metric in plan.metrics.values()
        )
        persons = self._accounts(scope.persons | partners)
        return replace(scope, persons=persons, since=since, activities_of_persons=activities)

    def present(self) -> Present:
        """Which deals and people there are, and which of them this pass looked at."""
        deals = {deal for facts in self._facts.values() for deal in facts.deals["deal"]}
        people = {person for facts in self._facts.values() for person in facts.people["person"]}
        if self.scope is None:
            return Present(deals, people, None, None)
        return Present(deals, people, _keys(self.scope.opportunities), _keys(self.scope.persons))

    def wishes(self, now: datetime) -> Iterator[Wish]:
        """What the CRMs should hold by these results."""
        for scored in self._scored:
            yield from scored.wishes(now)

    def _facts_of(self, view: View) -> Facts:
        key = view.settings.model_dump_json() + view.organisation.currency
        if key not in self._facts:
            self._facts[key] = facts_of(
                self.config, self.tx, view, scope=self.scope, sources=self.sources, without=self.waiting
            )
        return self._facts[key]

    def _members(self, plan: Plan, facts: Facts, claimed: dict[str, str]) -> frozenset[str]:
        """The plan's people. A person in two plans of one period is an error, except that a plan for all takes the rest."""
        chosen = members_of(plan, facts)
        if not plan.who:
            chosen = chosen - claimed.keys()
        twice = sorted(chosen & claimed.keys())
        if twice:
            message = (
                f"{twice[0]} is in plan {claimed[twice[0]]} and in plan {plan.plan} at once ({len(twice)} such people): "
                "make their `who` exclude each other. Nothing was scored"
            )
            raise ConfigError(message)
        claimed.update(dict.fromkeys(chosen, plan.plan))
        return frozenset(chosen)

    def _periods(self, plan: Plan, view: View) -> list[Period]:
        """The running period and the one before it, which late facts still move."""
        calendar = calendar_of(self.config)
        running = period_of(view.as_of, plan.period, calendar)
        return [period_of(running.start - (running.end - running.start) / 2, plan.period, calendar), running]

    def _baseline(self, plan: Plan, facts: Facts, view: View) -> tuple[dict[str, Any], str]:
        """The day's peer figures: stored ones where there are any, else made from everything and stored with the results."""
        name = f"{plan.plan} {plan_digest(plan)} {fingerprint(loaded(self.tx))}"  # half of the facts are no peers
        table = book(Baseline)
        row = None
        if self.as_of is None:
            where = (table.c.name == name, table.c.day == view.as_of)
            row = self.tx.db.execute(table.select().where(*where)).mappings().first()
        if row is not None:
            return row["payload"], row["digest"]
        view_facts = facts
        if self.scope is not None:
            view_facts = facts_of(self.config, self.tx, view, sources=self.sources, without=self.waiting)
        payload = make_baseline(view_facts, plan, self._periods(plan, view))
        digest = fingerprint(json.dumps(payload, sort_keys=True))
        self.new_baselines.append(
            {"name": name, "period": self._periods(plan, view)[-1].name, "day": view.as_of, "payload": payload,
             "digest": digest, "version": 1}
        )  # fmt: skip
        return payload, digest

    def _touched(self, facts: Facts) -> frozenset[str] | None:
        """Keys of the deals to score; None: all that are open."""
        if self.scope is None:
            return None
        asked, accounts, persons = map(_keys, (self.scope.opportunities, self.scope.accounts, self.renamed))
        mine = (
            pl.col("mirrors").list.eval(pl.element().is_in(list(asked))).list.any()
            | pl.col("account").is_in(list(accounts))
            | pl.col("owner").is_in(list(persons))
        )
        return frozenset(facts.deals.filter(mine)["deal"])

    def _touched_people(self, facts: Facts, members: frozenset[str]) -> frozenset[str]:
        """People whose results the dirty records can move. Of nobody else is everything loaded that an appraisal needs."""
        if self.scope is None:
            return members
        asked = list(_keys(self.scope.persons))
        return frozenset(facts.aliases.filter(pl.col("key").is_in(asked))["person"]) & members

    def _note(self, facts: Facts) -> None:
        for row in facts.unmapped_stages.iter_rows(named=True):
            text = (
                f"{row['connection']}: stage {row['stage']!r} of pipeline {row['pipeline']!r} is not mapped: "
                f"{row['deals']} deals have no outcome. Add it to `stages:` of config/connections/{row['connection']}.yaml"
            )
            if text not in self.notes:
                self.notes.append(text)


def _keys(subjects: Iterable[Subject]) -> frozenset[str]:
    return frozenset(f"{connection}:{remote_id}" for connection, remote_id in subjects)
