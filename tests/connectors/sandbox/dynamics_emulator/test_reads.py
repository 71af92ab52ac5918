"""Reading from the Dynamics emulator: queries, pages, navigation, change tracking, audit, the world."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.connectors.sandbox.dynamics_emulator.conftest import Caller, data_of

TRACK = {"prefer": "odata.track-changes,odata.maxpagesize=2"}


def test_money_comes_with_ten_digits_its_base_twin_and_the_rate(crm: Caller) -> None:
    reply = crm("GET", f"{crm.deal('2')}?$select=estimatedvalue,estimatedvalue_base,exchangerate")

    assert '"estimatedvalue":220.0000000000,' in reply.body
    row = data_of(reply)
    assert (row["estimatedvalue_base"], row["exchangerate"]) == (Decimal(110), Decimal(2))


def test_only_what_is_selected_comes_and_nulls_come_as_null(crm: Caller) -> None:
    row = crm.get(f"{crm.deal('1')}?$select=actualclosedate,name")

    assert row["actualclosedate"] is None
    assert set(row) == {"@odata.context", "@odata.etag", "actualclosedate", "name", "opportunityid"}


def test_annotations_come_when_they_are_asked_for(crm: Caller) -> None:
    wanted = (
        'odata.include-annotations="OData.Community.Display.V1.FormattedValue,Microsoft.Dynamics.CRM.lookuplogicalname"'
    )

    row = crm.get(f"{crm.deal('1')}?$select=statecode,_ownerid_value,estimatedvalue", prefer=wanted)

    assert row["statecode@OData.Community.Display.V1.FormattedValue"] == "Open"
    assert row["_ownerid_value@OData.Community.Display.V1.FormattedValue"] == "Ann Lee"
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "systemuser"
    assert row["estimatedvalue@OData.Community.Display.V1.FormattedValue"] == "€100.50"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("modifiedon ge 2026-02-02T10:00:00Z and modifiedon lt 2026-02-04T10:00:00Z", ["Deal 2", "Deal 3"]),
        ("statecode ne 0", ["Deal 3"]),
        ("not (statecode eq 0)", ["Deal 3"]),
        ("actualclosedate eq null and contains(name,'deal 1')", ["Deal 1"]),
        ("startswith(name,'Deal 2') or endswith(name,'4')", ["Deal 2", "Deal 4"]),
        ("parentaccountid/name eq 'Acme' and estimatedvalue gt 200", ["Deal 2"]),
        ("Microsoft.Dynamics.CRM.In(PropertyName='new_externalid',PropertyValues=['X1','X4'])", ["Deal 1", "Deal 4"]),
        ("new_externalid eq @x&@x='X4'", ["Deal 4"]),
    ],
)
def test_filters_answer_what_they_ask(crm: Caller, text: str, expected: list[str]) -> None:
    rows = crm.get(f"opportunities?$select=name&$orderby=name asc&$filter={text}")["value"]

    assert [row["name"] for row in rows] == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("$skip=1", "0x80060888"),
        ("$search=x", "0x80060888"),
        ("$select=nope", "0x80041103"),
        ("$filter=nope eq 1", "0x80041103"),
        ("$filter=name eq 1", "0x80060888"),
        ("$filter=opportunityid eq 'x'", "0x80060888"),
        ("$filter=name eq", "0x80060888"),
        ("$orderby=name sideways", "0x80060888"),
        ("$expand=Owner", "0x80041103"),
        ("$expand=ownerid($select=fullname)", "0x80041103"),
        ("$top=0", "0x80060888"),
    ],
)
def test_queries_that_dataverse_refuses_are_refused(crm: Caller, query: str, code: str) -> None:
    assert crm.code("GET", f"opportunities?{query}") == (400, code)


@pytest.mark.parametrize(
    "order", ["modifiedon asc,opportunityid asc", "modifiedon desc", "name desc", "opportunityid asc", ""]
)
def test_pages_hold_every_row_once(crm: Caller, order: str) -> None:
    query = f"&$orderby={order}" if order else ""

    rows = crm.walk(f"opportunities?$select=name{query}", prefer="odata.maxpagesize=1")

    assert sorted(row["name"] for row in rows) == ["Deal 1", "Deal 2", "Deal 3", "Deal 4"]


def test_a_next_link_that_was_altered_fails(crm: Caller) -> None:
    link = crm.get("opportunities?$select=name", prefer="odata.maxpagesize=1")["@odata.nextLink"]

    assert crm.code("GET", link.replace("select=name", "select=stepname")) == (400, "0x80040203")


def test_a_known_etag_answers_304_unless_annotations_are_wanted(crm: Caller) -> None:
    etag = crm.get(crm.deal("1"))["@odata.etag"]

    assert crm("GET", crm.deal("1"), if_none_match=etag).status == 304
    assert crm("GET", crm.deal("1"), if_none_match=etag, prefer='odata.include-annotations="*"').status == 200


def test_expands_and_navigation_lead_to_other_rows(crm: Caller) -> None:
    row = crm.get(
        f"{crm.deal('1')}?$select=name&$expand=owninguser($select=fullname),product_opportunities($select=quantity)"
    )

    assert row["owninguser"]["fullname"] == "Ann Lee"
    assert [one["quantity"] for one in row["product_opportunities"]] == [2]
    assert crm.get(f"{crm.deal('1')}/parentaccountid?$select=name")["name"] == "Acme"
    assert crm.get(f"{crm.deal('1')}/closeprobability")["value"] == 25


def test_a_delta_link_tells_changes_and_deletions_and_nothing_twice(crm: Caller) -> None:
    page = crm.get("opportunities?$select=name", **TRACK)
    assert "@odata.deltaLink" not in page
    link = crm.get(page["@odata.nextLink"], **TRACK)["@odata.deltaLink"]
    crm.emulator.edit("opportunities", "1", {"name": "Renamed"})
    crm.emulator.remove("opportunities", "2")

    changed = crm.get(link, **TRACK)

    assert [row.get("name", row.get("reason")) for row in changed["value"]] == ["Renamed", "deleted"]
    assert changed["value"][1]["id"] == crm.emulator.ids["opportunities"]["2"]
    assert crm.get(changed["@odata.deltaLink"], **TRACK)["value"] == []


def test_a_row_made_and_deleted_between_polls_is_told_as_deleted_only(crm: Caller) -> None:
    link = crm.get("accounts?$select=name", **TRACK)["@odata.deltaLink"]
    made = crm.emulator.edit("accounts", None, {"name": "Brief"})
    crm.emulator.remove("accounts", made)

    rows = crm.get(link, **TRACK)["value"]

    assert [(row["id"], row["reason"]) for row in rows] == [(made, "deleted")]


def test_change_tracking_refuses_filters_old_tokens_and_tables_without_it(make_crm: Callable[..., Caller]) -> None:
    crm = make_crm(untracked=["account"])
    link = crm.get("contacts", **TRACK)["@odata.deltaLink"]
    crm.wait(8 * 86_400)

    assert crm.code("GET", link) == (400, "0x80044352")
    assert crm.code("GET", "accounts", **TRACK) == (400, "0x80072491")
    assert crm("GET", "contacts?$filter=statecode eq 0", **TRACK).status == 400


def test_the_audit_tells_who_won_a_deal_and_when(crm: Caller) -> None:
    deal = crm.emulator.ids["opportunities"]["3"]

    rows = crm.get(f"audits?$filter=_objectid_value eq {deal} and operation eq 2")["value"]
    detail = crm.get(f"audits({rows[0]['auditid']})/Microsoft.Dynamics.CRM.RetrieveAuditDetails")["AuditDetail"]
    history = crm.get(
        f"RetrieveRecordChangeHistory(Target=@t,PagingInfo=@p)?@t={{'@odata.id':'opportunities({deal})'}}"
        '&@p={"PageNumber":1,"Count":1,"ReturnTotalRecordCount":true}'
    )["AuditDetailCollection"]

    assert (rows[0]["action"], rows[0]["createdon"]) == (44, "2026-02-03T10:00:00Z")
    assert rows[0]["_userid_value"] == crm.emulator.ids["people"]["p1"]
    assert (detail["OldValue"]["stepname"], detail["NewValue"]["stepname"]) == ("Start", "Won")
    assert (history["MoreRecords"], history["TotalRecordCount"]) == (True, 2)


def test_a_table_that_is_not_installed_is_no_segment(make_crm: Callable[..., Caller]) -> None:
    reply = make_crm(off=["msfp_surveyresponse"])("GET", "msfp_surveyresponses")

    assert reply.status == 404
    assert reply.body["error"]["message"] == "Resource not found for the segment 'msfp_surveyresponses'."


def test_the_world_has_its_place(crm: Caller) -> None:
    person = crm.emulator.ids["people"]["p1"]

    assert crm.get(f"systemusers({person})?$expand=parentsystemuserid($select=fullname,isdisabled)")[
        "parentsystemuserid"
    ]["isdisabled"]
    call = crm.get("phonecalls?$select=actualdurationminutes,statecode,_regardingobjectid_value")["value"][0]
    assert (call["actualdurationminutes"], call["statecode"]) == (10, 1)
    assert call["_regardingobjectid_value"] == crm.emulator.ids["opportunities"]["1"]
    assert [one["category"] for one in crm.get("appointments?$select=category")["value"]] == ["Visit"]
    assert len(crm.get("activitypointers?$select=subject")["value"]) == 3  # the close of the won deal is one as well
    assert [one["targetmoney"] for one in crm.get("goals?$select=targetmoney")["value"]] == [5000]
    assert sorted(one["ismaster"] for one in crm.get("connections?$select=ismaster")["value"]) == [False, True]


def test_in_takes_logical_names_and_not_what_json_calls_a_lookup(crm: Caller) -> None:
    account = crm.emulator.ids["accounts"]["a1"]
    by_name = f"opportunities?$filter=Microsoft.Dynamics.CRM.In(PropertyName='customerid',PropertyValues=['{account}'])"
    by_alias = "opportunities?$filter=Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)&@p1='name'"

    assert len(crm.get(by_name)["value"]) == 4
    assert crm.code("GET", by_name.replace("customerid", "_customerid_value")) == (400, "0x80041103")
    assert len(crm.get(f'{by_alias}&@p2=["Deal 1","Deal 2","nobody\'s"]'.replace("'s", ""))["value"]) == 2


@pytest.mark.parametrize("option", ["fetchXml=%3Cfetch/%3E", "sql=SELECT%20name%20FROM%20account", "savedQuery=x"])
def test_ways_to_query_that_are_not_emulated_say_so(crm: Caller, option: str) -> None:
    assert crm.code("GET", f"accounts?{option}")[0] == 501
