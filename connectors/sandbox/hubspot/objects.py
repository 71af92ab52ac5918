"""``/crm/.../objects/{type}``: list, single record, search, merge, archive and GDPR delete."""

from typing import Any

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.hubspot.errors import Refusal, invalid, not_found
from connectors.sandbox.hubspot.links import End
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.rows import Rows, Wanted, after_of, limit_of, wanted_of
from connectors.sandbox.hubspot.shapes import read_body
from connectors.sandbox.hubspot.store import INTEGRATION, Table, Thing
from connectors.sandbox.hubspot.writes import Writer
from connectors.sandbox.routing import Reply, Request

_PAGE, _PAGE_WITH_HISTORY = 100, 50


def writable(table: Table) -> Table:
    """The table, if the API may write to it. Raises Refusal (405) for feedback submissions."""
    if table.kind.read_only:
        raise Refusal(405, "Method Not Allowed", None)
    return table


class Objects:
    """Handlers of single rows and lists."""

    def __init__(self, portal: Portal, writer: Writer, emulator: Emulator) -> None:
        self.portal = portal
        self.writer = writer
        self.emulator = emulator
        self.rows = Rows(portal, emulator)

    def list_all(self, request: Request, kind: str) -> Reply:
        """A page by ascending id."""
        table = self.portal.store.table(kind)
        wanted = wanted_of(request)
        limit = limit_of(request, 10, _PAGE_WITH_HISTORY if wanted.history else _PAGE)
        limit = min(limit, self.emulator.page_cap or limit)
        if self.emulator.strike("empty", request):
            return Reply(body={"results": []})
        found = table.after(after_of(request), limit + 1, archived=wanted.archived)
        write = self.rows.writer(table, wanted)
        body: dict[str, Any] = {"results": [write(thing) for thing in found[:limit]]}
        if len(found) > limit:
            last = str(found[limit - 1].id)
            body["paging"] = {"next": {"after": last, "link": f"{self.emulator.url}{request.path}?after={last}"}}
        return Reply(body=body)

    def read(self, request: Request, kind: str, row_id: str) -> Reply:
        """One row by id, or by a unique property."""
        table = self.portal.store.table(kind)
        wanted = wanted_of(request)
        thing = table.find(row_id, self._key(table, request))
        if wanted.archived:
            thing = table.gone.get(int(row_id)) if row_id.isdecimal() else None
        if thing is None:
            raise not_found()
        return Reply(body=self.rows.writer(table, wanted)(thing))

    def create(self, request: Request, kind: str, version: str) -> Reply:
        """A new row, 201."""
        body = read_body(request, "SimplePublicObjectInputForCreate")
        table = writable(self.portal.store.table(kind))
        thing = self.make(table, body, version, self.stamp(request))
        return Reply(201, self.rows.writer(table, Wanted(list(body["properties"])))(thing))

    def make(self, table: Table, body: dict[str, Any], version: str, at_ms: int) -> Thing:
        """Checks a create model and makes its row with its associations."""
        values = self.writer.prepare(table, body["properties"], None)
        self.writer.require(table, values)
        self.writer.free(table, values, None)
        if version == "2026-09":
            self.writer.obey(table, values, None)
        thing = self.writer.create(table, values, at_ms, INTEGRATION)
        for link in body.get("associations") or []:
            for spec in link["types"]:
                self._associate(table, thing, link["to"]["id"], spec["associationTypeId"])
        return thing

    def _associate(self, table: Table, thing: Thing, other_id: str, type_id: int) -> None:
        for other in self.portal.store:
            if type_id in self.portal.links.labels(table, other):
                far = other.find(other_id)
                if far is None:
                    raise not_found(f"{other.kind.singular} {other_id} does not exist")
                self.portal.links.join(End(table, thing.id), End(other, far.id), type_id)
                return
        raise invalid(f"Association type {type_id} is not valid for {table.kind.singular}")

    def update(self, request: Request, kind: str, row_id: str, version: str) -> Reply:
        """PATCH of one row."""
        body = read_body(request, "SimplePublicObjectInput")
        table = writable(self.portal.store.table(kind))
        thing = table.find(row_id, self._key(table, request))
        if thing is None:
            raise not_found()
        values = self.writer.prepare(table, body["properties"], thing)
        self.writer.free(table, values, thing)
        if version == "2026-09":
            self.writer.obey(table, values, thing)
        self.writer.change(table, thing, values, self.stamp(request), INTEGRATION)
        return Reply(body=self.rows.writer(table, Wanted(list(body["properties"])))(thing))

    def archive(self, request: Request, kind: str, row_id: str) -> Reply:
        """DELETE: into the recycle bin. A row that is there already is no error."""
        table = writable(self.portal.store.table(kind))
        thing = table.find(row_id)
        if thing is not None:
            self.writer.archive(table, thing, self.portal.now_ms())
        elif not row_id.isdecimal() or int(row_id) not in table.gone:
            raise not_found()
        return Reply(204)

    def merge(self, request: Request, kind: str) -> Reply:
        """Two rows become one."""
        body = read_body(request, "PublicMergeInput")
        table = self.portal.store.table(kind)
        if not table.kind.mergeable:
            raise not_found("No merge for this object type")
        winner, loser = table.find(body["primaryObjectId"]), table.find(body["objectIdToMerge"])
        if winner is None or loser is None:
            raise not_found()
        if winner.id == loser.id:
            raise invalid("Cannot merge an object with itself")
        self.writer.merge(table, winner, loser, self.stamp(request), INTEGRATION)
        return Reply(body=self.rows.writer(table, Wanted())(winner))

    def gdpr_delete(self, request: Request, kind: str) -> Reply:
        """Removes a contact for good."""
        body = read_body(request, "PublicGdprDeleteInput")
        table = writable(self.portal.store.table(kind))
        key = body.get("idProperty")
        thing = table.find(body["objectId"], key)
        if thing is None and body["objectId"].isdecimal():
            thing = table.gone.get(int(body["objectId"]))
        if thing is None:
            raise not_found()
        self.writer.purge(table, thing)
        return Reply(204)

    def search(self, request: Request, kind: str) -> Reply:
        """Rows by filters, at most 200 a page and 10,000 in all."""
        body = read_body(request, "PublicObjectSearchRequest")
        table = self.portal.store.table(kind)
        self.portal.catch_up(table.kind.plural)
        if self.emulator.page_cap and (body.get("limit") or 10) > self.emulator.page_cap:
            body["limit"] = self.emulator.page_cap
        total, found, following = self.portal.index.search(table, body)
        if self.emulator.strike("empty", request):
            return Reply(body={"total": 0, "results": []})
        write = self.rows.writer(table, Wanted(body.get("properties") or ()))
        answer: dict[str, Any] = {"total": total, "results": [write(thing) for thing in found]}
        if following is not None:
            answer["paging"] = {"next": {"after": str(following)}}
        return Reply(body=answer)

    def stamp(self, request: Request) -> int:
        """When a write happens by the portal's clock; an armed ``late_commit`` puts it into the past."""
        fault = self.emulator.strike("late_commit", request)
        return self.portal.now_ms() - int(1000 * fault.seconds if fault else 0)

    def _key(self, table: Table, request: Request) -> str | None:
        name = request.first("idProperty")
        if name and name != "hs_object_id" and name not in table.unique:
            raise invalid(f'Property "{name}" is not a unique property of {table.kind.plural}')
        return name
