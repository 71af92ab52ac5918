"""Records: each kind that the connector reads says the same as in the CRM."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from connectors.base import Stream
from connectors.sandbox.folder import COLUMNS
from tests.contract.conftest import Start
from tests.contract.rig import NOW, STAGES, TODAY, Rig, Row, deal, moment

LATER = NOW - timedelta(days=5)
HELD = ("call", "meeting", "email", "task", "visit")


def streams_of(rig: Rig, kind: str) -> list[Stream]:
    """The streams that fill a kind of record; skips the test where none is on in the connection file as it comes."""
    found = [stream for stream in rig.connector_class.streams if stream.kind == kind and rig.reads(stream)]
    return found or pytest.skip(f"{rig.kind} has no stream of {kind}, or it is off until an admin says more")


def row(table: str, **cells: object) -> Row:
    """A row of a world with every column that its table has."""
    return {**dict.fromkeys(COLUMNS[table], ""), **cells}


def activity(kind: str) -> Row:
    return row(
        "activities", id=f"v-{kind}", kind=kind, owner_id="p2", opportunity_id="d1", account_id="a1",
        created_at=moment(timedelta(days=6)), planned_at=moment(timedelta(days=5)), completed_at=moment(timedelta(days=5)),
        duration_seconds="1800", direction="outbound" if kind in ("call", "email") else "", modified_at=moment(timedelta(days=5)),
    )  # fmt: skip


@pytest.mark.parametrize("sort", HELD)
def test_an_activity_says_the_same_as_in_the_crm(start: Start, sort: str) -> None:
    rig = start([deal(1)], activities=[activity(sort)])
    own = [stream for stream in streams_of(rig, "activity") if stream.constants.get("kind", sort) == sort]
    if not own:
        pytest.skip(f"{rig.kind} has no stream of {sort}s, or it is off until an admin says more")

    rig.pull_whole()

    known = [one for one in rig.records("activity").values() if not one.deleted]
    assert [one.kind for one in known] == [sort]
    assert known[0].owner_id == rig.remote("person", "p2")
    assert known[0].opportunity_id == rig.remote("opportunity", "d1")
    told = {known[0].completed_at, known[0].planned_at, known[0].created_at} - {None}
    assert {one.date() for one in told} <= {LATER.date(), (LATER - timedelta(days=1)).date()}
    assert known[0].completed_at is None or abs(known[0].completed_at - LATER) <= timedelta(days=1)
    assert told


def test_comparing_ids_takes_no_activity_of_another_kind_for_gone(start: Start) -> None:
    sorts = ("call", "email", "task", "meeting", "visit")
    done = [{**activity(sort), "id": f"v{number}{sort}"} for sort in sorts for number in range(3)]
    rig = start([deal(1)], activities=done)
    streams_of(rig, "activity")
    rig.pull_whole()
    before = rig.present("activity")

    rig.sweep()

    assert before
    assert rig.present("activity") == before


def test_an_activity_that_was_deleted_is_gone(start: Start) -> None:
    tasks = [{**activity("task"), "id": f"v{number}"} for number in range(8)]
    rig = start([deal(1)], activities=[activity("call"), *tasks])
    streams_of(rig, "activity")
    rig.pull_whole()
    before = rig.present("activity")
    rig.remove("activity", "v3")

    rig.pull_whole()
    if "v3" in rig.present("activity"):
        rig.sweep()

    assert before == {"v-call", *(f"v{number}" for number in range(8))}
    assert rig.present("activity") == before - {"v3"}


def test_a_stage_change_of_the_past_is_in_the_history(start: Start) -> None:
    at = moment(timedelta(days=20))
    moved = row(
        "changes",
        id="c1",
        record="opportunity",
        record_id="d1",
        field="stage",
        old="Talking",
        new="Offer",
        at=at,
        by="p1",
    )
    rig = start([deal(1, stage="Offer", modified_at=at)], changes=[moved])
    streams_of(rig, "change")

    rig.pull_whole()

    here = rig.records("opportunity")["d1"]
    found = [one for one in rig.records("change").values() if one.field == "stage" and one.new == here.stage]
    assert {one.record_id for one in found} == {here.remote_id}
    assert NOW - timedelta(days=20) in {one.at.replace(microsecond=0) for one in found}


def test_a_change_made_between_two_pulls_is_in_the_history_once(start: Start) -> None:
    rig = start([deal(1)])
    streams_of(rig, "change")
    if rig.kind == "csv":
        pytest.skip("a folder keeps no history by itself")
    rig.pull_whole()
    rig.edit("opportunity", "d1", stage="Offer")

    rig.pull_whole()
    rig.pull_whole()

    here = rig.records("opportunity")["d1"]
    made = [one for one in rig.records("change").values() if one.field == "stage" and one.new == here.stage]
    assert [one.record_id for one in made] == [here.remote_id]


def test_stages_say_what_they_mean_in_their_order(start: Start) -> None:
    rig = start([deal(number, stage=one["stage"], **_ended(one)) for number, one in enumerate(STAGES)])
    streams_of(rig, "stage")

    rig.pull_whole()

    used = [rig.records("opportunity")[f"d{number}"].stage for number in range(len(STAGES))]
    known = {stage.stage: stage for stage in rig.records("stage").values()}
    found = [known[name] for name in used]
    said = [one.outcome for one in found]
    assert said == [one if one is None else meant["outcome"] for one, meant in zip(said, STAGES, strict=True)]
    places = [one.position for one in found if one.position is not None and one.outcome in (None, "open")]
    assert places == sorted(places)
    assert {one.probability is None or 0 <= one.probability <= 1 for one in found} == {True}


def _ended(stage: Row) -> dict[str, object]:
    return {} if stage["outcome"] == "open" else {"outcome": stage["outcome"], "closed_at": moment(timedelta(days=2))}


def quota(person: str) -> Row:
    first = date(TODAY.year, 1, 1)
    return row(
        "targets", id="t1", subject_kind="person", subject_id=person, metric="bookings", period_start=first,
        period_end=date(TODAY.year, 3, 31), amount="120000", currency="EUR", modified_at=moment(timedelta(days=60)),
    )  # fmt: skip


def test_a_target_says_the_same_as_in_the_crm(start: Start) -> None:
    rig = start([deal(1)], targets=[quota("p1")])
    streams_of(rig, "target")

    rig.pull_whole()

    found = [one for one in rig.records("target").values() if not one.deleted]
    whole = sum(one.amount for one in found)
    assert whole == Decimal(120000)
    assert {one.subject_id for one in found} == {rig.remote("person", "p1")}
    assert min(one.period_start for one in found) == date(TODAY.year, 1, 1)
    assert max(one.period_end for one in found) == date(TODAY.year, 3, 31)


def test_splits_say_the_same_as_in_the_crm(start: Start) -> None:
    at = moment(timedelta(days=30))
    rows = [
        row(
            "splits",
            id=f"x{person}",
            opportunity_id="d1",
            person_id=person,
            percentage=part,
            kind="revenue",
            modified_at=at,
        )
        for person, part in (("p1", "0.6"), ("p2", "0.4"))
    ]
    rig = start([deal(1)], splits=rows)
    streams_of(rig, "split")

    rig.pull_whole()

    found = {one.person_id: one for one in rig.records("split").values() if not one.deleted}
    shares = {rig.remote("person", "p1"): Decimal("0.6"), rig.remote("person", "p2"): Decimal("0.4")}
    unknown = dict.fromkeys(shares)  # SAP knows who shares, and how much only where a company has a field for it
    assert {person: one.percentage for person, one in found.items()} in (shares, unknown)
    assert {one.opportunity_id for one in found.values()} == {rig.remote("opportunity", "d1")}


def test_line_items_say_the_same_as_in_the_crm(start: Start) -> None:
    item = row(
        "line_items", id="l1", opportunity_id="d1", product="GTX Pro", quantity="3", amount="1500.75",
        modified_at=moment(timedelta(days=30)),
    )  # fmt: skip
    rig = start([deal(1)], line_items=[item])
    streams_of(rig, "line_item")

    rig.pull_whole()

    found = [one for one in rig.records("line_item").values() if not one.deleted]
    assert [(one.quantity, one.amount) for one in found] == [(Decimal(3), Decimal("1500.75"))]
    assert found[0].opportunity_id == rig.remote("opportunity", "d1")
    assert found[0].product
