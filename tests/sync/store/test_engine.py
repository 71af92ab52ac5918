"""Opening, transactions, permissions, and a schema that is what the tables declare."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from connectors.errors import ConfigError, RetryLaterError
from sync.store import books, engine, state, tables
from sync.store.engine import SCHEMA, Store, Tx, migrate, open_store

Reopen = Callable[[str], Store]


def catalogue(tx: Tx) -> dict[str, object]:
    """Everything a database says of its schema, in an order of its own."""
    inspector = inspect(tx.db)
    found: dict[str, object] = {}
    for table in inspector.get_table_names():
        if table != "alembic_version":
            found[table] = (
                sorted(
                    (c["name"], str(c["type"]), c["nullable"], bool(c.get("default")))
                    for c in inspector.get_columns(table)
                ),
                sorted(inspector.get_pk_constraint(table)["constrained_columns"]),
                sorted((f["constrained_columns"], f["referred_table"]) for f in inspector.get_foreign_keys(table)),
                sorted((u["name"], u["column_names"]) for u in inspector.get_unique_constraints(table)),
            )
    if tx.dialect == "sqlite":
        rows = tx.db.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        numbered = tx.db.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'")
        )
        found["numbered"] = sorted(numbered.scalars())
    else:
        rows = tx.db.execute(
            text(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
        )
    found["indexes"] = {name: re.sub(r"[\s\"]+", " ", sql) for name, sql in rows}
    return found


def test_migrations_build_the_schema_that_the_tables_declare(store: Store, blank_url: str, reopen: Reopen) -> None:
    declared = reopen(blank_url)
    with declared.writing() as tx:
        migrate(tx, "base", back=True)
        SQLModel.metadata.create_all(tx.db)

    with store.reading() as built, declared.reading() as tx:
        found, wanted = catalogue(built), catalogue(tx)

    assert found == wanted
    assert set(found) >= {*tables.ROWS, "outbox", books.PushLog.__tablename__}


def test_the_newest_revision_is_the_one_the_program_knows() -> None:
    from alembic.script import ScriptDirectory

    folder = Path(engine.__file__).parent / "migrations"

    assert ScriptDirectory(str(folder)).get_current_head() == SCHEMA


def test_a_way_back_leaves_nothing_behind(store: Store) -> None:
    with store.writing() as tx:
        migrate(tx, "base", back=True)

        assert inspect(tx.db).get_table_names() == ["alembic_version"]


def test_an_older_schema_is_refused_until_upgraded(store: Store, store_url: str, reopen: Reopen) -> None:
    with store.writing() as tx:
        migrate(tx, "base", back=True)
        tx.db.execute(text("INSERT INTO alembic_version VALUES ('0000')"))

    with pytest.raises(ConfigError, match="go on with the version that made it"):
        open_store(store_url)


def test_a_newer_schema_is_refused(store: Store, store_url: str) -> None:
    with store.writing() as tx:
        tx.db.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match="made by a newer Scoreback"):
        open_store(store_url, upgrade=True)


def test_a_store_that_is_not_there_is_made_only_on_request(blank_url: str, reopen: Reopen) -> None:
    with pytest.raises(ConfigError, match="there is no store"):
        open_store(blank_url, create=False)

    with reopen(blank_url).reading() as tx:
        assert state.load_states(tx) == []


def test_a_database_that_does_not_answer_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not answer"):
        open_store(f"postgresql://nobody@/nothing?host={tmp_path}")


def test_the_files_of_a_store_are_ours_alone(tmp_path: Path, reopen: Reopen) -> None:
    before = os.umask(0)
    try:
        store = reopen(f"sqlite:///{tmp_path / 'state.db'}")
        with store.writing() as tx:
            state.set_meta(tx, "a", "b")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)

    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


def test_a_folder_is_no_store_and_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "others"
    folder.mkdir(mode=0o755)

    with pytest.raises(ConfigError, match="is no file"):
        open_store(f"sqlite:///{folder}")

    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_file_that_others_could_read_is_closed_to_them(sqlite_store: Store, reopen: Reopen) -> None:
    assert sqlite_store.path is not None
    sqlite_store.path.chmod(0o644)

    reopen(f"sqlite:///{sqlite_store.path}")

    assert sqlite_store.path.stat().st_mode & 0o777 == 0o600


def test_an_error_inside_a_transaction_leaves_nothing(store: Store) -> None:
    def fail_half_way() -> None:
        with store.writing() as tx:
            state.set_meta(tx, "half", "done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    with store.reading() as tx:
        assert state.get_meta(tx, "half") is None


def test_a_killed_process_leaves_nothing_of_its_open_transaction(store: Store, store_url: str) -> None:
    program = f"""
import sys
from sync.store import state
from sync.store.engine import open_store
store = open_store({store_url!r})
with store.writing() as tx:
    state.set_meta(tx, "finished", "yes")
with store.writing() as tx:
    state.set_meta(tx, "half", "done")
    print("ready", flush=True)
    sys.stdin.read()
"""
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"

    child.send_signal(signal.SIGKILL)
    child.communicate()

    with store.writing() as tx:
        assert state.get_meta(tx, "finished") == "yes"
        assert state.get_meta(tx, "half") is None


def test_a_reader_sees_one_moment_and_never_waits(store: Store) -> None:
    with store.writing() as tx:
        state.set_meta(tx, "value", "old")
    with store.reading() as reader:
        assert state.get_meta(reader, "value") == "old"

        with store.writing() as writer:
            state.set_meta(writer, "value", "new")
            during = state.get_meta(reader, "value")

        assert (during, state.get_meta(reader, "value")) == ("old", "old")


def test_writers_take_turns(store: Store) -> None:
    def add() -> None:
        for _ in range(20):
            with store.writing() as tx:
                state.set_meta(tx, "count", str(int(state.get_meta(tx, "count") or 0) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.reading() as tx:
        assert state.get_meta(tx, "count") == "80"


def test_two_processes_never_write_at_once(
    store: Store, store_url: str, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_BUSY_SECONDS", 0.2)
    monkeypatch.setattr(engine, "_PRAGMAS", ("PRAGMA busy_timeout = 200",))
    other = reopen(store_url)

    with store.writing() as tx:
        state.set_meta(tx, "mine", "yes")
        with pytest.raises(RetryLaterError, match="another process"), other.writing():
            pytest.fail("two writers at once")


def test_a_writer_inside_a_writer_is_a_bug_not_a_deadlock(store: Store) -> None:
    with store.writing(), pytest.raises(RuntimeError, match="pass its Tx on"), store.writing():
        pytest.fail("it began")


def test_what_must_survive_a_power_cut_waits_for_the_disk(sqlite_store: Store) -> None:
    def level(tx: Tx) -> object:
        return tx.db.execute(text("PRAGMA synchronous")).scalar()

    with sqlite_store.writing(durable=True) as tx:
        durable = level(tx)
    with sqlite_store.writing() as tx:
        usual = level(tx)

    assert (durable, usual) == (2, 1)


def test_a_second_creator_finds_the_store_made(blank_url: str, reopen: Reopen) -> None:
    made: list[Store] = []
    threads = [threading.Thread(target=lambda: made.append(reopen(blank_url))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 6
