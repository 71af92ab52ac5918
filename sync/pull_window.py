"""What one pull of a stream asks for: its window, whether that is everything, and where an unfinished one goes on."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from connectors.base import Can, Stream, Window
from sync.lacking import known_lacks
from sync.store.books import StreamState

if TYPE_CHECKING:
    from sync.pull import Puller

CLOCK_STEP = timedelta(seconds=1)
"""A CRM tells its time in whole seconds: the window ends at the next one, so that the current second is read too."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One stream's window, where to resume in it, and whether it reads everything.

    ``known`` are remote fields that the stream may lack, ``lacks`` those that its answers lacked.
    """

    window: Window
    resume: str | None
    full: bool
    known: frozenset[str] | None
    lacks: set[str] = field(default_factory=set)


def reading_of(puller: "Puller", stream: Stream, state: StreamState) -> Reading:
    """The unfinished window of a stream, else the next one; everything where that is asked for or needed."""
    incremental = Can.PULL_CHANGES in puller.connector.can and stream.schedule == "cycle"
    remapped = state.mapping_hash is not None and state.mapping_hash != mapping_hash(puller, stream)
    afresh = puller.options.full or remapped or state.stopped_reason == "empty"
    setting = puller.connection.stream(stream.name)
    since = setting.since if setting else None
    with puller.store.reading() as tx:
        known = known_lacks(tx, puller.name, stream)
    if state.window_end is not None and not afresh:
        window = Window(state.window_start, state.window_end, since, puller.intake.changed, puller.on)
        return Reading(window, state.resume, state.window_start is None, known)
    full = afresh or not state.full_done or not incremental or state.cursor is None
    start = None if full or state.cursor is None else state.cursor - puller.connection.overlap
    window = Window(start, puller.now() + CLOCK_STEP, since, puller.intake.changed, puller.on)
    resume = state.resume if not incremental and not afresh else None  # a csv file's digest says "unchanged"
    return Reading(window, resume, full, known)


def mapping_hash(puller: "Puller", stream: Stream) -> str:
    """What the stream's rows depend on besides the CRM: another hash than last time means reading them all again."""
    setting = puller.connection.stream(stream.name)
    along = sorted(
        one.name for one in puller.connector.streams if one.filled_by == stream.name and one.name in puller.on
    )
    known = {
        "fields": {name: repr(puller.connection.fields.get(name)) for name in sorted({stream.kind, stream.name})},
        "since": str(setting.since if setting else None),
        "object": puller.connection.object_of(stream.name),
        "filled": along,
    }
    return blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=8).hexdigest()
