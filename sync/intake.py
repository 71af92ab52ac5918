"""The way in: rows of a connection's streams become records, and records become versions in the store."""

import gc
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from connectors.base import From, Raw, Stream
from connectors.errors import MappingError
from connectors.mapping import Mapper, content_hash, sources
from connectors.records import Record
from connectors.settings import ConnectionSettings
from sync.pulled import StreamOutcome
from sync.store.engine import Store, Tx
from sync.store.meta import hash_key
from sync.store.state import load_state, save_state
from sync.store.unreadable import forget_unreadable, note_unreadable
from sync.store.versions import SaveCounts, current_records, save_records

_pulling: list[tuple[int, int, int]] = []
_changing = threading.Lock()


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Fewer garbage collections while rows are read: they are freed by counting, and looking for cycles costs a tenth.

    The threshold is the process's: the first of several threads sets it, the last puts the usual one back.
    """
    with _changing:
        _pulling.append(_pulling[0] if _pulling else gc.get_threshold())
        gc.set_threshold(100_000, *_pulling[0][1:])
    try:
        yield
    finally:
        with _changing:
            usual = _pulling.pop()
            if not _pulling:
                gc.set_threshold(*usual)


class Intake:
    """Maps and stores rows of one connection. ``on`` names its streams that are on: rows of others are left out."""

    def __init__(self, connection: ConnectionSettings, store: Store, *, run: int, on: frozenset[str]) -> None:
        self.connection = connection
        self.store = store
        self.run = run
        self.on = on
        self._key = hash_key(store)
        self._mappers: dict[str, Mapper] = {}

    def mapper(self, stream: Stream) -> Mapper:
        """The compiled mapping of a stream."""
        found = self._mappers.get(stream.name)
        if found is None:
            found = self._mappers[stream.name] = Mapper(stream, self.connection, key=self._key)
        return found

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
        """Stores records; gives what became of them, by stream. A row that could not be understood leaves what is stored."""
        counts = {}
        now = datetime.now(UTC)
        for name, records in by_stream.items():
            if not records:
                continue
            counts[name] = save_records(
                tx, self.connection.name, records[0].kind_name, self._lasting(tx, name, records),
                recorded_at=now, run=self.run, first_load=first_load,
            )  # fmt: skip
            forget_unreadable(tx, self.connection.name, name, [record.remote_id for record in records])
        for name, texts in reasons.items():
            note_unreadable(tx, self.connection.name, name, texts, at=now, run=self.run)
        return counts

    def _lasting(self, tx: Tx, name: str, records: Sequence[Record]) -> Sequence[Record]:
        """The records with what the store has of fields that the CRM tells by a row's last change only."""
        stream = self._mappers[name].stream if name in self._mappers else None
        told = sources(stream, self.connection).items() if stream else ()
        fields = [ours for ours, source in told if isinstance(source, From) and source.lasting]
        if not fields:
            return records
        ids = [record.remote_id for record in records]
        known = current_records(tx, self.connection.name, records[0].kind_name, ids)
        return [_kept(record, known.get(record.remote_id), fields) for record in records]

    def take(
        self, tx: Tx, stream: Stream, by_stream: Mapping[str, Sequence[Record]],
        reasons: Mapping[str, Mapping[str, str]], outcome: StreamOutcome, *, first_load: bool,
    ) -> SaveCounts:  # fmt: skip
        """Stores what a page of ``stream`` held and counts it; gives the stream's own counts.

        One call of some CRMs fills several streams: the states of the others learn of their rows here.
        """
        counts = self.save(tx, by_stream, reasons, first_load=first_load)
        outcome.new += sum(count.new for count in counts.values())
        outcome.changed += sum(count.changed for count in counts.values())
        for name in counts.keys() - {stream.name}:
            other = load_state(tx, self.connection.name, name)
            other.rows += counts[name].new
            save_state(tx, other)
        return counts.get(stream.name, SaveCounts())

    def changed(self, rows: Sequence[Raw]) -> Sequence[Raw]:
        """Those of ``rows`` whose mapped content, without the stream's separate fields, the store does not hold.

        The others are echoes of our own writes: their new stamp is noted, for they will not be saved again.
        """
        fresh: list[Raw] = []
        by_stream: dict[str, list[tuple[Raw, Record]]] = defaultdict(list)
        for row in rows:
            try:
                record = self.mapper(row.stream)(row.fields)
            except MappingError:
                fresh.append(row)
            else:
                by_stream[row.stream.name].append((row, record))
        for pairs in by_stream.values():
            fresh.extend(self._fresh(pairs))
        return fresh

    def _fresh(self, pairs: Sequence[tuple[Raw, Record]]) -> list[Raw]:
        stream = pairs[0][0].stream
        with self.store.reading() as tx:
            ids = [record.remote_id for _, record in pairs]
            known = current_records(tx, self.connection.name, stream.kind, ids)
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


def _kept(record: Record, old: Record | None, fields: Sequence[str]) -> Record:
    both = {ours: getattr(old, ours) for ours in fields if old is not None and getattr(record, ours) is not None}
    return record.model_copy(update={ours: value for ours, value in both.items() if value is not None})
