"""The chain behind one score as data: result, figures, metrics, then the records and versions that they rest on."""

from dataclasses import dataclass, field
from typing import Any

from sync.evidence import Evidence


@dataclass(slots=True)
class Chain:
    """Everything behind one subject. ``inputs`` stands for all that went in: equal inputs have equal hashes.

    ``figures`` are a deal's columns as plans name them, ``metrics`` a person's metric rows; ``currency`` is theirs.
    """

    subject: str
    name: str | None
    scores: list[dict[str, Any]] = field(default_factory=list)
    note: str | None = None
    """Why there is no score: a key of ``sync.explain_text.NOTES``."""
    currency: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    records: list[Evidence] = field(default_factory=list)
    records_hash: str = ""
    inputs: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON; ``inputs`` comes last."""
        known = {name: getattr(self, name) for name in self.__dataclass_fields__}
        known["records"] = [record.as_dict() for record in self.records]
        return known
