"""Periods: half-open stretches of days, how they are written, and the calendars that cut the year.

A calendar is Gregorian with any first month of the fiscal year, or week-based (4-4-5, 4-5-4, 5-4-4; domain guide, 2).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PeriodKind = Literal["year", "quarter", "month", "week"]
CalendarKind = Literal["gregorian", "4-4-5", "4-5-4", "5-4-4"]
WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)
HOW = "write 2017, 2017-Q2, 2017-05, 2017-W20, FY2017-Q2, FY2025-P03 or 2017-03-01..2017-06-30"


class PeriodError(ValueError):
    """Not a period we can read. The message says how periods are written."""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Days ``[start, end)`` under a name."""

    start: date
    end: date
    name: str

    @property
    def last_day(self) -> date:
        """The last day that still belongs to the period."""
        return self.end - DAY

    @property
    def days(self) -> int:
        """Calendar days."""
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


class Calendar(BaseModel):
    """How the organisation cuts its years. Immutable; equal settings are equal calendars."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: CalendarKind = "gregorian"
    fiscal_start: int = Field(default=1, ge=1, le=12, description="First month of the fiscal year")
    fiscal_named_by: Literal["start", "end"] = Field(
        default="start", description="Whether a fiscal year bears its first or its last year"
    )
    starts: date | None = Field(default=None, description="First day of any one fiscal year of a week-based calendar")
    long_years: tuple[int, ...] | None = Field(
        default=None, description="Fiscal years of 53 weeks; default: years begin nearest to the first of the month"
    )
    holidays: str | tuple[date, ...] | None = Field(
        default=None, description="A country such as DE or DE-BY, or the days themselves"
    )

    @model_validator(mode="after")
    def _week_based_starts(self) -> "Calendar":
        if (self.kind == "gregorian") != (self.starts is None):
            message = "`starts` belongs to a week-based calendar (4-4-5, 4-5-4, 5-4-4), and each of those needs it"
            raise ValueError(message)
        return self

    def fiscal_year(self, year: int) -> Period:
        """The fiscal year that bears this number."""
        return Period(self._year_start(year), self._year_start(year + 1), f"FY{year}")

    def _year_start(self, year: int) -> date:
        if self.starts is not None:
            return _week_year_start(self, self.starts, year)
        shift = 1 if self.fiscal_named_by == "end" and self.fiscal_start > 1 else 0
        return date(year - shift, self.fiscal_start, 1)

    def fiscal_months(self, year: int) -> list[Period]:
        """The twelve fiscal months; a 53rd week joins the last one."""
        whole = self.fiscal_year(year)
        if self.kind == "gregorian":
            starts = [_month_later(whole.start, months) for months in range(12)]
        else:
            weeks = [int(part) for part in self.kind.split("-")] * 4
            starts = [whole.start + sum(weeks[:index]) * WEEK for index in range(12)]
        return [
            Period(start, end, f"FY{year}-P{number:02d}")
            for number, (start, end) in enumerate(pairwise([*starts, whole.end]), start=1)
        ]

    def fiscal_quarters(self, year: int) -> list[Period]:
        """Four quarters of three fiscal months each."""
        months = self.fiscal_months(year)
        return [Period(months[3 * q].start, months[3 * q + 2].end, f"FY{year}-Q{q + 1}") for q in range(4)]

    def is_plain(self) -> bool:
        """Whether the fiscal year is the calendar year."""
        return self.kind == "gregorian" and self.fiscal_start == 1

    def holidays_between(self, start: date, end: date) -> frozenset[date]:
        """Public holidays in ``[start, end)``; none without a ``holidays`` setting."""
        if self.holidays is None:
            return frozenset()
        if isinstance(self.holidays, tuple):
            return frozenset(day for day in self.holidays if start <= day < end)
        days = _public_holidays(self.holidays, tuple(range(start.year, end.year + 1)))
        return frozenset(day for day in days if start <= day < end)

    def working_days(self, start: date, end: date) -> int:
        """Mondays to Fridays in ``[start, end)`` that are no holidays; 0 if the end is not after the start."""
        days = max((end - start).days, 0)
        weeks, rest = divmod(days, 7)
        odd = sum((start.weekday() + step) % 7 < 5 for step in range(rest))
        return weeks * 5 + odd - sum(day.weekday() < 5 for day in self.holidays_between(start, end))


@lru_cache(maxsize=64)
def _public_holidays(place: str, years: tuple[int, ...]) -> frozenset[date]:
    import holidays  # slow to import, and used by few

    country, _, subdivision = place.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=years))
    except NotImplementedError:
        message = (
            f"holidays: {place} is no country we know: write an ISO code such as DE, US-CA or CN, or list the days"
        )
        raise PeriodError(message) from None


def _month_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _nearest(anchor: date, weekday: int) -> date:
    ahead = (weekday - anchor.weekday()) % 7
    return anchor + timedelta(days=ahead if ahead <= 3 else ahead - 7)


@lru_cache(maxsize=1024)
def _week_year_start(calendar: Calendar, starts: date, year: int) -> date:
    """Years begin on the weekday of ``starts`` nearest to the first of its month, unless long years are listed."""
    anchor = _month_later(starts + timedelta(days=15), 0)  # the first of the month that `starts` is nearest to
    shift = 1 if calendar.fiscal_named_by == "end" and anchor.month > 1 else 0
    if calendar.long_years is None:
        return _nearest(date(year - shift, anchor.month, 1), starts.weekday())
    named = anchor.year + shift
    between = range(min(named, year), max(named, year))
    weeks = sum(53 if passed in calendar.long_years else 52 for passed in between)
    return starts + weeks * WEEK * (1 if year >= named else -1)


PLAIN = Calendar()


def _months(year: int, first: int, count: int, name: str) -> Period:
    start = date(year, first, 1)
    return Period(start, _month_later(start, count), name)


def _iso_week(text: str, year: int, week: int) -> Period:
    start = date.fromisocalendar(year, week, 1)
    return Period(start, start + WEEK, text)


def _range(text: str, first: str, last: str) -> Period:
    start, end = date.fromisoformat(first), date.fromisoformat(last) + DAY
    if end <= start:
        message = f"{text}: the last day lies before the first"
        raise PeriodError(message)
    return Period(start, end, text)


Parser = Callable[[str, re.Match[str], Calendar], Period]
_PARSERS: tuple[tuple[str, Parser], ...] = (
    (r"(\d{4})", lambda text, m, _: _months(int(m[1]), 1, 12, text)),
    (r"(\d{4})-Q([1-4])", lambda text, m, _: _months(int(m[1]), 3 * int(m[2]) - 2, 3, text)),
    (r"(\d{4})-(\d{2})", lambda text, m, _: _months(int(m[1]), int(m[2]), 1, text)),
    (r"(\d{4})-W(\d{2})", lambda text, m, _: _iso_week(text, int(m[1]), int(m[2]))),
    (r"FY(\d{4})", lambda _, m, calendar: calendar.fiscal_year(int(m[1]))),
    (r"FY(\d{4})-Q([1-4])", lambda _, m, calendar: calendar.fiscal_quarters(int(m[1]))[int(m[2]) - 1]),
    (r"FY(\d{4})-P(0[1-9]|1[0-2])", lambda _, m, calendar: calendar.fiscal_months(int(m[1]))[int(m[2]) - 1]),
    (r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", lambda text, m, _: _range(text, m[1], m[2])),
)


def parse_period(text: str, calendar: Calendar = PLAIN) -> Period:
    """The period that ``text`` names, such as ``2017-Q2``. Raises PeriodError, which says how periods are written."""
    for pattern, parser in _PARSERS:
        match = re.fullmatch(pattern, text, re.ASCII)
        if match is None:
            continue
        try:
            return parser(text, match, calendar)
        except PeriodError:
            raise
        except (ValueError, OverflowError):  # month 13, week 54, year 0
            break
    message = f"{text!r} is not a period: {HOW}"
    raise PeriodError(message)


def period_of(day: date, kind: PeriodKind, calendar: Calendar = PLAIN) -> Period:
    """The period of this kind that holds the day: fiscal where the fiscal year is not the calendar year; ISO weeks."""
    if kind == "week":
        year, week, _ = day.isocalendar()
        return _iso_week(f"{year}-W{week:02d}", year, week)
    if calendar.is_plain():
        names = {
            "year": f"{day.year:04d}",
            "quarter": f"{day.year:04d}-Q{(day.month + 2) // 3}",
            "month": f"{day:%Y-%m}",
        }
        return parse_period(names[kind], calendar)
    # A fiscal year bears its own year or one next to it.
    year = next(year for year in (day.year - 1, day.year, day.year + 1) if day in calendar.fiscal_year(year))
    if kind == "year":
        return calendar.fiscal_year(year)
    parts = calendar.fiscal_quarters(year) if kind == "quarter" else calendar.fiscal_months(year)
    return next(part for part in parts if day in part)


def periods_between(start: date, end: date, kind: PeriodKind, calendar: Calendar = PLAIN) -> Iterator[Period]:
    """The periods of this kind that hold a day of ``[start, end)``, in order."""
    day = start
    while day < end:
        period = period_of(day, kind, calendar)
        yield period
        day = period.end
