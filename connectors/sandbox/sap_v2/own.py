"""What the simulated company keeps in entities of a service of its own, for which version 2 has no standard one."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.sap.ids import uuid
from connectors.sandbox.sap.own import has_place
from connectors.sandbox.sap_v2.services import Service, admin_fields
from connectors.sandbox.sap_v2.store import Doc
from connectors.sandbox.sap_v2.world_map import day, moment, put_at

_READ: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "text": ("text", str),
    "person": ("id", lambda text: uuid("people", text)),
    "account": ("id", lambda text: uuid("accounts", text)),
    "deal": ("id", lambda text: uuid("opportunities", text)),
    "number": ("number", float),
    "percent": ("number", lambda text: round(float(text) * 100, 6)),
    "date": ("date", day),
    "moment": ("moment", moment),
    "flag": ("flag", lambda text: text == "true"),
}
"""The type of a field, and how a cell becomes its value."""

_MONEY = "amount:amount.content:number currency:amount.currencyCode:text"
_PERIOD = "period_start:validFrom:date period_end:validTo:date"
_SHARED = "opportunity_id:opportunityId:deal"
OWN: Mapping[str, tuple[str, str]] = {
    "surveys": (
        "surveys",
        (f"person_id:employeeId:person account_id:accountId:account {_SHARED} scale:scale:text answer:answer:number "
        "sent_at:sentOn:moment answered_at:answeredOn:moment"),
    ),
    "payments": ("payments", f"{_SHARED} {_MONEY} paid_on:paidOn:date kind:type:text"),
    "contracts": (
        "contracts",
        ("account_id:accountId:account recurring_amount:yearlyAmount.content:number "
        "currency:yearlyAmount.currencyCode:text start_on:validFrom:date end_on:validTo:date"),
    ),
    "forecasts": (
        "predictions",
        (f"owner_id:employeeId:person {_PERIOD} layer:layer:text category:category:text {_MONEY} reason:reason:text "
        "at:saidOn:moment"),
    ),
    "absences": ("absences", "person_id:employeeId:person start_on:validFrom:date end_on:validTo:date paid:paid:flag"),
    "ratings": (
        "ratings",
        ("subject_id:subjectId:person rater_id:raterId:person item:item:text rating:points:number note:note:text "
        "rated_at:ratedOn:moment"),
    ),
    "targets": ("goals", f"subject_id:employeeId:person metric:metric:text {_PERIOD} {_MONEY}"),
    "rates": ("rates", "currency:currencyCode:text to:targetCurrencyCode:text rate:factor:number on:validFrom:date"),
    "splits": ("shares", f"{_SHARED} person_id:employeeId:person percentage:percentage:percent kind:type:text"),
}  # fmt: skip
"""Entity and ``column:path:reading`` of each field, by table of a world."""

RECORDS = {
    "survey": "surveys", "payment": "payments", "contract": "contracts", "forecast": "forecasts", "absence": "absences",
    "rating": "ratings", "target": "targets", "rate": "rates", "split": "splits",
}  # fmt: skip
"""The tables of our kinds of record."""

Cells = Mapping[str, str]


def _columns(table: str) -> list[tuple[str, str, str]]:
    """Column, path and reading of a table."""
    return [(parts[0], parts[1], parts[2]) for one in OWN[table][1].split() if (parts := one.split(":"))]


def path_of(table: str) -> str:
    """Where the company's service has the rows of a table."""
    return f"company-service/{OWN[table][0]}"


def own_services() -> dict[str, Service]:
    """The entities of the company's service, by path."""
    return {
        path_of(table): Service(
            path_of(table), {**admin_fields(), **{path: _READ[reading][0] for _, path, reading in _columns(table)}}
        )
        for table in OWN
    }


def own_doc(table: str, cells: Cells) -> Doc | None:
    """The fields that these cells fill, empty cells none; None for a row that has no place here."""
    if not has_place(table, cells):
        return None
    doc: Doc = {}
    for column, path, reading in _columns(table):
        if text := cells.get(column):
            put_at(doc, path, _READ[reading][1](text))
    return doc


def company_fields() -> dict[str, dict[str, str]]:
    """What an admin maps, by our kinds of record."""
    return {record: {column: path for column, path, _ in _columns(table)} for record, table in RECORDS.items()}


def company_objects() -> dict[str, str]:
    """The paths, by our kinds of record."""
    return {record: path_of(table) for record, table in RECORDS.items()}
