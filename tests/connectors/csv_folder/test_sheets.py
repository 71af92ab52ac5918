"""Spreadsheets in place of text files."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from connectors.csv_folder.rows import open_table
from connectors.errors import ConfigError
from tests.connectors.csv_folder.conftest import Connect, deal, deals


def workbook(path: Path, rows: Sequence[Sequence[Any]], sheet: str = "Sheet") -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    book.save(path)


def test_a_spreadsheet_reads_as_its_csv_would(tmp_path: Path, connect: Connect) -> None:
    rows: list[list[Any]] = [
        ["id", "name", "amount", "close_on", "created_at", "discount"],
        [1001, "Acme", 1234.1, date(2026, 12, 1), datetime.fromisoformat("2026-01-05T09:30"), None],
        [None, None, None, None, None, None],
        ["A-2", 17, 5, "2026-12-02", None, 1.125],
    ]
    workbook(tmp_path / "opportunities.xlsx", rows)

    first, second = deals(connect(decimal=","))

    assert first == deal(
        remote_id="1001", name="Acme", amount="1234.1", close_on="2026-12-01", created_at="2026-01-05T09:30:00Z"
    )
    assert second == deal(remote_id="A-2", name="17", amount="5", close_on="2026-12-02", discount="1.125")


def test_a_sheet_can_be_named(tmp_path: Path, connect: Connect) -> None:
    workbook(tmp_path / "book.xlsx", [["id"], [1]], sheet="Deals")

    assert len(deals(connect(files={"opportunity": "book.xlsx#Deals"}))) == 1
    with pytest.raises(ConfigError, match="there is no sheet Leads; there are Deals"):
        deals(connect(files={"opportunity": "book.xlsx#Leads"}))


def test_a_file_that_is_no_spreadsheet_is_named(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.xlsx").write_text("id,name", encoding="utf-8")

    with pytest.raises(ConfigError, match="not a readable XLSX file"):
        deals(connect())


def packed(path: Path, sheet: bytes) -> Path:
    """A workbook with this text in the place of its rows."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id", "name"])
    book.save(path.with_name("plain.xlsx"))
    with ZipFile(path.with_name("plain.xlsx")) as plain, ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name in plain.namelist():
            text = plain.read(name)
            archive.writestr(name, text.replace(b"</sheetData>", sheet + b"</sheetData>") if "sheet1" in name else text)
    return path


def test_a_workbook_that_unpacks_to_many_times_its_size_is_refused_unread(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "bomb.xlsx", b"<row><c/></row>" * 1_500_000)

    with pytest.raises(ConfigError, match="unpacks to 21 MiB"):
        open_table(bomb)


def test_a_cell_that_no_spreadsheet_takes_is_told_by_its_place(tmp_path: Path) -> None:
    text = b"<row><c><v>1</v></c><c t='inlineStr'><is><t>" + b"x" * 40_000 + b"</t></is></c></row>"
    table = open_table(packed(tmp_path / "cell.xlsx", text))

    with pytest.raises(ConfigError, match="row 2, column 2: a cell of 40000 characters, 32767 are the most"):
        list(table.rows())


def test_a_workbook_whose_rows_break_off_is_told(tmp_path: Path) -> None:
    table = open_table(packed(tmp_path / "broken.xlsx", b"<row><c><v>1</v>"))

    with pytest.raises(ConfigError, match="not a readable XLSX file"):
        list(table.rows())
