"""Facts as they were known at a moment: by our own versions, and before our first load by the CRM's own stamps."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from connectors.records import (
    Change,
    ChangeField,
    Opportunity,
    Outcome,
    Record,
    Stage,
)
from scoring.schemas import SCHEMAS
from sync.store.engine import Store
from sync.store.facts import load
from sync.store.versions import save_records

LOADED = datetime(2025, 6, 1, tzinfo=UTC)
"""When the first load read everything."""

AS_OF = datetime(2025, 3, 31, 21, 59, 59, 999999, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
"""The last moment of 31 March in Berlin."""

Row = dict[str, Any]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def won(remote_id: str = "1", **values: Any) -> Opportunity:
    """A deal as it is on the day of the first load: won on 20 May."""
    known: dict[str, Any] = {
        "name": "Acme",
        "stage": "Closed Won",
        "pipeline": "Sales",
        "outcome": "won",
        "amount": Decimal(90),
        "currency": "USD",
        "owner_id": "eva",
        "account_id": "acme",
        "created_at": at("2025-01-10"),
        "close_on": date(2025, 5, 20),
        "closed_at": at("2025-05-20"),
        "type": "new",
        "next_step": "celebrate",
        "probability": Decimal(1),
        "external_id": "X1",
        "extra": {"partner": "P"},
    }
    return Opportunity(remote_id=remote_id, **{**known, **values})


def step(field: ChangeField, old: str | None, new: str | None, moment: str, record_id: str = "1") -> Change:
    return Change(
        remote_id=f"{record_id}/{field}/{moment}",
        record="opportunity",
        record_id=record_id,
        field=field,
        old=old,
        new=new,
        at=at(moment),
    )


def stages() -> list[Record]:
    named: list[tuple[str, Outcome]] = [
        ("Qualify", "open"),
        ("Offer", "open"),
        ("Closed Won", "won"),
        ("Closed Lost", "lost"),
    ]
    return [Stage(remote_id=f"Sales/{name}", pipeline="Sales", stage=name, outcome=outcome) for name, outcome in named]


def save(store: Store, *records: Record, recorded_at: datetime = LOADED, first: bool = True) -> None:
    with store.writing() as tx:
        for record in records:
            save_records(tx, "sf", record.kind_name, [record], recorded_at=recorded_at, run=None, first_load=first)


def rows(store: Store, kind: str = "opportunity", as_of: datetime = AS_OF) -> list[Row]:
    return load(store, [kind], as_of=as_of)[kind].to_dicts()


def known(row: Row) -> Row:
    """What a row says, apart from its keys."""
    keys = {"connection", "recorded_at", "remote_id", "deleted", "seq", "first_load"}
    return {name: value for name, value in row.items() if name not in keys and value is not None}


def test_a_version_recorded_later_is_not_known(store: Store) -> None:
    save(store, won(amount=Decimal(10)), recorded_at=at("2025-03-30"), first=False)
    save(store, won(amount=Decimal(20)), recorded_at=at("2025-04-02"), first=False)

    assert [row["amount"] for row in rows(store)] == [Decimal(10)]
    assert [row["amount"] for row in rows(store, as_of=at("2025-04-02"))] == [Decimal(20)]


def test_a_record_first_seen_later_and_not_in_a_first_load_did_not_exist_for_us(store: Store) -> None:
    save(store, won(), first=False)

    assert rows(store) == []


def test_an_open_deal_without_history_is_known_to_exist_and_nothing_more(store: Store) -> None:
    save(store, won())

    (row,) = rows(store)

    assert known(row) == {
        "name": "Acme",
        "external_id": "X1",
        "created_at": at("2025-01-10"),
        "outcome": "open",
    }


def test_history_winds_a_deal_back(store: Store) -> None:
    save(store, won(), *stages())
    save(store, step("stage", None, "Qualify", "2025-01-10"), step("stage", "Qualify", "Offer", "2025-03-01"))
    save(store, step("stage", "Offer", "Closed Won", "2025-05-20"))
    save(store, step("amount", "70", "80", "2025-02-01"), step("amount", "80", "90", "2025-04-15"))
    save(
        store, step("close_on", "2025-04-30", "2025-05-20", "2025-04-20"), step("owner_id", "max", "eva", "2025-04-01")
    )

    (row,) = rows(store)

    assert (row["stage"], row["pipeline"], row["outcome"]) == ("Offer", "Sales", "open")
    assert (row["amount"], row["currency"]) == (Decimal(80), "USD")
    assert (row["close_on"], row["closed_at"], row["owner_id"]) == (date(2025, 4, 30), None, "max")


def test_a_later_change_that_does_not_tell_the_old_value_leaves_it_unknown(store: Store) -> None:
    save(store, won(), step("amount", None, "90", "2025-04-15"))

    (row,) = rows(store)

    assert (row["amount"], row["currency"]) == (None, None)


def test_a_field_whose_history_is_kept_and_empty_has_not_changed(store: Store) -> None:
    save(store, won("1"), won("2"), step("amount", "5", "90", "2025-04-15", record_id="2"))

    first, second = rows(store)

    assert (first["amount"], second["amount"]) == (Decimal(90), Decimal(5))


def test_a_deal_that_closed_later_was_not_in_its_last_stage_though_history_does_not_say_where(store: Store) -> None:
    save(store, *stages(), won("1"), won("2", stage="Offer", outcome="open", closed_at=None))
    save(store, step("stage", "Qualify", "Offer", "2025-03-01", record_id="3"))

    assert [row["stage"] for row in rows(store)] == [None, "Offer"]


def test_a_deal_closed_by_then_keeps_what_the_closing_fixed(store: Store) -> None:
    closed = won(close_on=date(2025, 3, 20), closed_at=at("2025-03-20"))
    save(store, closed)

    (row,) = rows(store)

    assert known(row) == {
        "name": "Acme", "external_id": "X1", "created_at": at("2025-01-10"), "stage": "Closed Won", "pipeline": "Sales",
        "outcome": "won", "amount": Decimal(90), "currency": "USD", "owner_id": "eva", "account_id": "acme",
        "close_on": date(2025, 3, 20), "closed_at": at("2025-03-20"), "type": "new",
    }  # fmt: skip


def test_what_changed_after_the_closing_is_wound_back_too(store: Store) -> None:
    save(store, won(close_on=date(2025, 3, 20), closed_at=at("2025-03-20")))
    save(store, step("owner_id", "max", "eva", "2025-04-10"), step("amount", "60", "90", "2025-04-10"))

    (row,) = rows(store)

    assert (row["owner_id"], row["amount"], row["outcome"]) == ("max", Decimal(60), "won")


def test_a_closing_without_a_moment_counts_from_its_day_in_the_organisations_zone(store: Store) -> None:
    save(
        store, won("1", closed_at=None, close_on=date(2025, 3, 31)), won("2", closed_at=None, close_on=date(2025, 4, 1))
    )

    assert [row["outcome"] for row in rows(store)] == ["won", "open"]


def test_the_stage_map_says_what_a_closing_is(store: Store) -> None:
    save(store, *stages(), won(outcome=None, closed_at=at("2025-03-20")))

    assert [row["outcome"] for row in rows(store)] == ["won"]


def test_a_deal_lost_reopened_and_won_was_lost_in_between(store: Store) -> None:
    save(store, *stages(), won())
    save(
        store, step("stage", "Offer", "Closed Lost", "2025-03-15"), step("stage", "Closed Lost", "Offer", "2025-04-02")
    )

    assert [row["outcome"] for row in rows(store)] == ["lost"]


def test_a_stage_of_two_pipelines_does_not_tell_the_pipeline(store: Store) -> None:
    save(store, *stages(), Stage(remote_id="Upsell/Offer", pipeline="Upsell", stage="Offer", outcome="open"))
    save(store, won(), step("stage", "Qualify", "Offer", "2025-03-01"))

    assert [(row["stage"], row["pipeline"], row["outcome"]) for row in rows(store)] == [("Offer", None, "open")]


def test_a_deal_created_later_was_not_there(store: Store) -> None:
    save(store, won("1", created_at=at("2025-04-01")), won("2", created_at=None))

    assert rows(store) == []


def test_a_row_that_its_crm_has_not_modified_since_stands_as_it_is(store: Store) -> None:
    save(store, won(modified_at=at("2025-03-01"), closed_at=None, close_on=date(2025, 9, 1), outcome="open"))

    (row,) = rows(store)

    assert (row["next_step"], row["amount"], row["extra"]) == ("celebrate", Decimal(90), '{"partner":"P"}')


def test_our_own_echo_does_not_make_an_old_row_look_new(store: Store) -> None:
    save(store, won(modified_at=at("2025-03-01")))
    before = rows(store)

    save(store, won(modified_at=at("2025-06-02")), recorded_at=at("2025-06-02"), first=False)

    assert rows(store) == before


def test_a_fact_known_later_changes_no_earlier_answer(store: Store) -> None:
    save(store, won(), step("amount", "80", "90", "2025-04-15"))
    before = rows(store)

    save(
        store,
        won(amount=Decimal(1)),
        step("amount", "90", "1", "2025-03-02"),
        recorded_at=at("2025-06-03"),
        first=False,
    )

    assert rows(store) == before


def test_frames_of_the_past_have_the_same_columns(store: Store) -> None:
    save(store, won(), *stages(), step("stage", None, "Offer", "2025-01-10"))

    frames = load(store, as_of=AS_OF)

    for kind, columns in SCHEMAS.items():
        assert dict(frames[kind].schema) == {**columns, "seq": pl.Int64, "first_load": pl.Boolean}


def test_a_moment_after_everything_is_the_present(store: Store) -> None:
    save(store, won(), *stages())

    now, then = load(store), load(store, as_of=LOADED + timedelta(days=1))

    assert all(now[kind].equals(then[kind]) for kind in now)
