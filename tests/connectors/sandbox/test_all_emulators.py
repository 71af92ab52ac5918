"""What every emulator promises, held against each of them on its part of one simulated company."""

import json
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import CATALOGUE, Fault
from connectors.sandbox.folder import read_world
from connectors.sandbox.routing import Headers, Reply, Request
from connectors.sandbox.world import simulate
from connectors.sandbox.world.settings import World

EMULATORS = {
    "salesforce": "SalesforceEmulator", "hubspot": "HubSpotEmulator", "zoho": "ZohoEmulator", "dynamics": "DynamicsEmulator",
    "sap": "SapEmulator", "sap_v2": "SapV2Emulator", "fxiaoke": "FxiaokeEmulator",
}  # fmt: skip
REFUSING = (
    "expired_token",
    "revoked",
    "too_many",
    "too_many_retry_after",
    "day_limit",
    "server_error",
    "bad_gateway",
    "no_permission",
)
NOWHERE = Request("GET", "/nothing/of/the/sort", {}, Headers())


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that is spread over every kind."""
    folder = tmp_path_factory.mktemp("company")
    settings = World(
        deals=90, people=12, days=240, end=date(2026, 3, 1), activities_per_deal=1, spread=tuple(EMULATORS)
    )
    simulate(settings).write(folder)
    return folder


@pytest.fixture(params=EMULATORS, scope="module")
def emulator(request: pytest.FixtureRequest, company: Path) -> Emulator:
    """One emulator of each kind, with its part of the company; for tests that leave it as it is."""
    return start(request.param, company)


@pytest.fixture(params=EMULATORS)
def fresh(request: pytest.FixtureRequest, company: Path) -> Emulator:
    """The same, for one test only."""
    return start(request.param, company)


def start(kind: str, company: Path | None) -> Emulator:
    if find_spec(f"connectors.sandbox.{kind}") is None:
        pytest.skip(f"there is no emulator of {kind}")
    found: Emulator = getattr(import_module(f"connectors.sandbox.{kind}"), EMULATORS[kind])(company)
    return found


def ask(emulator: Emulator, method: str, path: str, body: Any = None) -> Reply:
    sent = b"" if body is None else json.dumps(body).encode()
    return emulator.answer(Request(method, path, {}, Headers(), sent))


def ours(company: Path, kind: str, table: str) -> list[dict[str, str]]:
    return [row for row in read_world(company)[table] if row["connection"] == kind]


@pytest.mark.parametrize("table", ["people", "accounts", "opportunities"])
def test_every_row_of_its_own_has_one_id_and_no_row_of_another_crm_has(
    emulator: Emulator, company: Path, table: str
) -> None:
    rows = ours(company, emulator.kind, table)

    known = emulator.ids[table]

    assert rows
    assert set(known) == {row["id"] for row in rows}
    assert len(set(known.values())) == len(known)


@pytest.mark.parametrize("kind", EMULATORS)
def test_ids_are_the_same_on_every_start(kind: str, company: Path) -> None:
    first, second = start(kind, company), start(kind, company)

    assert first.ids == second.ids


def test_a_record_is_found_by_the_worlds_id_and_by_the_crms(emulator: Emulator, company: Path) -> None:
    for table in ("accounts", "opportunities"):
        row = ours(company, emulator.kind, table)[0]

        by_ours = ask(emulator, "GET", f"/__world/{table}/{row['id']}")
        by_theirs = ask(emulator, "GET", f"/__world/{table}/{emulator.ids[table][row['id']]}")

        assert by_ours.status == by_theirs.status == 200
        assert by_ours.body == by_theirs.body
        assert row["name"] in json.dumps(by_ours.body, ensure_ascii=False, default=str).replace('\\"', '"')


def test_an_edit_in_our_words_changes_the_record_and_its_stamp(fresh: Emulator, company: Path) -> None:
    deal = ours(company, fresh.kind, "opportunities")[0]
    before = ask(fresh, "GET", f"/__world/opportunities/{deal['id']}").body
    order = {
        "record": "opportunities",
        "id": deal["id"],
        "fields": {"name": "Renamed by a colleague", "amount": "4321.00"},
    }

    edited = ask(fresh, "POST", "/__world", order)

    assert edited.status == 200, edited.body
    assert edited.body["id"] == fresh.ids["opportunities"][deal["id"]]
    after = ask(fresh, "GET", f"/__world/opportunities/{deal['id']}").body
    text = json.dumps(after, default=str)
    assert "Renamed by a colleague" in text
    assert "4321" in text
    assert len(changed_names(before, after)) > 2, "no stamp moved"


def changed_names(before: Any, after: Any, prefix: str = "") -> set[str]:
    """Paths of what differs between two shown records."""
    if isinstance(before, dict) and isinstance(after, dict):
        return set().union(
            *(changed_names(before.get(name), after.get(name), f"{prefix}/{name}") for name in {*before, *after})
        )
    return set() if before == after else {prefix}


def test_a_removed_record_is_gone_or_marked(fresh: Emulator, company: Path) -> None:
    deal = ours(company, fresh.kind, "opportunities")[0]
    path = f"/__world/opportunities/{deal['id']}"
    before = ask(fresh, "GET", path).body

    removed = ask(fresh, "DELETE", path)

    assert removed.status == 204
    after = ask(fresh, "GET", path)
    assert after.status == 404 or after.body != before


def test_what_nobody_knows_is_told_as_such(fresh: Emulator) -> None:
    edit = {"record": "opportunities", "id": "no such deal", "fields": {"name": "x"}}
    makes_it = fresh.kind == "hubspot"  # an id it does not know is one more record of the world to it

    assert ask(fresh, "GET", "/__world/opportunities/no-such-deal").status == 404
    assert ask(fresh, "DELETE", "/__world/opportunities/no-such-deal").status == 404
    assert ask(fresh, "POST", "/__world", edit).status == (200 if makes_it else 400)
    assert ask(fresh, "POST", "/__faults", {"name": "no such fault"}).status == 400
    assert ask(fresh, "GET", "/__nothing").status == 404


def test_control_calls_need_no_sign_in_count_nowhere_and_never_fail_on_demand(fresh: Emulator) -> None:
    for name in REFUSING:
        ask(fresh, "POST", "/__faults", {"name": name, "times": None})

    statuses = [ask(fresh, "GET", path).status for path in ("/__stats", "/__faults", "/__clock")]

    assert statuses == [200, 200, 200]
    assert ask(fresh, "GET", "/__stats").body == {}
    assert len(ask(fresh, "GET", "/__faults").body["armed"]) == len(REFUSING)
    assert ask(fresh, "DELETE", "/__faults").body["armed"] == []


def test_calls_are_counted_and_the_count_starts_anew(fresh: Emulator) -> None:
    fresh.answer(NOWHERE)

    counted = ask(fresh, "GET", "/__stats").body
    ask(fresh, "POST", "/__stats/reset")

    assert sum(counted.values()) == 1
    assert ask(fresh, "GET", "/__stats").body == {}


def test_the_clock_is_put_off_and_skewed(fresh: Emulator) -> None:
    moved = ask(fresh, "POST", "/__clock", {"skew_seconds": 90}).body
    ask(fresh, "POST", "/__faults", {"name": "clock_skew", "seconds": 3600})

    skewed = ask(fresh, "GET", "/__clock").body

    assert moved["skew_seconds"] == 90
    assert skewed["now"] > moved["now"]


def test_every_common_fault_is_known_and_has_a_sentence(emulator: Emulator) -> None:
    told = ask(emulator, "GET", "/__faults").body["faults"]

    assert set(CATALOGUE) <= set(told)
    assert all(told.values())


@pytest.mark.parametrize("name", REFUSING)
def test_a_refusing_fault_has_words_of_the_vendors(emulator: Emulator, name: str) -> None:
    route = next(route for route in emulator.routes() if f"{route[0]} {route[1]}" not in emulator.open_routes)
    request = Request(route[0], route[1], {}, Headers(), b"{}", f"{route[0]} {route[1]}")

    reply = emulator.refusal(Fault(name), request)

    body = reply.body if isinstance(reply.body, str) else json.dumps(reply.body, ensure_ascii=False)
    assert len(body) > 20 or reply.headers, "neither a body nor a header says what is wrong"
    if name == "bad_gateway":
        assert (reply.status, "<html>" in body) == (502, True)
    elif reply.status == 200:
        assert reply.body["errorCode"] != 0, "an answer with status 200 must say in its body that it is a refusal"
    else:
        assert reply.status >= 300


@pytest.mark.parametrize(("name", "mark"), [("cut", "cut"), ("truncated", "truncated"), ("slow", "delay_seconds")])
def test_the_line_fails_on_demand_and_only_as_often_as_asked(emulator: Emulator, name: str, mark: str) -> None:
    ask(emulator, "POST", "/__faults", {"name": name, "times": 1, "seconds": 0.001})

    first, second = emulator.answer(NOWHERE), emulator.answer(NOWHERE)

    assert getattr(first, mark)
    assert not getattr(second, mark)


@pytest.mark.parametrize("kind", EMULATORS)
def test_without_a_world_the_crm_has_no_deals(kind: str) -> None:
    emulator = start(kind, None)

    assert not emulator.ids.get("opportunities")
    assert emulator.routes()
