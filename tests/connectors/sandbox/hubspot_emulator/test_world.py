"""A world folder in the portal, and edits as a user makes them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.world import World, simulate
from tests.connectors.sandbox.hubspot_emulator.conftest import ACCOUNTS, DEALS, PEOPLE, STAGES


def test_decimal_ids_stay_and_others_become_decimal(company: Any, world: Callable[..., Path], open_portal: Any) -> None:
    ids = company.emulator.ids["opportunities"]

    assert ids["500"] == "500"
    assert ids["d-2"].isdecimal()
    again = open_portal(world=world(opportunities=[{"id": "d-2"}]))
    assert again.emulator.ids["opportunities"]["d-2"] == ids["d-2"]


def test_people_are_owners_and_those_who_left_are_archived(company: Any) -> None:
    active = company.get("/crm/owners/2026-03")["results"]
    left = company.get("/crm/owners/2026-03?archived=true")["results"]

    assert [owner["email"] for owner in active] == ["ann@example.com", "bo@example.com"]
    assert active[0]["id"] == "7"
    assert active[0]["teams"] == [{"id": company.emulator.ids["teams"]["North"], "name": "North", "primary": True}]
    assert (left[0]["userId"], left[0]["userIdIncludingInactive"]) == (None, 9_000_003)
    assert company.get("/crm/v3/owners?email=ANN@example.com")["results"][0]["id"] == "7"
    assert company.get(f"/crm/v3/owners/{active[0]['userId']}?idProperty=userId")["id"] == "7"
    company.get("/crm/v3/owners/9", 404)
    (team,) = company.get("/settings/v3/users/teams")["results"]
    assert team["userIds"] == ["9000001", "9000002"]


def test_people_have_users_objects_with_what_owners_lack(company: Any) -> None:
    found = company.row("users", "user_records", "7", "region,territory,role,manager_id,hubspot_owner_id,started_on")

    held = found["properties"]
    assert (held["region"], held["territory"], held["role"]) == ("EMEA", "DE", "AE")
    assert held["manager_id"] == company.emulator.ids["people"]["boss"]
    assert (held["hubspot_owner_id"], held["started_on"]) == ("7", "2025-01-01")


def test_stages_become_pipelines_with_words_and_numbers(company: Any) -> None:
    first, second = company.get("/crm/v3/pipelines/deals")["results"]

    assert (first["id"], first["label"]) == ("default", "New")
    assert [stage["id"] for stage in first["stages"]] == ["talk", "closedwon"]
    assert (first["stages"][0]["label"], first["stages"][1]["label"]) == ("Talking", "Closed Won")
    assert second["id"].isdecimal()
    assert all(stage["id"].isdecimal() for stage in second["stages"])
    assert [stage["metadata"] for stage in second["stages"]] == [
        {"probability": "1.0", "isClosed": "true"},
        {"probability": "0.0", "isClosed": "true"},
    ]
    assert company.emulator.ids["stages"]["Old/Left"] == second["stages"][1]["id"]


def test_a_deal_has_its_properties_and_its_company(company: Any) -> None:
    names = (
        "dealname,amount,deal_currency_code,amount_in_home_currency,closedate,external_id,hs_manual_forecast_category"
    )

    found = company.row(
        "deals", "opportunities", "500", f"{names},dealtype,hs_merged_object_ids", "&associations=companies"
    )

    held = found["properties"]
    assert (held["amount"], held["deal_currency_code"], held["external_id"]) == ("1000.50", "USD", "X-1")
    assert held["amount_in_home_currency"] == "800.4"
    assert (held["closedate"], found["createdAt"]) == ("2025-04-10T15:30:00Z", "2025-03-01T10:00:00.000Z")
    assert (held["hs_manual_forecast_category"], held["dealtype"]) == ("BEST_CASE", "new")
    assert held["hs_merged_object_ids"] == "501"
    assert found["associations"]["companies"]["results"][0] == {"id": "100", "type": "deal_to_company"}


def test_a_close_date_is_midnight_in_the_accounts_zone(company: Any) -> None:
    held = company.row("deals", "opportunities", "d-2", "closedate,hs_deal_stage_probability")["properties"]

    assert held["closedate"] == "2025-06-30T22:00:00Z"
    assert held["hs_deal_stage_probability"] == "0.5"


def test_history_has_what_came_before_and_who_did_it(company: Any) -> None:
    more = "&propertiesWithHistory=dealstage,closedate,amount,pipeline"

    past = company.row("deals", "opportunities", "500", "amount", more)["propertiesWithHistory"]

    assert [one["value"] for one in past["dealstage"]] == ["closedwon", "talk"]
    assert past["dealstage"][0]["updatedByUserId"] == 9_000_001
    assert past["dealstage"][0]["sourceType"] == "CRM_UI"
    assert past["dealstage"][1]["timestamp"] == "2025-03-01T10:00:00.000Z"
    assert [one["value"] for one in past["closedate"]] == [
        "2025-04-10T15:30:00Z", "2025-04-29T22:00:00Z", "2025-03-30T22:00:00Z",
    ]  # fmt: skip
    assert [one["value"] for one in past["amount"]] == ["1000.50"]
    assert len(past["pipeline"]) == 1


def test_activities_are_spread_over_their_objects(company: Any) -> None:
    call = company.row("calls", "activities", "1",
               "hs_call_duration,hs_call_direction,hs_call_disposition,hs_timestamp,hs_object_source",
               "&associations=deals,companies,contacts")  # fmt: skip
    meeting = company.row("meetings", "activities", "2",
                  "hs_meeting_start_time,hs_meeting_end_time,hs_meeting_outcome,hs_attendee_owner_ids")  # fmt: skip
    email = company.row("emails", "activities", "3", "hs_email_direction,hs_email_subject,hs_object_source")
    task = company.row("tasks", "activities", "4", "hs_task_status,hs_timestamp,hs_task_completion_date")
    visit = company.row("meetings", "activities", "5", "hs_activity_type,hs_meeting_end_time,hs_meeting_outcome")

    held = call["properties"]
    assert (held["hs_call_duration"], held["hs_call_direction"]) == ("90000", "OUTBOUND")
    assert held["hs_call_disposition"] == "f240bbac-87c9-4f6e-bf70-924b57d47db7"
    assert (held["hs_timestamp"], held["hs_object_source"]) == ("2025-03-05T09:05:00Z", "CRM_UI")
    ends = {name: [end["id"] for end in page["results"]] for name, page in call["associations"].items()}
    assert (ends["deals"], ends["companies"], len(ends["contacts"])) == (["500"], ["100"], 2)
    held = meeting["properties"]
    assert held["hs_meeting_end_time"] == "2025-03-06T09:45:00Z"
    assert (held["hs_meeting_start_time"], held["hs_meeting_outcome"]) == ("2025-03-06T09:00:00Z", "COMPLETED")
    assert held["hs_attendee_owner_ids"].split(";")[0] == "7"
    held = email["properties"]
    assert (held["hs_email_direction"], held["hs_object_source"]) == ("INCOMING_EMAIL", "INTEGRATION")
    assert "abc" in held["hs_email_subject"]
    held = task["properties"]
    assert (held["hs_task_status"], held["hs_task_completion_date"]) == ("COMPLETED", "2025-03-08T12:00:00Z")
    assert held["hs_timestamp"] == "2025-03-09T09:00:00Z"
    held = visit["properties"]
    assert (held["hs_activity_type"], held["hs_meeting_outcome"]) == ("Visit", "SCHEDULED")
    assert held["hs_meeting_end_time"] == "2025-03-09T09:30:00Z"


def test_the_rest_of_the_world_is_there(company: Any) -> None:
    goal = company.row(
        "goal_targets",
        "targets",
        "1",
        "hs_target_amount,hubspot_owner_id,hs_assignee_user_id,hs_start_datetime,hs_end_datetime,hs_milestone",
    )
    item = company.row("line_items", "line_items", "1", "name,quantity,price,amount", "&associations=deals")
    survey = company.row("feedback_submissions", "surveys", "1", "hs_value,hs_survey_type,hs_response_group")
    (splits,) = company.post("/deal-splits/2026-03/batch/read", {"inputs": [{"id": "500"}]})["results"]
    rates = company.get("/settings/currencies/2026-03/exchange-rates?fromCurrencyCode=USD&limit=1")
    current = company.get("/settings/v3/currencies/exchange-rates/current")["results"]
    account = company.get("/account-info/2026-03/details")
    parent = company.row("companies", "accounts", "100", "hs_parent_company_id,industry,region")["properties"]

    held = goal["properties"]
    assert (held["hs_target_amount"], held["hubspot_owner_id"], held["hs_assignee_user_id"]) == ("5000", "7", "9000001")
    assert (held["hs_start_datetime"], held["hs_end_datetime"]) == ("2025-01-01T00:00:00Z", "2025-03-31T23:59:59.999Z")
    assert held["hs_milestone"] == "quarterly"
    held = item["properties"]
    assert (held["name"], held["quantity"], held["price"], held["amount"]) == ("GTX", "3", "10", "30.00")
    assert [end["id"] for end in item["associations"]["deals"]["results"]] == ["500"]
    held = survey["properties"]
    assert (held["hs_value"], held["hs_survey_type"], held["hs_response_group"]) == ("9", "NPS", "PROMOTER")
    assert len(company.get("/crm/v3/objects/feedback_submissions")["results"]) == 1
    assert [one["properties"]["hs_deal_split_percentage"] for one in splits["splits"]] == ["0.6", "0.4"]
    assert (len(rates["results"]), rates["paging"]["next"]["after"]) == (1, "1")
    assert str(current[0]["conversionRate"]) == "0.8"
    assert (account["companyCurrency"], account["additionalCurrencies"]) == ("EUR", ["USD"])
    assert parent["hs_parent_company_id"] == company.emulator.ids["accounts"]["top"]


MONEY = {
    "payments": [
        {"id": "1", "opportunity_id": "500", "amount": "1000", "currency": "USD", "paid_on": "2025-04-12", "kind": "invoice"},
        {"id": "2", "opportunity_id": "500", "amount": "600", "currency": "USD", "paid_on": "2025-05-02", "kind": "payment"},
        {"id": "3", "opportunity_id": "500", "amount": "400", "currency": "USD", "paid_on": "2025-06-02", "kind": "payment"},
        {"id": "4", "opportunity_id": "500", "amount": "400", "currency": "USD", "paid_on": "2025-07-01", "kind": "refund"},
        {"id": "5", "opportunity_id": "d-2", "amount": "4", "currency": "USD", "paid_on": "2025-07-01", "kind": "refund"},
    ],
    "contracts": [
        {"id": "1", "account_id": "100", "recurring_amount": "50", "currency": "EUR", "start_on": "2025-05-01",
         "end_on": "2026-01-31"},
        {"id": "2", "account_id": "100", "recurring_amount": "60", "currency": "EUR", "start_on": "2026-02-01",
         "end_on": "2099-01-31"},
    ],
    "forecasts": [
        {"id": "1", "owner_id": "7", "period_start": "2025-04-01", "period_end": "2025-06-30", "layer": "rep",
         "category": "commit", "amount": "900", "at": "2025-04-20T08:00:00Z"},
        {"id": "2", "owner_id": "7", "period_start": "2025-04-01", "period_end": "2025-06-30", "layer": "manager",
         "category": "commit", "amount": "800", "at": "2025-04-21T08:00:00Z"},
        {"id": "3", "owner_id": "7", "period_start": "2025-04-01", "period_end": "2025-06-30", "layer": "rep",
         "category": "best case", "amount": "1500", "at": "2025-04-20T08:00:00Z"},
    ],
    "absences": [{"id": "1", "person_id": "7", "start_on": "2025-08-01", "end_on": "2025-08-15", "paid": "true"}],
    "ratings": [{"id": "1", "subject_id": "7", "rater_id": "boss", "item": "teamwork", "rating": "4",
                 "rated_at": "2025-08-01T00:00:00Z"}],
}  # fmt: skip


@pytest.fixture
def rich(open_portal: Any, world: Callable[..., Path]) -> Any:
    """A small world with everything beside its deals."""
    return open_portal(world=world(people=PEOPLE, stages=STAGES, accounts=ACCOUNTS, opportunities=DEALS, **MONEY))


def shown(rich: Any, kind: str, names: str, more: str = "") -> list[dict[str, Any]]:
    return list(rich.get(f"/crm/v3/objects/{kind}?limit=50&properties={names}{more}")["results"])


def test_payments_are_invoices_and_payments_with_what_was_given_back(rich: Any) -> None:
    (invoice,) = shown(rich, "invoices", "hs_amount_billed,hs_invoice_status,hs_invoice_date", "&associations=deals")
    first, second = shown(
        rich, "commerce_payments", "hs_initial_amount,hs_latest_status,hs_refunds_amount",
        "&propertiesWithHistory=hs_refunds_amount",
    )  # fmt: skip

    assert invoice["properties"]["hs_invoice_date"] == "2025-04-11T22:00:00Z"
    assert [end["id"] for end in invoice["associations"]["deals"]["results"]] == ["500"]
    held = first["properties"], second["properties"]
    assert [one["hs_latest_status"] for one in held] == ["succeeded", "refunded"]
    assert [one["hs_refunds_amount"] for one in held] == [None, "400"]
    assert second["propertiesWithHistory"]["hs_refunds_amount"][0]["timestamp"] == "2025-06-30T22:00:00.000Z"
    assert rich.emulator.ids["payments"] == {"1": "1", "2": "2", "3": "3", "4": "3:refund"}


def test_contracts_are_subscriptions_that_expire(rich: Any) -> None:
    old, new = shown(
        rich, "subscriptions", "hs_mrr,hs_status,hs_recurring_billing_start_date", "&associations=companies"
    )

    assert [one["properties"]["hs_status"] for one in (old, new)] == ["expired", "active"]
    assert (new["properties"]["hs_mrr"], new["properties"]["hs_recurring_billing_start_date"]) == ("60", "2026-02-01")
    assert [end["id"] for end in new["associations"]["companies"]["results"]] == ["100"]


def test_a_forecast_is_the_one_figure_that_somebody_commits_to(rich: Any) -> None:
    own, managed = shown(
        rich,
        "forecasts",
        "hs_amount,hubspot_owner_id,hs_created_by_user_id,hs_forecast_start_date,hs_forecast_end_date",
    )

    assert [one["properties"]["hs_amount"] for one in (own, managed)] == ["900", "800"]
    assert {one["properties"]["hubspot_owner_id"] for one in (own, managed)} == {"7"}
    users = [one["properties"]["hs_created_by_user_id"] for one in (own, managed)]
    assert (users[0], users[0] == users[1]) == (rich.emulator.ids["users"]["7"], False)
    held = own["properties"]
    assert (held["hs_forecast_start_date"], held["hs_forecast_end_date"]) == ("1743458400000", "1751320799999")


def test_absences_and_ratings_are_in_objects_of_the_companys_own(rich: Any) -> None:
    (absence,), (rating,) = shown(rich, "p_absences", "person_id,paid"), shown(rich, "p_ratings", "rater_id,rating")

    assert (absence["properties"]["person_id"], absence["properties"]["paid"]) == ("7", "true")
    assert rating["properties"]["rater_id"] == rich.emulator.ids["people"]["boss"]
    assert [one["name"] for one in rich.get("/crm-object-schemas/v3/schemas")["results"]] == ["absences", "ratings"]


def test_only_rows_of_this_crm_are_loaded(open_portal: Any, world: Callable[..., Path]) -> None:
    deals = [
        {"id": "500", "connection": "hubspot"},
        {"id": "501", "connection": "salesforce"},
        {"id": "502", "connection": ""},
    ]

    hubspot = open_portal(world=world(opportunities=deals))

    assert [deal["id"] for deal in hubspot.get("/crm/v3/objects/deals")["results"]] == ["500", "502"]


def test_the_simulated_company_fits_into_a_portal(open_portal: Any, tmp_path: Path) -> None:
    company = simulate(World(seed=3, deals=60, people=12, end=date(2026, 3, 1)))
    company.write(tmp_path)

    hubspot = open_portal(world=tmp_path)

    tables = hubspot.emulator.portal.store.tables
    wanted = company.tables
    assert len(tables["deals"].live) + len(tables["deals"].merged) == len(wanted["opportunities"])
    activities = sum(len(tables[kind].live) for kind in ("calls", "meetings", "emails", "tasks"))
    assert activities == len(wanted["activities"])
    for deal in wanted["opportunities"]:
        if deal["merged_into"]:
            continue
        shown = hubspot.emulator.show("opportunities", deal["id"])
        assert shown["properties"].get("amount", "") == deal["amount"]
        stage = hubspot.emulator.portal.stage(
            "deals", shown["properties"]["pipeline"], shown["properties"]["dealstage"]
        )
        assert stage is not None
        assert (stage.won, stage.closed) == (deal["outcome"] == "won", deal["outcome"] != "open")
