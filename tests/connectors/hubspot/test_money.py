"""Invoices, payments, refunds, subscriptions and forecast submissions: HubSpot's own objects, or those of the company."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.hubspot import HubSpot
from connectors.mapping import Mapper, content_hash
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import BOTH, LATELY, STREAMS, TOUCH, Open, calls, pulled, raws, records, window
from tests.connectors.rig import KEY

PAID, BILLED = "1202", "1201"


@BOTH
def test_invoices_payments_and_refunds_are_payments_of_their_deal(hubspot: HubSpot, start: str | None) -> None:
    found = {name: pulled(hubspot, name, window(start)) for name in ("invoice", "commerce_payment", "refund")}

    assert {
        key: (one.opportunity_id, one.amount, one.currency, one.paid_on, one.kind, one.deleted)
        for rows in found.values()
        for key, one in rows.items()
    } == {
        "1201:invoice": ("501", Decimal("1200.5"), "EUR", date(2026, 3, 3), "invoice", False),
        "1202": ("501", Decimal("1200.5"), "EUR", date(2026, 3, 29), "payment", False),
        "1202:refund": ("501", Decimal("200.5"), "EUR", date(2026, 4, 2), "refund", False),
    }


@pytest.mark.parametrize(
    ("stream", "table", "values"),
    [
        ("invoice", "invoices", {"hs_invoice_status": "draft"}),
        ("invoice", "invoices", {"hs_invoice_status": "voided"}),
        ("commerce_payment", "commerce_payments", {"hs_latest_status": "failed"}),
        ("commerce_payment", "commerce_payments", {"hs_latest_status": "processing"}),
        ("commerce_payment", "commerce_payments", {"hs_latest_status": "disputed_lost"}),
    ],
)
def test_what_is_no_money_any_more_arrives_as_deleted(
    hubspot: HubSpot, emulator: HubSpotEmulator, stream: str, table: str, values: dict[str, str]
) -> None:
    emulator.edit(table, {"invoices": BILLED, "commerce_payments": PAID}[table], values)

    (found,) = pulled(hubspot, stream, window(LATELY)).values()

    assert found.deleted
    assert [one for part in hubspot.ids(STREAMS[stream]) or () for one in part] == []


def test_a_payment_that_gave_nothing_back_is_no_refund(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.edit("commerce_payments", None, {"hs_initial_amount": "5", "hs_initiated_date": TOUCH})
    emulator.edit("commerce_payments", PAID, {"hs_refunds_amount": "0.00"})

    assert pulled(hubspot, "refund") == {}


def test_a_refund_is_of_the_day_on_which_it_became_that_much(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.clock = lambda: datetime(2026, 5, 4, 22, 30, tzinfo=UTC)  # the next day in Berlin
    emulator.edit("commerce_payments", PAID, {"hs_refunds_amount": "300"})
    emulator.clock = lambda: datetime(2026, 6, 1, tzinfo=UTC)
    emulator.edit("commerce_payments", PAID, {"hs_reference_number": "R-7"})

    (refund,) = pulled(hubspot, "refund", window("2026-05-01T00:00:00+00:00")).values()

    assert (refund.amount, refund.paid_on) == (Decimal(300), date(2026, 5, 5))


@pytest.mark.parametrize(("stream", "key"), [("refund", "1202:refund"), ("invoice", "1201:invoice")])
def test_a_row_under_an_id_of_ours_is_found_again_by_it(hubspot: HubSpot, stream: str, key: str) -> None:
    listed = [one for part in hubspot.ids(STREAMS[stream]) or () for one in part]
    pages = hubspot.fetch(STREAMS[stream], [key])
    fetched = records(hubspot, raws(iter(pages or ())))

    assert (listed, list(fetched)) == ([key], [key])
    assert content_hash(fetched[key]) == content_hash(pulled(hubspot, stream)[key])


@pytest.mark.parametrize(
    ("stream", "key"), [("invoice", "1201:invoice"), ("commerce_payment", "1202"), ("refund", "1202:refund")]
)
def test_a_deal_that_is_named_afterwards_is_found_by_reconciliation(hubspot: HubSpot, stream: str, key: str) -> None:
    rows = list(hubspot.links(STREAMS[stream], [key]) or ())

    found = [Mapper(STREAMS[stream], hubspot.connection, key=KEY).part(row.fields, {"opportunity_id"}) for row in rows]

    assert found == [(key, {"opportunity_id": "501"})]


def test_a_deleted_payment_takes_its_refund_along(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.remove("commerce_payments", PAID)

    gone = {
        key: one.deleted
        for name in ("commerce_payment", "refund")
        for key, one in records(hubspot, raws(hubspot.deletions(STREAMS[name], None, hubspot.now()))).items()
    }

    assert gone == {"1202": True, "1202:refund": True}


@BOTH
def test_a_subscription_is_a_contract_that_ended_when_its_status_says_so(hubspot: HubSpot, start: str | None) -> None:
    (contract,) = pulled(hubspot, "subscription", window(start)).values()

    assert (contract.account_id, contract.recurring_amount, contract.currency, contract.start_on, contract.end_on) == (
        "201", Decimal(100), "EUR", date(2025, 3, 1), date(2026, 2, 28),
    )  # fmt: skip


def test_a_running_subscription_has_no_end_and_costs_no_history(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.edit("subscriptions", "1301", {"hs_status": "active"})
    pulled(hubspot, "subscription", window(LATELY))
    emulator.stats.clear()

    (contract,) = pulled(hubspot, "subscription", window(LATELY)).values()

    assert contract.end_on is None
    assert not [where for where in calls(emulator) if "batch/read" in where and "objects" in where]


def test_a_subscription_that_only_ended_is_told_although_nothing_else_changed(
    hubspot: HubSpot, emulator: HubSpotEmulator
) -> None:
    emulator.clock = lambda: datetime(2026, 5, 4, 22, 30, tzinfo=UTC)  # the next day in Berlin
    emulator.edit("subscriptions", "1301", {"hs_status": "active"})
    emulator.clock = lambda: datetime(2026, 5, 5, 22, 30, tzinfo=UTC)
    emulator.edit("subscriptions", "1301", {"hs_status": "canceled"})
    known = window("2026-05-01T00:00:00+00:00", changed=lambda _rows: [])

    (contract,) = pulled(hubspot, "subscription", known).values()

    assert contract.end_on == date(2026, 5, 6)


def test_a_subscription_of_no_company_is_none_of_ours(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    loose = emulator.edit("subscriptions", None, {"hs_mrr": "5"})

    assert pulled(hubspot, "subscription")[loose].deleted


@BOTH
def test_a_submission_is_the_forecast_of_its_owner(hubspot: HubSpot, start: str | None) -> None:
    (said,) = pulled(hubspot, "forecast_submission", window(start)).values()

    assert (said.owner_id, said.layer, said.amount, said.currency, said.period_start, said.period_end) == (
        "701", "rep", Decimal(9000), "EUR", date(2026, 1, 1), date(2026, 3, 31),
    )  # fmt: skip


def test_what_another_submits_for_somebody_is_a_managers_forecast(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    other = str(emulator.portal.owners[702].user_id)
    emulator.edit("forecasts", "1401", {"hs_created_by_user_id": other})

    (said,) = pulled(hubspot, "forecast_submission").values()

    assert (said.owner_id, said.layer) == ("701", "manager")


def test_the_figure_of_a_team_is_nobodys_forecast(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.edit("forecasts", "1401", {"hubspot_owner_id": None, "hs_team_id": "5000001"})

    assert [one.deleted for one in pulled(hubspot, "forecast_submission").values()] == [True]


def test_an_object_of_the_companys_own_takes_the_place_of_hubspots(opened: Open) -> None:
    fields = {"payment": {"kind": {"value": "payment"}}, "contract": {"account_id": "@company"}}
    objects = {"payment": {"object": "tickets"}, "contract": {"object": "products"}, "forecast": {"object": "notes"}}

    own, usual = opened(streams=objects, fields=fields).connection, opened().connection

    replaced = ("invoice", "commerce_payment", "refund", "subscription", "forecast_submission")
    assert [own.stream(name) for name in replaced] == [None] * 5
    assert None not in [usual.stream(name) for name in replaced]
    assert [usual.stream(name) for name in ("payment", "contract", "forecast")] == [None] * 3


def test_an_account_without_commerce_costs_one_call_per_object_until_the_metadata_is_due(
    opened: Open, emulator: HubSpotEmulator
) -> None:
    emulator.switched_off = frozenset({"invoices", "commerce_payments", "subscriptions", "forecasts"})
    hubspot = opened()
    streams = ("invoice", "commerce_payment", "subscription", "forecast_submission")
    assert [pulled(hubspot, name) for name in streams] == [{}] * 4
    emulator.stats.clear()

    assert [pulled(hubspot, name) for name in streams] == [{}] * 4

    assert calls(emulator) == {}
    assert {one.level for one in hubspot.check() if one.where in streams} == {"info"}
