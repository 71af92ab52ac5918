"""Versions of records as evidence: which row of the store said what, since when, under which content hash."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connectors.records import RECORDS
from sync.plans import fingerprint
from sync.store.engine import Tx
from sync.store.scope import Subject, by_connection
from sync.store.tables import newest, table_of

_LIST = 5_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """One version of one record. ``said`` holds what differs from the version before; for a first one all it says."""

    kind: str
    connection: str
    remote_id: str
    seq: int
    recorded_at: datetime
    content_hash: str
    current: bool
    first_load: bool
    said: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def versions(
    tx: Tx, kind: str, subjects: Iterable[Subject], *, column: str = "remote_id", past: bool = True
) -> list[Evidence]:
    """Every version (or only the current one) of the records whose ``column`` is among some ids, oldest first."""
    table = table_of(kind)
    found: list[Evidence] = []
    for connection, ids in by_connection(subjects).items():
        for start in range(0, len(ids), _LIST):
            mine = [table.c.connection == connection, table.c[column].in_(ids[start : start + _LIST])]
            if not past or column != "remote_id":
                mine.append(newest(table))
            rows = tx.db.execute(select(table).where(*mine).order_by(table.c.remote_id, table.c.seq)).mappings()
            found += _told(kind, list(rows))
    return sorted(found, key=lambda version: version.seq)


def _told(kind: str, rows: Sequence[Any]) -> list[Evidence]:
    fields = RECORDS[kind].model_fields
    found = []
    before: dict[str, Any] = {}
    for row in rows:
        now = {name: row[name] for name in fields}
        same_record = before.get("remote_id") == now["remote_id"]
        said = {
            name: value
            for name, value in now.items()
            if (value != before.get(name) if same_record else value is not None and value is not False)
        }
        before = now
        found.append(
            Evidence(
                kind, row["connection"], row["remote_id"], row["seq"], row["recorded_at"], row["content_hash"],
                row["current"], row["first_load"], said,
            )
        )  # fmt: skip
    return found


def hash_of(evidence: Iterable[Evidence]) -> str:
    """A hash over what the current versions say, whatever order they were read in or stored under."""
    lines = sorted(f"{e.kind} {e.connection}:{e.remote_id} {e.content_hash}" for e in evidence if e.current)
    return fingerprint("\n".join(lines))
