"""An emulated Salesforce organisation with a small world in it, and connectors to it."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.base import FieldSpec, WriteTarget
from connectors.salesforce import Salesforce
from connectors.salesforce.provision import Provisioner
from connectors.sandbox.salesforce import SalesforceEmulator
from tests.connectors.rig import Rig, Tables, rigs

WORLD: Tables = {
    "people": [
        {"id": "1", "name": "Ann Lee", "email": "ann@example.com", "active": "true", "team": "North", "region": "EMEA", "role": "AE East",
         "modified_at": "2026-01-05T09:00:00Z"},
        {"id": "2", "name": "Bo Øst", "email": "bo@example.com", "active": "false", "manager_id": "1", "team": "South",
         "modified_at": "2026-01-06T09:00:00Z"},
    ],
    "accounts": [
        {"id": "10", "name": "Acme", "owner_id": "1", "industry": "Steel", "created_at": "2025-06-01T08:00:00Z",
         "modified_at": "2026-01-07T09:00:00Z"},
        {"id": "11", "name": 'Acme, "Ltd"', "parent_id": "10", "owner_id": "2", "created_at": "2025-06-02T08:00:00Z",
         "modified_at": "2026-01-08T09:00:00Z"},
    ],
    "stages": [
        {"id": "s1", "pipeline": "", "stage": "Prospecting", "label": "Prospecting", "position": "1", "outcome": "open", "probability": "0.1"},
        {"id": "s2", "pipeline": "", "stage": "Proposal", "label": "Proposal", "position": "2", "outcome": "open", "probability": "0.6"},
        {"id": "s3", "pipeline": "", "stage": "Closed Won", "label": "Closed Won", "position": "3", "outcome": "won", "probability": "1"},
        {"id": "s4", "pipeline": "", "stage": "Closed Lost", "label": "Closed Lost", "position": "4", "outcome": "lost", "probability": "0"},
    ],
    "opportunities": [
        {"id": "100", "name": "Big", "account_id": "10", "owner_id": "1", "stage": "Proposal", "outcome": "open", "amount": "12000.50",
         "currency": "EUR", "created_at": "2026-01-10T08:00:00Z", "close_on": "2026-04-30", "type": "New", "source": "Web",
         "probability": "0.6", "forecast_category": "best case", "next_step": "Call", "modified_at": "2026-02-01T10:00:00Z"},
        {"id": "101", "name": "Won", "account_id": "11", "owner_id": "2", "stage": "Closed Won", "outcome": "won", "amount": "300",
         "currency": "EUR", "created_at": "2025-11-01T08:00:00Z", "close_on": "2026-02-10", "closed_at": "2026-02-10T15:00:00Z",
         "probability": "1", "forecast_category": "closed", "modified_at": "2026-02-10T15:00:00Z"},
        {"id": "102", "name": "Lost", "account_id": "10", "owner_id": "1", "stage": "Closed Lost", "outcome": "lost", "currency": "EUR",
         "created_at": "2025-03-01T08:00:00Z", "close_on": "2025-09-01", "closed_at": "2025-09-01T15:00:00Z", "probability": "0",
         "forecast_category": "omitted", "modified_at": "2025-09-01T15:00:00Z"},
    ],
    "changes": [
        {"id": "c1", "record": "opportunity", "record_id": "100", "field": "stage", "old": "", "new": "Prospecting",
         "at": "2026-01-10T08:00:00Z", "by": "1"},
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
        {"id": "a2", "kind": "email", "owner_id": "1", "opportunity_id": "100", "account_id": "10", "created_at": "2026-02-03T08:00:00Z",
         "completed_at": "2026-02-03T08:00:00Z", "modified_at": "2026-02-03T08:00:00Z"},
        {"id": "a3", "kind": "task", "owner_id": "2", "opportunity_id": "101", "created_at": "2024-02-03T08:00:00Z",
         "planned_at": "2024-02-04T08:00:00Z", "completed_at": "2024-02-04T08:00:00Z", "modified_at": "2024-02-04T08:00:00Z"},
        {"id": "a4", "kind": "meeting", "owner_id": "1", "opportunity_id": "100", "created_at": "2026-02-04T08:00:00Z",
         "planned_at": "2026-02-05T10:00:00Z", "completed_at": "2026-02-05T11:00:00Z", "duration_seconds": "3600",
         "modified_at": "2026-02-05T11:00:00Z"},
    ],
    "targets": [
        {"id": "t1", "subject_kind": "person", "subject_id": "1", "metric": "bookings", "period_start": "2026-01-01",
         "period_end": "2026-03-31", "amount": "90000", "currency": "EUR"},
    ],
    "rates": [{"id": "r1", "currency": "USD", "to": "EUR", "rate": "0.8", "on": "2026-01-01"}],
}  # fmt: skip


class Org(Rig[Salesforce]):
    """An emulated organisation, and connectors to it."""

    kind = Salesforce
    emulates = SalesforceEmulator
    sign_in: ClassVar = {"client_id": "sandbox", "client_secret": "sandbox"}

    def hide(self, field: str, remote: str = "Opportunity") -> None:
        """Takes a field away from the integration user."""
        self.arm("missing_field", field=field, object=remote)

    def provision(self, connector: Salesforce, wanted: Sequence[FieldSpec], *, dry_run: bool = False) -> dict[str, str]:
        """Provisions without waiting; what became of each thing."""
        steps = Provisioner(connector.api, dry_run=dry_run, sleep=lambda _seconds: None).add(wanted)
        return {step.name: step.state for step in steps}


@pytest.fixture
def world() -> Tables:
    """The small world, to be changed at will."""
    return deepcopy(WORLD)


@pytest.fixture
def make_org(tmp_path: Path) -> Iterator[Callable[..., Org]]:
    """Makes an organisation: of tables (the small world by default) and the emulator's switches."""
    with rigs(Org, tmp_path, WORLD) as make:
        yield make


@pytest.fixture
def deal_fields() -> list[FieldSpec]:
    """Fields of ours on a deal, of several types."""
    deals = WriteTarget("opportunity")
    return [
        FieldSpec(deals, "Scoreback_Score__c", "Scoreback Score", "number", help="0 to 100"),
        FieldSpec(deals, "Scoreback_Reasons__c", "Scoreback Reasons", "long_text", length=1000),
        FieldSpec(deals, "Scoreback_Scored_At__c", "Scoreback Scored At", "datetime"),
    ]


@pytest.fixture
def appraisal_fields() -> list[FieldSpec]:
    """Fields of an object of our own, beside its key."""
    appraisals = WriteTarget("person", into="Scoreback_Appraisal__c", key="Scoreback_Key__c")
    return [FieldSpec(appraisals, "Scoreback_Band__c", "Scoreback Band", "text", length=2)]


@pytest.fixture
def writer(org: Org, deal_fields: list[FieldSpec], appraisal_fields: list[FieldSpec]) -> Salesforce:
    """A connector to the organisation, with our fields there."""
    connector = org.connect()
    org.provision(connector, [*deal_fields, *appraisal_fields])
    return connector


@pytest.fixture
def org(make_org: Callable[..., Org]) -> Org:
    """The organisation of the small world."""
    return make_org()
