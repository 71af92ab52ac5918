"""The endpoints of a collection: list, read, make, change, delete, and what lies below a record."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.sap_v2.errors import RestError
from connectors.sandbox.sap_v2.fields import checked, merged
from connectors.sandbox.sap_v2.query import Options, matching, options
from connectors.sandbox.sap_v2.services import SUBRESOURCES, Service
from connectors.sandbox.sap_v2.store import Doc, Table, updated

if TYPE_CHECKING:
    from connectors.sandbox.sap_v2 import SapV2Emulator

_PATCHES = ("application/merge-patch+json", "application/json")


class Rest:
    """What each service answers."""

    def __init__(self, emulator: "SapV2Emulator") -> None:
        self._emulator = emulator
        self._store = emulator.store

    def listing(self, request: Request, service: Service) -> Reply:
        """``{"count": n, "value": [...]}``; the count only when asked for."""
        table = self._store.tables[service.path]
        wanted = options(request, self._emulator.view(service), self._emulator.manners)
        keys = [] if self._emulator.strike("empty", request) else matching(table, wanted)
        most = min(wanted.top, self._emulator.page_cap or wanted.top)
        shown = keys[wanted.skip : wanted.skip + most]
        records = ",".join(self._text(service, table, key, wanted) for key in shown)
        name = self._emulator.manners.count_name
        count = f'"{name}":{len(keys)},' if wanted.count and name else ""
        if shown and len(shown) == most and self._emulator.strike("moved_row", request):
            self._store.save(service, table.docs[shown[0]])
        return Reply(200, f'{{{count}"value":[{records}]}}')

    def read(self, request: Request, service: Service, key: str) -> Reply:
        """``{"value": {...}}`` with the record's ETag."""
        doc = self._doc(service, key)
        wanted = options(request, self._emulator.view(service), self._emulator.manners)
        text = self._text(service, self._store.tables[service.path], key, wanted)
        return Reply(200, f'{{"value":{text}}}', {"ETag": tag(doc)})

    def create(self, request: Request, service: Service) -> Reply:
        """201 with the whole record."""
        body = checked(
            self._emulator.view(service), request.json(), creating=True, ignore_unknown=self._emulator.ignore_unknown
        )
        key = self._store.new_id()
        doc: Doc = {"id": key, "displayId": str(9_000_000 + self._store.made), **body}
        self._emulator.complete(service, doc, {})
        saved = self._store.save(service, doc)
        return Reply(
            201,
            {"value": saved},
            {"ETag": tag(saved), "Location": f"{self._emulator.url}{request.path.rstrip('/')}/{key}"},
        )

    def change(self, request: Request, service: Service, key: str) -> Reply:
        """PATCH: 200 with the record, or 204 where the service is one of the silent ones."""
        if request.headers.get("content-type", "").partition(";")[0].strip() not in _PATCHES:
            raise RestError(415, f"{service.code}.1020", "Content-Type must be application/merge-patch+json")
        doc = self._doc(service, key)
        self._check_tag(request, service, doc)
        patch = checked(
            self._emulator.view(service), request.json(), creating=False, ignore_unknown=self._emulator.ignore_unknown
        )
        saved = self.apply(service, doc, patch)
        headers = {"ETag": tag(saved)}
        return (
            Reply(204, None, headers)
            if service.path in self._emulator.silent
            else Reply(200, {"value": saved}, headers)
        )

    def apply(self, service: Service, doc: Doc, patch: Mapping[str, Any]) -> Doc:
        """The record with the patch in it, and with what follows from it."""
        changed = merged(doc, patch)
        self._emulator.complete(service, changed, doc)
        return self._store.save(service, changed)

    def delete(self, request: Request, service: Service, key: str) -> Reply:
        """204; nothing of the record remains."""
        doc = self._doc(service, key)
        if request.headers.get("if-match"):
            self._check_tag(request, service, doc)
        self._store.tables[service.path].delete(key)
        return Reply(204)

    def below(self, request: Request, service: Service, key: str, name: str) -> Reply:
        """What lies below a record: its items, contacts and the like."""
        doc = self._doc(service, key)
        if name not in SUBRESOURCES.get(service.path, ()):
            raise RestError(404, f"{service.code}.1404", f"No such resource: {name}")
        rows = doc.get(name) if name == "items" else list(self._store.below.get((key, name), {}).values())
        return Reply(200, {"count": len(rows or []), "value": rows or []})

    def _doc(self, service: Service, key: str) -> Doc:
        doc = self._store.tables[service.path].docs.get(key)
        if doc is None:
            raise RestError(404, f"{service.code}.1404", f"{service.entity} {key} was not found")
        return doc

    def _check_tag(self, request: Request, service: Service, doc: Doc) -> None:
        given = request.headers.get("if-match")
        if given is None:
            if self._emulator.if_match:
                raise RestError(428, f"{service.code}.1428", "If-Match header is required")
            return
        # One public client sends the stamp without its quotes, and is served.
        if given not in {tag(doc), updated(doc)}:
            raise RestError(412, f"{service.code}.1412", "The record was changed in the meantime")

    def _text(self, service: Service, table: Table, key: str, wanted: Options) -> str:
        lost, bent = self._emulator.lost_in(service), self._emulator.bent_in(service)
        if not (wanted.select or wanted.exclude or lost or bent):
            return table.text(key)
        doc = table.docs[key]
        found = {
            name: value for name, value in doc.items()
            if (not wanted.select or name in wanted.select) and name not in wanted.exclude and name not in lost
        }  # fmt: skip
        if "extensions" in found:
            inner = {
                name: {"content": value} if name in bent else value
                for name, value in doc["extensions"].items()
                if name not in lost
            }
            found["extensions"] = inner
        found = {name: {"content": value} if name in bent else value for name, value in found.items()}
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def tag(doc: Doc) -> str:
    """The ETag: ``adminData.updatedOn`` in quotes."""
    return f'"{updated(doc)}"'
