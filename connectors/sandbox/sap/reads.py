"""Reading: the service document, metadata, collections, single records, children, counts and code lists."""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.sap.atom import HEAD, entry, feed, service_document
from connectors.sandbox.sap.errors import JSON, XML, ODataError, wants_json
from connectors.sandbox.sap.json import Writer, listing, single
from connectors.sandbox.sap.metadata import code_set, edmx
from connectors.sandbox.sap.query import Options, matching, options, pages
from connectors.sandbox.sap.schema import EntityType
from connectors.sandbox.sap.store import Row
from connectors.sandbox.sap.values import etag

if TYPE_CHECKING:
    from connectors.sandbox.sap import SapEmulator

ATOM = "application/atom+xml;charset=utf-8"
PAGE = 1000
"""Rows of a server page; no client makes it larger outside a batch."""
EXPANDED_PAGE = 100
_LEFT = "$',:()*/"
"""What a next link leaves as it is."""
BATCH_PAGE = 5000
_SEGMENT = re.compile(r"(\w+)(?:\((?:ObjectID=)?'([^']*)'\))?")


def segment(text: str) -> tuple[str, str | None]:
    """``Name`` or ``Name('key')``; ODataError for anything else."""
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise ODataError(400, f"Malformed URI literal syntax in '{text}'")
    return match[1], match[2]


class Reads:
    """Everything that a GET can ask."""

    def __init__(self, emulator: "SapEmulator") -> None:
        self._emulator = emulator
        self._store = emulator.store

    def service(self, request: Request) -> Reply:
        """The service document; the one place where a CSRF token is to be fetched."""
        names = list(self._store.schema.sets)
        # Without its trailing slash the path is answered, but no session is begun and no token given.
        headers = self._emulator.signing.fetched(request) if request.path.endswith("/") else {}
        if wants_json(request):
            return Reply(200, json.dumps({"d": {"EntitySets": names}}), {"Content-Type": JSON, **headers})
        return Reply(
            200, service_document(names, self._emulator.root), {"Content-Type": "application/atomsvc+xml", **headers}
        )

    def metadata(self, request: Request) -> Reply:
        """``$metadata``: XML, whatever is asked."""
        gone = frozenset(name for _, name in self._emulator.gone)
        body = edmx(self._store.schema, labels=request.first("sap-label") == "true", gone=gone)
        return Reply(200, body, {"Content-Type": XML})

    def catalogue(self, request: Request) -> Reply:
        """Which services there are."""
        root = self._emulator.root
        row = {"ID": "c4codataapi", "Name": "c4codataapi", "ServiceUrl": root, "MetadataUrl": f"{root}/$metadata"}
        if wants_json(request):
            return Reply(200, json.dumps({"d": {"results": [row]}}), {"Content-Type": JSON})
        return Reply(200, f"{HEAD}<services><service>{root}</service></services>", {"Content-Type": XML})

    def get(self, request: Request, parts: Sequence[str], *, batch: bool = False) -> Reply:
        """The answer to a GET below the service root."""
        counting = parts[-1] == "$count"
        path = parts[:-1] if counting else parts
        name, key = segment(path[0])
        entity = self._store.schema.sets.get(name)
        if entity is None:
            return self._codes(request, name, key, parts)
        entity = self._emulator.view(entity)
        headers = {} if batch else self._token(request, len(path))
        if key is None and len(path) == 1:
            reply = self._collection(request, entity, None, counting=counting, batch=batch)
        elif key is not None and len(path) == 1 and not counting:
            reply = self._entity(request, entity, self._row(entity, key))
        elif key is not None and len(path) == 2:
            reply = self._child(request, entity, self._row(entity, key), path[1], counting=counting, batch=batch)
        else:
            raise ODataError(404, f"Resource not found for the segment '{parts[-1]}'")
        reply.headers.update(headers)
        return reply

    def _token(self, request: Request, depth: int) -> dict[str, str]:
        if depth > 1 and request.headers.get("x-csrf-token", "").lower() == "fetch":
            # SAP/cloud-sdk-js issue 1185: C4C fails when a token is fetched below a record.
            raise ODataError(500, "An internal error occurred")
        return self._emulator.signing.fetched(request)

    def _row(self, entity: EntityType, key: str) -> Row:
        row = self._store.row(entity.name, key)
        if row is None:
            raise ODataError(404, f"Requested entity could not be found: {entity.set_name}('{key}')")
        return row

    def _collection(
        self,
        request: Request,
        entity: EntityType,
        within: Sequence[str] | None,
        *,
        counting: bool,
        batch: bool,
        where: str = "",
    ) -> Reply:
        wanted = options(request, entity)
        if wanted.search and batch:
            raise ODataError(400, "The system query option '$search' is not supported in $batch")
        if not self._emulator.order_by_stamp and any(name == "EntityLastChangedOn" for name, _ in wanted.order):
            raise ODataError(
                400, "Die Sortierung wird nicht unterstützt"
            )  # in the user's language, and without the name
        keys = [] if self._emulator.strike("empty", request) else matching(self._store, entity, wanted, within)
        if counting:
            return Reply(200, str(len(keys)), {"Content-Type": "text/plain;charset=utf-8"})
        return self._page(request, entity, wanted, keys, self._cap(wanted, batch=batch), where or entity.set_name)

    def _cap(self, wanted: Options, *, batch: bool) -> int:
        cap = EXPANDED_PAGE if wanted.expand else PAGE
        if batch and wanted.top is not None and not wanted.expand:
            cap = BATCH_PAGE
        return min(cap, self._emulator.page_cap or cap)

    def _page(
        self, request: Request, entity: EntityType, wanted: Options, keys: Sequence[str], cap: int, where: str
    ) -> Reply:
        shown, token = pages(keys, wanted, cap)
        root = "" if self._emulator.relative_next else f"{self._emulator.root}/"
        following = None if token is None else f"{root}{where}?{_query(request, token)}"
        total = len(keys) if wanted.count else None
        if wants_json(request):
            records = self._writer(entity, wanted).rows(shown)
            reply = Reply(200, listing(records, total, following), {"Content-Type": JSON})
        else:
            body = feed(self._store, entity, shown, self._emulator.root, wanted.select, total, following)
            reply = Reply(200, body, {"Content-Type": ATOM})
        if following and shown and self._emulator.strike("moved_row", request):
            row = self._store.tables[entity.name].rows[shown[0]]
            self._store.save(self._store.schema.types[entity.name], row)
        return reply

    def _writer(self, entity: EntityType, wanted: Options) -> Writer:
        emulator = self._emulator
        return Writer(
            self._store, entity, emulator.root, wanted.select, wanted.expand,
            bent=emulator.bent_in(entity), offset=emulator.date_offset,
        )  # fmt: skip

    def _entity(self, request: Request, entity: EntityType, row: Row) -> Reply:
        wanted = options(request, entity)
        return self.record(request, entity, row, wanted)

    def record(
        self, request: Request, entity: EntityType, row: Row, wanted: Options | None = None, status: int = 200
    ) -> Reply:
        """One record as an answer."""
        wanted = wanted or Options()
        if wants_json(request):
            body, kind = single(self._writer(entity, wanted).row(row)), JSON
        else:
            body, kind = HEAD + entry(self._store, entity, row, self._emulator.root, wanted.select), ATOM
        return Reply(status, body, {"Content-Type": kind, "etag": etag(row["ETag"])})

    def _child(
        self, request: Request, entity: EntityType, row: Row, name: str, *, counting: bool, batch: bool
    ) -> Reply:
        name, child_key = segment(name)
        if name not in entity.navigations or child_key is not None:
            raise ODataError(404, f"Resource not found for the segment '{name}'")
        target_name, many = entity.navigations[name]
        target = self._emulator.view(self._store.schema.types[target_name])
        if not many:
            return self._entity(request, target, self._row(target, row.get("ParentObjectID", "")))
        keys = self._store.tables[target_name].children(row["ObjectID"])
        where = f"{entity.set_name}('{row['ObjectID']}')/{name}"
        return self._collection(request, target, keys, counting=counting, batch=batch, where=where)

    def _codes(self, request: Request, name: str, key: str | None, parts: Sequence[str]) -> Reply:
        """A code list: its codes and their texts."""
        found = next(((one, known) for one, known in self._store.schema.codes() if code_set(one, known) == name), None)
        if found is None or key is not None or len(parts) > 1:
            raise ODataError(404, f"Resource not found for the segment '{parts[-1]}'")
        texts = self._store.codes.get((found[0].name, found[1].name), {})
        if not wants_json(request):
            raise ODataError(406, "Code lists are given as JSON only")
        rows = [
            {"__metadata": {"uri": f"{self._emulator.root}/{name}('{code}')", "type": "c4codataapi.CodeList"}, "Code": code, "Description": text}
            for code, text in texts.items()
        ]  # fmt: skip
        return Reply(200, json.dumps({"d": {"results": rows}}, ensure_ascii=False), {"Content-Type": JSON})


def _query(request: Request, token: int) -> str:
    """The query of the next page: the same options, another place."""
    pairs = [(name, value) for name, values in request.query.items() for value in values if name != "$skiptoken"]
    return "&".join(f"{name}={quote(value, safe=_LEFT)}" for name, value in [*pairs, ("$skiptoken", str(token))])
