"""Signing in to Zoho: data centres, the header, and a token endpoint that must not be asked often."""

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.auth import MemoryTokens
from connectors.errors import AllowanceError, ForbiddenError, RetryLaterError, SignInError
from connectors.zoho.api import credits_a_day
from connectors.zoho.settings import DATA_CENTRES, ZohoSettings
from connectors.zoho.sign_in import PER_WINDOW, ZohoAuth

SECRETS = {"client_id": "env:A", "client_secret": "env:B", "refresh_token": "env:C"}


def settings(url: str, **sign_in: str) -> ZohoSettings:
    return ZohoSettings.model_validate({"kind": "zoho", "base_url": url, "sign_in": {**SECRETS, **sign_in}})


@pytest.mark.parametrize("centre", DATA_CENTRES, ids=lambda one: one.api)
@pytest.mark.parametrize("prefix", ["www", "sandbox", "developer"])
def test_accounts_and_upload_host_follow_from_the_data_centre(centre: Any, prefix: str) -> None:
    found = settings(f"https://{prefix}.{centre.api}")

    assert found.sign_in.host == f"https://{centre.accounts}"
    assert found.upload_url == f"https://{centre.upload}"


def test_a_server_that_is_not_zohos_needs_no_table() -> None:
    found = settings("https://zoho.example.com", host="https://id.example.com")

    assert (found.sign_in.host, found.upload_url) == ("https://id.example.com", "https://zoho.example.com")


def test_hosts_of_two_data_centres_are_refused() -> None:
    with pytest.raises(ValidationError, match="another data centre"):
        settings("https://www.zohoapis.eu", host="https://accounts.zoho.com")


def test_every_worker_uses_the_token_that_one_of_them_got(org: Any) -> None:
    tokens = MemoryTokens()

    for _ in range(20):
        org.connect(tokens).api.org()

    assert org.emulator.stats["POST /oauth/v2/token"] == 1


def test_tokens_are_never_asked_for_so_often_that_zoho_blocks_us(make_org: Any) -> None:
    org = make_org(token_ttl=1)  # each token is good for one call
    connector = org.connect(MemoryTokens())

    for _ in range(PER_WINDOW):
        connector.api.org()

    with pytest.raises(RetryLaterError, match="ten access tokens") as told:
        connector.api.org()

    assert org.emulator.stats["POST /oauth/v2/token"] == PER_WINDOW
    assert told.value.after_seconds is not None
    assert 500 < told.value.after_seconds <= 600


def test_how_often_tokens_were_asked_for_is_known_to_the_next_process(make_org: Any) -> None:
    org = make_org(token_ttl=1)
    tokens = MemoryTokens()

    for _ in range(PER_WINDOW):
        org.connect(tokens).api.org()

    with pytest.raises(RetryLaterError):
        org.connect(tokens).api.org()

    assert org.emulator.stats["POST /oauth/v2/token"] == PER_WINDOW


def test_a_blocked_token_endpoint_is_left_alone_for_ten_minutes(org: Any) -> None:
    org.arm("token_limit", times=None)
    now = [1000.0]
    connector = org.connect()
    connector.http.auth = ZohoAuth(connector.connection, MemoryTokens(), clock=lambda: now[0])

    for _ in range(3):
        with pytest.raises(RetryLaterError):
            connector.api.org()
    asked = org.emulator.stats["POST /oauth/v2/token"]
    org.emulator.faults.clear()
    now[0] += 601
    found = connector.api.org()

    assert asked == 1
    assert found["zgid"]


def test_a_revoked_refresh_token_needs_a_person(org: Any) -> None:
    org.arm("revoked", times=None)

    with pytest.raises(SignInError, match="invalid_code"):
        org.connect().api.org()


def test_a_missing_scope_costs_its_stream_only_and_is_named(make_org: Any) -> None:
    org = make_org(scopes=["ZohoCRM.users.READ", "ZohoCRM.modules.deals.READ", "ZohoCRM.coql.READ", "ZohoCRM.org.READ"])
    connector = org.connect()

    with pytest.raises(ForbiddenError, match=r"OAUTH_SCOPE_MISMATCH .*lacks a scope"):
        org.pages(connector, "account")

    assert len(org.pages(connector, "opportunity")) == 1
    assert org.emulator.stats["POST /oauth/v2/token"] == 1


def test_too_many_requests_again_and_again_is_a_spent_day(org: Any) -> None:
    org.arm("too_many", times=None)
    connector = org.connect()

    with pytest.raises(AllowanceError):
        org.pages(connector, "opportunity")
    tried = org.emulator.stats["POST /crm/v8/coql"]
    with pytest.raises(AllowanceError):
        org.pages(connector, "opportunity")

    assert org.emulator.stats["POST /crm/v8/coql"] == tried


def test_a_spent_day_that_zoho_tells_is_not_tried_again(org: Any) -> None:
    org.arm("day_limit", times=None)
    connector = org.connect()

    with pytest.raises(AllowanceError):
        org.pages(connector, "opportunity")

    assert org.emulator.stats["POST /crm/v8/coql"] == 1


def test_the_credits_of_the_edition_limit_our_share(make_org: Any) -> None:
    org = make_org(limits="vendor", edition="standard", credits_used=30_000)
    connector = org.connect(allowance={"share": 0.1})

    connector.api.org()
    connector.api.org()

    assert connector.http.limiter.day_max == 50_000 + 250 * 2
    assert connector.http.limiter.day_used == 30_000 + 2
    assert connector.http.limiter.day_share == 5_050


@pytest.mark.parametrize(
    ("edition", "users", "budget"),
    [
        ("free", 3, 5_000),
        ("standard", 400, 100_000),
        ("zohooneenterprise", 10, 60_000),
        ("zohoonestandard", 10, 52_500),
        ("crmplusstarter", 10, 52_500),
        ("ultimate", 10, 70_000),
        ("new", 9, None),
    ],
)
def test_credits_by_edition(edition: str, users: int, budget: int | None) -> None:
    assert credits_a_day(edition, users) == budget


def test_the_header_names_zohos_own_scheme(org: Any) -> None:
    connector = org.connect()
    connector.api.org()

    assert connector.http.auth.headers(connector.http)["Authorization"].startswith("Zoho-oauthtoken 1000.")
