"""HubSpot's spellings, without a server: times, stages, goals, history, addresses, answers, written values."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from connectors.base import Rejection, Write
from connectors.errors import RejectedError
from connectors.hubspot import rows
from connectors.hubspot.history import change_rows, turned_at
from connectors.hubspot.paths import fault, scope_for, usage, versioned
from connectors.hubspot.silence import Silence
from connectors.hubspot.streams import auto_logged, forecast_category
from connectors.hubspot.write import CALLS_PER_BATCH, spell, understand, write_batch

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
    ("numbered", "dated"),
    [
        ("/crm/v3/objects/deals", "/crm/objects/2026-03/deals"),
        ("/crm/v3/objects/deals/batch/read", "/crm/objects/2026-03/deals/batch/read"),
        ("/crm/v3/objects/deals/splits/batch/read", "/deal-splits/2026-03/batch/read"),
        ("/crm/v3/owners/", "/crm/owners/2026-03"),
        ("/crm/v3/properties/deals", "/crm/properties/2026-03/deals"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-03/deals"),
        ("/crm/v4/associations/deals/companies/batch/read", "/crm/associations/2026-03/deals/companies/batch/read"),
        ("/settings/v3/currencies/exchange-rates", "/settings/currencies/2026-03/exchange-rates"),
        ("/account-info/v3/details", "/account-info/2026-03/details"),
        ("/oauth/v3/token", "/oauth/2026-03/token"),
    ],
)
def test_a_numbered_path_has_a_dated_spelling(numbered: str, dated: str) -> None:
    assert versioned(numbered, "2026-03") == dated
    assert versioned(numbered, "v3") == numbered


def test_sign_in_has_no_path_of_2025() -> None:
    assert versioned("/oauth/v3/token", "2025-09") == "/oauth/v3/token"


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/crm/objects/2026-03/deals?limit=1", "crm.objects.deals.read"),
        ("/crm/v3/objects/deals/batch/update", "crm.objects.deals.write"),
        ("/crm/v3/objects/users/batch/update", "crm.objects.users.write"),
        ("/crm/v3/objects/users/batch/read", "crm.objects.users.read"),
        ("/crm/objects/2026-03/calls/search", "crm.objects.contacts.read"),
        ("/crm/v4/associations/deals/companies/batch/read", "crm.objects.deals.read"),
        ("/crm/v4/associations/calls/deals/batch/read", "crm.objects.contacts.read"),
        ("/crm/objects/2026-03/companies", "crm.objects.companies.read"),
        ("/crm/objects/2026-03/goal_targets", "crm.objects.goals.read"),
        ("/crm/owners/2026-03", "crm.objects.owners.read"),
        ("/crm/pipelines/2026-03/deals", "crm.objects.deals.read"),
        ("/settings/currencies/2026-03/exchange-rates", "settings.currencies.read"),
    ],
)
def test_a_call_names_the_scope_that_it_needs(path: str, scope: str) -> None:
    assert scope_for(path).startswith(scope)


def answer(status: int, body: object, headers: dict[str, str] | None = None, path: str = "/crm/v3/owners/") -> Any:
    response = requests.Response()
    response.status_code = status
    response._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    response.headers.update(headers or {})
    response.request = requests.Request("GET", f"http://127.0.0.1{path}").prepare()
    return response


@pytest.mark.parametrize(
    ("status", "body", "headers", "action", "after"),
    [
        (429, {"policyName": "DAILY", "errorType": "RATE_LIMIT", "message": "daily"}, {}, "allowance", None),
        (429, {"policyName": "TEN_SECONDLY_ROLLING", "message": "slow"}, {}, "retry", 10.0),
        (429, {"policyName": "SECONDLY", "message": "slow"}, {"Retry-After": "3"}, "retry", 3.0),
        (423, {}, {}, "retry", 2.0),
        (477, {}, {"Retry-After": "600"}, "retry", 600.0),
        (502, "<html>", {}, "retry", None),
        (524, "<html>", {}, "retry", None),
        (401, {"category": "EXPIRED_AUTHENTICATION"}, {}, "expired", None),
        (530, "<html>", {}, "sign_in", None),
        (403, {"category": "MISSING_SCOPES", "message": "no"}, {}, "forbidden", None),
        (414, "<html>", {}, "rejected", None),
    ],
)
def test_an_unwelcome_answer_is_taken_as_documented(
    status: int, body: object, headers: dict[str, str], action: str, after: float | None
) -> None:
    found = fault(answer(status, body, headers))

    assert found is not None
    assert (found.action, found.after_seconds) == (action, after)


def test_a_partial_success_is_no_fault() -> None:
    assert fault(answer(207, {"numErrors": 1})) is None


def test_the_code_of_a_refusal_is_the_innermost_one() -> None:
    message = 'Property values were not valid: [{"isValid":false,"error":"INVALID_NUMBER","name":"scoreback_score"}]'

    found = fault(answer(400, {"message": message, "category": "VALIDATION_ERROR"}))

    assert found is not None
    assert found.code == "INVALID_NUMBER"


def test_limits_are_read_from_the_headers_but_not_from_those_of_a_search() -> None:
    headers = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": "100",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Daily": "250000",
        "X-HubSpot-RateLimit-Daily-Remaining": "240000",
    }

    listed = usage(answer(200, {}, headers))
    searched = usage(answer(200, {}, headers, "/crm/v3/objects/deals/search"))

    assert listed is not None
    assert searched is not None
    assert (listed.day_used, listed.bucket_max, listed.bucket_seconds) == (10_000, 190, 10.0)
    assert (searched.day_used, searched.bucket_max) == (10_000, None)
    assert usage(answer(200, {})) is None


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (None, "", "string"),
        (Decimal("87.50"), "87.5", "number"),
        (Decimal("1E+3"), "1000", "number"),
        (True, "true", "bool"),
        (datetime(2026, 11, 23, 8, tzinfo=UTC), "1795420800000", "datetime"),
        (date(2026, 11, 23), "2026-11-23", "date"),
        ("A", "A", "string"),
    ],
)
def test_a_written_value_comes_back_as_it_was(value: Any, text: str, kind: str) -> None:
    assert spell(value) == text
    assert understand(text, kind) == value


class Refusing:
    """A batch endpoint that refuses every batch with a bad record in it, as HubSpot does."""

    def __init__(self, bad: set[str], code: str = "INVALID_NUMBER", text: str = "not a number") -> None:
        self.bad, self.code, self.text = bad, code, text
        self.calls = 0

    def __call__(self, inputs: Any) -> dict[str, Any]:
        self.calls += 1
        if any(row["id"] in self.bad for row in inputs):
            raise RejectedError(self.code, self.text, 400)
        return {"status": "COMPLETE", "results": [{"id": row["id"], "properties": {}} for row in reversed(inputs)]}


def writes(count: int) -> list[Write]:
    return [Write(str(number), {"scoreback_score": Decimal(number)}) for number in range(1, count + 1)]


def test_one_bad_record_of_a_hundred_is_found_and_the_others_are_written() -> None:
    send = Refusing({"37"})

    verdicts = {written.remote_id: written.rejected for written in write_batch(send, writes(100))}

    assert [remote_id for remote_id, rejected in verdicts.items() if rejected] == ["37"]
    assert verdicts["37"] == Rejection("INVALID_NUMBER", "not a number", "park")
    assert len(verdicts) == 100
    assert send.calls <= 16


def test_a_batch_of_bad_records_has_an_end_and_what_is_left_is_tried_again() -> None:
    send = Refusing({str(number) for number in range(1, 101)})

    recoveries = [written.rejected.recovery for written in write_batch(send, writes(100)) if written.rejected]

    assert send.calls == CALLS_PER_BATCH
    assert len(recoveries) == 100
    assert set(recoveries) == {"park", "retry"}


def test_an_unknown_property_refuses_only_those_who_use_it() -> None:
    class Unknown(Refusing):
        def __call__(self, inputs: Any) -> dict[str, Any]:
            self.bad = {row["id"] for row in inputs if "scoreback_old" in row["properties"]}
            return super().__call__(inputs)

    send = Unknown(set(), "PROPERTY_DOESNT_EXIST", 'Property "scoreback_old" does not exist')
    given = [*writes(3), Write("4", {"scoreback_old": "x"}), Write("5", {"scoreback_older": "x"})]

    verdicts = {written.remote_id: written.rejected for written in write_batch(send, given)}

    assert {one: rejected.recovery for one, rejected in verdicts.items() if rejected} == {"4": "field"}
    assert send.calls == 2


def test_an_id_that_comes_twice_is_sent_once_with_the_later_value() -> None:
    sent: list[Any] = []

    def send(inputs: Any) -> dict[str, Any]:
        sent.extend(inputs)
        return {"results": inputs}

    twice = [Write("1", {"scoreback_score": Decimal(1)}), Write("1", {"scoreback_score": Decimal(2)})]

    verdicts = [written.rejected for written in write_batch(send, twice)]

    assert sent == [{"id": "1", "properties": {"scoreback_score": "2"}}]
    assert verdicts == [None, None]


def test_an_id_without_an_answer_is_tried_again() -> None:
    (verdict,) = write_batch(lambda _inputs: {"results": []}, writes(1))

    assert verdict.rejected is not None
    assert verdict.rejected.recovery == "retry"


def test_a_row_written_by_key_is_known_by_its_trace_or_by_its_key() -> None:
    rows_told = [
        {"id": "9001", "properties": {}, "objectWriteTraceId": "701:2026-Q4", "new": True},
        {"id": "9002", "properties": {"scoreback_key": "702:2026-Q4"}, "new": False},
    ]
    given = [Write(f"{owner}:2026-Q4", {"scoreback_score": Decimal(1)}) for owner in (701, 702, 703)]
    sent: list[Any] = []

    def send(inputs: Any) -> dict[str, Any]:
        sent.extend(inputs)
        return {"results": rows_told}

    verdicts = list(write_batch(send, given, key="scoreback_key"))

    assert [row["objectWriteTraceId"] for row in sent] == [write.remote_id for write in given]
    assert [written.rejected and written.rejected.recovery for written in verdicts] == [None, None, "retry"]


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


def test_a_server_that_leaves_empty_properties_out_is_asked_for_its_definitions_once() -> None:
    asked: list[str] = []

    def definitions(remote: str) -> dict[str, dict[str, Any]]:
        asked.append(remote)
        return {"amount": {}, "dealname": {}, "dealtype": {}}

    silence = Silence(definitions)
    pages: list[list[dict[str, Any]]] = [
        [{"properties": {"amount": "1"}}],
        [{"properties": {}}, {"properties": {"dealname": "D"}}],
        [{"properties": {"amount": "1", "dealname": "D"}}],
        [],
    ]

    found = [silence.lacks("deals", ["amount", "dealname", "dealtype"], page) for page in [*pages, *pages]]

    assert (set(found), asked) == ({frozenset()}, ["deals", "deals"])


def test_a_property_that_no_row_of_an_answer_has_is_told_if_it_is_gone() -> None:
    silence = Silence(lambda _remote: {"amount": {}})
    rows_without: list[dict[str, Any]] = [{"properties": {"amount": "1"}}, {"properties": {"amount": None}}]

    assert silence.lacks("deals", ["amount", "legacy"], rows_without) == {"legacy"}


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/crm/objects/2026-03/invoices/search", "crm.objects.invoices.read"),
        ("/crm/v3/objects/commerce_payments", "crm.objects.commercepayments.read"),
        ("/crm/associations/2026-03/subscriptions/companies/batch/read", "crm.objects.subscriptions.read"),
        ("/crm/objects/2026-03/forecasts", "crm.objects.forecasts.read"),
    ],
)
def test_the_scopes_of_commerce_objects_are_named(path: str, scope: str) -> None:
    assert scope_for(path) == scope
