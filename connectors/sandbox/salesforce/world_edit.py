"""Lets a test or a simulated user look at, change, make and delete records of an emulated org."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.salesforce.rows import Rows
from connectors.sandbox.salesforce.schema import ObjectType
from connectors.sandbox.salesforce.store import Org, Row
from connectors.sandbox.salesforce.values import RowError
from connectors.sandbox.salesforce.world_map import MAPS, readers, values_of

_BEYOND = frozenset({"MasterRecordId", "IsArchived", "UserType", "IsChild", "FiscalYearStartMonth", "TimeZoneSidKey"})
"""Read-only by API, but a user, an admin or the server does set them."""


class WorldEditor:
    """Finds records by world name and id (``opportunities``, ``17``) or by object name and Salesforce id."""

    def __init__(self, org: Org, rows: Rows, ids: Mapping[str, Mapping[str, str]]) -> None:
        self._org = org
        self._rows = rows
        self._ids = ids

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The record with every field that is not null; None if there is none."""
        row = self._org.row(self._ids.get(record, {}).get(record_id, record_id))
        return dict(row) if row is not None else None

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes (without id: makes) a record; columns of a world and the vendor's field names are both understood."""
        kind = self._kind(record, record_id)
        if "merged_into" in fields:
            if kind.name not in {"Account", "Contact"}:
                raise ValueError(f"Salesforce merges no {kind.name}")
            fields = {**fields, "MasterRecordId": fields["merged_into"]}
            del fields["merged_into"]
        known = MAPS.get(record)
        columns = known.columns if known else {}
        worded = {name: str(value) for name, value in fields.items() if name in columns and value is not None}
        values = values_of(readers(kind, columns), worded)
        values |= {columns[name]: None for name, value in fields.items() if name in columns and value is None}
        values |= {name: value for name, value in fields.items() if name not in columns}
        try:
            if record_id is None:
                return self._rows.insert(kind, values)
            return self._change(kind, self._id(record, record_id), values)
        except RowError as error:
            raise ValueError(str(error)) from error

    def _change(self, kind: ObjectType, record_id: str, values: dict[str, Any]) -> str:
        if kind.name == "Account" and values.get("MasterRecordId"):
            self._rows.merge(kind, record_id, self._id("accounts", str(values["MasterRecordId"])))
            return record_id
        if kind.name in {"User", "Contact"} and values.get("Name"):
            first, _, values["LastName"] = str(values.pop("Name")).rpartition(" ")
            values["FirstName"] = first or None
        if "ForecastCategory" in values and kind.name == "Opportunity":
            values["ForecastCategoryName"] = values.pop("ForecastCategory")
        beyond = {name: values.pop(name) for name in list(values) if name in _BEYOND or not kind.writable}
        if values:
            self._rows.update(kind, record_id, values)
        if beyond:
            row = self._org.tables[kind.name].rows[record_id]
            self._org.tables[kind.name].put(Row({**row, **beyond, **self._stamps(kind)}))
        return record_id

    def _stamps(self, kind: ObjectType) -> dict[str, str]:
        return {name: self._rows.stamp() for name in ("SystemModstamp", "LastModifiedDate") if name in kind.fields}

    def remove(self, record: str, record_id: str) -> None:
        """Moves a record to the recycle bin. KeyError: there is none."""
        key = self._id(record, record_id)
        self._rows.delete(self._kind(record, key), key)

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of sight without a trace. KeyError: there is none."""
        key = self._id(record, record_id)
        self._org.tables[self._kind(record, key).name].restore(key, None)

    def _id(self, record: str, record_id: str) -> str:
        found = self._ids.get(record, {}).get(record_id, record_id)
        row = self._org.row(found)
        if row is None:
            raise KeyError(record_id)
        return str(row["Id"])

    def _kind(self, record: str, record_id: str | None) -> ObjectType:
        if record_id is not None:
            kind = self._org.object_of(self._id(record, record_id))
            if kind is not None:
                return kind
        name = MAPS[record].object if record in MAPS else record
        if name == "activities":
            name = "Task"
        return self._org.objects[name]
