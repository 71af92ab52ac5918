"""What is gone from a CRM: read on a schedule of its own, and not believed when it is suspiciously much."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connectors.base import Can, Stream
from connectors.errors import ForbiddenError, RejectedError, RetryLaterError
from connectors.records import Record
from sync.pulled import StreamOutcome
from sync.store.books import StreamState
from sync.store.state import save_state
from sync.store.versions import current_records, ids_of
from sync.suspicion import is_suspicious

if TYPE_CHECKING:
    from sync.pull import Puller


def pull_deletions(puller: "Puller") -> Iterator[StreamOutcome]:
    """One outcome for each stream from which something vanished, or from which suspiciously much did."""
    for stream in puller.connector.streams:
        if stream.name not in puller.on - puller.silent or stream.schedule != "cycle":
            continue
        state = puller.books.of(stream.name)
        if state.full_done and _due(puller, state):
            yield from _one(puller, stream, state)


def _due(puller: "Puller", state: StreamState) -> bool:
    if puller.options.full or puller.options.reconcile or Can.PULL_DELETIONS not in puller.connector.can:
        return True
    last = state.deletions_at
    return last is None or datetime.now(UTC) - last >= puller.connection.deletions_every


def _one(puller: "Puller", stream: Stream, state: StreamState) -> Iterator[StreamOutcome]:
    outcome = StreamOutcome(f"{stream.name} deletions")
    try:
        by_stream, end = _gone(puller, stream, state)
    except (ForbiddenError, RejectedError, RetryLaterError) as error:
        if isinstance(error, RetryLaterError):
            puller.leave(stream, error)
        outcome.error = f"{error} Deletions of {stream.name} are not known; everything else is."
        yield outcome
        return
    with puller.store.reading() as tx:
        alive = ids_of(tx, puller.name, stream.kind, only=stream.scope)
    told = by_stream.get(stream.name, [])
    if stream.scope:  # several streams share the remote object, and its log does not say whose row is gone
        told = by_stream[stream.name] = [record for record in told if record.remote_id in alive]
    vanishing = alive.intersection(record.remote_id for record in told if record.deleted)
    suspicious = is_suspicious(len(vanishing), len(alive), puller.suspicious_share)
    if suspicious and not puller.options.accept_emptiness:
        outcome.error = (
            f"{puller.name}: {len(vanishing)} of {len(alive)} rows of {stream.name} vanished at once. None was deleted. "
            f"If it is right: scoreback pull {puller.name} --accept-emptiness"
        )
        yield outcome  # what was told is asked again in the next run, until a person accepts it or the rows are back
        return
    with puller.store.writing() as tx:
        outcome.changed = sum(count.changed for count in puller.intake.save(tx, by_stream, {}).values())
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
        return puller.intake.mapped([row for page in pages for row in page.rows])[0], end
    present = connector.present(stream, state.deletions_until)
    if present is None:
        return {}, end
    shown: set[str] = set()
    for page in present:
        shown.update(record.remote_id for record in puller.intake.mapped(page.rows)[0].get(stream.name, ()))
    with puller.store.reading() as tx:
        missing = sorted(ids_of(tx, puller.name, stream.kind, only=stream.scope) - shown)
    return {stream.name: gone_of(puller, stream, missing)}, end


def gone_of(puller: "Puller", stream: Stream, ids: list[str]) -> list[Record]:
    """Records of ours as deleted ones."""
    with puller.store.reading() as tx:
        known = current_records(tx, puller.name, stream.kind, ids)
    return [known[remote_id].model_copy(update={"deleted": True}) for remote_id in ids if remote_id in known]
