"""One row per deal: identity, outcome, credited owner, money, the account's story and the deal's own clock."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from scoring.history import first_entries, of_field, pushes, stage_entries, value_at
from scoring.identity import canonical, key, local_date, moments
from scoring.money import RateBook, rate_frame
from scoring.schemas import MONEY
from scoring.settings import DEAL_TYPES, MetricSettings
from scoring.stages import with_stages
from scoring.touches import touches

PERSON_PLACES = ("team", "territory", "region", "role")


@dataclass(frozen=True, slots=True)
class Ground:
    """What every step of building the deals stands on."""

    as_of: date
    time_zone: str
    currency: str
    settings: MetricSettings
    people: pl.DataFrame
    aliases: pl.DataFrame
    accounts: pl.DataFrame
    stages: pl.DataFrame
    changes: pl.DataFrame
    rates: RateBook


def identified(opportunities: pl.DataFrame, matched: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """The deals that count, once each, with ``mirrors`` (all keys, the deal's own first), outcome and local days."""
    copies = (
        matched.sort(pl.col("key") != pl.col("deal"), "key")
        .group_by("deal", maintain_order=True)
        .agg(pl.col("key").alias("mirrors"))
    )
    deals = (
        moments(opportunities, "created_at", "closed_at")
        .with_columns(key().alias("deal"))
        .join(copies, on="deal")
        .with_columns(
            key("owner_id").alias("owner"),
            key("account_id").alias("account"),
            pl.col("currency").str.strip_chars().str.to_uppercase(),
            local_date("created_at", ground.time_zone).alias("created_on"),
        )
    )
    return canonical(with_stages(deals, ground.stages), "owner", ground.aliases).with_columns(
        *(
            pl.col("outcome").eq(word).fill_null(value=False).alias(f"is_{word}")
            for word in ("open", "won", "lost", "omitted")
        ),
        pl.col("outcome").is_in(["won", "lost"]).fill_null(value=False).alias("is_decided"),
    )


def closed(deals: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Adds ``entered_at`` (into the present stage), ``closing_at`` and the business ``close_on``.

    The moment of closing is ``closed_at``, else when the stage turned, else the end of the close date; null while open.
    """
    midnight = (pl.col("close_on") + pl.duration(days=1)).cast(pl.Datetime("us"))
    # Where the clock is put forward at midnight the day begins at one.
    day_end = pl.coalesce(
        (midnight + pl.duration(hours=hours)).dt.replace_time_zone(
            ground.time_zone, ambiguous="earliest", non_existent="null"
        )
        for hours in (0, 1)
    )
    over = pl.col("is_decided") | pl.col("is_omitted")
    turned = pl.coalesce("closed_at", "entered_at")
    at = pl.coalesce(turned, day_end.dt.convert_time_zone("UTC"))
    return (
        deals.join(stage_entries(deals, ground.changes), on="deal", how="left", maintain_order="left")
        .with_columns(pl.when(over).then(at).alias("closing_at"), pl.when(over).then(turned).alias("__turned"))
        .with_columns(pl.coalesce("close_on", local_date("__turned", ground.time_zone)).alias("close_on"))
        .drop("__turned")
    )


def credited(deals: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Adds ``person``, to whom the deal counts, and that person's team, territory, region and role.

    The owner at the close by the owner changes, unless the settings say ``current_owner``. The team is the one at the
    close where its changes are known; the other places have no history.
    """
    if ground.settings.attribution_owner == "current_owner":
        rows = deals.with_columns(pl.col("owner").alias("person"))
    else:
        asked = deals.select(pl.col("deal").alias("key"), pl.col("closing_at").alias("at"), "owner_id")
        held = value_at(asked, of_field(ground.changes, "opportunity", "owner_id"), "owner_id")
        at_close = deals.with_columns(held.alias("__owner_id")).with_columns(key("__owner_id").alias("person"))
        rows = canonical(at_close.drop("__owner_id"), "person", ground.aliases)
    places = ground.people.select("person", *(pl.col(place).alias(f"person_{place}") for place in PERSON_PLACES))
    rows = rows.join(places, on="person", how="left", maintain_order="left").rename(
        {f"person_{place}": place for place in PERSON_PLACES}
    )
    moves = canonical(of_field(ground.changes, "person", "team"), "key", ground.aliases).sort("at")
    asked = rows.select(pl.col("person").alias("key"), pl.col("closing_at").alias("at"), "team")
    return rows.with_columns(value_at(asked, moves, "team").alias("team")) if moves.height else rows


def valued(deals: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Adds ``amount`` and ``booking`` in the organisation's currency, what they were, and ``rate_fault``.

    Ended deals are converted at the rate of their close date, open ones at as_of. ``booking`` is the amount that the
    setting ``bookings.amount_field`` names. Without a rate at most 7 days old both are null and the fault is set.
    """
    over = pl.col("is_decided") | pl.col("is_omitted")
    rate_on = pl.when(over).then(pl.min_horizontal(pl.coalesce("close_on", pl.lit(ground.as_of)), pl.lit(ground.as_of)))
    rows = deals.with_columns(rate_on.otherwise(pl.lit(ground.as_of)).alias("rate_on"))
    pairs = rows.select("currency", "rate_on").drop_nulls().unique()
    rates = rate_frame(ground.rates, pairs.iter_rows(), ground.currency)
    name = ground.settings.bookings_amount_field.removeprefix("extra.")
    booked = pl.col("amount") if name == "amount" else extra(name).cast(MONEY, strict=False)
    return (
        rows.join(rates, on=["currency", "rate_on"], how="left", maintain_order="left")
        .with_columns((booked * pl.col("rate")).cast(MONEY).alias("booking"), pl.col("amount").alias("amount_original"))
        .with_columns((pl.col("amount") * pl.col("rate")).cast(MONEY).alias("amount"))
        .with_columns((pl.col("amount_original").is_not_null() & pl.col("rate").is_null()).alias("rate_fault"))
        .drop("rate_on")
    )


def extra(name: str) -> pl.Expr:
    """The text of one mapped custom field, null where the deal has none."""
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    return pl.col("extra").str.json_path_match(f"$['{quoted}']")


def related(deals: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Adds the account's customer, region and industry, and what a win means to that customer.

    New is the first deal the customer ever won; a win-back comes after ``new_customer.lookback_months`` without one.
    ``business`` is the mapped type (new, expansion, renewal), else new or expansion by whether we had won there before.
    """
    accounts = ground.accounts.select("account", "customer", pl.col("region").alias("account_region"), "industry")
    rows = deals.join(accounts, on="account", how="left", maintain_order="left").with_columns(
        pl.coalesce("customer", "account").alias("customer")
    )
    wins = rows.filter("is_won", pl.col("customer").is_not_null(), pl.col("close_on").is_not_null()).sort(
        "customer", "close_on", "closing_at", "deal"
    )
    months = ground.settings.new_customer_lookback_months
    before = pl.col("close_on").shift().over("customer")
    stories = wins.select(
        "deal",
        before.is_null().alias("is_new_customer_win"),
        (before < pl.col("close_on").dt.offset_by(f"-{months}mo")).fill_null(value=False).alias("is_win_back"),
    )
    firsts = wins.group_by("customer", maintain_order=True).agg(
        pl.col("deal").first().alias("first_win"), pl.col("close_on").first().alias("first_win_on")
    )
    rows = rows.join(stories, on="deal", how="left", maintain_order="left").join(
        firsts, on="customer", how="left", maintain_order="left"
    )
    return rows.with_columns(
        pl.col("is_new_customer_win", "is_win_back").fill_null(value=False), _business(ground.as_of).alias("business")
    ).with_columns(
        pl.col("business").eq("new").alias("is_new_business"), pl.col("business").eq("expansion").alias("is_expansion")
    )


def _business(as_of: date) -> pl.Expr:
    word = pl.col("type").str.strip_chars().str.to_lowercase()
    mapped = pl.coalesce(pl.when(word.is_in(spellings)).then(pl.lit(kind)) for kind, spellings in DEAL_TYPES.items())
    day = pl.when("is_open").then(pl.lit(as_of)).otherwise(pl.coalesce("close_on", pl.lit(as_of)))
    earlier = (pl.col("first_win") != pl.col("deal")) & (pl.col("first_win_on") <= day)
    by_history = pl.when(earlier.fill_null(value=False)).then(pl.lit("expansion")).otherwise(pl.lit("new"))
    return pl.coalesce(mapped, pl.when(pl.col("customer").is_not_null()).then(by_history))


def timed(
    deals: pl.DataFrame, ground: Ground, activities: pl.DataFrame, known: Mapping[str, Collection[str]]
) -> pl.DataFrame:
    """Adds the cycle and the columns of days and counts at as_of.

    ``known`` names under ``change`` the connections, and under ``activity`` the deals, that have such a source; where
    it is missing its columns are null, for unknown is not zero.
    """
    as_of = pl.lit(ground.as_of)
    entered = pl.coalesce(local_date("entered_at", ground.time_zone), "created_on")
    told = pl.col("connection").is_in(known["change"])
    logged = pl.col("deal").is_in(known["activity"])
    summary = touches(activities, ground.as_of, auto_logged=ground.settings.activity_include_auto_logged)
    counts = ("contacts", "activities_completed")
    rows = (
        _cycled(deals, ground)
        .join(pushes(deals, ground.changes), on="deal", how="left", maintain_order="left")
        .join(summary, on="deal", how="left", maintain_order="left")
    )
    days: dict[str, Any] = {
        "age_days": pl.when("is_open").then((as_of - pl.col("created_on")).dt.total_days()),
        "days_in_stage": pl.when(pl.col("is_open") & told).then((as_of - entered).dt.total_days()),
        "past_due_days": pl.when("is_open").then((as_of - pl.col("close_on")).dt.total_days().clip(lower_bound=0)),
    }
    return rows.with_columns(
        **days,
        **{name: pl.when(told).then(pl.col(name).fill_null(0)) for name in ("push_count", "push_days")},
        **{name: pl.when(logged).then(pl.col(name).fill_null(0)) for name in counts},
    )


def _cycled(deals: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Adds ``cycle_days``: null for a negative length, and outside transactional pipelines for a zero one."""
    start, settings = ground.settings.cycle_start, ground.settings
    rows = deals.with_columns(pl.col("created_on").alias("cycle_from"))
    if start != "created":
        named = pl.col("stage") == start.removeprefix("stage:")
        wanted = ground.stages.filter(pl.col("qualified") if start == "qualified" else named)
        if start != "qualified":  # a stage may be known by its label, or by history alone
            wanted = pl.concat([wanted, ground.stages.filter(pl.col("label") == start.removeprefix("stage:"))]).unique()
        entries = first_entries(deals, ground.changes, wanted.select("connection", "pipeline", "stage"))
        rows = deals.join(entries, on="deal", how="left", maintain_order="left").with_columns(
            local_date("first_entered_at", ground.time_zone).alias("cycle_from")
        )
    quick = settings.transactional
    zero_counts = pl.lit(quick) if isinstance(quick, bool) else pl.col("pipeline").is_in(quick).fill_null(value=False)
    length = (pl.col("close_on") - pl.col("cycle_from")).dt.total_days()
    sound = (length > 0) | ((length == 0) & zero_counts)
    return rows.with_columns(pl.when(pl.col("is_decided") & sound).then(length).alias("cycle_days"))
