"""What the simulated company keeps in tables of its own: payments, contracts, forecasts, absences, ratings; and invoices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.sandbox.dynamics.store import stamp
from connectors.sandbox.dynamics.tables_options import OPTIONS
from connectors.sandbox.dynamics.world_map import Cells, moment, number

if TYPE_CHECKING:
    from connectors.sandbox.dynamics.store import Row
    from connectors.sandbox.dynamics.world import Loader
    from connectors.sandbox.folder import Tables

Read = Callable[[str], Any]

OWN_TABLES: Mapping[str, str] = {
    "payments": "new_payment", "contracts": "new_contract", "forecasts": "new_forecast", "absences": "new_absence",
    "ratings": "new_rating",
}  # fmt: skip
"""The table of each kind of record."""

COMPANY_OBJECTS: Mapping[str, str] = {
    "payment": "new_payments", "contract": "new_contracts", "forecast": "new_forecasts", "absence": "new_absences",
    "rating": "new_ratings",
}  # fmt: skip
COMPANY_FIELDS: Mapping[str, Mapping[str, str]] = {
    "payment": {
        "opportunity_id": "_new_opportunity_value", "amount": "new_amount", "currency": "@currency", "paid_on": "new_paidon",
        "kind": "new_kind@label",
    },
    "contract": {
        "account_id": "_new_account_value", "recurring_amount": "new_recurringamount", "currency": "@currency",
        "start_on": "new_starton", "end_on": "new_endon",
    },
    "forecast": {
        "owner_id": "_ownerid_value", "period_start": "new_periodstart", "period_end": "new_periodend", "layer": "new_layer",
        "category": "new_category", "amount": "new_amount", "currency": "@currency", "reason": "new_reason", "at": "new_saidon",
    },
    "absence": {
        "person_id": "_new_person_value", "start_on": "new_starton", "end_on": "new_endon", "paid": "new_paid",
    },
    "rating": {
        "subject_id": "_new_subject_value", "rater_id": "_new_rater_value", "item": "new_item", "rating": "new_rating",
        "note": "new_note", "rated_at": "new_ratedon",
    },
}  # fmt: skip
"""Where each field of ours stands in these tables, as a connection file names it."""

_KINDS = {text: value for value, text in OPTIONS["new_payment.new_kind"].items()}
_AHEAD = timedelta(hours=1)
"""How far the company's people are ahead of UTC: the midnights that stand for days are theirs."""
_BILLED = (0, 4)
"""State and status of an invoice that was sent."""


def _midnight(text: str) -> str:
    return stamp(datetime.fromisoformat(text).replace(tzinfo=UTC) - _AHEAD)


_PLAIN: Mapping[str, Mapping[str, tuple[str, Read]]] = {
    "payments": {"paid_on": ("new_paidon", str), "kind": ("new_kind", _KINDS.get)},
    "contracts": {"start_on": ("new_starton", str), "end_on": ("new_endon", str)},
    "forecasts": {
        "period_start": ("new_periodstart", str), "period_end": ("new_periodend", str), "layer": ("new_layer", str),
        "category": ("new_category", str), "reason": ("new_reason", str), "at": ("new_saidon", moment),
    },
    "absences": {
        "start_on": ("new_starton", _midnight), "end_on": ("new_endon", _midnight), "paid": ("new_paid", "true".__eq__),
    },
    "ratings": {
        "item": ("new_item", str), "rating": ("new_rating", number), "note": ("new_note", str), "rated_at": ("new_ratedon", moment),
    },
}  # fmt: skip
_LINKS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "payments": {"opportunity_id": ("_new_opportunity_value", "opportunities")},
    "contracts": {"account_id": ("_new_account_value", "accounts")},
    "absences": {"person_id": ("_new_person_value", "people")},
    "ratings": {"subject_id": ("_new_subject_value", "people"), "rater_id": ("_new_rater_value", "people")},
}
"""Lookup, and whom it points to."""
_AMOUNTS = {
    "payments": ("amount", "new_amount"),
    "contracts": ("recurring_amount", "new_recurringamount"),
    "forecasts": ("amount", "new_amount"),
}
OWN_WORDS: Mapping[str, frozenset[str]] = {
    record: frozenset({*_PLAIN[record], *_LINKS.get(record, ()), *_AMOUNTS.get(record, ())[:1], "owner_id", "currency"})
    for record in OWN_TABLES
}
"""The world's columns that these tables take."""


def load_own_tables(loader: Loader, tables: Tables) -> None:
    """Every row of these kinds."""
    for record in OWN_TABLES:
        for cells in tables[record]:
            load_own(loader, record, cells)


def load_own(loader: Loader, record: str, cells: Cells) -> Row:
    """A row of one of the company's own tables; an invoice that has a day stands among those of Sales too."""
    table = loader.org.tables[OWN_TABLES[record]]
    row: Row = {
        table.pk: loader.ids.of(record, cells["id"]), "new_name": f"{table.title} {cells['id']}"[:100], "statecode": 0,
        "statuscode": 1, **loader.owner({}), **own_fields(loader, record, cells),
    }  # fmt: skip
    if record == "payments" and cells.get("kind") == "invoice" and cells.get("paid_on"):
        _invoice(loader, cells)
    return loader.put(table.name, row, {"modified_at": cells.get("at", ""), **cells})


def own_fields(loader: Loader, record: str, cells: Cells) -> Row:
    """The columns that these cells fill; an empty cell empties its column."""
    found: Row = {
        name: read(cells[column]) if cells[column] else None
        for column, (name, read) in _PLAIN[record].items()
        if column in cells
    }
    for column, (name, other) in _LINKS.get(record, {}).items():
        if column in cells:
            found[name] = loader.ids.of(other, cells[column]) if cells[column] else None
    if "owner_id" in cells:
        found |= loader.owner(cells)
    amount, name = _AMOUNTS.get(record, ("", ""))
    amounts = {name: number(cells[amount])} if amount in cells else {}
    return found | (loader.money(OWN_TABLES[record], cells, amounts, _day_of(cells)) if amount else {})


def _day_of(cells: Cells) -> str:
    return next((cells[name][:10] for name in ("paid_on", "start_on", "at") if cells.get(name)), "")


def _invoice(loader: Loader, cells: Cells) -> None:
    deal = loader.org.rows("opportunity").get(loader.ids.of("opportunities", cells.get("opportunity_id", "")), {})
    made = f"{cells['paid_on']}T12:00:00Z"
    row: Row = {
        "invoiceid": loader.ids.of("invoices", cells["id"]), "name": f"Invoice {cells['id']}", "invoicenumber": cells["id"][:100],
        "_opportunityid_value": deal.get("opportunityid"), "_customerid_value": deal.get("_customerid_value"),
        "statecode": _BILLED[0], "statuscode": _BILLED[1], "createdon": made, "ispricelocked": False, **loader.owner({}),
        **loader.money("invoice", cells, {"totalamount": number(cells.get("amount"))}, cells["paid_on"]),
    }  # fmt: skip
    loader.put("invoice", row, {"modified_at": made, **cells})
