"""A caller of the SAP Cloud for Customer emulator without a socket, and a small world for it."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.sandbox.folder import write_world
from connectors.sandbox.routing import Headers, Reply, Request
from connectors.sandbox.sap import BASE, SapEmulator

START = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
BASIC = "Basic " + base64.b64encode(b"sandbox:sandbox").decode()
WORLD: dict[str, list[dict[str, str]]] = {
    "people": [
        {
            "id": "1",
            "name": "Ada Berg",
            "email": "ada@example.com",
            "active": "true",
            "manager_id": "2",
            "team": "North",
            "territory": "N1",
            "region": "EU",
            "role": "AE",
            "started_on": "2024-01-01",
            "modified_at": "2026-01-01T00:00:00Z",
        },
        {
            "id": "2",
            "name": "Bo Chen",
            "active": "false",
            "team": "Board",
            "ended_on": "2026-01-31",
            "modified_at": "2026-01-02T00:00:00Z",
        },
    ],
    "accounts": [{"id": "11", "name": "Hooli", "owner_id": "1", "modified_at": "2026-01-03T00:00:00Z"}],
    "stages": [
        {"id": "1", "pipeline": "New", "stage": "Talk", "position": "1", "outcome": "open"},
        {"id": "2", "pipeline": "New", "stage": "Offer", "position": "2", "outcome": "open"},
        {"id": "3", "pipeline": "New", "stage": "Won it", "position": "3", "outcome": "won"},
    ],
    "opportunities": [
        {
            "id": "17",
            "name": "Deal 17",
            "account_id": "11",
            "owner_id": "1",
            "pipeline": "New",
            "stage": "Offer",
            "outcome": "open",
            "amount": "1200.50",
            "currency": "EUR",
            "created_at": "2026-01-05T10:00:00Z",
            "close_on": "2026-04-30",
            "probability": "0.6",
            "external_id": "X-17",
            "modified_at": "2026-02-01T08:00:00Z",
        },
        {
            "id": "18",
            "name": "Deal 18",
            "account_id": "11",
            "owner_id": "2",
            "pipeline": "New",
            "stage": "Won it",
            "outcome": "won",
            "currency": "USD",
            "created_at": "2026-01-06T10:00:00Z",
            "closed_at": "2026-02-10T10:00:00Z",
            "modified_at": "2026-02-10T10:00:00Z",
        },
    ],
    "changes": [
        {
            "id": "1",
            "record": "opportunity",
            "record_id": "17",
            "field": "stage",
            "old": "Talk",
            "new": "Offer",
            "at": "2026-01-20T12:00:00Z",
            "by": "1",
        }
    ],
    "activities": [
        {
            "id": "31",
            "kind": "meeting",
            "owner_id": "1",
            "opportunity_id": "17",
            "account_id": "11",
            "participant_ids": "1;2",
            "planned_at": "2026-01-10T09:00:00Z",
            "completed_at": "2026-01-10T10:00:00Z",
            "duration_seconds": "3600",
            "created_at": "2026-01-09T09:00:00Z",
            "modified_at": "2026-01-10T10:00:00Z",
        },
        {
            "id": "32",
            "kind": "task",
            "owner_id": "1",
            "planned_at": "2026-01-11T09:00:00Z",
            "modified_at": "2026-01-10T10:00:00Z",
        },
    ],
    "splits": [
        {
            "id": "41",
            "opportunity_id": "17",
            "person_id": "2",
            "percentage": "0.4",
            "kind": "revenue",
            "modified_at": "2026-02-01T08:00:00Z",
        }
    ],
    "line_items": [
        {
            "id": "51",
            "opportunity_id": "17",
            "product": "GTX",
            "quantity": "2",
            "amount": "600.25",
            "modified_at": "2026-02-01T08:00:00Z",
        }
    ],
    "surveys": [
        {
            "id": "61",
            "person_id": "1",
            "opportunity_id": "17",
            "scale": "nps",
            "answer": "9",
            "sent_at": "2026-02-01T00:00:00Z",
            "answered_at": "2026-02-02T00:00:00Z",
        }
    ],
}


class Caller:
    """Calls a tenant in this thread, keeps its cookies and token, and moves its clock."""

    def __init__(self, world: Path | None = None, **options: Any) -> None:
        self.moment = START
        self.emulator = SapEmulator(world, clock=lambda: self.moment, **options)
        self.emulator.url = "http://127.0.0.1:1"
        self.sent: dict[str, str] = {"authorization": BASIC}

    def wait(self, seconds: float) -> None:
        """Lets time pass for the tenant."""
        self.moment += timedelta(seconds=seconds)

    def __call__(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """The whole answer. A target without a leading slash is below the service root."""
        parts = urlsplit(target if target.startswith("/") else f"{BASE}/{target}")
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = Headers({**self.sent, **{name.replace("_", "-"): value for name, value in headers.items()}})
        if body is not None and not isinstance(body, bytes):
            named.setdefault("content-type", "application/json")
            named.setdefault("accept", "application/json")
        query = parse_qs(parts.query, keep_blank_values=True)
        return self.emulator.answer(Request(method, parts.path, query, named, sent))

    def json(self, target: str, status: int = 200, **headers: str) -> Any:
        """The JSON of a GET."""
        reply = self("GET", target, accept="application/json", **headers)
        assert reply.status == status, (reply.status, reply.body)
        return json.loads(reply.body)

    def rows(self, target: str) -> list[dict[str, Any]]:
        """The records of one page."""
        found: list[dict[str, Any]] = self.json(target)["d"]["results"]
        return found

    def refusal(self, target: str, status: int = 400) -> str:
        """The text of a refused GET."""
        return str(self.json(target, status)["error"]["message"]["value"])

    def sign(self) -> "Caller":
        """Begins a session and fetches its token, as a client does before it writes."""
        reply = self("GET", f"{BASE}/", x_csrf_token="fetch")
        self.sent["x-csrf-token"] = reply.headers["x-csrf-token"]
        self.sent["cookie"] = reply.headers["set-cookie"].partition(";")[0]
        return self

    def make(self, name: str = "Deal", **values: Any) -> str:
        """The ObjectID of a new opportunity."""
        reply = self("POST", "OpportunityCollection", {"Name": name, **values})
        assert reply.status == 201, reply.body
        return str(json.loads(reply.body)["d"]["results"]["ObjectID"])

    def arm(self, name: str, **options: Any) -> None:
        """Arms a fault."""
        reply = self("POST", "/__faults", {"name": name, **options})
        assert reply.status == 200, reply.body


@pytest.fixture
def sap() -> Caller:
    """A tenant without records."""
    return Caller()


@pytest.fixture
def tenant(tmp_path: Path) -> Caller:
    """The tenant of the small world, with a field for scores."""
    write_world(tmp_path / "world", WORLD)
    return Caller(tmp_path / "world", fields=[{"entity": "Opportunity", "name": "ZOppScore", "type": "decimal"}])


@pytest.fixture
def tenant_with(tmp_path: Path) -> Callable[..., Caller]:
    """Makes a tenant with options, of the small world or of other tables."""

    def build(tables: Mapping[str, Sequence[Mapping[str, str]]] | None = None, **options: Any) -> Caller:
        write_world(tmp_path / "world", WORLD if tables is None else tables)
        return Caller(tmp_path / "world", **options)

    return build
