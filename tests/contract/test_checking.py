"""Check and rights: an admin learns what is missing before anything runs, and a right that is missing costs its stream only."""

import pytest

from connectors.base import Stream
from tests.contract.conftest import Start
from tests.contract.rig import Rig, deal

COUNT = 12


def lesser(rig: Rig) -> Stream:
    """A stream of an object that no other record needs: an activity where there is one, else accounts."""
    on = [one for one in rig.connector_class.streams if rig.reads(one) and not one.filled_by]
    mine = [one for one in on if one.kind == "activity"]
    return mine[-1] if mine else next(one for one in rig.connector_class.streams if one.name == "account")


def test_check_finds_no_error_where_everything_is_in_order(start: Start) -> None:
    rig = start([deal(number) for number in range(5)])

    with rig.connector() as connector:
        findings = list(connector.check())

    assert findings
    assert [
        one for one in findings if one.level == "error" and "Scoreback" not in one.text and "scoreback" not in one.text
    ] == []


def test_check_names_a_field_that_is_not_there(start: Start) -> None:
    rig = start([deal(1)])
    rig.map(opportunity={"next_step": "No_Such_Field__c"})

    with rig.connector() as connector:
        findings = list(connector.check())

    assert any("No_Such_Field__c" in f"{one.where} {one.text} {one.advice}" for one in findings if one.level == "error")


def test_check_only_reads(start: Start) -> None:
    rig = start([deal(1)])
    rig.pull_whole()
    before = rig.emulator.show("opportunities", rig.remote("opportunity", "d1"))

    with rig.connector() as connector:
        list(connector.check())

    assert rig.emulator.show("opportunities", rig.remote("opportunity", "d1")) == before


def test_a_right_that_is_missing_stops_its_stream_and_no_other(start: Start) -> None:
    rig = start([deal(number) for number in range(COUNT)])
    rig.pull_whole()
    forbidden = lesser(rig)
    alike = {one.name for one in rig.connector_class.streams if one.remote == forbidden.remote}
    rig.forbid(forbidden)
    rig.edit("opportunity", "d3", amount="5")

    outcome = rig.pull(full=True)

    told = {one.stream.split()[0]: one.error for one in outcome.streams if one.error}
    assert outcome.error is None, outcome.error
    assert set(told) <= alike, told
    assert told[forbidden.name]
    assert rig.records("opportunity")["d3"].amount == 5


def test_a_right_that_came_back_heals_by_itself(start: Start) -> None:
    rig = start([deal(number) for number in range(COUNT)])
    rig.pull_whole()
    before = rig.present(lesser(rig).kind)
    rig.forbid(lesser(rig))
    rig.pull(full=True)
    rig.emulator.faults.clear()

    rig.pull_whole(full=True)

    assert rig.present(lesser(rig).kind) == before


def test_check_names_the_stream_that_may_not_be_read(start: Start) -> None:
    rig = start([deal(1)])
    forbidden = lesser(rig)
    rig.forbid(forbidden)

    with rig.connector() as connector:
        findings = list(connector.check())

    said = [f"{one.where} {one.text}" for one in findings if one.level in ("warning", "error")]
    assert any(forbidden.name in text or forbidden.remote in text for text in said), findings


def test_many_rows_that_silently_vanish_are_not_believed(start: Start) -> None:
    rig = start([deal(number) for number in range(COUNT)])
    if rig.kind == "csv":
        pytest.skip("a row that somebody cut out of a file is gone: nobody else hides it")
    rig.pull_whole()
    for number in range(4):
        rig.hide("opportunity", f"d{number}")

    outcome = rig.pull(full=True, reconcile=True)

    told = [one.error for one in outcome.streams if one.stream.startswith("opportunity") and one.error]
    assert told
    assert len(rig.present("opportunity")) == COUNT


def test_one_row_that_silently_vanished_is_found_by_the_sweep(start: Start) -> None:
    rig = start([deal(number) for number in range(COUNT)])
    rig.pull_whole()
    rig.hide("opportunity", "d3")

    rig.sweep()

    assert rig.present("opportunity") == {f"d{number}" for number in range(COUNT) if number != 3}
