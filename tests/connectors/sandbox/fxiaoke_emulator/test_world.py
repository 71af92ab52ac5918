"""A world in the Fxiaoke emulator: where each record lives, and what editing it does."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.folder import read_world
from connectors.sandbox.fxiaoke import FxiaokeEmulator
from connectors.sandbox.fxiaoke.world_map import OWN
from connectors.sandbox.world import simulate
from connectors.sandbox.world.settings import World

MONTHS = ("april", "may", "june")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated company of which a part lives in Fxiaoke."""
    folder = tmp_path_factory.mktemp("company")
    simulate(World(deals=120, people=14, end=date(2026, 3, 1), spread=("fxiaoke", "hubspot"))).write(folder)
    return folder


def test_every_row_of_ours_has_an_id_and_no_row_of_another_crm_has(company: Path) -> None:
    tables = read_world(company)
    emulator = FxiaokeEmulator(company)

    for table in (
        "people", "accounts", "stages", "opportunities", "line_items", "contracts", "payments", "surveys", *OWN,
    ):  # fmt: skip
        ours = {row["id"] for row in tables[table] if row["connection"] == "fxiaoke"}
        assert ours, table
        assert set(emulator.ids[table]) == ours, table


def test_ids_are_the_vendors_and_the_same_on_every_start(company: Path) -> None:
    first, second = FxiaokeEmulator(company), FxiaokeEmulator(company)

    assert first.ids == second.ids
    assert all(len(remote) in {24, 32} for remote in first.ids["opportunities"].values())
    assert all(remote.startswith("FSUID_") for remote in first.ids["people"].values())
    assert len(set(first.ids["opportunities"].values())) == len(first.ids["opportunities"])


def test_a_world_id_of_the_vendors_form_is_kept(opened: Callable[..., Any]) -> None:
    own = "5f323dd6d97520000155369f"
    crm = opened({"accounts": [{"id": own, "name": "Kept"}]})

    assert crm.emulator.ids["accounts"][own] == own


def activity(**cells: str) -> dict[str, str]:
    return {
        "id": "1", "owner_id": "41", "account_id": "7", "opportunity_id": "1", "contact_ids": "90",
        "created_at": "2026-02-10T08:00:00Z", "completed_at": "2026-02-10T08:00:00Z", "modified_at": "2026-02-10T08:00:00Z",
        **cells,
    }  # fmt: skip


def test_a_call_is_a_follow_up_record_on_account_deal_and_contact(opened: Callable[..., Any]) -> None:
    crm = opened(
        {"activities": [activity(kind="call", duration_seconds="300", direction="inbound", subject_hash="Price")]}
    )

    row = crm.query(kind="ActiveRecordObj")[0]

    assert (row["interactive_types__r"], row["duration_seconds__c"], row["direction__c__r"]) == ("电话", "300", "呼入")
    assert [one["describe_api_name"] for one in row["related_object_data"]] == [
        "AccountObj",
        "NewOpportunityObj",
        "ContactObj",
    ]
    assert row["related_object_data"][1]["id"] == crm.emulator.ids["opportunities"]["1"]
    assert (row["active_record_content"], row["create_time"]) == ("Price", 1770710400000)
    assert row["created_by"] == row["owner"] == [crm.emulator.ids["people"]["41"]]
    assert crm.get("opportunities", "1")["last_followed_time"] == 1770710400000


def test_a_meeting_to_come_is_a_schedule_and_a_visit_made_is_a_field_visit(opened: Callable[..., Any]) -> None:
    meeting = activity(kind="meeting", completed_at="", planned_at="2026-04-01T08:00:00Z", duration_seconds="3600", participant_ids="41;43")  # fmt: skip
    crm = opened({"activities": [meeting, activity(id="2", kind="visit")]})

    schedule, visit = crm.query(kind="ScheduleObj")[0], crm.query(kind="CheckinsObj")[0]

    people = crm.emulator.ids["people"]
    assert (schedule["begin_time"], schedule["end_time"]) == (1775030400000, 1775034000000)
    assert schedule["participants"] == [people["41"], people["43"]]
    assert (visit["customer_id__r"], visit["checkin_time"]) == ("Acme", 1770710400000)


def test_what_has_not_happened_is_no_follow_up_record(opened: Callable[..., Any]) -> None:
    crm = opened({"activities": [activity(kind="task", completed_at="", planned_at="2026-04-01T08:00:00Z")]})

    assert crm.query(kind="ActiveRecordObj") == []
    assert "activities" not in crm.emulator.ids


def test_a_quarters_target_is_spread_over_its_months_to_the_cent(opened: Callable[..., Any]) -> None:
    target = {"subject_kind": "person", "subject_id": "41", "metric": "bookings", "currency": "EUR"}
    crm = opened(
        {"targets": [
            {**target, "id": "1", "period_start": "2026-04-01", "period_end": "2026-06-30", "amount": "1000.00"},
            {**target, "id": "2", "period_start": "2026-07-01", "period_end": "2026-07-31", "amount": "50.00"},
        ]}
    )  # fmt: skip

    row = crm.query(kind="GoalValueObj")[0]

    assert [row[f"{month}_value"] for month in MONTHS] == ["333.33", "333.33", "333.34"]
    assert (row["july_value"], row["annual_value"], row["fiscal_year"]) == ("50.00", "1050.00", "2026")
    assert row["check_object_id"] == crm.emulator.ids["people"]["41"]
    assert crm.emulator.ids["targets"]["1"] == crm.emulator.ids["targets"]["2"]


def test_payments_hang_on_the_order_of_their_deal(opened: Callable[..., Any]) -> None:
    crm = opened(
        {"payments": [
            {"id": "1", "opportunity_id": "1", "amount": "100.50", "currency": "EUR", "paid_on": "2026-02-20", "kind": "payment"},
            {"id": "2", "opportunity_id": "1", "amount": "10.00", "currency": "EUR", "paid_on": "2026-02-21", "kind": "refund"},
        ]}
    )  # fmt: skip

    order = crm.query(kind="SalesOrderObj")[0]

    assert order["new_opportunity_id"] == crm.emulator.ids["opportunities"]["1"]
    assert [(row["order_id"], row["amount"]) for row in crm.query(kind="PaymentObj")] == [(order["_id"], "100.50")]
    assert [(row["order_id"], row["refunded_amount"]) for row in crm.query(kind="RefundObj")] == [
        (order["_id"], "10.00")
    ]


def test_line_items_name_their_product_and_sum_up_on_the_deal(opened: Callable[..., Any]) -> None:
    crm = opened(
        {"line_items": [{"id": "1", "opportunity_id": "1", "product": "Base", "quantity": "3", "amount": "10.00"}]}
    )

    row = crm.query(kind="NewOpportunityLinesObj")[0]

    assert (row["product_id__r"], row["quantity"], row["sales_price"], row["sales_amount"]) == (
        "Base",
        "3",
        "3.33",
        "10.00",
    )
    assert crm.get("opportunities", "1")["opp_lines_sum"] == "10.00"


def test_who_shares_a_deal_is_in_its_team(opened: Callable[..., Any]) -> None:
    crm = opened(
        {"splits": [{"id": "1", "opportunity_id": "1", "person_id": "43", "percentage": "0.4", "kind": "revenue"}]}
    )

    team = crm.get("opportunities", "1")["relevant_team"]

    people = crm.emulator.ids["people"]
    assert [(one["teamMemberEmployee"], one["teamMemberRole"]) for one in team] == [
        ([people["41"]], "1"),
        ([people["43"]], "2"),
    ]


def test_currencies_show_when_there_are_several(opened: Callable[..., Any]) -> None:
    rate = {"id": "1", "currency": "USD", "to": "EUR", "rate": "0.9", "on": "2026-01-01"}

    assert "mc_currency" not in opened().get("opportunities", "1")
    several = opened({"rates": [rate]}).get("opportunities", "1")
    assert (several["mc_currency"], several["mc_exchange_rate"]) == ("EUR", "1")


def test_the_last_stage_change_is_dated_by_the_history(opened: Callable[..., Any]) -> None:
    change = {"id": "1", "record": "opportunity", "record_id": "1", "field": "stage", "old": "Open", "new": "Open", "at": "2026-02-01T00:00:00Z"}  # fmt: skip

    row = opened({"changes": [change]}).get("opportunities", "1")

    assert row["stg_changed_time"] == 1769904000000


def test_a_merged_deal_is_not_there(opened: Callable[..., Any]) -> None:
    crm = opened({"opportunities": [{"id": "1", "name": "Winner", "stage": "Open"}, {"id": "2", "name": "Loser", "stage": "Open", "merged_into": "1"}]})  # fmt: skip

    assert crm.ids() == ["1"]


def test_an_edit_speaks_our_words_or_the_vendors(crm: Any) -> None:
    crm.control(
        "POST", "/__world", {"record": "opportunities", "id": "1", "fields": {"amount": "9.99", "stage": "Won"}}
    )
    crm.control("POST", "/__world", {"record": "NewOpportunityObj", "id": crm.emulator.ids["opportunities"]["2"], "fields": {"name": "Theirs"}})  # fmt: skip

    row = crm.get("opportunities", "1")
    assert (row["amount"], row["sales_stage__r"]) == ("9.99", "Won")
    assert row["stg_changed_time"] == row["last_modified_time"] == crm.now_ms()
    assert crm.control("GET", "/__world/opportunities/2")["name"] == "Theirs"


def test_an_edit_makes_records_with_an_id_of_the_world_or_a_new_one(crm: Any) -> None:
    fields = {"name": "New", "owner_id": "43", "stage": "Fresh", "amount": "1"}

    made = crm.control("POST", "/__world", {"record": "opportunities", "fields": fields})["id"]
    named = crm.control("POST", "/__world", {"record": "opportunities", "fields": {**fields, "id": "99"}})["id"]

    assert crm.emulator.ids["opportunities"]["99"] == named
    assert {made, named} <= {row["_id"] for row in crm.query()}
    assert crm.get("opportunities", "99")["sales_stage__r"] == "Fresh"


def test_a_late_commit_shows_up_with_an_older_stamp(crm: Any) -> None:
    crm.arm("late_commit", seconds=300)

    crm.control("POST", "/__world", {"record": "opportunities", "id": "1", "fields": {"amount": "2"}})
    crm.control("POST", "/__world", {"record": "opportunities", "id": "3", "fields": {"amount": "2"}})

    assert crm.get("opportunities", "1")["last_modified_time"] == crm.now_ms() - 300_000
    assert crm.get("opportunities", "3")["last_modified_time"] == crm.now_ms()


def test_a_person_changes_team_and_leaves(crm: Any) -> None:
    crm.control("POST", "/__world", {"record": "people", "id": "41", "fields": {"team": "South", "role": "manager"}})
    crm.control("DELETE", "/__world/people/43")

    body = {"departmentId": 999999, "fetchChild": True}
    people = {one["name"]: one for one in crm("/cgi/user/list", body)["userList"]}
    departments = {one["id"]: one["name"] for one in crm("/cgi/department/list")["departments"]}
    assert departments[people["Ada Lu"]["departmentIds"][0]] == "South"
    assert people["Ada Lu"]["position"] == "manager"
    assert people["Cy Ng"]["isStop"] is True


def test_a_removed_record_is_gone(crm: Any) -> None:
    crm.control("DELETE", "/__world/opportunities/1")

    assert crm.ids() == [str(number) for number in range(2, 8)]
    assert crm.emulator.show("opportunities", "1") is None


def test_a_field_nobody_has_is_an_error(crm: Any) -> None:
    with pytest.raises(ValueError, match="unheard_of"):
        crm.emulator.edit("opportunities", "1", {"unheard_of": 1})
    with pytest.raises(KeyError):
        crm.emulator.edit("opportunities", "404", {"amount": "1"})
    with pytest.raises(KeyError):
        crm.emulator.remove("opportunities", "404")


def test_without_a_world_there_is_an_administrator_and_a_sales_process() -> None:
    emulator = FxiaokeEmulator()

    fields = emulator.tenant.objects["NewOpportunityObj"].fields
    assert [person.employee for person in emulator.tenant.people.values()] == ["1000"]
    assert "赢单" in fields["sales_stage"].options.values()
    assert list(fields["sales_status"].options.values()) == ["进行中", "赢单", "输单", "无效"]
