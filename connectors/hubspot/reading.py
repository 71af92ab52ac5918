"""Reading HubSpot's objects: all by the list endpoint, what changed by search, with history and associations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import cached_property
from typing import cast

import structlog

from connectors.base import From, Page, Raw, Stream, Window
from connectors.errors import ContractError, RejectedError
from connectors.hubspot import rows
from connectors.hubspot.api import (
    ASSOCIATION_LIMIT,
    HISTORY_LIMIT,
    LIST_LIMIT,
    HubSpotApi,
    Json,
    chunks,
    next_after,
)
from connectors.hubspot.history import change_rows, turned_at
from connectors.hubspot.links import links_of, needed_link, put_away_unlinked, stand_in
from connectors.hubspot.money import Turns, key_of, remote_of, sift
from connectors.hubspot.people import People
from connectors.hubspot.settings import HubSpotSettings
from connectors.hubspot.silence import Silence
from connectors.hubspot.slices import Part, Slices
from connectors.hubspot.splits import COUNT, Splits
from connectors.hubspot.streams import ALWAYS, CHANGE, CLOSED_FLAGS, DEALS, EXTRAS, INSTEAD, MERGED, SPLIT
from connectors.mapping import Source, remote_fields, sources
from connectors.own_streams import day

log = structlog.get_logger("connectors.hubspot")

_NOT_PROPERTIES = frozenset(("id", "archived", "createdAt", "updatedAt"))
_TRACKED = ("stage", "close_on", "amount", "owner_id", "forecast_category")


class Reading:
    """Pages of one object stream as ``Raw`` rows.

    ``account`` is asked only once a row needs it, ``definitions`` of an object only when its answers leave something out.
    """

    def __init__(
        self, connection: HubSpotSettings, api: HubSpotApi, people: People, account: Callable[[], rows.Account],
        definitions: Callable[[str], Mapping[str, Json]], splits: Splits,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._api = api
        self._people = people
        self._account = account
        self._silence = Silence(definitions)
        self._splits = splits
        self._slices = Slices(api)
        self._turns = Turns(api, lambda: account().zone)
        self._asked: dict[str, list[str]] = {}
        self._moments: dict[str, list[str]] = {}

    def pages(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window: all by the list endpoint, what changed by search."""
        start = window.start
        if start is None and window.since is not None:
            # Whatever is that young was also modified since then: search finds it without reading the older rest.
            start = datetime.combine(window.since, time(), tzinfo=UTC)
        if start is None:
            yield from self._listed(stream, window, resume)
        else:
            yield from self._searched(stream, window, start, resume)

    def _listed(self, stream: Stream, window: Window, after: str | None) -> Iterator[Page]:
        """Everything, by the list endpoint: it alone brings history and associations in the same call."""
        history = self._tracked if self._with_history(stream, window) else {}
        part = Part.of(window.part)
        query: Json = {"limit": HISTORY_LIMIT if history else LIST_LIMIT, "after": after or part.after}
        query |= {"properties_with_history": list(history), "associations": list(links_of(stream, self._connection))}
        for page in self._api.pages(stream.remote, self._properties(stream), **query):
            found, resume = page["results"], next_after(page)
            if window.part:
                found, resume = self._slices.kept(stream.remote, part, found, resume)
            raws = self._raws(stream, found)
            self._add_links(stream, raws, {str(row["id"]): row.get("associations") or {} for row in found})
            self._turns.add(stream, raws)
            changes = self._add_history(raws, found) if history else []
            splits = self._shares(stream, raws, (), window)
            yield Page([*raws, *changes, *splits], resume=resume, lacks=self._lacks(stream, found))
            if resume is None:
                return

    def slices(self, stream: Stream, window: Window, behind: str) -> Sequence[str]:
        """Ranges of ids that are left of a list; a search (of a stream with ``since``) goes on as one."""
        if window.since is not None:
            return ()
        page_rows = HISTORY_LIMIT if self._with_history(stream, window) else LIST_LIMIT
        try:
            return self._slices.behind(stream.remote, behind, page_rows)
        except RejectedError as error:  # an object that cannot be searched goes on as one
            log.info("list_not_cut", stream=stream.name, code=error.code)
            return ()

    def _searched(self, stream: Stream, window: Window, start: datetime, last: str | None) -> Iterator[Page]:
        """What changed in the window. The newest rows first, with the count; then, if there are more, all by id.

        Pages by offset would end at 10,000 rows, and pages by time never end where a job stamps more rows alike.
        """
        bounds = rows.between(start, window.end)
        names = self._properties(stream)
        if last is None:
            found = self._api.search(stream.remote, bounds, ("hs_lastmodifieddate", "DESCENDING"), names)
            total = int(found["total"])
            last = "0" if total > len(found["results"]) else None
            lacks = self._lacks(stream, found["results"])
            yield Page(self._complete(stream, window, found["results"]), last, total, lacks)
        if last is not None:
            for batch, resume in self._by_id(stream, bounds, names, last):
                yield Page(self._complete(stream, window, batch), resume=resume, lacks=self._lacks(stream, batch))

    def _by_id(
        self, stream: Stream, filters: Sequence[Json], names: Sequence[str], after: str
    ) -> Iterator[tuple[list[Json], str | None]]:
        """Rows that pass ``filters`` with ids above ``after``, as many at once as one association call takes."""
        last: str | None = after
        while last is not None:
            batch: list[Json] = []
            while last is not None and len(batch) < ASSOCIATION_LIMIT:
                beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
                found = self._api.search(stream.remote, [*filters, beyond], ("hs_object_id", "ASCENDING"), names)
                batch += found["results"]
                last = self._last(stream, found, last)
            yield batch, last

    def _last(self, stream: Stream, found: Json, last: str) -> str | None:
        """The highest id of a page by id; None if it was the last page."""
        if next_after(found) is None:  # not its length: a page may be shorter than what was asked for
            return None
        highest = max((int(row["id"]) for row in found["results"]), default=int(last))
        if highest <= int(last):
            raise ContractError(
                f"{stream.remote}: a search for ids above {last} answers with {highest}: paging would not end"
            )
        return str(highest)

    def _complete(self, stream: Stream, window: Window, found: Sequence[Json]) -> list[Raw]:
        """Rows of a search with what it cannot carry, for those only whose business content changed.

        An unchanged row of a stream with associations is not handed on: it would bring them empty.
        """
        raws = self._raws(stream, found)
        if not stream.separate:
            return raws
        stand_in(raws, needed_link(stream, self._connection))
        # A subscription ends by a status that no field of ours holds: it is no echo, for we never write to one.
        changed = raws if stream.name == "subscription" else list(window.changed(raws))
        fresh = {raw.fields["id"] for raw in changed}
        echoed = [raw for raw in raws if raw.fields["id"] not in fresh]  # a new share leaves a deal's content as it was
        splits = self._shares(stream, changed, echoed, window)
        if not changed:
            return splits
        self._add_links(stream, changed, {})
        self._turns.add(stream, changed)
        changes: list[Raw] = []
        if self._with_history(stream, window):
            ids = [raw.fields["id"] for raw in changed]
            changes = self._add_history(changed, list(self._api.read(stream.remote, ids, history=list(self._tracked))))
        return [*changed, *changes, *splits]

    def _shares(self, stream: Stream, deals: Sequence[Raw], echoed: Sequence[Raw], window: Window) -> list[Raw]:
        if stream.name != "opportunity" or SPLIT.name not in window.streams:
            return []
        moved = self._splits.moved(echoed, window.changed)
        return self._splits.rows([*deals, *moved], whole=window.start is None)

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        """Whole rows by id, with their history and associations."""
        along = frozenset(name for name in (CHANGE.name, SPLIT.name) if self._connection.stream(name) is not None)
        window = Window(None, datetime.max.replace(tzinfo=UTC), streams=along)
        for part in chunks([remote_of(stream, key) for key in ids], LIST_LIMIT):
            found = list(self._api.read(stream.remote, part, properties=self._properties(stream)))
            yield Page(self._complete(stream, window, found), lacks=self._lacks(stream, found))

    def links(self, stream: Stream, ids: Sequence[str]) -> Iterator[Raw]:
        """What some rows are associated with, 1,000 a call: a changed association does not stamp the row."""
        raws = [Raw(stream, {"id": remote_of(stream, key), "@key": key}) for key in ids]
        self._add_links(stream, raws, {})
        return iter(raws)

    def _lacks(self, stream: Stream, found: Sequence[Json]) -> frozenset[str]:
        asked = [name for name in self._properties(stream) if name != COUNT]  # without splits an account lacks it
        return self._silence.lacks(stream.remote, asked, found)

    def archived(self, stream: Stream, start: datetime | None) -> Iterator[Page]:
        """Rows in the recycle bin since ``start``. The listing has no date filter: a call per 100 of all of them."""
        for page in self._api.pages(stream.remote, ["hs_object_id"], archived="true"):
            gone = [str(row["id"]) for row in page["results"] if start is None or rows.archived_at(row) >= start]
            yield Page([Raw(stream, {"id": one, "@key": key_of(stream, one), "archived": True}) for one in gone])

    def merged(self, stream: Stream, start: datetime | None, end: datetime) -> Iterator[Page]:
        """Rows that were merged into others: a loser vanishes from every list, only its winner tells of it."""
        filters: list[Json] = [{"propertyName": MERGED, "operator": "HAS_PROPERTY"}]
        filters += rows.between(start, end) if start is not None else []
        try:
            for batch, _ in self._by_id(stream, filters, [MERGED], "0"):
                yield Page([Raw(stream, loser) for row in batch for loser in rows.losers(row)])
        except RejectedError as error:
            log.warning("merges_unknown", stream=stream.name, code=error.code)  # an account without that property

    def _raws(self, stream: Stream, found: Sequence[Json]) -> list[Raw]:
        """The rows of an answer. Most payments give nothing back: those are no deleted refunds, but none."""
        raws = [self._raw(stream, row) for row in found]
        return [raw for raw in raws if stream.name != "refund" or not raw.fields["archived"]]

    def _raw(self, stream: Stream, row: Json) -> Raw:
        fields = rows.flat(row)
        self._localise(stream, fields)
        name = stream.name
        if name == "opportunity":
            fields["@currency"] = fields.get("deal_currency_code") or self._account().currency
        elif name == "call":
            rows.call(fields, self._connection.connected_outcomes)
        elif name == "target":
            rows.target(fields, self._account(), self._people.owner_of, self._people.team_of)
        elif name == "forecast_submission":
            rows.forecast(fields, self._account(), self._people.owner_of)
        elif name in INSTEAD:
            sift(stream, fields)
        elif name in ("meeting", "email", "task", "survey"):
            getattr(rows, name)(fields)
        return Raw(stream, fields)

    def _localise(self, stream: Stream, fields: Json) -> None:
        """A close date is a moment, often local midnight: its day, as that of a payment, is the account's, not UTC's."""
        if stream.name not in self._moments:
            mapped = [source for source in sources(stream, self._connection).values() if isinstance(source, From)]
            self._moments[stream.name] = [source.path for source in mapped if source.turn is day]
        for path in self._moments[stream.name]:
            if fields.get(path):
                fields[path] = rows.local(fields[path], self._account().zone)

    def _add_links(self, stream: Stream, raws: Sequence[Raw], inline: Mapping[str, Json]) -> None:
        for target, path in links_of(stream, self._connection).items():
            every = path == "@contacts"
            cut: list[Raw] = []
            for raw in raws:
                row = inline.get(raw.fields["id"])
                links = None if row is None else row.get(target)
                if row is None or (links and links.get("paging") and next_after(links)):
                    cut.append(raw)
                else:
                    cast("Json", raw.fields)[path] = rows.linked(links["results"], every=every) if links else None
            if cut:
                asked = self._api.associations(stream.remote, target, [raw.fields["id"] for raw in cut])
                for raw in cut:
                    cast("Json", raw.fields)[path] = rows.linked(asked.get(raw.fields["id"], ()), every=every)

        put_away_unlinked(raws, needed_link(stream, self._connection))

    def ids(self, stream: Stream) -> Iterator[list[str]]:
        """Ids of the rows that are records of ours, where that takes a look at them."""
        for page in self._listed(stream, Window(None, datetime.max.replace(tzinfo=UTC)), None):
            yield [key_of(stream, raw.fields["id"]) for raw in page.rows if not raw.fields["archived"]]

    def _with_history(self, stream: Stream, window: Window) -> bool:
        return stream.name == "opportunity" and CHANGE.name in window.streams

    def _add_history(self, raws: Sequence[Raw], found: Sequence[Json]) -> list[Raw]:
        histories = {str(row["id"]): row.get("propertiesWithHistory") or {} for row in found}
        stage = next((name for name, field in self._tracked.items() if field == "stage"), None)
        zone, owner_of = self._account().zone, self._people.owner_of
        changes: list[Raw] = []
        for raw in raws:
            history = histories.get(raw.fields["id"], {})
            if stage and "true" in [raw.fields.get(flag) for flag in CLOSED_FLAGS]:
                cast("Json", raw.fields)["@turned"] = turned_at(raw.fields.get(stage), history.get(stage) or ())
            versions = change_rows(raw.fields["id"], history, self._tracked, zone, owner_of)
            changes += [Raw(CHANGE, version) for version in versions]
        return changes

    @cached_property
    def _tracked(self) -> dict[str, str]:
        """Deal properties whose history is read, with the field that each fills."""
        deals = sources(DEALS, self._connection)
        filled = {field: _path(deals.get(field)) for field in _TRACKED}
        return {name: field for field, name in filled.items() if name and not name.startswith("@")}

    def _properties(self, stream: Stream) -> list[str]:
        if stream.name not in self._asked:
            mapped = {name for name in remote_fields(stream, self._connection) if not name.startswith("@")}
            self._asked[stream.name] = sorted((mapped | {*ALWAYS, *EXTRAS.get(stream.name, ())}) - _NOT_PROPERTIES)
        return self._asked[stream.name]


def _path(source: Source | None) -> str | None:
    """The property that a source reads; None for a constant."""
    path = source.path if isinstance(source, From) else source
    return path if isinstance(path, str) else None
