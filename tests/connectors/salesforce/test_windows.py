"""Windows, pages, history and deletions of the Salesforce connector."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Window
from connectors.errors import (
    ResumeLostError,
)
from connectors.salesforce import Salesforce

MakeOrg = Callable[..., Any]


def test_a_window_holds_its_start_and_not_its_end(org: Any) -> None:
    connector = org.connect()
    at = datetime(2026, 2, 1, 10, tzinfo=UTC)
    deal = org.id("opportunities", "100")

    within = org.read(connector, "opportunity", at, at + timedelta(seconds=1))
    before = org.read(connector, "opportunity", at - timedelta(seconds=5), at)

    assert set(within) == {deal}
    assert before == {}


def test_equal_stamps_over_page_borders_are_read_once_each(make_org: MakeOrg, world: Any) -> None:
    twin = world["opportunities"][0]
    org = make_org({**world, "opportunities": [{**twin, "id": str(n)} for n in range(100, 125)]}, page_cap=4)

    found = org.pages(org.connect(), "opportunity", datetime(2026, 2, 1, tzinfo=UTC))

    ids = [raw.fields["Id"] for page in found for raw in page.rows]
    assert len(found) == 7
    assert len(ids) == len(set(ids)) == 25


def test_a_new_process_goes_on_behind_a_stored_page(make_org: MakeOrg) -> None:
    org = make_org(page_cap=2)
    first = next(org.connect().pull(org.streams["opportunity"], Window(None, org.now), None))

    rest = list(org.connect().pull(org.streams["opportunity"], Window(None, org.now), first.resume))

    ids = [raw.fields["Id"] for page in [first, *rest] for raw in page.rows]
    assert sorted(ids) == sorted(org.emulator.ids["opportunities"].values())


def test_a_forgotten_place_is_told_as_such(make_org: MakeOrg) -> None:
    org = make_org(page_cap=2)
    connector = org.connect()
    first = next(connector.pull(org.streams["opportunity"], Window(None, org.now), None))
    org.emulator.faults.arm({"name": "expired_locator"})

    with pytest.raises(ResumeLostError):
        list(connector.pull(org.streams["opportunity"], Window(None, org.now), first.resume))


def test_the_first_page_of_a_window_holds_the_newest_and_counts_all(make_org: MakeOrg) -> None:
    org = make_org(page_cap=2)

    found = org.pages(org.connect(), "opportunity", datetime(2025, 1, 1, tzinfo=UTC))

    assert [page.total for page in found] == [3, None]
    assert [raw.fields["Name"] for page in found for raw in page.rows] == ["Won", "Big", "Lost"]


@pytest.mark.parametrize("name", ["history", "field_history", "call", "email", "task", "meeting"])
def test_a_stream_that_shares_its_kind_of_record_gives_no_total(org: Any, name: str) -> None:
    found = org.pages(org.connect(), name, datetime(2020, 1, 1, tzinfo=UTC))

    assert [page.total for page in found] == [None]


def test_a_first_load_since_a_day_keeps_open_deals_and_later_closings(org: Any) -> None:
    connector = org.connect()

    deals = org.read(connector, "opportunity", since=date(2026, 2, 1))
    tasks = org.read(connector, "task", since=date(2025, 1, 1))
    changes = org.read(connector, "history", since=date(2026, 2, 1))

    assert set(deals) == {org.id("opportunities", "100"), org.id("opportunities", "101")}
    assert tasks == {}
    assert {one.at for one in changes.values()} >= {datetime(2026, 2, 1, 10, tzinfo=UTC)}
    assert all(one.at >= datetime(2026, 2, 1, tzinfo=UTC) for one in changes.values())


def test_an_idle_cycle_of_a_new_process_costs_one_call_per_stream(org: Any) -> None:
    connector = org.connect()
    on = [stream for stream in Salesforce.streams if connector.connection.stream(stream.name)]
    cycle = [stream for stream in on if stream.schedule == "cycle"]
    start = org.now - timedelta(minutes=10)

    spent = org.calls(lambda: [list(connector.pull(stream, Window(start, org.now), None)) for stream in cycle])

    assert sum(spent.values()) == len(cycle)


def facts(changes: Mapping[str, Any]) -> set[tuple[Any, ...]]:
    return {
        (one.remote_id, one.record_id, one.field, one.old, one.new, one.at, one.by, one.deleted)
        for one in changes.values()
    }


def test_history_rows_become_one_change_per_field_that_moved(org: Any) -> None:
    found = org.read(org.connect(), "history")

    deal = org.id("opportunities", "100")
    moved = sorted(
        (one.at, one.old, one.new) for one in found.values() if one.record_id == deal and one.field == "close_on"
    )
    assert moved[-1] == (datetime(2026, 1, 20, 8, tzinfo=UTC), "2026-03-31", "2026-04-30")
    stages = [
        one.new
        for one in sorted(found.values(), key=lambda one: one.at)
        if (one.record_id, one.field) == (deal, "stage")
    ]
    assert stages == ["Prospecting", "Proposal"]


@pytest.mark.parametrize("page_rows", [1, 2, 3, 2000])
def test_history_is_the_same_whether_read_at_once_or_by_windows(make_org: MakeOrg, page_rows: int) -> None:
    org = make_org(page_cap=page_rows)
    edits: list[tuple[str, dict[str, str]]] = [
        ("100", {"stage": "Prospecting"}),
        ("100", {"amount": "500", "close_on": "2026-06-30"}),
        ("102", {"amount": "1"}),
        ("100", {"stage": "Closed Won"}),
    ]
    by_windows = org.read(org.connect(), "history")
    moment = org.now
    for deal, fields in edits:
        org.emulator.clock = lambda at=moment: at
        org.emulator.edit("opportunities", deal, fields)
        by_windows |= org.read(org.connect(), "history", moment, moment + timedelta(minutes=5))
        moment += timedelta(minutes=5)

    at_once = org.read(org.connect(), "history", end=moment)

    assert facts(by_windows) == facts(at_once)
    assert {one.new for one in at_once.values() if one.field == "stage"} > {"Closed Won", "Prospecting"}


def test_history_that_resumes_in_the_middle_of_a_deal_knows_the_row_before(make_org: MakeOrg) -> None:
    org = make_org(page_cap=1)
    whole = org.read(org.connect(), "history")
    window = Window(None, org.now)
    resumed: dict[str, Any] = {}
    resume: str | None = None
    while True:
        connector = org.connect()
        page = next(connector.pull(org.streams["history"], window, resume))
        resumed |= {record.remote_id: record for record in org.records(connector, [page])}
        resume = page.resume
        if resume is None:
            break

    assert facts(resumed) == facts(whole)


def test_a_deleted_deal_comes_as_deleted_in_its_window(org: Any) -> None:
    deal = org.id("opportunities", "100")
    org.emulator.remove("opportunities", "100")

    found = org.read(org.connect(), "opportunity", org.now - timedelta(seconds=1), org.now + timedelta(seconds=1))

    assert found[deal].deleted is True


def test_an_account_lost_in_a_merge_is_deleted_and_its_deals_move(org: Any) -> None:
    connector = org.connect()
    loser, winner = org.id("accounts", "11"), org.id("accounts", "10")
    org.emulator.edit("accounts", "11", {"MasterRecordId": winner})

    accounts = org.read(connector, "account", org.now - timedelta(seconds=1), org.now + timedelta(seconds=1))
    deals = org.read(connector, "opportunity", org.now - timedelta(seconds=1), org.now + timedelta(seconds=1))

    assert accounts[loser].deleted is True
    assert {deal.account_id for deal in deals.values()} == {winner}


@pytest.mark.parametrize(
    ("name", "table", "record"),
    [
        ("opportunity", "opportunities", "100"),
        ("account", "accounts", "11"),
        ("task", "activities", "a3"),
        ("meeting", "activities", "a4"),
    ],
)
def test_what_left_the_recycle_bin_is_in_the_delete_log(org: Any, name: str, table: str, record: str) -> None:
    connector = org.connect()
    remote_id = org.id(table, record)
    org.emulator.remove(table, record)
    org.emulator.empty_bin()
    later = org.now + timedelta(hours=1)
    org.emulator.clock = lambda: later

    found = org.records(connector, list(connector.deletions(org.streams[name], None, later)))

    assert [(one.remote_id, one.deleted) for one in found] == [(remote_id, True)]


def test_the_delete_log_is_read_with_an_overlap_and_never_beyond_its_reach(org: Any) -> None:
    connector = org.connect()
    deal = org.id("opportunities", "100")
    org.emulator.remove("opportunities", "100")
    later = org.now + timedelta(hours=2)
    org.emulator.clock = lambda: later
    stream = org.streams["opportunity"]

    behind = [
        one.remote_id
        for start in (org.now + timedelta(hours=1), org.now - timedelta(days=90))
        for one in org.records(connector, list(connector.deletions(stream, start, later)))
    ]

    assert behind == [deal, deal]


def test_a_merge_too_young_for_the_delete_log_is_found_all_the_same(org: Any) -> None:
    # The log ignores seconds: what happened in the window's last minute is not in it yet.
    merged_at = org.now.replace(second=10)
    org.emulator.clock = lambda: merged_at
    org.emulator.edit("accounts", "11", {"MasterRecordId": org.id("accounts", "10")})
    connector = org.connect()

    found = org.records(
        connector, list(connector.deletions(org.streams["account"], None, merged_at + timedelta(seconds=40)))
    )

    assert [one.remote_id for one in found] == [org.id("accounts", "11")]


def test_the_delete_log_costs_no_call_where_another_stream_reads_it(org: Any) -> None:
    connector = org.connect()

    spent = org.calls(
        lambda: [list(connector.deletions(org.streams[name], None, org.now)) for name in ("call", "email", "stage")]
    )

    assert spent == {}
