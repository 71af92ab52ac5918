"""A Dynamics 365 Sales environment on loopback: Entra ID and the Dataverse Web API under one URL.

What it answers and how strictly is described in docs/reference/emulators.md.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from connectors.sandbox.dynamics.api import Api
from connectors.sandbox.dynamics.defaults import fill_defaults
from connectors.sandbox.dynamics.entra import TOKEN_PATH, Entra
from connectors.sandbox.dynamics.errors import Refusal, bad_query, denied, no_segment
from connectors.sandbox.dynamics.faults import FAULTS, RowFaults, simple_refusal
from connectors.sandbox.dynamics.ids import Ids
from connectors.sandbox.dynamics.limits import CONCURRENT, Limits, too_many
from connectors.sandbox.dynamics.query import Queries
from connectors.sandbox.dynamics.reads import Reads
from connectors.sandbox.dynamics.render import read_preferences
from connectors.sandbox.dynamics.store import Org
from connectors.sandbox.dynamics.world import Loader, home_currency, read_own
from connectors.sandbox.dynamics.world_edit import Editor
from connectors.sandbox.dynamics.world_own import COMPANY_FIELDS, COMPANY_OBJECTS
from connectors.sandbox.dynamics.writes import Writer
from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import Fault, FaultKind
from connectors.sandbox.routing import BAD_GATEWAY, BadJson, Reply, Request, Route

_BASE = "/api/data/{version}"
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
_DEEP = tuple("/".join(f"{{part{place}}}" for place in range(depth)) for depth in range(1, 6))


class DynamicsEmulator(Emulator):
    """One environment. ``off`` names tables that are not installed, ``lacking`` privileges that our user does not have.

    ``limits="vendor"`` refuses beyond 6,000 calls or 1,200 s of execution in 300 s and beyond 52 calls at once;
    ``rate`` (calls per second) is an additional limit. ``untracked`` names tables without change tracking, ``slow``
    tables without bulk messages. ``auditing`` off: nobody switched auditing on.
    """

    kind = "dynamics"
    company_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "opportunity": {
            "external_id": "new_externalid", "product": "new_product", "source": "new_source", "type": "new_type",
            "next_step": "new_nextstep",
        },
        "person": {"region": "new_region"}, "split": {"percentage": "new_percentage", "kind": "description"}, **COMPANY_FIELDS,
    }  # fmt: skip
    company_objects: ClassVar[Mapping[str, str]] = COMPANY_OBJECTS
    content_type: ClassVar[str] = "application/json; odata.metadata=minimal"
    max_target: ClassVar[int] = 32_768
    fault_kinds: ClassVar[Mapping[str, FaultKind]] = FAULTS
    open_routes: ClassVar[frozenset[str]] = frozenset(
        {
            f"POST {TOKEN_PATH}",
            "GET /{tenant}/v2.0/.well-known/openid-configuration",
            "GET /{tenant}/.well-known/openid-configuration",
            "GET /common/discovery/instance",
        }
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
        currency: str | None = None,
        tenant: str = "sandbox",
        public_key: str | None = None,
        token_ttl: int = 3599,
        off: Iterable[str] = (),
        untracked: Iterable[str] = (),
        slow: Iterable[str] = (),
        lacking: Iterable[str] = (),
        auditing: bool = True,
        expire_days: int = 7,
    ) -> None:
        super().__init__(world, latency_ms=latency_ms, rate=rate, faults=faults, seed=seed, page_cap=page_cap)
        self.org = Org(self.now)
        self.org.auditing = auditing
        self.org.page_cap = min(page_cap or 5000, 5000)
        self.org.spoilt = self._spoilt
        self._shape(untracked, slow)
        self.entra = Entra(self.now, tenant=tenant, public_key=public_key, ttl=token_ttl, revoked=self._is_revoked)
        self.limits = Limits(limits == "vendor", rate, lambda: self.now().timestamp())
        loader = self._furnished(world, currency, expire_days)
        for name in off:
            self.org.sets.pop(self.org.tables[name].set_name, None)
        self.row_faults = RowFaults(self.org, self.faults)
        writer = Writer(self.org, self.row_faults.strike)
        reads = Reads(self.org, Queries(self.org, self._repeats), frozenset(lacking))
        self.api = Api(reads, writer, self.row_faults, self.faults)
        self.editor = Editor(self.org, loader, writer)
        self._busy = 0
        self._counting = threading.Lock()

    @property
    def permitted(self) -> float | None:
        """Calls per second that the limits let through for long; None: all."""
        return self.limits.permitted

    def _shape(self, untracked: Iterable[str], slow: Iterable[str]) -> None:
        for name in untracked:
            self.org.tables[name].tracked = False
        for name in slow:
            self.org.tables[name].bulk = frozenset()

    def _furnished(self, world: Path | None, currency: str | None, expire_days: int) -> Loader:
        tables = read_own(world, self.kind)
        home = currency or home_currency(tables)
        fill_defaults(self.org, home, expire_days)
        loader = Loader(self.org, Ids(self.ids), home)
        if tables is not None:
            loader.load(tables)
        return loader

    def _is_revoked(self) -> bool:
        return self.faults.find("revoked") is not None

    def _repeats(self) -> bool:
        return self.faults.strike("repeated_row") is not None

    def _spoilt(self, name: str, table: str, key: str) -> bool:
        if not self.faults.armed:
            return False
        for fault in self.faults.armed:
            if fault.name == name and fault.extra.get("field") == key and fault.extra.get("object", table) == table:
                return True
        return False

    def routes(self) -> Sequence[Route]:
        """Sign-in, and every path below the service: sets by name, so that calls are counted by set."""
        found = self.entra.routes()
        names = ["$batch", "$metadata", "WhoAmI", "EntityDefinitions", *self.org.sets]
        for method in _METHODS:
            found.append((method, _BASE, self._handle))
            found += [(method, f"{_BASE}/{name}", self._literal(name)) for name in names]
            found += [(method, f"{_BASE}/{deep}", self._handle) for deep in _DEEP]
            found += [(method, f"{_BASE}/{name}/{{part1}}", self._literal(name)) for name in self.org.sets]
        return found

    def _literal(self, name: str) -> Any:
        def answer(request: Request, **parts: str) -> Reply:
            return self._handle(request, part0=name, **parts)

        return answer

    def _handle(self, request: Request, version: str, **parts: str) -> Reply:
        prefer = read_preferences(request.headers.get("prefer", ""))
        began = time.monotonic()
        try:
            if version not in {"v9.0", "v9.1", "v9.2"}:
                raise no_segment(version)
            root = f"http://{request.headers.get('host') or '127.0.0.1'}/api/data/{version}"
            self._vendor_faults(request)
            self.api.reads.empty = request.method == "GET" and self.strike("empty", request) is not None
            return self.api.answer(request, root, [parts[name] for name in sorted(parts)], prefer)
        except Refusal as refusal:
            return refusal.reply(verbose="*" in prefer.annotations)
        finally:
            self.limits.charge(time.monotonic() - began + self.latency_ms / 1000)

    def _vendor_faults(self, request: Request) -> None:
        for name in ("unavailable", "gateway_timeout", "deadlock", "sql_timeout", "not_member", "no_roles"):
            found = simple_refusal(name)
            if found is not None and self.strike(name, request):
                raise found
        for name, code in (("concurrency_limit", "0x80072326"), ("execution_limit", "0x80072321")):
            if fault := self.strike(name, request):
                raise too_many(code, int(fault.extra.get("seconds", 1)))
        if "deltatoken" in str(request.query) and self.strike("expired_delta", request):
            text = "Version stamp associated with the client has expired. Please perform a full sync."
            raise Refusal(400, "0x80044352", text)

    def answer(self, request: Request) -> Reply:
        """The answer to one call; beyond 52 at once it is refused before it waits its turn."""
        with self._counting:
            self._busy += 1
            crowded = self.limits.strict and self._busy > CONCURRENT
        try:
            return too_many("0x80072326", 1).reply() if crowded else super().answer(request)
        finally:
            with self._counting:
                self._busy -= 1

    def sign_in(self, request: Request) -> Reply | None:
        """401 with an empty body without a valid token."""
        return self.entra.check(request)

    def throttle(self, request: Request) -> Reply | None:
        """429 for a call too many."""
        refusal = self.limits.take()
        return refusal.reply() if refusal else None

    def finish(self, request: Request, reply: Reply) -> None:
        """The service's headers."""
        if request.route in self.open_routes:
            return
        reply.headers.setdefault("OData-Version", "4.0")
        reply.headers.setdefault("x-ms-service-request-id", f"{self.stats.total():08d}-0000-0000-0000-000000000000")
        reply.headers.setdefault("REQ_ID", reply.headers["x-ms-service-request-id"])
        reply.headers.setdefault("x-ms-dop-hint", "4")
        if reply.status != 401:
            reply.headers |= self.limits.headers()

    def refusal(self, fault: Fault, request: Request) -> Reply:
        """Dataverse's (or Entra ID's) answer for an armed fault."""
        if fault.name in {"revoked", "expired_token"}:
            signing_in = request.route == f"POST {TOKEN_PATH}"
            return self.entra.token(request, self.entra.tenant) if signing_in else self.entra.challenge(request)
        if fault.name == "bad_gateway":
            return Reply(502, BAD_GATEWAY, {"Content-Type": "text/html"})
        answers = {
            "too_many": too_many("0x80072322", None),
            "too_many_retry_after": too_many("0x80072322", 1),
            "day_limit": too_many("0x80072322", 3600),
            "no_permission": denied("prvReadOpportunity", "opportunity"),
            "server_error": Refusal(500, "0x80040216", "An unexpected error occurred."),
        }
        return answers[fault.name].reply()

    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """404 for no path, 405 for a method that a path does not have."""
        if allowed:
            refused = Refusal(
                405, "0x80060888", f"The requested resource does not support http method '{request.method}'."
            )
            return refused.reply()
        return no_segment(request.path.strip("/").partition("/")[0]).reply()

    def bad_json(self, request: Request, error: BadJson) -> Reply:
        """The generic 400."""
        return bad_query(f"An error has occurred: {error}").reply()

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """A record as the environment holds it."""
        return self.editor.show(record, record_id)

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """What a user of the app does: stamps and audit come along."""
        fault = self.faults.strike("late_commit", f"POST /__world/{record}")
        try:
            return self.editor.edit(record, record_id, fields, late_seconds=fault.seconds if fault else 0.0)
        except Refusal as refusal:
            raise ValueError(refusal.message) from refusal

    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record; a user is disabled."""
        self.editor.remove(record, record_id)

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of our user's sight; the change tracking does not tell of it."""
        self.editor.hide(record, record_id)
