"""Faults of deals: every check where it holds and where it does not, and what is skipped for want of a source."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scoring.baseline import baseline
from scoring.confidence import DataQuality, data_quality
from scoring.facts import Facts
from scoring.period import parse_period
from scoring.plan import Plan
from scoring.quality import CHECKS, check_penalties, deal_quality, faults, skipped_checks
from scoring.settings import MetricSettings
from tests.scoring.conftest import Book

QUARTER = parse_period("2025-Q1")


@pytest.fixture
def book() -> Book:
    """One CRM with a pipeline of three open stages, one active and one departed person."""
    book = Book()
    stages = [("P", "open", 1, "0.1"), ("Q", "open", 2, "0.3"), ("R", "open", 3, "0.6"), ("S", "open", 4, "0.8")]
    for stage, outcome, position, probability in [*stages, ("Won", "won", 9, "1"), ("Lost", "lost", 9, "0")]:
        book.add("stage", stage, pipeline="D", stage=stage, label=stage, outcome=outcome, position=position,
                 probability=probability)  # fmt: skip
    book.person("lin")
    book.person("gone", active=False, ended_on="2025-02-01")
    return book


def deal(book: Book, remote_id: str, stage: str = "Q", amount: Any = 100, **fields: Any) -> None:
    usual = {"pipeline": "D", "name": f"Deal {remote_id}", "close_on": "2025-06-30", "next_step": "call"}
    book.deal(remote_id, stage, amount, **usual | fields)


def sound(book: Book, **options: Any) -> Facts:
    """The facts, in which another deal shows that the connection fills every field."""
    deal(book, "sound", probability="0.3", type="new", account_id="other")
    return book.facts(**options)


def found(book: Book, deal_id: str = "d", **options: Any) -> list[str]:
    facts = sound(book)
    rows = faults(facts, baseline(facts, Plan(plan="p"), [QUARTER]), **options)
    return rows.filter(pl.col("deal") == f"crm:{deal_id}")["fault"].to_list()


def win(book: Book, remote_id: str = "d", **fields: Any) -> None:
    usual = {"close_on": "2025-03-10", "closed_at": "2025-03-10T10:00", "created_at": "2025-01-10T10:00"}
    deal(book, remote_id, "Won", **usual | fields)


def moved(book: Book, *stages: str, at: str = "2025-03-10T10:00", deal_id: str = "d") -> None:
    for old, new in pairwise(stages):
        book.change(deal_id, "stage", old, new, at)


Build = Callable[[Book], None]


def late_win(book: Book) -> None:
    win(book, closed_at="2025-03-14T10:00")
    moved(book, "P", "Q", "R", "S", "Won")


def win_in_a_later_period(book: Book) -> None:
    win(book, close_on="2025-03-30", closed_at="2025-04-01T10:00")
    moved(book, "P", "Q", "R", "S", "Won")


def call_long_before(book: Book) -> None:
    win(book)
    book.add("activity", opportunity_id="d", kind="call", completed_at="2025-01-08T10:00")


def leap(book: Book) -> None:
    deal(book, "d", "S")
    moved(book, "P", "S")


def leap_to_the_win(book: Book) -> None:
    win(book)
    moved(book, "Q", "Won")


def born_won(book: Book) -> None:
    deal(book, "other")
    book.change("other", "stage", "P", "Q", "2025-01-02")
    win(book)


FAULTY: dict[str, list[Build]] = {
    "missing_amount": [lambda b: deal(b, "d", amount=None), lambda b: win(b, amount=None)],
    "missing_close_date": [lambda b: deal(b, "d", close_on=None)],
    "missing_owner": [lambda b: deal(b, "d", owner_id=None), lambda b: win(b, owner_id=None)],
    "past_due": [lambda b: deal(b, "d", close_on="2025-03-30")],
    "stage_probability_mismatch": [lambda b: deal(b, "d", probability="0.61")],
    "inactive_owner": [lambda b: deal(b, "d", owner_id="gone"), lambda b: deal(b, "d", owner_id="nobody"),
                       lambda b: win(b, owner_id="gone")],
    "currency": [lambda b: deal(b, "d", currency="EUR"), lambda b: deal(b, "d", currency=None)],
    "closed_without_activity": [call_long_before],
    "backdated_close": [late_win, win_in_a_later_period],
    "same_day": [lambda b: win(b, created_at="2025-03-10T08:00")],
    "no_next_step": [lambda b: deal(b, "d", next_step=None), lambda b: deal(b, "d", next_step="")],
    "stage_skipped": [leap, leap_to_the_win],
    "no_open_history": [born_won],
}  # fmt: skip


@pytest.mark.parametrize(("fault", "build"), [(fault, build) for fault, builds in FAULTY.items() for build in builds])
def test_a_fault_is_found(book: Book, fault: str, build: Build) -> None:
    build(book)

    assert fault in found(book)


def call_before(book: Book) -> None:
    win(book)
    book.add("activity", opportunity_id="d", kind="call", completed_at="2025-01-09T10:00")


def step_by_step(book: Book) -> None:
    deal(book, "d", "S")
    moved(book, "P", "R", "S")


def lost_at_once(book: Book) -> None:
    deal(book, "d", "Lost", closed_at="2025-03-01", close_on="2025-03-01")
    moved(book, "P", "Lost")


def won_before_the_history(book: Book) -> None:
    deal(book, "other")
    book.change("other", "stage", "P", "Q", "2025-03-01")
    win(book)


def three_days_late(book: Book) -> None:
    win(book, closed_at="2025-03-13T10:00")
    moved(book, "P", "Q", "R", "S", "Won")


SOUND: dict[str, list[Build]] = {
    "missing_amount": [lambda b: deal(b, "d", "P", None), lambda b: deal(b, "d", "Lost", None)],
    "missing_close_date": [lambda b: deal(b, "d", "P", close_on=None)],
    "missing_owner": [lambda b: deal(b, "d", "P", owner_id=None)],
    "past_due": [lambda b: deal(b, "d", close_on="2025-03-31"), win],
    "stage_probability_mismatch": [
        lambda b: deal(b, "d", probability="0.60"),
        lambda b: deal(b, "d", probability=None),
    ],
    "inactive_owner": [lambda b: win(b, owner_id="gone", close_on="2025-01-31"), lambda b: deal(b, "d", owner_id=None)],
    "currency": [lambda b: deal(b, "d", amount=None, currency=None)],
    "closed_without_activity": [call_before, win],
    "backdated_close": [three_days_late, lambda b: win(b, closed_at="2025-03-25T10:00")],
    "same_day": [lambda b: win(b, created_at="2025-03-10T08:00", type="renewal")],
    "no_next_step": [lambda b: deal(b, "d", "P", next_step=None)],
    "stage_skipped": [step_by_step, lost_at_once],
    "no_open_history": [won_before_the_history, leap_to_the_win],
}


@pytest.mark.parametrize(("fault", "build"), [(fault, build) for fault, builds in SOUND.items() for build in builds])
def test_what_is_in_order_or_unknown_is_no_fault(book: Book, fault: str, build: Build) -> None:
    build(book)

    assert fault not in found(book)


def test_a_transactional_pipeline_may_win_on_the_day_of_creation(book: Book) -> None:
    win(book, created_at="2025-03-10T08:00")

    assert "same_day" not in found(book, settings=MetricSettings.of({"transactional": "D"}))
    assert "same_day" not in found(book, settings=MetricSettings.of({"transactional": True}))


@pytest.mark.parametrize(
    ("second", "copies"),
    [
        pytest.param({}, True, id="the same again"),
        pytest.param({"amount": 101}, True, id="1 % more"),
        pytest.param({"close_on": "2025-07-30"}, True, id="30 days later"),
        pytest.param({"name": "Rollout Northwind GmbH."}, True, id="a name much alike"),
        pytest.param({"amount": "101.1"}, False, id="1.1 % more"),
        pytest.param({"close_on": "2025-07-31"}, False, id="31 days later"),
        pytest.param({"name": "Support renewal"}, False, id="another name"),
        pytest.param({"name": None}, False, id="no name"),
        pytest.param({"account_id": "b"}, False, id="another account"),
        pytest.param({"account_id": None}, False, id="no account"),
        pytest.param({"amount": None}, False, id="no amount"),
    ],
)
def test_the_later_of_two_like_deals_is_a_copy(book: Book, second: dict[str, Any], copies: bool) -> None:
    first = {"account_id": "a", "name": "Rollout Northwind GmbH"}
    deal(book, "a", created_at="2025-01-01", **first)
    deal(book, "d", created_at="2025-01-02", **first | second)

    assert ("duplicate" in found(book)) is copies
    assert "duplicate" not in found(book, "a")


def test_of_two_deals_of_one_moment_the_one_with_the_greater_key_is_the_copy(book: Book) -> None:
    for name in ("d", "a"):
        deal(book, name, account_id="a", name="Rollout")

    assert ("duplicate" in found(book, "d"), "duplicate" in found(book, "a")) == (True, False)


def test_an_amount_far_from_its_kind_is_an_outlier(book: Book) -> None:
    for number in range(20):
        deal(book, f"k{number}", amount=100 + 10 * number, type="new")
    deal(book, "d", amount=90000, type="new")
    deal(book, "e", amount=90000, type="expansion")

    assert "amount_outlier" in found(book)
    assert "amount_outlier" not in found(book, "e")


def one_row(book: Book, fault: str, **options: Any) -> dict[str, Any]:
    facts = sound(book)
    rows = faults(facts, baseline(facts, Plan(plan="p"), [QUARTER]), **options)
    return rows.filter(pl.col("deal") == "crm:d", pl.col("fault") == fault).row(0, named=True)


@pytest.mark.parametrize(
    ("fault", "build", "blocks"),
    [
        ("missing_amount", FAULTY["missing_amount"][0], "no"),
        ("missing_amount", FAULTY["missing_amount"][1], "yes"),
        ("inactive_owner", FAULTY["inactive_owner"][0], "yes"),
        ("currency", FAULTY["currency"][0], "yes"),
        ("closed_without_activity", call_long_before, "review"),
        ("backdated_close", late_win, "no"),
        ("backdated_close", win_in_a_later_period, "review"),
        ("past_due", FAULTY["past_due"][0], "no"),
    ],
)
def test_some_faults_hold_back_pay(book: Book, fault: str, build: Build, blocks: str) -> None:
    build(book)

    assert one_row(book, fault)["blocks_pay"] == blocks


def test_a_fault_says_whose_and_shows_its_evidence(book: Book) -> None:
    deal(book, "d", close_on="2025-03-21")

    english, chinese = one_row(book, "past_due"), one_row(book, "past_due", language="zh-CN")

    assert (english["person"], english["penalty"]) == ("crm:lin", Decimal("0.2"))
    assert english["text"] == "open, but its close date 2025-03-21 passed 10 days ago"
    assert chinese["text"] == "仍未关闭，成交日期 2025-03-21 已过 10 天"


def test_no_next_step_and_past_due_leave_0_760(book: Book) -> None:
    deal(book, "d", close_on="2025-03-21", next_step=None)
    facts = sound(book)

    quality = deal_quality(faults(facts, baseline(facts, Plan(plan="p"), [QUARTER])))

    assert quality == {"crm:d": Decimal("0.76")}


def test_penalties_can_be_set_and_checks_turned_off(book: Book) -> None:
    deal(book, "d", close_on="2025-03-21", next_step=None)
    facts = sound(book)

    rows = faults(facts, {}, {"past_due": Decimal("0.5"), "no_next_step": Decimal(0)})

    assert rows.select("fault", "penalty").rows() == [("past_due", Decimal("0.5"))]


@pytest.mark.parametrize(
    ("penalties", "says"),
    [
        ({"past_du": Decimal(0)}, r"past_du is not a check. Did you mean past_due\?"),
        ({"xyz": Decimal(0)}, "xyz is not a check. Known are missing_amount"),
        ({"past_due": Decimal(2)}, "the penalty of past_due must be from 0 to 1, it is 2"),
    ],
)
def test_penalties_that_cannot_be_are_refused(penalties: dict[str, Decimal], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_penalties(penalties)


def test_a_check_without_its_source_is_skipped(book: Book) -> None:
    book.deal("d", "Won", None, close_on="2025-03-01", created_at="2025-03-01", owner_id="lin", pipeline="D")
    facts = book.facts()
    peers = baseline(facts, Plan(plan="p"), [QUARTER])

    assert faults(facts, peers)["fault"].to_list() == ["same_day"]
    assert skipped_checks(facts, peers) == {
        "crm": ["missing_amount", "stage_probability_mismatch", "duplicate", "amount_outlier", "closed_without_activity",
                "backdated_close", "no_next_step", "stage_skipped", "no_open_history"]
    }  # fmt: skip


def test_deals_left_out_have_no_faults(book: Book) -> None:
    book.add("stage", "Out", pipeline="D", stage="Out", outcome="omitted", position=9)
    deal(book, "d", "Out", close_on="2025-01-01", owner_id="nobody")

    assert found(book) == []


def test_every_check_has_its_text_in_both_languages() -> None:
    assert all(check.text and all(check.text.get(language) for language in ("en", "zh-CN")) for check in CHECKS)


def test_quality_by_person_takes_the_periods_deals_and_the_open_ones(book: Book) -> None:
    win(book, "w1", amount=100)
    deal(book, "l1", "Lost", 100, closed_at="2025-02-01", close_on="2025-02-01")
    deal(book, "o1", amount=200, close_on="2025-03-01")
    win(book, "early", amount=999, closed_at="2024-12-01", close_on="2024-12-01", created_at="2024-10-01")
    facts = book.facts()

    quality = data_quality(facts, {"crm:o1": Decimal("0.8"), "crm:early": Decimal("0.1")}, QUARTER)

    assert quality == {"crm:lin": DataQuality(Fraction(100 + 100 + 160, 400), 2)}


def test_the_order_of_the_deals_changes_nothing(book: Book) -> None:
    for build in (late_win, lambda b: deal(b, "e", "S", close_on="2025-03-01"), lambda b: deal(b, "f", amount=None)):
        build(book)
    facts = sound(book)
    places = list(range(facts.deals.height))
    Random(3).shuffle(places)
    shuffled = replace(facts, deals=facts.deals[places], changes=facts.changes[::-1])

    peers = baseline(facts, Plan(plan="p"), [QUARTER])

    assert baseline(shuffled, Plan(plan="p"), [QUARTER]) == peers
    assert_frame_equal(faults(shuffled, peers), faults(facts, peers))


def test_an_account_looked_at_alone_has_the_faults_of_the_whole(book: Book) -> None:
    for account in ("a", "b"):
        for number in range(3):
            name = {"name": f"Rollout {account}", "account_id": account}
            deal(book, f"{account}{number}", amount=100, created_at=f"2025-01-0{number + 1}", **name)
    facts = sound(book)
    peers = baseline(facts, Plan(plan="p"), [QUARTER])
    part = replace(facts, deals=facts.deals.filter(pl.col("account") == "crm:a"))

    whole = faults(facts, peers)

    mine = whole.filter(pl.col("deal").is_in(part.deals["deal"].implode()))
    assert mine["fault"].to_list() == ["duplicate", "duplicate"]
    assert_frame_equal(faults(part, peers), mine)
