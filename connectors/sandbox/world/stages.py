"""The two pipelines of the simulated company. No stage name occurs in both: some CRMs know one list of stages only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """An open stage: what the CRM says of it, and how it really behaves."""

    name: str
    probability: str
    category: str
    qualified: bool
    median_days: float
    """Half of the visits are shorter."""
    base: float
    """Log-odds that an average deal leaves it forwards."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Open stages in order, and the closed ones."""

    name: str
    steps: tuple[Step, ...]
    won: str
    lost: str
    omitted: str

    @property
    def early(self) -> int:
        """How many stages are of the forecast category that nobody counts on."""
        return sum(step.category == "pipeline" for step in self.steps)

    def stages(self) -> list[tuple[str, str, str, str, bool]]:
        """Every stage as (stage, outcome, probability, forecast category, qualified), in order."""
        opens = [(step.name, "open", step.probability, step.category, step.qualified) for step in self.steps]
        return [
            *opens,
            (self.won, "won", "1", "closed", True),
            (self.lost, "lost", "0", "omitted", False),
            (self.omitted, "omitted", "0", "omitted", False),
        ]


NEW_BUSINESS = Pipeline(
    "New business",
    (
        Step("Prospecting", "0.1", "pipeline", False, 11, 0.85),
        Step("Qualification", "0.25", "pipeline", True, 13, 1.0),
        Step("Needs analysis", "0.4", "best case", True, 15, 1.3),
        Step("Proposal", "0.6", "best case", True, 14, 1.05),
        Step("Negotiation", "0.8", "commit", True, 12, 1.6),
    ),
    won="Closed won",
    lost="Closed lost",
    omitted="Disqualified",
)
RENEWALS = Pipeline(
    "Renewals",
    (
        Step("Renewal open", "0.5", "pipeline", True, 18, 2.4),
        Step("Renewal quoted", "0.7", "best case", True, 22, 2.0),
        Step("Renewal agreed", "0.9", "commit", True, 8, 2.8),
    ),
    won="Renewed",
    lost="Not renewed",
    omitted="Renewal void",
)
PIPELINES = (NEW_BUSINESS, RENEWALS)
