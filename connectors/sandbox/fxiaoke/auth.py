"""Sign-in to an emulated tenant, in both generations: tokens, who is acting, and the rules of the token endpoint."""

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from connectors.sandbox.fxiaoke.errors import (
    BAD_SIGN_IN,
    BAD_TOKEN,
    NO_PERSON,
    TOO_FAST,
    Refusal,
    bad_argument,
    missing,
    trace_id,
)
from connectors.sandbox.fxiaoke.store import Tenant
from connectors.sandbox.routing import Reply, Request

BODY_TOKEN = "/cgi/corpAccessToken/get/V2"  # noqa: S105 - a path
HEADER_TOKEN = "/oauth2.0/token"  # noqa: S105 - a path
TENANT_ID = "FSCID_9F1D2C3B4A5968778695A4B3C2D1E0F9"
TENANT_ACCOUNT = "sandbox"
"""What ``x-fs-ea`` says."""
_SECRET = "sandbox"  # noqa: S105 - the one that every emulator takes
_PER_MINUTE = 10
_RENEWED_BEFORE_SECONDS = 600
"""A token this near to its end is followed by a new one and lives on beside it."""
_BODY_KEYS = {
    BODY_TOKEN: {"appId", "appSecret", "permanentCode"},
    HEADER_TOKEN: {"appId", "appSecret", "permanentCode", "grantType"},
}
_AUTH_KEYS = ("corpAccessToken", "corpId", "currentOpenUserId")


@dataclass(slots=True)
class Caller:
    """Who acts, and in which generation's words the call is written."""

    actor: str
    """FSUID; "" where an endpoint needs none."""
    style: Literal["body", "header"]
    converts: bool = False
    """Whether a call of the header generation asked for FSUIDs (``convertUserId``)."""

    @property
    def numbered(self) -> bool:
        """Whether people are employee numbers in this call and its answer."""
        return self.style == "header" and not self.converts


class Tokens:
    """The tokens of one tenant. A life of ``seconds``; within all but its last ten minutes the same one is given."""

    def __init__(self, tenant: Tenant, now: Callable[[], datetime], seconds: int, *, strict: bool) -> None:
        self.tenant = tenant
        self.seconds = seconds
        self._now = now
        self._strict = strict
        self._issued: dict[str, tuple[str, datetime]] = {}
        """Generation and time of issue of each token."""
        self._asked: deque[datetime] = deque()

    def issue(self, request: Request) -> Reply:
        """The token endpoint's answer. Refusal: asked too often, or wrong credentials."""
        self._pace()
        body = request.json()
        if not isinstance(body, dict):
            raise _unfit("appSecret")
        for name in _BODY_KEYS[request.path]:
            if not isinstance(body.get(name), str) or (name != "grantType" and body[name] != _SECRET):
                raise _unfit(name)
        if self._strict and (extra := sorted(set(body) - _BODY_KEYS[request.path])):
            raise bad_argument(f"unknown key {extra[0]}")
        style = "header" if request.path == HEADER_TOKEN else "body"
        if style == "header" and body["grantType"] != "app_secret":
            raise _unfit("grantType")
        token, left = self._token(style)
        if style == "body":
            return Reply(body={"errorCode": 0, "errorMessage": "success", "corpAccessToken": token, "corpId": TENANT_ID, "expiresIn": left})  # fmt: skip
        head = {
            "openUserId": TENANT_ID,
            "accessToken": token,
            "expiresIn": left,
            "appId": body["appId"],
            "ea": TENANT_ACCOUNT,
        }
        return Reply(body={**head, "errorCode": 0, "errorMessage": "success", "traceId": trace_id("E-O")})

    def _pace(self) -> None:
        now = self._now()
        while self._asked and self._asked[0] <= now - timedelta(minutes=1):
            self._asked.popleft()
        if len(self._asked) >= _PER_MINUTE:
            raise Refusal(TOO_FAST)
        self._asked.append(now)

    def _token(self, style: str) -> tuple[str, int]:
        now = self._now()
        for token, (its_style, issued) in reversed(self._issued.items()):
            age = (now - issued).total_seconds()
            if its_style == style and age < self.seconds - min(_RENEWED_BEFORE_SECONDS, self.seconds / 2):
                return token, int(self.seconds - age)
        token = secrets.token_hex(16).upper()
        self._issued[token] = (style, now)
        return token, self.seconds

    def expire(self) -> None:
        """Ends every token before its time."""
        self._issued.clear()

    def check(self, request: Request, body: Mapping[str, Any], *, needs_actor: bool) -> Caller:
        """Who is calling. Refusal: no token, a bad one, or nobody we know."""
        header = request.headers.get("authorization", "")
        if not header:
            return self._check_body(body, needs_actor=needs_actor)
        if any(name in body for name in _AUTH_KEYS) and self._strict:
            raise Refusal(BAD_TOKEN)
        if not header.startswith("Bearer ") or not self._valid(header[7:], "header"):
            raise Refusal(BAD_TOKEN)
        if request.headers.get("x-fs-ea", "") != TENANT_ACCOUNT:
            raise Refusal(BAD_TOKEN)
        employee = request.headers.get("x-fs-userid", "")
        if needs_actor and not employee:
            raise missing("x-fs-userid")
        if employee and employee not in self.tenant.by_employee:
            raise Refusal(NO_PERSON)
        return Caller(self.tenant.by_employee.get(employee, ""), "header", body.get("convertUserId") is True)

    def _check_body(self, body: Mapping[str, Any], *, needs_actor: bool) -> Caller:
        for name in _AUTH_KEYS[: 3 if needs_actor else 2]:
            if not body.get(name):
                raise missing(name)
        if not self._valid(str(body["corpAccessToken"]), "body") or body["corpId"] != TENANT_ID:
            raise Refusal(BAD_TOKEN)
        actor = str(body.get("currentOpenUserId") or "")
        if actor and actor not in self.tenant.people:
            raise Refusal(NO_PERSON)
        return Caller(actor, "body")

    def _valid(self, token: str, style: str) -> bool:
        found = self._issued.get(token)
        return found is not None and found[0] == style and self._now() < found[1] + timedelta(seconds=self.seconds)


def _unfit(name: str) -> Refusal:
    """What the gateway answers to any wrong credential, seen from outside for appSecret."""
    return Refusal(BAD_SIGN_IN, f"the parameter {name} is missing or illegal", "缺少参数或参数不合法")
