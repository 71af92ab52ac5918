"""What the new facts touch: versions above the scorer's watermark, as subjects to score again, or "everything"."""

from dataclasses import dataclass

from sync.store.engine import Tx
from sync.store.scope import (
    Scope,
    Subject,
    accounts_of_wins,
    copies_of,
    deals_of_accounts,
    neighbours,
    past_values,
    people_of,
)
from sync.store.state import get_watermark, set_watermark
from sync.store.versions import changed_since, last_seq

WATCHED = ("person", "account", "opportunity", "change", "activity", "split", "line_item", "target", "stage", "rate")
"""Record kinds whose versions can move a score."""

_EVERYTHING = ("stage", "rate", "target")
"""Kinds of which one new version can touch anybody: a target may be a team's, or imported under another name."""

_OF_A_DEAL = ("activity", "split", "line_item")

MOST_VERSIONS = 20_000
"""So many new versions, and scoring everything is cheaper than finding out whom they touch."""


@dataclass(frozen=True, slots=True)
class Dirty:
    """What to score. ``scope`` None: everything. ``seen`` are the watermarks to set when it is scored."""

    scope: Scope | None
    seen: dict[str, int]
    changed: int
    renamed: frozenset[Subject] = frozenset()
    """People whose own record changed: what they own shows it."""

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to score."""
        return self.scope is not None and not (self.scope.opportunities or self.scope.persons or self.scope.accounts)


def find_dirty(tx: Tx) -> Dirty:
    """The dirty set, by the newest versions."""
    seen = {kind: last_seq(tx, kind) for kind in WATCHED}
    before = {kind: get_watermark(tx, _name(kind)) for kind in WATCHED}
    fresh = {kind: seen[kind] - before[kind] for kind in WATCHED}
    changed = sum(fresh.values())
    if any(fresh[kind] for kind in _EVERYTHING) or changed > MOST_VERSIONS:
        return Dirty(None, seen, changed)
    deals = _subjects(tx, "opportunity", before)
    beside = neighbours(tx, deals)
    renamed = _subjects(tx, "person", before)
    persons = set(renamed)
    for kind in _OF_A_DEAL:
        touched = _subjects(tx, kind, before)
        deals |= _also(tx, kind, before, "opportunity_id") | past_values(tx, kind, touched, "opportunity_id")
    persons |= past_values(tx, "split", _subjects(tx, "split", before), "person_id")
    changes = changed_since(tx, "change", before["change"], also=("record", "record_id"))
    for connection, _, record, record_id in changes:
        (deals if record == "opportunity" else persons).add((connection, record_id))
        renamed |= set() if record == "opportunity" else {(connection, record_id)}
    accounts = _subjects(tx, "account", before)
    deals |= copies_of(tx, deals)
    deals |= deals_of_accounts(tx, accounts | accounts_of_wins(tx, deals))
    persons |= people_of(tx, deals | beside)
    return Dirty(Scope(frozenset(deals), frozenset(persons), frozenset(accounts)), seen, changed, frozenset(renamed))


def mark_clean(tx: Tx, dirty: Dirty) -> None:
    """Notes that everything up to the dirty set's watermarks is scored."""
    for kind, seq in dirty.seen.items():
        set_watermark(tx, _name(kind), seq)


def _name(kind: str) -> str:
    return f"score:{kind}"


def _subjects(tx: Tx, kind: str, before: dict[str, int]) -> set[Subject]:
    return {(connection, remote_id) for connection, remote_id in changed_since(tx, kind, before[kind])}


def _also(tx: Tx, kind: str, before: dict[str, int], column: str) -> set[Subject]:
    rows = changed_since(tx, kind, before[kind], also=(column,))
    return {(connection, value) for connection, _, value in rows if value}
