"""CSV for people's spreadsheets: no cell runs as a formula, and every cell is read back as it was."""

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = re.compile(r"\s*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|[\t\r]")
"""Beginnings that a spreadsheet takes for a formula, also the full-width ones of a Chinese keyboard."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def defused(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet would run it; a plain number stays a number."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def sealed(text: str) -> str:
    """``defused`` so that ``unsealed`` gives the text back: an apostrophe of its own is doubled."""
    return f"'{text}" if text.startswith("'") else defused(text)


def unsealed(cell: str) -> str:
    """The text that was ``sealed``."""
    return cell.removeprefix("'")


def csv_line(cells: Iterable[object]) -> str:
    """One line, ended by a line feed; a cell with a bare carriage return is quoted, which readers would break at."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)  # it quotes what stands in its line end
    return buffer.getvalue()[:-2] + "\n"
