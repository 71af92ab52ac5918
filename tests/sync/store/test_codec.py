"""Values on their way into a database and back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.records import Activity, Opportunity, Record
from sync.store.codec import codec
from sync.store.engine import Store
from sync.store.tables import ROWS
from sync.store.versions import SaveCounts, current_records, save_records

NOON = datetime(2025, 3, 31, 12, tzinfo=UTC)


def deal(**values: Any) -> Opportunity:
    return Opportunity(remote_id="1", **values)


def save(store: Store, record: Record) -> SaveCounts:
    with store.writing() as tx:
        return save_records(tx, "sf", record.kind_name, [record], recorded_at=NOON, run=None)


def current(store: Store, kind: str = "opportunity") -> Record:
    with store.reading() as tx:
        return current_records(tx, "sf", kind, ["1"])["1"]


def test_every_value_comes_back_as_it_went_in(store: Store) -> None:
    record = deal(
        name='Ünïcode 商机 ‘quotes’ "and" \\ backslashes\nlines\t😀',
        amount=Decimal("123456789012345678.000000000000000000000001"),
        probability=Decimal("0.0000001"),
        created_at=datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        close_on=date(2024, 2, 29),
        extra={"zwei": "2", "eins": None},
        discount=Decimal("-0.5"),
    )

    save(store, record)

    assert current(store) == record


def test_lists_and_truth_values_come_back_as_they_went_in(store: Store) -> None:
    record = Activity(
        remote_id="1", kind="call", contact_ids=["b", "a"], participant_ids=[], two_way=False, duration_seconds=2**40
    )

    save(store, record)

    assert current(store, kind="activity") == record


def test_a_nul_is_dropped_since_postgresql_text_cannot_hold_one(store: Store) -> None:
    first = save(store, deal(name="a\0b"))

    second = save(store, deal(name="a\0b"))

    assert current(store) == deal(name="ab")
    assert (first, second) == (SaveCounts(new=1), SaveCounts(same=1))


AMOUNTS = st.decimals(min_value=-(10**18) + 1, max_value=10**18 - 1, allow_nan=False, allow_infinity=False)


@given(amount=AMOUNTS, days=st.integers(-300_000, 2_000_000))
def test_equal_rows_are_spelled_alike_in_sqlite(amount: Decimal, days: int) -> None:
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=days)
    prepared = codec("opportunity", "sqlite")
    ours = prepared.row(deal(amount=amount, created_at=moment).__dict__)
    theirs = prepared.row(
        deal(
            amount=Decimal(f"{amount:f}0" if "." in f"{amount:f}" else f"{amount:f}.0"), created_at=moment.astimezone()
        ).__dict__
    )

    assert ours == theirs
    assert Decimal(ours[prepared.fields.index("amount")]) == amount
    assert len(ours[prepared.fields.index("created_at")]) == 26


@pytest.mark.parametrize("kind", ROWS)
def test_every_kind_can_be_stored(kind: str, store: Store) -> None:
    required: dict[str, Any] = {
        "stage": "Won", "record": "opportunity", "record_id": "1", "field": "stage", "kind": {"payment": "refund", "split": "overlay"}.get(kind, "call"),
        "opportunity_id": "1", "person_id": "1", "account_id": "1", "owner_id": "1", "subject_id": "1", "rater_id": "1", "item": "x",
        "scale": "nps", "currency": "EUR", "to": "USD", "on": date(2025, 1, 1), "period_start": date(2025, 1, 1), "period_end": date(2025, 3, 31),
        "start_on": date(2025, 1, 1), "end_on": date(2025, 1, 2),
    }  # fmt: skip
    record_class = ROWS[kind].__mro__[2]
    assert issubclass(record_class, Record)
    record = record_class(
        remote_id="1", **{name: value for name, value in required.items() if name in record_class.model_fields}
    )

    counts = save(store, record)

    assert counts == SaveCounts(new=1)
    assert current(store, kind=kind) == record
