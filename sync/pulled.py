"""How to pull, and what a pull did."""

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.errors import ScorebackError

Progress = Callable[[str, str, int], None]
"""Called with connection, stream and rows read so far."""


@dataclass(slots=True)
class StreamOutcome:
    """What one stream's pull did. ``error`` is the text for people, ``example`` why one of the rows is unreadable.

    ``note`` is a line for people that is no error: what a reconciliation found.
    """

    stream: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    unreadable: int = 0
    example: str = ""
    error: str | None = None
    note: str = ""


@dataclass(slots=True)
class PullOutcome:
    """What one connection's pull did."""

    connection: str
    streams: list[StreamOutcome] = field(default_factory=list)
    error: ScorebackError | None = None

    @property
    def failed(self) -> bool:
        """Whether anything at all could not be read."""
        return self.error is not None or any(stream.error for stream in self.streams)


@dataclass(frozen=True, slots=True)
class PullOptions:
    """How to pull. ``only`` names streams, without metadata and deletions; None is every stream that is on and due.

    ``reconcile`` compares the ids of all records with the CRM's now, whenever that was done last.
    """

    full: bool = False
    accept_emptiness: bool = False
    reconcile: bool = False
    only: frozenset[str] | None = None
