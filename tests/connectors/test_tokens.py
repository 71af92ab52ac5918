"""Tokens: renewed in time, fetched once for all, rotated ones never lost."""

import threading
from typing import Any

import pytest
import structlog

from connectors.auth import ClientCredentials, MemoryTokens, RefreshToken
from connectors.errors import SignInError
from connectors.tokens import TokenUnreadableError
from tests.connectors.conftest import TOKEN_URL, form_of


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
