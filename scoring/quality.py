"""What is wrong with a deal's data: checks as data, faults with evidence, and the quality that they leave (domain guide 6).

A check whose source the deal's connection does not have is skipped, not failed; what is unknown is not a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal

import polars as pl

from scoring.condition import columns_in, compile_condition
from scoring.facts import Facts
from scoring.language import Language
from scoring.opportunity.reasons import filled
from scoring.period import PeriodKind
from scoring.quality_facts import quality_frame
from scoring.settings import MetricSettings
from scoring.told import is_told

BlocksPay = Literal["yes", "no", "review"]


@dataclass(frozen=True, slots=True)
class Check:
    """One way in which a deal can be wrong.

    ``when`` is a condition over the columns of ``quality_frame``. ``needs`` are columns that the connection must tell
    besides those of the condition. ``blocks_pay`` is a condition, too: where it holds, the pay for the deal waits.
    """

    id: str
    when: str
    penalty: Decimal
    blocks_pay: str = "FALSE"
    review: str = "FALSE"
    needs: tuple[str, ...] = ()
    text: Mapping[Language, str] | None = None


def _check(check_id: str, when: str, penalty: str, english: str, chinese: str, **more: Any) -> Check:
    return Check(check_id, when, Decimal(penalty), text={"en": english, "zh-CN": chinese}, **more)


_DUE = "((is_open AND past_first_stage) OR is_won)"

CHECKS: tuple[Check, ...] = (
    _check("missing_amount", f"amount_original IS NULL AND {_DUE}", ".30", "no amount", "缺少金额", blocks_pay="is_won"),
    _check("missing_close_date", f"close_on IS NULL AND {_DUE}", ".30", "no close date", "缺少成交日期",
           blocks_pay="is_won"),
    _check("missing_owner", f"owner IS NULL AND {_DUE}", ".30", "no owner", "缺少负责人", blocks_pay="is_won"),
    _check("past_due", "is_open AND past_due_days > 0", ".20",
           "open, but its close date {close_on} passed {past_due_days} days ago",
           "仍未关闭，成交日期 {close_on} 已过 {past_due_days} 天"),
    _check("stage_probability_mismatch", "is_open AND ABS(probability - stage_probability) > 0.30", ".05",
           "probability {probability}, but its stage {stage_label} stands for {stage_probability}",
           "概率 {probability} 与阶段 {stage_label} 的 {stage_probability} 不符"),
    _check("duplicate", "duplicate_of IS NOT NULL", ".30", "looks like a copy of {duplicate_of} ({duplicate_name})",
           "疑似与 {duplicate_of}（{duplicate_name}）重复", blocks_pay="TRUE", needs=("name", "account", "amount", "close_on")),
    _check("inactive_owner", "owner_gone", ".30", "its owner {owner} is not an active person here",
           "负责人 {owner} 已停用或未匹配", blocks_pay="TRUE"),
    _check("currency", "rate_fault", ".30", "no rate for currency {currency} within 7 days of its date",
           "币种 {currency} 在 7 天内无汇率", blocks_pay="TRUE"),
    _check("amount_outlier", "amount < outlier_low OR amount > outlier_high", ".10",
           "amount {amount}: its kind runs from {outlier_low} to {outlier_high}",
           "金额 {amount} 超出同类范围 {outlier_low} 至 {outlier_high}", review="TRUE"),
    _check("closed_without_activity", "is_won AND amount > 0 AND touched_before_close = FALSE", ".15",
           "won without any activity in the 60 days before {close_on}", "{close_on} 赢单前 60 天内无任何跟进",
           review="TRUE"),
    _check("backdated_close", "is_won AND seen_open AND (late_days > 3 OR crosses_period)", ".30",
           "close date {close_on}, but it was closed {late_days} days later", "成交日期 {close_on}，实际 {late_days} 天后才关闭",
           review="crosses_period"),
    _check("same_day", "is_won AND created_on = close_on AND NOT quick_allowed", ".15",
           "created and won on {close_on}", "{close_on} 当日创建当日赢单"),
    _check("no_next_step", "is_open AND past_first_stage AND (next_step IS NULL OR next_step = '')", ".05",
           "no next step", "缺少下一步"),
    _check("stage_skipped", "skipped_stages >= 2", ".10", "jumped over {skipped_stages} stages",
           "跳过 {skipped_stages} 个阶段"),
    _check("no_open_history", "is_won AND born_closed", ".10", "only closed stages are known of it", "仅有关闭阶段的记录"),
)  # fmt: skip
"""Every check of the domain guide's section 6 that deals, people, stages, changes and activities can answer."""

FAULT_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "deal": pl.String, "person": pl.String, "fault": pl.String, "penalty": pl.Decimal(38, 12), "blocks_pay": pl.String,
    "text": pl.String,
}  # fmt: skip


def faults(
    facts: Facts,
    baseline: Mapping[str, Any],
    penalties: Mapping[str, Decimal] | None = None,
    *,
    language: Language = "en",
    settings: MetricSettings | None = None,
    period: PeriodKind = "quarter",
) -> pl.DataFrame:
    """Every fault of every deal that is not omitted: ``deal, person, fault, penalty, blocks_pay, text``, in order.

    ``penalties`` replaces a check's own (0 turns it off); an unknown name raises ValueError. ``blocks_pay`` is yes, no or
    review. ``person`` is who can mend it: the credited person. ``text`` carries the evidence. Of ``baseline`` the outlier
    bounds and what connections tell are read. A duplicate is looked for among all deals of its account, so a scope must
    hold those of every account of its deals.
    """
    chosen = penalties or {}
    check_penalties(chosen)
    rows = quality_frame(facts, baseline, settings or MetricSettings(), period)
    found = [
        _found(rows, check, chosen.get(check.id, check.penalty), baseline, language)
        for check in CHECKS
        if chosen.get(check.id) != 0
    ]
    order = pl.Enum([check.id for check in CHECKS])
    return pl.concat([pl.DataFrame(schema=FAULT_SCHEMA), *found]).sort("deal", pl.col("fault").cast(order))


def check_penalties(penalties: Mapping[str, Decimal]) -> None:
    """Raises ValueError for a check that is not known, or a penalty outside 0..1."""
    known = [check.id for check in CHECKS]
    for name, penalty in penalties.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            advice = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}"
            message = f"{name} is not a check. {advice}"
            raise ValueError(message)
        if not 0 <= penalty <= 1:
            message = f"the penalty of {name} must be from 0 to 1, it is {penalty}"
            raise ValueError(message)


def _found(
    rows: pl.DataFrame, check: Check, penalty: Decimal, baseline: Mapping[str, Any], language: Language
) -> pl.DataFrame:
    where = f"quality.{check.id}"
    told = is_told(columns_in(check.when, rows.schema) | set(check.needs), baseline)
    holds, blocks, review = (
        compile_condition(where, sql, rows.schema) for sql in (check.when, check.blocks_pay, check.review)
    )
    pay = pl.when(blocks).then(pl.lit("yes")).when(review).then(pl.lit("review")).otherwise(pl.lit("no"))
    return rows.filter(told & holds).select(
        "deal",
        "person",
        pl.lit(check.id).alias("fault"),
        pl.lit(penalty, pl.Decimal(38, 12)).alias("penalty"),
        pay.alias("blocks_pay"),
        filled((check.text or {})[language], rows.schema).alias("text"),
    )


def skipped_checks(facts: Facts, baseline: Mapping[str, Any]) -> dict[str, list[str]]:
    """By connection the checks that no deal of it can be put to, for want of a source."""
    rows = quality_frame(facts, baseline, MetricSettings(), "quarter")
    told = [
        is_told(columns_in(check.when, rows.schema) | set(check.needs), baseline).any().alias(check.id)
        for check in CHECKS
    ]
    flags = rows.group_by("connection").agg(told).sort("connection")
    return {
        row["connection"]: [check.id for check in CHECKS if not row[check.id]] for row in flags.iter_rows(named=True)
    }


def deal_quality(found: pl.DataFrame) -> dict[str, Decimal]:
    """Per deal the product of (1 - penalty); a deal without a fault has none here, its quality is 1."""
    quality: dict[str, Decimal] = {}
    for deal, penalty in found.select("deal", "penalty").iter_rows():
        quality[deal] = quality.get(deal, Decimal(1)) * (1 - penalty.normalize())
    return quality
