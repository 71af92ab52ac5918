"""Check and rights: an admin learns what is missing before anything runs, and a right that is missing costs its stream only."""

from tests.contract.conftest import Start
from tests.contract.rig import deal


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
