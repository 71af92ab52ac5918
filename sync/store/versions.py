"""Versions of records: a new one is stored only if the business content changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from connectors.mapping import content_hash
from connectors.records import RECORDS, Record
from sync.store import lookups
from sync.store.codec import Codec, codec, stated
from sync.store.engine import Tx
from sync.store.tables import newest, table_of

_CHUNK = 10_000
_BARE = {"remote_id", "modified_at", "deleted"}
_Known = tuple[int, str, Any]
"""A current version: its number, content hash and stored ``modified_at``."""


@dataclass(frozen=True, slots=True)
class SaveCounts:
    """What became of some records: never seen before, changed (a deletion is a change), or known as they are."""

    new: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: "SaveCounts") -> "SaveCounts":
        return SaveCounts(self.new + other.new, self.changed + other.changed, self.same + other.same)


@dataclass(slots=True)
class _Plan:
    """What one call is going to write."""

    codec: Codec
    before: tuple[str, Any]
    after: tuple[bool, int | None]
    inserts: list[tuple[Any, ...]] = field(default_factory=list)
    retired: list[int] = field(default_factory=list)
    stamps: list[tuple[Any, int]] = field(default_factory=list)
    same: int = 0

    def add(self, record: Record, known: _Known | None) -> None:
        """A record as the CRM holds it now."""
        digest = content_hash(record)
        if known is not None and known[1] == digest:
            self._leave(record, known)
        else:
            self._insert(self.codec.row(record.__dict__), digest, known)

    def add_deleted(self, record: Record, known: _Known | None, last: Sequence[Any] | None) -> None:
        """A record that is gone: what it does not state itself is taken from its last version."""
        said = stated(record)
        if last is None and not self._is_told(record, said):
            self.same += 1
            return
        names = self.codec.fields
        row = self.codec.row({**dict.fromkeys(names), **(record.__dict__ if last is None else said)})
        if last is not None:
            row = [ours if name in said else theirs for name, ours, theirs in zip(names, row, last, strict=True)]
        if known is not None and last is not None and self._without_stamp(row) == self._without_stamp(last):
            self._leave(record, known)
        else:
            self._insert(row, content_hash(record), known)

    def _is_told(self, record: Record, said: Mapping[str, Any]) -> bool:
        needed = (name for name, field in type(record).model_fields.items() if field.is_required())
        return not said.keys() <= _BARE and all(record.__dict__.get(name) is not None for name in needed)

    def _without_stamp(self, row: Sequence[Any]) -> list[Any]:
        return [*row[: self.codec.modified], *row[self.codec.modified + 1 :]]

    def _leave(self, record: Record, known: _Known) -> None:
        self.same += 1
        if record.modified_at is not None:
            stamp = self.codec.moment(record.modified_at)
            if stamp != known[2]:
                self.stamps.append((stamp, known[0]))

    def _insert(self, row: list[Any], digest: str, known: _Known | None) -> None:
        if known is not None:
            self.retired.append(known[0])
        stamp = row[self.codec.modified]
        self.inserts.append((*self.before, digest, True, *self.after, stamp, *row))


def save_records(
    tx: Tx,
    connection: str,
    kind: str,
    records: Sequence[Record],
    *,
    recorded_at: datetime,
    run: int | None,
    first_load: bool = False,
) -> SaveCounts:
    """Stores what is new among some records of one kind; of several with one id the last wins.

    Equal content only moves the stored ``modified_at``. A deleted record keeps what was known of it: what it does not state
    is copied from the version before. One that we never knew, of which only the id is told, is ignored.
    """
    prepared = codec(kind, tx.dialect)
    latest = {record.remote_id: record for record in records}
    if first_load:
        lookups.put_off(tx, kind)
    cursor = tx.cursor()
    plan = _Plan(prepared, (connection, prepared.moment(recorded_at)), (first_load, run))
    known = _known(cursor, prepared, connection, list(latest))
    for record in latest.values():
        if not record.deleted:
            plan.add(record, known.get(record.remote_id))
    gone = [record for record in latest.values() if record.deleted]
    if gone:
        last = _last_rows(cursor, prepared, connection, [record.remote_id for record in gone])
        for record in gone:
            plan.add_deleted(record, known.get(record.remote_id), last.get(record.remote_id))
    _write(cursor, plan)
    cursor.close()
    return SaveCounts(len(plan.inserts) - len(plan.retired), len(plan.retired), plan.same)


def _known(cursor: Any, prepared: Codec, connection: str, ids: Sequence[str]) -> dict[str, _Known]:
    cursor.execute(
        f'SELECT remote_id, seq, content_hash, modified_at FROM "{prepared.kind}" '  # noqa: S608 - a kind, not input
        f"WHERE connection = {prepared.mark} AND current AND {prepared.among('remote_id')}",
        (connection, prepared.listed(ids)),
    )
    return {remote_id: (seq, digest, modified) for remote_id, seq, digest, modified in cursor}


def _last_rows(cursor: Any, prepared: Codec, connection: str, ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in prepared.fields)
    cursor.execute(
        f'SELECT {names} FROM "{prepared.kind}" '  # noqa: S608 - a kind and its fields, not input
        f"WHERE connection = {prepared.mark} AND current AND {prepared.among('remote_id')}",
        (connection, prepared.listed(ids)),
    )
    return {row[0]: row for row in cursor}


def _write(cursor: Any, plan: _Plan) -> None:
    prepared, mark = plan.codec, plan.codec.mark
    if plan.retired:  # first, for two current versions of one record are refused
        cursor.executemany(
            f'UPDATE "{prepared.kind}" SET current = {prepared.mark} WHERE seq = {mark}',  # noqa: S608 - a kind, not input
            [(False, seq) for seq in plan.retired],
        )
    if plan.inserts:
        cursor.executemany(prepared.insert, plan.inserts)
    if plan.stamps:
        cursor.executemany(
            f'UPDATE "{prepared.kind}" SET modified_at = {mark} WHERE seq = {mark}',  # noqa: S608 - a kind, not input
            plan.stamps,
        )


def current_records(tx: Tx, connection: str, kind: str, ids: Sequence[str]) -> dict[str, Record]:
    """The newest version of some records as records, by id; ids that we never saw are left out."""
    table, record = table_of(kind), RECORDS[kind]
    names = list(record.model_fields)
    found: dict[str, Record] = {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        statement = select(*(table.c[name] for name in names)).where(
            table.c.connection == connection, newest(table), table.c.remote_id.in_(chunk)
        )
        for row in tx.db.execute(statement):
            found[row.remote_id] = record.model_construct(**dict(zip(names, row, strict=True)))
    return found


def count_current(
    tx: Tx,
    connection: str,
    kind: str,
    modified_from: datetime,
    modified_to: datetime,
    *,
    only: Mapping[str, object] | None = None,
) -> int:
    """How many records that are not deleted were last modified in ``[modified_from, modified_to)``.

    ``only`` narrows it to rows with these field values, where several streams fill one kind: ``{"kind": "call"}``.
    """
    table = table_of(kind)
    statement = select(func.count()).where(
        table.c.connection == connection,
        newest(table),
        table.c.modified_at >= modified_from,
        table.c.modified_at < modified_to,
        table.c.deleted.is_(False),
        *(table.c[name] == value for name, value in (only or {}).items()),
    )
    return int(tx.db.execute(statement).scalar_one())


def ids_of(tx: Tx, connection: str, kind: str, *, only: Mapping[str, object] | None = None) -> set[str]:
    """Ids of all records of a kind that are not deleted; ``only`` those with a field's value, or one of a set of them."""
    table = table_of(kind)
    statement = select(table.c.remote_id).where(
        table.c.connection == connection,
        newest(table),
        table.c.deleted.is_(False),
        *(
            table.c[name].in_(value) if isinstance(value, frozenset) else table.c[name] == value
            for name, value in (only or {}).items()
        ),
    )
    return set(tx.db.execute(statement).scalars())


def last_seq(tx: Tx, kind: str) -> int:
    """Number of the newest version of a kind; 0 for none."""
    return int(tx.db.execute(select(func.max(table_of(kind).c.seq))).scalar() or 0)


def changed_since(tx: Tx, kind: str, seq: int, *, also: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """``(connection, remote_id, *also)`` of every version stored after ``seq``, oldest first.

    ``also`` names fields that say what else the version touches: the ``opportunity_id`` of an activity, say.
    """
    table = table_of(kind)
    columns = [table.c.connection, table.c.remote_id, *(table.c[name] for name in also)]
    rows = tx.db.execute(select(*columns).where(table.c.seq > seq).order_by(table.c.seq))
    return [tuple(row) for row in rows]
