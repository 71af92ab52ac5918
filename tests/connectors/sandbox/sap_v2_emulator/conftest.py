"""A caller of the SAP Sales Cloud Version 2 emulator without a socket, and a small world for it."""

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
from connectors.sandbox.sap_v2 import BASE, SapV2Emulator

START = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
BASIC = "Basic " + base64.b64encode(b"sandbox:sandbox").decode()
MERGE = "application/merge-patch+json"
WORLD: dict[str, list[dict[str, str]]] = {
    "people": [
        {"id": "1", "name": "Ada Berg", "active": "true", "manager_id": "2", "team": "North"},
        {"id": "2", "name": "Bo Chen", "active": "false", "team": "Board", "ended_on": "2026-01-31"},
    ],
    "accounts": [{"id": "11", "name": "Hooli", "owner_id": "1", "modified_at": "2026-01-03T00:00:00Z"}],
    "stages": [
        {"id": "1", "pipeline": "New", "stage": "Talk", "position": "1", "outcome": "open"},
        {"id": "2", "pipeline": "New", "stage": "Won it", "position": "2", "outcome": "won"},
    ],
    "opportunities": [
        {
            "id": "17",
            "name": "Deal 17",
            "account_id": "11",
            "owner_id": "1",
            "pipeline": "New",
            "stage": "Talk",
            "outcome": "open",
            "amount": "1200.50",
            "currency": "EUR",
            "created_at": "2026-01-05T10:00:00Z",
            "close_on": "2026-04-30",
            "external_id": "X-17",
            "modified_at": "2026-02-01T08:00:00Z",
        },
        {
            "id": "18",
            "name": "Deal 18",
            "owner_id": "2",
            "pipeline": "New",
            "stage": "Won it",
            "outcome": "won",
            "created_at": "2026-01-06T10:00:00Z",
            "modified_at": "2026-02-10T10:00:00Z",
        },
    ],
    "changes": [
        {
            "id": "1",
            "record": "opportunity",
            "record_id": "18",
            "field": "stage",
            "old": "Talk",
            "new": "Won it",
            "at": "2026-02-10T10:00:00Z",
        }
    ],
    "activities": [
        {"id": "31", "kind": "visit", "owner_id": "1", "opportunity_id": "17", "planned_at": "2026-01-10T09:00:00Z"},
        {"id": "32", "kind": "task", "owner_id": "1", "planned_at": "2026-01-11T09:00:00Z"},
    ],
    "line_items": [{"id": "51", "opportunity_id": "17", "product": "GTX", "quantity": "2", "amount": "600.25"}],
}
DEALS = "opportunity-service/opportunities"


class Caller:
    """Calls a tenant in this thread and moves its clock."""

    def __init__(self, world: Path | None = None, **options: Any) -> None:
        self.moment = START
        self.emulator = SapV2Emulator(world, clock=lambda: self.moment, **options)
        self.emulator.url = "http://127.0.0.1:1"
        self.sent: dict[str, str] = {"authorization": BASIC}

    def wait(self, seconds: float) -> None:
        """Lets time pass for the tenant."""
        self.moment += timedelta(seconds=seconds)

    def __call__(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """The whole answer. A target without a leading slash is below ``/sap/c4c/api/v1``."""
        parts = urlsplit(target if target.startswith("/") else f"{BASE}/{target}")
        sent = b"" if body is None else json.dumps(body).encode()
        named = Headers({**self.sent, **{name.replace("_", "-"): value for name, value in headers.items()}})
        if body is not None:
            named.setdefault("content-type", MERGE)
        query = parse_qs(parts.query, keep_blank_values=True)
        return self.emulator.answer(Request(method, parts.path, query, named, sent))

    def json(self, target: str, status: int = 200) -> Any:
        """The JSON of a GET."""
        reply = self("GET", target)
        body = json.loads(reply.body) if isinstance(reply.body, str) else reply.body
        assert reply.status == status, (reply.status, body)
        return body

    def names(self, query: str) -> list[str]:
        """The names of the opportunities that answer."""
        return [row["name"] for row in self.json(f"{DEALS}?{query}")["value"]]

    def path(self, world_id: str = "17") -> str:
        """The path of an opportunity of the world."""
        return f"{DEALS}/{self.emulator.ids['opportunities'][world_id]}"

    def patch(self, body: Any, world_id: str = "17", **headers: str) -> Reply:
        """Changes an opportunity with its present tag."""
        tag = self("GET", self.path(world_id)).headers["ETag"]
        return self("PATCH", self.path(world_id), body, **{"if_match": tag, **headers})

    def code(self, reply: Reply) -> str:
        """The code of a refusal."""
        return str(reply.body["error"]["code"])


@pytest.fixture
def tenant(tmp_path: Path) -> Caller:
    """The tenant of the small world, with a field for scores."""
    write_world(tmp_path / "world", WORLD)
    return Caller(tmp_path / "world", fields=[{"entity": "opportunities", "name": "ZOppScore", "type": "decimal"}])


@pytest.fixture
def tenant_with(tmp_path: Path) -> Callable[..., Caller]:
    """Makes a tenant with options, of the small world or of other tables."""

    def build(tables: Mapping[str, Sequence[Mapping[str, str]]] | None = None, **options: Any) -> Caller:
        write_world(tmp_path / "world", WORLD if tables is None else tables)
        return Caller(tmp_path / "world", **options)

    return build
