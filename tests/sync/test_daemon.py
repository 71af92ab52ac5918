"""The service as a process: its schedule, /health, the one instance, and its end after SIGTERM."""

import json
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.routing import Reply, Request
from sync.daemon import Daemon
from sync.store.state import runs
from tests.sync.company import SCOREBACK, Company, open_company, write_world
from tests.sync.states import State, differing, opened, state

STOPS_WITHIN_SECONDS = 10


class Running:
    """The service in a process of its own, heard through its log."""

    def __init__(self, company: Company, port: int) -> None:
        self.port = port
        self.process = subprocess.Popen(  # noqa: S603 # our own command
            [SCOREBACK, "-c", company.config_folder, "run"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def hear(self, event: str, **values: Any) -> dict[str, Any]:
        """The next log line of that event; blocks until it is said."""
        assert self.process.stderr is not None
        heard = []
        for line in self.process.stderr:
            heard.append(line)
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("event") == event and values.items() <= said.items():
                return dict(said)
        pytest.fail(f"the service ended without saying {event}: {''.join(heard)}")

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health") as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def stop(self) -> int:
        """Asks it to stop; its exit code. Raises TimeoutExpired where it does not stop in time."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOPS_WITHIN_SECONDS)


@contextmanager
def running(company: Company, yaml: str = "") -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = f"organisation: {{time_zone: Europe/Berlin, currency: EUR}}\nservice: {{health: {port}}}\n{yaml}"
    (company.config_folder / "scoreback.yaml").write_text(text, encoding="utf-8")
    service = Running(company, port)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
        service.process.wait()
        if service.process.stderr is not None:
            service.process.stderr.close()


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("world"), deals=50, people=6)


@pytest.fixture
def small(tmp_path: Path, small_world: Path) -> Iterator[Company]:
    with open_company(tmp_path, small_world, ["hubspot"]) as opened_company:
        yield opened_company


def at_call(company: Company, number: int, act: Callable[[], None]) -> None:
    """Lets ``act`` happen while the CRM has the ``number``-th call from now in its hands."""
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


def test_the_service_runs_a_cycle_at_its_start_tells_its_health_and_stops(small: Company) -> None:
    with running(small) as service:
        service.hear("service_started")
        service.hear("cycle_finished", failed=False)
        status, health = service.health()
        code = service.stop()

    assert status == 200
    assert health["status"] == "ok"
    assert health["connections"]["hubspot"]["failed"] is False
    assert code == 0
    assert small.held("hubspot", "opportunities", small.deals("hubspot")[0]["id"])["scoreback_score"]


def test_cycles_follow_each_other_by_the_schedule(small: Company) -> None:
    connection = small.config_folder / "connections" / "hubspot.yaml"
    connection.write_text(connection.read_text(encoding="utf-8").replace("every: 5m", "every: 1s"), encoding="utf-8")
    with running(small) as service:
        numbers = [service.hear("cycle_finished")["run"] for _ in range(3)]
        code = service.stop()

    assert numbers == sorted(set(numbers))
    assert code == 0


def test_a_connection_that_fails_shows_in_the_health(small: Company) -> None:
    small.arm("hubspot", "revoked")
    with running(small) as service:
        service.hear("cycle_finished", failed=True)
        status, health = service.health()
        code = service.stop()

    assert (status, health["status"]) == (503, "failing")
    assert code == 0


def test_a_second_instance_is_refused_with_its_own_exit_code(small: Company) -> None:
    with running(small) as service:
        service.hear("service_started")
        second = small.command("run", "--once")
        code = service.stop()

    assert second.returncode == 4
    assert "another Scoreback" in second.stderr
    assert code == 0


def test_reading_commands_answer_while_a_cycle_is_in_hand(small: Company) -> None:
    assert not small.cycle().failed
    in_hand, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        in_hand.set()
        let_go.wait(60)

    at_call(small, 2, hold)
    with running(small) as service:
        assert in_hand.wait(60)
        read = small.command("status", "--json", timeout=30)
        let_go.set()
        code = service.stop()

    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout)
    assert code == 0


@pytest.mark.parametrize("number", [3, 12, 25])
def test_a_cycle_in_hand_ends_at_its_next_page_and_the_next_start_goes_on(
    tmp_path: Path, small_world: Path, number: int
) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
    with opened(tmp_path / "undisturbed", small_world, start, ["hubspot"]) as company:
        company.cycle()
        expected = settled(company)
    with opened(tmp_path / "stopped", small_world, start, ["hubspot"]) as company, running(company) as service:
        in_hand, let_go = threading.Event(), threading.Event()

        def hold() -> None:
            in_hand.set()
            let_go.wait(60)

        at_call(company, number, hold)
        assert in_hand.wait(60)
        service.process.send_signal(signal.SIGTERM)
        service.hear("signal_received")
        let_go.set()
        code = service.process.wait(STOPS_WITHIN_SECONDS)
        company.set("")
        outcome = company.cycle()
        ended = settled(company)

    assert code == 0
    assert not outcome.failed
    assert {name: differing(ended[name], expected[name]) for name in expected if ended[name] != expected[name]} == {}


def settled(company: Company) -> State:
    found = state(company)
    return {name: rows for name, rows in found.items() if name == "opportunity" or name.startswith("hubspot ")}


def test_a_call_that_does_not_come_back_does_not_keep_the_service(small: Company) -> None:
    in_hand, over = threading.Event(), threading.Event()

    def hold() -> None:
        in_hand.set()
        over.wait(60)

    at_call(small, 5, hold)
    with running(small) as service:
        assert in_hand.wait(60)
        code = service.stop()
        over.set()
        outcome = small.cycle()

    assert code == 0
    assert not outcome.failed
    with small.store() as store, store.reading() as tx:
        assert [run.status for run in runs(tx)] == ["done", "interrupted"]


def test_jobs_neither_overlap_nor_pile_up(small: Company) -> None:
    with small.service() as service:
        scheduler = Daemon(service, ["hubspot"]).schedule()
        scheduler.start(paused=True)
        jobs = scheduler.get_jobs()
        scheduler.shutdown(wait=False)

    assert [(job.id, job.max_instances, job.coalesce, job.misfire_grace_time) for job in jobs] == [
        ("hubspot", 1, True, None)
    ]
