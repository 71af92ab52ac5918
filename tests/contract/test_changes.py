"""Changes: each is read once, none is missed, and nothing is read that did not change."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.base import Can, Window
from tests.contract.conftest import Start
from tests.contract.rig import Rig, deal
from tests.contract.test_records import activity, row


def deals(count: int) -> list[dict[str, object]]:
    return [dict(deal(number)) for number in range(count)]


def needs_changes(rig: Rig) -> None:
    if not rig.can(Can.PULL_CHANGES):
        pytest.skip(f"{rig.kind} always reads everything")


def test_a_second_pull_brings_nothing_new(start: Start) -> None:
    rig = start(deals(12), emulator={"page_cap": 5})
    rig.pull_whole()

    again = rig.pull_whole()

    assert [(one.stream, one.new, one.changed) for one in again.streams if one.new or one.changed] == []


def test_reading_everything_again_changes_nothing(start: Start) -> None:
    talk = activity("meeting")
    parts = [
        row("splits", id=f"x{person}", opportunity_id="d1", person_id=person, percentage="0.5", kind="revenue")
        for person in ("p1", "p2")
    ]
    item = row("line_items", id="l1", opportunity_id="d1", product="GTX", quantity="3", amount="1500.75")
    rig = start(
        deals(3), activities=[{**talk, "contact_ids": "k1", "participant_ids": "p1"}], splits=parts, line_items=[item]
    )
    rig.pull_whole()
    kinds = {stream.kind for stream in rig.connector_class.streams}
    before = {kind: rig.records(kind) for kind in kinds}

    again = rig.pull_whole(full=True)

    assert [(one.stream, one.new, one.changed) for one in again.streams if one.new or one.changed] == []
    assert {kind: rig.records(kind) for kind in kinds} == before


def test_an_idle_pull_makes_at_most_one_call_per_stream(start: Start) -> None:
    rig = start(deals(12))
    needs_changes(rig)
    rig.pull_whole()
    rig.pull_whole()
    rig.calls()

    rig.pull_whole()

    cycle = [one for one in rig.connector_class.streams if one.schedule == "cycle" and not one.filled_by]
    sign_in = 1  # each pull here is a process life of its own and signs in again
    assert rig.calls() <= len(cycle) + sign_in


def test_a_change_a_new_deal_and_nothing_else_are_read(start: Start) -> None:
    rig = start(deals(12), emulator={"page_cap": 5})
    rig.pull_whole()
    before = rig.versions("opportunity")
    rig.edit("opportunity", "d3", amount="777.25")
    fresh = rig.create(deal(99))

    rig.pull_whole()

    found = rig.records("opportunity")
    names = {record.name: record for record in found.values()}
    assert found["d3"].amount == Decimal("777.25")
    assert names["Deal 99"].remote_id == fresh
    assert rig.versions("opportunity") == before + 2


def test_rows_that_did_not_change_are_not_read_again(start: Start) -> None:
    rig = start(deals(40))
    needs_changes(rig)
    if rig.kind == "csv":
        pytest.skip("a file is read whole")
    rig.pull_whole()
    rig.edit("opportunity", "d3", amount="5")

    outcome = rig.pull_whole()

    assert [one.rows for one in outcome.streams if one.stream == "opportunity"] == [1]


def test_changes_of_one_moment_over_page_borders_are_all_read(start: Start) -> None:
    rig = start(deals(23), emulator={"page_cap": 5})
    rig.pull_whole()
    at = datetime.now(UTC).replace(microsecond=0)
    with stopped_clock(rig, at):
        for number in range(23):
            rig.edit("opportunity", f"d{number}", amount="5")

    rig.pull_whole()

    assert {record.amount for record in rig.records("opportunity").values()} == {Decimal(5)}


@contextmanager
def stopped_clock(rig: Rig, at: datetime) -> Iterator[None]:
    """The CRM's clock stands still: an import stamps many rows alike. A folder has none to stop."""
    if rig.kind == "csv":
        yield
        return
    running, rig.emulator.clock = rig.emulator.clock, lambda: at
    try:
        yield
    finally:
        rig.emulator.clock = running


def test_a_change_that_is_committed_late_is_not_missed(start: Start) -> None:
    rig = start(deals(4))
    needs_changes(rig)
    rig.pull_whole()
    rig.arm("late_commit", seconds=60)
    rig.edit("opportunity", "d2", amount="42")

    rig.pull_whole()

    assert rig.records("opportunity")["d2"].amount == Decimal(42)


@pytest.mark.parametrize("seconds", [-600, 600])
def test_a_clock_that_differs_from_ours_loses_nothing(start: Start, seconds: int) -> None:
    rig = start(deals(4))
    rig.emulator.skew = timedelta(seconds=seconds)
    rig.pull_whole()
    rig.edit("opportunity", "d2", amount="42")

    rig.pull_whole()

    assert rig.records("opportunity")["d2"].amount == Decimal(42)


def test_what_moves_while_pages_are_read_is_not_missed(start: Start) -> None:
    rig = start(deals(25), emulator={"page_cap": 5})
    with rig.connector() as connector:
        stream = next(one for one in connector.streams if one.name == "opportunity")
        window = Window(None, connector.now() + timedelta(seconds=1), streams=frozenset({"opportunity"}))
        pages = connector.pull(stream, window, None)
        next(pages, None)
        for number in (1, 12, 24):
            rig.edit("opportunity", f"d{number}", amount="5")
        for _ in pages:
            pass

    rig.pull_whole()
    rig.pull_whole()

    found = rig.records("opportunity")
    assert len(rig.present("opportunity")) == 25
    assert {found[f"d{number}"].amount for number in (1, 12, 24)} == {Decimal(5)}


def test_a_pull_goes_on_where_it_was_cut_off(start: Start) -> None:
    rig = start(deals(25), emulator={"page_cap": 5})
    rig.arm("revoked", after=0, times=None, match="no such path")  # armed, never struck: the usual order is kept
    rig.arm("server_error", after=6, times=30)
    rig.pull()
    rig.emulator.faults.clear()

    rig.pull_whole()

    assert len(rig.present("opportunity")) == 25


def test_a_deleted_deal_is_gone(start: Start) -> None:
    rig = start(deals(12))
    rig.pull_whole()
    rig.remove("opportunity", "d3")

    rig.pull_whole()
    if "d3" in rig.present("opportunity"):  # a CRM without a list of deletions: the sweep finds it
        rig.sweep()

    assert rig.present("opportunity") == {f"d{number}" for number in range(12) if number != 3}


@pytest.mark.parametrize(("record", "loser", "winner"), [("account", "a2", "a1"), ("opportunity", "d2", "d1")])
def test_what_was_merged_into_another_is_gone(start: Start, record: str, loser: str, winner: str) -> None:
    rig = start(deals(12))
    rig.pull_whole()
    rig.merge(record, loser=loser, winner=winner)

    rig.pull_whole()
    if loser in rig.present(record):
        rig.sweep()

    assert loser not in rig.present(record)
    assert winner in rig.present(record)


def test_a_deal_made_again_under_the_same_name_is_another_deal(start: Start) -> None:
    rig = start(deals(12))
    rig.pull_whole()
    was = rig.remote("opportunity", "d3")
    rig.remove("opportunity", "d3")
    fresh = rig.create(deal(3))

    rig.pull_whole()
    if "d3" in rig.present("opportunity"):
        rig.sweep()

    present = {record.remote_id for record in rig.records("opportunity").values() if not record.deleted}
    assert fresh in present
    assert was not in present


def test_a_person_who_left_is_no_longer_active_and_still_owns_what_was_theirs(start: Start) -> None:
    rig = start(deals(2))
    rig.pull_whole()
    rig.edit("person", "p1", active=False)

    rig.pull_whole()
    if rig.records("person")["p1"].active:
        rig.sweep()

    assert rig.records("person")["p1"].active is False
    assert rig.records("opportunity")["d1"].owner_id == rig.remote("person", "p1")
