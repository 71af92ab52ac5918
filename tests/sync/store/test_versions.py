"""Versions of records: what is stored again, what is not, and what a deletion keeps."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text

from connectors.records import Activity, Change, Opportunity, Record, Split
from sync.store import state
from sync.store.engine import Store
from sync.store.tables import table_of
from sync.store.versions import (
    SaveCounts,
    changed_since,
    count_current,
    current_records,
    ids_of,
    last_seq,
    save_records,
)

NOON = datetime(2025, 3, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def deal(remote_id: str = "1", **values: Any) -> Opportunity:
    return Opportunity(remote_id=remote_id, **values)


def save(
    store: Store, *records: Record, at: datetime = NOON, connection: str = "sf", first: bool = False
) -> SaveCounts:
    with store.writing() as tx:
        return save_records(tx, connection, records[0].kind_name, records, recorded_at=at, run=None, first_load=first)


def versions(store: Store, kind: str = "opportunity") -> Sequence[Any]:
    table = table_of(kind)
    with store.reading() as tx:
        return tx.db.execute(select(table).order_by(table.c.seq)).all()


def current(store: Store, remote_id: str = "1", kind: str = "opportunity") -> Record:
    with store.reading() as tx:
        return current_records(tx, "sf", kind, [remote_id])[remote_id]


def test_the_same_content_twice_is_one_version(store: Store) -> None:
    first = save(store, deal(amount=Decimal("10.50")))

    second = save(store, deal(amount=Decimal("10.5")))

    assert (first, second) == (SaveCounts(new=1), SaveCounts(same=1))
    assert len(versions(store)) == 1


def test_changed_content_is_a_new_version_and_the_old_one_stays(store: Store) -> None:
    save(store, deal(amount=Decimal(10)))

    counts = save(store, deal(amount=Decimal(11)), at=NOON + HOUR)

    assert counts == SaveCounts(changed=1)
    assert [(row.amount, row.current, row.recorded_at) for row in versions(store)] == [
        (Decimal(10), False, NOON),
        (Decimal(11), True, NOON + HOUR),
    ]


def test_an_echo_moves_the_stamp_and_makes_no_version(store: Store) -> None:
    save(store, deal(modified_at=NOON))

    counts = save(store, deal(modified_at=NOON + HOUR))

    (row,) = versions(store)
    assert counts == SaveCounts(same=1)
    assert (row.modified_at, row.stamped_at) == (NOON + HOUR, NOON)


def test_an_unknown_stamp_does_not_overwrite_a_known_one(store: Store) -> None:
    save(store, deal(modified_at=NOON))

    save(store, deal(modified_at=None))

    assert current(store).modified_at == NOON


def test_of_several_rows_with_one_id_the_last_wins(store: Store) -> None:
    counts = save(store, deal(name="early"), deal("2"), deal(name="late"))

    assert counts == SaveCounts(new=2)
    assert current(store) == deal(name="late")


def test_equal_ids_of_two_connections_are_two_records(store: Store) -> None:
    save(store, deal(name="theirs"), connection="hs")

    counts = save(store, deal(name="ours"))

    assert counts == SaveCounts(new=1)


def test_a_deletion_keeps_what_was_known(store: Store) -> None:
    save(store, deal(name="Acme", amount=Decimal(10)))

    counts = save(store, deal(deleted=True, merged_into="2"))

    assert counts == SaveCounts(changed=1)
    assert current(store) == deal(name="Acme", amount=Decimal(10), merged_into="2", deleted=True)


def test_a_deletion_that_names_only_the_id_needs_nothing_else(store: Store) -> None:
    save(store, Split(remote_id="1", opportunity_id="7", person_id="8", kind="overlay"))

    counts = save(store, Split.model_construct(remote_id="1", deleted=True))

    assert counts == SaveCounts(changed=1)
    assert current(store, kind="split") == Split(
        remote_id="1", opportunity_id="7", person_id="8", kind="overlay", deleted=True
    )


def test_a_deletion_told_again_is_no_news(store: Store) -> None:
    save(store, deal(name="Acme"))
    save(store, deal(deleted=True))

    counts = save(store, deal(deleted=True, modified_at=NOON))

    assert counts == SaveCounts(same=1)
    assert current(store).modified_at == NOON


def test_a_deleted_record_that_comes_back_is_a_new_version(store: Store) -> None:
    save(store, deal(name="Acme"))
    save(store, deal(deleted=True))

    counts = save(store, deal(name="Acme"))

    assert counts == SaveCounts(changed=1)
    assert current(store).deleted is False


def test_a_deletion_of_what_we_never_knew_is_ignored(store: Store) -> None:
    counts = save(
        store, Split.model_construct(remote_id="9", deleted=True), Split.model_construct(remote_id="8", deleted=True)
    )

    assert counts == SaveCounts(same=2)
    assert versions(store, "split") == []


def test_a_deleted_record_with_its_content_is_kept_even_if_new(store: Store) -> None:
    counts = save(store, deal(name="Acme", deleted=True))

    assert counts == SaveCounts(new=1)


def test_a_page_and_its_cursor_are_stored_together_or_not_at_all(store: Store) -> None:
    def page(store: Store, *, fail: bool) -> None:
        with store.writing() as tx:
            save_records(tx, "sf", "opportunity", [deal()], recorded_at=NOON, run=None)
            where = state.load_state(tx, "sf", "opportunity")
            where.resume = "page 2"
            state.save_state(tx, where)
            if fail:
                raise ConnectionError

    with pytest.raises(ConnectionError):
        page(store, fail=True)
    with store.reading() as tx:
        after_failure = (ids_of(tx, "sf", "opportunity"), state.load_state(tx, "sf", "opportunity").resume)
    page(store, fail=False)
    with store.reading() as tx:
        after_success = (ids_of(tx, "sf", "opportunity"), state.load_state(tx, "sf", "opportunity").resume)

    assert after_failure == (set(), None)
    assert after_success == ({"1"}, "page 2")


def test_a_window_counts_what_was_modified_in_it_and_is_still_there(store: Store) -> None:
    calls = [Activity(remote_id=str(hour), kind="call", modified_at=NOON + hour * HOUR) for hour in range(5)]
    save(store, *calls, Activity(remote_id="mail", kind="email", modified_at=NOON))
    save(store, Activity(remote_id="1", kind="call", modified_at=NOON + HOUR, deleted=True))

    with store.reading() as tx:
        both = count_current(tx, "sf", "activity", NOON, NOON + 3 * HOUR)
        only = count_current(tx, "sf", "activity", NOON, NOON + 3 * HOUR, only={"kind": "call"})

    assert (both, only) == (3, 2)


def test_ids_leave_out_what_is_gone(store: Store) -> None:
    save(store, deal("1"), deal("2"), deal("3", name="Acme"))
    save(store, deal("3", deleted=True))

    with store.reading() as tx:
        assert ids_of(tx, "sf", "opportunity") == {"1", "2"}


def test_versions_since_a_watermark_name_what_they_touch(store: Store) -> None:
    save(store, Activity(remote_id="1", kind="call", opportunity_id="A"))
    with store.reading() as tx:
        seen = last_seq(tx, "activity")
    save(store, Activity(remote_id="1", kind="call", opportunity_id="B"))
    save(store, Activity(remote_id="2", kind="call", opportunity_id="C"))

    with store.reading() as tx:
        touched = changed_since(tx, "activity", seen, also=("opportunity_id",))

    assert touched == [("sf", "1", "B"), ("sf", "2", "C")]


def test_a_kind_without_versions_has_the_number_nought(store: Store) -> None:
    with store.reading() as tx:
        assert last_seq(tx, "rating") == 0


def test_two_current_versions_of_one_record_are_refused_by_the_database(store: Store) -> None:
    from sqlalchemy.exc import IntegrityError

    save(store, deal())

    with pytest.raises(IntegrityError), store.writing() as tx:
        tx.db.execute(
            text(
                "INSERT INTO opportunity (remote_id, deleted, connection, recorded_at, content_hash, current, first_load) SELECT remote_id, deleted, connection, recorded_at, content_hash, current, first_load FROM opportunity"
            )
        )


def test_two_pages_of_one_window_are_counted_together() -> None:
    assert SaveCounts(1, 2, 3) + SaveCounts(1, 1, 1) == SaveCounts(2, 3, 4)


def test_a_change_row_is_known_by_its_own_id(store: Store) -> None:
    row = Change(remote_id="c1", record="opportunity", record_id="1", field="stage", new="Won", at=NOON)
    save(store, row)

    assert save(store, row) == SaveCounts(same=1)
