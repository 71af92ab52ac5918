"""Which property of the service holds which column of a world, and how its text becomes a value."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.sandbox.sap.ids import account_number, dashed, object_id, party_id
from connectors.sandbox.sap.schema import EntityType
from connectors.sandbox.sap.values import decimal_text, read_iso

FIELDS: tuple[dict[str, Any], ...] = (
    {"entity": "Opportunity", "name": "ZExternalID_KUT", "type": "text", "max_length": 100},
    {"entity": "Opportunity", "name": "ZProduct_KUT", "type": "text"},
    {"entity": "Opportunity", "name": "ZDiscount_KUT", "type": "decimal"},
    {"entity": "Opportunity", "name": "ZNextStep_KUT", "type": "text"},
    {"entity": "OpportunitySalesTeamParty", "name": "ZSplitPercent_KUT", "type": "decimal"},
)
"""Extension fields of the simulated company's own, in the service from the start."""
UNITS = "EmployeeOrganisationalUnitAssignment"
MANAGER, MEMBER = "213", "219"
"""RoleCodes of an assignment to a unit."""
OBJECTS = {"people": "employees", "accounts": "corporate_accounts"}
"""Where ``ids`` keeps the ObjectIDs of what everything else names by its number: ``ids["people"]`` has the numbers."""
_DAY = 86_400_000_000
Read = Callable[[str], Any]


def day(text: str) -> int:
    """A date, or the date of a moment, as rows hold it."""
    at = read_iso(text)
    return at - at % _DAY


def _percent(text: str) -> str:
    return decimal_text(Decimal(text) * 100, 6)


def _amount(text: str) -> str:
    return decimal_text(text, 6)


def _person(text: str) -> str:
    return dashed(object_id("people", text))


def _parent(table: str) -> Read:
    return lambda text: object_id(table, text)


def _locked(text: str) -> bool:
    return text.lower() != "true"


MAPS: Mapping[str, tuple[str, tuple[tuple[str, str, Read], ...]]] = {
    "people": (
        "Employee",
        (
            ("name", "BusinessPartnerFormattedName", str), ("email", "Email", str), ("active", "UserLockedIndicator", _locked),
            ("region", "RegionCode", str), ("started_on", "EmployeeValidityStartDate", day),
            ("started_on", "UserValidityStartDate", day), ("ended_on", "EmployeeValidityEndDate", day),
            ("ended_on", "UserValidityEndDate", day),
        ),
    ),
    "accounts": (
        "CorporateAccount",
        (
            ("name", "Name", str), ("name", "BusinessPartnerFormattedName", str), ("parent_id", "ParentAccountID", account_number),
            ("owner_id", "OwnerID", party_id), ("owner_id", "OwnerUUID", _person), ("industry", "IndustrialSectorCode", str),
            ("region", "StateCode", str), ("created_at", "CreationOn", read_iso),
        ),
    ),
    "opportunities": (
        "Opportunity",
        (
            ("name", "Name", str), ("account_id", "ProspectPartyID", account_number),
            ("owner_id", "MainEmployeeResponsiblePartyID", party_id), ("amount", "ExpectedRevenueAmount", _amount),
            ("currency", "ExpectedRevenueAmountCurrencyCode", str), ("created_at", "CreationDateTime", read_iso),
            ("created_at", "CreationDate", day), ("close_on", "ExpectedProcessingEndDate", day),
            ("closed_at", "ProcessStatusValidSinceDate", day), ("type", "GroupCode", str), ("source", "OriginTypeCode", str),
            ("product", "ZProduct_KUT", str), ("probability", "ProbabilityPercent", _percent),
            ("forecast_category", "SalesForecastCategoryCode", str), ("next_step", "ZNextStep_KUT", str),
            ("discount", "ZDiscount_KUT", _amount), ("external_id", "ZExternalID_KUT", str), ("external_id", "ExternalID", str),
        ),
    ),
    "line_items": (
        "OpportunityItem",
        (
            ("opportunity_id", "ParentObjectID", _parent("opportunities")), ("product", "ProductID", str),
            ("product", "Description", str), ("quantity", "Quantity", _amount), ("amount", "NetAmount", _amount),
        ),
    ),
    "splits": (
        "OpportunitySalesTeamParty",
        (
            ("opportunity_id", "ParentObjectID", _parent("opportunities")), ("person_id", "PartyID", party_id),
            ("person_id", "PartyUUID", _person), ("percentage", "ZSplitPercent_KUT", _percent),
            ("kind", "RoleCode", lambda text: "Z46" if text == "overlay" else "46"),
        ),
    ),
    "surveys": (
        "SurveyResponseRoot",
        (("sent_at", "SurveyCreationDate", read_iso),),
    ),
}  # fmt: skip
CODED = {
    "Opportunity": ("GroupCode", "OriginTypeCode", "SalesForecastCategoryCode"),
    "CorporateAccount": ("IndustrialSectorCode", "StateCode"),
    "Employee": ("RegionCode",),
}
"""Codes whose code is the world's own word."""


def values_of(table: str, entity: EntityType, cells: Mapping[str, str]) -> dict[str, Any]:
    """The properties that these cells fill; empty cells fill none."""
    known = entity.properties
    return {name: read(text) for column, name, read in MAPS[table][1] if (text := cells.get(column)) and name in known}
