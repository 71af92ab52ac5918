"""HubSpot's commerce objects as records: invoices, payments with what was given back of them, subscriptions.

Properties and statuses: developers.hubspot.com, guides of invoices, commerce payments and subscriptions, 2026-03.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast
from zoneinfo import ZoneInfo

from connectors.base import Raw, Stream
from connectors.hubspot.api import HubSpotApi, Json
from connectors.hubspot.history import turned_at
from connectors.hubspot.rows import decimal_text, local

MARKED = frozenset({"invoice", "refund"})
"""Streams whose rows are payments under an id with their name behind it: HubSpot's ids are unique per object only."""

_TURNS = {"refund": ("hs_refunds_amount", "@refunded_at"), "subscription": ("hs_status", "@ended_at")}
"""What HubSpot has no date of: the property that took its value then, and the path that the time fills."""

_NOT_BILLED = frozenset({"draft", "voided"})
_NOT_PAID = frozenset({"processing", "failed", "disputed_lost"})
_ENDED = frozenset({"canceled", "expired"})


def key_of(stream: Stream, remote_id: str) -> str:
    """The id of a row of ``stream`` in our store."""
    return f"{remote_id}:{stream.name}" if stream.name in MARKED else remote_id


def remote_of(stream: Stream, key: str) -> str:
    """HubSpot's id of a row in our store."""
    return key.removesuffix(f":{stream.name}") if stream.name in MARKED else key


def _invoice(fields: Json) -> bool:
    return fields.get("hs_invoice_status") not in _NOT_BILLED


def _payment(fields: Json) -> bool:
    return fields.get("hs_latest_status") not in _NOT_PAID


def _refund(fields: Json) -> bool:
    return _payment(fields) and decimal_text(fields.get("hs_refunds_amount") or "0") != "0"


_COUNTS: Mapping[str, Callable[[Json], bool]] = {"invoice": _invoice, "commerce_payment": _payment, "refund": _refund}


def sift(stream: Stream, fields: Json) -> None:
    """Tells as deleted what is no money: a draft, a void invoice, a payment that failed or gave nothing back."""
    fields["@key"] = key_of(stream, fields["id"])
    counts = _COUNTS.get(stream.name)
    fields["archived"] = fields["archived"] or (counts is not None and not counts(fields))


class Turns:
    """When payments were given back and subscriptions ended: asked of the history, 50 rows a call, only for such rows."""

    def __init__(self, api: HubSpotApi, zone: Callable[[], ZoneInfo]) -> None:
        self._api = api
        self._zone = zone

    def add(self, stream: Stream, raws: Sequence[Raw]) -> None:
        """Fills the path of the time in those of ``raws`` that have one."""
        name, path = _TURNS.get(stream.name, ("", ""))
        over = {raw.fields["id"]: raw for raw in raws if name and not raw.fields["archived"] and _is_over(stream, raw)}
        for row in self._api.read(stream.remote, list(over), history=[name]):
            fields = cast("Json", over[str(row["id"])].fields)
            turned = turned_at(fields[name], (row.get("propertiesWithHistory") or {}).get(name) or ())
            fields[path] = turned and local(turned, self._zone())


def _is_over(stream: Stream, raw: Raw) -> bool:
    return stream.name == "refund" or raw.fields.get("hs_status") in _ENDED
