"""The vendor's own words for trouble on demand."""

from collections.abc import Callable
from typing import Any

import pytest

LIMIT = "REQUEST_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("fault", "status", "code", "says"),
    [
        ("expired_token", 401, "INVALID_SESSION_ID", "Session expired or invalid"),
        ("too_many", 403, LIMIT, "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
        ("day_limit", 403, LIMIT, "TotalRequests Limit exceeded."),
        ("server_error", 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred"),
        ("unavailable", 503, "SERVER_UNAVAILABLE", "unavailable"),
        ("no_permission", 403, "INSUFFICIENT_ACCESS", "insufficient access"),
        ("query_timeout", 400, "QUERY_TIMEOUT", "running for too long"),
    ],
)
def test_a_refused_call(sf: Any, fault: str, status: int, code: str, says: str) -> None:
    sf.arm(fault, times=1)

    answer = sf.soql("SELECT Id FROM Account", status=status)

    assert answer[0]["errorCode"] == code
    assert says in answer[0]["message"]
    assert sf.soql("SELECT Id FROM Account")["done"], "the fault is spent"


def test_bodies_that_are_no_json(sf: Any) -> None:
    sf.arm("bad_gateway")
    sf.arm("not_acceptable")

    gateway, pod = sf("GET", "limits"), sf("GET", "limits")

    assert (gateway.status, gateway.headers["Content-Type"], gateway.body[:6]) == (502, "text/html", "<html>")
    assert (pod.status, pod.body) == (406, None)


def test_a_wait_can_be_named(sf: Any) -> None:
    sf.arm("too_many_retry_after")

    assert sf("GET", "limits").headers["Retry-After"] == "1"


def test_the_days_end_shows_in_limits(sf: Any) -> None:
    sf.arm("day_limit")

    assert sf.get("limits")["DailyApiRequests"]["Remaining"] == 0
    assert sf("GET", "sobjects").status == 403


def test_a_rate_refuses_what_is_too_much_at_once(org_with: Callable[..., Any]) -> None:
    sf = org_with(rate=1)

    assert [sf("GET", "limits").status for _ in range(2)] == [200, 403]


def test_a_field_can_vanish(sf: Any) -> None:
    sf.deal(NextStep="x")
    sf.arm("missing_field", field="NextStep", object="Opportunity")

    answer = sf.soql("SELECT Id, NextStep FROM Opportunity", status=400)
    described = [one["name"] for one in sf.get("sobjects/Opportunity/describe")["fields"]]
    sf("DELETE", "/__faults")

    assert "No such column 'NextStep' on entity 'Opportunity'" in answer[0]["message"]
    assert "NextStep" not in described
    assert sf.rows("SELECT NextStep FROM Opportunity") == [{"NextStep": "x"}]


def test_a_field_can_come_in_another_type(sf: Any) -> None:
    sf.deal(Amount=5)
    query = "SELECT Amount, Name FROM Opportunity"
    before = sf.rows(query)
    for field in ("Amount", "Name"):
        sf.arm("wrong_type", field=field, times=1)

    during, after = sf.rows(query), sf.rows(query)

    assert during == [{"Amount": "not a number", "Name": 4711}]
    assert before == after == [{"Amount": 5.0, "Name": "Deal"}]


def test_lists_can_be_suddenly_empty(sf: Any) -> None:
    sf.deal()
    sf.arm("empty", match="query", times=1)

    assert sf.soql("SELECT Id FROM Opportunity") == {"totalSize": 0, "done": True, "records": []}
    assert len(sf.rows("SELECT Id FROM Opportunity")) == 1


def test_the_servers_clock_can_be_off(sf: Any) -> None:
    sf.arm("clock_skew", seconds=3600)

    sf.deal()

    assert sf.rows("SELECT SystemModstamp FROM Opportunity")[0]["SystemModstamp"] == "2026-03-02T10:30:15.000+0000"


def test_a_body_that_is_no_json_is_refused(sf: Any) -> None:
    answer = sf.post("sobjects/Account", b'{"Name":', status=400)

    assert answer[0]["errorCode"] == "JSON_PARSER_ERROR"
