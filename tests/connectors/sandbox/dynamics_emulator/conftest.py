"""A caller of the Dynamics emulator without a socket, and a small world."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.sandbox.dynamics import DynamicsEmulator
from connectors.sandbox.folder import write_world
from connectors.sandbox.routing import Headers, Reply, Request

START = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)
ROOT = "/api/data/v9.2/"


class Caller:
    """Calls an emulator in this thread and moves its clock."""

    def __init__(self, **options: Any) -> None:
        self.moment = START
        self.emulator = DynamicsEmulator(**options)
        self.emulator.clock = lambda: self.moment
        self.token = "sandbox"

    def wait(self, seconds: float) -> None:
        """Lets time pass for the emulator."""
        self.moment += timedelta(seconds=seconds)

    def __call__(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """The whole answer; ``target`` without a leading slash is below the service root."""
        if "://" not in target and not target.startswith("/"):
            target = ROOT + target
        parts = urlsplit(target)
        kind = {} if body is None else {"content-type": "application/json"}
        given = {**kind, **{name.replace("_", "-").lower(): value for name, value in headers.items()}}
        held = Headers({"host": "crm.test", "authorization": f"Bearer {self.token}", **given})
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        query = parse_qs(parts.query, keep_blank_values=True)
        return self.emulator.answer(Request(method, parts.path, query, held, data))

    def get(self, target: str, **headers: str) -> Any:
        """The JSON of an answer that must be 200."""
        reply = self("GET", target, **headers)
        assert reply.status == 200, reply.body
        return data_of(reply)

    def code(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """Status and error code of an answer."""
        reply = self(method, target, body, **headers)
        return reply.status, data_of(reply)["error"]["code"] if reply.body else ""

    def walk(self, target: str, **headers: str) -> list[Any]:
        """Every row of every page."""
        rows, link = [], target
        while link:
            page = self.get(link, **headers)
            rows += page["value"]
            link = page.get("@odata.nextLink", "")
        return rows

    def deal(self, world_id: str) -> str:
        """Address of an opportunity of the world."""
        return f"opportunities({self.emulator.ids['opportunities'][world_id]})"


def data_of(reply: Reply) -> Any:
    """The JSON of an answer."""
    return json.loads(reply.body, parse_float=Decimal) if isinstance(reply.body, str) else reply.body


def small_world(folder: Path) -> Path:
    """Two people, an account, five deals in two currencies, with a past, activities, a split, a goal, surveys."""
    deals = [
        {"id": str(one), "name": f"Deal {one}", "account_id": "a1", "owner_id": "p1", "pipeline": "New", "stage": "Start",
         "outcome": "open", "amount": "100.50", "currency": "EUR", "created_at": "2026-01-05T08:00:00Z",
         "close_on": "2026-04-01", "probability": "0.25", "external_id": f"X{one}",
         "modified_at": f"2026-02-0{one}T10:00:00Z"}
        for one in range(1, 6)
    ]  # fmt: skip
    deals[1] |= {"currency": "USD", "amount": "220"}
    deals[2] |= {"stage": "Won", "outcome": "won", "closed_at": "2026-02-03T10:00:00Z"}
    deals[4] |= {"connection": "hubspot"}
    tables: dict[str, list[dict[str, str]]] = {
        "people": [
            {"id": "p1", "name": "Ann Lee", "email": "ann@example.com", "active": "true", "manager_id": "p2", "team": "North"},
            {"id": "p2", "name": "Bo Ray", "email": "bo@example.com", "active": "false"},
        ],
        "accounts": [{"id": "a1", "name": "Acme", "owner_id": "p1", "industry": "Energy", "modified_at": "2026-01-01T00:00:00Z"}],
        "stages": [
            {"id": "1", "pipeline": "New", "stage": "Start", "outcome": "open"},
            {"id": "2", "pipeline": "New", "stage": "Won", "outcome": "won"},
        ],
        "opportunities": [{"connection": "dynamics", **one} for one in deals],
        "changes": [
            {"id": "1", "record": "opportunity", "record_id": "3", "field": "stage", "old": "Start", "new": "Won",
             "at": "2026-02-03T10:00:00Z", "by": "p1"},
            {"id": "2", "record": "opportunity", "record_id": "1", "field": "amount", "old": "90", "new": "100.50",
             "at": "2026-02-01T10:00:00Z", "by": "p1"},
        ],
        "activities": [
            {"id": "c1", "kind": "call", "owner_id": "p1", "opportunity_id": "1", "contact_ids": "k1", "direction": "outbound",
             "created_at": "2026-02-01T08:00:00Z", "completed_at": "2026-02-01T08:10:00Z", "duration_seconds": "600"},
            {"id": "c2", "kind": "visit", "owner_id": "p1", "account_id": "a1", "created_at": "2026-02-01T08:00:00Z",
             "planned_at": "2026-03-01T08:00:00Z"},
        ],
        "splits": [{"id": "s1", "opportunity_id": "1", "person_id": "p2", "percentage": "0.4", "kind": "revenue"}],
        "line_items": [{"id": "l1", "opportunity_id": "1", "product": "Base", "quantity": "2", "amount": "100.50"}],
        "targets": [{"id": "t1", "subject_kind": "person", "subject_id": "p1", "metric": "bookings", "amount": "5000",
                     "currency": "EUR", "period_start": "2026-01-01", "period_end": "2026-03-31"}],
        "surveys": [{"id": "u1", "person_id": "p1", "account_id": "a1", "scale": "csat5", "answer": "4"}],
        "rates": [{"id": "r1", "currency": "USD", "to": "EUR", "rate": "0.5", "on": "2026-01-01"}],
    }  # fmt: skip
    write_world(folder, tables)
    return folder


@pytest.fixture
def make_crm(tmp_path: Path) -> Callable[..., Caller]:
    """Makes a caller of an environment with the small world."""
    folder = small_world(tmp_path / "world")
    return lambda **options: Caller(**{"world": folder, **options})


@pytest.fixture
def crm(make_crm: Callable[..., Caller]) -> Caller:
    """A caller of an environment with the small world."""
    return make_crm()
