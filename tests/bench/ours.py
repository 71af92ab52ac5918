"""The real code, driven as the service drives it, one step per process."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.registry import connector_class, open_connector
from tests.bench.measure import cpu_seconds

if TYPE_CHECKING:
    from connectors.base import Connector
    from sync.store.engine import Store

_NAME = "crm"
_FIELDS = {
    "scoreback_score": "score",
    "scoreback_grade": "grade",
    "scoreback_reasons": "reasons",
    "scoreback_next_step": "next_best_action",
    "scoreback_scored_at": "scored_at",
    "scoreback_plan": "plan",
    "scoreback_digest": "digest",
}
_CONFIG = "store: {{url: 'sqlite:///{store}'}}\norganisation: {{currency: USD}}\n"
_FOLDER = "kind: csv\nfolder: {folder}\n"


@contextmanager
def _hubspot(url: str, **settings: Any) -> "Iterator[Connector]":
    data = {"kind": "hubspot", "base_url": url, "sign_in": {"token": "sandbox"}, **settings}
    model = connector_class("hubspot").settings
    with _closing(open_connector(model.model_validate(data, context={"loopback": True}).named(_NAME))) as connector:
        yield connector


@contextmanager
def _closing(connector: "Connector") -> "Iterator[Connector]":
    try:
        yield connector
    finally:
        connector.close()


@contextmanager
def _run(store: str, command: str) -> "Iterator[tuple[Store, int]]":
    """The store at a path, and a run in its books."""
    import structlog

    from sync.store.engine import open_store
    from sync.store.state import end_run, start_run

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with open_store(f"sqlite:///{store}") as opened:
        with opened.writing() as tx:
            run = start_run(tx, command, at=datetime.now(UTC), connection=_NAME)
        yield opened, run
        with opened.writing() as tx:
            end_run(tx, run, at=datetime.now(UTC), status="done")


def pull(url: str, store: str, *, history: bool) -> dict[str, Any]:
    """Pulls every deal, with the history of its properties or without; nothing else of the account."""
    from sync.pull import Puller, PullOptions

    off = {} if history else {"change": "off"}
    with _hubspot(url, streams=off) as connector, _run(store, "pull") as (opened, run):
        started = cpu_seconds()
        puller = Puller(connector, opened, run=run, options=PullOptions(only=frozenset({"opportunity"})))
        outcome = puller.pull()
        if outcome.failed:
            raise outcome.error or RuntimeError(outcome.streams[0].error)
        return {"rows": outcome.streams[0].new, "started": started}


def load(kind: str, url: str, folder: str, *, deals_only: bool) -> dict[str, Any]:
    """Pulls from the default connection of a kind: deals alone, or what is due. ``wall_seconds`` is the pull alone."""
    from sync.cli.emulators import connection_file
    from sync.config import load_config
    from sync.pull import Puller, PullOptions

    place = Path(folder)
    (place / "connections").mkdir(parents=True, exist_ok=True)
    (place / "scoreback.yaml").write_text(_CONFIG.format(store=place / "state.db"), encoding="utf-8")
    text = connection_file(kind, url, write_back=False)
    (place / "connections" / f"{_NAME}.yaml").write_text(text, encoding="utf-8")
    options = PullOptions(only=frozenset({"opportunity"})) if deals_only else PullOptions()
    with (
        _closing(open_connector(load_config(place).connections[_NAME])) as connector,
        _run(str(place / "state.db"), "pull") as (opened, run),
    ):
        began = time.perf_counter()
        outcome = Puller(connector, opened, run=run, options=options).pull()
        wall = time.perf_counter() - began
        if outcome.failed:
            raise outcome.error or RuntimeError(f"{[stream.error for stream in outcome.streams]}")
        deals = next(stream for stream in connector.streams if stream.name == "opportunity")
        rows = next((one.rows for one in outcome.streams if one.stream == "opportunity"), 0)
        return {"rows": rows, "least": connector.calls_for(deals, rows), "wall_seconds": wall}


def queue(url: str, store: str) -> dict[str, Any]:
    """Makes our properties, and queues a score for every deal of a store that ``pull`` has filled. Not measured."""
    from sync.provision import provision_connection
    from sync.store.outbox import Queued
    from sync.store.outbox import queue as put
    from sync.store.versions import ids_of

    with _hubspot(url, write_back={"opportunity": _FIELDS}) as connector, _run(store, "score") as (opened, run):
        for made in provision_connection(connector, dry_run=False):
            if made.state not in ("created", "exists"):
                raise RuntimeError(f"{made.name}: {made.state} {made.text}")
        now = datetime.now(UTC)
        with opened.writing() as tx:
            deals = sorted(ids_of(tx, _NAME, "opportunity"), key=int)
            rows = [
                Queued(_NAME, "opportunity", "", deal, _score(number, now), f"{number}")
                for number, deal in enumerate(deals)
            ]
            return {"rows": put(tx, rows, at=now, run=run)}


def _score(number: int, now: datetime) -> dict[str, Any]:
    score = number % 101
    return {
        "scoreback_score": Decimal(score),
        "scoreback_grade": "ABCD"[number % 4],
        "scoreback_reasons": "+15 meeting within 14 days; +10 two contacts answer; -20 close date moved twice",
        "scoreback_next_step": "Book a meeting with the buyer",
        "scoreback_scored_at": now,
        "scoreback_plan": "default",
        "scoreback_digest": f"{number:032x}",
    }


def push(url: str, store: str) -> dict[str, Any]:
    """Pushes everything that waits in the outbox."""
    from sync.push import Pusher
    from sync.settings import PushSettings

    with _hubspot(url, write_back={"opportunity": _FIELDS}) as connector, _run(store, "push") as (opened, run):
        started = cpu_seconds()
        outcome = Pusher(connector, opened, run=run, settings=PushSettings()).push()
        if outcome.failed:
            raise outcome.error or RuntimeError(outcome.drift or f"{outcome.refusals}")
        return {"rows": outcome.accepted, "started": started}


def configure(folder: str, world: str) -> dict[str, Any]:
    """A configuration folder whose one connection reads a world folder. Not measured."""
    place = Path(folder)
    (place / "connections").mkdir(parents=True)
    (place / "scoreback.yaml").write_text(_CONFIG.format(store=place.parent / "scored.db"), encoding="utf-8")
    (place / "connections" / f"{_NAME}.yaml").write_text(_FOLDER.format(folder=world), encoding="utf-8")
    return {}


def pull_folder(folder: str) -> dict[str, Any]:
    """Pulls everything that the connection of ``configure`` has."""
    from sync.config import load_config
    from sync.pull import Puller

    config = load_config(Path(folder))
    store = config.store_url.removeprefix("sqlite:///")
    with _closing(open_connector(config.connections[_NAME])) as connector, _run(store, "pull") as (opened, run):
        started = cpu_seconds()
        outcome = Puller(connector, opened, run=run).pull()
        if outcome.failed:
            raise outcome.error or RuntimeError(f"{[stream.error for stream in outcome.streams]}")
        return {"rows": sum(stream.new for stream in outcome.streams), "started": started}


def score(folder: str, *, full: bool) -> dict[str, Any]:
    """Scores everything, or what changed. ``wall_seconds`` is the step alone, without imports."""
    from sync.config import load_config
    from sync.score import Scorer
    from sync.scored import ScoreOptions

    config = load_config(Path(folder))
    with _run(config.store_url.removeprefix("sqlite:///"), "score") as (opened, run):
        started, began = cpu_seconds(), time.perf_counter()
        outcome = Scorer(config, opened, run=run, options=ScoreOptions(full=full)).score()
        wall = time.perf_counter() - began
        return {"rows": outcome.deals, "people": outcome.people, "started": started, "wall_seconds": wall}


def touch(folder: str, deals: int) -> dict[str, Any]:
    """Gives some open deals another amount, as a pull would. Not measured."""
    from sync.config import load_config
    from sync.store.versions import current_records, ids_of, save_records

    config = load_config(Path(folder))
    with _run(config.store_url.removeprefix("sqlite:///"), "pull") as (opened, run), opened.writing() as tx:
        ids = sorted(ids_of(tx, _NAME, "opportunity", only={"outcome": "open"}), key=int)
        chosen = current_records(tx, _NAME, "opportunity", ids[:deals])
        now = datetime.now(UTC)
        changed = [
            record.model_copy(update={"amount": Decimal(12345), "modified_at": now}) for record in chosen.values()
        ]
        counts = save_records(tx, _NAME, "opportunity", changed, recorded_at=now, run=run)
        return {"rows": counts.changed}
