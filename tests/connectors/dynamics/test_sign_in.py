"""Signing in at Entra ID by msal over our door, and what refusals mean."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.auth import MemoryTokens
from connectors.dynamics.settings import DynamicsSettings
from connectors.errors import AllowanceError, ConfigError, SignInError
from connectors.secrets import Secret

TOKEN = "POST /{tenant}/oauth2/v2.0/token"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any = KEY) -> str:
    form = serialization.PrivateFormat.PKCS8
    return str(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode())


def sign_in(crm: Any, **more: Any) -> dict[str, Any]:
    return {"host": crm.url, "tenant": "sandbox", "client_id": "sandbox", **more}


def by_certificate(crm: Any, tmp_path: Any, text: str) -> dict[str, Any]:
    file = tmp_path / "key.pem"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    thumbprint = tmp_path / "thumbprint"
    thumbprint.write_text(hashlib.sha1(b"certificate", usedforsecurity=False).hexdigest(), encoding="utf-8")
    thumbprint.chmod(0o600)
    return sign_in(crm, flow="certificate", private_key=f"file:{file}", thumbprint=f"file:{thumbprint}")


def who(connector: Any) -> str:
    return str(connector.api.get("WhoAmI")["UserId"])


def test_a_secret_signs_in_with_one_call_and_the_token_serves_the_next_process(crm: Any) -> None:
    tokens = MemoryTokens()

    who(crm.connect(tokens))
    who(crm.connect(tokens))

    assert crm.emulator.stats[TOKEN] == 1


def test_a_certificate_signs_in_with_an_assertion_that_its_key_made(make_crm: Any, tmp_path: Any) -> None:
    public = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    crm = make_crm(public_key=public.decode())
    crm.emulator.clock = lambda: datetime.now(UTC)  # an assertion is good for minutes

    assert who(crm.connect(sign_in=by_certificate(crm, tmp_path, pem()))) == crm.emulator.org.user_id
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(SignInError, match="AADSTS700027"):
        who(crm.connect(sign_in=by_certificate(crm, tmp_path, pem(other))))


def test_a_key_that_is_none_is_named_without_its_text(crm: Any, tmp_path: Any) -> None:
    connector = crm.connect(sign_in=by_certificate(crm, tmp_path, "no key at all"))

    with pytest.raises(ConfigError, match="private_key") as caught:
        who(connector)

    assert "no key at all" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "code"), [("client_secret", "AADSTS7000215"), ("client_id", "AADSTS700016"), ("tenant", "AADSTS90002")]
)
def test_a_refused_sign_in_says_why_and_is_not_tried_again(
    crm: Any, monkeypatch: pytest.MonkeyPatch, key: str, code: str
) -> None:
    monkeypatch.setenv("WRONG", "wrong-value")
    values = sign_in(crm, client_secret="sandbox")
    connector = crm.connect(sign_in={**values, key: "env:WRONG"})

    with pytest.raises(SignInError, match=code) as caught:
        who(connector)
    with pytest.raises(SignInError):
        who(connector)

    assert sum(count for where, count in crm.emulator.stats.items() if "oauth2" in where) == 1
    assert key != "client_secret" or "wrong-value" not in str(caught.value)


def test_an_expired_token_is_renewed_once(crm: Any) -> None:
    connector = crm.connect()
    who(connector)
    crm.arm("expired_token")

    who(connector)

    assert crm.emulator.stats[TOKEN] == 2


@pytest.mark.parametrize("fault", ["not_member", "no_roles"])
def test_a_user_who_is_nobody_here_stops_the_connection(crm: Any, fault: str) -> None:
    crm.arm(fault)

    with pytest.raises(SignInError, match="0x8"):
        crm.pages(crm.connect(), "account")


def test_a_long_wait_speaks_of_the_day_and_a_short_one_is_waited_for(crm: Any) -> None:
    crm.arm("too_many_retry_after")
    connector = crm.connect()

    assert who(connector)
    crm.arm("day_limit")
    with pytest.raises(AllowanceError):
        who(connector)


@pytest.mark.parametrize(
    ("sign_in", "base_url", "write_back", "says"),
    [
        ({"client_secret": None}, "https://acme.crm4.dynamics.com", {}, "flow client_secret needs client_secret"),
        ({"flow": "certificate"}, "https://acme.crm4.dynamics.com", {}, "needs private_key and thumbprint"),
        ({}, "https://acme.crm4.dynamics.com/main.aspx", {}, "without a path"),
        ({}, "https://acme.crm4.dynamics.com", {"opportunity": {"scoreback_score": "score"}}, "sb_scoreback_score"),
        ({}, "https://acme.crm4.dynamics.com", {"opportunity": {"sb_Scoreback_Score": "score"}}, "lower case"),
        ({}, "https://acme.crm4.dynamics.com", {"opportunity": {"new_score": "score"}}, "sb_scoreback_score"),
        (
            {}, "https://acme.crm4.dynamics.com",
            {"person": {"into": "sb_scoreback_appraisal", "key": "sb_key", "fields": {}}}, "own table",
        ),
    ],
)  # fmt: skip
def test_a_connection_file_that_cannot_work_is_refused(
    sign_in: dict[str, Any], base_url: str, write_back: dict[str, Any], says: str
) -> None:
    secret = {"tenant": "env:T", "client_id": "env:C", "client_secret": "env:S"}
    values = {"kind": "dynamics", "base_url": base_url, "sign_in": secret | sign_in, "write_back": write_back}

    with pytest.raises(ValueError, match=says):
        DynamicsSettings.model_validate(values)


def test_secrets_stay_references(crm: Any) -> None:
    assert isinstance(crm.settings().sign_in.tenant, Secret)
