"""What the quality checks look at besides the columns of a deal: its copies, owner, stages skipped, and last touch."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from difflib import SequenceMatcher
from typing import Any

import polars as pl

from scoring.facts import Facts
from scoring.history import of_field
from scoring.identity import local_date
from scoring.period import Calendar, PeriodKind, period_of
from scoring.schemas import MONEY
from scoring.settings import MetricSettings

TOUCH_DAYS = 60
"""Days before a win in which there is some activity, or the win is surprising."""

COPY_DAYS = 30
SIMILAR = 0.85
_BUCKET_DAYS = COPY_DAYS + 1
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)


def quality_frame(
    facts: Facts, baseline: Mapping[str, Any], settings: MetricSettings, period: PeriodKind
) -> pl.DataFrame:
    """The deals that are not omitted with the columns that the checks name, in the order of their keys.

    ``past_first_stage``, ``owner_gone``, ``duplicate_of`` and ``duplicate_name``, ``outlier_low`` and ``outlier_high``,
    ``touched_before_close``, ``seen_open``, ``late_days``, ``crosses_period``, ``quick_allowed``, ``skipped_stages``,
    ``born_closed``; null where it is not known.
    """
    rows = facts.deals.filter(pl.col("is_omitted").not_()).sort("deal")
    rows = _with_stage(rows, facts)
    rows = _with_owner(rows, facts)
    rows = _with_copies(rows)
    rows = _with_bounds(rows, baseline)
    rows = _with_touch(rows, facts)
    rows = _with_closing(rows, facts, settings, period)
    return _with_history(rows, facts, baseline)


def _with_stage(rows: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    firsts = (
        facts.stages.filter(pl.col("outcome") == "open")
        .group_by("connection", "pipeline")
        .agg(pl.col("position").min().alias("__first"))
    )
    return (
        rows.join(firsts, on=["connection", "pipeline"], how="left", nulls_equal=True, maintain_order="left")
        .with_columns((pl.col("stage_position") > pl.col("__first")).alias("past_first_stage"))
        .drop("__first")
    )


def _with_owner(rows: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Of an open deal the owner must be an active person; of a decided one, a person who had not left by then."""
    people = facts.people.select(
        pl.col("person").alias("__person"), pl.col("active").alias("__active"), pl.col("ended_on").alias("__ended")
    )
    who = pl.when("is_open").then("owner").otherwise("person").alias("__person")
    known = pl.col("__known").fill_null(value=False)
    left = (pl.col("__ended") < pl.col("close_on")).fill_null(value=False)
    gone = pl.when("is_open").then(pl.col("__active").eq(other=False).fill_null(value=False)).otherwise(left)
    return (
        rows.with_columns(who)
        .join(
            people.with_columns(pl.lit(value=True).alias("__known")), on="__person", how="left", maintain_order="left"
        )
        .with_columns((pl.col("__person").is_not_null() & (known.not_() | gone)).alias("owner_gone"))
        .drop("__person", "__known", "__active", "__ended")
    )


def _with_copies(rows: pl.DataFrame) -> pl.DataFrame:
    """The earlier deal that a later one looks like: same account, amount within 1 %, close dates within 30 days, names
    alike. The later one is at fault, the earlier one stands."""
    pairs = _near_pairs(rows)
    alike = [
        (later, earlier, name)
        for later, earlier, own, name in pairs.iter_rows()
        if SequenceMatcher(None, own.casefold(), name.casefold(), autojunk=False).ratio() >= SIMILAR
    ]
    schema = {"deal": pl.String, "duplicate_of": pl.String, "duplicate_name": pl.String}
    copies = pl.DataFrame(alike, schema=schema, orient="row").unique("deal", keep="first", maintain_order=True)
    return rows.join(copies, on="deal", how="left", maintain_order="left")


def _near_pairs(rows: pl.DataFrame) -> pl.DataFrame:
    """Pairs (later, earlier, their names) by account, amount and close date. Dates are compared within neighbouring
    buckets of 31 days, so that an account with very many deals does not pair each with each."""
    known = rows.filter(
        pl.all_horizontal(pl.col("account", "name", "amount", "close_on").is_not_null()), pl.col("amount") != 0
    ).select(
        "deal", "account", "name", "amount", "close_on", "created_at",
        (pl.col("close_on").cast(pl.Int32) // _BUCKET_DAYS).alias("bucket"),
    ).filter(pl.len().over("account") > 1)  # fmt: skip
    reach = pl.concat([known.with_columns(pl.col("bucket") + step) for step in (-1, 0, 1)])
    pairs = known.join(reach, on=["account", "bucket"], suffix="_1").filter(pl.col("deal") != pl.col("deal_1"))
    gap = (pl.col("amount") - pl.col("amount_1")).abs() * 100
    near = gap <= pl.max_horizontal(pl.col("amount").abs(), pl.col("amount_1").abs())
    days = (pl.col("close_on") - pl.col("close_on_1")).dt.total_days().abs() <= COPY_DAYS
    moment = pl.col("created_at").fill_null(pl.lit(_NEVER))
    moment_1 = pl.col("created_at_1").fill_null(pl.lit(_NEVER))
    later = (moment > moment_1) | ((moment == moment_1) & (pl.col("deal") > pl.col("deal_1")))
    return (
        pairs.filter(near & days & later)
        .with_columns(moment_1.alias("__order"))
        .sort("deal", "__order", "deal_1")
        .select("deal", "deal_1", "name", "name_1")
    )


def _with_bounds(rows: pl.DataFrame, baseline: Mapping[str, Any]) -> pl.DataFrame:
    bounds = [(where, low, high) for where, (low, high) in baseline.get("outliers", {}).items()]
    schema = {"__where": pl.String, "outlier_low": pl.String, "outlier_high": pl.String}
    table = pl.DataFrame(bounds, schema=schema, orient="row").with_columns(
        pl.col("outlier_low", "outlier_high").cast(MONEY)
    )
    where = pl.concat_str([pl.col(name).fill_null("") for name in ("connection", "pipeline", "type")], separator="/")
    return (
        rows.with_columns(where.alias("__where"))
        .join(table, on="__where", how="left", maintain_order="left")
        .drop("__where")
    )


def _with_touch(rows: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Whether anything was done in the days before the win; null where the deal's connections tell no activities."""
    done = facts.activities.filter(pl.col("deal").is_not_null(), pl.col("completed_on").is_not_null())
    wins = rows.filter("is_won").select("deal", "close_on")
    since = pl.col("close_on") - pl.col("completed_on")
    touched = (
        done.select("deal", "completed_on")
        .join(wins, on="deal")
        .filter(since.dt.total_days().is_between(0, TOUCH_DAYS))
        .select("deal", pl.lit(value=True).alias("__touched"))
        .unique()
    )
    tells = pl.col("activities_completed").is_not_null()
    return (
        rows.join(touched, on="deal", how="left", maintain_order="left")
        .with_columns(pl.when(tells).then(pl.col("__touched").fill_null(value=False)).alias("touched_before_close"))
        .drop("__touched")
    )


def _with_closing(rows: pl.DataFrame, facts: Facts, settings: MetricSettings, period: PeriodKind) -> pl.DataFrame:
    """How long after its close date a win was closed, and what may be created and won on one day.

    Only of a deal that the history has seen open is the day of closing known from its stage.
    """
    zone, quick = facts.organisation.time_zone, settings.transactional
    allowed = pl.lit(quick) if isinstance(quick, bool) else pl.col("pipeline").is_in(quick).fill_null(value=False)
    renewal = pl.col("business").eq("renewal").fill_null(value=False)
    rows = rows.with_columns(local_date("closing_at", zone).alias("__closed"))
    late = (pl.col("__closed") - pl.col("close_on")).dt.total_days()
    starts = _period_starts(rows, facts.organisation.calendar, period)
    crosses = pl.col("__closed").replace_strict(starts, default=None) > pl.col("close_on").replace_strict(
        starts, default=None
    )
    return rows.with_columns(
        pl.when(pl.col("push_count").is_not_null()).then(pl.col("entered_at").is_not_null()).alias("seen_open"),
        late.alias("late_days"),
        crosses.fill_null(value=False).alias("crosses_period"),
        (allowed | renewal).alias("quick_allowed"),
    ).drop("__closed")


def _period_starts(rows: pl.DataFrame, calendar: Calendar, period: PeriodKind) -> dict[date, date]:
    days = set(rows.filter("is_won")["__closed"].drop_nulls()) | set(rows.filter("is_won")["close_on"].drop_nulls())
    return {day: period_of(day, period, calendar).start for day in sorted(days)}


def _with_history(rows: pl.DataFrame, facts: Facts, baseline: Mapping[str, Any]) -> pl.DataFrame:
    """The most stages that one move of the deal jumped over; whether a history that covers the deal knows it only closed.

    Stages count by their rank among the open ones of the pipeline; a win comes behind the last. Losing is no jump.
    """
    ranks = _ranks(facts)
    places = rows.select("deal", "connection", "pipeline")
    moves = of_field(facts.changes, "opportunity", "stage").rename({"key": "deal"}).join(places, on="deal")
    for side in ("old", "new"):
        named = ranks.rename({"stage": side, "rank": f"{side}_rank", "outcome": f"{side}_outcome"})
        moves = moves.join(named, on=["connection", "pipeline", side], how="left", nulls_equal=True)
    jumps = moves.group_by("deal").agg(
        (pl.col("new_rank") - pl.col("old_rank") - 1).max().alias("__skipped"),
        (pl.col("old_outcome").eq("open") | pl.col("new_outcome").eq("open")).any().alias("__seen"),
    )
    since = {connection: date.fromisoformat(day) for connection, day in baseline.get("changes_since", {}).items()}
    covered = pl.col("created_on") >= pl.col("connection").replace_strict(since, default=None, return_dtype=pl.Date)
    told = pl.col("push_count").is_not_null()
    return (
        rows.join(jumps, on="deal", how="left", maintain_order="left")
        .with_columns(
            pl.when(told).then(pl.col("__skipped").fill_null(0).clip(lower_bound=0)).alias("skipped_stages"),
            pl.when(told).then(covered & pl.col("__seen").fill_null(value=False).not_()).alias("born_closed"),
        )
        .drop("__skipped", "__seen")
    )


def _ranks(facts: Facts) -> pl.DataFrame:
    """Rank of every open stage within its pipeline, and of the won ones, which come behind."""
    line = ["connection", "pipeline"]
    is_open = pl.col("outcome") == "open"
    opened = facts.stages.filter(is_open).with_columns(
        pl.col("position").rank("dense").cast(pl.Int64).over(line).alias("rank")
    )
    ends = opened.group_by(line).agg((pl.col("rank").max() + 1).alias("rank"))
    won = facts.stages.filter(pl.col("outcome") == "won").join(ends, on=line, how="left", nulls_equal=True)
    lost = facts.stages.filter(pl.col("outcome").is_in(["lost", "omitted"])).with_columns(
        pl.lit(None, pl.Int64).alias("rank")
    )
    columns = ["connection", "pipeline", "stage", "outcome", "rank"]
    return pl.concat([opened.select(columns), won.select(columns), lost.select(columns)])
