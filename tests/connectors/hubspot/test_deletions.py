"""What is gone: deleted, merged, left."""

from datetime import datetime, timedelta
from typing import Any

from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import STREAMS, raws, records


def gone(connector: HubSpot, stream: str, start: datetime | None = None) -> dict[str, Any]:
    return records(connector, raws(connector.deletions(STREAMS[stream], start, connector.now())))


def test_a_deleted_deal_arrives_as_deleted(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.remove("opportunities", "502")

    assert {one: record.deleted for one, record in gone(hubspot, "opportunity").items()} == {"502": True}
    assert gone(hubspot, "opportunity", hubspot.now() + timedelta(days=1)) == {}


def test_a_leaver_arrives_with_the_deletions_but_is_not_deleted(hubspot: HubSpot) -> None:
    found = gone(hubspot, "person")

    assert {one: (record.active, record.deleted) for one, record in found.items()} == {"703": (False, False)}


def test_the_loser_of_a_merge_arrives_as_deleted(hubspot: HubSpot) -> None:
    start = hubspot.now() - timedelta(minutes=1)
    winner = hubspot.http.post(
        "/crm/v3/objects/deals/merge", json={"primaryObjectId": "501", "objectIdToMerge": "502"}
    )["id"]

    found = records(hubspot, raws(hubspot.deletions(STREAMS["opportunity"], start, start + timedelta(hours=1))))

    assert (found["502"].deleted, found["502"].merged_into) == (True, winner)


def test_an_account_that_does_not_tell_of_merges_still_tells_of_deletions(
    hubspot: HubSpot, emulator: HubSpotEmulator
) -> None:
    emulator.portal.store.table("deals").properties.pop("hs_merged_object_ids")
    emulator.remove("opportunities", "502")

    assert set(gone(hubspot, "opportunity")) == {"502"}
