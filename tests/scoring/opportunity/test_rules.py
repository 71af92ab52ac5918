"""The rule-based opportunity score: the guide's 40 points, reasons that add up, what is unknown, what to do next."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from scoring.condition import ConditionError
from scoring.facts import Facts
from scoring.opportunity.rules import MOST_CHARACTERS, faded, score_opportunities
from scoring.plan import OpportunityScore, Rule
from tests.scoring.conftest import Book


def rule(rule_id: str, when: str = "is_open", points: Any = 10, **fields: Any) -> Rule:
    return Rule(id=rule_id, when=when, points=Decimal(str(points)), **fields)


def scored(facts: Facts, *rules: Rule, language: Any = "en", baseline: Any = None, start: Any = 30) -> dict[str, Any]:
    """The one open deal's row."""
    plan = OpportunityScore(start=Decimal(str(start)), rules=list(rules))
    return score_opportunities(facts, plan, baseline or {}, language).row(0, named=True)


@pytest.fixture
def facts(book: Book) -> Facts:
    """One open deal, met ten days ago, pushed twice, without a next step."""
    book.person("lin")
    book.deal("d", "Open", 5000, close_on="2025-05-01", probability="0.4")
    book.add(
        "activity", opportunity_id="d", kind="meeting", completed_at="2025-03-21T10:00", two_way=True, contact_ids=["c"]
    )
    book.change("d", "close_on", "2025-03-01", "2025-04-01", "2025-02-20")
    book.change("d", "close_on", "2025-04-01", "2025-05-01", "2025-03-20")
    return book.facts()


def test_the_guides_deal_has_40_points(facts: Facts) -> None:
    row = scored(
        facts,
        rule("champion", "contacts >= 1", 20),
        rule("recent_meeting", "days_since_meeting <= 14", 15),
        rule("pushed", "push_count >= 2", -10),
        rule("no_next_step", "next_step IS NULL", -15),
    )

    assert (row["score"], row["grade"], row["status"]) == (Decimal(40), "C", "ok")
    assert [(reason["rule"], reason["points"]) for reason in row["reasons"]] == [
        ("champion", 20), ("recent_meeting", 15), ("no_next_step", -15), ("pushed", -10),
    ]  # fmt: skip


def test_more_than_three_reasons_of_a_sign_become_other(facts: Facts) -> None:
    row = scored(facts, *(rule(f"r{points}", points=points) for points in (1, 2, 3, 4, 5)))

    assert [(reason["rule"], reason["points"]) for reason in row["reasons"]] == [
        ("r5", 5), ("r4", 4), ("r3", 3), ("other", 3),
    ]  # fmt: skip
    assert [(reason["rule"], reason["points"]) for reason in row["rest"]] == [("r2", 2), ("r1", 1)]


@pytest.mark.parametrize(
    ("points", "score", "other"), [(90, 100, -20), (-50, 0, 20)], ids=["at most 100", "at least 0"]
)
def test_what_the_limits_cut_off_is_told_as_other(facts: Facts, points: int, score: int, other: int) -> None:
    row = scored(facts, rule("a", points=points))

    assert (row["score"], row["reasons"][-1]["rule"], row["reasons"][-1]["points"]) == (score, "other", other)


def test_points_may_have_cents(facts: Facts) -> None:
    row = scored(facts, rule("a", points="2.25"), start="30.5")

    assert (row["score"], row["reasons_text"]) == (Decimal("32.75"), "+2.25 a")


def test_points_finer_than_a_cent_are_refused() -> None:
    with pytest.raises(ValidationError, match="2 decimal places"):
        rule("a", points="2.125")


@pytest.mark.parametrize(("age", "expected"), [(0, 20), (14, 10), (28, 5), (42, 2), (3650, 0)])
def test_points_fade_by_half_each_half_life_half_even(age: int, expected: int) -> None:
    assert faded(Decimal(20), age, Decimal(14)) == expected


def test_a_fading_reason_counts_by_the_days_since(facts: Facts) -> None:
    row = scored(
        facts, rule("met", "days_since_meeting >= 0", 20, half_life_days=Decimal(10), age="days_since_meeting")
    )

    assert (row["score"], row["reasons"][0]["points"]) == (Decimal(40), 10)


def test_reasons_are_in_order_of_what_they_weigh_now(facts: Facts) -> None:
    old = rule("old", "days_since_meeting >= 0", 20, half_life_days=Decimal(5), age="days_since_meeting")

    row = scored(facts, old, rule("new", points=8))

    assert row["reasons_text"] == "+8 new; +5 old"


def test_half_life_needs_the_days_it_counts() -> None:
    with pytest.raises(ValidationError, match="half_life_days and age belong together"):
        rule("a", half_life_days=Decimal(5))


def test_what_is_unknown_makes_a_condition_false(facts: Facts) -> None:
    row = scored(facts, rule("a", "NOT (discount > 0.1)"))

    assert (row["score"], row["reasons"]) == (Decimal(30), [])


def test_without_activities_the_rules_about_them_are_skipped_not_held_against_the_deal(book: Book) -> None:
    book.deal("d", "Open", 5000)

    row = scored(book.facts(), rule("silent", "days_since_activity IS NULL", -15), rule("size", "amount > 0", 5))

    assert (row["score"], row["skipped"]) == (Decimal(35), ["silent"])


def test_a_field_that_the_connection_never_fills_is_skipped(facts: Facts) -> None:
    told = {"told": {"next_step": [], "amount_original": ["crm"]}}

    row = scored(facts, rule("hygiene", "next_step IS NULL", -15), rule("gap", "amount IS NULL", -5), baseline=told)

    assert (row["score"], row["skipped"]) == (Decimal(30), ["hygiene"])


def test_where_every_rule_is_skipped_there_is_no_score(book: Book) -> None:
    book.deal("d", "Open", 5000)

    row = scored(book.facts(), rule("silent", "days_since_activity > 30", -15))

    assert (row["status"], row["score"], row["grade"], row["next_best_action"]) == ("no_data", None, None, None)


def test_a_plan_without_rules_gives_the_start(facts: Facts) -> None:
    row = scored(facts)

    assert (row["score"], row["reasons_text"], row["skipped"], row["next_best_action"]) == (Decimal(30), "", [], None)


def test_only_open_deals_are_scored(lin: Book) -> None:
    frame = score_opportunities(lin.facts(), OpportunityScore(), {})

    assert frame["deal"].to_list() == ["crm:D7", "crm:D8"]


def test_a_part_of_the_deals_may_be_asked_for(lin: Book) -> None:
    facts = lin.facts()

    frame = score_opportunities(facts, OpportunityScore(), {}, deals=facts.deals.filter(pl.col("remote_id") == "D8"))

    assert frame["deal"].to_list() == ["crm:D8"]


def test_a_reason_carries_the_deals_own_figures(facts: Facts) -> None:
    said = {"en": "{days_since_meeting} days, {amount}, {probability}, {source}, {nothing}", "zh-CN": "{contacts} 人"}
    talking = rule("a", reason=said)

    assert scored(facts, talking)["reasons_text"] == "+10 10 days, 5000, 0.4, ?, {nothing}"
    assert scored(facts, talking, language="zh-CN")["reasons_text"] == "+10 1 人"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        pytest.param("{contacts} contacts engaged", "1 contact engaged", id="one"),
        pytest.param("pushed {push_count} times", "pushed 2 times", id="more"),
        pytest.param("{contacts} daysailors, {push_count} or 1 days", "1 daysailors, 2 or 1 days", id="other words"),
    ],
)
def test_a_noun_behind_a_one_has_no_plural(facts: Facts, reason: str, expected: str) -> None:
    assert scored(facts, rule("a", reason={"en": reason}))["reasons_text"] == f"+10 {expected}"


def test_a_reason_in_one_language_serves_the_other(facts: Facts) -> None:
    assert scored(facts, rule("a", reason={"zh-CN": "大单"}))["reasons_text"] == "+10 大单"


def test_the_short_text_ends_between_two_reasons_and_the_long_one_has_all(facts: Facts) -> None:
    texts = [rule(f"r{n}", points=9 - n, reason={"en": str(n) * 120}) for n in range(3)]

    row = scored(facts, *texts)

    assert row["reasons_text"] == f"+9 {'0' * 120}; +8 {'1' * 120}"
    assert len(row["reasons_long"]) == 3 * 123 + 4


def test_a_single_reason_that_is_too_long_is_cut(facts: Facts) -> None:
    row = scored(facts, rule("a", reason={"en": "x" * 300}))

    assert (len(row["reasons_text"]), row["reasons_text"][-1]) == (MOST_CHARACTERS, "…")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([rule("a", "contacts > 5", 10, advice="widen_contacts")], "Win a second contact at the customer",
                     id="points to win"),
        pytest.param([rule("a", "push_count >= 2", -10, advice="confirm_close_date")],
                     "Confirm the close date with the customer", id="points to win back"),
        pytest.param([rule("a", "contacts > 5", 10, advice="widen_contacts"), rule("b", "is_open", -20, advice="call_them")],
                     "call them", id="where most is to be gained; own words as they are"),
        pytest.param([rule("a", "is_open", 10, advice="book_meeting")], None, id="nothing to be gained"),
        pytest.param([rule("a", "contacts > 5", 10, advice="book_meeting"), rule("b", points=70)], None, id="100 already"),
        pytest.param([rule("a", "contacts > 5", 10)], None, id="no advice given"),
        pytest.param([rule("a", "contacts > 5", 10, advice="book_meeting", otherwise={"en": "only {contacts} so far"})],
                     "Book a meeting with the customer: only 1 so far", id="with what is the matter"),
        pytest.param([rule("a", "days_since_meeting >= 0", 20, half_life_days=Decimal(10), age="days_since_meeting",
                           advice="book_meeting")], "Book a meeting with the customer", id="what has faded can be won back"),
    ],
)  # fmt: skip
def test_next_best_action(facts: Facts, rules: list[Rule], expected: str | None) -> None:
    assert scored(facts, *rules)["next_best_action"] == expected


def test_advice_is_in_the_language_asked_for(facts: Facts) -> None:
    row = scored(facts, rule("a", "contacts > 5", advice="book_meeting"), language="zh-CN")

    assert row["next_best_action"] == "与客户约定一次会面"


def test_the_usual_time_in_a_stage_comes_from_the_baseline(facts: Facts) -> None:
    stuck = rule("stuck", "days_in_stage > stage_dwell_p80", -10)

    assert scored(facts, stuck, baseline={"stage_dwell_p80": {"crm//Open": 20}})["score"] == 20
    assert scored(facts, stuck, baseline={"stage_dwell_p80": {"crm//Open": 200}})["score"] == 30
    assert scored(facts, stuck)["score"] == 30


def test_a_rule_that_cannot_be_used_says_where(facts: Facts) -> None:
    with pytest.raises(ConditionError, match=r"^opportunity_score.rules.a: days_since_meetin is not a column"):
        scored(facts, rule("a", "days_since_meetin <= 14"))


POINTS = st.decimals(-60, 60, places=2)


@settings(deadline=None, max_examples=20)
@given(points=st.lists(POINTS, max_size=9), start=st.integers(0, 100), seed=st.integers(0, 99))
def test_reasons_add_up_to_the_score_whatever_the_order(points: list[Decimal], start: int, seed: int) -> None:
    book = Book()
    book.stages()
    for number in range(4):
        book.deal(str(number), "Open", 100 * number)
    facts = book.facts()
    rules = [rule(f"r{n}", f"amount >= {100 * (n % 4)}", value) for n, value in enumerate(points)]
    mixed = list(range(4))
    Random(seed).shuffle(mixed)

    frame = score_opportunities(facts, OpportunityScore(start=Decimal(start), rules=rules), {})

    for row in frame.iter_rows(named=True):
        assert row["score"] == start + sum(reason["points"] for reason in row["reasons"])
        assert 0 <= row["score"] <= 100
    shuffled = replace(facts, deals=facts.deals[mixed])
    again = score_opportunities(shuffled, OpportunityScore(start=Decimal(start), rules=rules[::-1]), {})
    assert_frame_equal(frame, again)
