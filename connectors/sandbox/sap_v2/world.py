"""Loads a world folder into a version 2 tenant."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.sandbox.sap.codes import Phases, own_rows, phases_of
from connectors.sandbox.sap.ids import account_number, display_id, party_id, uuid
from connectors.sandbox.sap_v2.own import OWN, own_doc, own_services, path_of
from connectors.sandbox.sap_v2.store import Doc, Store, wire
from connectors.sandbox.sap_v2.world_map import EXTENSIONS, MAPS, STATUSES, activity, day, moment, values_of

Cells = Mapping[str, str]
Ids = dict[str, dict[str, str]]
KIND = "sap_v2"
DEALS = "opportunity-service/opportunities"
SNAPSHOT = ("status", "salesPhase", "closeDate", "forecastCategory", "owner", "expectedRevenueAmount")
"""Fields of an opportunity whose every change is kept in ``snapshots``."""


class Loader:
    """Puts documents of a world into collections, stamped as the world says."""

    def __init__(self, store: Store, phases: Phases, now: datetime, *, history: bool) -> None:
        self.store, self.phases, self.history = store, phases, history
        self.now = wire(now)
        self.ids: Ids = {}
        self.names: dict[str, str] = {}
        """Names of people and accounts by UUID."""

    def put(self, path: str, table: str, cells: Cells, doc: Doc) -> Doc:
        """Stores the document of a world's record."""
        key = uuid(table, cells["id"])
        changed = cells.get("modified_at") or cells.get("created_at")
        stamps = doc.pop("adminData", {})
        at = moment(changed) if changed else self.now
        made = moment(cells["created_at"]) if cells.get("created_at") else at
        doc = {"id": key, **_known(doc), "adminData": {"createdOn": made, **stamps, "updatedOn": at}}
        self.store.tables[path].put(doc)
        self.ids.setdefault(table, {})[cells["id"]] = key
        return doc


def _known(doc: Doc) -> Doc:
    """The document without what is not known."""
    return {name: value for name, value in doc.items() if value is not None}


def load(store: Store, world: Path | None, now: datetime, *, history: bool) -> tuple[Ids, Phases]:
    """Fills the tenant; our id of every record of the world by table and world id, and the phases."""
    tables = own_rows(world, KIND)
    phases = phases_of(tables.get("stages", []), tables.get("opportunities", []))
    loader = Loader(store, phases, now, history=history)
    loader.ids["stages"] = {
        row.get("id") or row["stage"]: phases.code_of(row["stage"]) for row in tables.get("stages", [])
    }
    loader.ids["pipelines"] = phases.cycle
    for path, fields in EXTENSIONS.items() if tables else ():
        store.services[path].extensions.update(fields)
    _load_people(loader, tables.get("people", []))
    for cells in tables.get("accounts", []):
        doc = values_of("accounts", cells) | {"displayId": account_number(cells["id"]), "lifeCycleStatus": "ACTIVE"}
        loader.names[uuid("accounts", cells["id"])] = cells.get("name") or ""
        loader.put(MAPS["accounts"][0], "accounts", cells, doc)
    _load_deals(loader, tables)
    _load_activities(loader, tables.get("activities", []))
    for service in own_services().values() if tables else ():
        store.open(service)
    for name in OWN if tables else ():
        _load_own(loader, name, tables.get(name, []))
    for table in store.tables.values():
        table.ids()
        table.changed()
    return loader.ids, phases


def _load_own(loader: Loader, table: str, rows: Iterable[Cells]) -> None:
    """Entities of the company's own, stamped with the moment that they are of where nothing says when they changed."""
    for cells in rows:
        doc = own_doc(table, cells)
        if doc is not None:
            said = next((cells[name] for name in ("modified_at", "at", "rated_at") if cells.get(name)), "")
            loader.put(path_of(table), table, {**cells, "modified_at": said}, doc)


def _load_people(loader: Loader, people: Iterable[Cells]) -> None:
    people = list(people)
    names = {cells["id"]: cells.get("name") or "" for cells in people}
    numbers = {cells["id"]: f"E{number:04d}" for number, cells in enumerate(people, 1)}
    for cells in people:
        first, _, last = names[cells["id"]].rpartition(" ")
        manager = cells.get("manager_id") or ""
        doc = values_of("people", cells) | {
            "displayId": party_id(cells["id"]), "employeeDisplayId": numbers[cells["id"]], "givenName": first, "familyName": last,
            "managerEmployeeDisplayId": numbers.get(manager), "managerFormattedName": names.get(manager),
            "employeeTypes": [
                {
                    "isInternalEmployee": True, **({"validFrom": cells["started_on"]} if cells.get("started_on") else {}),
                    "validTo": cells.get("ended_on") or "9999-12-31",
                }
            ],
        }  # fmt: skip
        loader.names[uuid("people", cells["id"])] = names[cells["id"]]
        loader.put(MAPS["people"][0], "people", cells, doc)


def _load_deals(loader: Loader, tables: Mapping[str, list[dict[str, str]]]) -> None:
    changes: dict[str, list[Cells]] = {}
    for cells in tables.get("changes", []):
        if (cells.get("record") or "opportunity") == "opportunity" and cells.get("at"):
            changes.setdefault(cells["record_id"], []).append(cells)
    items: dict[str, list[Doc]] = {}
    for cells in tables.get("line_items", []):
        items.setdefault(cells["opportunity_id"], []).append(_item(loader, cells))
    for cells in tables.get("opportunities", []):
        own = sorted(changes.get(cells["id"], []), key=lambda one: one["at"])
        doc = _deal(loader, cells, own)
        if held := items.get(cells["id"]):
            for item in held:
                item["netAmount"]["currencyCode"] = cells.get("currency") or ""
            doc["items"] = held
        if loader.history and cells.get("created_at"):
            doc["snapshots"] = _snapshots(loader, doc, own, cells["created_at"])
        loader.put(DEALS, "opportunities", cells, doc)


def _deal(loader: Loader, cells: Cells, changes: list[Cells]) -> Doc:
    phases = loader.phases
    doc = values_of("opportunities", cells)
    stage = cells.get("stage") or ""
    outcome = cells.get("outcome") or phases.outcome.get(stage, "open")
    code = phases.code_of(stage) if stage else None
    entered = next((one["at"] for one in reversed(changes) if one["field"] == "stage"), cells.get("created_at"))
    doc |= {
        "displayId": display_id(cells["id"]), "salesPhase": code, "salesPhaseDescription": phases.text.get(code or ""),
        "salesCycle": phases.cycle_of(cells.get("pipeline") or next(iter(phases.cycle))),
        "status": STATUSES[outcome], "statusDescription": STATUSES[outcome].capitalize(),
        "salesPhaseStartDate": day(entered) if entered else None,
    }  # fmt: skip
    for name in ("account", "owner"):
        if name in doc:
            doc[name]["description"] = loader.names.get(doc[name]["id"], "")
    return doc


def _item(loader: Loader, cells: Cells) -> Doc:
    key, product = uuid("line_items", cells["id"]), cells.get("product") or ""
    loader.ids.setdefault("line_items", {})[cells["id"]] = key
    products = loader.store.tables["product-service/products"].docs
    product_id = uuid("products", product)
    if product and product_id not in products:
        loader.put("product-service/products", "products", {"id": product}, {"displayId": product, "name": product})
    amount, quantity = cells.get("amount"), cells.get("quantity")
    return {
        "id": key, "productId": product_id, "productDisplayId": product, "productDescription": product,
        "quantity": {"content": float(quantity)} if quantity else {}, "netAmount": {"content": float(amount)} if amount else {},
    }  # fmt: skip


def value_of(loader_phases: Phases, field: str, text: str, known: Mapping[str, Any]) -> Doc:
    """The fields of a snapshot that one change of a world sets; {}: a field without snapshots."""
    if field == "stage":
        status = STATUSES[loader_phases.outcome.get(text, "open")]
        return {"salesPhase": loader_phases.code_of(text) if text else None, "status": status}
    if field == "owner_id":
        return {"owner": {"id": uuid("people", text), "displayId": party_id(text)} if text else None}
    if field == "amount":
        money = dict(known.get("expectedRevenueAmount") or {})
        return {"expectedRevenueAmount": {**money, "content": float(text)} if text else None}
    if field in {"close_on", "forecast_category"}:
        return {"closeDate" if field == "close_on" else "forecastCategory": text or None}
    return {}


def _snapshots(loader: Loader, doc: Doc, changes: list[Cells], created: str) -> list[Doc]:
    """The values at the beginning and after every moment at which something changed."""
    state = {name: doc[name] for name in SNAPSHOT if name in doc}
    for cells in reversed(changes):
        state |= value_of(loader.phases, cells["field"], cells.get("old") or "", state)
    shots: list[Doc] = [_known({**state, "updatedOn": moment(created)})]
    for cells in changes:
        state |= value_of(loader.phases, cells["field"], cells.get("new") or "", state)
        by = uuid("people", cells["by"]) if cells.get("by") else None
        shot = _known({**state, "updatedOn": moment(cells["at"]), "updatedBy": by})
        if shots[-1]["updatedOn"] == shot["updatedOn"]:
            shots.pop()
        shots.append(shot)
    return shots


def _load_activities(loader: Loader, activities: Iterable[Cells]) -> None:
    contacts = loader.store.tables["contact-person-service/contactPersons"].docs
    for number, cells in enumerate(activities, 1):
        path, doc = activity(cells)
        loader.put(path, "activities", cells, {"displayId": str(number), **doc})
        for name in (one for one in (cells.get("contact_ids") or "").split(";") if one):
            if uuid("contacts", name) not in contacts:
                account = cells.get("account_id")
                person: Doc = {"givenName": "Contact", "familyName": name, "displayId": account_number(name)}
                person["accountId"] = uuid("accounts", account) if account else None
                loader.put(
                    "contact-person-service/contactPersons",
                    "contacts",
                    {"id": name, "created_at": cells.get("created_at") or ""},
                    person,
                )
