"""Properties and the object of ours: made once, found again, taken away."""

from collections import Counter

import pytest

from connectors.base import FieldSpec
from connectors.errors import RetryLaterError
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import DEALS, KEYED, PEOPLE, specs


def test_provisioning_twice_creates_once(hubspot: HubSpot) -> None:
    wanted = [spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)]

    states = [
        Counter(one.state for one in hubspot.provision(wanted, dry_run=dry_run)) for dry_run in (True, False, False)
    ]

    assert states == [Counter(missing=13), Counter(created=13), Counter(exists=13)]


@pytest.mark.parametrize(
    "made",
    ["/crm/properties/2026-03/deals/groups", "/crm/properties/2026-03/deals/batch/create", "/crm-object-schemas"],
)
def test_what_was_made_although_its_answer_was_lost_is_found_by_the_next_provisioning(
    hubspot: HubSpot, emulator: HubSpotEmulator, made: str
) -> None:
    wanted = [spec for target in (DEALS, KEYED) for spec in specs(target)]
    emulator.faults.arm({"name": "cut", "match": f"POST {made}"})

    with pytest.raises(RetryLaterError):
        list(hubspot.provision(wanted, dry_run=False))
    again = Counter(one.state for one in hubspot.provision(wanted, dry_run=False))

    assert set(again) <= {"created", "exists"}
    assert sum(again.values()) == len(wanted) + 1


def test_a_property_of_another_type_is_reported_and_left_alone(ready: HubSpot) -> None:
    (found,) = ready.provision([FieldSpec(DEALS, "scoreback_score", "Score", "text")], dry_run=False)

    assert (found.state, "number" in found.text) == ("failed", True)


def test_our_properties_can_be_taken_away_again(ready: HubSpot) -> None:
    gone_now = list(ready.unprovision(specs(DEALS), dry_run=False))

    assert {one.state for one in gone_now} == {"removed"}
    assert not [name for name in ready.definitions("deals") if name.startswith("scoreback")]


def test_where_provisioning_is_forbidden_the_admin_gets_the_steps(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "no_permission", "match": "properties"})

    found = list(hubspot.provision(specs(DEALS), dry_run=False))

    assert {one.state for one in found} == {"by_hand"}
    assert "Settings > Properties" in found[0].text


def test_an_archived_property_of_our_name_is_for_the_admin_to_restore(ready: HubSpot) -> None:
    list(ready.unprovision(specs(DEALS), dry_run=False))

    states = {one.state for one in ready.provision(specs(DEALS), dry_run=False)}

    assert states == {"by_hand"}


def test_taking_away_leaves_the_object_to_the_admin_and_dry_runs_change_nothing(ready: HubSpot) -> None:
    dry = [one.state for one in ready.unprovision(specs(KEYED), dry_run=True)]
    real = [one.state for one in ready.unprovision(specs(KEYED), dry_run=False)]
    again = [one.state for one in ready.unprovision(specs(KEYED), dry_run=False)]

    assert (dry[:4], real[:4], again[:4]) == (["exists"] * 4, ["removed"] * 4, ["missing"] * 4)
    assert (dry[4], real[4]) == ("by_hand", "by_hand")
