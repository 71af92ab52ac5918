"""What Salesforce has only where a feature is switched on, and what a company keeps in objects of its own, as streams."""

from connectors.base import From, Stream
from connectors.own_streams import own_streams
from connectors.salesforce.values import fraction, split_kind

_KEPT = {"remote_id": "Id", "modified_at": "SystemModstamp", "deleted": "IsDeleted"}

EXTRAS: tuple[Stream, ...] = (
    Stream(
        "split",
        "OpportunitySplit",
        optional=True,
        fields={
            **_KEPT,
            "opportunity_id": "OpportunityId",
            "person_id": "SplitOwnerId",
            "percentage": From("SplitPercentage", fraction),
            "kind": From("SplitType.IsTotalValidated", split_kind),
        },
    ),
    Stream(
        "line_item",
        "OpportunityLineItem",
        optional=True,
        fields={
            **_KEPT,
            "opportunity_id": "OpportunityId",
            "product": "Product2.Name",
            "quantity": "Quantity",
            "amount": "TotalPrice",
        },
    ),
)

OWN = own_streams(_KEPT)
"""Off until ``streams.NAME.object`` names where the company keeps them."""
