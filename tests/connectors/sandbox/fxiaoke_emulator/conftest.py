"""A caller of the Fxiaoke emulator without a socket, in either generation's words."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.folder import write_world
from connectors.sandbox.fxiaoke import FxiaokeEmulator
from connectors.sandbox.routing import Headers, Reply, Request

START = datetime(2026, 3, 2, 9, 30, 15, 250_000, tzinfo=UTC)
CREDENTIALS = {"appId": "sandbox", "appSecret": "sandbox", "permanentCode": "sandbox"}
DEALS = "NewOpportunityObj"


class Caller:
    """Calls an emulator in this thread, as the administrator, and moves its clock."""

    def __init__(self, *, style: str = "body", **options: Any) -> None:
        self.moment = START
        self.emulator = FxiaokeEmulator(**options)
        self.emulator.clock = lambda: self.moment
        self.style = style
        self.auth: dict[str, Any] = {}
        self.headers = Headers()

    def wait(self, seconds: float) -> None:
        """Lets time pass for the emulator."""
        self.moment += timedelta(seconds=seconds)

    def now_ms(self) -> int:
        """The emulator's clock as epoch ms."""
        return int(self.moment.timestamp() * 1000)

    def raw(self, path: str, body: Any, *, headers: Mapping[str, str] | None = None, trace: bool = True) -> Reply:
        """The whole answer to a POST as it stands."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        query = {"thirdTraceId": [str(uuid.uuid4())]} if trace else {}
        return self.emulator.answer(Request("POST", path, query, Headers(headers or {}), sent))

    def sign_in(self) -> None:
        """Gets a token and acts as the administrator."""
        if self.style == "header":
            body = self.raw("/oauth2.0/token", {**CREDENTIALS, "grantType": "app_secret"}).body
            signed = {"authorization": f"Bearer {body['accessToken']}", "x-fs-ea": body["ea"], "x-fs-userid": "1000"}
            self.headers = Headers(signed)
            return
        body = self.raw("/cgi/corpAccessToken/get/V2", CREDENTIALS).body
        actor = self.emulator.tenant.admin
        self.auth = {"corpAccessToken": body["corpAccessToken"], "corpId": body["corpId"], "currentOpenUserId": actor}

    def __call__(self, path: str, body: Mapping[str, Any] | None = None, code: int = 0) -> Any:
        """The body of a signed-in call that must answer this code at status 200."""
        if not self.auth and not self.headers:
            self.sign_in()
        reply = self.raw(path, {**self.auth, **(body or {})}, headers=self.headers)
        assert (reply.status, reply.body["errorCode"]) == (200, code), reply.body
        return reply.body

    def query(
        self, *filters: Mapping[str, Any], kind: str = DEALS, code: int = 0, **search: Any
    ) -> list[dict[str, Any]]:
        """The rows of one page that pass all filters."""
        return list(self.page({"filters": list(filters), **search}, kind=kind, code=code).get("dataList", []))

    def page(self, search: Mapping[str, Any], *, kind: str = DEALS, code: int = 0, **data: Any) -> dict[str, Any]:
        """``data`` of one page."""
        prefix = "custom/v2" if kind.endswith("__c") else "v2"
        body = {"data": {"dataObjectApiName": kind, "search_query_info": {"limit": 100, "offset": 0, **search}, **data}}
        return dict(self(f"/cgi/crm/{prefix}/data/query", body, code).get("data", {}))

    def ids(self, *filters: Mapping[str, Any], **more: Any) -> list[str]:
        """World ids of the deals that pass all filters, in the order of the answer."""
        ours = {remote: world for world, remote in self.emulator.ids["opportunities"].items()}
        return [ours[row["_id"]] for row in self.query(*filters, **more)]

    def get(self, record: str, world_id: str, kind: str = DEALS) -> dict[str, Any]:
        """A record by its world id."""
        body = {"data": {"dataObjectApiName": kind, "objectDataId": self.emulator.ids[record][world_id]}}
        return dict(self("/cgi/crm/v2/data/get", body)["data"])

    def update(self, world_id: str, code: int = 0, **fields: Any) -> Any:
        """Updates a deal with both switches off."""
        return self.write({"_id": self.emulator.ids["opportunities"][world_id], **fields}, code=code)

    def write(
        self, record: Mapping[str, Any], *, kind: str = DEALS, action: str = "update", code: int = 0, **top: Any
    ) -> Any:
        """One write; ``top`` goes beside ``data``."""
        prefix = "custom/v2" if kind.endswith("__c") else "v2"
        flows = {"triggerApprovalFlow": False, "triggerWorkFlow": False}
        body = {**flows, **top, "data": {"object_data": {"dataObjectApiName": kind, **record}}}
        return self(f"/cgi/crm/{prefix}/data/{action}", body, code)

    def control(self, method: str, target: str, body: Any = None) -> Any:
        """The body of a control call."""
        reply = self.emulator.answer(Request(method, target, {}, Headers(), json.dumps(body).encode()))
        assert reply.status < 300, reply.body
        return reply.body

    def arm(self, name: str, **more: Any) -> None:
        """Arms a fault."""
        self.control("POST", "/__faults", {"name": name, **more})


WORLD: dict[str, list[dict[str, str]]] = {
    "people": [
        {"id": "41", "name": "Ada Lu", "email": "ada@example.com", "active": "true", "manager_id": "43", "team": "North A",
         "region": "North", "role": "AE", "started_on": "2021-05-18"},
        {"id": "42", "name": "Bo Ma", "active": "false", "team": "North A", "region": "North"},
        {"id": "43", "name": "Cy Ng", "active": "true", "team": "North A", "region": "North", "role": "manager"},
    ],
    "accounts": [{"id": "7", "name": "Acme", "owner_id": "41", "industry": "Retail", "region": "North"}],
    "stages": [
        {"id": "1", "pipeline": "New", "stage": "Open", "label": "Open", "position": "1", "outcome": "open"},
        {"id": "2", "pipeline": "New", "stage": "Won", "label": "Won", "position": "2", "outcome": "won"},
        {"id": "3", "pipeline": "Old", "stage": "Open", "label": "Open", "position": "1", "outcome": "open"},
    ],
    "opportunities": [
        {"id": str(number), "name": f"Deal {number}", "account_id": "7", "owner_id": "41" if number % 2 else "",
         "pipeline": "New", "stage": "Open", "outcome": "open", "amount": f"{number}00.50", "currency": "EUR",
         "created_at": "2026-01-05T08:00:00Z", "close_on": "2026-03-31", "probability": "0.25", "discount": "0.1",
         "external_id": f"D-{number}", "modified_at": f"2026-02-{number:02}T08:00:00Z"}
        for number in range(1, 8)
    ],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes tables as a world folder: ``folder(people=[{...}])``."""

    def write(**tables: Sequence[Mapping[str, str]]) -> Path:
        write_world(tmp_path / "world", tables)
        return tmp_path / "world"

    return write


@pytest.fixture
def opened(folder: Callable[..., Path]) -> Callable[..., Caller]:
    """A tenant with seven deals and options of one's own; ``more`` tables come on top."""

    def make(more: Mapping[str, Sequence[Mapping[str, str]]] | None = None, **options: Any) -> Caller:
        return Caller(world=folder(**{**WORLD, **(more or {})}), **options)

    return make


@pytest.fixture
def crm(opened: Callable[..., Caller]) -> Caller:
    """A tenant with seven deals, strict."""
    return opened()
