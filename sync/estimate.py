"""What the next run of a connection costs: calls, their share of our day, and minutes.

A stream that was read to its end is asked once for its changes; one that was not is read whole, page by page. How many
rows that is, the CRM says where it offers a cheap count.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from connectors.base import Connector, Finding, Stream
from connectors.errors import ForbiddenError, RejectedError
from connectors.limiter import GENERAL
from sync.figures import counted
from sync.pull_pages import CUT_AFTER
from sync.store.engine import Store
from sync.store.outbox import sizes
from sync.store.state import load_states

SECONDS_PER_CALL = 0.3
"""What one call takes where no limit makes it longer: an assumption, for answers depend on the CRM's mood."""

ROWS_PER_SECOND = 4000
"""What we store of a first load on a small machine, however fast the CRM answers."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls of the next run. ``unknown`` are streams whose size nobody tells: they count as one call each."""

    reads: int
    writes: int
    unknown: tuple[str, ...]
    whole: tuple[str, ...]
    """Streams that are read from their beginning."""
    our_day: int | None
    seconds: float

    @property
    def calls(self) -> int:
        """Reads and writes together."""
        return self.reads + self.writes

    @property
    def share(self) -> Decimal | None:
        """Part of our own calls of a day; None where nobody says how many there are."""
        return None if self.our_day is None else Decimal(self.calls) / self.our_day


def estimate(connector: Connector, store: Store) -> Estimate:
    """The cost of the next run, asked of the store and, for streams that were never read, of the CRM."""
    name = connector.connection.name
    with store.reading() as tx:
        # What was read to its end and found empty, as a feature that the CRM lacks, is not read for the first time again.
        done = {state.stream for state in load_states(tx, name) if state.full_done or state.pulled_at is not None}
        waiting = sum(
            count for (connection, status), count in sizes(tx).items() if (connection, status) == (name, "pending")
        )
    reads, seconds = 0, 0.0
    unknown, whole = [], []
    for stream in connector.streams:
        if connector.connection.stream(stream.name) is None:
            continue
        rows = 0 if stream.name in done else _rows(connector, stream)
        calls = connector.calls_for(stream, rows or 0)
        reads += calls
        seconds += _seconds(connector, calls, rows or 0)
        if stream.name not in done and calls:
            whole.append(stream.name)
        if rows is None and calls:
            unknown.append(stream.name)
    writes = ceil(waiting / connector.write_batch) if reads else 0
    seconds += _seconds(connector, writes, 0)
    return Estimate(reads, writes, tuple(unknown), tuple(whole), connector.http.limiter.day_share, seconds)


def _seconds(connector: Connector, calls: int, rows: int) -> float:
    """How long so many calls take: one after the other, or side by side where a big load is cut, and never faster than the
    CRM's limit and our own store."""
    cut = type(connector).slices is not Connector.slices and calls > CUT_AFTER
    each = SECONDS_PER_CALL / (connector.most_calls_at_once if cut else 1)
    most, per_seconds = connector.manners.buckets.get(GENERAL, (1, 0.0))
    return max(calls * max(each, per_seconds / most), rows / ROWS_PER_SECOND)


def _rows(connector: Connector, stream: Stream) -> int | None:
    try:
        return connector.count(stream)
    except (ForbiddenError, RejectedError):
        return 0  # the stream is off: `check` has said so in a line of its own


def estimate_findings(connector: Connector, store: Store) -> Iterator[Finding]:
    """The estimate as lines of ``scoreback check``."""
    made = estimate(connector, store)
    if not made.calls:
        yield Finding("info", "estimate", "the next run makes no calls")
        return
    share = "our calls of a day are not known"
    if made.share is not None and made.our_day is not None:
        share = f"{made.share * 100:.1f} % of our {made.our_day:,} a day"
    kind = f"reads {', '.join(made.whole)} from the beginning" if made.whole else "asks every stream for its changes"
    minutes = "less than a minute" if made.seconds < 60 else f"about {counted(ceil(made.seconds / 60), 'minute')}"
    yield Finding(
        "info",
        "estimate",
        f"the next run {kind}: about {counted(made.calls, 'call')} ({made.writes:,} of them writes), {share}, {minutes}",
    )
    if made.unknown:
        yield Finding("info", "estimate", f"size not known before the first run: {', '.join(made.unknown)}")
    if made.share is not None and made.share > 1:
        days = ceil(made.share)
        yield Finding(
            "warning", "estimate", f"that is more than our share of one day: it is spread over {days} days",
            "raise allowance.share for the first load, or set `since` for streams of activities",
        )  # fmt: skip
