"""The main path: pull, score, push. Read this file first.

Each connection is pulled and pushed by a thread of its own, since its time goes into waiting; scoring runs once, between.
After a push the streams we wrote to are read once more, so that the next cycle finds nothing to do (decision 0004).
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Self, TypeVar

import structlog

from connectors.base import Can, Connector
from connectors.errors import RetryLaterError, ScorebackError, SignInError
from connectors.registry import open_connector
from sync.config import Config
from sync.crash import unexpected
from sync.lock import turn
from sync.pull import Puller, PullOptions, PullOutcome
from sync.push import Pusher, PushOutcome, StopRequestedError
from sync.renamed import keep_account
from sync.scored import ScoreOptions, ScoreOutcome
from sync.stopping import COMMAND_GRACE_SECONDS, THREADS
from sync.store.engine import Store
from sync.store.state import close_interrupted, end_run, start_run, used_calls
from sync.store.tokens import Tokens, open_key
from sync.store.trouble import StoreError

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
    status: Literal["done", "failed", "interrupted"] = "done"
    summary: dict[str, object] = field(default_factory=dict)

    def close(self, outcome: CycleOutcome, **more: object) -> None:
        """Notes how the run went."""
        self.status = "failed" if outcome.failed else "done"
        self.summary = {**summary(outcome), **more}


class Service:
    """Everything a cycle needs, opened once: the configuration, the store and one connector per connection.

    ``stopping`` ends the work in hand at its next page or batch, with StopRequestedError.
    """

    def __init__(self, config: Config, store: Store, *, progress: Progress = _quiet) -> None:
        self.config = config
        self.store = store
        self.progress = progress
        self.stopping = threading.Event()
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
        """A numbered run in the books: ``done`` or ``failed`` as its book says; ``interrupted`` if we were stopped or killed.

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
            stopped = isinstance(error, StopRequestedError) or not isinstance(error, Exception)
            book.status, book.summary = "interrupted" if stopped else "failed", {"error": type(error).__name__}
            # A full disk cannot take this either; then the next run calls us interrupted.
            with suppress(StoreError, RetryLaterError):
                self._end(book)
            raise
        self._end(book)

    def _end(self, book: RunBook) -> None:
        with self.store.writing() as tx:
            end_run(tx, book.number, at=datetime.now(UTC), status=book.status, summary=book.summary)

    def _step(self, step: str, connection: str, what: str, rows: int) -> None:
        if self.stopping.is_set():
            raise StopRequestedError("stopped between two pages")
        self.progress(step, connection, what, rows)

    # steps

    def pull(self, run: int, names: Sequence[str], options: PullOptions | None = None) -> list[PullOutcome]:
        """Pulls the named connections side by side."""
        chosen = options or PullOptions()

        def work(name: str) -> PullOutcome:
            outcome = self._surviving(name, lambda: self._pull_one(run, self.connector(name), chosen))
            return PullOutcome(name, error=outcome) if isinstance(outcome, ScorebackError) else outcome

        return self._each(names, work)

    def _pull_one(self, run: int, connector: Connector, options: PullOptions) -> PullOutcome:
        keep_account(self.store, connector.connection, self.config.connections)
        return Puller(
            connector,
            self.store,
            run=run,
            options=options,
            suspicious_share=float(self.config.settings.service.suspicious_share),
            progress=lambda connection, stream, rows: self._step("pull", connection, stream, rows),
        ).pull()

    def score(self, run: int, options: ScoreOptions | None = None) -> ScoreOutcome:
        """Scores what the new facts touch, and queues what is worth a write."""
        from sync.score import Scorer  # brings Polars along, which pulling and pushing can do without

        return Scorer(self.config, self.store, run=run, options=options or ScoreOptions()).score()

    def push(self, run: int, names: Sequence[str], *, confirm_drift: bool = False) -> list[PushOutcome]:
        """Pushes the named connections side by side."""
        writing = [name for name in names if self.config.connections[name].write_back]

        def work(name: str) -> PushOutcome:
            outcome = self._surviving(name, lambda: self._push_one(run, self.connector(name), confirm_drift))
            return PushOutcome(name, error=outcome) if isinstance(outcome, ScorebackError) else outcome

        return self._each(writing, work)

    def _push_one(self, run: int, connector: Connector, confirm_drift: bool) -> PushOutcome:
        outcome = Pusher(
            connector,
            self.store,
            run=run,
            settings=self.config.settings.push,
            confirm_drift=confirm_drift,
            progress=lambda connection, record, rows: self._step("push", connection, record, rows),
        ).push()
        if outcome.accepted and outcome.error is None and Can.PULL_CHANGES in connector.can:
            written = frozenset(connector.connection.write_back)
            echoed = frozenset(stream.name for stream in connector.streams if stream.kind in written)
            self._pull_one(run, connector, PullOptions(only=echoed))
        return outcome

    def _surviving(self, name: str, work: Callable[[], Done]) -> Done | ScorebackError:
        """What the work gives, or why this connection's part failed: it must not end the others'.

        A store that fails, and a stop, end them all.
        """
        try:
            return work()
        except (StopRequestedError, StoreError):
            raise
        except ScorebackError as error:
            log.error("connection_failed", connection=name, advice=str(error))  # noqa: TRY400 # expected, and the traceback may hold values
            return error
        except Exception as error:  # one connector's defect; the traceback is logged, never the records
            told = unexpected(name, error)
            log.exception("connection_crashed", connection=name, advice=str(told))
            return told

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
            book.close(outcome)
        return outcome

    def _each(self, names: Sequence[str], work: Callable[[str], Done]) -> list[Done]:
        """Side by side, a thread for each, so that the main thread hears signals; a stop ends them between two pages.

        What does not end in time is left behind: its page or batch is not committed, and the next run repeats it.
        """
        if not names:
            return []
        pool = ThreadPoolExecutor(max_workers=len(names), thread_name_prefix=THREADS)
        tasks = [pool.submit(copy_context().run, work, name) for name in names]
        try:
            return [task.result() for task in tasks]
        except Exception:
            wait(tasks)
            raise
        except BaseException:
            self.stopping.set()
            wait(tasks, timeout=COMMAND_GRACE_SECONDS)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


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
