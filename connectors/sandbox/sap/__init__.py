"""A SAP Cloud for Customer tenant on loopback: the OData version 2 service ``c4codataapi``, from public descriptions.

``SapEmulator(world)`` loads a world folder; without one the tenant is empty. User, password, client id, secret and bearer
token are all ``sandbox``. What each switch does: docs/reference/emulators.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

from connectors.sandbox.faults import CATALOGUE, Fault, FaultKind
from connectors.sandbox.routing import BAD_GATEWAY, BadJson, Reply, Request, Route
from connectors.sandbox.sap.activities import ActivityView
from connectors.sandbox.sap.auth import LOGON_PAGE, SignIn
from connectors.sandbox.sap.batch import Batch, Call
from connectors.sandbox.sap.errors import ODataError, refused
from connectors.sandbox.sap.fields import guided
from connectors.sandbox.sap.own import SERVICE, company_fields, company_objects
from connectors.sandbox.sap.reads import Reads
from connectors.sandbox.sap.schema import EntityType, Schema
from connectors.sandbox.sap.store import Store
from connectors.sandbox.sap.tenant import HTML, Tenant
from connectors.sandbox.sap.triggers import Triggers
from connectors.sandbox.sap.world import load
from connectors.sandbox.sap.world_edit import WorldEditor
from connectors.sandbox.sap.writes import Writes

BASE = "/sap/c4c/odata/v1/c4codataapi"
TOKEN = "/sap/bc/sec/oauth2/token"  # noqa: S105 - a path
_CATALOGUE = "/sap/c4c/odata/v1/odataservicecatalog/ODataServiceCollection"
_CHANGES = ("POST", "PATCH", "MERGE", "PUT", "DELETE")


class SapEmulator(Tenant):
    """One tenant."""

    kind = "sap"
    company_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "opportunity": {"external_id": "ZExternalID_KUT", "product": "ZProduct_KUT", "next_step": "ZNextStep_KUT"},
        **company_fields(),
    }
    company_objects: ClassVar[Mapping[str, str]] = company_objects()
    store: Store
    content_type = "application/json;charset=utf-8"
    open_routes = frozenset({f"POST {TOKEN}"})
    fault_kinds: ClassVar[Mapping[str, FaultKind]] = {
        **CATALOGUE,
        "unavailable": FaultKind("The tenant is being maintained: 503 in HTML, Retry-After 1 second."),
        "html_page": FaultKind("The log-on page answers in HTML with status 200."),
        "stale_csrf": FaultKind("Every session and its CSRF token is forgotten before the next change."),
        "moved_row": FaultKind("The first record of a page is changed as soon as the page is answered."),
        "failing_filter": FaultKind(
            "A call with $filter answers 500, as some properties do that are said to be filterable."
        ),
        "silent_write": FaultKind("The next change is answered as done and is not done.", times=1),
    }

    def __init__(
        self,
        world: Path | None = None,
        *,
        latency_ms: int = 0,
        rate: float | None = None,
        faults: Sequence[str] = (),
        seed: int = 1,
        page_cap: int | None = None,
        token_ttl: int | None = None,
        fields: Sequence[Mapping[str, Any]] | None = None,
        csrf: bool = True,
        history: bool = True,
        order_by_stamp: bool = True,
        relative_next: bool = False,
        batch_parts: int | None = None,
        batch_status: int = 202,
        date_offset: bool = False,
        service: str = "v1/c4codataapi",
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(world, latency_ms=latency_ms, rate=rate, faults=faults, seed=seed, page_cap=page_cap)
        self.clock = clock or self.clock
        self._standard = f"/sap/c4c/odata/{service}"
        self.order_by_stamp, self.relative_next, self.date_offset = order_by_stamp, relative_next, date_offset
        self.batch_parts, self.batch_status = batch_parts, batch_status
        self.gone: set[tuple[str, str]] = set()
        self.bent: set[tuple[str, str]] = set()
        self.signing = SignIn(lambda: self.url, token_ttl=token_ttl, csrf=csrf)
        self.store = Store(Schema(history=history), self.now)
        self.ids, phases = load(self.store, world, self.clock())
        for order in guided("Opportunity", "Employee", "_KUT") if fields is None else fields:
            self.store.schema.add_field(dict(order))
        self.triggers = Triggers(self.store)
        self.reads = Reads(self)
        self.writes = Writes(self)
        self.batch = Batch(self)
        self._activities = ActivityView(self.store)
        self._editor = WorldEditor(self.store, self.triggers, phases, self.ids)

    @property
    def base(self) -> str:
        """The path of the service that is being asked: the standard one, or the company's own."""
        return self.store.schema.service or self._standard

    @property
    def root(self) -> str:
        """Its address."""
        return f"{self.url}{self.base}"

    def routes(self) -> Sequence[Route]:
        """Every endpoint. Sets have routes of their own, so that the counts of calls tell them apart."""
        return [
            ("POST", TOKEN, self.signing.token),
            ("GET", _CATALOGUE, self._guarded(self.reads.catalogue)),
            *self._service_routes(self._standard, ""),
            *self._service_routes(SERVICE, SERVICE),
        ]

    def _service_routes(self, at: str, service: str) -> Sequence[Route]:
        sets = self.store.schema.services.get(service, {})
        paths = [f"{at}/{name}{end}" for name in sets for end in ("", "/$count")]
        paths += [f"{at}/{{resource}}", f"{at}/{{resource}}/{{child}}", f"{at}/{{resource}}/{{child}}/$count"]
        return [
            ("GET", at, self._guarded(self.reads.service)),
            ("HEAD", at, self._guarded(self.reads.service)),  # SAP's own client libraries fetch tokens so
            ("GET", f"{at}/$metadata", self._guarded(self.reads.metadata)),
            ("POST", f"{at}/$batch", self._guarded(self._batch)),
            *(("GET", path, self._guarded(self._read)) for path in paths),
            *(
                (method, path, self._guarded(self._change))
                for path in paths
                if "$count" not in path
                for method in _CHANGES
            ),
        ]

    def _guarded(self, handler: Callable[[Request], Reply]) -> Callable[..., Reply]:
        def answer(request: Request, **_: str) -> Reply:
            self.store.schema.service = SERVICE if f"{request.path}/".startswith(f"{SERVICE}/") else ""
            try:
                return handler(request)
            except ODataError as error:
                return refused(error, request)

        return answer

    def _read(self, request: Request) -> Reply:
        if "$filter" in request.query and self.strike("failing_filter", request):
            raise ODataError(500, "An internal error occurred")
        self._activities.refresh()
        return self.reads.get(request, self._segments(request))

    def _change(self, request: Request) -> Reply:
        if refusal := self._checked(request):
            return refusal
        call = Call(request, self._segments(request))
        trouble = self.row_trouble(request, [call])
        if trouble:
            raise trouble[0]
        if self.strike("silent_write", request):
            return Reply(204)
        return self.saving(lambda: self.writes.write(request, call.parts))

    def _batch(self, request: Request) -> Reply:
        self._activities.refresh()
        return self._checked(request) or self.batch.answer(request)

    def _checked(self, request: Request) -> Reply | None:
        if self.strike("stale_csrf", request):
            self.signing.sessions.clear()
        return self.signing.guarded(request)

    def _segments(self, request: Request) -> list[str]:
        return [unquote(one) for one in request.path[len(self.base) :].strip("/").split("/")]

    # What the parts ask of the whole.

    def view(self, entity: EntityType) -> EntityType:
        """The entity type as this call sees it: without the properties that a fault made vanish."""
        lost = {name for where, name in self.gone if where in {"", entity.name, entity.set_name}}
        if not lost & entity.properties.keys():
            return entity
        return replace(entity, properties={name: one for name, one in entity.properties.items() if name not in lost})

    def bent_in(self, entity: EntityType) -> frozenset[str]:
        """Properties whose values come in another type."""
        return frozenset(name for where, name in self.bent if where in {"", entity.name, entity.set_name})

    def row_trouble(self, request: Request, calls: Sequence[Call]) -> dict[int, ODataError]:
        """The changes of a batch that armed faults refuse, by position."""
        trouble: dict[int, ODataError] = {}
        if not calls:
            return trouble
        for name, error in (
            ("refused_row", ODataError(400, "The object cannot be changed in its current status", "AP_ESI_COMMON/103")),
            ("locked_row", ODataError(500, "The object is locked by another user", "AP_ESI_COMMON/101")),
        ):
            if fault := self.strike(name, request):
                trouble[int(fault.extra.get("row", 0)) % len(calls)] = error
        if self.strike("half_batch", request):
            error = ODataError(400, "The object cannot be changed in its current status", "AP_ESI_COMMON/103")
            trouble.update(dict.fromkeys(range(1, len(calls), 2), error))
        if fault := self.strike("deleted_meanwhile", request):
            target = self.writes.target_key(calls[int(fault.extra.get("row", 0)) % len(calls)].parts)
            if target and self.store.row(*target):
                self.store.delete(self.store.schema.types[target[0]], target[1])
        return trouble

    # The vendor's words and order of checks.

    def sign_in(self, request: Request) -> Reply | None:
        """401 without a valid sign-in; then the faults that look like the vendor's own trouble."""
        if not self.signing.accepts(request):
            return _logon()
        if self.strike("unavailable", request):
            return Reply(503, "<html><body>Service unavailable</body></html>", {"Retry-After": "1", **HTML})
        if self.strike("html_page", request):
            return Reply(200, LOGON_PAGE, dict(HTML))
        self.bend(request)
        return None

    def refusal(self, fault: Fault, request: Request) -> Reply:
        """The vendor's answer to a call refused as a whole."""
        if fault.name in {"expired_token", "revoked"}:
            if request.path.rstrip("/") == TOKEN:
                return Reply(400, {"error": "invalid_grant", "error_description": "The user is locked"})
            self.signing.expire(request)
            return _logon()
        if fault.name == "bad_gateway":
            return Reply(502, BAD_GATEWAY, dict(HTML))
        status, text = {
            "server_error": (500, "An internal error occurred"),
            "no_permission": (403, "You are not authorized to access this object"),
            "day_limit": (429, "The quota of this tenant is used up"),
        }.get(fault.name, (429, "Too many requests"))
        reply = refused(ODataError(status, text), request)
        if fault.name == "too_many_retry_after" or (fault.name == "too_many" and self.rate is not None):
            reply.headers["Retry-After"] = "1"
        return reply

    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """404 or 405 inside the service; the log-on page anywhere else."""
        if not request.path.startswith("/sap/"):
            return Reply(200, LOGON_PAGE, dict(HTML))
        if allowed:
            reply = refused(ODataError(405, f"Method {request.method} is not allowed"), request)
            reply.headers["Allow"] = ",".join(allowed)
            return reply
        return refused(ODataError(404, "Resource not found for the segment"), request)

    def bad_json(self, request: Request, error: BadJson) -> Reply:
        """400."""
        return refused(ODataError(400, f"Malformed JSON: {error}"), request)

    def finish(self, request: Request, reply: Reply) -> None:
        """The headers of every answer of the service."""
        if request.path.startswith("/sap/c4c/odata/"):
            reply.headers.setdefault("DataServiceVersion", "2.0")
            reply.headers.setdefault("c4c-odata-response-time", f"{self.latency_ms + 1} ms")

    # The administrator's and the simulated user's way.

    def fields(self, request: Request) -> Reply:
        """``POST /__fields`` adds an extension field, ``DELETE`` takes one away, ``GET`` lists them."""
        schema = self.store.schema
        if request.method == "POST":
            return Reply(201, {"name": schema.add_field(request.json())})
        if request.method == "DELETE":
            schema.drop_field(request.json()["entity"], request.json()["name"])
            return Reply(204)
        made = [
            {"entity": one.name, "name": name, "type": known.kind, "in_service": True}
            for one in schema.types.values() for name, known in one.properties.items() if known.extension
        ]  # fmt: skip
        hidden = [
            {"entity": at, "name": name, "type": one.kind, "in_service": False}
            for (at, name), one in schema.hidden.items()
        ]
        return Reply(200, [*made, *hidden])

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The record with every value that is not initial; dates in ISO."""
        return self._editor.show(record, record_id)

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes a record, or makes one."""
        return self.saving(lambda: self._editor.edit(record, record_id, fields))

    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record without a trace."""
        self._editor.remove(record, record_id)


def _logon() -> Reply:
    return Reply(401, LOGON_PAGE, {"WWW-Authenticate": 'Basic realm="SAP NetWeaver Application Server"', **HTML})
