"""System query options of a collection, and the keys of the rows that answer them, in order."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.routing import Request
from connectors.sandbox.sap.errors import ODataError
from connectors.sandbox.sap.filter import Both, Comparison, Node, parse, test_of
from connectors.sandbox.sap.schema import EntityType
from connectors.sandbox.sap.store import Store, Table
from connectors.sandbox.sap.values import atom_text

_KNOWN = {
    "$filter", "$orderby", "$skip", "$top", "$skiptoken", "$inlinecount", "$select", "$expand", "$format", "$search",
}  # fmt: skip
_STAMP = "EntityLastChangedOn"
_EVER = 1 << 62


@dataclass(slots=True)
class Options:
    """What a GET asked for."""

    filter: str = ""
    node: Node | None = None
    """The filter, read."""
    order: list[tuple[str, bool]] = field(default_factory=list)
    """(property, descending)."""
    skip: int = 0
    top: int | None = None
    token: int = 1
    """The first wanted row behind ``skip``, counted from 1."""
    count: bool = False
    select: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    search: str = ""


def options(request: Request, entity: EntityType) -> Options:
    """The options of a request; ODataError for what the service does not know."""
    for name, values in request.query.items():
        if name.startswith("$") and name not in _KNOWN:
            raise ODataError(400, f"The system query option '{name}' is not supported")
        if name.startswith("$") and len(values) > 1:
            raise ODataError(400, f"The system query option '{name}' is given twice")
    chosen = (request.first("$format") or "json").lower()
    if chosen not in {"json", "xml", "atom", "application/json", "application/atom+xml", "application/xml"}:
        raise ODataError(400, f"Format '{chosen}' is not supported")
    counting = request.first("$inlinecount") or "none"
    if counting not in {"none", "allpages"}:
        raise ODataError(400, f"Invalid value '{counting}' for $inlinecount")
    text = request.first("$filter") or ""
    found = Options(
        filter=text,
        node=parse(text, entity) if text else None,
        order=_order(request.first("$orderby") or "", entity),
        skip=_whole(request, "$skip") or 0,
        top=_whole(request, "$top"),
        token=max(1, _whole(request, "$skiptoken") or 1),
        count=counting == "allpages",
        expand=_names(request.first("$expand")),
        search=request.first("$search") or "",
    )
    for name in found.expand:
        if name not in entity.navigations:
            raise ODataError(400, f"Navigation property {name} not found in entity {entity.name}")
    found.select = _selected(_names(request.first("$select")), found.expand, entity)
    return found


def _selected(names: tuple[str, ...], expand: tuple[str, ...], entity: EntityType) -> tuple[str, ...]:
    for name in names:
        head = name.partition("/")[0]
        if name != "*" and name not in entity.properties and head not in entity.navigations:
            raise ODataError(400, f"Property {name} not found in entity {entity.name}")
        if "/" in name and head not in expand:
            raise ODataError(400, f"Navigation property {head} in $select must also be in $expand")
    return () if "*" in names else names


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _whole(request: Request, name: str) -> int | None:
    text = request.first(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text):
        raise ODataError(400, f"Invalid value '{text}' for {name}")
    return int(text)


def _order(text: str, entity: EntityType) -> list[tuple[str, bool]]:
    found = []
    for part in _names(text):
        name, _, way = part.partition(" ")
        known = entity.properties.get(name)
        if known is None:
            raise ODataError(400, f"Property {name} not found in entity {entity.name}")
        if way.strip() not in {"", "asc", "desc"} or name == "ETag":
            raise ODataError(400, f"Invalid $orderby '{part}'")
        found.append((name, way.strip() == "desc"))
    return found


def matching(store: Store, entity: EntityType, wanted: Options, within: Sequence[str] | None = None) -> Sequence[str]:
    """The ObjectIDs of all rows that answer, in order, whatever the page. ``within``: only these rows."""
    table = store.tables[entity.name]
    question = (wanted.filter, tuple(wanted.order), wanted.search)
    if within is not None:
        return _find(table, entity, wanted, within)
    return table.remembered(question, lambda: _find(table, entity, wanted, None))


def _find(table: Table, entity: EntityType, wanted: Options, within: Sequence[str] | None) -> Sequence[str]:
    node = wanted.node
    low, high, exact = _window(node)
    by_stamp = [name for name, _ in wanted.order] in ([_STAMP], [_STAMP, "ObjectID"]) and not any(
        down for _, down in wanted.order
    )
    keys: Sequence[str]
    if within is not None:
        keys, exact = within, False
    elif (direct := _direct(node, table)) is not None:
        keys, exact = direct, False
    elif low is not None or high is not None or by_stamp:
        keys = _slice(table, low, high)
    else:
        keys, exact, by_stamp = list(table.rows), node is None, False
    if within is not None or _direct(node, table) is not None:
        by_stamp = False
    if node is not None and not exact:
        test = test_of(node)
        keys = [key for key in keys if test(table.rows[key])]
    if wanted.search:
        keys = [key for key in keys if _mentions(table.rows[key], wanted.search.lower())]
    return keys if by_stamp else _sorted(table, entity, keys, wanted.order)


def _slice(table: Table, low: int | None, high: int | None) -> list[str]:
    order = table.order()
    first = bisect_left(order, (-_EVER if low is None else low, ""))
    last = bisect_left(order, (_EVER if high is None else high, ""))
    return [key for _, key in order[first:last]]


def _mentions(row: dict[str, Any], term: str) -> bool:
    return any(isinstance(value, str) and term in value.lower() for value in row.values())


def _window(node: Node | None) -> tuple[int | None, int | None, bool]:
    """``low <= EntityLastChangedOn < high`` of a filter, and whether that is all the filter says."""
    low: int | None = None
    high: int | None = None
    exact = node is not None
    for part in node.parts if isinstance(node, Both) else [node]:
        bounds = _bounds(part)
        if bounds is None:
            exact = False
            continue
        below, above = bounds
        low = below if low is None else max(low, below)
        high = above if high is None else min(high, above)
    return low, high, exact


def _bounds(part: Node | None) -> tuple[int, int] | None:
    if not isinstance(part, Comparison) or part.prop.name != _STAMP or not isinstance(part.value, int):
        return None
    at = part.value
    return {
        "ge": (at, _EVER), "gt": (at + 1, _EVER), "lt": (-_EVER, at), "le": (-_EVER, at + 1), "eq": (at, at + 1),
    }.get(part.operator)  # fmt: skip


def _direct(node: Node | None, table: Table) -> list[str] | None:
    """The few rows that a filter by key can mean; None: it is no such filter."""
    for part in node.parts if isinstance(node, Both) else [node]:
        if not isinstance(part, Comparison) or part.operator not in {"eq", "in"}:
            continue
        values = [part.value] if isinstance(part.value, str) else part.value if part.operator == "in" else []
        if part.prop.name == "ObjectID" and values:
            return [key for key in values if key in table.rows]
        if part.prop.name == "ParentObjectID" and values:
            return [key for parent in values for key in table.children(parent)]
    return None


def _sorted(table: Table, entity: EntityType, keys: Sequence[str], order: list[tuple[str, bool]]) -> Sequence[str]:
    keys = list(keys)
    for name, descending in reversed(order):
        keys.sort(key=_sort_key(table, entity, name), reverse=descending)
    return keys


def _sort_key(table: Table, entity: EntityType, name: str) -> Callable[[str], Any]:
    one, rows = entity.properties[name], table.rows
    if one.edm == "Edm.Decimal":
        return lambda key: float(rows[key].get(name) or 0)
    if one.edm in {"Edm.DateTime", "Edm.DateTimeOffset", "Edm.Int32", "Edm.Boolean"}:
        return lambda key: rows[key].get(name) or 0
    return lambda key: atom_text(one, rows[key].get(name)) or ""


def pages(keys: Sequence[str], wanted: Options, cap: int) -> tuple[Sequence[str], int | None]:
    """One page of the keys, and the ``$skiptoken`` of the next; None: this was the last."""
    end = len(keys) if wanted.top is None else min(len(keys), wanted.skip + wanted.top)
    first = wanted.skip + wanted.token - 1
    last = min(end, first + cap)
    return keys[first:last], wanted.token + cap if last < end else None
