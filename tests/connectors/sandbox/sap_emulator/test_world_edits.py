"""What a test can do to the world of the SAP emulator, and how ids are made."""

from typing import Any

import pytest

from connectors.sandbox.sap.ids import object_id


def test_the_world_makes_people_accounts_and_activities(tenant: Any) -> None:
    world = tenant.emulator
    person = world.edit("people", None, {"id": "9", "name": "Cy Dunn", "team": "West", "role": "AE"})
    world.edit("accounts", "11", {"industry": "Space", "name": "Renamed"})
    visit = world.edit("activities", None, {"kind": "visit", "owner_id": "9", "planned_at": "2026-03-03T08:00:00Z"})

    assert person == world.ids["people"]["9"] == "8000000009"
    assert world.show("people", person) == world.show("Employee", world.ids["employees"]["9"])
    assert world.show("people", "9")["LastName"] == "Dunn"
    assert world.show("accounts", "11")["BusinessPartnerFormattedName"] == "Renamed"
    assert (world.show("activities", visit)["Category"], world.show("activities", visit)["OwnerPartyID"]) == (
        "0001",
        "8000000009",
    )


def test_the_world_sets_outcome_pipeline_and_nothing_at_all(tenant: Any) -> None:
    tenant.emulator.edit(
        "opportunities", "17", {"outcome": "omitted", "pipeline": "Second", "amount": None, "source": "fair"}
    )

    shown = tenant.emulator.show("opportunities", "17")
    assert (shown["LifeCycleStatusCode"], shown["SalesCycleCode"], shown["OriginTypeCode"]) == ("6", "002", "fair")
    assert "ExpectedRevenueAmount" not in shown


@pytest.mark.parametrize(
    ("record", "record_id", "fields"),
    [
        ("opportunities", "99", {"name": "x"}),
        ("Opportunity", None, {"nme": "x"}),
        ("nothing", None, {}),
        ("opportunities", "17", {"ExpectedRevenueAmount": "abc"}),
    ],
)
def test_the_world_refuses_what_is_not_there(
    tenant: Any, record: str, record_id: str | None, fields: dict[str, Any]
) -> None:
    reply = tenant("POST", "/__world", {"record": record, "id": record_id, "fields": fields})

    assert reply.status == 400


def test_plain_numbers_of_a_test_become_decimals(tenant: Any) -> None:
    tenant.emulator.edit("Opportunity", tenant.emulator.ids["opportunities"]["17"], {"ExpectedRevenueAmount": 5})

    assert tenant.emulator.show("opportunities", "17")["ExpectedRevenueAmount"] == "5.000000"


def test_ids_of_saps_own_form_stay() -> None:
    own = "00163E04B6021EE2B3C2A1CEA2FDAFE1"

    assert object_id("opportunities", own) == own
    assert object_id("opportunities", "00163e04-b602-1ee2-b3c2-a1cea2fdafe1") == own
    assert object_id("opportunities", "abc") != object_id("accounts", "abc")
