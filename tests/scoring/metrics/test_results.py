"""The results family, against the domain guide's figures for Lin."""

from decimal import Decimal

import pytest

from scoring.metrics.results import family
from scoring.money import plain
from scoring.settings import MetricSettings
from tests.scoring.conftest import Book, values


@pytest.mark.parametrize(
    ("metric", "value", "unit", "status"),
    [
        ("bookings", "90000", "USD", "ok"),
        ("won_count", "3", "count", "ok"),
        ("lost_count", "3", "count", "ok"),
        ("average_deal_size", "30000", "USD", "ok"),
        ("median_deal_size", "30000", "USD", "ok"),
        ("win_rate", "0.5", "ratio", "low_sample"),
        ("win_rate_by_value", "0.486486", "ratio", "low_sample"),
        ("new_customers", "2", "count", "ok"),
        ("expansion_bookings", "30000", "USD", "ok"),
        ("sales_cycle_median", "74", "days", "ok"),
        ("sales_cycle_mean", "87.333333", "days", "ok"),
        ("pipeline_coverage", "1.083333", "ratio", "ok"),
        ("attainment", "0.6", "ratio", "ok"),
    ],
)
def test_lin_has_the_guides_figures(lin: Book, metric: str, value: str, unit: str, status: str) -> None:
    facts = lin.facts()

    row = values(family(MetricSettings()), facts)["lin", metric]

    assert (plain(row["value"]), row["unit"], row["status"]) == (value, unit, status)


@pytest.mark.parametrize(
    ("settings", "metric", "value"),
    [
        ({"win_rate.denominator": "include_disqualified"}, "win_rate", "0.428571"),
        ({"win_rate.denominator": "include_disqualified"}, "win_rate_by_value", "0.327273"),
        ({"win_rate.by": "value"}, "win_rate", "0.486486"),
        ({"coverage.base": "full"}, "pipeline_coverage", "0.433333"),
        ({"coverage.base": "weighted"}, "pipeline_coverage", "0.416667"),
    ],
)
def test_lin_has_the_guides_figures_under_other_definitions(
    lin: Book, settings: dict[str, str], metric: str, value: str
) -> None:
    chosen = MetricSettings.of(settings)

    row = values(family(chosen), lin.facts(settings=chosen), settings=chosen)["lin", metric]

    assert plain(row["value"]) == value


@pytest.mark.parametrize(("stat", "velocity"), [("mean", "3435.114504"), ("median", "4054.054054")])
def test_velocity_is_twenty_open_deals_by_size_and_rate_over_the_cycle(lin: Book, stat: str, velocity: str) -> None:
    for number in range(18):
        lin.deal(f"O{number}")
    settings = MetricSettings.of({"cycle.stat": stat})

    row = values(family(settings), lin.facts(), settings=settings)["lin", "pipeline_velocity"]

    assert (plain(row["value"]), row["unit"], row["status"]) == (velocity, "USD/day", "low_sample")


def test_velocity_with_enough_decided_deals_is_ok(lin: Book) -> None:
    settings = MetricSettings.of({"win_rate.min_sample": 6})

    row = values(family(settings), lin.facts(), settings=settings)["lin", "pipeline_velocity"]

    assert row["status"] == "ok"


def test_deals_in_an_unqualified_stage_add_no_velocity(lin: Book) -> None:
    lin.add("stage", "cold", stage="Cold", outcome="open", qualified=False)
    before = values(family(MetricSettings()), lin.facts())["lin", "pipeline_velocity"]["value"]
    lin.deal("cold", "Cold")

    after = values(family(MetricSettings()), lin.facts())["lin", "pipeline_velocity"]["value"]

    assert before == after


def test_a_met_target_needs_no_coverage(lin: Book) -> None:
    lin.deal("big", "Won", 60000, close_on="2025-03-30")

    row = values(family(MetricSettings()), lin.facts())["lin", "pipeline_coverage"]

    assert (row["value"], row["denominator"], row["status"]) == (None, 0, "not_applicable")


def test_full_coverage_without_a_target_is_not_applicable(book: Book) -> None:
    book.person("lin")
    book.deal("d", "Open", 5, close_on="2025-03-30")
    settings = MetricSettings.of({"coverage.base": "full"})

    row = values(family(settings), book.facts(), settings=settings)["lin", "pipeline_coverage"]

    assert (row["value"], row["numerator"], row["status"]) == (None, 5, "not_applicable")


def test_somebody_without_deals_has_zeros_and_unknowns(book: Book) -> None:
    book.person("idle")
    book.deal("d", owner_id="idle", close_on="2026-01-01")

    rows = values(family(MetricSettings()), book.facts())

    told = {metric: (row["value"], row["status"]) for (_, metric), row in rows.items()}
    assert told == {
        **dict.fromkeys(("bookings", "won_count", "lost_count", "new_customers", "expansion_bookings"), (0, "ok")),
        **dict.fromkeys(("average_deal_size", "median_deal_size", "win_rate", "win_rate_by_value", "sales_cycle_median", "sales_cycle_mean", "pipeline_velocity"), (None, "no_data")),
        "pipeline_coverage": (None, "not_applicable"),
        "attainment": (None, "not_applicable"),
    }  # fmt: skip


def test_wins_without_a_single_amount_leave_bookings_unknown(book: Book) -> None:
    book.person("lin")
    book.deal("a", "Won", None, close_on="2025-02-01")

    rows = values(family(MetricSettings()), book.facts())

    assert (rows["lin", "bookings"]["value"], rows["lin", "bookings"]["status"]) == (None, "no_data")
    assert rows["lin", "won_count"]["value"] == 1


@pytest.mark.parametrize(
    ("deals", "expected"),
    [
        pytest.param([], None, id="nothing closed is unknown, not zero"),
        pytest.param([("300", "Won"), ("100", "Lost")], Decimal("0.75"), id="by value"),
        pytest.param([("300", "Won"), (None, "Lost")], Decimal(1), id="no amount, no vote"),
        pytest.param([("300", "Won"), ("900", "Open")], Decimal(1), id="open deals wait"),
        pytest.param([("300", "Lost")], Decimal(0), id="all lost is zero"),
        pytest.param([(None, "Won"), ("300", "Lost")], None, id="a win of unknown value"),
    ],
)
def test_win_rate_by_value(book: Book, deals: list[tuple[str | None, str]], expected: Decimal | None) -> None:
    book.person("lin")
    book.deal("other", "Lost", close_on="2020-01-01")
    for number, (amount, stage) in enumerate(deals):
        book.deal(str(number), stage, amount, close_on="2025-02-01")

    row = values(family(MetricSettings()), book.facts())["lin", "win_rate_by_value"]

    assert row["value"] == expected


@pytest.mark.parametrize(
    ("settings", "as_of", "value", "status"),
    [
        pytest.param({}, "2025-06-29", None, "not_applicable", id="too young"),
        pytest.param({}, "2025-06-30", "0.5", "low_sample", id="nine in ten would have closed"),
        pytest.param({"win_rate.cohort_days": 30}, "2025-04-30", "0.5", "low_sample", id="by the admin's age"),
        pytest.param(
            {"win_rate.cohort_days": 30, "win_rate.by": "value"}, "2025-04-30", "0.25", "low_sample", id="value"
        ),
    ],
)
def test_a_created_cohort_waits_until_it_is_mature(
    book: Book, settings: dict[str, object], as_of: str, value: str | None, status: str
) -> None:
    book.person("lin")
    book.deal("old", "Won", created_at="2024-01-01", close_on="2024-04-01")  # 91 days
    book.deal("a", "Won", 10, created_at="2025-01-05", close_on="2025-04-06")  # 91 days
    book.deal("b", "Open", 30, created_at="2025-03-05")
    book.deal("dup", "Out", 30, created_at="2025-03-05")
    chosen = MetricSettings.of({"win_rate.denominator": "created_cohort"} | settings)

    row = values(family(chosen), book.facts(as_of=as_of, settings=chosen), settings=chosen)["lin", "win_rate"]

    assert (row["value"] and plain(row["value"]), row["status"]) == (value, status)


def test_a_company_that_never_won_has_no_mature_cohort(book: Book) -> None:
    book.person("lin")
    book.deal("a")
    chosen = MetricSettings.of({"win_rate.denominator": "created_cohort"})

    row = values(family(chosen), book.facts(as_of="2029-01-01"), settings=chosen)["lin", "win_rate"]

    assert row["status"] == "not_applicable"
