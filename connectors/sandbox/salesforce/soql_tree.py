"""A SOQL query as a tree, and the vendor's way to complain about one."""

from dataclasses import dataclass, field
from typing import Any, NoReturn


class SoqlError(Exception):
    """A query the vendor refuses: its ``code`` and ``text``."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Name:
    """A field path as written, and where (0-based)."""

    path: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: ``kind`` is string, number, date, datetime, boolean or null."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Test:
    """``name operator value``; for ``in`` and ``not in`` a tuple of literals."""

    name: Name
    operator: str
    value: Literal | tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every one of ``parts`` holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """One of ``parts`` holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``part`` does not hold."""

    part: "Condition"


Condition = Test | All | Some | Not


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key."""

    name: Name
    descending: bool = False
    nulls_last: bool = False


@dataclass(slots=True)
class Statement:
    """A parsed query. ``count``: SELECT COUNT()."""

    text: str
    source: Name
    select: list[Name] = field(default_factory=list)
    count: bool = False
    where: Condition | None = None
    order: list[Order] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0


def complain(text: str, at: int, code: str, why: str) -> NoReturn:
    """Raises the vendor's error: the query's surroundings, a caret, row and column, and why."""
    before = text[:at]
    row, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
    start = max(0, at - 40)
    snippet = text[start : at + 40].replace("\n", " ")
    raise SoqlError(code, f"\n{snippet}\n{' ' * (at - start)}^\nERROR at Row:{row}:Column:{column}\n{why}")
