"""Creating, changing and deleting rows as the Web API does it, one row at a time."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from connectors.sandbox.dynamics import audit
from connectors.sandbox.dynamics.errors import Refusal, bad_payload, bad_query, no_row
from connectors.sandbox.dynamics.ids import is_guid
from connectors.sandbox.dynamics.path import reference
from connectors.sandbox.dynamics.rules import before_save
from connectors.sandbox.dynamics.schema import Column, TableType
from connectors.sandbox.dynamics.store import Org, Row
from connectors.sandbox.dynamics.values import accept, unknown_bind, unknown_member

_BIND = "@odata.bind"
_ACTIVITIES = tuple((name, "_regardingobjectid_value") for name in ("phonecall", "appointment", "task", "email"))
_CASCADE = {
    "opportunity": (
        ("opportunityproduct", "_opportunityid_value"), ("opportunitysalesprocess", "_opportunityid_value"),
        ("opportunityclose", "_opportunityid_value"), *_ACTIVITIES,
    ),
    "account": (("opportunity", "_customerid_value"), *_ACTIVITIES),
}  # fmt: skip


class Writer:
    """Writes rows of one environment; ``spoil`` is asked before each and may raise what a fault makes of it."""

    def __init__(self, org: Org, spoil: Callable[[TableType, str], None]) -> None:
        self.org = org
        self.spoil = spoil

    def create(self, table: TableType, body: Mapping[str, Any], row_id: str | None = None) -> str:
        """Makes a row: its id. Refusal: the body does not fit, the id is taken."""
        self._writable(table, "Create")
        values = self.values(table, body)
        new_id = row_id or values.get(table.pk) or str(uuid4())
        if new_id in self.org.rows(table.name):
            raise Refusal(412, "0x80040237", "A record with matching key values already exists.")
        self.spoil(table, new_id)
        self.save(table, {**values, table.pk: new_id}, None)
        return str(new_id)

    def update(self, table: TableType, row_id: str, body: Mapping[str, Any]) -> None:
        """Changes a row. Refusal: the body does not fit, there is no such row."""
        self._writable(table, "Update")
        values = self.values(table, body)
        self.spoil(table, row_id)
        old = self.org.rows(table.name).get(row_id)
        if old is None:
            raise no_row(table.name, row_id)
        values.pop(table.pk, None)
        self.save(table, values, old)

    def save(
        self, table: TableType, values: Mapping[str, Any], old: Row | None, *, at: str | None = None, by: str | None = None,
        check: bool = True, action: int | None = None,
    ) -> Row:  # fmt: skip
        """Keeps a row with its stamps and its audit. ``check`` off: as a message of its own or a user does it."""
        moment, person = at or self.org.stamp(), by or self.org.user_id
        row = {**(old or {}), **values}
        if check or old is None:
            before_save(self.org, table, row, old)
        else:
            _settle(self.org, table, row, old)
        if "modifiedon" in table.columns:
            row["modifiedon"], row["_modifiedby_value"] = moment, person
        if old is None and "createdon" in table.columns:
            row.setdefault("createdon", moment)
        kept = {key: value for key, value in row.items() if value is not None}
        self.org.put(table.name, kept)
        if table.audited and self.org.auditing:
            self._audit(table, kept, old, moment, person, action)
        return kept

    def _audit(self, table: TableType, row: Row, old: Row | None, at: str, by: str, action: int | None) -> None:
        row_id = row[table.pk]
        operation = audit.CREATE if old is None else audit.UPDATE
        keys = audit.changed_keys(table, old or {}, row)
        if not keys and old is not None:
            return
        if action is None:
            assigned = old is not None and "_ownerid_value" in keys
            action = audit.ASSIGN if assigned else operation
        audit.record(self.org, table, row_id, old or {}, row, operation=operation, action=action, at=at, by=by)

    def delete(self, table: TableType, row_id: str) -> None:
        """Deletes a row and what goes with it. Refusal: there is no such row."""
        self._writable(table, "Delete")
        self.spoil(table, row_id)
        self.remove(table, row_id)

    def remove(self, table: TableType, row_id: str) -> None:
        """Deletes without asking for faults."""
        row = self.org.rows(table.name).get(row_id)
        if row is None:
            raise no_row(table.name, row_id)
        for child, key in _CASCADE.get(table.name, ()):
            for one in self.org.data[child].group(key, [row_id]):
                self.remove(self.org.tables[child], one)
        if table.family:
            for one in self.org.data["activityparty"].group("_activityid_value", [row_id]):
                self.org.drop("activityparty", one)
        self.org.drop(table.name, row_id)
        if table.audited and self.org.auditing:
            moment, person = self.org.stamp(), self.org.user_id
            audit.record(
                self.org, table, row_id, row, {}, operation=audit.DELETE, action=audit.DELETE, at=moment, by=person
            )

    def _writable(self, table: TableType, message: str) -> None:
        if table.read_only:
            raise Refusal(
                400, "0x80040800", f"The '{message}' method does not support entities of type '{table.name}'."
            )

    # Bodies.

    def values(self, table: TableType, body: Mapping[str, Any]) -> Row:
        """What a JSON body says, by property, nulls included. Refusal 400."""
        found: Row = {}
        for name, value in body.items():
            if name.endswith(_BIND):
                found |= self.bind(table, name.removesuffix(_BIND), value)
            elif "@" in name:
                continue
            else:
                found |= self._member(table, name, value)
        return found

    def _member(self, table: TableType, name: str, value: Any) -> Row:
        column = self.org.column(table, name)
        if column is None:
            if table.nav(name) is not None and value is None:
                return self.bind(table, name, None)
            raise unknown_member(table, name)
        if column.is_lookup:
            text = "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead."
            raise bad_query(text)
        if column.server_set or (table.name == "systemuser" and name == "fullname"):
            return {}
        if name == table.pk and not is_guid(value):
            raise bad_payload(
                table.set_name,
                f"Microsoft.OData.ODataException: Cannot convert the literal '{value}' to the expected type 'Edm.Guid'.",
            )
        return {name: accept(table, column, value)}

    def bind(self, table: TableType, nav: str, value: Any) -> Row:
        """What a lookup keeps of ``nav@odata.bind``. Refusal: no such property, no such row."""
        found = table.nav(nav)
        if found is None:
            raise unknown_bind(table, nav + _BIND)
        column, target = found
        if column.server_set:
            return {}
        if value is None:
            return {column.key: None, f"{column.key}@": None}
        other, row_id = reference(self.org, value)
        self._check_target(table, column, target, other)
        if row_id not in self.org.rows(other.name):
            raise no_row(other.name, row_id)
        return lookup(column, other.name, row_id)

    def _check_target(self, table: TableType, column: Column, target: str, other: TableType) -> None:
        fits = other.name in column.targets if column.name == "ownerid" else other.name == target
        if not fits and not (target == "activitypointer" and other.family):
            raise bad_payload(
                table.set_name,
                f"Microsoft.OData.ODataException: A resource with type 'Microsoft.Dynamics.CRM.{other.name}' was found, "
                f"but it is not assignable to the expected type 'Microsoft.Dynamics.CRM.{target}'.",
            )


def lookup(column: Column, target: str, row_id: str) -> Row:
    """The two properties that keep a lookup."""
    return {column.key: row_id, f"{column.key}@": target if target != column.targets[0] else None}


def _settle(org: Org, table: TableType, row: Row, old: Row) -> None:
    """All rules but the one that closes opportunities by message only."""
    states = {name: row.get(name) for name in ("statecode", "statuscode")}
    if table.name == "opportunity":
        row |= {name: old.get(name) for name in states}
    before_save(org, table, row, old)
    if table.name == "opportunity":
        row |= states
