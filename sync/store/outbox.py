"""What waits to be written into a CRM, what it has accepted, and every verdict it gave."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connectors.base import Value, WriteTarget
from sync.store import driver
from sync.store.books import Outbox, Pushed, PushLog, Subject
from sync.store.engine import Tx
from sync.store.state import book
from sync.store.values import Values, stored_text

_CHUNK = 5_000
_Key = tuple[str, str, str, str]
"""Connection, record, target and remote id."""

ROLLBACK = "rollback of run"
"""How the digest of a wish begins that puts back what stood before."""


def target_text(target: WriteTarget) -> str:
    """How a write target is spelled in the store: empty for fields of the record itself, else ``object/key``."""
    return "" if target.into is None else f"{target.into}/{target.key or ''}"


@dataclass(frozen=True, slots=True)
class Queued:
    """A field set that we want one record of a CRM to have. Equal wishes have equal digests."""

    connection: str
    record: Subject
    target: str
    remote_id: str
    fields: Values
    digest: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one outbox row, named by its ``id`` and the ``digest`` that was sent.

    ``outcome``: ``accepted``; ``retry`` not before ``next_try_at``; ``park`` until a person acts; ``gone`` with its
    record. ``before`` is what the CRM held; None takes what it last accepted.
    """

    id: int
    digest: str
    outcome: Literal["accepted", "retry", "park", "gone"]
    code: str | None = None
    text: str | None = None
    next_try_at: datetime | None = None
    before: Values | None = None


def queue(tx: Tx, rows: Sequence[Queued], *, at: datetime, run: int | None) -> int:
    """Puts wishes into the outbox, each over an older wish for the same record; gives how many changed something.

    A parked row stays parked while the wish is the same one: what a CRM refuses is not sent again unless it changed.
    """
    if not rows:
        return 0
    table = book(Outbox)
    statement = (postgresql if tx.dialect == "postgresql" else sqlite).insert(table)
    fresh = ("fields", "digest", "created_at", "run", "attempts", "next_try_at", "state", "code", "text")
    statement = statement.on_conflict_do_update(
        index_elements=["connection", "record", "remote_id", "target"],
        set_={name: statement.excluded[name] for name in fresh},
    )
    blank = {
        "created_at": at,
        "run": run,
        "attempts": 0,
        "next_try_at": None,
        "state": "pending",
        "code": None,
        "text": None,
    }
    wanted: dict[_Key, Queued] = {(row.connection, row.record, row.target, row.remote_id): row for row in rows}
    waiting = _by_key(tx, wanted, "outbox", "digest")
    news = [row for key, row in wanted.items() if row.digest != waiting.get(key)]
    if news:
        tx.db.execute(statement, [{**_plain(row), **blank} for row in news])
    return len(news)


def _plain(row: Queued) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("connection", "record", "target", "remote_id", "fields", "digest")}


def _by_key(tx: Tx, keys: Iterable[_Key], table: str, column: str) -> dict[_Key, str]:
    """One text column of the outbox, or of what was accepted, for some records."""
    ids: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for *place, remote_id in keys:
        ids[place[0], place[1], place[2]].append(remote_id)
    cursor, one = tx.cursor(), driver.mark(tx.dialect)
    statement = (
        f"SELECT remote_id, {column} FROM {table} "  # noqa: S608 - our own words
        f"WHERE connection = {one} AND record = {one} AND target = {one} AND {driver.among('remote_id', tx.dialect)}"
    )
    found: dict[_Key, str] = {}
    for where, names in ids.items():
        cursor.execute(statement, (*where, driver.listed(names, tx.dialect)))
        found.update({(*where, remote_id): value for remote_id, value in cursor})
    return found


def withdraw(tx: Tx, ids: Sequence[int]) -> None:
    """Takes wishes back: what the CRM holds is right again."""
    if ids:
        among = driver.among("id", tx.dialect)
        tx.cursor().execute(f"DELETE FROM outbox WHERE {among}", (driver.listed(ids, tx.dialect),))  # noqa: S608 - our own words


class Waiting(NamedTuple):
    """A wish that waits to be written."""

    id: int
    connection: str
    record: Subject
    target: str
    remote_id: str
    fields: Values
    digest: str
    attempts: int
    state: str
    code: str | None
    text: str | None


@cache
def _waiting() -> Select[Any]:
    table = book(Outbox)
    return select(*(table.c[name] for name in Waiting._fields)).where(table.c.state == "pending").order_by(table.c.id)


@cache
def _next() -> Select[Any]:
    table = book(Outbox)
    mine = (table.c[name] == bindparam(f"its_{name}") for name in ("connection", "record", "target"))
    due = or_(table.c.next_try_at.is_(None), table.c.next_try_at <= bindparam("now"))
    return _waiting().where(*mine, due).limit(bindparam("most"))


def next_batch(tx: Tx, connection: str, record: Subject, target: str, limit: int, now: datetime) -> list[Waiting]:
    """The oldest wishes for one target whose time has come."""
    asked = {"its_connection": connection, "its_record": record, "its_target": target, "now": now, "most": limit}
    return [Waiting(*row) for row in tx.db.execute(_next(), asked)]


def pending_targets(tx: Tx, connection: str) -> list[tuple[Subject, str]]:
    """Record kinds and targets of a connection for which something is pending."""
    table = book(Outbox)
    statement = select(table.c.record, table.c.target).where(
        table.c.connection == connection, table.c.state == "pending"
    )
    return [(row.record, row.target) for row in tx.db.execute(statement.distinct().order_by("record", "target"))]


def waiting_ids(tx: Tx, connection: str, record: Subject, target: str, ids: Sequence[str]) -> dict[str, int]:
    """Numbers of the pending rows of some records, by remote id (or key)."""
    table = book(Outbox)
    mine = and_(table.c.connection == connection, table.c.record == record, table.c.target == target)
    found: dict[str, int] = {}
    for start in range(0, len(ids), _CHUNK):
        part = and_(mine, table.c.state == "pending", table.c.remote_id.in_(ids[start : start + _CHUNK]))
        found.update(tx.db.execute(select(table.c.remote_id, table.c.id).where(part)).all())
    return found


def pending(tx: Tx, connection: str) -> list[Waiting]:
    """Everything of a connection that waits to be written, oldest first."""
    mine = book(Outbox).c.connection == connection
    return [Waiting(*row) for row in tx.db.execute(_waiting().where(mine))]


def parked(tx: Tx, connection: str | None = None) -> list[Outbox]:
    """Refused wishes, with the CRM's own code and text."""
    table = book(Outbox)
    statement = select(table).where(table.c.state == "parked").order_by(table.c.id)
    if connection is not None:
        statement = statement.where(table.c.connection == connection)
    return [Outbox(**row) for row in tx.db.execute(statement).mappings()]


def unpark(tx: Tx, connection: str | None = None) -> int:
    """Makes parked wishes pending again; gives their number."""
    table = book(Outbox)
    statement = update(table).where(table.c.state == "parked").values(state="pending", attempts=0, next_try_at=None)
    if connection is not None:
        statement = statement.where(table.c.connection == connection)
    return tx.db.execute(statement).rowcount


def sizes(tx: Tx) -> dict[tuple[str, str], int]:
    """Number of wishes by connection and state."""
    table = book(Outbox)
    statement = select(table.c.connection, table.c.state, func.count()).group_by(table.c.connection, table.c.state)
    return {(connection, state): count for connection, state, count in tx.db.execute(statement)}


def settle(tx: Tx, verdicts: Sequence[Verdict], *, at: datetime, run: int | None) -> None:
    """Books a CRM's verdicts. A wish that was replaced after it had been sent stays in the outbox for its own turn.

    Field sets go from book to book as text, unread: every pushed record passes here.
    """
    sent = _sent(tx, [verdict.id for verdict in verdicts])
    known = [(verdict, sent[verdict.id]) for verdict in verdicts if verdict.id in sent]
    known = [(verdict, row) for verdict, row in known if verdict.digest == row.digest]
    if not known:
        return
    stood = _by_key(tx, [row.key for _, row in known], "pushed", "fields")
    moment, cursor = driver.moment(at, tx.dialect), tx.cursor()
    lines = [_log_line(verdict, row, stood.get(row.key), moment, run) for verdict, row in known]
    cursor.executemany(driver.insert_sql(PushLog, tx.dialect, _LOG), lines)
    accepted = [(*row.key, row.fields, moment, run) for verdict, row in known if verdict.outcome == "accepted"]
    if accepted:
        cursor.executemany(driver.insert_sql(Pushed, tx.dialect, _ACCEPTED, over=True), accepted)
    withdraw(tx, [verdict.id for verdict, _ in known if verdict.outcome in ("accepted", "gone")])
    _postpone(tx, [verdict for verdict, _ in known if verdict.outcome in ("retry", "park")])


_LOG = (
    "connection", "record", "target", "remote_id", "before", "after", "digest", "accepted", "code", "text", "at", "run",
)  # fmt: skip
_ACCEPTED = ("connection", "record", "target", "remote_id", "fields", "accepted_at", "run")


class _Sent(NamedTuple):
    """An outbox row that a verdict speaks of; ``fields`` as the text in the store."""

    key: _Key
    fields: str
    digest: str


def _sent(tx: Tx, ids: Sequence[int]) -> dict[int, _Sent]:
    cursor = tx.cursor()
    cursor.execute(
        "SELECT id, connection, record, target, remote_id, fields, digest FROM outbox "  # noqa: S608 - our own words
        f"WHERE {driver.among('id', tx.dialect)}",
        (driver.listed(ids, tx.dialect),),
    )
    return {
        number: _Sent((connection, record, target, remote_id), fields, digest)
        for number, connection, record, target, remote_id, fields, digest in cursor
    }


def _log_line(verdict: Verdict, row: _Sent, stood: str | None, moment: Any, run: int | None) -> tuple[Any, ...]:
    before = stood if verdict.before is None else stored_text(verdict.before)
    accepted = verdict.outcome == "accepted"
    return (*row.key, before, row.fields, row.digest, accepted, verdict.code, verdict.text, moment, run)


def _postpone(tx: Tx, verdicts: Sequence[Verdict]) -> None:
    rows = [
        (
            driver.moment(verdict.next_try_at, tx.dialect) if verdict.next_try_at else None,
            "parked" if verdict.outcome == "park" else "pending",
            verdict.code,
            verdict.text,
            verdict.id,
        )
        for verdict in verdicts
    ]
    if rows:
        one = driver.mark(tx.dialect)
        tx.cursor().executemany(
            f"UPDATE outbox SET attempts = attempts + 1, next_try_at = {one}, state = {one}, code = {one}, text = {one} "  # noqa: S608 - our own words
            f"WHERE id = {one}",
            rows,
        )


def accepted_fields(
    tx: Tx, connection: str, record: Subject, target: str, ids: Sequence[str] | None = None
) -> dict[str, dict[str, Value]]:
    """What the CRM last accepted for some records, or for all, by remote id (or key)."""
    table = book(Pushed)
    mine = and_(table.c.connection == connection, table.c.record == record, table.c.target == target)
    statement = select(table.c.remote_id, table.c.fields).where(mine)
    parts = [statement]
    if ids is not None:
        chunks = (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
        parts = [statement.where(table.c.remote_id.in_(chunk)) for chunk in chunks]
    return {row.remote_id: row.fields for part in parts for row in tx.db.execute(part)}


def forget_accepted(tx: Tx, connection: str, record: Subject, target: str, ids: Sequence[str]) -> None:
    """Forgets what a CRM accepted for records that are gone, or whose fields somebody else has changed."""
    table = book(Pushed)
    mine = and_(table.c.connection == connection, table.c.record == record, table.c.target == target)
    if ids:
        tx.db.execute(
            delete(table).where(mine, table.c.remote_id == bindparam("gone")), [{"gone": name} for name in ids]
        )


def push_lines(tx: Tx, run: int) -> list[PushLog]:
    """Every verdict of one run, in order."""
    table = book(PushLog)
    return [
        PushLog(**row) for row in tx.db.execute(select(table).where(table.c.run == run).order_by(table.c.id)).mappings()
    ]
