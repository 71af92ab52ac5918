"""What a failing disk, file or server becomes: a sentence, and nothing half-written."""

import os
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connectors.errors import ConfigError
from sync.store.engine import Store, open_store
from sync.store.state import get_meta, set_meta
from sync.store.trouble import StoreError


def test_a_full_disk_says_so_and_keeps_what_was_stored(sqlite_store: Store) -> None:
    with sqlite_store.writing() as tx:
        set_meta(tx, "before", "kept")

    def fill() -> None:
        with sqlite_store.writing() as tx:
            pages = int(tx.db.execute(text("PRAGMA page_count")).scalar_one())
            tx.db.execute(text(f"PRAGMA max_page_count = {pages}"))
            set_meta(tx, "large", "x" * 1_000_000)

    with pytest.raises(StoreError, match=r"the disk is full\. Make room"):
        fill()

    with sqlite_store.reading() as tx:
        assert (get_meta(tx, "before"), get_meta(tx, "large")) == ("kept", None)


def test_a_store_that_became_read_only_says_so(sqlite_store: Store) -> None:
    def write() -> None:
        with sqlite_store.writing() as tx:
            tx.db.execute(text("PRAGMA query_only = ON"))
            set_meta(tx, "any", "thing")

    with pytest.raises(StoreError, match="may not be written by this user"):
        write()


def test_a_wrong_statement_stays_an_error_of_ours_and_tells_no_values(sqlite_store: Store) -> None:
    with pytest.raises(DBAPIError) as error, sqlite_store.writing() as tx:
        tx.db.execute(text("SELECT :value FROM no_such_table"), {"value": "4711 EUR"})

    assert "no_such_table" in str(error.value)
    assert "4711" not in str(error.value)


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_store_is_damaged_and_stays_as_it_is(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"no database, but something that somebody may still need" * 100)
    before = path.read_bytes()

    with pytest.raises(StoreError, match="damaged, or no store of ours"):
        open_store(f"sqlite:///{path}", create=create)

    assert path.read_bytes() == before


@pytest.mark.parametrize("locked", ["state.db", "."])
def test_a_store_that_may_not_be_written_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str
) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"")
    # Tests may run as root, who may write everything: the system's answer is what is told here.
    monkeypatch.setattr(os, "access", lambda place, _mode: Path(place) != tmp_path / locked)

    with pytest.raises(ConfigError, match="may not be written by this user"):
        open_store(f"sqlite:///{path}")

    assert [file.name for file in tmp_path.iterdir()] == ["state.db"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"store\.url: .*File exists"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'state.db'}")
