"""Sign-in: the accounts server's token endpoint with its limits, and the check of every call's token."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.errors import Refusal, invalid_token, not_signed_in

CLIENT = "sandbox"
"""Client id, client secret, refresh token, and an access token that never ends."""
_WINDOW_SECONDS = 600
_PER_WINDOW = 10
_MAX_LIVE = 30
_MAX_REFRESH = 20


@dataclass
class Token:
    """An access token that was issued. ``calls``: how many it is still good for; None: any number."""

    text: str
    refresh: str
    expires: int
    calls: int | None
    scopes: frozenset[str] | None


class Tokens:
    """Grants tokens and checks them. ``seconds``: life of an access token; ``calls``: calls until it runs out."""

    def __init__(
        self, now: Callable[[], int], scopes: frozenset[str] | None, seconds: int, calls: int | None, *, limited: bool
    ) -> None:
        self.now = now
        self.scopes = scopes
        self.seconds = seconds
        self.calls = calls
        self.limited = limited
        """Whether ten access tokens per refresh token in ten minutes are the most."""
        self.codes = {CLIENT}
        """Grant tokens that are still good; each for one use, but for the emulator's own."""
        self._refresh: dict[str, frozenset[str] | None] = {CLIENT: scopes}
        self._issued: dict[str, Token] = {}
        self._given: dict[str, list[int]] = {}
        self._number = 0

    def token(self, request: Request, api_domain: str) -> Reply:
        """``POST /oauth/v2/token``: the form's values, or those of the query. Failures are 200 with ``error``."""
        form = {**{name: values[0] for name, values in request.query.items()}, **request.form()}
        if form.get("client_id") != CLIENT:
            return _error("invalid_client")
        if form.get("client_secret") != CLIENT:
            return _error("invalid_client_secret")
        grant = form.get("grant_type")
        if grant == "refresh_token":
            return self._by_refresh(form.get("refresh_token", ""), api_domain)
        if grant == "authorization_code":
            return self._by_code(form.get("code", ""), api_domain)
        return _error("unsupported_grant_type")

    def _by_refresh(self, refresh: str, api_domain: str) -> Reply:
        if refresh not in self._refresh:
            return _error("invalid_code")
        given = [at for at in self._given.get(refresh, []) if at > self.now() - _WINDOW_SECONDS]
        if self.limited and len(given) >= _PER_WINDOW:
            return too_many_tokens()
        self._given[refresh] = [*given, self.now()]
        scopes = self._refresh[refresh]
        body = self._issue(refresh, scopes, api_domain)
        return Reply(body={**body, "scope": " ".join(sorted(scopes)) if scopes is not None else "ZohoCRM.modules.ALL"})

    def _by_code(self, code: str, api_domain: str) -> Reply:
        if code not in self.codes:
            return _error("invalid_code")
        if code != CLIENT:
            self.codes.discard(code)
        refresh = f"1000.{self._unique('refresh')}"
        self._refresh[refresh] = self.scopes
        others = [one for one in self._refresh if one != CLIENT]
        for old in others[: max(0, len(others) - _MAX_REFRESH)]:
            self._end(old)
        return Reply(body={**self._issue(refresh, self.scopes, api_domain), "refresh_token": refresh})

    def revoke(self, request: Request) -> Reply:
        """``POST /oauth/v2/token/revoke``: ends a refresh token with all access tokens of it."""
        token = request.first("token") or request.form().get("token", "")
        if token not in self._refresh:
            return _error("invalid_code")
        self._end(token)
        return Reply(body={"status": "success"})

    def check(self, request: Request) -> Refusal | None:
        """A refusal for a call without a valid token."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Zoho-oauthtoken" or not text:
            return not_signed_in()
        if text == CLIENT:
            return None
        token = self._issued.get(text)
        if token is None or token.expires <= self.now() or token.calls == 0:
            return invalid_token()
        if token.calls is not None:
            token.calls -= 1
        return None

    def granted(self, request: Request) -> frozenset[str] | None:
        """The scopes of a call's token; None for all."""
        token = self._issued.get(request.headers.get("Authorization", "").partition(" ")[2])
        return token.scopes if token else self.scopes

    def _end(self, refresh: str) -> None:
        self._refresh.pop(refresh, None)
        self._issued = {text: one for text, one in self._issued.items() if one.refresh != refresh}

    def _issue(self, refresh: str, scopes: frozenset[str] | None, api_domain: str) -> dict[str, object]:
        token = Token(f"1000.{self._unique('access')}", refresh, self.now() + self.seconds, self.calls, scopes)
        live = [text for text, one in self._issued.items() if one.refresh == refresh]
        for text in live[: max(0, len(live) + 1 - _MAX_LIVE)]:
            del self._issued[text]
        self._issued[token.text] = token
        return {
            "access_token": token.text,
            "api_domain": api_domain,
            "token_type": "Bearer",
            "expires_in": self.seconds,
        }

    def _unique(self, what: str) -> str:
        self._number += 1
        digest = hashlib.sha256(f"{what}:{self._number}".encode()).hexdigest()
        return f"{digest[:32]}.{digest[32:]}"


def too_many_tokens() -> Reply:
    """The eleventh token in ten minutes."""
    words = "You have made too many requests continuously. Please try again after some time."
    return Reply(400, {"error": "Access Denied", "error_description": words, "status": "failure"})


def _error(code: str) -> Reply:
    return Reply(200, {"error": code})
