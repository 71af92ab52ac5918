"""Writing to HubSpot, and reading back."""

from decimal import Decimal

import pytest

from connectors.base import Write, WriteTarget
from connectors.errors import ConfigError
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import HubSpotEmulator
from connectors.sandbox.hubspot.portal import RequiredRule
from tests.connectors.hubspot.conftest import DEALS, KEYED, PEOPLE, VALUES, Open, verdicts


@pytest.mark.parametrize(
    ("target", "remote_id"), [(DEALS, "501"), (PEOPLE, "701"), (KEYED, "701:2026-Q4")], ids=["deal", "user", "keyed"]
)
def test_what_was_written_is_what_the_crm_holds(ready: HubSpot, target: WriteTarget, remote_id: str) -> None:
    verdict = verdicts(ready, target, [Write(remote_id, VALUES)])

    assert verdict == {remote_id: None}
    assert ready.read_fields(target, [remote_id], list(VALUES)) == {remote_id: VALUES}


def test_a_keyed_write_twice_makes_one_row(ready: HubSpot) -> None:
    for score in (1, 2):
        verdicts(ready, KEYED, [Write("701:2026-Q4", {"scoreback_score": Decimal(score)})])

    found = ready.read_fields(KEYED, ["701:2026-Q4", "702:2026-Q4"], ["scoreback_score"])

    assert found == {"701:2026-Q4": {"scoreback_score": Decimal(2)}}


def test_none_empties_a_field(ready: HubSpot) -> None:
    verdicts(ready, DEALS, [Write("501", VALUES)])

    verdicts(ready, DEALS, [Write("501", {"scoreback_score": None})])

    assert ready.read_fields(DEALS, ["501"], ["scoreback_score"]) == {"501": {"scoreback_score": None}}


def test_every_record_of_a_mixed_batch_gets_its_own_verdict(ready: HubSpot) -> None:
    given = [
        Write("501", {"scoreback_score": Decimal(1)}),
        Write("502", {"scoreback_unknown": "x"}),
        Write("503", {"scoreback_scored_at": "no time"}),
        Write("999999", {"scoreback_score": Decimal(1)}),
    ]

    found = verdicts(ready, DEALS, given)

    assert {one: rejected and rejected.recovery for one, rejected in found.items()} == {
        "501": None,
        "502": "field",
        "503": "park",
        "999999": "gone",
    }
    assert ready.read_fields(DEALS, ["501"], ["scoreback_score"]) == {"501": {"scoreback_score": Decimal(1)}}


def test_somebody_without_a_users_object_is_parked_and_the_others_are_written(ready: HubSpot) -> None:
    found = verdicts(ready, PEOPLE, [Write("701", VALUES), Write("999999", VALUES)])

    assert (found["701"], found["999999"].recovery) == (None, "park")


@pytest.mark.parametrize(
    ("fault", "recovery"), [("refused_row", "park"), ("locked_row", "retry"), ("deleted_meanwhile", "gone")]
)
def test_one_row_in_trouble_leaves_the_rest_standing(
    ready: HubSpot, emulator: HubSpotEmulator, fault: str, recovery: str
) -> None:
    emulator.faults.arm({"name": fault})

    found = verdicts(ready, DEALS, [Write(one, {"scoreback_score": Decimal(5)}) for one in ("501", "502", "503")])

    assert sorted(rejected.recovery for rejected in found.values() if rejected) == [recovery]
    assert len(found) == 3


def test_a_rule_of_the_customer_parks_the_record_in_the_version_that_enforces_it(
    opened: Open, ready: HubSpot, emulator: HubSpotEmulator
) -> None:
    emulator.portal.rules.append(RequiredRule("deals", {"dealstage": "9002"}, ("closed_won_reason",)))
    given = [Write("501", {"scoreback_score": Decimal(5)}), Write("502", {"scoreback_score": Decimal(5)})]

    today = verdicts(ready, DEALS, given)
    enforced = verdicts(opened(api_version="2026-09"), DEALS, given)

    assert today == {"501": None, "502": None}
    assert (enforced["501"].recovery, enforced["502"]) == ("park", None)


def test_writing_to_an_object_that_is_not_there_says_what_to_do(hubspot: HubSpot) -> None:
    with pytest.raises(ConfigError, match="scoreback provision"):
        verdicts(hubspot, KEYED, [Write("701:2026-Q4", {"scoreback_score": Decimal(1)})])
