"""Extension fields of a tenant whose administrator has followed the guide: no interface of SAP makes them."""

from collections.abc import Mapping, Sequence
from typing import Any

_TYPES = {
    "Score": "decimal", "Grade": "text", "Reasons": "text", "Next_Step": "text", "Scored_At": "moment", "Plan": "text",
    "Digest": "text", "Appraisal": "decimal", "Band": "text", "Attainment": "decimal", "Period": "text",
}  # fmt: skip
_ON_DEALS = ("Score", "Grade", "Reasons", "Next_Step", "Scored_At", "Plan", "Digest")
_ON_PEOPLE = ("Appraisal", "Band", "Attainment", "Period", "Reasons", "Scored_At")


def guided(deals: str, people: str, suffix: str = "") -> Sequence[Mapping[str, Any]]:
    """The orders of those fields, for the entities that deals and people are in this product."""
    return [
        {"entity": entity, "name": f"ZScoreback_{name}{suffix}", "type": _TYPES[name]}
        for entity, names in ((deals, _ON_DEALS), (people, _ON_PEOPLE))
        for name in names
    ]
