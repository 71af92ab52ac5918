"""Sign-in, scopes, limits and faults of the Zoho emulator."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest

from connectors.sandbox.server import Server
from connectors.sandbox.zoho.scopes import covers, needed

LIST = "/crm/v8/Deals?fields=Deal_Name"


def test_a_refresh_gives_a_token_that_works_until_it_ends(zoho: Any) -> None:
    answer = zoho.sign_in()
    zoho.token = answer["access_token"]

    fresh = zoho("GET", LIST)
    zoho.wait(3600)

    assert (fresh.status, answer["token_type"], answer["expires_in"]) == (204, "Bearer", 3600)
    assert zoho.get(LIST, 401)["code"] == "INVALID_TOKEN"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "other"}, "invalid_client"),
        ({"refresh_token": "other"}, "invalid_code"),
        ({"grant_type": "authorization_code", "code": "other"}, "invalid_code"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
)
def test_a_refused_sign_in_is_status_200_with_an_error(zoho: Any, form: dict[str, str], error: str) -> None:
    assert zoho.sign_in(**form) == {"error": error}


def test_a_grant_code_gives_a_refresh_token_once(zoho: Any) -> None:
    zoho.emulator.tokens.codes.add("1000.code")

    first = zoho.sign_in(grant_type="authorization_code", code="1000.code")
    second = zoho.sign_in(grant_type="authorization_code", code="1000.code")

    assert "access_token" in zoho.sign_in(refresh_token=first["refresh_token"])
    assert second == {"error": "invalid_code"}


def test_the_eleventh_token_in_ten_minutes_is_refused(zoho: Any) -> None:
    for _ in range(10):
        zoho.sign_in()

    refused = zoho.sign_in()
    zoho.wait(601)

    assert refused["error"] == "Access Denied"
    assert "access_token" in zoho.sign_in()


@pytest.mark.parametrize("header", ["Bearer sandbox", "sandbox", ""])
def test_only_zohos_own_scheme_signs_a_call(zoho: Any, header: str) -> None:
    assert zoho.get(LIST, 401, authorization=header)["code"] == "AUTHENTICATION_FAILURE"


def test_a_token_without_the_modules_scope_is_refused(open_org: Callable[..., Any]) -> None:
    zoho = open_org(scopes=["ZohoCRM.modules.Calls.READ", "ZohoCRM.coql.READ"])

    assert zoho.get(LIST, 401)["code"] == "OAUTH_SCOPE_MISMATCH"
    assert zoho.coql("select id from Deals where id is not null", 401)["code"] == "OAUTH_SCOPE_MISMATCH"
    assert zoho("GET", "/crm/v8/Calls?fields=Subject").status == 204


def test_all_of_a_module_covers_a_right_of_it() -> None:
    assert covers(frozenset({"ZohoCRM.modules.deals.ALL"}), needed("modules.READ", "Deals"))
    assert not covers(frozenset({"ZohoCRM.modules.deals.ALL"}), needed("modules.READ", "Own_Module"))


def test_credits_left_are_told_from_the_half_on_and_a_spent_budget_is_429(open_org: Callable[..., Any]) -> None:
    zoho = open_org(budget=4)

    replies = [zoho("GET", LIST) for _ in range(4)]

    told = [reply.headers.get("X-API-CREDITS-REMAINING") for reply in replies]
    assert told == [None, "2", "1", "0"]
    assert zoho.get(LIST, 429)["code"] == "TOO_MANY_REQUESTS"


def test_more_calls_at_once_than_the_edition_allows_are_429(open_org: Callable[..., Any]) -> None:
    zoho = open_org(limits="vendor", edition="free")
    seen: list[int] = []

    def call(port: int) -> None:
        connection = HTTPConnection("127.0.0.1", port)
        connection.request("GET", LIST, headers={"Authorization": "Zoho-oauthtoken sandbox"})
        seen.append(connection.getresponse().status)
        connection.close()

    with Server(zoho.emulator) as server, zoho.emulator.lock:
        port = int(server.url.rpartition(":")[2])
        threads = [threading.Thread(target=call, args=(port,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        while zoho.emulator.running < len(threads):
            pass
        zoho.emulator.lock.release()
        for thread in threads:
            thread.join()
        zoho.emulator.lock.acquire()

    assert Counter(seen) == {429: 3, 204: 5}


@pytest.mark.parametrize(("limit", "credits_used"), [(200, 1), (1000, 2), (2000, 3)])
def test_a_query_costs_what_its_limit_declares(zoho: Any, limit: int, credits_used: int) -> None:
    text = "select id from Deals where id is not null"

    zoho.coql(f"{text} limit {limit}", 204)

    assert zoho.emulator.credits.used == credits_used


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("expired_token", 401, "INVALID_TOKEN"),
        ("too_many", 429, "TOO_MANY_REQUESTS"),
        ("day_limit", 429, "TOO_MANY_REQUESTS"),
        ("server_error", 500, "INTERNAL_ERROR"),
        ("no_permission", 403, "NO_PERMISSION"),
        ("scope_mismatch", 401, "OAUTH_SCOPE_MISMATCH"),
    ],
)
def test_a_fault_refuses_in_zohos_words(zoho: Any, fault: str, status: int, code: str) -> None:
    zoho.emulator.faults.arm({"name": fault})

    assert zoho.get(LIST, status)["code"] == code


def test_unknown_paths_methods_and_bodies_are_refused(zoho: Any) -> None:
    assert zoho.get("/crm/v9/Deals", 404)["code"] == "INVALID_URL_PATTERN"
    assert zoho.send("DELETE", "/crm/v8/users", None, 400)["code"] == "INVALID_REQUEST_METHOD"
    assert zoho.send("PUT", "/crm/v8/Deals", b"{", 400)["code"] == "INVALID_DATA"
    assert json.dumps(zoho.get("/crm/v8/Nothing?fields=id", 400)["details"]) == '{"resource_path_index": 0}'
