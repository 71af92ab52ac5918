"""Rows of an XLSX file, within bounds: such a file is a ZIP archive, and a small one may unpack to anything."""

import zlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from connectors.errors import ConfigError

_MOST_BYTES = 512 << 20
"""What a workbook may unpack to: a million rows of thirty columns."""

_HARMLESS_BYTES = 16 << 20
_MOST_TIMES = 60
"""How many times its size a larger workbook may unpack to: those that people make come to 10 or 20."""

_LONGEST_CELL = 32_767
"""Characters that a spreadsheet takes in a cell."""

_BROKEN = (BadZipFile, OSError, KeyError, ValueError, ParseError, zlib.error, EOFError)
"""What openpyxl and the modules under it raise for files that are none of theirs."""


def sheet_cells(path: Path, sheet: str | None, width: int, *, skip: int = 1) -> Iterator[list[Any]]:
    """Cells of every row behind the first ``skip``, at least ``width`` of them.

    Raises ConfigError for a file that is no workbook or unpacks to more than is sane, a sheet that is not there, and a
    cell that no spreadsheet could hold.
    """
    from openpyxl import load_workbook  # slow to import, and used by few
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        _check_size(path)
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, *_BROKEN) as error:
        raise _unreadable(path, error) from None
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise ConfigError(f"{path}: there is no sheet {sheet}; there are {', '.join(book.sheetnames)}")
        cells = book[sheet] if sheet is not None else book.worksheets[0]
        cells.reset_dimensions()  # what some programs write there is too small, and would cut rows off
        for number, row in enumerate(cells.iter_rows(values_only=True)):
            if number >= skip:
                yield _filled(path, number, [_plain(value) for value in row], width, cut=bool(skip))
    except (IndexError, *_BROKEN) as error:
        raise _unreadable(path, error) from None
    finally:
        book.close()


def _unreadable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"{path}: not a readable XLSX file ({type(error).__name__})")


def _check_size(path: Path) -> None:
    with ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    times = unpacked // max(1, path.stat().st_size)
    if unpacked > _MOST_BYTES or (unpacked > _HARMLESS_BYTES and times > _MOST_TIMES):
        raise ConfigError(
            f"{path}: unpacks to {unpacked >> 20} MiB, {times} times its size: no table that people make does. "
            "Save it as CSV if it is one"
        )


def _filled(path: Path, number: int, values: list[Any], width: int, *, cut: bool) -> list[Any]:
    for column, value in enumerate(values):
        if isinstance(value, str) and len(value) > _LONGEST_CELL:
            raise ConfigError(
                f"{path}: row {number + 1}, column {column + 1}: a cell of {len(value)} characters, "
                f"{_LONGEST_CELL} are the most that a spreadsheet takes"
            )
    # Rows end at their last filled cell, and some programs format empty columns behind the table.
    while cut and len(values) > width and values[-1] is None:
        values.pop()
    return values + [None] * (width - len(values))


def _plain(value: Any) -> Any:
    """A spreadsheet's value: numbers exact as they are shown, a midnight as a date."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, datetime) and value == datetime.combine(value.date(), datetime.min.time()):
        return value.date()
    return value if isinstance(value, str | int | date) else str(value)
