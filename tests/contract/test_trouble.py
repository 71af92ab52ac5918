"""Trouble: a CRM that fails costs time, never data, and says what a person has to do."""

import pytest

from connectors.errors import AllowanceError, ConfigError, RetryLaterError, SignInError
from tests.contract.conftest import Start
from tests.contract.rig import Rig, deal
from tests.contract.test_checking import lesser

COUNT = 12
HEALED = ("expired_token", "too_many", "too_many_retry_after", "server_error", "bad_gateway", "cut", "truncated")


def begin(start: Start) -> Rig:
    return start([deal(number) for number in range(COUNT)], emulator={"page_cap": 5})


@pytest.mark.parametrize("fault", HEALED)
@pytest.mark.parametrize("after", [0, 4])
def test_passing_trouble_heals_within_the_pull(start: Start, fault: str, after: int) -> None:
    rig = begin(start)
    if fault == "expired_token" and not rig.signs_in:
        pytest.skip(f"the token that {rig.kind} signs in with here was issued for good")
    rig.arm(fault, after=after)

    rig.pull_whole()

    assert len(rig.present("opportunity")) == COUNT


def test_a_slow_answer_is_waited_for(start: Start) -> None:
    rig = begin(start)
    rig.arm("slow", seconds=0.2, times=2)

    rig.pull_whole()

    assert len(rig.present("opportunity")) == COUNT


@pytest.mark.parametrize(
    ("fault", "error"), [("revoked", SignInError), ("day_limit", AllowanceError), ("server_error", RetryLaterError)]
)
def test_lasting_trouble_stops_the_connection_and_keeps_what_is_stored(
    start: Start, fault: str, error: type[Exception]
) -> None:
    rig = begin(start)
    rig.pull_whole()
    rig.arm(fault, times=None)

    outcome = rig.pull()

    assert isinstance(outcome.error, error), (outcome.error, [one.error for one in outcome.streams])
    assert len(rig.present("opportunity")) == COUNT


def test_one_object_that_does_not_answer_leaves_the_others(start: Start) -> None:
    rig = begin(start)
    if rig.kind == "csv":
        pytest.skip("a folder answers for each of its files or for none")
    rig.pull_whole()
    rig.arm("server_error", times=None, object=lesser(rig).remote)
    rig.edit("opportunity", "d3", amount="5")

    outcome = rig.pull(full=True)

    assert outcome.error is None, outcome.error
    assert [one for one in outcome.streams if one.error and one.stream == lesser(rig).name], outcome.streams
    assert rig.records("opportunity")["d3"].amount == 5


def test_after_lasting_trouble_the_next_pull_reads_what_was_missed(start: Start) -> None:
    rig = begin(start)
    rig.pull_whole()
    rig.edit("opportunity", "d3", amount="5")
    rig.arm("server_error", times=None)
    rig.pull()
    rig.emulator.faults.clear()

    rig.pull_whole()

    assert rig.records("opportunity")["d3"].amount == 5


def test_a_crm_that_suddenly_shows_nothing_empties_nothing(start: Start) -> None:
    rig = begin(start)
    rig.pull_whole()
    rig.arm("empty", times=None)

    outcome = rig.pull(full=True)

    assert outcome.failed
    assert len(rig.present("opportunity")) == COUNT


@pytest.mark.parametrize("fault", ["missing_field", "wrong_type"])
def test_a_field_that_vanished_or_became_another_erases_nothing(start: Start, fault: str) -> None:
    rig = begin(start)
    rig.pull_whole()
    rig.arm(fault, field=amount_field(rig), times=None)
    rig.edit("opportunity", "d3", name="Renamed")

    outcome = rig.pull()

    told = [one.error or one.unreadable for one in outcome.streams if one.stream == "opportunity"]
    assert outcome.error is not None or any(told)
    assert {record.amount is None for record in rig.records("opportunity").values()} == {False}


def test_a_field_that_came_back_heals_by_itself(start: Start) -> None:
    rig = begin(start)
    rig.pull_whole()
    rig.arm("missing_field", field=amount_field(rig), times=None)
    rig.edit("opportunity", "d3", amount="5")
    rig.pull()
    rig.emulator.faults.clear()

    rig.pull_whole()

    assert rig.records("opportunity")["d3"].amount == 5


def test_a_mapped_field_that_is_not_there_is_named(start: Start) -> None:
    rig = begin(start)
    rig.map(opportunity={"next_step": "No_Such_Field__c"})

    outcome = rig.pull()

    said = [str(outcome.error)] + [one.error or "" for one in outcome.streams]
    assert any("No_Such_Field__c" in text for text in said), said
    assert outcome.error is None or isinstance(outcome.error, ConfigError)


def amount_field(rig: Rig) -> str:
    """The remote name of a deal's amount, from the connector's own mapping."""
    source = next(one for one in rig.connector_class.streams if one.name == "opportunity").fields["amount"]
    return source if isinstance(source, str) else source.path
