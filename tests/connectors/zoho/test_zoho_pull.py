"""What the Zoho connector reads, against the emulator that other hands wrote from the vendor's pages."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Window
from connectors.errors import ForbiddenError, MissingFieldsError

MakeOrg = Callable[..., Any]
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def test_people_are_read_with_their_manager_role_and_territory(org: Any) -> None:
    found = org.read(org.connect(), "person")

    ann, bo = found[org.id("people", "1")], found[org.id("people", "2")]
    assert (ann.name, ann.email, ann.active, ann.role, ann.territory) == (
        "Ann Lee", "ann@example.com", True, "AE East", "EMEA",
    )  # fmt: skip
    assert (bo.name, bo.active, bo.manager_id) == ("Bo Øst", False, ann.remote_id)


def test_a_team_comes_from_a_field_of_the_org(org: Any) -> None:
    found = org.read(org.connect(fields={"person": {"team": "Team"}}), "person")

    assert found[org.id("people", "1")].team == "North"


def test_a_user_field_that_is_not_there_stops_the_stream(org: Any) -> None:
    connector = org.connect(fields={"person": {"team": "No_Such"}})

    with pytest.raises(MissingFieldsError, match="No_Such"):
        org.read(connector, "person")


def test_a_user_who_was_deleted_stays_as_one_who_is_not_active(org: Any) -> None:
    org.emulator.remove("people", "1")
    connector = org.connect()

    found = org.read(connector, "person")
    told = org.records(connector, list(connector.deletions(org.streams["person"], SINCE, org.now)))

    assert (found[org.id("people", "1")].active, found[org.id("people", "1")].deleted) == (False, False)
    assert [one.remote_id for one in told] == [org.id("people", "1")]


def test_accounts_are_read_with_their_parent_and_country(org: Any) -> None:
    found = org.read(org.connect(), "account")

    first, second = found[org.id("accounts", "10")], found[org.id("accounts", "11")]
    assert (first.industry, first.region, first.owner_id) == ("Steel", "DE", org.id("people", "1"))
    assert (second.name, second.parent_id) == ('O\'Acme, "Ltd"', first.remote_id)
    assert second.created_at == datetime(2025, 6, 2, 8, tzinfo=UTC)


def test_a_deal_is_read_with_exact_money_and_our_words(org: Any) -> None:
    found = org.read(org.connect(fields={"opportunity": {"external_id": "External_Id"}}), "opportunity")

    assert found[org.id("opportunities", "100")].model_dump(
        exclude={"remote_id", "modified_at"}, exclude_none=True
    ) == {
        "deleted": False,
        "name": "Big",
        "account_id": org.id("accounts", "10"),
        "owner_id": org.id("people", "1"),
        "pipeline": "Sales",
        "stage": "Proposal",
        "amount": Decimal("12000.5"),
        "currency": "EUR",
        "created_at": datetime(2026, 1, 10, 8, tzinfo=UTC),
        "close_on": date(2026, 4, 30),
        "type": "New",
        "source": "Web",
        "probability": Decimal("0.6"),
        "next_step": "Call",
        "external_id": "X1",
    }
    assert found[org.id("opportunities", "101")].currency == "USD"


def test_an_org_with_one_currency_has_no_such_field_and_its_own_is_taken(make_org: MakeOrg, world: Any) -> None:
    world["rates"] = []
    for deal in world["opportunities"]:
        deal["currency"] = "EUR"
    org = make_org(world)
    connector = org.connect()

    first = org.read(connector, "opportunity")
    again = org.calls(lambda: org.pages(connector, "opportunity", SINCE))

    assert {deal.currency for deal in first.values()} == {"EUR"}
    assert again == {"POST /crm/v8/coql": 1}


def test_stages_mean_what_their_forecast_type_says_and_keep_their_value(org: Any) -> None:
    found = org.read(org.connect(), "stage")

    meant = {(one.pipeline, one.stage): (one.label, one.outcome, one.position) for one in found.values()}
    assert meant == {
        ("Sales", "Prospecting"): ("Prospecting", "open", 1),
        ("Sales", "Proposal"): ("Offer", "open", 2),
        ("Sales", "Closed Won"): ("Closed Won", "won", 3),
        ("Sales", "Closed Lost"): ("Closed Lost", "lost", 4),
        ("Sales", "Parked"): ("Parked", "omitted", 5),
    }


def test_stage_history_becomes_changes_of_stage(org: Any) -> None:
    found = org.read(org.connect(), "history").values()

    of_big = sorted((one for one in found if one.record_id == org.id("opportunities", "100")), key=lambda one: one.at)
    assert [(one.field, one.old, one.new, one.at) for one in of_big] == [
        ("stage", None, "Prospecting", datetime(2026, 1, 10, 8, tzinfo=UTC)),
        ("stage", "Prospecting", "Proposal", datetime(2026, 2, 1, 10, tzinfo=UTC)),
    ]
    assert of_big[1].by == org.id("people", "1")


def test_a_change_says_the_same_read_alone_as_in_a_full_pull(org: Any) -> None:
    connector = org.connect()
    whole = org.read(connector, "history")

    alone = org.read(connector, "history", datetime(2026, 2, 1, tzinfo=UTC))

    assert len(alone) == 1
    assert {key: whole[key] for key in alone} == alone


def test_stages_of_a_deleted_deal_are_left_out(org: Any) -> None:
    org.emulator.remove("opportunities", "100")

    found = org.read(org.connect(), "history").values()

    assert org.id("opportunities", "100") not in {one.record_id for one in found}


def test_activities_know_their_deal_or_their_account(org: Any) -> None:
    connector = org.connect()

    calls, meetings, tasks = (org.read(connector, name) for name in ("call", "meeting", "task"))

    held, planned = calls[org.id("activities", "a1")], calls[org.id("activities", "a5")]
    assert (held.kind, held.direction, held.opportunity_id, held.account_id, held.duration_seconds) == (
        "call", "inbound", org.id("opportunities", "100"), None, 300,
    )  # fmt: skip
    assert (held.completed_at, len(held.contact_ids or [])) == (datetime(2026, 2, 2, 9, tzinfo=UTC), 1)
    assert (planned.completed_at, planned.planned_at) == (None, datetime(2026, 12, 1, 9, tzinfo=UTC))
    (meeting,) = meetings.values()
    assert (meeting.opportunity_id, meeting.account_id) == (None, org.id("accounts", "10"))
    assert (meeting.planned_at, meeting.completed_at, meeting.duration_seconds) == (
        datetime(2026, 2, 5, 10, tzinfo=UTC), datetime(2026, 2, 5, 11, tzinfo=UTC), 3600,
    )  # fmt: skip
    (task,) = tasks.values()
    assert (task.completed_at, task.planned_at) == (
        datetime(2024, 2, 4, 8, tzinfo=UTC), datetime(2024, 2, 4, 12, tzinfo=UTC),
    )  # fmt: skip


def test_what_activities_are_about_is_not_asked_after_deals_and_accounts_were_read(org: Any) -> None:
    connector = org.connect()
    org.pages(connector, "account")
    org.pages(connector, "opportunity")

    cost = org.calls(lambda: org.pages(connector, "call"))

    assert cost == {"POST /crm/v8/coql": 1}


def test_emails_and_timelines_are_off_unless_switched_on(org: Any) -> None:
    settings = org.settings()

    assert (settings.stream("email"), settings.stream("timeline")) == (None, None)
    assert org.settings(streams={"email": "on"}).stream("email") is not None


def test_emails_come_from_the_deals_that_were_touched(org: Any) -> None:
    connector = org.connect(streams={"email": "on"})

    found = list(org.read(connector, "email").values())
    later = org.read(connector, "email", org.now - timedelta(hours=1))

    assert [(one.kind, one.direction, one.opportunity_id, one.completed_at) for one in found] == [
        ("email", "outbound", org.id("opportunities", "100"), datetime(2026, 2, 3, 8, tzinfo=UTC))
    ]
    assert later == {}


def test_the_timeline_tells_owners_and_dates(org: Any) -> None:
    connector = org.connect(streams={"timeline": "on"})

    found = org.read(connector, "timeline").values()

    assert sorted((one.field, one.old, one.new) for one in found) == [
        ("close_on", "2026-03-31", "2026-04-30"),
        ("owner_id", org.id("people", "1"), org.id("people", "2")),
    ]


def test_line_items_come_from_the_quotes_of_a_deal(org: Any) -> None:
    (item,) = org.read(org.connect(), "line_item").values()

    assert (item.opportunity_id, item.product, item.quantity, item.amount) == (
        org.id("opportunities", "100"), "Pump", 2, Decimal("500.25"),
    )  # fmt: skip


def test_a_rate_says_how_much_of_the_base_currency_one_unit_buys(org: Any) -> None:
    (rate,) = org.read(org.connect(), "rate").values()

    assert (rate.currency, rate.to, rate.rate) == ("USD", "EUR", Decimal("0.8"))


def test_rows_of_one_second_are_all_read_whatever_the_page(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(23), page_cap=5)
    connector = org.connect()

    whole = org.read(connector, "opportunity")
    changed = org.read(connector, "opportunity", SINCE)

    assert len(whole) == 23
    assert changed == whole


def test_an_idle_window_costs_one_call_a_stream(org: Any) -> None:
    connector = org.connect()
    start = org.now - timedelta(seconds=1)

    for name in ("account", "opportunity", "history", "call", "meeting", "task", "line_item"):
        assert org.calls(lambda name=name: org.pages(connector, name, start)) == {"POST /crm/v8/coql": 1}, name
    assert org.calls(lambda: org.pages(connector, "person", start)) == {"GET /crm/v8/users": 1}


@pytest.mark.parametrize("start", [None, SINCE])
def test_a_pull_goes_on_behind_any_page_in_a_new_process(make_org: MakeOrg, many: Any, start: datetime | None) -> None:
    org = make_org(many(23), page_cap=5)
    pages = org.pages(org.connect(), "opportunity", start)

    rest = list(org.connect().pull(org.streams["opportunity"], Window(start, org.now), pages[1].resume))

    assert [row.fields["id"] for page in rest for row in page.rows] == [
        row.fields["id"] for page in pages[2:] for row in page.rows
    ]
    assert pages[-1].resume is None


def test_a_first_load_can_begin_at_a_day(org: Any) -> None:
    connector = org.connect()

    deals = org.read(connector, "opportunity", since=date(2026, 1, 1))
    tasks = org.read(connector, "task", since=date(2026, 1, 1))
    moves = org.read(connector, "history", since=date(2026, 1, 15))

    assert set(deals) == {org.id("opportunities", "100"), org.id("opportunities", "101")}
    assert tasks == {}
    assert {one.new for one in moves.values()} == {"Proposal"}


def test_deleted_deals_are_told_once(org: Any) -> None:
    org.emulator.remove("opportunities", "101")
    connector = org.connect()

    told = org.records(connector, list(connector.deletions(org.streams["opportunity"], SINCE, org.now)))
    later = list(connector.deletions(org.streams["opportunity"], org.now + timedelta(hours=3), org.now))

    assert [(one.remote_id, one.deleted) for one in told] == [(org.id("opportunities", "101"), True)]
    assert later == []


def test_a_mapped_field_that_is_not_there_is_named(org: Any) -> None:
    connector = org.connect(fields={"opportunity": {"product": "Prodct"}})

    with pytest.raises(MissingFieldsError, match=r"fields\.opportunity: Deals has no Prodct"):
        org.pages(connector, "opportunity")


def test_an_amount_that_is_hidden_stops_the_deals(org: Any) -> None:
    org.arm("missing_field", field="Amount", object="Deals", times=None)

    with pytest.raises(MissingFieldsError, match="Amount"):
        org.pages(org.connect(), "opportunity")


def test_a_currency_that_is_hidden_is_not_taken_for_the_orgs_own(org: Any) -> None:
    org.arm("missing_field", field="Currency", object="Deals", times=None)

    with pytest.raises(MissingFieldsError, match="Currency"):
        org.pages(org.connect(), "opportunity")


def test_another_field_that_is_hidden_is_told_with_the_page(org: Any) -> None:
    org.arm("missing_field", field="Next_Step", object="Deals", times=None)

    (page,) = org.pages(org.connect(), "opportunity")

    assert page.lacks == {"Next_Step"}
    assert len(page.rows) == 3


def test_a_module_that_is_off_is_nothing_if_optional_and_an_error_else(make_org: MakeOrg) -> None:
    org = make_org(switched_off=["Quoted_Items", "Tasks"])
    connector = org.connect()

    assert org.read(connector, "line_item") == {}
    with pytest.raises(ForbiddenError, match="Tasks"):
        org.pages(connector, "task")


def test_a_record_without_a_home_is_off_until_a_module_is_named(org: Any) -> None:
    named = org.settings(streams={"target": {"object": "Quotas"}})

    assert org.settings().stream("target") is None
    assert named.object_of("target") == "Quotas"


def test_a_record_without_a_home_is_read_from_a_module_of_the_org(org: Any) -> None:
    mapping = {"subject_id": "Owner.id", "period_start": "Begin", "period_end": "End", "amount": "Goal"}
    connector = org.connect(streams={"target": {"object": "Quotas"}}, fields={"target": mapping})
    profile = next(connector.api.users("CurrentUser"))[0]["profile"]["id"]
    shape = {"plural_label": "Quotas", "singular_label": "Quota", "api_name": "Quotas", "profiles": [{"id": profile}]}
    connector.api.json("POST", "/crm/v8/settings/modules", json={"modules": [shape]})
    types: dict[str, dict[str, Any]] = {
        "Begin": {"data_type": "date"},
        "End": {"data_type": "date"},
        "Goal": {"data_type": "double", "decimal_place": 2},
    }
    for label, shape in types.items():
        body = {"fields": [{"field_label": label, **shape}]}
        connector.api.json("POST", "/crm/v8/settings/fields", params={"module": "Quotas"}, json=body)
    row = {"Name": "Q1", "Begin": "2026-01-01", "End": "2026-03-31", "Goal": 90000.5}
    connector.api.json("POST", "/crm/v8/Quotas", json={"data": [row]})

    (target,) = org.read(connector, "target").values()

    assert (target.subject_kind, target.metric, target.amount) == ("person", "bookings", Decimal("90000.5"))
    assert (target.period_start, target.period_end) == (date(2026, 1, 1), date(2026, 3, 31))


def test_a_module_of_the_org_must_say_what_its_rows_mean(org: Any) -> None:
    connector = org.connect(streams={"target": {"object": "Quotas"}})

    with pytest.raises(MissingFieldsError, match=r"fields\.target\.period_start, fields\.target\.period_end"):
        org.pages(connector, "target")


def test_rows_are_fetched_by_id_as_they_are_pulled(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(60))
    connector = org.connect()
    whole = org.read(connector, "opportunity")

    found = org.records(connector, list(connector.fetch(org.streams["opportunity"], [*whole, "999", "x"])))

    assert {one.remote_id: one for one in found} == whole
    assert connector.count(org.streams["opportunity"]) == 60
