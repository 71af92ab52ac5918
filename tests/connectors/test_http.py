"""The HTTP door: requests and answers, sign-in and redirects, words without secrets."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog

from connectors.errors import ConfigError, ContractError, ForbiddenError, RejectedError, SignInError
from connectors.http import Http, Manners
from connectors.settings import ConnectionSettings
from connectors.transport import new_session
from tests.connectors.conftest import WIDE, Badge, OpenDoor


def test_numbers_with_a_fraction_arrive_exactly(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b'{"amount": 1.10, "big": 12345678901234567890.123456789, "count": 3}'))

    body = open_door().get("/deals")

    assert body == {"amount": Decimal("1.10"), "big": Decimal("12345678901234567890.123456789"), "count": 3}


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_none(script: Any, said: Any, open_door: OpenDoor, status: int) -> None:
    script.will(said(status))

    assert open_door().get("/deals") is None


def test_what_is_unset_is_not_asked_for(script: Any, open_door: OpenDoor) -> None:
    open_door().get("/deals", params={"after": None, "q": "a b"})

    assert script.heard[0].target == "/deals?q=a+b"


def test_other_texts_pass_where_the_answer_itself_is_wanted(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b"Id,Name\n1,a\n", headers={"Content-Type": "text/csv"}))

    assert open_door().request("GET", "/results").text == "Id,Name\n1,a\n"


def test_a_refusal_keeps_the_crms_own_words(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(400, body=[{"message": "No such column 'Foo__c'", "errorCode": "INVALID_FIELD"}]))

    with pytest.raises(RejectedError) as caught:
        open_door().get("/query")

    assert (caught.value.code, caught.value.text, caught.value.status) == (
        "INVALID_FIELD",
        "No such column 'Foo__c'",
        400,
    )


def test_an_accepted_status_is_an_answer(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(404, body={"message": "gone"}))

    assert open_door().get("/deals/1", accept=(404,)) == {"message": "gone"}


def test_an_expired_sign_in_is_renewed_once_and_the_request_repeated_as_it_was(
    script: Any, said: Any, open_door: OpenDoor
) -> None:
    script.will(said(401, body={"message": "expired"}), said(body={"ok": 1}))
    badge = Badge()

    body = open_door(auth=badge).post("/deals", json={"a": 1}, headers={"X-Own": "kept"})

    assert body == {"ok": 1}
    first, second = script.heard
    assert (first.headers["Authorization"], second.headers["Authorization"]) == (
        "Bearer secret-token-0",
        "Bearer secret-token-1",
    )
    assert first.body == second.body == b'{"a":1}'
    assert second.headers["X-Own"] == "kept"


def test_a_second_refusal_of_a_sign_in_is_final(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(401, body={"message": "expired"}))
    badge = Badge()

    with pytest.raises(SignInError):
        open_door(auth=badge).get("/deals")

    assert badge.renewals == 1
    assert len(script.heard) == 2


def test_a_sign_in_that_cannot_be_renewed_is_refused_at_once(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(401, body={"message": "wrong token"}))

    with pytest.raises(SignInError, match="wrong token"):
        open_door(auth=Badge(renewable=False)).get("/deals")

    assert len(script.heard) == 1


def test_no_error_repeats_a_token_or_a_query(script: Any, said: Any, open_door: OpenDoor) -> None:
    echo = {"message": "bad header secret-token-0 and access_token=abc123def and Bearer xyz.abc.def", "errorCode": "E"}
    script.will(said(400, body=echo))

    with pytest.raises(RejectedError) as caught:
        open_door(auth=Badge()).get("/x", params={"q": "name@example.com"})

    assert str(caught.value) == "E: bad header *** and access_token=*** and Bearer ***"


def test_next_links_of_this_host_are_taken_and_others_refused(script: Any, open_door: OpenDoor) -> None:
    door = open_door()

    door.get(f"{script.url}/next?page=2")

    assert script.heard[0].target == "/next?page=2"
    with pytest.raises(ContractError, match=r"another host, https://evil\.example\.com:443"):
        door.get("https://evil.example.com/next")


def test_a_streamed_refusal_is_read_and_given_back(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(404, body={"message": "no such job", "errorCode": "NOT_FOUND"}))

    with pytest.raises(RejectedError, match="NOT_FOUND: no such job"):
        open_door().request("GET", "/results", stream=True)


def test_an_odata_error_is_understood(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(400, body={"error": {"code": "0x8004", "message": {"lang": "en", "value": "no such entity"}}}))

    with pytest.raises(RejectedError, match="0x8004: no such entity"):
        open_door().get("/accounts")


@pytest.mark.parametrize("body", [b"plain words", b"[]", b'"text"'])
def test_an_error_without_words_is_told_by_its_status(script: Any, said: Any, open_door: OpenDoor, body: bytes) -> None:
    script.will(said(404, body=body))

    with pytest.raises(RejectedError, match="404: Not Found"):
        open_door().get("/accounts")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_every_method_carries_its_body(script: Any, said: Any, open_door: OpenDoor, method: str) -> None:
    script.will(said(body={"ok": 1}))

    assert getattr(open_door(), method)("/deals/1", json={"a": 1}) == {"ok": 1}
    assert (script.heard[0].method, script.heard[0].body) == (method.upper(), b'{"a":1}')


def test_a_missing_right_switches_a_stream_off(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(403, body={"message": "not allowed", "category": "MISSING_SCOPES"}))

    with pytest.raises(ForbiddenError, match="MISSING_SCOPES not allowed"):
        open_door().get("/deals")


def test_a_circle_of_redirects_ends(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(302, headers={"Location": "/old"}))

    with pytest.raises(ContractError, match="redirects in a circle"):
        open_door().get("/old")


def test_one_connection_serves_all_answers(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body={"a": "x" * 200_000}), said(204), said(500), said(body=b""))
    door = open_door()

    for _ in range(4):
        door.get("/deals")

    assert len(script.callers) == 1


def test_a_redirect_within_the_host_is_followed(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(302, headers={"Location": "/new"}), said(body={"ok": 1}))

    assert open_door().get("/old") == {"ok": 1}
    assert script.heard[1].target == "/new"


def test_a_redirect_to_another_host_is_not(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(302, headers={"Location": "https://login.example.com/?token=1"}))

    with pytest.raises(ContractError, match=r"sends us to https://login\.example\.com:443: check base_url"):
        open_door(auth=Badge()).get("/old")

    assert len(script.heard) == 1


def test_a_request_that_is_too_long_is_never_sent(script: Any, open_door: OpenDoor) -> None:
    door = open_door(Manners(buckets=WIDE, max_url=100))

    with pytest.raises(ConfigError, match="map fewer fields"):
        door.get("/query", params={"fields": "x" * 200})

    assert script.heard == []


def test_the_crms_clock_comes_from_its_answers(script: Any, said: Any, open_door: OpenDoor, clock: Any) -> None:
    manners = Manners(buckets=WIDE, clock_path="/services/data/")
    door = open_door(manners, auth=Badge())

    moments = [door.server_now()]
    clock.sleep(61.7)
    moments.append(door.server_now())

    assert [heard.target for heard in script.heard] == ["/services/data/"]
    assert "Authorization" not in script.heard[0].headers
    assert moments[0] <= datetime.now(UTC)
    assert (moments[1] - moments[0]).total_seconds() == 61


def test_a_secret_that_no_header_carries_is_for_the_config(open_door: OpenDoor) -> None:
    class Broken(Badge):
        def headers(self, door: Http) -> Mapping[str, str]:
            return {"Authorization": "Bearer first\nsecond"}

    with pytest.raises(ConfigError, match="characters that no header carries") as caught:
        open_door(auth=Broken()).get("/deals")

    assert "second" not in str(caught.value)


def test_the_pool_trusts_neither_netrc_nor_cookies_and_takes_the_proxy_it_is_told(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    settings = ConnectionSettings.model_validate(
        {
            "kind": "test",
            "base_url": "https://crm.example.com",
            "network": {"proxy": "http://proxy:3128", "ca_file": ca_file},
        }
    )

    session = new_session(settings)

    assert not session.trust_env
    assert session.verify == str(ca_file)
    assert session.proxies["https"] == "http://proxy:3128"


def test_the_environments_proxy_serves_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://corporate:3128")
    monkeypatch.setenv("http_proxy", "http://corporate:3128")
    away = ConnectionSettings(kind="test", base_url="https://crm.example.com")
    here = ConnectionSettings(kind="test", base_url="http://127.0.0.1:8080")

    assert new_session(away).proxies["https"] == "http://corporate:3128"
    assert new_session(here).proxies == {}


def test_cookies_are_not_kept(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body={}, headers={"Set-Cookie": "BrowserId=1; Path=/"}))
    door = open_door()

    door.get("/one")
    door.get("/two")

    assert "Cookie" not in script.heard[1].headers


def test_nothing_secret_is_logged_at_any_level(
    script: Any, said: Any, open_door: OpenDoor, caplog: pytest.LogCaptureFixture
) -> None:
    script.will(said(503), said(body={}))

    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
        open_door(auth=Badge()).get("/deals")

    assert "secret-token" not in caplog.text + repr(logs)
