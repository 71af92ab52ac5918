"""A caller of the HubSpot emulator without a socket, and the vendor client's own models to hold its answers against."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.sandbox.folder import write_world
from connectors.sandbox.hubspot import HubSpotEmulator
from connectors.sandbox.routing import Headers, Reply, Request
from connectors.sandbox.server import Server

START = datetime(2026, 3, 2, 9, 30, 15, 250_000, tzinfo=UTC)
CONTRACT = Path(__file__).parents[5] / "shared" / "specs" / "hubspot" / "hubspot-api-client-12.0.0-contract.json"


class Caller:
    """Calls an emulator in this thread and moves its clock."""

    def __init__(self, **options: Any) -> None:
        self.moment = START
        self.emulator = HubSpotEmulator(**options)
        self.emulator.clock = lambda: self.moment
        self.token = "sandbox"

    def wait(self, seconds: float) -> None:
        """Lets time pass for the emulator."""
        self.moment += timedelta(seconds=seconds)

    def now_ms(self) -> int:
        """The emulator's clock as epoch ms."""
        return int(self.moment.timestamp() * 1000)

    def __call__(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """The whole answer. ``body``: bytes as they are, anything else as JSON."""
        parts = urlsplit(target)
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = Headers({name.lower().replace("_", "-"): value for name, value in headers.items()})
        named.setdefault("authorization", f"Bearer {self.token}")
        if not isinstance(body, bytes):
            named.setdefault("content-type", "application/json")
        return self.emulator.answer(Request(method, parts.path, parse_qs(parts.query), named, sent))

    def get(self, target: str, status: int = 200) -> Any:
        """The body of a GET that must answer ``status``."""
        return self._expect(self("GET", target), status)

    def post(self, target: str, body: Any, status: int = 200) -> Any:
        """The body of a POST that must answer ``status``."""
        return self._expect(self("POST", target, body), status)

    def patch(self, target: str, body: Any, status: int = 200) -> Any:
        """The body of a PATCH that must answer ``status``."""
        return self._expect(self("PATCH", target, body), status)

    def control(self, method: str, target: str, body: Any = None) -> Any:
        """The body of a control call."""
        reply = self(method, target, body)
        assert reply.status < 300, reply.body
        return reply.body

    def _expect(self, reply: Reply, status: int) -> Any:
        assert reply.status == status, (reply.status, reply.body)
        return reply.body

    def deal(self, **properties: str) -> str:
        """The id of a new deal."""
        held = {"dealname": "Deal", "dealstage": "qualifiedtobuy", **properties}
        return str(self.post("/crm/v3/objects/deals", {"properties": held}, 201)["id"])

    def deals(self, count: int) -> list[str]:
        """The ids of new deals, in their order."""
        return [self.deal(dealname=f"Deal {number}", amount=str(number)) for number in range(count)]

    def row(self, kind: str, record: str, world_id: str, names: str, more: str = "") -> Any:
        """A row by its world id, with these properties."""
        return self.get(f"/crm/v3/objects/{kind}/{self.emulator.ids[record][world_id]}?properties={names}{more}")

    def search(self, body: Mapping[str, Any], kind: str = "deals", status: int = 200) -> Any:
        """The body of a search."""
        return self.post(f"/crm/v3/objects/{kind}/search", body, status)

    def found(self, *filters: Mapping[str, Any], kind: str = "deals") -> list[str]:
        """The ids that match all filters, in ascending order."""
        body = self.search({"filterGroups": [{"filters": list(filters)}], "limit": 200}, kind)
        return [row["id"] for row in body["results"]]


@pytest.fixture
def hubspot() -> Caller:
    """A portal without a world: default pipeline, one admin."""
    return Caller()


@pytest.fixture
def served(hubspot: Caller) -> Iterator[Caller]:
    """The same behind a socket on loopback; ``emulator.url`` says where."""
    with Server(hubspot.emulator):
        yield hubspot


@pytest.fixture
def open_portal() -> Callable[..., Caller]:
    """A portal with options of one's own."""
    return Caller


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., Path]:
    """Writes tables as a world folder: ``world(people=[{...}])``."""

    def write(**tables: Sequence[Mapping[str, str]]) -> Path:
        write_world(tmp_path / "world", tables)
        return tmp_path / "world"

    return write


@pytest.fixture(scope="session")
def contract() -> dict[str, Any]:
    """The index of what hubspot-api-client 12.0.0 calls and parses."""
    if not CONTRACT.exists():
        pytest.skip(f"{CONTRACT.name} is not beside the project")
    return dict(json.loads(CONTRACT.read_text(encoding="utf-8")))


@pytest.fixture
def schema(hubspot: Any) -> str:
    """The type id of a new custom object with a unique key."""
    egg = {
        "name": "scoreback_appraisal",
        "labels": {"singular": "Appraisal", "plural": "Appraisals"},
        "requiredProperties": ["scoreback_key"],
        "associatedObjects": [],
        "properties": [
            {"name": "scoreback_key", "label": "Key", "type": "string", "fieldType": "text", "hasUniqueValue": True},
            {"name": "scoreback_score", "label": "Score", "type": "number", "fieldType": "number"},
        ],
    }
    return str(hubspot.post("/crm/v3/schemas", egg, 201)["objectTypeId"])


PEOPLE = [
    {"id": "7", "name": "Ann Ng", "email": "ann@example.com", "active": "true", "team": "North", "region": "EMEA",
     "territory": "DE", "role": "AE", "manager_id": "boss", "started_on": "2025-01-01", "modified_at": "2025-01-01T00:00:00Z"},
    {"id": "boss", "name": "Bo", "email": "bo@example.com", "active": "true", "team": "North"},
    {"id": "9", "name": "Gone Girl", "email": "gone@example.com", "active": "false", "ended_on": "2025-06-30"},
]  # fmt: skip
STAGES = [
    {"pipeline": "New", "stage": "Talk", "label": "Talking", "position": "0", "outcome": "open", "probability": "0.3"},
    {"pipeline": "New", "stage": "Closed Won", "position": "1", "outcome": "won", "probability": "1"},
    {"pipeline": "Old", "stage": "Renewed", "position": "0", "outcome": "won", "probability": "1"},
    {"pipeline": "Old", "stage": "Left", "position": "1", "outcome": "lost", "probability": "0"},
]
ACCOUNTS = [
    {"id": "100", "name": "Acme", "owner_id": "7", "industry": "Retail", "region": "EMEA", "parent_id": "top"},
    {"id": "top", "name": "Acme Holding"},
]
DEALS = [
    {"id": "500", "name": "Big", "account_id": "100", "owner_id": "7", "pipeline": "New", "stage": "Closed Won",
     "outcome": "won", "amount": "1000.50", "currency": "USD", "created_at": "2025-03-01T10:00:00Z",
     "closed_at": "2025-04-10T15:30:00Z", "close_on": "2025-04-10", "external_id": "X-1", "type": "new",
     "forecast_category": "best case", "modified_at": "2025-04-10T15:30:00Z"},
    {"id": "d-2", "name": "Small", "account_id": "100", "owner_id": "9", "pipeline": "New", "stage": "Talk",
     "outcome": "open", "amount": "10", "created_at": "2025-03-02T10:00:00Z", "close_on": "2025-07-01",
     "probability": "0.5", "modified_at": "2025-03-05T10:00:00Z"},
    {"id": "501", "name": "Twin", "created_at": "2025-03-02T10:00:00Z", "merged_into": "500"},
]  # fmt: skip
CHANGES = [
    {"id": "c2", "record": "opportunity", "record_id": "500", "field": "stage", "old": "Talk", "new": "Closed Won",
     "at": "2025-04-10T15:30:00Z", "by": "7"},
    {"id": "c1", "record": "opportunity", "record_id": "500", "field": "close_on", "old": "2025-03-31",
     "new": "2025-04-30", "at": "2025-03-20T08:00:00Z", "by": "7"},
    {"id": "c3", "record": "opportunity", "record_id": "500", "field": "amount", "old": "", "new": "1000.50",
     "at": "2025-03-21T08:00:00Z", "by": ""},
]  # fmt: skip
ACTIVITIES = [
    {"id": "1", "kind": "call", "owner_id": "7", "opportunity_id": "500", "account_id": "100", "contact_ids": "c-1;c-2",
     "direction": "outbound", "two_way": "true", "duration_seconds": "90", "created_at": "2025-03-05T09:00:00Z",
     "completed_at": "2025-03-05T09:05:00Z", "auto_logged": "false"},
    {"id": "2", "kind": "meeting", "owner_id": "7", "opportunity_id": "500", "planned_at": "2025-03-06T09:00:00Z",
     "completed_at": "2025-03-06T09:45:00Z", "participant_ids": "7;boss", "created_at": "2025-03-05T09:00:00Z"},
    {"id": "3", "kind": "email", "owner_id": "7", "direction": "inbound", "created_at": "2025-03-07T09:00:00Z",
     "completed_at": "2025-03-07T09:00:00Z", "auto_logged": "true", "subject_hash": "abc"},
    {"id": "4", "kind": "task", "owner_id": "7", "planned_at": "2025-03-09T09:00:00Z",
     "created_at": "2025-03-08T09:00:00Z", "completed_at": "2025-03-08T12:00:00Z"},
    {"id": "5", "kind": "visit", "owner_id": "7", "planned_at": "2025-03-09T09:00:00Z",
     "created_at": "2025-03-08T09:00:00Z", "duration_seconds": "1800"},
]  # fmt: skip
REST = {
    "targets": [{"id": "1", "subject_kind": "person", "subject_id": "7", "metric": "bookings", "amount": "5000",
                 "period_start": "2025-01-01", "period_end": "2025-03-31", "currency": "EUR"}],
    "rates": [{"id": "1", "currency": "USD", "to": "EUR", "rate": "0.9", "on": "2025-01-01"},
              {"id": "2", "currency": "USD", "to": "EUR", "rate": "0.8", "on": "2025-04-01"}],
    "splits": [{"id": "1", "opportunity_id": "500", "person_id": "7", "percentage": "0.6", "kind": "revenue"},
               {"id": "2", "opportunity_id": "500", "person_id": "boss", "percentage": "0.4", "kind": "revenue"},
               {"id": "3", "opportunity_id": "500", "person_id": "9", "percentage": "1", "kind": "overlay"}],
    "line_items": [{"id": "1", "opportunity_id": "500", "product": "GTX", "quantity": "3", "amount": "30.00"}],
    "surveys": [{"id": "1", "account_id": "100", "scale": "nps", "answer": "9", "sent_at": "2025-04-01T00:00:00Z",
                 "answered_at": "2025-04-02T00:00:00Z"},
                {"id": "2", "account_id": "100", "scale": "csat5", "answer": "", "sent_at": "2025-04-01T00:00:00Z"}],
}  # fmt: skip


@pytest.fixture
def company(open_portal: Callable[..., Any], world: Callable[..., Path]) -> Any:
    """A portal with the small world above."""
    folder = world(
        people=PEOPLE, stages=STAGES, accounts=ACCOUNTS, opportunities=DEALS, changes=CHANGES, activities=ACTIVITIES,
        **REST,
    )  # fmt: skip
    return open_portal(world=folder)
