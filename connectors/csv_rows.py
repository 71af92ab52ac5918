"""Rows of a table file as people export them: CSV in any usual encoding and separator, or XLSX."""

import codecs
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from connectors.errors import ConfigError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = ",;\t|"
_BLOCK = 1 << 20


class Row(dict[str, Any]):
    """One row by column; ``place`` says where it stands, for messages."""

    __slots__ = ("place",)

    def __init__(self, cells: Iterable[tuple[str, Any]], place: str) -> None:
        super().__init__(cells)
        self.place = place


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be told apart into columns. ``text`` says what is wrong with it."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """One open-able file. ``columns`` are its header's names, trimmed; ``encoding`` is None for XLSX."""

    path: Path
    columns: tuple[str, ...]
    encoding: str | None = None
    separator: str = ","
    sheet: str | None = None

    def rows(self) -> Iterator[Row | BadRow]:
        """Every row behind the header; row numbers are those that a spreadsheet shows. Empty rows are passed over."""
        number = 1
        for cells in self._cells():
            number += 1
            place = f"{self.path.name} row {number}"
            if isinstance(cells, str):
                yield BadRow(place, cells)
            elif not any(cell not in (None, "") for cell in cells):
                continue
            elif len(cells) != len(self.columns):
                text = f"{len(cells)} cells under {len(self.columns)} columns: is a quote or a separator missing?"
                yield BadRow(place, text)
            else:
                yield Row(zip(self.columns, cells, strict=True), place)

    def _cells(self) -> Iterator[list[Any] | str]:
        if self.encoding is None:
            yield from _sheet_cells(self.path, self.sheet, len(self.columns))
            return
        with self.path.open(encoding=self.encoding, errors="replace", newline="") as file:
            reader = csv.reader((line.replace("\x00", "") for line in file), delimiter=self.separator)
            next(reader, None)
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield str(error)
                    continue
                yield cells


def open_table(path: Path, encoding: str | None = None) -> Table:
    """A file's header and form. Raises ConfigError if there is no such file, or if it has no header.

    ``path`` may name a sheet: ``book.xlsx#Deals``; else the first one counts.
    """
    file, _, sheet = str(path).partition("#") if ".xlsx#" in str(path) else (str(path), "", "")
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file")
    if path.suffix.lower() == ".xlsx":
        return Table(path, _header(path, next(_sheet_cells(path, sheet or None, 0, skip=0), [])), sheet=sheet or None)
    encoding = encoding or _encoding(path)
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as lines:
            first = lines.readline().replace("\x00", "")
            separator = max(_SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
            lines.seek(0)
            cells = next(csv.reader(lines, delimiter=separator), [])
    except LookupError:
        raise ConfigError(f"{path}: encoding {encoding} is not one we know") from None
    return Table(path, _header(path, cells), encoding, separator)


def _header(path: Path, cells: Iterable[Any]) -> tuple[str, ...]:
    columns = tuple(str(cell or "").replace("\x00", "").strip() for cell in cells)
    if not any(columns):
        raise ConfigError(f"{path}: the first row must name the columns")
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise ConfigError(f"{path}: column {', '.join(twice)} is there twice: rename one")
    return columns


def _encoding(path: Path) -> str:
    """By byte order mark, else UTF-8 if all of the file is, else UTF-16 by its zero bytes, else Windows-1252."""
    with path.open("rb") as file:
        start = file.read(200)
        for mark, name in _BOMS:
            if start.startswith(mark):
                return name
        if b"\x00" in start[:2]:
            return "utf-16-be" if start[:1] == b"\x00" else "utf-16-le"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _sheet_cells(path: Path, sheet: str | None, width: int, *, skip: int = 1) -> Iterator[list[Any]]:
    from openpyxl import load_workbook  # slow to import, and used by few
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, OSError, KeyError, ValueError) as error:
        raise ConfigError(f"{path}: not a readable XLSX file ({type(error).__name__})") from None
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise ConfigError(f"{path}: there is no sheet {sheet}; there are {', '.join(book.sheetnames)}")
        cells = book[sheet] if sheet is not None else book.worksheets[0]
        for number, row in enumerate(cells.iter_rows(values_only=True)):
            if number >= skip:
                values = [_plain(value) for value in row]
                # Rows end at their last filled cell, and some programs format empty columns behind the table.
                while len(values) > width and skip and values[-1] is None:
                    values.pop()
                yield values + [None] * (width - len(values))
    finally:
        book.close()


def _plain(value: Any) -> Any:
    """A spreadsheet's value: numbers exact as they are shown, a midnight as a date."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, datetime) and value == datetime.combine(value.date(), datetime.min.time()):
        return value.date()
    return value if isinstance(value, str | int | date) else str(value)


def digest_of(path: Path) -> str:
    """Digest of a file's bytes, 16 hex digits: whether a place in it still means the same."""
    digest = blake2b(digest_size=8)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
