"""Plans in effect, who they are for, and the fingerprints that results carry."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import blake2b
from importlib.metadata import version

from scoring.baseline import members
from scoring.defaults import default_plan
from scoring.facts import Facts
from scoring.plan import Plan
from scoring.plan_check import plans_on
from sync.config import Config

ENGINE = "1"
"""Raised when the same facts and plan give another score: part of every fingerprint."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every result of a plan was computed by, besides the facts."""

    plan: Plan
    baseline: str
    as_of: date

    @property
    def label(self) -> str:
        """The plan as CRMs show it."""
        return f"{self.plan.plan} v{self.plan.version}"

    @property
    def text(self) -> str:
        """The part of a fingerprint that is the same for all subjects."""
        return json.dumps([plan_digest(self.plan), self.baseline, self.as_of.isoformat(), ENGINE, _version()])


@cache
def _version() -> str:
    return version("scoreback")


def fingerprint(text: str) -> str:
    """32 hexadecimal characters that stand for a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def plan_digest(plan: Plan) -> str:
    """A plan's fingerprint: by content, so that a comment or the order of keys changes nothing."""
    return fingerprint(plan.model_dump_json(by_alias=True))


def plans_in_effect(config: Config, day: date) -> list[Plan]:
    """The highest version of each plan in effect on a day, those for everybody last; the default plan if there is none."""
    return plans_on(config.plans, day) or [default_plan()]


def members_of(plan: Plan, facts: Facts) -> set[str]:
    """Keys of the people that a plan is for."""
    return set(members(facts.people, plan.who)["person"])
