"""Our requests, and the answers to them, against the index of what hubspot-api-client 12.0.0 sends and parses."""

import json
import re
from typing import Any

import pytest

from connectors.base import Write
from connectors.sandbox.hubspot import HubSpotEmulator
from connectors.sandbox.routing import Reply, Request
from tests.connectors.hubspot.conftest import (
    ALL,
    DEALS,
    KEYED,
    LONG_AGO,
    PEOPLE,
    STREAMS,
    VALUES,
    pulled,
    specs,
    verdicts,
    window,
)
from tests.connectors.sandbox.hubspot_emulator.conftest import CONTRACT
from tests.connectors.sandbox.hubspot_emulator.test_contract import Models

UNKNOWN_TO_THE_CLIENT = re.compile(r"/(account-info|settings/v3/currencies|crm-object-schemas)/|/oauth/v3/")
"""Paths that the index does not have, for this client has no function for them."""
PLACE = re.compile(r"\{[^}]+\}")


class Heard:
    """Every call that reached the emulator, with its answer."""

    def __init__(self, emulator: HubSpotEmulator) -> None:
        self.calls: list[tuple[Request, Reply]] = []
        self._answer = emulator.answer
        emulator.answer = self._listen  # type: ignore[method-assign]  # an ear, not another answer

    def _listen(self, request: Request) -> Reply:
        reply = self._answer(request)
        self.calls.append((request, reply))
        return reply


class Index:
    """Which operation of the client a call is, with the models of its API."""

    def __init__(self, contract: dict[str, Any]) -> None:
        known = [
            (re.compile(PLACE.sub("[^/]+", operation["path"].rstrip("/")) + "/?"), operation, Models(contract, api))
            for api in ("deal_splits", "generic_objects", "associations_v4", "owners", "properties", "pipelines")
            for operation in contract["apis"][api]["operations"]
        ]
        self._known = sorted(known, key=lambda one: len(PLACE.findall(one[1]["path"])))  # groups are no property's name

    def of(self, request: Request) -> tuple[dict[str, Any], Models]:
        for path, operation, models in self._known:
            if path.fullmatch(request.path) and operation["method"] == request.method:
                return operation, models
        raise AssertionError(f"the client has no {request.where}")


@pytest.fixture(scope="module")
def index() -> Index:
    if not CONTRACT.exists():
        pytest.skip(f"{CONTRACT.name} is not beside the project")
    return Index(json.loads(CONTRACT.read_text(encoding="utf-8")))


@pytest.fixture
def heard(opened: Any, emulator: HubSpotEmulator) -> list[tuple[Request, Reply]]:
    """The calls of a whole life: check, provision, first load, changes, deletions, writing, reading back, taking away."""
    ear = Heard(emulator)
    hubspot = opened(api_version="v3", fields={"person": {"region": "region"}})
    wanted = [spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)]
    list(hubspot.check())
    list(hubspot.provision(wanted, dry_run=False))
    for name in sorted(ALL):
        pulled(hubspot, name, window(streams=ALL))
        pulled(hubspot, name, window(LONG_AGO, streams=ALL))
        list(hubspot.deletions(STREAMS[name], None, hubspot.now()))
        hubspot.count(STREAMS[name])
    for target, remote_id in ((DEALS, "501"), (DEALS, "404"), (PEOPLE, "701"), (KEYED, "701:2026-Q4")):
        verdicts(hubspot, target, [Write(remote_id, VALUES)])
        hubspot.read_fields(target, [remote_id], list(VALUES))
    list(hubspot.unprovision(wanted, dry_run=False))
    return [call for call in ear.calls if not UNKNOWN_TO_THE_CLIENT.search(call[0].path)]


def test_our_requests_are_those_of_the_client(heard: list[tuple[Request, Reply]], index: Index) -> None:
    done = set()

    for request, _ in heard:
        operation, models = index.of(request)
        done.add(operation["python"])
        assert set(request.query) <= set(operation["query"]), request.where
        model = (operation["body_model"] or "").title().replace("_", "")
        assert bool(model) == bool(request.body), request.where
        if model:
            sent = request.json()
            for sort in sent.get("sorts", ()):  # typed as texts in the index; HubSpot's guide to search sends objects
                assert set(sort) == {"propertyName", "direction"}
            models.check({name: value for name, value in sent.items() if name != "sorts"}, model)

    assert {
        "basic_api.get_page",
        "search_api.do_search",
        "batch_api.read",
        "batch_api.update",
        "batch_api.upsert",
    } <= done


def test_the_answers_are_the_clients_models(heard: list[tuple[Request, Reply]], index: Index) -> None:
    statuses = set()

    for request, reply in heard:
        operation, models = index.of(request)
        statuses.add(reply.status)
        model = operation["responses"].get(str(reply.status))
        assert model or reply.status == 204, (request.where, reply.status, reply.body)
        if model:
            models.check(reply.body, model)

    assert statuses == {200, 201, 204, 207}
