"""Lets a test or a simulated user look at, change, make and delete records of an emulated tenant."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from connectors.sandbox.fxiaoke.ids import option_value, record_id
from connectors.sandbox.fxiaoke.rows import Rows
from connectors.sandbox.fxiaoke.schema import ObjectType
from connectors.sandbox.fxiaoke.store import Department, Person, Row, Table, Tenant
from connectors.sandbox.fxiaoke.world import Ids, put_person
from connectors.sandbox.fxiaoke.world_map import MAPS, PAYMENTS, people

_PERSON_COLUMNS = {"name", "email", "active", "manager_id", "team", "region", "role", "started_on"}
_ALSO: dict[str, dict[str, str]] = {"activities": {"opportunity_id": "NewOpportunityObj", "account_id": "AccountObj"}}


class WorldEditor:
    """Finds records by world name and id (``opportunities``, ``17``) or by object name and ``_id``."""

    def __init__(self, tenant: Tenant, rows: Rows, ids: Ids) -> None:
        self._tenant = tenant
        self._rows = rows
        self._ids = ids

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The record with every field that is not empty; None if there is none."""
        found = self._ids.get(record, {}).get(record_id, record_id)
        person = self._tenant.people.get(found)
        if person is not None:
            return asdict(person)
        hit = self._tenant.find(found)
        return dict(hit[1]) if hit else None

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes (without id: makes) a record; columns of a world and the vendor's field names are both understood."""
        if record == "people":
            return self._edit_person(record_id, fields)
        if record_id is None:
            return self._make(record, fields)
        found = self._ids.get(record, {}).get(record_id, record_id)
        hit = self._tenant.find(found)
        if hit is None:
            raise KeyError(record_id)
        table, row = hit
        self._rows.change(table, row, self._values(record, table.kind, fields), self._tenant.admin)
        return found

    def _make(self, record: str, fields: Mapping[str, Any]) -> str:
        name = MAPS[record].object if record in MAPS else record
        if record == "payments":
            name = PAYMENTS[str(fields.get("kind") or "payment")][0]
        table = self._tenant.tables[name]
        values = self._values(record, table.kind, fields)
        if name == "NewOpportunityObj":
            values.setdefault("sales_status", option_value("进行中"))
        world_id = str(fields["id"]) if record in MAPS and fields.get("id") else None
        row = self._rows.make(table, values, self._tenant.admin, record_id(record, world_id) if world_id else None)
        if world_id:
            self._ids.setdefault(record, {})[world_id] = row["_id"]
        return str(row["_id"])

    def _values(self, record: str, kind: ObjectType, fields: Mapping[str, Any]) -> dict[str, Any]:
        columns = MAPS[record].columns if record in MAPS and MAPS[record].object == kind.name else {}
        values: dict[str, Any] = {}
        for name, value in fields.items():
            if name == "id":
                continue
            if name in columns:
                target, read = columns[name]
                values[target] = None if value in (None, "") else read(_text(value))
                self._know(kind, target, values[target], _text(value))
            elif record == "activities" and name in _ALSO["activities"]:
                continue
            elif name in kind.fields or name.endswith("__o"):
                values[name] = value
            elif name == "owner_id":
                values["owner"] = people(_text(value)) if value else None
            else:
                raise ValueError(f"{kind.name} has no field {name}")
        return {name: value for name, value in values.items() if name in kind.fields or name.endswith("__o")}

    @staticmethod
    def _know(kind: ObjectType, name: str, value: Any, label: str) -> None:
        """A stage, process or industry that nobody used so far becomes an option."""
        one = kind.fields.get(name)
        if one is not None and one.type == "select_one" and isinstance(value, str):
            one.options.setdefault(value, label)

    def _edit_person(self, world: str | None, fields: Mapping[str, Any]) -> str:
        open_id = self._ids.get("people", {}).get(world or "", world or "")
        old = self._tenant.people.get(open_id)
        if world is not None and old is None:
            raise KeyError(world)
        if unknown := set(fields) - _PERSON_COLUMNS - {"id", "ended_on", "territory", "isStop"}:
            raise ValueError(f"people have no field {min(unknown)}")
        if old is None:
            number = str(fields.get("id") or 20_000 + len(self._tenant.people))
            person = put_person(self._tenant, {name: _text(value) for name, value in {**fields, "id": number}.items()})
            self._ids.setdefault("people", {})[number] = person.open_id
            self._ids.setdefault("employees", {})[number] = person.employee
            return person.open_id
        self._change_person(old, fields)
        return old.open_id

    def _change_person(self, person: Person, fields: Mapping[str, Any]) -> None:
        cells = {
            "name": "name", "email": "email", "role": "position", "started_on": "hired",
        }  # fmt: skip
        for column, attribute in cells.items():
            if column in fields:
                setattr(person, attribute, _text(fields[column]))
        if "active" in fields or "isStop" in fields:
            person.stopped = _text(fields.get("active", not fields.get("isStop"))) == "false"
        if "manager_id" in fields:
            person.leader = people(_text(fields["manager_id"]))[0] if fields["manager_id"] else ""
        if fields.get("team"):
            person.department = self._department(_text(fields["team"]), person.department)

    def _department(self, name: str, beside: int) -> int:
        for one in self._tenant.departments.values():
            if one.name == name:
                return one.id
        number = max(self._tenant.departments.keys() - {999_999}, default=1000) + 1
        self._tenant.departments[number] = Department(number, name, self._tenant.departments[beside].parent)
        return number

    def remove(self, record: str, record_id: str) -> None:
        """Invalidates and deletes a record; a person is stopped. KeyError: there is none."""
        found = self._ids.get(record, {}).get(record_id, record_id)
        person = self._tenant.people.get(found)
        if person is not None:
            person.stopped = True
            return
        hit: tuple[Table, Row] | None = self._tenant.find(found)
        if hit is None:
            raise KeyError(record_id)
        hit[0].drop(found)


def _text(value: Any) -> str:
    """A value of a control call as a world's cell."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(str(one) for one in value)
    return "" if value is None else str(value)
