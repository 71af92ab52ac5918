"""Reports over stored results, people's appraisals and scores of open deals, and over the data's faults."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from connectors.errors import ConfigError
from connectors.types import canonical_text
from scoring.baseline import baseline
from scoring.confidence import weighted_mean
from scoring.dimensions import subject_texts
from scoring.facts import Facts
from scoring.money import EXACT, plain
from scoring.period import PeriodKind, period_of
from scoring.quality import CHECKS, deal_quality, faults, skipped_checks
from scoring.settings import MetricSettings
from sync.config import Config
from sync.config_errors import nearest
from sync.facts_of import KINDS, calendar_of, facts_of, today, view_of
from sync.plans import plans_in_effect
from sync.report import Report, chosen_plan, parse_periods
from sync.store.books import Result
from sync.store.engine import Store
from sync.store.results import NewResult, current_results
from sync.store.sources import known_sources
from sync.texts import TITLES, text
from sync.wishes import shown_appraisal

SCORE_COLUMNS = (
    "period", "plan", "subject", "name", "team", "region", "score", "band", "status", "confidence", "attainment", "reasons",
    "as_of",
)  # fmt: skip
DEAL_COLUMNS = (
    "subject", "name", "owner", "amount", "currency", "score", "grade", "reasons", "next_best_action", "plan", "as_of",
)  # fmt: skip


def report_scores(
    config: Config,
    store: Store,
    *,
    periods: Sequence[str] | None = None,
    plan_name: str | None = None,
    as_of: date | None = None,
) -> Report:
    """The newest appraisal of everybody, best first within plan and period; somebody without one is ``not_scored``.

    With ``as_of`` appraisals are made now, by the plans of that day and what was known at its end: of its running period and
    the one before. They are not stored.

    ``score`` is cut off at two decimals, so that it never looks like the next band. Without ``periods`` the newest that
    was scored. Raises ConfigError for an unknown plan or period.
    """
    chosen_plan(config, plan_name, as_of or today(config))
    results = [] if as_of is None else _as_known(config, store, as_of, plan_name)
    with store.reading() as tx:
        if as_of is None:
            results = [_Shown.of(result) for result in current_results(tx, "person", plan=plan_name)]
        facts = facts_of(config, tx, view_of(config, None), kinds=("person",))
    wanted = _periods(config, results, periods)
    results = [result for result in results if result.period in wanted]
    texts = subject_texts(facts, "person", [*facts.people["person"], *(result.subject for result in results)])
    rows = [_score_row(result, texts) for result in sorted(results, key=_best_first)]
    scored = {result.subject for result in results}
    left = facts.people.filter(pl.col("deleted").not_(), pl.col("person").is_in(list(scored)).not_())
    shown_period = ", ".join(wanted) or None
    for person, name, team, region in left.select("person", "name", "team", "region").iter_rows():
        rows.append((shown_period, None, texts[person], name, team, region, None, None, "not_scored", *[None] * 4))
    numbers = frozenset(("score", "confidence", "attainment"))
    return _titled(config, "scores", SCORE_COLUMNS, rows, numbers)


def _titled(
    config: Config, title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]], numbers: Iterable[str]
) -> Report:
    language = config.settings.organisation.language
    return Report(text(TITLES, title, language), columns, rows, frozenset(numbers), language)


@dataclass(frozen=True, slots=True)
class _Shown:
    """One appraisal, stored or made for this report; ``age`` orders them."""

    period: str
    plan: str
    subject: str
    score: Decimal | None
    grade: str | None
    status: str
    as_of: date
    age: int
    payload: Mapping[str, Any]

    @classmethod
    def of(cls, one: Result | NewResult) -> "_Shown":
        age = (one.seq or 0) if isinstance(one, Result) else 0
        return cls(one.period, one.plan, one.subject, one.score, one.grade, one.status, one.as_of, age, one.payload)


def _as_known(config: Config, store: Store, as_of: date, plan_name: str | None) -> list[_Shown]:
    from sync.score import Scorer  # only here does a report compute scores
    from sync.scored import ScoreOptions

    made = Scorer(config, store, run=0, options=ScoreOptions(as_of=as_of)).as_known()
    return [_Shown.of(one) for one in made if one.kind == "person" and plan_name in (None, one.plan)]


def _periods(config: Config, results: Sequence[_Shown], periods: Sequence[str] | None) -> list[str]:
    if periods:
        return [period.name for period in parse_periods(config, periods, kind="quarter", as_of=today(config))]
    known = {result.period for result in results}
    newest = {plan: max((r.as_of, r.age, r.period) for r in results if r.plan == plan) for plan in _plans(results)}
    return sorted(known & {period for _, _, period in newest.values()})


def _plans(results: Sequence[_Shown]) -> set[str]:
    return {result.plan for result in results}


def _best_first(result: _Shown) -> tuple[Any, ...]:
    return result.period, result.plan, result.score is None, -(result.score or Decimal(0)), result.subject


def _score_row(result: _Shown, texts: Mapping[str | None, str | None]) -> tuple[Any, ...]:
    said = result.payload
    score = shown_appraisal(result.score)
    return (
        result.period, result.plan, texts[result.subject], said.get("name"), said.get("team"), said.get("region"),
        None if score is None else canonical_text(score), result.grade, result.status, _number(said.get("confidence")),
        _number(said.get("attainment")), said.get("reasons_text"), result.as_of.isoformat(),
    )  # fmt: skip


def _number(text: Any) -> str | None:
    return None if text is None else plain(Decimal(str(text)))


def report_deals(config: Config, store: Store) -> Report:
    """Scores of the deals that are open now, best first. A deal that closed since it was scored is left out."""
    with store.reading() as tx:
        results = {result.subject: result for result in current_results(tx, "opportunity")}
        facts = facts_of(config, tx, view_of(config, None), kinds=("person", "account", "stage", "opportunity"))
    open_deals = facts.deals.filter("is_open")["deal"].to_list()
    texts = _deal_texts(facts)
    shown = [results[deal] for deal in open_deals if deal in results]
    rows = [_deal_row(result, texts) for result in sorted(shown, key=lambda r: (-(r.score or Decimal(0)), r.subject))]
    return _titled(config, "deals", DEAL_COLUMNS, rows, ("amount", "score"))


def _deal_texts(facts: Facts) -> dict[str, str]:
    """Deals as they are written: the bare id where it is unique, else ``opportunity:CONNECTION:ID``."""
    deals = facts.deals.select("deal", "remote_id", pl.len().over("remote_id").alias("same"))
    return {deal: bare if same == 1 else f"opportunity:{deal}" for deal, bare, same in deals.iter_rows()}


def _deal_row(result: Result, texts: Mapping[str, str]) -> tuple[Any, ...]:
    said = result.payload
    return (
        texts[result.subject], said.get("name"), said.get("owner_name"), _number(said.get("amount")), said.get("currency"),
        None if result.score is None else plain(result.score), result.grade, said.get("reasons_text"),
        said.get("next_best_action"), said.get("plan"), result.as_of.isoformat(),
    )  # fmt: skip


FAULT_COLUMNS = ("subject", "name", "owner", "amount", "fault", "penalty", "blocks_pay", "evidence")
PERSON_COLUMNS = ("subject", "name", "team", "region", "deals", "deals_with_faults", "faults", "blocks_pay", "quality")
CHECK_COLUMNS = ("fault", "deals", "people", "blocks_pay", "penalty", "skipped_for")


def report_quality(config: Config, store: Store, *, by: str = "deal", as_of: date | None = None) -> Report:
    """Data faults: one row per fault (``deal``), per known person, or per check (``fault``).

    ``quality`` of a person is the amount-weighted mean over the deals, unknown without any. ``skipped_for`` names the
    connections that lack what a check looks at: there it says nothing. Raises ConfigError for another ``by``.
    """
    tables: dict[str, Callable[[_Quality], Report]] = {"deal": _by_deal, "person": _by_person, "fault": _by_fault}
    if by not in tables:
        message = f"--by {by} is nothing to show faults by.{nearest(by, tables)} There are {', '.join(tables)}"
        raise ConfigError(message)
    return tables[by](_Quality.of(config, store, as_of))


@dataclass(frozen=True, slots=True)
class _Quality:
    """The facts, the faults found in them, and the checks that were skipped, by connection."""

    config: Config
    facts: Facts
    found: pl.DataFrame
    penalties: Mapping[str, Decimal]
    skipped: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, config: Config, store: Store, as_of: date | None) -> "_Quality":
        plan = plans_in_effect(config, as_of or today(config))[0]
        view = view_of(config, plan, as_of=as_of)
        with store.reading() as tx:
            facts = facts_of(config, tx, view, sources=known_sources(tx, KINDS))
        kind: PeriodKind = plan.period
        peers = baseline(facts, plan, [period_of(view.as_of, kind, calendar_of(config))])
        penalties = dict(config.settings.quality.penalties)
        settings = MetricSettings.of(plan.settings)
        try:
            language = config.settings.organisation.language
            found = faults(facts, peers, penalties, language=language, settings=settings, period=kind)
        except ValueError as error:
            message = f"quality.penalties: {error}"
            raise ConfigError(message) from None
        return cls(config, facts, found, penalties, skipped_checks(facts, peers))


def _by_deal(quality: _Quality) -> Report:
    texts = _deal_texts(quality.facts)
    names = dict(quality.facts.people.select("person", "name").iter_rows())
    about = {row[0]: row for row in quality.facts.deals.select("deal", "name", "amount").iter_rows()}
    rows = []
    for row in quality.found.iter_rows(named=True):
        _, name, amount = about[row["deal"]]
        owner = names.get(row["person"] or "")
        rows.append(
            (texts[row["deal"]], name, owner, None if amount is None else plain(amount), row["fault"],
             plain(row["penalty"]), row["blocks_pay"], row["text"])
        )  # fmt: skip
    return _titled(quality.config, "faults", FAULT_COLUMNS, rows, ("amount", "penalty"))


def _by_person(quality: _Quality) -> Report:
    people = quality.facts.people.filter(pl.col("deleted").not_())
    texts = subject_texts(quality.facts, "person", people["person"])
    of_deal = deal_quality(quality.found)
    found = quality.found.group_by("person").agg(
        pl.col("deal").n_unique().alias("deals"), pl.len().alias("faults"), (pl.col("blocks_pay") == "yes").sum().alias("blocks")
    )  # fmt: skip
    counts = {row[0]: row[1:] for row in found.iter_rows()}
    owned = quality.facts.deals.filter(pl.col("is_omitted").not_().fill_null(value=True))
    deals: dict[str | None, list[tuple[Decimal | None, Decimal]]] = {}
    for deal, person, amount in owned.select("deal", "person", "amount").iter_rows():
        deals.setdefault(person, []).append((amount, of_deal.get(deal, Decimal(1))))
    rows = []
    for person, name, team, region in people.select("person", "name", "team", "region").iter_rows():
        mine = deals.get(person, [])
        faulty, number, blocks = counts.get(person, (0, 0, 0))
        rows.append((texts[person], name, team, region, len(mine), faulty, number, blocks, _mean(mine)))
    return _titled(quality.config, "quality", PERSON_COLUMNS, rows, PERSON_COLUMNS[4:])


def _mean(deals: list[tuple[Decimal | None, Decimal]]) -> str | None:
    mean = weighted_mean(deals)
    return None if mean is None else plain(EXACT.divide(Decimal(mean.numerator), Decimal(mean.denominator)))


def _by_fault(quality: _Quality) -> Report:
    def count(pairs: Iterable[tuple[str, Any]]) -> Counter[str]:
        return Counter(fault for fault, _ in set(pairs))

    found = quality.found
    deals = count(found.select("fault", "deal").iter_rows())
    people = count(found.filter(pl.col("person").is_not_null()).select("fault", "person").iter_rows())
    blocks = count(found.filter(pl.col("blocks_pay") == "yes").select("fault", "deal").iter_rows())
    everywhere = len(quality.skipped)
    rows = []
    for check in CHECKS:
        where = [name for name, checks in quality.skipped.items() if check.id in checks]
        looked = everywhere > len(where)
        counts = [table[check.id] if looked else None for table in (deals, people, blocks)]
        penalty = plain(quality.penalties.get(check.id, check.penalty))
        rows.append((check.id, *counts, penalty, ", ".join(where) or None))
    return _titled(quality.config, "checks", CHECK_COLUMNS, rows, CHECK_COLUMNS[1:5])
