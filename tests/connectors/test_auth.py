"""Signing in: fetched once, renewed in time, never hammered, rotated tokens never lost."""

import base64
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.auth import (
    ByFlow,
    ClientCredentials,
    JwtBearer,
    MemoryTokens,
    Password,
    RefreshToken,
    SignInWay,
    StaticToken,
)
from connectors.errors import ConfigError, RetryLaterError, SignInError
from connectors.http import Http, Limiter, Manners
from connectors.settings import ConnectionSettings, SecretRef, SignIn
from connectors.tokens import TokenUnreadableError

TOKEN_URL = "{host}/oauth/token"


class AnySignIn(SignIn):
    """Every key that a way may want."""

    flow: str | None = None
    client_id: SecretRef | None = None
    client_secret: SecretRef | None = None
    refresh_token: SecretRef | None = None
    token: SecretRef | None = None
    username: str | None = None
    password: SecretRef | None = None
    security_token: SecretRef | None = None
    private_key: SecretRef | None = None


class AnySettings(ConnectionSettings):
    """A connection that may sign in any way."""

    sign_in: AnySignIn = AnySignIn()


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ID", "the-id")
    monkeypatch.setenv("SECRET", "the-secret")
    monkeypatch.setenv("REFRESH", "first-refresh")


OPERATOR = {"client_id": "env:ID", "client_secret": "env:SECRET", "refresh_token": "env:REFRESH"}


@pytest.fixture
def sign_in(script: Any, clock: Any) -> Callable[..., tuple[Http, Any]]:
    """A door that signs in that way; returns it with the bound sign-in."""

    def make(way: SignInWay, tokens: Any = None, folder: Path = Path(), **keys: Any) -> tuple[Http, Any]:
        settings = AnySettings.model_validate(
            {"kind": "test", "base_url": script.url, "sign_in": OPERATOR | keys}, context={"folder": folder}
        ).named("sales")
        auth = way.bind(settings, tokens or MemoryTokens())
        limiter = Limiter({"general": (1000, 1.0)}, sleep=clock.sleep, monotonic=clock)
        return Http(settings, Manners(), auth, limiter, sleep=clock.sleep, monotonic=clock), auth

    return make


def form_of(heard: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(heard.body.decode()).items()}


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


def test_an_expired_token_is_replaced_in_the_midst_of_work(script: Any, said: Any, sign_in: Any) -> None:
    script.will(
        said(body={"access_token": "A1"}), said(401, body=[]), said(body={"access_token": "A2"}), said(body={"ok": 1})
    )
    door, _ = sign_in(ClientCredentials(TOKEN_URL))

    assert door.get("/deals") == {"ok": 1}
    assert script.heard[3].headers["Authorization"] == "Bearer A2"


def test_a_token_with_a_known_life_is_renewed_before_its_end(script: Any, said: Any, sign_in: Any) -> None:
    script.will(
        said(body={"access_token": "A1", "expires_in": 1000}),
        said(body={}),
        said(body={}),
        said(body={"access_token": "A2", "expires_in": 1000}),
        said(body={}),
    )
    door, auth = sign_in(ClientCredentials(TOKEN_URL))
    seconds = [0.0]
    auth._clock = lambda: seconds[0]

    for moment in (0, 799, 801):
        seconds[0] = moment
        door.get("/deals")

    carried = [heard.headers["Authorization"] for heard in script.heard if heard.target == "/deals"]
    assert carried == ["Bearer A1", "Bearer A1", "Bearer A2"]


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


class Witness(MemoryTokens):
    """Notes what was said to the CRM by the time of each save."""

    def __init__(self, script: Any) -> None:
        super().__init__()
        self.script = script
        self.heard_at_save: list[int] = []

    def save(self, name: str, token: dict[str, Any]) -> None:
        """Keeps, and counts requests so far."""
        self.heard_at_save.append(len(self.script.heard))
        super().save(name, token)


def test_a_rotated_refresh_token_is_kept_before_its_access_token_is_used(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(body={"access_token": "A1", "refresh_token": "second-refresh"}), said(body={}))
    tokens = Witness(script)
    door, _ = sign_in(RefreshToken(TOKEN_URL), tokens)

    door.get("/deals")

    assert tokens.heard_at_save == [1]
    assert tokens.load("sales")["refresh_token"] == "second-refresh"  # type: ignore[index]  # it was just saved
    assert form_of(script.heard[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "first-refresh",
        "client_id": "the-id",
        "client_secret": "the-secret",
    }


def test_the_kept_refresh_token_serves_after_a_restart(script: Any, said: Any, sign_in: Any) -> None:
    tokens = MemoryTokens()
    script.will(said(body={"access_token": "A1", "refresh_token": "second-refresh"}), said(body={}))
    sign_in(RefreshToken(TOKEN_URL), tokens)[0].get("/deals")

    script.will(said(401, body={}), said(body={"access_token": "A2"}), said(body={}))
    sign_in(RefreshToken(TOKEN_URL), tokens)[0].get("/deals")

    assert script.heard[2].headers["Authorization"] == "Bearer A1", "no sign-in while the kept token is good"
    assert form_of(script.heard[3])["refresh_token"] == "second-refresh"
    assert tokens.load("sales")["refresh_token"] == "second-refresh", "kept where the answer brings no new one"  # type: ignore[index]  # it was just saved


def test_a_newly_configured_refresh_token_goes_before_a_kept_one(
    script: Any, said: Any, sign_in: Any, monkeypatch: Any
) -> None:
    tokens = MemoryTokens()
    script.will(said(body={"access_token": "A1", "refresh_token": "second-refresh"}), said(body={}))
    sign_in(RefreshToken(TOKEN_URL), tokens)[0].get("/deals")

    monkeypatch.setenv("REFRESH", "operator-made")
    script.will(said(body={"access_token": "A2"}), said(body={}))
    sign_in(RefreshToken(TOKEN_URL), tokens)[0].get("/deals")

    assert form_of(script.heard[2])["refresh_token"] == "operator-made"


def test_a_token_that_another_worker_fetched_is_taken_over(script: Any, said: Any, sign_in: Any) -> None:
    tokens = MemoryTokens()
    script.will(said(body={"access_token": "A1", "refresh_token": "r2"}), said(body={}))
    door, _ = sign_in(RefreshToken(TOKEN_URL), tokens)
    door.get("/deals")
    script.will(said(body={"access_token": "A2", "refresh_token": "r3"}), said(body={}))
    other, auth = sign_in(RefreshToken(TOKEN_URL), tokens)
    auth.renew(other, {"Authorization": "Bearer A1"})
    fetches = len([heard for heard in script.heard if heard.target == "/oauth/token"])

    script.will(said(401, body={}), said(body={"ok": 1}))

    assert door.get("/deals") == {"ok": 1}
    assert script.heard[-1].headers["Authorization"] == "Bearer A2"
    assert len([heard for heard in script.heard if heard.target == "/oauth/token"]) == fetches


def test_a_race_for_a_rotating_token_is_lost_with_grace(script: Any, said: Any, sign_in: Any) -> None:
    class Raced(MemoryTokens):
        """Another worker rotates the token while our request is under way."""

        def load(self, name: str) -> dict[str, Any] | None:
            found = super().load(name)
            if found and len(script.heard) >= 4:
                return found | {"refresh_token": "theirs", "access_token": "", "renew_at": 0}
            return found

    tokens = Raced()
    script.will(
        said(body={"access_token": "A1", "refresh_token": "r2"}),
        said(body={}),
        said(401, body={}),
        said(400, body={"error": "invalid_grant"}),
        said(body={"access_token": "A3"}),
        said(body={"ok": 1}),
    )
    door, auth = sign_in(RefreshToken(TOKEN_URL), tokens)
    auth._saved = lambda: tokens.load("sales")
    door.get("/one")

    assert door.get("/two") == {"ok": 1}
    assert form_of(script.heard[4])["refresh_token"] == "theirs"


def test_threads_fetch_one_token(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(body={"access_token": "A1"}), said(body={}))
    door, _ = sign_in(ClientCredentials(TOKEN_URL))
    start = threading.Barrier(6)

    def work() -> None:
        start.wait()
        door.get("/deals")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(heard.target == "/oauth/token" for heard in script.heard) == 1
    assert len(script.heard) == 7


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


class LostKey(MemoryTokens):
    """What was saved before cannot be read any more; what is saved now can."""

    def load(self, name: str) -> dict[str, Any] | None:
        token = super().load(name)
        if token is None:
            raise TokenUnreadableError("file:token.key: the tokens of sales were stored under another key")
        return token


def test_a_lost_key_costs_a_sign_in_where_the_flow_needs_nothing_stored(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(body={"access_token": "fresh"}), said(body={}))
    tokens = LostKey()
    door, _ = sign_in(ClientCredentials(TOKEN_URL), tokens)

    with structlog.testing.capture_logs() as logs:
        door.get("/deals")

    assert script.heard[1].headers["Authorization"] == "Bearer fresh"
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["stored_token_dropped"]
    assert (tokens.load("sales") or {})["access_token"] == "fresh"


def test_a_rotated_refresh_token_under_a_lost_key_is_told_with_what_to_do(script: Any, said: Any, sign_in: Any) -> None:
    script.will(said(400, body={"error": "invalid_grant"}))
    door, _ = sign_in(RefreshToken(TOKEN_URL), LostKey())

    with pytest.raises(SignInError, match="stored under another key") as caught:
        door.get("/deals")

    assert "put the new refresh token where sign_in.refresh_token points" in str(caught.value)


def test_a_secret_that_no_header_carries_ends_this_connection_only(script: Any, sign_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TOKEN", "pat-\N{EURO SIGN}")
    door, _ = sign_in(StaticToken(), token="env:TOKEN")

    with pytest.raises(ConfigError, match="a secret of sign_in holds characters that no header carries"):
        door.get("/deals")
