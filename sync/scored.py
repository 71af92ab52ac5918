"""What scoring is asked for, and what it did."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sync.figures import counted


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """``as_of`` scores as known at the end of a day into ``out`` and changes nothing in the store."""

    full: bool = False
    as_of: date | None = None
    out: Path | None = None


@dataclass(slots=True)
class ScoreOutcome:
    """What scoring did."""

    as_of: date
    full: bool = False
    deals: int = 0
    people: int = 0
    new: int = 0
    changed: int = 0
    ended: int = 0
    queued: int = 0
    notes: list[str] = field(default_factory=list)
    out: Path | None = None

    def as_dict(self) -> dict[str, object]:
        """For the books."""
        return {
            "as_of": self.as_of.isoformat(), "full": self.full, "deals": self.deals, "people": self.people,
            "new": self.new, "changed": self.changed, "ended": self.ended, "queued": self.queued,
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """For people."""
        if self.out is not None:
            yield f"wrote {self.deals:,} deal scores as of {self.as_of} to {self.out}; nothing was stored"
        elif self.deals or self.people:
            what = "everything" if self.full else "what changed"
            yield (
                f"scored {counted(self.deals, 'open deal')} and {counted(self.people, 'person', 'people')} ({what}): {self.new:,} new and "
                f"{counted(self.changed, 'changed result')}, {counted(self.queued, 'write')} queued"
            )
        else:
            yield "nothing new to score"
        yield from self.notes
