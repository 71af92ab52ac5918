"""Builders: a small company written down in a few lines, as the tables that scoring takes."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from scoring.facts import Facts, Organisation, prepare
from scoring.metric import Metric, compute
from scoring.period import parse_period
from scoring.schemas import SCHEMAS
from scoring.settings import MetricSettings

RECORDED = datetime(2025, 4, 1, tzinfo=UTC)
STAGES = {"Open": "open", "Won": "won", "Lost": "lost", "Out": "omitted"}


def moment(text: str) -> datetime:
    """An aware UTC time from ``2025-01-15`` or ``2025-01-15T10:30``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Book:
    """Collects records and turns them into tables. Times and dates are written as ISO text, numbers as text."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, record: str, remote_id: str | None = None, /, **fields: Any) -> None:
        rows = self.rows.setdefault(record, [])
        row = {"connection": "crm", "recorded_at": RECORDED, "deleted": False, "remote_id": remote_id or str(len(rows))}
        row |= {"kind": "revenue"} if record == "split" else {}
        rows.append(row | {name: self._typed(record, name, value) for name, value in fields.items()})

    @staticmethod
    def _typed(kind: str, name: str, value: Any) -> Any:
        dtype = SCHEMAS[kind][name]
        if value is None or not isinstance(value, str | int):
            return json.dumps(value) if isinstance(value, dict) else value
        if isinstance(dtype, pl.Decimal):
            return Decimal(str(value))
        if isinstance(dtype, pl.Datetime):
            return moment(str(value))
        return date.fromisoformat(str(value)) if dtype == pl.Date else value

    def stages(self, connection: str = "crm") -> None:
        for stage, outcome in STAGES.items():
            self.add("stage", f"{stage}", connection=connection, stage=stage, outcome=outcome)

    def person(self, remote_id: str, **fields: Any) -> None:
        self.add("person", remote_id, **{"name": remote_id.title(), "active": True} | fields)

    def deal(self, remote_id: str, stage: str = "Open", amount: Any = None, **fields: Any) -> None:
        usual = {
            "currency": "USD",
            "owner_id": "lin",
            "stage": stage,
            "amount": amount,
            "created_at": "2025-01-01T12:00",
        }
        self.add("opportunity", remote_id, **usual | fields)

    def change(self, record_id: str, field: str, old: str | None, new: str | None, at: str, **fields: Any) -> None:
        row = {"record": "opportunity", "record_id": record_id, "field": field, "old": old, "new": new, "at": at}
        self.add("change", None, **row | fields)

    def table(self, kind: str) -> pl.DataFrame:
        """The table of one record kind."""
        return pl.DataFrame(self.rows.get(kind, []), schema=SCHEMAS[kind], orient="row")

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        return {kind: self.table(kind) for kind in self.rows}

    def facts(
        self, as_of: str = "2025-03-31", *, time_zone: str = "UTC", currency: str = "USD", **options: Any
    ) -> Facts:
        settings = options.pop("settings", MetricSettings())
        organisation = Organisation(time_zone, currency, **options.pop("organisation", {}))
        return prepare(self.tables, organisation, date.fromisoformat(as_of), settings, **options)

    def row(self, deal: str, **options: Any) -> dict[str, Any]:
        """One prepared deal by its remote id."""
        return self.facts(**options).deals.filter(pl.col("remote_id") == deal).row(0, named=True)


def values(
    metrics: Mapping[str, Metric],
    facts: Facts,
    period: str = "2025-Q1",
    by: Sequence[str] = ("person",),
    settings: MetricSettings | None = None,
    **options: Any,
) -> dict[tuple[str | None, str], dict[str, Any]]:
    """Metric rows by subject and metric."""
    frame = compute(metrics, facts, [parse_period(period)], by, settings, **options)
    return {(row["subject"], row["metric"]): row for row in frame.iter_rows(named=True)}


@pytest.fixture
def book() -> Book:
    """An empty company with one CRM and four stages."""
    book = Book()
    book.stages()
    return book


@pytest.fixture
def lin(book: Book) -> Book:
    """Rep Lin of the domain guide, section 1.1, with her quota."""
    book.person("lin", team="North", region="EU")
    book.add("account", "a1", name="One")
    book.add("account", "a2", name="Two")
    book.deal("D1", "Won", 12000, type="new", account_id="a1", created_at="2024-11-20", close_on="2025-01-15")
    book.deal("D2", "Won", 48000, type="new", account_id="a2", created_at="2024-10-01", close_on="2025-02-10")
    book.deal("D3", "Won", 30000, type="expansion", account_id="a1", created_at="2025-01-05", close_on="2025-03-20")
    for name, amount in (("D4", 20000), ("D5", 60000), ("D6", 15000)):
        book.deal(name, "Lost", amount, type="new", created_at="2024-12-01", close_on="2025-02-01")
    book.deal("D7", "Open", 40000, type="new", close_on="2025-03-30", probability="0.5")
    book.deal("D8", "Open", 25000, type="new", close_on="2025-03-31", probability="0.2")
    book.deal("D9", "Out", 90000, type="new", close_on="2025-02-20")
    book.add(
        "target", None, subject_id="lin", metric="bookings", period_start="2025-01-01", period_end="2025-03-31",
        amount=150000, currency="USD", subject_kind="person",
    )  # fmt: skip
    return book
