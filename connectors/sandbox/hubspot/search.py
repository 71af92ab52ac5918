"""``POST /{type}/search``: filters, one sort, offsets up to 10,000, and an index that may lag behind.

Answers over 100,000 rows stay quick because the ordered ids of a query are kept until a row changes; a keyset that
moves ``hs_object_id`` through a window asks the kept list again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.hubspot.filters import Filter, Test, check_groups, compile_filter, ignores, sort_key, words
from connectors.sandbox.hubspot.store import Table, Thing
from connectors.sandbox.hubspot.values import parse_moment

_CAP = 10_000
_MAX_LIMIT = 200
_MAX_QUERY = 3_000
_KEPT = 16
_FOREVER = 1 << 62
_BOUNDS = ("GT", "GTE", "LT", "LTE")


class _Asked(NamedTuple):
    """What decides which rows come in which order."""

    groups: list[list[Filter]]
    query: str
    sort: tuple[str, bool]


class Index:
    """The search index of one portal."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[int, list[int]]] = {}

    def search(self, table: Table, body: dict[str, Any]) -> tuple[int, list[Thing], int | None]:
        """Total hits, the rows of the page, and the next offset. Raises Refusal (400) beyond the vendor's limits."""
        groups = body.get("filterGroups") or []
        check_groups(groups)
        sort = _sort(body.get("sorts") or [], table)
        limit, offset = _page(body)
        query = body.get("query") or ""
        if len(query) > _MAX_QUERY:
            raise invalid(f"query must be at most {_MAX_QUERY} characters")
        kept = [[one for one in group["filters"] if not ignores(table, one)] for group in groups] or [[]]
        tests = [[compile_filter(table, one) for one in filters] for filters in kept]
        if table.lagging:
            rows = _scan_lagging(table, tests, query, sort)
            total, page = len(rows), rows[offset : offset + limit]
        else:
            total, ids = self._ids(table, _Asked(kept, query, sort), offset, limit)
            page = [table.live[one] for one in ids]
        following = offset + limit
        return total, page, following if following < total else None

    def _ids(self, table: Table, asked: _Asked, offset: int, limit: int) -> tuple[int, list[int]]:
        low, high = -1, _FOREVER
        if len(asked.groups) == 1 and asked.sort[0] == "hs_object_id":
            low, high, rest = _id_bounds(asked.groups[0])
            asked = _Asked([rest], asked.query, asked.sort)
        ids = self._kept_ids(table, asked)
        if asked.sort[0] != "hs_object_id":
            return len(ids), ids[offset : offset + limit]
        first, last = bisect_right(ids, low), bisect_left(ids, high)
        total = max(0, last - first)
        if asked.sort[1]:
            last -= offset
            return total, ids[max(first, last - limit) : max(first, last)][::-1]
        return total, ids[min(first + offset, last) : min(first + offset + limit, last)]

    def _kept_ids(self, table: Table, asked: _Asked) -> list[int]:
        key = (table.kind.plural, repr(asked))
        version, ids = self._kept.get(key, (-1, []))
        if version != table.version:
            ids = _ordered(table, asked)
            self._kept.pop(key, None)
            self._kept[key] = (table.version, ids)
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return ids


def _sort(sorts: list[dict[str, str]], table: Table) -> tuple[str, bool]:
    """Property and whether descending. Without a sort rows come by id."""
    if len(sorts) > 1:
        raise invalid("Only one sort is supported")
    if not sorts:
        return "hs_object_id", False
    name = sorts[0]["propertyName"]
    if name not in table.properties:
        raise invalid(f'Property "{name}" does not exist')
    return name, sorts[0]["direction"] == "DESCENDING"


def _page(body: dict[str, Any]) -> tuple[int, int]:
    limit = body.get("limit")
    limit = 10 if limit is None else limit
    if not 0 < limit <= _MAX_LIMIT:
        raise invalid(f"Invalid limit {limit}: it must be between 1 and {_MAX_LIMIT}")
    after = body.get("after") or "0"
    if not after.isdecimal():
        raise invalid(f"Invalid after {after}: it must be a number")
    if int(after) + limit > _CAP:
        raise invalid(f"Search results are limited to {_CAP}: after plus limit must not exceed it")
    return limit, int(after)


def _id_bounds(filters: list[Filter]) -> tuple[int, int, list[Filter]]:
    """Exclusive bounds that the filters set on the id, and the filters that are left."""
    low, high, rest = -1, _FOREVER, []
    for one in filters:
        operator, value = one["operator"], one.get("value") or ""
        if one["propertyName"] != "hs_object_id" or operator not in _BOUNDS or not value.isdecimal():
            rest.append(one)
        elif operator in ("GT", "GTE"):
            low = max(low, int(value) - (operator == "GTE"))
        else:
            high = min(high, int(value) + (operator == "LTE"))
    return low, high, rest


def _stamp_bounds(table: Table, filters: list[Filter]) -> tuple[int, int, list[Filter]] | None:
    """Half-open bounds on the modification time, and the filters that are left; None where there are none."""
    low, high, rest = -_FOREVER, _FOREVER, []
    for one in filters:
        operator = one["operator"]
        moment = parse_moment(one.get("value") or "")
        if one["propertyName"] != table.kind.modified or operator not in _BOUNDS or moment is None:
            rest.append(one)
        elif operator in ("GT", "GTE"):
            low = max(low, moment + (operator == "GT"))
        else:
            high = min(high, moment + (operator == "LTE"))
    return None if len(rest) == len(filters) else (low, high, rest)


def _candidates(table: Table, filters: list[Filter]) -> tuple[Sequence[int], list[Filter], bool]:
    """Ids worth testing, the filters still to test, and whether they come by modification time (else by id)."""
    if bounds := _stamp_bounds(table, filters):
        low, high, rest = bounds
        return table.window(low, high), rest, True
    for one in filters:
        wanted = [one.get("value") or ""] if one["operator"] == "EQ" else one.get("values") or []
        if one["propertyName"] == "hs_object_id" and one["operator"] in ("EQ", "IN"):
            return sorted(int(text) for text in set(wanted) if text.isdecimal() and int(text) in table.live), [], False
    return table.order, filters, False


def _ordered(table: Table, asked: _Asked) -> list[int]:
    groups, query, (name, descending) = asked
    hits: list[int] = []
    by_stamp = False
    for filters in groups:
        ids, rest, by_stamp = _candidates(table, filters)
        tests = [compile_filter(table, one) for one in rest] + _query_test(query)
        live = table.live
        found = [one for one in ids if all(test(live[one]) for test in tests)] if tests else list(ids)
        hits = found if len(groups) == 1 else hits + found
    if len(groups) > 1:
        hits, by_stamp = list(set(hits)), False
    if name == "hs_object_id":
        return sorted(hits)
    if name == table.kind.modified and by_stamp:
        return hits[::-1] if descending else hits
    key = _thing_key(table, name)
    return sorted(hits, key=lambda one: (*key(table.live[one]), one), reverse=descending)


def _thing_key(table: Table, name: str) -> Callable[[Thing], tuple[bool, Any]]:
    """A row's place by a property; rows without a value come first when ascending."""
    if name == table.kind.modified:
        return lambda thing: (True, thing.updated)
    if name == "hs_object_id":
        return lambda thing: (True, thing.id)
    read = sort_key(table.properties[name])

    def key(thing: Thing) -> tuple[bool, Any]:
        value = table.value(thing, name)
        number = None if value is None else read(value)
        return (False, 0) if number is None else (True, number)

    return key


def _query_test(query: str) -> list[Test]:
    wanted = words(query)
    if not wanted:
        return []

    def test(thing: Thing) -> bool:
        found = [word for value in thing.props.values() for word in words(value)]
        return all(any(word.startswith(one) for word in found) for one in wanted)

    return [test]


def _scan_lagging(table: Table, tests: list[list[Test]], query: str, sort: tuple[str, bool]) -> list[Thing]:
    """Every row as the lagging index knows it, tested one by one."""
    known = [thing for one, thing in table.live.items() if one not in table.lagging]
    known += [before for _, before in table.lagging.values() if before is not None]
    asked = _query_test(query)
    rows = [row for row in known if any(all(test(row) for test in group + asked) for group in tests)]
    key = _thing_key(table, sort[0])
    return sorted(rows, key=lambda row: (*key(row), row.id), reverse=sort[1])
