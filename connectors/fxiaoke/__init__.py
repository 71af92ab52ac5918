"""Fxiaoke (纷享销客, ShareCRM), open API v2. Remote behaviour we rely on: docs/connectors/fxiaoke.md."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from math import ceil
from typing import ClassVar

from connectors.base import (
    Can,
    Connector,
    FieldSpec,
    Finding,
    Page,
    Provisioned,
    Stream,
    Value,
    Window,
    Write,
    WriteTarget,
    Written,
)
from connectors.fxiaoke import provision
from connectors.fxiaoke.api import PAGE, FxiaokeApi
from connectors.fxiaoke.auth import AppToken
from connectors.fxiaoke.check import Check
from connectors.fxiaoke.manners import MANNERS
from connectors.fxiaoke.read import GOALS, Reader
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.streams import STREAMS
from connectors.fxiaoke.write import Writer

_LISTED_AT_ONCE = frozenset({"person", "stage"})
"""Streams that one call brings whole."""

_FOLLOW_UPS = "follow_up"

_OF_ORDERS = frozenset({"payment", "refund", "invoice"})
"""Streams whose pages each take one call more, for the deals of their orders."""


class Fxiaoke(Connector):
    """Pulls employees, accounts, deals, activities, goals and money; writes appraisal fields back, one record a call."""

    kind = "fxiaoke"
    can = Can.PULL | Can.PULL_CHANGES | Can.WRITE_FIELDS | Can.WRITE_OBJECTS | Can.PROVISION
    settings = FxiaokeSettings
    auth = AppToken()
    manners = MANNERS
    streams: ClassVar[tuple[Stream, ...]] = STREAMS
    page_rows = PAGE
    write_batch = 1
    write_keyed_batch = PAGE
    connection: FxiaokeSettings

    @cached_property
    def api(self) -> FxiaokeApi:
        """The documented calls over our door."""
        return FxiaokeApi(self.http)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.api, self.connection, self.learnt)

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self.api, self.connection)

    def check(self) -> Iterator[Finding]:
        """Sign-in, clock, allowance; then objects, fields and meanings of every stream, and what we write."""
        yield from Check(self.api, self.http, self.connection, self._reader).findings(self.streams)

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """Fields of the object with their labels."""
        remote = self._reader.remote(stream)
        described = self.api.describe(remote) if self._is_listed(stream) else None
        if described is None:
            return {}
        return {name: str(field.get("label") or name) for name, field in described.fields.items()}

    def count(self, stream: Stream) -> int | None:
        """By a query for one row that tells the total; a goal counts for none, for how many targets it has is not told."""
        if stream.name == GOALS or not self._is_listed(stream) or self._reader.fields(stream) is None:
            return None
        return self.api.count(self._reader.remote(stream))

    def calls_for(self, stream: Stream, rows: int) -> int:
        """A page more than the rows fill, for a full one does not tell that it is the last."""
        if stream.name in _LISTED_AT_ONCE:
            return 1
        if not self._is_listed(stream):
            return 0
        return rows // PAGE + 1 + (ceil(rows / PAGE) if stream.name in _OF_ORDERS else 0)

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window by ``_id``; ``resume`` is the last one that was stored."""
        yield from self._reader.pull(stream, window, resume)

    def ids(self, stream: Stream) -> Iterator[Sequence[str]] | None:
        """By pages with nothing but the id: there is no list of deletions. Employees are never taken for deleted.

        A follow-up may be of any kind of activity, so that the store cannot tell whose object a row is of: all objects of
        activities are listed, and compared, as one.
        """
        if not self._is_listed(stream) or self._stands_in(stream) is not None:
            return None
        return chain.from_iterable(self._reader.ids(one) for one in self._compared(stream))

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """By lists of ids, a page a call."""
        if not self._is_listed(stream):
            return None
        return chain.from_iterable(self._reader.fetch(one, ids) for one in self._compared(stream))

    def _compared(self, stream: Stream) -> list[Stream]:
        """The stream, and those whose rows it stands in for."""
        return [stream, *(one for one in self.streams if self._stands_in(one) is stream)]

    def _stands_in(self, stream: Stream) -> Stream | None:
        """The stream that a stream's rows are listed with: follow-ups for other activities, where they are read."""
        if stream.kind != "activity" or stream.name == _FOLLOW_UPS or self.connection.stream(stream.name) is None:
            return None
        first = next(one for one in self.streams if one.name == _FOLLOW_UPS)
        return first if self.connection.stream(first.name) is not None else None

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """An update for each write; rows of our own object are found by their key first, and made if there are none."""
        yield from self._writer.write(target, writes)

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What the tenant holds now in these fields."""
        return self._writer.read_fields(target, ids, names)

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """What exists, and an administrator's steps for the rest: no interface makes fields or objects."""
        yield from provision.provisioned(self.api, self.connection, wanted)

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """An administrator's steps for taking our fields away."""
        yield from provision.unprovisioned(self.api, self.connection, wanted)

    def _is_listed(self, stream: Stream) -> bool:
        """Whether a stream has an object of its own that is read by pages."""
        return stream.name not in _LISTED_AT_ONCE and not stream.filled_by and bool(self._reader.remote(stream))
