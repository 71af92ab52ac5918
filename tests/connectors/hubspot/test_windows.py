"""Windows: their bounds, their price in calls, more rows than a search tells of, and going on behind a page."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.errors import ContractError
from connectors.hubspot import HubSpot
from connectors.mapping import content_hash
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import (
    ALL,
    ALONG,
    LATELY,
    LONG_AGO,
    STREAMS,
    TOUCH,
    Open,
    calls,
    pulled,
    raws,
    window,
)


def test_search_and_list_tell_the_same(opened: Open) -> None:
    listed, searched = opened(), opened()

    by_list = pulled(listed, "opportunity", window(streams=ALL))
    by_search = pulled(searched, "opportunity", window(LONG_AGO, streams=ALL))

    assert {one: content_hash(record) for one, record in by_list.items()} == {
        one: content_hash(record) for one, record in by_search.items()
    }


def test_a_first_load_of_deals_takes_one_call_per_fifty(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    pulled(hubspot, "person")
    _ = hubspot.now()
    emulator.stats.clear()

    pulled(hubspot, "opportunity", window(streams=ALL))

    assert sum(calls(emulator).values()) == 1


def test_a_cycle_without_changes_takes_one_call_per_stream(opened: Open, emulator: HubSpotEmulator) -> None:
    hubspot = opened()
    emulator.stats.clear()

    for name in sorted(ALL - {"stage", "rate"}):
        pulled(hubspot, name, window(LATELY, streams=ALL))

    assert sum(calls(emulator).values()) == len(ALL - {"stage", "rate"} - ALONG)


def test_a_window_is_half_open(hubspot: HubSpot) -> None:
    at, after = TOUCH.replace("Z", "+00:00"), "2026-03-02T09:00:00.001+00:00"

    inside = pulled(hubspot, "account", window(at, after))
    before = pulled(hubspot, "account", window("2026-03-01T00:00:00+00:00", at))

    assert (len(inside), len(before)) == (2, 0)


def test_since_reads_a_first_load_by_search(hubspot: HubSpot) -> None:
    assert len(pulled(hubspot, "account", window(since=date(2026, 3, 2)))) == 2
    assert len(pulled(hubspot, "account", window(since=date(2026, 3, 3)))) == 0


@pytest.fixture
def flood(emulator: HubSpotEmulator) -> int:
    """More companies than a search tells of by offset, all stamped in the same millisecond."""
    at = emulator.now()
    emulator.clock = lambda: at
    for number in range(10_100):
        emulator.edit("accounts", None, {"name": f"Company {number}"})
    return 10_100


def test_a_flood_of_equal_stamps_is_read_once_each_and_ends(hubspot: HubSpot, flood: int) -> None:
    pages = list(hubspot.pull(STREAMS["account"], window(LATELY), None))

    ids = [raw.fields["id"] for page in pages[1:] for raw in page.rows]
    assert pages[0].total == flood
    assert len(ids) == len(set(ids)) == flood
    assert pages[-1].resume is None


def test_a_page_by_id_without_rows_that_is_not_the_last_is_an_error_and_no_end(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hubspot.api.search

    def emptied(remote: str, filters: Sequence[Any], *rest: Any) -> Any:
        found = real(remote, filters, *rest)
        return {**found, "total": 400} if len(filters) < 3 else {"results": [], "paging": {"next": {"after": "200"}}}

    monkeypatch.setattr(hubspot.api, "search", emptied)

    with pytest.raises(ContractError, match="would not end"):
        list(hubspot.pull(STREAMS["account"], window(LONG_AGO), None))


def test_rows_whose_stamps_run_against_their_ids_are_all_read(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    for number in range(650):
        emulator.skew = timedelta(seconds=-number)
        emulator.edit("accounts", None, {"name": f"Company {number}"})

    _, *rest = hubspot.pull(STREAMS["account"], window(LATELY), None)

    assert len({raw.fields["id"] for page in rest for raw in page.rows}) == 650


def test_a_pull_goes_on_behind_the_page_where_it_stopped(opened: Open, flood: int) -> None:
    for asked, known in ((window(), flood + 2), (window(LATELY), flood)):
        first = next(opened().pull(STREAMS["account"], asked, None))

        rest = raws(opened().pull(STREAMS["account"], asked, first.resume))

        ids = {raw.fields["id"] for raw in (*first.rows, *rest)}
        assert len(ids) == known
