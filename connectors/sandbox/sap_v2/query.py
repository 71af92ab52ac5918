"""Query options of version 2: ``$filter`` with dotted paths, keyset paging by id, windows of ``adminData.updatedOn``."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from connectors.sandbox.routing import Request
from connectors.sandbox.sap.values import moment_of, read_iso
from connectors.sandbox.sap_v2.errors import RestError
from connectors.sandbox.sap_v2.services import Service
from connectors.sandbox.sap_v2.store import Doc, Table, at_path, wire

STAMP = "adminData.updatedOn"
MOST = 999
WALL = 10_000
_KNOWN = {"$skip", "$top", "$search", "$filter", "$orderby", "$select", "$exclude", "$count"}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "ge": ge, "gt": gt, "le": le, "lt": lt}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])|(?P<word>[A-Za-z_][\w.]*)|(?P<sign>[(),]))"
)


@dataclass(slots=True, frozen=True)
class Comparison:
    """``path operator value``."""

    path: str
    operator: str
    value: Any

    def test(self, doc: Doc) -> bool:
        """Whether a document matches. What has no value equals nothing but null and is less than nothing."""
        found = at_path(doc, self.path)
        if found is None or self.value is None:
            return {"eq": found is self.value, "ne": found is not self.value}.get(self.operator, False)
        return _COMPARE[self.operator](found, self.value)


@dataclass(slots=True, frozen=True)
class Group:
    """Comparisons joined by ``and`` or by ``or``."""

    word: str
    parts: tuple["Node", ...]

    def test(self, doc: Doc) -> bool:
        """Whether a document matches."""
        matches = (part.test(doc) for part in self.parts)
        return all(matches) if self.word == "and" else any(matches)


Node = Comparison | Group


@dataclass(slots=True)
class Options:
    """What a GET asked for."""

    parts: tuple[Node, ...] = ()
    """All must match."""
    order: tuple[tuple[str, bool], ...] = ()
    skip: int = 0
    top: int = MOST
    count: bool = False
    select: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    search: str = ""


@dataclass(slots=True, frozen=True)
class Manners:
    """What this tenant takes where public sources leave it open."""

    clamp_top: bool = False
    default_page: int = 100
    count_name: str = "count"
    """How the total of a list is called; some tenants say ``@odata.count``. "": it is not told."""
    filter_off: frozenset[str] = field(default_factory=frozenset)
    """Paths, or ``entity:path``, whose filter answers Invalid operator."""
    order_off: frozenset[str] = field(default_factory=frozenset)


def options(request: Request, service: Service, manners: Manners) -> Options:
    """The options of a request; RestError for what the service does not take. Without ``$`` nothing is an option."""
    for name, values in request.query.items():
        if name.startswith("$") and (name not in _KNOWN or len(values) > 1):
            raise RestError(400, f"{service.code}.1003", f"Invalid query option {name}", name)
    top = _whole(request, "$top", service)
    if top is not None and top > MOST and not manners.clamp_top:
        raise RestError(400, f"{service.code}.1001", f"$top must not exceed {MOST}", "$top")
    skip = _whole(request, "$skip", service) or 0
    if skip >= WALL:
        raise RestError(400, f"{service.code}.1002", f"$skip must be below {WALL}", "$skip")
    text = request.first("$filter") or ""
    node = _Parser(text, service, manners).whole() if text else None
    return Options(
        parts=() if node is None else node.parts if isinstance(node, Group) and node.word == "and" else (node,),
        order=_order(request.first("$orderby") or "", service, manners),
        skip=skip,
        top=manners.default_page if top is None else min(top, MOST),
        count=(request.first("$count") or "").lower() == "true",
        select=_names(request.first("$select"), service, "$select"),
        exclude=_names(request.first("$exclude"), service, "$exclude"),
        search=(request.first("$search") or "").lower(),
    )


def _whole(request: Request, name: str, service: Service) -> int | None:
    text = request.first(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text):
        raise RestError(400, f"{service.code}.1001", f"Invalid value '{text}' of {name}", name)
    return int(text)


def _names(text: str | None, service: Service, option: str) -> frozenset[str]:
    names = frozenset(one.strip().partition(".")[0] for one in (text or "").split(",") if one.strip())
    if unknown := names - service.heads:
        raise RestError(400, f"{service.code}.1004", f"Invalid property {min(unknown)} in {option}", min(unknown))
    return names


def _order(text: str, service: Service, manners: Manners) -> tuple[tuple[str, bool], ...]:
    found = []
    for part in (one.strip() for one in text.split(",") if one.strip()):
        path, _, way = part.partition(" ")
        if service.type_of(path) in {None, "list"} or way.strip() not in {"", "asc", "desc"}:
            raise RestError(400, f"{service.code}.1004", f"Invalid property {path} in $orderby", path)
        if {path, f"{service.entity}:{path}"} & manners.order_off:
            raise RestError(400, f"{service.code}.1006", f"Sorting by {path} is not supported", path)
        found.append((path, way.strip() == "desc"))
    return tuple(found)


class _Parser:
    def __init__(self, text: str, service: Service, manners: Manners) -> None:
        self.service, self.manners = service, manners
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.wrong(f"cannot be read from '{text[at : at + 20]}'")
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self.at = 0

    def whole(self) -> Node:
        node = self.joined("or")
        if self.at != len(self.tokens):
            raise self.operator(self.tokens[self.at][1])
        return node

    def joined(self, word: str) -> Node:
        parts = [self.below(word)]
        while self.at < len(self.tokens) and self.tokens[self.at] == ("word", word):
            self.at += 1
            parts.append(self.below(word))
        return parts[0] if len(parts) == 1 else Group(word, tuple(parts))

    def below(self, word: str) -> Node:
        return self.joined("and") if word == "or" else self.single()

    def single(self) -> Node:
        kind, text = self.take()
        if (kind, text) == ("sign", "("):
            node = self.joined("or")
            if self.take() != ("sign", ")"):
                raise self.wrong("')' is missing")
            return node
        if kind != "word":
            raise self.wrong(f"'{text}' is not a property")
        _, operator = self.take()
        if operator not in _COMPARE or {text, f"{self.service.entity}:{text}"} & self.manners.filter_off:
            raise self.operator(text if operator == "(" else operator)
        known = self.service.type_of(text)
        if known is None or known == "list":
            raise RestError(400, f"{self.service.code}.1004", f"Invalid property {text} in $filter", text)
        return Comparison(text, operator, self.value(known, *self.take()))

    def value(self, known: str, kind: str, text: str) -> Any:
        if (kind, text) == ("word", "null"):
            return None
        wanted = {"id": "text", "date": "moment", "flag": "word"}.get(known, known)
        if kind != wanted or (known == "flag" and text not in {"true", "false"}):
            raise self.wrong(f"'{text}' is not a value of type {known}")
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        if kind == "word":
            return text == "true"
        try:
            return text if known == "date" and len(text) == 10 else wire(moment_of(read_iso(text)))
        except ValueError as error:
            raise self.wrong(f"'{text}' is not a moment") from error

    def take(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise self.wrong("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def operator(self, text: str) -> RestError:
        return RestError(400, f"{self.service.code}.1005", f"Invalid operator: {text}", "$filter")

    def wrong(self, text: str) -> RestError:
        return RestError(400, f"{self.service.code}.1005", f"Invalid filter: {text}", "$filter")


def matching(table: Table, wanted: Options) -> Sequence[str]:
    """The ids of all documents that answer, in order, whatever the page.

    A bound on the id is taken off the filter and applied to the remembered rest, so that keyset paging finds each page at once.
    """
    keyed = wanted.order == (("id", False),)
    bounds = [
        part
        for part in wanted.parts
        if keyed and isinstance(part, Comparison) and part.path == "id" and part.operator == "gt"
    ]
    rest = tuple(part for part in wanted.parts if part not in bounds)
    keys = table.remembered((rest, wanted.order, wanted.search), lambda: _find(table, rest, wanted))
    return keys[bisect_right(keys, max(part.value for part in bounds)) :] if bounds else keys


def _find(table: Table, parts: tuple[Node, ...], wanted: Options) -> list[str]:
    windows = [
        one for one in parts if isinstance(one, Comparison) and one.path == STAMP and one.operator in {"ge", "lt"}
    ]
    tests = [one for one in parts if one not in windows]
    if windows:
        order = table.changed()
        low = max((one.value for one in windows if one.operator == "ge"), default="")
        high = min((one.value for one in windows if one.operator == "lt"), default="\x7f")
        keys = [key for _, key in order[bisect_left(order, (low, "")) : bisect_left(order, (high, ""))]]
    else:
        keys = list(table.ids() if wanted.order[:1] == (("id", False),) else table.docs)
    if tests or wanted.search:
        keys = [
            key
            for key in keys
            if all(one.test(table.docs[key]) for one in tests) and wanted.search in table.text(key).lower()
        ]
    for path, down in reversed(wanted.order):
        if not (path == "id" and not down and not windows):
            keys.sort(key=_rank(table, path), reverse=down)
    return keys


def _rank(table: Table, path: str) -> Callable[[str], Any]:
    def rank(key: str) -> tuple[bool, Any]:
        found = at_path(table.docs[key], path)
        return found is not None, found if found is not None else ""

    return rank
