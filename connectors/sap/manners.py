"""How SAP Cloud for Customer speaks HTTP: which refusals pass, which are final, and which ask for a new CSRF token."""

import requests

from connectors.answers import error_words, retry_after_seconds
from connectors.http import Fault, Manners

STALE_TOKEN = "CSRF_TOKEN_REQUIRED"  # noqa: S105 - a code
"""Our code for a write whose CSRF token, or the session that it belongs to, is no longer known."""

_RETRIED = frozenset({408, 429, 500, 502, 503, 504})


def fault(response: requests.Response) -> Fault | None:
    """What to do about an answer. Error bodies are OData version 2: ``{"error": {"code", "message": {"lang", "value"}}}``."""
    status = response.status_code
    if 200 <= status < 300 or status == 304:
        return None
    code, text = error_words(response)
    if status == 401:
        return Fault("expired", code, text)  # with a password there is nothing to renew: the user would be locked
    if status == 403:
        if response.headers.get("x-csrf-token", "").lower() == "required":
            return Fault("rejected", STALE_TOKEN, text)
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
    tries=5,
)
