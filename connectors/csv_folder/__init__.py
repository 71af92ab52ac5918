"""A folder of table files: a world, or any export by mapping. What may be in the files: docs/connectors/csv.md."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import structlog

from connectors.base import (
    Can,
    Connector,
    Finding,
    From,
    Page,
    Raw,
    Stream,
    Value,
    Window,
    Write,
    WriteTarget,
    Written,
)
from connectors.csv_folder.rows import BadRow, Row, Table, digest_of, names_shown, open_table
from connectors.csv_folder.scores import ScoresFile
from connectors.csv_folder.settings import FILES, CsvSettings
from connectors.csv_folder.values import SORTS, Sort, Spelling, sort_of
from connectors.errors import ConfigError, ResumeLostError
from connectors.mapping import NEEDS_ID, paths_of, remote_fields, sources
from connectors.records import RECORDS, Record
from connectors.settings import KeyedWriteBack

PAGE_ROWS = 2_000

log = structlog.get_logger("connectors.csv_folder")


def _day(value: str) -> str:
    return value[:10]  # the column may feed a moment too: then it comes with time and zone


def _stream(kind: str, record: type[Record]) -> Stream:
    fields: dict[str, str | From] = {}
    for ours, field in record.model_fields.items():
        if ours != "extra":
            path = "id" if ours == "remote_id" else ours
            fields[ours] = From(path, _day) if sort_of(field) == "date" else path
    return Stream(kind, remote=FILES[kind], fields=fields)


class CsvFolder(Connector):
    """Reads every kind of record from files of a folder and writes ``scores.csv`` beside them. No network."""

    kind = "csv"
    can = Can.PULL | Can.PULL_CHANGES | Can.WRITE_FIELDS | Can.WRITE_OBJECTS
    streams: ClassVar[tuple[Stream, ...]] = tuple(_stream(kind, record) for kind, record in RECORDS.items())
    settings = CsvSettings
    write_batch = 10_000
    write_keyed_batch = 10_000
    connection: CsvSettings

    def now(self) -> datetime:
        """This machine's clock: the files' stamps are its own."""
        return datetime.now(UTC)

    def close(self) -> None:
        """Nothing: no file stays open."""

    @cached_property
    def _scores(self) -> ScoresFile:
        ours: dict[str, dict[str, str]] = {
            record: target.fields if isinstance(target, KeyedWriteBack) else target
            for record, target in self.connection.write_back.items()
        }
        return ScoresFile(self.connection.folder / "scores.csv", ours)

    def check(self) -> Iterator[Finding]:
        """Folder, files, their columns and encodings; columns that nothing reads."""
        if not self.connection.folder.is_dir():
            yield Finding("error", str(self.connection.folder), "there is no such folder", "correct `folder`")
            return
        absent = []
        for stream in self.streams:
            if self.connection.stream(stream.name) is None:
                continue
            try:
                table = self._table(stream)
                if table is None:
                    absent.append(f"{stream.remote}.csv")
                    continue
                self._check_columns(stream, table)
                found = list(self._found(stream, table))
            except ConfigError as error:
                found = [Finding("error", stream.name, str(error))]
            yield from found
        if absent:
            text = f"not there, so nothing is known of them: {', '.join(absent)}"
            yield Finding("info", str(self.connection.folder), text)

    def _found(self, stream: Stream, table: Table) -> Iterator[Finding]:
        rows, bad_rows = 0, list[BadRow]()
        for row in table.rows():
            rows += isinstance(row, Row)
            if isinstance(row, BadRow) and len(bad_rows) < 10:
                bad_rows.append(row)
        yield Finding("ok", stream.name, f"{table.path.name}: {rows} rows, {len(table.columns)} columns")
        unread = [column for column in table.columns if column not in remote_fields(stream, self.connection)]
        if unread:
            yield Finding("info", stream.name, f"{table.path.name}: not read: {names_shown(unread)}")
        if table.encoding == "cp1252" and self.connection.encoding is None:
            text = f"{table.path.name} is not UTF-8: read as Windows-1252"
            yield Finding("warning", stream.name, text, "save it as UTF-8, or set `encoding`")
        for bad in bad_rows:
            yield Finding("warning", bad.place, bad.text, "correct the row; it is skipped")

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """The columns of the stream's file."""
        table = self._table(stream)
        return {} if table is None else {column: column for column in table.columns}

    def calls_for(self, stream: Stream, rows: int) -> int:
        """None: files cost no calls."""
        return 0

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """All rows of a file that was touched since the window's start, else none. ``resume`` is ``ROW:DIGEST``."""
        table = self._table(stream)
        if table is None or (window.start is not None and _touched_at(table.path) < window.start):
            return
        self._check_columns(stream, table)
        yield from self._pages(stream, table, resume)

    def present(self, stream: Stream, start: datetime | None) -> Iterator[Page] | None:
        """Everything that the file holds, so that what the store has beyond it is gone.

        None where that cannot be said, or where nothing was touched since ``start``: no file, a kind without own ids.
        """
        table = self._table(stream)
        if table is None or (start is not None and _touched_at(table.path) < start):
            return None
        return self._pages(stream, table, None)

    def _pages(self, stream: Stream, table: Table, resume: str | None) -> Iterator[Page]:
        digest = digest_of(table.path)
        offset = 0
        if resume is not None:
            text, _, known = resume.partition(":")
            if known != digest:
                raise ResumeLostError(f"{table.path} has changed since its row {text} was read")
            offset = int(text)
        rows = islice(self._rows(stream, table), offset, None)
        while page := list(islice(rows, PAGE_ROWS)):
            offset += len(page)
            yield Page([raw for raw in page if raw is not None], resume=f"{offset}:{digest}")

    def _rows(self, stream: Stream, table: Table) -> Iterator[Raw | None]:
        readings = self._readings(stream)
        by_column = [(column, read) for column in table.columns if (read := readings.get(column)) is not None]
        own = self._own_rows_only(stream, table)
        for row in table.rows():
            if isinstance(row, BadRow):
                log.warning("row_skipped", connection=self.connection.name, where=row.place, reason=row.text)
                yield None
            elif own and row["connection"] not in ("", self.kind, self.connection.name):
                yield None  # a company spread over several CRMs: the row lives in another one
            else:
                for column, read in by_column:
                    row[column] = read(row[column])
                yield Raw(stream, row)

    def _readings(self, stream: Stream) -> dict[str, Callable[[Any], Any]]:
        """How to read each column that the mapping uses; one that feeds several fields is read for the fullest."""
        spelling = Spelling(
            date_format=self.connection.date_format,
            decimal=self.connection.decimal,
            zone=ZoneInfo(self.connection.time_zone),
        )
        fields = RECORDS[stream.kind].model_fields
        sorts: dict[str, Sort] = {}
        for ours, source in sources(stream, self.connection).items():
            sort = sort_of(fields[ours])
            for column in paths_of(source):
                sorts[column] = min(sort, sorts.get(column, sort), key=SORTS.index)
        readings = spelling.readings()
        return {column: readings[sort] for column, sort in sorts.items()}

    def _table(self, stream: Stream) -> Table | None:
        """The stream's file; None where a file of the usual name is not there. Raises ConfigError for a named one."""
        folder, encoding = self.connection.folder, self.connection.encoding
        named = self.connection.files.get(stream.kind)
        if named is not None:
            return open_table(folder / named, encoding)
        if not folder.is_dir():
            raise ConfigError(f"{self.connection.name}: {folder}: there is no such folder: correct `folder`")
        usual = (folder / f"{stream.remote}{ending}" for ending in (".csv", ".xlsx"))
        return next((open_table(path, encoding) for path in usual if path.is_file()), None)

    def _check_columns(self, stream: Stream, table: Table) -> None:
        """Raises ConfigError for columns that the admin names and the file has not, and for a file without ids."""
        named = [
            (f"fields.{stream.name}.{ours}", path)
            for ours, source in self.connection.fields.get(stream.name, {}).items()
            for path in paths_of(source)
        ]
        columns = table.columns
        missing = [f"{where}: {path}{_nearest(path, columns)}" for where, path in named if path not in columns]
        if missing:
            raise ConfigError(f"{self.connection.name}: {table.path} has no such column: {'; '.join(missing)}")
        known = remote_fields(stream, self.connection)
        if not set(known) & set(columns):
            raise ConfigError(
                f"{self.connection.name}: {table.path} has none of the columns of {stream.name}: {', '.join(known)}. "
                f"Name its own in fields.{stream.name}, or another file"
            )
        source = sources(stream, self.connection)["remote_id"]
        if stream.kind in NEEDS_ID and not set(paths_of(source)) & set(columns):
            raise ConfigError(
                f"{self.connection.name}: {table.path} has no column id: name the one that identifies a row in "
                f"fields.{stream.name}.remote_id"
            )

    def _own_rows_only(self, stream: Stream, table: Table) -> bool:
        return "connection" in table.columns and stream.kind not in self.connection.files

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """All of them or, with RetryLaterError, none."""
        self._scores.write(target, writes)
        return (Written(write.remote_id) for write in writes)

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What ``scores.csv`` says."""
        return self._scores.read(target, ids, names)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {names_shown(near)}?)" if near else ""


def _touched_at(path: Path) -> datetime:
    """When a file was written or put in place, whichever is later: a copy may keep the older stamp of its source."""
    stat = path.stat()
    return datetime.fromtimestamp(max(stat.st_mtime, stat.st_ctime), UTC)
