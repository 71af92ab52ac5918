"""OData ``$filter``: text to tree. Operators and functions that Dataverse documents, others are refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.sandbox.dynamics.errors import bad_query

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^']|'')*')
  | (?P<enum>Microsoft\.Dynamics\.CRM\.\w+'[^']*')
  | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
  | (?P<time>\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?)
  | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
  | (?P<alias>@\w+)
  | (?P<name>[A-Za-z_][\w.]*(?:/[A-Za-z_][\w.]*)*)
  | (?P<mark>[(),=\[\]])
)""",
    re.VERBOSE,
)
_COMPARE = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_TEXT = frozenset({"contains", "startswith", "endswith"})
_IN = "Microsoft.Dynamics.CRM.In"
_NOT_IN = "Microsoft.Dynamics.CRM.NotIn"


@dataclass(frozen=True, slots=True)
class Literal:
    """A value with the OData kind it was written as: string, guid, time, number, bool, null, enum."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Compare:
    """``column op literal``; op also ``contains``, ``startswith``, ``endswith``, ``in``, ``not in`` (a tuple then)."""

    path: str
    op: str
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """``and``, ``or`` over parts, or ``not`` over one."""

    op: str
    parts: tuple["Node", ...]


Node = Compare | Group


def parse(text: str, aliases: Mapping[str, str] | None = None) -> Node:
    """The tree of a filter; ``aliases`` are the parameters ``@name`` of the call. Refusal 400: it cannot be read."""
    reader = _Reader(text, aliases or {})
    node = reader.either()
    if reader.kind:
        raise reader.error()
    return node


class _Reader:
    def __init__(self, text: str, aliases: Mapping[str, str]) -> None:
        self.text = text
        self.aliases = aliases
        self.at = 0
        self.kind = ""
        self.word = ""
        self.next()

    def next(self) -> None:
        if not self.text[self.at :].strip():
            self.kind = self.word = ""
            return
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise self.error()
        self.at = match.end()
        self.kind, self.word = str(match.lastgroup), match[str(match.lastgroup)]

    def error(self) -> Exception:
        return bad_query(f"Syntax error at position {self.at} in '{self.text}'.")

    def take(self, word: str) -> None:
        if self.word != word:
            raise self.error()
        self.next()

    def either(self) -> Node:
        parts = [self.both()]
        while self.kind == "name" and self.word == "or":
            self.next()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Group("or", tuple(parts))

    def both(self) -> Node:
        parts = [self.one()]
        while self.kind == "name" and self.word == "and":
            self.next()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def one(self) -> Node:
        if self.word == "(" and self.kind == "mark":
            self.next()
            inner = self.either()
            self.take(")")
            return inner
        if self.kind != "name":
            raise self.error()
        if self.word == "not":
            self.next()
            return Group("not", (self.one(),))
        if self.word in _TEXT:
            return self.function()
        if self.word in {_IN, _NOT_IN}:
            return self.members()
        return self.compare()

    def compare(self) -> Node:
        path = self.word
        if "Microsoft.Dynamics.CRM" in path:
            raise bad_query(f"The query function '{path}' is not supported.")
        self.next()
        op = self.word
        if op == "(":
            raise bad_query(f"An unknown function with name '{path}' was found. ")
        if self.kind != "name" or op not in _COMPARE:
            raise self.error()
        self.next()
        return Compare(path, op, (self.literal(),))

    def function(self) -> Node:
        name = self.word
        self.next()
        self.take("(")
        path = self.word
        self.next()
        self.take(",")
        value = self.literal()
        self.take(")")
        return Compare(path, name, (value,))

    def members(self) -> Node:
        op = "in" if self.word == _IN else "not in"
        self.next()
        self.take("(")
        self.take("PropertyName")
        self.take("=")
        path = str(self.literal().value)
        self.take(",")
        self.take("PropertyValues")
        self.take("=")
        values = self.listed()
        self.take(")")
        return Compare(path, op, values)

    def listed(self) -> tuple[Literal, ...]:
        """A list in brackets, or the alias of one."""
        if self.kind == "alias" and self.word in self.aliases:
            inner = _Reader(self.aliases[self.word].replace('"', "'"), {})
            self.next()
            return inner.listed()
        self.take("[")
        values = [self.literal()]
        while self.word == ",":
            self.next()
            values.append(self.literal())
        self.take("]")
        return tuple(values)

    def literal(self) -> Literal:
        kind, word = self.kind, self.word
        if kind == "alias":
            if word not in self.aliases:
                return Literal("null", None)
            inner = _Reader(self.aliases[word], {})
            self.next()
            return inner.literal()
        value = _value(kind, word)
        if value is None:
            raise self.error()
        self.next()
        return value


def _value(kind: str, word: str) -> Literal | None:
    if kind == "string":
        return Literal("string", word[1:-1].replace("''", "'"))
    if kind == "enum":
        return Literal("enum", word.split("'")[1])
    if kind == "guid":
        return Literal("guid", word.lower())
    if kind == "time":
        return Literal("time", word)
    if kind == "number":
        return Literal("number", Decimal(word))
    if kind == "name" and word in {"true", "false"}:
        return Literal("bool", word == "true")
    return Literal("null", None) if kind == "name" and word == "null" else None
