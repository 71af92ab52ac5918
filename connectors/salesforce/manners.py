"""How Salesforce speaks HTTP: which refusals pass, which need a sign-in, and what its headers say of the day."""

import re
from typing import Any

import requests

from connectors.answers import retry_after_seconds
from connectors.http import Fault, Manners, Usage

_RETRIED = frozenset({"QUERY_TIMEOUT", "UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"})
_UNFIXABLE = ("not valid for use with the REST API", "not attached to Agent")
"""Texts of a 401 that a new token does not cure: a renewal would be refused alike, without end."""

_ADVICE = {
    410: "this API version is retired: set api_version to a newer one",
    414: "the query is too long: map fewer fields",
    431: "the query is too long: map fewer fields",
}
_TOO_MANY_LINKS = "OPERATION_TOO_LARGE"
"""Activities of a user who may not see everything are checked one by one against what they are about."""

_USAGE = re.compile(r"(?<![-\w])api-usage=(\d+)/(\d+)")
_BUSY_SECONDS = 10.0
"""Wait after "ConcurrentRequests": the limit counts calls that run over 20 s, and nothing says when they end."""


def words(response: requests.Response) -> tuple[str, str]:
    """The code and text of an error: a list of objects on data calls, one object on others, HTML from the edge."""
    try:
        body: Any = response.json()
    except ValueError:
        return "", f"an answer that is not JSON ({response.headers.get('Content-Type', 'no type')})"
    if isinstance(body, list):
        body = body[0] if body else {}
    if not isinstance(body, dict):
        return "", ""
    code = body.get("errorCode") or body.get("statusCode") or body.get("error") or ""
    return str(code), str(body.get("message") or body.get("error_description") or "")


def fault(response: requests.Response) -> Fault | None:
    """What to do about an answer (REST guide, "Status Codes and Error Responses"; limits: help article 000389067)."""
    status = response.status_code
    if 200 <= status < 300 or status == 304:
        return None
    code, text = words(response)
    if status == 401:
        hopeless = any(part in text for part in _UNFIXABLE)
        return Fault("sign_in" if hopeless else "expired", code, text)
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _limit(response, text)
    if status == 403:
        return Fault("forbidden", code, text)
    if status in (406, 408, 429, 500, 502, 503, 504) or code in _RETRIED:
        return Fault("retry", code, text, retry_after_seconds(response))
    if code == "INVALID_QUERY_LOCATOR":
        return Fault("resume_lost", code, text)
    if code == _TOO_MANY_LINKS:
        return Fault("forbidden", code, f"{text}: give the integration user View All Data, or a since to this stream")
    return Fault("rejected", code or str(status), _ADVICE.get(status, text))


def _limit(response: requests.Response, text: str) -> Fault:
    # One code for two limits with opposite cures: the day's calls are spent, or too many long calls run at once.
    if "concurrent" in text.lower():
        return Fault("retry", "REQUEST_LIMIT_EXCEEDED", text, retry_after_seconds(response) or _BUSY_SECONDS)
    return Fault("allowance", "REQUEST_LIMIT_EXCEEDED", text, retry_after_seconds(response))


def usage(response: requests.Response) -> Usage | None:
    """The whole organisation's calls of the last 24 hours, from ``Sforce-Limit-Info: api-usage=18/5000``."""
    match = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
    return Usage(day_used=int(match[1]), day_max=int(match[2])) if match else None


MANNERS = Manners(
    fault=fault,
    usage=usage,
    buckets={"general": (50, 1.0)},  # no limit per second; this keeps us far below 25 calls at once
    max_url=16_000,
    clock_path="/services/data/",  # the list of versions: no sign-in, not counted
)
