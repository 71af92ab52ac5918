"""Files that an admin brings: people, targets, ratings, surveys, payments and rates, whole or not at all.

Rows become records of the connection ``import``, whose targets and rates go before a CRM's. A later import adds versions:
a row that says something else of the same subject replaces what was said before, a row that is not there says nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from connectors.csv_folder.rows import BadRow, Row, Table, names_shown, open_table
from connectors.csv_folder.values import Spelling, sort_of
from connectors.errors import ConfigError
from connectors.mapping import content_hash
from connectors.records import RECORDS, Record
from scoring.money import IMPORT
from scoring.period import PeriodError, parse_period
from sync.config import Config
from sync.config_errors import nearest
from sync.facts_of import calendar_of
from sync.import_subjects import Subjects
from sync.plans import fingerprint
from sync.store.engine import Store
from sync.store.state import end_run, start_run
from sync.store.versions import SaveCounts, save_records

KINDS = {
    "people": "person",
    "targets": "target",
    "ratings": "rating",
    "surveys": "survey",
    "payments": "payment",
    "rates": "rate",
}
"""What ``scoreback import`` takes, with the record that its rows become."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "target": ("subject_kind", "subject_id", "metric", "period_start", "period_end"),
    "rate": ("currency", "to", "on"),
    "rating": ("subject_id", "rater_id", "item", "rated_at"),
}
"""What makes two rows without an id versions of one; rows of other kinds get a hash of their content as their id."""

_PEOPLE: Mapping[str, tuple[str, ...]] = {
    "target": ("subject_id",),
    "rating": ("subject_id", "rater_id"),
    "survey": ("person_id",),
}
"""Columns that name a person."""

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "person": (),
    "target": ("subject_id", "amount"),
    "rate": ("rate",),
    "rating": ("rating",),
    "payment": ("amount", "currency", "paid_on"),
}
"""Columns that must not be empty here, though a CRM may leave the field unknown."""

MOST_SHOWN = 50
MOST_FOUND = 1_000
"""Findings after which the rest of a file is not read: it is another file than was meant."""


class ImportProblemsError(ConfigError):
    """Everything that is wrong with a file, by row and column. Nothing of the file was stored."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        shown = problems[:MOST_SHOWN]
        more = [f"... and {len(problems) - MOST_SHOWN} more"] if len(problems) > MOST_SHOWN else []
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        super().__init__("\n".join([*shown, *more, f"{path}: {count}. Nothing of it was stored"]))


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ``warnings`` are rows that were stored but point to nobody we know."""

    rows: int
    counts: SaveCounts
    warnings: list[str]


def import_file(config: Config, store: Store, kind: str, path: Path, *, decimal: Literal[".", ","] = ".") -> Imported:
    """Reads, checks and stores a CSV or XLSX file in one transaction.

    Raises ConfigError for an unknown kind or an unreadable file, ImportProblemsError with every finding at once.
    """
    if kind not in KINDS:
        message = f"{kind} is nothing to import.{nearest(kind, KINDS)} There are {', '.join(KINDS)}"
        raise ConfigError(message)
    table = open_table(path)
    with store.reading() as tx:
        subjects = Subjects.of(tx, config)
    reader = _Reader(config, KINDS[kind], table, subjects, decimal)
    records = reader.records()
    if reader.problems:
        raise ImportProblemsError(path, reader.problems)
    with store.writing(durable=True) as tx:
        now = datetime.now(UTC)
        run = start_run(tx, f"import {kind}", at=now)
        counts = save_records(tx, IMPORT, KINDS[kind], records, recorded_at=now, run=run)
        end_run(tx, run, at=now, status="done", summary={"file": path.name, "rows": len(records)})
    return Imported(len(records), counts, reader.warnings)


@dataclass(slots=True)
class _Reader:
    """One file's rows as records; what is wrong with them gathers in ``problems``."""

    config: Config
    kind: str
    table: Table
    subjects: Subjects
    decimal: Literal[".", ","]
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)

    def records(self) -> list[Record]:
        self._check_header()
        if not set(self._known()) & set(self.table.columns):
            return []  # another file altogether: nothing can be said of its rows
        readings = self._readings()
        found = []
        try:
            for row in self.table.rows():
                record = self._record(row, readings)
                if record is not None:
                    found.append(record)
                if len(self.problems) >= MOST_FOUND:
                    self.problems.append(f"{self.table.path.name}: what comes behind was not looked at")
                    break
        except ConfigError as error:
            self.problems.append(str(error))
        if not found and not self.problems:
            self.problems.append(f"{self.table.path.name}: there is no row below the header")
        return found

    @property
    def _fields(self) -> dict[str, Any]:
        return RECORDS[self.kind].model_fields

    def _known(self) -> list[str]:
        names = ["id", *(name for name in self._fields if name not in ("remote_id", "modified_at", "deleted"))]
        return [*names, "period"] if self.kind == "target" else names

    def _check_header(self) -> None:
        known = self._known()
        for number, column in enumerate(self.table.columns, 1):
            if column and column not in known:
                shown = column if names_shown([column]) == column else f"number {number}"
                advice = nearest(column, known) or f" Known are {', '.join(known)}"
                self.problems.append(f"{self.table.path.name} row 1, column {shown}: is not a column we know.{advice}")
        for column in self._required():
            if column not in self.table.columns:
                self.problems.append(f"{self.table.path.name} row 1: column {column} is missing: add it")

    def _required(self) -> Iterator[str]:
        by_period = self.kind == "target" and "period" in self.table.columns
        required = [name for name, info in self._fields.items() if info.is_required() and name != "remote_id"]
        for name in dict.fromkeys([*required, *_NEEDED.get(self.kind, ())]):
            if not (by_period and name in ("period_start", "period_end")):
                yield name
        if self.kind == "person" and not {"id", "email"} & set(self.table.columns):
            yield "email"

    def _readings(self) -> dict[str, Callable[[Any], Any]]:
        zone = self.config.settings.organisation.zone
        readings = Spelling(date_format=None, decimal=self.decimal, zone=zone).readings()
        return {name: readings[sort_of(info)] for name, info in self._fields.items()}

    def _record(self, row: Row | BadRow, readings: Mapping[str, Callable[[Any], Any]]) -> Record | None:
        if isinstance(row, BadRow):
            self.problems.append(f"{row.place}: {row.text}")
            return None
        before = len(self.problems)
        values = {name: readings.get(name, str)(cell) for name, cell in row.items() if name and cell not in (None, "")}
        values = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        self._period(row.place, values)
        for column in self._required():
            if column in self.table.columns and values.get(column) in (None, ""):
                self.problems.append(f"{row.place}, column {column}: is empty: fill it in")
        for column in _PEOPLE.get(self.kind, ()):
            self._person(row.place, column, values)
        remote_id = values.pop("id", None)
        record = self._validated(row.place, {**values, "remote_id": str(remote_id or "-")})
        if record is None or len(self.problems) > before:
            return None
        if remote_id is None:
            record.remote_id = self._own_id(record)
        return self._once(row.place, record)

    def _period(self, place: str, values: dict[str, Any]) -> None:
        """``period: 2017-Q2`` in place of the two days."""
        if self.kind != "target" or "period" not in self.table.columns:
            return
        text = values.pop("period", None)
        if text is None:
            if not {"period_start", "period_end"} <= values.keys():
                self.problems.append(f"{place}, column period: is empty: fill it in")
            return
        try:
            period = parse_period(str(text), calendar_of(self.config))
        except PeriodError as error:
            self.problems.append(f"{place}, column period: {error}")
            return
        values.setdefault("period_start", period.start)
        values.setdefault("period_end", period.last_day)

    def _person(self, place: str, column: str, values: dict[str, Any]) -> None:
        """Checks that a named person is one, and known; ``person:`` before an id is taken off."""
        text = values.get(column)
        if text is None or values.get("subject_kind", "person") != "person":
            return
        values[column] = text = str(text).removeprefix("person:")
        found = self.subjects.find(text)
        if found.known is False and self.subjects.any:
            self.problems.append(f"{place}, column {column}: {text} is nobody we know.{self.subjects.near(text)}")
        elif found.known is False:
            self.warnings.append(f"{place}, column {column}: {text} is nobody we know yet: no people were read so far")
        elif found.several:
            advice = f"write one of {', '.join(found.several)}"
            self.problems.append(f"{place}, column {column}: {text} is more than one person: {advice}")

    def _validated(self, place: str, values: dict[str, Any]) -> Record | None:
        named = {name: value for name, value in values.items() if name in self._fields}
        try:
            return RECORDS[self.kind].model_validate(named)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_context=False):
                column = str(item["loc"][0])
                if item["type"] != "missing":  # an empty cell has been told already
                    self.problems.append(f"{place}, column {column}: {_said(item, self._fields[column])}")
            return None

    def _own_id(self, record: Record) -> str:
        if self.kind == "person":
            return str(getattr(record, "email", None) or "").casefold()
        key = _KEYS.get(self.kind)
        if key is None:
            return content_hash(record, without=("remote_id", "deleted"))
        return fingerprint("\x1f".join(str(getattr(record, name)) for name in key))

    def _once(self, place: str, record: Record) -> Record | None:
        earlier = self.seen.setdefault(record.remote_id, place)
        if earlier != place:
            what = "has the same id as" if self.kind == "person" else "says the same thing twice, as does"
            advice = "keep one" if self.kind in _KEYS or self.kind == "person" else "keep one, or give each an id"
            self.problems.append(f"{place}: {what} {earlier}: {advice}")
            return None
        return record


def _said(item: Any, info: Any) -> str:
    """One finding of the record's validator for people who fill in cells."""
    expected = {"number": "a number such as 1250.50", "date": "a date such as 2025-01-31", "moment": "a day or moment"}
    text = expected.get(sort_of(info))
    if item["type"] == "literal_error":
        words = [word for part in (info.annotation, *get_args(info.annotation)) for word in _words(part)]
        return f"must be one of {', '.join(words)}"
    return f"must be {text}" if text else str(item["msg"])


def _words(annotation: Any) -> Iterable[str]:
    return [word for word in get_args(annotation) if isinstance(word, str)]
