"""Reading: every row once, whatever the pages, whatever stands in it."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.base import Can
from sync.store.state import load_state, save_state
from tests.contract.conftest import Start
from tests.contract.rig import NOW, TODAY, Rig, deal, moment

ODD = {
    "quotes": 'O\'Brien "and" sons, <b>&amp; \\ %20',
    "chinese": "签约大客户（续）",
    "emoji": "Rocket 🚀👩‍💻",
    "right to left": "شركة الأمل",
    "line break": "first line\nsecond line",
    "formula": "=1+1",
}


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_pages_end_where_rows_end(start: Start, more: int) -> None:
    count = 10 + more
    rig = start([deal(number) for number in range(count)], emulator={"page_cap": 5})

    rig.pull_whole()

    assert rig.present("opportunity") == {f"d{number}" for number in range(count)}


def test_an_empty_crm_is_read_without_error(start: Start) -> None:
    rig = start([])

    outcome = rig.pull_whole()

    assert rig.present("opportunity") == set()
    assert all(stream.unreadable == 0 for stream in outcome.streams)


def test_equal_stamps_over_page_borders_lose_nothing(start: Start) -> None:
    same = moment(timedelta(days=10))
    rig = start([deal(number, modified_at=same) for number in range(23)], emulator={"page_cap": 5})

    rig.pull_whole()

    assert len(rig.present("opportunity")) == 23


def test_a_deal_says_the_same_as_in_the_crm(start: Start) -> None:
    rig = start([deal(1, amount="1234.56", stage="Offer", owner_id="p2", account_id="a2")])

    rig.pull_whole()

    found = rig.records("opportunity")["d1"]
    assert found.name == "Deal 1"
    assert found.amount == Decimal("1234.56")
    assert found.currency in ("EUR", None)
    assert found.close_on == TODAY + timedelta(days=30)
    assert found.owner_id == rig.remote("person", "p2")
    assert found.account_id == rig.remote("account", "a2")
    assert found.created_at is not None
    assert not found.deleted


def test_people_and_accounts_say_the_same_as_in_the_crm(start: Start) -> None:
    rig = start([deal(1)])

    rig.pull_whole()

    people, accounts = rig.records("person"), rig.records("account")
    assert {people["p1"].email, people["p2"].email} == {"ada@example.com", "ben@example.com"}
    assert people["p1"].active is True
    assert {accounts["a1"].name, accounts["a2"].name} == {"Acme", "Bolt"}


def test_every_deal_is_in_a_stage_that_is_known_whatever_its_label(start: Start) -> None:
    labels = {"Talking": "洽谈", "Offer": "报价", "Won": "赢单", "Lost": "输单"}
    outcomes = {"Talking": "open", "Offer": "open", "Won": "won", "Lost": "lost"}
    stages = [
        {"id": name, "pipeline": "Default", "stage": name, "label": labels[name], "position": place, "outcome": outcome,
         "probability": {"won": "1", "lost": "0"}.get(outcome, "0.3")}
        for place, (name, outcome) in enumerate(outcomes.items(), start=1)
    ]  # fmt: skip
    ended = {"closed_at": moment(timedelta(days=2)), "close_on": str(TODAY - timedelta(days=2))}
    deals = [
        deal(number, stage=name, outcome=outcome, **(ended if outcome != "open" else {}))
        for number, (name, outcome) in enumerate(outcomes.items())
    ]
    rig = start(deals, stages=stages)

    rig.pull_whole()

    known = {(stage.pipeline, stage.stage): stage.outcome for stage in rig.records("stage").values() if stage.outcome}
    known |= {(None, stage): outcome for (pipeline, stage), outcome in known.items() if pipeline is None}
    found = rig.records("opportunity")
    for number, outcome in enumerate(outcomes.values()):
        one = found[f"d{number}"]
        meant = known.get((one.pipeline, one.stage), known.get((None, one.stage), one.outcome))
        assert meant == outcome, (one.pipeline, one.stage, known)


@pytest.mark.parametrize("case", ODD)
def test_odd_text_arrives_as_it_is(start: Start, case: str) -> None:
    rig = start([deal(1, name=ODD[case], next_step=ODD[case])])

    rig.pull_whole()

    found = rig.records("opportunity")["d1"]
    assert found.name == ODD[case]
    assert found.next_step in (ODD[case], None)  # None: the connector has no field for it


@pytest.mark.parametrize("text", ["x" * 249 + "é", "签" * 250, "🚀" * 125], ids=["latin", "chinese", "emoji"])
def test_a_text_of_250_characters_arrives_whole(start: Start, text: str) -> None:
    rig = start([deal(1, name=text)])

    rig.pull_whole()

    assert rig.records("opportunity")["d1"].name == text


@pytest.mark.parametrize("amount", ["", "0", "-250.75", "0.01", "123456789012.34"])
def test_amounts_arrive_exactly_and_a_missing_one_stays_unknown(start: Start, amount: str) -> None:
    rig = start([deal(1, amount=amount), deal(2)])

    rig.pull_whole()

    assert rig.records("opportunity")["d1"].amount == (Decimal(amount) if amount else None)


def test_only_what_the_connection_switches_on_is_read(start: Start) -> None:
    rig = start([deal(1)])
    file = rig.folder / "config" / "connections" / "crm.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "streams: {opportunity: off}\n", encoding="utf-8")

    rig.pull_whole()

    assert rig.present("opportunity") == set()
    assert rig.present("person") >= {"p1", "p2"}


def test_more_rows_than_any_cap_are_all_read(start: Start) -> None:
    count = 10_500  # more than any page, any search and any offset of the CRMs at hand
    odd = list(ODD.values())  # whichever way a CRM gives so many, text is not hurt on it
    rig = start(
        [deal(number, name=odd[number % 1000] if number % 1000 < len(odd) else "Plain") for number in range(count)]
    )
    rig.pull_whole()
    names = Counter(record.name for record in rig.records("opportunity").values())
    if rig.can(Can.PULL_CHANGES):  # and all of them changed at once, as after an import
        forget_cursor(rig)
        before = rig.versions("opportunity")

        rig.pull_whole()

        assert rig.versions("opportunity") == before
    assert len(rig.present("opportunity")) == count
    assert {text: names[text] for text in odd} == dict.fromkeys(odd, 11)


def forget_cursor(rig: Rig) -> None:
    """The next pull asks for all that changed since before the first deal was."""
    with rig.store.writing() as tx:
        state = load_state(tx, "crm", "opportunity")
        state.cursor = NOW - timedelta(days=3000)
        save_state(tx, state)


def test_the_count_of_an_estimate_is_the_number_of_rows(start: Start) -> None:
    rig = start([deal(number) for number in range(17)])

    with rig.connector() as connector:
        stream = next(one for one in connector.streams if one.name == "opportunity")
        count = connector.count(stream)

    assert count in (17, None)


def test_the_id_list_of_the_sweep_is_complete(start: Start) -> None:
    rig = start([deal(number) for number in range(17)], emulator={"page_cap": 5})

    with rig.connector() as connector:
        stream = next(one for one in connector.streams if one.name == "opportunity")
        portions = connector.ids(stream)
        found = None if portions is None else [one for portion in portions for one in portion]

    if found is None:
        pytest.skip(f"{rig.kind} cannot list its ids")
    assert sorted(found) == sorted(rig.remote("opportunity", f"d{number}") for number in range(17))
