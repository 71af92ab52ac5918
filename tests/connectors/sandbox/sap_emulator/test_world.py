"""A world inside the SAP emulator: loaded, looked at, changed, and spoilt by faults."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.sandbox.sap import BASE, SapEmulator
from connectors.sandbox.server import Server
from connectors.sandbox.world import simulate
from connectors.sandbox.world.settings import World


def test_people_have_the_number_that_deals_name(tenant: Any) -> None:
    party = tenant.emulator.ids["people"]["1"]

    person = tenant.rows(f"EmployeeCollection?$filter=BusinessPartnerID eq '{party}'")[0]
    deals = tenant.rows(f"OpportunityCollection?$filter=MainEmployeeResponsiblePartyID eq '{party}'")

    assert (person["BusinessPartnerFormattedName"], person["UserLockedIndicator"]) == ("Ada Berg", False)
    assert [row["Name"] for row in deals] == ["Deal 17"]


def test_a_manager_leads_the_unit_of_who_reports_to_him(tenant: Any) -> None:
    rows = tenant.rows("EmployeeOrganisationalUnitAssignmentCollection?$filter=OrgUnitID eq 'North'&$orderby=RoleCode")

    owners = [(row["RoleCode"], row["ParentObjectID"]) for row in rows]
    people = tenant.emulator.ids["employees"]
    assert owners == [("213", people["2"]), ("219", people["1"])]


def test_who_left_stays_readable(tenant: Any) -> None:
    person = tenant.emulator.show("people", "2")

    assert (person["UserLockedIndicator"], person["EmployeeValidityEndDate"]) == (True, "2026-01-31")


def test_a_deal_has_status_phase_and_custom_fields(tenant: Any) -> None:
    open_deal, won = tenant.emulator.show("opportunities", "17"), tenant.emulator.show("opportunities", "18")

    assert (open_deal["SalesCyclePhaseCode"], open_deal["LifeCycleStatusCode"]) == ("002", "2")
    assert (open_deal["ZExternalID_KUT"], open_deal["ExternalID"]) == ("X-17", "X-17")
    assert open_deal["SalesCyclePhaseStartDate"] == "2026-01-20"
    assert (won["LifeCycleStatusCode"], won["ProcessStatusValidSinceDate"]) == ("4", "2026-02-10")


def test_history_begins_with_the_state_at_creation(tenant: Any) -> None:
    key = tenant.emulator.ids["opportunities"]["17"]

    found = tenant.rows(
        f"OpportunityHistoricalVersionCollection?$filter=ParentObjectID eq '{key}'&$orderby=CreationDateTime"
    )

    assert [(row["SalesCyclePhaseCodeText"], row["CreationDateTime"]) for row in found] == [
        ("Talk", "/Date(1767607200000)/"),
        ("Offer", "/Date(1768910400000)/"),
    ]


def test_a_tenant_may_show_no_history(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(history=False)

    assert sap.rows("OpportunityHistoricalVersionCollection") == []
    assert sap("GET", "OpportunityHistoricalVersionCollection?$select=SalesCyclePhaseCode").status == 400


def test_an_activity_keeps_its_owner_and_its_deal(tenant: Any) -> None:
    meeting = tenant.rows("AppointmentCollection")[0]
    reference = tenant.rows("OpportunityBusinessTransactionDocumentReferenceCollection")[0]
    parties = tenant.rows(f"AppointmentCollection('{meeting['ObjectID']}')/AppointmentInvolvedParties")

    assert meeting["OwnerPartyID"] == tenant.emulator.ids["people"]["1"]
    assert (meeting["StartDate"], meeting["EndDate"]) == ("/Date(1768035600000)/", "/Date(1768039200000)/")
    assert reference["ParentObjectID"] == tenant.emulator.ids["opportunities"]["17"]
    assert reference["BusinessTransactionDocumentUUID"] == meeting["UUID"]
    assert len(parties) == 2


def test_team_survey_and_items_are_there(tenant: Any) -> None:
    team = tenant.rows("OpportunitySalesTeamPartyCollection")[0]
    valuation = tenant.rows("SurveyValuationCollection")[0]

    assert (team["PartyID"], team["ZSplitPercent_KUT"]) == (tenant.emulator.ids["people"]["2"], "40.000000")
    assert valuation["BusinessTransactionDocumentID"] == "17"
    assert tenant.rows("SurveyValuationItemCollection")[0]["AnswerText"] == "9"
    assert tenant.rows("OpportunityItemCollection")[0]["NetAmount"] == "600.250000"


def test_an_edit_is_seen_by_the_next_incremental_query(tenant: Any) -> None:
    tenant("POST", "/__world", {"record": "opportunities", "id": "17", "fields": {"stage": "Won it", "amount": "99"}})

    found = tenant.rows("OpportunityCollection?$filter=EntityLastChangedOn ge datetimeoffset'2026-03-02T09:30:15Z'")

    assert [(row["Name"], row["LifeCycleStatusCode"], row["ExpectedRevenueAmount"]) for row in found] == [
        ("Deal 17", "4", "99.000000")
    ]


def test_an_edit_understands_saps_own_words(tenant: Any) -> None:
    key = tenant.emulator.ids["opportunities"]["18"]

    tenant.emulator.edit("OpportunityCollection", key, {"Name": "Renamed", "ExpectedProcessingEndDate": "2026-09-30"})

    shown = tenant.emulator.show("Opportunity", key)
    assert (shown["Name"], shown["ExpectedProcessingEndDate"]) == ("Renamed", "2026-09-30")


def test_records_are_made_and_deleted_by_the_world(tenant: Any) -> None:
    made = json.loads(
        json.dumps(tenant("POST", "/__world", {"record": "opportunities", "fields": {"name": "New"}}).body)
    )
    shown = tenant.emulator.show("opportunities", made["id"])
    tenant.emulator.remove("opportunities", made["id"])

    assert shown["Name"] == "New"
    assert tenant.emulator.show("opportunities", made["id"]) is None


def test_a_person_changes_unit_and_manager(tenant: Any) -> None:
    people = tenant.emulator.ids["employees"]

    tenant.emulator.edit("people", "2", {"team": "South", "manager_id": "1", "active": True})

    rows = tenant.rows("EmployeeOrganisationalUnitAssignmentCollection?$filter=OrgUnitID eq 'South'&$orderby=RoleCode")
    users = tenant.rows("BusinessUserCollection?$filter=BusinessPartnerFormattedName eq 'Bo Chen'")
    assert [(row["RoleCode"], row["ParentObjectID"]) for row in rows] == [("213", people["1"]), ("219", people["2"])]
    assert users[0]["UserLockedIndicator"] is False


def test_an_edit_names_people_by_either_id(tenant: Any) -> None:
    world = tenant.emulator

    world.edit("activities", "32", {"owner_id": world.ids["people"]["2"]})
    world.edit(
        "opportunities", world.ids["opportunities"]["17"], {"owner_id": "2", "account_id": world.ids["accounts"]["11"]}
    )

    task, deal = world.show("activities", "32"), world.show("opportunities", "17")
    assert task["OwnerUUID"].replace("-", "") == world.ids["employees"]["2"]
    assert task["ProcessorPartyID"] == deal["MainEmployeeResponsiblePartyID"] == world.ids["people"]["2"]
    assert deal["ProspectPartyID"] == world.ids["accounts"]["11"]


def test_an_activity_is_moved_without_losing_the_rest(tenant: Any) -> None:
    tenant.emulator.edit("activities", "32", {"completed_at": "2026-01-12T09:00:00Z"})

    shown = tenant.emulator.show("activities", "32")
    assert (shown["Status"], shown["CompletionDateTime"][:10], shown["DueDateTime"][:10]) == (
        "3",
        "2026-01-12",
        "2026-01-11",
    )


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        ("expired_token", 401, "WWW-Authenticate"),
        ("too_many_retry_after", 429, "Retry-After"),
        ("too_many", 429, ""),
        ("server_error", 500, ""),
        ("bad_gateway", 502, ""),
        ("unavailable", 503, "Retry-After"),
        ("no_permission", 403, ""),
        ("html_page", 200, ""),
    ],
)
def test_a_fault_answers_in_saps_words(tenant: Any, fault: str, status: int, header: str) -> None:
    tenant.arm(fault, times=1)

    reply = tenant("GET", "OpportunityCollection?$format=json")

    assert reply.status == status
    assert not header or header in reply.headers
    assert tenant("GET", "OpportunityCollection").status == 200


def test_a_row_that_moves_between_pages_is_lost_to_who_counts_rows(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(page_cap=1)
    sap.arm("moved_row")
    target = "OpportunityCollection?$orderby=EntityLastChangedOn,ObjectID"

    first = sap.rows(target)
    second = sap.rows(f"{target}&$skiptoken=2")

    assert first[0]["ObjectID"] == second[0]["ObjectID"]


def test_a_vanished_field_is_nowhere(tenant: Any) -> None:
    tenant.arm("missing_field", field="ZOppScore_KUT", object="Opportunity")

    assert "ZOppScore_KUT" not in tenant("GET", "$metadata").body
    assert "ZOppScore_KUT" not in tenant.rows("OpportunityCollection")[0]
    assert tenant("GET", "OpportunityCollection?$select=ZOppScore_KUT").status == 400


def test_a_late_commit_hides_behind_the_cursor(tenant: Any) -> None:
    tenant.arm("late_commit", seconds=300)

    tenant.emulator.edit("opportunities", "17", {"name": "Late"})

    assert tenant.emulator.show("opportunities", "17")["EntityLastChangedOn"].startswith("2026-03-02T09:25:15")


def test_too_many_calls_are_refused_with_a_hint(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(rate=2)

    replies = [sap("GET", "OpportunityCollection") for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].headers["Retry-After"] == "1"
    assert sap.emulator.permitted == 2


def test_a_simulated_company_is_served_over_http(tmp_path: Path) -> None:
    simulate(World(deals=60, people=10, end=date(2026, 6, 30), spread=("sap", "sap_v2"))).write(tmp_path)
    emulator = SapEmulator(tmp_path)

    with Server(emulator) as server, requests.Session() as session:
        session.auth = ("sandbox", "sandbox")
        token = session.get(f"{server.url}{BASE}/", headers={"x-csrf-token": "fetch"}).headers["x-csrf-token"]
        rows = session.get(f"{server.url}{BASE}/OpportunityCollection?$format=json").json()["d"]["results"]
        reply = session.patch(
            rows[0]["__metadata"]["uri"], json={"ZNextStep_KUT": "Call"}, headers={"x-csrf-token": token}, timeout=5
        )

    assert len(rows) == len(emulator.ids["opportunities"]) > 0
    assert reply.status_code == 204
