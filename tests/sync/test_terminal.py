"""The door to the terminal: nothing that stands in a CRM steers it."""

import io
import json

import pytest
from rich.table import Table

from sync.cli.shared import print_json
from sync.terminal import Terminal, escaped, visible, visible_line

EVIL = "a\x1b[2Jb\x9b31mc\u202ed\u2066e\x7ff\rg\x00h"


def is_harmless(text: str) -> bool:
    return not any((ord(mark) < 0x20 and mark not in "\n\t") or 0x7F <= ord(mark) <= 0x9F or mark in "\u202e\u2066" for mark in text)  # fmt: skip


def test_what_would_steer_a_terminal_is_shown_instead() -> None:
    shown = visible(EVIL)

    assert is_harmless(shown)
    assert shown == "a␛[2Jb<U+009B>31mc<U+202E>d<U+2066>e␡f␍g␀h"


def test_names_of_people_stay_as_they_are() -> None:
    names = "Zoë O'Dell, 周以宁, \u05d3\u05d5\u05d3\u200f, 👩\u200d💻"

    assert visible(names) == names


def test_a_name_never_makes_a_second_line() -> None:
    assert "\n" not in visible_line("Alpha\nopportunity:crm:d2  seq 1")


@pytest.mark.parametrize("where", ["text", "cell", "title", "head"])
def test_every_way_to_print_shows_it(where: str) -> None:
    target = io.StringIO()
    table = Table(title=EVIL if where == "title" else "t")
    table.add_column(EVIL if where == "head" else "h")
    table.add_row(EVIL if where == "cell" else "c")

    Terminal(file=target, width=200).print(EVIL if where == "text" else table, markup=False)

    assert is_harmless(target.getvalue())
    assert "␛" in target.getvalue()


def test_json_keeps_the_value_and_not_the_sequence(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": EVIL})

    said = capsys.readouterr().out
    assert is_harmless(said)
    assert json.loads(said) == {"name": EVIL}
    assert json.loads(escaped(json.dumps(EVIL, ensure_ascii=False))) == EVIL
