"""Modules of the simulated company's own: they are in the org's metadata, and answer as any custom module does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.connectors.sandbox.zoho_emulator.conftest import TABLES

PAYMENTS = [
    {"id": f"p{number}", "opportunity_id": "500", "amount": f"{number}.25", "currency": "EUR", "paid_on": "2025-05-01",
     "kind": "refund", "modified_at": f"2025-05-0{number}T10:00:00Z"}
    for number in (1, 2)
]  # fmt: skip
Open = Callable[..., Any]
World = Callable[..., Path]


def test_an_own_module_is_told_as_a_custom_one_with_its_fields(open_org: Open, world: World) -> None:
    org = open_org(world=world(**TABLES, payments=PAYMENTS))

    modules = {one["api_name"]: one for one in org.get("/crm/v8/settings/modules")["modules"]}
    fields = {one["api_name"]: one for one in org.get("/crm/v8/settings/fields?module=Payments")["fields"]}

    assert modules["Payments"]["generated_type"] == "custom"
    assert (fields["Amount"]["data_type"], fields["Amount"]["custom_field"]) == ("currency", True)
    assert fields["Deal"]["lookup"]["module"]["api_name"] == "Deals"


def test_rows_of_an_own_module_are_queried_by_their_stamp(open_org: Open, world: World) -> None:
    org = open_org(world=world(**TABLES, payments=PAYMENTS))

    found = org.coql(
        "select id, Deal, Amount, Paid_On, Kind from Payments where Modified_Time >= '2025-05-02T00:00:00+00:00' limit 10"
    )["data"]

    assert [(one["Deal"]["id"], one["Amount"], one["Paid_On"], one["Kind"]) for one in found] == [
        (org.emulator.ids["opportunities"]["500"], 2.25, "2025-05-01", "refund")
    ]


def test_an_own_record_may_be_edited_and_deleted_as_any_other(open_org: Open, world: World) -> None:
    org = open_org(world=world(**TABLES, payments=PAYMENTS))
    org.emulator.edit("payments", "p1", {"amount": "9.5"})
    org.emulator.remove("payments", "p2")

    left = org.get("/crm/v8/Payments?fields=Amount")["data"]
    gone = org.get("/crm/v8/Payments/deleted?type=all")["data"]

    assert [one["Amount"] for one in left] == [9.5]
    assert [one["id"] for one in gone] == [org.emulator.ids["payments"]["p2"]]


def test_a_target_of_a_team_has_no_place(open_org: Open, world: World) -> None:
    usual = {
        "id": "1",
        "subject_kind": "person",
        "subject_id": "7",
        "period_start": "2025-01-01",
        "period_end": "2025-12-31",
    }
    org = open_org(
        world=world(**TABLES, targets=[usual, {**usual, "id": "2", "subject_kind": "team", "subject_id": "North"}])
    )

    found = org.get("/crm/v8/Goals?fields=Person")["data"]

    assert [one["Person"]["id"] for one in found] == [org.emulator.ids["people"]["7"]]
