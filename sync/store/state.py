"""The service's books: stream states, runs, watermarks, allowance, audit and facts about the store."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Insert, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from sync.store import lookups
from sync.store.books import AllowanceUse, Audit, Meta, Run, StreamState, Watermark
from sync.store.engine import Dialect, Tx


def book(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of one of our own books."""
    return cast("Table", model.__table__)  # type: ignore[attr-defined] # set by SQLModel where table=True


def upsert(tx: Tx, model: type[SQLModel], *rows: Mapping[str, Any]) -> None:
    """Writes rows whole, over those that have the same primary key."""
    if rows:
        tx.db.execute(_upsert(model, tx.dialect), list(rows))


@cache
def _upsert(model: type[SQLModel], dialect: Dialect) -> Insert:
    table = book(model)
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    rest = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    overwriting: Insert = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)
    return overwriting


def values_of(row: SQLModel) -> dict[str, Any]:
    """A row's columns by name."""
    return {name: getattr(row, name) for name in type(row).model_fields}


def load_state(tx: Tx, connection: str, stream: str) -> StreamState:
    """Where a stream stands; a blank state for one never read."""
    table = book(StreamState)
    row = (
        tx.db.execute(select(table).where(table.c.connection == connection, table.c.stream == stream))
        .mappings()
        .first()
    )
    return StreamState(**row) if row else StreamState(connection=connection, stream=stream)


def load_states(tx: Tx, connection: str | None = None) -> list[StreamState]:
    """Where all streams stand, of one connection or of all, in the order of their names."""
    table = book(StreamState)
    statement = select(table).order_by(table.c.connection, table.c.stream)
    if connection is not None:
        statement = statement.where(table.c.connection == connection)
    return [StreamState(**row) for row in tx.db.execute(statement).mappings()]


def save_state(tx: Tx, state: StreamState) -> None:
    """Stores where a stream stands: in the transaction of the rows that it covers."""
    upsert(tx, StreamState, values_of(state))
    if state.full_done and state.window_end is None:
        lookups.catch_up(tx)


def start_run(tx: Tx, command: str, *, at: datetime, connection: str | None = None, process: str | None = None) -> int:
    """Opens a run and gives its number."""
    row = {"command": command, "connection": connection, "started_at": at, "status": "running", "process": process}
    return int(tx.db.execute(insert(book(Run)).returning(book(Run).c.id), row).scalar_one())


def end_run(tx: Tx, run: int, *, at: datetime, status: str, summary: Mapping[str, Any] | None = None) -> None:
    """Closes a run. ``status``: done, partly or failed."""
    table = book(Run)
    tx.db.execute(update(table).where(table.c.id == run).values(ended_at=at, status=status, summary=summary))


def close_interrupted(tx: Tx) -> None:
    """Marks runs that a killed process left open. For the holder of the instance lock only."""
    table = book(Run)
    tx.db.execute(update(table).where(table.c.status == "running").values(status="interrupted"))


def runs(tx: Tx, *, limit: int = 20) -> list[Run]:
    """The latest runs, newest first."""
    table = book(Run)
    return [Run(**row) for row in tx.db.execute(select(table).order_by(table.c.id.desc()).limit(limit)).mappings()]


def get_watermark(tx: Tx, name: str, connection: str = "") -> int:
    """The newest version that reader ``name`` has seen; 0 for none."""
    table = book(Watermark)
    statement = select(table.c.seq).where(table.c.name == name, table.c.connection == connection)
    return int(tx.db.execute(statement).scalar() or 0)


def set_watermark(tx: Tx, name: str, seq: int, connection: str = "") -> None:
    """Notes the newest version that reader ``name`` has seen."""
    upsert(tx, Watermark, {"name": name, "connection": connection, "seq": seq})


def used_calls(tx: Tx, key: str, day: date) -> int:
    """Our own calls of a day through one sign-in."""
    table = book(AllowanceUse)
    return int(tx.db.execute(select(table.c.calls).where(table.c.key == key, table.c.day == day)).scalar() or 0)


def save_calls(tx: Tx, key: str, day: date, calls: int) -> None:
    """Notes our own calls of a day through one sign-in. A lower number than the stored one is an older count: it is dropped."""
    upsert(tx, AllowanceUse, {"key": key, "day": day, "calls": max(calls, used_calls(tx, key, day))})


def note(tx: Tx, who: str, action: str, *, at: datetime, details: Mapping[str, Any] | None = None) -> None:
    """Adds a line to the audit trail."""
    tx.db.execute(insert(book(Audit)), {"at": at, "who": who, "action": action, "details": details})


def notes(tx: Tx, *, limit: int = 100) -> list[Audit]:
    """The latest lines of the audit trail, newest first."""
    table = book(Audit)
    return [Audit(**row) for row in tx.db.execute(select(table).order_by(table.c.id.desc()).limit(limit)).mappings()]


def get_meta(tx: Tx, key: str) -> str | None:
    """A fact about the store."""
    table = book(Meta)
    return cast("str | None", tx.db.execute(select(table.c.value).where(table.c.key == key)).scalar())


def set_meta(tx: Tx, key: str, value: str | None) -> None:
    """Notes a fact about the store; None forgets it."""
    table = book(Meta)
    if value is None:
        tx.db.execute(delete(table).where(table.c.key == key))
    else:
        upsert(tx, Meta, {"key": key, "value": value})
