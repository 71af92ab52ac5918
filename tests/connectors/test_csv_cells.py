"""Cells for spreadsheets: harmless there, and the same when they are read back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.csv_cells import csv_line, defused, sealed, unsealed

FORMULAS = ["=1+1", "+49 30 1", "-x", "@SUM(A1)", "\t=1", "\rA", "  =1", "\u00a0=1", "＝1", "-1e5"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-12.5", "7", "Acme - South", "'s-Hertogenbosch", "a=b"])
def test_numbers_and_plain_texts_stay_as_they_are(text: str) -> None:
    assert defused(text) == text


@given(st.text())
def test_a_sealed_text_is_read_back_equal(text: str) -> None:
    assert unsealed(sealed(text)) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=4))
def test_a_line_is_read_back_cell_by_cell(cells: list[str]) -> None:
    read = list(csv.reader(io.StringIO(csv_line(cells) + csv_line(["next", ""]), newline="")))

    assert read == [cells, ["next", ""]]


def test_a_bare_carriage_return_is_quoted() -> None:
    assert csv_line(["a\rb", "c"]) == '"a\rb",c\n'
