"""What the Fxiaoke connector reads, against the emulator that other hands wrote from the vendor's pages."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.fxiaoke.rows import Lookups, Shaper

MakeTenant = Callable[..., Any]
SURVEY = {
    "survey": {
        "person_id": "owner", "opportunity_id": "new_opportunity_id", "scale": {"value": "csat5"}, "answer": "satisfaction__c",
        "answered_at": "survey_answered_time__c",
    }
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_employees_are_read_with_the_names_of_their_departments(tenant: Any) -> None:
    found = tenant.read(tenant.connect(), "person")

    first, second = found[tenant.id("people", "1")], found[tenant.id("people", "2")]
    assert (first.name, first.email, first.active, first.team, first.region, first.role) == (
        "张三", "zs@example.com", True, "华东一组", "华东", "销售",
    )  # fmt: skip
    assert first.started_on == date(2021, 2, 3)
    assert (second.active, second.manager_id) == (False, first.remote_id)


def test_departments_are_asked_for_once_until_somebody_is_in_a_new_one(tenant: Any) -> None:
    connector = tenant.connect()
    tenant.read(connector, "person")

    idle = tenant.calls(lambda: tenant.read(connector, "person"))
    tenant.emulator.edit("people", "1", {"team": "华南组"})
    moved = tenant.calls(lambda: tenant.read(connector, "person"))

    assert idle == {"user/list": 1}
    assert moved == {"user/list": 1, "department/list": 1}
    assert tenant.read(connector, "person")[tenant.id("people", "1")].team == "华南组"


def test_accounts_name_their_owner_and_one_in_a_pool_has_none(tenant: Any) -> None:
    found = tenant.read(tenant.connect(), "account")

    owned, pooled = found[tenant.id("accounts", "10")], found[tenant.id("accounts", "11")]
    assert (owned.name, owned.owner_id, owned.industry) == ("极光贸易", tenant.id("people", "1"), "制造业")
    assert owned.created_at == at("2025-06-01T08:00:00")
    assert pooled.owner_id is None


def test_a_deal_is_read_with_exact_money_fractions_and_local_days(tenant: Any) -> None:
    connector = tenant.connect(fields={"opportunity": {"external_id": "external_id__c", "next_step": "next_step__c"}})

    deal = tenant.read(connector, "opportunity")[tenant.id("opportunities", "100")]

    assert deal.model_dump(exclude={"remote_id", "pipeline"}, exclude_none=True) == {
        "deleted": False,
        "name": "大单",
        "account_id": tenant.id("accounts", "10"),
        "owner_id": tenant.id("people", "1"),
        "stage": tenant.id("stages", "s2"),
        "outcome": "open",
        "amount": Decimal("12000.5"),
        "currency": "CNY",
        "created_at": at("2026-01-10T08:00:00"),
        "modified_at": at("2026-02-01T10:00:00"),
        "close_on": date(2026, 4, 30),
        "probability": Decimal("0.6"),
        "discount": Decimal("0.1"),
        "external_id": "E-1",
        "next_step": "电话",
    }


def test_a_deal_ends_by_its_status_when_its_stage_last_changed(tenant: Any) -> None:
    found = tenant.read(tenant.connect(), "opportunity")

    won, lost = found[tenant.id("opportunities", "101")], found[tenant.id("opportunities", "102")]
    assert (won.outcome, won.closed_at) == ("won", at("2026-02-10T15:00:00"))
    assert (lost.outcome, lost.stage, lost.amount) == ("lost", tenant.id("stages", "s1"), None)


def test_a_status_with_another_label_is_what_the_connection_says_and_else_unknown(tenant: Any) -> None:
    status = tenant.emulator.tenant.objects["NewOpportunityObj"].fields["sales_status"]
    won = next(value for value, label in status.options.items() if label == "赢单")
    status.options[won] = "已签约"
    name = tenant.id("opportunities", "101")

    unknown = tenant.read(tenant.connect(), "opportunity")[name]
    by_label = tenant.read(tenant.connect(outcomes={"已签约": "won"}), "opportunity")[name]
    by_value = tenant.read(tenant.connect(outcomes={won: "won"}), "opportunity")[name]

    assert (unknown.outcome, by_label.outcome, by_value.outcome) == (None, "won", "won")


def test_stages_are_the_options_in_their_order(tenant: Any) -> None:
    found = tenant.read(tenant.connect(), "stage")

    assert [(one.remote_id, one.label, one.position, one.outcome) for one in found.values()] == [
        (tenant.id("stages", "s1"), "洽谈", 1, None),
        (tenant.id("stages", "s2"), "报价", 2, None),
        (tenant.id("stages", "s3"), "赢单", 3, None),
    ]


def test_the_last_stage_change_and_the_close_date_are_kept_as_snapshots(tenant: Any) -> None:
    connector = tenant.connect()

    found = tenant.records(connector, tenant.pages(connector, "opportunity"))

    deal = tenant.id("opportunities", "100")
    told = {(one.field, one.new, one.at) for one in found if one.kind_name == "change" and one.record_id == deal}
    assert told == {
        ("stage", tenant.id("stages", "s2"), at("2026-01-20T08:00:00")),
        ("close_on", "2026-04-30", at("2026-02-01T10:00:00")),
    }


def test_a_row_that_the_store_knows_makes_no_snapshot(tenant: Any) -> None:
    connector = tenant.connect()

    found = tenant.records(connector, tenant.pages(connector, "opportunity", changed=lambda _rows: []))

    assert {one.kind_name for one in found} == {"opportunity"}


def test_follow_ups_are_calls_mails_and_tasks_by_their_way(tenant: Any) -> None:
    own = {"duration_seconds": "duration_seconds__c", "direction": "direction__c"}
    connector = tenant.connect(fields={"follow_up": own})

    found = tenant.read(connector, "follow_up")

    call, email, task = (found[tenant.id("activities", name)] for name in ("a1", "a2", "a3"))
    assert (call.kind, email.kind, task.kind) == ("call", "email", "task")
    assert (call.opportunity_id, call.account_id) == (tenant.id("opportunities", "100"), tenant.id("accounts", "10"))
    assert (call.owner_id, call.duration_seconds, call.direction) == (tenant.id("people", "1"), 300, "inbound")
    assert email.direction is None
    assert call.completed_at == at("2026-02-02T09:00:00")
    assert len(call.contact_ids) == 2
    assert tenant.id("contacts", "77") not in call.contact_ids


def test_another_way_to_follow_up_is_what_the_connection_says(tenant: Any) -> None:
    found = tenant.read(tenant.connect(activity_kinds={"其他": "email"}), "follow_up")

    assert found[tenant.id("activities", "a3")].kind == "email"


def test_a_way_to_follow_up_that_is_a_selection_of_several_counts_with_one_chosen(tenant: Any) -> None:
    ways = tenant.emulator.tenant.objects["ActiveRecordObj"].fields["interactive_types"]
    phone = next(value for value, label in ways.options.items() if label == "电话")
    fields = {"interactive_types": {"type": "select_many", "options": dict(ways.options)}}
    nothing: dict[str, str] = {}
    shaper = Shaper(tenant.streams["follow_up"], fields, tenant.settings(), Lookups(nothing.get, nothing.get))

    [row] = shaper.shaped([{"_id": "x", "interactive_types": [phone]}])

    assert row["@kind"] == "call"


def test_meetings_and_visits_have_their_times(tenant: Any) -> None:
    connector = tenant.connect()

    [meeting], [visit] = tenant.read(connector, "meeting").values(), tenant.read(connector, "visit").values()

    assert (meeting.kind, meeting.planned_at, meeting.completed_at, meeting.duration_seconds) == (
        "meeting", at("2026-02-05T10:00:00"), at("2026-02-05T11:00:00"), 3600,
    )  # fmt: skip
    assert len(meeting.participant_ids) == 2
    assert (visit.kind, visit.completed_at, visit.account_id, visit.opportunity_id) == (
        "visit", at("2026-02-06T01:00:00"), tenant.id("accounts", "10"), tenant.id("opportunities", "100"),
    )  # fmt: skip


def test_line_items_name_their_product(tenant: Any) -> None:
    [item] = tenant.read(tenant.connect(), "line_item").values()

    assert (item.opportunity_id, item.product, item.quantity, item.amount) == (
        tenant.id("opportunities", "100"), "基础版", Decimal(2), Decimal("12000.5"),
    )  # fmt: skip


def test_money_reaches_its_deal_over_the_order_which_is_asked_for_once(tenant: Any) -> None:
    connector = tenant.connect()
    names = ("invoice", "payment", "refund")

    [invoice], [payment], [refund] = (tenant.read(connector, name).values() for name in names)
    calls = tenant.calls(lambda: [tenant.read(connector, name) for name in names])

    assert (payment.kind, payment.amount, payment.currency, payment.paid_on) == (
        "payment", Decimal("90.5"), "USD", date(2026, 3, 5),
    )  # fmt: skip
    assert {invoice.opportunity_id, payment.opportunity_id, refund.opportunity_id} == {
        tenant.id("opportunities", "101")
    }
    assert (invoice.amount, invoice.kind, refund.amount, refund.kind) == (
        Decimal(100),
        "invoice",
        Decimal(10),
        "refund",
    )
    assert calls == {"crm/v2/data/query": 3}


def test_money_that_changes_is_of_the_deal_that_its_order_has_by_then(tenant: Any) -> None:
    connector = tenant.connect()
    tenant.read(connector, "payment")
    [order] = tenant.emulator.tenant.tables["SalesOrderObj"].rows.values()
    order["new_opportunity_id"] = tenant.id("opportunities", "100")

    [payment] = tenant.read(connector, "payment", at("2020-01-01")).values()

    assert payment.opportunity_id == tenant.id("opportunities", "100")


def test_orders_without_a_field_for_their_deal_are_told(tenant: Any) -> None:
    tenant.arm("missing_field", field="new_opportunity_id", object="SalesOrderObj", times=None)

    pages = {name: tenant.pages(tenant.connect(), name) for name in ("payment", "account")}

    assert [page.lacks for page in pages["payment"]] == [{"@opportunity_id"}]
    assert [page.lacks for page in pages["account"]] == [frozenset()]


def test_contracts_have_their_days(tenant: Any) -> None:
    [contract] = tenant.read(tenant.connect(), "contract").values()

    assert (contract.account_id, contract.recurring_amount, contract.start_on, contract.end_on) == (
        tenant.id("accounts", "10"), Decimal(1200), date(2026, 1, 1), date(2026, 12, 31),
    )  # fmt: skip


def changed(connector: Any, tenant: Any, name: str) -> dict[str, Any]:
    """The records of a window around now, when the tests change what the tenant holds."""
    second = timedelta(seconds=1)
    found: dict[str, Any] = tenant.read(connector, name, tenant.now - second, end=tenant.now + second)
    return found


def goals_of(connector: Any, tenant: Any) -> list[Any]:
    """The targets that there are; months without one are told as withdrawn."""
    return [one for one in tenant.read(connector, "target").values() if not one.deleted]


def test_goals_are_targets_by_month_of_people_and_teams(tenant: Any) -> None:
    found = goals_of(tenant.connect(), tenant)

    person = [one for one in found if one.subject_kind == "person"]
    [team] = [one for one in found if one.subject_kind == "team"]
    assert {(one.period_start, one.period_end, one.amount) for one in person} == {
        (date(2026, 1, 1), date(2026, 1, 31), Decimal(100000)),
        (date(2026, 2, 1), date(2026, 2, 28), Decimal(100000)),
        (date(2026, 3, 1), date(2026, 3, 31), Decimal(100000)),
    }
    assert {(one.subject_id, one.metric) for one in person} == {(tenant.id("people", "1"), "bookings")}
    assert (team.subject_id, team.amount) == ("华东一组", Decimal(500))


def test_goals_count_in_the_tenants_own_year_and_rules_are_our_metrics(tenant: Any) -> None:
    connector = tenant.connect(fiscal_start=2, goal_rules={"bookings": "won_count"})

    found = goals_of(connector, tenant)

    starts = {one.period_start for one in found if one.subject_kind == "person"}
    assert starts == {date(2027, 1, 1), date(2026, 2, 1), date(2026, 3, 1)}
    assert {one.metric for one in found} == {"won_count"}


def goal(tenant: Any, **changes: Any) -> None:
    """Changes the goal of the first employee."""
    rows = tenant.emulator.tenant.tables["GoalValueObj"].rows.values()
    [row] = [one for one in rows if one["goal_type"] == "2"]
    tenant.emulator.edit("GoalValueObj", row["_id"], changes)


def test_an_emptied_month_withdraws_its_target(tenant: Any) -> None:
    connector = tenant.connect()
    goal(tenant, february_value=None)

    found = changed(connector, tenant, "target")

    by_month = {name.partition(":")[2]: one.deleted for name, one in found.items()}
    assert not by_month["january_value"]
    assert by_month["february_value"]
    assert by_month["annual_value"]


def test_a_goal_of_the_year_gives_way_to_its_first_month(tenant: Any) -> None:
    connector = tenant.connect()
    goal(tenant, january_value=None, february_value=None, march_value=None)
    of_year = {one.remote_id for one in goals_of(connector, tenant) if one.subject_kind == "person"}
    goal(tenant, may_value="7")

    found = changed(connector, tenant, "target")

    [year] = of_year
    assert year.endswith(":annual_value")
    assert found[year].deleted
    assert found[year.replace("annual", "may")].amount == 7


def test_a_part_of_a_goal_is_not_taken_for_the_whole(tenant: Any) -> None:
    rows = tenant.emulator.tenant.tables["GoalValueObj"].rows.values()
    [row] = [one for one in rows if one["goal_type"] == "2"]
    values = {"name": "软件", "goal_rule_id": row["goal_rule_id"]}
    goal(tenant, goal_rule_detail_id=tenant.emulator.edit("GoalRuleDetailObj", None, values))

    named, mapped = tenant.connect(), tenant.connect(goal_rules={"bookings/软件": "won_count"})

    metrics = [
        {one.metric for one in goals_of(each, tenant) if one.subject_kind == "person"} for each in (named, mapped)
    ]
    assert metrics == [{"bookings/软件"}, {"won_count"}]


def test_a_goal_of_zeros_was_never_set(tenant: Any) -> None:
    goal(tenant, january_value="0.00", february_value="0", march_value=None, annual_value="0")
    connector = tenant.connect()

    found = goals_of(connector, tenant)
    goal(tenant, annual_value="12")
    later = goals_of(connector, tenant)

    assert [one for one in found if one.subject_kind == "person"] == []
    assert [one.amount for one in later if one.subject_kind == "person"] == [12]


def test_a_month_of_nothing_among_others_is_a_target_of_nothing(tenant: Any) -> None:
    goal(tenant, february_value="0")

    amounts = {one.amount for one in goals_of(tenant.connect(), tenant) if one.subject_kind == "person"}

    assert amounts == {Decimal(100000), Decimal(0)}


def test_a_goal_that_is_gone_is_found_by_the_ids_of_its_targets(tenant: Any) -> None:
    connector = tenant.connect()
    known = {one.remote_id for one in goals_of(connector, tenant)}
    of_team = next(one.remote_id for one in goals_of(connector, tenant) if one.subject_kind == "team")
    tenant.emulator.remove("GoalValueObj", of_team.partition(":")[0])
    stream = tenant.streams["target"]

    left = {one for portion in connector.ids(stream) for one in portion}
    fetched = tenant.records(connector, list(connector.fetch(stream, sorted(known))))

    assert left == known - {of_team}
    assert {one.remote_id for one in fetched if not one.deleted} == left
    assert connector.count(stream) is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        pytest.param("percentile", "60", "0.6", id="a percentage"),
        pytest.param("percentile", "0.5", "0.005", id="half a percent"),
        pytest.param("number", "60", "0.6", id="a number that is a percentage"),
        pytest.param("number", "0.6", "0.6", id="a number that is a fraction"),
        pytest.param("formula", "100.00", "1", id="calculated"),
    ],
)
def test_a_probability_is_a_fraction_whatever_the_tenant_keeps_it_in(
    tenant: Any, kind: str, value: str, expected: str
) -> None:
    tenant.emulator.tenant.objects["NewOpportunityObj"].fields["probability"].type = kind
    tenant.emulator.tenant.tables["NewOpportunityObj"].rows[tenant.id("opportunities", "100")]["probability"] = value

    found = tenant.read(tenant.connect(), "opportunity")

    assert found[tenant.id("opportunities", "100")].probability == Decimal(expected)


def test_labels_of_other_clouds_mean_the_same(tenant: Any) -> None:
    fields = tenant.emulator.tenant.objects["NewOpportunityObj"].fields
    labels = {"进行中": "In progress", "赢单": "贏單"}
    options = fields["sales_status"].options
    options.update({value: labels.get(label, label) for value, label in options.items()})

    found = tenant.read(tenant.connect(), "opportunity")

    assert [found[tenant.id("opportunities", name)].outcome for name in ("100", "101", "102")] == [
        "open",
        "won",
        "lost",
    ]


def test_payments_of_the_other_edition_have_their_amount_in_another_field(tenant: Any) -> None:
    kind, table = tenant.emulator.tenant.objects["PaymentObj"], tenant.emulator.tenant.tables["PaymentObj"]
    kind.fields.pop("amount")
    kind.add("payment_amount currency:2 本次回款总金额")
    for row in table.rows.values():
        row["payment_amount"] = row.pop("amount")
    connector = tenant.connect()

    [paid] = tenant.read(connector, "payment").values()

    assert paid.amount == Decimal("90.5")
    assert tenant.findings(connector, "stream payment") == ["ok"]


def test_a_payment_follows_its_order_to_another_deal(tenant: Any) -> None:
    connector = tenant.connect()
    [payment] = tenant.read(connector, "payment").values()
    order = tenant.emulator.tenant.tables["PaymentObj"].rows[payment.remote_id]["order_id"]
    tenant.emulator.edit("SalesOrderObj", order, {"new_opportunity_id": tenant.id("opportunities", "100")})

    moved = [changed(tenant.connect(), tenant, name) for name in ("payment", "refund", "invoice")]

    assert payment.opportunity_id == tenant.id("opportunities", "101")
    assert [one.opportunity_id for found in moved for one in found.values()] == [tenant.id("opportunities", "100")] * 3


def test_orders_that_lost_their_field_for_the_deal_tell_nothing(tenant: Any) -> None:
    connector = tenant.connect()
    [payment] = tenant.read(connector, "payment").values()
    order = tenant.emulator.tenant.tables["PaymentObj"].rows[payment.remote_id]["order_id"]
    tenant.arm("missing_field", field="new_opportunity_id", object="SalesOrderObj", times=None)
    tenant.emulator.edit("SalesOrderObj", order, {"order_amount": "1"})
    second = timedelta(seconds=1)

    pages = tenant.pages(tenant.connect(), "payment", tenant.now - second, end=tenant.now + second)

    assert [page.lacks for page in pages if page.rows] == [{"@opportunity_id"}]


def test_payments_older_than_the_admin_wants_stay_out_though_their_order_changed(tenant: Any) -> None:
    connector = tenant.connect()
    [payment] = tenant.read(connector, "payment").values()
    row = tenant.emulator.tenant.tables["PaymentObj"].rows[payment.remote_id]
    row["last_modified_time"] = 1_700_000_000_000
    tenant.emulator.edit("SalesOrderObj", row["order_id"], {"order_amount": "1"})
    second = timedelta(seconds=1)
    window = {"start": tenant.now - second, "end": tenant.now + second}

    wanted = tenant.read(tenant.connect(), "payment", **window)
    unwanted = tenant.read(tenant.connect(), "payment", **window, since=date(2026, 1, 1))

    assert (len(wanted), len(unwanted)) == (1, 0)


def test_changed_orders_are_asked_for_once_for_all_streams_of_payments(tenant: Any) -> None:
    connector = tenant.connect()
    names = ("payment", "refund", "invoice")
    for name in names:
        connector._reader.fields(tenant.streams[name])
    later = tenant.now - timedelta(seconds=1)

    calls = tenant.calls(lambda: [tenant.pages(connector, name, later) for name in names])

    assert calls == {"crm/v2/data/query": 4}


def test_the_whole_company_is_no_region(tenant: Any) -> None:
    north = next(one for one in tenant.emulator.tenant.departments.values() if one.name == "华东")
    tenant.emulator.tenant.people[tenant.id("people", "1")].department = north.id

    connector = tenant.connect()
    listed = [*connector.api.departments(), {"id": 999999, "name": "全公司", "parentId": 0}]
    connector.api.departments = lambda: listed

    people = tenant.read(connector, "person")

    assert (people[tenant.id("people", "1")].team, people[tenant.id("people", "1")].region) == ("华东", None)
    assert people[tenant.id("people", "2")].region == "华东"


def test_surveys_are_read_once_the_connection_says_where_they_are(tenant: Any) -> None:
    off, on = tenant.connect(), tenant.connect(fields=SURVEY)

    [survey] = tenant.read(on, "survey").values()

    assert off.connection.stream("survey") is None
    assert (survey.answer, survey.scale, survey.person_id, survey.opportunity_id) == (
        Decimal(4), "csat5", tenant.id("people", "1"), tenant.id("opportunities", "101"),
    )  # fmt: skip


def test_what_fxiaoke_has_no_object_for_is_read_from_one_of_the_tenants_own(make_tenant: MakeTenant) -> None:
    lines = ["person__c employee 员工", "start__c date 开始", "end__c date 结束"]
    tenant = make_tenant(custom_fields={"object_Q1w2E__c": lines})
    days = {"start__c": 1767196800000, "end__c": 1767283200000}
    row = tenant.emulator.edit("object_Q1w2E__c", None, {"name": "x", "person__c": [tenant.id("people", "1")], **days})
    fields = {"absence": {"person_id": "person__c", "start_on": "start__c", "end_on": "end__c"}}

    found = tenant.read(tenant.connect(objects={"absence": "object_Q1w2E__c"}, fields=fields), "absence")

    assert (found[row].person_id, found[row].start_on, found[row].end_on) == (
        tenant.id("people", "1"), date(2026, 1, 1), date(2026, 1, 2),
    )  # fmt: skip


def test_the_newer_generation_speaks_of_employees_by_number(tenant: Any) -> None:
    connector = tenant.connect(sign_in={"flow": "header", "user": "1000"})

    people, deals = tenant.read(connector, "person"), tenant.read(connector, "opportunity")

    assert deals[tenant.id("opportunities", "100")].owner_id == tenant.id("employees", "1")
    assert people[tenant.id("employees", "1")].name == "张三"


def test_a_day_is_read_in_the_tenants_own_zone(tenant: Any) -> None:
    connector = tenant.connect(time_zone="Europe/London")

    deal = tenant.read(connector, "opportunity")[tenant.id("opportunities", "100")]

    assert deal.close_on == date(2026, 4, 29)  # midnight in Shanghai
