"""Scores of open deals as results, and as wishes for every CRM that holds the deal."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from connectors.base import Value
from connectors.types import canonical_text
from scoring.facts import Facts
from scoring.language import Language
from scoring.opportunity.rules import score_opportunities
from scoring.plan import OpportunityScore
from sync.config import Config
from sync.plans import Stamp, fingerprint
from sync.store.results import NewResult
from sync.wishes import Wish, shown_score

_ABOUT = ("deal", "name", "person", "amount", "amount_original", "currency")

Texts = Mapping[str, tuple[str, str | None]]
"""Reasons and next best action by deal."""


@dataclass(frozen=True, slots=True)
class ScoredDeals:
    """Results of one pass, with the copies of each deal that its scores go to."""

    results: Sequence[NewResult]
    copies: Mapping[str, Sequence[str]]
    label: str
    texts: Mapping[str, Texts] = field(default_factory=dict)
    """Reasons and advice by connection, where one has another language than the organisation."""

    def wishes(self, now: datetime) -> Iterator[Wish]:
        """One wish for each copy of each deal."""
        for result in self.results:
            values: dict[str, Value] = {
                "score": shown_score(result.score),
                "grade": result.grade,
                "reasons": result.payload["reasons_text"],
                "next_best_action": result.payload["next_best_action"],
                "scored_at": now,
                "plan": self.label,
                "digest": result.payload["inputs"],
                "confidence": None,
            }
            for copy in self.copies.get(result.subject, (result.subject,)):
                connection, _, remote_id = copy.partition(":")
                said = self.texts.get(connection, {}).get(result.subject)
                own = {} if said is None else {"reasons": said[0], "next_best_action": said[1]}
                yield Wish(connection, "opportunity", remote_id, {**values, **own})


def deals_of(
    facts: Facts, members: Collection[str], claimed: Collection[str], *, rest: bool, touched: Collection[str] | None
) -> pl.DataFrame:
    """Open deals that a plan scores: its people's, and for the last plan also those that are nobody's."""
    deals = facts.deals.filter("is_open")
    if touched is not None:
        deals = deals.filter(pl.col("deal").is_in(list(touched)))
    mine = pl.col("person").is_in(list(members)).fill_null(value=False)
    nobodys = pl.col("person").is_in(list(claimed)).fill_null(value=False).not_()
    return deals.filter(mine | nobodys if rest else mine)


def score_deals(
    facts: Facts, deals: pl.DataFrame, baseline: Mapping[str, Any], stamp: Stamp, config: Config
) -> ScoredDeals:
    """Results for ``deals``; none where the plan has no opportunity score."""
    plan = stamp.plan.opportunity_score
    if plan is None or deals.is_empty():
        return ScoredDeals([], {}, stamp.label)
    language = config.settings.organisation.language
    scored = score_opportunities(facts, plan, baseline, language, deals)
    names = dict(facts.people.select("person", "name").iter_rows())
    inputs = dict(zip(deals["deal"], _fingerprints(deals, stamp), strict=True))
    about = {row["deal"]: row for row in deals.select(_ABOUT).iter_rows(named=True)}
    results = [
        _result(row, plan, about[row["deal"]], names, inputs[row["deal"]], facts.currency, stamp, language)
        for row in scored.iter_rows(named=True)
    ]
    copies = dict(deals.select("deal", "mirrors").iter_rows())
    return ScoredDeals(results, copies, stamp.label, _texts(facts, deals, baseline, plan, config))


def _texts(
    facts: Facts, deals: pl.DataFrame, baseline: Mapping[str, Any], plan: OpportunityScore, config: Config
) -> dict[str, Texts]:
    usual = config.settings.organisation.language
    others = {name: c.language for name, c in config.connections.items() if c.language not in (None, usual)}
    said: dict[str, Texts] = {}
    for language in sorted({language for language in others.values() if language}):
        rows = score_opportunities(facts, plan, baseline, language, deals)
        texts = rows.select("deal", "reasons_text", "next_best_action").iter_rows()
        said[language] = {deal: (reasons, advice) for deal, reasons, advice in texts}
    return {name: said[language] for name, language in others.items() if language}


def _result(
    row: Mapping[str, Any],
    plan: OpportunityScore,
    about: Mapping[str, Any],
    names: Mapping[str, str | None],
    inputs: str,
    currency: str,
    stamp: Stamp,
    language: Language,
) -> NewResult:
    reasons, rest = _reasons(row["reasons"]), _reasons(row["rest"])
    amount = about["amount"]
    payload = {
        "plan": stamp.label,
        "name": about["name"],
        "person": about["person"],
        "owner_name": names.get(about["person"] or ""),
        "amount": None if amount is None else canonical_text(amount),
        "currency": currency,
        "start": canonical_text(plan.start),
        "reasons": reasons,
        "rest": rest,
        "reasons_text": row["reasons_text"],
        "next_best_action": row["next_best_action"],
        "skipped": row["skipped"],
        "inputs": inputs,
    }
    score = row["score"]
    return NewResult(
        kind="opportunity",
        subject=row["deal"],
        as_of=stamp.as_of,
        status=row["status"],
        digest=fingerprint(json.dumps(_matters(row, payload, about, language))),
        plan_version=stamp.plan.version,
        score=score,
        grade=row["grade"],
        payload=payload,
    )


def _matters(
    row: Mapping[str, Any], payload: Mapping[str, Any], about: Mapping[str, Any], language: Language
) -> list[str | None]:
    """What is worth a new version of a result: all that a report shows, but the day's figures in the reasons' wording."""
    score = row["score"]
    matters = [payload["plan"], language, None if score is None else canonical_text(score), row["grade"]]
    matters.append(row["next_best_action"])
    matters += [f"{reason['rule']} {reason['points']}" for reason in (*payload["reasons"], *payload["rest"])]
    # The amount as entered, for its value in our currency moves every day.
    return [
        *matters,
        about["name"],
        about["person"],
        payload["owner_name"],
        about["currency"],
        str(about["amount_original"]),
    ]


def _reasons(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"rule": row["rule"], "points": canonical_text(row["points"]), "text": row["text"]} for row in rows]


def _fingerprints(deals: pl.DataFrame, stamp: Stamp) -> list[str]:
    """What each deal's score was computed from: its prepared row, the plan, the baseline, the day and the engine."""
    rows = deals.drop("recorded_at").select(
        pl.concat_str(
            [
                (
                    pl.col(name).list.join(";") if dtype == pl.List(pl.String) else pl.col(name).cast(pl.String)
                ).fill_null("\0")
                for name, dtype in deals.schema.items()
                if name != "recorded_at"
            ],
            separator="\x1f",
        ).alias("text")
    )
    return [fingerprint(stamp.text + text) for text in rows["text"]]
