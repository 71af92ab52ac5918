"""Writing to Fxiaoke: one record a call, a verdict for each, nothing set off, nothing made twice."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Rejection, Write, WriteTarget
from connectors.errors import ConfigError, ContractError, ForbiddenError

MakeTenant = Callable[..., Any]
DEALS = WriteTarget("opportunity")
APPRAISALS = WriteTarget("person", into="object_Sb7Kq__c", key="name")
FIELDS: dict[str, Any] = {
    "scoreback_score__c": Decimal("78.50"), "scoreback_grade__c": "B", "scoreback_reasons__c": "+15 会议 🚀\n−20 推迟",
    "scoreback_scored_at__c": datetime(2026, 3, 31, 10, 30, tzinfo=UTC),
}  # fmt: skip

BAND = {"scoreback_band__c": "B"}


def write(connector: Any, target: WriteTarget, *writes: Write) -> dict[str, Rejection | None]:
    return {one.remote_id: one.rejected for one in connector.write(target, writes)}


def test_a_write_is_one_call_that_sets_nothing_off(tenant: Any) -> None:
    connector, deal = tenant.connect(), tenant.id("opportunities", "100")
    write(connector, DEALS, Write(deal, {"scoreback_grade__c": "C"}))

    calls = tenant.calls(lambda: write(connector, DEALS, Write(deal, FIELDS)))

    assert calls == {"crm/v2/data/update": 1}
    assert connector.read_fields(DEALS, [deal], list(FIELDS)) == {deal: FIELDS}
    assert sum(tenant.emulator.writing.fired.values()) == 0


def test_an_update_that_empties_what_was_not_sent_ends_the_push(tenant: Any) -> None:
    tenant.emulator.writing.empties_unsent_fields = True
    connector, deals = tenant.connect(), [tenant.id("opportunities", name) for name in ("100", "101")]

    with pytest.raises(ContractError, match=r"emptied .*amount"):
        write(connector, DEALS, *(Write(deal, FIELDS) for deal in deals))

    assert "amount" in tenant.show("opportunities", "101")


def test_the_first_write_of_a_process_is_looked_at_and_no_other(tenant: Any) -> None:
    connector, deal = tenant.connect(), tenant.id("opportunities", "100")
    connector.api.describe("NewOpportunityObj")

    calls = tenant.calls(lambda: [write(connector, DEALS, Write(deal, FIELDS)) for _ in range(3)])

    assert calls == {"crm/v2/data/query": 2, "crm/v2/data/update": 3}


def test_automation_runs_where_the_admin_wants_it(tenant: Any) -> None:
    connector = tenant.connect(automation="on")

    write(connector, DEALS, Write(tenant.id("opportunities", "100"), {"scoreback_grade__c": "C"}))

    assert tenant.emulator.writing.fired == {"workflow": 1, "approval": 1}


def test_empty_values_empty_the_fields(tenant: Any) -> None:
    connector, deal = tenant.connect(), tenant.id("opportunities", "100")
    write(connector, DEALS, Write(deal, FIELDS))

    write(connector, DEALS, Write(deal, dict.fromkeys(FIELDS)))

    assert connector.read_fields(DEALS, [deal], list(FIELDS)) == {deal: dict.fromkeys(FIELDS)}


def test_a_day_is_a_midnight_of_the_tenant(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(custom_fields={"NewOpportunityObj": ["scored_on__c date 评分日期"]})
    connector, deal = tenant.connect(), tenant.id("opportunities", "100")

    write(connector, DEALS, Write(deal, {"scored_on__c": date(2026, 3, 1)}))

    assert tenant.show("opportunities", "100")["scored_on__c"] == 1772294400000  # 2026-02-28T16:00Z
    assert connector.read_fields(DEALS, [deal], ["scored_on__c"]) == {deal: {"scored_on__c": date(2026, 3, 1)}}


def test_a_locked_record_waits_and_is_not_unlocked(tenant: Any) -> None:
    connector, deal = tenant.connect(), tenant.id("opportunities", "100")
    tenant.emulator.edit("opportunities", "100", {"lock_status": "1"})

    refused = write(connector, DEALS, Write(deal, FIELDS))[deal]

    assert refused is not None
    assert (refused.code, refused.recovery) == ("32000", "retry")
    assert tenant.show("opportunities", "100")["lock_status"] == "1"


def test_a_locked_record_costs_one_look_at_it(tenant: Any) -> None:
    connector, deal = tenant.connect(), tenant.id("opportunities", "100")
    write(connector, DEALS, Write(tenant.id("opportunities", "101"), FIELDS))
    tenant.emulator.edit("opportunities", "100", {"lock_status": "1"})

    calls = tenant.calls(lambda: write(connector, DEALS, Write(deal, FIELDS)))

    assert calls == {"crm/v2/data/update": 1, "crm/v2/data/query": 1}


def test_what_a_refusal_means_is_seen_at_the_record(tenant: Any) -> None:
    connector = tenant.connect()
    gone, invalid, ruled = (tenant.id("opportunities", name) for name in ("100", "101", "102"))
    tenant.emulator.remove("opportunities", "100")
    tenant.emulator.edit("opportunities", "101", {"life_status": "invalid"})
    tenant.arm("refused_row", after=2)

    found = write(connector, DEALS, *(Write(one, FIELDS) for one in (gone, invalid, ruled)))

    assert {one: verdict.recovery for one, verdict in found.items() if verdict} == {
        gone: "gone", invalid: "gone", ruled: "park",
    }  # fmt: skip


def test_a_field_that_is_not_there_is_the_fields_fault(tenant: Any) -> None:
    connector, deal = tenant.connect(), tenant.id("opportunities", "100")

    refused = write(connector, DEALS, Write(deal, {"no_such__c": "x"}))[deal]

    assert refused is not None
    assert refused.recovery == "field"
    assert "no_such__c" in refused.message


def test_a_missing_right_is_no_verdict_on_a_record(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(no_rights=["NewOpportunityObj"])

    with pytest.raises(ForbiddenError):
        write(tenant.connect(), DEALS, Write(tenant.id("opportunities", "100"), FIELDS))


def test_an_appraisal_is_made_once_and_then_written_to(tenant: Any) -> None:
    first, second = tenant.connect(), tenant.connect()
    old, new = {"scoreback_band__c": "B"}, {"scoreback_band__c": "A"}

    made = write(first, APPRAISALS, Write("zs:2026-Q1", old), Write("bo:2026-Q1", old))
    calls = tenant.calls(lambda: write(second, APPRAISALS, Write("zs:2026-Q1", new), Write("bo:2026-Q2", new)))

    assert set(made.values()) == {None}
    data = "crm/custom/v2/data"
    assert (calls[f"{data}/query"], calls[f"{data}/update"], calls[f"{data}/create"]) == (1, 1, 1)
    keys = ["zs:2026-Q1", "bo:2026-Q1", "bo:2026-Q2", "nobody"]
    assert second.read_fields(APPRAISALS, keys, ["scoreback_band__c"]) == {
        "zs:2026-Q1": new, "bo:2026-Q1": old, "bo:2026-Q2": new,
    }  # fmt: skip


def test_a_create_that_was_cut_off_makes_no_second_row(tenant: Any) -> None:
    connector = tenant.connect()
    write(connector, APPRAISALS, Write("x", {"scoreback_band__c": "B"}))
    tenant.arm("cut", match="data/create")
    found: dict[str, Rejection | None] = {}

    calls = tenant.calls(lambda: found.update(write(connector, APPRAISALS, Write("zs:2026-Q1", BAND))))

    rows = [
        row for row in tenant.emulator.tenant.tables["object_Sb7Kq__c"].rows.values() if row["name"] == "zs:2026-Q1"
    ]
    assert (found, len(rows)) == ({"zs:2026-Q1": None}, 1)
    assert calls["crm/custom/v2/data/create"] == 1


def test_a_create_that_did_nothing_waits_for_the_next_push(tenant: Any) -> None:
    connector = tenant.connect()
    tenant.arm("busy", match="data/create")

    first = write(connector, APPRAISALS, Write("zs:2026-Q1", BAND), Write("bo:2026-Q1", BAND))
    second = write(connector, APPRAISALS, Write("zs:2026-Q1", BAND))

    assert [one and one.recovery for one in first.values()] == ["retry", None]
    assert second == {"zs:2026-Q1": None}


def test_an_appraisal_has_an_owner_where_the_tenant_asks_for_one(make_tenant: MakeTenant) -> None:
    for sign_in in ({"mobile": "13800000000"}, {"flow": "header", "user": "1000"}):
        tenant = make_tenant()
        tenant.emulator.tenant.objects["object_Sb7Kq__c"].fields["owner"].required = True

        found = write(tenant.connect(sign_in=sign_in), APPRAISALS, Write("zs:2026-Q1", BAND))

        [row] = tenant.emulator.tenant.tables["object_Sb7Kq__c"].rows.values()
        assert found == {"zs:2026-Q1": None}
        assert row["owner"] == [tenant.emulator.tenant.admin]


def test_a_row_whose_id_the_answer_does_not_tell_is_found_by_its_key(tenant: Any) -> None:
    tenant.emulator.writing.answers_custom_id = False
    connector = tenant.connect()

    for band in ("B", "A"):
        assert write(connector, APPRAISALS, Write("zs:2026-Q1", {"scoreback_band__c": band})) == {"zs:2026-Q1": None}

    assert len(tenant.emulator.tenant.tables["object_Sb7Kq__c"].rows) == 1


def test_a_key_that_need_not_be_unique_is_refused(tenant: Any) -> None:
    target = WriteTarget("person", into="object_Sb7Kq__c", key="scoreback_key__c")

    with pytest.raises(ConfigError, match="Take `name` as the key"):
        write(tenant.connect(), target, Write("zs", {"scoreback_band__c": "B"}))


@pytest.mark.parametrize(
    ("target", "said"),
    [(WriteTarget("person"), "name a custom object"), (WriteTarget("person", "object_no__c", "name"), "no object")],
)
def test_a_place_that_is_not_there_is_a_mistake_of_the_file(tenant: Any, target: WriteTarget, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        write(tenant.connect(), target, Write("zs", {"scoreback_band__c": "B"}))


def test_a_field_that_cannot_be_read_back_is_named(tenant: Any) -> None:
    with pytest.raises(ConfigError, match="no_such__c"):
        tenant.connect().read_fields(DEALS, [tenant.id("opportunities", "100")], ["no_such__c"])


def test_the_newer_generation_writes_alike_and_names_people_by_number(tenant: Any) -> None:
    connector = tenant.connect(sign_in={"flow": "header", "user": "1000"})
    deal, number = tenant.id("opportunities", "100"), tenant.id("employees", "1")
    values: dict[str, Any] = {"scoreback_band__c": "A", "scoreback_person__c": number}

    found = {
        **write(connector, DEALS, Write(deal, FIELDS)),
        **write(connector, APPRAISALS, Write("zs:2026-Q1", values)),
    }

    assert set(found.values()) == {None}
    assert connector.read_fields(DEALS, [deal], list(FIELDS)) == {deal: FIELDS}
    assert connector.read_fields(APPRAISALS, ["zs:2026-Q1"], list(values)) == {"zs:2026-Q1": values}
