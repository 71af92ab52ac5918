"""Signing in to Salesforce, and trouble on the way."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from connectors.auth import MemoryTokens
from connectors.errors import (
    AllowanceError,
    RetryLaterError,
    SignInError,
)
from connectors.sandbox.salesforce.auth import SignInSettings

MakeOrg = Callable[..., Any]


def test_an_expired_session_is_renewed_in_the_middle_of_a_pull(make_org: MakeOrg) -> None:
    org = make_org(token_ttl=2, page_cap=1)

    found = org.read(org.connect(), "opportunity")

    assert len(found) == 3
    assert org.emulator.signing.issued > 1


def test_a_hopeless_session_is_not_renewed(org: Any) -> None:
    org.emulator.faults.arm({"name": "unfixable_session"})
    connector = org.connect()

    with pytest.raises(SignInError):
        org.pages(connector, "person")
    assert org.emulator.signing.issued == 1


def test_refused_credentials_are_not_tried_again(make_org: MakeOrg) -> None:
    org = make_org(sign_in=SignInSettings(clients={"other": "sandbox"}))
    connector = org.connect()

    for _ in range(2):
        with pytest.raises(SignInError):
            org.pages(connector, "person")
    assert org.emulator.stats["POST /services/oauth2/token"] == 1


def test_a_rotated_refresh_token_outlives_the_process(make_org: MakeOrg) -> None:
    org = make_org(sign_in=SignInSettings(rotate=True), token_ttl=1)
    flow = {"flow": "refresh_token", "client_id": "sandbox", "refresh_token": "sandbox"}
    tokens = MemoryTokens()

    for _ in range(3):
        assert len(org.read(org.connect(tokens, sign_in=flow), "person")) >= 2
    assert org.emulator.signing.refresh_tokens.isdisjoint({"sandbox"})


def test_a_signed_assertion_signs_in(make_org: MakeOrg, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    org = make_org(sign_in=SignInSettings(public_key=public.decode()))
    org.emulator.clock = lambda: datetime.now(UTC)  # the assertion names the time at which it ends
    sign_in = {"flow": "jwt", "host": org.url, "client_id": "sandbox", "username": "sandbox",
               "private_key": f"file:{tmp_path / 'key.pem'}"}  # fmt: skip

    found = org.read(org.connect(sign_in=sign_in), "person")

    assert len(found) >= 2


def test_a_password_signs_in_while_salesforce_allows_it(org: Any) -> None:
    sign_in = {
        "flow": "password",
        "client_id": "sandbox",
        "client_secret": "sandbox",
        "username": "sandbox",
        "password": "sandbox",
    }

    found = org.read(org.connect(sign_in=sign_in), "person")

    assert len(found) >= 2


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        pytest.param({"sign_in": {"client_id": "sandbox"}}, "needs client_secret", id="half a sign-in"),
        pytest.param(
            {"base_url": "https://acme.lightning.force.com"}, "https://acme.my.salesforce.com", id="page host"
        ),
        pytest.param({"base_url": "https://login.salesforce.com"}, "is no organisation", id="login host"),
        pytest.param({"api_version": "29.0"}, "too old", id="retired version"),
        pytest.param(
            {
                "api_version": "65.0",
                "sign_in": {
                    "flow": "password",
                    "client_id": "sandbox",
                    "client_secret": "sandbox",
                    "username": "u",
                    "password": "sandbox",
                },
            },
            "flow password ends",
            id="password after its end",
        ),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_at_once(org: Any, extra: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        org.settings(**extra)


def test_a_sandbox_host_sets_the_audience(org: Any) -> None:
    sign_in = {
        "flow": "jwt",
        "host": "https://test.salesforce.com",
        "client_id": "sandbox",
        "username": "u",
        "private_key": "env:K",
    }

    settings = org.settings(sign_in=sign_in)

    assert settings.sign_in.audience == "https://test.salesforce.com"


@pytest.mark.parametrize(
    "fault", ["too_many", "too_many_retry_after", "server_error", "bad_gateway", "unavailable", "not_acceptable", "query_timeout",
              "expired_token", "cut", "truncated"],
)  # fmt: skip
def test_trouble_that_passes_is_waited_out(org: Any, fault: str) -> None:
    connector = org.connect()
    org.emulator.faults.arm({"name": fault, "match": "query"})

    assert len(org.read(connector, "opportunity")) == 3


def test_a_spent_day_stops_all_traffic(org: Any) -> None:
    connector = org.connect()
    org.emulator.faults.arm({"name": "day_limit"})

    with pytest.raises(AllowanceError):
        org.pages(connector, "person")
    org.emulator.stats.clear()
    with pytest.raises(AllowanceError):
        org.pages(connector, "account")
    assert org.emulator.stats.total() == 0


def test_trouble_that_stays_is_for_later(org: Any) -> None:
    connector = org.connect()
    org.emulator.faults.arm({"name": "server_error", "times": 50})

    with pytest.raises(RetryLaterError):
        org.pages(connector, "person")


def test_queries_ask_for_full_pages_and_compact_bodies(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    answer = org.emulator.answer

    def listen(request: Any) -> Any:
        heard.append(request)
        return answer(request)

    monkeypatch.setattr(org.emulator, "answer", listen)

    org.pages(org.connect(), "opportunity")

    headers = heard[-1].headers
    assert headers.get("Sforce-Query-Options") == "batchSize=2000"
    assert headers.get("X-PrettyPrint") is None
    assert headers.get("Authorization").startswith("Bearer 00D")
