"""Writing: each record gets a verdict, what was accepted stands in the CRM, and the rest says why not."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.base import Can, FieldSpec, Value, Write, WriteTarget, Written
from sync.provision import wanted_fields
from tests.contract.conftest import Start
from tests.contract.rig import Rig, deal

WHEN = datetime(2026, 3, 31, 10, 30, tzinfo=UTC)
SAMPLE: dict[str, Value] = {
    "score": Decimal(73), "grade": "B", "reasons": "+15 meeting; −20 moved 🚀 签约", "next_best_action": "Book a meeting",
    "scored_at": WHEN, "plan": "default 1", "digest": "0123456789abcdef",
}  # fmt: skip
COUNT = 6


def begin(start: Start) -> Rig:
    rig = start([deal(number) for number in range(COUNT)])
    if not rig.can(Can.WRITE_FIELDS):
        pytest.skip(f"{rig.kind} takes no values")
    if rig.can(Can.PROVISION):
        with rig.connector() as connector:
            made = list(connector.provision(wanted_fields(connector), dry_run=False))
        assert {one.state for one in made} <= {"created", "exists", "by_hand"}, made
    return rig


def fields_of(rig: Rig) -> dict[str, Value]:
    """Sample values under the CRM's names, as the connection file maps them."""
    with rig.connector() as connector:
        target = connector.connection.write_back["opportunity"]
        names = target.fields if hasattr(target, "fields") else target
        return {remote: SAMPLE[ours] for remote, ours in names.items()}


def write(rig: Rig, ids: Sequence[str], fields: dict[str, Value]) -> list[Written]:
    with rig.connector() as connector:
        target = WriteTarget("opportunity")
        verdicts = []
        for place in range(0, len(ids), connector.write_batch):
            part = [Write(one, fields) for one in ids[place : place + connector.write_batch]]
            verdicts += list(connector.write(target, part))
        return verdicts


def held(rig: Rig, ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Value]]:
    with rig.connector() as connector:
        found = connector.read_fields(WriteTarget("opportunity"), ids, names)
        return {one: dict(values) for one, values in found.items()}


def test_what_was_written_is_read_back_equal(start: Start) -> None:
    rig = begin(start)
    ids, fields = [rig.remote("opportunity", f"d{number}") for number in range(COUNT)], fields_of(rig)

    verdicts = write(rig, ids, fields)

    assert sorted(one.remote_id for one in verdicts) == sorted(ids)
    assert [one.rejected for one in verdicts if one.rejected] == []
    assert held(rig, ids, list(fields)) == dict.fromkeys(ids, fields)


def test_a_value_is_emptied(start: Start) -> None:
    rig = begin(start)
    ids, fields = [rig.remote("opportunity", "d1")], fields_of(rig)
    write(rig, ids, fields)

    write(rig, ids, dict.fromkeys(fields, None))

    assert set(held(rig, ids, list(fields))[ids[0]].values()) <= {None}


@pytest.mark.parametrize("fault", ["refused_row", "locked_row", "deleted_meanwhile", "half_batch"])
def test_a_refused_row_says_why_and_the_others_are_written(start: Start, fault: str) -> None:
    rig = begin(start)
    ids, fields = [rig.remote("opportunity", f"d{number}") for number in range(COUNT)], fields_of(rig)
    rig.arm(fault)

    verdicts = write(rig, ids, fields)

    refused = {one.remote_id: one.rejected for one in verdicts if one.rejected}
    accepted = [one.remote_id for one in verdicts if not one.rejected]
    assert sorted([*refused, *accepted]) == sorted(ids)
    assert refused or fault == "locked_row"  # a connector may have waited for the lock by itself
    assert all(one.message for one in refused.values())
    expected = {"locked_row": {"retry"}, "deleted_meanwhile": {"gone"}}.get(fault, {"park", "field"})
    assert {one.recovery for one in refused.values()} <= expected
    assert held(rig, accepted, list(fields)) == dict.fromkeys(accepted, fields)


def test_an_id_that_is_not_there_is_gone(start: Start) -> None:
    rig = begin(start)
    if rig.kind == "csv":
        pytest.skip("a file takes any id")
    fields = fields_of(rig)
    ids = [rig.remote("opportunity", "d1"), rig.remote("opportunity", "d2")]
    rig.remove("opportunity", "d2")

    verdicts = {one.remote_id: one.rejected for one in write(rig, ids, fields)}

    assert verdicts[ids[0]] is None
    refused = verdicts[ids[1]]
    assert refused is not None
    assert refused.recovery == "gone"


def test_our_own_write_is_no_change(start: Start) -> None:
    rig = begin(start)
    rig.pull_whole()
    write(rig, [rig.remote("opportunity", f"d{number}") for number in range(COUNT)], fields_of(rig))

    again = rig.pull_whole()

    assert [(one.stream, one.new, one.changed) for one in again.streams if one.stream == "opportunity"] == [
        ("opportunity", 0, 0)
    ]


def test_provisioning_twice_makes_nothing_twice_and_undoing_it_leaves_nothing(start: Start) -> None:
    rig = begin(start)
    if not rig.can(Can.PROVISION):
        pytest.skip(f"{rig.kind} makes no fields by itself")
    with rig.connector() as connector:
        wanted: list[FieldSpec] = list(wanted_fields(connector))

        again = list(connector.provision(wanted, dry_run=False))
        removed = list(connector.unprovision(wanted, dry_run=False))

    assert {one.state for one in again} <= {"exists", "by_hand"}
    assert {one.state for one in removed} <= {"removed", "by_hand", "missing"}
