"""What the change rows tell about a deal: who owned it when it closed, how long it stands, how often it was pushed.

The rows are taken as complete for every connection that has any: from the CRM, or from our own versions, never both.
"""

import polars as pl

from scoring.identity import key


def changes_frame(changes: pl.DataFrame, deals: pl.DataFrame) -> pl.DataFrame:
    """Dated changes that are not deleted, oldest first: record, key, field, old, new, at, by.

    Changes of a mirror's copy are left out: the primary connection tells the deal's story once. ``deals`` says by
    ``key`` and ``deal`` which copies those are.
    """
    copies = deals.filter(pl.col("key") != pl.col("deal")).select("key")
    return (
        changes.filter(pl.col("deleted").not_(), pl.col("at").is_not_null())
        .with_columns(key("record_id").alias("key"))
        .join(copies, on="key", how="anti")
        .sort("at", "recorded_at", "connection", "remote_id")
        .unique(["record", "key", "field", "old", "new", "at"], keep="first", maintain_order=True)
        .select("record", "connection", "key", "field", "old", "new", "at", "by")
    )


def of_field(changes: pl.DataFrame, record: str, field: str) -> pl.DataFrame:
    """The changes of one field, oldest first: ``key``, ``old``, ``new``, ``at``."""
    return changes.filter(pl.col("record") == record, pl.col("field") == field).select("key", "old", "new", "at")


def value_at(asked: pl.DataFrame, changes: pl.DataFrame, current: str) -> pl.Series:
    """What a field held at ``asked.at`` for ``asked.key``, in the order of ``asked``.

    The last change up to that moment tells its new value, else the first one after it its old value; without any, or
    without a moment, the field held what ``asked`` has in ``current``.
    """
    places = asked.with_row_index("__place").filter(pl.col("at").is_not_null()).sort("at")
    before = changes.select("key", "at", pl.col("new").alias("__new"), pl.lit(value=True).alias("__before"))
    after = changes.select("key", "at", pl.col("old").alias("__old"), pl.lit(value=True).alias("__after"))
    told = places.join_asof(before, on="at", by="key", strategy="backward", check_sortedness=False).join_asof(
        after, on="at", by="key", strategy="forward", check_sortedness=False
    )
    value = pl.when("__before").then("__new").when("__after").then("__old").otherwise(current)
    values = told.select("__place", value.alias("value"), pl.lit(value=True).alias("__told"))
    return (
        asked.with_row_index("__place")
        .join(values, on="__place", how="left", maintain_order="left")
        .select(pl.when("__told").then("value").otherwise(current).alias("value"))
        .to_series()
    )


def stage_entries(deals: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """``deal`` and ``entered_at``: when the deal last came into the stage it is in, for those whose changes tell."""
    return (
        of_field(changes, "opportunity", "stage")
        .rename({"key": "deal"})
        .join(deals.select("deal", "stage"), left_on=["deal", "new"], right_on=["deal", "stage"])
        .group_by("deal")
        .agg(pl.col("at").max().alias("entered_at"))
    )


def first_entries(deals: pl.DataFrame, changes: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """``deal`` and ``first_entered_at``: the first entry into a ``wanted`` stage (connection, pipeline, stage).

    A deal that was born in such a stage entered it when it was created. A null pipeline stands for every pipeline.
    """
    moves = of_field(changes, "opportunity", "stage").rename({"key": "deal"})
    firsts = moves.group_by("deal", maintain_order=True).agg(pl.col("old").first().alias("born_in"))
    born = (
        deals.join(firsts, on="deal", how="left")
        .with_columns(
            pl.when(pl.col("deal").is_in(firsts["deal"].implode())).then("born_in").otherwise("stage").alias("new")
        )
        .select("deal", "connection", "pipeline", "new", pl.col("created_at").alias("at"))
    )
    moved = moves.join(deals.select("deal", "connection", "pipeline"), on="deal")
    entries = pl.concat([born, moved.select(born.columns)])
    named = wanted.filter(pl.col("pipeline").is_not_null()).rename({"stage": "new"})
    anywhere = wanted.filter(pl.col("pipeline").is_null()).select("connection", pl.col("stage").alias("new"))
    return (
        pl.concat(
            [
                entries.join(named, on=["connection", "pipeline", "new"], how="semi"),
                entries.join(anywhere, on=["connection", "new"], how="semi"),
            ]
        )
        .group_by("deal")
        .agg(pl.col("at").min().alias("first_entered_at"))
    )


def pushes(deals: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """``deal``, ``push_count``, ``push_days``: later close dates written while the deal was open (domain guide, 1.3).

    A date that the CRM writes at the very moment of closing is no push. ``deals`` has ``closing_at``, null while open.
    """
    day = pl.col("old", "new").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return (
        of_field(changes, "opportunity", "close_on")
        .rename({"key": "deal"})
        .with_columns(pl.coalesce("old", pl.col("new").shift().over("deal")).alias("old"))
        .with_columns(day)
        .filter(pl.col("new") > pl.col("old"))
        .join(deals.select("deal", "closing_at"), on="deal")
        .filter(pl.col("closing_at").is_null() | (pl.col("at") < pl.col("closing_at")))
        .group_by("deal")
        .agg(
            pl.len().cast(pl.Int64).alias("push_count"),
            (pl.col("new") - pl.col("old")).dt.total_days().sum().alias("push_days"),
        )
    )
