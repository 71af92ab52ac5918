"""Reading records and descriptions: query, findSimple, findOne, get, object/list, describe, team."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from connectors.sandbox.faults import Faults
from connectors.sandbox.fxiaoke.auth import Caller
from connectors.sandbox.fxiaoke.errors import NO_RIGHT, Refusal, bad_argument, missing, success
from connectors.sandbox.fxiaoke.match import Test
from connectors.sandbox.fxiaoke.query import Search, check_keys, found, page, read_search
from connectors.sandbox.fxiaoke.rows import Rows
from connectors.sandbox.fxiaoke.store import Row, Table, Tenant
from connectors.sandbox.fxiaoke.view import View
from connectors.sandbox.routing import Reply

_TEAM_OBJECTS = {"AccountObj", "OpportunityObj"}
_COUNTED_BY_NUMBER = {"LeadsObj", "ContactObj", "NewOpportunityObj", "PersonnelObj", "DepartmentObj", "HighSeasObj"}
"""Objects whose pages of the manual know ``returnTotalNum`` and nothing else."""


@dataclass(slots=True)
class Call:
    """One business call: its body, who calls, where, and how its trace ids begin."""

    body: Mapping[str, Any]
    caller: Caller
    where: str
    trace: str
    custom: bool
    """Whether the path is one of custom objects."""

    def data(self, known: Iterable[str], *, strict: bool) -> Mapping[str, Any]:
        """``data`` of the body. Refusal: it is missing or has unknown keys."""
        found = self.body.get("data")
        if not isinstance(found, dict):
            raise missing("data")
        check_keys(found, known, "data", strict=strict)
        return found


class Settings(Protocol):
    """What the emulator says of this tenant."""

    strict: bool
    shows_invalid: bool
    personnel: bool
    totals: Literal["boolean", "number", "never"]
    no_rights: frozenset[str]
    visible: Mapping[str, float]
    page_cap: int | None
    faults: Faults


class Reading:
    """The reading endpoints."""

    def __init__(self, tenant: Tenant, view: View, rows: Rows, settings: Settings) -> None:
        self._tenant = tenant
        self._view = view
        self._rows = rows
        self._settings = settings

    def table(self, name: Any, call: Call, *, any_path: bool = False) -> Table:
        """The table of an object under this path. Refusal: no such object here, switched off, or no right to it."""
        if not name:
            raise missing("dataObjectApiName")
        table = self._tenant.tables.get(name) if isinstance(name, str) else None
        if table is None or not table.kind.active or (table.kind.custom != call.custom and not any_path):
            raise bad_argument(f"dataObjectApiName {name}")
        if name in self._settings.no_rights:
            raise Refusal(NO_RIGHT, f"没有{table.kind.label}权限")
        return table

    def seen(self, table: Table, caller: Caller) -> Test:
        """Which records this actor sees in lists: others are missing without an error."""
        share = self._settings.visible.get(caller.actor, 1.0)
        if self._settings.faults.find("empty"):
            return lambda _: False
        if table.kind.name == "PersonnelObj" and not self._settings.personnel:
            return lambda _: False
        valid_only = not self._settings.shows_invalid
        if share >= 1:
            return lambda row: not (valid_only and row["life_status"] == "invalid")
        return lambda row: (not valid_only or row["life_status"] != "invalid") and luck(row["_id"]) < share

    def query(self, call: Call) -> Reply:
        """data/query: one page."""
        keys = {"dataObjectApiName", "search_query_info", "find_explicit_total_num"}
        data = call.data(keys, strict=self._settings.strict)
        table = self.table(data.get("dataObjectApiName"), call)
        search = self._search(table, data, call)
        return self._page(call, table, search, search.projection, data)

    def find_simple(self, call: Call) -> Reply:
        """findSimple: one page without calculated values, of any object."""
        keys = {"dataObjectApiName", "search_query_info", "field_projection", "find_explicit_total_num"}
        data = call.data(keys, strict=self._settings.strict)
        table = self.table(data.get("dataObjectApiName"), call, any_path=True)
        fields = table.kind.fields
        asked = data.get("field_projection") or list(fields)
        plain = [name for name in asked if name in fields and fields[name].type not in {"formula", "count", "quote"}]
        return self._page(call, table, self._search(table, data, call), plain, data)

    def find_one(self, call: Call) -> Reply:
        """findOne: the first record that fits, of any object."""
        keys = {"dataObjectApiName", "search_query_info", "field_projection"}
        data = call.data(keys, strict=self._settings.strict)
        table = self.table(data.get("dataObjectApiName"), call, any_path=True)
        row = next(found(table, self._search(table, data, call), self.seen(table, call.caller)), None)
        names = data.get("field_projection") or ()
        return success(call.trace, {"data": {"objectData": self._shown(call, table, row, names) if row else None}})

    def _search(self, table: Table, data: Mapping[str, Any], call: Call) -> Search:
        if "search_query_info" not in data:
            raise missing("search_query_info")
        return read_search(
            table.kind,
            data["search_query_info"],
            strict=self._settings.strict,
            gone=self._view.hidden(table.kind.name),
            people=self._tenant.by_employee if call.caller.style == "header" else None,
        )

    def _page(self, call: Call, table: Table, search: Search, names: Iterable[str], data: Mapping[str, Any]) -> Reply:
        names = list(names)
        seen = self.seen(table, call.caller)
        rows = page(found(table, search, seen), search, self._settings.page_cap)
        counts = self._counts(table.kind.name, call.body, data)
        total = sum(1 for _ in found(table, search, seen)) if counts else 0
        cap = self._settings.page_cap
        body = {
            "dataList": [self._shown(call, table, row, names) for row in rows],
            "total": total, "offset": search.offset, "limit": search.limit if cap is None else min(search.limit, cap),
        }  # fmt: skip
        if rows and self._settings.faults.strike("moving_record", call.where):
            self._rows.change(table, rows[0], {}, self._tenant.admin)
        return success(call.trace, {"data": body})

    def _counts(self, kind: str, body: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
        """Whether the answer tells how many records there are; of the vendor's three ways to say so, one No is enough."""
        if self._settings.totals == "never":
            return False
        if self._settings.totals == "number" and kind in _COUNTED_BY_NUMBER:
            return body.get("returnTotalNum") in {1, 2}
        return (
            data.get("find_explicit_total_num", True) is not False
            and body.get("need_return_count_num", True) is not False
            and body.get("returnTotalNum", 1) != 3
        )

    def _shown(self, call: Call, table: Table, row: Row, names: Iterable[str]) -> Row:
        return self._view.shown(table, row, names, call.caller, nulls=call.body.get("includeNull") is True)

    def get(self, call: Call) -> Reply:
        """data/get: one record by ``_id``, an invalid one too."""
        data = call.data({"dataObjectApiName", "objectDataId"}, strict=self._settings.strict)
        table = self.table(data.get("dataObjectApiName"), call)
        if not data.get("objectDataId"):
            raise missing("objectDataId")
        row = self._rows.must(table, data["objectDataId"])
        if luck(row["_id"]) >= self._settings.visible.get(call.caller.actor, 1.0):
            raise Refusal(NO_RIGHT, "无此操作的数据权限")
        return success(call.trace, {"data": self._shown(call, table, row, ())})

    def objects(self, call: Call) -> Reply:
        """object/list: every object, switched off or not."""
        check_keys(call.body.get("data"), (), "data", strict=self._settings.strict)
        return success(call.trace, {"data": {"objects": [kind.listed() for kind in self._tenant.objects.values()]}})

    def describe(self, call: Call) -> Reply:
        """object/describe, asked in the new way (``data.apiName``) or the old one (``apiName``); ``includeDetail`` likewise."""
        check_keys(call.body.get("data"), {"apiName", "includeDetail"}, "data", strict=self._settings.strict)
        data = {**call.body, **(call.body.get("data") or {})}
        name = data.get("apiName")
        kind = self._tenant.objects.get(name) if isinstance(name, str) else None
        if kind is None:
            raise bad_argument(f"apiName {name}") if name else missing("apiName")
        if self._settings.strict and not isinstance(data.get("includeDetail"), bool):
            raise missing("includeDetail")
        bent = dict.fromkeys(self._view.mistyped(kind.name), "array")
        described = kind.describe(bent, self._view.hidden(kind.name))
        return success(call.trace, {"data": {"describe": described}})

    def team(self, call: Call) -> Reply:
        """team/get: the team of an account or of an old opportunity."""
        data = call.data({"dataID"}, strict=self._settings.strict)
        name = call.body.get("apiName")
        if name not in _TEAM_OBJECTS:
            raise bad_argument(f"apiName {name}")
        table = self._tenant.tables[name]
        row = self._rows.must(table, data.get("dataID"))
        shown = self._view.shown(table, row, ("relevant_team",), call.caller, nulls=False)
        return success(call.trace, {"data": {"objectList": shown.get("relevant_team", [])}})


def luck(row_id: str) -> float:
    """A number from 0 to 1 that belongs to a record: which share of the records it falls into."""
    return int(row_id[-8:], 16) * 2_654_435_761 % 2**32 / 2**32
