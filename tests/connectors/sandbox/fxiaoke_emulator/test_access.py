"""Sign-in, limits and faults of the Fxiaoke emulator."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from connectors.sandbox.faults import CATALOGUE

BODY_TOKEN = "/cgi/corpAccessToken/get/V2"
CREDENTIALS = {"appId": "sandbox", "appSecret": "sandbox", "permanentCode": "sandbox"}


def token(crm: Any) -> dict[str, Any]:
    return dict(crm.raw(BODY_TOKEN, CREDENTIALS).body)


def test_one_token_serves_for_110_minutes_and_the_next_one_does_not_end_it(crm: Any) -> None:
    first = token(crm)
    crm.auth = {
        "corpAccessToken": first["corpAccessToken"],
        "corpId": first["corpId"],
        "currentOpenUserId": crm.emulator.tenant.admin,
    }

    crm.wait(6599)
    same = token(crm)
    crm.wait(2)
    next_one = token(crm)

    assert (same["corpAccessToken"], same["expiresIn"]) == (first["corpAccessToken"], 601)
    assert next_one["corpAccessToken"] != first["corpAccessToken"]
    crm.query()
    crm.wait(600)
    crm.query(code=20016)


@pytest.mark.parametrize("name", ["appId", "appSecret", "permanentCode"])
def test_a_wrong_credential_is_10006(crm: Any, name: str) -> None:
    reply = crm.raw(BODY_TOKEN, {**CREDENTIALS, name: "wrong"})

    assert reply.status == 200
    assert reply.body["errorCode"] == 10006
    assert reply.body["errorMessage"] == f"the parameter {name} is missing or illegal"
    assert "corpAccessToken" not in reply.body


def test_the_eleventh_token_call_of_a_minute_is_refused(crm: Any) -> None:
    codes = [token(crm)["errorCode"] for _ in range(11)]
    crm.wait(60)

    assert codes == [0] * 10 + [30004]
    assert token(crm)["errorCode"] == 0


def test_two_token_calls_at_the_same_time_are_one_too_many(crm: Any) -> None:
    inside, go_on = threading.Event(), threading.Event()
    plain = crm.emulator.tokens.issue

    def held(request: Any) -> Any:
        inside.set()
        go_on.wait(5)
        return plain(request)

    crm.emulator.tokens.issue = held
    first = threading.Thread(target=token, args=(crm,))
    first.start()
    inside.wait(5)

    second = token(crm)

    go_on.set()
    first.join(5)
    assert second["errorCode"] == 30004
    assert crm.control("GET", "/__stats") == {f"POST {BODY_TOKEN}": 2}


def test_without_sign_in_the_call_is_20017_and_with_a_bad_token_20016(crm: Any) -> None:
    bad = {"corpAccessToken": "00", "corpId": "FSCID_0", "currentOpenUserId": crm.emulator.tenant.admin}
    path = "/cgi/crm/v2/data/query"

    assert crm.raw(path, {}).body["errorMessage"] == "corpAccessToken为必填项，不能为空"
    assert crm.raw(path, {}).body["errorCode"] == 20017
    assert crm.raw(path, bad).body["errorCode"] == 20016
    assert crm.raw(path, {}, headers={"authorization": "Bearer sandbox"}).body["errorCode"] == 20016


@pytest.mark.parametrize("name", ["corpId", "currentOpenUserId"])
def test_every_part_of_the_sign_in_must_be_there(crm: Any, name: str) -> None:
    crm.sign_in()
    del crm.auth[name]

    crm.query(code=20017)


def test_an_actor_nobody_knows_is_20012(crm: Any) -> None:
    crm.sign_in()
    crm.auth["currentOpenUserId"] = "FSUID_" + "0" * 32

    crm.query(code=20012)


def test_the_two_generations_are_never_mixed(opened: Callable[..., Any]) -> None:
    crm = opened(style="header")
    crm.sign_in()
    crm.query()

    reply = crm.raw("/cgi/crm/v2/object/list", {"corpId": "FSCID_0"}, headers=crm.headers)

    assert reply.body["errorCode"] == 20016


def test_a_header_token_is_no_body_token(opened: Callable[..., Any]) -> None:
    crm = opened(style="header")
    crm.sign_in()
    bare = crm.headers["authorization"][7:]

    body = {"corpAccessToken": bare, "corpId": token(crm)["corpId"], "currentOpenUserId": crm.emulator.tenant.admin}

    assert crm.raw("/cgi/crm/v2/object/list", body).body["errorCode"] == 20016


def test_strict_demands_a_trace_id_and_faithful_does_not(opened: Callable[..., Any]) -> None:
    strict, faithful = opened(), opened(strict=False)
    strict.sign_in()
    faithful.sign_in()

    assert strict.raw("/cgi/crm/v2/object/list", strict.auth, trace=False).body["errorCode"] == 20017
    assert faithful.raw("/cgi/crm/v2/object/list", faithful.auth, trace=False).body["errorCode"] == 0


def test_an_unknown_path_or_method_is_10006_at_status_200(crm: Any) -> None:
    reply = crm.raw("/cgi/crm/v2/data/add", {})

    assert (reply.status, reply.body["errorCode"]) == (200, 10006)
    assert reply.body["errorMessage"] == "the request uri=[/cgi/crm/v2/data/add], apiName=[null] is not exists"


def test_the_101st_call_of_an_interface_in_20_seconds_is_30004_but_others_go_on(opened: Callable[..., Any]) -> None:
    crm = opened(limits="vendor")
    for _ in range(100):
        crm("/cgi/crm/v2/object/list")

    crm("/cgi/crm/v2/object/list", code=30004)
    crm.query()
    crm.wait(20)
    crm("/cgi/crm/v2/object/list")
    assert crm.emulator.permitted == 5.0


def test_rate_takes_the_place_of_the_vendors_limit(opened: Callable[..., Any]) -> None:
    crm = opened(rate=0.1)

    crm.query()
    crm.query()
    crm.query(code=30004)


def test_the_days_packs_are_30002_until_midnight_of_the_tenant(opened: Callable[..., Any]) -> None:
    crm = opened(packs=1, day_used=99_999)
    crm.query()

    crm.query(code=30002)
    crm.sign_in()
    crm.wait(6 * 3600 + 30 * 60)  # 09:30 UTC is 17:30 in the tenant's zone
    crm.sign_in()
    crm.query()


def test_without_a_pack_every_call_is_30003(opened: Callable[..., Any]) -> None:
    crm = opened(packs=0)

    crm("/cgi/crm/v2/object/list", code=30003)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("too_many", 30004), ("too_many_retry_after", 14001), ("day_limit", 30002), ("server_error", -2), ("busy", -1),
        ("timed_out", 50009), ("not_bought", 30003), ("no_permission", 20014), ("expired_token", 20016), ("revoked", 20016),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_its_code_at_status_200(crm: Any, name: str, code: int) -> None:
    crm.query()
    crm.arm(name)

    crm.query(code=code)


def test_a_fault_may_have_another_code(crm: Any) -> None:
    crm.arm("server_error", code=-1)

    crm.query(code=-1)


def test_after_an_expired_token_the_next_one_is_another(crm: Any) -> None:
    first = token(crm)
    crm.sign_in()
    crm.arm("expired_token")
    crm.query(code=20016)

    assert token(crm)["corpAccessToken"] != first["corpAccessToken"]


def test_a_revoked_app_gets_no_token(crm: Any) -> None:
    crm.arm("revoked")

    assert token(crm)["errorCode"] == 10006


@pytest.mark.parametrize(
    ("name", "status"), [("html", 200), ("redirect", 302), ("http_500", 500), ("bad_gateway", 502)]
)
def test_a_wrong_host_or_proxy_answers_a_page(crm: Any, name: str, status: int) -> None:
    crm.sign_in()
    crm.arm(name)

    reply = crm.raw("/cgi/crm/v2/object/list", crm.auth)

    assert reply.status == status
    assert "<html>" in reply.body
    assert reply.headers["Content-Type"].startswith("text/html")


def test_the_sign_in_is_spared_unless_the_fault_names_it(crm: Any) -> None:
    crm.arm("html", times=None)

    assert token(crm)["errorCode"] == 0
    crm.control("DELETE", "/__faults")
    crm.arm("html", match="corpAccessToken")
    assert "<html>" in crm.raw(BODY_TOKEN, CREDENTIALS).body


def test_every_common_fault_is_known(crm: Any) -> None:
    assert set(CATALOGUE) <= set(crm.control("GET", "/__faults")["faults"])


def test_a_body_that_is_no_json_is_refused_at_status_200(crm: Any) -> None:
    reply = crm.raw("/cgi/crm/v2/object/list", b"{")

    assert (reply.status, reply.body["errorCode"]) == (200, 15002)


def test_an_actor_sees_a_share_of_the_records_without_an_error(opened: Callable[..., Any]) -> None:
    deals = [{"id": str(number), "name": "Deal", "stage": "Open", "owner_id": "41"} for number in range(1, 101)]
    crm = opened({"opportunities": deals}, visible={"41": 0.4})
    everything = crm.query()
    crm.auth["currentOpenUserId"] = crm.emulator.ids["people"]["41"]

    seen = crm.query()

    assert len(everything) == 100
    assert 20 < len(seen) < 60


def test_an_object_without_a_right_is_20014(opened: Callable[..., Any]) -> None:
    crm = opened(no_rights=["ContractObj"])

    crm.query(kind="ContractObj", code=20014)
    crm.query()


def test_traces_are_never_the_same(crm: Any) -> None:
    traces = {json.dumps(crm("/cgi/crm/v2/object/list")["traceId"]) for _ in range(5)}

    assert len(traces) == 5
