"""How answers of Salesforce are taken: from the vendor's own status, code and text to what to do next."""

import json
from typing import Any

import pytest
import requests

from connectors.http import Fault, Usage
from connectors.salesforce.manners import fault, usage


def answer(status: int, body: Any = None, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def error(code: str, message: str = "") -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


@pytest.mark.parametrize("status", [200, 201, 204, 304])
def test_good_answers_are_no_fault(status: int) -> None:
    assert fault(answer(status)) is None


@pytest.mark.parametrize(
    ("response", "action"),
    [
        pytest.param(
            answer(401, error("INVALID_SESSION_ID", "Session expired or invalid")), "expired", id="session over"
        ),
        pytest.param(answer(401, {"error": "invalid_token"}), "expired", id="an object instead of a list"),
        pytest.param(answer(401, "<html>"), "expired", id="HTML for a session"),
        pytest.param(
            answer(401, error("INVALID_SESSION_ID", "This session is not valid for use with the REST API")),
            "sign_in",
            id="a session that no renewal mends",
        ),
        pytest.param(
            answer(401, error("INVALID_SESSION_ID", "Connected app is not attached to Agent")),
            "sign_in",
            id="agent app",
        ),
        pytest.param(
            answer(403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")), "allowance", id="day spent"
        ),
        pytest.param(
            answer(
                403, error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
            ),
            "retry",
            id="too many at once",
        ),
        pytest.param(answer(403, error("INSUFFICIENT_ACCESS")), "forbidden", id="no right"),
        pytest.param(answer(403, error("API_DISABLED_FOR_ORG")), "forbidden", id="no API"),
        pytest.param(answer(406, ""), "retry", id="overloaded pod"),
        pytest.param(answer(429, error("TOO_MANY_REQUESTS")), "retry", id="429"),
        pytest.param(answer(500, error("UNKNOWN_EXCEPTION")), "retry", id="500"),
        pytest.param(answer(502, "<html>bad gateway</html>"), "retry", id="502 in HTML"),
        pytest.param(answer(503, error("SERVER_UNAVAILABLE")), "retry", id="503"),
        pytest.param(answer(400, error("QUERY_TIMEOUT")), "retry", id="query ran too long"),
        pytest.param(answer(400, error("UNABLE_TO_LOCK_ROW")), "retry", id="locked row"),
        pytest.param(answer(400, error("INVALID_QUERY_LOCATOR")), "resume_lost", id="forgotten locator"),
        pytest.param(answer(400, error("INVALID_FIELD", "No such column")), "rejected", id="unknown column"),
        pytest.param(answer(404, error("NOT_FOUND")), "rejected", id="404"),
        pytest.param(answer(410, error("GONE")), "rejected", id="retired version"),
        pytest.param(answer(414, "<html>too long</html>"), "rejected", id="414 in HTML"),
    ],
)
def test_each_refusal_has_its_consequence(response: requests.Response, action: str) -> None:
    found = fault(response)

    assert found is not None
    assert found.action == action


def test_waiting_follows_retry_after_and_else_a_patience_of_its_own() -> None:
    busy = error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.")

    assert fault(answer(403, busy)) == Fault("retry", "REQUEST_LIMIT_EXCEEDED", busy[0]["message"], 10.0)
    assert fault(answer(403, busy, Retry_After="3")) == Fault(
        "retry", "REQUEST_LIMIT_EXCEEDED", busy[0]["message"], 3.0
    )
    assert fault(answer(503, error("X"))) == Fault("retry", "X")


@pytest.mark.parametrize(
    ("status", "advice"), [(410, "api_version"), (414, "map fewer fields"), (431, "map fewer fields")]
)
def test_a_refusal_without_words_gets_advice(status: int, advice: str) -> None:
    found = fault(answer(status, "<html>"))

    assert found is not None
    assert found.code == str(status)
    assert advice in found.text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("api-usage=18/5000", Usage(day_used=18, day_max=5000), id="alone"),
        pytest.param(
            "api-usage=25/5000; per-app-api-usage=17/250(appName=my-app)",
            Usage(day_used=25, day_max=5000),
            id="per app behind",
        ),
        pytest.param("per-app-api-usage=17/250(appName=my-app)", None, id="per app only"),
        pytest.param("", None, id="silent"),
    ],
)
def test_the_calls_of_the_day_are_the_organisation_s(header: str, expected: Usage | None) -> None:
    assert usage(answer(200, {}, Sforce_Limit_Info=header)) == expected


@pytest.mark.parametrize("asked", ["17", "Mon, 02 Mar 2026 10:00:17 GMT"])
def test_a_busy_instance_says_how_long_to_wait_in_seconds_or_by_date(asked: str) -> None:
    response = answer(503, error("SERVER_UNAVAILABLE"), Retry_After=asked, Date="Mon, 02 Mar 2026 10:00:00 GMT")

    found = fault(response)

    assert found is not None
    assert (found.action, found.after_seconds) == ("retry", 17.0)


def test_activities_of_too_many_contacts_are_a_matter_of_rights() -> None:
    found = fault(answer(400, error("OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's")))

    assert found is not None
    assert found.action == "forbidden"
    assert "View All Data" in found.text
