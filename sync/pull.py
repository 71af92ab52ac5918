"""Pull: from each stream of a connection since its cursor into versions of records, one page per transaction."""

import gc
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import structlog

from connectors.base import Can, Connector, Page, Raw, Stream, Window
from connectors.errors import (
    AllowanceError,
    ConfigError,
    ContractError,
    ForbiddenError,
    MappingError,
    RejectedError,
    ResumeLostError,
    RetryLaterError,
    ScorebackError,
    SignInError,
)
from connectors.mapping import Mapper, content_hash
from connectors.records import Record, Stage
from connectors.settings import ConnectionSettings
from sync import deletions, learnt
from sync.store.books import StreamState
from sync.store.engine import Store, Tx
from sync.store.meta import hash_key
from sync.store.state import get_meta, load_state, save_calls, save_state, set_meta
from sync.store.unreadable import forget_unreadable, note_unreadable
from sync.store.versions import SaveCounts, count_current, current_records, save_records

log = structlog.get_logger(__name__)

CLOCK_STEP = timedelta(seconds=1)
"""A CRM tells its time in whole seconds: the window ends at the next one, so that the current second is read too."""

_STOPS_CONNECTION = (SignInError, AllowanceError, RetryLaterError, ConfigError)
_STOPS_STREAM = (ForbiddenError, ContractError, RejectedError)

Progress = Callable[[str, str, int], None]
"""Called with connection, stream and rows read so far."""


@dataclass(slots=True)
class StreamOutcome:
    """What one stream's pull did. ``error`` is the text for people, ``example`` why one of the rows is unreadable."""

    stream: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    unreadable: int = 0
    example: str = ""
    error: str | None = None


@dataclass(slots=True)
class PullOutcome:
    """What one connection's pull did."""

    connection: str
    streams: list[StreamOutcome] = field(default_factory=list)
    error: ScorebackError | None = None

    @property
    def failed(self) -> bool:
        """Whether anything at all could not be read."""
        return self.error is not None or any(stream.error for stream in self.streams)


@dataclass(frozen=True, slots=True)
class PullOptions:
    """How to pull. ``only`` names streams, without metadata and deletions; None is every stream that is on and due."""

    full: bool = False
    accept_emptiness: bool = False
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Reading:
    """One stream's window, where to resume in it, and whether it reads everything."""

    window: Window
    resume: str | None
    full: bool


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Fewer garbage collections while a page is mapped: its rows are freed by counting, and looking for cycles costs a tenth."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


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
        self.run = run
        self.options = options or PullOptions()
        self.suspicious_share = suspicious_share
        self.progress = progress
        self.on = frozenset(stream.name for stream in connector.streams if self.connection.stream(stream.name))
        self._key = hash_key(store)
        self._skew_key = f"skew:{self.name}"
        self._mappers: dict[str, Mapper] = {}

    def pull(self) -> PullOutcome:
        """Every stream that is on and due. A stream that fails leaves the others running; a refused sign-in does not."""
        outcome = PullOutcome(self.name)
        if not self.options.full:
            learnt.recall(self.store, self.connector)
        try:
            self._save_stage_settings()
            for stream in self._due_streams():
                outcome.streams.append(self._one(stream))
            if self.options.only is None:
                outcome.streams.extend(deletions.pull_deletions(self))
        except _STOPS_CONNECTION as error:
            outcome.error = error
            log.error("pull_failed", connection=self.name, reason=type(error).__name__, advice=str(error))  # noqa: TRY400 # expected, and the traceback may hold values
        finally:
            self._count_calls()
        return outcome

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
        state = self.state(stream)
        pulled_at = state.pulled_at
        if pulled_at is None or self.options.full:
            return True
        if stream.kind == "stage" and not state.full_done:
            return True  # no CRM has none: it did not show them
        return datetime.now(UTC) - pulled_at >= self.connection.metadata_every

    def _one(self, stream: Stream) -> StreamOutcome:
        outcome = StreamOutcome(stream.name)
        try:
            self._stream(stream, outcome)
        except _STOPS_STREAM as error:
            outcome.error = f"{error} What was read of {stream.name} before is kept; the other streams ran."
        except _STOPS_CONNECTION as error:
            self._note_error(stream, str(error), stopped_reason="away")
            raise
        self._note_error(stream, outcome.error)
        if outcome.rows or outcome.error:
            log.info(
                "stream_pulled", connection=self.name, stream=stream.name, rows=outcome.rows, new=outcome.new,
                changed=outcome.changed, error=outcome.error,
            )  # fmt: skip
        return outcome

    def _stream(self, stream: Stream, outcome: StreamOutcome) -> None:
        state = self.state(stream)
        reading = self._reading(stream, state)
        try:
            self._pages(stream, reading, state, outcome)
        except ResumeLostError:
            log.warning("window_restarted", connection=self.name, stream=stream.name)
            self._pages(stream, _Reading(reading.window, None, reading.full), state, outcome)
        empty = (
            reading.full and reading.resume is None and outcome.rows == 0 and state.rows > 0 and not stream.filled_by
        )
        if empty and not self.options.accept_emptiness:
            outcome.error = (
                f"{self.name}: {stream.name} had {state.rows} rows and now answers none. Nothing was changed. Check the "
                f"rights of our user; if it is right: scoreback pull {self.name} --accept-emptiness"
            )
            self._save(state, stopped_reason="empty", window_start=None, window_end=None, resume=None)
            return
        if outcome.unreadable > max(self.suspicious_share * outcome.rows, deletions.FEW):
            outcome.error = (
                f"{self.name}: {outcome.unreadable} of {outcome.rows} rows of {stream.name} could not be understood "
                f"({outcome.example}). They are read again in the next run: correct fields.{stream.name} of this "
                "connection, or what the CRM has there"
            )
            self._save(state, stopped_reason="unreadable", window_start=None, window_end=None, resume=None)
            return
        now, seen = datetime.now(UTC), self.now()
        cursor = min(
            reading.window.end - CLOCK_STEP, seen
        )  # a stored skew may have been wrong; the answer's Date is not
        self._save(
            state,
            cursor=cursor,
            window_start=None,
            window_end=None,
            resume=None,
            full_done=not reading.full or state.rows > 0 or bool(stream.filled_by),  # else it is read whole again
            stopped_reason=None,
            pulled_at=now,
            deletions_at=state.deletions_at or now,
            deletions_until=state.deletions_until or cursor,
            mapping_hash=self._mapping_hash(stream),
        )

    def _reading(self, stream: Stream, state: StreamState) -> _Reading:
        incremental = Can.PULL_CHANGES in self.connector.can and stream.schedule == "cycle"
        remapped = state.mapping_hash is not None and state.mapping_hash != self._mapping_hash(stream)
        afresh = self.options.full or remapped
        setting = self.connection.stream(stream.name)
        since = setting.since if setting else None
        if state.window_end is not None and not afresh:
            window = Window(state.window_start, state.window_end, since, self.changed, self.on)
            return _Reading(window, state.resume, full=state.window_start is None)
        full = afresh or not state.full_done or not incremental or state.cursor is None
        start = None if full or state.cursor is None else state.cursor - self.connection.overlap
        window = Window(start, self.now() + CLOCK_STEP, since, self.changed, self.on)
        resume = state.resume if not incremental and not afresh else None  # a csv file's digest says "unchanged"
        return _Reading(window, resume, full)

    def _pages(self, stream: Stream, reading: _Reading, state: StreamState, outcome: StreamOutcome) -> None:
        window = reading.window
        for page in self.connector.pull(stream, window, reading.resume):
            with _seldom_collecting():
                self._save_page(stream, page, reading, state, outcome)
            self.progress(self.name, stream.name, outcome.rows)
            if page.total is not None and window.start is not None and self._knows_all(stream, window, page.total):
                return

    def _knows_all(self, stream: Stream, window: Window, total: int) -> bool:
        """Whether the store holds as many rows of the window as the CRM counts: then older pages tell nothing new."""
        if window.start is None:
            return False
        with self.store.reading() as tx:
            known = count_current(tx, self.name, stream.kind, window.start, window.end, only=stream.constants)
        return known == total

    def _save_page(
        self, stream: Stream, page: Page, reading: _Reading, state: StreamState, outcome: StreamOutcome
    ) -> None:
        by_stream, reasons = self.mapped(page.rows)
        own_reasons = reasons.get(stream.name, {})
        outcome.unreadable += len(own_reasons)
        outcome.example = next(iter(own_reasons.values()), outcome.example)
        outcome.rows += sum(row.stream.name == stream.name for row in page.rows)
        with self.store.writing() as tx:
            counts = self.save(tx, by_stream, reasons, first_load=not state.full_done)
            outcome.new += sum(count.new for count in counts.values())
            outcome.changed += sum(count.changed for count in counts.values())
            own = counts.get(stream.name, SaveCounts())
            for name in counts.keys() - {stream.name}:  # one call of some CRMs fills several streams
                other = load_state(tx, self.name, name)
                other.rows += counts[name].new
                save_state(tx, other)
            self._save(
                state,
                tx,
                window_start=reading.window.start,
                window_end=reading.window.end,
                resume=page.resume,
                rows=max(state.rows, outcome.rows) if reading.full else state.rows + own.new,
            )

    # what deletions.py uses too

    def now(self) -> datetime:
        """The CRM's clock: as its answers tell, else ours corrected by the skew last seen, else by asking."""
        seen = self.connector.http.seen_now()
        if seen is not None:
            return seen
        with self.store.reading() as tx:
            skew = get_meta(tx, self._skew_key)
        return self.connector.now() if skew is None else datetime.now(UTC) + timedelta(seconds=int(skew))

    def state(self, stream: Stream) -> StreamState:
        """Where a stream stands."""
        with self.store.reading() as tx:
            return load_state(tx, self.name, stream.name)

    def mapped(self, rows: Sequence[Raw]) -> tuple[dict[str, list[Record]], dict[str, dict[str, str]]]:
        """Records by stream, and why rows could not become one, by stream and remote id."""
        records: dict[str, list[Record]] = defaultdict(list)
        reasons: dict[str, dict[str, str]] = defaultdict(dict)
        for row in rows:
            name = row.stream.name
            if name not in self.on:
                continue
            try:
                record = self.mapper(row.stream)(row.fields)
            except MappingError as error:
                reasons[name][error.remote_id or "?"] = str(error)
            else:
                records[name].append(record)
        return records, reasons

    def save(
        self,
        tx: Tx,
        by_stream: Mapping[str, Sequence[Record]],
        reasons: Mapping[str, Mapping[str, str]],
        *,
        first_load: bool = False,
    ) -> dict[str, SaveCounts]:
        """Stores records; gives what became of them, by stream."""
        counts = {}
        now = datetime.now(UTC)
        for name, records in by_stream.items():
            counts[name] = save_records(
                tx, self.name, records[0].kind_name, records, recorded_at=now, run=self.run, first_load=first_load
            )
            forget_unreadable(tx, self.name, name, [record.remote_id for record in records])
        for name, texts in reasons.items():
            note_unreadable(tx, self.name, name, texts, at=now, run=self.run)
        return counts

    def changed(self, rows: Sequence[Raw]) -> Sequence[Raw]:
        """Those of ``rows`` whose mapped content, without the stream's separate fields, the store does not hold.

        The others are echoes of our own writes: their new stamp is noted, for they will not be saved again.
        """
        fresh: list[Raw] = []
        by_stream: dict[str, list[tuple[Raw, Record]]] = defaultdict(list)
        for row in rows:
            try:
                by_stream[row.stream.name].append((row, self.mapper(row.stream)(row.fields)))
            except MappingError:
                fresh.append(row)
        for pairs in by_stream.values():
            fresh.extend(self._fresh(pairs))
        return fresh

    def _fresh(self, pairs: Sequence[tuple[Raw, Record]]) -> list[Raw]:
        stream = pairs[0][0].stream
        with self.store.reading() as tx:
            known = current_records(tx, self.name, stream.kind, [record.remote_id for _, record in pairs])
        fresh, echoes = [], []
        for row, record in pairs:
            old = known.get(record.remote_id)
            if old is None or content_hash(old, stream.separate) != content_hash(record, stream.separate):
                fresh.append(row)
            elif old.modified_at != record.modified_at:
                echoes.append(old.model_copy(update={"modified_at": record.modified_at}))
        if echoes:
            with self.store.writing() as tx:
                self.save(tx, {stream.name: echoes}, {})
        return fresh

    def mapper(self, stream: Stream) -> Mapper:
        """The compiled mapping of a stream."""
        found = self._mappers.get(stream.name)
        if found is None:
            found = self._mappers[stream.name] = Mapper(stream, self.connection, key=self._key)
        return found

    # bookkeeping

    def _mapping_hash(self, stream: Stream) -> str:
        setting = self.connection.stream(stream.name)
        known = {
            "fields": {name: repr(self.connection.fields.get(name)) for name in sorted({stream.kind, stream.name})},
            "since": str(setting.since if setting else None),
            "filled": sorted(self.on) if stream.kind == "opportunity" else [],
        }
        return blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=8).hexdigest()

    def _save(self, state: StreamState, tx: Tx | None = None, **values: object) -> None:
        for name, value in values.items():
            setattr(state, name, value)
        if tx is not None:
            save_state(tx, state)
            return
        with self.store.writing() as own:
            save_state(own, state)

    def _note_error(self, stream: Stream, error: str | None, stopped_reason: str | None = None) -> None:
        state = self.state(stream)
        if error != state.last_error:
            reason = stopped_reason or state.stopped_reason
            at = datetime.now(UTC) if error else None
            self._save(state, last_error=error, last_error_at=at, stopped_reason=reason)

    def _save_stage_settings(self) -> None:
        """The connection file's stage map as records, so that it is versioned like the CRM's own."""
        records: list[Record] = [
            Stage(
                remote_id=f"{pipeline}/{entry.stage}",
                pipeline=None if pipeline.casefold() == "default" else pipeline,
                stage=entry.stage,
                label=entry.label or entry.stage,
                position=position,
                outcome=entry.outcome,
                probability=entry.probability,
                qualified=entry.qualified,
            )
            for pipeline, entries in self.connection.stages.items()
            for position, entry in enumerate(entries)
        ]
        if records:
            with self.store.writing() as tx:
                self.save(tx, {"stage": records}, {}, first_load=True)

    def _count_calls(self) -> None:
        """Keeps our calls of the day, the CRM's set-up and its clock skew for the next process."""
        day, calls = self.connector.http.limiter.snapshot()
        seen = self.connector.http.seen_now()
        with self.store.writing() as tx:
            save_calls(tx, self.name, day, calls)
            learnt.keep(tx, self.connector)
            if seen is not None:
                set_meta(tx, self._skew_key, str(round((seen - datetime.now(UTC)).total_seconds())))
