"""What is read: companies, stages, deals, activities, goals and rates."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.base import Stream
from connectors.errors import ContractError
from connectors.hubspot import HubSpot
from connectors.mapping import content_hash
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import (
    ALL,
    LONG_AGO,
    STREAMS,
    TOUCH,
    WORLD,
    Open,
    deals,
    pulled,
    raws,
    records,
    window,
)


def test_companies_come_with_their_parents(hubspot: HubSpot) -> None:
    accounts = pulled(hubspot, "account")

    assert (accounts["201"].name, accounts["201"].industry, accounts["201"].owner_id) == ("Acme", "RETAIL", "701")
    assert (accounts["201"].parent_id, accounts["202"].parent_id) == (None, "201")


def test_stages_mean_what_their_metadata_says(hubspot: HubSpot) -> None:
    stages = {record.stage: record for record in pulled(hubspot, "stage").values()}

    assert [(stages[stage].outcome, stages[stage].probability) for stage in ("9001", "9002", "9003")] == [
        ("open", Decimal("0.2")),
        ("won", Decimal(1)),
        ("lost", Decimal(0)),
    ]


def test_a_deal_comes_whole(hubspot: HubSpot) -> None:
    deal = deals(pulled(hubspot, "opportunity", window(streams=ALL)))["501"]

    assert (deal.name, deal.account_id, deal.owner_id) == ("Renewal", "201", "701")
    assert (deal.pipeline, deal.stage, deal.probability) == ("default", "9002", Decimal(1))
    assert (deal.amount, deal.currency, deal.deleted) == (Decimal("1200.5"), "EUR", False)
    assert (deal.close_on, deal.closed_at) == (date(2026, 3, 1), datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert (deal.created_at, deal.modified_at) == (
        datetime(2026, 1, 5, 9, tzinfo=UTC),
        datetime(2026, 3, 2, 9, tzinfo=UTC),
    )


def test_a_missing_amount_is_unknown_and_zero_is_zero(hubspot: HubSpot) -> None:
    found = deals(pulled(hubspot, "opportunity"))

    assert (found["502"].amount, found["503"].amount) == (None, Decimal(0))


def test_a_deal_without_currency_is_in_that_of_the_company(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    found = deals(pulled(hubspot, "opportunity"))

    assert (found["502"].currency, found["503"].currency) == (hubspot.account.currency, "USD")


def test_a_close_date_is_the_day_of_the_account_not_that_of_utc(hubspot: HubSpot) -> None:
    (raw,) = [raw for raw in raws(hubspot.pull(STREAMS["opportunity"], window(), None)) if raw.fields["id"] == "502"]

    told = hubspot.api.read("deals", ["502"], properties=["closedate"])

    assert [row["properties"]["closedate"][:10] for row in told] == ["2026-06-29"]
    assert records(hubspot, [raw])["502"].close_on == date(2026, 6, 30)


def test_an_open_deal_has_no_time_of_closing(hubspot: HubSpot) -> None:
    assert deals(pulled(hubspot, "opportunity", window(streams=ALL)))["502"].closed_at is None


def test_a_call_comes_with_what_it_is_about(hubspot: HubSpot) -> None:
    call = pulled(hubspot, "call")["601"]

    assert (call.kind, call.owner_id, call.opportunity_id, call.account_id) == ("call", "701", "501", "201")
    assert (call.direction, call.two_way, call.duration_seconds) == ("outbound", True, 90)
    assert call.completed_at == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert call.contact_ids is not None
    assert len(call.contact_ids) == 2


def test_meetings_emails_and_tasks_say_when_they_were_done(hubspot: HubSpot) -> None:
    meeting, email, task = (
        pulled(hubspot, name)[remote_id] for name, remote_id in (("meeting", "602"), ("email", "603"), ("task", "604"))
    )

    assert (meeting.completed_at, meeting.opportunity_id) == (datetime(2026, 2, 3, 11, tzinfo=UTC), "501")
    assert (email.completed_at, email.direction) == (datetime(2026, 2, 4, 10, tzinfo=UTC), "inbound")
    assert (task.planned_at, task.completed_at) == (datetime(2026, 2, 5, 10, tzinfo=UTC), None)


def test_a_target_belongs_to_an_owner_for_whole_days(hubspot: HubSpot) -> None:
    (target,) = pulled(hubspot, "target").values()

    assert (target.subject_kind, target.subject_id, target.metric) == ("person", "701", "bookings")
    assert (target.period_start, target.period_end, target.amount) == (
        date(2026, 1, 1),
        date(2026, 3, 31),
        Decimal(100000),
    )


def test_a_rate_says_what_one_unit_is_worth(hubspot: HubSpot) -> None:
    (rate,) = pulled(hubspot, "rate").values()

    assert (rate.currency, rate.to, rate.rate, rate.on) == ("USD", "EUR", Decimal("0.92"), date(2026, 1, 1))
    assert rate.until == date(9999, 12, 31)


def test_a_call_with_more_contacts_than_a_row_carries_has_them_all(opened: Open, emulator: HubSpotEmulator) -> None:
    contacts = ";".join(str(number) for number in range(3001, 3651))
    call = emulator.edit("activities", None, {"kind": "call", "contact_ids": contacts, "completed_at": TOUCH})

    found = [pulled(opened(), "call", asked)[call] for asked in (window(), window(LONG_AGO))]

    assert [len(one.contact_ids) for one in found] == [650, 650]
    assert content_hash(found[0]) == content_hash(found[1])


def test_a_goal_of_a_team_is_the_team_s(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    goal = emulator.edit("targets", None, {**WORLD["targets"][0], "subject_kind": "team", "subject_id": "South"})

    target = pulled(hubspot, "target")[goal]

    assert (target.subject_kind, target.subject_id) == ("team", "South")


def test_properties_that_do_not_fit_into_a_url_are_refused_before_the_call(opened: Open) -> None:
    extra = {f"field_{number}": f"a_custom_property_with_a_long_name_{number}" for number in range(200)}

    with pytest.raises(ContractError, match="map fewer"):
        pulled(opened(fields={"opportunity": {"extra": extra}}), "opportunity")


def test_a_custom_field_and_another_amount_are_read_where_they_are_mapped(opened: Open) -> None:
    hubspot = opened(fields={"opportunity": {"amount": "amount_in_home_currency", "extra": {"legacy": "external_id"}}})

    found = pulled(hubspot, "opportunity", window(streams=ALL))

    assert deals(found)["501"].amount == Decimal("1200.5")
    assert {one.remote_id.split(":")[1] for one in found.values() if getattr(one, "field", "") == "amount"} <= {
        "amount_in_home_currency"
    }


def test_streams_are_read_under_their_own_names() -> None:
    assert [stream.name for stream in HubSpot.streams if isinstance(stream, Stream)] == [
        "stage", "person", "account", "opportunity", "change", "call", "meeting", "email", "task", "target", "rate",
        "split", "line_item", "survey", "invoice", "commerce_payment", "refund", "subscription", "forecast_submission",
        "payment", "contract", "forecast", "absence", "rating",
    ]  # fmt: skip
