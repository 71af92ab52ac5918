"""What a connection tells at all: a column that it never fills is unknown, and what depends on it is skipped."""

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

BY_RECORD: Mapping[str, str] = {
    "days_since_activity": "activities_completed",
    "days_since_meeting": "activities_completed",
    "next_activity_in_days": "activities_completed",
    "contacts": "activities_completed",
    "activities_completed": "activities_completed",
    "push_count": "push_count",
    "push_days": "push_count",
    "days_in_stage": "push_count",
    "touched_before_close": "activities_completed",
    "seen_open": "push_count",
    "skipped_stages": "push_count",
    "born_closed": "push_count",
}
"""Columns made of activities or changes, and the one that is null only where a deal has no such source."""

BY_FIELD: Mapping[str, str] = {
    "name": "name",
    "account": "account",
    "owner": "owner",
    "amount": "amount_original",
    "amount_original": "amount_original",
    "booking": "amount_original",
    "close_on": "close_on",
    "past_due_days": "close_on",
    "next_step": "next_step",
    "probability": "probability",
    "stage_probability": "stage_probability",
    "stage_position": "stage_position",
    "forecast_category": "forecast_category",
    "discount": "discount",
    "type": "type",
    "source": "source",
    "product": "product",
}
"""Columns made of one mapped field, and the column that shows whether a connection ever fills it."""


def told_fields(deals: pl.DataFrame) -> dict[str, list[str]]:
    """Per column of ``BY_FIELD``'s right side the connections with at least one deal that has it, in order."""
    columns = sorted(set(BY_FIELD.values()))
    filled = deals.group_by("connection").agg(pl.col(columns).is_not_null().any()).sort("connection")
    return {column: filled.filter(column)["connection"].to_list() for column in columns}


def is_told(columns: Collection[str], baseline: Mapping[str, Any]) -> pl.Expr:
    """Whether the deal's connection tells all of these columns, or the deal itself does.

    What the baseline does not know of counts as told.
    """
    told: Mapping[str, Collection[str]] = baseline.get("told", {})
    records = sorted(column for column in columns if column in BY_RECORD)
    fields = sorted({BY_FIELD[column] for column in columns if column in BY_FIELD} & told.keys())
    return pl.all_horizontal(
        [
            pl.lit(value=True),
            *(pl.col(column).is_not_null() | pl.col(BY_RECORD[column]).is_not_null() for column in records),
            *(pl.col("connection").is_in(list(told[column])) for column in fields),
        ]
    )
