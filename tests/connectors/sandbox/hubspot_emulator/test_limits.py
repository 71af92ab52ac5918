"""Limits, faults and the control endpoints."""

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

DEALS = "/crm/v3/objects/deals"
CLIENT = {"client_id": "sandbox", "client_secret": "sandbox"}


def ask_token(hubspot: Any, **form: str) -> Any:
    """A call of the token endpoint."""
    body = urlencode({**CLIENT, **form}).encode()
    return hubspot("POST", "/oauth/v3/token", body, content_type="application/x-www-form-urlencoded")


def test_the_vendors_limits_count_calls_searches_and_the_day(open_portal: Callable[..., Any]) -> None:
    hubspot = open_portal(limits="vendor")

    searches = [hubspot("POST", f"{DEALS}/search", {}) for _ in range(6)]
    lists = [hubspot("GET", DEALS) for _ in range(185)]

    refused = searches[-1].body
    assert [reply.status for reply in searches] == [200] * 5 + [429]
    assert (refused["policyName"], refused["errorType"]) == ("SECONDLY", "RATE_LIMIT")
    assert lists[-1].status == 200
    headers = lists[-1].headers
    assert headers["X-HubSpot-RateLimit-Max"] == "190"
    assert headers["X-HubSpot-RateLimit-Remaining"] == "0"
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert headers["X-HubSpot-RateLimit-Daily-Remaining"] == str(625_000 - 191)
    last = hubspot("GET", DEALS)
    assert (last.status, last.body["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    assert last.body["groupName"] == "publicapi:private-app-api-calls-ten-secondly:62515"


def test_searches_do_not_tell_the_limits_and_oauth_not_the_day(open_portal: Callable[..., Any]) -> None:
    hubspot = open_portal(limits="vendor")
    assert "X-HubSpot-RateLimit-Max" not in hubspot("POST", f"{DEALS}/search", {}).headers

    hubspot.token = ask_token(hubspot, grant_type="client_credentials").body["access_token"]

    headers = hubspot("GET", DEALS).headers
    assert headers["X-HubSpot-RateLimit-Max"] == "110"
    assert "X-HubSpot-RateLimit-Daily" not in headers


def test_the_day_ends_at_the_accounts_midnight(open_portal: Callable[..., Any]) -> None:
    hubspot = open_portal()
    hubspot.emulator.limits.day_max = 2
    statuses = [hubspot("GET", DEALS).status for _ in range(3)]
    refused = hubspot("GET", DEALS).body

    hubspot.wait(14 * 3600)  # 09:30 UTC is 10:30 in Berlin: the day turns after 13.5 hours

    assert (statuses, refused["policyName"]) == ([200, 200, 429], "DAILY")
    usage = hubspot.get("/account-info/v3/api-usage/daily/private-apps")["results"][0]
    assert (usage["usageLimit"], usage["currentUsage"]) == (2, 1)
    assert usage["resetsAt"] == "2026-03-03T23:00:00.000Z"


def test_a_rate_of_ones_own(open_portal: Callable[..., Any]) -> None:
    hubspot = open_portal(rate=0.2)

    assert [hubspot("GET", DEALS).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("fault", "status", "word"),
    [
        ("expired_token", 401, "EXPIRED_AUTHENTICATION"),
        ("too_many", 429, "TEN_SECONDLY_ROLLING"),
        ("too_many_retry_after", 429, "TEN_SECONDLY_ROLLING"),
        ("day_limit", 429, "DAILY"),
        ("server_error", 500, "internal error"),
        ("bad_gateway", 502, "Bad Gateway"),
        ("no_permission", 403, "MISSING_SCOPES"),
        ("revoked", 401, "INVALID_AUTHENTICATION"),
    ],
)
def test_faults_speak_the_vendors_words(hubspot: Any, fault: str, status: int, word: str) -> None:
    hubspot.control("POST", "/__faults", {"name": fault, "times": 1})

    reply = hubspot("GET", DEALS)

    assert reply.status == status
    assert word in json.dumps(reply.body)
    assert reply.headers.get("Retry-After") == ("1" if fault == "too_many_retry_after" else None)
    assert hubspot("GET", DEALS).status == 200


def test_a_revoked_app_gets_no_token(hubspot: Any) -> None:
    hubspot.control("POST", "/__faults", {"name": "revoked"})

    reply = ask_token(hubspot, grant_type="refresh_token", refresh_token="sandbox")

    assert (reply.status, reply.body["status"]) == (400, "BAD_REFRESH_TOKEN")


def test_lists_and_searches_can_be_emptied(hubspot: Any) -> None:
    hubspot.deal()
    hubspot.control("POST", "/__faults", {"name": "empty"})

    assert hubspot.get(DEALS)["results"] == []
    assert hubspot.search({}) == {"total": 0, "results": []}


def test_a_late_commit_is_stamped_in_the_past(hubspot: Any) -> None:
    deal = hubspot.deal()
    hubspot.control("POST", "/__faults", {"name": "late_commit", "seconds": 300})

    hubspot.patch(f"{DEALS}/{deal}", {"properties": {"amount": "5"}})

    assert hubspot.get(f"{DEALS}/{deal}")["updatedAt"] == "2026-03-02T09:25:15.250Z"
    before = {"propertyName": "hs_lastmodifieddate", "operator": "LT", "value": str(hubspot.now_ms() - 299_000)}
    assert hubspot.found(before) == [deal]


def test_a_page_cap_shortens_pages(open_portal: Callable[..., Any]) -> None:
    hubspot = open_portal(page_cap=2)
    hubspot.deals(3)

    assert len(hubspot.get(f"{DEALS}?limit=100")["results"]) == 2
    assert len(hubspot.search({"limit": 200})["results"]) == 2


def test_stats_count_by_template(hubspot: Any) -> None:
    hubspot.get("/crm/objects/2026-03/deals")
    hubspot.get("/crm/objects/2026-03/companies/")

    assert hubspot.control("GET", "/__stats") == {"GET /crm/objects/2026-03/{type}": 2}


def test_one_kept_connection_serves_many_calls(served: Any) -> None:
    connection = http.client.HTTPConnection(urlsplit(served.emulator.url).netloc)

    statuses = []
    for _ in range(3):
        connection.request("GET", f"{DEALS}?limit=1", headers={"Authorization": "Bearer sandbox"})
        reply = connection.getresponse()
        reply.read()
        statuses.append((reply.status, reply.getheader("X-HubSpot-Correlation-Id") is not None))
    connection.close()

    assert statuses == [(200, True)] * 3
