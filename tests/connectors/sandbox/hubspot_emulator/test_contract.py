"""Answers and request models against the index of hubspot-api-client 12.0.0."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from connectors.sandbox.hubspot.shapes import SHAPES

SCALARS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
BEYOND_THE_CLIENT = {
    "numberDisplayHint", "showCurrencySymbol", "currencyPropertyName", "textDisplayHint", "dataSensitivity",
    "url", "associationSpec",
}  # fmt: skip
"""Keys that HubSpot takes or sends today and this client has no model for."""


class Models:
    """The models that one API of the client sees."""

    def __init__(self, contract: dict[str, Any], api: str) -> None:
        self.models = {**contract["shared_models"], **contract["apis"][api].get("models", {})}
        self.operations = contract["apis"][api]["operations"]

    def answer_of(self, python: str, status: int) -> str:
        """The model of an operation's answer."""
        (operation,) = [one for one in self.operations if one["python"] == python]
        return str(operation["responses"][str(status)])

    def check(self, value: Any, model: str) -> None:
        """Asserts that a value is one of that model: required keys, types, enumerations, nothing unheard of."""
        named = self.models[model]
        assert isinstance(value, dict), (model, value)
        missing = [name for name in named["required"] if value.get(name) is None]
        assert not missing, f"{model} lacks {missing}: {value}"
        unknown = set(value) - set(named["fields"]) - BEYOND_THE_CLIENT
        assert not unknown, f"{model} has no {unknown}"
        for name, kind in named["fields"].items():
            if value.get(name) is not None:
                self.check_kind(value[name], kind, f"{model}.{name}")
                assert value[name] in named.get("enums", {}).get(name, [value[name]]), (model, name, value[name])

    def check_kind(self, value: Any, kind: str, where: str) -> None:
        """Asserts that a value is of that kind."""
        if kind.startswith("list["):
            assert isinstance(value, list), where
            self.check_each(value, kind[5:-1], where)
        elif kind.startswith("dict[str, "):
            assert isinstance(value, dict), where
            self.check_each([one for one in value.values() if one is not None], kind[10:-1], where)
        elif kind == "datetime":
            assert datetime.fromisoformat(value).tzinfo is not None, where
        elif kind in SCALARS:
            assert isinstance(value, SCALARS[kind]), (where, value)
            assert kind == "bool" or not isinstance(value, bool), where
        elif kind != "object":
            self.check(value, kind)

    def check_each(self, values: list[Any], kind: str, where: str) -> None:
        """Asserts that all values are of that kind."""
        for one in values:
            self.check_kind(one, kind, where)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_request_models_are_those_of_the_client(name: str, contract: dict[str, Any]) -> None:
    known = {**contract["shared_models"]}
    for api in contract["apis"].values():
        known.update(api.get("models", {}))
    if name not in known:
        pytest.skip("a model of an endpoint that the index does not cover")

    shape, model = SHAPES[name], known[name]

    assert set(shape.fields) - BEYOND_THE_CLIENT == set(model["fields"])
    assert shape.required == set(model["required"])


def _object_calls(hubspot: Any) -> dict[str, tuple[str, str, Any, int]]:
    first, second = hubspot.deals(2)
    one = {"id": first, "properties": {"amount": "2"}}
    new = {"properties": {"dealname": "N", "dealstage": "closedwon"}}
    read = {"inputs": [{"id": first}, {"id": "77"}], "properties": ["amount"], "propertiesWithHistory": ["amount"]}
    base = "/crm/v3/objects/deals"
    return {
        "basic_api.get_page": ("GET", f"{base}?propertiesWithHistory=amount&limit=1&associations=companies", None, 200),
        "basic_api.get_by_id": ("GET", f"{base}/{first}?propertiesWithHistory=amount", None, 200),
        "basic_api.create": ("POST", base, new, 201),
        "basic_api.update": ("PATCH", f"{base}/{first}", {"properties": {"amount": "3"}}, 200),
        "batch_api.create": ("POST", f"{base}/batch/create", {"inputs": [new]}, 201),
        "batch_api.read": ("POST", f"{base}/batch/read", {**read, "inputs": [{"id": first}]}, 200),
        "batch_api.read, one gone": ("POST", f"{base}/batch/read", read, 207),
        "batch_api.update": ("POST", f"{base}/batch/update", {"inputs": [one]}, 200),
        "batch_api.update, one gone": ("POST", f"{base}/batch/update", {"inputs": [one, {**one, "id": "77"}]}, 207),
        "search_api.do_search": ("POST", f"{base}/search", {"limit": 1}, 200),
        "basic_api.merge": ("POST", f"{base}/merge", {"primaryObjectId": first, "objectIdToMerge": second}, 200),
    }


def test_answers_of_objects_are_the_clients_models(hubspot: Any, contract: dict[str, Any]) -> None:
    models = Models(contract, "deals")

    for name, (method, target, body, status) in _object_calls(hubspot).items():
        reply = hubspot(method, target, body)

        assert reply.status == status, (name, reply.body)
        python = name.partition(",")[0].replace(
            "do_search",
            next(one["python"] for one in models.operations if one["python"].startswith("search_api.")).partition(".")[
                2
            ],
        )
        models.check(reply.body, models.answer_of(python, status))


OTHER_ANSWERS: list[tuple[str, str, str, str, Any, int]] = [
    ("owners", "owners_api.get_page", "GET", "/crm/v3/owners/", None, 200),
    ("owners", "owners_api.get_by_id", "GET", "/crm/v3/owners/1001", None, 200),
    ("properties", "core_api.get_all", "GET", "/crm/v3/properties/deals", None, 200),
    ("properties", "core_api.get_by_name", "GET", "/crm/v3/properties/deals/amount", None, 200),
    ("properties", "groups_api.get_all", "GET", "/crm/v3/properties/deals/groups", None, 200),
    ("pipelines", "pipelines_api.get_all", "GET", "/crm/v3/pipelines/deals", None, 200),
    ("pipelines", "pipelines_api.get_by_id", "GET", "/crm/v3/pipelines/deals/default", None, 200),
    ("pipelines", "pipeline_stages_api.get_all", "GET", "/crm/v3/pipelines/tickets/0/stages", None, 200),
    ("settings_users", "teams_api.get_all", "GET", "/settings/v3/users/teams", None, 200),
    ("settings_users", "users_api.get_page", "GET", "/settings/v3/users/", None, 200),
    ("associations_v4", "batch_api.get_page", "POST", "/crm/v4/associations/deals/companies/batch/read",
     {"inputs": [{"id": "1"}]}, 207),
    ("deal_splits", "batch_api.read", "POST", "/crm/v3/objects/deals/splits/batch/read", {"inputs": []}, 200),
]  # fmt: skip


@pytest.mark.parametrize(("api", "python", "method", "target", "body", "status"), OTHER_ANSWERS)
def test_other_answers_are_the_clients_models(
    hubspot: Any, contract: dict[str, Any], api: str, python: str, method: str, target: str, body: Any, status: int
) -> None:
    models = Models(contract, api)

    reply = hubspot(method, target, body)

    assert reply.status == status, reply.body
    models.check(reply.body, models.answer_of(python, status))


def test_every_operation_that_the_client_has_for_deals_has_a_path(hubspot: Any, contract: dict[str, Any]) -> None:
    hubspot.get("/crm/v3/owners")  # builds the router
    for api in ("deals", "generic_objects", "owners", "properties", "pipelines", "oauth_v1", "deal_splits"):
        for operation in contract["apis"][api]["operations"]:
            path = operation["path"]
            for name in ("{objectType}", "{dealId}", "{objectId}", "{pipelineId}"):
                path = path.replace(name, "deals" if name == "{objectType}" else "1")

            methods, _ = hubspot.emulator._router.match(path)

            assert operation["method"] in methods, f"{operation['method']} {path}"


def test_a_refusal_has_the_error_model(hubspot: Any, contract: dict[str, Any]) -> None:
    models = Models(contract, "deals")

    reply = hubspot("POST", "/crm/v3/objects/deals", {"properties": {"nope": "1"}})

    assert reply.status == 400
    body = {name: value for name, value in reply.body.items() if name != "status"}
    models.check(body, "Error")


def test_the_models_catch_a_wrong_answer(contract: dict[str, Any]) -> None:
    models = Models(contract, "deals")
    wrong: list[Callable[[], None]] = [
        lambda: models.check({"id": "1"}, "SimplePublicObject"),
        lambda: models.check({"id": 1, "properties": {}, "createdAt": "x", "updatedAt": "y"}, "SimplePublicObject"),
        lambda: models.check({"after": "1", "before": "2"}, "NextPage"),
    ]

    for one in wrong:
        with pytest.raises((AssertionError, ValueError)):
            one()
