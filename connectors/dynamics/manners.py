"""How Dataverse speaks HTTP: which refusals pass, which need a sign-in, and what stops the connection."""

import requests

from connectors.answers import error_words, retry_after_seconds
from connectors.http import Fault, Manners

EXPIRED_LINK = "0x80044352"
"""A delta link that is too old: "Please perform a full sync"."""
NOT_TRACKED = "0x80072491"
NO_SUCH_COLUMN = "0x80041103"
NO_SUCH_ROW = "0x80040217"
NOT_SUPPORTED = "0x80040800"
LOCKED = frozenset({"0x80044150", "0x80044151"})
"""SQL deadlock and timeout."""
UNEXPECTED = "0x80040216"
"""An error that passes as a rule: the vendor's page (6.3) has it tried again in smaller parts."""

_NOBODY = frozenset({"0x80072560", "0x80042f09"})
"""Our application user is not in this environment, or has no role: no stream can be read."""
_FINAL_500 = frozenset({"0x80040333"})
"""Duplicate detection answers with 500, and would do so again (powerapps-docs#1951)."""

WINDOW_SECONDS = 300
"""The service protection limits count over this time: whoever asks for more patience speaks of the day."""


def fault(response: requests.Response) -> Fault | None:
    """What to do about an answer (service protection limits; "Compose HTTP requests and handle errors")."""
    status = response.status_code
    if 200 <= status < 300 or status == 304:
        return None
    code, text = error_words(response)
    if status == 401:
        return Fault("expired", code, text)
    if status == 403:
        return Fault("sign_in" if code in _NOBODY else "forbidden", code, text)
    if status == 429:
        after = retry_after_seconds(response)
        long = after is not None and after > WINDOW_SECONDS
        return Fault("allowance" if long else "retry", code, text, after)
    if status == 408 or (status >= 500 and code not in _FINAL_500):
        return Fault("retry", code, text, retry_after_seconds(response))
    return Fault("rejected", code, text)


MANNERS = Manners(
    fault=fault,
    buckets={"general": (4_800, float(WINDOW_SECONDS))},  # four fifths of 6,000 calls in 300 s
    max_url=30_000,
    clock_path="/api/data/v9.2/",  # refused without a sign-in, and tells the time all the same
)
