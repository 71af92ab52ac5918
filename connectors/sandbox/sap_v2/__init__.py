"""A SAP Sales Cloud Version 2 tenant on loopback: its REST services, from public descriptions.

``SapV2Emulator(world)`` loads a world folder; without one the tenant is empty. User, password and token are all ``sandbox``.
What each switch does: docs/reference/emulators.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from connectors.sandbox.faults import CATALOGUE, Fault, FaultKind
from connectors.sandbox.routing import BAD_GATEWAY, BadJson, Reply, Request, Route
from connectors.sandbox.sap.auth import LOGON_PAGE
from connectors.sandbox.sap.fields import guided
from connectors.sandbox.sap.tenant import HTML, Tenant
from connectors.sandbox.sap_v2.auth import SignIn
from connectors.sandbox.sap_v2.errors import RestError
from connectors.sandbox.sap_v2.fields import EXTENSION_TYPES
from connectors.sandbox.sap_v2.own import company_fields, company_objects
from connectors.sandbox.sap_v2.query import Manners
from connectors.sandbox.sap_v2.rest import Rest
from connectors.sandbox.sap_v2.services import Service
from connectors.sandbox.sap_v2.store import Doc, Store, wire
from connectors.sandbox.sap_v2.world import DEALS, SNAPSHOT, load
from connectors.sandbox.sap_v2.world_edit import WorldEditor

BASE = "/sap/c4c/api/v1"
_TOKEN = f"{BASE}/iam-service/token"
_PARTIES = {"account": "account-service/accounts", "owner": "employee-service/employees"}


class SapV2Emulator(Tenant):
    """One tenant."""

    kind = "sap_v2"
    company_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "opportunity": {
            "external_id": "extensions.ZExternalID", "product": "extensions.ZProduct",
            "next_step": "extensions.ZNextStep",
        },
        **company_fields(),
    }  # fmt: skip
    company_objects: ClassVar[Mapping[str, str]] = company_objects()
    store: Store
    content_type = "application/json"
    open_routes = frozenset({f"GET {_TOKEN}"})
    fault_kinds: ClassVar[Mapping[str, FaultKind]] = {
        **CATALOGUE,
        "unavailable": FaultKind("The tenant is being maintained: 503, Retry-After 1 second."),
        "html_page": FaultKind("The log-on page answers in HTML with status 200."),
        "moved_row": FaultKind("The first record of a page is changed as soon as the page is answered."),
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
        manners: Manners | None = None,
        if_match: bool = True,
        ignore_unknown: bool = False,
        silent: Sequence[str] = (),
        history: bool = True,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(world, latency_ms=latency_ms, rate=rate, faults=faults, seed=seed, page_cap=page_cap)
        self.clock = clock or self.clock
        self.manners = manners or Manners()
        self.if_match, self.ignore_unknown, self.silent, self.history = (
            if_match,
            ignore_unknown,
            frozenset(silent),
            history,
        )
        self.gone: set[tuple[str, str]] = set()
        self.bent: set[tuple[str, str]] = set()
        self.signing = SignIn(token_ttl)
        self.store = Store(self.now)
        self.ids, self.phases = load(self.store, world, self.clock(), history=history)
        for order in guided("opportunities", "employees") if fields is None else fields:
            self.add_field(order)
        self.rest = Rest(self)
        self._editor = WorldEditor(self.store, self.phases, self.ids, self.rest.apply)

    def routes(self) -> Sequence[Route]:
        """Every endpoint."""
        found: list[Route] = [("GET", _TOKEN, self._token)]
        for path, service in self.store.services.items():
            at, one = f"{BASE}/{path}", f"{BASE}/{path}/{{key}}"
            found += [
                ("GET", at, self._guarded(partial(self.rest.listing, service=service))),
                ("GET", one, self._guarded(partial(self.rest.read, service=service))),
                ("GET", f"{one}/{{name}}", self._guarded(partial(self.rest.below, service=service))),
                ("POST", at, self._guarded(self._saving(self.rest.create, service))),
                ("PATCH", one, self._guarded(self._saving(self.rest.change, service))),
                ("DELETE", one, self._guarded(self._saving(self.rest.delete, service))),
            ]
        return found

    @staticmethod
    def _guarded(handler: Callable[..., Reply]) -> Callable[..., Reply]:
        def answer(request: Request, **path: str) -> Reply:
            try:
                return handler(request, **path)
            except RestError as error:
                return error.reply()

        return answer

    def _saving(self, handler: Callable[..., Reply], service: Service) -> Callable[..., Reply]:
        def answer(request: Request, **path: str) -> Reply:
            self._trouble(request, service, path.get("key", ""))
            return self.saving(lambda: handler(request, service=service, **path))

        return answer

    def _trouble(self, request: Request, service: Service, key: str) -> None:
        """What armed faults do to this one change: version 2 has no batches, so each is a batch of one."""
        if self.strike("refused_row", request) or self.strike("half_batch", request):
            raise RestError(400, f"{service.code}.1030", "The record cannot be changed in its current status")
        if self.strike("locked_row", request):
            raise RestError(500, f"{service.code}.1031", "The record is locked by another user")
        if key in self.store.tables[service.path].docs and self.strike("deleted_meanwhile", request):
            self.store.tables[service.path].delete(key)

    # What the parts ask of the whole.

    def add_field(self, order: Mapping[str, Any]) -> str:
        """Adds an extension field as an administrator would; its name.

        ``entity`` (opportunities), ``name``, ``type`` (one of ``EXTENSION_TYPES``). KeyError or ValueError if it cannot be.
        """
        service = next((one for one in self.store.services.values() if order["entity"] in {one.entity, one.path}), None)
        name, kind = str(order["name"]), str(order.get("type", "text"))
        if service is None or kind not in EXTENSION_TYPES or not name.isidentifier():
            message = f"no extension field {name!r} of type {kind!r} on {order['entity']!r}"
            raise ValueError(message)
        service.extensions[name] = kind
        return name

    def view(self, service: Service) -> Service:
        """The service as this call sees it: without the fields that a fault made vanish."""
        lost = self.lost_in(service)
        if not lost:
            return service
        fields = {path: kind for path, kind in service.fields.items() if path.partition(".")[0] not in lost}
        return replace(
            service,
            fields=fields,
            extensions={name: kind for name, kind in service.extensions.items() if name not in lost},
        )

    def lost_in(self, service: Service) -> frozenset[str]:
        """Fields and extensions that vanished."""
        return frozenset(_head(name) for where, name in self.gone if where in {"", service.entity})

    def bent_in(self, service: Service) -> frozenset[str]:
        """Fields and extensions whose values come in another type."""
        return frozenset(_head(name) for where, name in self.bent if where in {"", service.entity})

    def complete(self, service: Service, doc: Doc, old: Mapping[str, Any]) -> None:
        """Fills in what nobody sends, and keeps a snapshot of every change of an opportunity."""
        if service.path != DEALS:
            return
        today = f"{self.now():%Y-%m-%d}"
        doc.setdefault("status", "OPEN")
        doc.setdefault("salesPhase", next(iter(self.phases.text)))
        if doc["salesPhase"] not in self.phases.text:
            raise RestError(400, "opportunity.1015", f"Invalid sales phase {doc['salesPhase']}", "salesPhase")
        if doc["status"] != old.get("status"):
            doc["statusDescription"], doc["statusDate"] = doc["status"].capitalize(), today
        if doc["salesPhase"] != old.get("salesPhase"):
            doc["salesPhaseDescription"], doc["salesPhaseStartDate"] = self.phases.text[doc["salesPhase"]], today
        for name, path in _PARTIES.items():
            if doc.get(name) and doc[name] != old.get(name):
                party = self.store.tables[path].docs.get(doc[name].get("id", ""), {})
                known = {"displayId": party.get("displayId"), "description": party.get("formattedName")}
                doc[name] = {**doc[name], **known}
        if self.history and any(doc.get(name) != old.get(name) for name in SNAPSHOT):
            shot = {name: doc[name] for name in SNAPSHOT if name in doc}
            doc["snapshots"] = [*doc.get("snapshots", []), {**shot, "updatedOn": wire(self.now() - self.store.late_by)}]

    # The vendor's words and order of checks.

    def _token(self, request: Request) -> Reply:
        return self.signing.token(request, self.now().timestamp()) or _unauthorized()

    def sign_in(self, request: Request) -> Reply | None:
        """401 without a valid sign-in; then the faults that look like the vendor's own trouble."""
        if not self.signing.accepts(request):
            return _unauthorized()
        if self.strike("unavailable", request):
            return Reply(503, {"error": {"code": "503", "message": "Service Unavailable"}}, {"Retry-After": "1"})
        if self.strike("html_page", request):
            return Reply(200, LOGON_PAGE, dict(HTML))
        self.bend(request)
        return None

    def refusal(self, fault: Fault, request: Request) -> Reply:
        """The vendor's answer to a call refused as a whole."""
        if fault.name in {"expired_token", "revoked"}:
            self.signing.expire(request)
            return _unauthorized()
        if fault.name == "bad_gateway":
            return Reply(502, BAD_GATEWAY, dict(HTML))
        status, text = {
            "server_error": (500, "Internal Server Error"),
            "no_permission": (403, "Forbidden"),
            "day_limit": (429, "The quota of this tenant is used up"),
        }.get(fault.name, (429, "Too Many Requests"))
        reply = RestError(status, str(status), text).reply()
        if fault.name == "too_many_retry_after" or (fault.name == "too_many" and self.rate is not None):
            reply.headers["Retry-After"] = "1"
        return reply

    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """404 for no such path, ``$batch`` among them; 405 for another method; the log-on page outside the services."""
        if not request.path.startswith(BASE):
            return Reply(200, LOGON_PAGE, dict(HTML))
        if allowed:
            reply = RestError(405, "405", f"Method {request.method} is not allowed").reply()
            reply.headers["Allow"] = ",".join(allowed)
            return reply
        return RestError(404, "404", "Not Found").reply()

    def bad_json(self, _request: Request, error: BadJson) -> Reply:
        """400."""
        return RestError(400, "400", f"Malformed JSON: {error}").reply()

    # The administrator's and the simulated user's way.

    def fields(self, request: Request) -> Reply:
        """``POST /__fields`` adds an extension field, ``DELETE`` takes one away, ``GET`` lists them."""
        if request.method == "POST":
            return Reply(201, {"name": self.add_field(request.json())})
        if request.method == "DELETE":
            order = request.json()
            for service in self.store.services.values():
                if order["entity"] in {service.entity, service.path}:
                    del service.extensions[order["name"]]
            return Reply(204)
        made = [
            {"entity": one.entity, "name": name, "type": kind}
            for one in self.store.services.values()
            for name, kind in one.extensions.items()
        ]
        return Reply(200, made)

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The record as the service holds it."""
        return self._editor.show(record, record_id)

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes a record, or makes one."""
        return self.saving(lambda: self._editor.edit(record, record_id, fields))

    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record without a trace."""
        self._editor.remove(record, record_id)


def _head(name: str) -> str:
    """What of a record vanishes or is bent where a dotted path is named: an extension, else the whole first step."""
    return name.removeprefix("extensions.") if name.startswith("extensions.") else name.partition(".")[0]


def _unauthorized() -> Reply:
    return Reply(
        401,
        {"error": {"code": "401", "message": "Unauthorized"}},
        {"WWW-Authenticate": 'Basic realm="SAP Sales Cloud"'},
    )
