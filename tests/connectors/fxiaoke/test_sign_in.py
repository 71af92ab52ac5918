"""Signing in to Fxiaoke in both generations, and what its codes lead to."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.auth import MemoryTokens
from connectors.errors import AllowanceError, ConfigError, ContractError, RejectedError, SignInError

TOKEN = "corpAccessToken/get/V2"


def ask(connector: Any) -> Any:
    return connector.api.objects()


def test_a_token_is_kept_for_other_processes_with_who_acts(tenant: Any) -> None:
    tokens = MemoryTokens()

    first = tenant.calls(lambda: ask(tenant.connect(tokens)))
    second = tenant.calls(lambda: ask(tenant.connect(tokens)))

    assert first == {TOKEN: 1, "user/getByMobile": 1, "crm/v2/object/list": 1}
    assert second == {"crm/v2/object/list": 1}


def test_an_employee_named_by_id_is_not_looked_up(tenant: Any) -> None:
    connector = tenant.connect(sign_in={"user": tenant.emulator.tenant.admin})

    calls = tenant.calls(lambda: ask(connector))

    assert "user/getByMobile" not in calls


def test_the_newer_generation_carries_the_sign_in_in_headers(tenant: Any) -> None:
    connector = tenant.connect(sign_in={"flow": "header", "user": "1000"})

    calls = tenant.calls(lambda: ask(connector))

    assert calls["POST /oauth2.0/token"] == 1


def test_a_token_without_a_told_life_lives_as_long_as_the_manual_says(tenant: Any) -> None:
    issue = tenant.emulator.tokens.issue

    def untold(request: Any) -> Any:
        reply = issue(request)
        del reply.body["expiresIn"]
        return reply

    tenant.emulator.tokens.issue = untold
    connector = tenant.connect()

    calls = tenant.calls(lambda: [ask(connector) for _ in range(3)])

    assert calls == {TOKEN: 1, "user/getByMobile": 1, "crm/v2/object/list": 3}


def test_a_token_that_ended_is_renewed_once_and_the_call_repeated(tenant: Any) -> None:
    connector = tenant.connect()
    ask(connector)
    tenant.emulator.tokens.expire()

    calls = tenant.calls(lambda: ask(connector))

    assert calls == {TOKEN: 1, "user/getByMobile": 1, "crm/v2/object/list": 2}


def test_a_token_that_is_refused_again_and_again_ends_the_connection(tenant: Any) -> None:
    connector = tenant.connect()
    ask(connector)
    tenant.arm("expired_token", times=None, match="object/list")

    with pytest.raises(SignInError, match="20016"):
        ask(connector)


def test_an_employee_who_is_found_no_more_is_looked_up_once_again(tenant: Any) -> None:
    connector = tenant.connect()
    ask(connector)
    tenant.arm("server_error", code=20012, match="object/list")

    calls = tenant.calls(lambda: ask(connector))

    assert calls == {TOKEN: 1, "user/getByMobile": 1, "crm/v2/object/list": 2}


def test_each_sending_has_a_trace_id_of_its_own(tenant: Any) -> None:
    seen: list[str] = []
    check = tenant.emulator._check_trace

    def noting(request: Any) -> None:
        seen.append(request.first("thirdTraceId"))
        check(request)

    tenant.emulator._check_trace = noting
    connector = tenant.connect()
    tenant.arm("busy", times=2)

    ask(connector)

    assert len(seen) >= 3
    assert len(set(seen)) == len(seen)


def test_a_wrong_secret_is_never_tried_again(tenant: Any) -> None:
    connector = tenant.connect(sign_in={"mobile": "1", "app_secret": "sandbox", "permanent_code": "sandbox"})
    tenant.arm("revoked", times=None, match="corpAccessToken")

    def fail_twice() -> None:
        for _ in range(2):
            with pytest.raises(SignInError, match="10006"):
                ask(connector)

    assert tenant.calls(fail_twice) == {TOKEN: 1}


def test_a_mobile_number_that_nobody_has_is_named_as_such(tenant: Any) -> None:
    connector = tenant.connect(sign_in={"mobile": "13700000000"})

    with pytest.raises(ConfigError, match=r"sign_in\.mobile: no employee"):
        ask(connector)


def test_a_tenant_without_a_pack_of_calls_is_told_so(tenant: Any) -> None:
    connector = tenant.connect()
    tenant.arm("not_bought")

    with pytest.raises(SignInError, match="no Open API pack"):
        ask(connector)


def test_a_day_that_is_spent_ends_at_midnight_of_the_tenant(tenant: Any) -> None:
    connector = tenant.connect()
    tenant.arm("day_limit")

    with pytest.raises(AllowanceError) as caught:
        ask(connector)

    assert caught.value.after_seconds is not None
    assert 0 < caught.value.after_seconds <= 86_400


def test_our_share_of_one_pack_is_kept(tenant: Any) -> None:
    connector = tenant.connect()

    ask(connector)

    assert connector.http.limiter.day_share == 20_000


def test_a_path_that_does_not_exist_is_no_refused_sign_in(tenant: Any) -> None:
    connector = tenant.connect()

    with pytest.raises(ContractError, match="10006"):
        connector.http.post("/cgi/no/such", json={})


def test_a_code_that_nobody_knows_fails_for_good_with_the_trace_id(tenant: Any) -> None:
    connector = tenant.connect()
    tenant.arm("server_error", code=77777)

    with pytest.raises(RejectedError, match=r"77777.*traceId"):
        ask(connector)


def test_secrets_and_tokens_are_in_no_message(tenant: Any) -> None:
    connector = tenant.connect()
    ask(connector)
    token = connector.http.auth.headers(connector.http)["corpAccessToken"]
    tenant.arm("no_permission")

    with pytest.raises(Exception, match="20014") as caught:
        ask(connector)

    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"base_url": "https://www.fxiaoke.com"}, "serves pages only"),
        ({"time_zone": "Mars/Base"}, "is not a time zone"),
        ({"streams": {"forecast": "on"}}, "objects.forecast"),
        ({"streams": {"survey": "on"}}, "fields.survey"),
        ({"objects": {"forcast": "object_x__c"}}, "no stream of that name"),
        ({"sign_in": {}}, "mobile"),
        ({"sign_in": {"flow": "header", "mobile": "1"}}, "employee number"),
    ],
)
def test_mistakes_in_the_file_are_named(tenant: Any, extra: dict[str, Any], said: str) -> None:
    make: Callable[..., Any] = tenant.settings

    with pytest.raises(ValidationError, match=said):
        make(**extra)
