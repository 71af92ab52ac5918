"""Loads what a world says beside its deals: payments, contracts, forecasts, and what only objects of its own can hold."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from connectors.sandbox.folder import Tables
from connectors.sandbox.hubspot.catalog import standard_properties
from connectors.sandbox.hubspot.commerce import Row, forecast, money, subscription
from connectors.sandbox.hubspot.groups import open_custom
from connectors.sandbox.hubspot.links import End
from connectors.sandbox.hubspot.store import IMPORT, Table, Thing
from connectors.sandbox.hubspot.values import Property, local_midnight, parse_moment, parse_number

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.world import Loader

OWN = {
    "absences": ("person_id string text", "start_on date date", "end_on date date", "paid bool booleancheckbox"),
    "ratings": (
        "subject_id string text", "rater_id string text", "item string text", "rating number number",
        "note string textarea", "rated_at datetime date",
    ),
}  # fmt: skip
"""Custom objects of the company, by name, with their properties."""

PEOPLE = frozenset({"person_id", "subject_id", "rater_id"})


class Beside:
    """Puts rows beside deals into the portal of ``loader``."""

    def __init__(self, loader: "Loader") -> None:
        self.loader = loader
        self.portal = loader.portal

    def load(self, tables: Tables) -> None:
        """Everything; refunds after the payments of which they are a part."""
        for row in sorted(tables["payments"], key=lambda one: one.get("kind") == "refund"):
            self.payment(row)
        for row in tables["contracts"]:
            self.contract(row)
        for row in tables["forecasts"]:
            self.forecast(row)
        for name, lines in OWN.items():
            table = self._own_object(name, lines)
            for row in tables[name]:
                self._own_row(table, name, row)

    def payment(self, row: Row) -> None:
        """An invoice, a payment, or what was given back of the latest payment of a deal."""
        if row.get("kind") == "refund":
            self._refund(row)
            return
        plural, values = money(row, self.portal.time_zone)
        table = self.portal.store.tables[plural]
        thing = self.loader.add(table, "payments", row, values, "paid_on")
        self.loader.link(End(table, thing.id), "opportunities", row.get("opportunity_id", ""))

    def _refund(self, row: Row) -> None:
        deals, table = self.portal.store.tables["deals"], self.portal.store.tables["commerce_payments"]
        deal = self.loader.ids.find("opportunities", row.get("opportunity_id", ""))
        paid = list(self.portal.links.of(deals, deal, table)) if deal is not None else []
        if not paid or not row.get("paid_on"):
            return  # HubSpot has no refund without a payment
        thing = table.live[max(paid)]
        at_ms = local_midnight(date.fromisoformat(row["paid_on"]), self.portal.time_zone)
        before = parse_number(thing.props.get("hs_refunds_amount")) or 0
        given = before + (parse_number(row.get("amount")) or 0)
        whole = given >= (parse_number(thing.props.get("hs_initial_amount")) or 0)
        table.put(thing, "hs_refunds_amount", str(given), at_ms, IMPORT)
        table.put(thing, "hs_latest_status", "refunded" if whole else "partially_refunded", at_ms, IMPORT)
        table.touch(thing, max(thing.updated, parse_moment(row.get("modified_at", "")) or at_ms))
        self.loader.ids.set("payments", row["id"], f"{thing.id}:refund")

    def contract(self, row: Row) -> Thing:
        """A subscription of a company; one whose last day is past has expired on it."""
        table = self.portal.store.tables["subscriptions"]
        thing = self.loader.add(table, "contracts", row, subscription(row), "start_on")
        self.loader.link(End(table, thing.id), "accounts", row.get("account_id", ""))
        end = row.get("end_on")
        if end and date.fromisoformat(end) < self.portal.now().astimezone(self.portal.time_zone).date():
            ended = local_midnight(date.fromisoformat(end), self.portal.time_zone)
            table.put(thing, "hs_status", "expired", ended, IMPORT)
        return thing

    def forecast(self, row: Row) -> None:
        """A submission has one figure: what somebody commits to. That of a manager is one for another's deals."""
        owner = self.portal.owners.get(self.loader.ids.find("people", row.get("owner_id", "")) or 0)
        if owner is None or row.get("category", "commit") not in ("", "commit"):
            return
        others = [one.user_id for one in self.portal.owners.values() if one is not owner]
        user = others[0] if row.get("layer") == "manager" and others else owner.user_id
        values = forecast(row, owner.id, user, self.portal.time_zone)
        self.loader.add(self.portal.store.tables["forecasts"], "forecasts", row, values, "at")

    def _own_object(self, name: str, lines: Sequence[str]) -> Table:
        properties = standard_properties(name)
        group = next(iter(properties.values())).group
        for one, kind, field_type in (line.split() for line in lines):
            properties[one] = Property(one, kind, field_type, one.replace("_", " ").capitalize(), group, own=False)
        schema = {
            "labels": {"singular": name, "plural": name}, "requiredProperties": [], "associatedObjects": [],
            "properties": [{"name": line.split()[0]} for line in lines],
        }  # fmt: skip
        return open_custom(self.portal, name, properties, schema)

    def _own_row(self, table: Table, name: str, row: Row) -> None:
        held = {one: row.get(one) or None for one in table.properties if one in row}
        for one in PEOPLE & held.keys():
            person = self.loader.ids.find("people", held[one] or "")
            held[one] = None if person is None else str(person)
        self.loader.add(table, name, row, held)
