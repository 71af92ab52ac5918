"""Tables on terminals of any width: digits stay whole, what is left out is named."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.cells import cell_len

from sync.cli import shared, tables
from sync.terminal import Terminal

COLUMNS = (
    "subject",
    "name",
    "owner",
    "amount",
    "currency",
    "score",
    "grade",
    "reasons",
    "next_best_action",
    "plan",
    "as_of",
)
ROWS: Sequence[Sequence[Any]] = [
    ("9876500422", "Lumsaltor Group - Pro 2026", "Ömer Évrard", "1234567.5", "EUR", "95", "A",
     "+15 late stage: Proposal; +15 met 4 days ago; +10 next step agreed", None, "default v1", "2026-11-23"),
    ("006Sb0000AmOmvvIQC", "恒通科技有限公司 - Service 24/7 2026", "周以宁", "7", "EUR", "40.25", "C", "-15 silent",
     "Win a second contact at the customer", "default v1", "2026-11-23"),
]  # fmt: skip


def shown(monkeypatch: pytest.MonkeyPatch, width: int, language: Any = "en") -> list[str]:
    target = io.StringIO()
    terminal = Terminal(file=target, width=width, force_terminal=True, color_system=None)
    monkeypatch.setattr(tables, "out", terminal)
    tables.show_table("deals", COLUMNS, ROWS, language=language, numbers=("amount", "score"))
    return target.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 140, 200])
def test_digits_and_ids_are_never_broken(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    *table, _ = lines = shown(monkeypatch, width)

    text = "\n".join(lines)
    assert all(cell_len(line.rstrip()) <= width for line in table)
    for whole in ("1,234,567.50", "7.00", "95.00", "40.25", "amount"):
        assert whole in text
    assert ("006Sb0000AmOmvvIQC" in text) == ("subject" in text.split("left out")[0])


def test_a_narrow_terminal_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 80)

    (note,) = [line for line in lines if line.startswith("left out")]
    assert "owner, reasons, plan, as of" in note
    assert "--format csv" in note
    assert "Lumsaltor" in "\n".join(lines)


def test_a_currency_that_all_share_goes_into_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(shown(monkeypatch, 140))

    assert text.count("EUR") == 1


def test_heads_and_notes_are_chinese_where_the_organisation_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(shown(monkeypatch, 80, "zh-CN"))

    assert "金额" in text
    assert "下一步建议" in text
    assert "宽度不足，未显示" in text


def test_off_a_terminal_everything_is_shown_on_one_line_a_row(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.setattr(shared.out, "_width", 80)

    tables.show_table("deals", COLUMNS, ROWS, language="en", numbers=("amount", "score"))

    lines = capsys.readouterr().out.splitlines()
    assert any("+10 next step agreed" in line and "2026-11-23" in line for line in lines)
