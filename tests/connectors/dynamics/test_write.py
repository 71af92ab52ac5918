"""Writing our columns: a verdict for every row, nothing made by mistake, and the same read back."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Value, Write, WriteTarget, Written
from connectors.errors import ConfigError, RetryLaterError
from connectors.sandbox.dynamics.errors import no_segment

DEALS, PEOPLE = WriteTarget("opportunity"), WriteTarget("person")
SAMPLE: dict[str, Value] = {
    "sb_scoreback_score": Decimal("73.25"),
    "sb_scoreback_grade": "B",
    "sb_scoreback_reasons": "+15 meeting\n签约 🚀",
    "sb_scoreback_scored_at": datetime(2026, 3, 31, 10, 30, tzinfo=UTC),
    "sb_scoreback_due": date(2026, 4, 1),
}
BULK = "POST opportunities/{part1}"
BATCH = "POST $batch"


def writes(crm: Any, *names: str, **fields: Value) -> list[Write]:
    return [Write(crm.id("opportunities", name), fields or {"sb_scoreback_score": Decimal(50)}) for name in names]


def test_what_was_written_is_read_back_equal(crm: Any, writer: Any) -> None:
    ids = [crm.id("opportunities", name) for name in ("100", "101")]

    verdicts = list(writer.write(DEALS, [Write(one, SAMPLE) for one in ids]))

    assert [one.rejected for one in verdicts] == [None, None]
    assert writer.read_fields(DEALS, ids, list(SAMPLE)) == dict.fromkeys(ids, SAMPLE)


def test_none_empties_a_column(crm: Any, writer: Any) -> None:
    ids = [crm.id("opportunities", "100")]
    list(writer.write(DEALS, [Write(ids[0], SAMPLE)]))

    list(writer.write(DEALS, [Write(ids[0], dict.fromkeys(SAMPLE))]))

    assert writer.read_fields(DEALS, ids, list(SAMPLE)) == {ids[0]: dict.fromkeys(SAMPLE)}


def test_good_rows_travel_together_in_one_call(crm: Any, writer: Any) -> None:
    calls = crm.calls(lambda: list(writer.write(DEALS, writes(crm, "100", "101", "102"))))

    assert calls == {BULK: 1}


def test_one_refused_row_costs_that_row_only(crm: Any, writer: Any) -> None:
    crm.arm("plugin_refused", row=1)

    verdicts = list(writer.write(DEALS, writes(crm, "100", "101", "102")))

    assert [one.rejected and (one.rejected.code, one.rejected.recovery) for one in verdicts] == [
        None, ("0x80040265", "park"), None,
    ]  # fmt: skip


def test_a_deleted_deal_is_gone_and_not_made_again(crm: Any, writer: Any) -> None:
    gone = writes(crm, "100")
    crm.remove("opportunities", gone[0].remote_id)

    [alone] = list(writer.write(DEALS, gone))
    among = list(writer.write(DEALS, [*gone, *writes(crm, "101")]))

    assert alone.rejected.recovery == "gone"
    assert [one.rejected and one.rejected.recovery for one in among] == ["gone", None]
    assert crm.emulator.show("opportunities", gone[0].remote_id) is None


def test_a_column_that_is_not_there_is_told_for_every_row_by_one_call(crm: Any) -> None:
    connector = crm.connect()

    verdicts: list[Written] = []

    calls = crm.calls(lambda: verdicts.extend(connector.write(DEALS, writes(crm, "100", "101"))))

    assert [one.rejected and one.rejected.recovery for one in verdicts] == ["field", "field"]
    assert calls == {BULK: 1}


def test_a_table_without_the_bulk_message_is_written_in_batches_and_that_is_learnt(make_crm: Any, wanted: Any) -> None:
    crm = make_crm(slow=["opportunity"])
    connector = crm.connect()
    list(connector.provision(wanted, dry_run=False))

    first = crm.calls(lambda: list(connector.write(DEALS, writes(crm, "100", "101"))))
    second = crm.calls(lambda: list(connector.write(DEALS, writes(crm, "100", "101"))))

    assert first == {BULK: 1, BATCH: 1}
    assert second == {BATCH: 1}


def test_an_id_twice_in_one_call_is_written_once_with_both_its_fields(crm: Any, writer: Any) -> None:
    one = crm.id("opportunities", "100")
    twice = [Write(one, {"sb_scoreback_score": Decimal(1)}), Write(one, {"sb_scoreback_grade": "A"})]

    verdicts = list(writer.write(DEALS, [*twice, *writes(crm, "101")]))

    assert [verdict.rejected for verdict in verdicts] == [None] * 3
    assert writer.read_fields(DEALS, [one], ["sb_scoreback_score", "sb_scoreback_grade"]) == {
        one: {"sb_scoreback_score": Decimal(1), "sb_scoreback_grade": "A"}
    }


def test_people_are_written_on_their_user(crm: Any, writer: Any) -> None:
    ann = crm.id("people", "1")

    [verdict] = list(writer.write(PEOPLE, [Write(ann, {"sb_scoreback_score": Decimal(88)})]))

    assert verdict.rejected is None
    assert writer.read_fields(PEOPLE, [ann], ["sb_scoreback_score"]) == {ann: {"sb_scoreback_score": Decimal(88)}}


@pytest.mark.parametrize("automation", ["off", "on"])
@pytest.mark.parametrize("names", [("100",), ("100", "101")])
def test_flows_are_kept_from_running_unless_the_admin_wants_them(
    crm: Any, wanted: Any, automation: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = crm.connect(automation=automation)
    list(connector.provision(wanted, dry_run=False))
    seen: list[str] = []
    answer = crm.emulator.answer

    def listen(request: Any) -> Any:
        seen.append(f"{dict(request.headers)} {request.body!r}".lower())
        return answer(request)

    monkeypatch.setattr(crm.emulator, "answer", listen)
    list(connector.write(DEALS, writes(crm, *names)))

    assert ("suppresscallbackregistrationexpanderjob" in seen[-1]) == (automation == "off")
    assert "bypassbusinesslogic" not in seen[-1]


def test_reading_back_a_column_that_is_not_there_says_what_to_do(crm: Any) -> None:
    with pytest.raises(ConfigError, match="scoreback provision"):
        crm.connect().read_fields(DEALS, ["x"], ["sb_scoreback_score"])


@pytest.mark.parametrize("fault", ["gateway_timeout", "deadlock"])
def test_what_fails_as_a_whole_is_tried_in_parts(crm: Any, writer: Any, fault: str) -> None:
    crm.arm(fault, match="UpdateMultiple", times=None)

    verdicts: list[Written] = []

    calls = crm.calls(lambda: verdicts.extend(writer.write(DEALS, writes(crm, "100", "101"))))

    assert [one.rejected for one in verdicts] == [None, None]
    assert calls[BATCH] == 1


def test_a_limit_is_waited_for_and_not_gone_round(crm: Any, writer: Any) -> None:
    crm.arm("concurrency_limit", match="UpdateMultiple", times=None)
    caught: list[RetryLaterError] = []

    def act() -> None:
        with pytest.raises(RetryLaterError) as raised:
            list(writer.write(DEALS, writes(crm, "100", "101")))
        caught.append(raised.value)

    assert BATCH not in crm.calls(act)
    assert caught[0].after_seconds == 1


def test_a_column_made_by_another_process_is_read_back(crm: Any, wanted: Any) -> None:
    connector, deal = crm.connect(), crm.id("opportunities", "100")
    connector.remote_names(crm.streams["opportunity"])
    list(crm.connect().provision(wanted, dry_run=False))

    found = connector.read_fields(DEALS, [deal], ["sb_scoreback_score"])

    assert found == {deal: {"sb_scoreback_score": None}}


def test_a_bulk_message_that_the_table_does_not_even_name_is_learnt_too(
    crm: Any, writer: Any, monkeypatch: Any
) -> None:
    def unknown(_request: Any, _table: Any, message: str) -> None:
        raise no_segment(f"Microsoft.Dynamics.CRM.{message}")

    monkeypatch.setattr(crm.emulator.api.changing, "multiple", unknown)

    calls = [crm.calls(lambda: list(writer.write(DEALS, writes(crm, "100", "101")))) for _ in range(2)]

    assert calls == [{BULK: 1, BATCH: 1}, {BATCH: 1}]


def test_a_batch_whose_answer_was_cut_is_sent_again(crm: Any, writer: Any) -> None:
    crm.arm("truncated", match="$batch")

    verdicts = []
    calls = crm.calls(lambda: verdicts.extend(writer.write(DEALS, writes(crm, "100"))))

    assert [one.rejected for one in verdicts] == [None]
    assert calls == {BATCH: 2}
