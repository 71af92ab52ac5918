"""The main path: pull, score, push. Read this file first.

Each connection is pulled and pushed by a thread of its own, since its time goes into waiting; scoring runs once, between.
After a push the streams we wrote to are read once more, so that the next cycle finds nothing to do (decision 0004).
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self, TypeVar

import structlog

from connectors.base import Can, Connector
from connectors.errors import ScorebackError, SignInError
from connectors.registry import open_connector
from sync.config import Config
from sync.lock import turn
from sync.pull import Puller, PullOptions, PullOutcome
from sync.push import Pusher, PushOutcome
from sync.score import ScoreOptions, ScoreOutcome, Scorer
from sync.store.engine import Store
from sync.store.state import close_interrupted, end_run, start_run, used_calls
from sync.store.tokens import Tokens, open_key

log = structlog.get_logger(__name__)

Done = TypeVar("Done")

Progress = Callable[[str, str, str, int], None]
"""Called with step, connection, what and rows so far."""


def _quiet(_step: str, _connection: str, _what: str, _rows: int) -> None:
    """Progress that nobody looks at."""


@dataclass(slots=True)
class CycleOutcome:
    """What one cycle did."""

    run: int
    pulls: list[PullOutcome] = field(default_factory=list)
    score: ScoreOutcome | None = None
    pushes: list[PushOutcome] = field(default_factory=list)
    error: ScorebackError | None = None

    @property
    def failed(self) -> bool:
        """Whether any part failed."""
        parts = [*(part.failed for part in self.pulls), *(part.failed for part in self.pushes)]
        return self.error is not None or any(parts)

    @property
    def sign_in_refused(self) -> bool:
        """Whether a CRM refused us."""
        errors = [self.error, *(part.error for part in self.pulls), *(part.error for part in self.pushes)]
        return any(isinstance(error, SignInError) for error in errors)


@dataclass(slots=True)
class RunBook:
    """What is written about a run when it ends."""

    number: int
    failed: bool = False
    summary: dict[str, object] = field(default_factory=dict)


class Service:
    """Everything a cycle needs, opened once: the configuration, the store and one connector per connection."""

    def __init__(self, config: Config, store: Store, *, progress: Progress = _quiet) -> None:
        self.config = config
        self.store = store
        self.progress = progress
        self._opening = threading.Lock()
        self._connectors: dict[str, Connector] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def connector(self, name: str) -> Connector:
        """The connector of a connection, opened at first use."""
        with self._opening:
            if name not in self._connectors:
                tokens = Tokens(self.store, open_key(self.config.settings.token_key(self.config.folder)))
                connector = open_connector(self.config.connections[name], token_store=tokens)
                today = datetime.now(UTC).date()
                with self.store.reading() as tx:
                    connector.http.limiter.start_used(today, used_calls(tx, name, today))
                self._stack.callback(connector.close)
                self._connectors[name] = connector
            return self._connectors[name]

    @contextmanager
    def run(self, command: str, connection: str | None = None) -> Iterator["RunBook"]:
        """A numbered run in the books: ``done`` or ``failed`` as its book says; ``interrupted`` if we were killed.

        Runs of the service and of commands beside it take turns.
        """
        with turn(self.config.store_url, waiting=self._say_waiting), self._booked(command, connection) as book:
            yield book

    def _say_waiting(self) -> None:
        self.progress("wait", "", "for the run in hand", 0)
        log.warning("run_waits", reason="another run works on this store")

    @contextmanager
    def _booked(self, command: str, connection: str | None) -> Iterator["RunBook"]:
        with self.store.writing() as tx:
            close_interrupted(tx)  # the turn is ours: whoever left a run open is dead
            number = start_run(tx, command, at=datetime.now(UTC), connection=connection, process=str(os.getpid()))
        book = RunBook(number)
        try:
            with structlog.contextvars.bound_contextvars(run=number):
                yield book
        except BaseException as error:
            book.failed, book.summary = True, {"error": type(error).__name__}
            raise
        finally:
            with self.store.writing() as tx:
                status = "failed" if book.failed else "done"
                end_run(tx, number, at=datetime.now(UTC), status=status, summary=book.summary)

    # steps

    def pull(self, run: int, names: Sequence[str], options: PullOptions | None = None) -> list[PullOutcome]:
        """Pulls the named connections side by side."""
        chosen = options or PullOptions()
        return self._each(names, lambda name: self._pull_one(run, name, chosen))

    def _pull_one(self, run: int, name: str, options: PullOptions) -> PullOutcome:
        try:
            connector = self.connector(name)
        except ScorebackError as error:
            return PullOutcome(name, error=error)
        return Puller(
            connector,
            self.store,
            run=run,
            options=options,
            suspicious_share=float(self.config.settings.service.suspicious_share),
            progress=lambda connection, stream, rows: self.progress("pull", connection, stream, rows),
        ).pull()

    def score(self, run: int, options: ScoreOptions | None = None) -> ScoreOutcome:
        """Scores what the new facts touch, and queues what is worth a write."""
        return Scorer(self.config, self.store, run=run, options=options or ScoreOptions()).score()

    def push(self, run: int, names: Sequence[str], *, confirm_drift: bool = False) -> list[PushOutcome]:
        """Pushes the named connections side by side."""
        writing = [name for name in names if self.config.connections[name].write_back]
        return self._each(writing, lambda name: self._push_one(run, name, confirm_drift=confirm_drift))

    def _push_one(self, run: int, name: str, *, confirm_drift: bool) -> PushOutcome:
        try:
            connector = self.connector(name)
        except ScorebackError as error:
            return PushOutcome(name, error=error)
        outcome = Pusher(
            connector,
            self.store,
            run=run,
            settings=self.config.settings.push,
            confirm_drift=confirm_drift,
            progress=lambda connection, record, rows: self.progress("push", connection, record, rows),
        ).push()
        if outcome.accepted and outcome.error is None and Can.PULL_CHANGES in connector.can:
            written = frozenset(self.config.connections[name].write_back)
            echoed = frozenset(stream.name for stream in connector.streams if stream.kind in written)
            Puller(connector, self.store, run=run, options=PullOptions(only=echoed)).pull()
        return outcome

    def cycle(
        self,
        command: str = "run",
        names: Sequence[str] | None = None,
        *,
        pull: PullOptions | None = None,
        score: ScoreOptions | None = None,
        confirm_drift: bool = False,
    ) -> CycleOutcome:
        """One pull, score and push. A connection that fails leaves the others running."""
        chosen = list(names) if names is not None else list(self.config.connections)
        with self.run(command) as book:
            outcome = CycleOutcome(book.number)
            outcome.pulls = self.pull(book.number, chosen, pull)
            try:
                outcome.score = self.score(book.number, score)
            except ScorebackError as error:
                outcome.error = error
                log.error("score_failed", advice=str(error))  # noqa: TRY400 # expected, and the traceback may hold values
            else:
                reachable = [part.connection for part in outcome.pulls if part.error is None]
                outcome.pushes = self.push(book.number, reachable, confirm_drift=confirm_drift)
            book.failed, book.summary = outcome.failed, summary(outcome)
        return outcome

    def _each(self, names: Sequence[str], work: Callable[[str], Done]) -> list[Done]:
        if len(names) < 2:
            return [work(name) for name in names]
        with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="connection") as pool:
            tasks = [pool.submit(copy_context().run, work, name) for name in names]
            return [task.result() for task in tasks]


def summary(outcome: CycleOutcome) -> dict[str, object]:
    """The cycle in numbers, for the books."""
    return {
        "pulled": {
            part.connection: {
                stream.stream: [stream.rows, stream.new, stream.changed] for stream in part.streams if stream.rows
            }
            for part in outcome.pulls
        },
        "scored": outcome.score.as_dict() if outcome.score else None,
        "pushed": {part.connection: [part.accepted, part.refused, part.waiting] for part in outcome.pushes},
    }
