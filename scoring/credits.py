"""How one deal's money is shared: by people (splits) and by products (line items)."""

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from scoring.identity import canonical, key
from scoring.money import allocate, round_money
from scoring.schemas import MONEY

SPLIT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "deal": pl.String,
    "person": pl.String,
    "kind": pl.String,
    "percentage": MONEY,
    "amount": MONEY,
    "booking": MONEY,
}


class _Deal(NamedTuple):
    deal: str
    owner: str | None
    amount: Decimal | None
    booking: Decimal | None


class _Share(NamedTuple):
    person: str | None
    kind: str
    percentage: Decimal


class _Line(NamedTuple):
    deal: str
    person: str | None
    kind: str
    percentage: Decimal
    amount: Decimal | None
    booking: Decimal | None


def splits_frame(splits: pl.DataFrame, deals: pl.DataFrame, aliases: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Who is credited with what of the deals that are split: ``amount`` and ``booking`` in whole minor units.

    Revenue splits add up to the deal; what they leave unshared is the owner's. Where they come to more than the whole,
    none of them counts and the owner has it all. Overlay credit stands beside the deal and is part of no total.
    """
    rows = (
        splits.filter(pl.col("deleted").not_(), pl.col("percentage").is_not_null())
        .with_columns(key("opportunity_id").alias("deal"), key("person_id").alias("person"))
        .sort("connection", "opportunity_id", "recorded_at", "remote_id")
    )
    owners = deals.select("deal", pl.col("person").alias("owner"), "amount", "booking")
    joined = canonical(rows, "person", aliases).join(owners, on="deal")
    groups: dict[_Deal, list[_Share]] = defaultdict(list)
    columns = ("deal", "owner", "amount", "booking", "person", "kind", "percentage")
    for deal, owner, amount, booking, person, kind, share in joined.select(columns).iter_rows():
        groups[_Deal(deal, owner, amount, booking)].append(_Share(person, kind, share))
    lines = [line for deal, shares in groups.items() for line in _shared(deal, shares, currency)]
    return pl.DataFrame(lines, schema=SPLIT_SCHEMA, orient="row").sort("deal", "kind", "person")


def _shared(deal: _Deal, shares: list[_Share], currency: str) -> list[_Line]:
    revenue = [share for share in shares if share.kind == "revenue"]
    rest = 1 - sum((share.percentage for share in revenue), Decimal(0))
    if rest < 0:
        revenue, rest = [], Decimal(1)
    if rest:
        revenue.append(_Share(deal.owner, "revenue", rest))
    parts = [share.percentage for share in revenue]
    amounts = _allocated(deal.amount, parts, currency)
    bookings = _allocated(deal.booking, parts, currency)
    lines = [_Line(deal.deal, *share, *money) for share, *money in zip(revenue, amounts, bookings, strict=True)]
    for share in shares:
        if share.kind == "overlay":
            beside = (
                None if value is None else round_money(value * share.percentage, currency)
                for value in (deal.amount, deal.booking)
            )
            lines.append(_Line(deal.deal, *share, *beside))
    return lines


def _allocated(amount: Decimal | None, shares: list[Decimal], currency: str) -> list[Decimal | None]:
    return [None] * len(shares) if amount is None else [*allocate(amount, shares, currency)]


def split_faults(splits: pl.DataFrame) -> pl.DataFrame:
    """``deal`` of those whose revenue splits come to more than the whole."""
    return (
        splits.filter(pl.col("deleted").not_(), pl.col("kind") == "revenue")
        .group_by(key("opportunity_id").alias("deal"))
        .agg(pl.col("percentage").sum())
        .filter(pl.col("percentage") > 1)
        .select("deal")
    )


def line_items_frame(items: pl.DataFrame, deals: pl.DataFrame) -> pl.DataFrame:
    """The line items of the deals: ``deal``, ``product``, ``quantity``, ``amount`` converted at the deal's own rate."""
    return (
        items.filter(pl.col("deleted").not_())
        .with_columns(key().alias("line_item"), key("opportunity_id").alias("deal"))
        .rename({"amount": "amount_original"})
        .join(deals.select("deal", "rate"), on="deal")
        .with_columns((pl.col("amount_original") * pl.col("rate")).cast(MONEY).alias("amount"))
        .select("line_item", "deal", "product", "quantity", "amount_original", "amount")
        .sort("deal", "line_item")
    )
