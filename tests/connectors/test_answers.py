"""Answers and what is told of them: texts without secrets, exact numbers, paths without ids, waits."""

from decimal import Decimal

import pytest
import requests

from connectors.answers import path_template, read_json, retry_after_seconds, scrub, server_time, write_json


@pytest.mark.parametrize(
    ("url", "template"),
    [
        ("https://x/services/data/v64.0/query/01gRO0000016PIAYA2-2000?q=1", "/services/data/v64.0/query/{id}"),
        ("/crm/objects/2026-03/deals/9876543210", "/crm/objects/2026-03/deals/{id}"),
        ("/jobs/8d0a3f6e-1111-4222-8333-444455556666/results", "/jobs/{id}/results"),
        ("/sobjects/OpportunityFieldHistory", "/sobjects/OpportunityFieldHistory"),
    ],
)
def test_paths_are_told_without_ids_and_queries(url: str, template: str) -> None:
    assert path_template(url) == template


def test_what_looks_like_a_secret_is_taken_out_of_a_text() -> None:
    assert scrub("unexpected token: FROM") == "unexpected token: FROM"
    text = scrub('{"client_secret": "abc", "refresh_token":"na1-1"}\nAuthorization: Basic dXNlcjpwYXNz')

    assert text == '{"client_secret": "***", "refresh_token":"***"} Authorization: Basic ***'


def test_nul_characters_are_taken_out_of_texts() -> None:
    assert read_json(b'{"name": "a\\u0000b", "rows": ["\\u0000"]}') == {"name": "ab", "rows": [""]}


def test_one_number_that_nothing_holds_leaves_the_others_readable() -> None:
    assert read_json(b"[1E99999999999999999999, -1E99999999999999999999, 1.5]") == [
        Decimal("Infinity"),
        Decimal("-Infinity"),
        Decimal("1.5"),
    ]


def test_an_exact_number_is_sent_as_a_number_or_not_at_all() -> None:
    assert write_json({"a": Decimal("1.50"), "b": Decimal(7)}) == b'{"a":1.5,"b":7}'
    with pytest.raises(ValueError, match="more digits than JSON carries"):
        write_json({"a": Decimal("0.12345678901234567890123")})


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        ("Mon, 23 Nov 2026 08:00:30 GMT", 30.0),
        ("soon", None),
        (None, None),
        ("-5", 0.0),
        ("Mon, 23 Nov 2026 08:00:30", 30.0),
        ("Fri, 31 Dec 9999 23:59:59 -1400", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    response = requests.Response()
    response.headers["Date"] = "Mon, 23 Nov 2026 08:00:00 GMT"
    if header is not None:
        response.headers["Retry-After"] = header

    assert retry_after_seconds(response) == seconds


@pytest.mark.parametrize(
    "header", ["Fri, 31 Dec 9999 23:59:59 -1400", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "noon"]
)
def test_a_date_that_is_none_is_no_time_of_the_crm(header: str) -> None:
    response = requests.Response()
    response.headers["Date"] = header

    assert server_time(response) is None
