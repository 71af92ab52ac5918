"""COQL: the text of a query to its parts. What Zoho's parser refuses is refused."""

import re
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.zoho.errors import Refusal

_TOKEN = re.compile(r"\s*(?:('(?:[^'\\]|\\.|'')*')|(!=|<=|>=|[=<>(),*])|([^\s=<>!(),*']+))")
_COMPARATORS = {"=", "!=", ">", "<", ">=", "<="}
_AGGREGATES = {"count", "sum", "avg", "min", "max"}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
MAX_CRITERIA = 25
MAX_VALUES = 50
MAX_ORDER = 10
MAX_GROUP = 4
MAX_AGGREGATES = 5


@dataclass(frozen=True, slots=True)
class Criterion:
    """``column comparator value``. ``value``: str, int, float, bool, None, or a list of them."""

    column: str
    comparator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Both:
    """Two criteria (or pairs of them) joined by ``and`` or ``or``."""

    word: str
    left: "Criterion | Both"
    right: "Criterion | Both"


Where = Criterion | Both


@dataclass(frozen=True, slots=True)
class Column:
    """A selected column. ``aggregate``: "" or the function around it; ``alias``: "" or its name in the answer."""

    name: str
    aggregate: str = ""
    alias: str = ""

    @property
    def shown(self) -> str:
        """The key under which the answer has it."""
        return self.alias or (f"{self.aggregate.upper()}({self.name})" if self.aggregate else self.name)


@dataclass(slots=True)
class Query:
    """A whole query."""

    columns: list[Column]
    module: str
    where: Where | None = None
    group: list[str] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    """(column, descending)"""
    limit: int = 200
    offset: int = 0
    criteria: list[Criterion] = field(default_factory=list)


def syntax_error(**details: Any) -> Refusal:
    """400 SYNTAX_ERROR."""
    return Refusal(400, "SYNTAX_ERROR", "error occured while parsing the query", details)


class Parser:
    """Reads one query. Keywords are not case-sensitive."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, int]] = []
        self.at = 0
        self.query = Query([], "")
        place = 0
        text = text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise syntax_error(near=text[place : place + 10].strip(), line=1, column=place + 1)
            self.tokens.append((found[found.lastindex or 0], found.start(found.lastindex or 0) + 1))
            place = found.end()

    def parse(self) -> Query:
        """The query. Refusal: SYNTAX_ERROR and LIMIT_EXCEEDED."""
        self._keyword("select")
        self.query.columns.append(self._column())
        while self._take(","):
            self.query.columns.append(self._column())
        self._keyword("from")
        self.query.module = self._name()
        if not self._take("where"):
            raise syntax_error(clause="where")
        self.query.where = self._where()
        self._tail()
        if self.at < len(self.tokens):
            raise self._wrong()
        self._check()
        return self.query

    # The parts.

    def _column(self) -> Column:
        name, aggregate = self._name(), ""
        if name.lower() in _AGGREGATES and self._take("("):
            aggregate, name = name.lower(), self._name()
            self._symbol(")")
        alias = self._name() if self._take("as") else ""
        return Column(name, aggregate, alias)

    def _where(self) -> Where:
        """One criterion, a bracketed group, or two of those joined: three in a row need brackets."""
        left = self._term()
        word = self._peek().lower()
        if word not in {"and", "or"}:
            return left
        self.at += 1
        joined = Both(word, left, self._term())
        if self._peek().lower() in {"and", "or"}:
            raise self._wrong()
        return joined

    def _term(self) -> Where:
        if self._take("("):
            inner = self._where()
            self._symbol(")")
            return inner
        return self._criterion()

    def _criterion(self) -> Criterion:
        column = self._name()
        word = self._peek().lower()
        self.at += 1
        if word in _COMPARATORS:
            found = Criterion(column, word, self._value())
        elif word == "is":
            negated = self._take("not")
            self._keyword("null")
            found = Criterion(column, "is not null" if negated else "is null", None)
        else:
            found = self._worded(column, word)
        self.query.criteria.append(found)
        return found

    def _worded(self, column: str, word: str) -> Criterion:
        negated = word == "not"
        if negated:
            word = self._peek().lower()
            self.at += 1
        sign = "not " if negated else ""
        if word == "like":
            return Criterion(column, f"{sign}like", self._value())
        if word == "between":
            low = self._value()
            self._keyword("and")
            return Criterion(column, f"{sign}between", [low, self._value()])
        if word == "in":
            self._symbol("(")
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            self._symbol(")")
            return Criterion(column, f"{sign}in", values)
        self.at -= 1
        raise syntax_error(operator=self._peek(), near=column)

    def _tail(self) -> None:
        if self._take("group"):
            self._keyword("by")
            self.query.group.append(self._name())
            while self._take(","):
                self.query.group.append(self._name())
        if self._take("order"):
            self._keyword("by")
            self.query.order.append(self._ordering())
            while self._take(","):
                self.query.order.append(self._ordering())
        if self._take("limit"):
            self.query.limit = self._whole()
            if self._take(","):
                self.query.offset, self.query.limit = self.query.limit, self._whole()
        if self._take("offset"):
            self.query.offset = self._whole()

    def _ordering(self) -> tuple[str, bool]:
        name = self._name()
        if self._take("desc"):
            return name, True
        self._take("asc")
        return name, False

    def _check(self) -> None:
        aggregates = sum(bool(one.aggregate) for one in self.query.columns)
        for count, most, clause in (
            (len(self.query.criteria), MAX_CRITERIA, "where"), (len(self.query.order), MAX_ORDER, "order by"),
            (len(self.query.group), MAX_GROUP, "group by"), (aggregates, MAX_AGGREGATES, "select"),
            (max((len(one.value) for one in self.query.criteria if isinstance(one.value, list)), default=0), MAX_VALUES, "in"),
        ):  # fmt: skip
            if count > most:
                raise Refusal(400, "LIMIT_EXCEEDED", "the limit has been exceeded", {"limit": most, "clause": clause})

    # Tokens.

    def _peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _wrong(self) -> Refusal:
        if self.at >= len(self.tokens):
            near, column = self.tokens[-1] if self.tokens else ("", 1)
        else:
            near, column = self.tokens[self.at]
        return syntax_error(near=near, line=self.text.count("\n", 0, column) + 1, column=column)

    def _take(self, word: str) -> bool:
        if self._peek().lower() == word:
            self.at += 1
            return True
        return False

    def _keyword(self, word: str) -> None:
        if not self._take(word):
            raise self._wrong()

    _symbol = _keyword

    def _name(self) -> str:
        token = self._peek()
        if not re.fullmatch(r"\$?[A-Za-z_][\w.$]*", token):
            raise self._wrong()
        self.at += 1
        return token

    def _whole(self) -> int:
        token = self._peek()
        if not token.isdecimal():
            raise self._wrong()
        self.at += 1
        return int(token)

    def _value(self) -> Any:
        token = self._peek()
        self.at += 1
        if token.startswith("'"):
            return re.sub(r"\\(.)|''", lambda found: found[1] or "'", token[1:-1])
        if token.lower() in {"true", "false"}:
            return token.lower() == "true"
        if token.lower() == "null":
            return None
        if _NUMBER.fullmatch(token):
            return float(token) if "." in token else int(token)
        self.at -= 1
        raise self._wrong()
