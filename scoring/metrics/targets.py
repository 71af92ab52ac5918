"""Targets: which one holds for whom and when, how it is rolled up, prorated, ramped and paced (domain guide, 2)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

import polars as pl

from scoring.facts import Facts
from scoring.money import EXACT, IMPORT, divided
from scoring.period import Calendar, Period, PeriodKind, periods_between
from scoring.plan import TargetSource

EXPLICIT = ("person", "team", "territory", "product", "organisation")
ROLLED_UP = ("team", "territory", "region", "role", "organisation")
LEAST_ELAPSED = Decimal("0.15")  # a projection from less says nothing
DEFAULT = TargetSource()

Subject = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class _Line:
    start: date
    end: date
    amount: Decimal


class Targets:
    """Target amounts by subject, metric and period.

    Of the sources ``import``, ``plan`` and ``crm`` the first that has one counts, in the order of the metric's rule. A
    rule's amounts hold for each period of the kind ``every``, a person's for ``people`` (default: everybody).
    """

    def __init__(
        self,
        facts: Facts,
        rules: Mapping[str, TargetSource] | None = None,
        *,
        every: PeriodKind = "quarter",
        people: Collection[str] | None = None,
    ) -> None:
        self._rules = rules or {}
        self._every = every
        self._calendar = facts.organisation.calendar
        live = facts.people.filter(pl.col("deleted").not_())
        self._people = set(live["person"]) if people is None else set(people)
        self._members: dict[Subject, list[str]] = defaultdict(list)
        for person in live.select("person", "team", "territory", "region", "role").iter_rows(named=True):
            for place in ("team", "territory", "region", "role"):
                self._members[place, person[place]].append(person["person"])
            self._members["organisation", "all"].append(person["person"])
        self._lines = _index(facts)

    def amount(self, by: Sequence[str], subject: Sequence[str | None], metric: str, period: Period) -> Decimal | None:
        """The target of one subject, None where nobody set one. A group has its own, else the sum of its members'."""
        if len(by) != 1 or subject[0] is None:
            return None
        who = (by[0], subject[0])
        own = self._own(who, metric, period) if by[0] in EXPLICIT else None
        if own is not None or by[0] not in ROLLED_UP:
            return own
        return self.of_members(who, metric, period)

    def of_members(self, who: Subject, metric: str, period: Period) -> Decimal | None:
        """The sum of the members' targets: with the group's own it tells the over-assignment."""
        amounts = [self._own(("person", person), metric, period) for person in self._members.get(who, [])]
        known = [amount for amount in amounts if amount is not None]
        return sum(known, Decimal(0)) if known else None

    def _own(self, who: Subject, metric: str, period: Period) -> Decimal | None:
        rule = self._rules.get(metric, DEFAULT)
        for source in rule.sources:
            amount = self._of_plan(rule, who, period) if source == "plan" else self._read(source, who, metric, period)
            if amount is not None:
                return amount
        return None

    def _read(self, source: str, who: Subject, metric: str, period: Period) -> Decimal | None:
        """Of several CRMs the first by name that has one."""
        sets = self._lines.get((source, *who, metric), {})
        return next((amount for lines in sets.values() if (amount := _within(lines, period)) is not None), None)

    def _of_plan(self, rule: TargetSource, who: Subject, period: Period) -> Decimal | None:
        kind, subject = who
        amount = {"person": rule.person, "team": rule.team, "organisation": rule.organisation}.get(kind)
        if amount is None or (kind == "person" and subject not in self._people):
            return None
        parts = list(periods_between(period.start, period.end, self._every, self._calendar))
        whole = parts[0].start == period.start and parts[-1].end == period.end
        return amount * len(parts) if whole else None


def _index(facts: Facts) -> dict[tuple[str, str, str | None, str], dict[str, list[_Line]]]:
    """Lines by source, subject kind, subject and metric, then by connection in name order."""
    names = _Names(facts)
    index: dict[tuple[str, str, str | None, str], dict[str, list[_Line]]] = defaultdict(lambda: defaultdict(list))
    known = facts.targets.filter(pl.col("amount").is_not_null()).sort("connection", maintain_order=True)
    for connection, kind, subject_id, metric, start, last, amount in known.iter_rows():
        source = "import" if connection == IMPORT else "crm"
        subject = {"person": names.person(connection, subject_id), "organisation": "all"}.get(kind, subject_id)
        period = Period(start, last + date.resolution, "")
        index[source, kind, subject, metric][connection].append(_Line(period.start, period.end, amount))
    return index


class _Names:
    """Finds the person that a file or a CRM means."""

    def __init__(self, facts: Facts) -> None:
        self._keys: dict[str, str] = dict(facts.aliases.iter_rows())
        self._words: dict[str, set[str]] = defaultdict(set)
        for key, person in self._keys.items():
            self._words[key.partition(":")[2]].add(person)
        for person, name, email in facts.people.select("person", "name", "email").iter_rows():
            for word in (name, email and email.strip().casefold()):
                if word:
                    self._words[word].add(person)

    def person(self, connection: str, subject_id: str | None) -> str | None:
        """By the CRM's own id; in an imported file also by key, id, e-mail or name, if only one person bears it."""
        if subject_id is None:
            return None
        own = self._keys.get(f"{connection}:{subject_id}")
        if own is not None or connection != IMPORT:
            return own
        if subject_id in self._keys:
            return self._keys[subject_id]
        found = self._words.get(subject_id) or self._words.get(subject_id.strip().casefold()) or set()
        return next(iter(found)) if len(found) == 1 else None


def _within(lines: Sequence[_Line], period: Period) -> Decimal | None:
    """The target of exactly this period, else the sum of those within it: the longest first, no day counted twice."""
    inside = [line for line in lines if period.start <= line.start and line.end <= period.end]
    taken: list[_Line] = []
    for line in sorted(inside, key=lambda line: (line.start - line.end, line.start)):
        if all(line.end <= other.start or other.end <= line.start for other in taken):
            taken.append(line)
    return sum((line.amount for line in taken), Decimal(0)) if taken else None


def prorated(target: Decimal, worked_days: int, all_days: int) -> Decimal | None:
    """The part of a target for the days somebody was there: 120,000 for 42 of 63 days is 80,000. None without days."""
    return divided(EXACT.multiply(target, Decimal(worked_days)), Decimal(all_days)) if all_days else None


def ramped(
    monthly: Decimal, factors: Sequence[Decimal], joined: date, months: Sequence[Period], calendar: Calendar
) -> Decimal:
    """The target of a new hire over these months: each by its ramp factor, the month of joining by working days.

    Month 1 of the ramp is the month of joining. After the last factor the target is full; before joining it is none.
    """
    shares = _ramp(factors, joined, months, calendar)
    return sum((EXACT.multiply(monthly, share) for share in shares), Decimal(0))


def _ramp(factors: Sequence[Decimal], joined: date, months: Sequence[Period], calendar: Calendar) -> Iterator[Decimal]:
    for month in months:
        if month.end <= joined:
            continue
        passed = len(list(periods_between(joined, month.start, "month", calendar))) if joined < month.start else 0
        factor = factors[passed] if passed < len(factors) else Decimal(1)
        worked = calendar.working_days(max(joined, month.start), month.end)
        yield prorated(factor, worked, calendar.working_days(month.start, month.end)) or Decimal(0)


def elapsed_share(
    period: Period, as_of: date, calendar: Calendar, curve: Literal["working_days", "calendar_days"] = "working_days"
) -> Decimal:
    """How much of the period is over at the end of ``as_of``, as a fraction of its working (or calendar) days."""
    until = min(max(as_of + date.resolution, period.start), period.end)
    if curve == "calendar_days":
        return divided(Decimal((until - period.start).days), Decimal(period.days))
    days = calendar.working_days(period.start, period.end)
    return divided(Decimal(calendar.working_days(period.start, until)), Decimal(days)) if days else Decimal(1)


def pace(actual: Decimal, target: Decimal | None, share: Decimal) -> Decimal | None:
    """Actual against what a target expects by now. None without a target, or before anything is expected."""
    expected = EXACT.multiply(target or Decimal(0), share)
    return divided(actual, expected) if expected else None


def run_rate(actual: Decimal, share: Decimal) -> Decimal | None:
    """Where the period ends if it goes on like this. None before 15 % of it is over."""
    return divided(actual, share) if share >= LEAST_ELAPSED else None


def over_assignment(of_members: Decimal | None, of_team: Decimal | None) -> Decimal | None:
    """By how much the members' targets exceed the team's: 1,100 against 1,000 is 0.1."""
    return divided(of_members, of_team) - 1 if of_members is not None and of_team else None
