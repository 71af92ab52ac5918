"""Writing: POST, PATCH and its older spellings, PUT, DELETE; each with the checks that SAP makes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.sap.entities import HISTORY_ENTITY
from connectors.sandbox.sap.errors import ODataError
from connectors.sandbox.sap.reads import segment
from connectors.sandbox.sap.schema import EntityType
from connectors.sandbox.sap.store import Row
from connectors.sandbox.sap.values import etag, read_json

if TYPE_CHECKING:
    from connectors.sandbox.sap import SapEmulator


_KEPT_BY_SAP = frozenset({"Activity", HISTORY_ENTITY})
"""Entity types that can be read only: a view over others, and the history."""


class Writes:
    """Every change that comes over the service."""

    def __init__(self, emulator: "SapEmulator") -> None:
        self._emulator = emulator
        self._store = emulator.store

    def write(self, request: Request, parts: Sequence[str]) -> Reply:
        """The answer to one change; ``X-HTTP-Method`` of a POST names the method that is meant."""
        method = request.method
        if method == "POST":
            method = request.headers.get("x-http-method", "POST").upper()
        if method == "POST":
            return self._create(request, parts)
        entity, row = self._target(parts)
        self._check_tag(request, row)
        if method == "DELETE":
            self._store.delete(entity, row["ObjectID"])
            return Reply(204)
        if method not in {"PATCH", "MERGE", "PUT"}:
            raise ODataError(405, f"Method {method} is not allowed")
        values = self._values(entity, self._body(request), creating=False)
        if method == "PUT":
            cleared = [name for name, one in entity.properties.items() if one.updatable and not one.code_of]
            values = {**dict.fromkeys(cleared), **values}
            self._check_mandatory(entity, values)
        changed = self._emulator.triggers.update(self._store.schema.types[entity.name], row, values)
        return Reply(204, None, {"etag": etag(changed["ETag"])})

    def target_key(self, parts: Sequence[str]) -> tuple[str, str] | None:
        """Entity type and ObjectID of the record that a change is about; None: it makes one."""
        name, key = segment(parts[0])
        entity = self._store.schema.sets.get(name)
        return (entity.name, key) if entity is not None and key is not None and len(parts) == 1 else None

    def _target(self, parts: Sequence[str]) -> tuple[EntityType, Row]:
        name, key = segment(parts[0])
        entity = self._store.schema.sets.get(name)
        if entity is None or len(parts) > 1:
            raise ODataError(404, f"Resource not found for the segment '{parts[-1]}'")
        if key is None or entity.name in _KEPT_BY_SAP:
            raise ODataError(405, f"{name} cannot be changed")
        row = self._store.row(entity.name, key)
        if row is None:
            raise ODataError(404, f"Requested entity could not be found: {name}('{key}')")
        return self._emulator.view(entity), row

    @staticmethod
    def _check_tag(request: Request, row: Row) -> None:
        """If-Match is optional; given, it must be the record's tag byte for byte."""
        given = request.headers.get("if-match")
        if given not in {None, "*", etag(row["ETag"])}:
            raise ODataError(412, "Precondition Failed: the record was changed in the meantime")

    @staticmethod
    def _body(request: Request) -> Mapping[str, Any]:
        if "json" not in request.headers.get("content-type", ""):
            raise ODataError(415, "Unsupported media type: send application/json")
        body = request.json()
        if not isinstance(body, dict):
            raise ODataError(400, "The body must be one JSON object")
        return body

    def _values(self, entity: EntityType, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """What is written. What SAP marks read-only is passed over without a word, as C4C does."""
        values: dict[str, Any] = {}
        for name, value in body.items():
            if name in entity.navigations or name == "__metadata":
                if not creating:
                    raise ODataError(400, f"Deep update is not supported: {name}")
                continue
            one = entity.properties.get(name)
            if one is None:
                raise ODataError(400, f"Property {name} not found in entity {entity.name}")
            read = read_json(one, value)
            if one.creatable if creating else one.updatable:
                self._check_code(entity, name, read)
                values[name] = read
        return values

    def _check_code(self, entity: EntityType, name: str, value: Any) -> None:
        known = self._store.codes.get((entity.name, name))
        if known and value is not None and value not in known:
            raise ODataError(400, f"Code {value} is not a valid value of {name}")

    @staticmethod
    def _check_mandatory(entity: EntityType, values: Mapping[str, Any]) -> None:
        for name, one in entity.properties.items():
            if not one.nullable and one.creatable and values.get(name) is None:
                raise ODataError(400, f"Property {name} of entity {entity.name} is mandatory")

    def _create(self, request: Request, parts: Sequence[str]) -> Reply:
        name, key = segment(parts[0])
        entity = self._store.schema.sets.get(name)
        if entity is None or len(parts) > 2 or (key is None) is not (len(parts) == 1):
            raise ODataError(404 if entity is None else 405, f"Nothing can be made at '{parts[-1]}'")
        body = self._body(request)
        if len(parts) == 2:
            parent, _ = self._target(parts[:1])
            target, many = parent.navigations.get(parts[1], ("", False))
            if not many:
                raise ODataError(404, f"Resource not found for the segment '{parts[1]}'")
            entity, body = self._store.schema.types[target], {**body, "ParentObjectID": key}
        if entity.name in _KEPT_BY_SAP:
            raise ODataError(405, f"Nothing can be made in {entity.set_name}")
        made = self._insert(self._emulator.view(entity), body)
        reply = self._emulator.reads.record(request, self._emulator.view(entity), made, status=201)
        reply.headers["location"] = f"{self._emulator.root}/{entity.set_name}('{made['ObjectID']}')"
        return reply

    def _insert(self, entity: EntityType, body: Mapping[str, Any]) -> Row:
        """Makes a record with the children that are sent along."""
        values = self._values(entity, body, creating=True)
        self._check_mandatory(entity, values)
        if entity.parent and not self._store.row(entity.parent, values.get("ParentObjectID") or ""):
            raise ODataError(400, f"ParentObjectID of entity {entity.name} names no {entity.parent}")
        children = [(name, body[name]) for name in entity.navigations if name in body]
        key = self._store.new_key()
        kept = {name: value for name, value in values.items() if value is not None}
        made = self._emulator.triggers.insert(self._store.schema.types[entity.name], kept, key)
        for name, rows in children:
            target, many = entity.navigations[name]
            if not many or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ODataError(400, f"Deep insert of {name} wants an array of objects")
            for row in rows:
                self._insert(self._store.schema.types[target], {**row, "ParentObjectID": key})
        return self._store.row(entity.name, key) or made
