"""The outbox: one wish per record, a verdict for each, and nothing sent twice that a CRM refused."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Value, WriteTarget
from sync.store import outbox
from sync.store.drift import drift, queue_rollback
from sync.store.engine import Store
from sync.store.held import held_fields
from sync.store.outbox import Queued, Verdict, Waiting
from sync.store.state import start_run
from sync.store.values import parse_values, values_text

NOW = datetime(2025, 3, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def wish(remote_id: str = "1", score: int = 80, **changes: Any) -> Queued:
    known: dict[str, Any] = {
        "connection": "sf", "record": "opportunity", "target": "", "fields": {"Score__c": Decimal(score)},
        "digest": f"digest {score}",
    }  # fmt: skip
    return Queued(remote_id=remote_id, **{**known, **changes})


def queue(store: Store, *wishes: Queued) -> int:
    with store.writing() as tx:
        return outbox.queue(tx, wishes, at=NOW, run=None)


def batch(store: Store, *, now: datetime = NOW, limit: int = 10) -> list[Waiting]:
    with store.reading() as tx:
        return outbox.next_batch(tx, "sf", "opportunity", "", limit, now)


def settle(store: Store, *verdicts: Verdict, run: int | None = None) -> None:
    with store.writing() as tx:
        outbox.settle(tx, verdicts, at=NOW, run=run)


def verdict(row: Waiting, outcome: Any = "accepted", **more: Any) -> Verdict:
    return Verdict(row.id, row.digest, outcome, **more)


def accepted(store: Store, *ids: str) -> dict[str, dict[str, Value]]:
    with store.reading() as tx:
        return outbox.accepted_fields(tx, "sf", "opportunity", "", list(ids) or None)


def test_values_keep_their_type_on_the_way(store: Store) -> None:
    fields: dict[str, Value] = {
        "number": Decimal("0.10"), "whole": 3, "yes": True, "text": "Größe", "nothing": None,
        "moment": datetime(2025, 1, 1, 12, tzinfo=UTC), "day": date(2025, 1, 1),
    }  # fmt: skip
    queue(store, wish(fields=fields))

    (row,) = batch(store)

    assert row.fields == fields
    assert {name: type(value) for name, value in row.fields.items()} == {n: type(v) for n, v in fields.items()}


def test_a_newer_wish_replaces_the_older_one(store: Store) -> None:
    queue(store, wish(score=80))

    changed = queue(store, wish(score=90))

    assert changed == 1
    assert [row.fields for row in batch(store)] == [{"Score__c": Decimal(90)}]


def test_the_same_wish_again_changes_nothing(store: Store) -> None:
    queue(store, wish())
    (row,) = batch(store)
    settle(store, verdict(row, "park", code="LOCKED", text="the record is locked"))

    changed = queue(store, wish())

    assert changed == 0
    assert batch(store) == []


def test_a_changed_wish_takes_a_parked_one_back_to_work(store: Store) -> None:
    queue(store, wish())
    (row,) = batch(store)
    settle(store, verdict(row, "park", code="LOCKED", text="the record is locked"))

    queue(store, wish(score=20))

    (again,) = batch(store)
    assert (again.attempts, again.code, again.text) == (0, None, None)


def test_a_record_of_another_target_is_another_wish(store: Store) -> None:
    place = outbox.target_text(WriteTarget("person", "Appraisal__c", "Key__c"))

    changed = queue(store, wish(), wish(target=place), wish("1", record="person"), wish(connection="hs"))

    assert changed == 4
    assert len(batch(store)) == 1


def test_a_target_has_one_spelling() -> None:
    assert outbox.target_text(WriteTarget("opportunity")) == ""
    assert outbox.target_text(WriteTarget("person", "Appraisal__c", "Key__c")) == "Appraisal__c/Key__c"


def test_batches_are_the_oldest_first_and_no_longer_than_asked(store: Store) -> None:
    queue(store, *(wish(str(number)) for number in range(5)))

    assert [row.remote_id for row in batch(store, limit=3)] == ["0", "1", "2"]


def test_what_a_crm_accepted_leaves_the_outbox_and_is_remembered(store: Store) -> None:
    queue(store, wish("1"), wish("2"))

    settle(store, *(verdict(row) for row in batch(store)))

    assert batch(store) == []
    assert accepted(store, "1") == {"1": {"Score__c": Decimal(80)}}
    assert set(accepted(store)) == {"1", "2"}


def test_a_retry_waits_for_its_time(store: Store) -> None:
    queue(store, wish())
    (row,) = batch(store)

    settle(store, verdict(row, "retry", code="BUSY", text="try later", next_try_at=NOW + MINUTE))

    assert batch(store) == []
    (again,) = batch(store, now=NOW + MINUTE)
    assert (again.attempts, again.code, again.text) == (1, "BUSY", "try later")


def test_a_parked_wish_keeps_the_crms_words_until_somebody_frees_it(store: Store) -> None:
    queue(store, wish())
    (row,) = batch(store)
    settle(store, verdict(row, "park", code="FIELD_INTEGRITY", text="Größe fehlt"))

    with store.writing() as tx:
        (parked,) = outbox.parked(tx, "sf")
        nowhere = outbox.parked(tx, "hs")
        sizes = outbox.sizes(tx)
        freed = outbox.unpark(tx, "sf")

    assert (parked.code, parked.text, nowhere) == ("FIELD_INTEGRITY", "Größe fehlt", [])
    assert (sizes, freed) == ({("sf", "parked"): 1}, 1)
    assert len(batch(store)) == 1


def test_a_record_that_is_gone_takes_its_wish_along(store: Store) -> None:
    queue(store, wish())
    (row,) = batch(store)

    settle(store, verdict(row, "gone", code="ENTITY_IS_DELETED", text="deleted"))

    assert batch(store) == []
    assert accepted(store) == {}


def test_a_wish_that_changed_while_it_was_sent_is_sent_again(store: Store) -> None:
    queue(store, wish(score=80))
    (sent,) = batch(store)
    queue(store, wish(score=90))

    settle(store, verdict(sent))

    assert [row.fields for row in batch(store)] == [{"Score__c": Decimal(90)}]


def test_a_verdict_told_twice_counts_once(store: Store) -> None:
    queue(store, wish())
    (row,) = batch(store)
    settle(store, verdict(row))

    settle(store, verdict(row, "park"))

    with store.reading() as tx:
        assert outbox.sizes(tx) == {}


def test_every_verdict_is_kept_with_what_stood_before(store: Store) -> None:
    with store.writing() as tx:
        run = start_run(tx, "push", at=NOW)
    for score in (80, 90):
        queue(store, wish(score=score))
        settle(store, *(verdict(row) for row in batch(store)), run=run)

    with store.reading() as tx:
        lines = outbox.push_lines(tx, run)

    assert [(line.before, line.after, line.accepted) for line in lines] == [
        (None, {"Score__c": Decimal(80)}, True),
        ({"Score__c": Decimal(80)}, {"Score__c": Decimal(90)}, True),
    ]


def test_a_rollback_queues_what_stood_before_and_holds_what_it_takes_back(store: Store) -> None:
    with store.writing() as tx:
        first, second = start_run(tx, "push", at=NOW), start_run(tx, "push", at=NOW)
    queue(store, wish("1", 80))
    settle(store, *(verdict(row) for row in batch(store)), run=first)
    queue(store, wish("1", 90), wish("2", 90))
    settle(store, *(verdict(row) for row in batch(store)), run=second)

    with store.writing() as tx:
        queued = queue_rollback(tx, second, at=NOW, own_run=first)
        held = held_fields(tx, "sf", "opportunity", "")

    assert queued == {"sf": 2}
    assert {row.remote_id: row.fields for row in batch(store)} == {
        "1": {"Score__c": Decimal(80)},
        "2": {"Score__c": None},
    }
    assert set(held) == {"1", "2"}


def test_a_second_rollback_of_one_run_finds_nothing_to_put_back(store: Store) -> None:
    with store.writing() as tx:
        run, back = start_run(tx, "push", at=NOW), start_run(tx, "rollback", at=NOW)
    queue(store, wish("1", 80))
    settle(store, *(verdict(row) for row in batch(store)), run=run)
    with store.writing() as tx:
        queue_rollback(tx, run, at=NOW, own_run=back)
    settle(store, *(verdict(row) for row in batch(store)), run=back)

    with store.writing() as tx:
        again = queue_rollback(tx, run, at=NOW, own_run=back)

    assert again == {}
    assert batch(store) == []


def test_drift_is_how_many_known_records_would_change(store: Store) -> None:
    queue(store, wish("1"), wish("2"))
    settle(store, *(verdict(row) for row in batch(store)))
    queue(store, wish("2", 5), wish("3"))

    with store.reading() as tx:
        assert drift(tx, "sf", "opportunity", "") == (2, 1)


def test_what_was_accepted_can_be_forgotten(store: Store) -> None:
    queue(store, wish("1"), wish("2"))
    settle(store, *(verdict(row) for row in batch(store)))

    with store.writing() as tx:
        outbox.forget_accepted(tx, "sf", "opportunity", "", ["1"])

    assert set(accepted(store)) == {"2"}


def test_targets_with_work_are_named_once(store: Store) -> None:
    queue(store, wish("1"), wish("2"), wish("3", record="person"))

    with store.reading() as tx:
        assert outbox.pending_targets(tx, "sf") == [("opportunity", ""), ("person", "")]
        assert [row.remote_id for row in outbox.pending(tx, "sf")] == ["1", "2", "3"]


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)


@given(st.dictionaries(st.text(), values))
def test_any_field_set_survives_its_text(fields: dict[str, Value]) -> None:
    assert parse_values(values_text(fields)) == fields


@given(st.dictionaries(st.text(), values))
def test_the_order_of_fields_does_not_show(fields: dict[str, Value]) -> None:
    assert values_text(dict(reversed(fields.items()))) == values_text(fields)


def test_equal_numbers_have_one_spelling() -> None:
    assert values_text({"a": Decimal("1.50")}) == values_text({"a": Decimal("1.5")})


@pytest.mark.parametrize("value", [1.5, {1}, b"x"])
def test_a_value_that_no_crm_field_holds_is_a_bug(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be written to a CRM field"):
        values_text({"a": value})
