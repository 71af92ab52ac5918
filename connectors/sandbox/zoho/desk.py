"""What tests and users of the CRM's own pages do: look at records, edit them, delete them."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.zoho.changes import Changes
from connectors.sandbox.zoho.rows import Rows
from connectors.sandbox.zoho.store import Org, Row, Stage, Table
from connectors.sandbox.zoho.times import seconds_of, text_of
from connectors.sandbox.zoho.values import read_value
from connectors.sandbox.zoho.world import Loader
from connectors.sandbox.zoho.world_activities import Activities
from connectors.sandbox.zoho.world_map import ACTIVITIES, MODULES
from connectors.sandbox.zoho.world_own import OWN

_RECORDS = {module: record for record, module in MODULES.items()} | dict.fromkeys(ACTIVITIES.values(), "activities")
_OURS = {
    "people": {"name", "email", "active", "manager_id", "team", "territory", "region", "role", "started_on", "ended_on"},
    "accounts": {"name", "parent_id", "owner_id", "industry", "region"},
    "opportunities": {
        "name", "account_id", "owner_id", "pipeline", "stage", "amount", "currency", "close_on", "type", "source",
        "product", "probability", "forecast_category", "next_step", "discount", "external_id",
    },
    "line_items": {"quantity", "amount"},
    "activities": {
        "kind", "owner_id", "opportunity_id", "account_id", "contact_ids", "participant_ids", "direction", "created_at",
        "planned_at", "completed_at", "duration_seconds", "subject_hash",
    },
    **{table: set(one.columns) for table, one in OWN.items()},
}  # fmt: skip
"""World columns that an edit may name."""
_BESIDE = {
    "id",
    "modified_at",
    "outcome",
    "closed_at",
    "created_at",
    "two_way",
    "auto_logged",
    "merged_into",
    "qualified",
}
"""World columns that follow from others here, or have no place."""


class Desk:
    """Edits as a user of the CRM would make them."""

    def __init__(self, org: Org, loader: Loader, rows: Rows, changes: Changes) -> None:
        self.org = org
        self.loader = loader
        self.mapper = loader.mapper
        self.rows = rows
        self.changes = changes

    def _find(self, record: str, record_id: str) -> tuple[str, Table, int | None]:
        """The world's word, the table and the key of a record. KeyError: there is no such kind of record."""
        name = _RECORDS.get(record, record)
        if name == "activities":
            key = self.org.ids.find("activities", record_id)
            places = [self.org.tables[one] for one in dict.fromkeys(ACTIVITIES.values())]
            return name, next((one for one in places if key in one.rows or key in one.gone), places[0]), key
        table = self.org.tables[MODULES.get(name, record)]
        return name, table, self.org.ids.find(name, record_id)

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """A record as a GET by id shows it; None where there is none."""
        if record == "stages":
            stage = self._stage(record_id)
            return None if stage is None else {"id": str(stage.id), "actual_value": stage.value,
                                               "display_value": stage.label, "forecast_type": stage.forecast}  # fmt: skip
        try:
            _, table, key = self._find(record, record_id)
        except KeyError:
            return None
        row = table.rows.get(key) if key is not None else None
        if row is None:
            return None
        shown = self.rows.record(table.module, row)
        if table.module.name == "Users":
            shown |= {"status": row["status"], "created_time": text_of(row["created_time"], self.org.zone)}
        return shown

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any], at: int) -> str:
        """Changes or makes a record; its id. KeyError: no such record; ValueError: no such field."""
        if record == "stages":
            return self._edit_stage(record_id or "", fields)
        if record in {"activities", "Emails"} and fields.get("kind") == "email" and record_id is None:
            cells = {"id": f"made-{at}-{len(self.org.mails)}", "created_at": text_of(at, self.org.zone), **fields}
            return Activities(self.org, self.mapper).mail(cells).message_id
        if record_id is None:
            return self._create(record, fields, at)
        name, table, key = self._find(record, record_id)
        row = table.rows[key] if key is not None else None
        if row is None:
            raise KeyError(record_id)
        if fields.get("merged_into"):
            self.changes.delete(table, row["id"], row.get("Owner", self.org.user), at)
            return str(row["id"])
        values = self._values(name, table, dict(fields), row)
        self.changes.update(table, row, values, row.get("Owner", self.org.user), at, "crm_ui")
        return str(row["id"])

    def _create(self, record: str, fields: Mapping[str, Any], at: int) -> str:
        name = _RECORDS.get(record, record)
        if name == "activities":
            module = ACTIVITIES.get(str(fields.get("kind")), record if record in ACTIVITIES.values() else "Tasks")
        else:
            module = MODULES.get(name, record)
        table = self.org.tables[module]
        key = self.org.ids.of(name, str(fields["id"])) if fields.get("id") and name in MODULES else None
        values = self._values(name, table, dict(fields), None)
        if name == "people":
            values = {"confirm": True, "profile": self.org.profiles["Standard"], "role": self.org.roles["Manager"],
                      "status": "active", "last_name": "User", **values}  # fmt: skip
        by = values.get("Owner") or self.org.user
        created = seconds_of(fields.get("created_at")) or at
        row = self.changes.create(table, values, by, created, key)
        if created != at:
            self.changes.stamp(table, row, at)
        return str(row["id"])

    def _values(self, name: str, table: Table, fields: dict[str, Any], row: Row | None) -> dict[str, Any]:
        ours = _OURS.get(name, set()) | _BESIDE if name in _OURS else {"id"}
        cells = {column: _cell(fields.pop(column)) for column in list(fields) if column in ours}
        values = self._mapped(name, cells, row) if set(cells) - _BESIDE else {}
        for unwanted in ("Modified_Time", "Created_Time"):
            values.pop(unwanted, None)
        for column, value in fields.items():
            one = table.module.find(column)
            if one is None:
                message = f"{table.module.name} has no field {column}"
                raise ValueError(message)
            values[one.name] = read_value(self.org, one, value, "$")
        return values

    def _mapped(self, name: str, cells: dict[str, str], row: Row | None) -> dict[str, Any]:
        if name == "people":
            return self.mapper.person(cells)
        if name == "opportunities":
            return self.mapper.deal(cells)
        if name != "activities":
            return self.mapper.values(name, cells)
        found = self.mapper.activity({"kind": "task", **cells})
        if row is None:
            return found
        plain = self.mapper.values("activities", cells)
        wanted = {"subject_hash": ("Subject", "Event_Title"), "completed_at": ("Status", "Closed_Time", "End_DateTime",
                  "Check_In_Status", "Outgoing_Call_Status"), "planned_at": ("Due_Date", "Start_DateTime"),
                  "direction": ("Call_Type",), "duration_seconds": ("Call_Duration", "Call_Duration_in_seconds"),
                  "opportunity_id": ("What_Id", "$se_module"), "account_id": ("What_Id", "$se_module")}  # fmt: skip
        return plain | {one: found[one] for column in cells for one in wanted.get(column, ()) if one in found}

    def remove(self, record: str, record_id: str, at: int) -> None:
        """Deletes a record into the recycle bin; a person stays known as a deleted user. KeyError: no such record."""
        _, table, key = self._find(record, record_id)
        row = table.rows[key] if key is not None else None
        if row is None:
            raise KeyError(record_id)
        if table.module.name == "Users":
            self.changes.update(table, row, {"status": "deleted"}, self.org.user, at)
            return
        self.changes.delete(table, row["id"], row.get("Owner", self.org.user), at)

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of sight without a trace. KeyError: no such record."""
        _, table, key = self._find(record, record_id)
        if key is None:
            raise KeyError(record_id)
        table.drop(key, self.org.now(), self.org.user)
        del table.gone[key]

    def _stage(self, either: str) -> Stage | None:
        key = self.org.ids.find("stages", either)
        stages = [stage for one in self.org.pipelines for stage in one.stages]
        return next((stage for stage in stages if stage.id == key or stage.value == either), None)

    def _edit_stage(self, either: str, fields: Mapping[str, Any]) -> str:
        stage = self._stage(either)
        if stage is None:
            raise KeyError(either)
        stage.label = str(fields.get("label", stage.label))
        stage.forecast = str(fields.get("forecast_type", stage.forecast))
        self.org.modules["Deals"].fields["Stage"].picks[stage.value] = stage.label
        return str(stage.id)


def _cell(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
