"""The door to the terminal: what stands in a CRM cannot move the cursor, recolour the screen or turn text around."""

import re
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""C0 but line feed and tab, DEL, C1, and what reorders or breaks lines (Unicode annex 9, explicit directional formatting)."""

_PICTURES = {**{code: 0x2400 + code for code in range(0x20)}, 0x7F: 0x2421}
"""Unicode's pictures of control characters: U+241B for escape."""


def visible(text: str) -> str:
    """The text with each character that would steer a terminal replaced by one that shows it: ``␛[2J``, ``<U+202E>``."""
    return _UNSAFE.sub(_shown, text)


def visible_line(text: str) -> str:
    """``visible``, on one line: a name with a line feed in it must not look like two rows."""
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(_PICTURES[code]) if code in _PICTURES else f"<U+{code:04X}>"


def escaped(json_text: str) -> str:
    """JSON with such characters as ``\\u`` escapes: the same value to a program, harmless to a terminal."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text)


def write_out(text: str) -> None:
    """Text that programs read, to standard output: as it is into a file or pipe, ``visible`` on a terminal."""
    sys.stdout.write(visible(text) if sys.stdout.isatty() else text)


class Terminal(Console):
    """A console that shows every text, also the cells of a table, through ``visible``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, soft_wrap=True, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich does, with the text made visible."""
        return super().render_str(visible(text), **options)
