"""What Salesforce has no standard object for, read from objects of a company's own: the simulated company keeps all of it."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.salesforce import SalesforceEmulator

MakeOrg = Callable[..., Any]

TABLES = {
    "surveys": [{"id": "s1", "person_id": "1", "account_id": "10", "opportunity_id": "100", "scale": "csat5", "answer": "4",
                 "sent_at": "2026-02-01T10:00:00Z", "answered_at": "2026-02-02T10:00:00Z"}],
    "payments": [{"id": "p1", "opportunity_id": "101", "amount": "-30.25", "currency": "EUR", "paid_on": "2026-02-20", "kind": "refund"}],
    "contracts": [{"id": "k1", "account_id": "10", "recurring_amount": "1200", "currency": "USD", "start_on": "2026-01-01",
                   "end_on": "2026-12-31"}],
    "absences": [{"id": "v1", "person_id": "2", "start_on": "2026-02-02", "end_on": "2026-02-06", "paid": "true"}],
    "ratings": [{"id": "q1", "subject_id": "1", "rater_id": "2", "item": "helpful", "rating": "4.5", "note": "good",
                 "rated_at": "2026-02-03T10:00:00Z"}],
}  # fmt: skip
EXPECTED: dict[str, dict[str, Any]] = {
    "survey": {"scale": "csat5", "answer": Decimal(4)},
    "payment": {"amount": Decimal("-30.25"), "currency": "EUR", "paid_on": date(2026, 2, 20), "kind": "refund"},
    "contract": {"recurring_amount": Decimal(1200), "currency": "USD", "end_on": date(2026, 12, 31)},
    "absence": {"start_on": date(2026, 2, 2), "end_on": date(2026, 2, 6), "paid": True},
    "rating": {"item": "helpful", "rating": Decimal("4.5"), "note": "good"},
}


@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("several", [True, False], ids=["several currencies", "one currency"])
def test_every_kind_is_read_from_its_object(make_org: MakeOrg, world: Any, kind: str, several: bool) -> None:
    tables = {**world, **TABLES} if several else {**world, **TABLES, "rates": []}
    streams = {kind: {"object": SalesforceEmulator.company_objects[kind]}}
    org = make_org(tables)
    connector = org.connect(streams=streams, fields={kind: SalesforceEmulator.company_fields[kind]})

    [record] = org.read(connector, kind, end=org.now + timedelta(days=1)).values()

    expected = EXPECTED[kind] if several else {**EXPECTED[kind], **({"currency": "EUR"} if kind == "contract" else {})}
    assert {name: getattr(record, name) for name in expected} == expected
