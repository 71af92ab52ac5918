"""What new facts touch."""

from datetime import UTC, date, datetime
from decimal import Decimal

from connectors.records import Opportunity, Record, Target
from sync.dirty import find_dirty, mark_clean
from sync.store.engine import Store
from sync.store.versions import save_records

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def saved(store: Store, record: Record, connection: str = "crm") -> None:
    with store.writing() as tx:
        save_records(tx, connection, record.kind_name, [record], recorded_at=NOW, run=None)


def scored(store: Store) -> None:
    with store.writing() as tx:
        mark_clean(tx, find_dirty(tx))


def test_nothing_new_touches_nothing(store: Store) -> None:
    saved(store, Opportunity(remote_id="1", owner_id="eva"))
    scored(store)

    with store.reading() as tx:
        dirty = find_dirty(tx)

    assert dirty.nothing


def test_a_deal_touches_its_owner_before_and_after(store: Store) -> None:
    saved(store, Opportunity(remote_id="1", owner_id="eva"))
    saved(store, Opportunity(remote_id="2", owner_id="max"))
    scored(store)
    saved(store, Opportunity(remote_id="1", owner_id="kim"))

    with store.reading() as tx:
        scope = find_dirty(tx).scope

    assert scope is not None
    assert scope.opportunities == {("crm", "1")}
    assert scope.persons == {("crm", "eva"), ("crm", "kim")}


def test_a_target_touches_everybody_for_it_may_be_a_teams_or_come_under_another_name(store: Store) -> None:
    saved(store, Opportunity(remote_id="1", owner_id="eva"))
    scored(store)
    saved(
        store,
        Target(
            remote_id="t",
            subject_id="eva",
            period_start=date(2026, 4, 1),
            period_end=date(2026, 6, 30),
            amount=Decimal(9),
        ),
        connection="import",
    )

    with store.reading() as tx:
        dirty = find_dirty(tx)

    assert not dirty.nothing
    assert dirty.scope is None
