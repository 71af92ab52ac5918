"""Who works there, from owners and from the users object."""

from typing import Any

import pytest

from connectors.errors import RejectedError
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import LONG_AGO, Open, pulled, window


def test_a_first_load_brings_people_who_left_too(hubspot: HubSpot) -> None:
    people = pulled(hubspot, "person")

    assert {one: (person.name, person.email, person.active, person.team) for one, person in people.items()} == {
        "701": ("Lin Wei", "lin@example.com", True, "North"),
        "702": ("Ana Paz", "ana@example.com", True, "South"),
        "703": ("Old Hand", "old@example.com", False, "North"),
    }


def test_mapped_properties_of_a_person_come_from_the_users_object(opened: Open) -> None:
    hubspot = opened(fields={"person": {"region": "region", "role": "role"}})

    people = pulled(hubspot, "person")

    assert (people["701"].region, people["701"].role, people["702"].region) == ("EMEA", "AE", None)


def test_a_person_is_known_by_the_user_id_where_the_users_object_names_no_owner(
    opened: Open, emulator: HubSpotEmulator
) -> None:
    hubspot = opened(fields={"person": {"region": "region"}})
    emulator.faults.arm({"name": "missing_field", "field": "hubspot_owner_id", "object": "users"})

    people = pulled(hubspot, "person")

    assert people["701"].region == "EMEA"


def test_owners_are_listed_a_hundred_at_a_time_where_five_hundred_are_refused(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, limits = hubspot.api._owners.get_page, []

    def capped(**query: Any) -> Any:
        limits.append(query["limit"])
        if query["limit"] > 100:
            raise RejectedError("VALIDATION_ERROR", "limit must not exceed 100", 400)
        return real(**query)

    monkeypatch.setattr(hubspot.api._owners, "get_page", capped)

    for _ in range(2):
        assert len(pulled(hubspot, "person", window(LONG_AGO))) == 2
    assert limits == [500, 100, 100]  # refused once, and not asked again
