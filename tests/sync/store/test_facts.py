"""Frames for scoring: typed, complete, and around a few subjects the same as from everything."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from connectors.records import (
    RECORDS,
    Account,
    Activity,
    Change,
    LineItem,
    Opportunity,
    Payment,
    Person,
    Record,
    Split,
)
from scoring.schemas import SCHEMAS
from sync.store import frames
from sync.store.engine import Store
from sync.store.facts import load
from sync.store.scope import Scope, resolve
from sync.store.versions import save_records

NOON = datetime(2025, 3, 31, 12, tzinfo=UTC)


def save(store: Store, *records: Record, connection: str = "sf", first: bool = False) -> None:
    with store.writing() as tx:
        for record in records:
            save_records(tx, connection, record.kind_name, [record], recorded_at=NOON, run=None, first_load=first)


def deal(remote_id: str, **values: Any) -> Opportunity:
    return Opportunity(remote_id=remote_id, **values)


def ids(tables: dict[str, pl.DataFrame], kind: str) -> set[str]:
    return set(tables[kind]["remote_id"])


def test_an_empty_store_has_every_column_of_every_kind(store: Store) -> None:
    tables = load(store)

    assert {kind: dict(frame.schema) for kind, frame in tables.items()} == {
        kind: {**columns, "seq": pl.Int64(), "first_load": pl.Boolean()} for kind, columns in SCHEMAS.items()
    }


def test_every_type_comes_out_as_it_went_in(store: Store) -> None:
    moment = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    save(
        store,
        deal(
            "1",
            name="商机 ‘x’",
            amount=Decimal("123456789012345678.123456789012"),
            close_on=date(1969, 12, 31),
            created_at=moment,
            modified_at=datetime(1960, 1, 1, tzinfo=UTC),
            extra={"a": "1"},
        ),
        Activity(remote_id="1", kind="call", contact_ids=["x", "y"], two_way=False, duration_seconds=90),
    )

    tables = load(store, ["opportunity", "activity"])

    (row,), (activity,) = tables["opportunity"].to_dicts(), tables["activity"].to_dicts()
    assert row["amount"] == Decimal("123456789012345678.123456789012")
    assert (row["name"], row["close_on"], row["created_at"]) == ("商机 ‘x’", date(1969, 12, 31), moment)
    assert (row["modified_at"], row["recorded_at"]) == (datetime(1960, 1, 1, tzinfo=UTC), NOON)
    assert (row["connection"], row["deleted"], row["first_load"], row["extra"]) == ("sf", False, False, '{"a":"1"}')
    assert (activity["contact_ids"], activity["participant_ids"]) == (["x", "y"], None)
    assert (activity["two_way"], activity["auto_logged"], activity["duration_seconds"]) == (False, None, 90)


def test_a_number_too_long_for_a_frame_is_unknown_not_wrong(store: Store) -> None:
    save(store, deal("1").model_copy(update={"amount": Decimal("9" * 30)}))  # which no record takes any more

    assert load(store, ["opportunity"])["opportunity"]["amount"].to_list() == [None]


def test_only_the_newest_version_is_loaded_deleted_ones_too(store: Store) -> None:
    save(store, deal("1", name="old"), deal("2"), deal("3", name="gone"))
    save(store, deal("1", name="new"), deal("3", deleted=True))

    frame = load(store, ["opportunity"])["opportunity"]

    assert frame.select("remote_id", "name", "deleted").rows() == [
        ("2", None, False),
        ("1", "new", False),
        ("3", "gone", True),
    ]


def test_rows_come_in_chunks_without_a_gap(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_CHUNK", 3)
    with store.writing() as tx:
        deals = [deal(str(number)) for number in range(10)]
        save_records(tx, "sf", "opportunity", deals, recorded_at=NOON, run=None)

    assert load(store, ["opportunity"])["opportunity"]["remote_id"].to_list() == [str(number) for number in range(10)]


def test_one_transaction_can_be_read_from_several_times(store: Store) -> None:
    save(store, deal("1"))

    with store.writing() as tx:
        save_records(tx, "sf", "opportunity", [deal("2")], recorded_at=NOON, run=None)
        inside = load(tx, ["opportunity"])

    assert ids(inside, "opportunity") == {"1", "2"}


@pytest.fixture
def company(store: Store) -> Store:
    """Two families of accounts, a mirrored deal, and people who own, owned and share deals."""
    save(
        store,
        Person(remote_id="eva"),
        Person(remote_id="max"),
        Account(remote_id="root"),
        Account(remote_id="child", parent_id="root"),
        Account(remote_id="sibling", parent_id="root"),
        Account(remote_id="circle 1", parent_id="circle 2"),
        Account(remote_id="circle 2", parent_id="circle 1"),
        Account(remote_id="other"),
        deal("1", owner_id="eva", account_id="child", external_id="X1"),
        deal("2", owner_id="max", account_id="sibling"),
        deal("3", owner_id="max", account_id="other"),
        deal("4", owner_id="max", account_id="circle 1"),
        deal("5", owner_id="max"),
        deal("6", owner_id="max"),
        deal("7", owner_id="max"),
        Change(remote_id="c1", record="opportunity", record_id="5", field="owner_id", old="eva", new="max"),
        Change(remote_id="c5", record="opportunity", record_id="7", field="owner_id", new="eva"),
        Change(remote_id="c6", record="opportunity", record_id="7", field="owner_id", new="max"),
        Change(remote_id="c2", record="opportunity", record_id="3", field="stage", old="eva", new="eva"),
        Change(remote_id="c3", record="person", record_id="eva", field="team", new="North"),
        Change(remote_id="c4", record="account", record_id="1", field="owner_id", new="max"),
        Split(remote_id="s1", opportunity_id="6", person_id="eva"),
        Split(remote_id="s2", opportunity_id="3", person_id="max"),
        Activity(remote_id="a1", kind="call", opportunity_id="1"),
        Activity(remote_id="a2", kind="call", opportunity_id="2"),
        Activity(remote_id="a3", kind="call", owner_id="eva"),
        LineItem(remote_id="l1", opportunity_id="1"),
        LineItem(remote_id="l3", opportunity_id="3"),
        Payment(remote_id="p1", kind="payment", opportunity_id="1"),
    )
    save(store, deal("H1", external_id="X1", account_id="root"), deal("H2"), connection="hs")
    save(store, deal("1", account_id="unrelated"), connection="hs")
    return store


def test_a_deal_comes_with_its_mirrors_its_family_and_its_own_rows(company: Store) -> None:
    tables = load(company, scope=Scope(opportunities=frozenset({("sf", "1")})))

    assert {(row[0], row[1]) for row in tables["opportunity"].select("connection", "remote_id").rows()} == {
        ("sf", "1"),
        ("hs", "H1"),
        ("sf", "2"),
    }
    assert ids(tables, "account") == {"root", "child", "sibling"}
    assert (ids(tables, "activity"), ids(tables, "line_item"), ids(tables, "payment")) == ({"a1"}, {"l1"}, {"p1"})
    assert (ids(tables, "split"), ids(tables, "change"), ids(tables, "person")) == (set(), set(), {"eva", "max"})


def test_a_person_comes_with_deals_owned_once_owned_and_shared(company: Store) -> None:
    with company.reading() as tx:
        selection = resolve(tx, Scope(persons=frozenset({("sf", "eva")})))
    tables = load(company, scope=Scope(persons=frozenset({("sf", "eva")}), activities_of_persons=True))
    of_deals_only = load(company, scope=Scope(persons=frozenset({("sf", "eva")})))

    assert selection.deals == {("sf", "1"), ("hs", "H1"), ("sf", "5"), ("sf", "6"), ("sf", "7")}
    assert selection.family == {("sf", "2")}
    assert (ids(tables, "activity"), ids(of_deals_only, "activity")) == ({"a1", "a3"}, {"a1"})
    assert (ids(tables, "split"), ids(tables, "change")) == ({"s1"}, {"c1", "c3", "c5", "c6"})


def test_an_account_comes_with_its_deals_and_a_circle_of_parents_ends(company: Store) -> None:
    with company.reading() as tx:
        selection = resolve(tx, Scope(accounts=frozenset({("sf", "circle 1")})))

    assert selection.deals == {("sf", "4")}
    assert selection.accounts == {("sf", "circle 1"), ("sf", "circle 2")}


def test_rows_of_a_scope_are_those_of_the_whole(company: Store) -> None:
    whole = load(company)
    part = load(company, scope=Scope(opportunities=frozenset({("sf", "1"), ("sf", "3")})))

    for kind in RECORDS:
        assert part[kind].equals(whole[kind].filter(pl.col("seq").is_in(part[kind]["seq"].to_list())))


def test_a_scope_of_nothing_reads_nothing_of_the_large_kinds(company: Store) -> None:
    tables = load(company, scope=Scope())

    assert {kind: tables[kind].height for kind in ("opportunity", "activity", "change", "account")} == {
        "opportunity": 0,
        "activity": 0,
        "change": 0,
        "account": 0,
    }


def test_a_scope_can_be_read_as_of_a_moment_too(store: Store) -> None:
    created = datetime(2025, 1, 1, tzinfo=UTC)
    save(store, deal("1", created_at=created), deal("2", created_at=created), first=True)

    tables = load(store, as_of=datetime(2025, 2, 1, tzinfo=UTC), scope=Scope(opportunities=frozenset({("sf", "1")})))

    assert ids(tables, "opportunity") == {"1"}


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("opportunity", "owner_id"),
        ("opportunity", "account_id"),
        ("activity", "opportunity_id"),
        ("change", "record_id"),
    ],
)
def test_a_scope_is_found_by_index(kind: str, column: str, sqlite_store: Store) -> None:
    and_record = "AND record = 'opportunity' " if kind == "change" else ""
    with sqlite_store.reading() as tx:
        plan = tx.cursor().execute(
            f'EXPLAIN QUERY PLAN SELECT * FROM "{kind}" WHERE current {and_record}'  # noqa: S608 - our own names
            f"AND connection = ? AND {column} IN (SELECT value FROM json_each(?))",
            ("sf", "[]"),
        )
        steps = " ".join(row[3] for row in plan)

    assert f"USING INDEX ix_{kind}_" in steps
