"""What a stage means: never read from its label, always from the map (domain guide, 0.7)."""

import polars as pl

MEANING = ("outcome", "label", "position", "probability", "qualified")


def stage_map(stages: pl.DataFrame) -> pl.DataFrame:
    """One row per connection, pipeline and stage, with ``last_position``: the highest of the pipeline's open stages.

    A stage that the CRM has deleted still explains the deals that ended in it, unless a living one bears its name.
    """
    return (
        stages.sort("deleted", "connection", "pipeline", "stage", "remote_id")
        .unique(["connection", "pipeline", "stage"], keep="first", maintain_order=True)
        .with_columns(
            pl.col("position")
            .filter(pl.col("outcome") == "open", pl.col("deleted").not_())
            .max()
            .over("connection", "pipeline")
            .alias("last_position")
        )
        .select("connection", "pipeline", "stage", *MEANING, "last_position")
        .sort("connection", "pipeline", "position", "stage")
    )


def with_stages(deals: pl.DataFrame, stages: pl.DataFrame) -> pl.DataFrame:
    """The deals with ``stage_*`` columns, ``qualified`` and the mapped ``outcome``.

    The stage of the deal's own pipeline counts first, then the connection's stage for any pipeline (for a deal without
    one: that of the connection's only pipeline), then what the record itself says; otherwise the outcome is null.
    """
    columns = [*MEANING, "last_position"]
    anywhere = stages.filter(pl.col("pipeline").is_null()).drop("pipeline")
    named = stages.filter(pl.col("pipeline").is_not_null())
    lone = named.filter(pl.col("pipeline").n_unique().over("connection") == 1)
    own = named.rename({name: f"own_{name}" for name in columns})
    any_map = anywhere.rename({name: f"any_{name}" for name in columns})
    lone_map = lone.drop("pipeline").rename({name: f"lone_{name}" for name in columns})
    mapped = (
        deals.join(own, on=["connection", "pipeline", "stage"], how="left")
        .join(any_map, on=["connection", "stage"], how="left")
        .join(lone_map, on=["connection", "stage"], how="left")
    )
    unnamed = pl.col("pipeline").is_null()
    found = {
        name: pl.coalesce(f"own_{name}", f"any_{name}", pl.when(unnamed).then(pl.col(f"lone_{name}")))
        for name in columns
    }
    return mapped.with_columns(
        pl.coalesce(found["outcome"], "outcome").alias("outcome"),
        found["label"].alias("stage_label"),
        found["position"].alias("stage_position"),
        found["probability"].alias("stage_probability"),
        found["qualified"].alias("qualified"),
        found["last_position"].alias("last_position"),
    ).drop(f"{origin}_{name}" for origin in ("own", "any", "lone") for name in columns)


def unmapped(deals: pl.DataFrame) -> pl.DataFrame:
    """The stages whose deals have no outcome, with the number of ``deals``: a configuration error to report."""
    return (
        deals.filter(pl.col("outcome").is_null())
        .group_by("connection", "pipeline", "stage")
        .agg(pl.len().alias("deals"))
        .sort("connection", "pipeline", "stage")
    )
