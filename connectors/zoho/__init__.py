"""Zoho CRM, REST API v6 to v8 with COQL and the Bulk API. Remote behaviour we rely on: docs/connectors/zoho.md."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from math import ceil
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
from connectors.errors import ForbiddenError, RejectedError
from connectors.http import Http
from connectors.settings import ConnectionSettings
from connectors.zoho import bulk_write, people
from connectors.zoho import check as zoho_check
from connectors.zoho import history as zoho_history
from connectors.zoho import write as zoho_write
from connectors.zoho.api import PAGE, ZohoApi
from connectors.zoho.bulk import PER_JOB
from connectors.zoho.coql import MOST_ROWS
from connectors.zoho.deals import PerDeal
from connectors.zoho.manners import MANNERS
from connectors.zoho.provision import Provisioner
from connectors.zoho.read import ASK_AFTER, BULK_FROM, Reader
from connectors.zoho.settings import ZohoSettings
from connectors.zoho.sign_in import ZohoSignInWay
from connectors.zoho.streams import NO_MODULE, PER_DEAL, READINGS, STAMP, STREAMS

DELETED_OVERLAP = timedelta(hours=2)
"""The list of deleted rows is read from this much before the end of the last reading: it may be written behind time."""

_LOOKS = 5
"""Looks at a bulk job until it is done, for an estimate."""


class Zoho(Connector):
    """Pulls users, accounts, deals, their stage history, activities and rates; writes to deals, users and a module."""

    kind = "zoho"
    can = Can.PULL | Can.PULL_CHANGES | Can.PULL_DELETIONS | Can.WRITE_FIELDS | Can.WRITE_OBJECTS | Can.PROVISION
    settings = ZohoSettings
    auth = ZohoSignInWay()
    manners = MANNERS
    streams: ClassVar[tuple[Stream, ...]] = STREAMS
    page_rows = MOST_ROWS
    most_calls_at_once = 1  # a job brings the most of a first load, and its file is read in big portions
    write_batch = zoho_write.RECORDS_A_CALL
    write_keyed_batch = zoho_write.RECORDS_A_CALL
    connection: ZohoSettings

    def __init__(self, connection: ConnectionSettings, http: Http) -> None:
        super().__init__(connection, http)
        self.api = ZohoApi(http, connection.name, connection.api_version or "v8", self.learnt)
        self.reader = Reader(self.api, self.connection, self.learnt)
        self._doors: dict[str, Http] = {}

    def _door(self, url: str) -> Http:
        """The door to another host of the same data centre: another address, the same sign-in and limits.

        The connection's own door where the address is no such host: it follows none to strangers.
        """
        there = self.connection.sibling(url)
        if there is None:
            return self.http
        if there not in self._doors:
            settings = self.connection.model_copy(update={"base_url": there})
            self._doors[there] = Http(settings, self.manners, self.http.auth, self.http.limiter)
        return self._doors[there]

    @cached_property
    def bulk_write(self) -> bulk_write.BulkWrite:
        """Jobs that write, for the connections that may use them."""
        return bulk_write.BulkWrite(self.api, self.connection.upload_url, self._door, self.places, self._keep_now)

    def _keep_now(self) -> None:
        """Has a job stored by whatever ``keep`` is by then: the framework sets it for each push."""
        self.keep()

    def close(self) -> None:
        """Gives back the sockets of all doors."""
        for door in self._doors.values():
            door.close()
        super().close()

    def check(self) -> Iterator[Finding]:
        """Org, clock, credits; then rights and fields of every stream and of what we write."""
        yield from zoho_check.findings(self.api, self.connection, self.streams, self.reader)

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """Fields of the module that our user sees."""
        module = "Users" if stream.name == "person" else self._module(stream)
        return (
            {name: str(one.get("field_label") or name) for name, one in self.api.fields(module).items()}
            if module
            else {}
        )

    def _module(self, stream: Stream) -> str:
        """The module that is read by queries; "" for what is read in another way, or has no home here."""
        return "" if stream.name in NO_MODULE else self.reader.module(stream)

    # -- reading ------------------------------------------------------------------------------------------------------

    def count(self, stream: Stream) -> int | None:
        """By the count of the module; what is no module has none."""
        module = "Deals" if stream.name in PER_DEAL else self._module(stream)
        if not module:
            return None
        try:
            return self.api.count(module)
        except ForbiddenError:  # it takes a scope of its own, which refresh tokens made earlier lack
            return None
        except RejectedError as error:
            if error.code == "NOT_SUPPORTED":  # there, and not counted
                return None
            if stream.optional and error.code == "INVALID_MODULE":
                return 0
            raise

    def calls_for(self, stream: Stream, rows: int) -> int:
        """By queries of 2,000 rows; by a job per 200,000 once that is cheaper; per deal where Zoho tells no other way."""
        if stream.name in PER_DEAL:
            return rows + ceil(rows / MOST_ROWS)
        if stream.name == "person":
            return ceil(rows / PAGE) + 1
        if stream.name in NO_MODULE:
            return super().calls_for(stream, rows)
        if rows < BULK_FROM:
            return super().calls_for(stream, rows) + int(rows > ASK_AFTER)
        return ceil(ASK_AFTER / MOST_ROWS) + 1 + ceil(rows / PER_JOB) * (_LOOKS + 2)

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window. ``resume`` is the last row's stamp and id, or a bulk job and a row of its file."""
        if stream.name == "person":
            return people.people(self.api, self.connection, stream, window)
        if stream.name == "stage":
            self._learn_org()
            return people.stages(self.api, stream)
        if stream.name == "rate":
            return people.rates(self.api, stream)
        if stream.name == "history":
            return zoho_history.pull(self.reader, self.api, stream, window, resume)
        if stream.name in PER_DEAL:
            return PerDeal(self.api).pull(stream, window, resume)
        return self.reader.pull(stream, window, resume)

    def _learn_org(self) -> None:
        """Currency and credits, with the metadata. An org that does not tell them is read all the same."""
        if "budget" not in self.learnt:
            try:
                self.api.org()
            except ForbiddenError:
                self.learnt.update(currency="", org="", budget="")  # `check` says which scope is missing

    def deletions(self, stream: Stream, start: datetime | None, end: datetime) -> Iterator[Page]:
        """Ids from the module's list of deleted rows, those in the recycle bin and those beyond; users who left."""
        if stream.name == "person":
            yield from people.deleted_people(self.api, self.connection, stream)
        elif READINGS[stream.name].deletions and (module := self.reader.module(stream)):
            since = None if start is None else start - DELETED_OVERLAP
            for rows in self.api.deleted(module, since):
                gone = [{"id": row["id"], STAMP: row.get("deleted_time"), "@deleted": True} for row in rows]
                yield Page([Raw(stream, row) for row in gone])

    def ids(self, stream: Stream) -> Iterator[Sequence[str]] | None:
        """By queries for the id alone; rows of history never go one by one, and users are not listed by query."""
        return self.reader.ids(stream) if stream.kind != "change" and self._module(stream) else None

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """By lists of ids, 50 a call."""
        return self.reader.fetch(stream, ids) if stream.kind != "change" and self._module(stream) else None

    # -- writing ------------------------------------------------------------------------------------------------------

    def batch(self, target: WriteTarget, waiting: int) -> int:
        """A call's records; a job's where jobs are allowed and pay, or where one is open that was given such records."""
        if self._takes_jobs(target) and (waiting >= bulk_write.BULK_FROM or self.bulk_write.is_open):
            return bulk_write.MOST_ROWS
        return super().batch(target, waiting)

    def _takes_jobs(self, target: WriteTarget) -> bool:
        return target == bulk_write.TARGET and self.connection.writes_in_bulk

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """Calls of 100 records (of ten users) with automation off; one bulk job where that is allowed and pays."""
        records = zoho_write.merged(writes)
        unknown = zoho_write.unknown_fields(self.api, target, records)
        if unknown:
            yield from (Written(each.remote_id, unknown[each.remote_id]) for each in writes)
            return
        automation = self.connection.automation == "on"
        by_calls = partial(zoho_write.write, self.api, target, automation=automation)
        if self._takes_jobs(target):
            yield from self.bulk_write.write(zoho_write.module_of(target), records, by_calls)
        else:
            yield from by_calls(records)

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What the org holds now in these fields."""
        return zoho_write.read_fields(self.api, target, ids, names)

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Creates our module and fields where they are missing."""
        yield from Provisioner(self.api, dry_run=dry_run).add(wanted)

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Deletes our fields with what they hold; a module only a person can delete."""
        yield from Provisioner(self.api, dry_run=dry_run).remove(wanted)
