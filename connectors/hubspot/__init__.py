"""HubSpot CRM, dated API versions. Remote behaviour we rely on: docs/connectors/hubspot.md."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from math import ceil
from typing import ClassVar, cast
from zoneinfo import ZoneInfo

import structlog

from connectors.absences import Absences
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
from connectors.errors import ConfigError, ContractError, ForbiddenError, RejectedError, ScorebackError
from connectors.http import Http
from connectors.hubspot import rows
from connectors.hubspot.api import (
    HISTORY_LIMIT,
    LIST_LIMIT,
    HubSpotApi,
    Json,
    next_after,
)
from connectors.hubspot.check import findings
from connectors.hubspot.paths import MANNERS
from connectors.hubspot.people import People
from connectors.hubspot.provision import Provisioning
from connectors.hubspot.reading import Reading
from connectors.hubspot.settings import HubSpotSettings, HubSpotSignInWay
from connectors.hubspot.splits import Splits
from connectors.hubspot.streams import SIFTED, SPLIT, STREAMS
from connectors.hubspot.write import understand, write_batch
from connectors.mapping import remote_fields
from connectors.settings import ConnectionSettings

_OWNER_KEYS = frozenset(
    ("id", "email", "firstName", "lastName", "userId", "userIdIncludingInactive", "type", "teams", "createdAt",
     "updatedAt", "archived")
)  # fmt: skip
"""What an owner says of itself; other mapped names are properties of the users object."""

log = structlog.get_logger("connectors.hubspot")

_NOT_COUNTED = frozenset({"stage", "rate", "person", "change", "split"})
"""Streams that have no search and no list of ids."""

_OF_ACCOUNT = ("portalId", "timeZone", "companyCurrency")


class HubSpot(Connector):
    """Pulls deals with their history, companies, activities, owners, goals and rates; writes to deals and people."""

    kind = "hubspot"
    can = Can.PULL | Can.PULL_CHANGES | Can.PULL_DELETIONS | Can.WRITE_FIELDS | Can.WRITE_OBJECTS | Can.PROVISION
    auth = HubSpotSignInWay()
    streams: ClassVar[tuple[Stream, ...]] = STREAMS
    settings = HubSpotSettings
    manners = MANNERS

    def __init__(self, connection: ConnectionSettings, http: Http) -> None:
        super().__init__(connection, http)
        self.api = HubSpotApi(http, connection.api_version or "v3")
        self.people = People(self.api)
        self.absences = Absences(self.learnt, connection.metadata_every)
        settings = cast("HubSpotSettings", connection)
        self._reading = Reading(
            settings, self.api, self.people, lambda: self.account, lambda remote: self.definitions(remote, fresh=True),
            Splits(self.api, self.absences, SPLIT),
        )  # fmt: skip
        self._definitions: dict[str, dict[str, Json]] = {}
        self._types: dict[str, str] = {}

    @cached_property
    def account(self) -> rows.Account:
        """The account's time zone and currency: one call while nobody remembers them."""
        told = self.learnt.get("account")
        details: Json = json.loads(told) if told else self.api.get("/account-info/v3/details")
        try:
            zone = ZoneInfo(details["timeZone"])
        except (KeyError, ValueError):  # ZoneInfoNotFoundError is a KeyError
            what = f"{self.connection.name}: HubSpot names a time zone that we do not know: {details.get('timeZone')}"
            raise ContractError(what) from None
        self.learnt["account"] = json.dumps({name: details.get(name) for name in _OF_ACCOUNT})
        return rows.Account(str(details.get("portalId")), zone, details.get("companyCurrency"))

    def now(self) -> datetime:
        """HubSpot's clock. The very first call asks for the account's details, which pulling needs anyhow."""
        if "account" not in self.learnt:
            _ = self.account
        return self.http.server_now()

    def check(self) -> Iterator[Finding]:
        """Account, clock, allowance, scope per stream, mapped properties, and where writes will go."""
        return findings(self)

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """Properties of the object; of the users object for people, whose owners have none."""
        if stream.name in ("stage", "rate") or stream.filled_by:
            return {}
        there = self.definitions("users" if stream.name == "person" else self.located(stream).remote)
        return {name: str(one.get("label") or name) for name, one in there.items()}

    def count(self, stream: Stream) -> int | None:
        """By the total of a search; owners, stages and rates have no search."""
        if stream.name in _NOT_COUNTED:
            return None
        there: Json = {"propertyName": "hs_object_id", "operator": "HAS_PROPERTY"}
        remote = self.located(stream).remote
        return int(self.api.search(remote, [there], ("hs_object_id", "ASCENDING"), ["hs_object_id"])["total"])

    def calls_for(self, stream: Stream, rows: int) -> int:
        """Deals come 50 at a time while their history is read with them; what comes along with them costs no call."""
        if stream.filled_by:
            return 0
        with_history = stream.name == "opportunity" and self.connection.stream("change") is not None
        return max(1, ceil(rows / (HISTORY_LIMIT if with_history else self.page_rows)))

    def slices(self, stream: Stream, window: Window, behind: str) -> Sequence[str]:
        """Objects are listed by ascending id: what is left can be cut anywhere."""
        listed = stream.name not in _NOT_COUNTED
        return self._reading.slices(self.located(stream), window, behind) if listed else ()

    # -- reading ------------------------------------------------------------------------------------------------------

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window. ``change`` and ``split`` have no call of their own: ``opportunity`` brings their rows.

        An optional object that was never read and is not there is no error, and is not asked for again for a while.
        """
        new = stream.optional and window.start is None and not (resume or window.part)
        if new and self.absences.holds(stream.name):
            return
        try:
            for page in self._pages(self.located(stream), window, resume):
                yield page
                new = False
        except (RejectedError, ForbiddenError) as error:
            if not new and isinstance(error, ForbiddenError):
                raise
            if not new:
                raise self._refused(stream, error) from error
            self.absences.note(stream.name)
            log.info("feature_absent", connection=self.connection.name, stream=stream.name, reason=str(error))

    def _refused(self, stream: Stream, error: ScorebackError) -> ScorebackError:
        where = f"{self.connection.name}: {stream.name}"
        if stream.optional:
            return ForbiddenError(f"{where}: this account does not offer it ({error})")
        return ContractError(f"{where}: HubSpot does not take our question: {error}")

    def located(self, stream: Stream) -> Stream:
        """The stream with the object that the admin named for it, if any."""
        own = self.connection.object_of(stream.name)
        return replace(stream, remote=own) if own else stream

    def _pages(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        if stream.name == "stage":
            yield Page([Raw(stream, fields) for fields in rows.stages(self.api.pipelines("deals"))])
        elif stream.name == "rate":
            yield from self._rates(stream, resume)
        elif stream.name == "person":
            yield from self._people(stream, window)
        elif not stream.filled_by:
            yield from self._reading.pages(stream, window, resume)

    def _people(self, stream: Stream, window: Window) -> Iterator[Page]:
        """Active owners; a first load also brings those who left, for old deals point to them."""
        owners = self.people.owners(archived=True) if window.start is None else []
        yield self._owner_page(stream, [*owners, *self.people.owners(archived=False)])

    def _owner_page(self, stream: Stream, owners: Sequence[Json]) -> Page:
        mapped = {name for name in remote_fields(stream, self.connection) if not name.startswith("@")} - _OWNER_KEYS
        users = self.people.users(sorted(mapped)) if mapped else {}
        told = next(iter(users.values()), None)
        lacks = (
            frozenset()
            if told is None or mapped <= told.keys()
            else mapped - self.definitions("users", fresh=True).keys()
        )
        found = [Raw(stream, rows.person(owner, users.get(str(owner["id"]), {}))) for owner in owners]
        return Page(found, lacks=frozenset(lacks))

    def _rates(self, stream: Stream, after: str | None) -> Iterator[Page]:
        while True:
            query = {"limit": LIST_LIMIT, **({"after": after} if after else {})}
            page = self.api.get("/settings/v3/currencies/exchange-rates", **query)
            after = next_after(page)
            zone = self.account.zone
            found = [rows.rate(row, zone) for row in page["results"]]
            yield Page([Raw(stream, row) for row in found], resume=after)
            if after is None:
                return

    def deletions(self, stream: Stream, start: datetime | None, end: datetime) -> Iterator[Page]:
        """Archived rows, by a listing without a date filter: a call per 100 of them. For people: those who left."""
        if stream.name == "person":
            yield self._owner_page(stream, self.people.owners(archived=True))
        elif stream.name not in _NOT_COUNTED:
            stream = self.located(stream)
            yield from self._reading.archived(stream, start)
            if stream.name in ("account", "opportunity"):
                yield from self._reading.merged(stream, start, end)

    def ids(self, stream: Stream) -> Iterator[Sequence[str]] | None:
        """By the list endpoint without properties, 100 a call. Owners are listed whole in every cycle anyhow."""
        if stream.name in _NOT_COUNTED:
            return None
        stream = self.located(stream)
        if stream.name in SIFTED:
            return self._reading.ids(stream)
        return ([str(row["id"]) for row in page["results"]] for page in self.api.pages(stream.remote, ["hs_object_id"]))

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page] | None:
        """By batch reads of 100, 50 with history."""
        return None if stream.name in _NOT_COUNTED else self._reading.fetch(self.located(stream), ids)

    def links(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw] | None:
        """Of deals and payments: an activity's associations are made with it."""
        return self._reading.links(stream, ids) if stream.kind in ("opportunity", "payment") else None

    # -- writing ------------------------------------------------------------------------------------------------------

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """One batch and its verdicts; more calls only where HubSpot refuses the batch because of a record in it."""
        remote = self.object_type(target)
        if target.key is not None:
            return write_batch(lambda inputs: self.api.upsert(remote, inputs), writes, key=target.key)
        ids = {write.remote_id: self._record_id(target, write.remote_id) for write in writes}
        return write_batch(lambda inputs: self.api.update(remote, inputs), writes, ids=ids)

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What HubSpot holds now, 100 records per call; the types come from the property definitions."""
        remote = self.object_type(target)
        ours = {theirs: one for one in ids if (theirs := self._record_id(target, one)) is not None}
        kinds = {name: str(one.get("type")) for name, one in self.definitions(remote).items()}
        wanted: Json = {"properties": [*names, *([target.key] if target.key else [])]}
        if target.key:
            wanted["id_property"] = target.key
        found: dict[str, dict[str, Value]] = {}
        for row in self.api.read(remote, list(ours), **wanted):
            values = row["properties"]
            key = str(values.get(target.key) if target.key else row["id"])
            if key in ours:
                found[ours[key]] = {name: understand(values.get(name), kinds.get(name, "string")) for name in names}
        return found

    def _record_id(self, target: WriteTarget, remote_id: str) -> str | None:
        """HubSpot's id for a record of ours: that of the users object for a person, else the same."""
        if target.record == "person" and target.key is None:
            return self.people.record_of(remote_id)
        return remote_id

    def object_type(self, target: WriteTarget) -> str:
        """The target's object as paths name it. Raises ConfigError for an object that the account does not have."""
        if target.into is None:
            return "users" if target.record == "person" else "deals"
        if target.into not in self._types:
            found = Provisioning(self).schema(target.into)
            if found is None:
                where = f"{self.connection.name}: write_back.{target.record}.into"
                raise ConfigError(f"{where}: the account has no object {target.into}. Run `scoreback provision`")
            self._types[target.into] = str(found["objectTypeId"])
        return self._types[target.into]

    def definitions(self, remote: str, *, fresh: bool = False) -> dict[str, Json]:
        """Property definitions of an object by name: one call per process, unless ``fresh``."""
        if fresh or remote not in self._definitions:
            self._definitions[remote] = self.api.properties(remote)
        return self._definitions[remote]

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Creates our property group, our properties and our object where they are missing."""
        return Provisioning(self).create(wanted, dry_run=dry_run)

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Archives our properties; HubSpot keeps them in its recycle bin for 90 days."""
        return Provisioning(self).remove(wanted, dry_run=dry_run)
