"""Ids of an org: 19 decimal digits, of which six are the org's and two say what kind of record it is."""

import hashlib
import re

ORG = 365_239
"""First digits of every id of this org."""
_SPACE = 10**11
_OWN_FORM = re.compile(r"[1-9]\d{16,18}")

CODES = {
    "people": 10, "accounts": 12, "contacts": 13, "opportunities": 14, "activities": 16, "products": 19, "quotes": 20,
    "line_items": 21, "changes": 23, "surveys": 25, "payments": 26, "contracts": 27,
    "absences": 28, "ratings": 29, "forecasts": 33, "targets": 34, "splits": 35, "roles": 30, "profiles": 31, "territories": 32, "stages": 40, "pipelines": 41,
    "categories": 42, "layouts": 43, "fields": 50, "modules": 51, "currencies": 52, "rates": 53, "picks": 54,
    "emails": 60, "timeline": 61, "tags": 62, "related_lists": 63,
}  # fmt: skip
_MADE = 99


class Ids:
    """World id to the org's id per kind of record: ``of`` assigns, ``find`` only looks."""

    def __init__(self, held: dict[str, dict[str, str]]) -> None:
        self.held = held
        self._taken: dict[str, set[int]] = {}
        self._known: dict[tuple[str, str], int] = {}
        self._made = 0

    def of(self, record: str, world_id: str) -> int:
        """The org's id of a world record; the same on every start."""
        known = self._known.get((record, world_id))
        if known is not None:
            return known
        taken = self._taken.setdefault(record, set())
        number = self._first(record, world_id)
        while number in taken:
            number += 1
        taken.add(number)
        self._known[record, world_id] = number
        self.held.setdefault(record, {})[world_id] = str(number)
        return number

    @staticmethod
    def _first(record: str, world_id: str) -> int:
        if _OWN_FORM.fullmatch(world_id):
            return int(world_id)
        base = (ORG * 100 + CODES[record]) * _SPACE
        if world_id.isdecimal() and int(world_id) < _SPACE:
            return base + int(world_id)
        digest = hashlib.sha256(f"{record}:{world_id}".encode()).digest()
        return base + int.from_bytes(digest[:8], "big") % _SPACE

    def find(self, record: str, either: str) -> int | None:
        """The org's id for a world id, or for a text that is one of the org's ids already."""
        known = self._known.get((record, either))
        if known is not None:
            return known
        return int(either) if either.isdecimal() else None

    def new(self) -> int:
        """An id nobody has had; above all of the world's."""
        self._made += 1
        return (ORG * 100 + _MADE) * _SPACE + self._made


def parse_id(text: object) -> int | None:
    """An id of a path, query or body as a number; None for what has not the form of one."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int):
        return text if text > 0 else None
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 19 else None
