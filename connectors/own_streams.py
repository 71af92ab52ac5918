"""Streams for what a company keeps in objects of its own, because its CRM has no standard one: off until it names them.

The admin names the object under ``streams`` and maps its fields under ``fields``; only id, time and deletion are known.
"""

from collections.abc import Collection, Mapping

from connectors.base import From, Stream

KINDS = ("survey", "payment", "contract", "forecast", "absence", "rating")
_LINKED = ("opportunity_id", "account_id")
_DAYS: Mapping[str, tuple[str, ...]] = {
    "payment": ("paid_on",),
    "contract": ("start_on", "end_on"),
    "forecast": ("period_start", "period_end"),
    "absence": ("start_on", "end_on"),
}


def day(value: object) -> str:
    """The date of an ISO date or date-time."""
    return str(value)[:10]


def own_streams(key: Mapping[str, str | From], kinds: Collection[str] = KINDS) -> tuple[Stream, ...]:
    """One stream per kind. ``key`` maps id, time and deletion; a path that begins with ``@`` is in no row.

    Dates have such a path: they stay unknown until they are mapped, and their conversion holds for what the admin maps.
    """
    return tuple(
        Stream(
            name,
            "",
            fields={**key, **{ours: From(f"@{ours}", day) for ours in _DAYS.get(name, ())}},
            separate=frozenset(_LINKED),
        )
        for name in kinds
    )
