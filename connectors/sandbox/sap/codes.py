"""Sales phases, sales cycles and statuses of a world, in the numbers that both products use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.sandbox.folder import Tables, read_world

Cells = Mapping[str, str]
DEFAULT_PHASES = (
    ("Identify opportunity", "open"), ("Qualify opportunity", "open"), ("Develop value proposition", "open"),
    ("Quotation", "open"), ("Decision", "open"), ("Close", "open"),
)  # fmt: skip
"""The phases of a new tenant; "004" is Quotation."""
STATUSES = {"1": "Open", "2": "In Process", "4": "Won", "5": "Lost", "6": "Stopped"}
_STATUS = {"won": "4", "lost": "5", "omitted": "6"}


@dataclass(slots=True)
class Phases:
    """Codes by the world's words. A stage has one code; pipelines are sales cycles."""

    code: dict[str, str] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)
    """Label of each code, in order."""
    outcome: dict[str, str] = field(default_factory=dict)
    """``open``, ``won``, ``lost`` or ``omitted`` by stage."""
    first: set[str] = field(default_factory=set)
    """The stages that a deal begins in."""
    cycle: dict[str, str] = field(default_factory=dict)

    def code_of(self, stage: str) -> str:
        """The phase code of a stage's name; a name that is not known gets the next number."""
        if stage not in self.code:
            self.code[stage] = f"{len(self.code) + 1:03d}"
            self.text[self.code[stage]] = stage
        return self.code[stage]

    def cycle_of(self, pipeline: str) -> str:
        """The cycle code of a pipeline's name."""
        return self.cycle.setdefault(pipeline, f"{len(self.cycle) + 1:03d}")

    def status_of(self, stage: str, outcome: str = "") -> str:
        """LifeCycleStatusCode: "1" open in a first stage, "2" in process, "4" won, "5" lost, "6" stopped."""
        found = outcome or self.outcome.get(stage, "open")
        return _STATUS.get(found) or ("1" if stage in self.first else "2")

    def stage_of(self, code: str) -> str:
        """The stage's name of a phase code."""
        return next((stage for stage, known in self.code.items() if known == code), "")


def phases_of(stages: Iterable[Cells], deals: Iterable[Cells]) -> Phases:
    """The phases of a world; without stages those of its deals, without deals a new tenant's."""
    found = Phases()
    for cells in stages:
        _note(found, cells)
    for cells in deals:
        if cells.get("stage"):
            found.code_of(cells["stage"])
        if cells.get("pipeline"):
            found.cycle_of(cells["pipeline"])
    for stage, outcome in DEFAULT_PHASES if not found.code else ():
        found.code_of(stage)
        found.outcome[stage] = outcome
    if not found.cycle:
        found.cycle_of("Standard")
    return found


def _note(found: Phases, cells: Cells) -> None:
    stage = cells["stage"]
    if stage not in found.code:
        found.outcome[stage] = cells.get("outcome") or "open"
    found.text[found.code_of(stage)] = cells.get("label") or stage
    found.cycle_of(cells.get("pipeline") or "Standard")
    if cells.get("position") == "1":
        found.first.add(stage)


def own_rows(world: object, kind: str) -> Tables:
    """The rows of a world folder that live in this kind of CRM; none without a world. Merged-away deals are gone."""
    if world is None:
        return {}
    tables = {
        name: [row for row in rows if row.get("connection", kind) == kind]
        for name, rows in read_world(str(world)).items()
    }
    tables["opportunities"] = [row for row in tables["opportunities"] if not row.get("merged_into")]
    return tables
