"""The chain behind a score in sentences, in English and Simplified Chinese."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from scoring.appraisal import metric_name
from scoring.language import Language
from sync.chain import Chain
from sync.evidence import Evidence
from sync.figures import days, in_unit, moment, money, number, percent, word
from sync.texts import WORDS, Texts, both, text
from sync.wishes import shown_appraisal

NOTES: Texts = {
    "not_counted": both(
        "not counted: it is deleted, or merged into another deal", "未计入：该商机已删除，或已并入其他商机"
    ),
    "won": both("won: only open deals are scored", "已赢单：只对进行中的商机评分"),
    "lost": both("lost: only open deals are scored", "已丢单：只对进行中的商机评分"),
    "omitted": both("omitted: only open deals are scored", "已排除：只对进行中的商机评分"),
    "no_outcome": both("without an outcome: only open deals are scored", "结果未知：只对进行中的商机评分"),
    "not_scored": both("not scored yet: run scoreback score", "尚未评分：请运行 scoreback score"),
    "not_appraised": both(
        "not appraised in this period: these are the figures as they stand", "本期间未评分：以下为当前数据"
    ),
}
"""Why a subject has no score."""

SENTENCES: Texts = {
    "score": both(
        "score {score} ({status}) by {plan}, as of {as_of}; result {seq} of run {run}, {at}",
        "得分 {score}（{status}），方案 {plan}，截至 {as_of}；第 {run} 次运行的结果 {seq}，{at}",
    ),
    "none": both("none", "无"),
    "start": both("start: points every deal begins with", "起始分：每个商机的基础分"),
    "limits": both("kept within 0 and 100", "限制在 0 至 100 之间"),
    "component": both(
        "{id}: {name} {value} -> {points} x {weight} = {product} (weight {own}, n {n}, {status})",
        "{id}：{name} {value} -> {points} x {weight} = {product}（权重 {own}，样本 {n}，{status}）",
    ),
    "not_counted": both(
        "{id}: {name} {value}, n {n}: not counted, {status}", "{id}：{name} {value}，样本 {n}：未计入，{status}"
    ),
    "gate": both("gate {text}", "门槛 {text}"),
    "skipped": both("{rule}: skipped, its source is not read", "{rule}：已跳过，缺少数据来源"),
    "next": both("next: {action}", "下一步：{action}"),
    "figures": both("figures", "数据"),
    "metrics": both("metrics", "指标"),
    "metric": both("{period} {name}: {value}, n {n}, {status}", "{period} {name}：{value}，样本 {n}，{status}"),
    "records": both("records ({count})", "记录（{count}）"),
    "version": both("version", "个版本"),
    "versions": both("versions", "个版本"),
    "first_load": both("first load", "首次读取"),
    "since": both("since", "自"),
    "superseded": both("superseded", "已被取代"),
    "records_hash": both("records: {hash}", "记录：{hash}"),
    "inputs": both("inputs: {hash}", "输入：{hash}"),
}
"""Sentences of ``scoreback explain``."""

_MONEY = frozenset(("amount", "booking"))
_SHARES = frozenset(("probability", "stage_probability", "discount"))
_DAYS = frozenset(
    ("age_days", "days_in_stage", "push_days", "past_due_days", "days_since_activity", "days_since_meeting",
     "next_activity_in_days", "cycle_days", "late_days")
)  # fmt: skip


def lines_of(chain: Chain, language: Language) -> Iterator[str]:
    """The chain for people; the hash of the inputs comes last."""

    def say(key: str, **values: Any) -> str:
        return text(SENTENCES, key, language, **values)

    yield chain.subject + (f"  {chain.name}" if chain.name else "")
    if chain.note:
        yield text(NOTES, chain.note, language)
    units = {row["metric"]: row["unit"] for row in chain.metrics}
    for score in chain.scores:
        yield from _score_lines(score, units, language, say)
    yield from _figure_lines(chain, language, say)
    count = len(chain.records)
    yield say("records", count=f"{count:,} {say('version' if count == 1 else 'versions')}")
    for record in chain.records:
        yield f"  {_record_line(record, language, say)}"
    yield say("records_hash", hash=chain.records_hash)
    yield say("inputs", hash=chain.inputs)


Say = Callable[..., str]


def _score_lines(score: Mapping[str, Any], units: Mapping[str, str], language: Language, say: Say) -> Iterator[str]:
    said = score["payload"]
    shown = None if score["score"] is None else shown_appraisal(Decimal(score["score"]))
    whole = " ".join(part for part in (say("none") if shown is None else number(shown), score["grade"]) if part)
    plan = " ".join(part for part in (score["plan"], score["period"]) if part)
    status, at = text(WORDS, score["status"], language), moment(score["recorded_at"])
    yield say("score", score=whole, status=status, plan=plan, as_of=score["as_of"], seq=score["seq"],
              run=score["run"], at=at)  # fmt: skip
    yield from _reason_lines(score["score"], said, say)
    for part in said.get("components", ()):
        yield f"  {_component_line(part, units, language, say)}"
    for gate in said.get("gates", ()):
        yield f"  {say('gate', text=gate['text'][language])}"
    for rule in said.get("skipped", ()):
        yield f"{'–':>8}  {say('skipped', rule=rule)}"
    if said.get("next_best_action"):
        yield f"  {say('next', action=said['next_best_action'])}"


def _reason_lines(score: str | None, said: Mapping[str, Any], say: Say) -> Iterator[str]:
    """The start, every rule that gave points, and what the limits 0 and 100 took or gave: they add up to the score."""
    reasons = said.get("reasons", ())
    if score is not None and "start" in said:
        yield f"{number(said['start']):>8}  {say('start')}"
        parts = [*(reason for reason in reasons if reason["rule"] != "other"), *said["rest"]]
        reasons = sorted(parts, key=lambda part: (Decimal(part["points"]) < 0, -abs(Decimal(part["points"]))))
    for reason in reasons:
        yield f"{_signed(reason['points']):>8}  {reason['rule']}: {reason['text']}"
    if score is not None and "start" in said:
        over = Decimal(score) - Decimal(said["start"]) - sum(Decimal(reason["points"]) for reason in reasons)
        if over:
            yield f"{_signed(over):>8}  {say('limits')}"


def _signed(points: Any) -> str:
    return ("+" if Decimal(points) > 0 else "") + number(points)


def _component_line(part: Mapping[str, Any], units: Mapping[str, str], language: Language, say: Say) -> str:
    """Metric, what it came to, and what that brought: ``attainment 60 % -> 60 x 50 % = 30``."""
    metric = str(part.get("metric"))
    unit = units.get(metric, "ratio" if metric.startswith("attainment:") else "count")
    value = text(WORDS, "unknown", language) if part.get("value") is None else in_unit(part["value"], unit, language)
    told = {"id": part.get("id"), "name": metric_name(metric, language), "value": value, "n": part.get("n"),
            "status": text(WORDS, str(part.get("status")), language)}  # fmt: skip
    if part.get("points") is None:
        return say("not_counted", **told)
    return say(
        "component", **told, points=number(part["normalised"]), weight=percent(part["effective_weight"]),
        product=number(part["points"]), own=percent(part["weight"]),
    )  # fmt: skip


def _figure_lines(chain: Chain, language: Language, say: Say) -> Iterator[str]:
    if chain.figures:
        yield say("figures")
    for name, value in chain.figures.items():
        yield f"  {name}: {_figure(name, value, chain, language)}"
    if chain.metrics:
        yield say("metrics")
    for row in chain.metrics:
        yield f"  {_metric_line(row, language, say)}"


def _figure(name: str, value: Any, chain: Chain, language: Language) -> str:
    if name in _MONEY:
        return money(value, chain.currency)
    if name == "amount_original":
        return money(value, chain.figures.get("currency"))
    if name in _SHARES:
        return percent(value)
    if name in _DAYS:
        return days(value, language)
    if name.endswith("_at"):
        return moment(datetime.fromisoformat(value))
    return word(value, language)


def _metric_line(row: Mapping[str, Any], language: Language, say: Say) -> str:
    unknown = text(WORDS, "unknown", language)
    value = unknown if row["value"] is None else in_unit(row["value"], row["unit"], language)
    if row["denominator"] is not None:
        above = unknown if row["numerator"] is None else number(row["numerator"])
        value += f" = {above} / {number(row['denominator'])}"
    status = text(WORDS, row["status"], language)
    name = metric_name(row["metric"], language)
    return say("metric", period=row["period"], name=name, value=value, n=row["n"], status=status)


def _record_line(record: Evidence, language: Language, say: Say) -> str:
    since = say("first_load" if record.first_load else "since")
    head = (
        f"{record.kind}:{record.connection}:{record.remote_id}  seq {record.seq}  {since} {moment(record.recorded_at)}"
    )
    state = "" if record.current else f"  {say('superseded')}"
    told = ((name, value) for name, value in record.said.items() if name not in ("modified_at", "remote_id"))
    said = ", ".join(f"{name} {word(value, language)}" for name, value in told)
    return f"{head}  {record.content_hash}{state}" + (f"  {said}" if said else "")
