"""Scores, versioned: a result is stored again only if it differs, and the older one stays readable."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from sync.store.books import Result, Subject
from sync.store.engine import Tx
from sync.store.state import book
from sync.store.tables import newest
from sync.store.versions import SaveCounts

_CHUNK = 5_000
ResultKey = tuple[str, str, str, str]
"""Kind, subject, plan and period: what makes two results versions of one."""


@dataclass(frozen=True, slots=True)
class NewResult:
    """One score. ``digest`` stands for everything in it that is worth a new version."""

    kind: Subject
    subject: str
    as_of: date
    status: str
    digest: str
    plan: str = ""
    plan_version: int | None = None
    period: str = ""
    score: Decimal | None = None
    grade: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> ResultKey:
        """What makes two results versions of one."""
        return self.kind, self.subject, self.plan, self.period


def save_results(tx: Tx, results: Sequence[NewResult], *, recorded_at: datetime, run: int | None) -> SaveCounts:
    """Stores the results whose digest is not the current one; of several with one key the last wins."""
    table = book(Result)
    latest = {result.key: result for result in results}
    known = _digests(tx, latest)
    news = [result for key, result in latest.items() if known.get(key, (0, ""))[1] != result.digest]
    retired = [{"number": known[result.key][0]} for result in news if result.key in known]
    if retired:
        tx.db.execute(update(table).where(table.c.seq == bindparam("number")).values(current=False), retired)
    if news:
        keys = {"recorded_at": recorded_at, "run": run, "current": True}
        tx.db.execute(insert(table), [{**asdict(result), **keys} for result in news])
    return SaveCounts(len(news) - len(retired), len(retired), len(latest) - len(news))


def retire_results(tx: Tx, keys: Sequence[ResultKey]) -> int:
    """Ends results that nobody has any more; their versions stay readable. Gives how many there were."""
    table = book(Result)
    known = _digests(tx, keys)
    gone = [{"number": known[key][0]} for key in keys if key in known]
    if gone:
        tx.db.execute(update(table).where(table.c.seq == bindparam("number")).values(current=False), gone)
    return len(gone)


def _digests(tx: Tx, wanted: Collection[ResultKey]) -> dict[ResultKey, tuple[int, str]]:
    table = book(Result)
    columns = (table.c.seq, table.c.kind, table.c.subject, table.c.plan, table.c.period, table.c.digest)
    found: dict[ResultKey, tuple[int, str]] = {}
    for kind in sorted({kind for kind, *_ in wanted}):
        subjects = sorted({subject for other, subject, *_ in wanted if other == kind})
        for start in range(0, len(subjects), _CHUNK):
            part = table.c.subject.in_(subjects[start : start + _CHUNK])
            for seq, *key, digest in tx.db.execute(select(*columns).where(newest(table), table.c.kind == kind, part)):
                found[key[0], key[1], key[2], key[3]] = (seq, digest)
    return found


def current_keys(tx: Tx, kind: Subject, subjects: Collection[str] | None = None) -> Iterator[ResultKey]:
    """Keys of the newest results of a kind, of some subjects or of all."""
    table = book(Result)
    statement = select(table.c.kind, table.c.subject, table.c.plan, table.c.period).where(
        newest(table), table.c.kind == kind
    )
    names = None if subjects is None else sorted(subjects)
    for start in range(0, 1 if names is None else len(names), _CHUNK):
        part = statement if names is None else statement.where(table.c.subject.in_(names[start : start + _CHUNK]))
        yield from ((row.kind, row.subject, row.plan, row.period) for row in tx.db.execute(part))


def current_results(
    tx: Tx, kind: Subject, *, subjects: Sequence[str] | None = None, plan: str | None = None, period: str | None = None
) -> Iterator[Result]:
    """Newest results of a kind, of some subjects, one plan or one period, in the order of their numbers."""
    table = book(Result)
    statement = select(table).where(newest(table), table.c.kind == kind).order_by(table.c.seq)
    if plan is not None:
        statement = statement.where(table.c.plan == plan)
    if period is not None:
        statement = statement.where(table.c.period == period)
    parts = (
        [None] if subjects is None else [subjects[start : start + _CHUNK] for start in range(0, len(subjects), _CHUNK)]
    )
    for part in parts:
        narrowed = statement if part is None else statement.where(table.c.subject.in_(part))
        for row in tx.db.execute(narrowed).mappings():
            yield Result(**row)
