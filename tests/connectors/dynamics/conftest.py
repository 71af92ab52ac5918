"""An emulated Dataverse environment with a small world in it, and connectors to it."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.auth import MemoryTokens, TokenStore
from connectors.base import FieldSpec, Page, Stream, Window, WriteTarget
from connectors.dynamics import Dynamics
from connectors.dynamics_settings import DynamicsSettings
from connectors.http import Http
from connectors.mapping import Mapper
from connectors.sandbox.dynamics import DynamicsEmulator
from connectors.sandbox.server import Server

KEY = b"0123456789abcdef"
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
"""The emulated clock: behind everything that a world without times is stamped with when it is loaded."""

Tables = dict[str, list[dict[str, str]]]

WORLD: Tables = {
    "people": [
        {"id": "1", "name": "Ann Lee", "email": "ann@example.com", "active": "true", "team": "North", "territory": "Baltics",
         "region": "EMEA", "role": "AE East", "modified_at": "2026-01-05T09:00:00Z"},
        {"id": "2", "name": "Bo Øst", "email": "bo@example.com", "active": "false", "manager_id": "1", "team": "South",
         "modified_at": "2026-01-06T09:00:00Z"},
    ],
    "accounts": [
        {"id": "10", "name": "Acme", "owner_id": "1", "industry": "Steel", "region": "FI", "created_at": "2025-06-01T08:00:00Z",
         "modified_at": "2026-01-07T09:00:00Z"},
        {"id": "11", "name": 'Acme, "Ltd"', "parent_id": "10", "owner_id": "2", "created_at": "2025-06-02T08:00:00Z",
         "modified_at": "2026-01-08T09:00:00Z"},
    ],
    "stages": [
        {"id": "s1", "pipeline": "New", "stage": "Qualify", "label": "Qualify", "position": "1", "outcome": "open"},
        {"id": "s2", "pipeline": "New", "stage": "Propose", "label": "Propose", "position": "2", "outcome": "open"},
    ],
    "opportunities": [
        {"id": "100", "name": "Big", "account_id": "10", "owner_id": "1", "pipeline": "New", "stage": "Propose", "outcome": "open",
         "amount": "12000.50", "currency": "EUR", "created_at": "2026-01-10T08:00:00Z", "close_on": "2026-04-30", "source": "Web",
         "probability": "0.6", "forecast_category": "best case", "discount": "0.05", "external_id": "L-1",
         "modified_at": "2026-02-01T10:00:00Z"},
        {"id": "101", "name": "Won", "account_id": "11", "owner_id": "2", "pipeline": "New", "stage": "Propose", "outcome": "won",
         "amount": "300", "currency": "USD", "created_at": "2025-11-01T08:00:00Z", "close_on": "2026-02-10",
         "closed_at": "2026-02-10T15:00:00Z", "probability": "1", "modified_at": "2026-02-10T15:00:00Z"},
        {"id": "102", "name": "Lost", "account_id": "10", "owner_id": "1", "pipeline": "New", "stage": "Qualify", "outcome": "omitted",
         "currency": "EUR", "created_at": "2025-03-01T08:00:00Z", "close_on": "2025-09-01", "closed_at": "2025-09-01T10:30:00Z",
         "modified_at": "2025-09-01T10:30:00Z"},
    ],
    "changes": [
        {"id": "c1", "record": "opportunity", "record_id": "100", "field": "stage", "old": "Qualify", "new": "Propose",
         "at": "2026-02-01T10:00:00Z", "by": "1"},
        {"id": "c2", "record": "opportunity", "record_id": "100", "field": "close_on", "old": "2026-03-31", "new": "2026-04-30",
         "at": "2026-01-20T08:00:00Z", "by": "1"},
        {"id": "c3", "record": "opportunity", "record_id": "100", "field": "amount", "old": "9000", "new": "12000.50",
         "at": "2026-01-21T08:00:00Z", "by": "2"},
        {"id": "c4", "record": "opportunity", "record_id": "101", "field": "owner_id", "old": "1", "new": "2",
         "at": "2025-12-01T10:00:00Z", "by": "1"},
        {"id": "c5", "record": "opportunity", "record_id": "100", "field": "probability", "old": "0.3", "new": "0.6",
         "at": "2026-02-02T10:00:00Z", "by": "1"},
        {"id": "c6", "record": "opportunity", "record_id": "100", "field": "forecast_category", "old": "pipeline",
         "new": "best case", "at": "2026-02-03T10:00:00Z", "by": "1"},
    ],
    "activities": [
        {"id": "a1", "kind": "call", "owner_id": "1", "opportunity_id": "100", "contact_ids": "k1;k2", "direction": "inbound",
         "two_way": "true", "auto_logged": "true", "created_at": "2026-02-02T08:00:00Z", "completed_at": "2026-02-02T09:00:00Z",
         "duration_seconds": "300", "modified_at": "2026-02-02T09:00:00Z"},
        {"id": "a2", "kind": "email", "owner_id": "1", "account_id": "10", "direction": "outbound",
         "created_at": "2026-02-03T08:00:00Z", "completed_at": "2026-02-03T08:00:00Z", "modified_at": "2026-02-03T08:00:00Z"},
        {"id": "a3", "kind": "task", "owner_id": "2", "opportunity_id": "101", "created_at": "2026-02-03T08:00:00Z",
         "planned_at": "2026-02-04T08:00:00Z", "modified_at": "2026-02-04T08:00:00Z"},
        {"id": "a4", "kind": "meeting", "owner_id": "1", "opportunity_id": "100", "participant_ids": "1;2",
         "created_at": "2026-02-04T08:00:00Z", "planned_at": "2026-02-05T10:00:00Z", "completed_at": "2026-02-05T11:00:00Z",
         "duration_seconds": "3600", "modified_at": "2026-02-05T11:00:00Z"},
        {"id": "a5", "kind": "visit", "owner_id": "1", "account_id": "10", "created_at": "2026-02-04T08:00:00Z",
         "planned_at": "2026-03-05T10:00:00Z", "modified_at": "2026-02-05T11:00:00Z"},
    ],
    "splits": [{"id": "sp1", "opportunity_id": "100", "person_id": "2", "percentage": "0.4", "kind": "overlay"}],
    "line_items": [{"id": "l1", "opportunity_id": "100", "product": "Base", "quantity": "2", "amount": "100.50"}],
    "targets": [
        {"id": "t1", "subject_kind": "person", "subject_id": "1", "metric": "bookings", "period_start": "2026-01-01",
         "period_end": "2026-03-31", "amount": "90000", "currency": "EUR"},
        {"id": "t2", "subject_kind": "team", "subject_id": "North", "metric": "Held Meetings", "period_start": "2026-01-01",
         "period_end": "2026-03-31", "amount": "40"},
    ],
    "surveys": [
        {"id": "u1", "person_id": "1", "account_id": "10", "scale": "csat5", "answer": "4", "sent_at": "2026-02-01T08:00:00Z"},
        {"id": "u2", "person_id": "1", "opportunity_id": "100", "scale": "nps", "answer": "9", "sent_at": "2026-02-01T08:00:00Z",
         "answered_at": "2026-02-02T08:00:00Z"},
    ],
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


class Crm:
    """An emulated environment, and connectors to it."""

    now = NOW
    streams: Mapping[str, Stream] = {stream.name: stream for stream in Dynamics.streams}

    def __init__(self, emulator: DynamicsEmulator, url: str) -> None:
        self.emulator = emulator
        self.url = url
        self._open: list[Dynamics] = []

    def settings(self, **extra: Any) -> DynamicsSettings:
        """A connection file's content."""
        sign_in = {"host": self.url, "tenant": "sandbox", "client_id": "sandbox", "client_secret": "sandbox"}
        values = {"kind": "dynamics", "base_url": self.url, "sign_in": sign_in, **extra}
        settings = DynamicsSettings.model_validate(values, context={"loopback": True}).named("dyn")
        assert isinstance(settings, DynamicsSettings)
        return settings

    def connect(
        self, tokens: TokenStore | None = None, *, places: Mapping[str, str] | None = None, **extra: Any
    ) -> Dynamics:
        """A connector as a new process would have it."""
        settings = self.settings(**extra)
        auth = Dynamics.auth.bind(settings, tokens or MemoryTokens())
        door = Http(settings, Dynamics.manners, auth, sleep=lambda _seconds: None)
        connector = Dynamics(settings, door)
        connector.places.update(places or {})
        self._open.append(connector)
        return connector

    def id(self, table: str, name: str) -> str:
        """Dataverse's id of a record of the world."""
        return self.emulator.ids[table][name]

    def edit(self, table: str, name: str | None, /, **fields: Any) -> str:
        """What a user of the environment does."""
        with self.emulator.lock:
            return self.emulator.edit(table, name, fields)

    def remove(self, table: str, name: str) -> None:
        """A user deletes a record."""
        with self.emulator.lock:
            self.emulator.remove(table, name)

    def arm(self, name: str, **settings: Any) -> None:
        """Arms a fault."""
        self.emulator.faults.arm({"name": name, **settings})

    def calls(self, act: Callable[[], object]) -> dict[str, int]:
        """What ``act`` costs, without sign-in: by method and set."""
        self.emulator.stats.clear()
        act()
        return {
            where.replace("/api/data/{version}/", ""): count
            for where, count in self.emulator.stats.items()
            if "oauth2" not in where
        }

    def pages(
        self,
        connector: Dynamics,
        name: str,
        start: datetime | None = None,
        end: datetime = NOW,
        since: date | None = None,
    ) -> list[Page]:
        """Every page of a window."""
        return list(connector.pull(self.streams[name], Window(start, end, since), None))

    def records(self, connector: Dynamics, found: Sequence[Page]) -> list[Any]:
        """The rows of pages as records."""
        return [Mapper(raw.stream, connector.connection, key=KEY)(raw.fields) for page in found for raw in page.rows]

    def read(self, connector: Dynamics, name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
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
def make_crm(tmp_path: Path) -> Iterator[Callable[..., Crm]]:
    """Makes an environment: of tables (the small world by default) and the emulator's switches."""
    servers: list[Server] = []
    crms: list[Crm] = []

    def make(tables: Tables | None = None, **options: Any) -> Crm:
        folder = tmp_path / str(len(servers))
        folder.mkdir()
        emulator = DynamicsEmulator(write_world(folder, WORLD if tables is None else tables), **options)
        emulator.clock = lambda: NOW
        servers.append(Server(emulator))
        crms.append(Crm(emulator, servers[-1].__enter__().url))
        return crms[-1]

    yield make
    for crm in crms:
        crm.close()
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def crm(make_crm: Callable[..., Crm]) -> Crm:
    """The environment of the small world."""
    return make_crm()


@pytest.fixture
def wanted() -> list[FieldSpec]:
    """Columns of ours on deals and users, of every type."""
    deals, people = WriteTarget("opportunity"), WriteTarget("person")
    return [
        FieldSpec(deals, "sb_scoreback_score", "Scoreback score", "number", help="0 to 100"),
        FieldSpec(deals, "sb_scoreback_grade", "Scoreback grade", "text", length=10),
        FieldSpec(deals, "sb_scoreback_reasons", "Scoreback reasons", "long_text", length=1000),
        FieldSpec(deals, "sb_scoreback_scored_at", "Scoreback scored at", "datetime"),
        FieldSpec(deals, "sb_scoreback_due", "Scoreback due", "date"),
        FieldSpec(people, "sb_scoreback_score", "Scoreback appraisal", "number"),
    ]


@pytest.fixture
def writer(crm: Crm, wanted: list[FieldSpec]) -> Dynamics:
    """A connector to the environment, with our columns there."""
    connector = crm.connect()
    assert {step.state for step in connector.provision(wanted, dry_run=False)} == {"created"}
    return connector
