"""Routes, faults and control endpoints."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox.routing import Headers, Router
from connectors.sandbox.server import BAD_GATEWAY, CATALOGUE, Faults, Reply, Request

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_a_literal_part_of_a_template_wins_over_a_placeholder() -> None:
    router = Router(
        [
            (method, path, lambda _r: Reply())
            for method, path in [("GET", "/a/{x}"), ("GET", "/a/b"), ("PUT", "/a/{x}/c")]
        ]
    )

    methods = [
        {name: match[0] for name, match in router.match(path)[0].items()}
        for path in ("/a/b", "/a/z/", "/a/b/c", "/q", "/a//c")
    ]

    assert methods == [{"GET": "/a/b"}, {"GET": "/a/{x}"}, {"PUT": "/a/{x}/c"}, {}, {}]


def test_calls_are_counted_by_template_refused_ones_too(toy: Any) -> None:
    for method, path, token in [
        ("GET", "/notes/1", "sandbox"), ("GET", "/notes/2", "sandbox"), ("GET", "/notes", "wrong"), ("PUT", "/notes", "sandbox"),
        ("GET", "/nothing", "sandbox"),
    ]:  # fmt: skip
        toy.ask(method, path, token=token)

    counted = toy.ask("GET", "/__stats").body
    toy.ask("POST", "/__stats/reset")

    assert counted == {"GET /notes": 1, "GET /notes/{id}": 2, "GET (unknown)": 1, "PUT (unknown)": 1}
    assert toy.ask("GET", "/__stats").body == {}


def test_an_unknown_path_and_a_wrong_method_reach_the_vendors_words(toy: Any) -> None:
    missing, wrong, unsigned = toy.ask("GET", "/x"), toy.ask("PUT", "/notes"), toy.ask("GET", "/x", token="")

    assert (missing.status, wrong.status, wrong.body) == (404, 405, {"allowed": ["GET", "POST"]})
    assert unsigned.status == 401


def test_a_fault_lets_some_pass_and_is_then_spent(toy: Any) -> None:
    toy.ask("POST", "/__faults", {"name": "too_many", "after": 1, "times": 2, "match": "GET /notes"})

    statuses = [toy.ask("GET", "/notes/1").status for _ in range(5)]

    assert statuses == [200, 429, 429, 200, 200]


def test_a_fault_without_times_stays_until_cleared(toy_with: Callable[..., Any]) -> None:
    toy = toy_with(faults=["day_limit"])
    before = [toy.ask("GET", "/notes").status for _ in range(3)]

    toy.ask("DELETE", "/__faults")

    assert before == [500, 500, 500]
    assert toy.ask("GET", "/notes").status == 200


def test_sign_in_is_spared_unless_it_is_meant(toy_with: Callable[..., Any]) -> None:
    toy = toy_with(faults=["server_error", "day_limit"])
    spared = toy.ask("POST", "/token").status, toy.ask("GET", "/limits").status
    toy.ask("DELETE", "/__faults")
    toy.ask("POST", "/__faults", {"name": "server_error", "match": "/token"})

    meant = toy.ask("POST", "/token").status

    assert spared == (200, 500), "the server error spares the token endpoint and is spent on the next call"
    assert toy_with(faults=["day_limit"]).ask("GET", "/limits").status == 200
    assert meant == 500


def test_revoked_stops_the_token_endpoint_too(toy_with: Callable[..., Any]) -> None:
    toy = toy_with(faults=["revoked"])

    assert (toy.ask("POST", "/token").status, toy.ask("GET", "/notes").status) == (500, 500)


def test_slow_and_skew_take_their_seconds(toy: Any) -> None:
    toy.ask("POST", "/__faults", {"name": "slow", "seconds": 0.001, "times": 1})
    toy.ask("POST", "/__faults", {"name": "clock_skew", "seconds": 60})

    first, second = toy.ask("GET", "/notes"), toy.ask("GET", "/notes")

    assert (first.delay_seconds, second.delay_seconds) == (0.001, 0.0)
    assert toy.now() == NOW + timedelta(seconds=60)


def test_faults_can_be_named_with_options_in_one_text() -> None:
    faults = Faults(CATALOGUE, ["too_many:times=3,match=GET"])

    assert [bool(faults.strike("too_many", where)) for where in ("PUT /", "GET /", "GET /", "GET /", "GET /")] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_every_armed_fault_of_a_name_strikes_when_all_are_asked() -> None:
    faults = Faults(CATALOGUE)
    for field in ("a", "b"):
        faults.arm({"name": "missing_field", "field": field})
    faults.arm({"name": "missing_field", "field": "c", "match": "elsewhere"})

    struck = faults.strike_all("missing_field", "GET /")

    assert [fault.extra["field"] for fault in struck] == ["a", "b"]


def test_an_unknown_fault_is_refused_with_the_names_there_are(toy: Any) -> None:
    reply = toy.ask("POST", "/__faults", {"name": "too_mny"})

    assert reply.status == 400
    assert "too_many" in reply.body["known"]
    assert toy.ask("GET", "/__faults").body["faults"]["cut"].startswith("The connection is closed")


def test_a_rate_refuses_the_call_too_many(toy_with: Callable[..., Any]) -> None:
    toy = toy_with(rate=2)

    statuses = [toy.ask("GET", "/notes").status for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_records_are_shown_edited_and_deleted_over_control(toy: Any) -> None:
    edited = toy.ask("POST", "/__world", {"record": "notes", "id": "1", "fields": {"text": "two"}}, token="")
    shown = toy.ask("GET", "/__world/notes/1")
    deleted, gone = toy.ask("DELETE", "/__world/notes/1"), toy.ask("GET", "/__world/notes/1")
    nobody = toy.ask("POST", "/__world", {"record": "notes", "id": "9", "fields": {}})

    assert (edited.body, shown.body) == ({"id": "1"}, {"text": "two"})
    assert (deleted.status, gone.status, nobody.status) == (204, 404, 400)
    assert toy.stats == {}, "control calls are not counted"


def test_a_body_that_is_no_json_is_the_callers_fault(toy: Any) -> None:
    reply = toy.answer(Request("POST", "/notes", {}, Headers(authorization="Bearer sandbox"), b"{"))

    assert reply.status == 400


def test_form_bodies_are_decoded() -> None:
    request = Request("POST", "/", body=b"a=1&b=x+y%2B&a=2&c=")

    assert request.form() == {"a": "2", "b": "x y+", "c": ""}


def test_a_bad_gateway_page_is_html() -> None:
    assert BAD_GATEWAY.startswith("<html>")
