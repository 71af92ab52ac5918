"""What a plan file may say: who is appraised by what, and how opportunities are scored (product.md section 4)."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Figure = Annotated[Decimal, Field(gt=-(10**15), lt=10**15, decimal_places=30)]
"""A number of a plan: large enough for any money, and with room for sums in the engine's Decimal(38, 12)."""

Positive = Annotated[Figure, Field(gt=0)]
NotNegative = Annotated[Figure, Field(ge=0)]
Share = Annotated[Figure, Field(ge=0, le=1)]
Points = Annotated[Decimal, Field(ge=-1000, le=1000, decimal_places=2)]

MOST_RULES = 300
MOST_PARTS = 100
"""Components, gates and own metrics: each costs time in every cycle."""


class PlanModel(BaseModel):
    """Base: an unknown key is an error, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class TargetSource(PlanModel):
    """Where the target of one metric comes from: the first source of ``from`` that has one."""

    sources: tuple[Literal["import", "plan", "crm"], ...] = Field(
        default=("import", "plan", "crm"), alias="from", min_length=1
    )
    person: NotNegative | None = None
    team: NotNegative | None = None
    organisation: NotNegative | None = None


class AttainmentOptions(PlanModel):
    """100 x clamp(x / target, 0, cap)."""

    cap: Positive | None = Field(default=None, description="Default: the setting normaliser.cap, 1.2")
    target: Positive | None = Field(default=None, description="A fixed target, for a metric without one of its own")


class PiecewiseOptions(PlanModel):
    """Linear between points [x, score]; x strictly increasing."""

    points: list[tuple[Figure, Figure]] = Field(min_length=2, max_length=MOST_PARTS)

    @field_validator("points")
    @classmethod
    def _increasing(cls, points: list[tuple[Decimal, Decimal]]) -> list[tuple[Decimal, Decimal]]:
        if any(left[0] >= right[0] for left, right in pairwise(points)):
            message = "points must be strictly increasing in x"
            raise ValueError(message)
        return points


class MinMaxOptions(PlanModel):
    """100 x clamp((x - lo) / (hi - lo), 0, 1). Swap lo and hi where lower is better."""

    lo: Figure
    hi: Figure

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.lo == self.hi:
            message = "lo and hi must differ"
            raise ValueError(message)
        return self


class PeerOptions(PlanModel):
    """Who is compared: dimensions of the peer group, widened from the right until there are ``minimum`` people."""

    peers: tuple[Literal["role", "region", "tenure"], ...] = ("role", "region", "tenure")
    minimum: int | None = Field(
        default=None, ge=2, le=1_000_000, description="Default: 8 for percentile, 15 for zscore"
    )
    robust: bool = Field(default=False, description="zscore only: median and 1.4826 x MAD")


class Normaliser(PlanModel):
    """Exactly one of the five ways to bring a metric to 0..100."""

    attainment: AttainmentOptions | None = None
    piecewise: PiecewiseOptions | None = None
    minmax: MinMaxOptions | None = None
    percentile: PeerOptions | None = None
    zscore: PeerOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {value: {}} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.chosen) != 1:
            message = "name exactly one of attainment, piecewise, minmax, percentile, zscore"
            raise ValueError(message)
        return self

    @property
    def chosen(self) -> list[str]:
        """Names of the normalisers that are set."""
        return [name for name in type(self).model_fields if getattr(self, name) is not None]


class Component(PlanModel):
    """One metric of a scorecard."""

    id: str
    metric: str
    weight: Share
    normaliser: Normaliser = Normaliser(attainment=AttainmentOptions())
    group: Literal["results", "process", "customer", "team"] = "results"
    missing: Literal["reweight", "zero"] | None = Field(
        default=None,
        description="reweight: absence is structural; zero: the person could have filled it. "
        "Default: the setting missing.policy, reweight",
    )
    low_sample: Literal["drop", "include", "shrink"] = "drop"


class Gate(PlanModel):
    """Runs after the weighting; ``when`` is a SQL condition over the scorecard's own columns and metrics."""

    id: str
    when: str
    cap: str | None = Field(default=None, description="At most this band")
    floor: Figure | None = Field(default=None, description="At least this score")
    block: bool = Field(default=False, description="No band at all")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum((self.cap is not None, self.floor is not None, self.block)) != 1:
            message = "a gate has exactly one of cap, floor, block"
            raise ValueError(message)
        return self

    @property
    def kind(self) -> Literal["cap", "floor", "block"]:
        """Which of the three it is."""
        return "cap" if self.cap is not None else "floor" if self.floor is not None else "block"


class Scorecard(PlanModel):
    """Components, weights that sum to exactly 1, gates and bands (domain guide 3)."""

    components: list[Component] = Field(min_length=1, max_length=MOST_PARTS)
    gates: list[Gate] = Field(default_factory=list, max_length=MOST_PARTS)
    bands: dict[str, Figure] = Field(
        default_factory=lambda: {"S": Decimal(110), "A": Decimal(95), "B": Decimal(80), "C": Decimal(60)}
    )
    lowest_band: str = "D"
    minimum_weight: Share = Field(default=Decimal("0.60"), description="Below: not rated")
    minimum_confidence: Share = Field(default=Decimal("0.5"), description="Below: no band")

    @model_validator(mode="after")
    def _sums(self) -> Self:
        total = sum((component.weight for component in self.components), Decimal(0))
        if total != 1:
            message = f"weights must sum to exactly 1, they sum to {total}"
            raise ValueError(message)
        ids = [component.id for component in self.components]
        if len(set(ids)) != len(ids):
            message = "component ids must differ"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _gates(self) -> Self:
        gate_ids = [gate.id for gate in self.gates]
        if len(set(gate_ids)) != len(gate_ids):
            message = "gate ids must differ"
            raise ValueError(message)
        known = [*self.bands, self.lowest_band]
        for gate in self.gates:
            if gate.cap is not None and gate.cap not in known:
                message = f"gate {gate.id}: band {gate.cap} is not one of {', '.join(known)}"
                raise ValueError(message)
        return self

    def bound_above(self, band: str) -> Decimal | None:
        """The lower bound of the next better band, None for the best."""
        names = [*self.bands, self.lowest_band]
        place = names.index(band)
        return self.bands[names[place - 1]] if place else None

    @field_validator("bands")
    @classmethod
    def _falling(cls, bands: dict[str, Decimal]) -> dict[str, Decimal]:
        bounds = list(bands.values())
        if any(left <= right for left, right in pairwise(bounds)):
            message = "bands are written from the best down: lower bounds must fall"
            raise ValueError(message)
        return bands


class Rule(PlanModel):
    """One readable reason: points while ``when`` holds.

    ``when`` is a SQL condition over the columns of a deal (``scoreback fields deal``); unknown values make it false.
    ``half_life_days`` lets the points fade with ``age`` (a column of days). ``reason`` and ``otherwise`` are texts by
    language with ``{column}`` places: shown when the rule holds, or when it would have given points and does not.
    """

    id: str
    when: str
    points: Points
    advice: str | None = Field(default=None, description="What to do next while the rule does not pay")
    half_life_days: Positive | None = None
    age: str | None = Field(default=None, description="Column of days that half_life_days counts")
    reason: dict[Literal["en", "zh-CN"], str] | None = None
    otherwise: dict[Literal["en", "zh-CN"], str] | None = None

    @model_validator(mode="after")
    def _age(self) -> Self:
        if (self.half_life_days is None) != (self.age is None):
            message = "half_life_days and age belong together"
            raise ValueError(message)
        return self


class OpportunityScore(PlanModel):
    """Points from ``start``, clamped to 0..100, graded (domain guide 5.1)."""

    start: Decimal = Field(default=Decimal(30), ge=0, le=100, decimal_places=2)
    rules: list[Rule] = Field(default_factory=list, max_length=MOST_RULES)
    grades: dict[str, Figure] = Field(
        default_factory=lambda: {"A": Decimal(80), "B": Decimal(60), "C": Decimal(40)}, min_length=1
    )
    lowest_grade: str = "D"

    @field_validator("rules")
    @classmethod
    def _distinct(cls, rules: list[Rule]) -> list[Rule]:
        ids = [rule.id for rule in rules]
        if len(set(ids)) != len(ids):
            message = "rule ids must differ"
            raise ValueError(message)
        return rules


class CustomMetric(PlanModel):
    """A metric of the admin's own, in SQL over the columns of a facts frame (domain guide and reference/metrics)."""

    unit: Literal["money", "ratio", "count", "days"]
    over: str
    numerator: str
    denominator: str | None = None
    min_sample: int | None = Field(default=None, ge=1, le=1_000_000)


class Plan(PlanModel):
    """One version of one plan. Effective dates are half-open."""

    plan: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    version: int = Field(default=1, ge=1, le=1_000_000)
    effective: tuple[date, date] | None = None
    who: dict[str, str | list[str]] = Field(default_factory=dict)
    period: Literal["month", "quarter", "year"] = "quarter"
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    settings: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, CustomMetric] = Field(default_factory=dict, max_length=MOST_PARTS)
    targets: dict[str, TargetSource] = Field(default_factory=dict)
    scorecard: Scorecard | None = None
    opportunity_score: OpportunityScore | None = None
    incentives: dict[str, Any] | None = None
    detectors: dict[str, dict[str, Any]] = Field(default_factory=dict)
    expect: list[dict[str, Any]] = Field(default_factory=list)

    @field_validator("effective")
    @classmethod
    def _half_open(cls, effective: tuple[date, date] | None) -> tuple[date, date] | None:
        if effective is not None and effective[0] >= effective[1]:
            message = "effective is [first day, day after the last]: the first must come before the second"
            raise ValueError(message)
        return effective
