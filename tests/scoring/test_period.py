"""Periods are half-open and mean the same days however they are written."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scoring.period import Calendar, Period, PeriodError, parse_period, period_of, periods_between

FEBRUARY = Calendar(fiscal_start=2, fiscal_named_by="end")
RETAIL = Calendar(kind="4-4-5", starts=date(2025, 2, 2))
DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("text", "calendar", "first", "last"),
    [
        ("2017", Calendar(), "2017-01-01", "2017-12-31"),
        ("2017-Q2", Calendar(), "2017-04-01", "2017-06-30"),
        ("2017-05", FEBRUARY, "2017-05-01", "2017-05-31"),
        ("2017-12", Calendar(), "2017-12-01", "2017-12-31"),
        ("2017-W20", Calendar(), "2017-05-15", "2017-05-21"),
        ("2017-03-01..2017-06-30", Calendar(), "2017-03-01", "2017-06-30"),
        ("FY2017", FEBRUARY, "2016-02-01", "2017-01-31"),
        ("FY2017-Q2", FEBRUARY, "2016-05-01", "2016-07-31"),
        ("FY2017-P01", Calendar(fiscal_start=2), "2017-02-01", "2017-02-28"),
        ("FY2025-P01", RETAIL, "2025-02-02", "2025-03-01"),
        ("FY2025-P02", RETAIL, "2025-03-02", "2025-03-29"),
        ("FY2025-P03", RETAIL, "2025-03-30", "2025-05-03"),
        ("FY2025-Q1", RETAIL, "2025-02-02", "2025-05-03"),
        ("FY2025-P02", Calendar(kind="4-5-4", starts=date(2025, 2, 2)), "2025-03-02", "2025-04-05"),
    ],
)
def test_a_written_period_is_these_days(text: str, calendar: Calendar, first: str, last: str) -> None:
    period = parse_period(text, calendar)

    assert (period.start.isoformat(), period.last_day.isoformat(), period.name) == (first, last, text)


@pytest.mark.parametrize(
    "text", ["", "17", "2017-Q5", "2017-13", "2017-W54", "0000", "FY2017-P13", "2017-02-30..2017-03-01", "9999", "٢٠١٧"]
)
def test_what_is_no_period_says_how_to_write_one(text: str) -> None:
    with pytest.raises(PeriodError, match="write 2017, 2017-Q2"):
        parse_period(text)


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(PeriodError, match="before the first"):
        parse_period("2017-03-02..2017-03-01")


def test_the_53rd_week_joins_the_last_period() -> None:
    year = RETAIL.fiscal_year(2023)  # 29 January 2023 to 3 February 2024, as the US retail calendar has it

    assert (year.start, year.days) == (date(2023, 1, 29), 371)
    assert RETAIL.fiscal_months(2023)[-1].days == 42


def test_long_years_can_be_listed() -> None:
    listed = RETAIL.model_copy(update={"long_years": (2024, 2026)})

    assert listed.fiscal_year(2025).start == date(2025, 2, 2)
    assert listed.fiscal_year(2024).start == date(2025, 2, 2) - timedelta(weeks=53)
    assert listed.fiscal_year(2027).start == date(2025, 2, 2) + timedelta(weeks=52 + 53)


def test_a_week_year_named_by_its_end_bears_the_next_number() -> None:
    named_by_end = Calendar(kind="4-4-5", starts=date(2025, 2, 2), fiscal_named_by="end")

    assert named_by_end.fiscal_year(2026).start == date(2025, 2, 2)


def test_a_week_year_around_new_year_bears_the_year_it_lies_in() -> None:
    calendar = Calendar(kind="5-4-4", starts=date(2024, 12, 29))

    assert calendar.fiscal_year(2025).start == date(2024, 12, 29)


@pytest.mark.parametrize("settings", [{"kind": "4-4-5"}, {"starts": date(2025, 2, 2)}])
def test_starts_and_a_week_based_calendar_belong_together(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="week-based"):
        Calendar.model_validate(settings)


@given(DAYS, st.sampled_from(["year", "quarter", "month", "week"]), st.sampled_from([Calendar(), FEBRUARY, RETAIL]))
def test_every_day_has_one_period_that_reads_back(day: date, kind: str, calendar: Calendar) -> None:
    period = period_of(day, kind, calendar)  # type: ignore[arg-type] # sampled from the literals

    assert day in period
    assert parse_period(period.name, calendar) == period
    assert day - timedelta(days=400) not in period


@given(
    st.integers(2000, 2060),
    st.sampled_from([Calendar(), FEBRUARY, RETAIL, Calendar(kind="5-4-4", starts=date(2025, 1, 5))]),
)
def test_the_months_and_quarters_of_a_year_tile_it(year: int, calendar: Calendar) -> None:
    whole = calendar.fiscal_year(year)

    for parts in (calendar.fiscal_months(year), calendar.fiscal_quarters(year)):
        assert parts[0].start == whole.start
        assert parts[-1].end == whole.end == calendar.fiscal_year(year + 1).start
        assert sum(part.days for part in parts) == whole.days


def test_periods_between_two_days_are_whole() -> None:
    names = [period.name for period in periods_between(date(2024, 12, 31), date(2025, 3, 1), "month")]

    assert names == ["2024-12", "2025-01", "2025-02"]


@given(DAYS, st.integers(-5, 400))
def test_working_days_are_the_weekdays_one_by_one(start: date, days: int) -> None:
    counted = sum((start + timedelta(days=step)).weekday() < 5 for step in range(days))

    assert Calendar().working_days(start, start + timedelta(days=days)) == counted


def test_holidays_are_no_working_days() -> None:
    christmas = (date(2025, 12, 22), date(2025, 12, 29))

    assert Calendar(holidays="DE").working_days(*christmas) == 3
    assert Calendar(holidays="DE-BY").holidays_between(date(2025, 1, 6), date(2025, 1, 7)) == {date(2025, 1, 6)}
    assert Calendar(holidays=(date(2025, 12, 24), date(2025, 12, 27), date(2026, 1, 1))).working_days(*christmas) == 4


def test_an_unknown_country_is_refused_with_advice() -> None:
    with pytest.raises(PeriodError, match="ISO code"):
        Calendar(holidays="XX").working_days(date(2025, 1, 1), date(2025, 2, 1))


def test_a_period_knows_its_days() -> None:
    period = Period(date(2025, 1, 1), date(2025, 4, 1), "2025-Q1")

    assert (period.days, date(2025, 3, 31) in period, date(2025, 4, 1) in period) == (90, True, False)
