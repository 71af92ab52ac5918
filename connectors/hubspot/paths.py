"""HubSpot's addresses, answers and rights: the path table, how an error is to be taken, which scope a call needs."""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

import requests

from connectors.answers import retry_after_seconds
from connectors.limiter import Usage
from connectors.manners import Fault, Manners

Version = Literal["v3", "2025-09", "2026-03", "2026-09"]
DEFAULT_VERSION: Version = "2026-03"

_DATED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), dated)
    for pattern, dated in (
        (r"^/crm/v3/objects/deals/splits/", "/deal-splits/{}/"),
        (r"^/crm/v3/(objects|properties|pipelines|owners)(?=/|$)", r"/crm/\1/{}"),
        (r"^/crm-object-schemas/v3/", "/crm-object-schemas/{}/"),
        (r"^/crm/v4/associations/", "/crm/associations/{}/"),
        (r"^/settings/v3/currencies/", "/settings/currencies/{}/"),
        (r"^/account-info/v3/", "/account-info/{}/"),
        (r"^/oauth/v3/", "/oauth/{}/"),
    )
)

_SCOPES: tuple[tuple[str, str], ...] = (
    ("objects/deals/splits|deal-splits", "crm.dealsplits.read_write"),
    ("objects/users/batch/(update|upsert)", "crm.objects.users.write"),
    ("objects/users", "crm.objects.users.read"),
    ("(objects|associations)/line_items", "crm.objects.line_items.read"),
    (
        "(objects|associations)/feedback_submissions",
        "crm.objects.feedback_submissions.read (and crm.objects.contacts.read)",
    ),
    ("objects/goal_targets", "crm.objects.goals.read"),
    ("(objects|associations)/invoices", "crm.objects.invoices.read"),
    ("(objects|associations)/commerce_payments", "crm.objects.commercepayments.read"),
    ("(objects|associations)/subscriptions", "crm.objects.subscriptions.read"),
    ("objects/forecasts", "crm.objects.forecasts.read"),
    ("objects/deals/batch/(update|upsert)", "crm.objects.deals.write"),
    ("objects/deals|pipelines|associations/deals", "crm.objects.deals.read"),
    ("objects/companies", "crm.objects.companies.read"),
    ("(objects|associations)/(calls|meetings|emails|tasks|notes|contacts)", "crm.objects.contacts.read"),
    ("owners", "crm.objects.owners.read"),
    ("properties/deals", "crm.schemas.deals.read (and crm.schemas.deals.write to create properties)"),
    ("properties/users", "crm.objects.users.read (and crm.objects.users.write to create properties)"),
    ("properties/companies", "crm.schemas.companies.read"),
    ("schemas", "crm.schemas.custom.read (and crm.schemas.custom.write to create the object)"),
    ("objects", "crm.objects.custom.read (and crm.objects.custom.write to write)"),
    ("exchange-rates", "settings.currencies.read"),
)

_RETRIED: dict[int, float | None] = {
    423: 2.0,
    477: 60.0,
    **dict.fromkeys((500, 502, 503, 504, 520, 521, 522, 523, 524)),
}
"""Answers worth another try, with the seconds to wait where HubSpot gives none: locked, being moved, out of order."""


def versioned(path: str, version: str) -> str:
    """A numbered path in the spelling of ``version``: ``/crm/v3/owners/`` becomes ``/crm/owners/2026-03``.

    Table of docs/connectors/hubspot.md. The dated sign-in paths begin with 2026-03; 2025-09 keeps the numbered one.
    """
    if version == "v3" or (version == "2025-09" and path.startswith("/oauth/")):
        return path
    for pattern, dated in _DATED:
        if pattern.match(path):
            return pattern.sub(dated.format(version), path, count=1).rstrip("/")
    return path


def scope_for(path: str) -> str:
    """The scope that a call to ``path`` needs, by our own table.

    HubSpot's own answer may name the wrong one (github.com/HubSpot/hubspot-api-nodejs/issues/268).
    """
    plain = re.sub(r"/(v\d|\d{4}-\d\d)(?=[/?]|$)", "", path)  # the same in every version
    return next((scope for pattern, scope in _SCOPES if re.search(f"/({pattern})", plain)), "the scope of this object")


def _body(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}  # the edge answers in HTML
    return body if isinstance(body, dict) else {}


def embedded_errors(message: str) -> list[dict[str, Any]]:
    """The findings that HubSpot writes as JSON into a sentence: ``Property values were not valid: [{...}]``."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        found, _ = json.JSONDecoder().raw_decode(message[start:])
    except ValueError:
        return []
    return [item for item in found if isinstance(item, dict)]


def _code(body: Mapping[str, Any], status: int) -> str:
    for item in (*(body.get("errors") or ()), *embedded_errors(str(body.get("message", "")))):
        if isinstance(item, dict) and (code := item.get("code") or item.get("error")):
            return str(code)
    return str(body.get("category") or body.get("errorType") or f"HTTP_{status}")


def _wait(response: requests.Response, otherwise: float | None) -> float | None:
    told = retry_after_seconds(response)
    return otherwise if told is None else told


def _limit(response: requests.Response, body: Mapping[str, Any]) -> Fault:
    text = str(body.get("message", "too many requests"))
    if body.get("policyName") == "DAILY" or "daily limit" in text:
        return Fault("allowance", "DAILY", text)
    return Fault("retry", str(body.get("policyName") or "RATE_LIMIT"), text, _wait(response, 10.0))


def fault(response: requests.Response) -> Fault | None:
    """How HubSpot's answer is to be taken; its error model is docs/connectors/hubspot.md, section Errors."""
    status = response.status_code
    if status < 400:
        return None  # 207 too: its errors are per record, and the caller reads them
    body = _body(response)
    code, text = _code(body, status), str(body.get("message") or response.reason or "no reason given")
    if status == 401:
        return Fault("expired", str(body.get("category") or "INVALID_AUTHENTICATION"), text)
    if status == 530:
        return Fault("sign_in", "HTTP_530", "the token has not the shape of a HubSpot token: copy it again, whole")
    if status == 403:
        scope = scope_for(response.request.path_url)
        return Fault("forbidden", code, f"{text} By our table this needs {scope}.")
    if status == 429:
        return _limit(response, body)
    if status in _RETRIED:
        return Fault("retry", f"HTTP_{status}", text, _wait(response, _RETRIED[status]))
    return Fault("rejected", code, text)


def _number(response: requests.Response, header: str) -> int | None:
    value = response.headers.get(f"X-HubSpot-RateLimit-{header}", "")
    return int(value) if value.isdigit() else None


def usage(response: requests.Response) -> Usage | None:
    """Limits as the headers tell them; the limiter itself leaves a part of the short limit to others.

    Answers of the search endpoints say nothing of their own limit, so the general one is not read from them.
    """
    day, day_left = _number(response, "Daily"), _number(response, "Daily-Remaining")
    used = day - day_left if day is not None and day_left is not None else None
    most, interval = _number(response, "Max"), _number(response, "Interval-Milliseconds")
    if most is None or interval is None or response.request.path_url.endswith("/search"):
        return Usage(day_used=used, day_max=day) if used is not None else None
    left = _number(response, "Remaining")
    return Usage(used, day, most, left, interval / 1000)


MANNERS = Manners(fault=fault, usage=usage, buckets={"general": (80, 10.0), "search": (4, 1.0)}, tries=5)
