"""How much of each CRM has been read at all: a score of a half-read deal would be wrong, and so would its peers' figures."""

from collections.abc import Collection, Iterator

import polars as pl

from connectors.registry import connector_class
from connectors.settings import ConnectionSettings
from scoring.identity import match_people
from scoring.schemas import SCHEMAS
from sync.config import Config
from sync.store.books import StreamState
from sync.store.engine import Tx
from sync.store.facts import load
from sync.store.state import load_states


def loaded(tx: Tx) -> str:
    """The streams that were read whole, and by which mapping: when it changes, all is scored against new peers."""
    return " ".join(f"{one.connection}:{one.stream}:{one.mapping_hash}" for one in load_states(tx) if one.full_done)


def half_loaded(tx: Tx, config: Config) -> dict[str, str]:
    """Connections whose first load was interrupted, each with a sentence. One never read, or refused a stream, is none.

    Their facts are left out of scoring until they are whole (decision 0010); those of the other connections are scored.
    """
    found = {}
    for name, connection in config.connections.items():
        states = {state.stream: state for state in load_states(tx, name)}
        missing = [stream for stream in _streams(connection) if _is_missing(states.get(stream))]
        if missing and any(state.rows for state in states.values()):
            found[name] = (
                f"{name}: the first load is not finished ({', '.join(missing)} to come), so nothing of it was scored yet: "
                "half of a deal's facts would give a wrong score. The next run goes on from here"
            )
    return found


def accounts_of_matched(tx: Tx, config: Config, waiting: Collection[str]) -> frozenset[str]:
    """Keys of everybody who has an account in a connection that is not whole yet, in that one and in the others."""
    if not waiting:
        return frozenset()
    rows = load(tx, ("person",))["person"].select(SCHEMAS["person"].keys())
    aliases = match_people(rows, config.people or None)
    theirs = aliases.filter(pl.col("key").str.split(":").list.first().is_in(list(waiting)))
    return frozenset(aliases.join(theirs.select("person").unique(), on="person", how="semi")["key"])


def _streams(connection: ConnectionSettings) -> Iterator[str]:
    for stream in connector_class(connection.kind).streams:
        if connection.stream(stream.name) is not None and not (stream.kind == "stage" and connection.stages):
            yield stream.name


def _is_missing(state: StreamState | None) -> bool:
    if state is None:
        return True
    return state.pulled_at is None and (state.last_error is None or state.stopped_reason == "away")
