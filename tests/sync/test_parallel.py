"""First loads in parts read side by side: the same rows, few calls, one writer, and an end that leaves nothing running."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.hubspot import reading, slices
from connectors.limiter import Limiter
from connectors.registry import open_connector
from connectors.sandbox.folder import write_world
from connectors.sandbox.hubspot import HubSpotEmulator
from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.server import Server
from sync import pull_pages
from sync.cli.emulators import connection_file
from sync.config import load_config
from sync.pull import Puller, PullOptions, PullOutcome
from sync.push import StopRequestedError
from sync.store.engine import Store
from sync.store.state import end_run, load_state, start_run
from sync.store.versions import ids_of
from tests.sync.narrow import NARROW

DEALS = 203
PAGES = 102
LIST = "GET /crm/objects/2026-03/{type}"
ONLY_DEALS = PullOptions(only=frozenset({"opportunity"}))

Pull = Callable[..., PullOutcome]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two deals to a page, and parts of four pages."""
    for module, name, value in NARROW:
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(Limiter, "_shared", {})


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[HubSpotEmulator]:
    """Deals whose ids lie unevenly: dense at first, wide apart later."""
    ids = [number if number < 100 else number * number for number in range(1, DEALS + 1)]
    write_world(tmp_path / "world", {"opportunities": [{"id": str(one), "name": f"Deal {one}"} for one in ids]})
    emulator = HubSpotEmulator(tmp_path / "world")
    with Server(emulator):
        yield emulator


@pytest.fixture
def pull(portal: HubSpotEmulator, tmp_path: Path, sqlite_store: Store) -> Pull:
    """Pulls the deals as a new process would."""

    def once(progress: Callable[[str, str, int], None] = lambda *_: None, full: bool = False) -> PullOutcome:
        path = tmp_path / "config" / "connections" / "hs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(connection_file("hubspot", portal.url, write_back=False), encoding="utf-8")
        with sqlite_store.writing() as tx:
            run = start_run(tx, "pull", at=datetime.now(UTC))
        connector = open_connector(load_config(tmp_path / "config").connections["hs"])
        try:
            options = PullOptions(full=full, only=ONLY_DEALS.only)
            return Puller(connector, sqlite_store, run=run, options=options, progress=progress).pull()
        finally:
            connector.close()
            with sqlite_store.writing() as tx:
                end_run(tx, run, at=datetime.now(UTC), status="done")

    return once


def stored(store: Store) -> set[str]:
    with store.reading() as tx:
        return ids_of(tx, "hs", "opportunity")


def resume(store: Store) -> str | None:
    with store.reading() as tx:
        return load_state(tx, "hs", "opportunity").resume


def answering(emulator: HubSpotEmulator, change: Callable[[Request, Callable[[Request], Reply]], Reply]) -> None:
    """Has ``change`` answer the calls, given the emulator's own way to."""
    real = emulator.answer
    setattr(emulator, "answer", lambda request: change(request, real))  # noqa: B010 # a method is no variable to mypy


def is_list(request: Request) -> bool:
    return request.method == "GET" and request.path.endswith("/deals")


def test_parts_bring_every_row_once_with_few_more_calls(
    pull: Pull, portal: HubSpotEmulator, sqlite_store: Store
) -> None:
    outcome = pull()

    assert not outcome.failed
    assert stored(sqlite_store) == set(portal.ids["opportunities"].values())
    assert (outcome.streams[0].rows, outcome.streams[0].new) == (DEALS, DEALS)
    assert PAGES < portal.stats[LIST] <= PAGES + slices.MOST_PARTS
    assert resume(sqlite_store) is None


def test_parts_are_asked_for_at_the_same_time(pull: Pull, portal: HubSpotEmulator) -> None:
    together = threading.Barrier(4)
    lists = iter(range(1, 1000))
    alone = pull_pages.LOOK_AFTER + pull_pages.CUT_AFTER

    def wait_for_others(request: Request, real: Callable[[Request], Reply]) -> Reply:
        if is_list(request) and alone < next(lists) <= alone + 4:
            together.wait(20)
        return real(request)

    answering(portal, wait_for_others)

    assert not pull().failed
    assert not together.broken


@pytest.mark.parametrize("good", [3, 9, 40, 80])
def test_a_load_that_breaks_off_goes_on_in_every_part(
    pull: Pull, portal: HubSpotEmulator, sqlite_store: Store, good: int
) -> None:
    portal.faults.arm({"name": "no_permission", "after": good})
    broken = pull()
    portal.faults.clear()
    before, calls = stored(sqlite_store), portal.stats[LIST]

    outcome = pull()

    in_flight = 3 * slices.MOST_PARTS
    assert broken.failed
    assert not outcome.failed
    assert len(before) >= 2 * (good - in_flight)
    assert outcome.streams[0].new == DEALS - len(before)
    assert portal.stats[LIST] - calls <= PAGES - len(before) // 2 + slices.MOST_PARTS
    assert stored(sqlite_store) == set(portal.ids["opportunities"].values())


def test_a_crm_that_answers_at_once_is_read_without_threads(
    pull: Pull, portal: HubSpotEmulator, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_pages, "WAIT_SECONDS", 1000.0)
    monkeypatch.delattr(pull_pages, "_Walkers")

    outcome = pull()

    assert not outcome.failed
    assert stored(sqlite_store) == set(portal.ids["opportunities"].values())
    assert portal.stats[LIST] == PAGES


def test_a_stop_leaves_no_thread_and_no_call_behind(pull: Pull, portal: HubSpotEmulator) -> None:
    def stop_at_twenty(_connection: str, _stream: str, rows: int) -> None:
        if rows >= 20:
            raise StopRequestedError("stopped")

    with pytest.raises(StopRequestedError):
        pull(stop_at_twenty)

    calls = portal.stats[LIST]
    assert not [thread for thread in threading.enumerate() if "_walk" in thread.name or "run" in thread.name]
    assert calls < PAGES
    assert portal.stats[LIST] == calls


def test_deals_made_during_the_load_are_read_by_its_last_part(
    pull: Pull, portal: HubSpotEmulator, sqlite_store: Store
) -> None:
    made: list[str] = []

    def add_one(request: Request, real: Callable[[Request], Reply]) -> Reply:
        reply = real(request)
        if request.path.endswith("/search") and not made:
            made.append(portal.edit("opportunities", None, {"name": "Late", "stage": "appointmentscheduled"}))
        return reply

    answering(portal, add_one)

    assert not pull().failed
    assert made[0] in stored(sqlite_store)


def test_a_list_that_does_not_go_by_ids_is_read_as_one(
    pull: Pull, portal: HubSpotEmulator, sqlite_store: Store
) -> None:
    def from_the_beginning(request: Request, real: Callable[[Request], Reply]) -> Reply:
        known = {str(one) for one in portal.ids["opportunities"].values()}
        if is_list(request) and request.first("after") not in {None, *known}:
            request.query["after"] = ["1"]  # a place that HubSpot did not give means something else to it
        return real(request)

    answering(portal, from_the_beginning)

    assert not pull().failed
    assert stored(sqlite_store) == set(portal.ids["opportunities"].values())


def test_a_small_stream_costs_no_question_where_to_cut(
    pull: Pull, portal: HubSpotEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIST_LIMIT", "HISTORY_LIMIT"):
        monkeypatch.setattr(reading, name, 50)
    monkeypatch.setattr(pull_pages, "CUT_AFTER", 16)

    pull()

    assert portal.stats[LIST] == 5
    assert not [where for where in portal.stats if where.endswith("/search")]


def test_an_error_of_one_part_ends_the_load_and_is_told(
    pull: Pull, portal: HubSpotEmulator, sqlite_store: Store
) -> None:
    lists = iter(range(1, 1000))

    def refuse_one(request: Request, real: Callable[[Request], Reply]) -> Reply:
        if is_list(request) and next(lists) == 30:
            return Reply(403, {"status": "error", "message": "no", "category": "MISSING_SCOPES"})
        return real(request)

    answering(portal, refuse_one)

    outcome = pull()

    assert "MISSING_SCOPES" in str(outcome.streams[0].error) or "no" in str(outcome.streams[0].error)
    assert 0 < len(stored(sqlite_store)) < DEALS
    assert str(resume(sqlite_store)).startswith("parts:")


def test_progress_is_told_by_the_pulls_own_thread(pull: Pull) -> None:
    tellers: set[Any] = set()

    pull(lambda *_: tellers.add(threading.get_ident()))

    assert tellers == {threading.get_ident()}
