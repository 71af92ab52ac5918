"""What a database says when it cannot go on, in words for people."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from connectors.errors import ScorebackError

_SQLITE = {
    sqlite3.SQLITE_FULL: "the disk is full. Make room and run it again; what was stored before stays",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written ({said}): it is full, over a limit of its user, or failing. "
    "Look at it and run it again; what was stored before stays",
    sqlite3.SQLITE_READONLY: "it may not be written by this user ({said}). Give it, the files beside it and its folder to "
    "the user who runs scoreback",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened ({said}). Give it, the files beside it and its folder to the user who "
    "runs scoreback",
    sqlite3.SQLITE_CORRUPT: "it is damaged ({said}). Put a copy of it back, or move it away: scoreback pull makes a new one",
    sqlite3.SQLITE_NOTADB: "it is damaged, or no store of ours ({said}). Put a copy of it back, or move it away: "
    "scoreback pull makes a new one",
}
"""By SQLite's primary result code, https://www.sqlite.org/rescode.html."""


class StoreError(ScorebackError):
    """The store cannot be read or written. Nothing of the transaction at hand was kept, everything before it was."""


@contextmanager
def store_trouble(where: str) -> Iterator[None]:
    """Turns what a driver says about disks, files and servers into a StoreError; a wrong statement stays what it is."""
    try:
        yield
    except _said_by_a_driver() as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        text = _text(said)
        if text is None:
            raise
        # Not chained: the driver's own text may hold the values of a row.
        raise StoreError(f"{where}: {text}") from None


def is_busy(error: DBAPIError) -> bool:
    """Whether another process kept the turn for longer than we wait."""
    said = error.orig
    if isinstance(said, sqlite3.Error):
        return is_locked(said)
    import psycopg

    return isinstance(said, psycopg.errors.LockNotAvailable)


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another connection to the file stood in the way."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the upper bytes say more than we need


def _text(said: object) -> str | None:
    if isinstance(said, sqlite3.Error):
        text = _SQLITE.get(_code(said))
        return text and text.format(said=said)
    import psycopg

    if isinstance(said, psycopg.OperationalError) and not isinstance(said, psycopg.errors.LockNotAvailable):
        first = (str(said).splitlines() or ["no answer"])[0]
        return (
            f"the database does not go on ({first}). Look at the server and run it again; what was stored before stays"
        )
    return None


def _said_by_a_driver() -> tuple[type[Exception], ...]:
    """What drivers raise. Psycopg takes long to import, and without it in use nothing of it can be raised."""
    psycopg = sys.modules.get("psycopg")
    return (DBAPIError, sqlite3.Error) if psycopg is None else (DBAPIError, sqlite3.Error, psycopg.Error)
