"""Ids of a world's records in the portal: decimal ids stay, others become decimal ones, the same every time."""

import hashlib

_SPACE = 900_000_000_000


class Ids:
    """World id to portal id per record kind, both ways of asking: ``of`` assigns, ``find`` only looks."""

    def __init__(self, held: dict[str, dict[str, str]]) -> None:
        self.held = held
        self._taken: dict[str, set[int]] = {}

    def of(self, record: str, world_id: str) -> int:
        """The portal's id of a world record; assigned at the first asking."""
        known = self.held.setdefault(record, {})
        if world_id in known:
            return int(known[world_id])
        taken = self._taken.setdefault(record, set())
        number = int(world_id) if world_id.isdecimal() and int(world_id) > 0 else _digest(record, world_id)
        while number in taken:
            number += 1
        taken.add(number)
        known[world_id] = str(number)
        return number

    def set(self, record: str, world_id: str, remote_id: str) -> None:
        """Notes an id that was chosen elsewhere."""
        self.held.setdefault(record, {})[world_id] = remote_id

    def find(self, record: str, either: str) -> int | None:
        """The portal's id for a world id, or for a text that is a portal id already."""
        known = self.held.get(record, {}).get(either)
        if known is not None and known.isdecimal():
            return int(known)
        return int(either) if either.isdecimal() else None


def _digest(record: str, world_id: str) -> int:
    digest = hashlib.sha256(f"{record}:{world_id}".encode()).digest()
    return 100_000_000_000 + int.from_bytes(digest[:8], "big") % _SPACE
