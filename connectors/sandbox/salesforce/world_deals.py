"""Loads the deals of a world: opportunities, their stage and owner history, splits and line items."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.folder import Tables
from connectors.sandbox.salesforce.ids import world_id
from connectors.sandbox.salesforce.store import Row
from connectors.sandbox.salesforce.triggers import fiscal
from connectors.sandbox.salesforce.world_map import forecast_category, moment

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.world import Loader

_FIELDS = {
    "stage": "StageName", "close_on": "CloseDate", "amount": "Amount", "probability": "Probability",
    "forecast_category": "ForecastCategory",
}  # fmt: skip
_Changes = dict[str, list[dict[str, str]]]


def load_deals(loader: "Loader", tables: Tables) -> None:
    """Opportunities with everything that hangs on them."""
    changes: _Changes = {}
    for cells in tables.get("changes", []):
        if (cells.get("record") or "opportunity") == "opportunity" and cells.get("at"):
            changes.setdefault(cells["record_id"], []).append(cells)
    stages = {row["ApiName"]: row for row in loader.org.tables["OpportunityStage"].rows.values()}
    fiscal_of: dict[str, dict[str, Any]] = {}
    for cells in tables.get("opportunities", []):
        row = _load_deal(loader, cells, stages)
        if day := row.get("CloseDate"):
            if day not in fiscal_of:
                fiscal_of[day] = fiscal(loader.org, day)
            row.update(fiscal_of[day])
        _load_history(loader, row, changes.get(cells["id"], []), stages)
    _load_splits(loader, tables.get("splits", []))
    _load_line_items(loader, tables.get("line_items", []))


def _load_deal(loader: "Loader", cells: Mapping[str, str], stages: Mapping[str, Row]) -> Row:
    row = loader.load(
        "opportunities", cells, RecordTypeId=loader.ids.get("pipelines", {}).get(cells.get("pipeline", ""))
    )
    stage = stages.get(row.get("StageName", ""), Row())
    for name in ("IsClosed", "IsWon", "ForecastCategory", "ForecastCategoryName"):
        if name not in row and stage.get(name) is not None:
            row[name] = stage[name]
    if cells.get("forecast_category"):
        row["ForecastCategory"], row["ForecastCategoryName"] = forecast_category(cells["forecast_category"])
    if "Probability" not in row and stage.get("DefaultProbability") is not None:
        row["Probability"] = stage["DefaultProbability"]
    if "Amount" in row and "Probability" in row:
        row["ExpectedRevenue"] = round(row["Amount"] * row["Probability"] / 100, 2)
    if cells.get("closed_at"):
        row["LastStageChangeDate"] = moment(cells["closed_at"])
    if cells.get("merged_into"):
        row["IsDeleted"] = True
    return row


def _load_history(loader: "Loader", row: Row, changes: list[dict[str, str]], stages: Mapping[str, Row]) -> None:
    """A row of OpportunityHistory at creation and at every change, with the values from then on."""
    changes = sorted(changes, key=lambda cells: cells["at"])
    state = _first_state(row, changes, stages)
    batches: dict[str, list[dict[str, str]]] = {row["CreatedDate"]: []}
    for cells in changes:
        batches.setdefault(moment(cells["at"]), []).append(cells)
    made: list[Row] = []
    for at, batch in batches.items():
        for cells in batch:
            _apply(loader, row, state, cells, at, stages)
        if not made or any(cells["field"] in _FIELDS for cells in batch):
            made.append(_history_row(loader, row, state, at, batch))
    for one, following in zip(made, [*made[1:], None], strict=True):
        one["SystemModstamp"] = following["CreatedDate"] if following else one["CreatedDate"]
        loader.org.tables["OpportunityHistory"].put(one)


def _first_state(row: Row, changes: list[dict[str, str]], stages: Mapping[str, Row]) -> dict[str, Any]:
    """The values on the day the deal was made: today's, wound back; a stage brings its own where no change says more."""
    state: dict[str, Any] = {name: row.get(name) for name in _FIELDS.values()}
    changed = {cells["field"] for cells in changes}
    for cells in reversed(changes):
        if name := _FIELDS.get(cells["field"]):
            state[name] = _value(name, cells.get("old"))
    stage = stages.get(state["StageName"] or "") if "stage" in changed else None
    if stage is not None and "probability" not in changed:
        state["Probability"] = stage.get("DefaultProbability")
    if stage is not None and "forecast_category" not in changed:
        state["ForecastCategory"] = stage.get("ForecastCategory")
    return state


def _apply(
    loader: "Loader", row: Row, state: dict[str, Any], cells: dict[str, str], at: str, stages: Mapping[str, Row]
) -> None:
    if cells["field"] == "owner_id":
        _put_owner_change(loader, row, cells, at)
    elif name := _FIELDS.get(cells["field"]):
        state[name] = _value(name, cells.get("new"))
        stage = stages.get(state["StageName"] or "") if name == "StageName" else None
        if stage is not None:
            state["Probability"], state["ForecastCategory"] = (
                stage.get("DefaultProbability"),
                stage.get("ForecastCategory"),
            )
            row["LastStageChangeDate"] = at


def _history_row(loader: "Loader", row: Row, state: dict[str, Any], at: str, batch: list[dict[str, str]]) -> Row:
    by = next((cells["by"] for cells in batch if cells.get("by")), None)
    made = Row({name: value for name, value in state.items() if value is not None})
    if "Amount" in made and "Probability" in made:
        made["ExpectedRevenue"] = round(made["Amount"] * made["Probability"] / 100, 2)
    if row.get("CurrencyIsoCode"):
        made["CurrencyIsoCode"] = row["CurrencyIsoCode"]
    made["Id"], made["OpportunityId"], made["CreatedDate"] = loader.org.next_id("008"), row["Id"], at
    made["CreatedById"] = world_id("005", by) if by else row.get("OwnerId", loader.org.running_user)
    if row.get("IsDeleted"):
        made["IsDeleted"] = True
    return made


def _value(name: str, text: str | None) -> Any:
    if not text:
        return None
    if name == "Amount":
        return float(text)
    if name == "Probability":
        return round(float(text) * 100, 6)
    return forecast_category(text)[0] if name == "ForecastCategory" else text


def _put_owner_change(loader: "Loader", row: Row, cells: dict[str, str], at: str) -> None:
    """Two rows, of ids and of names, as the vendor keeps a changed lookup."""
    ids = [world_id("005", cells[which]) if cells.get(which) else None for which in ("old", "new")]
    people = [loader.org.row(one) for one in ids]
    names = [one.get("Name") if one else None for one in people]
    by = world_id("005", cells["by"]) if cells.get("by") else loader.org.running_user
    for (old, new), kind in ((ids, "EntityId"), (names, "Text")):
        values = {"Id": loader.org.next_id("017"), "OpportunityId": row["Id"], "Field": "Owner", "DataType": kind}
        values |= {"OldValue": old, "NewValue": new, "CreatedDate": at, "CreatedById": by}
        kept = Row({name: value for name, value in values.items() if value is not None})
        loader.org.tables["OpportunityFieldHistory"].put(kept)


def _load_splits(loader: "Loader", splits: Iterable[dict[str, str]]) -> None:
    types = {row["DeveloperName"].lower(): row["Id"] for row in loader.org.tables["OpportunitySplitType"].rows.values()}
    for cells in splits:
        row = loader.load("splits", cells, SplitTypeId=types[cells.get("kind") or "revenue"])
        deal = loader.org.row(row.get("OpportunityId"))
        if deal and deal.get("Amount") is not None and row.get("SplitPercentage") is not None:
            row["SplitAmount"] = round(deal["Amount"] * row["SplitPercentage"] / 100, 2)


def _load_line_items(loader: "Loader", items: Iterable[dict[str, str]]) -> None:
    products: dict[str, str] = {}
    for cells in items:
        name = cells.get("product") or ""
        if name and name not in products:
            products[name] = loader.put_new("Product2", Name=name, ProductCode=name[:40], IsActive=True)
        row = loader.load(
            "line_items", cells, Product2Id=products.get(name), Name=name or None, ProductCode=name[:40] or None
        )
        if row.get("TotalPrice") is not None and row.get("Quantity"):
            row["UnitPrice"] = round(row["TotalPrice"] / row["Quantity"], 2)
        deal = loader.org.row(row.get("OpportunityId"))
        if deal:
            deal["HasOpportunityLineItem"] = True
