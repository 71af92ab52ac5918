"""Who is who: one person, one deal and one customer, wherever and however often the CRMs hold them.

A key is ``connection:remote_id``. People are matched across connections by case-folded e-mail or by an explicit map;
deals by the same external id in different connections; accounts are followed to their ultimate parent.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import polars as pl

from scoring.money import IMPORT
from scoring.schemas import MOMENT

PERSON_FIELDS = ("name", "email", "team", "territory", "region", "role", "started_on", "ended_on")


def key(remote_id: str = "remote_id") -> pl.Expr:
    """``connection:remote_id`` of the row, null where the id is."""
    return pl.concat_str([pl.col("connection"), pl.lit(":"), pl.col(remote_id)])


def local_date(moment: str, time_zone: str) -> pl.Expr:
    """The organisation's calendar day of an aware time."""
    return pl.col(moment).dt.convert_time_zone(time_zone).dt.date()


def moments(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The frame with these columns as aware UTC times, also where they held nothing at all."""
    return frame.with_columns(pl.col(column).cast(MOMENT) for column in columns)


def _roots(pairs: Iterable[tuple[str, str]], keys: Iterable[str]) -> dict[str, str]:
    """For every key one key of its group, where the pairs say which belong together."""
    parent = {item: item for item in keys}

    def root(item: str) -> str:
        parent.setdefault(item, item)
        while parent[item] != item:
            parent[item] = item = parent[parent[item]]
        return item

    for left, right in pairs:
        parent[root(left)] = root(right)
    return {item: root(item) for item in list(parent)}


def match_people(persons: pl.DataFrame, people_map: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Columns ``key`` and ``person``: everybody's canonical key, which is the first by connection name, then id.

    An imported file is no connection: whoever is in a CRM, too, goes by that.
    """
    rows = persons.select("connection", "remote_id", key().alias("key"), pl.col("email").str.strip_chars())
    pairs = list((people_map or {}).items())
    by_email: dict[str, str] = {}
    order: dict[str, tuple[bool, str, str]] = {}
    for connection, remote_id, person, email in rows.sort("connection", "remote_id").iter_rows():
        order[person] = (connection == IMPORT, connection, remote_id)
        if email:
            pairs.append((person, by_email.setdefault(email.casefold(), person)))
    groups: dict[str, list[str]] = defaultdict(list)
    for person, root in _roots(pairs, order).items():
        if person in order:  # a map may name people that the CRM no longer holds
            groups[root].append(person)
    canonical = {person: min(group, key=order.__getitem__) for group in groups.values() for person in group}
    items = sorted(canonical.items())
    return pl.DataFrame(items, schema={"key": pl.String, "person": pl.String}, orient="row")


def people_frame(persons: pl.DataFrame, aliases: pl.DataFrame) -> pl.DataFrame:
    """One row per person. A field is what an import says, else the first that is known, in the order of the aliases.

    Somebody deleted everywhere stays, inactive and marked ``deleted``: closed deals keep pointing to them.
    """
    rows = (
        persons.with_columns(key().alias("key"), key("manager_id").alias("manager_key"))
        .join(aliases, on="key")
        .join(aliases.rename({"key": "manager_key", "person": "manager"}), on="manager_key", how="left")
        .with_columns(
            pl.coalesce("manager", "manager_key").alias("manager"), pl.col("connection").eq(IMPORT).alias("own")
        )
        .sort("own", "connection", "remote_id")
    )
    first = ("deleted", pl.col("own").not_())
    live = pl.col("deleted").not_()
    return (
        rows.group_by("person", maintain_order=True)
        .agg(
            pl.col("connection", "remote_id").first(),
            *(pl.col(field).sort_by(first, maintain_order=True).drop_nulls().first() for field in PERSON_FIELDS),
            pl.col("manager").drop_nulls().first(),
            pl.when(live.any()).then(pl.col("active").filter(live).max()).otherwise(pl.lit(value=False)).alias("active"),
            live.any().not_().alias("deleted"),
            pl.col("key").alias("aliases"),
        )
        .select(
            "person", "connection", "remote_id", "name", "email", "active", "manager", "team", "territory", "region",
            "role", "started_on", "ended_on", "deleted", "aliases",
        )
        .sort("connection", "remote_id")
    )  # fmt: skip


def canonical(frame: pl.DataFrame, column: str, aliases: pl.DataFrame) -> pl.DataFrame:
    """The frame with the people in ``column`` by their canonical key; a key that nobody bears stays as it is."""
    people = aliases.rename({"key": column, "person": "__person"})
    return (
        frame.join(people, on=column, how="left", maintain_order="left")
        .with_columns(pl.coalesce("__person", column).alias(column))
        .drop("__person")
    )


def match_deals(opportunities: pl.DataFrame, primary: str | None = None) -> pl.DataFrame:
    """Columns ``connection``, ``key`` and ``deal``, one row per opportunity: which deal it is, or mirrors.

    Of the connections that hold an external id, ``primary`` tells the deal, else the first by name. Two rows of one
    connection stay two deals: that is a duplicate, which is a fault to show and not one to hide.
    """
    rows = opportunities.select("connection", "remote_id", "external_id", key().alias("key"))
    held = rows.filter(pl.col("external_id").is_not_null() & (pl.col("external_id") != ""))
    first = (
        held.filter(pl.col("connection").n_unique().over("external_id") > 1)
        .sort(pl.col("connection").ne(primary or ""), "connection", "remote_id")
        .group_by("external_id", maintain_order=True)
        .agg(pl.col("connection").first().alias("told_by"), pl.col("key").first().alias("first"))
    )
    mirrored = pl.col("told_by").is_not_null() & (pl.col("told_by") != pl.col("connection"))
    return rows.join(first, on="external_id", how="left").select(
        "connection", "key", pl.when(mirrored).then("first").otherwise("key").alias("deal")
    )


def accounts_frame(accounts: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """One row per account that is not deleted, with its ``customer``: the ultimate parent.

    A chain of parents that runs in a circle ends at the smallest key of the circle, whoever asks.
    """
    rows = moments(accounts, "created_at").with_columns(
        key().alias("account"), key("owner_id").alias("owner"), key("parent_id").alias("parent")
    )
    live = rows.filter(pl.col("deleted").not_())
    known = set(live["account"])
    links = {account: parent for account, parent in live.select("account", "parent").iter_rows() if parent in known}
    customers = pl.DataFrame(
        [(account, _ultimate(account, links)) for account in links],
        schema={"account": pl.String, "customer": pl.String},
        orient="row",
    )
    return (
        live.join(customers, on="account", how="left")
        .select(
            "account", "connection", "remote_id", "name", "owner", "industry", "region", "parent",
            pl.coalesce("customer", "account").alias("customer"),
            local_date("created_at", time_zone).alias("created_on"),
        )
        .sort("connection", "remote_id")
    )  # fmt: skip


def _ultimate(account: str, links: Mapping[str, str]) -> str:
    path: dict[str, None] = {}
    while account in links:
        if account in path:
            walked = list(path)
            return min(walked[walked.index(account) :])
        path[account] = None
        account = links[account]
    return account
