"""The calls that the Fxiaoke connector makes. Misspelt keys are ignored in silence there: they are all spelled here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import ContractError, RejectedError
from connectors.http import Http

Row = dict[str, Any]
Filter = Mapping[str, Any]

PAGE = 100
"""Rows of a page at most: what more brings is not documented alike everywhere."""

COMPANY = 999_999
"""The department that everybody is in."""

SYSTEM_TYPES: Mapping[str, str] = {
    "_id": "text", "name": "text", "owner": "employee", "created_by": "employee", "last_modified_by": "employee",
    "create_time": "date_time", "last_modified_time": "date_time", "life_status": "select_one",
    "lock_status": "select_one", "is_deleted": "true_or_false", "version": "text",
}  # fmt: skip
"""Fields that every object has, whether describe tells them or not."""


@dataclass(frozen=True, slots=True)
class Described:
    """What describe says of one object: its fields that are in use, by api name."""

    label: str
    fields: Mapping[str, Mapping[str, Any]]

    def options(self, name: str) -> dict[str, str]:
        """Label by value of a selection."""
        listed = self.fields.get(name, {}).get("options") or ()
        return {str(one["value"]): str(one.get("label") or one["value"]) for one in listed if "value" in one}


def where(name: str, operator: str, *values: str) -> Filter:
    """One filter; several are joined by AND, there is no OR."""
    return {"field_name": name, "operator": operator, "field_values": list(values)}


def _prefix(remote: str) -> str:
    """Objects that an administrator made live under paths of their own."""
    return "/cgi/crm/custom/v2" if remote.endswith("__c") else "/cgi/crm/v2"


def _refuse_unordered(remote: str, rows: Sequence[Row], behind: str | None) -> None:
    """A misspelt or refused key is ignored in silence there: rows out of order would be skipped, or read without end."""
    ids = [str(row.get("_id") or "") for row in rows]
    if not all(ids):
        raise ContractError(f"{remote}: a row without _id", str(rows))
    if ids != sorted(ids) or (ids and behind is not None and ids[0] <= behind):
        raise ContractError(
            f"{remote}: rows behind _id {behind} come from {ids[0]} to {ids[-1]}: not in the order asked for"
        )


class FxiaokeApi:
    """The documented calls, with answers as plain dictionaries."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._described: dict[str, Described | None] = {}

    def pages(
        self, remote: str, columns: Sequence[str], filters: Sequence[Filter] = (), *, behind: str | None = None
    ) -> Iterator[tuple[list[Row], str | None]]:
        """Pages by ``_id``, each with where the next one starts (None: there is none).

        The end is a page with fewer rows than the answer's own ``limit``: ``total`` may be left at 0. Keyset paging: an offset
        ends at 10,000 and skips rows that move.
        """
        while True:
            keyset = [] if behind is None else [where("_id", "GT", behind)]
            data = self._query(remote, columns, [*filters, *keyset])
            rows = data["dataList"] or []
            _refuse_unordered(remote, rows, behind)
            behind = rows[-1]["_id"] if rows and len(rows) >= int(data.get("limit") or PAGE) else None
            yield rows, behind
            if behind is None:
                return

    def _query(self, remote: str, columns: Sequence[str], filters: Sequence[Filter]) -> Mapping[str, Any]:
        search = {
            "limit": PAGE, "offset": 0, "filters": list(filters), "orders": [{"fieldName": "_id", "isAsc": True}],
            "fieldProjection": list(dict.fromkeys(["_id", *columns])),
        }  # fmt: skip
        # With nulls, a field that a row does not have at all is one that the object does not have.
        body = {
            "includeNull": True,
            "data": {"dataObjectApiName": remote, "find_explicit_total_num": False, "search_query_info": search},
        }
        return self._data(f"{_prefix(remote)}/data/query", body, "dataList")

    def rows(self, remote: str, columns: Sequence[str], filters: Sequence[Filter] = ()) -> Iterator[Row]:
        """Every row of a small query."""
        for rows, _ in self.pages(remote, columns, filters):
            yield from rows

    def among(
        self, remote: str, columns: Sequence[str], name: str, values: Sequence[str], filters: Sequence[Filter] = ()
    ) -> Iterator[list[Row]]:
        """Rows by the values of one field, a page of values a call."""
        for start in range(0, len(values), PAGE):
            chosen = where(name, "IN", *values[start : start + PAGE])
            for rows, _ in self.pages(remote, columns, [*filters, chosen]):
                yield rows

    def filled(self, remote: str, columns: Sequence[str], row_id: str) -> frozenset[str]:
        """Which of these fields are not empty in a row; none for a row that is not there."""
        found = self.rows(remote, columns, [where("_id", "EQ", row_id)])
        return frozenset(name for row in found for name in columns if row.get(name) not in (None, "", []))

    def count(self, remote: str) -> int | None:
        """How many rows our employee sees, by one call; None where the answer does not tell it.

        Some pages of the manual (商机2.0 among them) know ``returnTotalNum`` only, others ``find_explicit_total_num``. A total
        that was not asked for in the right words is 0.
        """
        search = {"limit": 1, "offset": 0, "filters": [], "orders": [], "fieldProjection": ["_id"]}
        body = {
            "returnTotalNum": 1,
            "data": {"dataObjectApiName": remote, "find_explicit_total_num": True, "search_query_info": search},
        }
        data = self._data(f"{_prefix(remote)}/data/query", body, "dataList")
        total = int(data.get("total") or 0)
        return None if data["dataList"] and not total else total

    def create(self, remote: str, fields: Mapping[str, Any], flows: Mapping[str, bool]) -> str | None:
        """Makes a row. Its id; None where the answer does not tell it. RetryLaterError: it may have been made."""
        body = {**flows, "data": {"object_data": {"dataObjectApiName": remote, **fields}}}
        made = self._http.post(f"{_prefix(remote)}/data/create", json=body, once=True).get("dataId")
        return None if made is None else str(made)

    def update(self, remote: str, row_id: str, fields: Mapping[str, Any], flows: Mapping[str, bool]) -> None:
        """Writes these fields of one row. The switches stand at the top: within ``data`` they are ignored."""
        body = {**flows, "data": {"object_data": {"_id": row_id, "dataObjectApiName": remote, **fields}}}
        self._http.post(f"{_prefix(remote)}/data/update", json=body)

    def describe(self, remote: str, *, fresh: bool = False) -> Described | None:
        """An object's fields; None if the tenant does not have it. Asked once unless ``fresh``."""
        if fresh or remote not in self._described:
            body = {"includeDetail": False, "apiName": remote, "data": {"apiName": remote}}  # for both generations
            try:
                told = self._data("/cgi/crm/v2/object/describe", body, "describe")["describe"]
            except RejectedError:
                self._described[remote] = None
            else:
                used = {
                    name: one for name, one in (told.get("fields") or {}).items() if one.get("is_active") is not False
                }
                label = str(told.get("display_name") or told.get("label") or remote)
                self._described[remote] = Described(label, used)
        return self._described[remote]

    def objects(self) -> dict[str, bool]:
        """Api names of all objects, and whether each is in use."""
        listed = self._data("/cgi/crm/v2/object/list", {"data": {}}, "objects")["objects"]
        return {str(one.get("describeApiName")): one.get("isActive") is not False for one in listed}

    def actor(self) -> str:
        """The employee as whom we act, as records name people."""
        signed = self._http.auth.headers(self._http) if self._http.auth else {}
        return signed.get("currentOpenUserId") or signed["x-fs-userid"]

    def employees(self) -> list[Row]:
        """The whole directory: one call, no pages."""
        body = {"departmentId": COMPANY, "fetchChild": True, "showDepartmentIdsDetail": True}
        listed: list[Row] = self._http.post("/cgi/user/list", json=body).get("userList") or []
        return listed

    def departments(self) -> list[Row]:
        """Every department."""
        listed: list[Row] = self._http.post("/cgi/department/list", json={}).get("departments") or []
        return listed

    def _data(self, path: str, body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        answer = self._http.post(path, json=body)
        data = answer.get("data")
        if not isinstance(data, dict) or key not in data:
            raise ContractError(f"POST {path}: the answer has no data.{key}", str(answer))
        return data
