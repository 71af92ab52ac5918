"""An emulated Zoho org with a small world in it, and connectors to it."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.auth import TokenStore
from connectors.base import FieldSpec, WriteTarget
from connectors.sandbox.zoho import ZohoEmulator
from connectors.zoho import Zoho
from tests.connectors.rig import Rig, Tables, rigs

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


class Org(Rig[Zoho]):
    """An emulated org, and connectors to it."""

    kind = Zoho
    emulates = ZohoEmulator
    sign_in: ClassVar = dict.fromkeys(("client_id", "client_secret", "refresh_token"), "sandbox")

    def connect(self, tokens: TokenStore | None = None, **extra: Any) -> Zoho:
        """A connector as a new process would have it; it waits for no job either."""
        connector = super().connect(tokens, **{"allowance": {"share": 1}, **extra})
        connector.reader.bulk.sleep = connector.bulk_write.sleep = lambda _seconds: None
        return connector


@pytest.fixture
def world() -> Tables:
    """The small world, to be changed at will."""
    return deepcopy(WORLD)


@pytest.fixture
def make_org(tmp_path: Path) -> Iterator[Callable[..., Org]]:
    """Makes an org: of tables (the small world by default) and the emulator's switches."""
    with rigs(Org, tmp_path, WORLD) as make:
        yield make


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
