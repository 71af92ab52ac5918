"""Loads the deals of a world: opportunities, their versions, team and items."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.folder import Tables
from connectors.sandbox.sap.entities import HISTORY_ENTITY
from connectors.sandbox.sap.ids import display_id, object_id, party_id
from connectors.sandbox.sap.store import Row
from connectors.sandbox.sap.triggers import VERSIONED
from connectors.sandbox.sap.values import decimal_text, read_iso
from connectors.sandbox.sap.world_map import day

if TYPE_CHECKING:
    from connectors.sandbox.sap.world import Loader

Cells = Mapping[str, str]
_Changes = dict[str, list[Cells]]


def load_deals(loader: "Loader", tables: Tables) -> None:
    """Opportunities with everything that hangs on them."""
    changes: _Changes = {}
    for cells in tables.get("changes", []):
        if (cells.get("record") or "opportunity") == "opportunity" and cells.get("at"):
            changes.setdefault(cells["record_id"], []).append(cells)
    for known in changes.values():
        known.sort(key=lambda cells: cells["at"])
    for cells in tables.get("opportunities", []):
        own = changes.get(cells["id"], [])
        _load_versions(loader, _load_deal(loader, cells, own), own)
    _load_items(loader, tables.get("line_items", []))
    for cells in tables.get("splits", []):
        row = loader.mapped("splits", "OpportunitySalesTeamParty", cells)
        row["PartyName"] = loader.names.get(row.get("PartyID", ""), "")
        loader.put("OpportunitySalesTeamParty", row, cells)


def _load_deal(loader: "Loader", cells: Cells, changes: list[Cells]) -> Row:
    phases = loader.phases
    row = loader.mapped("opportunities", "Opportunity", cells)
    if "ExpectedRevenueAmount" not in row:
        row.pop("ExpectedRevenueAmountCurrencyCode", None)  # nobody entered an amount: it has no currency either
    owner = row.get("MainEmployeeResponsiblePartyID", "")
    stage = cells.get("stage") or ""
    entered = next((one["at"] for one in reversed(changes) if one["field"] == "stage"), cells.get("created_at"))
    row |= {
        "ID": display_id(cells["id"]), "ProcessingTypeCode": "OPPT",
        "LifeCycleStatusCode": phases.status_of(stage, cells.get("outcome") or ""),
        "SalesCycleCode": phases.cycle_of(cells.get("pipeline") or next(iter(phases.cycle))),
        "ProspectPartyName": loader.names.get(row.get("ProspectPartyID", ""), ""),
        "MainEmployeeResponsiblePartyName": loader.names.get(owner, ""),
        "SalesTerritoryID": loader.territories.get(owner, ""), "SalesTerritoryName": loader.territories.get(owner, ""),
    }  # fmt: skip
    if stage:
        row["SalesCyclePhaseCode"] = phases.code_of(stage)
    if entered:
        row["SalesCyclePhaseStartDate"] = day(entered)
    if "CreationDate" in row:
        row.setdefault("ProcessStatusValidSinceDate", row["CreationDate"])
        row["ExpectedProcessingStartDate"] = row["CreationDate"]
    if "ExpectedRevenueAmount" in row and "ProbabilityPercent" in row:
        weighted = float(row["ExpectedRevenueAmount"]) * float(row["ProbabilityPercent"]) / 100
        row["WeightedExpectedNetAmount"] = decimal_text(weighted, 6)
        row["WeightedExpectedNetAmountCurrencyCode"] = row.get("ExpectedRevenueAmountCurrencyCode", "")
    return loader.put("Opportunity", row, cells, "created_at")


def version_value(loader: "Loader", field: str, text: str) -> dict[str, Any]:
    """The properties of a version that one change of a world sets; {}: a field without versions. None: initial."""
    phases = loader.phases
    if field == "stage":
        return {
            "SalesCyclePhaseCode": phases.code_of(text) if text else None,
            "LifeCycleStatusCode": phases.status_of(text),
        }
    if field == "owner_id":
        return {"MainEmployeeResponsiblePartyID": party_id(text) if text else None}
    if field == "amount":
        return {"ExpectedRevenueAmount": decimal_text(text, 6) if text else None}
    if field == "close_on":
        return {"ExpectedProcessingEndDate": day(text) if text else None}
    if field == "forecast_category":
        return {"SalesForecastCategoryCode": text or None}
    return {}


def _load_versions(loader: "Loader", row: Row, changes: list[Cells]) -> None:
    """A version for the beginning and one for every moment at which something changed, each with the values from then on."""
    entity = loader.store.schema.types[HISTORY_ENTITY]
    if "CreationDateTime" not in entity.properties or "CreationDateTime" not in row:
        return
    state = {name: row[name] for name in VERSIONED if name in row}
    for cells in reversed(changes):
        state |= version_value(loader, cells["field"], cells.get("old") or "")
    _put_version(loader, row, state, row["CreationDateTime"], "")
    for at, group in _by_moment(changes).items():
        for cells in group:
            state |= version_value(loader, cells["field"], cells.get("new") or "")
            loader.ids.setdefault("changes", {})[cells["id"]] = _version_key(row, read_iso(at))
        _put_version(loader, row, state, read_iso(at), group[0].get("by") or "")


def _by_moment(changes: list[Cells]) -> dict[str, list[Cells]]:
    grouped: dict[str, list[Cells]] = {}
    for cells in changes:
        grouped.setdefault(cells["at"], []).append(cells)
    return grouped


def _version_key(row: Row, at: int) -> str:
    return object_id("changes", f"{row['ObjectID']}/{at}")


def _put_version(loader: "Loader", row: Row, state: dict[str, Any], at: int, by: str) -> None:
    values = {name: value for name, value in state.items() if value is not None}
    values |= {
        "ObjectID": _version_key(row, at), "ParentObjectID": row["ObjectID"], "CreationDateTime": at,
        "CreatedBy": party_id(by) if by else "", "EntityLastChangedOn": at, "ETag": at,
    }  # fmt: skip
    loader.store.tables[HISTORY_ENTITY].put(values)


def _load_items(loader: "Loader", items: Iterable[Cells]) -> None:
    deals = loader.store.tables["Opportunity"].rows
    counted: dict[str, int] = {}
    for cells in items:
        row = loader.mapped("line_items", "OpportunityItem", cells)
        parent = row.get("ParentObjectID", "")
        counted[parent] = counted.get(parent, 0) + 10
        row |= {
            "ID": str(counted[parent]), "OpportunityID": deals.get(parent, {}).get("ID", ""),
            "NetAmountCurrencyCode": deals.get(parent, {}).get("ExpectedRevenueAmountCurrencyCode", ""),
        }  # fmt: skip
        loader.put("OpportunityItem", row, cells)
