"""A Fxiaoke (纷享销客) tenant on loopback, written from the vendor's manual and from what public clients were answered.

What it answers, how strictly, and what is guessed is described in docs/reference/emulators.md.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import CATALOGUE, Fault, FaultKind
from connectors.sandbox.fxiaoke.auth import BODY_TOKEN, HEADER_TOKEN, Tokens
from connectors.sandbox.fxiaoke.data import Call, Reading
from connectors.sandbox.fxiaoke.errors import BAD_SIGN_IN, TOO_FAST, Refusal, bad_argument, missing
from connectors.sandbox.fxiaoke.faults import FAULTS, page_instead, refusal_of
from connectors.sandbox.fxiaoke.limits import Limits
from connectors.sandbox.fxiaoke.objects import OWN_OBJECTS, SCORE_FIELDS, WORLD_FIELDS
from connectors.sandbox.fxiaoke.paths import DIRECTORY, Way, ways
from connectors.sandbox.fxiaoke.people import Directory
from connectors.sandbox.fxiaoke.query import check_keys
from connectors.sandbox.fxiaoke.rows import Rows
from connectors.sandbox.fxiaoke.view import View
from connectors.sandbox.fxiaoke.world import found_tenant, load
from connectors.sandbox.fxiaoke.world_edit import WorldEditor
from connectors.sandbox.fxiaoke.world_map import MAPS, OWN, company_fields
from connectors.sandbox.fxiaoke.writes import Writing
from connectors.sandbox.routing import BadJson, Reply, Request, Route

__all__ = ["FxiaokeEmulator"]


class FxiaokeEmulator(Emulator):
    """One tenant. ``strict`` refuses what the vendor passes over in silence: unknown keys, a missing trace id.

    ``limits="vendor"``: 100 calls of an interface within 20 s and one pack of 100,000 calls a day; ``rate`` (calls per
    second and interface) takes the place of the first, ``packs`` of the second (0: none bought). ``visible`` tells
    which share of the records an actor (FSUID or employee number) sees. ``custom_fields`` holds more fields by object.
    ``totals``: which words get a total of 商机2.0 and its like, for the manual has two: ``find_explicit_total_num`` (boolean) or
    ``returnTotalNum`` alone (number); ``never``: nobody gets any.
    """

    kind = "fxiaoke"
    content_type: ClassVar[str] = "application/json;charset=utf-8"
    fault_kinds: ClassVar[Mapping[str, FaultKind]] = CATALOGUE | FAULTS
    open_routes: ClassVar[frozenset[str]] = frozenset({f"POST {BODY_TOKEN}", f"POST {HEADER_TOKEN}"})
    company_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "account": {"region": "region__c"},
        "opportunity": {
            "external_id": "external_id__c", "product": "product__c", "source": "source__c", "type": "type__c",
            "next_step": "next_step__c", "forecast_category": "forecast_category__c",
        },
        "follow_up": {"duration_seconds": "duration_seconds__c", "direction": "direction__c"},
        "survey": company_fields("surveys"), **{record: company_fields(table) for table, record in OWN.items()},
    }  # fmt: skip
    company_objects: ClassVar[Mapping[str, str]] = {record: MAPS[table].object for table, record in OWN.items()}

    def __init__(
        self,
        world: Path | None = None,
        *,
        latency_ms: int = 0,
        rate: float | None = None,
        faults: Sequence[str] = (),
        seed: int = 1,
        page_cap: int | None = None,
        strict: bool = True,
        limits: Literal["vendor", "off"] = "off",
        packs: int | None = None,
        day_used: int = 0,
        token_ttl: int = 7200,
        visible: Mapping[str, float] | None = None,
        no_rights: Iterable[str] = (),
        shows_invalid: bool = False,
        personnel: bool = False,
        stopped_listed: bool = True,
        totals: Literal["boolean", "number", "never"] = "boolean",
        custom_fields: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(world, latency_ms=latency_ms, rate=rate, faults=faults, seed=seed, page_cap=page_cap)
        self.strict = strict
        self.shows_invalid = shows_invalid
        self.personnel = personnel
        self.totals = totals
        self.no_rights = frozenset(no_rights)
        self.tenant = found_tenant(self.now(), WORLD_FIELDS, OWN_OBJECTS, SCORE_FIELDS, custom_fields or {})
        self.rows = Rows(self.tenant, self.now)
        self.ids.update(load(self.tenant, self.rows, world))
        self.visible: Mapping[str, float] = self._by_person(visible or {})
        self.limits = Limits(self.now, strict=limits == "vendor", rate=rate, packs=packs, day_used=day_used)
        self.tokens = Tokens(self.tenant, self.now, token_ttl, strict=strict)
        self.view = View(self.tenant, self.now)
        self.directory = Directory(self.tenant, stopped_listed=stopped_listed)
        self.reading = Reading(self.tenant, self.view, self.rows, self)
        self.writing = Writing(self.tenant, self.view, self.rows, self.reading, self)
        self._editor = WorldEditor(self.tenant, self.rows, self.ids)
        self._call: Call | None = None
        self._signing_in = 0
        self._gate = threading.Lock()

    def _by_person(self, visible: Mapping[str, float]) -> dict[str, float]:
        return {self.tenant.by_employee.get(actor, actor): share for actor, share in visible.items()}

    @property
    def permitted(self) -> float | None:
        """Calls per second that one interface takes in the long run; None: as many as you like."""
        return self.limits.permitted

    def answer(self, request: Request) -> Reply:
        """The answer to one call. The token endpoint takes one call at a time."""
        if request.path not in {BODY_TOKEN, HEADER_TOKEN}:
            return super().answer(request)
        with self._gate:
            crowded = self._signing_in > 0
            self._signing_in += 1
            if crowded:  # it never comes to where calls are counted
                self.stats[f"POST {request.path}"] += 1
        try:
            return Refusal(TOO_FAST).reply() if crowded else super().answer(request)
        finally:
            with self._gate:
                self._signing_in -= 1

    def routes(self) -> Sequence[Route]:
        """Every endpoint; all are POST."""
        tokens: list[Route] = [("POST", path, self._token) for path in (BODY_TOKEN, HEADER_TOKEN)]
        people: list[Route] = [
            ("POST", path, self._about_people(path, answer)) for path, answer in self.directory.answers().items()
        ]
        return [
            *tokens,
            *people,
            *(("POST", way.path, self._about_data(way)) for way in ways(self.reading, self.writing)),
        ]

    def _token(self, request: Request) -> Reply:
        if page := page_instead(self.faults, request, signing_in=True):
            return page
        try:
            self._check_trace(request)
            return self.tokens.issue(request)
        except Refusal as refusal:
            return refusal.reply("open-api-gateway-web/")

    def _about_people(self, path: str, answer: Callable[[Mapping[str, Any], str], Reply]) -> Callable[..., Reply]:
        def handle(_request: Request) -> Reply:
            call = self._current()
            try:
                check_keys(call.body, DIRECTORY[path] | _TOP_KEYS, "body", strict=self.strict)
                self.directory.numbered = call.caller.numbered and not self.directory.converts
                self.directory.empty = self.faults.find("empty", call.where) is not None
                return answer(call.body, call.trace)
            except Refusal as refusal:
                return refusal.reply(call.trace)

        return handle

    def _about_data(self, way: Way) -> Callable[..., Reply]:
        def handle(_request: Request) -> Reply:
            call = self._current()
            call.custom = way.custom
            self.view.gone = _fields_of(self.faults.strike_all("missing_field", call.where))
            self.view.bent = _fields_of(self.faults.strike_all("wrong_type", call.where))
            try:
                check_keys(call.body, way.keys | _TOP_KEYS | {"data"}, "body", strict=self.strict)
                return way.answer(call)
            except Refusal as refusal:
                return refusal.reply(call.trace)

        return handle

    def _current(self) -> Call:
        assert self._call is not None  # noqa: S101 - sign_in made it: no handler runs without
        return self._call

    def sign_in(self, request: Request) -> Reply | None:
        """20017 without a token, 20016 with a bad one; an unknown path is refused as such, whoever calls."""
        if not request.route:
            return None
        if page := page_instead(self.faults, request, signing_in=False):
            return page
        try:
            body = request.json() if request.body else {}
            if not isinstance(body, dict):
                raise bad_argument("body")
            caller = self.tokens.check(request, body, needs_actor=request.path.startswith("/cgi/crm/"))
            trace = f"E-O.sandbox.{self.tenant.people[caller.actor].employee if caller.actor else -1000}"
            self._call = Call(body, caller, request.where, trace, custom=False)
            self._check_trace(request)
        except Refusal as refusal:
            return refusal.reply()
        except BadJson as error:
            return self.bad_json(request, error)
        return None

    def _check_trace(self, request: Request) -> None:
        if self.strict and not request.first("thirdTraceId"):
            raise missing("thirdTraceId")

    def throttle(self, request: Request) -> Reply | None:
        """30004 for an interface called too often, 30002 when the day's packs are used up, 30003 without any."""
        if not request.route:
            return None
        try:
            self.limits.take(request.path)
        except Refusal as refusal:
            return refusal.reply(self._current().trace)
        return None

    def refusal(self, fault: Fault, request: Request) -> Reply:
        """Fxiaoke's answer for an armed fault: a code at status 200, from a proxy a page."""
        if fault.name in {"expired_token", "revoked"}:
            self.tokens.expire()
        if fault.name == "revoked" and request.route in self.open_routes:
            return Refusal(BAD_SIGN_IN, description="缺少参数或参数不合法").reply("open-api-gateway-web/")
        return refusal_of(fault)

    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """10006 for a path that is none, and for another method than POST."""
        text = f"the request uri=[{request.path}], apiName=[null] is not exists"
        return Refusal(BAD_SIGN_IN, text).reply("open-api-gateway-web/")

    def bad_json(self, request: Request, error: BadJson) -> Reply:
        """15002: the gateway reads nothing but JSON."""
        return bad_argument("body").reply()

    # Tests' and the simulated user's way to the records.

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The record with every field that is not empty."""
        return self._editor.show(record, record_id)

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes a record as a user does, or makes one; ``life_status`` and ``lock_status`` too."""
        fault = self.faults.strike("late_commit", f"POST /__world/{record}")
        self.rows.late_ms = int(fault.seconds * 1000) if fault else 0
        try:
            return self._editor.edit(record, record_id, fields)
        except Refusal as refusal:
            raise ValueError(refusal.message) from refusal
        finally:
            self.rows.late_ms = 0

    def remove(self, record: str, record_id: str) -> None:
        """Invalidates and deletes a record; a person is stopped."""
        self._editor.remove(record, record_id)


_TOP_KEYS = frozenset(
    {
        "corpAccessToken",
        "corpId",
        "currentOpenUserId",
        "includeNull",
        "convertUserId",
        "convertMediaId",
        "returnTotalNum",
        "need_return_count_num",
    }
)
"""Keys that every business call may have at the top of its body."""


def _fields_of(faults: Iterable[Fault]) -> frozenset[tuple[str, str]]:
    return frozenset((str(fault.extra.get("object", "")), str(fault.extra.get("field", ""))) for fault in faults)
