"""An emulated HubSpot portal with a small world in it, connectors to it, and what their tests ask them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.base import FieldSpec, Page, Raw, Value, Window, Write, WriteTarget
from connectors.hubspot import HubSpot
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping import Mapper
from connectors.records import Record
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.rig import KEY, NOW, Rig, Tables, rigs

Open = Callable[..., HubSpot]

STREAMS = {stream.name: stream for stream in HubSpot.streams}
ALL = frozenset(STREAMS) - HubSpotSettings.own_objects
ALONG = frozenset({"change", "split"})
"""What the pages of deals bring along."""
DEALS = WriteTarget("opportunity")
PEOPLE = WriteTarget("person")
KEYED = WriteTarget("person", into="scoreback_appraisal", key="scoreback_key")
TOUCH = "2026-03-02T09:00:00Z"
LONG_AGO = "2020-01-01T00:00:00+00:00"
LATELY = "2026-11-01T00:00:00+00:00"
"""After everything in the world, before anything that a test changes."""
TOMORROW = (NOW + timedelta(days=1)).isoformat()
BOTH = pytest.mark.parametrize("start", [None, LONG_AGO], ids=["by list", "by search"])
EVERY_VERSION = pytest.mark.parametrize("version", ["v3", "2025-09", "2026-03", "2026-09"])

WORLD: Tables = {
    "people": [
        {"id": "701", "name": "Lin Wei", "email": "lin@example.com", "active": "true", "team": "North", "region": "EMEA",
         "role": "AE"},
        {"id": "702", "name": "Ana Paz", "email": "ana@example.com", "active": "true", "team": "South"},
        {"id": "703", "name": "Old Hand", "email": "old@example.com", "active": "false", "team": "North"},
    ],
    "accounts": [
        {"id": "201", "name": "Acme", "industry": "RETAIL", "created_at": "2025-01-01T00:00:00Z", "owner_id": "701",
         "modified_at": TOUCH},
        {"id": "202", "name": "Acme Ost", "parent_id": "201", "modified_at": TOUCH},
    ],
    "stages": [
        {"id": "1", "pipeline": "default", "stage": "9001", "label": "New", "position": "1", "outcome": "open",
         "probability": "0.2"},
        {"id": "2", "pipeline": "default", "stage": "9002", "label": "Won", "position": "2", "outcome": "won",
         "probability": "1"},
        {"id": "3", "pipeline": "default", "stage": "9003", "label": "Lost", "position": "3", "outcome": "lost",
         "probability": "0"},
    ],
    "opportunities": [
        {"id": "501", "name": "Renewal", "account_id": "201", "owner_id": "701", "pipeline": "default", "stage": "9002",
         "outcome": "won", "amount": "1200.50", "currency": "EUR", "created_at": "2026-01-05T09:00:00Z",
         "close_on": "2026-03-01", "closed_at": "2026-03-01T10:00:00Z", "modified_at": TOUCH},
        {"id": "502", "name": "Neu", "account_id": "202", "owner_id": "703", "pipeline": "default", "stage": "9001",
         "outcome": "open", "created_at": "2026-02-01T09:00:00Z", "close_on": "2026-06-30", "modified_at": TOUCH},
        {"id": "503", "name": "Gone cold", "owner_id": "702", "pipeline": "default", "stage": "9003", "outcome": "lost",
         "amount": "0", "currency": "USD", "created_at": "2026-02-01T09:00:00Z", "close_on": "2026-02-20",
         "closed_at": "2026-02-20T10:00:00Z", "modified_at": TOUCH},
    ],
    "changes": [
        {"id": "1", "record": "opportunity", "record_id": "501", "field": "stage", "new": "9001",
         "at": "2026-01-05T09:00:00Z", "by": "701"},
        {"id": "2", "record": "opportunity", "record_id": "501", "field": "stage", "old": "9001", "new": "9002",
         "at": "2026-03-01T10:00:00Z", "by": "702"},
        {"id": "3", "record": "opportunity", "record_id": "501", "field": "amount", "new": "1000",
         "at": "2026-01-05T09:00:00Z", "by": "701"},
        {"id": "4", "record": "opportunity", "record_id": "501", "field": "amount", "old": "1000", "new": "1200.50",
         "at": "2026-02-05T09:00:00Z", "by": "701"},
        {"id": "5", "record": "opportunity", "record_id": "503", "field": "stage", "old": "9001", "new": "9003",
         "at": "2026-02-20T10:00:00Z", "by": "703"},
    ],
    "activities": [
        {"id": "601", "kind": "call", "owner_id": "701", "opportunity_id": "501", "account_id": "201",
         "contact_ids": "301;302", "direction": "outbound", "two_way": "true", "created_at": "2026-02-01T10:00:00Z",
         "completed_at": "2026-02-01T10:00:00Z", "duration_seconds": "90", "modified_at": TOUCH},
        {"id": "602", "kind": "meeting", "owner_id": "701", "opportunity_id": "501",
         "planned_at": "2026-02-03T10:00:00Z", "completed_at": "2026-02-03T11:00:00Z", "modified_at": TOUCH},
        {"id": "603", "kind": "email", "owner_id": "702", "direction": "inbound", "account_id": "202",
         "completed_at": "2026-02-04T10:00:00Z", "modified_at": TOUCH},
        {"id": "604", "kind": "task", "owner_id": "702", "opportunity_id": "502", "planned_at": "2026-02-05T10:00:00Z",
         "modified_at": TOUCH},
    ],
    "targets": [
        {"id": "801", "subject_kind": "person", "subject_id": "701", "metric": "bookings", "period_start": "2026-01-01",
         "period_end": "2026-03-31", "amount": "100000", "currency": "EUR", "modified_at": TOUCH},
    ],
    "line_items": [{"id": "1001", "opportunity_id": "501", "product": "GTX", "quantity": "2", "amount": "1200.50",
                    "modified_at": TOUCH}],
    "surveys": [{"id": "1101", "account_id": "201", "scale": "nps", "answer": "9", "answered_at": TOUCH,
                 "modified_at": TOUCH}],
    "payments": [
        {"id": "1201", "opportunity_id": "501", "amount": "1200.50", "currency": "EUR", "paid_on": "2026-03-03",
         "kind": "invoice", "modified_at": TOUCH},
        {"id": "1202", "opportunity_id": "501", "amount": "1200.50", "currency": "EUR", "paid_on": "2026-03-29",
         "kind": "payment", "modified_at": TOUCH},
        {"id": "1203", "opportunity_id": "501", "amount": "200.50", "currency": "EUR", "paid_on": "2026-04-02",
         "kind": "refund", "modified_at": TOUCH},
    ],
    "contracts": [{"id": "1301", "account_id": "201", "recurring_amount": "100", "currency": "EUR",
                   "start_on": "2025-03-01", "end_on": "2026-02-28", "modified_at": TOUCH}],
    "forecasts": [{"id": "1401", "owner_id": "701", "period_start": "2026-01-01", "period_end": "2026-03-31",
                   "layer": "rep", "category": "commit", "amount": "9000", "at": TOUCH, "modified_at": TOUCH}],
    "rates": [{"id": "901", "currency": "USD", "to": "EUR", "rate": "0.92", "on": "2026-01-01"}],
}  # fmt: skip

VALUES: dict[str, Value] = {
    "scoreback_score": Decimal("87.5"),
    "scoreback_reasons": "no next step; 你好",
    "scoreback_scored_at": datetime(2026, 11, 23, 8, 0, 0, 123000, tzinfo=UTC),
    "scoreback_day": date(2026, 11, 23),
}


class Portal(Rig[HubSpot]):
    """An emulated portal, and connectors to it."""

    kind = HubSpot
    emulates = HubSpotEmulator
    sign_in: ClassVar = {"token": "sandbox"}

    def __init__(self, emulator: Any, url: str) -> None:
        super().__init__(emulator, url)
        emulator.clock = lambda: datetime.now(UTC)  # a check compares it with ours


@pytest.fixture
def make_portal(tmp_path: Path) -> Iterator[Callable[..., Portal]]:
    """Makes a portal: of tables (the small world by default) and the emulator's switches."""
    with rigs(Portal, tmp_path, WORLD) as make:
        yield make


@pytest.fixture
def portal(make_portal: Callable[..., Portal]) -> Portal:
    """The portal of the small world."""
    return make_portal()


@pytest.fixture
def emulator(portal: Portal) -> HubSpotEmulator:
    """The portal's emulator."""
    found: HubSpotEmulator = portal.emulator
    return found


@pytest.fixture
def opened(portal: Portal) -> Open:
    """Opens connectors as new processes would: nothing is shared between them."""
    return portal.connect


@pytest.fixture
def hubspot(opened: Open) -> HubSpot:
    """A connector with nothing set but its sign-in."""
    return opened()


@pytest.fixture
def ready(hubspot: HubSpot) -> HubSpot:
    """A connector to the portal, with our fields there."""
    list(hubspot.provision([spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)], dry_run=False))
    return hubspot


def window(start: str | None = None, end: str = TOMORROW, **more: Any) -> Window:
    """A window; ``start`` and ``end`` in ISO 8601."""
    return Window(datetime.fromisoformat(start) if start else None, datetime.fromisoformat(end), **more)


def raws(pages: Iterator[Page]) -> list[Raw]:
    """The rows of pages."""
    return [raw for page in pages for raw in page.rows]


def records(connector: HubSpot, rows: Sequence[Raw]) -> dict[str, Any]:
    """Rows as records by id."""
    found: dict[str, Record] = {}
    for raw in rows:
        record = Mapper(raw.stream, connector.connection, key=KEY)(raw.fields)
        found[record.remote_id] = record
    return found


def pulled(connector: HubSpot, stream: str, asked: Window | None = None) -> dict[str, Any]:
    """What a stream tells of a window, as records by id."""
    return records(connector, raws(connector.pull(STREAMS[stream], asked or window(), None)))


def deals(found: Mapping[str, Any]) -> dict[str, Any]:
    """The deals among records, for their pages bring others along."""
    return {remote_id: record for remote_id, record in found.items() if record.kind_name == "opportunity"}


def calls(emulator: HubSpotEmulator) -> Counter[str]:
    """How often each path was called."""
    return Counter({where: count for where, count in emulator.stats.items() if "/__" not in where})


def specs(target: WriteTarget) -> list[FieldSpec]:
    """Fields of ours, of several types."""
    return [
        FieldSpec(target, "scoreback_score", "Score", "number", help="0 to 100"),
        FieldSpec(target, "scoreback_reasons", "Reasons", "long_text"),
        FieldSpec(target, "scoreback_scored_at", "Scored at", "datetime"),
        FieldSpec(target, "scoreback_day", "Day", "date"),
    ]


def verdicts(connector: HubSpot, target: WriteTarget, writes: Sequence[Write]) -> dict[str, Any]:
    """Why each record was refused, or None."""
    return {written.remote_id: written.rejected for written in connector.write(target, writes)}
