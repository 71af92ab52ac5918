"""What the activities tell about a deal: when it was last touched, by how many it is carried, what is planned."""

from datetime import date

import polars as pl

from scoring.identity import canonical, key, local_date, moments

MEETINGS = ("meeting", "visit")  # a visit is a meeting at the customer's place


def activities_frame(
    activities: pl.DataFrame, deals: pl.DataFrame, aliases: pl.DataFrame, time_zone: str
) -> pl.DataFrame:
    """One row per activity that is not deleted, with the keys of its deal, person and account and its local days.

    ``deals`` has ``key`` and ``deal``: what was logged on a mirror's copy counts for the deal.
    """
    rows = (
        moments(activities.filter(pl.col("deleted").not_()), "created_at", "planned_at", "completed_at")
        .with_columns(
            key().alias("activity"),
            key("opportunity_id").alias("key"),
            key("account_id").alias("account"),
            key("owner_id").alias("person"),
            *(local_date(f"{what}_at", time_zone).alias(f"{what}_on") for what in ("created", "planned", "completed")),
        )
        .join(deals, on="key", how="left", maintain_order="left")
    )
    return canonical(rows, "person", aliases).select(
        "activity", "connection", "deal", "account", "person", "kind", "direction", "two_way", "auto_logged",
        "created_at", "created_on", "planned_at", "planned_on", "completed_at", "completed_on",
        "duration_seconds", "subject_hash", "contact_ids", "participant_ids",
    )  # fmt: skip


def touches(activities: pl.DataFrame, as_of: date, *, auto_logged: bool) -> pl.DataFrame:
    """Per ``deal``: days since the last activity and meeting, days to the next, contacts, and activities completed.

    Automatically logged ones count only if asked for. ``contacts`` are those with a completed two-way activity. A meeting whose
    end lies ahead is planned: a CRM that keeps no status of meetings tells their end as the moment of completion.
    """
    counted = activities.filter(pl.col("deal").is_not_null())
    if not auto_logged:
        counted = counted.filter(pl.col("auto_logged").fill_null(value=False).not_())
    done = pl.col("completed_on") <= as_of
    ahead = done.fill_null(value=False).not_() & (pl.col("planned_on") >= as_of)
    since = pl.lit(as_of) - pl.col("completed_on").filter(done).max()
    met = pl.lit(as_of) - pl.col("completed_on").filter(done, pl.col("kind").is_in(MEETINGS)).max()
    summary = counted.group_by("deal").agg(
        since.dt.total_days().alias("days_since_activity"),
        met.dt.total_days().alias("days_since_meeting"),
        (pl.col("planned_on").filter(ahead).min() - pl.lit(as_of)).dt.total_days().alias("next_activity_in_days"),
        done.sum().cast(pl.Int64).alias("activities_completed"),
    )
    contacts = (
        counted.filter(done, pl.col("two_way"))
        .select("deal", "contact_ids")
        .explode("contact_ids")
        .drop_nulls()
        .group_by("deal")
        .agg(pl.col("contact_ids").n_unique().cast(pl.Int64).alias("contacts"))
    )
    return summary.join(contacts, on="deal", how="left")
