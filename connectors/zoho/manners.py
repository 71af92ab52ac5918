"""How Zoho CRM speaks HTTP: which refusals pass, which need a sign-in, which a person."""

from collections.abc import Mapping
from typing import Any

import requests

from connectors.answers import retry_after_seconds
from connectors.http import Fault, Manners

CREDITS_LEFT = "X-API-CREDITS-REMAINING"
"""Sent once half of the org's credits of the last 24 hours are used, and not before."""

BUSY = "TOO_MANY_REQUESTS"
_NOTHING_LEFT = frozenset({"0", "1", "2"})
"""A query of 2,000 rows costs three."""

_WRAPPERS = ("data", "users", "fields", "modules", "layouts", "pipeline")
_RESUME_LOST = frozenset({"EXPIRED_VALUE", "TOKEN_BOUND_DATA_MISMATCH"})


def error_of(body: Any) -> Mapping[str, Any]:
    """The error object of an answer: bare, or wrapped as the one element of a list."""
    if not isinstance(body, dict):
        return {}
    for name in _WRAPPERS:
        inner = body.get(name)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict) and "code" in inner[0]:
            return inner[0]
    return body


def words(error: Mapping[str, Any]) -> str:
    """The text of an error, with what it is about."""
    details = error.get("details")
    told = details if isinstance(details, dict) else {}
    about = [
        f"{name} {told[name]}"
        for name in ("api_name", "column_name", "param_name", "permissions", "limit", "expected_data_type", "module")
        if told.get(name)
    ]
    text = str(error.get("message") or "")
    return f"{text} ({', '.join(about)})" if about else text


def fault(response: requests.Response) -> Fault | None:
    """What to do about an answer (codes: Zoho CRM developer documentation, "Status codes and errors")."""
    status = response.status_code
    if 200 <= status < 300 or status == 304:
        return None
    try:
        error = error_of(response.json())
    except ValueError:
        error = {}
    code, text = str(error.get("code") or status), words(error) or (response.reason or "")
    if status in (401, 403):
        return _refused(status, code, text)
    if status == 429 and response.headers.get(CREDITS_LEFT, "").strip() in _NOTHING_LEFT:
        return Fault("allowance", code, "the credits of the last 24 hours are spent")
    if status in (408, 429) or status >= 500 or code == BUSY:
        return Fault("retry", code, text, retry_after_seconds(response))
    return Fault("resume_lost" if code in _RESUME_LOST else "rejected", code, text)


def _refused(status: int, code: str, text: str) -> Fault:
    if code == "OAUTH_SCOPE_MISMATCH":  # a scope is missing, not a token: no renewal cures it
        return Fault("forbidden", code, f"{text}: the refresh token lacks a scope")
    return Fault("expired" if status == 401 else "forbidden", code, text)


MANNERS = Manners(
    fault=fault,
    # Zoho counts credits a day and calls at once (5 to 25), not calls per second; downloads are ten a minute.
    buckets={"general": (50, 1.0), "download": (9, 61.0)},
    tries=6,
    clock_path="/",
)
