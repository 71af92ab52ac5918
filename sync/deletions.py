"""What is gone from a CRM: read on a schedule of its own, and not believed when it is suspiciously much."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connectors.base import Can, Stream
from connectors.errors import ForbiddenError, RejectedError
from connectors.records import Record
from sync.store.books import StreamState
from sync.store.state import save_state
from sync.store.versions import current_records, ids_of

if TYPE_CHECKING:
    from sync.pull import Puller, StreamOutcome

FEW = 5
"""So many rows may vanish from any stream, however small, before it is suspicious."""


def pull_deletions(puller: "Puller") -> Iterator["StreamOutcome"]:
    """One outcome for each stream from which something vanished, or from which suspiciously much did."""
    for stream in puller.connector.streams:
        if stream.name not in puller.on or stream.schedule != "cycle":
            continue
        state = puller.state(stream)
        if state.full_done and _due(puller, state):
            yield from _one(puller, stream, state)


def _due(puller: "Puller", state: StreamState) -> bool:
    if puller.options.full or Can.PULL_DELETIONS not in puller.connector.can:
        return True
    last = state.deletions_at
    return last is None or datetime.now(UTC) - last >= puller.connection.deletions_every


def _one(puller: "Puller", stream: Stream, state: StreamState) -> Iterator["StreamOutcome"]:
    from sync.pull import StreamOutcome

    outcome = StreamOutcome(f"{stream.name} deletions")
    try:
        by_stream, end = _gone(puller, stream, state)
    except (ForbiddenError, RejectedError) as error:
        outcome.error = f"{error} Deletions of {stream.name} are not known; everything else is."
        yield outcome
        return
    with puller.store.reading() as tx:
        alive = ids_of(tx, puller.name, stream.kind, only=stream.constants)
    told = by_stream.get(stream.name, [])
    if stream.constants:  # several streams share the remote object, and its log does not say whose row is gone
        told = by_stream[stream.name] = [record for record in told if record.remote_id in alive]
    vanishing = alive.intersection(record.remote_id for record in told if record.deleted)
    limit = max(puller.suspicious_share * len(alive), FEW)
    if len(vanishing) > limit and not puller.options.accept_emptiness:
        outcome.error = (
            f"{puller.name}: {len(vanishing)} of {len(alive)} rows of {stream.name} vanished at once. None was deleted. "
            f"If it is right: scoreback pull {puller.name} --accept-emptiness"
        )
        yield outcome
        return
    by_stream = {name: records for name, records in by_stream.items() if records}
    with puller.store.writing() as tx:
        outcome.changed = sum(count.changed for count in puller.save(tx, by_stream, {}).values())
        state.deletions_until, state.deletions_at = end, datetime.now(UTC)
        save_state(tx, state)
    if outcome.changed:
        yield outcome


def _gone(puller: "Puller", stream: Stream, state: StreamState) -> tuple[dict[str, list[Record]], datetime]:
    """Deleted records by stream: told by the CRM, or those of ours that it does not show any more."""
    connector = puller.connector
    end = puller.now()
    if Can.PULL_DELETIONS in connector.can:
        pages = connector.deletions(stream, state.deletions_until, end)
        return puller.mapped([row for page in pages for row in page.rows])[0], end
    present = connector.present(stream, state.deletions_until)
    if present is None:
        return {}, end
    shown: set[str] = set()
    for page in present:
        shown.update(record.remote_id for record in puller.mapped(page.rows)[0].get(stream.name, ()))
    with puller.store.reading() as tx:
        missing = sorted(ids_of(tx, puller.name, stream.kind, only=stream.constants) - shown)
        known = current_records(tx, puller.name, stream.kind, missing)
    gone = [known[remote_id].model_copy(update={"deleted": True}) for remote_id in missing]
    return ({stream.name: gone} if gone else {}), end
