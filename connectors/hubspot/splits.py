"""Deal splits: read for those deals only that say they have some, for splits are asked for by deal and have no list.

Setting a deal's splits replaces all of them (HubSpot's guide to deal splits), ids too. So each is known by its deal and its
place among them; the places behind the last one are told as deleted when a deal changed.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import structlog

from connectors.absences import Absences
from connectors.base import Raw, Stream
from connectors.errors import ForbiddenError, RejectedError
from connectors.hubspot.api import LIST_LIMIT, HubSpotApi, Json, chunks

log = structlog.get_logger("connectors.hubspot")

COUNT = "hs_num_associated_deal_splits"
"""A deal's own count of its splits; empty where there never were any."""

PLACES = 20
"""How many places of a changed deal are told: more than people share a deal."""


def count_of(deal: Raw) -> int | None:
    """How many splits a deal says it has; None if it says nothing. HubSpot spells computed numbers as 2 or 2.0."""
    text = deal.fields.get(COUNT)
    return int(Decimal(text)) if text else None


class Splits:
    """The splits of deals that pass by, as rows of ``stream``."""

    def __init__(self, api: HubSpotApi, absences: Absences, stream: Stream) -> None:
        self._api = api
        self._absences = absences
        self._stream = stream

    def moved(self, deals: Sequence[Raw], changed: Callable[[Sequence[Raw]], Sequence[Raw]]) -> list[Raw]:
        """Those of some deals that have more or fewer splits than is known of them; takes no call.

        ``changed`` tells what the store does not hold: asked of a deal's last place, and of the place behind it.
        """
        counted = [(deal, count) for deal in deals if (count := count_of(deal)) is not None]
        asked = [self._stand_in(deal, place) for deal, count in counted for place in (count - 1, count) if place >= 0]
        if not asked or self._absences.holds(self._stream.name):
            return []
        unknown = {raw.fields["id"] for raw in changed(asked)}

        def is_other(deal: Raw, count: int) -> bool:
            remote_id = deal.fields["id"]
            return f"{remote_id}:{count - 1}" in unknown or f"{remote_id}:{count}" not in unknown

        return [deal for deal, count in counted if is_other(deal, count)]

    def _stand_in(self, deal: Raw, place: int) -> Raw:
        remote_id = deal.fields["id"]
        values = {"id": f"{remote_id}:{place}", "@deal": remote_id, "hubspot_owner_id": "0", "archived": False}
        return Raw(self._stream, values)

    def rows(self, deals: Sequence[Raw], *, whole: bool) -> list[Raw]:
        """A call per 100 deals with splits; none where the feature is off. ``whole``: nothing was known before."""
        if self._absences.holds(self._stream.name):
            return []
        counts = {str(deal.fields["id"]): count_of(deal) for deal in deals}
        shared = [deal for deal, count in counts.items() if count]
        shares: dict[str, list[Json]] = {} if whole else {deal: [] for deal, count in counts.items() if count == 0}
        try:
            for part in chunks(shared, LIST_LIMIT):
                shares.update(self._api.splits(part))
        except (ForbiddenError, RejectedError) as error:
            self._absences.note(self._stream.name)
            log.info("feature_absent", stream=self._stream.name, reason=str(error))
            return []
        return [row for deal, splits in shares.items() for row in self._placed(deal, splits, whole=whole)]

    def _placed(self, deal: str, splits: Sequence[Json], *, whole: bool) -> Iterator[Raw]:
        alive = sorted((split for split in splits if not split.get("archived")), key=lambda split: int(split["id"]))
        for place, split in enumerate(alive):
            values: dict[str, Any] = split["properties"]
            yield Raw(
                self._stream,
                {**values, "id": f"{deal}:{place}", "@deal": deal, "archived": False},
            )
        for place in range(len(alive), 0 if whole else PLACES):
            yield Raw(self._stream, {"id": f"{deal}:{place}", "@deal": deal, "archived": True})
