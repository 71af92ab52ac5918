"""What the Zoho connector writes: a verdict for each record, and nothing of the org's automation started."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import FieldSpec, Value, Write, WriteTarget
from connectors.errors import ConfigError
from connectors.zoho.write import rejection, spelled

DEALS = WriteTarget("opportunity")
PEOPLE = WriteTarget("person")
APPRAISALS = WriteTarget("person", into="ScorebackAppraisals", key="Scoreback_Key")
WHEN = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)


def test_values_are_read_back_as_they_were_written(org: Any, writer: Any) -> None:
    values: dict[str, Value] = {
        "Scoreback_Score": Decimal("71.25"),
        "Scoreback_Reasons": "it's “due” 签约",
        "Scoreback_Scored_At": WHEN,
    }
    deal = org.id("opportunities", "100")

    (verdict,) = writer.write(DEALS, [Write(deal, values)])

    assert verdict.rejected is None
    assert writer.read_fields(DEALS, [deal, "1"], list(values)) == {deal: values}


def test_no_automation_runs_unless_the_connection_wants_it(org: Any, writer: Any) -> None:
    write = Write(org.id("opportunities", "100"), {"Scoreback_Score": Decimal(1)})

    list(writer.write(DEALS, [write]))
    list(org.connect(automation="on").write(DEALS, [write]))

    assert org.emulator.triggers == [[], None]


def test_a_field_that_zoho_would_pass_over_in_silence_is_refused(org: Any, writer: Any) -> None:
    write = Write(org.id("opportunities", "100"), {"Scoreback_Score": Decimal(1), "Scoreback_Typo": "x"})

    (verdict,) = writer.write(DEALS, [write])

    assert (verdict.rejected.recovery, "Scoreback_Typo" in verdict.rejected.message) == ("field", True)
    assert writer.read_fields(DEALS, [write.remote_id], ["Scoreback_Score"])[write.remote_id] == {
        "Scoreback_Score": None
    }


def test_a_number_is_rounded_to_the_places_of_its_field(org: Any, writer: Any) -> None:
    deal = org.id("opportunities", "100")

    (verdict,) = writer.write(DEALS, [Write(deal, {"Scoreback_Score": Decimal("1.23456")})])

    assert verdict.rejected is None
    assert writer.read_fields(DEALS, [deal], ["Scoreback_Score"])[deal] == {"Scoreback_Score": Decimal("1.23")}


def test_more_than_a_hundred_go_in_calls_of_a_hundred(make_org: Any, many: Any, deal_fields: Any) -> None:
    org = make_org(many(250))
    connector = org.connect()
    list(connector.provision(deal_fields, dry_run=False))
    ids = [org.id("opportunities", f"d{n}") for n in range(250)]
    verdicts: list[Any] = []

    cost = org.calls(
        lambda: verdicts.extend(connector.write(DEALS, [Write(one, {"Scoreback_Score": Decimal(5)}) for one in ids]))
    )

    assert cost == {"PUT /crm/v8/{module}": 3}
    assert [one.remote_id for one in verdicts] == ids
    assert not any(one.rejected for one in verdicts)


def test_the_same_id_twice_is_one_record_with_the_later_value(org: Any, writer: Any) -> None:
    deal = org.id("opportunities", "100")

    verdicts = list(writer.write(DEALS, [Write(deal, {"Scoreback_Score": Decimal(n)}) for n in (1, 2)]))

    assert [one.rejected for one in verdicts] == [None]
    assert writer.read_fields(DEALS, [deal], ["Scoreback_Score"])[deal] == {"Scoreback_Score": Decimal(2)}


def test_a_refused_whole_call_is_a_verdict_for_each_of_its_rows(org: Any, writer: Any) -> None:
    ids = [org.id("opportunities", name) for name in ("100", "101")]
    writes = [Write(one, {"Scoreback_Scored_At": "soon"}) for one in ids]

    verdicts = list(writer.write(DEALS, writes))

    assert [(one.remote_id, one.rejected.recovery, one.rejected.code) for one in verdicts] == [
        (one, "field", "INVALID_DATA") for one in ids
    ]


def test_people_are_written_ten_a_call(org: Any) -> None:
    connector = org.connect()
    spec = FieldSpec(PEOPLE, "Scoreback_Band", "Scoreback band", "text", 2)
    assert [step.state for step in connector.provision([spec], dry_run=False)] == ["created"]
    ids = [org.id("people", "1"), *[str(10**18 + n) for n in range(11)]]
    verdicts: list[Any] = []

    cost = org.calls(
        lambda: verdicts.extend(connector.write(PEOPLE, [Write(one, {"Scoreback_Band": "A"}) for one in ids]))
    )

    assert cost == {"PUT /crm/v8/users": 2}
    assert [one.rejected and one.rejected.recovery for one in verdicts] == [None, *["gone"] * 11]
    assert connector.read_fields(PEOPLE, ids, ["Scoreback_Band"]) == {ids[0]: {"Scoreback_Band": "A"}}


def test_appraisals_are_found_again_by_their_key(org: Any, writer: Any) -> None:
    for band in ("B", "A"):
        verdicts = list(writer.write(APPRAISALS, [Write(f"p:{n}", {"Scoreback_Band": band}) for n in range(3)]))
        assert [one.rejected for one in verdicts] == [None] * 3

    assert writer.api.count("ScorebackAppraisals") == 3
    assert writer.read_fields(APPRAISALS, ["p:0", "p:9"], ["Scoreback_Band"]) == {"p:0": {"Scoreback_Band": "A"}}


def test_reading_back_a_field_that_is_not_there_is_an_error_of_configuration(org: Any) -> None:
    connector = org.connect()

    with pytest.raises(ConfigError, match="Scoreback_Nope"):
        connector.read_fields(DEALS, [org.id("opportunities", "100")], ["Scoreback_Nope"])
    with pytest.raises(ConfigError, match="no module ScorebackAppraisals"):
        connector.read_fields(APPRAISALS, ["k"], ["Scoreback_Band"])


@pytest.mark.parametrize(
    ("code", "text", "details", "recovery"),
    [
        ("INVALID_DATA", "the id given seems to be invalid", {"api_name": "id"}, "gone"),
        ("INVALID_DATA", "invalid data", {"api_name": "Scoreback_Score"}, "field"),
        ("RECORD_LOCKED", "record is locked", {}, "retry"),
        ("CANNOT_UPDATE_DELETED_USER", "Deleted user cannot be updated", {}, "gone"),
        ("MANDATORY_NOT_FOUND", "required field not found", {"api_name": "Stage"}, "park"),
        ("AUTHORIZATION_FAILED", "User does not have sufficient privilege", {}, "park"),
    ],
)
def test_what_follows_from_a_refusal(code: str, text: str, details: dict[str, str], recovery: str) -> None:
    assert rejection(code, text, details).recovery == recovery


def test_a_moment_is_spelled_with_an_offset() -> None:
    assert spelled(WHEN, {}) == "2026-03-01T06:30:00+00:00"
    assert spelled(Decimal("2.5"), {"data_type": "integer"}) == 2


def test_a_batch_of_users_that_is_refused_whole_is_sent_one_by_one(org: Any) -> None:
    connector = org.connect()
    list(connector.provision([FieldSpec(PEOPLE, "Scoreback_Band", "Scoreback band", "text", 2)], dry_run=False))
    ids = [org.id("people", "1"), str(10**18), org.id("people", "2")]
    org.arm("one_refusal")

    verdicts = list(connector.write(PEOPLE, [Write(one, {"Scoreback_Band": "A"}) for one in ids]))

    assert [one.rejected and one.rejected.recovery for one in verdicts] == [None, "gone", None]
    assert set(connector.read_fields(PEOPLE, ids, ["Scoreback_Band"])) == {ids[0], ids[2]}
