"""A world folder: one CSV file per record kind, as the simulated company writes it and the emulators read it.

UTF-8, comma separated, one header line. Dates are ISO (``2025-03-31``), moments ISO in UTC (``2025-03-31T08:15:00Z``),
numbers plain decimals, truth values ``true`` and ``false``, id lists joined by ``;``. A missing file or an empty cell
means "not known".
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, Self

Tables = dict[str, list[dict[str, str]]]
"""Rows by table name (``people``, ``opportunities``); every cell is text, ``""`` where nothing is known."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "people": (
        "id", "name", "email", "active", "manager_id", "team", "territory", "region", "role", "started_on", "ended_on",
        "modified_at",
    ),
    "accounts": ("id", "name", "parent_id", "owner_id", "industry", "region", "created_at", "modified_at"),
    "stages": ("id", "pipeline", "stage", "label", "position", "outcome", "probability", "qualified", "modified_at"),
    "opportunities": (
        "id", "name", "account_id", "owner_id", "pipeline", "stage", "outcome", "amount", "currency", "created_at",
        "close_on", "closed_at", "type", "source", "product", "probability", "forecast_category", "next_step",
        "discount", "external_id", "merged_into", "modified_at",
    ),
    "changes": ("id", "record", "record_id", "field", "old", "new", "at", "by"),
    "activities": (
        "id", "kind", "owner_id", "opportunity_id", "account_id", "contact_ids", "participant_ids", "direction",
        "two_way", "auto_logged", "created_at", "planned_at", "completed_at", "duration_seconds", "subject_hash",
        "modified_at",
    ),
    "splits": ("id", "opportunity_id", "person_id", "percentage", "kind", "modified_at"),
    "line_items": ("id", "opportunity_id", "product", "quantity", "amount", "modified_at"),
    "targets": (
        "id", "subject_kind", "subject_id", "metric", "period_start", "period_end", "amount", "currency", "modified_at",
    ),
    "forecasts": (
        "id", "owner_id", "period_start", "period_end", "layer", "category", "amount", "currency", "reason", "at",
    ),
    "surveys": (
        "id", "person_id", "account_id", "opportunity_id", "scale", "answer", "sent_at", "answered_at", "modified_at",
    ),
    "payments": ("id", "opportunity_id", "amount", "currency", "paid_on", "kind", "modified_at"),
    "contracts": ("id", "account_id", "recurring_amount", "currency", "start_on", "end_on", "modified_at"),
    "absences": ("id", "person_id", "start_on", "end_on", "paid"),
    "rates": ("id", "currency", "to", "rate", "on"),
    "ratings": ("id", "subject_id", "rater_id", "item", "rating", "note", "rated_at"),
}  # fmt: skip
"""Every table of a world with its columns. A world spread over CRMs has ``connection`` behind ``id``."""


class Sink(Protocol):
    """Where simulated rows go, one at a time."""

    def add(self, table: str, row: Sequence[str]) -> None:
        """Takes one row, its cells in the order of the table's columns."""


def columns_of(table: str, *, spread: bool) -> tuple[str, ...]:
    """The header of one table's file."""
    columns = COLUMNS[table]
    return (columns[0], "connection", *columns[1:]) if spread else columns


class FolderSink:
    """Streams rows into the files of a world folder, so that a world need never fit into memory. A context manager."""

    def __init__(self, folder: Path, *, spread: bool) -> None:
        self._folder = folder
        self._spread = spread
        self._files = ExitStack()
        self._writers: dict[str, Any] = {}
        self._widths = {table: len(columns_of(table, spread=spread)) for table in COLUMNS}

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        for table in COLUMNS:
            self._writers[table] = self._open(table, columns_of(table, spread=self._spread))
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def _open(self, table: str, columns: Iterable[str]) -> Any:
        # "\n" on every system: the same seed gives the same bytes
        file = self._files.enter_context((self._folder / f"{table}.csv").open("w", encoding="utf-8", newline=""))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        return writer

    def add(self, table: str, row: Sequence[str]) -> None:
        """Takes one row, its cells in the order of the table's columns."""
        if len(row) != self._widths[table]:
            message = f"{table}: a row of {len(row)} cells for {self._widths[table]} columns"
            raise ValueError(message)
        self._writers[table].writerow(row)


class MemorySink:
    """Keeps rows as ``read_world`` would return them."""

    def __init__(self, *, spread: bool) -> None:
        self._columns = {table: columns_of(table, spread=spread) for table in COLUMNS}
        self.tables: Tables = {table: [] for table in COLUMNS}

    def add(self, table: str, row: Sequence[str]) -> None:
        """Takes one row, its cells in the order of the table's columns."""
        self.tables[table].append(dict(zip(self._columns[table], row, strict=True)))


def read_world(path: Path | str) -> Tables:
    """Every table of a world folder; a table without a file is empty.

    Columns we have no word for are kept. Raises FileNotFoundError where the folder itself is missing, ValueError for a
    row with more cells than the header.
    """
    folder = Path(path)
    if not folder.is_dir():
        message = f"{folder} is not a folder: a world is a folder of CSV files"
        raise FileNotFoundError(message)
    return {table: _read(folder / f"{table}.csv") for table in COLUMNS}


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey=_EXCESS, restval="")
        rows = list(reader)
    for line, row in enumerate(rows, start=2):
        if _EXCESS in row:
            message = f"{path}: row {line} has more cells than the header: quote cells that hold a comma"
            raise ValueError(message)
    return rows


_EXCESS = "\0"  # csv has no column of this name


def write_world(path: Path | str, tables: Mapping[str, Iterable[Mapping[str, str]]]) -> None:
    """Writes tables as a world folder, row by row: generators are welcome.

    The header is the table's own columns of ``COLUMNS``, with ``connection`` if the first row has one, then what else
    the first row names. Raises KeyError for a table that no world has, ValueError for a cell under no header.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        _write(folder / f"{table}.csv", COLUMNS[table], iter(rows))


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> None:
    rows = iter(rows)
    first = next(rows, None)
    named = first or {}
    header = [columns[0], *(["connection"] if "connection" in named else []), *columns[1:]]
    header += [column for column in named if column not in header]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
        writer.writeheader()
        if first is not None:
            writer.writerow(first)
        writer.writerows(rows)
