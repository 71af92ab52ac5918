"""``$filter`` of the service: what it permits, and who matches.

Permitted: comparisons, ``and``, ``or`` between comparisons of one property, ``startswith``, ``endswith``,
``substringof``, and ``eq`` with ``*`` as a wildcard. Everything else answers 400.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import translate
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from connectors.sandbox.sap.errors import ODataError
from connectors.sandbox.sap.schema import EntityType, Property
from connectors.sandbox.sap.values import read_iso

Row = dict[str, Any]
Test = Callable[[Row], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<typed>datetimeoffset|datetime|guid|time)'(?P<inner>[^']*)'|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?[mMdDfFlL]?)(?![\w-])|(?P<word>[A-Za-z_][\w/]*)|(?P<sign>[(),]))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "ge": ge, "gt": gt, "le": le, "lt": lt}
_FLAGS = {("word", "true"), ("word", "false")}
_FUNCTIONS = {"startswith", "endswith", "substringof"}
_LITERALS = {
    "Edm.String": "text", "Edm.Guid": "guid", "Edm.DateTime": "datetime", "Edm.DateTimeOffset": "datetimeoffset",
    "Edm.Decimal": "number", "Edm.Int32": "number", "Edm.Boolean": "flag",
}  # fmt: skip


@dataclass(slots=True)
class Comparison:
    """``property operator value``, or a function of a property. ``operator`` "in": one of several values."""

    prop: Property
    operator: str
    value: Any

    def test(self) -> Test:
        """Whether a row matches."""
        name, wanted = self.prop.name, self.value
        if self.operator == "in":
            return lambda row: row.get(name, "") in wanted
        if self.operator in _FUNCTIONS or isinstance(wanted, re.Pattern):
            return _text_test(self.operator, name, wanted)
        compare = _COMPARE[self.operator]
        if wanted is None or self.operator == "ne":
            return lambda row: compare(_value(self.prop, row), wanted)
        if self.prop.edm in {"Edm.DateTime", "Edm.DateTimeOffset", "Edm.Guid"}:
            return lambda row: (found := row.get(name)) is not None and compare(found, wanted)
        return lambda row: compare(_value(self.prop, row), wanted)


def _value(prop: Property, row: Row) -> Any:
    found = row.get(prop.name)
    if prop.edm == "Edm.Decimal":
        return Decimal(found or 0)
    if found is None:
        return {"Edm.String": "", "Edm.Boolean": False, "Edm.Int32": 0}.get(prop.edm)
    return found


def _text_test(operator: str, name: str, wanted: Any) -> Test:
    if operator == "startswith":
        return lambda row: str(row.get(name, "")).startswith(wanted)
    if operator == "endswith":
        return lambda row: str(row.get(name, "")).endswith(wanted)
    if operator == "substringof":
        return lambda row: wanted in str(row.get(name, ""))
    negated = operator == "ne"
    return lambda row: bool(wanted.fullmatch(str(row.get(name, "")))) is not negated


@dataclass(slots=True)
class Both:
    """Every part must match."""

    parts: list["Node"]


@dataclass(slots=True)
class Either:
    """One part must match."""

    parts: list["Node"]


Node = Comparison | Both | Either


def parse(text: str, entity: EntityType) -> Node:
    """The tree of a filter. ODataError for what the service does not take."""
    return _Parser(text, entity).whole()


def test_of(node: Node) -> Test:
    """Whether a row matches."""
    if isinstance(node, Comparison):
        return node.test()
    tests = [test_of(part) for part in node.parts]
    if isinstance(node, Both):
        return lambda row: all(test(row) for test in tests)
    return lambda row: any(test(row) for test in tests)


def comparisons(node: Node) -> Iterable[Comparison]:
    """Every comparison of a tree."""
    if isinstance(node, Comparison):
        yield node
    else:
        for part in node.parts:
            yield from comparisons(part)


class _Parser:
    def __init__(self, text: str, entity: EntityType) -> None:
        self.entity = entity
        self.tokens = _tokens(text)
        self.at = 0

    def whole(self) -> Node:
        node = self.either()
        if self.at != len(self.tokens):
            raise _wrong(f"unexpected '{self.tokens[self.at][1]}'")
        return node

    def either(self) -> Node:
        parts = [self.both()]
        while self.word() == "or":
            self.at += 1
            parts.append(self.both())
        if len(parts) == 1:
            return parts[0]
        named = {one.prop.name for part in parts for one in comparisons(part)}
        if len(named) > 1:
            raise ODataError(
                400, f"Logical operator 'or' between different properties is not supported: {', '.join(sorted(named))}"
            )
        return _gathered(parts)

    def both(self) -> Node:
        parts = [self.single()]
        while self.word() == "and":
            self.at += 1
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else Both(parts)

    def single(self) -> Node:
        kind, text = self.take()
        if text == "(" and kind == "sign":
            node = self.either()
            self.expect(")")
            return node
        if kind != "word" or text == "not":
            raise _wrong(f"'{text}' is not supported here")
        return self.function(text) if self.peek() == ("sign", "(") else self.comparison(text)

    def function(self, name: str) -> Node:
        if name not in _FUNCTIONS:
            raise ODataError(400, f"Function '{name}' is not supported")
        self.expect("(")
        first = self.take()
        self.expect(",")
        second = self.take()
        self.expect(")")
        named, literal = (second, first) if name == "substringof" else (first, second)
        prop = self.property(named)
        if literal[0] != "text" or prop.edm != "Edm.String":
            raise _wrong(f"{name} wants a property and a text")
        if self.word() == "eq":
            self.at += 1
            if self.take() != ("word", "true"):
                raise _wrong(f"{name} can only be true")
        return Comparison(prop, name, _unquoted(literal[1]))

    def comparison(self, name: str) -> Node:
        prop = self.property(("word", name))
        kind, operator = self.take()
        if kind != "word" or operator not in _COMPARE:
            raise _wrong(f"operator '{operator}' is not supported")
        value = _literal(prop, self.take(), operator)
        return Comparison(prop, operator, value)

    def property(self, token: tuple[str, str]) -> Property:
        kind, name = token
        if kind != "word":
            raise _wrong(f"'{name}' is not a property")
        if "/" in name:
            raise ODataError(400, f"Property '{name}' of a navigation cannot be used in $filter")
        prop = self.entity.properties.get(name)
        if prop is None:
            raise ODataError(400, f"Property {name} not found in entity {self.entity.name}")
        if not prop.filterable:
            raise ODataError(400, f"Property {name} of entity {self.entity.name} is not filterable")
        return prop

    def peek(self) -> tuple[str, str] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def word(self) -> str:
        found = self.peek()
        return found[1] if found and found[0] == "word" else ""

    def take(self) -> tuple[str, str]:
        found = self.peek()
        if found is None:
            raise _wrong("it ends too early")
        self.at += 1
        return found

    def expect(self, sign: str) -> None:
        if self.take() != ("sign", sign):
            raise _wrong(f"'{sign}' is missing")


def _gathered(parts: list[Node]) -> Node:
    """A long chain of ``ID eq ...`` as one look-up."""
    first = parts[0]
    plain = all(isinstance(one, Comparison) and one.operator == "eq" and isinstance(one.value, str) for one in parts)
    if plain and isinstance(first, Comparison):
        return Comparison(first.prop, "in", frozenset(one.value for one in parts if isinstance(one, Comparison)))
    return Either(parts)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _wrong(f"cannot be read from '{text[at : at + 20]}'")
        at = match.end()
        if match["typed"]:
            found.append((match["typed"], match["inner"]))
        else:
            found.append((str(match.lastgroup), match[str(match.lastgroup)]))
    return found


def _literal(prop: Property, token: tuple[str, str], operator: str) -> Any:
    kind, text = token
    if (kind, text) == ("word", "null") and operator in {"eq", "ne"}:
        return {"Edm.String": "", "Edm.Boolean": False, "Edm.Int32": 0, "Edm.Decimal": Decimal(0)}.get(prop.edm)
    kind = "flag" if (kind, text) in _FLAGS else kind
    if kind != _LITERALS[prop.edm]:
        raise ODataError(400, f"Invalid filter: the value of {prop.name} must be of type {prop.edm}")
    if kind == "text":
        plain = _unquoted(text)
        return re.compile(translate(plain), re.IGNORECASE) if "*" in plain and operator in {"eq", "ne"} else plain
    if kind == "number":
        return Decimal(text.rstrip("mMdDfFlL"))
    if kind == "flag":
        return text == "true"
    try:
        return text.upper() if kind == "guid" else read_iso(text)
    except ValueError as error:
        raise ODataError(400, f"Invalid filter: '{text}' is not a valid {prop.edm}") from error


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _wrong(text: str) -> ODataError:
    return ODataError(400, f"Invalid filter: {text}")
