"""Batches of writes, without a server: a verdict for every record, and values as HubSpot spells them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Rejection, Write
from connectors.errors import RejectedError
from connectors.hubspot.write import CALLS_PER_BATCH, spell, understand, write_batch


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (None, "", "string"),
        (Decimal("87.50"), "87.5", "number"),
        (Decimal("1E+3"), "1000", "number"),
        (True, "true", "bool"),
        (datetime(2026, 11, 23, 8, tzinfo=UTC), "1795420800000", "datetime"),
        (date(2026, 11, 23), "2026-11-23", "date"),
        ("A", "A", "string"),
    ],
)
def test_a_written_value_comes_back_as_it_was(value: Any, text: str, kind: str) -> None:
    assert spell(value) == text
    assert understand(text, kind) == value


class Refusing:
    """A batch endpoint that refuses every batch with a bad record in it, as HubSpot does."""

    def __init__(self, bad: set[str], code: str = "INVALID_NUMBER", text: str = "not a number") -> None:
        self.bad, self.code, self.text = bad, code, text
        self.calls = 0

    def __call__(self, inputs: Any) -> dict[str, Any]:
        self.calls += 1
        if any(row["id"] in self.bad for row in inputs):
            raise RejectedError(self.code, self.text, 400)
        return {"status": "COMPLETE", "results": [{"id": row["id"], "properties": {}} for row in reversed(inputs)]}


def writes(count: int) -> list[Write]:
    return [Write(str(number), {"scoreback_score": Decimal(number)}) for number in range(1, count + 1)]


def test_one_bad_record_of_a_hundred_is_found_and_the_others_are_written() -> None:
    send = Refusing({"37"})

    verdicts = {written.remote_id: written.rejected for written in write_batch(send, writes(100))}

    assert [remote_id for remote_id, rejected in verdicts.items() if rejected] == ["37"]
    assert verdicts["37"] == Rejection("INVALID_NUMBER", "not a number", "park")
    assert len(verdicts) == 100
    assert send.calls <= 16


def test_a_batch_of_bad_records_has_an_end_and_what_is_left_is_tried_again() -> None:
    send = Refusing({str(number) for number in range(1, 101)})

    recoveries = [written.rejected.recovery for written in write_batch(send, writes(100)) if written.rejected]

    assert send.calls == CALLS_PER_BATCH
    assert len(recoveries) == 100
    assert set(recoveries) == {"park", "retry"}


def test_an_unknown_property_refuses_only_those_who_use_it() -> None:
    class Unknown(Refusing):
        def __call__(self, inputs: Any) -> dict[str, Any]:
            self.bad = {row["id"] for row in inputs if "scoreback_old" in row["properties"]}
            return super().__call__(inputs)

    send = Unknown(set(), "PROPERTY_DOESNT_EXIST", 'Property "scoreback_old" does not exist')
    given = [*writes(3), Write("4", {"scoreback_old": "x"}), Write("5", {"scoreback_older": "x"})]

    verdicts = {written.remote_id: written.rejected for written in write_batch(send, given)}

    assert {one: rejected.recovery for one, rejected in verdicts.items() if rejected} == {"4": "field"}
    assert send.calls == 2


def test_an_id_that_comes_twice_is_sent_once_with_the_later_value() -> None:
    sent: list[Any] = []

    def send(inputs: Any) -> dict[str, Any]:
        sent.extend(inputs)
        return {"results": inputs}

    twice = [Write("1", {"scoreback_score": Decimal(1)}), Write("1", {"scoreback_score": Decimal(2)})]

    verdicts = [written.rejected for written in write_batch(send, twice)]

    assert sent == [{"id": "1", "properties": {"scoreback_score": "2"}}]
    assert verdicts == [None, None]


def test_an_id_without_an_answer_is_tried_again() -> None:
    (verdict,) = write_batch(lambda _inputs: {"results": []}, writes(1))

    assert verdict.rejected is not None
    assert verdict.rejected.recovery == "retry"


def test_a_row_written_by_key_is_known_by_its_trace_or_by_its_key() -> None:
    rows_told = [
        {"id": "9001", "properties": {}, "objectWriteTraceId": "701:2026-Q4", "new": True},
        {"id": "9002", "properties": {"scoreback_key": "702:2026-Q4"}, "new": False},
    ]
    given = [Write(f"{owner}:2026-Q4", {"scoreback_score": Decimal(1)}) for owner in (701, 702, 703)]
    sent: list[Any] = []

    def send(inputs: Any) -> dict[str, Any]:
        sent.extend(inputs)
        return {"results": rows_told}

    verdicts = list(write_batch(send, given, key="scoreback_key"))

    assert [row["objectWriteTraceId"] for row in sent] == [write.remote_id for write in given]
    assert [written.rejected and written.rejected.recovery for written in verdicts] == [None, None, "retry"]
