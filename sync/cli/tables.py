"""Tables for people: figures as people read them, fitted to the terminal, in the organisation's language."""

import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

from scoring.language import Language
from sync.cli.shared import out
from sync.figures import aligned, fixed, moment
from sync.terminal import Terminal, visible_line
from sync.texts import FAULTS, NOTES, SEPARATOR, WORDS, column_head, text

_GAP = 2

_EXPENDABLE = (
    "as_of", "plan", "region", "reasons", "owner", "penalty", "skipped_for", "team", "attempts", "cursor", "period", "subject",
    "blocks_pay", "attainment", "confidence", "amount",
)  # fmt: skip
"""What a narrow terminal can do without, the least needed first."""

_LONG: Mapping[str, int] = {"reasons": 40, "next_best_action": 16, "evidence": 28, "text": 24, "last_error": 16,
                            "skipped_for": 10}  # fmt: skip
"""Texts that go on in a second line, and the width that they need."""

_NAMES: Mapping[str, int] = {"name": 16, "owner": 10, "team": 8, "region": 8}
"""Names that are cut at last, and the width that they keep."""

_NUMBERS = ("amount", "score")
_SHARES = ("confidence", "attainment", "quality", "penalty")
_WORDS = ("status", "blocks_pay")
_MOMENTS = ("cursor", "started")


@dataclass(frozen=True, slots=True)
class Column:
    """One column as it is shown: its head, its cells as text, and how wide it is at least and at most."""

    name: str
    head: str
    cells: Sequence[str]
    right: bool
    least: int
    most: int


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    language: Language,
    numbers: Collection[str] = (),
) -> None:
    """Prints a table; unknown is a dash. A terminal too narrow loses the columns least needed, and says which."""
    columns, rows, heads = _one_currency(columns, rows, language)
    shown = [
        _column(name, heads[place], [row[place] for row in rows], name in numbers, language)
        for place, name in enumerate(columns)
    ]
    width = out.width if out.is_terminal else None
    kept = _kept(shown, width)
    _print(title, kept, _widths(kept, width))
    left = [column.head.replace("\n", " ") for column in shown if column not in kept]
    if left:
        out.print(text(NOTES, "dropped", language, names=SEPARATOR[language].join(left)), markup=False)


def _one_currency(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], language: Language
) -> tuple[Sequence[str], Sequence[Sequence[Any]], list[str]]:
    """A currency that all amounts share goes into their head."""
    heads = [column_head(name, language) for name in columns]
    if "currency" in columns and "amount" in columns:
        place = columns.index("currency")
        found = {row[place] for row in rows}
        if len(found) == 1 and None not in found:
            heads[columns.index("amount")] += f" {found.pop()}"
            rows = [[cell for number, cell in enumerate(row) if number != place] for row in rows]
            return [name for name in columns if name != "currency"], rows, heads[:place] + heads[place + 1 :]
    return columns, rows, heads


def _column(name: str, head: str, values: Sequence[Any], right: bool, language: Language) -> Column:
    spelled = _speller(name, values, language)
    cells = ["–" if value is None else visible_line(spelled(value)) for value in values]
    widest = max((cell_len(cell) for cell in cells), default=0)
    lines = broken(head, widest)
    most = max(widest, *map(cell_len, lines))
    least = min(most, _LONG.get(name) or _NAMES.get(name) or most)
    return Column(name, "\n".join(lines), cells, right, least, most)


def broken(head: str, width: int) -> list[str]:
    """A head in lines no wider than its cells, or than its longest word."""
    room = max(width, *(cell_len(word) for word in head.split()), 1)
    return [line for part in head.split("\n") for line in textwrap.wrap(part, room, break_long_words=False) or [""]]


def _speller(name: str, values: Sequence[Any], language: Language) -> Callable[[Any], str]:
    if name in _NUMBERS:
        return aligned(values)
    if name in _SHARES:
        return lambda value: f"{fixed(Decimal(value) * 100)} %"
    if name in _WORDS:
        return lambda value: text(WORDS, str(value), language)
    if name == "fault" and language == "zh-CN":
        return lambda value: FAULTS.get(value, value)
    return _plain


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _kept(columns: Sequence[Column], width: int | None) -> list[Column]:
    kept = list(columns)
    for name in _EXPENDABLE:
        if width is None or _total([column.least for column in kept]) <= width:
            break
        kept = [column for column in kept if column.name != name]
    return kept or list(columns)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _widths(columns: Sequence[Column], width: int | None) -> list[int]:
    """The widest first gives way: long texts, and only then names."""
    widths = [column.most for column in columns]
    excess = 0 if width is None else _total(widths) - width
    for kind in (_LONG, _NAMES):
        places = [place for place, column in enumerate(columns) if column.name in kind]
        while excess > 0:
            spare = [place for place in places if widths[place] > columns[place].least]
            if not spare:
                break
            widths[max(spare, key=lambda place: widths[place])] -= 1
            excess -= 1
    return widths


def _print(title: str, columns: Sequence[Column], widths: Sequence[int]) -> None:
    table = Table(title=escape(title), title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        long = column.name in _LONG
        table.add_column(
            escape(column.head), justify="right" if column.right else "left", width=width, no_wrap=not long,
            overflow="fold" if long else "ellipsis", vertical="top",
        )  # fmt: skip
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(escape, cells))
    console = out if out.is_terminal else Terminal(width=max(_total(widths) + _GAP, cell_len(title), 1))
    console.print(table)
