"""Basic, SAML tokens, sessions and CSRF tokens of the SAP emulator."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

TOKEN = "/sap/bc/sec/oauth2/token"
GRANT = "urn:ietf:params:oauth:grant-type:saml2-bearer"


def assertion(audience: str = "127.0.0.1:1", recipient: str = "http://127.0.0.1:1" + TOKEN, signed: bool = True) -> str:
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>' if signed else ""
    text = (
        f'<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"><Issuer>idp</Issuer>{signature}<Subject>'
        f'<NameID>sandbox</NameID><SubjectConfirmation><SubjectConfirmationData Recipient="{recipient}"/>'
        f"</SubjectConfirmation></Subject><Conditions><AudienceRestriction><Audience>{audience}</Audience>"
        "</AudienceRestriction></Conditions></Assertion>"
    )
    return base64.b64encode(text.encode()).decode()


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
        pytest.param({"assertion": assertion(signed=False)}, id="signature"),
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
