"""Ctrl-C and SIGTERM at a command: it ends between two pages with a sentence, and the next run goes on."""

import signal
import subprocess
import threading
from collections.abc import Callable

import pytest

from connectors.sandbox.routing import Reply, Request
from sync.run import Service
from sync.stopping import StopSignal, listening
from sync.store.state import runs
from tests.sync.company import SCOREBACK, Company


def started(company: Company, *words: str) -> subprocess.Popen[str]:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("these tests were started to ignore Ctrl-C, and so is what they start")
    return subprocess.Popen(  # noqa: S603 # our own command
        [SCOREBACK, "-c", company.config_folder, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def at_call(company: Company, number: int, act: Callable[[], None]) -> None:
    """Lets ``act`` happen while HubSpot has the ``number``-th call from now in its hands."""
    emulator = company.emulators["hubspot"]
    real, lock, left = emulator.answer, threading.Lock(), number

    def answer(request: Request) -> Reply:
        nonlocal left
        with lock:
            left -= 1
            mine = left == 0
        if mine:
            act()
        return real(request)

    emulator.answer = answer  # type: ignore[method-assign] # a CRM that looks on


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_ends_a_run_of_two_connections_at_the_next_page(company: Company, number: int, name: str) -> None:
    in_hand = threading.Event()
    at_call(company, 6, in_hand.set)
    process = started(company, "run", "--once")
    assert in_hand.wait(60)
    process.send_signal(number)
    said, complained = process.communicate(timeout=60)
    before = company.calls()
    company.reset_stats()
    again = company.cycle()

    assert process.returncode == 1
    assert complained.splitlines()[-1] == f"stopped by {name}; what was stored stays; run it again to go on"
    assert "Traceback" not in said + complained
    with company.store() as store, store.reading() as tx:
        assert [run.status for run in runs(tx)] == ["done", "interrupted"]
    assert not again.failed
    assert before["hubspot"] < company.calls()["hubspot"]  # most of it was left to the next run


def test_a_call_that_does_not_come_back_is_left_behind(company: Company) -> None:
    in_hand, over = threading.Event(), threading.Event()

    def hold() -> None:
        in_hand.set()
        over.wait(60)

    at_call(company, 6, hold)
    process = started(company, "pull")
    assert in_hand.wait(60)
    process.send_signal(signal.SIGINT)
    _, complained = process.communicate(timeout=30)
    held = not over.is_set()
    over.set()

    assert held
    assert process.returncode == 1
    assert "stopped by Ctrl-C" in complained


def test_a_signal_that_we_were_started_to_ignore_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with listening():
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(StopSignal, match="SIGTERM"):
                signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_defect_in_one_connection_leaves_the_other_running_and_is_told(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Service.connector

    def broken(self: Service, name: str) -> object:
        if name == "hubspot":
            message = "a defect"
            raise KeyError(message)
        return real(self, name)

    monkeypatch.setattr(Service, "connector", broken)
    outcome = company.cycle()

    errors = {part.connection: part.error for part in outcome.pulls}
    assert errors["salesforce"] is None
    assert "hubspot: unexpected KeyError in sync/test_stopping.py" in str(errors["hubspot"]).replace("tests/", "")
    assert [part.connection for part in outcome.pushes] == ["salesforce"]
