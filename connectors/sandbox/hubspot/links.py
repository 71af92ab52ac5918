"""Associations: which row belongs to which, by HubSpot's type ids, in both directions."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.sandbox.hubspot.store import Table


class Label(NamedTuple):
    """One kind of association in one direction."""

    type_id: int
    name: str
    label: str | None = None
    category: str = "HUBSPOT_DEFINED"


_PRIMARY = {
    ("contacts", "companies"): 1, ("companies", "contacts"): 2, ("deals", "companies"): 5, ("companies", "deals"): 6,
    ("tickets", "companies"): 26, ("companies", "tickets"): 25,
}  # fmt: skip
_PLAIN = {
    ("contacts", "companies"): 279, ("companies", "contacts"): 280, ("deals", "companies"): 341,
    ("companies", "deals"): 342, ("tickets", "companies"): 339, ("companies", "tickets"): 340,
    ("deals", "contacts"): 3, ("contacts", "deals"): 4, ("tickets", "contacts"): 16, ("contacts", "tickets"): 15,
    ("deals", "tickets"): 27, ("tickets", "deals"): 28, ("deals", "line_items"): 19, ("line_items", "deals"): 20,
    ("contacts", "feedback_submissions"): 97, ("feedback_submissions", "contacts"): 98,
    ("tickets", "feedback_submissions"): 99, ("feedback_submissions", "tickets"): 100,
    ("companies", "companies"): 450, ("contacts", "contacts"): 449, ("deals", "deals"): 451,
    ("calls", "contacts"): 194, ("contacts", "calls"): 193, ("calls", "companies"): 182, ("companies", "calls"): 181,
    ("calls", "deals"): 206, ("deals", "calls"): 205, ("emails", "contacts"): 198, ("contacts", "emails"): 197,
    ("emails", "companies"): 186, ("companies", "emails"): 185, ("emails", "deals"): 210, ("deals", "emails"): 209,
    ("meetings", "contacts"): 200, ("contacts", "meetings"): 199, ("meetings", "companies"): 188,
    ("companies", "meetings"): 187, ("meetings", "deals"): 212, ("deals", "meetings"): 211,
    ("notes", "contacts"): 202, ("contacts", "notes"): 201, ("notes", "companies"): 190, ("companies", "notes"): 189,
    ("notes", "deals"): 214, ("deals", "notes"): 213, ("tasks", "contacts"): 204, ("contacts", "tasks"): 203,
    ("tasks", "companies"): 192, ("companies", "tasks"): 191, ("tasks", "deals"): 216, ("deals", "tasks"): 215,
}  # fmt: skip
PARENT_TO_CHILD, CHILD_TO_PARENT = 13, 14


def labels_between(one: Table, other: Table) -> list[Label]:
    """The labels of a pair of types in this direction: plain first, then Primary, then parent and child."""
    pair = (one.kind.plural, other.kind.plural)
    name = f"{one.kind.singular}_to_{other.kind.singular}"
    primary = _PRIMARY.get(pair)
    plain = _PLAIN.get(pair) or 10_000 + zlib.crc32("/".join(pair).encode()) % 100_000
    labels = [Label(plain, name if primary is None else f"{name}_unlabeled")]
    if primary is not None:
        labels.append(Label(primary, name, "Primary"))
    if pair == ("companies", "companies"):
        labels += [
            Label(PARENT_TO_CHILD, "parent_to_child_company", "Child Company"),
            Label(CHILD_TO_PARENT, "child_to_parent_company", "Parent Company"),
        ]
    return labels


class End(NamedTuple):
    """One end of an association."""

    table: Table
    id: int


_MIRROR = {PARENT_TO_CHILD: CHILD_TO_PARENT, CHILD_TO_PARENT: PARENT_TO_CHILD}


def _mirror(label: Label, back: dict[int, Label]) -> Label:
    """The label of the same association seen from the other end."""
    if label.type_id in _MIRROR:
        return back[_MIRROR[label.type_id]]
    same = [other for other in back.values() if (other.label == "Primary") is (label.label == "Primary")]
    return same[0] if same else next(iter(back.values()))


@dataclass
class Links:
    """Every association, kept under both ends."""

    _ends: dict[tuple[str, str], dict[int, dict[int, tuple[Label, ...]]]] = field(default_factory=dict)
    _labels: dict[tuple[str, str], dict[int, Label]] = field(default_factory=dict)

    def labels(self, one: Table, other: Table) -> dict[int, Label]:
        """The labels of a pair by type id."""
        pair = (one.kind.plural, other.kind.plural)
        if pair not in self._labels:
            self._labels[pair] = {label.type_id: label for label in labels_between(one, other)}
        return self._labels[pair]

    def join(self, one: End, other: End, type_id: int | None = None) -> None:
        """Associates two rows: plainly, and with that label if given. A new Primary takes the old one's label."""
        there, back = self.labels(one.table, other.table), self.labels(other.table, one.table)
        label = next(iter(there.values())) if type_id is None else there[type_id]
        mirror = _mirror(label, back)
        if label.label == "Primary":
            self._demote(one, other.table, label, mirror)
        self._add(one, other, (next(iter(there.values())), label))
        self._add(other, one, (next(iter(back.values())), mirror))

    def _demote(self, one: End, other: Table, label: Label, mirror: Label) -> None:
        for to_id, held in self.of(one.table, one.id, other).items():
            if label in held:
                end = End(other, to_id)
                self._write(one, end, tuple(each for each in held if each != label))
                reverse = self.of(other, to_id, one.table)[one.id]
                self._write(end, one, tuple(each for each in reverse if each != mirror))

    def _add(self, one: End, other: End, labels: tuple[Label, Label]) -> None:
        held = self.of(one.table, one.id, other.table).get(other.id, ())
        self._write(one, other, tuple(dict.fromkeys((labels[0], *held, labels[1]))))

    def _write(self, one: End, other: End, held: tuple[Label, ...]) -> None:
        pair = (one.table.kind.plural, other.table.kind.plural)
        self._ends.setdefault(pair, {}).setdefault(one.id, {})[other.id] = _shared.setdefault(held, held)

    def of(self, one: Table, from_id: int, other: Table) -> dict[int, tuple[Label, ...]]:
        """What a row is associated with in that type: labels by id, in the order they were made."""
        return self._ends.get((one.kind.plural, other.kind.plural), {}).get(from_id, {})

    def part(self, one: End, other: End) -> None:
        """Ends every association of two rows."""
        for near, far in ((one, other), (other, one)):
            pair = (near.table.kind.plural, far.table.kind.plural)
            self._ends.get(pair, {}).get(near.id, {}).pop(far.id, None)

    def unlabel(self, one: End, other: End, type_id: int) -> None:
        """Takes one label from an association; the plain one takes the whole association with it."""
        label = self.labels(one.table, other.table)[type_id]
        held = self.of(one.table, one.id, other.table).get(other.id, ())
        left = tuple(each for each in held if each != label)
        if not left or label == next(iter(self.labels(one.table, other.table).values())):
            self.part(one, other)
            return
        mirror = _mirror(label, self.labels(other.table, one.table))
        reverse = self.of(other.table, other.id, one.table).get(one.id, ())
        self._write(one, other, left)
        self._write(other, one, tuple(each for each in reverse if each != mirror))

    def all_of(self, one: Table, from_id: int) -> Iterator[tuple[str, int, tuple[Label, ...]]]:
        """Every association of a row: type, id, labels."""
        for (near, far), ends in list(self._ends.items()):
            if near == one.kind.plural:
                for to_id, held in list(ends.get(from_id, {}).items()):
                    yield far, to_id, held


_shared: dict[tuple[Label, ...], tuple[Label, ...]] = {}
"""Equal label sets are one object: 100,000 deals with a primary company hold one tuple."""
