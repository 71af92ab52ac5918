"""First-load rows wound back to a moment before we had read them.

A first load tells what a record is now, not what it was. Of the time before it we believe only what the CRM itself stamped:
a row not modified since, a creation, a closing, an activity's completion, a history row. Everything else is unknown, never
today's value. Domain guide 0.2; the table of rules is in ``docs/reference/store.md``.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl

from scoring.schemas import MONEY

NEEDED = ("opportunity", "change", "stage")
"""Kinds without which nothing can be wound back."""

_KEY = ["connection", "remote_id"]
_CLOSED = ("won", "lost", "omitted")
_ALWAYS = ("connection", "recorded_at", "remote_id", "deleted", "seq", "first_load")
_DEAL_IS = ("name", "external_id", "created_at", "merged_into")
_CLOSING_SAYS = ("account_id", "pipeline", "stage", "outcome", "closed_at", "type", "source", "product", "discount")
_PERSON_IS = ("name", "email", "started_on", "ended_on")
_ACCOUNT_IS = ("name", "created_at")
_DONE_ONLY = ("planned_at", "completed_at", "duration_seconds", "two_way", "contact_ids", "participant_ids")

Frames = Mapping[str, pl.DataFrame]


def wind_back(late: Frames, known: Frames, as_of: datetime) -> dict[str, pl.DataFrame]:
    """What was true at ``as_of`` of rows that a first load brought later (``late``), given what was ``known`` by then."""
    day = (as_of - timedelta(microseconds=1)).date()
    as_of = as_of.astimezone(UTC)  # Polars compares only times of one zone
    history = pl.concat([late["change"], known["change"]]).filter(pl.col("at").is_not_null(), ~pl.col("deleted"))
    stages = pl.concat([known["stage"], late["stage"]]).filter(~pl.col("deleted"))
    deals = _deals(late["opportunity"], history, stages, as_of, day)
    closed = _with_meaning(pl.concat([deals, known["opportunity"]]), stages).filter(pl.col("_outcome").is_in(_CLOSED))
    wound: dict[str, pl.DataFrame] = {}
    for kind, rows in late.items():
        if kind == "opportunity":
            wound[kind] = deals
            continue
        still = pl.col("modified_at") <= as_of
        moved = rows.filter(~still.fill_null(value=False))
        if kind in ("split", "line_item"):  # they belong to what a closing fixed
            moved = moved.join(closed, left_on=["connection", "opportunity_id"], right_on=_KEY, how="semi")
        elif kind in _STAMPS:
            moved = moved.filter(_STAMPS[kind](as_of, day))
        moved = moved.with_columns(_REWRITES[kind](as_of)) if kind in _REWRITES else moved
        if kind in _SUBJECTS:
            moved = _subjects(moved, history, kind, as_of)
        wound[kind] = pl.concat([rows.filter(still), moved.select(rows.columns)])
    return wound


_STAMPS: dict[str, Callable[[datetime, date], pl.Expr]] = {
    "account": lambda as_of, _: pl.col("created_at").is_null() | (pl.col("created_at") <= as_of),
    "change": lambda as_of, _: pl.col("at") <= as_of,
    "activity": lambda as_of, _: pl.coalesce("created_at", "completed_at") <= as_of,
    "target": lambda _, day: pl.col("period_start") <= day,
    "forecast": lambda as_of, _: pl.col("at") <= as_of,
    "survey": lambda as_of, _: pl.coalesce("sent_at", "answered_at") <= as_of,
    "payment": lambda _, day: pl.col("paid_on") <= day,
    "contract": lambda _, day: pl.col("start_on") <= day,
    "absence": lambda _, day: pl.col("start_on") <= day,
    "rate": lambda _, day: pl.col("on") <= day,
    "rating": lambda as_of, _: pl.col("rated_at") <= as_of,
}
"""Since when a row counts. A stage has no stamp: it says what words mean, and is taken as it is."""


def _unless(condition: pl.Expr, *names: str) -> list[pl.Expr]:
    return [pl.when(condition).then(pl.col(name)).alias(name) for name in names]


_REWRITES: dict[str, Callable[[datetime], list[pl.Expr]]] = {
    "activity": lambda as_of: _unless(pl.col("completed_at") <= as_of, *_DONE_ONLY),
    "survey": lambda as_of: _unless(pl.col("answered_at") <= as_of, "answer", "answered_at"),
}
"""What had not happened yet."""

_SUBJECTS = {"person": (_PERSON_IS, ("team",)), "account": (_ACCOUNT_IS, ("owner_id",))}


def _subjects(rows: pl.DataFrame, history: pl.DataFrame, kind: str, as_of: datetime) -> pl.DataFrame:
    """People and accounts: who they are stays, how they were assigned is known only from history."""
    stays, fields = _SUBJECTS[kind]
    values = {}
    for field in fields:
        rows = _with_past(rows, history, kind, field, as_of)
        values[field] = _past_value(field, pl.lit(value=False))
    return _only(rows, {**{name: pl.col(name) for name in stays}, **values})


def _deals(rows: pl.DataFrame, history: pl.DataFrame, stages: pl.DataFrame, as_of: datetime, day: date) -> pl.DataFrame:
    still = pl.col("modified_at") <= as_of
    moved = _with_meaning(rows.filter(~still.fill_null(value=False)), stages)
    ended = pl.coalesce(pl.col("closed_at") <= as_of, pl.col("close_on") <= day)
    moved = moved.with_columns(_closed=(pl.col("_outcome").is_in(_CLOSED) & ended).fill_null(value=False))
    moved = moved.filter(pl.coalesce(pl.col("created_at") <= as_of, "_closed"))
    for field in ("stage", "close_on", "amount", "owner_id", "probability", "forecast_category"):
        moved = _with_past(moved, history, "opportunity", field, as_of)
    closed = pl.col("_closed")
    amount = _past_value("amount", closed)
    values = {
        **{name: pl.col(name) for name in _DEAL_IS},
        **{name: pl.when(closed).then(pl.col(name)) for name in _CLOSING_SAYS},
        "amount": amount,
        "currency": pl.when(amount.is_not_null()).then(
            "currency"
        ),  # an amount in an unknown currency would be a wrong one
        "close_on": _past_value("close_on", closed),
        "owner_id": _past_value("owner_id", closed),
        "probability": _past_value("probability", pl.lit(value=False)),
        "forecast_category": _past_value("forecast_category", pl.lit(value=False)),
    }
    still_open = pl.col("_outcome").is_in(_CLOSED).not_().fill_null(value=True)
    stage_then = pl.when(pl.col("stage_tracked") & ~pl.col("stage_covered") & ~still_open).then(None)
    moved = moved.with_columns(_stage=stage_then.otherwise(_past_value("stage", pl.lit(value=False))))
    moved = moved.join(_unambiguous(stages), on=["connection", "_stage"], how="left")
    values["stage"] = pl.when(closed).then("stage").otherwise("_stage")
    values["pipeline"] = pl.when(closed).then("pipeline").otherwise("_pipeline_then")
    values["outcome"] = pl.when(closed).then("_outcome").otherwise(pl.coalesce("_outcome_then", pl.lit("open")))
    return pl.concat([rows.filter(still), _only(moved, values, rows)])


def _only(rows: pl.DataFrame, values: Mapping[str, pl.Expr], like: pl.DataFrame | None = None) -> pl.DataFrame:
    """The same columns with nothing but keys and ``values`` in them."""
    target = rows if like is None else like
    names = [name for name in target.columns if not name.startswith("_")]
    return rows.select(
        pl.col(name) if name in _ALWAYS else values.get(name, pl.lit(None)).cast(target.schema[name]).alias(name)
        for name in names
    )


def _with_meaning(rows: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """Adds ``_outcome``: by the map of the deal's pipeline, else of any pipeline, else the record's own."""
    exact = stages.filter(pl.col("pipeline").is_not_null()).select(
        "connection", "pipeline", "stage", _exact=pl.col("outcome")
    )
    common = stages.filter(pl.col("pipeline").is_null()).select("connection", "stage", _common=pl.col("outcome"))
    return (
        rows.join(
            exact.unique(["connection", "pipeline", "stage"], keep="last"),
            on=["connection", "pipeline", "stage"],
            how="left",
        )
        .join(common.unique(["connection", "stage"], keep="last"), on=["connection", "stage"], how="left")
        .with_columns(_outcome=pl.coalesce("_exact", "_common", "outcome"))
    )


def _unambiguous(stages: pl.DataFrame) -> pl.DataFrame:
    """Stages whose name alone tells the pipeline or the outcome, as ``_pipeline_then`` and ``_outcome_then``."""
    return stages.group_by("connection", _stage="stage").agg(
        _pipeline_then=pl.when(pl.col("pipeline").n_unique() == 1).then(pl.col("pipeline").first()),
        _outcome_then=pl.when(pl.col("outcome").n_unique() == 1).then(pl.col("outcome").first()),
    )


def _with_past(rows: pl.DataFrame, history: pl.DataFrame, record: str, field: str, as_of: datetime) -> pl.DataFrame:
    """Adds ``FIELD_then``, ``FIELD_covered`` (its history has this record) and ``FIELD_tracked`` (the connection has one).

    The value is the last one written by ``as_of``, else what the first later change replaced, where that is told.
    """
    steps = history.filter(pl.col("record") == record, pl.col("field") == field).sort("at", "seq")
    mine = ["connection", "record_id"]
    before = steps.filter(pl.col("at") <= as_of).group_by(mine, maintain_order=True).agg(_new=pl.col("new").last())
    after = steps.filter(pl.col("at") > as_of).group_by(mine, maintain_order=True).agg(_old=pl.col("old").first())
    then = (
        before.with_columns(_was=pl.lit(value=True))
        .join(after, on=mine, how="full", coalesce=True)
        .select(
            "connection",
            remote_id="record_id",
            **{f"{field}_then": pl.when("_was").then("_new").otherwise("_old"), f"{field}_covered": pl.lit(value=True)},
        )
    )
    tracked = steps.select("connection").unique().with_columns(pl.lit(value=True).alias(f"{field}_tracked"))
    flags = [pl.col(f"{field}_covered").fill_null(value=False), pl.col(f"{field}_tracked").fill_null(value=False)]
    return rows.join(then, on=_KEY, how="left").join(tracked, on="connection", how="left").with_columns(flags)


def _past_value(field: str, fixed: pl.Expr) -> pl.Expr:
    """History's answer; today's value only where history is kept and never touched it, or where it is ``fixed``."""
    unmoved = fixed | pl.col(f"{field}_tracked")
    return pl.when(f"{field}_covered").then(_parsed(field)).when(unmoved).then(pl.col(field))


def _parsed(field: str) -> pl.Expr:
    text = pl.col(f"{field}_then")
    if field in ("amount", "probability"):
        return text.cast(MONEY, strict=False)
    if field == "close_on":
        return text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return text
