"""A report as CSV, JSON, XLSX or HTML, or as tables for people. Unknown is an empty cell, null, or a dash."""

import csv
import html
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import typer

from sync.report import METRIC_COLUMNS, Report

_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_SPREADSHEET_DIGITS = 15
"""Digits that a spreadsheet keeps of a number; a longer one is written as text, so that no cent is lost."""

_LEADING = 3
"""Columns of a pivoted metric table that say what a row is about: period, subject, name."""

Rows = list[tuple[Any, ...]]


def write_report(report: Report, form: str, output: Path | None) -> None:
    """Writes to ``output``, or to standard output for the text forms."""
    if form == "xlsx":
        if output is None:
            message = "--format xlsx needs --out FILE"
            raise typer.BadParameter(message)
        _xlsx(report, output)
        return
    text = {"csv": _csv, "json": _json, "html": _html, "table": _csv}[form](report)
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


def _csv(report: Report) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(report.columns)
    writer.writerows([["" if cell is None else _safe(cell) for cell in row] for row in report.rows])
    return buffer.getvalue()


def _safe(cell: object) -> object:
    """Text that a spreadsheet would run as a formula gets a quote before it; numbers stay numbers."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "@", "\t", "\r", "-") and not _PLAIN.fullmatch(cell):
        return "'" + cell
    return cell


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
    return json.dumps(cell, ensure_ascii=False, default=str)


def _html(report: Report) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in report.columns)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in report.rows
    )
    title = html.escape(report.title)
    style = "body{font-family:sans-serif}td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #ddd}"
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>\n'
        f"<h1>{title}</h1><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></html>\n"
    )


def _xlsx(report: Report, output: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(output), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("report")
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
    for number, block in enumerate(blocks, 1):
        title = report.title if len(blocks) == 1 else f"{report.title} ({number} of {len(blocks)})"
        shown = [columns[place] for place in block]
        yield Report(title, tuple(shown), [tuple(row[place] for place in block) for row in rows], frozenset(shown[2:]))
    notes = []
    if any(str(cell).endswith("*") for row in rows for cell in row[_LEADING:]):
        notes.append("* rests on fewer cases than the metric's minimum")
    if unknown:
        notes.append(f"unknown for everybody here: {', '.join(unknown)}")
    if notes:
        yield Report("\n".join(notes), (), [])


def _pivoted(report: Report) -> tuple[tuple[str, ...], Rows, list[str]]:
    """Columns, rows in order of first sight, and the metrics without any value."""
    cells: dict[tuple[Any, ...], dict[str, str]] = {}
    units: dict[str, str] = {}
    for period, _, subject, name, metric, value, unit, _, _, _, status in report.rows:
        units.setdefault(metric, unit)
        found = cells.setdefault((period, subject, name), {})
        if value is not None:
            found[metric] = _shown(value, unit) + ("*" if status == "low_sample" else "")
    known = [metric for metric in units if any(metric in found for found in cells.values())]
    named = any(name != subject for _, subject, name in cells)
    heads = [f"{metric}\n{_unit(units[metric])}".rstrip() for metric in known]
    rows = [
        (period, subject, name if named else None, *(found.get(metric) for metric in known))
        for (period, subject, name), found in cells.items()
    ]
    return ("period", "subject", "name", *heads), rows, [metric for metric in units if metric not in known]


def _unit(unit: str) -> str:
    return {"ratio": "%", "count": ""}.get(unit, unit)


def _shown(value: str, unit: str) -> str:
    """A value for the eye: percent with one place, days with one, money with what it has up to two."""
    number = Decimal(value)
    if unit == "ratio":
        return f"{(number * 100).quantize(Decimal('0.1'), ROUND_HALF_EVEN):,}"
    if unit == "days":
        return f"{number.quantize(Decimal('0.1'), ROUND_HALF_EVEN):,}"
    if number == number.to_integral_value():
        return f"{number:,.0f}"
    return f"{number.quantize(Decimal('0.01'), ROUND_HALF_EVEN):,}"


def _blocks(columns: Sequence[str], rows: Rows, width: int) -> list[list[int]]:
    """Places of the columns of each table: what a row is about, then as many metrics as there is room for."""
    widths = [max(len(part) for cell in (column, *values) for part in str(cell).split("\n")) + 2
              for column, values in zip(columns, zip(*rows, strict=True), strict=True)] if rows else [len(c) + 2 for c in columns]  # fmt: skip
    leading = [0, 1] if all(row[2] is None for row in rows) else [0, 1, 2]
    blocks: list[list[int]] = []
    room = 0
    for place in range(_LEADING, len(columns)):
        if not blocks or room < widths[place]:
            blocks.append(list(leading))
            room = width - sum(widths[column] for column in leading)
        blocks[-1].append(place)
        room -= widths[place]
    return blocks or [list(leading)]
