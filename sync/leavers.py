"""Results that nobody has any more: of deals that were deleted or merged, and of people who moved to another plan."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sync.store.engine import Tx
from sync.store.results import NewResult, ResultKey, current_keys


@dataclass(frozen=True, slots=True)
class Present:
    """Who is there, by key. ``asked_*`` are those the pass looked at, however they are called now; None: everybody."""

    deals: Collection[str]
    people: Collection[str]
    asked_deals: Collection[str] | None
    asked_people: Collection[str] | None


def leavers(tx: Tx, present: Present, results: Sequence[NewResult]) -> Iterator[ResultKey]:
    """Keys of current results to end. A deal that was won or lost is still there and keeps its last score."""
    for key in current_keys(tx, "opportunity", present.asked_deals):
        if key[1] not in present.deals:
            yield key
    made = {(result.subject, result.period): result.plan for result in results if result.kind == "person"}
    for key in current_keys(tx, "person", present.asked_people):
        _, subject, plan, period = key
        if subject not in present.people or made.get((subject, period), plan) != plan:
            yield key
