"""Pulling into a store, process after process: places in the change feed last, and nothing is lost or read twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.records import Record
from sync.pull import Puller, PullOptions, PullOutcome
from sync.store.engine import Store, open_store
from sync.store.state import end_run, start_run
from sync.store.versions import current_records, ids_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with open_store(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        yield opened


def pull(crm: Any, store: Store, **options: Any) -> PullOutcome:
    """One pull in a process life of its own, in which nothing fails."""
    with store.writing() as tx:
        run = start_run(tx, "pull", at=datetime.now(UTC))
    outcome = Puller(crm.connect(), store, run=run, options=PullOptions(**options)).pull()
    with store.writing() as tx:
        end_run(tx, run, at=datetime.now(UTC), status="done")
    assert outcome.error is None
    assert [one.error for one in outcome.streams if one.error] == []
    return outcome


def rows(outcome: PullOutcome, stream: str = "opportunity") -> int:
    return next(one.rows for one in outcome.streams if one.stream == stream)


def deals(store: Store) -> set[str]:
    with store.reading() as tx:
        return set(ids_of(tx, "crm", "opportunity"))


def test_the_place_in_the_feed_is_kept_from_one_process_to_the_next(crm: Any, store: Store) -> None:
    first = pull(crm, store)
    crm.edit("opportunities", "100", amount="42")

    second, third = pull(crm, store), pull(crm, store)

    assert [rows(found) for found in (first, second, third)] == [3, 1, 0]


def test_a_deletion_comes_with_the_changes_and_needs_no_sweep(crm: Any, store: Store) -> None:
    pull(crm, store)
    crm.remove("opportunities", "102")

    pull(crm, store)

    assert deals(store) == {crm.id("opportunities", name) for name in ("100", "101")}


def test_a_full_pull_of_one_stream_leaves_the_places_of_the_others(crm: Any, store: Store) -> None:
    pull(crm, store)
    again = pull(crm, store, only=frozenset({"account"}), full=True)

    assert rows(again, "account") == 2
    assert rows(pull(crm, store)) == 0


def test_a_link_that_ran_out_while_nobody_pulled_loses_nothing(crm: Any, store: Store) -> None:
    pull(crm, store)
    changed, gone = crm.id("opportunities", "100"), crm.id("opportunities", "102")
    crm.edit("opportunities", changed, amount="42")
    crm.remove("opportunities", gone)
    crm.emulator.skew += timedelta(days=8)

    pull(crm, store)
    pull(crm, store, reconcile=True)

    assert deals(store) == {changed, crm.id("opportunities", "101")}
    with store.reading() as tx:
        assert current_records(tx, "crm", "opportunity", [changed])[changed].amount == 42  # type: ignore[attr-defined] # a deal has one


def test_comparing_meetings_leaves_calls_tasks_and_emails_alone(make_crm: Any, store: Store) -> None:
    crm = make_crm(untracked=["appointment"])
    pull(crm, store)
    with store.reading() as tx:
        before = ids_of(tx, "crm", "activity")
    gone = crm.id("activities", "a5")
    crm.remove("activities", "a5")

    pull(crm, store, reconcile=True)

    with store.reading() as tx:
        assert ids_of(tx, "crm", "activity") == before - {gone}


@pytest.mark.parametrize("options", [{"full": True}, {"reconcile": True}, {}])
@pytest.mark.parametrize("switches", [{}, {"untracked": ["phonecall", "appointment", "systemuser"]}])
def test_reading_again_what_did_not_change_takes_nobody_out_of_teams_and_activities(
    make_crm: Any, store: Store, switches: Any, options: Any
) -> None:
    crm = make_crm(**switches)
    pull(crm, store)
    before = {kind: held(store, kind) for kind in ("person", "activity")}

    again = pull(crm, store, **options)

    assert {kind: held(store, kind) for kind in ("person", "activity")} == before
    assert {one.team for one in before["person"].values()} == {"North", "South"}  # type: ignore[attr-defined] # people have one
    assert any(one.participant_ids for one in before["activity"].values())  # type: ignore[attr-defined] # as activities do
    assert [one.changed for one in again.streams] == [0] * len(again.streams)


def held(store: Store, kind: str) -> dict[str, Record]:
    with store.reading() as tx:
        return current_records(tx, "crm", kind, sorted(ids_of(tx, "crm", kind)))
