"""How Fxiaoke speaks HTTP: every answer is status 200, the result is ``errorCode``; the sign-in may stand in the body."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import requests

from connectors.http import Fault, Manners, Usage, plain_fault

TOKEN_PATHS = {"body": "/cgi/corpAccessToken/get/V2", "header": "/oauth2.0/token"}

PACK = 100_000
"""Calls a day of one Open API pack: without one nothing is answered, so there is one at least."""

IN_BODY = "corpAccessToken"
"""The key by which a sign-in of the older generation is known: it stands in the body."""

_TENANT_DAY = timezone(timedelta(hours=8))
_HOLD_SECONDS = 20.0
"""The window of the limit of calls: nothing tells when there is room again."""

_EXPIRED = frozenset({20016, 20005, 11014, 20012, 30027})  # the last two: the employee as whom we act is not found
_SIGN_IN = frozenset({10006, 10001, 10002, 10012, 11001, 11002, 11013, 20006, 20015, 20017})
_FORBIDDEN = frozenset({15003, 20014, 20020, 20021, 20022, 20023})
_BUSY = frozenset({-1, -2, 50009})
_TOO_FAST = frozenset({30004, 14001})
_DAY_SPENT, _NOT_BOUGHT, _TOO_FAR = 30002, 30003, 10013


def answered(response: requests.Response) -> Mapping[str, Any]:
    """The body as an object. Raises ValueError for torn JSON; empty for anything that is none of Fxiaoke's answers."""
    body = response.json()
    return body if isinstance(body, dict) else {}


def _code(body: Mapping[str, Any]) -> int | None:
    try:
        return int(body["errorCode"])
    except (KeyError, TypeError, ValueError):
        return None


def fault(response: requests.Response) -> Fault | None:
    """What to do about an answer. Only ``errorCode`` decides: the texts change (codes: vendor's "global error codes")."""
    if response.status_code != 200:
        return plain_fault(response)
    if response.request.method == "GET":
        return None  # only the clock is asked that way: any answer tells it
    if not response.content:
        return Fault("retry", "", "an empty answer")
    if response.content[:512].lstrip()[:1] == b"<":
        return Fault("contract", "html", "a page instead of an answer: base_url must be the host of your cloud's API")
    body = answered(response)
    code = _code(body)
    if code == 0:
        return None
    if code is None:
        return Fault("contract", "", "an answer without an errorCode: check base_url")
    return _refusal(code, _words(body), urlsplit(response.url).path)


def _words(body: Mapping[str, Any]) -> str:
    """The vendor's text, with the trace id that its support asks for."""
    text = str(body.get("errorMessage") or body.get("errorDescription") or "")
    trace = body.get("traceId")
    return f"{text} (traceId {trace})" if trace else text


def _refusal(code: int, text: str, path: str) -> Fault:
    name = str(code)
    if code in _EXPIRED:
        return Fault("expired", name, text)
    if code == _NOT_BOUGHT:
        return Fault("sign_in", name, f"{text}. The tenant has bought no Open API pack (接口调用量)")
    if code in _SIGN_IN:
        known = path in TOKEN_PATHS.values() or code != 10006  # elsewhere it is said of a path that does not exist
        return Fault("sign_in" if known else "contract", name, text)
    if code in _TOO_FAST:
        return Fault("retry", name, text, _HOLD_SECONDS)
    if code == _DAY_SPENT:
        return Fault("allowance", name, text, _seconds_to_midnight())
    return Fault(_action_of(code), name, text)


def _action_of(code: int) -> Any:
    if code in _BUSY:
        return "retry"
    if code in _FORBIDDEN:
        return "forbidden"
    return "contract" if code == _TOO_FAR else "rejected"


def _seconds_to_midnight() -> float:
    """The packs' day turns at midnight of the tenant, GMT+8."""
    now = datetime.now(UTC).astimezone(_TENANT_DAY)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), _TENANT_DAY)
    return (midnight - now).total_seconds()


def usage(response: requests.Response) -> Usage | None:
    """No header tells a limit: one pack a day is taken for granted, and a complaint holds all calls for a while."""
    try:
        too_fast = _code(answered(response)) in _TOO_FAST
    except ValueError:
        return None
    return Usage(day_max=PACK, bucket_remaining=0 if too_fast else None)


def sign(request: requests.PreparedRequest, signed: Mapping[str, str]) -> None:
    """A fresh trace id for this sending, and the sign-in: among the headers, or at the top of the body."""
    request.prepare_url(request.url, {"thirdTraceId": str(uuid.uuid4())})
    if IN_BODY not in signed:
        request.prepare_headers({**request.headers, **signed})
        return
    body = json.loads(request.body or b"{}")
    request.prepare_body(json.dumps({**signed, **body}, ensure_ascii=False).encode(), None)


MANNERS = Manners(
    fault=fault,
    usage=usage,
    buckets={"general": (90, 20.0)},  # 100 within 20 s for each interface; nearly all our calls are of one
    sign=sign,
)
