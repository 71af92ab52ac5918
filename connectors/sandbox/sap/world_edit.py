"""Lets a test or a simulated user look at, change, make and delete records of a tenant."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.sap.activities import SETS, activity_row
from connectors.sandbox.sap.codes import Phases
from connectors.sandbox.sap.errors import ODataError
from connectors.sandbox.sap.ids import account_number, display_id, in_world_ids, object_id, party_id
from connectors.sandbox.sap.own import OWN, own_values
from connectors.sandbox.sap.schema import EntityType, Property
from connectors.sandbox.sap.store import Row, Store, shown
from connectors.sandbox.sap.triggers import Triggers
from connectors.sandbox.sap.values import read_iso, read_json
from connectors.sandbox.sap.world_map import CODED, MANAGER, MAPS, MEMBER, OBJECTS, UNITS, values_of

_STATUS_WORDS = {"open": "2", "won": "4", "lost": "5", "omitted": "6"}


class WorldEditor:
    """Finds records by world name and id (``opportunities``, ``17``) or by entity or set name and ObjectID."""

    def __init__(self, store: Store, triggers: Triggers, phases: Phases, ids: dict[str, dict[str, str]]) -> None:
        self._store, self._triggers, self._phases, self._ids = store, triggers, phases, ids

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The record with every value that is not initial; None if there is none."""
        found = self._store.find(self._key(record, record_id))
        return None if found is None else shown(found[1], found[0])

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes (without id: makes) a record; columns of a world and SAP's property names are both understood."""
        if "merged_into" in fields:
            raise ValueError("nothing is known of how SAP merges records")
        if record_id is None:
            return self._make(record, fields)
        found = self._store.find(self._key(record, record_id))
        if found is None:
            raise KeyError(record_id)
        entity, row = found
        self._triggers.update(entity, row, self._values(record, entity, fields, row))
        if record == "people":
            self._reassign(row, fields)
        return self._remote_id(record, row)

    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record; nothing of it remains. KeyError: there is none."""
        found = self._store.find(self._key(record, record_id))
        if found is None:
            raise KeyError(record_id)
        self._store.delete(found[0], found[1]["ObjectID"])

    def _key(self, record: str, record_id: str) -> str:
        """The ObjectID of a world id, of a person's or an account's number, or of itself."""
        keys = self._ids.get(OBJECTS.get(record, record), {})
        if record_id in keys or record not in OBJECTS:
            return keys.get(record_id, record_id)
        numbers = self._ids.get(record, {})
        return next((keys[one] for one, number in numbers.items() if number == record_id), record_id)

    @staticmethod
    def _remote_id(record: str, row: Row) -> str:
        """What other records call this one: people and accounts have numbers."""
        name = {"people": "BusinessPartnerID", "accounts": "AccountID"}.get(record, "ObjectID")
        return str(row[name])

    def _make(self, record: str, fields: Mapping[str, Any]) -> str:
        entity = self._entity(record, fields)
        number = str(9_900_000 + self._store.made + 1)
        world_id = str(fields.get("id") or number)
        known = record in MAPS or record in OWN or record == "activities"
        key = object_id(record if known else "items", world_id)
        values = self._values(record, entity, {**fields, "id": world_id}, {})
        if "ID" in entity.properties:
            values.setdefault("ID", display_id(world_id))
        for name, numbered in (("BusinessPartnerID", party_id), ("AccountID", account_number)):
            if record in OBJECTS and name in entity.properties:
                values.setdefault(name, numbered(world_id))
        row = self._triggers.insert(entity, {name: value for name, value in values.items() if value is not None}, key)
        self._ids.setdefault(OBJECTS.get(record, record), {})[world_id] = key
        self._ids.setdefault(record, {})[world_id] = self._remote_id(record, row)
        if record == "people":
            self._reassign(row, fields)
        return self._remote_id(record, row)

    def _reassign(self, employee: Row, fields: Mapping[str, Any]) -> None:
        """Puts a person into a unit, and the person's manager at the head of it."""
        table, entity = self._store.tables[UNITS], self._store.schema.types[UNITS]
        own = [table.rows[key] for key in table.children(employee["ObjectID"])]
        row = next((one for one in own if one["RoleCode"] == MEMBER), None)
        said = {"OrgUnitID": fields.get("team"), "JobID": fields.get("role")}
        said = {name: value for name, value in said.items() if value is not None}
        if said:
            blank = {
                "ParentObjectID": employee["ObjectID"],
                "EmployeeID": employee.get("EmployeeID"),
                "RoleCode": MEMBER,
            }
            row = {"ObjectID": self._store.new_key(), **blank, **(row or {}), **said}
            self._store.save(entity, row)
        if (manager := fields.get("manager_id")) and row and row.get("OrgUnitID"):
            for other in [
                one
                for one in table.rows.values()
                if one["RoleCode"] == MANAGER and one["OrgUnitID"] == row["OrgUnitID"]
            ]:
                self._store.delete(entity, other["ObjectID"])
            head = {
                "ParentObjectID": self._key("people", str(manager)),
                "RoleCode": MANAGER,
                "OrgUnitID": row["OrgUnitID"],
            }
            self._store.save(entity, {"ObjectID": self._store.new_key(), **head})

    def _entity(self, record: str, fields: Mapping[str, Any]) -> EntityType:
        if record == "activities":
            return self._store.schema.types[SETS[str(fields.get("kind") or "task")]]
        name = (MAPS.get(record) or OWN.get(record) or (record.removesuffix("Collection"),))[0]
        return self._store.schema.types[name]

    def _values(self, record: str, entity: EntityType, fields: Mapping[str, Any], row: Row) -> dict[str, Any]:
        own = {name: value for name, value in fields.items() if name in entity.properties}
        cells = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in fields.items()
            if name not in own and value is not None
        }
        cells = in_world_ids(cells, self._ids)
        values: dict[str, Any] = {}
        if record == "activities":
            values |= self._activity(entity, cells, row)
        elif record in MAPS:
            values |= values_of(record, entity, cells)
            empty = {name for name, value in fields.items() if value in {None, ""}}
            values |= {
                name: None for column, name, _ in MAPS[record][1] if column in empty and name in entity.properties
            }
            self._compound(record, cells, values)
        elif record in OWN:
            values |= own_values(record, cells)
        elif cells.keys() - {"id"}:
            message = f"{record} has no {', '.join(sorted(cells.keys() - {'id'}))}"
            raise KeyError(message)
        values |= {name: _read(entity.properties[name], value) for name, value in own.items()}
        self._note_words(entity, values)
        return values

    @staticmethod
    def _activity(entity: EntityType, cells: Mapping[str, str], row: Row) -> dict[str, Any]:
        """What an activity's columns say. The row keeps what these cells do not speak of."""
        kind = next(kind for kind, name in SETS.items() if name == entity.name)
        _, made = activity_row({"id": row.get("ObjectID", "0"), "kind": kind, **cells}, lambda _: "")
        always = {
            "ObjectID",
            "UUID",
            "DocumentType",
            "CompletionPercent",
            "LifeCycleStatusCode",
            "Status",
            "OwnerName",
            "Owner",
        }
        if "completed_at" in cells:
            always -= {"CompletionPercent", "LifeCycleStatusCode", "Status"}
        if not row:
            always = {"ObjectID", "UUID"}
        if row:
            always |= {
                name for name, column in (("Subject", "subject_hash"), ("Category", "kind")) if column not in cells
            }
        return {name: value for name, value in made.items() if name not in always}

    def _compound(self, record: str, cells: Mapping[str, str], values: dict[str, Any]) -> None:
        """Columns that stand in several properties."""
        if record == "people" and cells.get("name"):
            values["FirstName"], _, values["LastName"] = cells["name"].rpartition(" ")
        if record != "opportunities":
            return
        if stage := cells.get("stage"):
            values["SalesCyclePhaseCode"] = self._phases.code_of(stage)
            values["LifeCycleStatusCode"] = self._phases.status_of(stage)
        if outcome := cells.get("outcome"):
            values["LifeCycleStatusCode"] = _STATUS_WORDS[outcome]
        if pipeline := cells.get("pipeline"):
            values["SalesCycleCode"] = self._phases.cycle_of(pipeline)
            self._store.codes["Opportunity", "SalesCycleCode"][values["SalesCycleCode"]] = pipeline

    def _note_words(self, entity: EntityType, values: Mapping[str, Any]) -> None:
        for name in CODED.get(entity.name, ()):
            if values.get(name):
                self._store.codes.setdefault((entity.name, name), {}).setdefault(values[name], values[name])


def _read(one: Property, value: Any) -> Any:
    """A value as a test gives it: ISO dates and plain numbers are welcome here."""
    if isinstance(value, str) and one.kind in {"date", "moment"} and not value.startswith("/"):
        at = read_iso(value)
        return at - at % 86_400_000_000 if one.kind == "date" else at
    plain = one.edm == "Edm.Decimal" and isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return read_json(one, str(value) if plain else value)
    except ODataError as error:
        raise ValueError(error.text) from error
