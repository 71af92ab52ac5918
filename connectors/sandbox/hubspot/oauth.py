"""Sign-in: static tokens, OAuth v1, v3 and dated token endpoints, introspection, revocation, and scopes by path."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.hubspot.errors import EDGE_530, Refusal, correlation_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.scopes import ALL_SCOPES
from connectors.sandbox.routing import Reply, Request

CLIENT = "sandbox"
"""Client id, client secret, static token, first refresh token and authorization code."""

_WELL_FORMED = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_PRIVATE_APP = re.compile(r"pat-[a-z]{2,4}\d?-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOCS = "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
_USER_ID = 123


@dataclass
class Token:
    """An access token that the portal issued. ``refresh``: its refresh token, "" for an app-level one."""

    text: str
    expires_ms: int
    refresh: str
    scopes: tuple[str, ...]


class Tokens:
    """Handlers of the token endpoints, and the check of every call's token."""

    def __init__(self, portal: Portal, scopes: Callable[[], frozenset[str] | None], seconds: int) -> None:
        self.portal = portal
        self.scopes = scopes
        self.seconds = seconds
        self.static = {CLIENT}
        """Static tokens that are valid: a service key or private-app token beside the emulator's own."""
        self.rotate = True
        """Every refresh issues a new refresh token and ends the old one (``sandbox`` itself never ends)."""
        self._issued: dict[str, Token] = {}
        self._refresh = {CLIENT}
        self._revoked: set[str] = set()
        self._number = 0

    def check(self, request: Request) -> Reply | None:
        """A refusal for a call without a valid token: 401, or 530 from the edge for a malformed one."""
        header = request.headers.get("Authorization", "")
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer" or not text:
            return no_credentials()
        if not _WELL_FORMED.fullmatch(text) or (text.startswith("pat-") and not _PRIVATE_APP.fullmatch(text)):
            return Reply(530, EDGE_530, {"Content-Type": "text/html; charset=UTF-8"})
        if text in self.static and text not in self._revoked:
            return None
        token = self._issued.get(text)
        if token is None or text in self._revoked:
            return no_credentials()
        if token.expires_ms <= self.portal.now_ms():
            return expired()
        return None

    def is_oauth(self, request: Request) -> bool:
        """Whether a call carries a token that the portal issued."""
        return request.headers.get("Authorization", "").partition(" ")[2] in self._issued

    def granted(self, request: Request) -> frozenset[str] | None:
        """The scopes of a call's token; None for all."""
        token = self._issued.get(request.headers.get("Authorization", "").partition(" ")[2])
        scopes = self.scopes()
        return scopes if token is None or scopes is None else frozenset(token.scopes)

    def token(self, request: Request, version: str) -> Reply:
        """Grants: authorization_code, refresh_token (rotating), client_credentials. v1 also reads the query."""
        form = request.form()
        if version == "v1":
            form = {**{key: values[0] for key, values in request.query.items()}, **form}
        elif not request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            raise Refusal(415, "Unsupported Media Type", None)
        grants = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            "client_credentials": self._by_client,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            return _bad("BAD_GRANT_TYPE", "missing or unknown grant type")
        return _wrong_client(form) or grant(form, version)

    def _by_client(self, form: dict[str, str], version: str) -> Reply:
        return Reply(body=self._issue("", version))

    def _by_code(self, form: dict[str, str], version: str) -> Reply:
        if form.get("code") != CLIENT:
            return _bad("BAD_AUTH_CODE", "missing or unknown auth code")
        if not form.get("redirect_uri"):
            return _bad("MISMATCH_REDIRECT_URI_AUTH_CODE", "missing or invalid redirect uri")
        return Reply(body=self._issue(self._new_refresh(), version))

    def _by_refresh_token(self, form: dict[str, str], version: str) -> Reply:
        old = form.get("refresh_token", "")
        if old not in self._refresh or old in self._revoked:
            return bad_refresh_token()
        if not self.rotate:
            return Reply(body=self._issue(old, version))
        if old != CLIENT:
            self._refresh.discard(old)
        return Reply(body=self._issue(self._new_refresh(), version))

    def introspect(self, request: Request) -> Reply:
        """Whether a token is alive, and whose it is."""
        form = request.form()
        if wrong := _wrong_client(form):
            return wrong
        text = form.get("token", "")
        known: dict[str, Any] = {"hub_id": self.portal.portal_id, "user": "admin@example.com", "client_id": CLIENT}
        token = self._issued.get(text)
        if token and text not in self._revoked and token.expires_ms > self.portal.now_ms():
            seconds = (token.expires_ms - self.portal.now_ms()) // 1000
            known |= {"active": True, "token_use": "access_token", "expires_in": seconds, "scopes": list(token.scopes)}
            return Reply(body=known)
        if text in self._refresh and text not in self._revoked:
            return Reply(body={**known, "active": True, "token_use": "refresh_token", "scopes": list(self._scopes())})
        return Reply(body={"active": False})

    def revoke(self, request: Request) -> Reply:
        """Ends a token; with a refresh token also the access tokens that came from it."""
        form = request.form()
        if wrong := _wrong_client(form):
            return wrong
        self._end(form.get("token", ""))
        return Reply(204)

    def access_token_v1(self, request: Request, token: str) -> Reply:
        """v1: what an access token is."""
        found = self._issued.get(token)
        if found is None or token in self._revoked or found.expires_ms <= self.portal.now_ms():
            raise Refusal(404, "Access token not found", "OBJECT_NOT_FOUND")
        return Reply(
            body={
                **self._about(token),
                "app_id": 1,
                "expires_in": (found.expires_ms - self.portal.now_ms()) // 1000,
                "token_type": "access",
            }
        )

    def refresh_token_v1(self, request: Request, token: str) -> Reply:
        """v1: what a refresh token is."""
        if token not in self._refresh or token in self._revoked:
            raise Refusal(404, "Refresh token not found", "OBJECT_NOT_FOUND")
        return Reply(body={**self._about(token), "client_id": CLIENT, "token_type": "refresh"})

    def delete_refresh_token_v1(self, request: Request, token: str) -> Reply:
        """v1: revokes a refresh token."""
        self._end(token)
        return Reply(204)

    def _end(self, text: str) -> None:
        self._revoked.add(text)
        self._revoked.update(one.text for one in self._issued.values() if one.refresh == text)

    def _about(self, token: str) -> dict[str, Any]:
        return {
            "token": token,
            "user": "admin@example.com",
            "user_id": _USER_ID,
            "hub_id": self.portal.portal_id,
            "hub_domain": "example.com",
            "scopes": list(self._scopes()),
        }

    def _scopes(self) -> tuple[str, ...]:
        scopes = self.scopes()
        return ("oauth", *sorted(ALL_SCOPES if scopes is None else scopes))

    def _new_refresh(self) -> str:
        refresh = f"na1-{self._unique('refresh')}"
        self._refresh.add(refresh)
        return refresh

    def _issue(self, refresh: str, version: str) -> dict[str, Any]:
        text = f"C{self._unique('access').replace('-', '')}"
        token = Token(text, self.portal.now_ms() + 1000 * self.seconds, refresh, self._scopes())
        self._issued[token.text] = token
        answer: dict[str, Any] = {"access_token": token.text, "expires_in": self.seconds, "token_type": "bearer"}
        if refresh:
            answer["refresh_token"] = refresh
        if version != "v1":
            answer |= {"token_use": "access_token", "hub_id": self.portal.portal_id, "scopes": list(token.scopes)}
            if refresh:
                answer["user_id"] = _USER_ID
        return answer

    def _unique(self, what: str) -> str:
        self._number += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{what}:{self._number}"))


def no_credentials() -> Reply:
    """401 for a missing, unknown or revoked token."""
    message = (
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find "
        f"more details at {_DOCS}"
    )
    return Refusal(401, message, "INVALID_AUTHENTICATION").reply()


def expired() -> Reply:
    """401 for an access token past its time."""
    message = "The OAuth token used to make this call expired and must be refreshed."
    return Refusal(401, message, "EXPIRED_AUTHENTICATION").reply()


def bad_refresh_token() -> Reply:
    """400 for a refresh token that is revoked or never was."""
    return _bad("BAD_REFRESH_TOKEN", "missing or invalid refresh token")


def _wrong_client(form: dict[str, str]) -> Reply | None:
    if form.get("client_id") != CLIENT:
        return _bad("BAD_CLIENT_ID", "missing or unknown client id")
    if form.get("client_secret") != CLIENT:
        return _bad("BAD_CLIENT_SECRET", "missing or invalid client secret")
    return None


def _bad(status: str, message: str) -> Reply:
    return Reply(400, {"status": status, "message": message, "correlationId": correlation_id()})
