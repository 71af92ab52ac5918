"""Trouble that passes, trouble that lasts, a day that is spent, and questions that are not taken."""

from typing import Any

import pytest

from connectors.errors import AllowanceError, ContractError, RejectedError, RetryLaterError
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import ALL, calls, deals, pulled, window


def test_a_question_that_hubspot_does_not_take_stops_the_stream_or_switches_an_optional_one_off(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise RejectedError("VALIDATION_ERROR", "Unable to infer object type", 400)

    monkeypatch.setattr(hubspot.api, "page", refuse)

    assert pulled(hubspot, "target") == {}
    with pytest.raises(ContractError):
        pulled(hubspot, "account")


@pytest.mark.parametrize(
    "fault", ["too_many", "too_many_retry_after", "server_error", "bad_gateway", "cut", "truncated"]
)
def test_passing_trouble_is_not_noticed(hubspot: HubSpot, emulator: HubSpotEmulator, fault: str) -> None:
    emulator.faults.arm({"name": fault, "times": 2})

    assert len(deals(pulled(hubspot, "opportunity", window(streams=ALL)))) == 3


def test_lasting_trouble_asks_to_come_back_later(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "server_error", "times": 100})

    with pytest.raises(RetryLaterError):
        pulled(hubspot, "account")


def test_a_spent_day_stops_at_once(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "day_limit"})

    with pytest.raises(AllowanceError):
        pulled(hubspot, "account")

    assert sum(calls(emulator).values()) == 1
