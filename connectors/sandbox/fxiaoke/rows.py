"""Changes of records, by a caller or by a user of the CRM: stamps, version, team, and what follows from a stage."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.sandbox.fxiaoke.errors import refused_record
from connectors.sandbox.fxiaoke.ids import WHOLE_COMPANY
from connectors.sandbox.fxiaoke.store import Row, Table, Tenant, epoch_ms

_OF_A_DEAL = {"ActiveRecordObj", "CheckinsObj", "ScheduleObj"}


class Rows:
    """Makes and changes records, stamped as Fxiaoke stamps them."""

    def __init__(self, tenant: Tenant, now: Callable[[], datetime]) -> None:
        self.tenant = tenant
        self._now = now
        self.late_ms = 0
        """How much older than now the stamps of the next changes are."""

    def now_ms(self) -> int:
        """The stamp of a change made now."""
        return epoch_ms(self._now()) - self.late_ms

    def make(self, table: Table, values: Mapping[str, Any], actor: str, row_id: str | None = None) -> Row:
        """Stores a new record; what is not given gets the system's values."""
        now = self.now_ms()
        row = {"_id": row_id or self.tenant.next_id(), **self.defaults(actor, now)}
        row.update({name: value for name, value in values.items() if value is not None})
        if table.kind.fields["name"].fixed and "name" not in row:
            row["name"] = f"{table.kind.name.removesuffix('Obj')}{row['_id'][-8:]}"
        self.place(row)
        if "sales_stage" in row:
            row.setdefault("stg_changed_time", now)
        table.put(row)
        self._follow(table, row)
        return row

    def defaults(self, actor: str, at_ms: int) -> Row:
        """The system fields of a record made at that time by that person."""
        return {
            "created_by": [actor], "last_modified_by": [actor], "create_time": at_ms, "last_modified_time": at_ms,
            "life_status": "normal", "lock_status": "0", "is_deleted": False, "record_type": "default__c", "version": "1",
        }  # fmt: skip

    def place(self, row: Row) -> None:
        """Fills the department and the team from the owner."""
        owner = row.get("owner") or []
        person = self.tenant.people.get(owner[0]) if owner else None
        others = [member for member in row.get("relevant_team", []) if member["teamMemberRole"] != "1"]
        department = self.tenant.departments.get(person.department if person else WHOLE_COMPANY)
        for name in ("owner_department", "owner_department_id", "data_own_department", "relevant_team"):
            row.pop(name, None)
        if department is not None:
            row["data_own_department"] = [str(department.id)]
            if person is not None:
                row["owner_department"], row["owner_department_id"] = department.name, str(department.id)
        team = [member(owner, "1"), *others] if owner else others
        if team:
            row["relevant_team"] = team

    def change(self, table: Table, row: Row, values: Mapping[str, Any], actor: str) -> Row:
        """Stores new values; None empties a field."""
        now = self.now_ms()
        fresh = {**row, **values}
        fresh = {name: value for name, value in fresh.items() if value is not None}
        if fresh.get("sales_stage") != row.get("sales_stage"):
            fresh["stg_changed_time"] = now
        fresh["last_modified_time"] = values.get("last_modified_time") or now
        fresh["last_modified_by"] = [actor]
        fresh["version"] = str(int(row["version"]) + 1)
        if "owner" in values:
            self.place(fresh)
        table.put(fresh)
        self._follow(table, fresh)
        return fresh

    def _follow(self, table: Table, row: Row) -> None:
        """A follow-up moves the time of the last one on its account and deal, not their last change."""
        if table.kind.name not in _OF_A_DEAL:
            return
        for one in row.get("related_object_data", ()):
            other = self.tenant.tables.get(one["describe_api_name"])
            found = other.rows.get(one["id"]) if other else None
            if other is not None and found is not None and "last_followed_time" in other.kind.fields:
                moment = max(found.get("last_followed_time", 0), row["create_time"])
                other.put({**found, "last_followed_time": moment})

    def must(self, table: Table, row_id: Any) -> Row:
        """The record of that ``_id``. Refusal: there is none."""
        row = table.rows.get(row_id) if isinstance(row_id, str) else None
        if row is None:
            raise refused_record("数据不存在或已删除")
        return row


def member(people: list[str], role: str) -> dict[str, Any]:
    """A member of a record's team: role 1 owner, 2 follows too, 3 after-sales, 4 ordinary; 2 reads and writes."""
    return {
        "teamMemberEmployee": people, "teamMemberRole": role, "teamMemberPermissionType": "2" if role in "12" else "1",
        "teamMemberType": "0",
    }  # fmt: skip
