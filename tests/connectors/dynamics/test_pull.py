"""Reading a Dataverse environment: every row once, in our words."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.dynamics.history import changes
from connectors.dynamics.multipart import Said
from connectors.dynamics.values import closed_at
from connectors.errors import ForbiddenError, RejectedError, RetryLaterError
from connectors.records import OPEN_END


def test_people_are_read_with_team_territory_and_manager_and_services_are_nobody(crm: Any) -> None:
    connector = crm.connect(fields={"person": {"region": "new_region"}})

    found = crm.read(connector, "person")

    ann, bo = found[crm.id("people", "1")], found[crm.id("people", "2")]
    assert (ann.name, ann.email, ann.active, ann.team, ann.territory, ann.region, ann.role) == (
        "Ann Lee", "ann@example.com", True, "North", "Baltics", "EMEA", "AE East",
    )  # fmt: skip
    assert (bo.active, bo.manager_id, bo.team) == (False, ann.remote_id, "South")
    assert {person.name for person in found.values() if person.deleted} == {"SYSTEM", "INTEGRATION", "# Appraisal"}
    assert sorted(one for portion in connector.ids(crm.streams["person"]) for one in portion) == sorted(
        [ann.remote_id, bo.remote_id]
    )


def test_a_team_that_the_admin_mapped_costs_no_further_calls(crm: Any) -> None:
    connector = crm.connect(fields={"person": {"team": "_businessunitid_value@label"}})

    calls = crm.calls(lambda: crm.pages(connector, "person"))

    assert calls == {"GET systemusers": 1}
    assert {person.team for person in crm.read(connector, "person").values()} == {"sandbox"}


def test_accounts_are_read_with_their_parent_and_the_label_of_their_industry(crm: Any) -> None:
    found = crm.read(crm.connect(), "account")

    parent, child = found[crm.id("accounts", "10")], found[crm.id("accounts", "11")]
    assert (parent.industry, parent.region, parent.created_at) == ("Steel", "FI", datetime(2025, 6, 1, 8, tzinfo=UTC))
    assert (child.name, child.parent_id, child.owner_id) == ('Acme, "Ltd"', parent.remote_id, crm.id("people", "2"))


def test_a_deal_is_read_with_exact_money_and_our_words(crm: Any) -> None:
    connector = crm.connect(fields={"opportunity": {"source": "new_source", "external_id": "new_externalid"}})

    deal = crm.read(connector, "opportunity")[crm.id("opportunities", "100")]

    assert deal.model_dump(exclude={"remote_id", "modified_at"}, exclude_none=True) == {
        "deleted": False,
        "name": "Big",
        "account_id": crm.id("accounts", "10"),
        "owner_id": crm.id("people", "1"),
        "pipeline": "New",
        "stage": "Propose",
        "outcome": "open",
        "amount": Decimal("12000.5"),
        "currency": "EUR",
        "created_at": datetime(2026, 1, 10, 8, tzinfo=UTC),
        "close_on": date(2026, 4, 30),
        "source": "Web",
        "probability": Decimal("0.6"),
        "forecast_category": "best case",
        "discount": Decimal("0.05"),
        "external_id": "L-1",
    }


def test_a_closed_deal_is_closed_by_its_state_on_its_day_and_never_after_its_last_change(crm: Any) -> None:
    found = crm.read(crm.connect(omitted_statuses=[4]), "opportunity")

    won, gone = found[crm.id("opportunities", "101")], found[crm.id("opportunities", "102")]
    assert (won.outcome, won.stage, won.currency, won.closed_at) == (
        "won", "(won)", "USD", datetime(2026, 2, 10, 12, tzinfo=UTC),
    )  # fmt: skip
    assert (gone.outcome, gone.stage, gone.closed_at) == (
        "omitted", "(omitted)", datetime(2025, 9, 1, 10, 30, tzinfo=UTC),
    )  # fmt: skip
    assert crm.read(crm.connect(), "opportunity")[gone.remote_id].outcome == "lost"


def test_a_won_deal_is_worth_its_actual_revenue(crm: Any) -> None:
    crm.edit("opportunities", crm.id("opportunities", "101"), actualvalue=280)
    crm.edit("opportunities", crm.id("opportunities", "100"), actualvalue=1)

    found = crm.read(crm.connect(), "opportunity")

    assert found[crm.id("opportunities", "101")].amount == 280
    assert found[crm.id("opportunities", "100")].amount == Decimal("12000.5")


def test_a_row_without_its_empty_columns_reads_as_one_that_says_null(crm: Any, monkeypatch: Any) -> None:
    won = crm.id("opportunities", "101")
    crm.edit("opportunities", won, actualvalue=280, estimatedvalue=None)
    expected = crm.read(crm.connect(), "opportunity")
    connector = crm.connect()
    whole = connector.api.page

    def bare(*args: Any, **kwargs: Any) -> Any:
        answer = whole(*args, **kwargs)
        rows = [{name: value for name, value in row.items() if value is not None} for row in answer["value"]]
        return {**answer, "value": rows}

    monkeypatch.setattr(connector.api, "page", bare)

    found = crm.read(connector, "opportunity")

    assert found == expected
    assert found[won].amount == 280


def test_a_deal_or_activity_of_a_team_has_no_owner(crm: Any) -> None:
    team = next(iter(crm.emulator.org.rows("team")))
    row = crm.emulator.org.rows("opportunity")[crm.id("opportunities", "100")]
    row |= {"_ownerid_value": team, "_ownerid_value@": "team", "_owninguser_value": None}

    found = crm.read(crm.connect(), "opportunity")

    assert found[crm.id("opportunities", "100")].owner_id is None


def test_stages_are_those_of_the_processes_and_the_three_ways_to_be_closed(crm: Any) -> None:
    found = crm.read(crm.connect(), "stage").values()

    assert {(stage.pipeline, stage.stage, stage.outcome) for stage in found} == {
        ("New", "Qualify", "open"),
        ("New", "Propose", "open"),
        (None, "(won)", "won"),
        (None, "(lost)", "lost"),
        (None, "(omitted)", "omitted"),
    }


def test_the_place_in_front_of_a_stages_name_is_no_part_of_it(crm: Any) -> None:
    crm.edit("opportunities", crm.id("opportunities", "100"), stepname="2-Propose")

    found = crm.read(crm.connect(), "opportunity")

    assert found[crm.id("opportunities", "100")].stage == "Propose"


def test_activities_come_by_kind_with_those_who_took_part_as_hashes(crm: Any) -> None:
    connector = crm.connect()

    [call] = crm.read(connector, "call").values()
    [email] = crm.read(connector, "email").values()
    [task] = crm.read(connector, "task").values()

    assert (call.kind, call.direction, call.two_way, call.auto_logged, call.duration_seconds) == (
        "call", "inbound", True, True, 300,
    )  # fmt: skip
    assert (call.opportunity_id, call.account_id, call.completed_at) == (
        crm.id("opportunities", "100"), None, datetime(2026, 2, 2, 9, tzinfo=UTC),
    )  # fmt: skip
    assert len(call.contact_ids) == 2
    assert not set(call.contact_ids) & set(crm.emulator.ids["contacts"].values())
    assert (email.direction, email.account_id, email.opportunity_id) == ("outbound", crm.id("accounts", "10"), None)
    assert email.completed_at == datetime(2026, 2, 3, 8, tzinfo=UTC)
    assert (task.completed_at, task.planned_at) == (None, datetime(2026, 2, 4, 8, tzinfo=UTC))


def test_an_appointment_is_a_meeting_or_by_its_category_a_visit(crm: Any) -> None:
    found = crm.read(crm.connect(), "meeting")

    meeting, visit = found[crm.id("activities", "a4")], found[crm.id("activities", "a5")]
    assert (meeting.kind, meeting.planned_at, meeting.completed_at, meeting.duration_seconds) == (
        "meeting", datetime(2026, 2, 5, 10, tzinfo=UTC), datetime(2026, 2, 5, 11, tzinfo=UTC), 3600,
    )  # fmt: skip
    assert len(meeting.participant_ids) == 1  # the owner does not count
    assert (visit.kind, visit.completed_at, visit.account_id) == ("visit", None, crm.id("accounts", "10"))


def test_a_page_of_activities_costs_one_more_call_for_everybody_who_took_part(make_crm: Any, world: Any) -> None:
    call = world["activities"][0]
    world["activities"] = [{**call, "id": f"x{number}", "contact_ids": f"k{number}"} for number in range(1200)]
    crm = make_crm(world)
    connector = crm.connect()

    calls = crm.calls(lambda: crm.pages(connector, "call"))

    assert calls == {"GET phonecalls": 1, "POST $batch": 1}
    assert {len(record.contact_ids) for record in crm.read(connector, "call").values()} == {1}


@pytest.mark.parametrize(("name", "rows", "calls"), [("call", 0, 1), ("call", 5001, 4), ("opportunity", 5001, 2)])
def test_an_estimate_counts_the_calls_for_those_who_took_part(crm: Any, name: str, rows: int, calls: int) -> None:
    assert crm.connect().calls_for(crm.streams[name], rows) == calls


def test_audits_are_changes_with_exact_values_on_both_sides(crm: Any) -> None:
    found = crm.read(crm.connect(), "history").values()

    deal, won = crm.id("opportunities", "100"), crm.id("opportunities", "101")
    ann, bo = crm.id("people", "1"), crm.id("people", "2")
    assert {(one.record_id, one.field, one.old, one.new, one.at.isoformat(), one.by) for one in found} == {
        (deal, "stage", "Qualify", "Propose", "2026-02-01T10:00:00+00:00", ann),
        (deal, "close_on", "2026-03-31", "2026-04-30", "2026-01-20T08:00:00+00:00", ann),
        (deal, "amount", "9000", "12000.5", "2026-01-21T08:00:00+00:00", bo),
        (won, "owner_id", ann, bo, "2025-12-01T10:00:00+00:00", ann),
        (deal, "probability", "0.3", "0.6", "2026-02-02T10:00:00+00:00", ann),
        (deal, "forecast_category", "pipeline", "best case", "2026-02-03T10:00:00+00:00", ann),
    }


def test_audits_without_their_data_are_asked_for_in_batches_and_say_the_same(crm: Any) -> None:
    expected = {one.remote_id: one for one in crm.read(crm.connect(), "history").values()}
    crm.arm("missing_field", field="changedata", object="audit")
    connector = crm.connect()

    found = crm.read(connector, "history")
    calls = crm.calls(lambda: crm.pages(connector, "history"))

    assert found == expected
    assert calls == {"GET audits": 1, "POST $batch": 1}


@pytest.mark.parametrize("text", ["Acme~~5~12", "{}", '{"changedAttributes": ["what?"]}', "[]"])
def test_audit_data_in_the_spelling_of_older_environments_is_asked_for_as_details(crm: Any, text: str) -> None:
    expected = crm.read(crm.connect(), "history")
    for row in crm.emulator.org.rows("audit").values():
        row["changedata@"], row["changedata"] = row["changedata"], text

    found = crm.read(crm.connect(), "history")

    assert found == expected
    assert len(found) == 6


def test_only_updates_are_read_of_the_audit_log(crm: Any) -> None:
    [page] = crm.pages(crm.connect(), "history")
    crm.edit("opportunities", None, name="New", account_id=crm.id("accounts", "10"))
    crm.remove("opportunities", "102")

    assert crm.pages(crm.connect(), "history") == [page]


def test_closing_a_deal_is_a_step_to_a_stage_of_its_own(crm: Any) -> None:
    before = crm.read(crm.connect(), "history")
    crm.edit("opportunities", crm.id("opportunities", "100"), outcome="won")

    found = crm.read(crm.connect(), "history")

    steps = [(one.old, one.new) for key, one in found.items() if key not in before and one.field == "stage"]
    assert [new for _, new in steps] == ["(won)"]


def test_without_the_right_to_audits_their_stream_is_off_and_names_it(make_crm: Any) -> None:
    crm = make_crm(lacking=["prvReadAuditSummary"])

    with pytest.raises(ForbiddenError, match="prvReadAuditSummary"):
        crm.pages(crm.connect(), "history")


def test_lines_of_a_deal_are_read_with_their_product(crm: Any) -> None:
    [line] = crm.read(crm.connect(), "line_item").values()

    assert (line.opportunity_id, line.product, line.quantity, line.amount) == (
        crm.id("opportunities", "100"), "Base", Decimal(2), Decimal("100.5"),
    )  # fmt: skip


def test_who_shares_a_deal_is_known_and_how_once_the_admin_names_the_column(crm: Any) -> None:
    [bare] = crm.read(crm.connect(), "split").values()
    connector = crm.connect(fields={"split": {"percentage": "new_percentage", "kind": "description"}})

    [split] = crm.read(connector, "split").values()

    assert (bare.remote_id, bare.person_id, bare.percentage) == (split.remote_id, split.person_id, None)
    assert (split.opportunity_id, split.person_id, split.percentage, split.kind) == (
        crm.id("opportunities", "100"), crm.id("people", "2"), Decimal("0.4"), "overlay",
    )  # fmt: skip


def test_goals_of_people_and_teams_are_targets_and_revenue_of_won_deals_is_bookings(crm: Any) -> None:
    found = crm.read(crm.connect(goal_metrics={"Held Meetings": "meetings"}), "target")

    own, team = found[crm.id("targets", "t1")], found[crm.id("targets", "t2")]
    assert (own.subject_kind, own.subject_id, own.metric, own.amount, own.currency) == (
        "person", crm.id("people", "1"), "bookings", Decimal(90000), "EUR",
    )  # fmt: skip
    assert (own.period_start, own.period_end) == (date(2026, 1, 1), date(2026, 3, 31))
    assert (team.subject_kind, team.subject_id, team.metric, team.amount) == ("team", "North", "meetings", Decimal(40))


def test_satisfaction_comes_from_cases_and_from_survey_responses(crm: Any) -> None:
    connector = crm.connect()

    [case] = crm.read(connector, "case").values()
    [response] = crm.read(connector, "survey").values()

    assert (case.scale, case.answer, case.account_id, case.person_id) == (
        "csat5", Decimal(4), crm.id("accounts", "10"), crm.id("people", "1"),
    )  # fmt: skip
    assert (response.scale, response.answer, response.opportunity_id, response.answered_at) == (
        "nps", Decimal(9), crm.id("opportunities", "100"), datetime(2026, 2, 2, 8, tzinfo=UTC),
    )  # fmt: skip


def test_rates_lead_from_each_currency_to_the_base_currency(crm: Any) -> None:
    [rate] = crm.read(crm.connect(), "rate").values()

    assert (rate.currency, rate.to, rate.rate, rate.on, rate.until) == (
        "USD", "EUR", Decimal("0.8"), date(1970, 1, 1), OPEN_END,
    )  # fmt: skip


def test_a_table_that_is_not_installed_is_empty_if_many_lack_it_and_else_forbidden(make_crm: Any) -> None:
    crm = make_crm(off=["msfp_surveyresponse", "incident", "phonecall"])
    connector = crm.connect()

    assert crm.pages(connector, "survey") == crm.pages(connector, "case") == []
    with pytest.raises(ForbiddenError, match="phonecalls is not there"):
        crm.pages(connector, "call")


def test_a_column_that_is_missing_is_left_out_and_named(crm: Any) -> None:
    crm.arm("missing_field", field="discountpercentage", object="opportunity")

    pages = crm.pages(crm.connect(), "opportunity")

    assert [page.lacks for page in pages] == [frozenset({"discountpercentage"})]
    assert len(pages[0].rows) == 3


def test_a_missing_column_names_what_is_made_of_it(crm: Any) -> None:
    crm.arm("missing_field", field="stepname", object="opportunity")

    [page] = crm.pages(crm.connect(), "opportunity")

    assert page.lacks == {"stepname", "@stage"}


def test_a_row_is_fetched_as_a_pull_brings_it(crm: Any) -> None:
    connector = crm.connect()
    ids = [crm.id("opportunities", "100"), "00000000-0000-0000-0000-000000000001"]

    fetched = crm.records(connector, list(connector.fetch(crm.streams["opportunity"], ids)))

    assert fetched == [crm.read(connector, "opportunity")[ids[0]]]


def test_ids_and_counts_leave_out_accounts_that_were_merged_away(crm: Any) -> None:
    crm.edit("accounts", crm.id("accounts", "11"), merged_into=crm.id("accounts", "10"))
    connector, stream = crm.connect(), crm.streams["account"]

    found = crm.read(connector, "account")

    assert found[crm.id("accounts", "11")].deleted
    assert [one for portion in connector.ids(stream) for one in portion] == [crm.id("accounts", "10")]
    assert connector.count(stream) == 1


def test_where_dataverse_stops_counting_we_do_not_know(make_crm: Any, world: Any) -> None:
    deal = world["opportunities"][0]
    world["opportunities"] = [{**deal, "id": str(number)} for number in range(5000)]
    crm = make_crm(world)

    assert crm.connect().count(crm.streams["opportunity"]) is None


@pytest.mark.parametrize(
    ("day", "changed", "closed"),
    [
        ("2026-11-04", "2026-11-03T23:00:00Z", "2026-11-03T23:00:00Z"),  # the morning of the 4th in Tokyo
        ("2026-11-04", "2026-11-04T09:00:00Z", "2026-11-04T09:00:00Z"),
        ("2026-11-04", "2026-11-05T03:00:00Z", "2026-11-04T12:00:00Z"),  # the evening of the 4th in San Francisco
        ("2026-11-04", "2026-11-04T13:30:00+02:00", "2026-11-04T13:30:00+02:00"),
    ],
)
def test_no_deal_was_closed_after_its_last_change(crm: Any, day: str, changed: str, closed: str) -> None:
    row = {"statecode": 1, "actualclosedate": day, "modifiedon": changed}

    assert closed_at(row, crm.settings()) == closed


@pytest.mark.parametrize(
    ("column", "spelled", "understood"),
    [
        ("estimatedvalue", Decimal("5.0000000000"), "5"),
        ("estimatedvalue", Decimal("0.0000000000"), "0"),
        ("estimatedvalue", "1,234.50", "1234.5"),
        ("estimatedvalue", "-1234.5000000000", "-1234.5"),
        ("estimatedvalue", "1234,50", None),
        ("estimatedvalue", "1.234,50", None),
        ("estimatedclosedate", "06/15/2026 00:00:00", "2026-06-15"),
        ("estimatedclosedate", "2026-06-15", "2026-06-15"),
        ("estimatedclosedate", "15.06.2026", None),
        ("estimatedclosedate", "15/06/2026", None),
    ],
)
def test_an_audit_in_the_spelling_of_another_language_is_unknown_and_not_misread(
    crm: Any, column: str, spelled: Any, understood: str | None
) -> None:
    row = {"auditid": "a", "_objectid_value": "d", "createdon": "2026-06-01T08:00:00Z"}

    found = [change["new"] for change in changes(row, {column: (None, spelled)}, crm.settings())]

    assert found == ([] if understood is None else [understood])


@pytest.mark.parametrize(("status", "error"), [(429, RetryLaterError), (503, RetryLaterError), (400, RejectedError)])
def test_a_read_within_a_batch_that_meets_a_limit_is_one_for_later(status: int, error: type[Exception]) -> None:
    assert type(Said(status, {"error": {"code": "0x1", "message": "no"}}, "7").failure()) is error
