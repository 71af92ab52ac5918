"""How much of each CRM has been read at all: a score of a half-read deal would be wrong, and so would its peers' figures."""

from collections.abc import Iterator

from connectors.registry import connector_class
from connectors.settings import ConnectionSettings
from sync.config import Config
from sync.store.books import StreamState
from sync.store.engine import Tx
from sync.store.state import load_states


def loaded(tx: Tx) -> str:
    """The streams that were read whole, and by which mapping: when it changes, all is scored against new peers."""
    return " ".join(f"{one.connection}:{one.stream}:{one.mapping_hash}" for one in load_states(tx) if one.full_done)


def half_loaded(tx: Tx, config: Config) -> Iterator[str]:
    """One sentence for each connection whose first load was interrupted. One never read, or refused a stream, is none."""
    for name, connection in config.connections.items():
        states = {state.stream: state for state in load_states(tx, name)}
        missing = [stream for stream in _streams(connection) if _is_missing(states.get(stream))]
        if missing and any(state.rows for state in states.values()):
            yield (
                f"{name}: the first load is not finished ({', '.join(missing)} to come), so nothing was scored yet: half of "
                "a deal's facts would give a wrong score. The next run goes on from here"
            )


def _streams(connection: ConnectionSettings) -> Iterator[str]:
    for stream in connector_class(connection.kind).streams:
        if connection.stream(stream.name) is not None and not (stream.kind == "stage" and connection.stages):
            yield stream.name


def _is_missing(state: StreamState | None) -> bool:
    if state is None:
        return True
    return state.pulled_at is None and (state.last_error is None or state.stopped_reason == "away")
