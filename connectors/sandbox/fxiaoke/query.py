"""data/query: its strict words, its pages, and the fastest way to the records that are asked for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from connectors.sandbox.fxiaoke.errors import TOO_FAR, Refusal, bad_argument
from connectors.sandbox.fxiaoke.match import Test, compile_filter
from connectors.sandbox.fxiaoke.schema import ObjectType
from connectors.sandbox.fxiaoke.store import Row, Table

SEARCH_KEYS = frozenset({"limit", "offset", "filters", "orders", "fieldProjection"})
_MAX_LIMIT = 100
_MAX_OFFSET = 10_000
_STAMP = "last_modified_time"


@dataclass(slots=True)
class Search:
    """One search, understood."""

    limit: int = 20
    offset: int = 0
    tests: list[Test] = field(default_factory=list)
    orders: list[tuple[str, bool]] = field(default_factory=list)
    projection: list[str] = field(default_factory=list)
    after: str = ""
    """Only records whose ``_id`` is greater."""
    low: int | None = None
    high: int | None = None
    """Bounds of the last change, both within."""


def read_search(
    kind: ObjectType, info: Any, *, strict: bool, gone: frozenset[str], people: Mapping[str, str] | None
) -> Search:
    """Understands ``search_query_info``. Refusal: what the vendor does not take."""
    if not isinstance(info, dict):
        raise bad_argument("search_query_info")
    check_keys(info, SEARCH_KEYS, "search_query_info", strict=strict)
    search = Search(_whole(info, "limit", 20), _whole(info, "offset", 0))
    if not 1 <= search.limit <= _MAX_LIMIT:
        raise bad_argument("limit")
    if search.offset > _MAX_OFFSET:
        raise Refusal(TOO_FAR, description="offset 不能超过10000")
    if search.offset < 0 or search.offset % search.limit:
        raise bad_argument("offset")
    for one in _listed(info, "filters"):
        check_keys(one, {"field_name", "operator", "field_values"}, "filters", strict=strict)
        search.tests.append(compile_filter(kind, one, gone, people))
        _narrow(search, one)
    for one in _listed(info, "orders"):
        search.orders.append(_order(kind, one, gone, strict=strict))
    search.projection = [str(name) for name in _listed(info, "fieldProjection")]
    return search


def check_keys(body: Any, known: Iterable[str], where: str, *, strict: bool) -> None:
    """Refuses keys that the vendor would pass over in silence: a misspelt one changes what the call does."""
    if strict and isinstance(body, dict) and (extra := sorted(set(body) - set(known))):
        raise bad_argument(f"unknown key {where}.{extra[0]}")


def _whole(info: Mapping[str, Any], name: str, default: int) -> int:
    value = info.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_argument(name)
    return value


def _listed(info: Mapping[str, Any], name: str) -> list[Any]:
    value = info.get(name, [])
    if not isinstance(value, list):
        raise bad_argument(name)
    return value


def _order(kind: ObjectType, one: Any, gone: frozenset[str], *, strict: bool) -> tuple[str, bool]:
    if not isinstance(one, dict):
        raise bad_argument("orders")
    check_keys(one, {"fieldName", "isAsc"}, "orders", strict=strict)
    name, ascending = one.get("fieldName"), one.get("isAsc", True)
    if name not in kind.fields or name in gone:
        raise bad_argument(f"orders.fieldName {name}")
    if not isinstance(ascending, bool) and (strict or str(ascending) not in {"true", "false"}):
        raise bad_argument("orders.isAsc")
    return str(name), ascending is True or ascending == "true"


def _narrow(search: Search, one: Mapping[str, Any]) -> None:
    """Notes what a filter says of ``_id`` and of the last change, so that an index can serve it."""
    name, operator, values = one["field_name"], one["operator"], one["field_values"]
    if name == "_id" and operator in {"GT", "GTE"}:
        after = str(values[0])
        search.after = max(search.after, after if operator == "GT" else after[:-1])
    if name == _STAMP and operator in {"GT", "GTE", "EQ", "BETWEEN"}:
        search.low = max(search.low or 0, int(Decimal(str(values[0]))))
    if name == _STAMP and operator in {"LT", "LTE", "EQ", "BETWEEN"}:
        high = int(Decimal(str(values[-1])))
        search.high = high if search.high is None else min(search.high, high)


def found(table: Table, search: Search, also: Test) -> Iterator[Row]:
    """The records that pass, in the order that is asked for; by ``_id`` where none is."""
    tests = [also, *search.tests]
    rows = _candidates(table, search)
    passing = (row for row in rows if all(test(row) for test in tests))
    if not search.orders or search.orders == [("_id", True)]:
        return passing
    kept = list(passing)
    for name, ascending in reversed(search.orders):
        kept.sort(key=lambda row: _sort_key(table.kind, row, name), reverse=not ascending)
    return iter(kept)


def _candidates(table: Table, search: Search) -> Iterator[Row]:
    """Records by ``_id``: all of them, or the few that the last change leaves.

    One in ``share`` records has changed in the range, so a page by ``_id`` walks over about 100 of those shares, while
    the way by change sorts them all: the latter is worth it while few have changed.
    """
    if search.low is not None or search.high is not None:
        count, rows = table.changed(search.low, search.high)
        if count * count <= _MAX_LIMIT * len(table) * 4:
            return iter(sorted((row for row in rows() if row["_id"] > search.after), key=lambda row: row["_id"]))
    return table.by_id(search.after)


def _sort_key(kind: ObjectType, row: Row, name: str) -> tuple[bool, Any]:
    value = row.get(name)
    if value is None:
        return False, 0 if kind.fields[name].numeric else ""
    if kind.fields[name].numeric:
        return True, Decimal(str(value))
    return True, str(value)


def page(rows: Iterator[Row], search: Search, cap: int | None) -> list[Row]:
    """The rows of one page; ``cap`` holds less of it."""
    size = search.limit if cap is None else min(search.limit, cap)
    return list(islice(rows, search.offset, search.offset + size))
