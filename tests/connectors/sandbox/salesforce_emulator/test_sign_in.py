"""Salesforce's OAuth endpoints and what a token opens."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.sandbox.salesforce.auth import SignInSettings

CLIENT: dict[str, Any] = {"client_id": "sandbox", "client_secret": "sandbox"}
BASIC = "Basic " + base64.b64encode(b"sandbox:sandbox").decode()
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def token(sf: Any, status: int = 200, authorization: str = "", **form: Any) -> Any:
    """The body of a call of the token endpoint."""
    path = "/services/oauth2/token"
    return sf.body("POST", path, urlencode(form).encode(), status=status, authorization=authorization)


def claims(sf: Any, **changed: Any) -> dict[str, Any]:
    """Claims as the vendor wants them."""
    ends = int(sf.moment.timestamp()) + 180
    good = {"iss": "sandbox", "sub": "sandbox", "aud": "https://login.salesforce.com", "exp": ends}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def unsigned(header: dict[str, Any], body: dict[str, Any]) -> str:
    """An assertion whose signature is nonsense."""
    parts = (json.dumps(header).encode(), json.dumps(body).encode(), b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize("form", [CLIENT, {}], ids=["in the form", "in the header"])
def test_client_credentials_give_a_token_that_opens(sf: Any, form: dict[str, Any]) -> None:
    answer = token(sf, authorization="" if form else BASIC, grant_type="client_credentials", **form)
    sf.token = answer["access_token"]

    assert set(answer) == {"access_token", "instance_url", "id", "token_type", "scope", "issued_at", "signature"}
    assert (answer["instance_url"], answer["token_type"]) == ("http://127.0.0.1:1", "Bearer")
    assert sf.get("limits")["DailyApiRequests"]["Max"] == 100_000


@pytest.mark.parametrize(
    ("form", "error", "text"),
    [
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"grant_type": "client_credentials", "client_id": "sandbox"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "magic", **CLIENT}, "unsupported_grant_type", "grant type not supported"),
        ({**CLIENT}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": "refresh_token", **CLIENT, "refresh_token": "old"}, "invalid_grant", "expired access/refresh token"),
        ({"grant_type": "password", **CLIENT, "username": "sandbox", "password": "no"}, "invalid_grant", "authentication failure"),
        ({"grant_type": "password", **CLIENT, "username": "who", "password": "sandbox"}, "invalid_grant", "authentication failure"),
    ],
)  # fmt: skip
def test_a_refused_sign_in_says_why(sf: Any, form: dict[str, Any], error: str, text: str) -> None:
    answer = token(sf, status=400, **form)

    assert answer == {"error": error, "error_description": text}


def test_a_password_opens_and_names_its_user(sf: Any) -> None:
    user = sf.make("User", Username="ann@example.com", LastName="Ann", Email="ann@example.com")

    answer = token(sf, grant_type="password", username="ann@example.com", password="sandbox", **CLIENT)

    assert answer["id"].endswith(f"/{user}")


def test_a_refresh_keeps_its_token_unless_rotation_is_on(org_with: Callable[..., Any]) -> None:
    steady, rotating = org_with(), org_with(sign_in=SignInSettings(rotate=True))
    form = {"grant_type": "refresh_token", "refresh_token": "sandbox", **CLIENT}

    kept, turned = token(steady, **form), token(rotating, **form)
    again = token(rotating, **{**form, "refresh_token": turned["refresh_token"]})

    assert "refresh_token" not in kept
    assert turned["refresh_token"] != "sandbox"
    assert again["access_token"] != turned["access_token"]
    assert token(rotating, status=400, **form)["error"] == "invalid_grant", "the old one has ended"


def test_an_assertion_opens(sf: Any) -> None:
    answer = token(sf, grant_type=GRANT, assertion=unsigned({"alg": "RS256"}, claims(sf)))

    assert answer["token_type"] == "Bearer"
    assert "refresh_token" not in answer


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"iss": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"exp": 1}, "invalid_grant", "invalid assertion"),
        ({"exp": None}, "invalid_grant", "invalid assertion"),
        ({"exp": 4_000_000_000}, "invalid_grant", "invalid assertion"),
    ],
)
def test_the_claims_of_an_assertion_are_checked(sf: Any, changed: dict[str, Any], error: str, text: str) -> None:
    assertion = unsigned({"alg": "RS256"}, claims(sf, **changed))

    answer = token(sf, status=400, grant_type=GRANT, assertion=assertion)

    assert answer == {"error": error, "error_description": text}


@pytest.mark.parametrize("assertion", ["", "a.b", "a.b.c", "%.%.%"])
def test_what_is_no_assertion_is_refused(sf: Any, assertion: str) -> None:
    answer = token(sf, status=400, grant_type=GRANT, assertion=assertion)

    assert answer["error"] == "invalid_grant"


def test_only_rs256_with_the_apps_key_is_believed(org_with: Callable[..., Any]) -> None:
    own, other = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    public = own.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    sf = org_with(sign_in=SignInSettings(public_key=public.decode()))

    good = jwt.encode(claims(sf), own, algorithm="RS256")
    wrong = [jwt.encode(claims(sf), other, algorithm="RS256"), unsigned({"alg": "none"}, claims(sf))]

    assert "access_token" in token(sf, grant_type=GRANT, assertion=good)
    assert [token(sf, status=400, grant_type=GRANT, assertion=one)["error"] for one in wrong] == ["invalid_grant"] * 2


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic sandbox", "sandbox"])
def test_without_a_valid_token_nothing_opens(sf: Any, header: str) -> None:
    answer = sf.get("limits", status=401, authorization=header)

    assert answer == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_a_token_ends_after_its_calls_the_static_one_never(org_with: Callable[..., Any]) -> None:
    sf = org_with(token_ttl=2)
    sf.token = token(sf, grant_type="client_credentials", **CLIENT)["access_token"]

    statuses = [sf("GET", "limits").status for _ in range(3)]
    sf.token = "sandbox"

    assert statuses == [200, 200, 401]
    assert [sf("GET", "limits").status for _ in range(3)] == [200] * 3


def test_a_token_ends_after_its_seconds(org_with: Callable[..., Any]) -> None:
    sf = org_with(sign_in=SignInSettings(ttl_seconds=60))
    sf.token = token(sf, grant_type="client_credentials", **CLIENT)["access_token"]
    before = sf("GET", "limits").status

    sf.wait(61)

    assert (before, sf("GET", "limits").status) == (200, 401)


def test_an_expired_token_stays_expired_until_the_next_sign_in(sf: Any) -> None:
    sf.token = token(sf, grant_type="client_credentials", **CLIENT)["access_token"]
    sf.arm("expired_token")

    statuses = [sf("GET", "limits").status for _ in range(2)]
    sf.token = token(sf, grant_type="client_credentials", **CLIENT)["access_token"]

    assert statuses == [401, 401]
    assert sf("GET", "limits").status == 200


def test_revoked_refuses_calls_and_sign_ins(sf: Any) -> None:
    sf.arm("revoked")

    answer = token(sf, status=400, grant_type="client_credentials", **CLIENT)

    assert answer["error"] == "invalid_grant"
    assert sf.get("limits", status=401)[0]["errorCode"] == "INVALID_SESSION_ID"


def test_a_session_can_be_beyond_mending(sf: Any) -> None:
    sf.arm("unfixable_session")

    answer = sf.get("limits", status=401)

    assert answer[0]["message"] == "This session is not valid for use with the REST API"


def test_introspection_and_revocation(sf: Any) -> None:
    made = token(sf, grant_type="client_credentials", **CLIENT)["access_token"]

    def active(one: str) -> bool:
        form = urlencode({"token": one, **CLIENT}).encode()
        return bool(sf.body("POST", "/services/oauth2/introspect", form)["active"])

    before = active(made)
    sf("POST", "/services/oauth2/revoke", urlencode({"token": made}).encode())

    assert (before, active(made), active("sandbox"), active("other")) == (True, False, True, False)
    assert sf("POST", "/services/oauth2/revoke", b"token=unknown").status == 400
    assert sf("POST", "/services/oauth2/introspect", b"token=x&client_id=y").status == 400


def test_the_identity_says_who_we_run_as(sf: Any) -> None:
    by_version, by_userinfo = sf.get("")["identity"], sf.get("/services/oauth2/userinfo")

    assert by_userinfo["user_id"] == sf.emulator.org.running_user
    assert by_version == by_userinfo["id"]
    assert sf.get(by_version.removeprefix("http://127.0.0.1:1"))["username"] == "integration@sandbox.example.com"
