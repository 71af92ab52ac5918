"""Every key of every call is one that the vendor's pages name: a misspelt one is refused, or passed over when faithful."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.connectors.sandbox.fxiaoke_emulator.conftest import CREDENTIALS

DEAL = "5f323dd6d97520000155369f"
SEARCH = {
    "limit": 1, "offset": 0, "orders": [{"fieldName": "_id", "isAsc": True}], "fieldProjection": ["_id"],
    "filters": [{"field_name": "_id", "operator": "GT", "field_values": ["0"]}],
}  # fmt: skip
SIMPLE = {name: value for name, value in SEARCH.items() if name != "fieldProjection"}
WHICH = {"dataObjectApiName": "NewOpportunityObj"}
FLOWS = {"triggerApprovalFlow": False, "triggerWorkFlow": False}
OPTIONS = {"isDuplicateSearch": False, "useValidationRule": True, "skipFuncValidate": False}
CALLS: dict[str, dict[str, Any]] = {
    "/cgi/crm/v2/data/query": {
        "includeNull": True, "returnTotalNum": 3, "need_return_count_num": False, "convertUserId": True, "convertMediaId": True,
        "data": {**WHICH, "find_explicit_total_num": False, "search_query_info": SEARCH},
    },
    "/cgi/crm/custom/v2/data/findSimple": {
        "data": {**WHICH, "find_explicit_total_num": False, "search_query_info": SIMPLE, "field_projection": ["_id"]},
    },
    "/cgi/crm/custom/v2/data/findOne": {"data": {**WHICH, "search_query_info": SIMPLE, "field_projection": ["_id"]}},
    "/cgi/crm/v2/data/get": {"includeNull": True, "data": {**WHICH, "objectDataId": DEAL}},
    "/cgi/crm/v2/data/create": {
        **FLOWS, "hasSpecifyTime": False, "hasSpecifyCreatedBy": False, "includeDetailIds": False,
        "data": {"object_data": {**WHICH, "name": "新"}, "details": {}, "optionInfo": OPTIONS},
    },
    "/cgi/crm/custom/v2/data/create": {
        **FLOWS, "checkDuplicateSearch": False,
        "data": {
            "object_data": {"dataObjectApiName": "object_Sb7Kq__c", "name": "x"}, "fillOutOwner": False, "needConvertLookup": False,
        },
    },
    "/cgi/crm/v2/data/update": {
        **FLOWS, "data": {"object_data": {**WHICH, "_id": DEAL, "name": "旧"}, "optionInfo": OPTIONS},
    },
    "/cgi/crm/v2/data/invalid": {"data": {**WHICH, "object_data_id": DEAL}},
    "/cgi/crm/v2/data/changeOwner": {"data": {**WHICH, "Data": [{"objectDataId": DEAL, "ownerId": ["ADMIN"]}]}},
    "/cgi/crm/v2/object/list": {"includeNull": False, "data": {}},
    "/cgi/crm/v2/object/describe": {"includeDetail": False, "apiName": "AccountObj", "data": {"apiName": "AccountObj"}},
    "/cgi/crm/v2/object/lock": {"data": {**WHICH, "dataIds": [DEAL], "detailObjStrategy": 0}},
    "/cgi/department/list": {"departmentId": 999999, "fetchChild": True},
    "/cgi/user/list": {"departmentId": 999999, "fetchChild": True, "showDepartmentIdsDetail": True},
    "/cgi/user/simpleList": {"departmentId": 999999, "fetchChild": True},
    "/cgi/user/getByMobile": {"mobile": "13800000000"},
}  # fmt: skip
"""A call of each kind with every key that its page names."""

_OPEN = {"object_data", "details"}
"""What holds fields of a record, not words of the interface."""


def misspelt(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The body with one unknown key, once for each of its objects."""
    for place in places(body):
        spoilt = deepcopy(body)
        inner: Any = spoilt
        for step in place:
            inner = inner[step]
        inner["unheard_of"] = True
        yield spoilt


def places(body: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is an object in the body."""
    if isinstance(body, Mapping):
        yield where
        for name, value in body.items():
            if name not in _OPEN:
                yield from places(value, (*where, name))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from places(value, (*where, place))


def sent(crm: Any, body: Any) -> Any:
    """The body with ids that the tenant has."""
    if isinstance(body, Mapping):
        return {name: sent(crm, value) for name, value in body.items()}
    if isinstance(body, list):
        return [sent(crm, value) for value in body]
    return {DEAL: crm.emulator.ids["opportunities"]["1"], "ADMIN": crm.emulator.tenant.admin}.get(body, body)


@pytest.mark.parametrize("path", CALLS)
def test_every_documented_key_is_taken(crm: Any, path: str) -> None:
    crm(path, sent(crm, CALLS[path]))


@pytest.mark.parametrize("path", CALLS)
def test_an_unknown_key_is_refused_wherever_it_stands(crm: Any, path: str) -> None:
    for spoilt in misspelt(CALLS[path]):
        crm(path, sent(crm, spoilt), code=15002)


@pytest.mark.parametrize("path", CALLS)
def test_an_unknown_key_is_passed_over_in_silence_when_faithful(opened: Callable[..., Any], path: str) -> None:
    for spoilt in misspelt(CALLS[path]):
        crm = opened(strict=False)

        crm(path, sent(crm, spoilt))


@pytest.mark.parametrize("path", ["/cgi/corpAccessToken/get/V2", "/oauth2.0/token"])
def test_the_token_endpoint_takes_its_keys_and_no_other(opened: Callable[..., Any], path: str) -> None:
    crm = opened()
    body = CREDENTIALS if "cgi" in path else {**CREDENTIALS, "grantType": "app_secret"}

    codes = [crm.raw(path, {**body, **more}).body["errorCode"] for more in ({}, {"unheard_of": "x"})]

    assert codes == [0, 15002]
