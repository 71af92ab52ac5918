"""An emulated Dataverse environment with a small world in it, and connectors to it."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from connectors.auth import TokenStore
from connectors.base import FieldSpec, WriteTarget
from connectors.dynamics import Dynamics
from connectors.sandbox.dynamics import DynamicsEmulator
from tests.connectors.rig import Rig, Tables, rigs

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


class Crm(Rig[Dynamics]):
    """An emulated environment, and connectors to it."""

    kind = Dynamics
    emulates = DynamicsEmulator

    @property
    def sign_in(self) -> Mapping[str, str]:  # type: ignore[override]  # tokens come from the emulator too
        """The application user's, with Entra at the emulator's address."""
        return {"host": self.url, **dict.fromkeys(("tenant", "client_id", "client_secret"), "sandbox")}

    def connect(
        self, tokens: TokenStore | None = None, *, places: Mapping[str, str] | None = None, **extra: Any
    ) -> Dynamics:
        """A connector as a new process would have it, with where the change feeds stand."""
        connector = super().connect(tokens, **extra)
        connector.places.update(places or {})
        return connector

    def calls(self, act: Callable[[], object]) -> dict[str, int]:
        """What ``act`` costs, without sign-in: by method and set."""
        return {where.replace("/api/data/{version}/", ""): count for where, count in super().calls(act).items()}


@pytest.fixture
def world() -> Tables:
    """The small world, to be changed at will."""
    return deepcopy(WORLD)


@pytest.fixture
def make_crm(tmp_path: Path) -> Iterator[Callable[..., Crm]]:
    """Makes an environment: of tables (the small world by default) and the emulator's switches."""
    with rigs(Crm, tmp_path, WORLD) as make:
        yield make


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
