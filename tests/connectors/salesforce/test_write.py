"""Writing to Salesforce, and reading back."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import FieldSpec, Value, Write, WriteTarget, Written
from connectors.errors import (
    ConfigError,
)
from connectors.salesforce import Salesforce
from connectors.salesforce.write import rejection

MakeOrg = Callable[..., Any]

DEALS = WriteTarget("opportunity")
APPRAISALS = WriteTarget("person", into="Scoreback_Appraisal__c", key="Scoreback_Key__c")


def test_what_is_written_is_read_back_in_our_types(org: Any, writer: Salesforce) -> None:
    deal = org.id("opportunities", "100")
    values: dict[str, Value] = {
        "Scoreback_Score__c": Decimal("87.53"),
        "Scoreback_Reasons__c": "two lines\nand 中文",
        "Scoreback_Scored_At__c": datetime(2026, 3, 9, 7, 30, tzinfo=UTC),
    }

    verdicts = list(writer.write(DEALS, [Write(deal, values)]))

    assert verdicts == [Written(deal)]
    assert writer.read_fields(DEALS, [deal, "006000000000000AAA"], list(values)) == {deal: values}


def test_none_empties_a_field(org: Any, writer: Salesforce) -> None:
    deal = org.id("opportunities", "100")
    list(writer.write(DEALS, [Write(deal, {"Scoreback_Score__c": Decimal(1)})]))

    list(writer.write(DEALS, [Write(deal, {"Scoreback_Score__c": None})]))

    assert writer.read_fields(DEALS, [deal], ["Scoreback_Score__c"]) == {deal: {"Scoreback_Score__c": None}}


def test_200_deals_are_one_call_and_each_has_its_verdict(
    make_org: MakeOrg, world: Any, deal_fields: list[FieldSpec]
) -> None:
    twin = world["opportunities"][0]
    org = make_org({**world, "opportunities": [{**twin, "id": str(n)} for n in range(200)]})
    connector = org.connect()
    org.provision(connector, deal_fields)
    writes = [Write(org.id("opportunities", str(n)), {"Scoreback_Score__c": Decimal(n)}) for n in range(200)]
    org.emulator.faults.arm({"name": "half_batch"})
    verdicts: list[Written] = []

    spent = org.calls(lambda: verdicts.extend(connector.write(DEALS, writes)))

    assert sum(spent.values()) == 1
    assert [verdict.remote_id for verdict in verdicts] == [write.remote_id for write in writes]
    refused = [verdict.rejected for verdict in verdicts[1::2]]
    assert {(reason.code, reason.recovery) for reason in refused if reason} == {
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "park")
    }
    assert len(refused) == 100
    assert all(verdict.rejected is None for verdict in verdicts[::2])


@pytest.mark.parametrize(
    ("fault", "code", "recovery"),
    [
        ("locked_row", "UNABLE_TO_LOCK_ROW", "retry"),
        ("refused_row", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "park"),
        ("locked_record", "ENTITY_IS_LOCKED", "park"),
        ("deleted_meanwhile", "ENTITY_IS_DELETED", "gone"),
    ],
)
def test_a_refusal_says_what_follows(org: Any, writer: Salesforce, fault: str, code: str, recovery: str) -> None:
    writes = [Write(org.id("opportunities", name), {"Scoreback_Score__c": Decimal(5)}) for name in ("100", "101")]
    org.emulator.faults.arm({"name": fault})

    refused, accepted = writer.write(DEALS, writes)

    assert refused.rejected is not None
    assert (refused.rejected.code, refused.rejected.recovery) == (code, recovery)
    assert accepted.rejected is None


def test_a_field_that_is_not_there_is_named_for_every_record(org: Any) -> None:
    writes = [Write(org.id("opportunities", name), {"Scoreback_Score__c": Decimal(5)}) for name in ("100", "101")]

    verdicts = list(org.connect().write(DEALS, writes))

    reasons = [verdict.rejected for verdict in verdicts if verdict.rejected]
    assert [reason.recovery for reason in reasons] == ["field", "field"]
    assert "Scoreback_Score__c" in reasons[0].message


def test_a_field_that_may_only_be_read_is_a_matter_of_the_field(org: Any, writer: Salesforce) -> None:
    org.emulator.faults.arm({"name": "read_only_field", "field": "Scoreback_Score__c", "object": "Opportunity"})

    [verdict] = writer.write(DEALS, [Write(org.id("opportunities", "100"), {"Scoreback_Score__c": Decimal(5)})])

    assert verdict.rejected is not None
    assert (verdict.rejected.code, verdict.rejected.recovery) == ("INVALID_FIELD_FOR_INSERT_UPDATE", "field")


def test_a_record_named_twice_is_written_once_with_the_later_value(org: Any, writer: Salesforce) -> None:
    deal = org.id("opportunities", "100")

    verdicts = list(writer.write(DEALS, [Write(deal, {"Scoreback_Score__c": Decimal(n)}) for n in (1, 2)]))

    assert verdicts == [Written(deal), Written(deal)]
    assert writer.read_fields(DEALS, [deal], ["Scoreback_Score__c"])[deal] == {"Scoreback_Score__c": Decimal(2)}


def test_rows_of_our_own_object_are_found_again_by_their_key(writer: Salesforce) -> None:
    for band in ("B", "A"):
        list(writer.write(APPRAISALS, [Write(f"bo's {n}", {"Scoreback_Band__c": band}) for n in (1, 2)]))

    held = writer.read_fields(APPRAISALS, ["bo's 1", "bo's 2", "nobody"], ["Scoreback_Band__c"])
    assert held == {"bo's 1": {"Scoreback_Band__c": "A"}, "bo's 2": {"Scoreback_Band__c": "A"}}
    assert writer.api.query("SELECT COUNT() FROM Scoreback_Appraisal__c")["totalSize"] == 2


def test_an_object_that_is_not_there_is_no_record_that_is_gone(org: Any) -> None:
    [verdict] = org.connect().write(APPRAISALS, [Write("bo's 1", {"Scoreback_Band__c": "A"})])

    assert verdict.rejected is not None
    assert (verdict.rejected.code, verdict.rejected.recovery) == ("NOT_FOUND", "field")
    assert "Scoreback_Appraisal__c, or its external id Scoreback_Key__c, is not there" in verdict.rejected.message


@pytest.mark.parametrize(("keyed", "recovery"), [(False, "gone"), (True, "park")])
def test_a_row_with_a_key_of_ours_is_never_gone(keyed: bool, recovery: str) -> None:
    assert rejection("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", keyed=keyed).recovery == recovery


@pytest.mark.parametrize("text", ["2026-03-09T07:30:00.000+0000", "2026-03-09T07:30:00Z", "2026-03-09T08:30:00+01:00"])
def test_a_time_is_read_however_it_is_spelled(
    org: Any, writer: Salesforce, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    deal = org.id("opportunities", "100")
    row = {"Id": deal, "Scoreback_Scored_At__c": text}
    monkeypatch.setattr(writer.api, "rows", lambda _soql: iter([row]))

    held = writer.read_fields(DEALS, [deal], ["Scoreback_Scored_At__c"])

    assert held[deal]["Scoreback_Scored_At__c"] == datetime(2026, 3, 9, 7, 30, tzinfo=UTC)


def test_people_can_carry_fields_of_ours_too(org: Any) -> None:
    connector = org.connect()
    people = WriteTarget("person")
    org.provision(connector, [FieldSpec(people, "Scoreback_Band__c", "Scoreback Band", "text")])
    ann = org.id("people", "1")

    [verdict] = connector.write(people, [Write(ann, {"Scoreback_Band__c": "A"})])

    assert verdict.rejected is None
    assert connector.read_fields(people, [ann], ["Scoreback_Band__c"]) == {ann: {"Scoreback_Band__c": "A"}}


def test_reading_back_many_ids_keeps_every_url_short(make_org: MakeOrg, world: Any) -> None:
    twin = world["opportunities"][0]
    org = make_org({**world, "opportunities": [{**twin, "id": str(n)} for n in range(900)]})
    connector = org.connect()

    held = connector.read_fields(DEALS, list(org.emulator.ids["opportunities"].values()), ["Name"])

    assert len(held) == 900


def test_reading_a_field_that_is_not_there_says_how_to_get_it(org: Any) -> None:
    with pytest.raises(ConfigError, match=r"Opportunity has no Scoreback_Score__c.*provision"):
        org.connect().read_fields(DEALS, [org.id("opportunities", "100")], ["Scoreback_Score__c"])
