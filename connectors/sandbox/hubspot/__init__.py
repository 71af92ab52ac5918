"""A HubSpot portal on loopback, written from HubSpot's documentation: numbered and dated paths, state, strictness.

What it answers and how strictly is described in docs/reference/emulators.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Literal

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import Fault
from connectors.sandbox.folder import Tables
from connectors.sandbox.hubspot.account import Account, People, Splits
from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.batch import Batches
from connectors.sandbox.hubspot.defaults import add_admin, fill_defaults
from connectors.sandbox.hubspot.desk import Admin
from connectors.sandbox.hubspot.errors import Refusal, correlation_id, missing_scopes, unreadable
from connectors.sandbox.hubspot.groups import Groups, Schemas
from connectors.sandbox.hubspot.ids import Ids
from connectors.sandbox.hubspot.limits import Limits
from connectors.sandbox.hubspot.mapping import Mapper, add_custom_properties
from connectors.sandbox.hubspot.oauth import Tokens, bad_refresh_token, expired, no_credentials
from connectors.sandbox.hubspot.objects import Objects
from connectors.sandbox.hubspot.pipelines import Pipelines
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.properties import Properties
from connectors.sandbox.hubspot.routes import Desk, Way, ways
from connectors.sandbox.hubspot.scopes import needed, off
from connectors.sandbox.hubspot.world import Loader, home_currency, read_own
from connectors.sandbox.hubspot.writes import Writer
from connectors.sandbox.routing import BAD_GATEWAY, BadJson, Reply, Request, Route

_ARGUMENTS = {"type": "kind", "id": "row_id", "from": "origin", "to": "target", "to_id": "target_id"}
"""Placeholders of the paths that no Python argument should be named after."""


class HubSpotEmulator(Emulator):
    """One portal. ``scopes`` None grants everything; ``off`` names features that the portal does not have.

    ``limits="vendor"`` is Professional's 190 calls per 10 s, 5 searches per second and 625,000 calls a day; ``rate``
    (calls per second) takes the place of the first. ``index_lag_seconds``: how late search sees a write.
    """

    kind = "hubspot"
    company_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "opportunity": {"external_id": "external_id", "product": "product"},
        "account": {"region": "region"},
        "person": {"region": "region", "role": "role", "territory": "territory", "manager_id": "manager_id"},
        "absence": {name: name for name in ("person_id", "start_on", "end_on", "paid")},
        "rating": {name: name for name in ("subject_id", "rater_id", "item", "rating", "note", "rated_at")},
    }
    company_objects: ClassVar[Mapping[str, str]] = {"absence": "p_absences", "rating": "p_ratings"}
    open_routes: ClassVar[frozenset[str]] = frozenset(
        [f"POST /oauth/{version}/token" for version in ("v1", "v3", "2025-09", "2026-03", "2026-09")]
        + [
            f"POST /oauth/{version}/token/{what}"
            for version in ("v3", "2025-09", "2026-03", "2026-09")
            for what in ("introspect", "revoke")
        ]
        + [
            "GET /oauth/v1/access-tokens/{token}",
            "GET /oauth/v1/refresh-tokens/{token}",
            "DELETE /oauth/v1/refresh-tokens/{token}",
        ]
    )

    def __init__(
        self,
        world: Path | None = None,
        *,
        latency_ms: int = 0,
        rate: float | None = None,
        faults: Sequence[str] = (),
        seed: int = 1,
        page_cap: int | None = None,
        limits: Literal["vendor", "off"] = "off",
        time_zone: str = "Europe/Berlin",
        currency: str | None = None,
        scopes: Iterable[str] | None = None,
        switched_off: Iterable[str] = (),
        token_seconds: int = 1800,
        index_lag_seconds: float = 0.0,
    ) -> None:
        super().__init__(world, latency_ms=latency_ms, rate=rate, faults=faults, seed=seed, page_cap=page_cap)
        self.scopes = None if scopes is None else frozenset(scopes)
        self.switched_off = frozenset(switched_off)
        tables = read_own(world, self.kind)
        self.portal = Portal(
            self.now, time_zone=time_zone, currency=currency or (home_currency(tables) if tables else "EUR")
        )
        self.portal.index_lag_seconds = index_lag_seconds
        self.limits = Limits(strict=limits == "vendor", rate=rate, portal_id=self.portal.portal_id, today=self._today)
        self.tokens = Tokens(self.portal, lambda: self.scopes, token_seconds)
        self.admin = self._load(tables)
        self._desk = self._open_desk()

    def _load(self, tables: Tables | None) -> Admin:
        ids = Ids(self.ids)
        mapper = Mapper(self.portal, ids)
        loader = Loader(self.portal, mapper, ids)
        fill_defaults(self.portal)
        add_custom_properties(self.portal)
        if tables is None:
            add_admin(self.portal)
        else:
            loader.load(tables)
        return Admin(self.portal, loader, Writer(self.portal))

    def _open_desk(self) -> Desk:
        objects = Objects(self.portal, self.admin.writer, self)
        properties = Properties(self.portal, objects.rows)
        return Desk(
            objects,
            Batches(objects),
            Associations(self.portal),
            properties,
            Groups(self.portal),
            Schemas(self.portal, properties),
            Pipelines(self.portal),
            People(self.portal, self.page_cap),
            Account(self.portal, self.limits),
            Splits(self.portal),
            self.tokens,
        )

    def _today(self) -> date:
        return self.now().astimezone(self.portal.time_zone).date()

    def routes(self) -> Sequence[Route]:
        """Every endpoint in every version."""
        return [(way.method, way.path, self._guarded(way)) for way in ways(self._desk)]

    def _guarded(self, way: Way) -> Callable[..., Reply]:
        def answer(request: Request, **where: str) -> Reply:
            try:
                self._check_body(request)
                self._check_scopes(way, request, where)
                return way.answer(request, **{_ARGUMENTS.get(name, name): value for name, value in where.items()})
            except Refusal as refusal:
                return refusal.reply()

        return answer

    def _check_body(self, request: Request) -> None:
        sent = str(request.headers.get("content-type", "")).partition(";")[0]
        if request.body and sent != "application/json" and request.route not in self.open_routes:
            raise Refusal(415, "Unsupported Media Type", None)

    def _check_scopes(self, way: Way, request: Request, where: Mapping[str, str]) -> None:
        granted = self.tokens.granted(request)
        if granted is None and not self.switched_off:
            return
        groups = needed(self.portal, way.scope, where)
        if off(self.portal, self.switched_off, way.scope, where):
            raise missing_scopes([scope for group in groups for scope in group])
        for group in groups:
            if granted is not None and not granted & set(group):
                raise missing_scopes(group)

    def sign_in(self, request: Request) -> Reply | None:
        """401 without a valid token, 530 for one of a malformed shape."""
        return self.tokens.check(request)

    def throttle(self, request: Request) -> Reply | None:
        """429 for a call too many."""
        return self.limits.take(search=_is_search(request), oauth=self.tokens.is_oauth(request))

    def finish(self, request: Request, reply: Reply) -> None:
        """Correlation id always, the limits' headers on normal replies."""
        reply.headers.setdefault("X-HubSpot-Correlation-Id", correlation_id())
        if request.route and request.route not in self.open_routes and reply.status not in (401, 502, 530):
            found = self.limits.headers(search=_is_search(request), oauth=self.tokens.is_oauth(request))
            reply.headers.update(found)

    def refusal(self, fault: Fault, request: Request) -> Reply:
        """HubSpot's answer for an armed fault."""
        if fault.name == "revoked":
            return bad_refresh_token() if request.route in self.open_routes else no_credentials()
        if fault.name == "bad_gateway":
            return Reply(502, BAD_GATEWAY, {"Content-Type": "text/html; charset=UTF-8"})
        answers: dict[str, Callable[[], Reply]] = {
            "expired_token": expired,
            "too_many": lambda: self.limits.refuse("SECONDLY" if _is_search(request) else "TEN_SECONDLY_ROLLING"),
            "too_many_retry_after": lambda: self.limits.refuse("TEN_SECONDLY_ROLLING", 1),
            "day_limit": lambda: self.limits.refuse("DAILY"),
            "no_permission": lambda: missing_scopes(["crm.objects.contacts.read"]).reply(),
            "server_error": lambda: Refusal(500, "internal error", "INTERNAL_ERROR").reply(),
        }
        return answers[fault.name]()

    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """404 in HTML for no path, 405 for a method that a path does not have."""
        if allowed:
            return Reply(405, Refusal(405, "Method Not Allowed", None).body, {"Allow": ", ".join(allowed)})
        page = "<html><head><title>Error 404 Not Found</title></head><body><h2>HTTP ERROR 404</h2></body></html>"
        return Reply(404, page, {"Content-Type": "text/html;charset=utf-8"})

    def bad_json(self, request: Request, error: BadJson) -> Reply:
        """The generic 400."""
        return unreadable().reply()

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """A record as the portal holds it."""
        return self.admin.show(record, record_id)

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """What a user does in HubSpot's own pages: stamps move, versions are kept with source CRM_UI."""
        fault = self.faults.strike("late_commit", f"POST /__world/{record}")
        seconds = fault.seconds if fault else 0.0
        try:
            return self.admin.edit(record, record_id, fields, self.portal.now_ms() - int(seconds * 1000))
        except Refusal as refusal:
            raise ValueError(refusal.body["message"]) from refusal

    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record into the recycle bin; a person leaves."""
        self.admin.remove(record, record_id)

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of our user's sight; the list of archived records does not tell of it."""
        self.admin.hide(record, record_id)


def _is_search(request: Request) -> bool:
    return request.method == "POST" and request.path.rstrip("/").endswith("/search")
