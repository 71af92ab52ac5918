"""Sign-in and scopes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.sandbox.routing import Reply

DEALS = "/crm/v3/objects/deals"
CLIENT = {"client_id": "sandbox", "client_secret": "sandbox"}
FORM = "application/x-www-form-urlencoded"


def token(hubspot: Any, path: str = "/oauth/v3/token", **form: str) -> Reply:
    """A call of a token endpoint."""
    reply = hubspot("POST", path, urlencode({**CLIENT, **form}).encode(), content_type=FORM)
    assert isinstance(reply, Reply)
    return reply


@pytest.mark.parametrize(
    ("header", "status", "category"),
    [
        ("Bearer sandbox", 200, None),
        ("", 401, "INVALID_AUTHENTICATION"),
        ("Basic sandbox", 401, "INVALID_AUTHENTICATION"),
        ("Bearer pat-na1-01234567-89ab-cdef-0123-456789abcdef", 401, "INVALID_AUTHENTICATION"),
        ("Bearer wrong", 401, "INVALID_AUTHENTICATION"),
    ],
)
def test_who_may_call(hubspot: Any, header: str, status: int, category: str | None) -> None:
    reply = hubspot("GET", DEALS, authorization=header)

    assert reply.status == status
    assert reply.body.get("category") == category


@pytest.mark.parametrize("text", ["pat-na1-123", "a b", "schlüssel", "x;y"])
def test_a_malformed_token_meets_the_edge(hubspot: Any, text: str) -> None:
    reply = hubspot("GET", DEALS, authorization=f"Bearer {text}")

    assert (reply.status, reply.headers["Content-Type"][:9]) == (530, "text/html")


def test_a_service_key_can_be_added_and_taken_away(hubspot: Any) -> None:
    key = "pat-eu1-01234567-89ab-cdef-0123-456789abcdef"
    hubspot.emulator.tokens.static.add(key)
    hubspot.token = key
    assert hubspot("GET", DEALS).status == 200

    hubspot.emulator.tokens.static.discard(key)

    assert hubspot("GET", DEALS).status == 401


@pytest.mark.parametrize("path", ["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token", "/oauth/2026-09/token"])
def test_a_refresh_rotates_the_refresh_token(hubspot: Any, path: str) -> None:
    first = token(hubspot, path, grant_type="refresh_token", refresh_token="sandbox").body

    second = token(hubspot, path, grant_type="refresh_token", refresh_token=first["refresh_token"])
    again = token(hubspot, path, grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert second.status == 200
    assert (again.status, again.body["status"]) == (400, "BAD_REFRESH_TOKEN")
    assert again.body["message"] == "missing or invalid refresh token"
    assert first["token_type"] == "bearer"
    assert ("hub_id" in first) is (path != "/oauth/v1/token")


def test_an_access_token_works_until_it_expires(open_portal: Callable[..., Any]) -> None:
    hubspot = open_portal(token_seconds=60)
    hubspot.token = token(hubspot, grant_type="client_credentials").body["access_token"]
    assert hubspot("GET", DEALS).status == 200

    hubspot.wait(60)

    reply = hubspot("GET", DEALS)
    assert (reply.status, reply.body["category"]) == (401, "EXPIRED_AUTHENTICATION")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
        ({}, "BAD_GRANT_TYPE"),
        ({"grant_type": "refresh_token", "client_id": "x"}, "BAD_CLIENT_ID"),
        ({"grant_type": "refresh_token", "client_secret": "x"}, "BAD_CLIENT_SECRET"),
        ({"grant_type": "refresh_token"}, "BAD_REFRESH_TOKEN"),
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": "y"}, "BAD_AUTH_CODE"),
        ({"grant_type": "authorization_code", "code": "sandbox"}, "MISMATCH_REDIRECT_URI_AUTH_CODE"),
    ],
)
def test_what_the_token_endpoint_refuses(hubspot: Any, form: dict[str, str], status: str) -> None:
    reply = token(hubspot, **form)

    assert (reply.status, reply.body["status"]) == (400, status)


def test_v3_reads_the_body_only_and_v1_the_query_too(hubspot: Any) -> None:
    query = urlencode({**CLIENT, "grant_type": "refresh_token", "refresh_token": "sandbox"})

    assert hubspot("POST", f"/oauth/v1/token?{query}").status == 200
    assert hubspot("POST", f"/oauth/v3/token?{query}", b"", content_type=FORM).status == 400
    assert hubspot("POST", "/oauth/v3/token", {"grant_type": "refresh_token"}).status == 415


def test_a_code_buys_tokens_that_can_be_looked_at_and_revoked(hubspot: Any) -> None:
    bought = token(hubspot, grant_type="authorization_code", code="sandbox", redirect_uri="http://127.0.0.1/").body

    shown = token(hubspot, "/oauth/v3/token/introspect", token=bought["access_token"]).body
    assert (shown["active"], shown["token_use"], shown["expires_in"]) == (True, "access_token", 1800)
    assert hubspot("GET", f"/oauth/v1/access-tokens/{bought['access_token']}").body["app_id"] == 1
    assert hubspot("GET", f"/oauth/v1/refresh-tokens/{bought['refresh_token']}").body["token_type"] == "refresh"

    token(hubspot, "/oauth/v3/token/revoke", token=bought["refresh_token"])

    assert token(hubspot, "/oauth/v3/token/introspect", token=bought["access_token"]).body == {"active": False}
    hubspot.token = bought["access_token"]
    assert hubspot("GET", DEALS).body["category"] == "INVALID_AUTHENTICATION"


@pytest.mark.parametrize(
    ("scopes", "method", "target", "body", "status"),
    [
        (["crm.objects.deals.read"], "GET", DEALS, None, 200),
        (["crm.objects.deals.read"], "POST", f"{DEALS}/search", {}, 200),
        (["crm.objects.deals.read"], "POST", f"{DEALS}/batch/update", {"inputs": []}, 403),
        (["crm.objects.deals.write"], "POST", f"{DEALS}/batch/update", {"inputs": []}, 200),
        (["crm.objects.deals.read"], "GET", "/crm/objects/2026-09/goal_targets", None, 403),
        (["crm.objects.deals.read"], "GET", "/crm/v3/owners", None, 403),
        (["crm.objects.contacts.read"], "GET", "/crm/v3/objects/calls", None, 200),
        (["crm.objects.feedback_submissions.read"], "GET", "/crm/v3/objects/feedback_submissions", None, 403),
        (["crm.objects.deals.read"], "GET", "/crm/v3/properties/deals", None, 200),
        (["crm.objects.deals.write"], "POST", "/crm/v3/properties/deals/groups", {"name": "g", "label": "G"}, 403),
        (["crm.schemas.deals.write"], "POST", "/crm/v3/properties/deals/groups", {"name": "g", "label": "G"}, 201),
        (["crm.objects.deals.read"], "POST", "/crm/v4/associations/deals/companies/batch/read", {"inputs": []}, 403),
        (["oauth"], "GET", "/account-info/v3/details", None, 200),
        (["oauth"], "GET", "/settings/v3/currencies/codes", None, 403),
    ],
)  # fmt: skip
def test_scopes_by_path(
    open_portal: Callable[..., Any], scopes: list[str], method: str, target: str, body: Any, status: int
) -> None:
    hubspot = open_portal(scopes=scopes)

    reply = hubspot(method, target, body)

    assert reply.status == status, reply.body
    if status == 403:
        assert reply.body["category"] == "MISSING_SCOPES"
        assert reply.body["errors"][0]["context"]["requiredGranularScopes"]


@pytest.mark.parametrize(
    ("feature", "method", "target"),
    [
        ("goal_targets", "GET", "/crm/v3/objects/goal_targets"),
        ("feedback_submissions", "GET", "/crm/v3/objects/feedback_submissions"),
        ("splits", "POST", "/deal-splits/2026-03/batch/read"),
        ("currencies", "GET", "/settings/v3/currencies/company-currency"),
        ("schemas", "GET", "/crm/v3/schemas"),
    ],
)
def test_a_feature_that_a_portal_lacks_is_forbidden(
    open_portal: Callable[..., Any], feature: str, method: str, target: str
) -> None:
    hubspot = open_portal(switched_off=[feature])

    assert hubspot(method, target, {"inputs": []}).status == 403
    assert hubspot("GET", DEALS).status == 200
