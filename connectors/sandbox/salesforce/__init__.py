"""A Salesforce org on loopback, written from the vendor's documentation: REST, composite, Bulk 2.0 and Tooling.

``SalesforceEmulator(world)`` loads a world folder; without one the org is empty but for its settings and the user we run
as. Client id, secret and token are all ``sandbox``. What each switch does: docs/reference/emulators.md.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import CATALOGUE, Fault, FaultKind
from connectors.sandbox.routing import BAD_GATEWAY, BadJson, Reply, Request, Route
from connectors.sandbox.salesforce.auth import SignIn, SignInSettings
from connectors.sandbox.salesforce.bulk import Bulk
from connectors.sandbox.salesforce.composite import Composite
from connectors.sandbox.salesforce.data import NEWEST, OLDEST, Data
from connectors.sandbox.salesforce.deploy import Deployments
from connectors.sandbox.salesforce.objects import standard_objects
from connectors.sandbox.salesforce.query import Engine
from connectors.sandbox.salesforce.rows import Rows
from connectors.sandbox.salesforce.schema import ObjectType
from connectors.sandbox.salesforce.soql_tree import SoqlError
from connectors.sandbox.salesforce.store import Org
from connectors.sandbox.salesforce.tooling import Tooling
from connectors.sandbox.salesforce.values import CallError, RowError
from connectors.sandbox.salesforce.world import load
from connectors.sandbox.salesforce.world_edit import WorldEditor
from connectors.sandbox.salesforce.world_map import MAPS, OWN
from connectors.sandbox.salesforce.writes import Writes

_T = TypeVar("_T")
_SESSION = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
_TOO_MANY = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
_REFUSED = RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "This record must not be changed by an integration", [])
_LOCKED = RowError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", [])
_APPROVAL = RowError("ENTITY_IS_LOCKED", "the entity is locked for editing", [])


class SalesforceEmulator(Emulator):
    """One Salesforce org."""

    kind = "salesforce"
    company_fields: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "opportunity": {"external_id": "External_Id__c", "product": "Product__c"},
        **{record: MAPS[table].columns for record, table in OWN.items()},
    }
    company_objects: ClassVar[Mapping[str, str]] = {record: MAPS[table].object for record, table in OWN.items()}
    open_routes = frozenset(
        {
            "POST /services/oauth2/token", "POST /services/oauth2/revoke", "POST /services/oauth2/introspect",
            "GET /services/data",
        }
    )  # fmt: skip
    unmetered_routes = frozenset({"GET /services/data/{version}/limits"})
    fault_kinds: ClassVar[Mapping[str, FaultKind]] = {
        **CATALOGUE,
        "expired_locator": FaultKind("Every open query locator is forgotten before the next one is followed."),
        "query_timeout": FaultKind("The query ran for too long: QUERY_TIMEOUT."),
        "unavailable": FaultKind("The instance is down: 503 SERVER_UNAVAILABLE."),
        "not_acceptable": FaultKind("An overloaded pod answers 406 with an empty body."),
        "unfixable_session": FaultKind("401 with a text that no new sign-in can mend.", times=None),
        "locked_record": FaultKind("One row of the next write batch is locked by an approval."),
        "read_only_field": FaultKind("The remote `field` may be read but not written.", times=None),
        "header_once": FaultKind("Bulk results carry the header line on their first page only.", times=None),
        "plain_csv": FaultKind("Bulk results are text/csv without a charset.", times=None),
        "failed_job": FaultKind("The next bulk job ends as Failed."),
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
        off: Sequence[str] = (),
        sign_in: SignInSettings | None = None,
        token_ttl: int | None = None,
        api_max: int = 100_000,
        api_used: int = 0,
        max_cursors: int = 10,
        bulk_polls: int = 1,
        deploy_polls: int = 0,
        object_permissions: bool = False,
        permission_lag: int = 0,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(world, latency_ms=latency_ms, rate=rate, faults=faults, seed=seed, page_cap=page_cap)
        self.clock = clock or self.clock
        self.api_max, self.api_used = api_max, api_used
        self.schema_changed = self.clock()
        self.org = Org(standard_objects(), off)
        settings = sign_in or SignInSettings()
        if token_ttl is not None:
            settings.ttl_calls = token_ttl
        self.signing = SignIn(self.org, settings, self.now, lambda: self.url)
        self.engine = Engine(self.org)
        self.rows = Rows(self.org, self.now)
        self.data = Data(self, max_cursors)
        self.writes = Writes(self)
        self.bulk = Bulk(self, bulk_polls)
        self.tooling = Tooling(self, object_permissions=object_permissions, lag_calls=permission_lag)
        self.composite = Composite(self)
        self.deployments = Deployments(self, deploy_polls)
        self.ids = load(self.org, world, self.now())
        self._editor = WorldEditor(self.org, self.rows, self.ids)

    def routes(self) -> Sequence[Route]:
        """Every endpoint, each turning the vendor's errors into answers."""
        parts = (self.signing, self.data, self.writes, self.bulk, self.tooling, self.composite, self.deployments)
        return [
            (method, template, self._guarded(handler)) for part in parts for method, template, handler in part.routes()
        ]

    def _guarded(self, handler: Callable[..., Reply]) -> Callable[..., Reply]:
        def answer(request: Request, **path: str) -> Reply:
            try:
                _check_content_type(request)
                return handler(request, **path)
            except CallError as error:
                return Reply(error.status, error.body())
            except SoqlError as error:
                return Reply(400, [{"message": error.text, "errorCode": error.code}])
            except RowError as error:
                return self._alone(error)

        return answer

    def _alone(self, error: RowError) -> Reply:
        """A refused record in a call about that record alone."""
        if error.code == "INVALID_CROSS_REFERENCE_KEY" and error.status == 404:
            return Reply(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])
        status = 403 if error.code.startswith("INSUFFICIENT_ACCESS") else error.status
        return Reply(status, [{"message": error.text, "errorCode": error.code, "fields": error.fields}])

    # What the parts ask of the whole.

    def base(self, version: str) -> str:
        """``/services/data/v64.0`` for the ``{version}`` of a path; CallError for a version we do not speak."""
        match = re.fullmatch(r"v(\d{2})\.0", version)
        number = int(match[1]) if match else 0
        if 21 <= number < OLDEST:
            raise CallError(410, "UNSUPPORTED_API_VERSION", f"API version {number}.0 is no longer supported")
        if not OLDEST <= number <= NEWEST:
            raise CallError(404, "NOT_FOUND", "The requested resource does not exist")
        return f"/services/data/{version}"

    def kind_named(self, name: str) -> ObjectType:
        """The object of that name; NOT_FOUND if this org has none."""
        kind = self.org.object(name)
        if kind is None:
            raise CallError(404, "NOT_FOUND", "The requested resource does not exist")
        return kind

    def touch_schema(self) -> None:
        """Describe has changed."""
        self.schema_changed = max(self.now(), self.schema_changed + timedelta(seconds=1))

    def saving(self, save: Callable[[], _T]) -> _T:
        """Runs one save, as a transaction that commits late if that fault is armed."""
        late = self.faults.strike("late_commit")
        self.rows.late_by = timedelta(seconds=late.seconds if late else 0)
        try:
            return save()
        finally:
            self.rows.late_by = timedelta()

    def row_trouble(
        self, request: Request, records: Sequence[Mapping[str, Any]], kinds: Sequence[ObjectType]
    ) -> dict[int, RowError]:
        """The rows of a write batch that armed faults refuse, by position."""
        trouble: dict[int, RowError] = {}
        for name, error in (("refused_row", _REFUSED), ("locked_row", _LOCKED), ("locked_record", _APPROVAL)):
            if records and (fault := self.strike(name, request)):
                every, row = int(fault.extra.get("every", 0)), int(fault.extra.get("row", 0))
                trouble.update(dict.fromkeys(range(row, len(records), every or len(records)), error))
        if records and self.strike("half_batch", request):
            trouble.update(dict.fromkeys(range(1, len(records), 2), _REFUSED))
        if records and (fault := self.strike("deleted_meanwhile", request)):
            row = int(fault.extra.get("row", 0)) % len(records)
            record_id = records[row].get("id") or records[row].get("Id")
            if record_id:
                self.rows.delete(kinds[row], str(record_id))
        return trouble

    # The vendor's words and order of checks.

    def sign_in(self, request: Request) -> Reply | None:
        """401 without a valid token; then the faults that look like the vendor's own trouble."""
        if self.strike("unfixable_session", request):
            text = "This session is not valid for use with the REST API"
            return Reply(401, [{"message": text, "errorCode": "INVALID_SESSION_ID"}])
        if not self.signing.accepts(request):
            return Reply(401, _SESSION, {"WWW-Authenticate": "Token"})
        if self.strike("unavailable", request):
            return Reply(503, [{"message": "Server is unavailable.", "errorCode": "SERVER_UNAVAILABLE"}])
        if self.strike("not_acceptable", request):
            return Reply(406)
        return None

    def throttle(self, request: Request) -> Reply | None:
        """Counts the call; 403 when the day's allowance is spent or too many come at once."""
        if self.api_used >= self.api_max and request.route not in self.unmetered_routes:
            return self.refusal(Fault("day_limit"), request)
        refused = super().throttle(request)
        if refused is None:
            self.api_used += 1
            self._bend(request)
        return refused

    def _bend(self, request: Request) -> None:
        """What schema faults hide, mistype or lock during this call."""
        where = request.where
        self.org.gone = {_bent(fault) for fault in self.faults.strike_all("missing_field", where)}
        self.org.mistyped = {_bent(fault) for fault in self.faults.strike_all("wrong_type", where)}
        self.org.locked_fields = {_bent(fault) for fault in self.faults.strike_all("read_only_field", where)}

    def refusal(self, fault: Fault, request: Request) -> Reply:
        """The vendor's answer to a call refused as a whole."""
        if fault.name in {"expired_token", "revoked"}:
            return self._signed_out(fault, request)
        if fault.name == "bad_gateway":
            return Reply(502, BAD_GATEWAY, {"Content-Type": "text/html"})
        status, code, text = {
            "day_limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
            "server_error": (
                500,
                "UNKNOWN_EXCEPTION",
                "An unexpected error occurred. Please include this ErrorId: 1-1 (1)",
            ),
            "no_permission": (403, "INSUFFICIENT_ACCESS", "insufficient access rights on this resource"),
        }.get(fault.name, (403, "REQUEST_LIMIT_EXCEEDED", _TOO_MANY))
        headers = {"Retry-After": "1"} if fault.name == "too_many_retry_after" else {}
        return Reply(status, [{"message": text, "errorCode": code}], headers)

    def _signed_out(self, fault: Fault, request: Request) -> Reply:
        if request.path.rstrip("/") == "/services/oauth2/token":
            return Reply(400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
        self.signing.expire(request)
        return Reply(401, _SESSION, {"WWW-Authenticate": "Token"} if fault.name == "expired_token" else {})

    def unknown(self, request: Request, allowed: Sequence[str]) -> Reply:
        """404 for no such path, 405 for another method."""
        if allowed:
            text = f"HTTP Method '{request.method}' not allowed. Allowed are {','.join(allowed)}"
            return Reply(405, [{"message": text, "errorCode": "METHOD_NOT_ALLOWED"}], {"Allow": ",".join(allowed)})
        return Reply(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])

    def bad_json(self, _request: Request, error: BadJson) -> Reply:
        """JSON_PARSER_ERROR."""
        return Reply(400, [{"message": f"{error} at [line:1, column:1]", "errorCode": "JSON_PARSER_ERROR"}])

    def finish(self, request: Request, reply: Reply) -> None:
        """How much of the day's allowance is used, on every answer of the data API."""
        if request.path.startswith("/services/data/v"):
            reply.headers.setdefault("Sforce-Limit-Info", f"api-usage={self.api_used}/{self.api_max}")

    # Tests' and the simulated user's way to the records.

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The record with every field that is not null."""
        return self._editor.show(record, record_id)

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes a record, or makes one; ``MasterRecordId`` on an account merges it into another."""
        return self.saving(lambda: self._editor.edit(record, record_id, fields))

    def remove(self, record: str, record_id: str) -> None:
        """Moves a record to the recycle bin."""
        self._editor.remove(record, record_id)

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of our user's sight; the list of deletions does not tell of it."""
        self._editor.hide(record, record_id)

    def empty_bin(self) -> None:
        """Deleted records are gone for good: no query shows them, only the list of deletions does."""
        for table in self.org.tables.values():
            for key in [key for key, row in table.rows.items() if row.get("IsDeleted")]:
                table.purge(key)


def _bent(fault: Fault) -> tuple[str, str]:
    return str(fault.extra.get("object", "")).lower(), str(fault.extra.get("field", "")).lower()


def _check_content_type(request: Request) -> None:
    """JSON is taken where JSON is read (the vendor's XML is not spoken here); uploads and packages see to their own."""
    kind = request.headers.get("Content-Type", "")
    own = request.path.endswith("/batches") or "/metadata/" in request.path or "/oauth2/" in request.path
    if request.body and kind and not own and not kind.lower().startswith("application/json"):
        text = f"Content-Type header specified in HTTP request is not supported: {kind}"
        raise CallError(415, "UNSUPPORTED_MEDIA_TYPE", text)
