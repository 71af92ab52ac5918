"""From results to wishes: what each CRM record should hold, and whether the difference is worth a write (decision 0008)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from hashlib import blake2b

from connectors.base import Value, WriteTarget
from connectors.settings import ConnectionSettings, KeyedWriteBack
from sync.store import outbox
from sync.store.books import Subject
from sync.store.engine import Tx
from sync.store.held import held_fields
from sync.store.outbox import Queued, target_text
from sync.store.values import values_text

MATERIAL = frozenset(("grade", "band", "next_best_action", "period"))
"""Values whose change is always worth a write."""

SCORES = frozenset(("score", "appraisal"))
"""Values that are worth a write once they moved by ``push.hysteresis``."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one record of one connection should hold, by our own names of the values."""

    connection: str
    record: Subject
    remote_id: str
    values: Mapping[str, Value]
    period: str = ""
    newest: bool = True
    """Whether the period is the running one: fields of the record itself hold only that."""


def shown_score(score: Decimal | None) -> Decimal | None:
    """A deal's score as CRMs show it: whole points, half-even."""
    return None if score is None else score.quantize(Decimal(1), ROUND_HALF_EVEN)


def shown_appraisal(score: Decimal | None) -> Decimal | None:
    """A person's score as CRMs show it: two decimals, cut off, so that 94.996 never looks like the next band."""
    return None if score is None else score.quantize(Decimal("0.01"), ROUND_DOWN)


def target_of(setting: KeyedWriteBack | Mapping[str, str], record: Subject) -> tuple[WriteTarget, Mapping[str, str]]:
    """The target of a ``write_back`` entry and its fields, theirs from ours."""
    if isinstance(setting, KeyedWriteBack):
        return WriteTarget(record, setting.into, setting.key), setting.fields
    return WriteTarget(record), setting


def queue_wishes(
    tx: Tx,
    connections: Mapping[str, ConnectionSettings],
    wishes: Iterable[Wish],
    *,
    hysteresis: Decimal,
    at: datetime,
    run: int,
) -> int:
    """Queues what is worth a write, and withdraws what waits without need any more; gives the number queued."""
    by_place: dict[tuple[str, Subject], list[Wish]] = {}
    for wish in wishes:
        by_place.setdefault((wish.connection, wish.record), []).append(wish)
    queued = 0
    for (name, record), mine in sorted(by_place.items()):
        connection = connections.get(name)  # None: its file was taken away, its facts still count
        setting = None if connection is None else connection.write_back.get(record)
        if setting is not None:
            target, fields = target_of(setting, record)
            due = mine if target.key else [wish for wish in mine if wish.newest]
            queued += _queue_one(tx, target, fields, due, hysteresis, at, run)
    return queued


def _queue_one(
    tx: Tx,
    target: WriteTarget,
    fields: Mapping[str, str],
    wishes: Sequence[Wish],
    hysteresis: Decimal,
    at: datetime,
    run: int,
) -> int:
    if not wishes:
        return 0
    name, record, place = wishes[0].connection, wishes[0].record, target_text(target)
    ids = [_key(wish, target) for wish in wishes]
    accepted = outbox.accepted_fields(tx, name, record, place, ids)
    held = held_fields(tx, name, record, place)
    waiting = outbox.waiting_ids(tx, name, record, place, ids)
    rows: list[Queued] = []
    needless: list[int] = []
    for wish, key in zip(wishes, ids, strict=True):
        theirs = {remote: wish.values.get(ours) for remote, ours in fields.items()}
        bases = [base for base in (accepted.get(key), held.get(key)) if base is not None]
        if any(not _differs(theirs, base, fields, hysteresis) for base in bases):
            if key in waiting:
                needless.append(waiting[key])
            continue
        rows.append(Queued(name, record, place, key, theirs, _digest(theirs, fields)))
    outbox.withdraw(tx, needless)
    return outbox.queue(tx, rows, at=at, run=run)


def _key(wish: Wish, target: WriteTarget) -> str:
    return f"{wish.remote_id}:{wish.period}" if target.key else wish.remote_id


def _differs(
    theirs: Mapping[str, Value], base: Mapping[str, Value], fields: Mapping[str, str], hysteresis: Decimal
) -> bool:
    """Whether what we want is worth a write against what stands."""
    for remote, ours in fields.items():
        new, old = theirs[remote], base.get(remote)
        if remote not in base:
            return True
        if ours in MATERIAL and new != old:
            return True
        if ours in SCORES and _moved(new, old, hysteresis):
            return True
    return False


def _moved(new: Value, old: Value, hysteresis: Decimal) -> bool:
    if isinstance(new, Decimal) and isinstance(old, Decimal):
        return new != old and abs(new - old) >= hysteresis
    return new != old


def _digest(theirs: Mapping[str, Value], fields: Mapping[str, str]) -> str:
    """Equal wishes have equal digests: time, fingerprint and wording of the reasons do not make another wish."""
    kept = {remote: theirs[remote] for remote, ours in fields.items() if ours in MATERIAL | SCORES}
    return blake2b(values_text(kept).encode(), digest_size=16).hexdigest()
