"""Ids of an emulated tenant: records have 24 hex digits, people ``FSUID_`` and 32, employees and departments numbers."""

import hashlib
import re
from functools import lru_cache

_RECORD = re.compile(r"[0-9a-f]{24}(?:[0-9a-f]{8})?")
_PERSON = re.compile(r"FSUID_[0-9A-F]{32}")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
WHOLE_COMPANY = 999_999
"""The department that everybody is in."""


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@lru_cache(maxsize=100_000)  # accounts and people come again and again
def record_id(table: str, text: str) -> str:
    """The ``_id`` of a record of the world: its own if it has the vendor's form, else made from its text alone.

    Decimal texts up to 16**13 never collide within a table; others are hashed to 60 bits.
    """
    if _RECORD.fullmatch(text):
        return text
    head = f"5f{_digest(table)[:6]}"
    if text.isdecimal() and text.isascii() and not text.startswith("0") and int(text) < 16**13:
        return f"{head}000{int(text):013x}"
    return f"{head}f{_digest(text)[:15]}"


def new_id(number: int) -> str:
    """The ``_id`` of the ``number``-th record that was made while the emulator ran: behind all of the world's."""
    return f"66{number:022x}"


@lru_cache(maxsize=10_000)
def person_id(text: str) -> str:
    """The FSUID of a person of the world: its own if it is one, else made from its text."""
    return text if _PERSON.fullmatch(text) else f"FSUID_{_digest('person', text)[:32].upper()}"


@lru_cache(maxsize=10_000)
def employee_id(text: str) -> str:
    """The employee number of a person of the world: its own if it is a number, else made from its text."""
    if text.isdecimal() and text.isascii() and not text.startswith("0"):
        return text
    return str(10_000_000 + int(_digest("employee", text)[:12], 16) % 10_000_000)


@lru_cache(maxsize=10_000)
def department_id(name: str) -> int:
    """The number of a department, made from its name."""
    return 1001 + int(_digest("department", name)[:12], 16) % 900_000 if name else WHOLE_COMPANY


@lru_cache(maxsize=10_000)
def option_value(label: str) -> str:
    """The opaque value that an administrator's option with this label got."""
    number = int(_digest("option", label)[:16], 16)
    text = ""
    for _ in range(9):
        number, digit = divmod(number, 52)
        text += _LETTERS[digit]
    return text
