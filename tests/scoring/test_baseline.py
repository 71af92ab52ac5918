"""Peer figures: dwell of won deals, outlier bounds, what connections tell, peers' metrics."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from scoring.baseline import amount_bounds, baseline, tenure
from scoring.period import parse_period
from scoring.plan import Plan
from scoring.schemas import MONEY
from tests.scoring.conftest import Book

QUARTER = parse_period("2025-Q1")
NO_SCORECARD = Plan(plan="p")
FIXED = {"normaliser": {"minmax": {"lo": 0, "hi": 1}}}


def plan_with(component: dict[str, Any], **fields: Any) -> Plan:
    return Plan.model_validate(
        {"plan": "p", "scorecard": {"components": [{"id": "a", "weight": 1, **component}]}, **fields}
    )


def won_after(book: Book, deal: str, days: int) -> None:
    """A deal that stayed so many days in its first stage, was won, and came back to it for one day in between."""
    book.deal(deal, "Won", 100, created_at="2025-01-01T12:00", close_on="2025-02-28", pipeline="D")
    book.change(deal, "stage", "Open", "Next", f"2025-01-{days + 1:02}T12:00")
    book.change(deal, "stage", "Next", "Won", "2025-02-28T12:00")


def test_four_of_five_won_deals_left_the_stage_within_its_p80(book: Book) -> None:
    for number, days in enumerate((2, 4, 6, 8, 10)):
        won_after(book, str(number), days)

    dwell = baseline(book.facts(), NO_SCORECARD, [QUARTER])["stage_dwell_p80"]

    assert dwell["crm/D/Open"] == 8  # 80 % of the way from 2 to 10 is 8.4


def test_two_visits_of_one_deal_are_added_up(book: Book) -> None:
    for number in range(5):
        book.deal(str(number), "Won", 100, created_at="2025-01-01T12:00", close_on="2025-02-28")
        for old, new, day in (("Open", "Next", 3), ("Next", "Open", 10), ("Open", "Won", 15)):
            book.change(str(number), "stage", old, new, f"2025-01-{day:02}T12:00")

    assert baseline(book.facts(), NO_SCORECARD, [QUARTER])["stage_dwell_p80"] == {"crm//Next": 7, "crm//Open": 7}


def test_four_won_deals_say_nothing_about_a_stage(book: Book) -> None:
    for number in range(4):
        won_after(book, str(number), 5)

    assert baseline(book.facts(), NO_SCORECARD, [QUARTER])["stage_dwell_p80"] == {}


def test_old_wins_are_no_peers(book: Book) -> None:
    for number in range(5):
        won_after(book, str(number), 5)

    assert baseline(book.facts("2027-03-01"), NO_SCORECARD, [QUARTER])["stage_dwell_p80"] == {}


def test_bounds_lie_at_a_robust_z_of_three_and_a_half() -> None:
    amounts = [Decimal(10) ** power for power in range(1, 10)]  # logs 1..9: median 5, MAD 2

    found = amount_bounds(amounts)

    assert found is not None
    low, high = found
    assert low == Decimal("0.00")  # 10 to the power of 5 - 3.5 x 1.4826 x 2
    assert high.quantize(Decimal("1E12")) == Decimal("2.389E15")


def test_bounds_of_amounts_far_apart_are_amounts_still() -> None:
    amounts = [Decimal(10) ** power for power in range(-5, 18, 2)]

    found = amount_bounds(amounts)

    assert found is not None
    assert pl.Series(found, dtype=MONEY).to_list() == list(found)


@pytest.mark.parametrize(
    "amounts", [[Decimal(5)] * 20, [Decimal(n + 1) for n in range(7)]], ids=["all the same", "too few"]
)
def test_without_spread_or_with_few_amounts_nothing_is_an_outlier(amounts: list[Decimal]) -> None:
    assert amount_bounds(amounts) is None


def test_what_a_connection_tells_is_noted_by_column(lin: Book) -> None:
    lin.deal("x", "Open", connection="hub")

    told = baseline(lin.facts(), NO_SCORECARD, [QUARTER])["told"]

    assert (told["amount_original"], told["owner"], told["next_step"]) == (["crm"], ["crm", "hub"], [])


def test_win_rates_are_counted_by_pipeline(lin: Book) -> None:
    assert baseline(lin.facts(), NO_SCORECARD, [QUARTER])["win_rates"] == {"crm/": [3, 6]}


@pytest.mark.parametrize(
    ("day", "band"),
    [(None, None), ("2025-01-01", "under 1 year"), ("2023-01-01", "1 to 3 years"), ("2020-01-01", "over 3 years")],
)
def test_tenure_bands(day: str | None, band: str | None) -> None:
    assert tenure(None if day is None else date.fromisoformat(day), date(2025, 3, 31)) == band


def test_peers_are_noted_only_where_the_scorecard_compares(lin: Book) -> None:
    facts = lin.facts()

    assert baseline(facts, NO_SCORECARD, [QUARTER])["peers"] == {}
    assert baseline(facts, plan_with({"metric": "attainment"}), [QUARTER])["peers"] == {}


def test_peers_of_a_percentile_are_the_plans_people_with_a_large_enough_sample(lin: Book) -> None:
    lin.person("bo", role="AE")
    lin.person("ex", role="AE", deleted=True)
    lin.person("su", role="SE")
    plan = plan_with({"metric": "bookings", "normaliser": "percentile"}, who={"role": ["AE"]})

    peers = baseline(lin.facts(), plan, [QUARTER])["peers"]

    assert peers == {"2025-Q1": {"values": {"bookings": {"crm:bo": "0"}}, "priors": {"bookings": "0"}}}


def test_a_plan_for_one_role_by_its_name(lin: Book) -> None:
    lin.person("bo", role="AE")
    plan = plan_with({"metric": "won_count", "normaliser": "zscore"}, who={"role": "AE"})

    assert list(baseline(lin.facts(), plan, [QUARTER])["peers"]["2025-Q1"]["values"]["won_count"]) == ["crm:bo"]


def test_the_peers_rate_is_that_of_all_their_deals_together(lin: Book) -> None:
    lin.person("bo")
    lin.deal("B1", "Won", 10, owner_id="bo", close_on="2025-01-15")
    plan = plan_with({"metric": "win_rate", "low_sample": "shrink", **FIXED})

    peers = baseline(lin.facts(), plan, [QUARTER])["peers"]["2025-Q1"]

    assert peers == {"values": {"win_rate": {}}, "priors": {"win_rate": "0.571428571429"}}  # 4 of 7


def test_the_prior_of_a_median_is_the_median_of_the_people(lin: Book) -> None:
    plan = plan_with({"metric": "sales_cycle_median", "low_sample": "shrink", **FIXED})

    assert baseline(lin.facts(), plan, [QUARTER])["peers"]["2025-Q1"]["priors"] == {"sales_cycle_median": "74"}


def test_without_deals_there_is_no_prior(book: Book) -> None:
    plan = plan_with({"metric": "sales_cycle_median", "low_sample": "shrink", **FIXED})

    assert baseline(book.facts(), plan, [QUARTER])["peers"]["2025-Q1"]["priors"] == {}


def test_a_baseline_is_json_without_floats(lin: Book) -> None:
    figures = baseline(lin.facts(), plan_with({"metric": "win_rate", "normaliser": "percentile"}), [QUARTER])

    text = json.dumps(figures)

    assert json.loads(text, parse_float=lambda number: pytest.fail(f"a float: {number}")) == figures
