"""Emulated tenants of both SAP products with a small world in them, and connectors to them."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.auth import MemoryTokens
from connectors.base import Connector, Page, Window
from connectors.http import Http
from connectors.mapping import Mapper
from connectors.sandbox.sap import SapEmulator
from connectors.sandbox.sap_v2 import SapV2Emulator
from connectors.sandbox.server import Server
from connectors.sap import Sap
from connectors.sap_v2 import SapV2
from tests.connectors.rig import KEY, Tables, write_world

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""The emulated clock: behind everything in the small world."""

WORLD: Tables = {
    "people": [
        {"id": "1", "name": "Ann Lee", "email": "ann@example.com", "active": "true", "team": "North", "role": "Lead",
         "started_on": "2020-01-01", "modified_at": "2026-01-05T09:00:00Z"},
        {"id": "2", "name": "Bo Øst", "email": "bo@example.com", "active": "false", "manager_id": "1", "team": "North",
         "role": "AE", "started_on": "2021-01-01", "ended_on": "2026-02-28", "modified_at": "2026-01-06T09:00:00Z"},
    ],
    "accounts": [
        {"id": "10", "name": "Acme", "owner_id": "1", "industry": "Steel", "created_at": "2025-06-01T08:00:00Z",
         "modified_at": "2026-01-07T09:00:00Z"},
    ],
    "stages": [
        {"id": "s1", "pipeline": "Standard", "stage": "Talk", "label": "Talk", "position": "1", "outcome": "open"},
        {"id": "s2", "pipeline": "Standard", "stage": "Offer", "label": "Offer", "position": "2", "outcome": "open"},
        {"id": "s3", "pipeline": "Standard", "stage": "Won", "label": "Won", "position": "3", "outcome": "won"},
    ],
    "opportunities": [
        {"id": "100", "name": "Big", "account_id": "10", "owner_id": "1", "stage": "Offer", "outcome": "open",
         "amount": "12000.50", "currency": "EUR", "created_at": "2026-01-10T08:00:00Z", "close_on": "2026-04-30",
         "probability": "0.6", "external_id": "L-1", "modified_at": "2026-02-01T10:00:00Z"},
        {"id": "101", "name": "Done", "account_id": "10", "owner_id": "2", "stage": "Won", "outcome": "won", "amount": "300",
         "currency": "EUR", "created_at": "2025-11-01T08:00:00Z", "close_on": "2026-02-10",
         "closed_at": "2026-02-10T15:00:00Z", "modified_at": "2026-02-10T15:00:00Z"},
        {"id": "102", "name": "Vague", "account_id": "10", "owner_id": "1", "stage": "Talk", "outcome": "open",
         "created_at": "2026-01-01T08:00:00Z", "modified_at": "2026-01-01T08:00:00Z"},
    ],
    "changes": [
        {"id": "c1", "record": "opportunity", "record_id": "100", "field": "stage", "old": "Talk", "new": "Offer",
         "at": "2026-02-01T10:00:00Z", "by": "1"},
    ],
    "activities": [
        {"id": "a1", "kind": "call", "owner_id": "1", "opportunity_id": "100", "account_id": "10", "contact_ids": "77",
         "direction": "inbound", "created_at": "2026-02-02T08:00:00Z", "completed_at": "2026-02-02T09:00:00Z",
         "duration_seconds": "300", "modified_at": "2026-02-02T09:00:00Z"},
        {"id": "a2", "kind": "email", "owner_id": "1", "opportunity_id": "100", "account_id": "10", "direction": "outbound",
         "created_at": "2026-02-03T08:00:00Z", "completed_at": "2026-02-03T08:00:00Z", "modified_at": "2026-02-03T08:00:00Z"},
        {"id": "a3", "kind": "task", "owner_id": "2", "opportunity_id": "101", "created_at": "2026-02-03T08:00:00Z",
         "planned_at": "2026-02-04T08:00:00Z", "completed_at": "2026-02-04T08:00:00Z", "modified_at": "2026-02-04T08:00:00Z"},
        {"id": "a4", "kind": "meeting", "owner_id": "1", "opportunity_id": "100", "created_at": "2026-02-04T08:00:00Z",
         "planned_at": "2026-02-05T10:00:00Z", "completed_at": "2026-02-05T11:00:00Z", "duration_seconds": "3600",
         "modified_at": "2026-02-05T11:00:00Z"},
        {"id": "a5", "kind": "visit", "owner_id": "1", "account_id": "10", "created_at": "2026-02-05T08:00:00Z",
         "planned_at": "2026-03-05T10:00:00Z", "modified_at": "2026-02-05T11:00:00Z"},
    ],
    "splits": [
        {"id": "x1", "opportunity_id": "100", "person_id": "1", "percentage": "0.7", "kind": "revenue",
         "modified_at": "2026-02-01T10:00:00Z"},
    ],
    "line_items": [
        {"id": "l1", "opportunity_id": "100", "product": "GTX", "quantity": "3", "amount": "1500.75",
         "modified_at": "2026-02-01T10:00:00Z"},
    ],
}  # fmt: skip


class Tenant:
    """An emulated tenant, and connectors to it as new processes would have them."""

    def __init__(self, emulator: Any, url: str, cls: type[Connector]) -> None:
        self.emulator = emulator
        self.url = url
        self.cls = cls
        self._open: list[Connector] = []

    def connect(self, **extra: Any) -> Any:
        """A connector; ``extra`` stands in its connection file."""
        sign_in = {"username": "sandbox", "password": "sandbox"}
        values = {"kind": self.cls.kind, "base_url": self.url, "sign_in": sign_in, **extra}
        settings = self.cls.settings.model_validate(values, context={"loopback": True}).named("crm")
        auth = None if self.cls.auth is None else self.cls.auth.bind(settings, MemoryTokens())
        self._open.append(self.cls(settings, Http(settings, self.cls.manners, auth, sleep=lambda _seconds: None)))
        return self._open[-1]

    def id(self, table: str, name: str) -> str:
        """SAP's id of a record of the world."""
        found: str = self.emulator.ids[table][name]
        return found

    def pages(
        self, connector: Connector, name: str, start: datetime | None = None, resume: str | None = None
    ) -> list[Page]:
        """Every page of a window that ends now."""
        on = frozenset(one.name for one in self.cls.streams)
        stream = next(one for one in self.cls.streams if one.name == name)
        return list(connector.pull(stream, Window(start, NOW + timedelta(hours=1), streams=on), resume))

    def read(self, connector: Connector, name: str, start: datetime | None = None) -> dict[str, Any]:
        """The records of a window by id."""
        raws = [raw for page in self.pages(connector, name, start) for raw in page.rows if raw.stream.name == name]
        records = [Mapper(raw.stream, connector.connection, key=KEY)(raw.fields) for raw in raws]
        return {record.remote_id: record for record in records}

    def calls(self, act: Callable[[], object]) -> int:
        """How many calls ``act`` makes."""
        self.emulator.stats.clear()
        act()
        return sum(self.emulator.stats.values())

    def close(self) -> None:
        """Gives back sockets."""
        for connector in self._open:
            connector.close()


Make = Callable[..., Tenant]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a tenant of a kind: of tables (the small world by default) and the emulator's switches."""
    servers: list[Server] = []
    tenants: list[Tenant] = []
    kinds: dict[str, tuple[Any, type[Connector]]] = {"sap": (SapEmulator, Sap), "sap_v2": (SapV2Emulator, SapV2)}

    def build(kind: str, tables: Tables | None = None, **options: Any) -> Tenant:
        emulated, cls = kinds[kind]
        folder = write_world(tmp_path / str(len(servers)), WORLD if tables is None else tables)
        emulator = emulated(folder, clock=lambda: NOW, **options)
        servers.append(Server(emulator))
        tenants.append(Tenant(emulator, servers[-1].__enter__().url, cls))
        return tenants[-1]

    yield build
    for tenant in tenants:
        tenant.close()
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def world() -> Tables:
    """The small world, to be changed at will."""
    return deepcopy(WORLD)


@pytest.fixture
def many() -> Callable[[int], Tables]:
    """The small world with so many deals, all changed in the same second."""

    def of(count: int) -> Tables:
        deals: Sequence[dict[str, str]] = [{**WORLD["opportunities"][0], "id": str(1000 + n)} for n in range(count)]
        return {**WORLD, "opportunities": list(deals), "changes": [], "activities": [], "splits": [], "line_items": []}

    return of
