"""The chain behind one score: result, reasons, figures, then the records and versions that they rest on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from scoring.facts import Facts
from scoring.metric import measure
from scoring.money import plain
from scoring.period import Period
from scoring.settings import MetricSettings
from sync.chain import Chain
from sync.config import Config
from sync.evidence import Evidence, hash_of, versions
from sync.facts_of import KINDS, View, facts_of, today, view_of
from sync.report import chosen_plan, metrics_of, parse_periods, targets_of
from sync.store.books import Result
from sync.store.engine import Store, Tx
from sync.store.results import current_results
from sync.store.scope import Scope, Subject
from sync.store.sources import known_sources
from sync.subjects import find_subject


def explain_subject(
    config: Config, store: Store, text: str, *, periods: Sequence[str] | None = None, plan_name: str | None = None
) -> Chain:
    """The chain behind a deal or person named by id, ``CONNECTION:ID``, ``KIND:CONNECTION:ID``, name or a person's e-mail.

    Raises ConfigError for a subject that nobody knows, or that several bear.
    """
    with store.reading() as tx:
        kind, subject = find_subject(tx, text)
        plan = chosen_plan(config, plan_name, today(config))
        view = view_of(config, plan)
        scope = Scope(frozenset([subject]) if kind == "opportunity" else frozenset())
        if kind == "person":
            scope = Scope(persons=_aliases(config, tx, view, subject))
        facts = facts_of(config, tx, view, scope=scope, sources=known_sources(tx, KINDS))
        if kind == "opportunity":
            return _of_deal(tx, facts, subject)
        wanted = parse_periods(config, periods, kind=plan.period if plan else "quarter", as_of=view.as_of)
        return _Person(tx, facts, view.settings, scope.persons, subject).chain(config, plan_name, wanted, bool(periods))


def _aliases(config: Config, tx: Tx, view: View, subject: Subject) -> frozenset[Subject]:
    """Every key of the same person."""
    aliases = facts_of(config, tx, view, kinds=("person",)).aliases
    key = ":".join(subject)
    person = aliases.filter(pl.col("key") == key)["person"].item()
    keys = aliases.filter(pl.col("person") == person)["key"].to_list()
    return frozenset((connection, rest) for connection, _, rest in (each.partition(":") for each in keys))


def _split(keys: Sequence[str | None]) -> list[Subject]:
    parts = [key.partition(":") for key in dict.fromkeys(keys) if key is not None]
    return [(connection, rest) for connection, _, rest in parts]


def _score(result: Result) -> dict[str, Any]:
    return {
        "plan": result.plan or result.payload.get("plan"),
        "period": result.period,
        "score": None if result.score is None else plain(result.score),
        "grade": result.grade,
        "status": result.status,
        "as_of": result.as_of,
        "seq": result.seq,
        "run": result.run,
        "recorded_at": result.recorded_at,
        "digest": result.digest,
        "payload": result.payload,
    }


def _of_deal(tx: Tx, facts: Facts, subject: Subject) -> Chain:
    key = ":".join(subject)
    rows = facts.deals.filter(pl.col("mirrors").list.contains(key))
    if rows.is_empty():
        chain = Chain(f"opportunity:{key}", None, note="not_counted")
        chain.records = versions(tx, "opportunity", [subject])
        chain.records_hash = chain.inputs = hash_of(chain.records)
        return chain
    deal = rows.row(0, named=True)
    chain = Chain(f"opportunity:{deal['deal']}", deal["name"])
    chain.scores = [_score(result) for result in current_results(tx, "opportunity", subjects=[deal["deal"]])]
    if not deal["is_open"]:
        chain.note = deal["outcome"] or "no_outcome"
    elif not chain.scores:
        chain.note = "not_scored"
    chain.currency = facts.currency
    chain.figures = {name: _figure(value) for name, value in deal.items() if value is not None and value != []}
    chain.records = list(_deal_records(tx, facts, deal))
    chain.records_hash = hash_of(chain.records)
    chain.inputs = chain.scores[-1]["payload"].get("inputs", chain.records_hash) if chain.scores else chain.records_hash
    return chain


def _figure(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _deal_records(tx: Tx, facts: Facts, deal: dict[str, Any]) -> Iterator[Evidence]:
    copies = _split(deal["mirrors"])
    yield from versions(tx, "opportunity", copies)
    yield from versions(tx, "account", _split([deal["account"], deal["customer"]]))
    aliases = facts.aliases.filter(pl.col("person") == deal["person"])["key"].to_list()
    yield from versions(tx, "person", _split([deal["person"], deal["owner"], *aliases]))
    stages = versions(tx, "stage", [(name, deal["stage"]) for name, _ in copies if deal["stage"]], column="stage")
    yield from stages
    yield from versions(tx, "change", copies, column="record_id")
    for kind in ("activity", "split", "line_item"):
        yield from versions(tx, kind, copies, column="opportunity_id")


@dataclass(slots=True)
class _Person:
    tx: Tx
    facts: Facts
    settings: MetricSettings
    keys: frozenset[Subject]
    subject: Subject

    def chain(self, config: Config, plan_name: str | None, periods: list[Period], asked: bool) -> Chain:
        key = ":".join(self.subject)
        person = self.facts.aliases.filter(pl.col("key") == key)["person"].item()
        name: str | None = self.facts.people.filter(pl.col("person") == person)["name"].item()
        chain = Chain(f"person:{person}", name)
        found = current_results(self.tx, "person", subjects=[str(person)], plan=plan_name)
        chain.scores = [_score(r) for r in found if not asked or r.period in {period.name for period in periods}]
        if not chain.scores:
            chain.note = "not_appraised"
        elif not asked:
            names = sorted({score["period"] for score in chain.scores})
            periods = parse_periods(config, names, kind="quarter", as_of=self.facts.as_of)
        chain.currency = self.facts.currency
        chain.metrics = self._metrics(config, plan_name, str(person), periods)
        chain.records = list(self._records(periods))
        chain.records_hash = hash_of(chain.records)
        stored = [score["payload"].get("inputs") for score in chain.scores]
        chain.inputs = stored[-1] if stored and stored[-1] else chain.records_hash
        return chain

    def _metrics(
        self, config: Config, plan_name: str | None, person: str, periods: Sequence[Period]
    ) -> list[dict[str, Any]]:
        plan = chosen_plan(config, plan_name, today(config))
        metrics = metrics_of(plan, self.settings)
        targets = targets_of(self.facts, plan)
        frame = measure(metrics, self.facts, periods, ("person",), self.settings, targets=targets)
        mine = frame.filter(pl.col("key") == person).drop("key", "by", "subject", "name")
        return [{name: _figure(value) for name, value in row.items()} for row in mine.iter_rows(named=True)]

    def _records(self, periods: Sequence[Period]) -> Iterator[Evidence]:
        yield from versions(self.tx, "person", self.keys)
        targets = versions(self.tx, "target", [("import", each) for each in self._words()], column="subject_id")
        yield from targets
        yield from versions(self.tx, "target", self.keys, column="subject_id")
        closed = pl.any_horizontal(
            [pl.col("close_on").is_between(period.start, period.end, closed="left") for period in periods]
        )
        names = [":".join(key) for key in self.keys]
        mine = pl.col("person").is_in(names) | pl.col("deal").is_in(
            self.facts.splits.filter(pl.col("person").is_in(names))["deal"].to_list()
        )
        counted = self.facts.deals.filter(mine, (closed & ~pl.col("is_open")) | pl.col("is_open"))
        yield from versions(self.tx, "opportunity", _split(counted["mirrors"].explode().to_list()), past=False)

    def _words(self) -> list[str]:
        """How an imported file may name the person."""
        people = self.facts.people.filter(
            pl.col("aliases").list.eval(pl.element().is_in([":".join(k) for k in self.keys])).list.any()
        )
        words = [word for row in people.select("name", "email").iter_rows() for word in row if word]
        words += [word.strip().casefold() for word in words]
        for connection, remote_id in self.keys:
            words += [remote_id, f"{connection}:{remote_id}"]
        return list(dict.fromkeys(words))
