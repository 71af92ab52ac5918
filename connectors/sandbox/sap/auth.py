"""Sign-in of the OData service: Basic, OAuth by SAML assertion, sessions and their CSRF tokens.

Client id, secret, user, password and a static bearer token are all ``sandbox``.
"""

import base64
import binascii
import hashlib
import json
import time
from collections.abc import Callable

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.sap.saml import problem

_GRANT = "urn:ietf:params:oauth:grant-type:saml2-bearer"
_COOKIE = "SAP_SESSIONID_SBX_100"
_WORD = "sandbox"
LOGON_PAGE = '<html><head><title>Logon</title></head><body><form id="loginForm">User <input name="sap-user"/></form></body></html>'
"""What a tenant's web server shows to somebody it does not know."""


class SignIn:
    """Who may call, and with which session's token."""

    def __init__(self, url: Callable[[], str], *, token_ttl: int | None, csrf: bool) -> None:
        self._url = url
        self.token_ttl = token_ttl
        self.csrf = csrf
        """Whether writes need a token. Technical users of some tenants need none and are given none."""
        self.passwords = {_WORD: _WORD}
        self.tokens: dict[str, float | None] = {_WORD: None}
        """Bearer tokens and when they run out, by the process's clock; None: never."""
        self.sessions: dict[str, str] = {}
        """CSRF tokens by session cookie."""
        self._made = 0

    def accepts(self, request: Request) -> bool:
        """Whether the call carries a valid sign-in."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            user, _, password = _decoded(rest).partition(":")
            return bool(user) and self.passwords.get(user) == password
        if scheme.lower() != "bearer" or rest not in self.tokens:
            return False
        ends = self.tokens[rest]
        return ends is None or time.monotonic() < ends

    def expire(self, request: Request) -> None:
        """Forgets the token and the session of a call; what was fetched with them is worth nothing any more."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        if token != _WORD:
            self.tokens.pop(token, None)
        self.sessions.pop(_cookie(request), None)

    def fetched(self, request: Request) -> dict[str, str]:
        """The headers that answer ``x-csrf-token: fetch``; none where it was not asked or is not needed."""
        if not self.csrf or request.headers.get("x-csrf-token", "").lower() != "fetch":
            return {}
        cookie = _cookie(request)
        if cookie in self.sessions:
            return {"x-csrf-token": self.sessions[cookie]}
        cookie, token = self._secret("session"), self._secret("csrf")[:22] + "=="
        self.sessions[cookie] = token
        return {"x-csrf-token": token, "set-cookie": f"{_COOKIE}={cookie}; path=/; HttpOnly"}

    def guarded(self, request: Request) -> Reply | None:
        """A refusal of a write whose token is not that of its session."""
        if not self.csrf or self.sessions.get(_cookie(request)) == request.headers.get("x-csrf-token", ""):
            return None
        return Reply(
            403,
            "CSRF token validation failed",
            {"x-csrf-token": "Required", "Content-Type": "text/plain;charset=utf-8"},
        )

    def token(self, request: Request) -> Reply:
        """``POST /sap/bc/sec/oauth2/token``."""
        form = request.form()
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic" or _decoded(rest) != f"{_WORD}:{_WORD}":
            return _refused("invalid_client", "Client authentication failed", 401)
        if form.get("grant_type") != _GRANT:
            return _refused("unsupported_grant_type", "The grant type is not supported")
        if form.get("scope") != "UIWC:CC_HOME":
            return _refused("invalid_scope", "The requested scope is invalid")
        if wrong := problem(form.get("assertion", ""), self.passwords, self._url(), f"{self._url()}{request.path}"):
            return _refused("invalid_grant", wrong)
        token = self._secret("token")
        self.tokens[token] = None if self.token_ttl is None else time.monotonic() + self.token_ttl
        lives = 3600 if self.token_ttl is None else self.token_ttl
        body = {"access_token": token, "token_type": "Bearer", "expires_in": str(lives), "scope": "UIWC:CC_HOME"}
        return Reply(
            200, json.dumps(body), {"Content-Type": "application/json;charset=UTF-8", "Cache-Control": "no-store"}
        )

    def _secret(self, purpose: str) -> str:
        self._made += 1
        digest = hashlib.sha256(f"{purpose}{self._made}".encode()).digest()
        return base64.b64encode(digest).decode().rstrip("=").replace("/", "-")


def _refused(code: str, text: str, status: int = 400) -> Reply:
    body = json.dumps({"error": code, "error_description": text})
    return Reply(status, body, {"Content-Type": "application/json;charset=UTF-8"})


def _cookie(request: Request) -> str:
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == _COOKIE:
            return value
    return ""


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
