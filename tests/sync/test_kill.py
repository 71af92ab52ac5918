"""kill -9 at any point of a cycle, then run again to the end: store and CRMs are as if nothing had happened."""

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.routing import Reply, Request
from tests.sync import doomed
from tests.sync.company import Company
from tests.sync.states import State, differing, opened, set_clocks, state

KILLS = 3
"""Deaths in the first cycle, and again in the cycle after the edits: each seed dies six times."""

FROM_OUTSIDE = ("before answer", "after answer")
"""Killed by the CRM: as a call arrives, or when it has been carried out and its answer is not yet on the line."""

Point = tuple[str, int]

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["tests.sync.doomed", "connectors.hubspot", "connectors.salesforce", "sync.cli.sandbox"]
)


def spawn(company: Company, place: str, number: int) -> Any:
    process = processes.Process(target=doomed.cycle, args=(company.config_folder, place, number))
    process.start()
    return process


def die(company: Company, point: Point) -> None:
    """One cycle that ends at the point and nowhere else."""
    place, number = point
    if place not in FROM_OUTSIDE:
        process = spawn(company, place, number)
        process.join(60)
    else:
        with killing(company, place, number) as started:
            process = spawn(company, "", 0)
            started(process.pid)
            process.join(60)
    assert process.exitcode == -signal.SIGKILL, point


@contextmanager
def killing(company: Company, place: str, number: int) -> Iterator[Callable[[int], None]]:
    """While it lasts, the ``number``-th call to any CRM kills the process whose number was told."""
    known, lock, left, pid = threading.Event(), threading.Lock(), number, 0

    def start(started: int) -> None:
        nonlocal pid
        pid = started
        known.set()

    def deadly(real: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
        def answer(request: Request) -> Reply:
            nonlocal left
            with lock:
                left -= 1
                mine = left == 0
            if mine and place == "before answer":
                known.wait(60)
                os.kill(pid, signal.SIGKILL)
            reply = real(request)
            if mine and place == "after answer":
                known.wait(60)
                os.kill(pid, signal.SIGKILL)
            return reply

        return answer

    for emulator in company.emulators.values():
        setattr(emulator, "answer", deadly(emulator.answer))  # noqa: B010 # a method is no variable to mypy
    try:
        yield start
    finally:
        for emulator in company.emulators.values():
            delattr(emulator, "answer")  # the same; the method of the class is back


def finish(company: Company) -> None:
    process = spawn(company, "", 0)
    process.join(60)
    assert process.exitcode == 0


def edit(company: Company, at: datetime) -> None:
    """What happens in the CRMs between the two cycles; the same in every world."""
    set_clocks(company, at + timedelta(minutes=3))
    for kind in sorted(company.urls):
        deals = company.deals(kind)
        for deal in deals[:4]:
            company.edit(kind, "opportunities", deal["id"], next_step=None, amount="4321.00")
        for deal in deals[4:6]:
            company.edit(
                kind, "opportunities", deal["id"], stage="Negotiation" if "New" in deal["pipeline"] else "Renewed"
            )
        company.delete(kind, "opportunities", deals[6]["id"])
    set_clocks(company, at + timedelta(minutes=6))


@pytest.fixture(scope="module")
def start() -> datetime:
    """What the CRMs' clocks say in the first cycle: later than anything that was stamped while they were loaded."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, world: Path, start: datetime) -> tuple[State, list[int]]:
    """The end state of a company whose process never died, and the calls of its two cycles."""
    with opened(tmp_path_factory.mktemp("undisturbed"), world, start) as company:
        company.reset_stats()
        finish(company)
        first = sum(company.calls().values())
        edit(company, start)
        company.reset_stats()
        finish(company)
        return state(company), [first, sum(company.calls().values())]


def points(chance: random.Random, calls: int) -> list[Point]:
    """Where to die: once anywhere in the cycle, then early in those that go on from there."""
    places = chance.sample((*doomed.PLACES, *FROM_OUTSIDE), KILLS)
    numbers = [chance.randint(1, calls - 2), *(chance.randint(1, 12) for _ in range(KILLS - 1))]
    return list(zip(places, numbers, strict=True))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_process_that_is_killed_again_and_again_ends_where_an_undisturbed_one_does(
    tmp_path: Path, world: Path, start: datetime, undisturbed: tuple[State, list[int]], seed: int
) -> None:
    expected, calls = undisturbed
    chance = random.Random(seed)  # a test that can be repeated
    with opened(tmp_path, world, start) as company:
        for point in points(chance, calls[0]):
            die(company, point)
        finish(company)
        edit(company, start)
        for point in points(chance, calls[1]):
            die(company, point)
        finish(company)

        ended = state(company)

    assert ended.keys() == expected.keys()
    assert {name: differing(ended[name], expected[name]) for name in expected if ended[name] != expected[name]} == {}
