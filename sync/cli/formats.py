"""A report as CSV, JSON, XLSX or HTML, or as tables for people. Unknown is an empty cell, null, or a dash."""

import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from rich.cells import cell_len

from connectors.csv_cells import csv_line, defused
from scoring.language import Language
from sync.cli.tables import broken
from sync.figures import aligned, fixed
from sync.report import METRIC_COLUMNS, Report
from sync.terminal import escaped, write_out
from sync.texts import NOTES, SEPARATOR, TITLES, WORDS, column_head, text

_SPREADSHEET_DIGITS = 15
"""Digits that a spreadsheet keeps of a number; a longer one is written as text, so that no cent is lost."""

_LEADING = 3
"""Columns of a pivoted metric table that say what a row is about: period, subject, name."""

_ABOUT = frozenset(("period", "subject", "name"))

Rows = list[tuple[Any, ...]]


def write_report(report: Report, form: str, output: Path | None) -> None:
    """Writes to ``output``, or to standard output for the text forms."""
    if form == "xlsx":
        if output is None:
            message = "--format xlsx needs --out FILE"
            raise typer.BadParameter(message)
        _xlsx(report, output)
        return
    written = {"csv": _csv, "json": _json, "html": _html, "table": _csv}[form](report)
    if output is None:
        write_out(written)
    else:
        output.write_text(written, encoding="utf-8")


def _csv(report: Report) -> str:
    rows = ([defused(str(cell)) if cell is not None else "" for cell in row] for row in report.rows)
    return "".join(map(csv_line, [report.columns, *rows]))


def _json(report: Report) -> str:
    """An array of objects; numbers are written digit for digit, which a float would not be."""
    lines = []
    for row in report.rows:
        cells = zip(report.columns, row, strict=True)
        lines.append(", ".join(f"{json.dumps(name)}: {_json_cell(report, name, cell)}" for name, cell in cells))
    return "[" + ",".join(f"\n {{{line}}}" for line in lines) + "\n]\n"


def _json_cell(report: Report, name: str, cell: Any) -> str:
    if name in report.numbers and cell is not None:
        return str(cell)
    return escaped(json.dumps(cell, ensure_ascii=False, default=str))


def _html(report: Report) -> str:
    heads = [column_head(column, report.language) for column in report.columns]
    head = "".join(f"<th>{html.escape(column)}</th>" for column in heads)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in report.rows
    )
    title = html.escape(report.title)
    style = "body{font-family:sans-serif}td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #ddd}"
    return (
        f'<!doctype html>\n<html lang="{report.language}"><meta charset="utf-8"><title>{title}</title><style>{style}</style>\n'
        f"<h1>{title}</h1><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></html>\n"
    )


def _xlsx(report: Report, output: Path) -> None:
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    book = xlsxwriter.Workbook(str(output), {"strings_to_formulas": False, "strings_to_urls": False})
    _fill(book.add_worksheet("report"), report)
    try:
        book.close()
    except FileCreateError as error:  # what it says of a full disk
        raise OSError(str(error)) from error


def _fill(sheet: Any, report: Report) -> None:
    for column, name in enumerate(report.columns):
        sheet.write_string(0, column, name)
    for line, row in enumerate(report.rows, 1):
        for column, cell in enumerate(row):
            if cell is None:
                continue
            if report.columns[column] in report.numbers and _fits_spreadsheet(str(cell)):
                sheet.write_number(line, column, float(cell))
            else:
                sheet.write_string(line, column, str(cell))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(report.rows), len(report.columns) - 1)


def _fits_spreadsheet(number: str) -> bool:
    return len(number.lstrip("-0.").replace(".", "")) <= _SPREADSHEET_DIGITS


def tables_of(report: Report, width: int) -> Iterator[Report]:
    """The report as tables no wider than ``width`` characters where that can be.

    Metric rows become one row per period and subject with a column per metric, cut into several tables where one would be
    too wide; a metric that is unknown for everybody is named in the last title instead of filling a column with dashes.
    """
    if report.columns != METRIC_COLUMNS:
        yield report
        return
    columns, rows, unknown = _pivoted(report)
    blocks = _blocks(columns, rows, width)
    for turn, block in enumerate(blocks, 1):
        part = text(TITLES, "part", report.language, title=report.title, number=turn, count=len(blocks))
        title = report.title if len(blocks) == 1 else part
        shown = [columns[place] for place in block]
        cells = [tuple(row[place] for place in block) for row in rows]
        yield Report(title, tuple(shown), cells, frozenset(shown) - _ABOUT, report.language)
    notes = []
    if any(str(cell).endswith("*") for row in rows for cell in row[_LEADING:]):
        notes.append(text(NOTES, "low_sample", report.language))
    if unknown:
        names = SEPARATOR[report.language].join(column_head(name, report.language) for name in unknown)
        notes.append(text(NOTES, "unknown", report.language, names=names))
    if notes:
        yield Report("\n".join(notes), (), [], language=report.language)


def _pivoted(report: Report) -> tuple[tuple[str, ...], Rows, list[str]]:
    """Columns, rows in order of first sight, and the metrics without any value."""
    cells: dict[tuple[Any, ...], dict[str, tuple[str, str]]] = {}
    units: dict[str, str] = {}
    for period, _, subject, name, metric, value, unit, _, _, _, status in report.rows:
        units.setdefault(metric, unit)
        found = cells.setdefault((period, subject, name), {})
        if value is not None:
            found[metric] = value, "*" if status == "low_sample" else ""
    known = [metric for metric in units if any(metric in found for found in cells.values())]
    named = any(name != subject for _, subject, name in cells)
    columns = [_spelled(metric, units[metric], cells.values()) for metric in known]
    heads = [
        _head(metric, units[metric], column, report.language) for metric, column in zip(known, columns, strict=True)
    ]
    rows = [
        (period, subject, name if named else None, *(column[place] for column in columns))
        for place, (period, subject, name) in enumerate(cells)
    ]
    return ("period", "subject", "name", *heads), rows, [metric for metric in units if metric not in known]


def _spelled(metric: str, unit: str, rows: Iterable[Mapping[str, tuple[str, str]]]) -> list[str | None]:
    """A metric's cells for the eye: percent and days with one place, other numbers with two or, if all are whole, none."""
    told = [row.get(metric) for row in rows]
    values = [cell[0] for cell in told if cell is not None]
    spells: Mapping[str, Callable[[str], str]] = {"ratio": lambda value: fixed(Decimal(value) * 100), "days": fixed}
    spell = spells.get(unit) or aligned(values)
    return [None if cell is None else spell(cell[0]) + cell[1] for cell in told]


def _head(metric: str, unit: str, cells: Iterable[str | None], language: Language) -> str:
    name = column_head(metric, language).replace("_", " ")
    width = max(cell_len(cell or "") for cell in cells)
    shown = {"ratio": "%", "count": "", "days": WORDS["days"][language]}.get(unit, unit)
    return "\n".join([*broken(name, width), *([shown] if shown else [])])


def _blocks(columns: Sequence[str], rows: Rows, width: int) -> list[list[int]]:
    """Places of the columns of each table: what a row is about, then as many metrics as there is room for.

    Ids that would take half of a narrow table give way to names, where no two subjects share one.
    """
    widths = [max(cell_len(part) for cell in (column, *values) for part in str(cell).split("\n")) + 2
              for column, values in zip(columns, zip(*rows, strict=True), strict=True)] if rows else [cell_len(c) + 2 for c in columns]  # fmt: skip
    leading = [0, 1] if all(row[2] is None for row in rows) else [0, 1, 2]
    told = {(row[0], row[2]) for row in rows if row[2] is not None}
    if sum(widths[column] for column in leading) > width // 2 and len(told) == len(rows):
        leading = [0, 2]  # long ids would leave room for a metric or two; the names say who is who
    blocks: list[list[int]] = []
    room = 0
    for place in range(_LEADING, len(columns)):
        if not blocks or room < widths[place]:
            blocks.append(list(leading))
            room = width - sum(widths[column] for column in leading)
        blocks[-1].append(place)
        room -= widths[place]
    return blocks or [list(leading)]
