"""Basic, SAML tokens, sessions and CSRF tokens of the SAP emulator."""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

TOKEN = "/sap/bc/sec/oauth2/token"
GRANT = "urn:ietf:params:oauth:grant-type:saml2-bearer"


_SAML, _DSIG = "urn:oasis:names:tc:SAML:2.0:assertion", "http://www.w3.org/2000/09/xmldsig#"
_KEY = rsa.generate_private_key(65537, 2048)


def _certificate() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    made = x509.CertificateBuilder(name, name, _KEY.public_key(), 1, datetime(2020, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001 # x509 takes them so
    return base64.b64encode(made.sign(_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)).decode()


def _signature(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(ET.canonicalize(text).encode()).digest()).decode()
    info = f'<SignedInfo><Reference URI="#a"><DigestValue>{digest}</DigestValue></Reference></SignedInfo>'
    stated = ET.canonicalize(info.replace("<SignedInfo>", f'<SignedInfo xmlns="{_DSIG}">'))
    value = base64.b64encode(_KEY.sign(stated.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    return (
        f'<Signature xmlns="{_DSIG}">{info}<SignatureValue>{value}</SignatureValue><KeyInfo><X509Data><X509Certificate>'
        f"{_certificate()}</X509Certificate></X509Data></KeyInfo></Signature>"
    )


def assertion(
    audience: str = "127.0.0.1:1",
    recipient: str = "http://127.0.0.1:1" + TOKEN,
    until: str = "2999-01-01T00:00:00Z",
    bent: str = "",
    signed: bool = True,
) -> str:
    text = (
        f'<Assertion xmlns="{_SAML}" ID="a"><Issuer>idp</Issuer><Subject><NameID>sandbox</NameID><SubjectConfirmation>'
        f'<SubjectConfirmationData NotOnOrAfter="{until}" Recipient="{recipient}"/></SubjectConfirmation></Subject>'
        f"<Conditions><AudienceRestriction><Audience>{audience}</Audience></AudienceRestriction></Conditions></Assertion>"
    )
    whole = text.replace("</Issuer>", f"</Issuer>{_signature(text) if signed else ''}")
    return base64.b64encode(whole.replace("idp<", f"idp{bent}<", 1).encode()).decode()


def ask(sap: Any, **form: str) -> Any:
    from urllib.parse import urlencode

    fields = {"client_id": "sandbox", "grant_type": GRANT, "scope": "UIWC:CC_HOME", **form}
    return sap("POST", TOKEN, urlencode(fields).encode())


def test_nobody_is_served_without_a_sign_in(sap: Any) -> None:
    sap.sent.clear()

    reply = sap("GET", "OpportunityCollection")

    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith("Basic")
    assert "text/html" in reply.headers["Content-Type"]


def test_a_signed_assertion_buys_a_token(sap: Any) -> None:
    import json

    reply = ask(sap, assertion=assertion())
    sap.sent["authorization"] = f"Bearer {json.loads(reply.body)['access_token']}"

    assert sap("GET", "OpportunityCollection/$count").status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"assertion": assertion(audience="elsewhere")}, id="audience"),
        pytest.param({"assertion": assertion(recipient="http://elsewhere/")}, id="recipient"),
        pytest.param({"assertion": assertion(signed=False)}, id="no signature"),
        pytest.param({"assertion": assertion(bent="!")}, id="changed after it was signed"),
        pytest.param({"assertion": assertion(until="2020-01-01T00:00:00Z")}, id="old"),
        pytest.param({"assertion": "!"}, id="not base64"),
        pytest.param({"assertion": assertion(), "grant_type": "client_credentials"}, id="grant type"),
        pytest.param({"assertion": assertion(), "scope": "all"}, id="scope"),
    ],
)
def test_another_assertion_buys_none(sap: Any, wrong: dict[str, str]) -> None:
    assert ask(sap, **wrong).status == 400


def test_a_token_ends(tenant_with: Callable[..., Any]) -> None:
    import json

    sap = tenant_with(token_ttl=0)
    reply = ask(sap, assertion=assertion())
    sap.sent["authorization"] = f"Bearer {json.loads(reply.body)['access_token']}"

    assert sap("GET", "OpportunityCollection/$count").status == 401


def test_a_change_without_token_is_refused_and_says_so(sap: Any) -> None:
    reply = sap("POST", "OpportunityCollection", {"Name": "x"})

    assert (reply.status, reply.headers["x-csrf-token"]) == (403, "Required")
    assert reply.body == "CSRF token validation failed"


def test_a_token_without_its_cookie_is_refused(sap: Any) -> None:
    sap.sign()
    del sap.sent["cookie"]

    assert sap("POST", "OpportunityCollection", {"Name": "x"}).status == 403


def test_a_token_is_given_only_where_the_path_ends_with_a_slash(sap: Any) -> None:
    reply = sap("GET", "/sap/c4c/odata/v1/c4codataapi", x_csrf_token="fetch")

    assert reply.status == 200
    assert "x-csrf-token" not in reply.headers


def test_a_token_can_be_fetched_by_head(sap: Any) -> None:
    reply = sap("HEAD", "/sap/c4c/odata/v1/c4codataapi/", x_csrf_token="Fetch")

    assert "x-csrf-token" in reply.headers


def test_a_token_fetched_below_a_record_fails(tenant: Any) -> None:
    key = tenant.emulator.ids["opportunities"]["17"]

    reply = tenant("GET", f"OpportunityCollection('{key}')/OpportunityItem", x_csrf_token="fetch")

    assert reply.status == 500


def test_a_technical_user_may_need_no_token(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(csrf=False)

    fetched = sap("GET", "/sap/c4c/odata/v1/c4codataapi/", x_csrf_token="fetch")

    assert "x-csrf-token" not in fetched.headers
    assert sap("POST", "OpportunityCollection", {"Name": "x"}).status == 201


def test_a_forgotten_session_is_begun_again(sap: Any) -> None:
    sap.sign()
    sap.arm("stale_csrf")

    refused = sap("POST", "OpportunityCollection", {"Name": "x"})
    del sap.sent["cookie"]
    again = sap.sign()("POST", "OpportunityCollection", {"Name": "x"})

    assert (refused.status, refused.headers["x-csrf-token"], again.status) == (403, "Required", 201)
