"""What the simulated company keeps in business objects of its own, for which the standard service has no set.

A custom service shows them: properties by column of a world, with the kind of each. SAP Version 2 keeps the same as entities
of a service of its own (``sap_v2_own``).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.sandbox.sap.ids import account_number, dashed, object_id, party_id
from connectors.sandbox.sap.schema import EntityType, Property
from connectors.sandbox.sap.values import decimal_text, read_iso

SERVICE = "/sap/c4c/odata/cust/v1/company"
_DAY = 86_400_000_000
_SCALE = 12
"""Places of every number: rates need them."""


def _day(text: str) -> int:
    at = read_iso(text)
    return at - at % _DAY


_READ: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "text": ("text", str),
    "person": ("text", party_id),
    "account": ("text", account_number),
    "deal": ("guid", lambda text: dashed(object_id("opportunities", text))),
    "decimal": ("decimal", lambda text: decimal_text(Decimal(text), _SCALE)),
    "date": ("date", _day),
    "moment": ("moment", read_iso),
    "flag": ("flag", lambda text: text == "true"),
}
"""The kind of a property, and how a cell becomes its value."""

OWN: Mapping[str, tuple[str, str]] = {
    "surveys": (
        "Survey",
        (
            "person_id:PersonID:person account_id:AccountID:account opportunity_id:OpportunityUUID:deal scale:Scale:text "
            "answer:Answer:decimal sent_at:SentOn:moment answered_at:AnsweredOn:moment"
        ),
    ),
    "payments": (
        "Payment",
        (
            "opportunity_id:OpportunityUUID:deal amount:Amount:decimal currency:AmountCurrencyCode:text paid_on:PaidOn:date "
            "kind:PaymentKind:text"
        ),
    ),
    "contracts": (
        "Contract",
        (
            "account_id:AccountID:account recurring_amount:YearlyAmount:decimal currency:YearlyAmountCurrencyCode:text "
            "start_on:ValidFrom:date end_on:ValidTo:date"
        ),
    ),
    "forecasts": (
        "Forecast",
        (
            "owner_id:PersonID:person period_start:PeriodStart:date period_end:PeriodEnd:date layer:Layer:text "
            "category:Category:text amount:Amount:decimal currency:AmountCurrencyCode:text reason:Reason:text at:SaidOn:moment"
        ),
    ),
    "absences": ("Absence", "person_id:PersonID:person start_on:FirstDay:date end_on:LastDay:date paid:Paid:flag"),
    "ratings": (
        "Rating",
        (
            "subject_id:SubjectID:person rater_id:RaterID:person item:Item:text rating:Points:decimal note:Note:text "
            "rated_at:RatedOn:moment"
        ),
    ),
    "targets": (
        "Target",
        (
            "subject_id:PersonID:person metric:Metric:text period_start:PeriodStart:date period_end:PeriodEnd:date "
            "amount:Amount:decimal currency:AmountCurrencyCode:text"
        ),
    ),
    "rates": ("Rate", "currency:CurrencyCode:text to:TargetCurrencyCode:text rate:Factor:decimal on:ValidOn:date"),
}
"""Business object and ``column:property:reading`` of each, by table of a world."""

RECORDS = {
    "survey": "surveys", "payment": "payments", "contract": "contracts", "forecast": "forecasts", "absence": "absences",
    "rating": "ratings", "target": "targets", "rate": "rates",
}  # fmt: skip
"""The tables of our kinds of record."""

Cells = Mapping[str, str]


def columns(table: str) -> list[tuple[str, str, str]]:
    """Column, property and reading of a table."""
    return [(parts[0], parts[1], parts[2]) for one in OWN[table][1].split() if (parts := one.split(":"))]


def own_types() -> list[EntityType]:
    """The entity types of the company's service."""
    return [_type(name, columns(table)) for table, (name, _) in OWN.items()]


def _type(name: str, fields: list[tuple[str, str, str]]) -> EntityType:
    entity = EntityType(name, service=SERVICE)
    entity.add(Property("ObjectID", "text", creatable=False, updatable=False, nullable=False))
    for _, one, reading in fields:
        entity.add(Property(one, _READ[reading][0], scale=_SCALE))
    entity.add(Property("EntityLastChangedOn", "moment", creatable=False, updatable=False))
    entity.add(Property("ETag", "moment", creatable=False, updatable=False, filterable=False))
    return entity


def own_values(table: str, cells: Cells) -> dict[str, Any]:
    """The properties that these cells fill; empty cells fill none."""
    return {one: _READ[reading][1](text) for column, one, reading in columns(table) if (text := cells.get(column))}


def has_place(table: str, cells: Cells) -> bool:
    """Targets of teams and others have none: the object names an employee."""
    return table != "targets" or cells.get("subject_kind", "person") in ("", "person")


def company_fields() -> dict[str, dict[str, str]]:
    """What an admin maps, by our kinds of record."""
    return {record: {column: one for column, one, _ in columns(table)} for record, table in RECORDS.items()}


def company_objects() -> dict[str, str]:
    """The sets, by our kinds of record."""
    return {record: f"{SERVICE}/{OWN[table][0]}Collection" for record, table in RECORDS.items()}
