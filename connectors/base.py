"""The contract between a connector and the rest of Scoreback.

A connector says only what is peculiar to its CRM: which remote objects it reads, how pages and filters are spelled,
how a batch is written and how refusals are read. Sign-in, retry, rate limit, mapping, batching, windows and state are
done once, by ``connectors/http.py``, ``connectors/mapping.py`` and ``sync``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Flag, auto
from math import ceil
from typing import Any, ClassVar, Literal

from connectors.auth import SignInWay
from connectors.http import Http, Manners
from connectors.settings import ConnectionSettings
from connectors.writing import (
    FieldSpec,
    Finding,
    Provisioned,
    Recovery,
    Rejection,
    Value,
    Write,
    WriteTarget,
    Written,
)

__all__ = [
    "Can", "Connector", "FieldSpec", "Finding", "From", "Page", "Provisioned", "Raw", "Recovery", "Rejection", "Stream",
    "Value", "Window", "Write", "WriteTarget", "Written",
]  # fmt: skip


class Can(Flag):
    """What a connector is able to do."""

    PULL = auto()
    PULL_CHANGES = auto()  # reads only what changed since a moment; without it every pull is full
    PULL_DELETIONS = auto()  # `deletions()` tells what is gone
    WRITE_FIELDS = auto()
    WRITE_OBJECTS = auto()  # upserts rows of our own object by key (`write_back.person.into`)
    PROVISION = auto()


@dataclass(frozen=True, slots=True)
class From:
    """Where one of our fields comes from: a path in the remote record (dots walk into objects), and its conversion.

    ``turn`` gets the remote value, never None or "", and returns what the record's validator accepts.
    """

    path: str
    turn: Callable[[Any], Any] | None = None
    lasting: bool = False
    """The CRM tells it by the row's last change only: what the store has stays while the row still has a value."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One remote object that we read, as data.

    ``fields`` is the default mapping, ours from theirs; ``constants`` are our fields that this stream always fills
    alike; ``separate`` names our fields that cost the connector calls of their own (associations): they are left out
    when the framework asks whether a row changed at all. ``schedule`` says when it is read: every cycle, or with the
    metadata.
    """

    name: str
    remote: str
    record: str = ""
    fields: Mapping[str, str | From] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    separate: frozenset[str] = frozenset()
    schedule: Literal["cycle", "metadata"] = "cycle"
    optional: bool = False
    """True for a feature that many CRMs of this kind do not have (quotas, currencies): its absence is not an error."""
    filled_by: str = ""
    """Name of the stream whose pages bring these rows along; this one makes no call, and its own pull is empty."""
    covers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Which values a field has in this stream's rows, where other streams fill the same kind with other values."""

    @property
    def kind(self) -> str:
        """Name of the record this stream fills."""
        return self.record or self.name

    @property
    def scope(self) -> Mapping[str, Any]:
        """What the store's rows of this stream have in common among those of their kind."""
        return {**self.constants, **self.covers}


@dataclass(frozen=True, slots=True)
class Raw:
    """One remote row, in the CRM's own terms. ``stream`` decides how it is mapped."""

    stream: Stream
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer of the CRM held: the unit of commit.

    ``resume`` is stored with the rows; handed back to ``pull`` it continues behind this page. ``total`` is the CRM's
    own count of rows in the window, given on a first page that holds the newest rows: when the store already knows as
    many, the rest need not be read. ``lacks`` names remote fields that the mapping reads and that the CRM does not have,
    or hides, just now: the framework stops the stream rather than take their absence for emptiness.
    """

    rows: Sequence[Raw]
    resume: str | None = None
    total: int | None = None
    lacks: frozenset[str] = frozenset()


def _all_changed(rows: Sequence[Raw]) -> Sequence[Raw]:
    return rows


@dataclass(frozen=True, slots=True)
class Window:
    """Which changes a pull asks for: ``[start, end)`` by the CRM's own clock. ``start`` None means everything.

    ``since`` is the admin's oldest date worth reading. ``changed`` returns those of some rows whose business content
    the store does not have yet (without looking at the stream's ``separate`` fields), so that a connector can spare
    the extra calls for our own echoes. ``streams`` names the streams that are on, for a connector that fills several
    by one call. ``part`` is one of those that ``Connector.slices`` named: only its rows are wanted.
    """

    start: datetime | None
    end: datetime
    since: date | None = None
    changed: Callable[[Sequence[Raw]], Sequence[Raw]] = _all_changed
    streams: frozenset[str] = frozenset()
    part: str = ""


class Connector(ABC):
    """One CRM. Subclasses are registered under the entry point group ``scoreback.connectors`` by their ``kind``."""

    kind: ClassVar[str]
    can: ClassVar[Can]
    streams: ClassVar[tuple[Stream, ...]]
    settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    manners: ClassVar[Manners] = Manners()
    auth: ClassVar[SignInWay | None] = None
    limits_by: ClassVar[Literal["sign_in", "host"]] = "sign_in"
    """Whom the CRM's rate limits count: ``host`` where each company has an address of its own and one limit for all."""
    page_rows: ClassVar[int] = 100
    """Rows that one call of a full pull brings."""
    most_calls_at_once: ClassVar[int] = 8
    """How many calls a full pull may have under way: what the CRM bears, for the limiter knows only how many a
    second. One: the next page is asked for only when the last is stored, which spares memory where pages are big."""
    write_batch: ClassVar[int] = 100
    write_keyed_batch: ClassVar[int] = 100

    def __init__(self, connection: ConnectionSettings, http: Http) -> None:
        self.connection = connection
        self.http = http
        self.learnt: dict[str, str] = {}
        """What was found out about the CRM's set-up: the framework hands it to the next process for a while."""
        self.places: dict[str, str] = {}
        """Where the CRM's own change feeds stand, by stream: handed on for good. Set behind the pages that were stored."""
        self.keep: Callable[[], None] = lambda: None
        """Has ``places`` and ``learnt`` stored at once: for what was paid and must outlive this process, whatever ends it."""

    def close(self) -> None:
        """Gives back sockets and files."""
        self.http.close()

    def now(self) -> datetime:
        """The CRM's clock, aware UTC: one cheap call unless an answer has just told it."""
        return self.http.server_now()

    @abstractmethod
    def check(self) -> Iterator[Finding]:
        """Sign-in, rights per stream, mapped fields, clock skew and allowance, as findings. Reads only."""

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """What may stand on the right of ``fields`` for a stream, with the CRM's labels; empty where it cannot say."""
        return {}

    def count(self, stream: Stream) -> int | None:
        """How many rows a full pull of the stream reads, by one cheap call; None where the CRM does not tell."""
        return None

    def calls_for(self, stream: Stream, rows: int) -> int:
        """How many calls a full pull of so many rows takes; at least one, for the answer that there are none."""
        return max(1, ceil(rows / self.page_rows))

    def slices(self, stream: Stream, window: Window, behind: str) -> Sequence[str]:
        """Parts of what is left of a full pull behind a page's ``resume``, to be read side by side.

        Together they are exactly those rows. Names for ``Window.part``, which the framework stores until all are read:
        what bounds a part has to be in its name. At most two or three calls; none where the rest is small or cannot be
        cut.
        """
        return ()

    @abstractmethod
    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window, behind ``resume`` if given. Ends after the last page; may be closed early.

        A full pull runs ahead of the store in threads of its own, one for each part that is being read: what is kept
        between calls (descriptions, ``learnt``) must bear that. ``http`` does, with sign-in and limiter.
        """

    def deletions(self, stream: Stream, start: datetime | None, end: datetime) -> Iterator[Page]:
        """Rows that are gone, as ``Raw`` rows that map to ``deleted`` records (only the id need be known)."""
        return iter(())

    def present(self, stream: Stream, start: datetime | None) -> Iterator[Page] | None:
        """All rows that there are (only the id need be known), for a CRM that cannot tell what is gone.

        What the store has of this stream beyond them is gone. None: this cannot be said, or nothing vanished
        since ``start``.
        """
        return None

    def ids(self, stream: Stream) -> Iterator[Sequence[str]] | None:
        """Ids of all rows that a full pull of the stream would bring and that are not deleted, in portions.

        By the cheapest paging that the CRM has; raises rather than end early. None where they cannot be listed. What the
        store has beyond them is gone, and what it lacks of them is fetched.
        """
        return None

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """Whole rows by id, as ``pull`` brings them; an id that is not there is left out, or told as a deleted row.

        None where the CRM cannot: the stream is then read whole.
        """
        return None

    def links(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw] | None:
        """Rows with the id and the paths of ``separate`` fields only, as the CRM has them now.

        For a CRM in which a changed association does not stamp the row. None: it does, or it has none.
        """
        return None

    def batch(self, target: WriteTarget, waiting: int) -> int:
        """How many of so many waiting writes the next ``write`` takes: one call's, or more where a bulk job pays."""
        return self.write_keyed_batch if target.key else self.write_batch

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """One call for up to ``batch`` writes; exactly one verdict for each write, in any order."""
        raise NotImplementedError

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What the CRM holds now in these fields, by id (or key); ids it does not know are left out.

        Values come back in our types (numbers as Decimal, times aware UTC, empty as None), comparable to what was
        written.
        """
        raise NotImplementedError

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Creates what is missing of ``wanted`` and makes it visible and writable for us."""
        raise NotImplementedError

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Takes our fields away again."""
        raise NotImplementedError
