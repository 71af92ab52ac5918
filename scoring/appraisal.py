"""What an appraisal says: the score, its components, gates and confidence, as data and in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, Literal

from scoring.confidence import label
from scoring.language import LANGUAGES, METRIC_NAMES, SEPARATOR, Language
from scoring.money import EXACT, plain

Standing = Literal["counted", "zero", "low_sample", "no_data", "not_applicable", "few_peers", "blocked"]
"""counted; zero: missing, and the person could have filled it; the others are not counted, for that reason."""

Status = Literal["ok", "not_rated", "low_confidence", "blocked"]
"""ok; not_rated: too little of the scorecard counts, no score; low_confidence and blocked: a score without a band."""

_SHOWN = Decimal("0.01")
_KEPT = Decimal("1E-12")
_MOST_CHARACTERS = 255

_NOT_COUNTED: Mapping[Standing, Mapping[Language, str]] = {
    "low_sample": {"en": "{name} not counted: {n} of {needed} needed", "zh-CN": "{name}未计入：需要 {needed}，仅有 {n}"},
    "no_data": {"en": "{name} not counted: no data", "zh-CN": "{name}未计入：无数据"},
    "not_applicable": {"en": "{name} not counted: not applicable", "zh-CN": "{name}未计入：不适用"},
    "few_peers": {"en": "{name} not counted: fewer than {needed} peers", "zh-CN": "{name}未计入：同类人员不足 {needed} 人"},
    "blocked": {"en": "{name} not counted: held for its data quality", "zh-CN": "{name}未计入：数据质量待核"},
    "zero": {"en": "{name} counts 0: not filled in", "zh-CN": "{name}按 0 计：未填写"},
}  # fmt: skip

_GATES: Mapping[str, Mapping[Language, str]] = {
    "cap": {"en": "{id}: at most band {limit}, {before} before", "zh-CN": "{id}：最高等级 {limit}，此前 {before}"},
    "floor": {"en": "{id}: at least {limit}, {before} before", "zh-CN": "{id}：最低 {limit}，此前 {before}"},
    "block": {"en": "{id}: no band", "zh-CN": "{id}：不评等级"},
}

_STATUS: Mapping[Status, Mapping[Language, str]] = {
    "not_rated": {"en": "not rated: only {weight} of the weight is available", "zh-CN": "不评分：可用权重仅 {weight}"},
    "low_confidence": {"en": "no band: confidence {confidence}", "zh-CN": "不评等级：置信度 {confidence}"},
}


def shown(value: Fraction) -> Decimal:
    """Two decimals, cut off and not rounded: 94.996 is shown as 94.99, for it is not yet 95."""
    return _decimal(value).quantize(_SHOWN, ROUND_DOWN, EXACT)


def kept(value: Fraction) -> Decimal:
    """To the 12 places that are stored, half-even."""
    return _decimal(value).quantize(_KEPT, ROUND_HALF_EVEN, EXACT)


def _decimal(value: Fraction) -> Decimal:
    return EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


@dataclass(frozen=True, slots=True)
class ComponentScore:
    """One component: the metric's value, brought to 0..100 and weighted. ``note`` holds n, what is needed, the peers."""

    id: str
    metric: str
    group: str
    standing: Standing
    value: Decimal | None
    n: int
    normalised: Fraction | None
    weight: Fraction
    effective_weight: Fraction
    needed: int = 0
    peers: tuple[str, ...] | None = None
    widened: bool = False
    shrunk_from: Decimal | None = None

    @property
    def points(self) -> Fraction | None:
        """What the component brings to the score."""
        return None if self.normalised is None else self.normalised * self.effective_weight

    def text(self, language: Language) -> str:
        """One line for a reader."""
        name = metric_name(self.metric, language)
        if self.standing in _NOT_COUNTED:
            return _NOT_COUNTED[self.standing][language].format(name=name, n=self.n, needed=self.needed)
        weight = plain(_decimal(self.effective_weight).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))
        return f"{name} {shown(self.normalised or Fraction(0))} x {weight}" + self._peers_text(language)

    def _peers_text(self, language: Language) -> str:
        if not self.widened or self.peers is None:
            return ""
        among = ", ".join(self.peers)
        if language == "zh-CN":
            return f"（同类范围放宽到{among or '全体'}）"
        return f" (peers widened to {among or 'everybody'})"

    def payload(self) -> dict[str, Any]:
        """As JSON takes it; numbers are text."""
        return {
            "id": self.id, "metric": self.metric, "group": self.group, "status": self.standing,
            "value": None if self.value is None else plain(self.value), "n": self.n,
            "normalised": None if self.normalised is None else plain(kept(self.normalised)),
            "weight": plain(kept(self.weight)), "effective_weight": plain(kept(self.effective_weight)),
            "points": None if self.points is None else plain(kept(self.points)),
            "peers": None if self.peers is None else list(self.peers), "widened": self.widened,
            "shrunk_from": None if self.shrunk_from is None else plain(self.shrunk_from),
            "text": {language: self.text(language) for language in LANGUAGES},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class GateHit:
    """A gate that held, with the score before and after it."""

    id: str
    kind: Literal["cap", "floor", "block"]
    limit: str
    before: Fraction
    after: Fraction

    def text(self, language: Language) -> str:
        """One line for a reader."""
        return _GATES[self.kind][language].format(id=self.id, limit=self.limit, before=shown(self.before))

    def payload(self) -> dict[str, Any]:
        """As JSON takes it; numbers are text."""
        return {
            "id": self.id, "kind": self.kind, "limit": self.limit, "before": plain(kept(self.before)),
            "after": plain(kept(self.after)), "text": {language: self.text(language) for language in LANGUAGES},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Appraisal:
    """One person's scorecard of one period. ``exact`` is the score that bands are compared with, None if not rated."""

    person: str
    period: str
    status: Status
    exact: Fraction | None
    before_gates: Fraction | None
    band: str | None
    available_weight: Fraction
    exact_confidence: Fraction
    components: tuple[ComponentScore, ...]
    gates: tuple[GateHit, ...]

    @property
    def score(self) -> Decimal | None:
        """The score to 12 places."""
        return None if self.exact is None else kept(self.exact)

    @property
    def shown(self) -> Decimal | None:
        """The score as people see it: two decimals, cut off."""
        return None if self.exact is None else shown(self.exact)

    @property
    def confidence(self) -> Decimal:
        """0..1, to 12 places."""
        return kept(self.exact_confidence)

    def lines(self, language: Language) -> list[str]:
        """Status, gates, then the components, heaviest first."""
        first = []
        if self.status in _STATUS:
            weight, sure = shown(self.available_weight), shown(self.exact_confidence)
            first.append(_STATUS[self.status][language].format(weight=weight, confidence=sure))
        parts = sorted(self.components, key=lambda part: -part.weight)
        return [*first, *(gate.text(language) for gate in self.gates), *(part.text(language) for part in parts)]

    def reasons_text(self, language: Language = "en") -> str:
        """At most 255 characters, cut between reasons."""
        return fitting(self.lines(language), SEPARATOR[language])

    def payload(self) -> dict[str, Any]:
        """Everything, as JSON takes it; numbers are text, the order is fixed."""
        return {
            "person": self.person, "period": self.period, "status": self.status,
            "score": None if self.score is None else plain(self.score),
            "shown": None if self.shown is None else str(self.shown),
            "before_gates": None if self.before_gates is None else plain(kept(self.before_gates)),
            "band": self.band, "confidence": plain(self.confidence), "confidence_label": label(self.exact_confidence),
            "available_weight": plain(kept(self.available_weight)),
            "components": [part.payload() for part in self.components],
            "gates": [gate.payload() for gate in self.gates],
            "reasons_text": {language: self.reasons_text(language) for language in LANGUAGES},
        }  # fmt: skip


def metric_name(metric: str, language: Language) -> str:
    """What a reader calls a metric."""
    return METRIC_NAMES.get(metric, metric) if language == "zh-CN" else metric.replace("_", " ")


def fitting(lines: Iterable[str], between: str) -> str:
    """As many whole lines as 255 characters hold; a first one that is longer is cut."""
    text = ""
    for line in lines:
        longer = f"{text}{between}{line}" if text else line
        if len(longer) > _MOST_CHARACTERS:
            return text or line[: _MOST_CHARACTERS - 1] + "…"
        text = longer
    return text
