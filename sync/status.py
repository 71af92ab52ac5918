"""Where everything stands: streams, calls, what waits, what was refused, and how old the scores are."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from connectors.registry import connector_class
from connectors.settings import ConnectionSettings
from sync.config import Config
from sync.store import outbox
from sync.store.books import Outbox, Run, StreamState, Unreadable
from sync.store.engine import Store
from sync.store.state import get_meta, load_states, runs, used_calls
from sync.store.unreadable import all_unreadable

STALE_AFTER = 3
"""A connection is stale when one of its streams has missed so many pulls."""

_RUNS = 10


def status_of(config: Config, store: Store, now: datetime) -> dict[str, Any]:
    """Everything that ``scoreback status`` tells, of one moment of the store. Times are aware UTC, ``lag`` is text.

    ``streams``, ``allowance`` (calls of our own today by connection), ``outbox`` (numbers), ``parked``, ``unreadable``,
    ``runs``, ``scored_as_of`` and ``freshness`` by connection.
    """
    with store.reading() as tx:
        states = load_states(tx)
        sizes = outbox.sizes(tx)
        names = sorted({*config.connections, *(state.connection for state in states)})
        return {
            "streams": [_stream(state, now) for state in states],
            "allowance": {name: used_calls(tx, name, now.date()) for name in names},
            "outbox": {
                word: sum(count for (_, state), count in sizes.items() if state == word)
                for word in ("pending", "parked")
            },
            "parked": [_parked(row) for row in outbox.parked(tx)],
            "unreadable": [_unreadable(row) for row in all_unreadable(tx)],
            "runs": [_run(run) for run in runs(tx, limit=_RUNS)],
            "scored_as_of": get_meta(tx, "scored_as_of"),
            "freshness": {
                name: _freshness(name, connection, states, now) for name, connection in config.connections.items()
            },
        }


def lag_text(lag: timedelta) -> str:
    """A stretch of time in its two largest units: ``3 d 4 h``, ``12 min``, ``40 s``."""
    seconds = max(int(lag.total_seconds()), 0)
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [part for part in parts[first : first + 2] if part[0]] or [parts[-1]]
    if shown[0][1] == "min":
        shown = shown[:1]
    return " ".join(f"{count} {unit}" for count, unit in shown)


def _stream(state: StreamState, now: datetime) -> dict[str, Any]:
    return {
        "connection": state.connection,
        "stream": state.stream,
        "cursor": state.cursor,
        "lag": None if state.cursor is None else lag_text(now - state.cursor),
        "rows": state.rows,
        "pulled_at": state.pulled_at,
        "window_open": state.window_end is not None,
        "last_error": state.last_error,
        "last_error_at": state.last_error_at,
        "stopped": state.stopped_reason,
    }


def _parked(row: Outbox) -> dict[str, Any]:
    return {
        "connection": row.connection,
        "record": row.record,
        "remote_id": row.remote_id,
        "target": row.target,
        "fields": sorted(row.fields),
        "attempts": row.attempts,
        "code": row.code,
        "text": row.text,
    }


def _unreadable(row: Unreadable) -> dict[str, Any]:
    return {
        "connection": row.connection,
        "stream": row.stream,
        "remote_id": row.remote_id,
        "text": row.text,
        "at": row.at,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "command": run.command,
        "started": run.started_at,
        "ended": run.ended_at,
        "status": run.status,
        "summary": run.summary,
    }


def _freshness(
    name: str, connection: ConnectionSettings, states: Iterable[StreamState], now: datetime
) -> dict[str, Any]:
    """When the most belated stream of a connection was read, and whether that is too long ago to trust its scores."""
    limits = {
        stream.name: STALE_AFTER * (connection.metadata_every if stream.schedule == "metadata" else connection.every)
        for stream in connector_class(connection.kind).streams
        if connection.stream(stream.name) is not None
    }
    read = {
        state.stream: state.pulled_at
        for state in states
        if state.connection == name and state.stream in limits and state.pulled_at is not None
    }
    if not read:
        return {"pulled_at": None, "age": None, "stale": True, "late": []}
    oldest = min(read.values())
    late = sorted(stream for stream, moment in read.items() if now - moment > limits[stream])
    return {"pulled_at": oldest, "age": lag_text(now - oldest), "stale": bool(late), "late": late}
