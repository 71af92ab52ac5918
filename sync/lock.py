"""One service at a time, and one writer of a store at a time: file locks beside a SQLite store, advisory locks in PostgreSQL."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from connectors.errors import ConfigError, ScorebackError
from sync.store.engine import sqlite_path

_INSTANCE_KEY = 0x5C04EBAC
_TURN_KEY = 0x5C04EBAD


class AlreadyRunningError(ScorebackError):
    """Another instance holds the lock."""


@contextmanager
def only_instance(store_url: str) -> Iterator[None]:
    """Holds the store's instance lock. Raises AlreadyRunningError at once where another process has it."""
    with _held(store_url, "lock", _INSTANCE_KEY, None):
        yield


@contextmanager
def turn(store_url: str, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Holds the turn to work on a store: a cycle of the service, or one writing command beside it.

    Where somebody else has it, ``waiting`` is called once, and then it is waited for. A process that dies holds none.
    """
    with _held(store_url, "turn", _TURN_KEY, waiting):
        yield


@contextmanager
def _held(store_url: str, name: str, key: int, waiting: Callable[[], None] | None) -> Iterator[None]:
    path = sqlite_path(store_url)
    if path is not None:
        with _file_lock(path, name, waiting):
            yield
    else:
        with _advisory_lock(store_url, key, waiting):
            yield


@contextmanager
def _file_lock(store: Path, name: str, waiting: Callable[[], None] | None) -> Iterator[None]:
    path = store.with_name(f"{store.name}.{name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)  # what it holds is overwritten
    except OSError as error:
        message = (
            f"{path}: {error.strerror}, so nobody can tell whether another Scoreback works on {store.name}. Give the "
            "store's files and folder to the user who runs scoreback"
        )
        raise ConfigError(message) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                owner = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
                message = f"another Scoreback (process {owner}) works on {store.name}: wait for it, or stop it first"
                raise AlreadyRunningError(message) from None
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        with suppress(OSError):  # who holds it is a courtesy; the lock holds on a full disk too
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode("ascii"))
        yield
    finally:
        os.close(handle)  # closing gives the lock back, also when the process dies


@contextmanager
def _advisory_lock(store_url: str, key: int, waiting: Callable[[], None] | None) -> Iterator[None]:
    try:
        opened = psycopg.connect(store_url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
    except psycopg.Error as error:
        message = f"store.url: the database does not answer ({error}): check the URL, the server and its rights"
        raise ConfigError(message) from error
    with opened as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        if row is None or not row[0]:
            if waiting is None:
                message = "another Scoreback works on this database: wait for it, or stop it first"
                raise AlreadyRunningError(message)
            waiting()
            connection.execute("SELECT pg_advisory_lock(%s)", (key,))
        yield
