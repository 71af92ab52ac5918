"""The history of deals, and what of a row that changed is asked for."""

from collections import Counter
from collections.abc import Sequence

from connectors.base import Raw
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import ALL, LATELY, LONG_AGO, STREAMS, Open, calls, deals, pulled, window


def test_a_change_by_somebody_who_left_still_has_a_name(hubspot: HubSpot) -> None:
    found = pulled(hubspot, "opportunity", window(LONG_AGO, streams=ALL)).values()

    by = {one.by for one in found if one.kind_name == "change" and (one.record_id, one.new) == ("503", "9003")}
    assert by == {"703"}


def test_history_comes_with_the_deals(hubspot: HubSpot) -> None:
    found = pulled(hubspot, "opportunity", window(streams=ALL)).values()

    changes = [record for record in found if record.kind_name == "change" and record.record_id == "501"]
    told = {(one.field, one.new, one.at.isoformat(), one.by) for one in changes if one.field in ("stage", "amount")}
    assert told == {
        ("stage", "9001", "2026-01-05T09:00:00+00:00", "701"),
        ("stage", "9002", "2026-03-01T10:00:00+00:00", "702"),
        ("amount", "1000", "2026-01-05T09:00:00+00:00", "701"),
        ("amount", "1200.5", "2026-02-05T09:00:00+00:00", "701"),
    }
    assert {one.old for one in changes} == {None}


def test_history_is_left_out_when_its_stream_is_off(hubspot: HubSpot) -> None:
    found = pulled(hubspot, "opportunity", window(streams=ALL - {"change"}))

    assert {record.kind_name for record in found.values()} == {"opportunity"}


def test_our_own_echo_takes_no_further_call_and_overwrites_nothing(opened: Open, emulator: HubSpotEmulator) -> None:
    hubspot = opened()
    _ = hubspot.now()
    emulator.stats.clear()
    known = window(LONG_AGO, streams=ALL, changed=lambda _rows: [])

    (page,) = hubspot.pull(STREAMS["opportunity"], known, None)

    assert (list(page.rows), page.total) == ([], 3)
    assert sum(calls(emulator).values()) == 1


def test_only_changed_rows_are_completed(hubspot: HubSpot) -> None:
    def only_first(rows: Sequence[Raw]) -> Sequence[Raw]:
        return [raw for raw in rows if raw.fields["id"] == "501"]

    found = pulled(hubspot, "opportunity", window(LONG_AGO, streams=ALL, changed=only_first))

    assert [deal.account_id for deal in deals(found).values()] == ["201"]
    assert {record.record_id for record in found.values() if record.kind_name == "change"} == {"501"}


def test_history_of_many_changed_deals_is_read_fifty_at_a_time(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    for number in range(120):
        deal = {"name": f"Deal {number}", "pipeline": "default", "stage": "9001", "amount": str(number)}
        emulator.edit("opportunities", None, deal)
    emulator.stats.clear()

    found = pulled(hubspot, "opportunity", window(LATELY, streams=ALL))

    changes = [one for one in found.values() if one.kind_name == "change" and one.field == "amount"]
    assert (len(deals(found)), len(changes)) == (120, 120)
    assert calls(emulator)["POST /crm/objects/2026-03/{type}/batch/read"] == 3


def test_the_change_stream_has_no_call_of_its_own(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    assert list(hubspot.pull(STREAMS["change"], window(streams=ALL), None)) == []
    assert calls(emulator) == Counter()
