"""How SAP Sales Cloud Version 2 speaks HTTP: which refusals pass and which are final."""

from typing import Any

import requests

from connectors.answers import retry_after_seconds
from connectors.http import Fault, Manners

_RETRIED = frozenset({408, 429, 500, 502, 503, 504})


def words(response: requests.Response) -> tuple[str, str]:
    """Code and text of ``{"error": {"code", "message", "target"}}``, with the field that is meant."""
    try:
        body: Any = response.json()
    except ValueError:
        return str(response.status_code), response.reason or ""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return str(response.status_code), response.reason or ""
    text, target = str(error.get("message") or response.reason or ""), str(error.get("target") or "")
    code = str(error.get("code") or response.status_code)
    return code, f"{text} ({target})" if target and target not in text else text


def fault(response: requests.Response) -> Fault | None:
    """What to do about an answer."""
    status = response.status_code
    if 200 <= status < 300 or status == 304:
        return None
    code, text = words(response)
    if status == 401:
        return Fault("expired", code, text)  # with a password there is nothing to renew: the user would be locked
    if status == 403:
        return Fault("forbidden", code, text)
    if status == 429 and "quota" in text.lower():  # a gateway in front that counts the calls of a day or a month
        return Fault("allowance", code, text, retry_after_seconds(response))
    if status in _RETRIED:
        return Fault("retry", code, text, retry_after_seconds(response))
    return Fault("rejected", code, text)


MANNERS = Manners(
    fault=fault,
    buckets={"general": (20, 1.0)},  # SAP publishes no limit; two calls at a time are what it asks for
    max_url=8_000,
)
