"""A list of an object cut into ranges of ids, so that several of its pages can be asked for at once.

The list goes by ascending id, and ``after`` is the last id of the page before: so it can begin behind any id. That is what
HubSpot does, not what it promises (``after`` is opaque): a list that answers otherwise is read as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from connectors.errors import ResumeLostError
from connectors.hubspot.api import HubSpotApi, Json

PAGES_PER_PART = 60
"""Each part but the last ends with a page that is partly beyond it: so that is about one call in sixty."""

MOST_PARTS = 8


@dataclass(frozen=True, slots=True)
class Part:
    """Ids above ``after`` up to ``until``; None: no bound."""

    after: str | None = None
    until: int | None = None

    @classmethod
    def of(cls, name: str) -> Self:
        """The part of a name that ``Slices.behind`` gave; the empty name is everything."""
        after, _, until = name.partition(":")
        return cls(after or None, int(until) if until else None)


class Slices:
    """Cuts lists, and keeps each part to its own rows. ``whole`` are objects whose list turned out not to go by id."""

    def __init__(self, api: HubSpotApi) -> None:
        self._api = api
        self._whole: set[str] = set()

    def behind(self, remote: str, after: str, page_rows: int) -> list[str]:
        """Names of parts with the ids above ``after``: one search tells how many there are, and the highest."""
        if remote in self._whole or not after.isdecimal():
            return []
        beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": after}
        found = self._api.search(remote, [beyond], ("hs_object_id", "DESCENDING"), ["hs_object_id"])
        parts = min(MOST_PARTS, int(found["total"]) // (page_rows * PAGES_PER_PART))
        if parts < 2:
            return []
        first, last = int(after), int(found["results"][0]["id"])
        bounds = [first + (last - first) * number // parts for number in range(parts)]
        # The last has no end: rows made meanwhile get higher ids.
        return [f"{low}:{high}" for low, high in zip(bounds, [*bounds[1:], ""], strict=True)]

    def kept(self, remote: str, part: Part, found: Sequence[Json], after: str | None) -> tuple[list[Json], str | None]:
        """The rows of a page that are the part's own, and where its next page begins.

        Raises ResumeLostError if the list does not go by id: it is then read anew, as one.
        """
        ids = [int(row["id"]) for row in found]
        if ids != sorted(ids) or (ids and part.after is not None and ids[0] <= int(part.after)):
            self._whole.add(remote)
            raise ResumeLostError(f"{remote}: the list behind id {part.after} does not go by ascending ids")
        if part.until is None or not ids or ids[-1] < part.until:
            return list(found), after
        return [row for row, number in zip(found, ids, strict=True) if number <= part.until], None
