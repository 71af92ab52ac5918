"""What SAP has no set or service for, read from objects of a company's own: the simulated company keeps all of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.errors import ForbiddenError, MissingFieldsError
from sync.pull import Puller
from sync.store.engine import Store
from sync.store.versions import ids_of

Make = Callable[..., Any]

KINDS = ("sap", "sap_v2")
AT = datetime(2026, 2, 3, 10, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
QUIET = datetime(2026, 5, 31, tzinfo=UTC)

TABLES = {
    "surveys": [{"id": "s1", "person_id": "1", "account_id": "10", "opportunity_id": "100", "scale": "csat5", "answer": "4",
                 "sent_at": "2026-02-01T10:00:00Z", "answered_at": "2026-02-03T10:00:00Z"},
                {"id": "s2", "person_id": "1", "scale": "nps", "sent_at": "2026-02-01T10:00:00Z"}],
    "payments": [{"id": "p1", "opportunity_id": "100", "amount": "-30.25", "currency": "EUR", "paid_on": "2026-02-20",
                  "kind": "refund", "modified_at": "2026-02-20T10:00:00Z"}],
    "contracts": [{"id": "k1", "account_id": "10", "recurring_amount": "1200", "currency": "USD", "start_on": "2026-01-01",
                   "end_on": "2026-12-31"}],
    "forecasts": [{"id": "f1", "owner_id": "1", "period_start": "2026-01-01", "period_end": "2026-03-31", "layer": "manager",
                   "category": "commit", "amount": "70.5", "currency": "EUR", "at": "2026-02-03T10:00:00Z"}],
    "absences": [{"id": "v1", "person_id": "2", "start_on": "2026-02-02", "end_on": "2026-02-06", "paid": "true"}],
    "ratings": [{"id": "q1", "subject_id": "1", "rater_id": "2", "item": "helpful", "rating": "4.5", "note": "good",
                 "rated_at": "2026-02-03T10:00:00Z"}],
    "targets": [{"id": "t1", "subject_kind": "person", "subject_id": "1", "metric": "bookings", "period_start": "2026-01-01",
                 "period_end": "2026-12-31", "amount": "90000", "currency": "EUR"},
                {"id": "t2", "subject_kind": "team", "subject_id": "North", "metric": "bookings", "period_start": "2026-01-01",
                 "period_end": "2026-12-31", "amount": "1", "currency": "EUR"}],
    "rates": [{"id": "r1", "currency": "USD", "to": "EUR", "rate": "0.912345678", "on": "2026-02-01"}],
}  # fmt: skip
EXPECTED: dict[str, dict[str, Any]] = {
    "payment": {"amount": Decimal("-30.25"), "currency": "EUR", "paid_on": date(2026, 2, 20), "kind": "refund"},
    "contract": {"recurring_amount": Decimal(1200), "currency": "USD", "end_on": date(2026, 12, 31)},
    "forecast": {"period_end": date(2026, 3, 31), "layer": "manager", "amount": Decimal("70.5"), "at": AT},
    "absence": {"start_on": date(2026, 2, 2), "end_on": date(2026, 2, 6), "paid": True},
    "rating": {"item": "helpful", "rating": Decimal("4.5"), "note": "good", "rated_at": AT},
    "target": {"metric": "bookings", "period_start": date(2026, 1, 1), "amount": Decimal(90000)},
    "rate": {"currency": "USD", "to": "EUR", "rate": Decimal("0.912345678"), "on": date(2026, 2, 1)},
}
WHO = {
    "payment": {"opportunity_id": ("opportunities", "100")}, "contract": {"account_id": ("accounts", "10")},
    "forecast": {"owner_id": ("people", "1")}, "absence": {"person_id": ("people", "2")},
    "rating": {"subject_id": ("people", "1"), "rater_id": ("people", "2")}, "target": {"subject_id": ("people", "1")},
    "rate": {},
}  # fmt: skip


def own(tenant: Any, name: str, **more: Any) -> dict[str, Any]:
    """The part of a connection file that names one object of the company's own."""
    played = tenant.emulator
    return {
        "streams": {name: {"object": played.company_objects[name]}},
        "fields": {name: {**played.company_fields[name], **more}},
    }


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_from_its_object(make: Make, world: Any, kind: str, name: str) -> None:
    tenant = make(kind, {**world, **TABLES})

    [record] = tenant.read(tenant.connect(**own(tenant, name)), name).values()

    assert {ours: getattr(record, ours) for ours in EXPECTED[name]} == EXPECTED[name]
    assert {ours: getattr(record, ours) for ours in WHO[name]} == {
        ours: tenant.id(*whom) for ours, whom in WHO[name].items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_that_waits_for_its_answer_has_none_and_not_zero(make: Make, world: Any, kind: str) -> None:
    tenant = make(kind, {**world, **TABLES})

    found = {one.scale: one for one in tenant.read(tenant.connect(**own(tenant, "survey")), "survey").values()}

    assert (found["csat5"].answer, found["csat5"].answered_at) == (4, AT)
    assert found["csat5"].opportunity_id == tenant.id("opportunities", "100")
    assert (found["nps"].answer, found["nps"].answered_at) == (None, None)


def test_shares_of_the_company_are_percent(make: Make, world: Any) -> None:
    tenant = make("sap_v2", world)

    [split] = tenant.read(tenant.connect(**own(tenant, "split")), "split").values()

    assert (split.percentage, split.kind) == (Decimal("0.7"), "revenue")
    assert (split.opportunity_id, split.person_id) == (tenant.id("opportunities", "100"), tenant.id("people", "1"))


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_changed_is_read_again(make: Make, world: Any, kind: str) -> None:
    second = {**TABLES["payments"][0], "id": "p2", "amount": "5"}
    tenant = make(kind, {**world, **TABLES, "payments": [*TABLES["payments"], second]})
    connector = tenant.connect(**own(tenant, "payment"))
    tenant.read(connector, "payment")
    tenant.emulator.edit("payments", "p2", {"amount": "7.5"})

    found = tenant.read(connector, "payment", QUIET)

    assert [one.amount for one in found.values()] == [Decimal("7.5")]
    assert tenant.read(connector, "payment", START).keys() == set(tenant.emulator.ids["payments"].values())


def unstamped(tenant: Any, kind: str) -> None:
    """Takes the moment of the last change away from the company's payments."""
    if kind == "sap":
        del tenant.emulator.store.schema.types["Payment"].properties["EntityLastChangedOn"]
        return
    service = tenant.emulator.store.services["company-service/payments"]
    service.fields = {path: one for path, one in service.fields.items() if not path.startswith("adminData")}


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_without_a_stamp_is_read_whole_as_often_as_the_metadata(make: Make, world: Any, kind: str) -> None:
    tenant = make(kind, {**world, **TABLES})
    unstamped(tenant, kind)
    connector = tenant.connect(**own(tenant, "payment"))
    first = tenant.read(connector, "payment")
    tenant.read(connector, "payment", QUIET)
    tenant.emulator.edit("payments", "p1", {"amount": "1"})

    idle = tenant.read(connector, "payment", QUIET)
    connector.learnt.clear()  # as the framework does when the metadata is due
    later = tenant.read(connector, "payment", QUIET)

    assert [one.amount for one in first.values()] == [Decimal("-30.25")]
    assert (idle, [one.amount for one in later.values()]) == ({}, [1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_store_takes_an_object_without_stamps_time_after_time(
    make: Make, world: Any, kind: str, sqlite_store: Store
) -> None:
    tenant = make(kind, {**world, **TABLES})
    unstamped(tenant, kind)

    errors = [
        stream.error
        for run in range(3)  # a process each
        for stream in Puller(tenant.connect(**own(tenant, "payment")), sqlite_store, run=run + 1).pull().streams
        if stream.stream == "payment"
    ]

    assert errors == [None] * 3
    with sqlite_store.reading() as tx:
        assert ids_of(tx, "crm", "payment") == {tenant.id("payments", "p1")}


def test_another_stamp_than_saps_may_be_mapped(make: Make, world: Any) -> None:
    tenant = make("sap", {**world, **TABLES})
    del tenant.emulator.store.schema.types["Forecast"].properties["EntityLastChangedOn"]
    connector = tenant.connect(**own(tenant, "forecast", modified_at="SaidOn"))

    [record] = tenant.read(connector, "forecast", START).values()

    assert record.modified_at == AT
    assert tenant.read(connector, "forecast", QUIET) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mapped_field_that_the_object_does_not_have_is_told(make: Make, world: Any, kind: str) -> None:
    tenant = make(kind, {**world, **TABLES})
    connector = tenant.connect(**own(tenant, "payment", paid_on="Nowhere"))

    pages = tenant.pages(connector, "payment")

    assert [page.lacks for page in pages] == [{"Nowhere"}]
    said = {one.level for one in connector.check() if one.where == "stream payment"}
    assert said == {"error"}


@pytest.mark.parametrize(
    ("kind", "named"), [("sap", "/sap/c4c/odata/cust/v1/company/NoneCollection"), ("sap_v2", "company-service/none")]
)
def test_an_object_that_is_not_there_is_told_with_the_place_to_correct(
    make: Make, world: Any, kind: str, named: str
) -> None:
    tenant = make(kind, world)
    fields = {"payment": {"kind": {"value": "invoice"}}}
    connector = tenant.connect(streams={"payment": {"object": named}}, fields=fields)

    with pytest.raises(ForbiddenError, match=r"streams\.payment\.object"):
        tenant.pages(connector, "payment")
    assert [one.level for one in connector.check() if one.where == "stream payment"] == ["error"]


@pytest.mark.parametrize("kind", KINDS)
def test_check_says_what_no_field_of_the_object_fills(make: Make, world: Any, kind: str) -> None:
    tenant = make(kind, {**world, **TABLES})
    connector = tenant.connect(streams=own(tenant, "absence")["streams"])

    said = [one.text for one in connector.check() if one.where == "stream absence" and one.level == "error"]

    assert said
    assert said[0].startswith("nothing fills end_on, person_id, start_on: ")


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_an_own_object_are_counted_listed_and_fetched(make: Make, world: Any, kind: str) -> None:
    tenant = make(kind, {**world, **TABLES})
    connector = tenant.connect(**own(tenant, "payment"))
    stream = next(one for one in connector.streams if one.name == "payment")
    key = tenant.id("payments", "p1")

    fetched = [raw.fields for page in connector.fetch(stream, [key]) for raw in page.rows]

    assert connector.count(stream) == 1
    assert [list(ids) for ids in connector.ids(stream)] == [[key]]
    assert len(fetched) == 1


def test_a_kind_that_is_not_named_costs_no_call_and_a_name_that_is_no_set_is_refused(make: Make) -> None:
    tenant = make("sap")

    assert tenant.connect().connection.stream("payment") is None
    with pytest.raises(ValidationError, match="is no set"):
        tenant.connect(streams={"payment": {"object": "/elsewhere/PaymentCollection"}})


def test_a_hidden_stamp_of_a_standard_set_still_stops_its_stream(make: Make) -> None:
    tenant = make("sap")
    tenant.emulator.faults.arm({"name": "missing_field", "field": "EntityLastChangedOn", "object": "Opportunity"})

    with pytest.raises(MissingFieldsError, match="EntityLastChangedOn"):
        tenant.pages(tenant.connect(), "opportunity")
