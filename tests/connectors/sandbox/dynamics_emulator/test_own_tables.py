"""Tables that the simulated company made for itself: rows, metadata and edits like those of any other table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.folder import write_world
from tests.connectors.sandbox.dynamics_emulator.conftest import Caller

PAYMENTS = [
    {
        "id": "1",
        "opportunity_id": "",
        "amount": "500.50",
        "currency": "EUR",
        "paid_on": "2026-02-20",
        "kind": "payment",
    },
    {"id": "2", "opportunity_id": "", "amount": "20.00", "currency": "EUR", "paid_on": "2026-02-21", "kind": "invoice"},
]
OTHERS = {
    "absences": [{"id": "1", "person_id": "p1", "start_on": "2026-02-02", "end_on": "2026-02-06", "paid": "true"}],
    "people": [{"id": "p1", "name": "Ann Lee", "email": "ann@example.com", "active": "true"}],
}


@pytest.fixture
def company(tmp_path: Path) -> Callable[..., Caller]:
    """Makes a caller of an environment with payments and an absence."""
    write_world(tmp_path, {"payments": PAYMENTS, **OTHERS})
    return lambda **options: Caller(world=tmp_path, **options)


def test_an_entity_set_tells_its_table_and_which_dates_show_days(company: Any) -> None:
    crm = company()
    cast = "Attributes/Microsoft.Dynamics.CRM.DateTimeAttributeMetadata?$select=LogicalName,Format,DateTimeBehavior"

    named = crm.get("EntityDefinitions?$filter=EntitySetName eq 'new_absences'")["value"]
    dates = crm.get(f"EntityDefinitions(LogicalName='new_absence')/{cast}")["value"]

    assert [
        (one["LogicalName"], one["SchemaName"], one["PrimaryIdAttribute"], one["IsCustomEntity"], one["ChangeTrackingEnabled"])
        for one in named
    ] == [("new_absence", "new_Absence", "new_absenceid", True, False)]  # fmt: skip
    told = {one["LogicalName"]: (one["Format"], one["DateTimeBehavior"]["Value"]) for one in dates}
    assert told["new_starton"] == ("DateOnly", "UserLocal")
    assert told["createdon"] == ("DateAndTime", "UserLocal")


def test_an_invoice_stands_among_all_payments_and_among_the_invoices_of_sales(company: Any) -> None:
    crm = company()

    payments = crm.walk("new_payments?$select=new_amount,new_kind&$orderby=new_amount asc")
    invoices = crm.walk("invoices?$select=totalamount,createdon,statuscode")

    assert [(float(one["new_amount"]), one["new_kind"]) for one in payments] == [(20, 100000000), (500.5, 100000001)]
    assert [(float(one["totalamount"]), one["createdon"], one["statuscode"]) for one in invoices] == [
        (20, "2026-02-21T12:00:00Z", 4)
    ]


def test_privileges_of_a_custom_table_bear_its_schema_name(company: Any) -> None:
    crm = company(lacking=["prvReadnew_Payment"])

    refused = crm.code("GET", "new_payments")

    assert refused == (403, "0x80040220")
    assert crm.get("invoices")["value"]


def test_an_edit_in_words_of_the_world_is_a_change_that_is_tracked(company: Any) -> None:
    crm = company()
    link = crm.get("new_payments?$select=new_amount,new_kind", Prefer="odata.track-changes")["@odata.deltaLink"]
    crm.wait(60)

    crm.emulator.edit("payments", "1", {"amount": "600.00", "kind": "refund"})

    [row] = crm.get(link)["value"]
    assert (row["new_paymentid"], float(row["new_amount"]), row["new_kind"]) == (
        crm.emulator.ids["payments"]["1"], 600, 100000002,
    )  # fmt: skip


def test_a_table_without_change_tracking_refuses_to_be_tracked(company: Any) -> None:
    status, _ = company().code("GET", "new_absences?$select=new_paid", Prefer="odata.track-changes")

    assert status == 400


def test_a_row_made_in_words_of_the_world_is_one_of_the_table(company: Any) -> None:
    crm = company()

    made = crm.emulator.edit("ratings", None, {"subject_id": "p1", "rater_id": "p1", "item": "helpful", "rating": "4"})

    row = crm.get(f"new_ratings({made})")
    assert (row["new_item"], row["_new_subject_value"]) == ("helpful", crm.emulator.ids["people"]["p1"])
