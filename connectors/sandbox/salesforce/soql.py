"""Reads SOQL: the part of the language that the emulator speaks, and MALFORMED_QUERY for the rest.

``SELECT fields | COUNT() FROM Object [WHERE ...] [ORDER BY ...] [LIMIT n] [OFFSET n]`` with parents by dots, AND, OR,
NOT, parentheses, = != < <= > >= LIKE IN NOT IN, and literals as the SOQL reference writes them.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from connectors.sandbox.salesforce.soql_tree import (
    All,
    Condition,
    Literal,
    Name,
    Not,
    Order,
    Some,
    Statement,
    Test,
    complain,
)

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<word>[A-Za-z_][\w.]*(?:\([A-Za-z]*\))?(?::\d+)?)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Statement:
    """The query as a statement; SoqlError MALFORMED_QUERY if it is not in this language."""
    return _Parser(text).statement()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._read()
        self._at = 0

    def _read(self) -> list[_Token]:
        tokens, at, end = [], 0, len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                complain(self._text, at, "MALFORMED_QUERY", f"unexpected token: '{self._text[at]}'")
            tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return [*tokens, _Token("end", "<EOF>", end)]

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _refuse(self, token: _Token) -> NoReturn:
        complain(self._text, token.at, "MALFORMED_QUERY", f"unexpected token: '{token.text}'")

    def _has(self, *words: str) -> bool:
        """Takes the next tokens if they are these words."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if [token.text.lower() for token in ahead] != list(words):
            return False
        self._at += len(words)
        return True

    def _want(self, word: str) -> None:
        if not self._has(word):
            self._refuse(self._next)

    def _name(self) -> Name:
        token = self._take()
        if token.kind != "word" or "(" in token.text or ":" in token.text or token.text.lower() in _RESERVED:
            self._refuse(token)
        return Name(token.text, token.at)

    def statement(self) -> Statement:
        self._want("select")
        first = self._next
        count = first.text.lower() == "count()"
        select = [] if count else self._select()
        if count:
            self._take()
        self._want("from")
        found = Statement(self._text, self._name(), select, count)
        if self._has("where"):
            found.where = self._either()
        self._tail(found)
        if count and found.order:
            why = "Ordered field must be grouped or aggregated"
            complain(self._text, found.order[0].name.at, "MALFORMED_QUERY", why)
        return found

    def _tail(self, found: Statement) -> None:
        if self._has("order", "by"):
            found.order = self._order()
        if self._has("limit"):
            found.limit = self._whole()
        if self._has("offset"):
            found.offset = self._whole()
        if self._next.kind != "end":
            self._refuse(self._next)

    def _select(self) -> list[Name]:
        names = [self._selected()]
        while self._has(","):
            names.append(self._selected())
        return names

    def _selected(self) -> Name:
        token = self._next
        if token.kind == "word" and token.text.lower() in {"fields(all)", "fields(standard)", "fields(custom)"}:
            self._take()
            return Name(token.text.lower(), token.at)
        return self._name()

    def _either(self) -> Condition:
        parts, joiner = [self._unit()], ""
        while self._next.text.lower() in {"and", "or"}:
            token = self._take()
            joiner = joiner or token.text.lower()
            if token.text.lower() != joiner:
                # AND and OR side by side need parentheses in SOQL: neither binds stronger.
                self._refuse(token)
            parts.append(self._unit())
        if joiner == "or":
            return Some(tuple(parts))
        return All(tuple(parts)) if joiner else parts[0]

    def _unit(self) -> Condition:
        if self._has("not"):
            return Not(self._unit())
        if self._has("("):
            inner = self._either()
            self._want(")")
            return inner
        return self._test()

    def _test(self) -> Test:
        name = self._name()
        if self._has("not", "in"):
            return Test(name, "not in", self._list())
        token = self._take()
        operator = token.text.lower()
        if operator == "in":
            return Test(name, "in", self._list())
        if operator not in {"=", "!=", "<>", "<", "<=", ">", ">=", "like"}:
            self._refuse(token)
        return Test(name, "!=" if operator == "<>" else operator, self._literal())

    def _list(self) -> tuple[Literal, ...]:
        self._want("(")
        values = [self._literal()]
        while self._has(","):
            values.append(self._literal())
        self._want(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self._take()
        if token.kind == "string":
            return Literal("string", _unescape(token.text[1:-1]))
        if token.kind == "number":
            return Literal("number", float(token.text))
        if token.kind in {"date", "datetime"}:
            return Literal(token.kind, token.text)
        word = token.text.lower()
        if word in {"true", "false"}:
            return Literal("boolean", word == "true")
        if word == "null":
            return Literal("null", None)
        return self._refuse(token)

    def _order(self) -> list[Order]:
        keys = [self._key()]
        while self._has(","):
            keys.append(self._key())
        return keys

    def _key(self) -> Order:
        name = self._name()
        descending = self._has("desc")
        if not descending:
            self._has("asc")
        nulls_last = self._has("nulls", "last")
        if not nulls_last:
            self._has("nulls", "first")
        return Order(name, descending, nulls_last)

    def _whole(self) -> int:
        token = self._take()
        if not token.text.isdigit():
            self._refuse(token)
        return int(token.text)


_RESERVED = frozenset(
    {
        "select",
        "from",
        "where",
        "and",
        "or",
        "not",
        "in",
        "like",
        "order",
        "by",
        "limit",
        "offset",
        "asc",
        "desc",
        "nulls",
    }
)


def _unescape(text: str) -> str:
    # \% and \_ stay as they are: only LIKE reads them.
    return re.sub(r"\\([^%_])", lambda match: _ESCAPES.get(match[1], match[1]), text)
