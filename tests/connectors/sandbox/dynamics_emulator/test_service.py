"""Around the Dynamics emulator's rows: sign-in, privileges, limits, faults."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.connectors.sandbox.dynamics_emulator.conftest import Caller


def sign_in(crm: Caller, **more: str) -> Any:
    """The answer of the token endpoint."""
    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox",
            "scope": "http://crm.test/.default", **more}  # fmt: skip
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
    return crm("POST", "/sandbox/oauth2/v2.0/token", body)


def test_a_secret_buys_a_token_that_opens_the_service_until_it_runs_out(crm: Caller) -> None:
    crm.token = sign_in(crm).body["access_token"]

    assert crm("GET", "WhoAmI").status == 200
    crm.wait(3600)
    expired = crm("GET", "WhoAmI")
    assert (expired.status, expired.body) == (401, None)
    assert expired.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"client_secret": "no"}, 7000215),
        ({"client_id": "no"}, 700016),
        ({"scope": "http://other.test/.default"}, 500011),
        ({"grant_type": "password"}, 70003),
        (
            {
                "client_assertion": "x.y.z",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            },
            700027,
        ),
    ],
)
def test_a_wrong_sign_in_is_named_by_its_code(crm: Caller, wrong: dict[str, str], code: int) -> None:
    reply = sign_in(crm, **wrong)

    assert reply.body["error_codes"] == [code]
    assert reply.body["error_description"].startswith(f"AADSTS{code}: ")


def test_discovery_names_this_host_by_https(crm: Caller) -> None:
    found = crm("GET", "/sandbox/v2.0/.well-known/openid-configuration").body

    assert found["token_endpoint"] == "https://crm.test/sandbox/oauth2/v2.0/token"


def test_a_lacking_privilege_is_named(make_crm: Callable[..., Caller]) -> None:
    reply = make_crm(lacking=["prvReadAuditSummary"])("GET", "audits")

    assert (reply.status, reply.body["error"]["code"]) == (403, "0x80040220")
    assert "prvReadAuditSummary" in reply.body["error"]["message"]


def test_the_rate_and_the_faults_answer_in_the_vendors_words(make_crm: Callable[..., Caller]) -> None:
    crm = make_crm(rate=2)
    crm("GET", "WhoAmI")
    crm("GET", "WhoAmI")

    reply = crm("GET", "WhoAmI")

    assert (reply.status, reply.headers["Retry-After"], reply.body["error"]["code"]) == (429, "1", "0x80072322")
    assert "x-ms-ratelimit-burst-remaining-xrm-requests" in reply.headers
    assert crm.emulator.permitted == 2


def test_the_vendors_window_lets_6000_calls_through_and_then_tells_how_long_to_wait(
    make_crm: Callable[..., Caller],
) -> None:
    crm = make_crm(limits="vendor")
    crm.emulator.limits.calls.extend([crm.moment.timestamp()] * 6000)

    refused = crm("GET", "WhoAmI")
    crm.wait(300)

    assert (refused.status, refused.headers["Retry-After"]) == (429, "300")
    assert crm("GET", "WhoAmI").status == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("too_many", 429, "0x80072322"), ("execution_limit", 429, "0x80072321"), ("server_error", 500, "0x80040216"),
        ("deadlock", 500, "0x80044150"), ("no_permission", 403, "0x80040220"), ("not_member", 403, "0x80072560"),
        ("no_roles", 403, "0x80042f09"), ("unavailable", 503, "0x8004a001"), ("gateway_timeout", 504, "0x80044151"),
    ],
)  # fmt: skip
def test_faults_refuse_with_the_platforms_codes(
    make_crm: Callable[..., Caller], fault: str, status: int, code: str
) -> None:
    assert make_crm(faults=[fault]).code("GET", "accounts") == (status, code)


def test_a_page_of_an_order_without_the_key_may_repeat_a_row(make_crm: Callable[..., Caller]) -> None:
    crm = make_crm(faults=["repeated_row"])

    first = crm.get("opportunities?$select=name&$orderby=modifiedon asc", prefer="odata.maxpagesize=2")
    second = crm.get(first["@odata.nextLink"], prefer="odata.maxpagesize=2")

    assert second["value"][0]["name"] == first["value"][-1]["name"]


def test_a_missing_field_vanishes_from_queries_and_metadata(make_crm: Callable[..., Caller]) -> None:
    crm = make_crm(faults=["missing_field:field=new_product,object=opportunity", "wrong_type:field=closeprobability"])

    assert crm.code("GET", "opportunities?$select=new_product") == (400, "0x80041103")
    assert isinstance(crm.get(crm.deal("1"))["closeprobability"], str)
