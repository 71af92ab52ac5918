"""An emulated Zoho org with a small world in it, and connectors to it."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.auth import MemoryTokens, TokenStore
from connectors.base import FieldSpec, Page, Stream, Window, WriteTarget
from connectors.http import Http
from connectors.limiter import Limiter
from connectors.mapping import Mapper
from connectors.sandbox.server import Server
from connectors.sandbox.zoho import ZohoEmulator
from connectors.zoho import Zoho
from connectors.zoho_settings import ZohoSettings

KEY = b"0123456789abcdef"
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
"""The emulated clock: behind everything that a world without times is stamped with when it is loaded."""

Tables = dict[str, list[dict[str, str]]]

WORLD: Tables = {
    "people": [
        {"id": "1", "name": "Ann Lee", "email": "ann@example.com", "active": "true", "team": "North", "territory": "EMEA", "role": "AE East",
         "modified_at": "2026-01-05T09:00:00Z"},
        {"id": "2", "name": "Bo Øst", "email": "bo@example.com", "active": "false", "manager_id": "1", "team": "South",
         "modified_at": "2026-01-06T09:00:00Z"},
    ],
    "accounts": [
        {"id": "10", "name": "Acme", "owner_id": "1", "industry": "Steel", "region": "DE", "created_at": "2025-06-01T08:00:00Z",
         "modified_at": "2026-01-07T09:00:00Z"},
        {"id": "11", "name": 'O\'Acme, "Ltd"', "parent_id": "10", "owner_id": "2", "created_at": "2025-06-02T08:00:00Z",
         "modified_at": "2026-01-08T09:00:00Z"},
    ],
    "stages": [
        {"id": "s1", "pipeline": "Sales", "stage": "Prospecting", "label": "Prospecting", "position": "1", "outcome": "open", "probability": "0.1"},
        {"id": "s2", "pipeline": "Sales", "stage": "Proposal", "label": "Offer", "position": "2", "outcome": "open", "probability": "0.6"},
        {"id": "s3", "pipeline": "Sales", "stage": "Closed Won", "label": "Closed Won", "position": "3", "outcome": "won", "probability": "1"},
        {"id": "s4", "pipeline": "Sales", "stage": "Closed Lost", "label": "Closed Lost", "position": "4", "outcome": "lost", "probability": "0"},
        {"id": "s5", "pipeline": "Sales", "stage": "Parked", "label": "Parked", "position": "5", "outcome": "omitted", "probability": "0"},
    ],
    "opportunities": [
        {"id": "100", "name": "Big", "account_id": "10", "owner_id": "1", "pipeline": "Sales", "stage": "Proposal", "outcome": "open",
         "amount": "12000.50", "currency": "EUR", "created_at": "2026-01-10T08:00:00Z", "close_on": "2026-04-30", "type": "New",
         "source": "Web", "probability": "0.6", "next_step": "Call", "external_id": "X1", "modified_at": "2026-02-01T10:00:00Z"},
        {"id": "101", "name": "Won", "account_id": "11", "owner_id": "2", "pipeline": "Sales", "stage": "Closed Won", "outcome": "won",
         "amount": "300", "currency": "USD", "created_at": "2025-11-01T08:00:00Z", "close_on": "2026-02-10", "probability": "1",
         "modified_at": "2026-02-10T15:00:00Z"},
        {"id": "102", "name": "Lost", "account_id": "10", "owner_id": "1", "pipeline": "Sales", "stage": "Closed Lost", "outcome": "lost",
         "currency": "EUR", "created_at": "2025-03-01T08:00:00Z", "close_on": "2025-09-01", "probability": "0",
         "modified_at": "2025-09-01T15:00:00Z"},
    ],
    "changes": [
        {"id": "c2", "record": "opportunity", "record_id": "100", "field": "close_on", "old": "2026-03-31", "new": "2026-04-30",
         "at": "2026-01-20T08:00:00Z", "by": "1"},
        {"id": "c3", "record": "opportunity", "record_id": "100", "field": "stage", "old": "Prospecting", "new": "Proposal",
         "at": "2026-02-01T10:00:00Z", "by": "1"},
        {"id": "c4", "record": "opportunity", "record_id": "101", "field": "owner_id", "old": "1", "new": "2",
         "at": "2025-12-01T10:00:00Z", "by": "1"},
    ],
    "activities": [
        {"id": "a1", "kind": "call", "owner_id": "1", "opportunity_id": "100", "account_id": "10", "contact_ids": "k1",
         "direction": "inbound", "created_at": "2026-02-02T08:00:00Z", "completed_at": "2026-02-02T09:00:00Z", "duration_seconds": "300",
         "modified_at": "2026-02-02T09:00:00Z"},
        {"id": "a2", "kind": "email", "owner_id": "1", "opportunity_id": "100", "account_id": "10", "direction": "outbound",
         "created_at": "2026-02-03T08:00:00Z", "completed_at": "2026-02-03T08:00:00Z", "modified_at": "2026-02-03T08:00:00Z"},
        {"id": "a3", "kind": "task", "owner_id": "2", "opportunity_id": "101", "created_at": "2024-02-03T08:00:00Z",
         "planned_at": "2024-02-04T08:00:00Z", "completed_at": "2024-02-04T08:00:00Z", "modified_at": "2024-02-04T08:00:00Z"},
        {"id": "a4", "kind": "meeting", "owner_id": "1", "account_id": "10", "created_at": "2026-02-04T08:00:00Z",
         "planned_at": "2026-02-05T10:00:00Z", "completed_at": "2026-02-05T11:00:00Z", "duration_seconds": "3600",
         "modified_at": "2026-02-05T11:00:00Z"},
        {"id": "a5", "kind": "call", "owner_id": "1", "opportunity_id": "100", "direction": "outbound",
         "created_at": "2026-02-06T08:00:00Z", "planned_at": "2026-12-01T09:00:00Z", "modified_at": "2026-02-06T09:00:00Z"},
    ],
    "line_items": [{"id": "l1", "opportunity_id": "100", "product": "Pump", "quantity": "2", "amount": "500.25"}],
    "rates": [{"id": "r1", "currency": "USD", "to": "EUR", "rate": "0.8", "on": "2026-01-01"}],
}  # fmt: skip


def write_world(folder: Path, tables: Mapping[str, Sequence[Mapping[str, str]]]) -> Path:
    for name, rows in tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


class Org:
    """An emulated org, and connectors to it."""

    now = NOW
    streams: Mapping[str, Stream] = {stream.name: stream for stream in Zoho.streams}

    def __init__(self, emulator: ZohoEmulator, url: str) -> None:
        self.emulator = emulator
        self.url = url
        self._open: list[Zoho] = []

    def settings(self, **extra: Any) -> ZohoSettings:
        """A connection file's content."""
        secrets = dict.fromkeys(("client_id", "client_secret", "refresh_token"), "sandbox")
        values = {"kind": "zoho", "base_url": self.url, "sign_in": secrets, "allowance": {"share": 1}, **extra}
        settings = ZohoSettings.model_validate(values, context={"loopback": True}).named("zoho")
        assert isinstance(settings, ZohoSettings)
        return settings

    def connect(self, tokens: TokenStore | None = None, **extra: Any) -> Zoho:
        """A connector as a new process would have it; it never really waits."""
        settings = self.settings(**extra)
        auth = Zoho.auth.bind(settings, tokens or MemoryTokens())
        limiter = Limiter(Zoho.manners.buckets, settings.allowance, sleep=lambda _seconds: None)
        connector = Zoho(settings, Http(settings, Zoho.manners, auth, limiter, sleep=lambda _seconds: None))
        connector.reader.bulk.sleep = connector.bulk_write.sleep = lambda _seconds: None
        self._open.append(connector)
        return connector

    def id(self, table: str, name: str) -> str:
        """Zoho's id of a record of the world."""
        return self.emulator.ids[table][name]

    def arm(self, name: str, **settings: Any) -> None:
        """Arms a fault."""
        self.emulator.faults.arm({"name": name, **settings})

    def calls(self, act: Callable[[], object]) -> dict[str, int]:
        """What ``act`` costs, without sign-in."""
        self.emulator.stats.clear()
        act()
        return {where: count for where, count in self.emulator.stats.items() if "oauth" not in where}

    def pages(
        self, connector: Zoho, name: str, start: datetime | None = None, end: datetime = NOW, **more: Any
    ) -> list[Page]:
        """Every page of a window."""
        return list(connector.pull(self.streams[name], Window(start, end, **more), None))

    def records(self, connector: Zoho, found: Sequence[Page]) -> list[Any]:
        """The rows of pages as records."""
        return [Mapper(raw.stream, connector.connection, key=KEY)(raw.fields) for page in found for raw in page.rows]

    def read(self, connector: Zoho, name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The records of a window by id."""
        found = self.records(connector, self.pages(connector, name, *args, **kwargs))
        return {record.remote_id: record for record in found}

    def close(self) -> None:
        """Gives back sockets."""
        for connector in self._open:
            connector.close()


@pytest.fixture
def world() -> Tables:
    """The small world, to be changed at will."""
    return deepcopy(WORLD)


@pytest.fixture
def make_org(tmp_path: Path) -> Iterator[Callable[..., Org]]:
    """Makes an org: of tables (the small world by default) and the emulator's switches."""
    servers: list[Server] = []
    orgs: list[Org] = []

    def make(tables: Tables | None = None, **options: Any) -> Org:
        folder = tmp_path / str(len(servers))
        folder.mkdir()
        emulator = ZohoEmulator(write_world(folder, WORLD if tables is None else tables), **options)
        emulator.clock = lambda: NOW
        servers.append(Server(emulator))
        orgs.append(Org(emulator, servers[-1].__enter__().url))
        return orgs[-1]

    yield make
    for org in orgs:
        org.close()
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def org(make_org: Callable[..., Org]) -> Org:
    """The org of the small world."""
    return make_org()


@pytest.fixture
def many() -> Callable[[int], Tables]:
    """A world of so many deals, each of which moved once, with a call each."""

    def make(count: int) -> Tables:
        tables = deepcopy(WORLD)
        usual = tables["opportunities"][0]
        tables["opportunities"] = [
            {**usual, "id": f"d{n}", "name": f"Deal {n}", "external_id": f"E{n}", "amount": f"{n}.25"}
            for n in range(count)
        ]
        tables["changes"] = [{**tables["changes"][1], "id": f"m{n}", "record_id": f"d{n}"} for n in range(count)]
        tables["activities"] = [
            {**tables["activities"][0], "id": f"k{n}", "opportunity_id": f"d{n}", "contact_ids": ""}
            for n in range(count)
        ]
        tables["line_items"] = []
        return tables

    return make


@pytest.fixture
def deal_fields() -> list[FieldSpec]:
    """Fields of ours on a deal, of several types."""
    deals = WriteTarget("opportunity")
    return [
        FieldSpec(deals, "Scoreback_Score", "Scoreback score", "number", help="0 to 100"),
        FieldSpec(deals, "Scoreback_Reasons", "Scoreback reasons", "text"),
        FieldSpec(deals, "Scoreback_Scored_At", "Scoreback scored at", "datetime"),
    ]


@pytest.fixture
def appraisal_fields() -> list[FieldSpec]:
    """Fields of a module of our own, beside its key."""
    appraisals = WriteTarget("person", into="ScorebackAppraisals", key="Scoreback_Key")
    return [FieldSpec(appraisals, "Scoreback_Band", "Scoreback band", "text", length=2)]


@pytest.fixture
def writer(org: Org, deal_fields: list[FieldSpec], appraisal_fields: list[FieldSpec]) -> Zoho:
    """A connector to the org, with our fields there."""
    connector = org.connect()
    assert {step.state for step in connector.provision([*deal_fields, *appraisal_fields], dry_run=False)} == {"created"}
    return connector
