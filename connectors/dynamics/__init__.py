"""Microsoft Dynamics 365 Sales, Dataverse Web API 9.2. Remote behaviour we rely on: docs/connectors/dynamics.md."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import ClassVar

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
from connectors.dynamics import check
from connectors.dynamics.api import MAX_PAGE, DynamicsApi, label_of
from connectors.dynamics.manners import MANNERS
from connectors.dynamics.provision import Provisioner
from connectors.dynamics.read import Reader
from connectors.dynamics.settings import DynamicsSettings
from connectors.dynamics.sign_in import EntraCredentials
from connectors.dynamics.streams import STREAMS
from connectors.dynamics.write import Writer


class Dynamics(Connector):
    """Pulls people, accounts, deals, their audit, activities, goals, invoices and rates; writes appraisal columns back."""

    kind = "dynamics"
    can = Can.PULL | Can.PULL_CHANGES | Can.PULL_DELETIONS | Can.WRITE_FIELDS | Can.PROVISION
    settings = DynamicsSettings
    auth = EntraCredentials()
    manners = MANNERS
    streams: ClassVar[tuple[Stream, ...]] = STREAMS
    limits_by = "host"
    page_rows = MAX_PAGE
    most_calls_at_once = 1  # pages of 5,000 rows are few, and two of them at once are much memory
    write_batch = 500
    connection: DynamicsSettings

    @cached_property
    def api(self) -> DynamicsApi:
        """The environment over our door."""
        return DynamicsApi(self.http, self.connection.api_version, self.learnt)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.api, self.connection, self.learnt, self.places)

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self.api, self.connection, self.learnt)

    def now(self) -> datetime:
        """The environment's clock: before anything was read, by a call that the first pull needs anyway."""
        if self.http.seen_now() is None:
            self._reader.rows.prepare()
        return super().now()

    def check(self) -> Iterator[Finding]:
        """Sign-in and clock; rights, columns and change tracking of every stream; auditing; what we write."""
        yield from check.findings(self.api, self.connection, self.streams, self._reader)

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """Columns of the table, as JSON spells them."""
        if not self._reader.tables.remote(stream):  # a table of the company's own that nobody has named
            return {}
        seen = self.api.describe(self._reader.tables.reading(stream).table)
        return {} if seen is None else {name: label_of(one) for name, one in seen.columns.items()}

    def count(self, stream: Stream) -> int | None:
        """By ``/$count``, which stops at 5,000."""
        return self._reader.count(stream)

    def calls_for(self, stream: Stream, rows: int) -> int:
        """One for each page, and another one for who took part in a page of activities."""
        return super().calls_for(stream, rows) * (2 if stream.kind == "activity" and rows else 1)

    def ids(self, stream: Stream) -> Iterator[Sequence[str]] | None:
        """By the primary key alone; audit rows never go one by one."""
        return None if stream.name == "history" else self._reader.ids(stream)

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """By lists of ids, a few hundred a call."""
        return None if stream.name == "history" else self._reader.fetch(stream, ids)

    def links(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw] | None:
        """Teams of people; who took part in an activity stamps the activity."""
        return self._reader.rows.teams(stream, ids) if stream.name == "person" else None

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of changes, deletions among them; or of a window, where a table is not tracked."""
        yield from self._reader.pull(stream, window, resume)

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """One call, and one for every hundred rows if a row is refused."""
        yield from self._writer.write(target, writes)

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What the environment holds now in these columns."""
        return self._writer.read_fields(target, ids, names)

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Creates what is missing, within a solution of ours."""
        yield from Provisioner(self.api, dry_run=dry_run).add(wanted)

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Takes our columns and our solution away, with what they hold."""
        yield from Provisioner(self.api, dry_run=dry_run).remove(wanted)
