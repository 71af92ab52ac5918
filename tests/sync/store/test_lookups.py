"""Indexes that wait for the end of a first load."""

from datetime import UTC, datetime

from sqlalchemy import inspect, select, text

from connectors.records import Opportunity
from sync.store import lookups, state
from sync.store.engine import Store
from sync.store.tables import newest, table_of
from sync.store.versions import save_records

NOON = datetime(2025, 3, 31, 12, tzinfo=UTC)


def save(store: Store, remote_id: str, *, first: bool = False) -> None:
    with store.writing() as tx:
        records = [Opportunity(remote_id=remote_id)]
        save_records(tx, "sf", "opportunity", records, recorded_at=NOON, run=None, first_load=first)


def test_a_first_load_puts_lookups_off_until_it_has_ended(sqlite_store: Store) -> None:
    def indexes() -> set[str | None]:
        with sqlite_store.reading() as tx:
            return {index["name"] for index in inspect(tx.db).get_indexes("opportunity")}

    before = indexes()
    save(sqlite_store, "1", first=True)
    during = indexes()
    with sqlite_store.writing() as tx:
        where = state.load_state(tx, "sf", "opportunity")
        where.full_done = True
        state.save_state(tx, where)

    assert not {"ix_opportunity_owner", "ix_opportunity_modified"} & during
    assert "uq_opportunity_current" in during
    assert indexes() == before


def test_lookups_stay_where_there_are_rows_already(sqlite_store: Store) -> None:
    save(sqlite_store, "1")

    save(sqlite_store, "2", first=True)

    with sqlite_store.reading() as tx:
        assert "ix_opportunity_owner" in {index["name"] for index in inspect(tx.db).get_indexes("opportunity")}


def test_catching_up_twice_is_catching_up_once(store: Store) -> None:
    with store.writing() as tx:
        lookups.put_off(tx, "change")
        lookups.catch_up(tx)
        lookups.catch_up(tx)

        assert "ix_change_to_owner" in {index["name"] for index in inspect(tx.db).get_indexes("change")}


def test_the_newest_version_of_a_record_is_found_by_an_index_that_holds_newest_versions_only(
    sqlite_store: Store,
) -> None:
    table = table_of("activity")
    asked = select(table.c.seq).where(table.c.connection == "crm", newest(table))
    with sqlite_store.reading() as tx:
        text_of = str(asked.compile(tx.db, compile_kwargs={"literal_binds": True}))

        plan = tx.db.execute(text(f"EXPLAIN QUERY PLAN {text_of}")).all()

    assert "USING INDEX" in plan[0][3] or "USING COVERING INDEX" in plan[0][3]
