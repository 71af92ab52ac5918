"""Rows of ForecastingItem as forecasts: who says what of a period, and on whose authority.

An item is one person's roll-up of a period and category. Object Reference, ForecastingItem: ``OwnerOnlyAmount`` is the
person's own deals, ``AmountWithoutAdjustments`` these and the subordinates' deals, both without judgement;
``AmountWithoutManagerAdjustment`` is what the person says, ``ForecastAmount`` what stands after the managers above.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.base import From, Stream
from connectors.salesforce.values import Row

CATEGORIES = {
    "OpenPipeline": "open pipeline",
    "BestCaseForecast": "best case",
    "MostLikelyForecast": "most likely",
    "CommitForecast": "commit",
    "ClosedOnly": "closed",
    "PipelineOnly": "pipeline only",
    "BestCaseOnly": "best case only",
    "MostLikelyOnly": "most likely only",
    "CommitOnly": "commit only",
}
"""ForecastingItemCategory in our words. Cumulative roll-ups (best case includes commit, which includes closed) have the
plain ones; an organisation may hold both sorts."""


def category(name: str) -> str:
    """Our word for a sort of roll-up; one of the organisation's own stays as it is."""
    return CATEGORIES.get(name, name)


FORECASTS = Stream(
    "forecasting_item",
    "ForecastingItem",
    record="forecast",
    schedule="metadata",
    optional=True,
    fields={
        "remote_id": "Id",
        "modified_at": "SystemModstamp",
        "owner_id": "OwnerId",
        "period_start": "Period.StartDate",
        "period_end": "Period.EndDate",
        "layer": "@layer",
        "category": From("ForecastingItemCategory", category),
        "amount": "@amount",
        "currency": "CurrencyIsoCode",
        "at": "SystemModstamp",
    },
)
"""Read whole with the metadata: Salesforce holds the newest roll-up only, and what differs is a new version of ours."""

AMOUNTS = (
    "OwnerOnlyAmount", "AmountWithoutAdjustments", "AmountWithoutManagerAdjustment", "ForecastAmount", "HasAdjustment",
)  # fmt: skip


def said(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """One row for what the person says, and one for the manager where one spoke, or where the roll-up is of a team.

    Nobody states what somebody with subordinates expects of the own deals alone: that is their sum.
    """
    for row in rows:
        team = row["AmountWithoutAdjustments"] != row["OwnerOnlyAmount"]
        own = row["OwnerOnlyAmount"] if team else row["AmountWithoutManagerAdjustment"]
        yield {**row, "Id": f"{row['Id']}:rep", "@layer": "rep", "@amount": own}
        if team or row["HasAdjustment"]:
            yield {**row, "Id": f"{row['Id']}:manager", "@layer": "manager", "@amount": row["ForecastAmount"]}
