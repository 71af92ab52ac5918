"""The HTTP door in trouble: retry, faults, limits, connections that break."""

from typing import Any

import pytest
import requests
import structlog

from connectors.errors import (
    AllowanceError,
    ConfigError,
    ContractError,
    ForbiddenError,
    RejectedError,
    ResumeLostError,
    RetryLaterError,
    SignInError,
)
from connectors.http import Fault, Manners, Usage
from tests.connectors.conftest import WIDE, OpenDoor


def test_a_busy_crm_is_asked_again_until_it_answers(script: Any, said: Any, open_door: OpenDoor, clock: Any) -> None:
    script.will(said(503), said(500), said(429), said(body={"ok": True}))

    body = open_door().get("/deals")

    assert body == {"ok": True}
    assert len(script.heard) == 4
    assert len(clock.slept) == 3
    assert clock.slept == sorted(clock.slept), "each wait is longer than the one before"


def test_a_crm_that_says_how_long_is_given_that_long(script: Any, said: Any, open_door: OpenDoor, clock: Any) -> None:
    script.will(said(429, headers={"Retry-After": "7"}), said(body={}))

    open_door().get("/deals")

    assert clock.slept == [7.0]


def test_a_very_long_wait_is_left_to_the_next_run(script: Any, said: Any, open_door: OpenDoor, clock: Any) -> None:
    script.will(said(503, headers={"Retry-After": "3600"}))

    with pytest.raises(RetryLaterError) as caught:
        open_door().get("/deals")

    assert caught.value.after_seconds == 3600
    assert clock.slept == []


def test_after_the_last_try_it_is_for_later(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(502, body=b"<html>Bad gateway</html>", headers={"Content-Type": "text/html"}))

    with pytest.raises(RetryLaterError, match="sales: GET /deals: 502 Bad Gateway"):
        open_door(Manners(buckets=WIDE, tries=3)).get("/deals")

    assert len(script.heard) == 3


def test_a_connection_that_breaks_off_is_tried_again(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body={"a": "x" * 100}, cut=True), said(body={"a": 1}))

    assert open_door().get("/deals") == {"a": 1}


def test_nobody_there_is_for_later_and_named_without_the_query(open_door: OpenDoor) -> None:
    door = open_door(base_url="http://127.0.0.1:9")  # the discard port: nothing listens there

    with pytest.raises(RetryLaterError, match="the connection failed") as caught:
        door.get("/query", params={"q": "SELECT Name FROM Account"})

    assert "SELECT" not in str(caught.value)


def test_a_torn_body_of_a_good_answer_is_asked_for_again(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b'{"a": [1, 2'), said(body={"a": 1}))

    assert open_door().get("/deals") == {"a": 1}


def test_a_body_that_stays_torn_is_a_broken_contract(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b'{"a": [1, 2'))

    with pytest.raises(ContractError) as caught:
        open_door(Manners(buckets=WIDE, tries=2)).get("/deals")

    assert caught.value.body == '{"a": [1, 2'
    assert len(script.heard) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"status": 503}, id="away"),
        pytest.param({"status": 429}, id="busy"),
        pytest.param({"body": {"made": "x" * 100}, "cut": True}, id="broken off"),
        pytest.param({"body": b'{"made": ['}, id="torn"),
    ],
)
def test_what_must_not_be_done_twice_is_sent_once(
    script: Any, said: Any, open_door: OpenDoor, trouble: dict[str, Any]
) -> None:
    script.will(said(**trouble), said(body={"made": 2}))

    with pytest.raises(RetryLaterError, match="Sent once only"):
        open_door().post("/rows", json={"key": "a"}, once=True)

    assert len(script.heard) == 1


def test_a_page_for_people_in_place_of_json_is_asked_for_again(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b"<html>", headers={"Content-Type": "text/html"}), said(body=[]))

    assert open_door().get("/deals") == []


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("sign_in", SignInError),
        ("forbidden", ForbiddenError),
        ("allowance", AllowanceError),
        ("rejected", RejectedError),
        ("resume_lost", ResumeLostError),
        ("contract", ContractError),
    ],
)
def test_each_fault_has_its_error_and_is_not_tried_again(
    script: Any, said: Any, open_door: OpenDoor, action: Any, error: type[Exception]
) -> None:
    script.will(said(400, body={}))
    door = open_door(Manners(buckets=WIDE, fault=lambda _: Fault(action, "CODE", "why")))

    with pytest.raises(error, match="why"):
        door.get("/deals")

    assert len(script.heard) == 1


def test_a_stream_that_breaks_off_is_for_later(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b"Id,Name\n" * 5000, headers={"Content-Type": "text/csv"}, cut=True))
    answer = open_door().request("GET", "/results", stream=True)

    with pytest.raises(RetryLaterError, match="/results: the answer broke off"):
        list(answer.iter_lines())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.exceptions.ProxyError("secret"), "the proxy does not answer"),
        (requests.exceptions.SSLError("secret"), "the TLS handshake failed"),
        (requests.exceptions.ConnectTimeout("secret"), "no connection in time"),
        (requests.exceptions.ReadTimeout("secret"), "no answer in time"),
        (requests.exceptions.ChunkedEncodingError("secret"), "the answer broke off"),
    ],
)
def test_a_lost_connection_is_told_in_our_words(
    open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    door = open_door()

    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr(requests.Session, "send", fail)

    with pytest.raises(RetryLaterError, match=reason) as caught:
        door.get("/deals")

    assert "secret" not in str(caught.value)


def test_an_answer_that_would_fill_the_memory_is_left(
    script: Any, said: Any, open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.transport.LONGEST_BODY", 200_000)
    script.will(said(body=["x" * 300_000]))

    with pytest.raises(ContractError, match="does not end within"):
        open_door().get("/deals")

    assert len(script.heard) == 1


def test_an_answer_that_never_ends_is_for_later(
    script: Any, said: Any, open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.transport.LONGEST_ANSWER", 0)  # whatever comes is too late
    script.will(said(body={"a": 1}))

    with pytest.raises(RetryLaterError, match="no answer in time"):
        open_door(Manners(buckets=WIDE, tries=2)).get("/deals")

    assert len(script.heard) == 2


def test_brackets_without_end_are_no_json(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b"[" * 200_000))

    with pytest.raises(ContractError, match="not JSON"):
        open_door().get("/deals")


def test_headers_about_limits_reach_the_limiter(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body={}, headers={"X-Used": "12/1000"}))

    def usage(response: requests.Response) -> Usage:
        used, _, most = response.headers["X-Used"].partition("/")
        return Usage(day_used=int(used), day_max=int(most))

    door = open_door(Manners(buckets=WIDE, usage=usage), allowance={"share": "0.002"})
    door.get("/one")
    door.get("/two")

    with pytest.raises(AllowanceError, match="our 2 calls of the day are spent"):
        door.get("/three")

    assert len(script.heard) == 2


def test_a_day_that_the_crm_calls_spent_ends_all_calls(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(403, body={}))
    door = open_door(Manners(buckets=WIDE, fault=lambda _: Fault("allowance", "TotalRequests")))

    for _ in range(3):
        with pytest.raises(AllowanceError):
            door.get("/deals")

    assert len(script.heard) == 1


def test_a_crm_that_goes_away_is_reported_once_and_once_when_it_is_back(
    script: Any, said: Any, open_door: OpenDoor
) -> None:
    script.will(said(503))
    door = open_door(Manners(buckets=WIDE, tries=2))

    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(RetryLaterError):
                door.get("/deals")
        script.will(said(body={}))
        door.get("/deals")
        door.get("/deals")

    assert [entry["event"] for entry in logs] == ["request_retried", "connection_lost", "connection_restored"]
    assert logs[0]["path"] == "/deals"


def test_an_untrusted_certificate_is_for_the_config(open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1000)")

    door = open_door()
    monkeypatch.setattr(requests.Session, "send", fail)

    with pytest.raises(ConfigError, match=r"name its CA in network\.ca_file"):
        door.get("/deals")
