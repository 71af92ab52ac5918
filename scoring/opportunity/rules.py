"""The rule-based opportunity score: points per true condition, each one a readable reason (domain guide 5.1).

Points are counted in hundredths of a point as whole numbers, so that sums are exact and the reasons add up to the score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import polars as pl

from scoring.condition import columns_in, compile_condition
from scoring.facts import Facts
from scoring.language import SEPARATOR, Language
from scoring.money import EXACT
from scoring.opportunity.reasons import OTHER, advice_text, reason_text
from scoring.plan import OpportunityScore, Rule
from scoring.told import is_told

SHOWN = 3
"""Reasons of each sign that are shown; the rest are summed up as "other"."""

MOST_CHARACTERS = 255
"""Length of the reasons that fits a text field of any CRM."""

RULE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {"stage_dwell_p80": pl.Int64}
"""Columns of a deal that come from the baseline."""

POINTS = pl.Decimal(38, 2)
_SCORE = pl.Decimal(38, 12)
_HUNDRED = 100
_OLDEST_DAYS = 3650
_CENT = pl.lit(Decimal("0.01"), pl.Decimal(38, 2))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule with its place in the plan's order, heaviest first."""

    rule: Rule
    place: int
    holds: pl.Expr
    told: pl.Expr
    points: pl.Expr

    @property
    def worth(self) -> int:
        """Hundredths of a point while fresh."""
        return int(self.rule.points * _HUNDRED)


def rule_schema(deal_schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.Schema:
    """What a rule's condition may speak of: the columns of a deal, and the baseline's."""
    return pl.Schema({**deal_schema, **RULE_COLUMNS})


def score_opportunities(
    facts: Facts,
    plan: OpportunityScore,
    baseline: Mapping[str, Any],
    language: Language = "en",
    deals: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Scores of open deals (of ``deals``, or of all in the facts), one row per deal, sorted by ``deal``.

    ``deal``, ``status`` (ok; no_data: the sources of every rule are missing), ``score`` (Decimal(38, 12), 0 to 100, null
    without data), ``grade``, ``reasons`` (list of rule, points, text, heaviest first, ups before downs; the points are
    Decimal and add up to score - start), ``rest`` (what of them "other" sums up besides the limits, alike),
    ``reasons_text`` (at most 255 characters, cut between reasons), ``reasons_long``, ``next_best_action`` (null where nothing is to be gained), ``skipped`` (rules whose source the deal's connection does
    not tell). Of ``baseline`` it reads ``stage_dwell_p80`` (days by "connection/pipeline/stage") and ``told``. Decided
    deals are not scored. Raises ConditionError for a rule that cannot be computed.
    """
    rows = facts.deals if deals is None else deals
    rows = with_dwell(rows.filter("is_open").sort("deal"), baseline).with_row_index("__row")
    schema = rule_schema(facts.deals.schema)
    ordered = sorted(plan.rules, key=lambda rule: (-abs(rule.points), rule.id))
    rules = [_compiled(rule, place, schema, baseline) for place, rule in enumerate(ordered)]
    rows = rows.with_columns(each.told.alias(f"told:{each.place}") for each in rules)
    rows = rows.with_columns((pl.col(f"told:{each.place}") & each.holds).alias(f"holds:{each.place}") for each in rules)
    rows = rows.with_columns(
        pl.when(f"holds:{each.place}").then(each.points).otherwise(0).alias(f"points:{each.place}") for each in rules
    )
    return _result(rows, plan, rules, language, schema)


def with_dwell(rows: pl.DataFrame, baseline: Mapping[str, Any]) -> pl.DataFrame:
    """The deals with ``stage_dwell_p80``: days within which four of five won deals left the stage; null if not known."""
    dwell = baseline.get("stage_dwell_p80", {})
    place = pl.concat_str("connection", pl.col("pipeline").fill_null(""), pl.col("stage").fill_null(""), separator="/")
    known = pl.DataFrame(
        {"__place": list(dwell), "stage_dwell_p80": list(dwell.values())},
        schema={"__place": pl.String, "stage_dwell_p80": pl.Int64},
    )
    return rows.with_columns(place.alias("__place")).join(known, on="__place", how="left", maintain_order="left")


def _compiled(rule: Rule, place: int, schema: pl.Schema, baseline: Mapping[str, Any]) -> _Compiled:
    where = f"opportunity_score.rules.{rule.id}"
    mentioned = columns_in(rule.when, schema) | ({rule.age} if rule.age else set())
    holds = compile_condition(where, rule.when, schema)
    return _Compiled(rule, place, holds, is_told(mentioned, baseline), _points(rule))


def _points(rule: Rule) -> pl.Expr:
    """Hundredths of a point; fading ones by a table of whole days, so that no machine rounds differently."""
    if rule.half_life_days is None or rule.age is None:
        return pl.lit(int(rule.points * _HUNDRED), pl.Int64)
    days = range(_OLDEST_DAYS + 1)
    table = pl.Series([faded(rule.points, day, rule.half_life_days) * _HUNDRED for day in days], dtype=pl.Int64)
    age = pl.col(rule.age).fill_null(_OLDEST_DAYS).clip(0, _OLDEST_DAYS)
    return pl.lit(table).gather(age)


def faded(points: Decimal, age_days: int, half_life_days: Decimal) -> int:
    """points x 0.5^(age / half-life), half-even to whole points; computed to 60 digits before rounding."""
    power = EXACT.power(Decimal(2), EXACT.divide(Decimal(-age_days), half_life_days))
    return int(EXACT.multiply(points, power).quantize(Decimal(1), ROUND_HALF_EVEN))


def _result(
    rows: pl.DataFrame, plan: OpportunityScore, rules: Sequence[_Compiled], language: Language, schema: pl.Schema
) -> pl.DataFrame:
    start = int(plan.start * _HUNDRED)
    total = pl.sum_horizontal([pl.lit(start, pl.Int64), *(pl.col(f"points:{each.place}") for each in rules)])
    known = pl.any_horizontal([pl.col(f"told:{each.place}") for each in rules] or [pl.lit(value=True)])
    rows = rows.with_columns(total.clip(0, 100 * _HUNDRED).alias("__score"), known.alias("__known"))
    reasons, rest = _reasons(rows, rules, language, schema, start)
    return (
        rows.join(_texts(reasons, language), on="__row", how="left", maintain_order="left")
        .join(rest, on="__row", how="left", maintain_order="left")
        .join(_skipped(rows, rules), on="__row", how="left", maintain_order="left")
        .select(
            "deal",
            pl.when("__known").then(pl.lit("ok")).otherwise(pl.lit("no_data")).alias("status"),
            pl.when("__known").then(_decimal("__score", _SCORE)).alias("score"),
            pl.when("__known").then(_grade(plan)).alias("grade"),
            pl.col("reasons", "rest").fill_null([]),
            pl.col("reasons_text", "reasons_long").fill_null(""),
            _next_best_action(rules, language, schema),
            "skipped",
        )
    )


def _decimal(column: str, dtype: pl.DataType) -> pl.Expr:
    """Hundredths as an exact Decimal."""
    return (pl.col(column).cast(pl.Decimal(38, 2)) * _CENT).cast(dtype)


_STRUCT = pl.struct("rule", _decimal("points", POINTS).alias("points"), "text")
_REASON = {"__row": pl.UInt32, "place": pl.Int64, "rule": pl.String, "points": pl.Int64, "text": pl.String}


def _reasons(
    rows: pl.DataFrame, rules: Sequence[_Compiled], language: Language, schema: pl.Schema, start: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What counted, row by row: up to three ups, up to three downs, then what is left over as "other"; and its parts."""
    counted = pl.concat(
        [pl.DataFrame(schema=_REASON)]
        + [
            rows.filter(pl.col(f"points:{each.place}") != 0).select(
                "__row",
                pl.lit(each.place, pl.Int64).alias("place"),
                pl.lit(each.rule.id).alias("rule"),
                pl.col(f"points:{each.place}").alias("points"),
                reason_text(each.rule, language, schema).alias("text"),
            )
            for each in rules
        ]
    )
    is_down = (pl.col("points") < 0).alias("is_down")
    ranked = counted.with_columns(is_down).sort("__row", "is_down", -pl.col("points").abs(), "place")
    is_shown = pl.int_range(pl.len()).over("__row", "is_down") < SHOWN
    shown = ranked.filter(is_shown)
    rest = ranked.filter(~is_shown).group_by("__row", maintain_order=True).agg(_STRUCT.alias("rest"))
    sums = shown.group_by("__row").agg(pl.col("points").sum().alias("__shown"))
    other = (
        rows.select("__row", "__score")
        .join(sums, on="__row", how="left", maintain_order="left")
        .with_columns((pl.col("__score") - start - pl.col("__shown").fill_null(0)).alias("points"))
        .filter(pl.col("points") != 0)
        .select("__row", pl.lit("other").alias("rule"), "points", pl.lit(OTHER[language]).alias("text"))
    )
    return pl.concat([shown.select(other.columns), other]).sort("__row", maintain_order=True), rest


def _texts(reasons: pl.DataFrame, language: Language) -> pl.DataFrame:
    """Per row the list of reasons, the line of those that fit, and the line of all."""
    between = SEPARATOR[language]
    sign = pl.when(pl.col("points") > 0).then(pl.lit("+")).otherwise(pl.lit(""))
    number = _decimal("points", POINTS).cast(pl.String).str.strip_suffix(".00")
    piece = pl.concat_str(sign, number, pl.lit(" "), "text").alias("piece")
    length = (pl.col("piece").str.len_chars() + len(between)).cum_sum().over("__row") - len(between)
    lines = reasons.with_columns(piece).with_columns((length <= MOST_CHARACTERS).alias("__fits"))
    cut = pl.concat_str(pl.col("piece").first().str.slice(0, MOST_CHARACTERS - 1), pl.lit("…"))
    fitting = pl.col("piece").filter("__fits").str.join(between)
    return lines.group_by("__row", maintain_order=True).agg(
        _STRUCT.alias("reasons"),
        pl.when(pl.col("__fits").first()).then(fitting).otherwise(cut).alias("reasons_text"),
        pl.col("piece").str.join(between).alias("reasons_long"),
    )


def _skipped(rows: pl.DataFrame, rules: Sequence[_Compiled]) -> pl.DataFrame:
    """Per row the ids of the rules whose sources are missing."""
    flags = [f"told:{each.place}" for each in rules]
    if not flags:
        return rows.select("__row", pl.lit([], pl.List(pl.String)).alias("skipped"))
    patterns = rows.select(flags).unique()
    named = [[each.rule.id for each in rules if not pattern[each.place]] for pattern in patterns.iter_rows()]
    known = patterns.with_columns(pl.Series("skipped", [sorted(ids) for ids in named], pl.List(pl.String)))
    return rows.select("__row", *flags).join(known, on=flags, how="left").select("__row", "skipped")


def _grade(plan: OpportunityScore) -> pl.Expr:
    grade: pl.Expr = pl.lit(plan.lowest_grade)
    for name, bound in sorted(plan.grades.items(), key=lambda item: item[1]):
        grade = pl.when(pl.col("__score") >= int(bound * _HUNDRED)).then(pl.lit(name)).otherwise(grade)
    return grade


def _next_best_action(rules: Sequence[_Compiled], language: Language, schema: pl.Schema) -> pl.Expr:
    """The advice of the rule that has most to bring back or to stop costing; ties go to the heavier rule."""
    advised = [each for each in rules if each.rule.advice is not None]
    if not advised:
        return pl.lit(None, pl.String).alias("next_best_action")
    gains = [
        pl.when(f"told:{each.place}").then(max(each.worth, 0) - pl.col(f"points:{each.place}")).otherwise(0)
        for each in advised
    ]
    best = pl.max_horizontal(gains)
    texts = [
        pl.when(gain == best).then(advice_text(each.rule, language, schema))
        for each, gain in zip(advised, gains, strict=True)
    ]
    open_end = (best > 0) & (pl.col("__score") < 100 * _HUNDRED)
    return pl.when(open_end).then(pl.coalesce(texts)).alias("next_best_action")
