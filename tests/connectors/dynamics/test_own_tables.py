"""Invoices of Sales, and what a company keeps in tables of its own: payments, contracts, forecasts, absences, ratings."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Window
from connectors.errors import ForbiddenError
from connectors.sandbox.dynamics import DynamicsEmulator

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = {
    "payments": [
        {"id": "p1", "opportunity_id": "101", "amount": "-30.25", "currency": "USD", "paid_on": "2026-02-20", "kind": "refund"},
        {"id": "p2", "opportunity_id": "100", "amount": "500.50", "currency": "EUR", "paid_on": "2026-02-21", "kind": "invoice"},
    ],
    "contracts": [{"id": "k1", "account_id": "10", "recurring_amount": "1200.50", "currency": "EUR", "start_on": "2026-01-01",
                   "end_on": "2026-12-31"}],
    "forecasts": [{"id": "f1", "owner_id": "1", "period_start": "2026-01-01", "period_end": "2026-03-31", "layer": "manager",
                   "category": "commit", "amount": "7000.50", "currency": "EUR", "reason": "late", "at": "2026-02-01T10:00:00Z"}],
    "absences": [{"id": "v1", "person_id": "2", "start_on": "2026-02-02", "end_on": "2026-02-06", "paid": "true"}],
    "ratings": [{"id": "q1", "subject_id": "1", "rater_id": "2", "item": "helpful", "rating": "4.5", "note": "good",
                 "rated_at": "2026-02-03T10:00:00Z"}],
}  # fmt: skip
EXPECTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "payment": ("payments", "p1", {
        "amount": Decimal("-30.25"), "currency": "USD", "paid_on": date(2026, 2, 20), "kind": "refund",
    }),
    "contract": ("contracts", "k1", {
        "recurring_amount": Decimal("1200.5"), "currency": "EUR", "start_on": date(2026, 1, 1), "end_on": date(2026, 12, 31),
    }),
    "forecast": ("forecasts", "f1", {
        "period_start": date(2026, 1, 1), "period_end": date(2026, 3, 31), "layer": "manager", "category": "commit",
        "amount": Decimal("7000.5"), "currency": "EUR", "reason": "late", "at": datetime(2026, 2, 1, 10, tzinfo=UTC),
    }),
    "absence": ("absences", "v1", {"start_on": date(2026, 2, 2), "end_on": date(2026, 2, 6), "paid": True}),
    "rating": ("ratings", "q1", {
        "item": "helpful", "rating": Decimal("4.5"), "note": "good", "rated_at": datetime(2026, 2, 3, 10, tzinfo=UTC),
    }),
}  # fmt: skip
LINKS = {
    "payment": ("opportunity_id", "opportunities", "101"), "contract": ("account_id", "accounts", "10"),
    "forecast": ("owner_id", "people", "1"), "absence": ("person_id", "people", "2"), "rating": ("rater_id", "people", "2"),
}  # fmt: skip


@pytest.fixture
def company(make_crm: Any, world: Any) -> Any:
    """The small world with everything that has no standard table."""
    return make_crm({**world, **TABLES})


def named(kind: str, **fields: str) -> dict[str, Any]:
    """What a connection file says of a table of the company's own."""
    mapping = {**DynamicsEmulator.company_fields[kind], **fields}
    return {"streams": {kind: {"object": DynamicsEmulator.company_objects[kind]}}, "fields": {kind: mapping}}


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_kind_is_read_from_its_table(company: Any, kind: str) -> None:
    table, world_id, expected = EXPECTED[kind]
    ours, record, other = LINKS[kind]
    connector = company.connect(**named(kind))

    found = company.read(connector, kind)

    one = found[company.id(table, world_id)]
    assert {name: getattr(one, name) for name in expected} == expected
    assert getattr(one, ours) == company.id(record, other)
    assert sorted(one for ids in connector.ids(company.streams[kind]) for one in ids) == sorted(found)
    assert connector.count(company.streams[kind]) == len(found)
    [page] = connector.fetch(company.streams[kind], [one.remote_id])
    assert company.records(connector, [page]) == [one]


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_table_that_nobody_named_is_not_read(company: Any, kind: str) -> None:
    connector = company.connect()

    assert connector.connection.stream(kind) is None
    assert connector.remote_names(company.streams[kind]) == {}


def test_of_a_tracked_table_changes_and_deletions_come_by_one_call(company: Any) -> None:
    first = company.connect(**named("payment"))
    company.pages(first, "payment")
    company.edit("payments", "p1", amount="99.75", opportunity_id="100")
    company.remove("payments", "p2")
    second = company.connect(places=first.places, **named("payment"))
    second.learnt.update(first.learnt)
    found: dict[str, Any] = {}

    calls = company.calls(lambda: found.update(company.read(second, "payment", START)))

    assert calls == {"GET new_payments": 1}
    changed, gone = found[company.id("payments", "p1")], found[company.id("payments", "p2")]
    assert (changed.amount, changed.opportunity_id) == (Decimal("99.75"), company.id("opportunities", "100"))
    assert gone.deleted


def test_of_a_table_without_change_tracking_a_window_brings_what_changed(company: Any) -> None:
    connector = company.connect(**named("absence"))
    company.read(connector, "absence")
    window = datetime.now(UTC)
    nothing = company.read(connector, "absence", window)
    company.edit("absences", "v1", end_on="2026-02-09")

    found = company.read(connector, "absence", window, company.now.replace(year=2099))

    assert nothing == {}
    assert [one.end_on for one in found.values()] == [date(2026, 2, 9)]


def test_a_row_of_which_only_the_link_changed_is_handed_on(company: Any) -> None:
    connector = company.connect(**named("rating"))
    window = Window(datetime(2019, 1, 1, tzinfo=UTC), company.now, changed=lambda _rows: [])

    pages = list(connector.pull(company.streams["rating"], window, None))

    assert len(company.records(connector, pages)) == 1


def test_a_day_that_is_kept_as_somebodys_midnight_is_that_day(company: Any) -> None:
    shown = company.emulator.show("absences", "v1")

    [absence] = company.read(company.connect(**named("absence")), "absence").values()

    assert shown["new_starton"] == "2026-02-01T23:00:00Z"
    assert absence.start_on == date(2026, 2, 2)


def test_a_moment_that_is_mapped_to_a_day_is_its_day_in_utc(company: Any) -> None:
    connector = company.connect(**named("forecast", period_start="new_saidon"))
    company.edit("forecasts", "f1", at="2026-02-01T22:30:00Z")

    [forecast] = company.read(connector, "forecast").values()

    assert forecast.period_start == date(2026, 2, 1)


def test_a_table_that_is_not_there_is_told_with_where_its_name_stands(company: Any) -> None:
    connector = company.connect(streams={"payment": {"object": "payment's"}}, fields=named("payment")["fields"])

    with pytest.raises(ForbiddenError, match=r"called payment's.*streams\.payment\.object"):
        company.pages(connector, "payment")
    [finding] = [one for one in connector.check() if one.where == "stream payment"]
    assert finding.level == "error"
    assert "payment's" in finding.text


def test_check_names_columns_that_are_missing_and_fields_that_nothing_fills(company: Any) -> None:
    settings = {**named("payment"), "fields": {"payment": {"amount": "new_sum"}}}

    found = [one for one in company.connect(**settings).check() if one.where == "stream payment"]

    assert [(one.level, one.text) for one in found] == [
        ("error", "nothing fills kind: no row of new_payments can be read"),
        ("error", "new_payment has no new_sum"),
    ]


def test_check_is_content_with_a_table_that_has_everything_and_says_what_is_not_tracked(company: Any) -> None:
    settings = {key: {**named("payment")[key], **named("rating")[key]} for key in ("streams", "fields")}

    found = [one for one in company.connect(**settings).check() if one.where in ("stream payment", "stream rating")]

    assert [(one.where, one.level) for one in found] == [
        ("stream payment", "ok"), ("stream rating", "warning"), ("stream rating", "ok"),
    ]  # fmt: skip


def test_the_right_to_read_a_table_of_their_own_is_the_tables(make_crm: Any, world: Any) -> None:
    company = make_crm({**world, **TABLES}, lacking=["prvReadnew_Payment"])

    with pytest.raises(ForbiddenError, match="prvReadnew_Payment"):
        company.pages(company.connect(**named("payment")), "payment")


def test_invoices_count_on_the_day_on_which_they_were_made(company: Any) -> None:
    connector = company.connect()

    [invoice] = company.read(connector, "invoice").values()

    assert invoice.model_dump(exclude={"remote_id", "modified_at"}, exclude_none=True) == {
        "deleted": False, "opportunity_id": company.id("opportunities", "100"), "amount": Decimal("500.5"), "currency": "EUR",
        "paid_on": date(2026, 2, 21), "kind": "invoice",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "status", "told"),
    [
        pytest.param(0, 1, True, id="new"),
        pytest.param(2, 100001, True, id="paid: how much and when is not kept, so that it stays an invoice"),
        pytest.param(3, 100003, False, id="canceled"),
        pytest.param(1, 3, False, id="canceled, as older versions did it"),
        pytest.param(1, 7, True, id="paid in full, as older versions did it"),
    ],
)
def test_a_cancelled_invoice_is_not_told(company: Any, state: int, status: int, told: bool) -> None:
    row = company.id("invoices", "p2")
    company.edit("invoices", row, statecode=state, statuscode=status)
    connector = company.connect()

    [invoice] = company.read(connector, "invoice").values()

    assert (invoice.kind, invoice.deleted) == ("invoice", not told)
    assert [one for ids in connector.ids(company.streams["invoice"]) for one in ids] == [row] * told
    assert connector.count(company.streams["invoice"]) == told


def test_invoices_of_sales_are_off_where_the_company_keeps_payments_of_its_own(company: Any) -> None:
    with_own, without = company.connect(**named("payment")), company.connect()

    assert with_own.connection.stream("invoice") is None
    assert without.connection.stream("invoice") is not None


def test_an_environment_without_invoices_is_no_error(make_crm: Any) -> None:
    crm = make_crm(off=["invoice"])

    assert crm.read(crm.connect(), "invoice") == {}
