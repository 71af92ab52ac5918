"""Salesforce, REST API v52 to v66. Remote behaviour we rely on: docs/connectors/salesforce.md."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar

from connectors.auth import ByFlow, ClientCredentials, JwtBearer, Password, RefreshToken
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
from connectors.salesforce import check, soql
from connectors.salesforce import ingest as salesforce_ingest
from connectors.salesforce import write as salesforce_write
from connectors.salesforce.api import SalesforceApi
from connectors.salesforce.bulk import calls_for as job_calls
from connectors.salesforce.bulk import pays
from connectors.salesforce.manners import MANNERS
from connectors.salesforce.provision import Provisioner
from connectors.salesforce.read import Reader
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.streams import READINGS, STREAMS

TOKEN_URL = "{host}/services/oauth2/token"  # noqa: S105 - an address

DELETE_LOG = timedelta(days=14, hours=23)
"""How far back the delete log is asked: it ends at 15 days, and an hour covers the way there."""

DELETE_LOG_OVERLAP = timedelta(hours=2)
"""The log is written behind time: each reading begins this much before the end of the last one."""

DERIVED = frozenset({"history", "field_history", "forecasting_item"})
"""Streams whose rows are none of Salesforce's: made of several, or several of one."""


class Salesforce(Connector):
    """Pulls people, accounts, deals, their history, activities, quotas and rates; writes appraisal fields back."""

    kind = "salesforce"
    can = Can.PULL | Can.PULL_CHANGES | Can.PULL_DELETIONS | Can.WRITE_FIELDS | Can.WRITE_OBJECTS | Can.PROVISION
    settings = SalesforceSettings
    auth = ByFlow(
        {
            "client_credentials": ClientCredentials(TOKEN_URL),
            "jwt": JwtBearer(TOKEN_URL, audience="{sign_in.audience}", default_host="https://login.salesforce.com"),
            "refresh_token": RefreshToken(TOKEN_URL),
            "password": Password(TOKEN_URL),
        },
        default="client_credentials",
    )
    manners = MANNERS
    streams: ClassVar[tuple[Stream, ...]] = STREAMS
    limits_by = "host"
    page_rows = 2000
    write_batch = 200
    write_keyed_batch = 200
    connection: SalesforceSettings

    @cached_property
    def api(self) -> SalesforceApi:
        """The vendor's client over our door."""
        return SalesforceApi(self.http, self.connection.base_url, self.connection.api_version)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.api, self.connection, self.learnt)

    @cached_property
    def _ingest(self) -> salesforce_ingest.Ingest:
        return salesforce_ingest.Ingest(self.api)

    def check(self) -> Iterator[Finding]:
        """Organisation, version, clock, allowance; then rights and fields of every stream and of what we write."""
        yield from check.findings(self.api, self.http, self.connection, self.streams, self._reader)

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """Fields of the object that the integration user sees."""
        seen = self.api.describe(self._reader.remote(stream))
        return {} if seen is None else {name: str(field.get("label") or name) for name, field in seen.fields.items()}

    def count(self, stream: Stream) -> int | None:
        """By COUNT(), which costs one call and no rows."""
        try:
            answer = self.api.query(self._reader.alive(stream, ["COUNT()"]), recycled=READINGS[stream.name].recycled)
        except RejectedError as error:
            if error.code == "INVALID_TYPE":
                return 0  # the feature is off
            raise
        return int(answer["totalSize"])

    def calls_for(self, stream: Stream, rows: int) -> int:
        """Pages of 2,000 rows, or a query job where so many rows are worth one."""
        by_job = stream.schedule == "cycle" and pays(rows, self.api.left_today())
        return job_calls(rows) if by_job else super().calls_for(stream, rows)

    def ids(self, stream: Stream) -> Iterator[Sequence[str]] | None:
        """By SELECT Id, for objects whose rows are our records; rows of history never go one by one."""
        return None if stream.name in DERIVED else self._reader.ids(stream)

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """By lists of ids, a few hundred a call."""
        return None if stream.name in DERIVED else self._reader.fetch(stream, ids)

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window; ``resume`` is the server's own nextRecordsUrl, a snapshot that outlives our process."""
        yield from self._reader.pull(stream, window, resume)

    def deletions(self, stream: Stream, start: datetime | None, end: datetime) -> Iterator[Page]:
        """Ids from the delete log, which knows rows that left the recycle bin too; and accounts lost in a merge."""
        if not READINGS[stream.name].deletions:
            return
        oldest = end - DELETE_LOG
        since = oldest if start is None else max(oldest, start - DELETE_LOG_OVERLAP)
        log = self.api.rest(
            f"sobjects/{stream.remote}/deleted/", params={"start": since.isoformat(), "end": end.isoformat()}
        )
        gone = {row["id"]: row["deletedDate"] for row in (log or {}).get("deletedRecords", ())}
        if stream.remote == "Account":
            merged = soql.select(
                ("Id", "SystemModstamp"),
                "Account",
                ["IsDeleted = true", "MasterRecordId != null", soql.window("SystemModstamp", since, end)],
            )
            gone.update({row["Id"]: row["SystemModstamp"] for row in self.api.rows(merged, recycled=True)})
        if gone:
            yield Page([Raw(stream, {"Id": id_, "SystemModstamp": at, "IsDeleted": True}) for id_, at in gone.items()])

    def batch(self, target: WriteTarget, waiting: int) -> int:
        """A collection's 200, or what one ingest job takes; users are few, and setup objects."""
        if waiting < salesforce_ingest.FROM_ROWS or salesforce_write.remote_object(target) == "User":
            return super().batch(target, waiting)
        return min(waiting, salesforce_ingest.MOST_ROWS)

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """One call: an update by id, or an upsert by our key. More writes than that by one job."""
        if len(writes) >= salesforce_ingest.FROM_ROWS:
            verdicts = self._ingest.write(target, {each.remote_id: each.fields for each in writes})
            if verdicts is not None:
                yield from (Written(name, verdict) for name, verdict in verdicts.items())
                return
        for start in range(0, len(writes), self.write_batch):
            yield from salesforce_write.write(self.api, target, writes[start : start + self.write_batch])

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What the organisation holds now in these fields."""
        return salesforce_write.read_fields(self.api, target, ids, names)

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Creates what is missing, fields by the Tooling API and our object by Metadata REST, and grants it to the integration user by a permission set."""
        yield from Provisioner(self.api, dry_run=dry_run).add(wanted)

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Takes our fields, our object and our permission set away; the organisation keeps them 15 days."""
        yield from Provisioner(self.api, dry_run=dry_run).remove(wanted)
