"""What changed: by delta links where a table is tracked, else by windows; each change once, none missed."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Window
from connectors.errors import ResumeLostError

START = datetime(2026, 1, 1, tzinfo=UTC)
CYCLE = ("person", "account", "opportunity", "call", "meeting", "task", "email", "line_item")


def many(world: Any, count: int) -> Any:
    deal = world["opportunities"][0]
    world["opportunities"] = [{**deal, "id": f"d{number}"} for number in range(count)]
    return world


def test_after_a_full_pull_a_delta_link_brings_what_changed_and_what_is_gone(crm: Any) -> None:
    first = crm.connect()
    crm.pages(first, "opportunity")
    crm.edit("opportunities", crm.id("opportunities", "100"), name="Bigger")
    crm.remove("opportunities", crm.id("opportunities", "102"))
    second = crm.connect(places=first.places)

    found = crm.read(second, "opportunity", START)

    assert {key: (one.name, one.deleted) for key, one in found.items()} == {
        crm.id("opportunities", "100"): ("Bigger", False),
        crm.id("opportunities", "102"): (None, True),
    }
    assert crm.pages(second, "opportunity", START) == []


def test_an_idle_cycle_costs_one_call_per_stream_in_a_new_process_too(crm: Any) -> None:
    first = crm.connect()
    for name in CYCLE:
        crm.pages(first, name)
    second = crm.connect(places=first.places)

    calls = crm.calls(lambda: [crm.pages(second, name, START) for name in CYCLE])

    assert set(calls.values()) == {1}
    assert len(calls) == len(CYCLE)


def test_the_place_moves_on_only_when_the_last_page_was_taken(make_crm: Any, world: Any) -> None:
    crm = make_crm(many(world, 7), page_cap=3)
    connector = crm.connect()
    pages = connector.pull(crm.streams["opportunity"], Window(None, crm.now), None)

    taken = [next(pages) for _ in range(3)]

    assert [len(page.rows) for page in taken] == [3, 3, 1]
    assert connector.places == {}
    assert list(pages) == []
    assert "deltatoken" in connector.places["opportunity"]


def test_a_pull_goes_on_behind_a_page_and_still_ends_with_a_delta_link(make_crm: Any, world: Any) -> None:
    crm = make_crm(many(world, 7), page_cap=3)
    stream = crm.streams["opportunity"]
    first = next(crm.connect().pull(stream, Window(None, crm.now), None))
    second = crm.connect()

    rest = list(second.pull(stream, Window(None, crm.now), first.resume))

    ids = [raw.fields["opportunityid"] for page in (first, *rest) for raw in page.rows]
    assert sorted(ids) == sorted(crm.emulator.org.rows("opportunity"))
    assert "deltatoken" in second.places["opportunity"]


def test_a_next_link_that_dataverse_refuses_restarts_the_window(make_crm: Any, world: Any) -> None:
    crm = make_crm(many(world, 7), page_cap=3)
    stream = crm.streams["opportunity"]
    first = next(crm.connect().pull(stream, Window(None, crm.now), None))
    spoilt = (first.resume or "").replace("pagenumber%3D%222", "pagenumber%3D%223")
    assert spoilt != first.resume

    with pytest.raises(ResumeLostError):
        list(crm.connect().pull(stream, Window(None, crm.now), spoilt))


def test_an_expired_delta_link_is_followed_by_a_whole_read_and_a_new_link(crm: Any) -> None:
    connector = crm.connect()
    crm.pages(connector, "opportunity")
    crm.arm("expired_delta")

    found = crm.read(connector, "opportunity", START)

    assert len(found) == 3
    assert crm.pages(connector, "opportunity", START) == []


def test_another_mapping_asks_anew_for_columns_are_frozen_into_a_link(crm: Any) -> None:
    first = crm.connect()
    crm.pages(first, "opportunity")
    second = crm.connect(places=first.places, fields={"opportunity": {"source": "new_source"}})

    found = crm.read(second, "opportunity", START)

    assert found[crm.id("opportunities", "100")].source == "Web"


def test_without_change_tracking_windows_over_modifiedon_are_read_by_their_key(make_crm: Any, world: Any) -> None:
    same = "2026-03-01T10:00:00Z"
    world = many(world, 7)
    world["opportunities"] = [{**deal, "modified_at": same} for deal in world["opportunities"]]
    crm = make_crm(world, page_cap=3, untracked=["opportunity"])
    connector = crm.connect()

    whole = crm.read(connector, "opportunity")
    exactly = crm.read(
        connector, "opportunity", datetime(2026, 3, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, 11, tzinfo=UTC)
    )
    before = crm.read(connector, "opportunity", START, datetime(2026, 3, 1, 10, tzinfo=UTC))

    assert len(whole) == len(exactly) == 7
    assert before == {}
    assert connector.places == {}


def test_that_a_table_is_not_tracked_is_learnt_once(make_crm: Any) -> None:
    crm = make_crm(untracked=["account"])
    first = crm.connect()
    crm.pages(first, "account")
    second = crm.connect()
    second.learnt.update(first.learnt)

    calls = crm.calls(lambda: crm.pages(second, "account", crm.now - timedelta(minutes=1)))

    assert calls == {"GET accounts": 1}


def test_a_first_load_from_a_day_on_leaves_out_what_was_closed_before(crm: Any) -> None:
    found = crm.read(crm.connect(), "opportunity", since=date(2026, 1, 1))

    assert set(found) == {crm.id("opportunities", "100"), crm.id("opportunities", "101")}


def test_a_first_load_of_activities_goes_by_their_end_else_by_their_creation(crm: Any) -> None:
    connector = crm.connect()

    assert crm.read(connector, "call", since=date(2026, 2, 3)) == {}
    assert len(crm.read(connector, "task", since=date(2026, 2, 3))) == 1
    assert len(crm.read(connector, "call", since=date(2026, 2, 2))) == 1


def test_a_first_load_of_the_history_goes_by_the_day_of_the_change(crm: Any) -> None:
    found = crm.read(crm.connect(), "history", since=date(2026, 2, 1))

    assert {one.field for one in found.values()} == {"stage", "probability", "forecast_category"}


def test_an_order_that_repeats_rows_is_not_asked_for(make_crm: Any, world: Any) -> None:
    crm = make_crm(many(world, 7), page_cap=3, untracked=["opportunity"])
    crm.arm("repeated_row")

    pages = crm.pages(crm.connect(), "opportunity", START)

    assert sum(len(page.rows) for page in pages) == 7


def test_teams_are_read_again_for_people_whose_row_did_not_change(crm: Any) -> None:
    connector, ann = crm.connect(), crm.id("people", "1")
    crm.pages(connector, "person")
    crm.edit("people", ann, team="East")

    found = {
        raw.fields["systemuserid"]: raw.fields["@team"] for raw in crm.connect().links(crm.streams["person"], [ann])
    }

    assert found == {ann: "East"}


def test_business_unit_and_access_teams_are_nobodys_team(crm: Any) -> None:
    for row in crm.emulator.org.rows("team").values():
        row.update({"isdefault": True} if row["name"] == "North" else {"teamtype": 1})

    found = crm.read(crm.connect(), "person").values()

    assert {person.team for person in found} == {None}


def test_parties_are_asked_for_activities_that_changed_only(crm: Any) -> None:
    connector, stream = crm.connect(), crm.streams["call"]
    window = Window(START, crm.now, changed=lambda _rows: [])
    pages = []

    calls = crm.calls(lambda: pages.extend(connector.pull(stream, window, None)))

    assert calls == {"GET phonecalls": 1}
    assert [page.rows for page in pages] == [[]]


def test_a_currency_that_is_new_is_looked_up_once(crm: Any) -> None:
    connector = crm.connect()
    crm.pages(connector, "opportunity")

    calls = crm.calls(lambda: crm.pages(connector, "opportunity"))

    assert calls == {"GET opportunities": 1}
    assert set(json.loads(connector.learnt["currencies"]).values()) == {"EUR", "USD"}


def test_currencies_and_pipelines_are_asked_for_again_when_what_was_learnt_is_forgotten(crm: Any) -> None:
    connector = crm.connect()
    before = crm.read(connector, "opportunity")
    connector.learnt.clear()

    assert crm.read(connector, "opportunity") == before


def test_a_currency_made_while_the_process_lives_is_known_and_one_that_is_nowhere_asked_for_once(crm: Any) -> None:
    connector, deal = crm.connect(), crm.id("opportunities", "100")
    crm.pages(connector, "opportunity")
    crm.edit("opportunities", deal, currency="SEK")
    vanished = "00000000-0000-0000-0000-00000000000f"

    found = crm.read(connector, "opportunity")
    crm.emulator.org.rows("opportunity")[deal]["_transactioncurrencyid_value"] = vanished
    calls = [crm.calls(lambda: crm.pages(connector, "opportunity")) for _ in range(2)]

    assert found[deal].currency == "SEK"
    assert calls == [{"GET opportunities": 1, "GET transactioncurrencies": 1}, {"GET opportunities": 1}]


def test_a_new_process_behind_a_page_knows_which_columns_its_link_leaves_out(make_crm: Any, world: Any) -> None:
    crm = make_crm(many(world, 7), page_cap=3)
    crm.arm("missing_field", field="discountpercentage", object="opportunity")
    stream = crm.streams["opportunity"]
    connector = crm.connect()
    pages = connector.pull(stream, Window(None, crm.now), None)
    first = next(pages)
    second = crm.connect()

    rest = list(second.pull(stream, Window(None, crm.now), first.resume))
    list(pages)

    assert [page.lacks for page in rest] == [first.lacks, first.lacks]
    assert json.loads(second.places[stream.name])["columns"] == json.loads(connector.places[stream.name])["columns"]


def test_what_changes_while_a_full_pull_walks_comes_with_its_delta_link(make_crm: Any, world: Any) -> None:
    crm = make_crm(many(world, 7), page_cap=3)
    connector = crm.connect()
    pages = connector.pull(crm.streams["opportunity"], Window(None, crm.now), None)
    first = next(pages)
    moved, gone = (raw.fields["opportunityid"] for raw in first.rows[:2])
    crm.edit("opportunities", moved, name="Changed behind us")
    crm.remove("opportunities", gone)
    made = crm.edit("opportunities", None, name="Made behind us", account_id=crm.id("accounts", "10"))
    rest = crm.records(connector, list(pages))

    found = crm.read(connector, "opportunity", crm.now)

    told = {record.remote_id: record for record in rest} | found
    assert (told[moved].name, told[gone].deleted, told[made].name) == ("Changed behind us", True, "Made behind us")


def test_a_column_that_was_missed_once_is_not_asked_for_by_the_next_process(crm: Any) -> None:
    crm.arm("missing_field", field="discountpercentage", object="opportunity")
    first = crm.connect()
    crm.pages(first, "opportunity")
    second = crm.connect(places=first.places)
    second.learnt.update(first.learnt)

    calls = crm.calls(lambda: crm.pages(second, "opportunity", crm.now))

    assert calls == {"GET opportunities": 1}


def test_a_page_that_was_not_taken_for_want_of_a_column_teaches_nothing(crm: Any) -> None:
    crm.arm("missing_field", field="estimatedvalue", object="opportunity")
    connector = crm.connect()
    refused = connector.pull(crm.streams["opportunity"], Window(None, crm.now), None)
    assert next(refused).lacks == {"estimatedvalue"}
    refused.close()
    crm.emulator.faults.clear()

    [page] = crm.pages(connector, "opportunity")

    assert page.lacks == frozenset()


def test_a_table_that_is_not_installed_is_not_asked_for_each_time(make_crm: Any) -> None:
    crm = make_crm(off=["incident"])
    connector = crm.connect()

    calls = [crm.calls(lambda: crm.pages(connector, "case")) for _ in range(2)]

    assert [sum(one.values()) for one in calls] == [1, 0]


def test_the_clock_of_a_new_installation_costs_no_call_of_its_own(crm: Any) -> None:
    connector = crm.connect()

    moments: list[datetime] = []
    told = crm.calls(lambda: moments.append(connector.now()))
    read = crm.calls(lambda: crm.pages(connector, "opportunity"))

    assert moments == [crm.now]
    assert (told, read) == ({"POST $batch": 1}, {"GET opportunities": 1})


def test_where_the_function_in_is_unknown_ids_are_asked_for_one_by_one_and_that_is_learnt(crm: Any) -> None:
    expected = crm.read(crm.connect(), "call")
    crm.arm("no_in")
    connector = crm.connect()
    deals = [crm.id("opportunities", number) for number in ("100", "101")]

    calls = [crm.calls(lambda: list(connector.fetch(crm.streams["opportunity"], deals))) for _ in range(2)]

    assert crm.read(connector, "call") == expected
    assert [one["GET opportunities"] for one in calls] == [2, 1]
