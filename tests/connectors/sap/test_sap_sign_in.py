"""Signing in to both SAP products: by SAML assertion, by the identity service's token, and by user and password."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from connectors.errors import ConfigError, SignInError
from connectors.sap.saml import Claim, signed_assertion
from connectors.secrets import parse_secret

Make = Callable[..., Any]

DSIG = "http://www.w3.org/2000/09/xmldsig#"
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


@pytest.fixture(scope="module")
def certificate() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Scoreback")])
    made = x509.CertificateBuilder(name, name, KEY.public_key(), 1, datetime(2020, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001 # x509 takes them so
    return made.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def saml(tmp_path: Any, certificate: str) -> dict[str, Any]:
    for name, text in (("key", PEM), ("certificate", certificate)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {
        "flow": "saml_bearer", "username": "sandbox", "client_id": "sandbox", "client_secret": "sandbox", "issuer": "IdP",
        "private_key": parse_secret(f"file:{tmp_path}/key", tmp_path),
        "certificate": parse_secret(f"file:{tmp_path}/certificate", tmp_path),
    }  # fmt: skip


def test_a_signed_assertion_buys_a_token_that_serves_until_it_ends(make: Make, saml: dict[str, Any]) -> None:
    tenant = make("sap")
    connector = tenant.connect(sign_in=saml)

    first = tenant.calls(lambda: tenant.pages(connector, "account"))
    second = tenant.calls(lambda: tenant.pages(connector, "account"))

    assert (first, second) == (2, 1)


def test_a_token_that_the_tenant_forgot_is_bought_anew_once(make: Make, saml: dict[str, Any]) -> None:
    tenant = make("sap")
    connector = tenant.connect(sign_in=saml)
    tenant.pages(connector, "account")
    tenant.emulator.signing.tokens.clear()

    assert tenant.calls(lambda: tenant.pages(connector, "account")) == 3


@pytest.mark.parametrize(("key", "value"), [("username", "nobody"), ("audience", "elsewhere"), ("client_secret", "no")])
def test_a_refused_assertion_is_sent_once(
    make: Make, saml: dict[str, Any], key: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", value)
    tenant = make("sap")
    connector = tenant.connect(sign_in={**saml, key: value if key == "audience" else "env:OTHER"})

    def read() -> None:
        for _ in range(2):
            with pytest.raises(SignInError):
                tenant.pages(connector, "account")

    assert tenant.calls(read) == 1


def test_a_key_that_is_none_is_named_and_not_shown(make: Make, saml: dict[str, Any]) -> None:
    connector = make("sap").connect(sign_in={**saml, "private_key": "sandbox"})

    with pytest.raises(ConfigError, match="RSA private_key and its certificate") as told:
        connector.count(connector.streams[1])

    assert "sandbox" not in str(told.value)


def test_a_flow_says_which_keys_it_lacks(make: Make) -> None:
    with pytest.raises(ValidationError, match="flow saml_bearer needs client_secret, issuer, private_key, certificate"):
        make("sap").connect(sign_in={"flow": "saml_bearer", "username": "sandbox", "client_id": "sandbox"})


def test_the_signature_fits_what_the_standard_canonicalisation_makes_of_the_assertion(certificate: str) -> None:
    odd = 'A & "B" <C> \r\n\tÄ'
    now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    claim = Claim(odd, odd, odd, "emailAddress", odd, f"https://x/?a=1&b={odd}")

    text = signed_assertion(claim, KEY, certificate, now, now + timedelta(minutes=3))

    body = ET.canonicalize(text, exclude_tags=[f"{{{DSIG}}}Signature"])
    info = text[text.index("<SignedInfo>") : text.index("</SignedInfo>") + len("</SignedInfo>")]
    stated = ET.canonicalize(info.replace("<SignedInfo>", f'<SignedInfo xmlns="{DSIG}">'))
    told = dict(re.findall(r"<(DigestValue|SignatureValue|X509Certificate)>([^<]*)<", text))
    public = x509.load_der_x509_certificate(base64.b64decode(told["X509Certificate"])).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert base64.b64decode(told["DigestValue"]) == hashlib.sha256(body.encode()).digest()
    public.verify(base64.b64decode(told["SignatureValue"]), stated.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert [one.text for one in ET.fromstring(text).iter() if (one.text or "").startswith("A &")] == [odd] * 4  # noqa: S314 # our own words


TOKEN = {"flow": "token", "username": "sandbox", "password": "sandbox"}


def test_a_token_of_version_2_is_asked_once_and_kept_for_most_of_its_life(make: Make) -> None:
    tenant = make("sap_v2")
    connector = tenant.connect(sign_in=TOKEN)

    first = tenant.calls(lambda: tenant.pages(connector, "account"))
    second = tenant.calls(lambda: tenant.pages(connector, "account"))

    assert (first, second) == (2, 1)


def test_a_token_of_version_2_that_ended_too_soon_is_asked_anew_once(make: Make) -> None:
    tenant = make("sap_v2")
    connector = tenant.connect(sign_in=TOKEN)
    tenant.pages(connector, "account")
    tenant.emulator.signing.tokens.clear()

    assert tenant.calls(lambda: tenant.pages(connector, "account")) == 3


def test_a_token_of_version_2_is_renewed_before_it_ends(make: Make) -> None:
    tenant = make("sap_v2", token_ttl=0)
    connector = tenant.connect(sign_in=TOKEN)

    with pytest.raises(SignInError):
        tenant.pages(connector, "account")


def test_a_password_that_buys_no_token_is_sent_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "no")
    tenant = make("sap_v2")
    connector = tenant.connect(sign_in={**TOKEN, "password": "env:OTHER"})

    def read() -> None:
        for _ in range(2):
            with pytest.raises(SignInError):
                tenant.pages(connector, "account")

    assert tenant.calls(read) == 1
