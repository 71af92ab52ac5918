"""Rows that could not be understood: noted with the reason, forgotten when they are read well."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from sync.store import driver
from sync.store.books import Unreadable
from sync.store.engine import Tx
from sync.store.state import book, upsert


def note_unreadable(
    tx: Tx, connection: str, stream: str, reasons: Mapping[str, str], *, at: datetime, run: int | None
) -> None:
    """Keeps why each row, by remote id, was left out."""
    rows = [
        {"connection": connection, "stream": stream, "remote_id": remote_id, "text": text, "at": at, "run": run}
        for remote_id, text in reasons.items()
    ]
    if rows:
        upsert(tx, Unreadable, *rows)


def forget_unreadable(tx: Tx, connection: str, stream: str, ids: Iterable[str]) -> None:
    """Drops what was noted of rows that are read well now."""
    one = driver.mark(tx.dialect)
    cursor = tx.cursor()
    look = f"SELECT 1 FROM unreadable WHERE connection = {one} AND stream = {one} LIMIT 1"  # noqa: S608 - our own words
    cursor.execute(look, (connection, stream))
    if cursor.fetchone() is None:
        return  # the common case costs one look
    table = book(Unreadable)
    statement = delete(table).where(
        table.c.connection == connection, table.c.stream == stream, table.c.remote_id == bindparam("row")
    )
    tx.db.execute(statement, [{"row": remote_id} for remote_id in ids])


def unreadable_ids(tx: Tx, connection: str, stream: str) -> set[str]:
    """Ids of the rows that were left out of one stream."""
    table = book(Unreadable)
    statement = select(table.c.remote_id).where(table.c.connection == connection, table.c.stream == stream)
    return set(tx.db.execute(statement).scalars())


def all_unreadable(tx: Tx) -> list[Unreadable]:
    """Everything that was left out, by connection and stream."""
    table = book(Unreadable)
    rows = tx.db.execute(select(table).order_by(table.c.connection, table.c.stream, table.c.remote_id)).mappings()
    return [Unreadable(**row) for row in rows]
