"""Writing: each record gets a verdict, what was accepted stands in the CRM, and the rest says why not."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.base import Can, Connector, FieldSpec, Value, Write, WriteTarget, Written
from sync.provision import wanted_fields
from sync.store.books import Subject
from sync.wishes import target_of
from tests.contract.conftest import Start
from tests.contract.rig import Rig, deal

WHEN = datetime(2026, 3, 31, 10, 30, tzinfo=UTC)
SAMPLE: dict[str, Value] = {
    "score": Decimal(73), "grade": "B", "reasons": "+15 meeting; −20 moved 🚀 签约", "next_best_action": "Book a meeting",
    "scored_at": WHEN, "plan": "default 1", "digest": "0123456789abcdef", "appraisal": Decimal("103.25"), "band": "A",
    "attainment": Decimal("1.0325"), "period": "2026-Q1",
}  # fmt: skip
COUNT = 6


def begin(start: Start, count: int = COUNT) -> Rig:
    rig = start([deal(number) for number in range(count)])
    if not rig.can(Can.WRITE_FIELDS):
        pytest.skip(f"{rig.kind} takes no values")
    if rig.can(Can.PROVISION):
        with rig.connector() as connector:
            made = list(connector.provision(wanted_fields(connector), dry_run=False))
        assert {one.state for one in made} <= {"created", "exists", "by_hand"}, made
    return rig


def place(connector: Connector, record: Subject = "opportunity") -> tuple[WriteTarget, dict[str, Value]]:
    """Where the connection file as it comes writes to, with sample values under the CRM's names."""
    if record not in connector.connection.write_back:
        pytest.skip(f"{connector.kind} writes nothing of a {record} unless an admin names the fields")
    target, names = target_of(connector.connection.write_back[record], record)
    return target, {remote: SAMPLE[ours] for remote, ours in names.items()}


def fields_of(rig: Rig) -> dict[str, Value]:
    """Sample values of a deal."""
    with rig.connector() as connector:
        return place(connector)[1]


def write(rig: Rig, ids: Sequence[str], fields: Mapping[str, Value], record: Subject = "opportunity") -> list[Written]:
    with rig.connector() as connector:
        target, _ = place(connector, record)
        size = connector.write_keyed_batch if target.key else connector.write_batch
        parts = [ids[first : first + size] for first in range(0, len(ids), size)]
        return [one for part in parts for one in connector.write(target, [Write(name, fields) for name in part])]


def held(
    rig: Rig, ids: Sequence[str], names: Sequence[str], record: Subject = "opportunity"
) -> dict[str, dict[str, Value]]:
    with rig.connector() as connector:
        found = connector.read_fields(place(connector, record)[0], ids, names)
        return {one: dict(values) for one, values in found.items()}


def test_what_was_written_is_read_back_equal(start: Start) -> None:
    rig = begin(start)
    ids, fields = [rig.remote("opportunity", f"d{number}") for number in range(COUNT)], fields_of(rig)

    verdicts = write(rig, ids, fields)

    assert sorted(one.remote_id for one in verdicts) == sorted(ids)
    assert [one.rejected for one in verdicts if one.rejected] == []
    assert held(rig, ids, list(fields)) == dict.fromkeys(ids, fields)


def test_an_appraisal_is_written_to_its_person_and_read_back_equal(start: Start) -> None:
    rig = begin(start)
    with rig.connector() as connector:
        target, fields = place(connector, "person")
    people = [rig.remote("person", person) for person in ("p1", "p2")]
    ids = [f"{person}:2026-Q1" for person in people] if target.key else people

    for _ in range(2):  # the second time the row of our own object is there already
        verdicts = write(rig, ids, fields, "person")

    assert sorted(one.remote_id for one in verdicts) == sorted(ids)
    assert [one.rejected for one in verdicts if one.rejected] == []
    assert held(rig, ids, list(fields), "person") == dict.fromkeys(ids, fields)


def test_a_text_as_long_as_its_field_is_written_whole(start: Start) -> None:
    rig = begin(start)
    ids = [rig.remote("opportunity", "d1")]
    long = {name: ("+15 meeting; " * 20)[:255] for name, value in fields_of(rig).items() if value == SAMPLE["reasons"]}

    verdicts = write(rig, ids, long)

    assert [one.rejected for one in verdicts] == [None]
    assert held(rig, ids, list(long)) == {ids[0]: long}


def test_more_rows_than_one_batch_are_all_written(start: Start) -> None:
    count = 230
    rig = begin(start, count)
    ids = [rig.remote("opportunity", f"d{number}") for number in range(count)]
    some = dict(list(fields_of(rig).items())[:1])

    verdicts = write(rig, ids, some)

    assert sorted(one.remote_id for one in verdicts) == sorted(ids)
    assert held(rig, ids, list(some)) == dict.fromkeys(ids, some)


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
    with rig.connector() as connector:
        left = list(connector.provision(wanted, dry_run=True))

    assert {one.state for one in again} <= {"exists", "by_hand"}
    assert {one.state for one in removed} <= {"removed", "by_hand", "missing"}
    taken = {one.name for one in removed if one.state == "removed"}
    assert {one.state for one in left if one.name in taken} <= {"missing", "by_hand"}, left
