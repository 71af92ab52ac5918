"""How much of what a CRM holds would change at once, and how a run's writes are taken back."""

from collections import Counter
from datetime import datetime

from sqlalchemy import and_, exists, func, select

from sync.store.books import Held, Outbox, Pushed, PushLog, Subject
from sync.store.engine import Tx
from sync.store.outbox import ROLLBACK, Queued, accepted_fields, queue
from sync.store.state import book, upsert


def drift(tx: Tx, connection: str, record: Subject, target: str) -> tuple[int, int]:
    """How many records have accepted values, and for how many of those other values wait."""
    pushed, waiting = book(Pushed), book(Outbox)
    mine = and_(pushed.c.connection == connection, pushed.c.record == record, pushed.c.target == target)
    known = int(tx.db.execute(select(func.count()).where(mine)).scalar_one())
    same_record = and_(
        waiting.c.connection == pushed.c.connection,
        waiting.c.record == pushed.c.record,
        waiting.c.target == pushed.c.target,
        waiting.c.remote_id == pushed.c.remote_id,
        waiting.c.state == "pending",
    )
    changing = tx.db.execute(select(func.count()).select_from(pushed).where(mine, exists().where(same_record)))
    return known, int(changing.scalar_one())


def queue_rollback(tx: Tx, run: int, *, at: datetime, own_run: int) -> dict[str, int]:
    """Queues the values that stood before a run's accepted writes; gives the number of records by connection.

    A record that holds them already is left out. A field that was first written by that run is emptied. What is taken back is held: scoring does not queue it again.
    """
    log = book(PushLog)
    lines = tx.db.execute(select(log).where(log.c.run == run, log.c.accepted).order_by(log.c.id)).mappings().all()
    wishes: dict[tuple[str, Subject, str, str], Queued] = {}
    held: list[dict[str, object]] = []
    for line in lines:
        before = line["before"] or {}
        key = (line["connection"], line["record"], line["target"], line["remote_id"])
        if key in wishes:
            continue  # the first write of a run tells what stood before the run
        fields = {name: before.get(name) for name in line["after"]}
        wishes[key] = Queued(*key, fields=fields, digest=f"{ROLLBACK} {run}")
        held.append(
            {**dict(zip(("connection", "record", "target", "remote_id"), key, strict=True)), "fields": line["after"]}
        )
    if held:
        upsert(tx, Held, *held)
    queued = [wish for wish in wishes.values() if not _is_there(tx, wish)]
    queue(tx, queued, at=at, run=own_run)
    return dict(Counter(wish.connection for wish in queued))


def _is_there(tx: Tx, wish: Queued) -> bool:
    """Whether the CRM holds these values already, so that a second rollback of one run writes nothing."""
    found = accepted_fields(tx, wish.connection, wish.record, wish.target, [wish.remote_id]).get(wish.remote_id)
    return found is not None and all(found.get(name) == value for name, value in wish.fields.items())
