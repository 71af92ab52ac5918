"""SAP Sales Cloud Version 2, REST services. Remote behaviour we rely on: docs/connectors/sap_v2.md."""

from collections.abc import Iterator, Mapping, Sequence
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
    Stream,
    Value,
    Window,
    Write,
    WriteTarget,
    Written,
)
from connectors.errors import RejectedError
from connectors.http import Http
from connectors.sap_v2 import check, provision
from connectors.sap_v2.api import MOST, SapV2Api
from connectors.sap_v2.manners import MANNERS
from connectors.sap_v2.read import Reader
from connectors.sap_v2.settings import SapV2Settings
from connectors.sap_v2.sign_in import IamToken
from connectors.sap_v2.streams import STREAMS
from connectors.sap_v2.values import Row, tag_of
from connectors.sap_v2.write import Writer


class SapV2(Connector):
    """Pulls employees, accounts, deals with their items, and activities; writes extension fields back to deals."""

    kind = "sap_v2"
    can = Can.PULL | Can.PULL_CHANGES | Can.WRITE_FIELDS | Can.PROVISION
    settings = SapV2Settings
    auth = ByFlow({"basic": Basic(), "token": IamToken()}, "basic")
    manners = MANNERS
    streams: ClassVar[tuple[Stream, ...]] = STREAMS
    limits_by = "host"
    page_rows = MOST
    write_batch = 50
    connection: SapV2Settings

    def __init__(self, connection: SapV2Settings, http: Http) -> None:
        super().__init__(connection, http)
        self._tags: dict[str, str] = {}

    @cached_property
    def api(self) -> SapV2Api:
        """The services' calls."""
        return SapV2Api(self.http)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.api, self.connection, self.learnt, self._note)

    @cached_property
    def _writer(self) -> Writer:
        paths = {str(name): path for name, path in self.connection.paths.items()}
        return Writer(self.api, paths, self._tags)

    def _note(self, stream: Stream, row: Row) -> None:
        """Keeps the tags of what may be written, so that writing needs no reading."""
        if stream.name in self.connection.write_back:
            self._tags[str(row["id"])] = tag_of(row)

    def check(self) -> Iterator[Finding]:
        """Sign-in, clock, service and fields of every stream, and the fields that we write."""
        yield from check.findings(self.api, self.http, self.connection, self.streams, self._reader)

    def count(self, stream: Stream) -> int | None:
        """By $count with one row. Items are counted with their deals."""
        if stream.filled_by:
            return None
        try:
            return self.api.count(self._reader.path(stream))
        except RejectedError as error:
            if error.status == 404 and stream.optional:
                return 0
            raise

    def calls_for(self, stream: Stream, rows: int) -> int:
        """Items come with their deals."""
        return 0 if stream.filled_by else super().calls_for(stream, rows)

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window."""
        yield from self._reader.pull(stream, window, resume)

    def ids(self, stream: Stream) -> Iterator[Sequence[str]] | None:
        """By $select of the id, 999 a call: SAP tells no deletions, nor that an item was taken off its deal."""
        deals = self.connection.stream(stream.filled_by) if stream.filled_by else None
        if stream.filled_by and (deals is None or deals.since is not None):
            return None  # of the deals that are not read, items would be missing
        return self._reader.ids(stream)

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """One by one, up to 200."""
        return self._reader.fetch(stream, ids)

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """A call for each record: there is no batch."""
        yield from self._writer.write(target, writes)

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What the tenant holds now in these extension fields."""
        return self._writer.read(target, ids, names)

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """What is there, and an administrator's steps for the rest."""
        yield from provision.provisioned(wanted, self._known)

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """An administrator's steps."""
        yield from provision.taken_away(wanted, self._known)

    def _known(self, spec: FieldSpec) -> bool | None:
        stream = next(one for one in self.streams if one.name == spec.target.record)
        return self._reader.known(stream, f"extensions.{spec.name}")
