"""Push: outbox rows to the CRM in its largest safe batch, with a verdict kept for every record.

The base of the next difference is what the CRM *accepted*: a row leaves the outbox in the transaction that notes its
acceptance. A process killed between the answer and that transaction writes the same values again, which changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import structlog
from sqlalchemy import exists, select

from connectors.base import Can, Connector, Rejection, Value, Write, WriteTarget, Written
from connectors.errors import RejectedError, ScorebackError
from connectors.settings import KeyedWriteBack
from sync import learnt
from sync.settings import PushSettings
from sync.store import outbox
from sync.store.books import PushLog
from sync.store.drift import drift
from sync.store.engine import Store, Tx
from sync.store.outbox import Verdict, Waiting, target_text
from sync.store.state import book

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 5
_FIRST_WAIT = timedelta(minutes=1)

Progress = Callable[[str, str, int], None]
"""Called with connection, record kind and rows accepted so far."""


class StopRequestedError(ScorebackError):
    """The service is stopping: the work in hand ends at its next page or batch, and nothing is half done."""


@dataclass(slots=True)
class PushOutcome:
    """What one connection's push did. ``drift`` says why nothing of a target was written."""

    connection: str
    accepted: int = 0
    refused: int = 0
    waiting: int = 0
    gone: int = 0
    calls: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    error: ScorebackError | None = None
    drift: str | None = None

    @property
    def failed(self) -> bool:
        """Whether anything is left in the outbox that should not be."""
        return self.error is not None or self.refused > 0 or self.waiting > 0 or self.drift is not None


@dataclass(frozen=True, slots=True)
class Planned:
    """One line of ``push --dry-run --diff``: what the CRM has accepted before, and what it would get."""

    connection: str
    record: str
    remote_id: str
    field: str
    old: Value
    new: Value


def _quiet(_connection: str, _record: str, _rows: int) -> None:
    """Progress that nobody looks at."""


class Pusher:
    """Pushes one connection's outbox. One pusher per connection at a time."""

    def __init__(
        self,
        connector: Connector,
        store: Store,
        *,
        run: int,
        settings: PushSettings,
        confirm_drift: bool = False,
        progress: Progress = _quiet,
    ) -> None:
        self.connector = connector
        self.name = connector.connection.name
        self.store = store
        self.run = run
        self.settings = settings
        self.confirm_drift = confirm_drift
        self.progress = progress
        self._kept = self._learnt()

    def push(self) -> PushOutcome:
        """Everything that is due. Refusals are parked or kept for a retry; nothing is dropped without a verdict."""
        outcome = PushOutcome(self.name)
        if Can.WRITE_FIELDS not in self.connector.can:
            return outcome
        learnt.recall(self.store, self.connector)
        self._kept = self._learnt()
        self.connector.keep = self._keep_now
        try:
            for target in write_targets(self.connector):
                drifting = self._drift(target)
                if drifting is None:
                    self._target(target, outcome)
                else:
                    outcome.drift = drifting
        except StopRequestedError:
            raise
        except ScorebackError as error:
            outcome.error = error
            log.error("push_failed", connection=self.name, advice=str(error))  # noqa: TRY400 # expected, and the traceback may hold values
        self._keep_now()
        if outcome.calls:
            log.info("push_finished", connection=self.name, accepted=outcome.accepted, refused=outcome.refused)
        return outcome

    def _drift(self, target: WriteTarget) -> str | None:
        """Why so many changes at once need a person's word, or None."""
        if self.confirm_drift:
            return None
        with self.store.reading() as tx:
            known, changing = drift(tx, self.name, target.record, target_text(target))
        if known < self.settings.drift_guard_from or Decimal(changing) <= self.settings.drift_guard * known:
            return None
        return (
            f"{self.name}: {changing} of {known} {target.record} scores would change at once, more than push.drift_guard "
            f"({self.settings.drift_guard}) allows. Nothing of them was written. Look at scoreback push --dry-run --diff; "
            "if it is right: scoreback push --confirm-drift."
        )

    def _target(self, target: WriteTarget, outcome: PushOutcome) -> None:
        with self.store.reading() as tx:
            waiting = outbox.sizes(tx).get((self.name, "pending"), 0)  # of all targets: it only chooses the way
        while rows := self._next(target, self.connector.batch(target, waiting)):
            waiting = max(0, waiting - len(rows))
            verdicts = self._write(target, rows, outcome)
            self._settle(rows, verdicts, outcome)
            self.progress(self.name, target.record, outcome.accepted)

    def _next(self, target: WriteTarget, limit: int) -> list[Waiting]:
        with self.store.reading() as tx:
            now = datetime.now(UTC)
            return outbox.next_batch(tx, self.name, target.record, target_text(target), limit, now)

    def _write(self, target: WriteTarget, rows: Sequence[Waiting], outcome: PushOutcome) -> dict[str, Written]:
        writes = [Write(row.remote_id, row.fields) for row in rows]
        outcome.calls += 1
        try:
            return {written.remote_id: written for written in self.connector.write(target, writes)}
        except RejectedError as error:
            refused = Rejection(error.code, error.text)
            return {row.remote_id: Written(row.remote_id, refused) for row in rows}

    def _settle(self, rows: Sequence[Waiting], verdicts: Mapping[str, Written], outcome: PushOutcome) -> None:
        now = datetime.now(UTC)
        with self.store.writing() as tx:
            settled = [self._verdict(row, verdicts.get(row.remote_id), now, outcome) for row in rows]
            outbox.settle(tx, settled, at=now, run=self.run)
            self._keep_learnt(tx)

    def _learnt(self) -> tuple[dict[str, str], dict[str, str]]:
        return {**self.connector.learnt}, {**self.connector.places}

    def _keep_now(self) -> None:
        if self._kept != self._learnt():
            with self.store.writing() as tx:
                self._keep_learnt(tx)

    def _keep_learnt(self, tx: Tx) -> None:
        """Keeps what the CRM's answers taught: a job that is under way there must not be paid again."""
        if self._kept != self._learnt():
            learnt.keep(tx, self.connector)
            self._kept = self._learnt()

    def _verdict(self, row: Waiting, written: Written | None, now: datetime, outcome: PushOutcome) -> Verdict:
        refused = (
            Rejection("NO_VERDICT", "the CRM did not answer for this record", "retry")
            if written is None
            else written.rejected
        )
        if refused is None:
            outcome.accepted += 1
            return Verdict(row.id, row.digest, "accepted")
        outcome.refusals[refused.code] = outcome.refusals.get(refused.code, 0) + 1
        # A row of our own object that is not there is made: where one is "gone", the object itself is missing.
        if refused.recovery == "gone" and not row.target:
            outcome.gone += 1
            return Verdict(row.id, row.digest, "gone", refused.code, refused.message)
        if refused.recovery == "retry" and row.attempts + 1 < MOST_ATTEMPTS:
            outcome.waiting += 1
            later = now + _FIRST_WAIT * (2**row.attempts)
            return Verdict(row.id, row.digest, "retry", refused.code, refused.message, later)
        outcome.refused += 1
        log.warning("write_parked", connection=self.name, record=row.remote_id, code=refused.code)
        return Verdict(row.id, row.digest, "park", refused.code, refused.message)


def write_targets(connector: Connector) -> list[WriteTarget]:
    """Where this connection's scores go, from its ``write_back``."""
    return [
        WriteTarget(record, setting.into, setting.key) if isinstance(setting, KeyedWriteBack) else WriteTarget(record)
        for record, setting in connector.connection.write_back.items()
    ]


def planned(store: Store, connection: str) -> Iterator[Planned]:
    """What a push would change now, field by field; writes nothing."""
    with store.reading() as tx:
        for row in outbox.pending(tx, connection):
            before = outbox.accepted_fields(tx, connection, row.record, row.target, [row.remote_id])
            accepted = before.get(row.remote_id, {})
            for name, new in row.fields.items():
                old = accepted.get(name)
                if old != new:
                    yield Planned(connection, row.record, row.remote_id, name, old, new)


def has_written(store: Store, run: int) -> bool:
    """Whether a run of this number had anything accepted by a CRM."""
    table = book(PushLog)
    with store.reading() as tx:
        return bool(tx.db.execute(select(exists().where(table.c.run == run, table.c.accepted))).scalar())
