"""A caller of the Zoho emulator without a socket, a small company in it, and the vendor's interface descriptions."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.sandbox.folder import write_world
from connectors.sandbox.routing import Headers, Reply, Request
from connectors.sandbox.zoho import ZohoEmulator

START = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
SPECS = Path(__file__).parents[5] / "shared" / "specs" / "zoho" / "openapi-3.1-2026-08"


class Caller:
    """Calls an emulator in this thread and moves its clock."""

    def __init__(self, **options: Any) -> None:
        self.moment = START
        self.emulator = ZohoEmulator(**options)
        self.emulator.clock = lambda: self.moment
        self.token = "sandbox"

    def wait(self, seconds: float) -> None:
        """Lets time pass for the emulator."""
        self.moment += timedelta(seconds=seconds)

    def __call__(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """The whole answer. ``body``: bytes as they are, anything else as JSON."""
        parts = urlsplit(target)
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = Headers({name.lower().replace("_", "-"): value for name, value in headers.items()})
        named.setdefault("authorization", f"Zoho-oauthtoken {self.token}")
        return self.emulator.answer(Request(method, parts.path, parse_qs(parts.query), named, sent))

    def get(self, target: str, status: int = 200, **headers: str) -> Any:
        """The body of a GET that must answer ``status``."""
        reply = self("GET", target, **headers)
        assert reply.status == status, (reply.status, reply.body)
        return reply.body

    def send(self, method: str, target: str, body: Any, status: int = 200) -> Any:
        """The body of a call that must answer ``status``."""
        reply = self(method, target, body)
        assert reply.status == status, (reply.status, reply.body)
        return reply.body

    def coql(self, query: str, status: int = 200) -> Any:
        """The body of a query."""
        return self.send("POST", "/crm/v8/coql", {"select_query": query}, status)

    def sign_in(self, **form: str) -> Any:
        """The body of the token endpoint."""
        held = {"grant_type": "refresh_token", "client_id": "sandbox", "client_secret": "sandbox",
                "refresh_token": "sandbox", **form}  # fmt: skip
        text = "&".join(f"{name}={value}" for name, value in held.items())
        return self("POST", "/oauth/v2/token", text.encode()).body

    def deals(self, count: int) -> list[str]:
        """The ids of new deals, in their order."""
        made = []
        for start in range(0, count, 100):
            numbers = range(start, min(count, start + 100))
            rows = [{"Deal_Name": f"Deal {number}", "Stage": "Qualification", "Amount": number} for number in numbers]
            answer = self.send("POST", "/crm/v8/Deals", {"data": rows, "trigger": []}, 201)
            made += [row["details"]["id"] for row in answer["data"]]
        return made


@pytest.fixture
def zoho() -> Caller:
    """An org without a world."""
    return Caller()


@pytest.fixture
def open_org() -> Callable[..., Caller]:
    """An org with options of one's own."""
    return Caller


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., Path]:
    """Writes tables as a world folder: ``world(people=[{...}])``."""

    def write(**tables: Sequence[Mapping[str, str]]) -> Path:
        write_world(tmp_path / "world", tables)
        return tmp_path / "world"

    return write


TABLES: dict[str, list[dict[str, str]]] = {
    "people": [
        {"id": "7", "name": "Ann Ng", "email": "ann@example.com", "active": "true", "team": "North", "region": "EMEA",
         "territory": "DE", "role": "AE", "manager_id": "boss", "started_on": "2025-01-01",
         "modified_at": "2025-01-01T00:00:00Z"},
        {"id": "boss", "name": "Bo Li", "email": "bo@example.com", "active": "true"},
        {"id": "9", "name": "Gone Girl", "email": "gone@example.com", "active": "false", "ended_on": "2025-06-30"},
    ],
    "stages": [
        {"id": "1", "pipeline": "New", "stage": "Talk", "label": "Talking", "position": "1", "outcome": "open", "probability": "0.3"},
        {"id": "2", "pipeline": "New", "stage": "Won", "position": "2", "outcome": "won", "probability": "1"},
        {"id": "3", "pipeline": "New", "stage": "Lost", "position": "3", "outcome": "lost", "probability": "0"},
        {"id": "4", "pipeline": "New", "stage": "Void", "position": "4", "outcome": "omitted", "probability": "0"},
    ],
    "accounts": [
        {"id": "100", "name": "Acme", "owner_id": "7", "industry": "Retail", "region": "EMEA", "parent_id": "top"},
        {"id": "top", "name": "Acme Holding"},
    ],
    "opportunities": [
        {"id": "500", "name": "Big", "account_id": "100", "owner_id": "7", "pipeline": "New", "stage": "Won",
         "outcome": "won", "amount": "1000.50", "currency": "USD", "created_at": "2025-03-01T10:00:00Z",
         "closed_at": "2025-04-10T15:30:00Z", "close_on": "2025-04-10", "external_id": "X-1", "type": "new",
         "modified_at": "2025-04-10T15:30:00Z"},
        {"id": "d-2", "name": "Small", "account_id": "100", "owner_id": "9", "pipeline": "New", "stage": "Talk",
         "outcome": "open", "amount": "10", "created_at": "2025-03-02T10:00:00Z", "close_on": "2025-07-01",
         "probability": "0.5", "modified_at": "2025-03-05T10:00:00Z"},
        {"id": "501", "name": "Twin", "created_at": "2025-03-02T10:00:00Z", "merged_into": "500"},
        {"id": "3652397000003852095", "name": "Native", "stage": "Talk", "owner_id": "7", "created_at": "2025-03-02T10:00:00Z"},
    ],
    "changes": [
        {"id": "c2", "record": "opportunity", "record_id": "500", "field": "stage", "old": "Talk", "new": "Won",
         "at": "2025-04-10T15:30:00Z", "by": "7"},
        {"id": "c1", "record": "opportunity", "record_id": "500", "field": "amount", "old": "900", "new": "1000.50",
         "at": "2025-03-20T08:00:00Z", "by": "7"},
    ],
    "activities": [
        {"id": "1", "kind": "call", "owner_id": "7", "opportunity_id": "500", "account_id": "100", "contact_ids": "c-1",
         "direction": "outbound", "duration_seconds": "90", "created_at": "2025-03-05T09:00:00Z",
         "completed_at": "2025-03-05T09:05:00Z"},
        {"id": "2", "kind": "meeting", "owner_id": "7", "opportunity_id": "500", "planned_at": "2025-03-06T09:00:00Z",
         "completed_at": "2025-03-06T09:45:00Z", "participant_ids": "7;boss", "created_at": "2025-03-05T09:00:00Z"},
        {"id": "3", "kind": "email", "owner_id": "7", "opportunity_id": "500", "direction": "inbound",
         "created_at": "2025-03-07T09:00:00Z", "completed_at": "2025-03-07T09:00:00Z", "contact_ids": "c-1"},
        {"id": "4", "kind": "task", "owner_id": "7", "planned_at": "2025-03-09T09:00:00Z",
         "created_at": "2025-03-08T09:00:00Z", "completed_at": "2025-03-08T12:00:00Z"},
    ],
    "line_items": [{"id": "1", "opportunity_id": "500", "product": "GTX", "quantity": "3", "amount": "30.00"}],
    "rates": [{"id": "1", "currency": "USD", "to": "EUR", "rate": "0.9", "on": "2025-01-01"},
              {"id": "2", "currency": "USD", "to": "EUR", "rate": "0.8", "on": "2025-04-01"}],
}  # fmt: skip


@pytest.fixture
def company(open_org: Callable[..., Caller], world: Callable[..., Path]) -> Caller:
    """An org with the small company above."""
    return open_org(world=world(**TABLES))


@pytest.fixture
def spec() -> Callable[[str, str, str, int], dict[str, Any]]:
    """The schema of an answer: ``spec("users", "/users", "get", 200)``."""
    if not SPECS.is_dir():
        pytest.skip("Zoho's interface descriptions are not beside the project")

    def schema(name: str, path: str, method: str, status: int) -> dict[str, Any]:
        # regular expressions there are Java's; Python's do not read all of them
        held = json.loads(
            (SPECS / f"zoho-crm-{name}-openapi.json").read_text(encoding="utf-8"),
            object_hook=lambda one: {key: value for key, value in one.items() if key != "pattern" or not isinstance(value, str)},
        )  # fmt: skip
        found = _resolve(held, held["paths"][path][method]["responses"][str(status)])
        return {"components": held["components"], **found["content"]["application/json"]["schema"]}

    return schema


def _resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]
        node = found
    return node
