"""What a world's rows are called in Zoho: our columns to its fields. Only columns that a row has are mapped."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.sandbox.zoho.ids import Ids
from connectors.sandbox.zoho.schema import LOOKUPS, Field, read_field
from connectors.sandbox.zoho.store import Org, Row
from connectors.sandbox.zoho.times import world_seconds
from connectors.sandbox.zoho.world_own import OWN

Cells = Mapping[str, str]
Values = dict[str, Any]
Read = Callable[[str], Any]

ACTIVITIES = {"call": "Calls", "meeting": "Events", "visit": "Events", "task": "Tasks"}
MODULES = {
    "people": "Users", "accounts": "Accounts", "opportunities": "Deals", "contacts": "Contacts", "changes": "DealHistory",
    "line_items": "Quoted_Items", "quotes": "Quotes", "products": "Products",
    **{table: one.name for table, one in OWN.items()},
}  # fmt: skip
CUSTOM = {
    "Users": ("Team text", "Region text", "Started_On date", "Ended_On date"),
    "Deals": ("External_Id text unique", "Product text", "Discount double", "Forecast_Category picklist"),
}
"""What the admin of this org has made for what Zoho has no field for."""


def number(cell: str) -> int | float:
    """A decimal of a world as JSON's number."""
    value = Decimal(cell)
    return int(value) if value == value.to_integral_value() else float(value)


def percent(cell: str) -> int:
    """A fraction as Zoho's whole per cent."""
    return int((Decimal(cell) * 100).to_integral_value())


class Mapper:
    """Turns cells of a world into values of fields; an empty cell is None."""

    def __init__(self, org: Org, ids: Ids) -> None:
        self.org = org
        self.ids = ids
        self._columns: dict[str, dict[str, tuple[str, Read]]] = {
            "people": {
                "name": ("full_name", str), "email": ("email", str), "team": ("Team", str), "region": ("Region", str),
                "manager_id": ("Reporting_To", self.key("people")), "started_on": ("Started_On", str),
                "ended_on": ("Ended_On", str), "modified_at": ("Modified_Time", world_seconds),
            },
            "accounts": {
                "name": ("Account_Name", str), "parent_id": ("Parent_Account", self.key("accounts")),
                "owner_id": ("Owner", self.key("people")), "industry": ("Industry", str),
                "region": ("Billing_Country", str), "created_at": ("Created_Time", world_seconds),
                "modified_at": ("Modified_Time", world_seconds),
            },
            "opportunities": {
                "name": ("Deal_Name", str), "account_id": ("Account_Name", self.key("accounts")),
                "owner_id": ("Owner", self.key("people")), "pipeline": ("Pipeline", str), "stage": ("Stage", str),
                "amount": ("Amount", number), "currency": ("Currency", str), "close_on": ("Closing_Date", str),
                "type": ("Type", str), "source": ("Lead_Source", str), "product": ("Product", str),
                "probability": ("Probability", percent), "forecast_category": ("Forecast_Category", str),
                "next_step": ("Next_Step", str), "discount": ("Discount", number), "external_id": ("External_Id", str),
                "created_at": ("Created_Time", world_seconds), "modified_at": ("Modified_Time", world_seconds),
            },
            "activities": {
                "owner_id": ("Owner", self.key("people")), "created_at": ("Created_Time", world_seconds),
                "modified_at": ("Modified_Time", world_seconds),
            },
            "line_items": {
                "quantity": ("Quantity", number), "amount": ("Net_Total", number),
                "modified_at": ("Modified_Time", world_seconds),
            },
        }  # fmt: skip
        for table, own in OWN.items():
            fields = {column: read_field(line) for column, line in own.columns.items()}
            self._columns[table] = {column: (one.name, self._reader(one)) for column, one in fields.items()}
            self._columns[table]["modified_at"] = ("Modified_Time", world_seconds)

    def _reader(self, one: Field) -> Read:
        """Reads the cells of an own field by its type."""
        if one.data_type in LOOKUPS:
            return self.key(next(record for record, module in MODULES.items() if module == one.to))
        plain: dict[str, Read] = {"datetime": world_seconds, "boolean": lambda cell: cell == "true"}
        return plain.get(one.data_type, number if one.data_type in {"double", "currency"} else str)

    def key(self, record: str) -> Read:
        """Reads ids of one kind of record."""
        return lambda cell: self.ids.of(record, cell)

    def values(self, record: str, cells: Cells) -> Values:
        """The fields that a row's columns fill."""
        known = self._columns[record]
        found: Values = {}
        for column, cell in cells.items():
            if column in known:
                name, read = known[column]
                found[name] = read(cell) if cell else None
        return found

    def person(self, cells: Cells) -> Values:
        """A user's fields."""
        values = self.values("people", cells)
        if "name" in cells:
            first, _, last = (cells["name"] or "").rpartition(" ")
            values |= {"first_name": first or None, "last_name": last or cells.get("id")}
        if "active" in cells or cells.get("ended_on"):
            left = cells.get("active") == "false" or (bool(cells.get("ended_on")) and not cells.get("active"))
            values["status"] = "inactive" if left else "active"
        if "role" in cells:
            values["role"] = self.setting("roles", cells["role"]) if cells["role"] else None
        if "territory" in cells:
            name = cells["territory"]
            shown = {"manager": False, "name": name, "id": str(self.setting("territories", name))}
            values["Territories"] = [shown] if name else []
        return values

    def moment(self, cell: str) -> int | None:
        """A moment of a world as an epoch second."""
        return world_seconds(cell)

    def stamped(self, key: int, values: Values) -> Row:
        """A row of the values that are known, with the stamps that every record has."""
        row = {name: value for name, value in values.items() if value is not None}
        modified = row.get("Modified_Time") or row.get("Created_Time") or self.org.now()
        row["id"] = key
        row["Modified_Time"] = modified
        row.setdefault("Created_Time", modified)
        by = row.get("Owner", self.org.user)
        row.setdefault("Created_By", by)
        row.setdefault("Modified_By", by)
        return row

    def setting(self, kind: str, name: str) -> int:
        """The id of a role, profile or territory of that name; made where there is none."""
        known: dict[str, int] = getattr(self.org, kind)
        if name not in known:
            known[name] = self.ids.of(kind, name)
        return known[name]

    def deal(self, cells: Cells) -> Values:
        """A deal's fields, with the currency's rate."""
        values = self.values("opportunities", cells)
        currency = self.org.currencies.get(values.get("Currency") or "")
        if currency is not None:
            values["Exchange_Rate"] = currency.rate
        if "Currency" not in self.org.modules["Deals"].fields:
            values.pop("Currency", None)
            values.pop("Exchange_Rate", None)
        return values

    def activity(self, cells: Cells) -> Values:
        """An activity's fields, those of its module."""
        values = self.values("activities", cells)
        module = ACTIVITIES[cells.get("kind") or "task"]
        values["Subject" if module != "Events" else "Event_Title"] = cells.get("subject_hash") or module[:-1]
        target = "opportunity_id" if cells.get("opportunity_id") else "account_id"
        if cells.get(target):
            record, name = ("opportunities", "Deals") if target == "opportunity_id" else ("accounts", "Accounts")
            values |= {"What_Id": self.ids.of(record, cells[target]), "$se_module": name}
        contacts = [one for one in cells.get("contact_ids", "").split(";") if one]
        if contacts:
            values["Who_Id"] = self.ids.of("contacts", contacts[0])
        planned, done = world_seconds(cells.get("planned_at", "")), world_seconds(cells.get("completed_at", ""))
        seconds = int(number(cells.get("duration_seconds") or "0"))
        fill = {"Calls": self._call, "Events": self._event, "Tasks": self._task}[module]
        fill(values, cells, planned, done, seconds)
        return values

    @staticmethod
    def _call(values: Values, cells: Cells, planned: int | None, done: int | None, seconds: int) -> None:
        inbound = cells.get("direction") == "inbound"
        values["Call_Type"] = "Inbound" if inbound else "Outbound"
        values["Call_Start_Time"] = done or planned or values.get("Created_Time")
        if not inbound:
            values["Outgoing_Call_Status"] = "Completed" if done else "Scheduled"
        if cells.get("duration_seconds"):
            values["Call_Duration_in_seconds"] = seconds
            values["Call_Duration"] = f"{seconds // 60:02d}:{seconds % 60:02d}"

    def _event(self, values: Values, cells: Cells, planned: int | None, done: int | None, seconds: int) -> None:
        start = planned or (done - seconds if done else None) or values.get("Created_Time") or self.org.now()
        values |= {"Start_DateTime": start, "End_DateTime": done or start + (seconds or 3600), "All_day": False}
        values["Check_In_Status"] = "CHECKED-IN" if done else "PLANNED"
        values["Check_In_Time"] = start if done else None
        values["Venue"] = "Customer's office" if cells.get("kind") == "visit" else None
        people = [("user", self.ids.of("people", one)) for one in cells.get("participant_ids", "").split(";") if one]
        people += [("contact", self.ids.of("contacts", one)) for one in cells.get("contact_ids", "").split(";") if one]
        values["$people"] = people

    def _task(self, values: Values, cells: Cells, planned: int | None, done: int | None, seconds: int) -> None:
        due = cells.get("planned_at") or ""
        values |= {"Due_Date": due[:10] or None, "Closed_Time": done, "Priority": "Normal"}
        values["Status"] = "Completed" if done else "Not Started"
