"""COQL: queries answered from the tables; keyset queries by stamp and id touch no more rows than they return."""

from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key
from itertools import islice
from typing import Any

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.coql import Column, Parser, Query
from connectors.sandbox.zoho.coql_match import Columns, Test, bounds, compile_where, invalid_query
from connectors.sandbox.zoho.errors import Refusal, invalid, no_permission, scope_mismatch
from connectors.sandbox.zoho.lists import Lists
from connectors.sandbox.zoho.scopes import covers, needed
from connectors.sandbox.zoho.store import Row, Table
from connectors.sandbox.zoho.times import text_of

_NO_QUERIES = {"Users", "Emails", "Attachments"}
_WIDTHS = ((6.0, 2_000, 100_000), (4.0, 2_000, 10_000), (2.0, 200, 10_000))
"""Since version, most rows per call, most rows by offset."""


class Coql:
    """The handler of ``POST /coql``."""

    def __init__(
        self, lists: Lists, emulator: Emulator, granted: Callable[[Request], frozenset[str] | None], width: int
    ) -> None:
        self.org = lists.org
        self.rows = lists.rows
        self.emulator = emulator
        self.granted = granted
        self.width = width
        """How many columns a SELECT may have."""

    def query(self, request: Request) -> Reply:
        """The rows of one query; 204 where there are none."""
        body = request.json()
        text = body.get("select_query") if isinstance(body, dict) else None
        if text is None:
            details = {"api_name": "select_query", "json_path": "$.select_query"}
            raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", details)
        if not isinstance(text, str):
            raise invalid(
                "invalid data", expected_data_type="text", api_name="select_query", json_path="$.select_query"
            )
        query = Parser(text).parse()
        table = self._table(request, query)
        self._check(request, query)
        shown = self._answer(table, query)
        if not shown or self.emulator.faults.strike("empty", f"{request.where} {query.module}"):
            return Reply(204)
        cap = self.emulator.page_cap or query.limit
        more = len(shown) > min(query.limit, cap)
        shown = shown[: min(query.limit, cap)]
        answer: dict[str, Any] = {"data": shown, "info": {"count": len(shown), "more_records": more}}
        if "fields" in (body.get("include_meta") or []):
            answer["fields"] = {one.shown: {"api_name": one.name} for one in query.columns}
        return Reply(body=answer)

    def _table(self, request: Request, query: Query) -> Table:
        table = self.org.table(query.module)
        if table is None or table.module.name in _NO_QUERIES:
            message = "the module name given seems to be invalid"
            raise Refusal(400, "INVALID_MODULE", message)
        granted = self.granted(request)
        if granted is not None and not covers(granted, needed("modules.READ", table.module.name)):
            raise scope_mismatch()
        where = f"{request.where} {query.module}"
        fault = self.emulator.faults.find("no_permission", where)
        # One that names its object struck before, if the query names it too.
        if fault and "object" not in fault.extra and self.emulator.faults.strike("no_permission", where):
            raise no_permission(f"Crm_Implied_View_{table.module.name}")
        return table

    def _check(self, request: Request, query: Query) -> None:
        version = float(request.path.split("/")[2][1:])
        _, rows, total = next(one for one in _WIDTHS if version >= one[0])
        message = "the limit has been exceeded"
        if len(query.columns) > self.width:
            raise Refusal(400, "LIMIT_EXCEEDED", message, {"limit": self.width, "clause": "select"})
        if not 0 < query.limit <= rows:
            raise Refusal(400, "LIMIT_EXCEEDED", message, {"limit": rows, "clause": "limit"})
        if query.offset + query.limit > total:
            raise Refusal(400, "LIMIT_EXCEEDED", message, {"limit": total, "clause": "offset"})
        names = [one.shown for one in query.columns]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise Refusal(400, "DUPLICATE_DATA", "duplicate column in select", {"column_name": twice[0]})

    def _answer(self, table: Table, query: Query) -> list[dict[str, Any]]:
        columns = Columns(self.org, table.module)
        test = compile_where(columns, query.where)
        if query.group or any(one.aggregate for one in query.columns):
            return self._grouped(columns, query, [row for row in self._candidates(table, query) if test(row)])
        readers = self._readers(columns, query.columns)
        rows = self._ordered(table, columns, query, test)
        chosen = islice(rows, query.offset, query.offset + query.limit + 1)
        return [{name: read(row) for name, read in readers} for row in chosen]

    def _readers(self, columns: Columns, chosen: Sequence[Column]) -> list[tuple[str, Callable[[Row], Any]]]:
        readers = [(one.shown, self._reader(columns, one.name)) for one in chosen]
        if all(one.name != "id" for one in chosen):
            readers.append(("id", self._reader(columns, "id")))
        return readers

    def _reader(self, columns: Columns, name: str) -> Callable[[Row], Any]:
        module, one, _, path = columns.find(name)
        read = self.rows.reader(module, one, "coql")
        if not path:
            return read
        return lambda row: None if (found := columns.row(row, path)) is None else read(found)

    def _candidates(self, table: Table, query: Query) -> Iterable[Row]:
        """Rows worth testing, unordered."""
        low, high = bounds(query.where, "Modified_Time")
        if low is not None or high is not None:
            return (table.rows[key] for key in table.between(low, high))
        low, high = bounds(query.where, "id")
        if low is not None and low == high:
            return [table.rows[low]] if low in table.rows else []
        return table.rows.values()

    def _ordered(self, table: Table, columns: Columns, query: Query, test: Test) -> Iterable[Row]:
        names = [name for name, _ in query.order]
        ways = {descending for _, descending in query.order}
        if names in ([], ["id"]) or (names in (["Modified_Time"], ["Modified_Time", "id"]) and len(ways) == 1):
            keys = self._keys(table, query, by_stamp=names[:1] == ["Modified_Time"])
            run = reversed(keys) if ways == {True} else iter(keys)
            return (row for key in run if test(row := table.rows[key]))
        getters = [(columns.find(name)[2], descending) for name, descending in query.order]
        return sorted((row for row in self._candidates(table, query) if test(row)), key=cmp_to_key(_comparing(getters)))

    @staticmethod
    def _keys(table: Table, query: Query, *, by_stamp: bool) -> Sequence[int]:
        low, high = bounds(query.where, "Modified_Time")
        if by_stamp:
            return table.between(low, high)
        if low is not None or high is not None:
            return sorted(table.between(low, high))
        first, last = bounds(query.where, "id")
        return table.ids_between(first, last)

    def _grouped(self, columns: Columns, query: Query, rows: list[Row]) -> list[dict[str, Any]]:
        for one in query.columns:
            if not one.aggregate and one.name not in query.group:
                raise invalid_query("column must be in the group by clause", column_name=one.name)
        readers = [columns.find(name)[2] for name in query.group]
        groups: dict[tuple[Any, ...], list[Row]] = {} if query.group else {(): rows}
        for row in rows if query.group else ():
            groups.setdefault(tuple(read(row) for read in readers), []).append(row)
        shown = [self._group(columns, query, found) for found in groups.values()]
        for name, descending in reversed(query.order):
            shown.sort(key=lambda one: (one.get(name) is not None, str(one.get(name))), reverse=descending)
        return shown[query.offset : query.offset + query.limit + 1]

    def _group(self, columns: Columns, query: Query, rows: list[Row]) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for one in query.columns:
            if one.aggregate:
                _, field, get, _ = columns.find(one.name)
                value = _aggregate(one.aggregate, [value for row in rows if (value := get(row)) is not None])
                stamp = field.data_type == "datetime" and one.aggregate != "count" and value is not None
                shown[one.shown] = text_of(int(value), self.org.zone) if stamp else value
            else:
                shown[one.shown] = self._reader(columns, one.name)(rows[0])
        return shown


def _aggregate(word: str, values: list[Any]) -> Any:
    if word == "count":
        return len(values)
    if not values:
        return None
    if word in {"min", "max"}:
        return min(values) if word == "min" else max(values)
    total = round(sum(values), 6)
    return total if word == "sum" else total / len(values)


def _comparing(getters: list[tuple[Callable[[Row], Any], bool]]) -> Callable[[Row, Row], int]:
    """Compares rows by several values; what has none comes first ascending, then ids decide."""

    def compare(left: Row, right: Row) -> int:
        for get, descending in getters:
            one, two = get(left), get(right)
            if one != two:
                less = one is None or (two is not None and one < two)
                return (1 if less else -1) if descending else (-1 if less else 1)
        return -1 if left["id"] < right["id"] else 1

    return compare
