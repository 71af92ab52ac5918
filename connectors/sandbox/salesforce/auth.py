"""Salesforce's OAuth endpoints: four grants, introspection, revocation, and whose token a call carries."""

import base64
import json
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from connectors.sandbox.routing import Reply, Request, Route
from connectors.sandbox.salesforce.store import Org, Row

STATIC_TOKEN = "sandbox"  # noqa: S105 - opens nothing but this emulator
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
_MAX_ASSERTION = timedelta(minutes=5)


class _Refused(Exception):  # noqa: N818 - carries the vendor's word for it
    def __init__(self, error: str, text: str) -> None:
        super().__init__(error)
        self.reply = Reply(400, {"error": error, "error_description": text})


@dataclass(slots=True)
class _Token:
    user: str
    issued: datetime
    calls: int = 0


@dataclass(slots=True)
class SignInSettings:
    """What the org's connected app allows. ``ttl_calls``, ``ttl_seconds``: when a token ends; None: never."""

    clients: dict[str, str] = field(default_factory=lambda: {"sandbox": "sandbox"})
    passwords: dict[str, str] = field(default_factory=lambda: {"sandbox": "sandbox"})
    """Passwords (with security token) by username, beside which every user of the world has ``sandbox``."""
    public_key: str | None = None
    """PEM of the certificate on the app; None: any signature will do."""
    rotate: bool = False
    """Whether a refresh gives a new refresh token and ends the old one."""
    ttl_calls: int | None = None
    ttl_seconds: float | None = None


class SignIn:
    """The token endpoint and its neighbours."""

    def __init__(
        self, org: Org, settings: SignInSettings, now: Callable[[], datetime], base: Callable[[], str]
    ) -> None:
        self.settings = settings
        self.refresh_tokens = {"sandbox"}
        self.issued = 0
        """Tokens given out so far."""
        self._org = org
        self._now = now
        self._base = base
        self._tokens: dict[str, _Token] = {}

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            ("POST", "/services/oauth2/token", self._token),
            ("POST", "/services/oauth2/revoke", self._revoke),
            ("POST", "/services/oauth2/introspect", self._introspect),
            ("GET", "/services/oauth2/userinfo", self._userinfo),
            ("GET", "/id/{org}/{user}", self._identity),
        ]

    def accepts(self, request: Request) -> bool:
        """Whether the call carries a valid token; counts it."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"}:
            return False
        if token == STATIC_TOKEN:
            return True
        known = self._tokens.get(token)
        if known is None or self._over(known):
            return False
        known.calls += 1
        return True

    def expire(self, request: Request) -> None:
        """Ends the token of this call (the static one lives on)."""
        self._tokens.pop(request.headers.get("authorization", "").partition(" ")[2], None)

    def expire_all(self) -> None:
        """Ends every token that was given out."""
        self._tokens.clear()

    def _over(self, token: _Token) -> bool:
        calls, seconds = self.settings.ttl_calls, self.settings.ttl_seconds
        if calls is not None and token.calls >= calls:
            return True
        return seconds is not None and self._now() - token.issued >= timedelta(seconds=seconds)

    def _token(self, request: Request) -> Reply:
        form = request.form()
        grants: dict[str, Callable[[Request, dict[str, str]], dict[str, str]]] = {
            "client_credentials": self._by_client,
            _JWT_GRANT: self._by_assertion,
            "refresh_token": self._by_refresh,
            "password": self._by_password,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            return Reply(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
        try:
            extra = grant(request, form)
        except _Refused as refused:
            return refused.reply
        return Reply(200, self._grant(extra), {"Cache-Control": "no-cache, no-store"})

    def _grant(self, extra: dict[str, str]) -> dict[str, Any]:
        user = extra.pop("user", self._org.running_user)
        self.issued += 1
        token = f"{self._org_id()[:15]}!AQ{self.issued:06d}.sandbox"
        self._tokens[token] = _Token(user, self._now())
        return {
            "access_token": token,
            "instance_url": self._base(),
            "id": f"https://login.salesforce.com/id/{self._org_id()}/{user}",
            "token_type": "Bearer",
            "scope": "api",
            "issued_at": str(int(self._now().timestamp() * 1000)),
            "signature": base64.b64encode(token.encode()).decode(),
            **extra,
        }

    def _org_id(self) -> str:
        return next(iter(self._org.tables["Organization"].rows))

    def _check_client(self, request: Request, form: dict[str, str], *, secret_needed: bool = True) -> None:
        client, secret = form.get("client_id", ""), form.get("client_secret")
        scheme, _, packed = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client, _, secret = base64.b64decode(packed).decode().partition(":")
            except (Base64Error, UnicodeDecodeError):
                client = ""
            client, secret = unquote_plus(client), unquote_plus(secret or "")
        if client not in self.settings.clients:
            raise _Refused("invalid_client_id", "client identifier invalid")
        if (secret_needed or secret is not None) and secret != self.settings.clients[client]:
            raise _Refused("invalid_client", "invalid client credentials")

    def _by_client(self, request: Request, form: dict[str, str]) -> dict[str, str]:
        self._check_client(request, form)
        return {}

    def _by_refresh(self, request: Request, form: dict[str, str]) -> dict[str, str]:
        # A web app sends its secret; an app may be set up not to need one for refreshing.
        self._check_client(request, form, secret_needed=False)
        token = form.get("refresh_token", "")
        if token not in self.refresh_tokens:
            raise _Refused("invalid_grant", "expired access/refresh token")
        if not self.settings.rotate:
            return {}
        self.refresh_tokens.discard(token)
        fresh = f"5Aep8sandbox{self.issued + 1:06d}"
        self.refresh_tokens.add(fresh)
        return {"refresh_token": fresh}

    def _by_password(self, request: Request, form: dict[str, str]) -> dict[str, str]:
        self._check_client(request, form)
        name, password = form.get("username", ""), form.get("password", "")
        user = self._user(name)
        wanted = self.settings.passwords.get(name, "sandbox" if user else None)
        if wanted is None or password != wanted:
            raise _Refused("invalid_grant", "authentication failure")
        return {"user": user} if user else {}

    def _by_assertion(self, _request: Request, form: dict[str, str]) -> dict[str, str]:
        claims = self._claims(form.get("assertion", ""))
        if claims.get("iss") not in self.settings.clients:
            raise _Refused("invalid_client_id", "client identifier invalid")
        audiences = claims["aud"] if isinstance(claims.get("aud"), list) else [claims.get("aud")]
        if not any(audience in (*_LOGIN_HOSTS, self._base()) for audience in audiences):
            raise _Refused("invalid_grant", "audience is invalid")
        ends = claims.get("exp")
        now = self._now().timestamp()
        if not isinstance(ends, int | float) or not now < ends <= now + _MAX_ASSERTION.total_seconds():
            raise _Refused("invalid_grant", "invalid assertion")
        name = str(claims.get("sub", claims.get("prn", "")))
        user = self._user(name)
        if user is None and name not in self.settings.passwords:
            raise _Refused("invalid_grant", "user hasn't approved this consumer")
        return {"user": user} if user else {}

    def _claims(self, assertion: str) -> dict[str, Any]:
        try:
            header, claims, _ = (_unpacked(part) for part in assertion.split(".", 2))
        except (ValueError, Base64Error):
            raise _Refused("invalid_grant", "invalid assertion") from None
        if header.get("alg") != "RS256" or not self._is_signed(assertion):
            raise _Refused("invalid_grant", "invalid assertion")
        return claims

    def _is_signed(self, assertion: str) -> bool:
        if self.settings.public_key is None:
            return True
        import jwt  # here alone: an emulator that takes any signature needs no cryptography

        try:
            options: Any = {"verify_exp": False, "verify_aud": False}
            jwt.decode(assertion, self.settings.public_key, algorithms=["RS256"], options=options)
        except jwt.InvalidTokenError:
            return False
        return True

    def _user(self, name: str) -> str | None:
        users = self._org.tables["User"].rows.values()
        return next((row["Id"] for row in users if row.get("Username") == name and row.get("IsActive")), None)

    def _revoke(self, request: Request) -> Reply:
        token = request.form().get("token") or request.first("token") or ""
        if token not in self._tokens and token not in self.refresh_tokens:
            return Reply(
                400, {"error": "unsupported_token_type", "error_description": "this token type is not supported"}
            )
        self._tokens.pop(token, None)
        self.refresh_tokens.discard(token)
        return Reply(200, None)

    def _introspect(self, request: Request) -> Reply:
        form = request.form()
        try:
            self._check_client(request, form)
        except _Refused as refused:
            return refused.reply
        token = self._tokens.get(form.get("token", ""))
        if token is None or self._over(token):
            return Reply(200, {"active": form.get("token") == STATIC_TOKEN})
        issued = int(token.issued.timestamp())
        return Reply(200, {"active": True, "scope": "api", "iat": issued, "nbf": issued, "token_type": "access_token"})

    def _userinfo(self, _request: Request) -> Reply:
        return self._identity(_request, self._org_id(), self._org.running_user)

    def _identity(self, _request: Request, org: str, user: str) -> Reply:
        row = self._org.row(user) or Row()
        body: dict[str, Any] = {"id": f"{self._base()}/id/{org}/{user}", "user_id": user, "organization_id": org}
        body |= {"username": row.get("Username"), "email": row.get("Email"), "display_name": row.get("Name")}
        return Reply(200, {**body, "active": bool(row.get("IsActive")), "user_type": "STANDARD"})


def _unpacked(part: str) -> dict[str, Any]:
    if len(part) > 8192:
        message = "too long for a part of a token"
        raise ValueError(message)
    padded = part + "=" * (-len(part) % 4)
    raw = base64.urlsafe_b64decode(padded)
    try:
        found = json.loads(raw)
    except (ValueError, UnicodeDecodeError):
        return {}  # the signature is no JSON
    return found if isinstance(found, dict) else {}
