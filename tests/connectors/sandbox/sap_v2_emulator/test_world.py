"""A world inside the SAP Sales Cloud Version 2 emulator: loaded, changed, spoilt by faults; and what is not there."""

from collections.abc import Callable
from typing import Any

import pytest

DEALS = "opportunity-service/opportunities"


def test_snapshots_of_the_world_begin_at_creation(tenant: Any) -> None:
    shots = tenant.json(tenant.path("18"))["value"]["snapshots"]

    assert [(one["salesPhase"], one["status"], one["updatedOn"]) for one in shots] == [
        ("001", "OPEN", "2026-01-06T10:00:00.000Z"),
        ("002", "WON", "2026-02-10T10:00:00.000Z"),
    ]


def test_people_keep_manager_unit_and_state(tenant: Any) -> None:
    people = tenant.emulator.ids["people"]
    first, second = tenant.emulator.show("people", "1"), tenant.emulator.show("people", "2")

    assert (first["managerId"], first["managerFormattedName"]) == (people["2"], "Bo Chen")
    assert (first["organizationalUnitName"], first["lifeCycleStatus"]) == ("North", "ACTIVE")
    assert (second["lifeCycleStatus"], second["employeeTypes"][0]["validTo"]) == ("BLOCKED", "2026-01-31")


def test_activities_stand_in_the_service_of_their_kind(tenant: Any) -> None:
    visit = tenant.json("visit-service/visits?$top=9")["value"][0]
    task = tenant.json("task-service/tasks?$top=9")["value"][0]

    assert (visit["scheduledStartDateTime"], visit["visitType"]) == ("2026-01-10T09:00:00.000Z", "0001")
    assert visit["relatedObjects"][0]["objectId"] == tenant.emulator.ids["opportunities"]["17"]
    assert task["owner"]["id"] == tenant.emulator.ids["people"]["1"]


def test_an_edit_is_seen_by_the_next_incremental_query(tenant: Any) -> None:
    fields = {"stage": "Won it", "owner_id": "2", "amount": "5"}
    tenant("POST", "/__world", {"record": "opportunities", "id": "17", "fields": fields})

    found = tenant.json(f"{DEALS}?$filter=adminData.updatedOn ge 2026-03-02T00:00:00Z")["value"]

    assert [(row["status"], row["owner"]["description"], row["expectedRevenueAmount"]["content"]) for row in found] == [
        ("WON", "Bo Chen", 5.0)
    ]


def test_the_world_makes_edits_and_deletes_activities(tenant: Any) -> None:
    made = tenant.emulator.edit(
        "activities", None, {"kind": "call", "owner_id": "1", "created_at": "2026-03-01T08:00:00Z"}
    )
    tenant.emulator.edit("activities", made, {"completed_at": "2026-03-01T09:00:00Z"})
    shown = tenant.emulator.show("activities", made)
    tenant.emulator.remove("activities", made)

    assert (shown["status"], shown["startDateTime"]) == ("COMPLETED", "2026-03-01T09:00:00.000Z")
    assert tenant.emulator.show("activities", made) is None


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("expired_token", 401), ("too_many", 429), ("too_many_retry_after", 429), ("server_error", 500),
        ("bad_gateway", 502), ("unavailable", 503), ("no_permission", 403), ("html_page", 200), ("day_limit", 429),
    ],
)  # fmt: skip
def test_a_fault_answers_in_saps_words(tenant: Any, fault: str, status: int) -> None:
    tenant("POST", "/__faults", {"name": fault, "times": 1})

    reply = tenant("GET", DEALS)

    assert reply.status == status
    assert ("Retry-After" in reply.headers) is (fault in {"too_many_retry_after", "unavailable"})
    assert tenant("GET", DEALS).body.startswith('{"value":[{')


@pytest.mark.parametrize(("fault", "status"), [("refused_row", 400), ("locked_row", 500), ("deleted_meanwhile", 404)])
def test_a_fault_spoils_the_next_change(tenant: Any, fault: str, status: int) -> None:
    tenant("POST", "/__faults", {"name": fault})

    assert tenant.patch({"name": "x"}).status == status


def test_a_vanished_extension_is_refused(tenant: Any) -> None:
    tenant("POST", "/__faults", {"name": "missing_field", "object": "opportunities", "field": "ZExternalID"})

    assert tenant.json(tenant.path())["value"]["extensions"] == {}
    assert tenant.patch({"extensions": {"ZExternalID": "x"}}).status == 400


def test_the_world_makes_people_and_understands_dotted_paths(tenant: Any) -> None:
    world = tenant.emulator
    world.edit("people", None, {"id": "9", "name": "Cy Dunn", "active": True, "manager_id": None})
    world.edit(
        "opportunities", "17", {"expectedRevenueAmount.currencyCode": "USD", "outcome": "lost", "pipeline": "Second"}
    )
    world.edit(DEALS, world.ids["opportunities"]["18"], {"extensions.ZExternalID": "Y"})

    assert (world.show("people", "9")["familyName"], world.show("people", "9")["lifeCycleStatus"]) == ("Dunn", "ACTIVE")
    deal = world.show("opportunities", "17")
    assert (deal["expectedRevenueAmount"]["currencyCode"], deal["status"], deal["salesCycle"]) == ("USD", "LOST", "002")
    assert world.show("opportunities", "18")["extensions"]["ZExternalID"] == "Y"


@pytest.mark.parametrize(
    ("record", "record_id", "fields"),
    [("opportunities", "99", {"name": "x"}), ("nothing", None, {}), ("cases", None, {"nme": "x"})],
)
def test_the_world_refuses_what_is_not_there(
    tenant: Any, record: str, record_id: str | None, fields: dict[str, Any]
) -> None:
    assert tenant("POST", "/__world", {"record": record, "id": record_id, "fields": fields}).status == 400
    assert tenant("DELETE", "/__world/opportunities/99").status == 404


def test_fields_are_listed_and_taken_away(tenant: Any) -> None:
    listed = {row["name"] for row in tenant("GET", "/__fields").body}
    tenant("DELETE", "/__fields", {"entity": "opportunities", "name": "ZOppScore"})

    assert "ZOppScore" in listed
    assert tenant.patch({"extensions": {"ZOppScore": 1}}).status == 400
    assert tenant("POST", "/__fields", {"entity": "nothing", "name": "ZNo"}).status == 400


def test_changes_of_every_field_are_kept_as_snapshots(tenant_with: Callable[..., Any]) -> None:
    at = "2026-01-{:02d}T10:00:00Z"
    changes = [
        ("owner_id", "1", "2"), ("amount", "5", "6"), ("close_on", "2026-02-01", "2026-03-01"),
        ("forecast_category", "commit", "closed"), ("name", "a", "b"),
    ]  # fmt: skip
    deal = {"id": "1", "name": "b", "owner_id": "2", "amount": "6", "currency": "EUR", "close_on": "2026-03-01"}
    sap = tenant_with(
        {
            "opportunities": [{**deal, "forecast_category": "closed", "created_at": at.format(1)}],
            "changes": [
                {
                    "id": str(n),
                    "record": "opportunity",
                    "record_id": "1",
                    "field": f,
                    "old": o,
                    "new": w,
                    "at": at.format(n),
                    "by": "2",
                }
                for n, (f, o, w) in enumerate(changes, 2)
            ],
        }
    )

    shots = sap.json(sap.path("1"))["value"]["snapshots"]

    first, last = shots[0], shots[-1]
    assert (first["expectedRevenueAmount"]["content"], last["expectedRevenueAmount"]["content"]) == (5.0, 6.0)
    assert (first["closeDate"], first["forecastCategory"]) == ("2026-02-01", "commit")
    assert first["owner"]["id"] != last["owner"]["id"] == shots[1]["owner"]["id"]


def test_contacts_and_all_kinds_of_activities_are_loaded(tenant_with: Callable[..., Any]) -> None:
    shared = {"owner_id": "1", "account_id": "11", "contact_ids": "7", "participant_ids": "1", "direction": "inbound"}
    done = {"completed_at": "2026-01-10T10:00:00Z", "duration_seconds": "60", **shared}
    kinds = ["call", "email", "meeting"]
    sap = tenant_with({"activities": [{"id": str(n), "kind": kind, **done} for n, kind in enumerate(kinds)]})

    call, mail = sap.emulator.show("activities", "0"), sap.emulator.show("activities", "1")

    assert (call["startDateTime"], call["endDateTime"]) == ("2026-01-10T10:00:00.000Z", "2026-01-10T10:01:00.000Z")
    assert (mail["direction"], mail["sentDateTime"]) == ("INBOUND", "2026-01-10T10:00:00.000Z")
    assert sap.emulator.show("activities", "2")["attendees"][0]["id"] == call["owner"]["id"]
    assert sap.json("contact-person-service/contactPersons?$count=true")["count"] == 1


@pytest.mark.parametrize("target", ["opportunity-service/nothing", f"{DEALS}/x", f"{DEALS}/x/items"])
def test_a_place_that_is_none_is_404(tenant: Any, target: str) -> None:
    assert tenant("GET", target).status == 404


def test_another_method_is_405_and_another_place_the_log_on_page(tenant: Any) -> None:
    assert tenant("PUT", tenant.path(), {}).status == 405
    assert tenant("GET", "/index.html").headers["Content-Type"].startswith("text/html")
