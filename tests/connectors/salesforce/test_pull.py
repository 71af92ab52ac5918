"""What the Salesforce connector reads, against the emulator that other hands wrote from the vendor's pages."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import (
    ConfigError,
    ContractError,
    ForbiddenError,
)
from connectors.salesforce.values import last_day

MakeOrg = Callable[..., Any]


def test_people_are_read_with_their_team_and_manager(org: Any) -> None:
    found = org.read(org.connect(), "person")

    ann, bo = found[org.id("people", "1")], found[org.id("people", "2")]
    assert (ann.name, ann.email, ann.active, ann.team, ann.region, ann.role) == (
        "Ann Lee", "ann@example.com", True, "North", "EMEA", "AE East",
    )  # fmt: skip
    assert (bo.name, bo.active, bo.manager_id) == ("Bo Øst", False, ann.remote_id)


def test_a_role_can_come_from_the_role_tree(org: Any) -> None:
    connector = org.connect(fields={"person": {"role": "UserRole.DeveloperName"}})

    found = org.read(connector, "person")

    assert {person.role for person in found.values()} == {"AE_East", None}


def test_accounts_are_read_with_their_parent(org: Any) -> None:
    found = org.read(org.connect(), "account")

    account = found[org.id("accounts", "11")]
    assert (account.name, account.parent_id, account.owner_id) == (
        'Acme, "Ltd"', org.id("accounts", "10"), org.id("people", "2"),
    )  # fmt: skip
    assert account.created_at == datetime(2025, 6, 2, 8, tzinfo=UTC)


def test_a_deal_is_read_with_exact_money_and_our_words(org: Any) -> None:
    found = org.read(org.connect(), "opportunity")

    deal = found[org.id("opportunities", "100")]
    assert deal.model_dump(exclude={"remote_id", "modified_at", "closed_at"}, exclude_none=True) == {
        "deleted": False,
        "name": "Big",
        "account_id": org.id("accounts", "10"),
        "owner_id": org.id("people", "1"),
        "stage": "Proposal",
        "outcome": "open",
        "amount": Decimal("12000.5"),
        "currency": "EUR",
        "created_at": datetime(2026, 1, 10, 8, tzinfo=UTC),
        "close_on": date(2026, 4, 30),
        "type": "New",
        "source": "Web",
        "probability": Decimal("0.6"),
        "forecast_category": "best case",
        "next_step": "Call",
    }
    assert deal.closed_at is None


def test_a_closed_deal_has_its_outcome_and_the_moment_its_stage_turned(org: Any) -> None:
    found = org.read(org.connect(), "opportunity")

    won, lost = found[org.id("opportunities", "101")], found[org.id("opportunities", "102")]
    assert (won.outcome, won.closed_at, won.close_on) == (
        "won", datetime(2026, 2, 10, 15, tzinfo=UTC), date(2026, 2, 10),
    )  # fmt: skip
    assert (lost.outcome, lost.amount) == ("lost", None)


def test_stages_say_what_they_mean(org: Any) -> None:
    found = {stage.stage: stage for stage in org.read(org.connect(), "stage").values()}

    assert {name: (found[name].outcome, found[name].probability, found[name].pipeline) for name in found} == {
        "Prospecting": ("open", Decimal("0.1"), None),
        "Proposal": ("open", Decimal("0.6"), None),
        "Closed Won": ("won", Decimal(1), None),
        "Closed Lost": ("lost", Decimal(0), None),
    }


def test_activities_come_by_kind_and_archived_ones_too(org: Any) -> None:
    connector = org.connect()

    call, email, task, meeting = (
        next(iter(org.read(connector, name).values())) for name in ("call", "email", "task", "meeting")
    )

    assert (call.kind, call.direction, call.duration_seconds, call.opportunity_id) == (
        "call", "inbound", 300, org.id("opportunities", "100"),
    )  # fmt: skip
    assert call.account_id == org.id("accounts", "10")
    assert call.contact_ids is not None
    assert org.emulator.show("activities", "a1")["WhoId"] not in call.contact_ids
    assert call.completed_at == datetime(2026, 2, 2, 9, tzinfo=UTC)
    assert email.kind == "email"
    assert (task.kind, task.completed_at.date(), task.deleted) == ("task", date(2024, 2, 4), False)
    assert (meeting.kind, meeting.planned_at, meeting.completed_at, meeting.duration_seconds) == (
        "meeting", datetime(2026, 2, 5, 10, tzinfo=UTC), datetime(2026, 2, 5, 11, tzinfo=UTC), 3600,
    )  # fmt: skip


def test_owner_changes_carry_ids_not_names(org: Any) -> None:
    [change] = org.read(org.connect(), "field_history").values()

    assert (change.field, change.old, change.new, change.at) == (
        "owner_id", org.id("people", "1"), org.id("people", "2"), datetime(2025, 12, 1, 10, tzinfo=UTC),
    )  # fmt: skip


def test_a_quota_is_a_target_that_ends_with_its_period(org: Any) -> None:
    [target] = org.read(org.connect(), "target").values()

    assert (target.subject_kind, target.subject_id, target.metric) == ("person", org.id("people", "1"), "bookings")
    assert (target.amount, target.currency) == (Decimal(90000), "EUR")
    assert target.period_start == date(2026, 1, 1)
    assert target.period_end > target.period_start


def test_a_rate_is_turned_round_to_the_corporate_currency(org: Any) -> None:
    found = org.read(org.connect(), "rate")

    usd = [rate for rate in found.values() if rate.currency == "USD"]
    assert [(rate.to, rate.rate, rate.on) for rate in usd] == [("EUR", Decimal("0.8"), date(2026, 1, 1))]


def test_a_dated_rate_holds_until_the_day_before_the_next(make_org: MakeOrg, world: Any) -> None:
    world["rates"].append({"id": "r2", "currency": "USD", "to": "EUR", "rate": "0.9", "on": "2026-03-01"})
    org = make_org(world)

    found = org.read(org.connect(), "rate")

    assert {(rate.on, rate.until) for rate in found.values()} == {
        (date(2026, 1, 1), date(2026, 2, 28)),
        (date(2026, 3, 1), date(9999, 12, 31)),
    }


@pytest.mark.parametrize("open_end", [None, "9999-12-31"])
def test_the_last_dated_rate_is_open_however_that_is_written(open_end: str | None) -> None:
    assert last_day(open_end) == "9999-12-31"


def test_rates_without_dates_hold_always(make_org: MakeOrg) -> None:
    org = make_org(off=["DatedConversionRate"])

    found = org.read(org.connect(), "rate")

    assert {(rate.currency, rate.to, rate.on, rate.until) for rate in found.values()} == {
        ("USD", "EUR", date(1970, 1, 1), date(9999, 12, 31))
    }


def test_a_hidden_field_is_left_unknown_and_learnt_once(org: Any) -> None:
    org.hide("LastStageChangeDate")
    connector = org.connect()

    found = org.read(connector, "opportunity")
    spent = org.calls(lambda: org.pages(connector, "opportunity", org.now - timedelta(minutes=10)))

    assert found[org.id("opportunities", "101")].closed_at is None
    assert found[org.id("opportunities", "101")].outcome == "won"
    assert sum(spent.values()) == 1


def test_a_stream_stops_when_the_amount_is_hidden(org: Any) -> None:
    org.hide("Amount")

    with pytest.raises(ForbiddenError, match=r"hides Amount of Opportunity.*Grant Read"):
        org.pages(org.connect(), "opportunity")


def test_a_mapped_field_that_is_not_there_is_a_matter_of_configuration(org: Any) -> None:
    connector = org.connect(fields={"opportunity": {"extra": {"partner": "Partner__c"}}})

    with pytest.raises(ConfigError, match=r"Opportunity has no Partner__c, or field-level security hides it"):
        org.pages(connector, "opportunity")


def test_mapped_fields_of_ones_own_are_read(org: Any) -> None:
    connector = org.connect(fields={"opportunity": {"product": "Product__c", "extra": {"legacy": "External_Id__c"}}})
    org.emulator.edit("opportunities", "100", {"product": "GTX", "external_id": "L-1"})

    found = org.read(connector, "opportunity", end=org.now + timedelta(seconds=1))

    deal = found[org.id("opportunities", "100")]
    assert (deal.product, deal.extra) == ("GTX", {"legacy": "L-1"})


def test_an_object_we_may_not_see_stops_its_stream_only(make_org: MakeOrg) -> None:
    org = make_org(off=["Account"])
    connector = org.connect()

    with pytest.raises(ForbiddenError, match="Account does not exist for the integration user"):
        org.pages(connector, "account")
    assert len(org.read(connector, "opportunity")) == 3


@pytest.mark.parametrize("name", ["target", "rate"])
def test_a_feature_that_is_off_is_no_error(make_org: MakeOrg, name: str) -> None:
    org = make_org(off=["ForecastingQuota", "DatedConversionRate", "CurrencyType"])

    assert org.pages(org.connect(), name) == []


def test_a_corporate_rate_other_than_one_stops_the_rates(org: Any) -> None:
    currencies = org.emulator.org.tables["CurrencyType"]
    corporate = next(row for row in currencies.rows.values() if row["IsCorporate"])
    currencies.put(type(corporate)({**corporate, "ConversionRate": 1.2}))

    with pytest.raises(ContractError, match="ConversionRate is not 1"):
        org.pages(org.connect(), "rate")
