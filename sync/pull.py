"""Pull: from each stream of a connection since its cursor into versions of records, one page per transaction."""

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from math import ceil

import structlog

from connectors.base import Connector, Page, Stream, Window
from connectors.errors import (
    AllowanceError,
    ConfigError,
    ContractError,
    ForbiddenError,
    MissingFieldsError,
    RejectedError,
    ResumeLostError,
    RetryLaterError,
    SignInError,
)
from connectors.settings import ConnectionSettings
from sync import deletions, learnt, reconcile
from sync.intake import Intake, seldom_collecting
from sync.lacking import keep_lacks, refuse_lacks
from sync.pull_pages import pages_of
from sync.pull_window import CLOCK_STEP, Reading, mapping_hash, reading_of
from sync.pulled import Progress, PullOptions, PullOutcome, StreamOutcome
from sync.stage_settings import configured_stages
from sync.store.books import StreamState
from sync.store.engine import Store
from sync.store.state import get_meta, save_calls, set_meta
from sync.store.versions import count_current
from sync.stream_books import StreamBooks
from sync.suspicion import emptied, is_unreadable, misread

__all__ = ["PullOptions", "PullOutcome", "Puller", "StreamOutcome"]

log = structlog.get_logger(__name__)

_STOPS_CONNECTION = (SignInError, AllowanceError, RetryLaterError, ConfigError)
_STOPS_STREAM = (ForbiddenError, ContractError, RejectedError, MissingFieldsError)


def _quiet(_connection: str, _stream: str, _rows: int) -> None:
    """Progress that nobody looks at."""


class Puller:
    """Pulls one connection. One puller per connection at a time."""

    def __init__(
        self,
        connector: Connector,
        store: Store,
        *,
        run: int,
        options: PullOptions | None = None,
        suspicious_share: float = 0.2,
        progress: Progress = _quiet,
    ) -> None:
        self.connector = connector
        self.connection: ConnectionSettings = connector.connection
        self.name = self.connection.name
        self.store = store
        self.options = options or PullOptions()
        self.suspicious_share = suspicious_share
        self.progress = progress
        self.on = frozenset(stream.name for stream in connector.streams if self.connection.stream(stream.name))
        self.intake = Intake(self.connection, store, run=run, on=self.on)
        self.books = StreamBooks(store, self.name)
        self.believed: set[str] = set()
        """Streams whose sudden emptiness was accepted in this pull."""
        self.silent: set[str] = set()
        """Streams whose object did not answer in this pull: it is not asked again what was deleted there."""
        self._skew_key = f"skew:{self.name}"

    def pull(self) -> PullOutcome:
        """Every stream that is on and due. A stream that fails leaves the others running; a refused sign-in does not."""
        outcome = PullOutcome(self.name)
        if not self.options.full:
            learnt.recall(self.store, self.connector)
        try:
            self._save_stage_settings()
            self._each(outcome)
            if self.options.only is None:
                outcome.streams.extend(deletions.pull_deletions(self))
                outcome.streams.extend(reconcile.reconcile(self))
        except _STOPS_CONNECTION as error:
            outcome.error = error
            log.error("pull_failed", connection=self.name, reason=type(error).__name__, advice=str(error))  # noqa: TRY400 # expected, and the traceback may hold values
        finally:
            self._count_calls()
        return outcome

    def _each(self, outcome: PullOutcome) -> None:
        """Pulls what is due. One object that does not answer leaves the others; if the next does not either, nobody is there."""
        silent: tuple[str, RetryLaterError] | None = None
        reached = False
        for stream in self._due_streams():
            try:
                outcome.streams.append(self._one(stream))
                reached, silent = True, None
            except RetryLaterError as error:
                away = silent is not None and silent[0] != stream.remote
                if away or isinstance(error, AllowanceError):
                    raise
                silent = (stream.remote, error)
                self.silent.add(stream.name)
                outcome.streams.append(StreamOutcome(stream.name, error=f"{error}. The other streams ran."))
        if silent is not None and not reached:
            raise silent[1]

    def _due_streams(self) -> Iterable[Stream]:
        for stream in self.connector.streams:
            wanted = self.options.only is None or stream.name in self.options.only
            if stream.name not in self.on or not wanted:
                continue
            if stream.kind == "stage" and self.connection.stages:
                continue  # the connection file says what stages mean
            if stream.schedule == "metadata" and not self._metadata_due(stream):
                continue
            yield stream

    def _metadata_due(self, stream: Stream) -> bool:
        state = self.books.of(stream.name)
        pulled_at = state.pulled_at
        if pulled_at is None or self.options.full or state.stopped_reason == "empty":
            return True
        if stream.kind == "stage" and not state.full_done:
            return True  # no CRM has none: it did not show them
        return datetime.now(UTC) - pulled_at >= self.connection.metadata_every

    def _one(self, stream: Stream) -> StreamOutcome:
        outcome = StreamOutcome(stream.name)
        reason = None
        try:
            self._stream(stream, outcome)
        except MissingFieldsError as error:
            outcome.error, reason = str(error), "fields"
        except _STOPS_STREAM as error:
            outcome.error = (
                f"{str(error).rstrip('.')}. What was read of {stream.name} before is kept; the other streams ran."
            )
        except _STOPS_CONNECTION as error:
            self.books.note_error(stream.name, str(error), stopped_reason="away")
            raise
        self.books.note_error(stream.name, outcome.error, stopped_reason=reason)
        if outcome.rows or outcome.error:
            log.info(
                "stream_pulled", connection=self.name, stream=stream.name, rows=outcome.rows, new=outcome.new,
                changed=outcome.changed, error=outcome.error,
            )  # fmt: skip
        return outcome

    def _stream(self, stream: Stream, outcome: StreamOutcome) -> None:
        state = self.books.of(stream.name)
        reading = reading_of(self, stream, state)
        try:
            self._pages(stream, reading, state, outcome)
        except ResumeLostError:
            log.warning("window_restarted", connection=self.name, stream=stream.name)
            self._pages(stream, Reading(reading.window, None, reading.full, reading.known), state, outcome)
        doubt = self._doubt(stream, reading, state, outcome)
        if doubt is None:
            self._finish(stream, reading, state, outcome)
            return
        reason, outcome.error = doubt
        self.books.keep(state, stopped_reason=reason, window_start=None, window_end=None, resume=None)

    def _doubt(
        self, stream: Stream, reading: Reading, state: StreamState, outcome: StreamOutcome
    ) -> tuple[str, str] | None:
        """Why what was read is not to be believed, as reason and text."""
        empty = reading.full and reading.resume is None and not outcome.rows and state.rows > 0
        if empty and not stream.filled_by:
            if not self.options.accept_emptiness:
                return "empty", emptied(self.name, stream.name, state.rows)
            self.believed.add(stream.name)
            state.rows = 0
        if is_unreadable(outcome, self.suspicious_share, whole=reading.full):
            return "unreadable", misread(self.name, outcome)
        return None

    def _finish(self, stream: Stream, reading: Reading, state: StreamState, outcome: StreamOutcome) -> None:
        now, seen = datetime.now(UTC), self.now()
        # A stored skew may have been wrong; the answer's Date is not.
        cursor = min(reading.window.end - CLOCK_STEP, seen)
        believed = bool(stream.filled_by) or stream.name in self.believed
        reappeared = not reading.full and outcome.rows > 0 and bool((reading.known or frozenset()) - reading.lacks)
        with self.store.writing() as tx:
            if outcome.rows and not reappeared:
                keep_lacks(tx, self.name, stream, reading.lacks)
            self.books.keep(
                state,
                tx,
                cursor=cursor,
                window_start=None,
                window_end=None,
                resume=None,
                full_done=not reading.full or state.rows > 0 or believed,  # else it is read whole again
                stopped_reason=None,
                pulled_at=now,
                deletions_at=state.deletions_at or now,
                deletions_until=state.deletions_until or cursor,
                mapping_hash="" if reappeared else mapping_hash(self, stream),  # "": the next run reads it whole
            )

    def _pages(self, stream: Stream, reading: Reading, state: StreamState, outcome: StreamOutcome) -> None:
        found = pages_of(self.connector, stream, reading.window, reading.resume)
        with seldom_collecting(), closing(found) as pages:
            for page, place in pages:
                if page.lacks:
                    self.refuse_lacks(stream, page, reading.known)
                    reading.lacks.update(page.lacks)
                self._save_page(stream, page, place, reading, state, outcome)
                self.progress(self.name, stream.name, outcome.rows)
                if page.total is not None and self._knows_all(stream, reading.window, page.total):
                    return
                del page  # it may be large, and the next one comes now

    def _knows_all(self, stream: Stream, window: Window, total: int) -> bool:
        """Whether the store holds as many rows of the window as the CRM counts: then older pages tell nothing new."""
        if window.start is None:
            return False
        with self.store.reading() as tx:
            known = count_current(tx, self.name, stream.kind, window.start, window.end, only=stream.constants)
        return known == total

    def _save_page(
        self,
        stream: Stream,
        page: Page,
        place: str | None,
        reading: Reading,
        state: StreamState,
        outcome: StreamOutcome,
    ) -> None:
        by_stream, reasons = self.intake.mapped(page.rows)
        own_reasons = reasons.get(stream.name, {})
        outcome.unreadable += len(own_reasons)
        outcome.example = next(iter(own_reasons.values()), outcome.example)
        outcome.rows += sum(row.stream.name == stream.name for row in page.rows)
        with self.store.writing() as tx:
            own = self.intake.take(tx, stream, by_stream, reasons, outcome, first_load=not state.full_done)
            self.books.keep(
                state,
                tx,
                window_start=reading.window.start,
                window_end=reading.window.end,
                resume=place if outcome.rows or reading.resume else None,  # nothing so far: its end is no place
                rows=max(state.rows, outcome.rows) if reading.full else state.rows + own.new,
            )

    # what deletions and reconciliation use too

    def refuse_lacks(self, stream: Stream, page: Page, known: frozenset[str] | None) -> None:
        """Raises MissingFieldsError if the page's rows come empty where they were not, unless a person accepts it."""
        if not self.options.accept_emptiness:
            refuse_lacks(self.connection, stream, page.lacks, known)

    def leave(self, stream: Stream, error: RetryLaterError) -> None:
        """Leaves a stream that did not answer; raises ``error`` if it is not the only one: nobody is there."""
        if self.silent or isinstance(error, AllowanceError):
            raise error
        self.silent.add(stream.name)

    def now(self) -> datetime:
        """The CRM's clock: as its answers tell, else ours corrected by the skew last seen, else by asking."""
        seen = self.connector.http.seen_now()
        if seen is not None:
            return seen
        with self.store.reading() as tx:
            skew = get_meta(tx, self._skew_key)
        return self.connector.now() if skew is None else datetime.now(UTC) + timedelta(seconds=int(skew))

    # bookkeeping

    def _save_stage_settings(self) -> None:
        records = list(configured_stages(self.connection))
        if records:
            with self.store.writing() as tx:
                self.intake.save(tx, {"stage": records}, {}, first_load=True)

    def _count_calls(self) -> None:
        """Keeps our calls of the day, the CRM's set-up and its clock skew for the next process."""
        day, calls = self.connector.http.limiter.snapshot()
        seen = self.connector.http.seen_now()
        with self.store.writing() as tx:
            save_calls(tx, self.name, day, calls)
            learnt.keep(tx, self.connector)
            if seen is not None:
                skew = ceil((seen - datetime.now(UTC)).total_seconds())  # its Date leaves fractions out
                set_meta(tx, self._skew_key, str(skew))
