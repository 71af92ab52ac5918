"""What every CRM emulator has in common: the order of checks, the clock, faults, and the control endpoints."""

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.sandbox.faults import CATALOGUE, Fault, FaultKind, Faults
from connectors.sandbox.routing import BadJson, Reply, Request, Route, Router


class Emulator(ABC):
    """A CRM on loopback: state behind a lock, a clock that tests may move, faults on demand.

    A subclass gives ``routes`` and the vendor's words (``refusal``, ``unknown``), may check the sign-in (``sign_in``)
    and its limits (``throttle``), may add headers (``finish``), and lets tests touch its records (``show``, ``edit``,
    ``remove``).
    """

    kind: ClassVar[str]
    content_type: ClassVar[str] = "application/json;charset=UTF-8"
    max_target: ClassVar[int] = 16_384
    """Bytes of the longest request line that is read."""
    fault_kinds: ClassVar[Mapping[str, FaultKind]] = CATALOGUE
    open_routes: ClassVar[frozenset[str]] = frozenset()
    """``METHOD /template`` of the sign-in endpoints: no token, and only the faults ``revoked`` or with a ``match``."""
    unmetered_routes: ClassVar[frozenset[str]] = frozenset()
    """``METHOD /template`` of endpoints that still answer when the day's allowance is spent."""

    company_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """Where this CRM keeps what the simulated company has in fields of its own: remote names by record and our field."""
    company_objects: ClassVar[Mapping[str, str]] = {}
    """Which object of its own the simulated company keeps a kind of record in: remote names by record."""

    def __init__(
        self,
        world: Path | None = None,
        *,
        latency_ms: int = 0,
        rate: float | None = None,
        faults: Sequence[str] = (),
        seed: int = 1,
        page_cap: int | None = None,
    ) -> None:
        self.world = world
        self.latency_ms = latency_ms
        self.rate = rate
        self.seed = seed
        self.page_cap = page_cap
        self.lock = threading.RLock()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.skew = timedelta()
        self.stats: Counter[str] = Counter()
        self.faults = Faults(self.fault_kinds, faults)
        self.ids: dict[str, dict[str, str]] = {}
        """Our id of each record of the world: ``ids["opportunities"]["17"]``."""
        self.url = ""
        """Base URL while a Server serves this emulator."""
        self._spent: list[float] = []
        self._router: Router | None = None
        self._control = Router(
            [
                ("GET", "/__stats", self._show_stats),
                ("POST", "/__stats/reset", self._reset_stats),
                ("GET", "/__faults", self._show_faults),
                ("POST", "/__faults", self._arm),
                ("DELETE", "/__faults", self._disarm),
                ("GET", "/__clock", self._show_clock),
                ("POST", "/__clock", self._set_clock),
                ("POST", "/__world", self._edit_world),
                ("GET", "/__world/{record}/{id}", self._show_world),
                ("DELETE", "/__world/{record}/{id}", self._delete_world),
            ]
        )

    # What a vendor's emulator fills in.

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Method, path template and handler ``(request, **placeholders) -> Reply`` of every endpoint."""

    @abstractmethod
    def refusal(self, fault: Fault, request: Request) -> Reply:
        """The vendor's answer for the faults that refuse a call as a whole (see ``_EARLY``)."""

    @abstractmethod
    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """The vendor's answer for a path it does not have, or has for the ``allowed`` methods only."""

    @abstractmethod
    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """A record as the CRM holds it, by world name and world or remote id."""

    @abstractmethod
    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes (or without id creates) a record as a user of the CRM would: its remote id. KeyError: no record."""

    @abstractmethod
    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record as a user of the CRM would. KeyError: no such record."""

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of our user's sight without a trace, as a narrower sharing rule does. KeyError: none.

        As it stands this is for a CRM that leaves no trace of a deleted record either.
        """
        self.remove(record, record_id)

    def sign_in(self, request: Request) -> Reply | None:
        """A refusal if the call carries no valid token."""
        return None

    def throttle(self, request: Request) -> Reply | None:
        """A refusal if the call is one too many in this second."""
        if self.rate is None:
            return None
        now = time.monotonic()
        self._spent = [moment for moment in self._spent if moment > now - 1.0]
        if len(self._spent) >= self.rate:
            return self.refusal(Fault("too_many"), request)
        self._spent.append(now)
        return None

    def bad_json(self, request: Request, error: BadJson) -> Reply:
        """The vendor's answer to a body that is not JSON."""
        return Reply(400, {"message": str(error)})

    def finish(self, request: Request, reply: Reply) -> None:  # noqa: B027 - a hook that not every vendor needs
        """Adds the vendor's headers to an answer."""

    # What all share.

    def now(self) -> datetime:
        """The server's clock, aware UTC."""
        skewed = self.faults.find("clock_skew")
        return self.clock() + self.skew + timedelta(seconds=skewed.seconds if skewed else 0)

    def strike(self, name: str, request: Request) -> Fault | None:
        """The armed fault of that name if it strikes this call; uses it up."""
        return self.faults.strike(name, request.where)

    def answer(self, request: Request) -> Reply:
        """The answer to one call: counted, then faults, sign-in, limits, and the handler, one call at a time."""
        if request.path.startswith("/__"):
            return self._answer_control(request)
        if self.latency_ms:
            time.sleep(self.latency_ms / 1000)
        with self.lock:
            if self._router is None:
                self._router = Router(self.routes())
            methods, values = self._router.match(request.path)
            template, names, handler = methods.get(request.method, ("", [], None))
            request.route = f"{request.method} {template}" if template else ""
            self.stats[request.route or f"{request.method} (unknown)"] += 1
            reply = self._early(request)
            if reply is None and handler is None:
                reply = self.unknown(request, sorted(methods))
            elif reply is None and handler is not None:
                try:
                    reply = handler(request, **dict(zip(names, values, strict=True)))
                except BadJson as error:
                    reply = self.bad_json(request, error)
            assert reply is not None  # noqa: S101 - narrows for the type checker: one of the three gave a reply
            self.finish(request, reply)
            self._late(request, reply)
        if reply.delay_seconds:
            time.sleep(reply.delay_seconds)
        return reply

    def _early(self, request: Request) -> Reply | None:
        signing_in = request.route in self.open_routes
        for name in _EARLY:
            fault = self.faults.find(name, request.where)
            if signing_in and name != "revoked" and not (fault and fault.match):
                continue
            if fault and not request.names(str(fault.extra.get("object", ""))):
                continue
            if name == "day_limit" and request.route in self.unmetered_routes:
                continue
            if fault := self.strike(name, request):
                return self.refusal(fault, request)
        if signing_in:
            return None
        return self.sign_in(request) or self.throttle(request)

    def _late(self, request: Request, reply: Reply) -> None:
        for name in ("slow", "cut", "truncated"):
            fault = self.faults.find(name, request.where)
            if request.route in self.open_routes and not (fault and fault.match):
                continue
            if fault := self.strike(name, request):
                reply.delay_seconds += fault.seconds if name == "slow" else 0
                reply.cut = reply.cut or name == "cut"
                reply.truncated = reply.truncated or name == "truncated"

    def _answer_control(self, request: Request) -> Reply:
        methods, values = self._control.match(request.path)
        if request.method not in methods:
            return Reply(404, {"message": f"no control endpoint {request.method} {request.path}"})
        _, names, handler = methods[request.method]
        with self.lock:
            try:
                return handler(request, **dict(zip(names, values, strict=True)))
            except (BadJson, KeyError, TypeError, ValueError) as error:
                return Reply(400, {"message": f"{type(error).__name__}: {error}"})

    def _show_stats(self, request: Request) -> Reply:
        return Reply(body=dict(sorted(self.stats.items())))

    def _show_faults(self, request: Request) -> Reply:
        return Reply(body=self.faults.listing())

    def _reset_stats(self, request: Request) -> Reply:
        self.stats.clear()
        return Reply(body={})

    def _arm(self, request: Request) -> Reply:
        order = request.json()
        if order.get("name") not in self.faults.kinds:
            return Reply(400, {"message": f"no fault {order.get('name')!r}", "known": sorted(self.faults.kinds)})
        self.faults.arm(order)
        return Reply(body=self.faults.listing())

    def _disarm(self, request: Request) -> Reply:
        self.faults.clear()
        return Reply(body=self.faults.listing())

    def _show_clock(self, request: Request) -> Reply:
        return Reply(body={"now": self.now().isoformat(), "skew_seconds": self.skew.total_seconds()})

    def _set_clock(self, request: Request) -> Reply:
        self.skew = timedelta(seconds=float(request.json()["skew_seconds"]))
        return self._show_clock(request)

    def _edit_world(self, request: Request) -> Reply:
        order = request.json()
        remote_id = self.edit(order["record"], order.get("id"), order.get("fields", {}))
        return Reply(body={"id": remote_id})

    def _show_world(self, request: Request, **where: str) -> Reply:
        shown = self.show(where["record"], where["id"])
        return Reply(404, {"message": "no such record"}) if shown is None else Reply(body=shown)

    def _delete_world(self, request: Request, **where: str) -> Reply:
        if self.show(where["record"], where["id"]) is None:
            return Reply(404, {"message": "no such record"})
        self.remove(where["record"], where["id"])
        return Reply(204)


_EARLY = (
    "revoked", "expired_token", "day_limit", "too_many", "too_many_retry_after", "server_error", "bad_gateway",
    "no_permission",
)  # fmt: skip
"""Faults that refuse a call before anything of it is looked at, in this order."""
