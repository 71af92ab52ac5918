"""HubSpot's spellings, without a server: times, stages, goals, activities, history."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.hubspot import rows
from connectors.hubspot.history import change_rows, turned_at
from connectors.hubspot.streams import auto_logged, forecast_category

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
ACCOUNT = rows.Account("62515", NEW_YORK, "USD")


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00.000Z", "2026-11-20T11:00:00+01:00", "1795168800000"],
)
def test_every_spelling_of_a_time_is_the_same_moment(text: str) -> None:
    assert rows.moment(text) == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2026-11-19T23:00:00Z", "2026-11-20", id="local midnight is the previous day in UTC"),
        pytest.param("1795129200000", "2026-11-20", id="epoch milliseconds"),
        pytest.param("2026-11-20", "2026-11-20", id="a plain date has no zone"),
    ],
)
def test_a_close_date_is_the_day_of_the_account(text: str, day: str) -> None:
    assert rows.local(text, BERLIN)[:10] == day


@pytest.mark.parametrize(
    ("metadata", "outcome"),
    [
        ({"probability": "1.0", "isClosed": "true"}, "won"),
        ({"probability": "1", "isClosed": ""}, "won"),
        ({"probability": "0.0", "isClosed": "true"}, "lost"),
        ({"probability": "0.0"}, "lost"),
        ({"probability": "0.0", "isClosed": "false"}, "open"),
        ({"probability": "0.4"}, "open"),
        ({"isClosed": "false"}, "open"),
        ({"probability": "0.4", "isClosed": "true"}, None),
        ({"probability": "soon"}, None),
        ({}, None),
    ],
)
def test_a_stage_means_what_its_metadata_says(metadata: dict[str, str], outcome: str | None) -> None:
    assert rows.outcome(metadata) == outcome


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        pytest.param("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", ("2026-01-01", "2026-03-31"), id="UTC, exclusive"),
        pytest.param("2026-01-01T00:00:00Z", "2026-03-31T00:00:00Z", ("2026-01-01", "2026-03-31"), id="UTC, last day"),
        pytest.param("2026-01-01T00:00:00Z", "2026-03-31T23:59:59.999Z", ("2026-01-01", "2026-03-31"), id="UTC, late"),
        pytest.param("2026-01-01T05:00:00Z", "2026-04-01T04:00:00Z", ("2026-01-01", "2026-03-31"), id="New York"),
        pytest.param("2026-01-01T05:00:00Z", "2026-04-01T03:59:59Z", ("2026-01-01", "2026-03-31"), id="New York, late"),
    ],
)
def test_a_goal_covers_whole_days(start: str, end: str, days: tuple[str, str]) -> None:
    goal: dict[str, Any] = {"hs_start_datetime": start, "hs_end_datetime": end}

    rows.target(goal, ACCOUNT, lambda _user: None, lambda _team: None)

    assert (goal["@start"], goal["@end"]) == days


@pytest.mark.parametrize(
    ("goal", "subject"),
    [
        ({"hubspot_owner_id": "7", "hs_assignee_user_id": "12"}, ("person", "7")),
        ({"hs_assignee_user_id": "12"}, ("person", "owner of 12")),
        ({"hs_assignee_team_id": "3"}, ("team", "team 3")),
        ({"hs_created_by_user_id": "12"}, ("person", None)),
    ],
)
def test_a_goal_belongs_to_its_assignee_never_to_its_creator(goal: dict[str, Any], subject: tuple[str, str]) -> None:
    rows.target(
        goal, ACCOUNT, lambda user: f"owner of {user}" if user else None, lambda team: f"team {team}" if team else None
    )

    assert (goal["@subject_kind"], goal["@subject_id"]) == subject


def test_only_the_primary_company_of_several_counts_whichever_call_tells_it() -> None:
    listed = [{"id": "5", "type": "deal_to_company_unlabeled"}, {"id": "9", "type": "deal_to_company"}]
    asked = [
        {"toObjectId": 5, "associationTypes": [{"typeId": 341, "label": None}]},
        {"toObjectId": 9, "associationTypes": [{"typeId": 341, "label": None}, {"typeId": 5, "label": "Primary"}]},
    ]

    found = [rows.linked(listed, every=False), rows.linked(asked, every=False)]

    assert found == ["9", "9"]


def test_without_a_primary_one_the_oldest_counts_by_number_not_by_text() -> None:
    assert rows.linked([{"id": "10"}, {"id": "9"}], every=False) == "9"


@pytest.mark.parametrize(
    ("meeting", "completed", "two_way"),
    [
        ({"hs_meeting_outcome": "COMPLETED"}, "2026-03-02T11:00:00Z", True),
        ({"hs_meeting_outcome": "NO_SHOW"}, None, False),
        ({"hs_meeting_outcome": "SCHEDULED"}, None, None),
        ({}, None, None),
    ],
)
def test_a_meeting_was_held_only_if_its_outcome_says_so(
    meeting: dict[str, Any], completed: str | None, two_way: bool | None
) -> None:
    meeting |= {"hs_meeting_start_time": "2026-03-02T10:00:00Z", "hs_meeting_end_time": "2026-03-02T11:00:00Z"}

    rows.meeting(meeting)

    assert (meeting["@completed"], meeting["@two_way"], meeting["@duration"]) == (completed, two_way, 3600)


def version(value: str | None, timestamp: str, user: int | None = None) -> dict[str, Any]:
    return {"value": value, "timestamp": timestamp, "updatedByUserId": user, "sourceType": "CRM_UI"}


def test_history_comes_oldest_first_in_our_words() -> None:
    histories = {
        "dealstage": [version("won", "2026-03-02T10:00:00.5Z", 12), version("new", "2026-03-01T10:00:00Z")],
        "amount": [version("1200.50", "2026-03-01T10:00:00Z"), version("", "2026-02-01T10:00:00Z")],
        "closedate": [version("2026-03-31T22:00:00Z", "2026-03-01T10:00:00Z")],
    }
    tracked = {"dealstage": "stage", "amount": "amount", "closedate": "close_on"}

    found = list(change_rows("512", histories, tracked, BERLIN, lambda user: f"owner of {user}" if user else None))

    assert [(row["field"], row["new"], row["by"]) for row in found] == [
        ("stage", "new", None),
        ("stage", "won", "owner of 12"),
        ("amount", None, None),
        ("amount", "1200.5", None),
        ("close_on", "2026-04-01", None),
    ]


def test_a_version_has_the_same_id_however_its_time_is_spelled() -> None:
    spellings = ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z", "2026-03-01T11:00:00+01:00")

    ids = {
        row["id"]
        for text in spellings
        for row in change_rows("512", {"dealstage": [version("won", text)]}, {"dealstage": "stage"}, BERLIN, str)
    }

    assert len(ids) == 1


def test_a_deal_closed_when_it_last_took_its_stage() -> None:
    versions = [
        version("won", "2026-03-05T10:00:00Z"),
        version("won", "2026-03-04T10:00:00Z"),
        version("new", "2026-03-03T10:00:00Z"),
        version("won", "2026-03-01T10:00:00Z"),
    ]

    assert turned_at("won", versions) == "2026-03-04T10:00:00Z"
    assert turned_at("lost", versions) is None


@pytest.mark.parametrize(
    ("category", "word"), [("BEST_CASE", "best case"), ("OMIT", "omitted"), ("COMMIT", "commit"), ("Upside", "upside")]
)
def test_a_forecast_category_is_one_of_our_words(category: str, word: str) -> None:
    assert forecast_category(category) == word


@pytest.mark.parametrize(
    ("origin", "auto"), [("CRM_UI", False), ("MOBILE_IOS", False), ("EMAIL_INTEGRATION", True), ("IMPORT", None)]
)
def test_who_wrote_an_activity_down_is_known_only_from_plain_words(origin: str, auto: bool | None) -> None:
    assert auto_logged(origin) is auto


@pytest.mark.parametrize(
    ("status", "planned", "completed"),
    [("SENT", None, "T"), (None, None, "T"), ("SCHEDULED", "T", None), ("BOUNCED", None, None)],
)
def test_only_an_email_that_was_sent_took_place(status: str | None, planned: str | None, completed: str | None) -> None:
    email: dict[str, Any] = {"hs_timestamp": "T", "hs_email_status": status, "hs_email_direction": "EMAIL"}

    rows.email(email)

    assert (email.get("@planned"), email.get("@completed"), email["@two_way"]) == (planned, completed, None)


def test_a_call_that_is_still_to_come_is_planned() -> None:
    ahead: dict[str, Any] = {"hs_timestamp": "T", "hs_call_status": "QUEUED"}

    rows.call(ahead, [])

    assert (ahead.get("@planned"), ahead.get("@completed"), ahead["@two_way"]) == ("T", None, None)


def test_the_primary_team_is_the_team_and_of_several_others_none() -> None:
    north, south = {"id": "1", "name": "North"}, {"id": "2", "name": "South"}
    owners: list[dict[str, Any]] = [
        {"id": 7, "teams": [south, {**north, "primary": True}]},
        {"id": 8, "teams": [south]},
        {"id": 9, "teams": [south, north]},
        {"id": 10},
    ]

    assert [rows.person(owner, {})["@team"] for owner in owners] == ["North", "South", None, None]
