"""What check and provision tell an admin."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from connectors.base import FieldSpec, WriteTarget

MakeTenant = Callable[..., Any]
DEALS = WriteTarget("opportunity")
APPRAISALS = WriteTarget("person", into="object_Sb7Kq__c", key="name")
WRITE_BACK = {
    "opportunity": {"scoreback_score__c": "score"},
    "person": {"into": "object_Sb7Kq__c", "key": "name", "fields": {"scoreback_band__c": "band"}},
}


def findings(connector: Any, level: str) -> dict[str, str]:
    return {one.where: f"{one.text} {one.advice}" for one in connector.check() if one.level == level}


def test_a_tenant_in_order_has_neither_errors_nor_warnings(tenant: Any) -> None:
    tenant.emulator.clock = lambda: datetime.now(UTC)
    connector = tenant.connect(write_back=WRITE_BACK)

    found = list(connector.check())

    assert {one.where: one.text for one in found if one.level in ("error", "warning")} == {}
    said = {one.where: one.text for one in found if one.level == "ok"}
    assert {"sign-in", "clock", "outcomes", "write_back.opportunity", "write_back.person"} <= set(said)
    assert "sees 3 rows" in said["stream opportunity"]


def test_mapped_fields_and_missing_objects_are_named(tenant: Any) -> None:
    connector = tenant.connect(
        fields={"opportunity": {"next_step": "no_such__c"}}, objects={"forecast": "object_no__c"}
    )

    errors = findings(connector, "error")

    assert "no_such__c" in errors["stream opportunity"]
    assert "object_no__c" in errors["stream forecast"]


def test_fewer_rights_and_no_people_are_told(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(no_rights=["AccountObj"])
    tenant.arm("empty", match="user/list", times=None)

    errors = findings(tenant.connect(), "error")

    assert "20014" in errors["stream account"]
    assert "no employee" in errors["stream person"]


def test_a_missing_right_ends_its_own_question_only(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(no_rights=["AccountObj"])
    tenant.arm("no_permission", match="department/list", times=None)
    connector = tenant.connect(write_back=WRITE_BACK)

    found = {(one.where, one.level) for one in connector.check()}

    assert {("stream person", "error"), ("stream account", "error"), ("write_back.person", "ok")} <= found


def test_states_and_stages_that_nobody_named_are_listed(tenant: Any) -> None:
    tenant.emulator.tenant.objects["NewOpportunityObj"].fields["sales_status"].options["zz"] = "搁置"
    stages = {"default": [{"stage": tenant.id("stages", "s1"), "outcome": "open"}]}

    warnings = findings(tenant.connect(stages=stages), "warning")

    assert "搁置 (zz)" in warnings["outcomes"]
    assert tenant.id("stages", "s2") in warnings["stages"]


def test_both_generations_of_deals_at_once_need_a_decision(tenant: Any) -> None:
    tenant.emulator.tenant.objects["OpportunityObj"].active = True

    warnings = findings(tenant.connect(), "warning")

    assert "only NewOpportunityObj is read" in warnings["stream opportunity"]


def test_a_clock_that_is_off_is_told(tenant: Any) -> None:
    warnings = findings(tenant.connect(), "warning")  # the emulated clock is ten minutes ahead

    assert "+" in warnings["clock"]


def test_what_cannot_be_written_is_told(tenant: Any) -> None:
    write_back = {
        "opportunity": {"scoreback_score__c": "score", "cost_time": "grade"},
        "person": {"into": "object_no__c", "key": "name", "fields": {"scoreback_band__c": "band"}},
    }

    errors = findings(tenant.connect(write_back=write_back), "error")

    assert "cost_time" in errors["write_back.opportunity"]
    assert "object_no__c" in errors["write_back.person"]


def test_a_field_that_every_row_of_ours_would_need_is_named(tenant: Any) -> None:
    tenant.emulator.tenant.objects["object_Sb7Kq__c"].add("must__c text! 必")

    errors = findings(tenant.connect(write_back=WRITE_BACK), "error")

    assert "must__c" in errors["write_back.person"]


def test_people_who_are_named_otherwise_than_in_records_are_an_error(make_tenant: MakeTenant) -> None:
    tenant = make_tenant()
    tenant.emulator.directory.converts = True

    errors = findings(tenant.connect(sign_in={"flow": "header", "user": "1000"}), "error")

    assert "FSUID_" in errors["stream person"]


def test_a_total_that_is_told_for_a_number_only_is_asked_for_in_those_words(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(totals="number")
    connector = tenant.connect()

    assert connector.count(tenant.streams["opportunity"]) == 3
    assert connector.count(tenant.streams["account"]) == 2


def test_a_total_that_is_not_told_is_not_known(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(totals="never")
    connector = tenant.connect()

    assert connector.count(tenant.streams["opportunity"]) is None
    assert make_tenant({}, totals="never").connect().count(tenant.streams["account"]) == 0
    assert "does not tell how many" in findings(connector, "ok")["stream account"]


def test_provision_says_what_exists_and_what_an_administrator_makes(tenant: Any) -> None:
    tenant.emulator.tenant.objects["NewOpportunityObj"].add("flat__c number:0 平")
    tenant.emulator.tenant.objects["NewOpportunityObj"].add("must__c text! 必")
    wanted = [
        FieldSpec(DEALS, "scoreback_score__c", "Score", "number"),
        FieldSpec(DEALS, "no_such__c", "Score", "number"),
        FieldSpec(DEALS, "scoreback_grade__c", "When", "datetime"),
        FieldSpec(DEALS, "flat__c", "Flat", "number"),
        FieldSpec(DEALS, "must__c", "Must", "text"),
        FieldSpec(DEALS, "scoreback_plan__c", "Plan", "text", 300),
        FieldSpec(APPRAISALS, "name", "Key", "text"),
        FieldSpec(WriteTarget("person", "object_no__c", "name"), "x__c", "X", "text"),
    ]

    found = {one.name: one for one in tenant.connect().provision(wanted, dry_run=False)}

    deal = "NewOpportunityObj"
    assert {name for name, one in found.items() if one.state == "exists"} == {
        f"{deal}.scoreback_score__c", "object_Sb7Kq__c.name",
    }  # fmt: skip
    assert {one.state for one in found.values()} == {"exists", "by_hand"}
    assert "新建字段" in found[f"{deal}.no_such__c"].text
    assert "of type text" in found[f"{deal}.scoreback_grade__c"].text
    assert "takes 0 decimals" in found[f"{deal}.flat__c"].text
    assert "not be required" in found[f"{deal}.must__c"].text
    assert "takes 256 characters" in found[f"{deal}.scoreback_plan__c"].text
    assert "新建自定义对象" in found["object_no__c"].text


def test_taking_our_fields_away_is_done_by_hand_too(tenant: Any) -> None:
    wanted = [FieldSpec(DEALS, name, "x", "text") for name in ("scoreback_grade__c", "no_such__c")]

    found = [one.state for one in tenant.connect().unprovision(wanted, dry_run=False)]

    assert found == ["by_hand", "missing"]


def test_a_field_that_a_score_stands_on_is_an_error_and_another_one_a_warning(tenant: Any) -> None:
    fields = tenant.emulator.tenant.objects["NewOpportunityObj"].fields
    del fields["amount"], fields["opp_discount"]
    connector = tenant.connect()

    found = [(one.level, one.text) for one in connector.check() if one.where == "stream opportunity"]

    assert [level for level, text in found if "amount" in text] == ["error"]
    assert [level for level, text in found if "opp_discount" in text] == ["warning"]


def test_goal_rules_that_nobody_named_are_listed(tenant: Any) -> None:
    infos = findings(tenant.connect(), "info")

    assert "bookings" in infos["stream target"]
