"""What the simulated company keeps in modules of its own, because Zoho has no standard one."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sandbox.zoho.schema import LOOKUPS, Module, read_field, read_fields

_EVERY = """
id bigid ro
Name text !
Owner ownerlookup
Created_Time datetime ro
Modified_Time datetime ro
Created_By userlookup ro
Modified_By userlookup ro
"""
"""What every own module has, as Zoho makes it."""


@dataclass(frozen=True, slots=True)
class OwnModule:
    """The module of a world table: API name, label of one, two digits of its records' ids, the field of each column."""

    name: str
    singular: str
    code: int
    columns: Mapping[str, str]

    def made(self) -> Module:
        """The module as its admin has made it."""
        module = Module(self.name, self.name, self.singular, self.code, "Name", "custom")
        for one in read_fields(_EVERY):
            module.add(one)
        for line in self.columns.values():
            module.add(read_field(line)).custom = True
        return module

    def paths(self) -> dict[str, str]:
        """What an admin maps: our columns to fields, of lookups to their ids."""
        fields = {column: read_field(line) for column, line in self.columns.items()}
        return {column: f"{one.name}.id" if one.data_type in LOOKUPS else one.name for column, one in fields.items()}


_PERIOD = {"period_start": "First_Day date", "period_end": "Last_Day date"}
_MONEY = {"amount": "Amount currency", "currency": "Currency_Code text"}

OWN: Mapping[str, OwnModule] = {
    "surveys": OwnModule(
        "Surveys", "Survey", 25,
        {
            "person_id": "Person userlookup", "account_id": "Account lookup:Accounts", "opportunity_id": "Deal lookup:Deals",
            "scale": "Scale picklist", "answer": "Answer double", "sent_at": "Sent_At datetime",
            "answered_at": "Answered_At datetime",
        },
    ),
    "payments": OwnModule(
        "Payments", "Payment", 26,
        {"opportunity_id": "Deal lookup:Deals", **_MONEY, "paid_on": "Paid_On date", "kind": "Kind picklist"},
    ),
    "contracts": OwnModule(
        "Contracts", "Contract", 27,
        {
            "account_id": "Account lookup:Accounts", "recurring_amount": "Yearly_Amount currency",
            "currency": "Currency_Code text", "start_on": "First_Day date", "end_on": "Last_Day date",
        },
    ),
    "absences": OwnModule(
        "Absences", "Absence", 28,
        {
            "person_id": "Person userlookup", "start_on": "First_Day date", "end_on": "Last_Day date",
            "paid": "Paid boolean",
        },
    ),
    "ratings": OwnModule(
        "Ratings", "Rating", 29,
        {
            "subject_id": "Subject userlookup", "rater_id": "Rater userlookup", "item": "Item text",
            "rating": "Rating double", "note": "Note text", "rated_at": "Rated_At datetime",
        },
    ),
    "forecasts": OwnModule(
        "Predictions", "Prediction", 33,
        {
            "owner_id": "Person userlookup", **_PERIOD, "layer": "Layer picklist", "category": "Category picklist", **_MONEY,
            "reason": "Reason text", "at": "Said_At datetime",
        },
    ),
    "targets": OwnModule(
        "Goals", "Goal", 34,
        {"subject_id": "Person userlookup", "metric": "Metric picklist", **_PERIOD, **_MONEY},
    ),
    "splits": OwnModule(
        "Shares", "Share", 35,
        {
            "opportunity_id": "Deal lookup:Deals", "person_id": "Person userlookup", "percentage": "Fraction double",
            "kind": "Kind picklist",
        },
    ),
}  # fmt: skip
"""By table. The forecasts and targets that Zoho has itself are not in its interfaces."""

RECORDS = {
    "survey": "surveys", "payment": "payments", "contract": "contracts", "absence": "absences", "rating": "ratings",
    "forecast": "forecasts", "target": "targets", "split": "splits",
}  # fmt: skip
"""The tables of our kinds of record."""
