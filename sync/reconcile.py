"""Reconciliation: the ids of all records compared with the CRM's, on a schedule, so that no deletion or row is missed for good.

A window can miss a row whose stamp was old when it became visible, a delete log can be purged, a merge can go untold. Equal
counts spare the sweep, but once in a while it is made all the same: one row missed and one too many make equal counts.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from connectors.base import Can, Page, Stream
from connectors.errors import ContractError, ForbiddenError, MissingFieldsError, RejectedError, RetryLaterError
from sync.deletions import gone_of
from sync.intake import seldom_collecting
from sync.lacking import known_lacks
from sync.pulled import StreamOutcome
from sync.store.books import StreamState
from sync.store.unreadable import unreadable_ids
from sync.store.versions import current_records, ids_of
from sync.suspicion import is_suspicious

if TYPE_CHECKING:
    from sync.pull import Puller

log = structlog.get_logger(__name__)

SWEEP_EVERY = 7
"""Every so many reconciliations the ids are compared although the counts are equal."""

_LINKS = 1000
_FAILS = (ForbiddenError, RejectedError, ContractError, MissingFieldsError)


def reconcile(puller: "Puller") -> Iterator[StreamOutcome]:
    """One outcome for each stream that was compared, or that an earlier comparison has stopped."""
    if Can.PULL_CHANGES not in puller.connector.can:
        return  # every pull of it reads everything
    for stream in puller.connector.streams:
        if stream.name in puller.on - puller.silent and stream.schedule == "cycle":
            state = puller.books.of(stream.name)
            if state.full_done:
                yield from _one(puller, stream, state)


def _one(puller: "Puller", stream: Stream, state: StreamState) -> Iterator[StreamOutcome]:
    outcome = StreamOutcome(f"{stream.name} reconciliation")
    book = puller.books.of(outcome.stream)
    accepted = puller.options.accept_emptiness and (stream.name in puller.believed or book.stopped_reason is not None)
    asked = puller.options.reconcile or accepted
    if book.pulled_at is None and not asked:
        puller.books.keep(book, pulled_at=state.pulled_at, deletions_at=state.pulled_at)  # it has just been read whole
        return
    if not asked and book.pulled_at is not None and _age(book.pulled_at) < puller.connection.reconcile.total_seconds():
        if book.stopped_reason is not None:
            outcome.error = book.last_error
            yield outcome
        return
    try:
        if not _Comparison(puller, stream, state, book, outcome).run(sweep=asked):
            puller.books.keep(book, pulled_at=datetime.now(UTC))  # not to be tried in every run
            return
    except RetryLaterError as error:
        puller.leave(stream, error)
        outcome.error = f"{error}. The ids of {stream.name} were not compared; the next run does it."
    except _FAILS as error:
        outcome.error = f"{error} The ids of {stream.name} were not compared; everything else was read."
        now = datetime.now(UTC)
        puller.books.keep(book, pulled_at=now, last_error=outcome.error, last_error_at=now)
    log.info(
        "stream_reconciled", connection=puller.name, stream=stream.name, ids=book.rows, new=outcome.new,
        changed=outcome.changed, found=outcome.note, error=outcome.error,
    )  # fmt: skip
    yield outcome


class _Comparison:
    """One stream's ids against the CRM's."""

    def __init__(
        self, puller: "Puller", stream: Stream, state: StreamState, book: StreamState, outcome: StreamOutcome
    ) -> None:
        self.puller = puller
        self.stream = stream
        self.state = state
        self.book = book
        self.outcome = outcome
        setting = puller.connection.stream(stream.name)
        self.partial = setting is not None and setting.since is not None  # older rows were left out on purpose
        with puller.store.reading() as tx:
            self.ours = ids_of(tx, puller.name, stream.kind, only=stream.scope)
            self.unreadable = unreadable_ids(tx, puller.name, stream.name) - {"?"}
            self.lacks = known_lacks(tx, puller.name, stream)

    def run(self, *, sweep: bool) -> bool:
        """Compares and heals. ``sweep``: whatever the counts say. False if the connector cannot list the stream's ids."""
        sweep = sweep or self.book.deletions_at is None or self._swept_long_ago()
        swept = sweep or not self._counts_agree()
        if swept:
            portions = self.puller.connector.ids(self.stream)
            if portions is None:
                return False
            if not self._compare(portions):
                return True
        elif self.unreadable:
            self._fetch(sorted(self.unreadable))
        self._relink()
        now = datetime.now(UTC)
        self.puller.books.keep(
            self.book, pulled_at=now, deletions_at=now if swept else self.book.deletions_at, last_error=None,
            last_error_at=None, stopped_reason=None,
        )  # fmt: skip
        return True

    def _swept_long_ago(self) -> bool:
        every = SWEEP_EVERY * self.puller.connection.reconcile.total_seconds()
        return self.book.deletions_at is None or _age(self.book.deletions_at) >= every

    def _counts_agree(self) -> bool:
        total = None if self.partial else self.puller.connector.count(self.stream)
        if total is None or total != len(self.ours | self.unreadable):
            return False
        self.book.rows = total
        self.outcome.note = f"{total:,} rows counted, as many as the CRM has"
        return True

    def _compare(self, portions: Iterator[Sequence[str]]) -> bool:
        """Finds what is gone or missing, and heals it. False if so much is gone that it is not believed."""
        shown: set[str] = set()
        for ids in portions:
            shown.update(ids)
            self.puller.progress(self.puller.name, self.outcome.stream, len(shown))
        gone = self.ours - shown
        missing = set() if self.partial else shown - self.ours - self.unreadable
        self.book.rows = len(shown)
        suspicious = is_suspicious(len(gone), len(self.ours), self.puller.suspicious_share)
        if suspicious and not self.puller.options.accept_emptiness:
            self._stop(len(gone))
            return False
        # So many that a person had to accept them are not asked for one by one.
        asked_again = set() if suspicious else gone
        returned = self._fetch(sorted(asked_again | missing | self.unreadable))
        self._forget(sorted(gone - returned))
        self.outcome.note = (
            f"{len(shown):,} ids compared, {len(missing):,} of {len(shown):,} missing"
            + (", fetched" if missing and returned else ", read whole in the next run" if missing else "")
            + (f"; {len(gone - returned):,} gone" if gone - returned else "")
        )
        return True

    def _stop(self, gone: int) -> None:
        name, stream = self.puller.name, self.stream.name
        self.outcome.error = (
            f"{name}: {gone} of {len(self.ours)} rows of {stream} are not in the CRM any more. None was deleted here, and "
            f"{stream} is compared again in the next reconciliation. Check the rights of our user; if it is right: "
            f"scoreback pull {name} --accept-emptiness"
        )
        now = datetime.now(UTC)
        self.puller.books.keep(
            self.book, pulled_at=now, last_error=self.outcome.error, last_error_at=now, stopped_reason="empty"
        )

    def _fetch(self, ids: Sequence[str]) -> set[str]:
        """Stores what the CRM still gives of some ids, and which they are. Where it cannot, the stream is read whole next."""
        pages = self.puller.connector.fetch(self.stream, ids) if ids else iter(())
        if pages is None:
            if not self.ours.issuperset(ids):
                self.puller.books.keep(self.state, mapping_hash="")
            return set()
        returned: set[str] = set()
        with seldom_collecting():
            for page in pages:
                self.puller.refuse_lacks(self.stream, page, self.lacks)
                returned |= self._take(page)
        return returned

    def _take(self, page: Page) -> set[str]:
        intake = self.puller.intake
        by_stream, reasons = intake.mapped(page.rows)
        self.outcome.rows += len(by_stream.get(self.stream.name, ()))
        with self.puller.store.writing() as tx:
            intake.take(tx, self.stream, by_stream, reasons, self.outcome, first_load=False)
        alive = {record.remote_id for record in by_stream.get(self.stream.name, ()) if not record.deleted}
        return alive | set(reasons.get(self.stream.name, ()))

    def _forget(self, ids: list[str]) -> None:
        for start in range(0, len(ids), _LINKS):
            gone = gone_of(self.puller, self.stream, ids[start : start + _LINKS])
            with self.puller.store.writing() as tx:
                counts = self.puller.intake.save(tx, {self.stream.name: gone}, {})
            self.outcome.changed += sum(count.changed for count in counts.values())

    def _relink(self) -> None:
        """Reads the associations anew where a changed one does not stamp its row."""
        if not self.stream.separate:
            return
        ids = sorted(self.ours)
        for start in range(0, len(ids), _LINKS):
            found = self.puller.connector.links(self.stream, ids[start : start + _LINKS])
            if found is None:
                return
            mapper = self.puller.intake.mapper(self.stream)
            self._save_links(dict(mapper.part(raw.fields, self.stream.separate) for raw in found))

    def _save_links(self, links: dict[str, dict[str, object]]) -> None:
        with self.puller.store.reading() as tx:
            known = current_records(tx, self.puller.name, self.stream.kind, list(links))
        changed = [
            record.model_copy(update=links[remote_id])
            for remote_id, record in known.items()
            if not record.deleted and _differs(record, links[remote_id])
        ]
        if changed:
            with self.puller.store.writing() as tx:
                counts = self.puller.intake.save(tx, {self.stream.name: changed}, {})
            self.outcome.changed += sum(count.changed for count in counts.values())


def _differs(record: object, values: dict[str, object]) -> bool:
    return any(getattr(record, name) != value for name, value in values.items())


def _age(moment: datetime) -> float:
    """Seconds since."""
    return (datetime.now(UTC) - moment).total_seconds()
