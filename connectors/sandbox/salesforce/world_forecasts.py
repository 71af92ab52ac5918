"""Loads the quotas and forecasts of a world, with the periods that they are for."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.ids import world_id
from connectors.sandbox.salesforce.world_map import moment

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.world import Loader

Cells = Mapping[str, str]

_CATEGORIES = {
    "commit": "CommitForecast", "best case": "BestCaseForecast", "most likely": "MostLikelyForecast",
    "pipeline": "OpenPipeline", "closed": "ClosedOnly",
}  # fmt: skip
"""ForecastingItemCategory of a world's word: cumulative roll-ups."""


def load_targets(loader: "Loader", targets: Iterable[Cells]) -> None:
    """Quotas of people; a CRM quota has a person and an amount, so other targets are not in this CRM."""
    kind = _forecasting_type(loader)
    for cells in targets:
        if (cells.get("subject_kind") or "person") != "person" or not cells.get("amount"):
            continue
        if (cells.get("metric") or "bookings") != "bookings":
            continue
        period = _period(loader, cells["period_start"], cells["period_end"])
        loader.load("targets", cells, PeriodId=period, ForecastingTypeId=kind, IsAmount=True)


def load_forecasts(loader: "Loader", forecasts: Iterable[Cells]) -> None:
    """One item per person, period and category: what was said last of it, by the person and by the manager."""
    calls: dict[tuple[str, str, str, str], dict[str, Cells]] = {}
    for cells in sorted(forecasts, key=lambda cells: cells.get("at") or ""):
        if cells.get("amount"):
            what = cells["owner_id"], cells["period_start"], cells["period_end"], cells.get("category") or "commit"
            calls.setdefault(what, {})[cells.get("layer") or "rep"] = cells
    for what, said in calls.items():
        _load_item(loader, what, said)


def _load_item(loader: "Loader", what: tuple[str, str, str, str], said: Mapping[str, Cells]) -> None:
    owner, start, end, category = what
    newest = max(said.values(), key=lambda cells: cells.get("at") or "")
    own = float(said.get("rep", newest)["amount"])
    judged = float(said["manager"]["amount"]) if "manager" in said else own
    values = {
        "OwnerId": world_id("005", owner), "PeriodId": _period(loader, start, end),
        "ForecastingTypeId": _forecasting_type(loader), "ForecastingItemCategory": _CATEGORIES.get(category, category),
        "OwnerOnlyAmount": own, "AmountWithoutAdjustments": own, "AmountWithoutOwnerAdjustment": own,
        "AmountWithoutManagerAdjustment": own, "ForecastAmount": judged, "HasAdjustment": "manager" in said,
        "HasOwnerAdjustment": False, "IsAmount": True, "IsQuantity": False, "IsUpToDate": True, "SubordinateOverrides": 0,
    }  # fmt: skip
    if newest.get("currency") and "CurrencyIsoCode" in loader.org.objects["ForecastingItem"].fields:
        values["CurrencyIsoCode"] = newest["currency"]
    at = moment(newest["at"]) if newest.get("at") else None
    row = loader.put("ForecastingItem", loader.key("forecasts", newest["id"]), values, None, at)
    loader.ids["forecasts"].update({cells["id"]: row["Id"] for cells in said.values()})


def _forecasting_type(loader: "Loader") -> str:
    return next(iter(loader.org.tables["ForecastingType"].rows))


def _period(loader: "Loader", start: str, end: str) -> str:
    """The period of these days, made when it is first asked for."""
    rows = loader.org.tables["Period"].rows.values()
    known = next((row["Id"] for row in rows if (row["StartDate"], row["EndDate"]) == (start, end)), None)
    if known is not None:
        return str(known)
    days = (date.fromisoformat(end) - date.fromisoformat(start)).days + 1
    kind = "Week" if days <= 7 else "Month" if days <= 35 else "Quarter" if days <= 100 else "Year"
    label = f"{kind} from {start}"
    return loader.put_new(
        "Period", Type=kind, StartDate=start, EndDate=end, IsForecastPeriod=True, FullyQualifiedLabel=label
    )
