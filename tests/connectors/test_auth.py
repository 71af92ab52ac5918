"""Signing in: every way, refusals that are final, secrets that are not repeated."""

import base64
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.auth import ByFlow, ClientCredentials, JwtBearer, Password, StaticToken
from connectors.errors import ConfigError, RetryLaterError, SignInError
from tests.connectors.conftest import TOKEN_URL, form_of


def test_a_static_token_is_carried_as_the_crm_wants_it(script: Any, sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TOKEN", "pat-1")
    door, _ = sign_in(StaticToken(header="Zoho-oauthtoken {token}"), token="env:TOKEN")

    door.get("/deals")

    assert script.heard[0].headers["Authorization"] == "Zoho-oauthtoken pat-1"


def test_a_rotated_secret_file_works_without_a_restart(script: Any, said: Any, sign_in: Any, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    door, auth = sign_in(StaticToken(), token=f"file:{file}")
    refused = auth.headers(door)
    file.write_text("new\n")

    assert auth.renew(door, refused)
    assert not auth.renew(door, auth.headers(door))
    door.get("/deals")
    assert script.heard[0].headers["Authorization"] == "Bearer new"


def test_a_missing_key_is_named(sign_in: Any) -> None:
    door, _ = sign_in(StaticToken())

    with pytest.raises(ConfigError, match=r"sales: sign_in\.token is missing"):
        door.get("/deals")


def test_client_credentials_fetch_one_token_for_many_calls(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(body={"access_token": "A1", "instance_url": "https://elsewhere.example.com"}), said(body={}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    door.get("/one")
    door.get("/two")

    token, one, two = script.heard
    assert (token.target, form_of(token)) == ("/oauth/token", {"grant_type": "client_credentials"})
    assert token.headers["Authorization"] == "Basic " + base64.b64encode(b"the-id:the-secret").decode()
    assert one.headers["Authorization"] == two.headers["Authorization"] == "Bearer A1"


def test_client_credentials_go_into_the_form_where_the_crm_wants_that(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(body={"access_token": "A1"}), said(body={}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL, basic=False, form={"scope": "api"}))

    door.get("/one")

    assert form_of(script.heard[0]) == {
        "grant_type": "client_credentials",
        "scope": "api",
        "client_id": "the-id",
        "client_secret": "the-secret",
    }
    assert "Authorization" not in script.heard[0].headers


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_sign_in_is_final_and_not_tried_again(script: Any, said: Any, sign_in: Any, status: int) -> None:
    script.will(said(status, body={"error": "invalid_grant", "error_description": "authentication failure"}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    for _ in range(3):
        with pytest.raises(SignInError, match="invalid_grant authentication failure"):
            door.get("/deals")

    assert len(script.heard) == 1


def test_a_corrected_secret_is_tried_at_once(script: Any, said: Any, sign_in: Any, monkeypatch: Any) -> None:
    script.will(said(400, body={"error": "invalid_client"}), said(body={"access_token": "A1"}), said(body={"ok": 1}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))
    with pytest.raises(SignInError):
        door.get("/deals")

    monkeypatch.setenv("SECRET", "another")

    assert door.get("/deals") == {"ok": 1}


def test_a_refusal_dressed_as_success_is_a_refusal(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(200, body={"error": "invalid_code"}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    with pytest.raises(SignInError, match="invalid_code"):
        door.get("/deals")


@pytest.mark.parametrize("body", [{"token": "x"}, ["x"]])
def test_an_answer_without_a_token_is_no_sign_in_and_gets_our_secrets_once(
    script: Any, said: Any, sign_in: Any, body: Any
) -> None:
    script.will(said(200, body=body))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    for _stream in range(2):
        with pytest.raises(SignInError, match="answers without an access_token"):
            door.get("/deals")

    assert len(script.heard) == 1


def test_a_token_endpoint_that_sends_us_elsewhere_is_no_sign_in(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(307, headers={"Location": "https://elsewhere.example.com/token"}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    for _stream in range(2):
        with pytest.raises(SignInError, match=r"sends us to https://elsewhere\.example\.com:443"):
            door.get("/deals")

    assert len(script.heard) == 1


def test_a_page_for_people_in_place_of_a_token_is_no_sign_in(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(200, body=b"<html>", headers={"Content-Type": "text/html"}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    with pytest.raises(SignInError, match="not JSON"):
        door.get("/deals")
    asked = len(script.heard)
    with pytest.raises(SignInError):
        door.get("/deals")

    assert len(script.heard) == asked


@pytest.mark.parametrize("life", ["soon", [], "NaN"])
def test_a_life_that_is_no_number_is_unknown(script: Any, said: Any, sign_in: Any, life: Any) -> None:
    script.will(said(body={"access_token": "A1", "expires_in": life}), said(body={"ok": 1}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    assert door.get("/deals") == {"ok": 1}


def test_trouble_of_the_token_host_is_tried_again(script: Any, said: Any, sign_in: Any) -> None:
    html = {"Content-Type": "text/html"}
    script.will(said(503, body=b"<html>", headers=html), said(body={"access_token": "A1"}), said(body={"ok": 1}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    assert door.get("/deals") == {"ok": 1}


def test_a_token_host_that_stays_away_is_for_later(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(503))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    with pytest.raises(RetryLaterError):
        door.get("/deals")


def test_tokens_come_from_their_own_host_where_one_is_named(script: Any, sign_in: Any) -> None:
    _, auth = sign_in(ClientCredentials("{host}/oauth/token", default_host="https://login.example.com"))
    _, named = sign_in(ClientCredentials("{sign_in.host}/oauth/token"), host="https://accounts.example.eu/")

    assert auth.url() == "https://login.example.com/oauth/token"
    assert named.url() == "https://accounts.example.eu/oauth/token"


def test_secrets_never_go_out_in_the_clear(sign_in: Any) -> None:
    door, _ = sign_in(ClientCredentials("http://accounts.example.com/oauth/token"))

    with pytest.raises(ConfigError, match="no place for secrets"):
        door.get("/deals")


def test_a_signed_assertion_says_who_for_whom_and_until_when(
    script: Any, said: Any, sign_in: Any, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    script.will(said(body={"access_token": "A1"}), said(body={}))
    way = JwtBearer("{base_url}/token", audience="{host}", default_host="https://login.example.com")
    door, _ = sign_in(way, folder=tmp_path, username="svc@example.com", private_key="file:key.pem")

    door.get("/deals")

    form = form_of(script.heard[0])
    claims = jwt.decode(form["assertion"], key.public_key(), algorithms=["RS256"], audience="https://login.example.com")
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert (claims["iss"], claims["sub"]) == ("the-id", "svc@example.com")


def test_a_key_that_is_none_is_not_repeated(sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("KEY", "very-private-words")
    door, _ = sign_in(JwtBearer(TOKEN_URL), username="svc", private_key="env:KEY")

    with pytest.raises(ConfigError, match="not an RSA private key in PEM") as caught:
        door.get("/deals")

    assert "very-private" not in str(caught.value)


def test_the_password_grant_appends_the_security_token(script: Any, said: Any, sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("PASSWORD", "pass")
    script.will(said(body={"access_token": "A1"}), said(body={}))
    door, _ = sign_in(Password(TOKEN_URL), username="svc", password="env:PASSWORD")

    door.get("/deals")

    assert form_of(script.heard[0])["password"] == "pass"


def test_the_flow_names_the_way(script: Any, sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TOKEN", "T")
    ways = ByFlow({"token": StaticToken(), "client_credentials": ClientCredentials(TOKEN_URL)}, default="token")
    sign_in(ways, token="env:TOKEN")[0].get("/deals")

    assert script.heard[0].headers["Authorization"] == "Bearer T"
    with pytest.raises(ConfigError, match=r"sign_in\.flow magic is not one of client_credentials, token"):
        sign_in(ways, flow="magic")


def test_a_secret_that_no_header_carries_ends_this_connection_only(script: Any, sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TOKEN", "pat-\N{EURO SIGN}")
    door, _ = sign_in(StaticToken(), token="env:TOKEN")

    with pytest.raises(ConfigError, match="a secret of sign_in holds characters that no header carries"):
        door.get("/deals")
