"""A Zoho CRM org on loopback, written from Zoho's documentation: accounts server, REST API, COQL, Bulk API.

What it answers and how strictly is described in docs/reference/emulators.md.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import CATALOGUE, Fault, FaultKind
from connectors.sandbox.routing import BAD_GATEWAY, BadJson, Reply, Request, Route
from connectors.sandbox.zoho.catalog import standard_modules
from connectors.sandbox.zoho.changes import Changes
from connectors.sandbox.zoho.desk import Desk
from connectors.sandbox.zoho.errors import (
    Refusal,
    invalid,
    invalid_token,
    no_path,
    no_permission,
    scope_mismatch,
    too_many_requests,
    wrong_method,
)
from connectors.sandbox.zoho.ids import Ids
from connectors.sandbox.zoho.limits import EDITIONS, REMAINING, SUB_CONCURRENCY, Credits, cost, is_heavy
from connectors.sandbox.zoho.oauth import Tokens, too_many_tokens
from connectors.sandbox.zoho.routes import OPEN, VERSIONS, Way, open_office
from connectors.sandbox.zoho.rows import Rows
from connectors.sandbox.zoho.scopes import covers, needed
from connectors.sandbox.zoho.store import Org
from connectors.sandbox.zoho.world import Loader, currencies_of, read_own
from connectors.sandbox.zoho.world_own import OWN, RECORDS

_NO_LIMIT = 10**12


class ZohoEmulator(Emulator):
    """One org. ``scopes`` None grants everything; ``switched_off`` names modules that the org does not have.

    ``limits="vendor"`` enforces the edition's credits and calls at once; ``rate`` is calls per second and not Zoho's.
    """

    kind = "zoho"
    company_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "opportunity": {"external_id": "External_Id", "product": "Product", "forecast_category": "Forecast_Category"},
        "person": {"team": "Team", "region": "Region"},
        **{record: OWN[table].paths() for record, table in RECORDS.items()},
    }
    company_objects: ClassVar[Mapping[str, str]] = {record: OWN[table].name for record, table in RECORDS.items()}
    open_routes: ClassVar[frozenset[str]] = OPEN
    fault_kinds: ClassVar[Mapping[str, FaultKind]] = {
        **CATALOGUE,
        "token_limit": FaultKind("The accounts server refuses another token: too many in ten minutes.", times=None),
        "scope_mismatch": FaultKind("Calls that `match` are refused for want of a scope.", times=None),
        "duplicate_rows": FaultKind("A page behind the first begins with the last row of the page before."),
        "moved_row": FaultKind("A row of the asked page behind a page token is edited just before."),
        "expired_page_token": FaultKind("The next page token is answered as expired."),
        "failed_job": FaultKind("The next bulk job ends as a failure."),
        "one_refusal": FaultKind(
            "A batch of users with one that is refused is refused whole, and names that one only."
        ),
        "no_user_edits": FaultKind("Users must not be edited (an org under Zoho One).", times=None),
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
        limits: Literal["vendor", "off"] = "off",
        edition: Literal["free", "standard", "professional", "enterprise", "ultimate"] = "enterprise",
        budget: int | None = None,
        credits_used: int = 0,
        time_zone: str = "Europe/Berlin",
        scopes: Iterable[str] | None = None,
        switched_off: Iterable[str] = (),
        token_seconds: int = 3600,
        token_ttl: int | None = None,
        token_limit: bool = True,
        duration_column: str = "Stage_Duration_Calendar_Days",
        org_type: Literal["production", "sandbox", "developer"] = "production",
        bulk_polls: int = 1,
        coql_fields: int = 50,
        latest_first: bool = True,
    ) -> None:
        super().__init__(world, latency_ms=latency_ms, rate=rate, faults=faults, seed=seed, page_cap=page_cap)
        self.permitted = rate
        """Calls per second that are enforced; None: Zoho has no such limit, but credits and calls at once."""
        self.edition = edition
        self.org_type = org_type
        self.bulk_polls = bulk_polls
        self.coql_fields = coql_fields
        self.latest_first = latest_first
        self.scopes = None if scopes is None else frozenset(scopes)
        loader = self._loaded(duration_column, ZoneInfo(time_zone), switched_off)
        self.credits = Credits(self._budget(budget, limits), self.org.now, credits_used)
        self._at_once = EDITIONS[edition][3] if limits == "vendor" else _NO_LIMIT
        self._heavy_at_once = min(SUB_CONCURRENCY, self._at_once) if limits == "vendor" else _NO_LIMIT
        self._gate = threading.Lock()
        self._running = [0, 0]
        self.tokens = Tokens(self.org.now, self.scopes, token_seconds, token_ttl, limited=token_limit)
        self.rows = Rows(self.org)
        self.changes = Changes(self.org)
        self.office = open_office(self)
        self._desk = Desk(self.org, loader, self.rows, self.changes)

    def _loaded(self, duration_column: str, zone: ZoneInfo, switched_off: Iterable[str]) -> Loader:
        """Makes the org and fills it with the world."""
        tables, ids = read_own(self.world), Ids(self.ids)
        several = len(currencies_of(tables)[1]) > 1
        self.org = Org(standard_modules(duration_column, several), ids, self.now, zone)
        self.org.duration_column = duration_column
        self.org.off = {name.lower() for name in switched_off}
        loader = Loader(self.org, ids)
        loader.rates(tables)
        loader.load(tables)
        return loader

    def _budget(self, budget: int | None, limits: str) -> int:
        if budget is not None:
            return budget
        if limits == "off":
            return _NO_LIMIT
        base, each, most, _ = EDITIONS[self.edition]
        users = sum(1 for row in self.org.tables["Users"].rows.values() if row["status"] == "active")
        return min(base + each * users, most) if most is not None else base + each * users

    @property
    def running(self) -> int:
        """How many calls are being answered just now."""
        return self._running[0]

    @property
    def triggers(self) -> list[Any]:
        """The ``trigger`` of every write of records so far; None where it was left out."""
        return self.office.writes.triggers

    def routes(self) -> Sequence[Route]:
        """Every endpoint in every version that has it, and the accounts server's."""
        accounts: list[Route] = [
            ("POST", "/oauth/v2/token", self._token),
            ("POST", "/oauth/v2/token/revoke", self._revoke),
        ]
        return accounts + [
            (way.method, way.path.replace("{version}", version), self._guarded(way))
            for way in self.office.ways
            for version in VERSIONS
            if float(version[1:]) >= way.since
        ]

    def _token(self, request: Request) -> Reply:
        if self.strike("token_limit", request):
            return too_many_tokens()
        return self.tokens.token(request, self.url)

    def _revoke(self, request: Request) -> Reply:
        return self.tokens.revoke(request)

    def _guarded(self, way: Way) -> Callable[..., Reply]:
        def answer(request: Request, **where: str) -> Reply:
            try:
                self._check_scopes(request, way, where)
                return way.answer(request, **where)
            except Refusal as refusal:
                return refusal.reply()

        return answer

    def _check_scopes(self, request: Request, way: Way, where: Mapping[str, str]) -> None:
        granted = self.tokens.granted(request)
        if granted is not None and not covers(granted, needed(way.scope, where.get("module", ""))):
            raise scope_mismatch()
        if self.strike("scope_mismatch", request):
            raise scope_mismatch()
        if request.first("page_token") and self.strike("expired_page_token", request):
            raise Refusal(400, "EXPIRED_VALUE", "the page token has expired", {"param_name": "page_token"})

    def answer(self, request: Request) -> Reply:
        """The answer to one call; how many run at once is counted."""
        if request.path.startswith("/__"):
            return super().answer(request)
        heavy = self._heavy_at_once < _NO_LIMIT and is_heavy(request)
        with self._gate:
            self._running[0] += 1
            self._running[1] += heavy
        try:
            return super().answer(request)
        finally:
            with self._gate:
                self._running[0] -= 1
                self._running[1] -= heavy

    def sign_in(self, request: Request) -> Reply | None:
        """401 without a valid token; and what armed faults do to fields is brought up to date."""
        armed = [one for one in self.faults.armed if one.name in {"missing_field", "wrong_type"}]
        means = [
            (one.name, (str(one.extra.get("object", "")).lower(), str(one.extra["field"]).lower())) for one in armed
        ]
        self.org.gone_fields = {pair for name, pair in means if name == "missing_field"}
        self.org.mistyped = {pair for name, pair in means if name == "wrong_type"}
        refused = self.tokens.check(request)
        return None if refused is None else refused.reply()

    def throttle(self, request: Request) -> Reply | None:
        """429 for too many calls at once, too many a second, or a spent budget."""
        heavy = self._running[1] > self._heavy_at_once and is_heavy(request)
        if self._running[0] > self._at_once or heavy:
            return too_many_requests().reply()
        if refused := super().throttle(request):
            return refused
        return None if self.credits.take(cost(request)) else too_many_requests().reply()

    def finish(self, request: Request, reply: Reply) -> None:
        """The credits left, once half of them are used."""
        if request.route and request.route not in self.open_routes:
            reply.headers.update(self.credits.headers())

    def refusal(self, fault: Fault, request: Request) -> Reply:
        """Zoho's answer for an armed fault."""
        if fault.name == "revoked" and request.route in self.open_routes:
            return Reply(200, {"error": "invalid_code"})
        if fault.name == "bad_gateway":
            return Reply(502, BAD_GATEWAY, {"Content-Type": "text/html; charset=UTF-8"})
        if fault.name == "server_error":
            return Refusal(500, "INTERNAL_ERROR", "Internal Server Error").reply()
        if fault.name in {"revoked", "expired_token"}:
            return invalid_token().reply()
        if fault.name == "no_permission":
            return no_permission("Crm_Implied_View_Deals").reply()
        reply = too_many_requests().reply()
        if fault.name == "day_limit":
            reply.headers[REMAINING] = "0"
        if fault.name == "too_many_retry_after":
            reply.headers["Retry-After"] = "1"
        return reply

    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """404 for no path, 400 for a method that a path does not have."""
        return (wrong_method() if allowed else no_path()).reply()

    def bad_json(self, request: Request, error: BadJson) -> Reply:
        """400 for a body that is no JSON."""
        return invalid("body", expected_data_type="jsonobject").reply()

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """A record as the org holds it."""
        return self._desk.show(record, record_id)

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """What a user does in Zoho's own pages: stamps move, history is kept, and the user is not the one we run as."""
        fault = self.faults.strike("late_commit", f"POST /__world/{record}")
        at = self.org.now() - int(fault.seconds if fault else 0)
        try:
            return self._desk.edit(record, record_id, fields, at)
        except Refusal as refusal:
            raise ValueError(f"{refusal.message}: {refusal.details}") from refusal

    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record into the recycle bin."""
        self._desk.remove(record, record_id, self.org.now())

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of our user's sight; the recycle bin does not tell of it."""
        self._desk.hide(record, record_id)
