"""Queries, pages, filters and descriptions of the Fxiaoke emulator."""

from collections.abc import Callable
from typing import Any

import pytest

BY_ID = [{"fieldName": "_id", "isAsc": True}]


def where(name: str, operator: str, *values: Any) -> dict[str, Any]:
    return {"field_name": name, "operator": operator, "field_values": list(values)}


def test_pages_by_id_give_every_record_once(crm: Any) -> None:
    rows: list[dict[str, Any]] = []
    while True:
        more = [where("_id", "GT", rows[-1]["_id"])] if rows else []
        found = crm.query(*more, limit=3, orders=BY_ID)
        rows += found
        if len(found) < 3:
            break

    assert [row["name"] for row in rows] == [f"Deal {number}" for number in range(1, 8)]
    assert [row["_id"] for row in rows] == sorted(row["_id"] for row in rows)


def test_a_range_of_changes_gives_the_same_rows_whichever_index_serves_it(crm: Any) -> None:
    low, high = (str(crm.emulator.rows.tenant.tables["NewOpportunityObj"].rows[crm.emulator.ids["opportunities"][one]]["last_modified_time"]) for one in "35")  # fmt: skip

    found = crm.ids(where("last_modified_time", "GTE", low), where("last_modified_time", "LT", high), orders=BY_ID)
    between = crm.ids(where("last_modified_time", "BETWEEN", low, high))

    assert found == ["3", "4"]
    assert between == ["3", "4", "5"]


def test_a_range_of_ids_holds_its_lower_end(crm: Any) -> None:
    sixth = crm.emulator.ids["opportunities"]["6"]

    assert crm.ids(where("_id", "GTE", sixth)) == ["6", "7"]
    assert crm.ids(where("_id", "GT", sixth)) == ["7"]


def test_a_record_that_changed_again_is_listed_once(crm: Any) -> None:
    everything = where("last_modified_time", "GTE", "1")
    crm.query(everything)
    crm.update("1", scoreback_grade__c="A")

    assert crm.ids(everything) == ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        pytest.param(where("amount", "GT", "500.50"), ["6", "7"], id="numbers as numbers"),
        pytest.param(where("amount", "EQ", "100.5"), ["1"], id="equal in value"),
        pytest.param(where("name", "LIKE", "eal 3"), ["3"], id="a part"),
        pytest.param(where("name", "IN", "Deal 1", "Deal 7"), ["1", "7"], id="one of several"),
        pytest.param(where("owner", "IS"), ["2", "4", "6"], id="empty"),
        pytest.param(where("owner", "ISN", ""), ["1", "3", "5", "7"], id="not empty"),
        pytest.param(where("name", "N", "Deal 1"), ["2", "3", "4", "5", "6", "7"], id="not equal"),
        pytest.param(
            where("next_step__c", "N", "x"), ["1", "2", "3", "4", "5", "6", "7"], id="not equal matches empty"
        ),
        pytest.param(where("name", "ENDWITH", "2"), ["2"], id="the end"),
        pytest.param(where("close_date", "N", "1774886400000"), [], id="not equal of a moment"),
        pytest.param(where("name", "HASANYOF", "Deal 4"), ["4"], id="any of"),
        pytest.param(where("amount", "NBETWEEN", "200", "700.50"), ["1"], id="outside"),
    ],
)
def test_a_filter(crm: Any, test: dict[str, Any], expected: list[str]) -> None:
    assert crm.ids(test, orders=BY_ID) == expected


def test_people_are_filtered_by_the_id_of_the_callers_generation(opened: Callable[..., Any]) -> None:
    old, new = opened(), opened(style="header")

    assert old.ids(where("owner", "IN", old.emulator.ids["people"]["41"])) == ["1", "3", "5", "7"]
    assert new.ids(where("owner", "IN", "41")) == ["1", "3", "5", "7"]
    assert old.ids(where("owner", "IN", "41")) == []


def test_options_are_compared_by_value_never_by_label(crm: Any) -> None:
    value = crm.query(limit=1)[0]["sales_status"]

    assert crm.ids(where("sales_status", "EQ", "进行中")) == []
    assert len(crm.ids(where("sales_status", "EQ", value))) == 7


@pytest.mark.parametrize(
    ("search", "code"),
    [
        pytest.param({"limit": 101}, 15002, id="more than 100"),
        pytest.param({"limit": 0}, 15002, id="none"),
        pytest.param({"limit": 3, "offset": 4}, 15002, id="offset is no multiple of limit"),
        pytest.param({"offset": 10_100}, 10013, id="offset beyond 10000"),
        pytest.param({"order": BY_ID}, 15002, id="misspelt key"),
        pytest.param({"orders": [{"field_name": "_id", "isAsc": True}]}, 15002, id="misspelt key of an order"),
        pytest.param({"filters": [where("amount", "NEQ", "1")]}, 15002, id="unknown operator"),
        pytest.param({"filters": [where("amount", "CONTAINS", "1")]}, 15002, id="operator of custom objects"),
        pytest.param({"filters": [where("amounts", "EQ", "1")]}, 15002, id="unknown field"),
        pytest.param({"filters": [where("amount", "EQ")]}, 15002, id="no value"),
        pytest.param({"filters": [where("amount", "EQ", "much")]}, 15002, id="no number"),
        pytest.param({"filters": [where("amount", "BETWEEN", "1")]}, 15002, id="one bound"),
        pytest.param({"filters": [{"field_name": "name", "operator": "EQ", "field_values": "x"}]}, 15002, id="no list"),
    ],
)
def test_a_query_that_is_refused(crm: Any, search: dict[str, Any], code: int) -> None:
    crm.page(search, code=code)


def test_unknown_keys_pass_in_silence_when_faithful(opened: Callable[..., Any]) -> None:
    crm = opened(strict=False)

    assert len(crm.page({"order": BY_ID}, misspelt=1)["dataList"]) == 7


def test_unknown_keys_are_refused_at_every_level(crm: Any) -> None:
    crm.page({}, misspelt=1, code=15002)
    crm("/cgi/crm/v2/object/list", {"misspelt": 1}, code=15002)
    crm("/cgi/user/list", {"departmentId": 999999, "misspelt": 1}, code=15002)


def test_total_is_0_when_it_is_switched_off(crm: Any) -> None:
    assert crm.page({"limit": 2})["total"] == 7
    assert crm.page({"limit": 2}, find_explicit_total_num=False)["total"] == 0


def test_empty_fields_are_absent_unless_nulls_are_asked_for(crm: Any) -> None:
    body = {
        "data": {"dataObjectApiName": "NewOpportunityObj", "search_query_info": {"fieldProjection": ["name", "owner"]}}
    }

    plain = crm("/cgi/crm/v2/data/query", body)["data"]["dataList"][1]
    full = crm("/cgi/crm/v2/data/query", {**body, "includeNull": True})["data"]["dataList"][1]

    assert plain == {"name": "Deal 2"}
    assert full == {"name": "Deal 2", "owner": None}


def test_a_record_speaks_fxiaokes_types(crm: Any) -> None:
    row = crm.get("opportunities", "1")

    assert row["amount"] == "100.50"
    assert row["probability"] == "25"
    assert row["opp_discount"] == "10"
    assert row["probability_amount"] == "25.12"
    assert row["owner"] == [crm.emulator.ids["people"]["41"]]
    assert row["owner__r"]["name"] == "Ada Lu"
    assert row["account_id__r"] == "Acme"
    assert row["sales_stage__r"] == "Open"
    assert row["sales_process_id__r"] == "New"
    assert row["close_date"] == 1774886400000  # 2026-03-31 in the tenant's zone, 8 hours before that day in UTC
    assert row["external_id__c"] == "D-1"
    assert "owner" not in crm.get("opportunities", "2")


def test_the_new_generation_reads_employee_numbers_or_what_it_asks_for(opened: Callable[..., Any]) -> None:
    crm = opened(style="header")
    body = {"data": {"dataObjectApiName": "NewOpportunityObj", "objectDataId": crm.emulator.ids["opportunities"]["1"]}}

    assert crm("/cgi/crm/v2/data/get", body)["data"]["owner"] == ["41"]
    converted = crm("/cgi/crm/v2/data/get", {**body, "convertUserId": True})
    assert converted["data"]["owner"] == [crm.emulator.ids["people"]["41"]]


def test_objects_live_under_the_path_of_their_kind(crm: Any) -> None:
    body = {"data": {"dataObjectApiName": "object_Sb7Kq__c", "search_query_info": {}}}

    crm("/cgi/crm/v2/data/query", body, code=15002)
    crm("/cgi/crm/custom/v2/data/query", body)
    crm("/cgi/crm/custom/v2/data/findSimple", body)
    assert crm("/cgi/crm/custom/v2/data/findOne", body)["data"]["objectData"] is None


def test_find_simple_has_no_calculated_values(crm: Any) -> None:
    body = {"data": {"dataObjectApiName": "NewOpportunityObj", "search_query_info": {"limit": 1}}}

    row = crm("/cgi/crm/custom/v2/data/findSimple", body)["data"]["dataList"][0]

    assert "amount" in row
    assert "probability_amount" not in row


def test_describe_tells_types_decimals_and_options_however_it_is_asked(crm: Any) -> None:
    new = crm("/cgi/crm/v2/object/describe", {"includeDetail": False, "data": {"apiName": "NewOpportunityObj"}})
    old = crm("/cgi/crm/v2/object/describe", {"includeDetail": True, "apiName": "NewOpportunityObj"})
    crm("/cgi/crm/v2/object/describe", {"data": {"apiName": "NewOpportunityObj", "includeDetail": False}})
    crm("/cgi/crm/v2/object/describe", {"data": {"apiName": "NewOpportunityObj"}}, code=20017)

    fields = new["data"]["describe"]["fields"]
    assert fields == old["data"]["describe"]["fields"]
    assert (fields["amount"]["type"], fields["amount"]["decimal_places"]) == ("currency", 2)
    assert [one["label"] for one in fields["sales_stage"]["options"]] == ["Open", "Won"]
    assert fields["scoreback_score__c"]["define_type"] == "custom"
    crm("/cgi/crm/v2/object/describe", {"includeDetail": False, "data": {"apiName": "DealObj"}}, code=15002)


def test_a_custom_field_exists_when_it_is_configured(opened: Callable[..., Any]) -> None:
    crm = opened(custom_fields={"NewOpportunityObj": ["field_Xy12z__c number:1 AI评分"]})

    body = crm("/cgi/crm/v2/object/describe", {"includeDetail": False, "data": {"apiName": "NewOpportunityObj"}})

    assert body["data"]["describe"]["fields"]["field_Xy12z__c"]["decimal_places"] == 1


def test_the_object_list_says_which_generation_of_opportunities_is_on(crm: Any) -> None:
    objects = crm("/cgi/crm/v2/object/list")["data"]["objects"]

    active = {one["describeApiName"]: one["isActive"] for one in objects}
    assert active["NewOpportunityObj"] is True
    assert active["OpportunityObj"] is False
    crm.query(kind="OpportunityObj", code=15002)


def test_people_hang_in_departments_under_regions(crm: Any) -> None:
    departments = {one["name"]: one for one in crm("/cgi/department/list")["departments"]}
    body = {"departmentId": 999999, "fetchChild": True, "showDepartmentIdsDetail": True}
    people = {one["name"]: one for one in crm("/cgi/user/list", body)["userList"]}

    assert departments["North A"]["parentId"] == departments["North"]["id"]
    assert departments["North"]["parentId"] == 999999
    assert people["Ada Lu"]["mainDepartmentId"] == departments["North A"]["id"]
    assert people["Ada Lu"]["leaderId"] == people["Cy Ng"]["openUserId"]
    assert people["Bo Ma"]["isStop"] is True
    detail = crm("/cgi/department/detail", {"departmentId": departments["North A"]["id"]})
    assert detail["department"]["principalId"] == people["Cy Ng"]["openUserId"]


def test_the_directory_speaks_the_callers_generation(opened: Callable[..., Any]) -> None:
    crm = opened(style="header")
    body = {"departmentId": 999999, "fetchChild": True}

    people = {one["name"]: one for one in crm("/cgi/user/list", body)["userList"]}

    assert (people["Ada Lu"]["openUserId"], people["Ada Lu"]["leaderId"]) == ("41", "43")
    assert crm("/cgi/user/get", {"openUserId": "41"})["name"] == "Ada Lu"
    converted = {one["name"]: one for one in crm("/cgi/user/list", {**body, "convertUserId": True})["userList"]}
    assert converted["Ada Lu"]["openUserId"] == crm.emulator.ids["people"]["41"]


def test_the_directory_refuses_what_it_does_not_know(crm: Any) -> None:
    crm("/cgi/user/list", {"departmentId": 12345}, code=30007)
    crm("/cgi/user/list", code=20017)
    crm("/cgi/user/get", {"openUserId": "FSUID_0"}, code=30027)
    assert crm("/cgi/user/getByMobile", {"mobile": "1"})["empList"] == []


def test_personnel_are_invisible_until_the_right_is_given(opened: Callable[..., Any]) -> None:
    assert opened().query(kind="PersonnelObj") == []
    assert len(opened(personnel=True).query(kind="PersonnelObj")) == 3


def test_the_team_is_told_for_accounts_only(crm: Any) -> None:
    body = {"apiName": "AccountObj", "data": {"dataID": crm.emulator.ids["accounts"]["7"]}}

    member = crm("/cgi/crm/team/get", body)["data"]["objectList"][0]

    assert (member["teamMemberEmployee"], member["teamMemberRole"]) == ([crm.emulator.ids["people"]["41"]], "1")
    crm("/cgi/crm/team/get", {**body, "apiName": "NewOpportunityObj"}, code=15002)


def test_a_page_cap_is_told_in_the_answer(opened: Callable[..., Any]) -> None:
    page = opened(page_cap=2).page({"limit": 100})

    assert (len(page["dataList"]), page["limit"]) == (2, 2)


def test_missing_and_mistyped_fields(crm: Any) -> None:
    crm.arm("missing_field", field="amount", object="NewOpportunityObj")
    crm.arm("wrong_type", field="probability")

    row = crm.query(limit=1)[0]
    body = crm("/cgi/crm/v2/object/describe", {"includeDetail": False, "data": {"apiName": "NewOpportunityObj"}})

    assert "amount" not in row
    assert row["probability"] == {"value": "25"}
    assert "amount" not in body["data"]["describe"]["fields"]
    assert body["data"]["describe"]["fields"]["probability"]["type"] == "array"
    crm.query(where("amount", "EQ", "1"), code=15002)


def test_empty_lists_are_no_error(crm: Any) -> None:
    crm.arm("empty")

    assert crm.query() == []
    assert crm("/cgi/user/list", {"departmentId": 999999, "fetchChild": True})["userList"] == []


def test_a_record_that_moves_between_two_pages_hides_another_from_paging_by_offset(crm: Any) -> None:
    run = where("last_modified_time", "LT", str(crm.now_ms()))
    crm.arm("moving_record")

    first = crm.ids(run, limit=3, offset=0)
    second = crm.ids(run, limit=3, offset=3)

    assert (first, second) == (["1", "2", "3"], ["5", "6", "7"])
