"""Signing in: by a token, or as an app."""

import pytest

from connectors.errors import SignInError
from connectors.hubspot import HubSpot
from connectors.hubspot.settings import HubSpotSettings
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import EVERY_VERSION, Open, calls, pulled


def test_a_refused_static_token_stops_without_a_second_try(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "revoked"})

    with pytest.raises(SignInError):
        pulled(hubspot, "account")

    assert sum(calls(emulator).values()) == 1


APP = {"client_id": "sandbox", "client_secret": "sandbox", "refresh_token": "sandbox"}


@EVERY_VERSION
def test_an_oauth_app_signs_in_and_outlives_its_access_token(
    opened: Open, emulator: HubSpotEmulator, version: str
) -> None:
    hubspot = opened(sign_in=APP, api_version=version)
    first = len(pulled(hubspot, "account"))
    emulator.tokens._refresh.discard("sandbox")  # only the token that came with the first answer still counts
    emulator.faults.arm({"name": "expired_token"})

    again = len(pulled(hubspot, "account"))

    assert (first, again) == (2, 2)
    assert sum(count for where, count in calls(emulator).items() if "oauth" in where) == 2


def test_a_revoked_app_stops(opened: Open, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "revoked"})

    with pytest.raises(SignInError):
        pulled(opened(sign_in=APP), "account")


@pytest.mark.parametrize(
    "sign_in",
    [{}, {"client_id": "sandbox"}, {"token": "sandbox", "client_id": "sandbox"}],
    ids=["none", "half", "both"],
)
def test_a_sign_in_is_a_token_or_a_whole_app(sign_in: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="client_secret and refresh_token"):
        HubSpotSettings.model_validate({"sign_in": sign_in}, context={"loopback": True})
