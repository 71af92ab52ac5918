"""Rows of a table file as people export them: CSV in any usual encoding and separator, or XLSX."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

from connectors.csv_folder.sheets import sheet_cells
from connectors.errors import ConfigError
from connectors.secrets import looks_secret

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = ",;\t|"
_BLOCK = 1 << 20
_NAME = re.compile(r"\w[\w .()#%&+/*?'-]{0,59}")
_MOST_NAMES = 40
_END = "\x00"
"""A line behind the last one, which no file can hold: where it is found in a cell, that cell's quote was left open."""


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
        for cells, lines in self._cells():
            number += 1
            place = f"{self.path.name} row {number}"
            if not any(cell not in (None, "") for cell in cells):
                continue
            if len(cells) != len(self.columns):
                text = (
                    f"{len(cells)} cells under {len(self.columns)} columns{lines}: is a quote or a separator missing?"
                )
                yield BadRow(place, text)
            else:
                yield Row(zip(self.columns, cells, strict=True), place)

    def _cells(self) -> Iterator[tuple[list[Any], str]]:
        """Cells of each row, with words for the lines that it takes where those are several."""
        if self.encoding is None:
            yield from ((cells, "") for cells in sheet_cells(self.path, self.sheet, len(self.columns)))
            return
        with self.path.open(encoding=self.encoding, errors="replace", newline="") as file:
            yield from self._parsed(file)

    def _parsed(self, file: Iterable[str]) -> Iterator[tuple[list[Any], str]]:
        """Raises ConfigError for a quote that never ends: it swallows the rows behind it, which are not gone."""
        lines = chain((line.replace("\x00", "") for line in file), (_END,))
        reader = csv.reader(lines, delimiter=self.separator)
        if any(_END in cell for cell in next(reader, ())):
            raise self._open_quote(1)
        while True:
            first = reader.line_num + 1
            try:
                cells = next(reader)
            except csv.Error:  # its only one here: a cell longer than csv.field_size_limit()
                raise self._open_quote(first) from None
            if cells == [_END]:
                return
            if cells and cells[-1].endswith(_END):
                raise self._open_quote(first + sum(cell.count("\n") for cell in cells[:-1]))
            last = reader.line_num
            yield cells, f" in lines {first} to {last}" if last > first else ""

    def _open_quote(self, line: int) -> ConfigError:
        return ConfigError(
            f'{self.path}: line {line}: a quote (") begins in this row and does not end, so that nothing behind it can be '
            "read: close it, or double it where it is part of the text"
        )


def open_table(path: Path, encoding: str | None = None) -> Table:
    """A file's header and form. Raises ConfigError if there is no such file, or if it has no header.

    ``path`` may name a sheet: ``book.xlsx#Deals``; else the first one counts.
    """
    file, _, sheet = str(path).partition("#") if ".xlsx#" in str(path) else (str(path), "", "")
    path = Path(file)
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file")
    if path.suffix.lower() == ".xlsx":
        return Table(path, _header(path, next(sheet_cells(path, sheet or None, 0, skip=0), [])), sheet=sheet or None)
    encoding = encoding or _encoding(path)
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as lines:
            first = lines.readline().replace("\x00", "")
            separator = max(_SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
            lines.seek(0)
            cells = next(csv.reader(lines, delimiter=separator), [])
    except LookupError:
        raise ConfigError(f"{path}: encoding {encoding} is not one we know") from None
    except csv.Error:
        raise ConfigError(f"{path}: the first row does not name columns: is a quote left open?") from None
    return Table(path, _header(path, cells), encoding, separator)


def _header(path: Path, cells: Iterable[Any]) -> tuple[str, ...]:
    columns = tuple(str(cell or "").replace("\x00", "").strip() for cell in cells)
    if not any(columns):
        raise ConfigError(f"{path}: the first row must name the columns")
    seen = Counter(column for column in columns if column)
    twice = sorted(column for column, times in seen.items() if times > 1)
    if twice:
        raise ConfigError(f"{path}: column {names_shown(twice)} is there twice: rename one")
    return columns


def names_shown(columns: Sequence[str]) -> str:
    """Column names for a text, less those that look like anything else: the file may be none that we were meant to see."""
    names = [column for column in columns if _NAME.fullmatch(column) and not looks_secret(column)]
    hidden = len(columns) - len(names)
    if hidden:
        names.append(f"{hidden} that {'do' if hidden > 1 else 'does'} not look like the name of a column")
    shown = names[:_MOST_NAMES]
    return ", ".join(shown) + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


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


def digest_of(path: Path) -> str:
    """Digest of a file's bytes, 16 hex digits: whether a place in it still means the same."""
    digest = blake2b(digest_size=8)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
