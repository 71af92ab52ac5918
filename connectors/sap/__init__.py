"""SAP Sales Cloud (Cloud for Customer), OData version 2. Remote behaviour we rely on: docs/connectors/sap.md."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import ClassVar

from connectors.auth import Basic, ByFlow
from connectors.base import (
    Can,
    Connector,
    FieldSpec,
    Finding,
    Page,
    Provisioned,
    Raw,
    Stream,
    Value,
    Window,
    Write,
    WriteTarget,
    Written,
)
from connectors.errors import RejectedError
from connectors.http import Http
from connectors.sap import check, provision
from connectors.sap.api import SapApi
from connectors.sap.columns import Columns
from connectors.sap.manners import MANNERS
from connectors.sap.read import Reader
from connectors.sap.settings import SapSettings
from connectors.sap.sign_in import SamlBearer
from connectors.sap.streams import STREAMS
from connectors.sap.write import Writer, tag_of


class Sap(Connector):
    """Pulls employees, accounts, deals with their team and products, and activities; writes appraisal fields back."""

    kind = "sap"
    can = Can.PULL | Can.PULL_CHANGES | Can.WRITE_FIELDS | Can.WRITE_OBJECTS | Can.PROVISION
    settings = SapSettings
    auth = ByFlow({"basic": Basic(), "saml_bearer": SamlBearer()}, "basic")
    manners = MANNERS
    streams: ClassVar[tuple[Stream, ...]] = STREAMS
    limits_by = "host"
    page_rows = 1000
    write_batch = 50
    write_keyed_batch = 50
    connection: SapSettings

    def __init__(self, connection: SapSettings, http: Http) -> None:
        super().__init__(connection, http)
        self._tags: dict[str, str] = {}

    @cached_property
    def api(self) -> SapApi:
        """The service's calls."""
        return SapApi(self.http, self.connection.service)

    @cached_property
    def _columns(self) -> Columns:
        return Columns(self.api, self.connection, self.learnt)

    @cached_property
    def _reader(self) -> Reader:
        def today() -> datetime:
            return self.http.seen_now() or datetime.now(UTC)

        return Reader(self.api, self.connection, self._columns, self.learnt, lambda: today().date())

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self.api, self.connection.batch_parts, self._tags)

    def check(self) -> Iterator[Finding]:
        """The service, clock, sets and properties of every stream, statuses, and the fields that we write."""
        yield from check.findings(self.api, self.http, self.connection, self.streams, self._columns)

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """Properties of the set, by the labels of our user's language."""
        there = self.api.described(self._columns.remote(stream)) or {}
        return {name: one.label for name, one in there.items()}

    def count(self, stream: Stream) -> int | None:
        """By $count. A deal's history is counted in versions there, and in changes here."""
        if stream.kind == "change":
            return None
        try:
            return self.api.count(self._columns.remote(stream), self._columns.where(stream))
        except RejectedError as error:
            if error.status == 404 and stream.optional:
                return 0
            raise

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window. The ETags of what may be written are kept."""
        written = stream.name == "opportunity" and "opportunity" in self.connection.write_back
        for page in self._reader.pull(stream, window, resume):
            if written:
                self._tags.update((str(raw.fields["ObjectID"]), tag_of(raw.fields)) for raw in page.rows)
            yield page

    def ids(self, stream: Stream) -> Iterator[Sequence[str]] | None:
        """By $select of the key, 1,000 a call: SAP tells no deletions."""
        return None if stream.kind == "change" else self._reader.ids(stream)

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """By filters that name the keys."""
        return None if stream.kind == "change" else self._reader.fetch(stream, ids)

    def links(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw] | None:
        """Deals of activities; units, jobs and managers of people."""
        return self._reader.links(stream, ids) if stream.separate else None

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """One $batch with a changeset for each record."""
        yield from self._writer.write(target, writes)

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What the tenant holds now in these fields."""
        return self._writer.read(target, ids, names)

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """What is there, and a key user's steps for the rest: no interface of SAP makes fields."""
        yield from provision.provisioned(self.api, wanted)

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """A key user's steps."""
        yield from provision.taken_away(self.api, wanted)
