"""The service: a schedule per connection, one writer, /health, and a clean stop within ten seconds of SIGTERM."""

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from connectors.errors import ConfigError, ScorebackError
from sync.log import configure_log
from sync.push import StopRequestedError
from sync.run import Service
from sync.stopping import GRACE_SECONDS

log = structlog.get_logger(__name__)


class Daemon:
    """Runs cycles until it is told to stop."""

    def __init__(self, service: Service, names: Sequence[str]) -> None:
        self.service = service
        self.names = list(names)
        self.stopping = service.stopping
        self.idle = threading.Event()
        self.idle.set()
        self.started_at = datetime.now(UTC)
        self.last: dict[str, dict[str, Any]] = {}
        self._one_cycle = threading.Lock()

    def cycle(self, name: str) -> None:
        """One cycle of one connection. Scoring is shared, so cycles take turns."""
        with self._one_cycle:
            if self.stopping.is_set():
                return
            self.idle.clear()
            try:
                outcome = self.service.cycle("run", [name])
                self.last[name] = {
                    "run": outcome.run,
                    "failed": outcome.failed,
                    "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
                }
                log.info("cycle_finished", connection=name, run=outcome.run, failed=outcome.failed)
            except StopRequestedError:
                log.info("cycle_interrupted", connection=name)
            except ScorebackError as error:  # the store, most likely: the next cycle tries again
                self._note_failure(name)
                log.error("cycle_failed", connection=name, advice=str(error))  # noqa: TRY400 # expected, and the traceback may hold values
            except Exception:  # the schedule must outlive any one cycle; the traceback is logged, never the records
                self._note_failure(name)
                log.exception("cycle_crashed", connection=name, advice="please report this with the lines above")
            finally:
                self.idle.set()

    def _note_failure(self, name: str) -> None:
        self.last[name] = {"failed": True, "ended_at": datetime.now(UTC).isoformat(timespec="seconds")}

    def schedule(self) -> BackgroundScheduler:
        """One job per connection: no overlap, missed runs coalesced into one, with jitter."""
        jitter = int(self.service.config.settings.service.jitter.total_seconds())
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max(1, len(self.names)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for name in self.names:
            every = self.service.config.connections[name].every
            scheduler.add_job(
                self.cycle,
                "interval",
                args=[name],
                id=name,
                seconds=every.total_seconds(),
                jitter=min(jitter, int(every.total_seconds() / 4)) or None,
                next_run_time=datetime.now(UTC),
            )
        return scheduler

    def health(self) -> dict[str, Any]:
        """What /health answers."""
        failed = [name for name, last in self.last.items() if last["failed"]]
        return {
            "status": "failing" if failed else "ok",
            "since": self.started_at.isoformat(timespec="seconds"),
            "connections": {name: self.last.get(name) for name in self.names},
        }

    def run(self) -> None:
        """Blocks until SIGTERM or SIGINT, then stops within ten seconds. Raises ConfigError for a port that cannot be had."""
        scheduler = self.schedule()
        port = self.service.config.settings.service.health
        with _health_page(self, port), _signals(self.stopping):
            scheduler.start()
            log.info("service_started", connections=self.names, health=port)
            self.stopping.wait()
            scheduler.shutdown(wait=False)
            finished = self.idle.wait(GRACE_SECONDS)
            log.info("service_stopped", cycle_finished=finished)
        if not finished:
            # A call is in hand that does not come back in time. Its page or batch is not committed, so the next start
            # repeats it; waiting for the thread would break the promise to stop within ten seconds.
            os._exit(0)


def serve(service: Service, names: Sequence[str]) -> None:
    """Runs the service in the foreground. Its log is its only voice, so it tells more than a command's."""
    configure_log()
    Daemon(service, names).run()


@contextmanager
def _signals(stopping: threading.Event) -> Iterator[None]:
    def stop(number: int, _frame: FrameType | None) -> None:
        log.info("signal_received", signal=signal.Signals(number).name)
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _health_page(daemon: Daemon, port: int | None) -> Iterator[None]:
    if port is None:
        yield
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server calls
            known = self.path in ("/health", "/ready")
            state = daemon.health()
            body = json.dumps(state if known else {"error": "not found"}).encode()
            self.send_response((200 if state["status"] == "ok" else 503) if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parameter's given name
            """Requests for health are not news."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        message = (
            f"service.health: port {port} on 127.0.0.1 cannot be had ({error.strerror}). Name another one in "
            "scoreback.yaml, or null for no page; the service did not start"
        )
        raise ConfigError(message) from error
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
