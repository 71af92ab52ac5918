"""The HTTP door: retry, limits, words without secrets."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog

from connectors.answers import path_template, read_json, retry_after_seconds, scrub, write_json
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
from connectors.http import Fault, Http, Manners, Usage
from connectors.settings import ConnectionSettings
from connectors.transport import new_session
from connectors.vendor import rest_client

OpenDoor = Callable[..., Http]
WIDE = {"general": (1000, 1.0)}


class Badge:
    """A sign-in whose token a test can look at; ``renewals`` counts."""

    def __init__(self, *, renewable: bool = True) -> None:
        self.renewals = 0
        self.renewable = renewable

    def headers(self, door: Http) -> Mapping[str, str]:
        """The current token."""
        return {"Authorization": f"Bearer secret-token-{self.renewals}"}

    def renew(self, door: Http, refused: Mapping[str, str]) -> bool:
        """The next token."""
        self.renewals += 1
        return self.renewable


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


def test_other_texts_pass_where_the_answer_itself_is_wanted(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b"Id,Name\n1,a\n", headers={"Content-Type": "text/csv"}))

    assert open_door().request("GET", "/results").text == "Id,Name\n1,a\n"


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


def test_a_stream_that_breaks_off_is_for_later(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b"Id,Name\n" * 5000, headers={"Content-Type": "text/csv"}, cut=True))
    answer = open_door().request("GET", "/results", stream=True)

    with pytest.raises(RetryLaterError, match="/results: the answer broke off"):
        list(answer.iter_lines())


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


def test_one_connection_serves_all_answers(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body={"a": "x" * 200_000}), said(204), said(500), said(body=b""))
    door = open_door()

    for _ in range(4):
        door.get("/deals")

    assert len(script.callers) == 1


def test_brackets_without_end_are_no_json(script: Any, said: Any, open_door: OpenDoor) -> None:
    script.will(said(body=b"[" * 200_000))

    with pytest.raises(ContractError, match="not JSON"):
        open_door().get("/deals")


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


def test_a_vendor_clients_session_goes_through_the_door(script: Any, said: Any, open_door: OpenDoor) -> None:
    from simple_salesforce.api import Salesforce

    script.will(said(503), said(body={"totalSize": 1, "done": True, "records": [{"Amount": 0.1}]}))
    session = open_door(auth=Badge()).session()
    client = Salesforce(session_id="none", instance_url="https://acme.my.salesforce.com", session=session)

    answer = client.query("SELECT Amount FROM Opportunity")

    assert answer["records"][0]["Amount"] == Decimal("0.1")
    assert script.heard[1].headers["Authorization"] == "Bearer secret-token-0"
    assert script.heard[1].target.startswith("/services/data/v59.0/query/?q=SELECT+Amount")


def test_a_vendor_clients_own_sign_in_and_host_are_dropped(script: Any, open_door: OpenDoor) -> None:
    session = open_door().session()

    session.get("https://elsewhere.example.com/a?b=1", headers={"Authorization": "Bearer theirs", "X-Own": "kept"})

    assert script.heard[0].target == "/a?b=1"
    assert "Authorization" not in script.heard[0].headers
    assert script.heard[0].headers["X-Own"] == "kept"


def test_a_vendor_client_gets_our_errors(script: Any, said: Any, open_door: OpenDoor) -> None:
    from simple_salesforce.api import Salesforce

    script.will(said(400, body=[{"message": "unexpected token", "errorCode": "MALFORMED_QUERY"}]))
    client = Salesforce(session_id="none", instance_url="https://acme.my.salesforce.com", session=open_door().session())

    with pytest.raises(RejectedError, match="MALFORMED_QUERY"):
        client.query("SELECT")


def test_a_generated_client_goes_through_the_door_on_rewritten_paths(
    script: Any, said: Any, open_door: OpenDoor
) -> None:
    from hubspot import Client
    from hubspot.crm.deals import PublicObjectSearchRequest

    script.will(said(429, headers={"Retry-After": "1"}), said(body={"results": [{"id": "1"}]}))
    api = Client.create(access_token="theirs", retry=False).crm.deals.search_api
    door = open_door(Manners(buckets={"general": (1000, 1.0), "search": (4, 1.0)}), auth=Badge())
    api.api_client.rest_client = rest_client(
        door, lambda path: path.replace("/crm/v3/objects/", "/crm/objects/2026-03/"), lambda _: "search"
    )

    request = PublicObjectSearchRequest(limit=200, after="0", sorts=[], properties=["amount"], filter_groups=[])
    answer = api.do_search(public_object_search_request=request, _preload_content=False)

    assert answer.json() == {"results": [{"id": "1"}]}
    assert answer.data == b'{"results": [{"id": "1"}]}'
    assert script.heard[1].target == "/crm/objects/2026-03/deals/search"
    assert script.heard[1].headers["Authorization"] == "Bearer secret-token-0"
    assert b'"limit":200' in script.heard[1].body


def test_a_generated_clients_models_are_filled_too(script: Any, said: Any, open_door: OpenDoor) -> None:
    from hubspot import Client

    deal = {"id": "7", "properties": {"amount": "1.5"}, "createdAt": "2026-01-05T09:00:00.000Z", "archived": False}
    script.will(said(body=deal | {"updatedAt": "2026-01-05T09:00:00.000Z"}))
    api = Client.create(access_token="theirs", retry=False).crm.deals.basic_api
    api.api_client.rest_client = rest_client(open_door())

    found = api.get_by_id("7", properties=["amount", "dealname"])

    assert found.properties == {"amount": "1.5"}
    assert script.heard[0].target == "/crm/v3/objects/deals/7?properties=amount&properties=dealname"


@pytest.mark.parametrize(
    ("url", "template"),
    [
        ("https://x/services/data/v64.0/query/01gRO0000016PIAYA2-2000?q=1", "/services/data/v64.0/query/{id}"),
        ("/crm/objects/2026-03/deals/9876543210", "/crm/objects/2026-03/deals/{id}"),
        ("/jobs/8d0a3f6e-1111-4222-8333-444455556666/results", "/jobs/{id}/results"),
        ("/sobjects/OpportunityFieldHistory", "/sobjects/OpportunityFieldHistory"),
    ],
)
def test_paths_are_told_without_ids_and_queries(url: str, template: str) -> None:
    assert path_template(url) == template


def test_what_looks_like_a_secret_is_taken_out_of_a_text() -> None:
    assert scrub("unexpected token: FROM") == "unexpected token: FROM"
    text = scrub('{"client_secret": "abc", "refresh_token":"na1-1"}\nAuthorization: Basic dXNlcjpwYXNz')

    assert text == '{"client_secret": "***", "refresh_token":"***"} Authorization: Basic ***'


def test_nul_characters_are_taken_out_of_texts() -> None:
    assert read_json(b'{"name": "a\\u0000b", "rows": ["\\u0000"]}') == {"name": "ab", "rows": [""]}


def test_an_exact_number_is_sent_as_a_number_or_not_at_all() -> None:
    assert write_json({"a": Decimal("1.50"), "b": Decimal(7)}) == b'{"a":1.5,"b":7}'
    with pytest.raises(ValueError, match="more digits than JSON carries"):
        write_json({"a": Decimal("0.12345678901234567890123")})


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("12", 12.0), ("Mon, 23 Nov 2026 08:00:30 GMT", 30.0), ("soon", None), (None, None), ("-5", 0.0)],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    response = requests.Response()
    response.headers["Date"] = "Mon, 23 Nov 2026 08:00:00 GMT"
    if header is not None:
        response.headers["Retry-After"] = header

    assert retry_after_seconds(response) == seconds


def test_nothing_secret_is_logged_at_any_level(
    script: Any, said: Any, open_door: OpenDoor, caplog: pytest.LogCaptureFixture
) -> None:
    script.will(said(503), said(body={}))

    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
        open_door(auth=Badge()).get("/deals")

    assert "secret-token" not in caplog.text + repr(logs)
