"""Loads a world folder into a tenant: people and their units, accounts, opportunities and what hangs on them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from connectors.sandbox.sap.codes import STATUSES, Phases, own_rows, phases_of
from connectors.sandbox.sap.ids import account_number, dashed, object_id, party_id
from connectors.sandbox.sap.own import OWN, has_place, own_types, own_values
from connectors.sandbox.sap.store import Row, Store
from connectors.sandbox.sap.triggers import SHARED_WITH_USER
from connectors.sandbox.sap.values import micros, read_iso
from connectors.sandbox.sap.world_activities import load_activities, load_surveys
from connectors.sandbox.sap.world_deals import load_deals
from connectors.sandbox.sap.world_map import CODED, FIELDS, MANAGER, MEMBER, OBJECTS, UNITS, day, values_of

Cells = Mapping[str, str]
Ids = dict[str, dict[str, str]]
KIND = "sap"
FOREVER = read_iso("9999-12-31")
_TEXTS = {
    ("Opportunity", "LifeCycleStatusCode"): STATUSES,
    ("Opportunity", "ProcessingTypeCode"): {"OPPT": "Opportunity"},
    (UNITS, "RoleCode"): {MANAGER: "Manager", MEMBER: "Employee"},
    ("OpportunitySalesTeamParty", "RoleCode"): {"46": "Sales Employee", "Z46": "Overlay"},
    ("Appointment", "DocumentType"): {"0001": "Appointment"},
    ("Appointment", "LifeCycleStatusCode"): {"1": "Open", "2": "In Process", "3": "Completed", "4": "Canceled"},
    ("PhoneCall", "LifeCycleStatusCode"): {"1": "Open", "2": "In Process", "3": "Completed", "4": "Canceled"},
    ("Tasks", "Status"): {"1": "Open", "2": "In Process", "3": "Completed", "4": "Canceled"},
    ("EMail", "Status"): {"1": "Open", "2": "In Process", "3": "Completed"},
    ("EMail", "Direction"): {"1": "Outbound", "2": "Inbound"},
    ("PhoneCall", "Direction"): {"1": "Outbound", "2": "Inbound"},
}


class Loader:
    """Puts rows of a world into tables, stamped as the world says."""

    def __init__(self, store: Store, phases: Phases, now: datetime) -> None:
        self.store, self.phases = store, phases
        self.now = micros(now)
        self.ids: Ids = {}
        self.names: dict[str, str] = {}
        """Names of people and accounts by their party number."""
        self.territories: dict[str, str] = {}
        """Territory of people by their party number."""

    def mapped(self, table: str, entity: str, cells: Cells) -> Row:
        """The row of a mapped table, with its key; noted in ``ids``."""
        key = object_id(table, cells["id"])
        self.ids.setdefault(OBJECTS.get(table, table), {})[cells["id"]] = key
        return {"ObjectID": key, **values_of(table, self.store.schema.types[entity], cells)}

    def put(self, entity: str, row: Row, cells: Cells, *stamps: str) -> Row:
        """Stores a row with the stamp of its ``modified_at``, else of the given columns, else now."""
        at = next((read_iso(cells[name]) for name in ("modified_at", *stamps) if cells.get(name)), self.now)
        properties = self.store.schema.types[entity].properties
        row["EntityLastChangedOn"] = row["ETag"] = at
        for name in ("LastChangeDateTime", "ChangedOn"):
            if name in properties:
                row[name] = at
        if "LastChangeDate" in properties:
            row["LastChangeDate"] = at - at % 86_400_000_000
        if "UUID" in properties:
            row.setdefault("UUID", dashed(row["ObjectID"]))
        self.store.tables[entity].put(row)
        if (
            parent := self.store.row(self.store.schema.types[entity].parent, row["ParentObjectID"])
            if "ParentObjectID" in row
            else None
        ):
            parent["ETag"] = max(parent["ETag"], at)
        return row


def load(store: Store, world: Path | None, now: datetime) -> tuple[Ids, Phases]:
    """Fills the tenant; our id of every record of the world by table and world id, and the phases."""
    tables = own_rows(world, KIND)
    phases = phases_of(tables.get("stages", []), tables.get("opportunities", []))
    for order in FIELDS if tables else ():
        store.schema.add_field(dict(order))
    loader = Loader(store, phases, now)
    _load_codes(loader, tables.get("stages", []))
    _load_people(loader, tables.get("people", []))
    _load_accounts(loader, tables.get("accounts", []))
    load_deals(loader, tables)
    load_activities(loader, tables.get("activities", []))
    load_surveys(loader, tables.get("surveys", []))
    for entity in own_types() if tables else ():
        store.open(entity)
    for kind, (name, _) in OWN.items() if tables else ():
        _load_own(loader, kind, name, tables.get(kind, []))
    _note_words(store)
    for table in store.tables.values():
        table.order()  # now, so that the first query is as fast as the others
    return loader.ids, phases


def _load_codes(loader: Loader, stages: Iterable[Cells]) -> None:
    codes, phases = loader.store.codes, loader.phases
    codes.update({place: dict(texts) for place, texts in _TEXTS.items()})
    codes["Opportunity", "SalesCyclePhaseCode"] = phases.text
    codes["Opportunity", "SalesCycleCode"] = {code: name for name, code in phases.cycle.items()}
    for name in ("LifeCycleStatusCode", "SalesCyclePhaseCode", "SalesCycleCode"):
        codes["OpportunityHistoricalVersion", name] = codes["Opportunity", name]
    loader.ids["stages"] = {cells.get("id") or cells["stage"]: phases.code_of(cells["stage"]) for cells in stages}
    loader.ids["pipelines"] = phases.cycle


def _note_words(store: Store) -> None:
    for entity, names in CODED.items():
        for name in names:
            words = {row[name]: row[name] for row in store.tables[entity].rows.values() if name in row}
            store.codes[entity, name] = dict(sorted(words.items()))


def _load_people(loader: Loader, people: Iterable[Cells]) -> None:
    people = list(people)
    names = {cells["id"]: cells.get("name") or "" for cells in people}
    for number, cells in enumerate(people, 1):
        party = party_id(cells["id"])
        loader.ids.setdefault("people", {})[cells["id"]] = party
        loader.names[party] = names[cells["id"]]
        loader.territories[party] = cells.get("territory") or ""
        row = loader.mapped("people", "Employee", cells)
        first, _, last = names[cells["id"]].rpartition(" ")
        row |= {
            "EmployeeID": f"E{number:04d}", "BusinessPartnerID": party, "UserID": f"USER{number:04d}",
            "IdentityUUID": dashed(object_id("identities", cells["id"])), "FirstName": first, "LastName": last,
            "UserCountedIndicator": True, "TimeZoneCode": "UTC",
        }  # fmt: skip
        for name in ("EmployeeValidityEndDate", "UserValidityEndDate"):
            row.setdefault(name, FOREVER)
        if cells.get("started_on"):
            row["CreatedOn"] = day(cells["started_on"])
        row = loader.put("Employee", row, cells)
        _load_user(loader, row, cells, names.get(cells.get("manager_id") or "", ""))
        _load_unit(loader, row, cells, MEMBER, cells.get("team") or "")
    _load_managers(loader, people)


def _load_user(loader: Loader, employee: Row, cells: Cells, manager: str) -> None:
    row: Row = {name: employee[name] for name in (*SHARED_WITH_USER, "CreatedOn") if name in employee}
    row |= {
        "ObjectID": object_id("identities", cells["id"]), "EmployeeUUID": employee["UUID"], "ManagerName": manager,
        "DepartmentName": cells.get("team") or "", "EmailURI": cells.get("email") or "", "LogonLanguageCode": "EN",
    }  # fmt: skip
    loader.put("BusinessUser", row, cells)


def _load_unit(loader: Loader, employee: Row, cells: Cells, role: str, unit: str) -> None:
    if not unit:
        return
    row: Row = {
        "ObjectID": object_id("assignments", f"{cells['id']}/{role}/{unit}"), "ParentObjectID": employee["ObjectID"],
        "EmployeeID": employee["EmployeeID"], "OrgUnitID": unit, "RoleCode": role, "JobID": cells.get("role") or "",
        "StartDate": employee.get("EmployeeValidityStartDate"), "EndDate": employee["EmployeeValidityEndDate"],
    }  # fmt: skip
    kept = {name: value for name, value in row.items() if value is not None}
    loader.put(UNITS, kept, cells)


def _load_managers(loader: Loader, people: list[Cells]) -> None:
    """Who somebody of a unit reports to manages that unit."""
    known = {cells["id"]: cells for cells in people}
    led = {(cells.get("manager_id") or "", cells.get("team") or "") for cells in people}
    for manager, unit in sorted(led):
        if manager in known and unit:
            employee = loader.store.tables["Employee"].rows[object_id("people", manager)]
            _load_unit(loader, employee, known[manager], MANAGER, unit)


def _load_accounts(loader: Loader, accounts: Iterable[Cells]) -> None:
    for cells in accounts:
        number = account_number(cells["id"])
        loader.ids.setdefault("accounts", {})[cells["id"]] = number
        row = loader.mapped("accounts", "CorporateAccount", cells)
        row |= {"AccountID": number, "RoleCode": "CRM000", "LifeCycleStatusCode": "2"}
        loader.names[number] = row.get("Name", "")
        loader.put("CorporateAccount", row, cells, "created_at")


def _load_own(loader: Loader, table: str, entity: str, rows: Iterable[Cells]) -> None:
    """Objects of the company's own. Its surveys repeat, flat, what SAP's sets of them hold."""
    kind = "own_surveys" if table == "surveys" else table
    for cells in rows:
        if has_place(table, cells):
            row = {"ObjectID": object_id(kind, cells["id"]), **own_values(table, cells)}
            loader.ids.setdefault(kind, {})[cells["id"]] = row["ObjectID"]
            loader.put(entity, row, cells, "at", "rated_at", "answered_at", "sent_at")
