"""What a simulated company is made from. Same settings, same company, byte for byte."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

FAULT_RATES: dict[str, float] = {
    "missing_amount": 0.02,
    "past_due": 0.2,
    "duplicate": 0.01,
    "missing_owner": 0.006,
    "no_next_step": 0.18,
    "same_day_close": 0.006,
    "outlier": 0.004,
    "unknown_currency": 0.005,
}
"""Chance of each fault, among the deals that can have it (``FAULT_MEANING``)."""

FAULT_MEANING: dict[str, str] = {
    "missing_amount": "no amount is ever entered; among deals of one CRM only",
    "past_due": "open, its close date passed and nobody moved it; among open deals whose close date came at least once",
    "duplicate": "a second record of a deal, pairs of [first, later]; among deals of one CRM only, 2 days old or older",
    "missing_owner": "no owner; among deals of one CRM only that allows it (Salesforce and Dynamics do not)",
    "no_next_step": "open beyond the first stage without a next step; among open deals beyond the first stage",
    "same_day_close": "won on the day it was created; among deals of one CRM only",
    "outlier": "an amount 100 times too large or too small; among deals of one CRM only",
    "unknown_currency": "a currency without any rate; among deals of one CRM only",
}
"""What each fault is, and among which deals its rate is counted."""

ALWAYS_OWNED = frozenset({"salesforce", "dynamics"})
"""CRM kinds in which no deal is without an owner."""

EXCLUSIVE_FAULTS = ("missing_amount", "missing_owner", "same_day_close", "outlier", "unknown_currency", "duplicate")
"""A deal has at most one of these."""

PER_EURO: dict[str, float] = {"EUR": 1.0, "USD": 1.09, "JPY": 161.0, "GBP": 0.85, "CNY": 7.8, "CHF": 0.95}
"""Currencies the company may count in, with their units per euro on the first day."""

END = date(2026, 6, 30)
"""Day of observation of a company whose caller does not care. Fixed: a simulation reads no clock."""

UNKNOWN_CURRENCY = "VEF"
"""A retired code: no CRM and no import has a rate for it."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Settings of a simulated company.

    Days run from ``start`` (or ``days`` before ``end``) up to ``end``, the day of observation, on which nothing is
    recorded any more: pass today to have a company that is alive now. ``people`` counts those who sell (account
    executives and development representatives) on the last day; managers and people who left come on top. ``deals``
    counts deals once: planted duplicates and copies in a second CRM come on top. ``spread`` names the CRM kinds over
    which the company is spread; empty, it lives in one CRM and rows have no ``connection``. ``faults`` are chances by
    name; a name left out has none. ``planted`` False leaves out the sandbagger, pusher, padder and under-served region.
    """

    seed: int = 1
    deals: int = 5000
    people: int = 44
    days: int = 913
    start: date | None = None
    end: date = END
    time_zone: str = "Europe/Berlin"
    currency: str = "EUR"
    activities_per_deal: float = 8.0
    spread: tuple[str, ...] = ()
    planted: bool = True
    faults: Mapping[str, float] = field(default_factory=lambda: dict(FAULT_RATES))

    def __post_init__(self) -> None:
        problems = [
            (self.deals < 0, "deals must not be negative"),
            (self.people < 6, "people must be 6 or more: three of them have planted habits"),
            ((self.end - self.first).days < 30, "the history must be 30 days or longer"),
            (self.activities_per_deal < 0, "activities_per_deal must not be negative"),
            (self.currency not in PER_EURO, f"currency must be one of {', '.join(PER_EURO)}"),
            (not set(self.faults) <= set(FAULT_RATES), f"faults are {', '.join(FAULT_RATES)}"),
            (not all(0 <= rate <= 1 for rate in self.faults.values()), "rates of faults are chances from 0 to 1"),
            (
                sum(self.faults.get(fault, 0.0) for fault in EXCLUSIVE_FAULTS) > 1,
                f"rates of {', '.join(EXCLUSIVE_FAULTS)} must not exceed 1 together: a deal has at most one of them",
            ),
            (len(set(self.spread)) != len(self.spread), "spread must name each CRM kind once"),
        ]
        wrong = [text for is_wrong, text in problems if is_wrong]
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def first(self) -> date:
        """First simulated day."""
        return self.start or self.end - timedelta(days=self.days)

    @property
    def connections(self) -> tuple[str, ...]:
        """Where rows live: the CRM kinds, or one nameless CRM."""
        return self.spread or ("",)

    def rate(self, currency: str) -> float:
        """What one unit of ``currency`` is worth in the company's, on the first day."""
        return PER_EURO[self.currency] / PER_EURO[currency]

    def as_json(self) -> dict[str, Any]:
        """The settings as ``truth.json`` repeats them; the fault rates stand with the faults."""
        return {
            "seed": self.seed,
            "deals": self.deals,
            "people": self.people,
            "start": self.first.isoformat(),
            "end": self.end.isoformat(),
            "time_zone": self.time_zone,
            "currency": self.currency,
            "activities_per_deal": self.activities_per_deal,
            "spread": list(self.spread),
            "planted": self.planted,
        }
