"""Writes of the Fxiaoke emulator: strict values, stamps, workflows, life of a record, faults of single writes."""

from collections.abc import Callable
from typing import Any

import pytest

APPRAISALS = "object_Sb7Kq__c"


def test_an_update_changes_what_is_sent_and_stamps_it(crm: Any) -> None:
    crm.update("1", scoreback_score__c="78.50", scoreback_scored_at__c=1772323200000)

    row = crm.get("opportunities", "1")
    assert (row["scoreback_score__c"], row["scoreback_scored_at__c"]) == ("78.50", 1772323200000)
    assert row["amount"] == "100.50"
    assert row["last_modified_time"] == crm.now_ms()
    assert row["last_modified_by"] == [crm.emulator.tenant.admin]
    assert row["version"] == "2"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"scoreback_score__c": 78.5}, id="a number is text"),
        pytest.param({"scoreback_score__c": "78.505"}, id="too many decimals"),
        pytest.param({"scoreback_score__c": "high"}, id="no number"),
        pytest.param({"scoreback_grade__c": "x" * 101}, id="too long"),
        pytest.param({"scoreback_grade__c": 7}, id="no text"),
        pytest.param({"scoreback_scored_at__c": "2026-03-01"}, id="a moment is a number"),
        pytest.param({"sales_stage": "Open"}, id="a label is no option"),
        pytest.param({"name": None}, id="required"),
        pytest.param({"owner": ["FSUID_1"]}, id="the owner has a call of its own"),
        pytest.param({"unheard_of__c": "1"}, id="no such field"),
        pytest.param({"account_id": "5f323dd6d97520000155369f"}, id="no such record"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_nothing_is_written(crm: Any, fields: dict[str, Any]) -> None:
    before = crm.get("opportunities", "1")

    crm.update("1", code=15002, **fields)

    assert {**crm.get("opportunities", "1"), "cost_time": None} == {**before, "cost_time": None}


def test_derived_and_calculated_fields_are_passed_over(crm: Any) -> None:
    crm.update("1", owner__r={"name": "Eve"}, probability_amount="1", create_time=5)

    row = crm.get("opportunities", "1")
    assert row["probability_amount"] == "25.12"
    assert row["create_time"] == 1767600000000


def test_null_empties_a_field(crm: Any) -> None:
    crm.update("1", external_id__c=None)

    assert "external_id__c" not in crm.get("opportunities", "1")


def test_workflows_and_approvals_fire_unless_the_top_of_the_body_says_no(crm: Any) -> None:
    row_id = crm.emulator.ids["opportunities"]["1"]
    record = {"_id": row_id, "dataObjectApiName": "NewOpportunityObj", "scoreback_grade__c": "A"}
    path = "/cgi/crm/v2/data/update"

    crm.update("1", scoreback_grade__c="A")
    quiet = dict(crm.emulator.writing.fired)
    crm(path, {"data": {"object_data": record}})
    crm(path, {"data": {"object_data": record, "triggerWorkFlow": False}}, code=15002)

    assert quiet == {"workflow": 0, "approval": 0}
    assert crm.emulator.writing.fired == {"workflow": 1, "approval": 1}


def test_a_switch_in_the_wrong_place_is_ignored_when_faithful(opened: Callable[..., Any]) -> None:
    crm = opened(strict=False)
    record = {"_id": crm.emulator.ids["opportunities"]["1"], "dataObjectApiName": "NewOpportunityObj"}

    crm("/cgi/crm/v2/data/update", {"data": {"object_data": record, "triggerWorkFlow": False}})

    assert crm.emulator.writing.fired["workflow"] == 1


def test_a_stage_change_moves_its_own_stamp(crm: Any) -> None:
    won = crm.emulator.ids["stages"]["2"]
    before = crm.get("opportunities", "1")["stg_changed_time"]

    crm.update("1", sales_stage=won)

    assert before == 1767600000000
    assert crm.get("opportunities", "1")["stg_changed_time"] == crm.now_ms()


def test_a_locked_record_refuses_until_it_is_unlocked(crm: Any) -> None:
    body = {"data": {"dataObjectApiName": "NewOpportunityObj", "dataIds": [crm.emulator.ids["opportunities"]["1"]], "detailObjStrategy": 0}}  # fmt: skip
    crm("/cgi/crm/v2/object/lock", body)

    crm.update("1", code=32000, scoreback_grade__c="A")
    crm("/cgi/crm/v2/object/unlock", body)
    crm.update("1", scoreback_grade__c="A")


def test_a_locked_custom_record_takes_the_switch_that_preset_ones_lack(crm: Any) -> None:
    made = crm.write({"name": "2026-03 41"}, kind=APPRAISALS, action="create")["dataId"]
    crm(
        "/cgi/crm/v2/object/lock",
        {"data": {"dataObjectApiName": APPRAISALS, "dataIds": [made], "detailObjStrategy": 1}},
    )
    record = {"_id": made, "dataObjectApiName": APPRAISALS, "scoreback_band__c": "B"}

    crm.write(record, kind=APPRAISALS, code=32000)
    crm("/cgi/crm/custom/v2/data/update", {"data": {"object_data": record, "skipDataStatusValidate": True}})
    deal = {"_id": crm.emulator.ids["opportunities"]["1"], "dataObjectApiName": "NewOpportunityObj"}
    crm("/cgi/crm/v2/data/update", {"data": {"object_data": deal, "skipDataStatusValidate": True}}, code=15002)


def test_a_custom_record_is_made_once_by_its_unique_name(crm: Any) -> None:
    record = {
        "name": "2026-03 41",
        "scoreback_person__c": [crm.emulator.ids["people"]["41"]],
        "scoreback_score__c": "81.00",
    }

    made = crm.write(record, kind=APPRAISALS, action="create")["dataId"]
    crm.write(record, kind=APPRAISALS, action="create", code=32000)

    rows = crm.query(kind=APPRAISALS)
    assert [(row["_id"], row["scoreback_score__c"]) for row in rows] == [(made, "81.00")]


def test_creating_may_hide_the_id_of_a_custom_record(crm: Any) -> None:
    crm.emulator.writing.answers_custom_id = False

    assert "dataId" not in crm.write({"name": "x"}, kind=APPRAISALS, action="create")


def test_create_needs_its_required_fields_and_an_owner_of_the_callers_generation(opened: Callable[..., Any]) -> None:
    crm = opened(style="header")

    crm.write({"amount": "1"}, action="create", code=15002)
    crm.write({"name": "New", "owner": [crm.emulator.ids["people"]["41"]]}, action="create", code=15002)
    made = crm.write({"name": "New", "owner": ["41"]}, action="create")["dataId"]
    assert crm.emulator.show("opportunities", made)["owner"] == [crm.emulator.ids["people"]["41"]]


def test_an_unknown_record_is_refused(crm: Any) -> None:
    crm.write({"_id": "5f323dd6d97520000155369f"}, code=32000)
    crm.write({"name": "x"}, code=20017)


def life(crm: Any, action: str, code: int = 0) -> None:
    row_id = crm.emulator.ids["opportunities"]["1"]
    which = {"object_data_id": row_id} if action == "invalid" else {"idList": [row_id]}
    crm(f"/cgi/crm/v2/data/{action}", {"data": {"dataObjectApiName": "NewOpportunityObj", **which}}, code)


def test_invalid_records_leave_the_lists_and_come_back(crm: Any) -> None:
    life(crm, "delete", code=32000)
    life(crm, "invalid")

    gone = crm.ids()
    crm.update("1", code=32000, scoreback_grade__c="A")
    assert crm.get("opportunities", "1")["life_status"] == "invalid"
    life(crm, "recover")

    assert "1" not in gone
    assert "1" in crm.ids()
    assert crm.get("opportunities", "1")["life_status"] == "normal"


def test_a_deleted_record_is_gone_for_good(crm: Any) -> None:
    life(crm, "invalid")
    life(crm, "delete")

    life(crm, "recover", code=32000)
    assert crm.emulator.show("opportunities", "1") is None


def test_invalid_records_are_listed_where_a_tenant_does_so(opened: Callable[..., Any]) -> None:
    crm = opened(shows_invalid=True)
    life(crm, "invalid")

    assert crm.query(limit=1)[0]["life_status"] == "invalid"


def test_the_owner_changes_by_its_own_call_and_takes_team_and_department_along(crm: Any) -> None:
    order = {"objectDataId": crm.emulator.ids["opportunities"]["2"], "ownerId": [crm.emulator.ids["people"]["43"]]}

    crm("/cgi/crm/v2/data/changeOwner", {"data": {"dataObjectApiName": "NewOpportunityObj", "Data": [order]}})

    row = crm.get("opportunities", "2")
    assert row["owner"] == [crm.emulator.ids["people"]["43"]]
    assert row["owner_department"] == "North A"
    assert row["relevant_team"][0]["teamMemberEmployee"] == row["owner"]


def test_an_account_in_a_pool_belongs_to_nobody_and_refuses(opened: Callable[..., Any]) -> None:
    crm = opened({"accounts": [{"id": "8", "name": "Pool"}]})

    crm.write({"_id": crm.emulator.ids["accounts"]["8"], "tel": "1"}, kind="AccountObj", code=32000)


def test_a_record_deleted_meanwhile(crm: Any) -> None:
    crm.arm("deleted_meanwhile")

    crm.update("1", code=32000, scoreback_grade__c="A")
    assert "1" not in crm.ids()


def test_a_locked_row_takes_the_next_try_and_a_refused_one_is_told_apart(crm: Any) -> None:
    crm.arm("locked_row")
    crm.arm("refused_row", after=1)

    locked = crm.update("1", code=32000, scoreback_grade__c="A")
    refused = crm.update("1", code=32000, scoreback_grade__c="A")
    crm.update("1", scoreback_grade__c="A")

    assert (locked["errorMessage"], refused["errorMessage"]) == ("数据已锁定", "不满足验证规则")


def test_every_second_record_is_refused_for_good(crm: Any) -> None:
    crm.arm("half_batch")

    for _ in range(2):
        for world_id, code in (("1", 32000), ("2", 0), ("3", 32000), ("4", 0)):
            crm.update(world_id, code=code, scoreback_grade__c="A")


def test_a_connection_cut_after_the_update_leaves_it_applied(crm: Any) -> None:
    crm.sign_in()
    crm.arm("cut")
    record = {
        "_id": crm.emulator.ids["opportunities"]["1"],
        "dataObjectApiName": "NewOpportunityObj",
        "scoreback_grade__c": "A",
    }

    reply = crm.raw("/cgi/crm/v2/data/update", {**crm.auth, "data": {"object_data": record}})

    assert reply.cut
    assert crm.get("opportunities", "1")["scoreback_grade__c"] == "A"


def test_an_unknown_field_may_be_passed_over(crm: Any) -> None:
    crm.emulator.writing.ignores_unknown_fields = True

    crm.update("1", unheard_of__c="1", scoreback_grade__c="A")

    assert "unheard_of__c" not in crm.get("opportunities", "1")
