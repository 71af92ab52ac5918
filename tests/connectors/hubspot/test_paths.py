"""Addresses and answers, without a server: versions, scopes, faults, limits."""

import json
from typing import Any

import pytest
import requests

from connectors.hubspot.paths import fault, scope_for, usage, versioned


@pytest.mark.parametrize(
    ("numbered", "dated"),
    [
        ("/crm/v3/objects/deals", "/crm/objects/2026-03/deals"),
        ("/crm/v3/objects/deals/batch/read", "/crm/objects/2026-03/deals/batch/read"),
        ("/crm/v3/objects/deals/splits/batch/read", "/deal-splits/2026-03/batch/read"),
        ("/crm/v3/owners/", "/crm/owners/2026-03"),
        ("/crm/v3/properties/deals", "/crm/properties/2026-03/deals"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-03/deals"),
        ("/crm/v4/associations/deals/companies/batch/read", "/crm/associations/2026-03/deals/companies/batch/read"),
        ("/settings/v3/currencies/exchange-rates", "/settings/currencies/2026-03/exchange-rates"),
        ("/account-info/v3/details", "/account-info/2026-03/details"),
        ("/oauth/v3/token", "/oauth/2026-03/token"),
    ],
)
def test_a_numbered_path_has_a_dated_spelling(numbered: str, dated: str) -> None:
    assert versioned(numbered, "2026-03") == dated
    assert versioned(numbered, "v3") == numbered


def test_sign_in_has_no_path_of_2025() -> None:
    assert versioned("/oauth/v3/token", "2025-09") == "/oauth/v3/token"


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/crm/objects/2026-03/deals?limit=1", "crm.objects.deals.read"),
        ("/crm/v3/objects/deals/batch/update", "crm.objects.deals.write"),
        ("/crm/v3/objects/users/batch/update", "crm.objects.users.write"),
        ("/crm/v3/objects/users/batch/read", "crm.objects.users.read"),
        ("/crm/objects/2026-03/calls/search", "crm.objects.contacts.read"),
        ("/crm/v4/associations/deals/companies/batch/read", "crm.objects.deals.read"),
        ("/crm/v4/associations/calls/deals/batch/read", "crm.objects.contacts.read"),
        ("/crm/objects/2026-03/companies", "crm.objects.companies.read"),
        ("/crm/objects/2026-03/goal_targets", "crm.objects.goals.read"),
        ("/crm/owners/2026-03", "crm.objects.owners.read"),
        ("/crm/pipelines/2026-03/deals", "crm.objects.deals.read"),
        ("/settings/currencies/2026-03/exchange-rates", "settings.currencies.read"),
    ],
)
def test_a_call_names_the_scope_that_it_needs(path: str, scope: str) -> None:
    assert scope_for(path).startswith(scope)


def answer(status: int, body: object, headers: dict[str, str] | None = None, path: str = "/crm/v3/owners/") -> Any:
    response = requests.Response()
    response.status_code = status
    response._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    response.headers.update(headers or {})
    response.request = requests.Request("GET", f"http://127.0.0.1{path}").prepare()
    return response


@pytest.mark.parametrize(
    ("status", "body", "headers", "action", "after"),
    [
        (429, {"policyName": "DAILY", "errorType": "RATE_LIMIT", "message": "daily"}, {}, "allowance", None),
        (429, {"policyName": "TEN_SECONDLY_ROLLING", "message": "slow"}, {}, "retry", 10.0),
        (429, {"policyName": "SECONDLY", "message": "slow"}, {"Retry-After": "3"}, "retry", 3.0),
        (423, {}, {}, "retry", 2.0),
        (477, {}, {"Retry-After": "600"}, "retry", 600.0),
        (502, "<html>", {}, "retry", None),
        (524, "<html>", {}, "retry", None),
        (401, {"category": "EXPIRED_AUTHENTICATION"}, {}, "expired", None),
        (530, "<html>", {}, "sign_in", None),
        (403, {"category": "MISSING_SCOPES", "message": "no"}, {}, "forbidden", None),
        (414, "<html>", {}, "rejected", None),
    ],
)
def test_an_unwelcome_answer_is_taken_as_documented(
    status: int, body: object, headers: dict[str, str], action: str, after: float | None
) -> None:
    found = fault(answer(status, body, headers))

    assert found is not None
    assert (found.action, found.after_seconds) == (action, after)


def test_a_partial_success_is_no_fault() -> None:
    assert fault(answer(207, {"numErrors": 1})) is None


def test_the_code_of_a_refusal_is_the_innermost_one() -> None:
    message = 'Property values were not valid: [{"isValid":false,"error":"INVALID_NUMBER","name":"scoreback_score"}]'

    found = fault(answer(400, {"message": message, "category": "VALIDATION_ERROR"}))

    assert found is not None
    assert found.code == "INVALID_NUMBER"


def test_limits_are_read_from_the_headers_but_not_from_those_of_a_search() -> None:
    headers = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": "100",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Daily": "250000",
        "X-HubSpot-RateLimit-Daily-Remaining": "240000",
    }

    listed = usage(answer(200, {}, headers))
    searched = usage(answer(200, {}, headers, "/crm/v3/objects/deals/search"))

    assert listed is not None
    assert searched is not None
    assert (listed.day_used, listed.bucket_max, listed.bucket_seconds) == (10_000, 190, 10.0)
    assert (searched.day_used, searched.bucket_max) == (10_000, None)
    assert usage(answer(200, {})) is None


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/crm/objects/2026-03/invoices/search", "crm.objects.invoices.read"),
        ("/crm/v3/objects/commerce_payments", "crm.objects.commercepayments.read"),
        ("/crm/associations/2026-03/subscriptions/companies/batch/read", "crm.objects.subscriptions.read"),
        ("/crm/objects/2026-03/forecasts", "crm.objects.forecasts.read"),
    ],
)
def test_the_scopes_of_commerce_objects_are_named(path: str, scope: str) -> None:
    assert scope_for(path) == scope
