"""What Fxiaoke has no object for, read from objects of a company's own: the simulated company keeps all of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.fxiaoke import FxiaokeEmulator

MakeTenant = Callable[..., Any]

TABLES = {
    "splits": [{"id": "s1", "opportunity_id": "100", "person_id": "2", "percentage": "0.4", "kind": "overlay"}],
    "forecasts": [{"id": "f1", "owner_id": "1", "period_start": "2026-01-01", "period_end": "2026-03-31", "layer": "manager",
                   "category": "commit", "amount": "7000.50", "currency": "CNY", "reason": "晚", "at": "2026-02-01T10:00:00Z"}],
    "absences": [{"id": "v1", "person_id": "2", "start_on": "2026-02-02", "end_on": "2026-02-06", "paid": "false"}],
    "rates": [{"id": "r1", "currency": "USD", "to": "CNY", "rate": "7.123456", "on": "2026-01-01"}],
    "ratings": [{"id": "q1", "subject_id": "1", "rater_id": "2", "item": "乐于助人", "rating": "4.5", "note": "好",
                 "rated_at": "2026-02-03T10:00:00Z"}],
}  # fmt: skip
EXPECTED: dict[str, dict[str, Any]] = {
    "split": {"percentage": Decimal("0.4"), "kind": "overlay"},
    "forecast": {
        "period_start": date(2026, 1, 1), "period_end": date(2026, 3, 31), "layer": "manager", "category": "commit",
        "amount": Decimal("7000.5"), "currency": "CNY", "reason": "晚", "at": datetime(2026, 2, 1, 10, tzinfo=UTC),
    },
    "absence": {"start_on": date(2026, 2, 2), "end_on": date(2026, 2, 6), "paid": False},
    "rate": {"currency": "USD", "to": "CNY", "rate": Decimal("7.123456"), "on": date(2026, 1, 1)},
    "rating": {
        "item": "乐于助人", "rating": Decimal("4.5"), "note": "好", "rated_at": datetime(2026, 2, 3, 10, tzinfo=UTC),
    },
}  # fmt: skip


@pytest.mark.parametrize("spelled", ["streams", "objects"])
@pytest.mark.parametrize("kind", EXPECTED)
def test_every_kind_is_read_from_its_object_in_either_spelling(
    make_tenant: MakeTenant, world: Any, kind: str, spelled: str
) -> None:
    tenant = make_tenant({**world, **TABLES})
    name = FxiaokeEmulator.company_objects[kind]
    settings = {"streams": {kind: {"object": name}}} if spelled == "streams" else {"objects": {kind: name}}
    connector = tenant.connect(**settings, fields={kind: FxiaokeEmulator.company_fields[kind]})

    found = tenant.read(connector, kind)

    table = "rates" if kind == "rate" else f"{kind}s"
    one = found[tenant.id(table, TABLES[table][0]["id"])]
    assert {ours: getattr(one, ours) for ours in EXPECTED[kind]} == EXPECTED[kind]


def test_a_stream_keeps_what_else_it_says_beside_its_object(tenant: Any) -> None:
    connector = tenant.connect(streams={"rating": {"object": "object_a__c", "since": "2026-01-01"}})

    assert connector.connection.objects == {"rating": "object_a__c"}
    assert connector.connection.stream("rating").since == date(2026, 1, 1)


def test_an_object_for_a_stream_that_takes_none_is_refused(tenant: Any) -> None:
    with pytest.raises(ValueError, match="person: no stream of that name"):
        tenant.connect(streams={"person": {"object": "object_a__c"}})
