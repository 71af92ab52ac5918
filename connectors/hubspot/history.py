"""What a deal's property histories tell: rows of the ``change`` stream, and when the deal was closed."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from connectors.hubspot.rows import decimal_text, epoch_ms, local, moment
from connectors.hubspot.streams import forecast_category

Version = Mapping[str, Any]


def _value(field: str, text: str, zone: ZoneInfo) -> str:
    if field == "amount":
        return decimal_text(text)
    if field == "forecast_category":
        return forecast_category(text)
    return local(text, zone)[:10] if field == "close_on" else text


def change_rows(
    deal: str,
    histories: Mapping[str, Sequence[Version]],
    tracked: Mapping[str, str],
    zone: ZoneInfo,
    owner_of: Callable[[Any], str | None],
) -> Iterator[dict[str, Any]]:
    """Every version of every tracked property as one row, oldest first.

    ``tracked`` says which of our fields a property fills. The same version gives the same row whichever call brought
    it: its id is made of deal, property, millisecond and value, and ``old`` is left to the reader's order of rows,
    because HubSpot forgets all but the newest 20 versions and the oldest one left would lose its predecessor.
    """
    for name, field in tracked.items():
        timed = [(moment(version["timestamp"]), version) for version in histories.get(name) or ()]
        for at, version in sorted(timed, key=itemgetter(0)):
            text = version.get("value") or ""
            digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
            yield {
                "id": f"{deal}:{name}:{epoch_ms(at)}:{digest}",
                "deal": deal,
                "field": field,
                "new": _value(field, text, zone) if text else None,
                "at": at,
                "by": owner_of(version.get("updatedByUserId")),
            }


def turned_at(stage: str | None, versions: Sequence[Version]) -> str | None:
    """When a deal took the stage that it has, as HubSpot wrote it; None if the history does not show it.

    HubSpot may write the same value again (an import, a workflow): the first of the equal ones counts.
    """
    turned = None
    for version in sorted(versions, key=lambda version: moment(version["timestamp"]), reverse=True):
        if version.get("value") != stage:
            break
        turned = str(version["timestamp"])
    return turned
