"""Which Fxiaoke field holds which column of a world, and how its text becomes what a record keeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from connectors.sandbox.fxiaoke.ids import option_value, person_id, record_id
from connectors.sandbox.fxiaoke.objects import (
    ABSENCE_OBJECT,
    FORECAST_OBJECT,
    RATE_OBJECT,
    RATING_OBJECT,
    SPLIT_OBJECT,
)
from connectors.sandbox.fxiaoke.store import ZONE

Reader = Callable[[str], Any]
STATUSES = {"open": "进行中", "won": "赢单", "lost": "输单", "omitted": "无效"}
"""Label of ``sales_status`` of each outcome."""


def moment_ms(text: str) -> int:
    """A world's moment (ISO, UTC where nothing is said) as epoch ms."""
    found = datetime.fromisoformat(text)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


@lru_cache(maxsize=10_000)
def day_ms(text: str) -> int:
    """The first moment of a world's day in the tenant's zone, as date fields hold it."""
    return round(datetime.fromisoformat(text[:10]).replace(tzinfo=ZONE).timestamp() * 1000)


def percent(text: str) -> str:
    """A share as Fxiaoke's percentage: 0.6 is 60."""
    return f"{(Decimal(text) * 100).normalize():f}"


def people(text: str) -> list[str]:
    """Ids of people, joined by ``;``, as a list of FSUIDs."""
    return [person_id(one) for one in text.split(";") if one]


def _number(text: str) -> str:
    return f"{Decimal(text):f}"


def _outcome(text: str) -> str:
    return option_value(STATUSES[text])


def reference(table: str) -> Reader:
    """Reads the id of a record of another table."""
    return partial(record_id, table)


@dataclass(frozen=True, slots=True)
class TableMap:
    """The object of a world table, and the field and reader of each column."""

    object: str
    columns: Mapping[str, tuple[str, Reader]]


MAPS: dict[str, TableMap] = {
    "accounts": TableMap(
        "AccountObj",
        {
            "name": ("name", str), "parent_id": ("parent_account_id", reference("accounts")), "owner_id": ("owner", people),
            "industry": ("industry", option_value), "region": ("region__c", str), "created_at": ("create_time", moment_ms),
        },
    ),
    "opportunities": TableMap(
        "NewOpportunityObj",
        {
            "name": ("name", str), "account_id": ("account_id", reference("accounts")), "owner_id": ("owner", people),
            "pipeline": ("sales_process_id", reference("pipelines")), "stage": ("sales_stage", option_value),
            "outcome": ("sales_status", _outcome), "amount": ("amount", _number), "currency": ("mc_currency", str),
            "created_at": ("create_time", moment_ms), "close_on": ("close_date", day_ms), "closed_at": ("stg_changed_time", moment_ms),
            "type": ("type__c", str), "source": ("source__c", str), "product": ("product__c", str),
            "probability": ("probability", percent), "forecast_category": ("forecast_category__c", str),
            "next_step": ("next_step__c", str), "discount": ("opp_discount", percent), "external_id": ("external_id__c", str),
        },
    ),
    "line_items": TableMap(
        "NewOpportunityLinesObj",
        {
            "opportunity_id": ("new_opportunity_id", reference("opportunities")), "product": ("product_id", reference("products")),
            "quantity": ("quantity", _number), "amount": ("sales_amount", _number),
        },
    ),
    "contracts": TableMap(
        "ContractObj",
        {
            "account_id": ("account_id", reference("accounts")), "recurring_amount": ("contract_amount", _number),
            "currency": ("mc_currency", str), "start_on": ("start_date", day_ms), "end_on": ("end_date", day_ms),
        },
    ),
    "surveys": TableMap(
        "CasesObj",
        {
            "person_id": ("owner", people), "account_id": ("account_id", reference("accounts")),
            "opportunity_id": ("new_opportunity_id", reference("opportunities")), "scale": ("survey_scale__c", str),
            "answer": ("satisfaction__c", _number), "sent_at": ("survey_sent_time__c", moment_ms),
            "answered_at": ("survey_answered_time__c", moment_ms),
        },
    ),
    "activities": TableMap(
        "ActiveRecordObj",
        {
            "owner_id": ("owner", people), "account_id": ("account_id", reference("accounts")),
            "opportunity_id": ("new_opportunity_id", reference("opportunities")),
            "subject_hash": ("active_record_content", str), "created_at": ("create_time", moment_ms),
            "duration_seconds": ("duration_seconds__c", _number),
        },
    ),
    "splits": TableMap(
        SPLIT_OBJECT,
        {
            "opportunity_id": ("new_opportunity__c", reference("opportunities")), "person_id": ("person__c", people),
            "percentage": ("share__c", percent), "kind": ("kind__c", option_value),
        },
    ),
    "forecasts": TableMap(
        FORECAST_OBJECT,
        {
            "owner_id": ("owner", people), "period_start": ("period_start__c", day_ms), "period_end": ("period_end__c", day_ms),
            "layer": ("layer__c", option_value), "category": ("category__c", str), "amount": ("amount__c", _number),
            "currency": ("currency__c", str), "reason": ("reason__c", str), "at": ("said_at__c", moment_ms),
        },
    ),
    "absences": TableMap(
        ABSENCE_OBJECT,
        {
            "person_id": ("person__c", people), "start_on": ("start_on__c", day_ms), "end_on": ("end_on__c", day_ms),
            "paid": ("paid__c", "true".__eq__),
        },
    ),
    "rates": TableMap(
        RATE_OBJECT,
        {"currency": ("from__c", str), "to": ("to__c", str), "rate": ("rate__c", _number), "on": ("on__c", day_ms)},
    ),
    "ratings": TableMap(
        RATING_OBJECT,
        {
            "subject_id": ("subject__c", people), "rater_id": ("rater__c", people), "item": ("item__c", str),
            "rating": ("rating__c", _number), "note": ("note__c", str), "rated_at": ("rated_at__c", moment_ms),
        },
    ),
}  # fmt: skip
"""The tables whose rows are one record each."""

OWN = {"splits": "split", "forecasts": "forecast", "absences": "absence", "rates": "rate", "ratings": "rating"}
"""Tables for which Fxiaoke has no object, and our kinds of record."""


def company_fields(table: str) -> dict[str, str]:
    """Where each of our fields stands in the object of a table."""
    return {ours: field for ours, (field, _) in MAPS[table].columns.items()}


PAYMENTS: dict[str, tuple[str, str, str]] = {
    "payment": ("PaymentObj", "amount", "payment_time"),
    "refund": ("RefundObj", "refunded_amount", "refunded_time"),
    "invoice": ("InvoiceApplicationObj", "invoice_applied_amount", "invoice_date"),
}
"""Object, amount and day of each kind of payment."""


def values_of(table: str, cells: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that these cells fill; empty cells fill none."""
    return {name: read(text) for column, (name, read) in MAPS[table].columns.items() if (text := cells.get(column))}
