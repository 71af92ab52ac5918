"""Which target holds, and what it means for somebody who was not there all the time."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scoring.metrics.results import attainment_of, family, won_count
from scoring.metrics.targets import (
    Targets,
    elapsed_share,
    over_assignment,
    pace,
    prorated,
    ramped,
    run_rate,
)
from scoring.money import plain, round_money
from scoring.period import Calendar, parse_period
from scoring.plan import TargetSource
from scoring.settings import MetricSettings
from tests.scoring.conftest import Book, values

D = Decimal
Q1 = parse_period("2025-Q1")


def goal(book: Book, amount: Any, start: str = "2025-01-01", end: str = "2025-03-31", **fields: Any) -> None:
    usual = {"subject_kind": "person", "subject_id": "lin", "metric": "bookings", "currency": "USD"}
    book.add("target", None, **usual | {"amount": amount, "period_start": start, "period_end": end} | fields)


def of(targets: Targets, who: str = "crm:lin", by: str = "person", period: str = "2025-Q1") -> object:
    return targets.amount((by,), (who,), "bookings", parse_period(period))


def test_the_first_source_that_has_one_counts(book: Book) -> None:
    for person in ("lin", "kim", "bo"):
        book.person(person)
    goal(book, 1, subject_id="lin")
    goal(book, 2, subject_id="kim")
    goal(book, 3, subject_id="kim", connection="import")
    facts = book.facts()
    rules = {"bookings": TargetSource.model_validate({"from": ["import", "plan", "crm"], "person": 7})}

    by_plan = Targets(facts, rules, people=["crm:lin"])
    by_crm = Targets(facts, {"bookings": TargetSource.model_validate({"from": ["crm", "plan"], "person": 7})})

    assert [of(by_plan, f"crm:{person}") for person in ("lin", "kim", "bo")] == [7, 3, None]
    assert [of(by_crm, f"crm:{person}") for person in ("lin", "kim", "bo")] == [1, 2, 7]


def test_monthly_targets_add_up_to_the_quarter(book: Book) -> None:
    book.person("lin")
    goal(book, 10, "2025-01-01", "2025-01-31")
    goal(book, 20, "2025-02-01", "2025-02-28")
    goal(book, 30, "2025-03-01", "2025-03-31")

    targets = Targets(book.facts())

    assert [of(targets, period=period) for period in ("2025-Q1", "2025-02", "2025", "2025-Q2")] == [60, 20, 60, None]
    assert of(targets, period="2025-W03") is None


def test_a_quarters_own_target_goes_before_the_sum_of_its_months(book: Book) -> None:
    book.person("lin")
    goal(book, 10, "2025-01-01", "2025-01-31")
    goal(book, 100)
    goal(book, 200, "2025-04-01", "2025-06-30")

    targets = Targets(book.facts())

    assert (of(targets), of(targets, period="2025")) == (100, 300)


def test_the_newest_version_of_a_target_holds(book: Book) -> None:
    book.person("lin")
    goal(book, 10, recorded_at="2025-01-01")
    goal(book, 20, recorded_at="2025-02-01")
    goal(book, 30, recorded_at="2025-03-01", deleted=True)

    assert of(Targets(book.facts())) == 20


def test_the_plans_amount_holds_for_each_of_its_periods(book: Book) -> None:
    book.person("lin")
    rule = TargetSource.model_validate({"person": 100, "team": 300, "organisation": 900})

    targets = Targets(book.facts(), {"bookings": rule}, every="quarter")

    assert [of(targets, period=period) for period in ("2025-Q1", "2025", "2025-01", "2025-02-01..2025-04-30")] == [
        100, 400, None, None,
    ]  # fmt: skip
    assert (of(targets, "North", "team"), of(targets, "all", "organisation")) == (300, 900)


def test_a_group_has_its_own_target_or_the_sum_of_its_members(book: Book) -> None:
    book.person("lin", team="North", region="EU")
    book.person("kim", team="North", region="EU")
    book.person("bo", team="South", region=None, deleted=True)
    goal(book, 600, subject_id="lin")
    goal(book, 500, subject_id="kim")
    goal(book, 99, subject_id="bo")
    goal(book, 1000, subject_id="North", subject_kind="team")
    goal(book, 5, subject_id="GTX", subject_kind="product")

    targets = Targets(book.facts())

    assert of(targets, "North", "team") == 1000
    assert of(targets, "EU", "region") == of(targets, "all", "organisation") == 1100
    assert (of(targets, "South", "team"), of(targets, "GTX", "product"), of(targets, "X", "product")) == (None, 5, None)
    assert targets.of_members(("team", "North"), "bookings", Q1) == 1100
    assert targets.amount(("team", "region"), ("North", "EU"), "bookings", Q1) is None
    assert targets.amount(("person",), (None,), "bookings", Q1) is None


def test_the_organisations_target_needs_no_name(book: Book) -> None:
    goal(book, 10, subject_id=None, subject_kind="organisation")
    goal(book, 10, subject_id=None)

    assert of(Targets(book.facts()), "all", "organisation") == 10


@pytest.mark.parametrize(
    ("word", "found"),
    [("crm:lin", True), ("lin", True), ("Lin Ek", True), ("LIN@x.com", True), ("Twin", False), ("nobody", False)],
)
def test_an_imported_file_may_name_a_person_as_people_do(book: Book, word: str, found: bool) -> None:
    book.person("lin", name="Lin Ek", email="lin@X.com ")
    book.person("t1", name="Twin")
    book.person("t2", name="Twin", email="t@x.com")
    goal(book, 10, connection="import", subject_id=word)

    assert of(Targets(book.facts())) == (10 if found else None)


def test_a_crm_names_a_person_by_its_own_id_only(book: Book) -> None:
    book.person("lin", name="Lin")
    goal(book, 10, subject_id="Lin")

    assert of(Targets(book.facts())) is None


def test_a_target_in_another_currency_is_converted_at_its_start(book: Book) -> None:
    book.person("lin")
    book.add("rate", currency="EUR", to="USD", rate="1.1", on="2025-01-01")
    book.add("rate", currency="EUR", to="USD", rate="1.2", on="2025-03-30")
    goal(book, 100, currency="EUR")
    goal(book, 100, "2025-07-01", "2025-09-30", currency="EUR")
    goal(book, 5, currency=None, metric="won_count")

    targets = Targets(book.facts())

    assert (of(targets), of(targets, period="2025-Q3")) == (110, 120)
    assert targets.amount(("person",), ("crm:lin",), "won_count", Q1) == 5


def test_team_attainment_is_summed_and_never_averaged(book: Book) -> None:
    for person, won, wanted in (("a", 50, 100), ("b", 180, 150)):
        book.person(person, team="North")
        book.deal(f"d{person}", "Won", won, owner_id=person, close_on="2025-02-01")
        goal(book, wanted, subject_id=person)

    row = values(family(MetricSettings()), book.facts(), by=("team",))["North", "attainment"]

    assert (plain(row["value"]), row["numerator"], row["denominator"]) == ("0.92", 230, 250)


@pytest.mark.parametrize("wanted", [None, 0])
def test_without_a_target_attainment_is_not_applicable(book: Book, wanted: int | None) -> None:
    book.person("lin")
    goal(book, wanted)
    book.deal("d", "Won", 5, close_on="2025-02-01")

    rows = values(family(MetricSettings()), book.facts())

    assert (rows["lin", "attainment"]["value"], rows["lin", "attainment"]["status"]) == (None, "not_applicable")
    assert rows["lin", "pipeline_coverage"]["status"] == "not_applicable"


def test_attainment_of_another_metric_uses_that_metrics_target(book: Book) -> None:
    book.person("lin")
    book.deal("d", "Won", 5, close_on="2025-02-01")
    goal(book, 4, metric="won_count", currency=None)

    row = values({"wins": attainment_of("won_count", won_count)}, book.facts())["lin", "wins"]

    assert (row["value"], row["unit"]) == (D("0.25"), "ratio")


def test_a_target_is_prorated_by_days() -> None:
    moved = (prorated(D(90000), 35, 63) or D(0)) + (prorated(D(135000), 28, 63) or D(0))

    assert (prorated(D(120000), 42, 63), prorated(D(1), 0, 0)) == (D(80000), None)
    assert round_money(moved, "USD") == 110000


def test_a_new_hire_ramps_from_the_day_of_joining() -> None:
    months = [parse_period(f"2025-0{month}") for month in range(1, 6)]
    factors = [D("0.25"), D("0.5"), D("0.75")]

    quarter = ramped(D(40000), factors, date(2025, 1, 1), months[:3], Calendar())
    joiner = ramped(D(40000), factors, date(2025, 1, 16), months[:3], Calendar())
    later = ramped(D(40000), factors, date(2025, 2, 1), months, Calendar())

    assert (quarter, round_money(joiner, "USD"), later) == (D(60000), D("55217.39"), D(100000))


def test_pace_and_run_rate_say_where_it_leads() -> None:
    half, seasonal = D("0.5"), D("0.35")

    assert (pace(D(120000), D(300000), half), run_rate(D(120000), half)) == (D("0.8"), D(240000))
    assert plain(pace(D(120000), D(300000), seasonal) or D(0)) == "1.142857"
    assert round_money(run_rate(D(120000), seasonal) or D(0), "USD") == D("342857.14")
    assert (pace(D(1), None, half), pace(D(1), D(5), D(0)), run_rate(D(1), D("0.14"))) == (None, None, None)


def test_the_elapsed_share_counts_the_days_that_count() -> None:
    week = parse_period("2025-W03")
    weekend = parse_period("2025-01-18..2025-01-19")

    assert elapsed_share(week, date(2025, 1, 14), Calendar()) == D("0.4")
    assert elapsed_share(week, date(2025, 1, 1), Calendar()) == 0
    assert elapsed_share(week, date(2025, 2, 1), Calendar()) == 1
    assert elapsed_share(weekend, date(2025, 1, 18), Calendar()) == 1
    assert elapsed_share(weekend, date(2025, 1, 18), Calendar(), "calendar_days") == D("0.5")


def test_over_assignment_is_what_the_members_have_more() -> None:
    assert over_assignment(D(1100), D(1000)) == D("0.1")
    assert (over_assignment(None, D(1)), over_assignment(D(1), None), over_assignment(D(1), D(0))) == (None,) * 3
