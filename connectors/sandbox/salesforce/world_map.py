"""Which Salesforce field holds which column of a world, and how its text becomes a value."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.sandbox.salesforce.ids import world_id
from connectors.sandbox.salesforce.schema import NUMBERS, Field, ObjectType
from connectors.sandbox.salesforce.store import stamp

CUSTOM_FIELDS: dict[str, tuple[str, ...]] = {
    "User": ("Territory__c string(80)", "Started_On__c date", "Ended_On__c date"),
    "Opportunity": ("External_Id__c string(80)", "Product__c string(255)", "Discount__c percent(5,2)"),
    "Contract": ("Recurring_Amount__c currency(18,2)",),
}
"""Fields of the simulated company's own, visible to the user we run as from the start."""

CUSTOM_OBJECTS: dict[str, tuple[str, ...]] = {
    "Survey__c aS0": (
        "Person__c reference>User", "Account__c reference>Account", "Opportunity__c reference>Opportunity",
        "Scale__c picklist", "Answer__c double(4,1)", "Sent_At__c datetime", "Answered_At__c datetime",
    ),
    "Payment__c aP0": (
        "Opportunity__c reference>Opportunity", "Amount__c currency(18,2)", "Paid_On__c date", "Kind__c picklist",
    ),
    "Absence__c aA0": ("Person__c reference>User", "First_Day__c date", "Last_Day__c date", "Paid__c boolean"),
    "Rating__c aR0": (
        "Subject__c reference>User", "Rater__c reference>User", "Item__c string(80)", "Rating__c double(3,1)",
        "Note__c string(255)", "Rated_At__c datetime",
    ),
}  # fmt: skip
"""Its own objects, for what Salesforce has no standard one for: name and id prefix, and fields."""


@dataclass(frozen=True, slots=True)
class TableMap:
    """The object of a world table, its id prefix, and the field of each column."""

    object: str
    prefix: str
    columns: Mapping[str, str] = field(default_factory=dict)


MAPS: dict[str, TableMap] = {
    "people": TableMap(
        "User",
        "005",
        {
            "name": "Name", "email": "Email", "active": "IsActive", "manager_id": "ManagerId", "team": "Department",
            "region": "Division", "role": "Title", "territory": "Territory__c", "started_on": "Started_On__c",
            "ended_on": "Ended_On__c",
        },
    ),
    "accounts": TableMap(
        "Account",
        "001",
        {
            "name": "Name", "parent_id": "ParentId", "owner_id": "OwnerId", "industry": "Industry", "region": "BillingCountry",
            "created_at": "CreatedDate",
        },
    ),
    "opportunities": TableMap(
        "Opportunity",
        "006",
        {
            "name": "Name", "account_id": "AccountId", "owner_id": "OwnerId", "stage": "StageName", "amount": "Amount",
            "currency": "CurrencyIsoCode", "created_at": "CreatedDate", "close_on": "CloseDate", "type": "Type",
            "source": "LeadSource", "product": "Product__c", "probability": "Probability",
            "forecast_category": "ForecastCategory", "next_step": "NextStep", "discount": "Discount__c",
            "external_id": "External_Id__c",
        },
    ),
    "splits": TableMap(
        "OpportunitySplit",
        "1SO",
        {"opportunity_id": "OpportunityId", "person_id": "SplitOwnerId", "percentage": "SplitPercentage"},
    ),
    "line_items": TableMap(
        "OpportunityLineItem", "00k", {"opportunity_id": "OpportunityId", "quantity": "Quantity", "amount": "TotalPrice"}
    ),
    "targets": TableMap(
        "ForecastingQuota",
        "0J9",
        {"subject_id": "QuotaOwnerId", "amount": "QuotaAmount", "period_start": "StartDate", "currency": "CurrencyIsoCode"},
    ),
    "surveys": TableMap(
        "Survey__c",
        "aS0",
        {
            "person_id": "Person__c", "account_id": "Account__c", "opportunity_id": "Opportunity__c", "scale": "Scale__c",
            "answer": "Answer__c", "sent_at": "Sent_At__c", "answered_at": "Answered_At__c",
        },
    ),
    "payments": TableMap(
        "Payment__c",
        "aP0",
        {
            "opportunity_id": "Opportunity__c", "amount": "Amount__c", "currency": "CurrencyIsoCode", "paid_on": "Paid_On__c",
            "kind": "Kind__c",
        },
    ),
    "contracts": TableMap(
        "Contract",
        "800",
        {
            "account_id": "AccountId", "recurring_amount": "Recurring_Amount__c", "currency": "CurrencyIsoCode",
            "start_on": "StartDate", "end_on": "EndDate",
        },
    ),
    "absences": TableMap(
        "Absence__c",
        "aA0",
        {"person_id": "Person__c", "start_on": "First_Day__c", "end_on": "Last_Day__c", "paid": "Paid__c"},
    ),
    "ratings": TableMap(
        "Rating__c",
        "aR0",
        {
            "subject_id": "Subject__c", "rater_id": "Rater__c", "item": "Item__c", "rating": "Rating__c", "note": "Note__c",
            "rated_at": "Rated_At__c",
        },
    ),
}  # fmt: skip

OWN = {"survey": "surveys", "payment": "payments", "contract": "contracts", "absence": "absences", "rating": "ratings"}
"""Kinds of record that have no standard object, or not all of it, and their tables."""

PREFIXES = {table: one.prefix for table, one in MAPS.items()} | {
    "contacts": "003",
    "stages": "01J",
    "rates": "04w",
    "forecasts": "0G3",
}
FORECAST_CATEGORIES = {
    "pipeline": ("Pipeline", "Pipeline"), "best_case": ("BestCase", "Best Case"), "bestcase": ("BestCase", "Best Case"),
    "most_likely": ("MostLikely", "Most Likely"), "commit": ("Forecast", "Commit"), "forecast": ("Forecast", "Commit"),
    "closed": ("Closed", "Closed"), "omitted": ("Omitted", "Omitted"),
}  # fmt: skip
"""Words of a world for the vendor's ForecastCategory and ForecastCategoryName."""
_REFERRED = {"User": "005", "Account": "001", "Opportunity": "006", "Contact": "003"}


def forecast_category(word: str) -> tuple[str, str]:
    """ForecastCategory and ForecastCategoryName of a world's word; a word we do not know stays as it is."""
    return FORECAST_CATEGORIES.get(word.lower().replace(" ", "_"), (word, word))


def moment(text: str) -> str:
    """A world's moment (ISO, UTC where nothing is said) as rows hold it."""
    if len(text) == 20 and text[-1] == "Z":  # the usual form; parsing a million of them takes its time
        return f"{text[:-1]}.000+0000"
    found = datetime.fromisoformat(text)
    return stamp(found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC))


def reader(one: Field) -> Callable[[str], Any]:
    """How a cell becomes what a row holds: shares become percent, ids become the vendor's."""
    if one.type == "reference":
        return partial(world_id, _REFERRED[one.refers[0]])
    if one.type == "datetime":
        return moment
    if one.type == "boolean":
        return lambda text: text.lower() == "true"
    if one.type == "percent":
        return lambda text: round(float(text) * 100, 6)
    return float if one.type in NUMBERS else _share


def _share(text: str) -> str:
    """The same text, kept once if it is one of few (stage names, currencies, days)."""
    return sys.intern(text) if len(text) <= 20 else text


Readers = list[tuple[str, str, Callable[[str], Any]]]


def readers(kind: ObjectType, columns: Mapping[str, str]) -> Readers:
    """Column, field and how to read it, for every column that this org has a field for."""
    return [(column, name, reader(kind.fields[name])) for column, name in columns.items() if name in kind.fields]


def values_of(known: Readers, cells: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that these cells fill; empty cells fill none."""
    return {name: read(text) for column, name, read in known if (text := cells.get(column))}
