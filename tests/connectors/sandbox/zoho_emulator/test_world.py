"""A world in the Zoho emulator, edits of it, and answers against Zoho's interface descriptions."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from connectors.sandbox.world import simulate
from connectors.sandbox.world.settings import World
from connectors.sandbox.zoho import ZohoEmulator


def deal(company: Any, world_id: str) -> Any:
    """A deal of the world as the CRM shows it."""
    return company.get(f"/crm/v8/Deals/{company.emulator.ids['opportunities'][world_id]}")["data"][0]


def test_a_deal_has_its_fields_in_zohos_words(company: Any) -> None:
    shown = deal(company, "500")

    assert (shown["Amount"], shown["Currency"], shown["Exchange_Rate"]) == (1000.5, "USD", 1.25)
    assert (shown["Stage"], shown["Probability"], shown["Closing_Date"]) == ("Won", 100, "2025-04-10")
    assert (shown["External_Id"], shown["Account_Name"]["name"]) == ("X-1", "Acme")
    assert shown["Owner"]["email"] == "ann@example.com"
    assert shown["Created_Time"] == "2025-03-01T11:00:00+01:00"


def test_ids_are_of_nineteen_digits_and_zohos_own_stay(company: Any) -> None:
    ids = company.emulator.ids["opportunities"]

    assert ids["3652397000003852095"] == "3652397000003852095"
    assert all(len(key) == 19 for key in ids.values())


def test_stages_say_how_deals_end(company: Any) -> None:
    layout = company.get("/crm/v8/settings/layouts?module=Deals")["layouts"][0]["id"]

    (pipeline,) = company.get(f"/crm/v8/settings/pipeline?layout_id={layout}")["pipeline"]

    ends = [(one["actual_value"], one["forecast_type"], one["forecast_category"]["name"]) for one in pipeline["maps"]]
    assert ends == [
        ("Talk", "Open", "Pipeline"),
        ("Won", "Closed Won", "Closed"),
        ("Lost", "Closed Lost", "Omitted"),
        ("Void", "Open", "Omitted"),
    ]
    assert pipeline["maps"][0]["display_value"] == "Talking"


def test_history_holds_what_was_true_in_each_stage(company: Any) -> None:
    key = company.emulator.ids["opportunities"]["500"]

    rows = company.get(
        f"/crm/v8/Deals/{key}/Stage_History?fields=Stage,Amount,Modified_Time&sort_by=Modified_Time&sort_order=asc"
    )

    assert [(row["Stage"], row["Amount"], row["Modified_Time"]) for row in rows["data"]] == [
        ("Talk", 900, "2025-03-01T11:00:00+01:00"),
        ("Won", 1000.5, "2025-04-10T17:30:00+02:00"),
    ]


def test_activities_go_into_their_modules_and_mails_under_their_records(company: Any) -> None:
    call = company.get("/crm/v8/Calls?fields=Call_Duration,Call_Duration_in_seconds,What_Id,Who_Id")["data"][0]
    event = company.get("/crm/v8/Events?fields=Start_DateTime,End_DateTime")["data"][0]
    task = company.get("/crm/v8/Tasks?fields=Status,Due_Date")["data"][0]
    key = company.emulator.ids["opportunities"]["500"]
    mail = company.get(f"/crm/v8/Deals/{key}/Emails")["Emails"][0]

    assert (call["Call_Duration"], call["Call_Duration_in_seconds"], call["$se_module"]) == ("01:30", 90, "Deals")
    assert (event["Start_DateTime"], event["End_DateTime"]) == (
        "2025-03-06T10:00:00+01:00",
        "2025-03-06T10:45:00+01:00",
    )
    assert (task["Status"], task["Due_Date"]) == ("Completed", "2025-03-09")
    assert (mail["sent"], mail["linked_record"]["id"]) == (False, key)


def test_line_items_stand_in_a_quote_of_their_deal(company: Any) -> None:
    (item,) = company.get("/crm/v8/Quoted_Items?fields=Product_Name,Quantity,Net_Total,Parent_Id")["data"]

    quote = company.get(f"/crm/v8/Quotes/{item['Parent_Id']['id']}")["data"][0]

    assert (item["Product_Name"]["name"], item["Quantity"], item["Net_Total"]) == ("GTX", 3, 30)
    assert [one["id"] for one in quote["Quoted_Items"]] == [item["id"]]
    assert quote["Deal_Name"]["id"] == company.emulator.ids["opportunities"]["500"]


def test_only_a_single_meeting_tells_who_took_part(company: Any) -> None:
    listed = company.get("/crm/v8/Events?fields=Participants,Event_Title")["data"][0]

    single = company.get(f"/crm/v8/Events/{listed['id']}")["data"][0]

    assert "Participants" not in listed
    assert [one["Email"] for one in single["Participants"]] == ["ann@example.com", "bo@example.com"]


def test_people_are_users_and_those_who_left_are_inactive(company: Any) -> None:
    users = {user["email"]: user for user in company.get("/crm/v8/users?type=AllUsers")["users"]}

    ann = users["ann@example.com"]
    assert (ann["role"]["name"], ann["Team"], ann["Reporting_To"]["email"]) == ("AE", "North", "bo@example.com")
    assert users["gone@example.com"]["status"] == "inactive"


def test_a_merged_deal_is_a_deleted_one(company: Any) -> None:
    gone = company.get("/crm/v8/Deals/deleted")["data"]

    assert [row["id"] for row in gone] == [company.emulator.ids["opportunities"]["501"]]


def test_an_edit_is_a_users_and_moves_stamp_and_history(company: Any) -> None:
    company.emulator.edit("opportunities", "d-2", {"stage": "Lost", "Next_Step": "none"})

    shown = deal(company, "d-2")

    assert (shown["Stage"], shown["Probability"], shown["Next_Step"]) == ("Lost", 0, "none")
    assert shown["Modified_Time"] == "2026-03-02T10:30:15+01:00"
    assert shown["Modified_By"]["name"] == "Gone Girl"


def test_a_made_deal_can_be_read_and_a_late_commit_is_older(company: Any) -> None:
    company.emulator.faults.arm({"name": "late_commit", "seconds": 300})

    company.emulator.edit(
        "opportunities", None, {"id": "new", "name": "New", "stage": "Talk", "owner_id": "7", "amount": "5"}
    )

    shown = deal(company, "new")
    assert (shown["Amount"], shown["Modified_Time"]) == (5, "2026-03-02T10:25:15+01:00")


def test_a_renamed_label_keeps_the_actual_value(company: Any) -> None:
    company.emulator.edit("stages", "Won", {"label": "Signed"})

    fields = company.get("/crm/v8/settings/fields?module=Deals")["fields"]

    picks = next(one["pick_list_values"] for one in fields if one["api_name"] == "Stage")
    assert ("Won", "Signed") in {(one["actual_value"], one["display_value"]) for one in picks}


def test_a_forbidden_module_is_forbidden_in_queries_too(company: Any) -> None:
    company.emulator.faults.arm({"name": "no_permission", "match": "Deals"})

    assert company.get("/crm/v8/Deals?fields=id", 403)["code"] == "NO_PERMISSION"
    assert company.coql("select id from Deals where id is not null", 403)["code"] == "NO_PERMISSION"
    assert company.coql("select id from Accounts where id is not null")["info"]["count"] == 2


def test_a_vanished_field_is_nowhere(company: Any) -> None:
    company.emulator.faults.arm({"name": "missing_field", "field": "Amount"})

    listed = company.get("/crm/v8/Deals?fields=Amount,Deal_Name")["data"][0]

    assert "Amount" not in listed
    assert company.coql("select Amount from Deals where id is not null", 400)["code"] == "INVALID_QUERY"
    assert "Amount" not in {one["api_name"] for one in company.get("/crm/v8/settings/fields?module=Deals")["fields"]}


def test_the_simulated_company_loads(tmp_path: Path) -> None:
    simulated = World(deals=60, people=8, end=date(2026, 3, 1), days=200, spread=("salesforce", "zoho"))
    simulate(simulated).write(tmp_path)

    emulator = ZohoEmulator(tmp_path)

    assert all(emulator.show("opportunities", key) for key in emulator.ids["opportunities"])
    assert {"Calls", "Events", "Tasks", "DealHistory"} <= {
        name for name, table in emulator.org.tables.items() if table.rows
    }


@pytest.mark.parametrize(
    ("name", "path", "target"),
    [
        ("org", "/org", "/org"),
        ("currencies", "/org/currencies", "/org/currencies"),
        ("modules", "/settings/modules", "/settings/modules"),
        ("fields", "/settings/fields", "/settings/fields?module=Deals"),
        ("layouts", "/settings/layouts", "/settings/layouts?module=Deals"),
        ("related-lists", "/settings/related_lists", "/settings/related_lists?module=Deals"),
        ("fiscal-year", "/settings/fiscal_year", "/settings/fiscal_year"),
        ("record", "/{module}/deleted", "/Deals/deleted"),
        ("record", "/{module}/{recordID}", "/Deals/3652397000003852095"),
        ("timelines", "/{module}/{recordId}/__timeline", "/Deals/3652397000003852095/__timeline"),
        ("record-count", "/{moduleApiName}/actions/count", "/Deals/actions/count"),
    ],
)
def test_answers_are_of_the_described_shape(
    company: Any, spec: Callable[..., dict[str, Any]], name: str, path: str, target: str
) -> None:
    schema = spec(name, path, "get", 200)

    body = company.get(f"/crm/v8{target}")

    jsonschema.Draft202012Validator(schema).validate(body)


@pytest.mark.parametrize(
    ("name", "path", "status", "query"),
    [
        ("coql", "/coql", 200, "select id, Owner from Deals where id is not null"),
        ("coql", "/coql", 400, "select id from Deals"),
        ("coql", "/coql", 400, "select id from Nothing where id is not null"),
        ("coql", "/coql", 400, "select Bogus from Deals where id is not null"),
    ],
)
def test_queries_answer_in_the_described_shape(
    company: Any, spec: Callable[..., dict[str, Any]], name: str, path: str, status: int, query: str
) -> None:
    schema = spec(name, path, "post", status)

    body = company.coql(query, status)

    jsonschema.Draft202012Validator(schema).validate(body)
