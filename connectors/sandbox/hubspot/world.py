"""Loads a world folder into a portal: people, accounts, deals with their past, activities, targets, rates, surveys."""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

from connectors.sandbox.folder import Tables, read_world
from connectors.sandbox.hubspot.defaults import add_user_record
from connectors.sandbox.hubspot.ids import Ids
from connectors.sandbox.hubspot.links import CHILD_TO_PARENT, End
from connectors.sandbox.hubspot.mapping import ACTIVITY_TYPES, Mapper, Row, Values, moment_ms
from connectors.sandbox.hubspot.portal import Owner, Portal, Rate, Split
from connectors.sandbox.hubspot.stages import load_stages, stages_of
from connectors.sandbox.hubspot.store import IMPORT, Source, Table, Thing, Version
from connectors.sandbox.hubspot.values import local_midnight, parse_number
from connectors.sandbox.hubspot.world_money import Beside

Rows = list[dict[str, str]]

_CHANGES = {
    "stage": "dealstage",
    "close_on": "closedate",
    "amount": "amount",
    "owner_id": "hubspot_owner_id",
    "forecast_category": "hs_manual_forecast_category",
    "probability": "hs_deal_stage_probability",
}
_PRIMARY = 5


def home_currency(tables: Tables) -> str:
    """What most rates of a world lead to, else what most deals are in, else EUR."""
    found = Counter(row["to"] for row in tables["rates"] if row.get("to"))
    found = found or Counter(row["currency"] for row in tables["opportunities"] if row.get("currency"))
    return found.most_common(1)[0][0] if found else "EUR"


def read_own(folder: Path | None, kind: str) -> Tables | None:
    """The rows of a world folder that belong to one kind of CRM; None without a folder."""
    if folder is None:
        return None
    return {
        name: [row for row in rows if row.get("connection", kind) in ("", kind)]
        for name, rows in read_world(folder).items()
    }


class Loader:
    """Reads the rows that belong to this CRM and puts them in."""

    def __init__(self, portal: Portal, mapper: Mapper, ids: Ids) -> None:
        self.portal = portal
        self.mapper = mapper
        self.ids = ids
        self.now = portal.now_ms()
        self.team_ids: dict[str, int] = {}
        self._past: dict[str, Rows] = {}

    def load(self, tables: Tables) -> None:
        """Everything, in an order in which nothing refers to what is not there yet."""
        for row in tables["changes"]:
            if row.get("record") == "opportunity":
                self._past.setdefault(row["record_id"], []).append(row)
        load_stages(self.portal, self.ids, tables["stages"] or stages_of(tables["opportunities"]))
        self._people(tables["people"])
        self._rates(tables["rates"])
        self._companies(tables["accounts"])
        self._deals(tables["opportunities"])
        self._activities(tables["activities"])
        self._rest(tables)

    def _people(self, rows: Rows) -> None:
        for row in rows:
            self.ids.of("people", row["id"])
        for row in rows:
            self.person(row)

    def person(self, row: Row) -> Owner:
        """An owner with the user and the users object behind it. Those who left are archived."""
        owner_id = self.ids.of("people", row["id"])
        number = len(self.portal.owners) + 1
        first, _, last = (row.get("name") or "").partition(" ")
        created = moment_ms(row.get("started_on", "")) or moment_ms(row.get("modified_at", "")) or self.now
        updated = moment_ms(row.get("modified_at", "")) or created
        left = row.get("active") == "false" or bool(row.get("ended_on") and not row.get("active"))
        owner = Owner(owner_id, 9_000_000 + number, 88_000_000_000 + number, row.get("email") or None, first, last,
                      created, updated, archived=left)  # fmt: skip
        if row.get("team"):
            owner.team_ids.append(self.team(row["team"]))
        self.portal.owners[owner_id] = owner
        self.ids.set("users", row["id"], str(owner.user_id))
        self.ids.set("user_records", row["id"], str(owner.user_record))
        add_user_record(self.portal, owner, self.person_fields(row))
        return owner

    def person_fields(self, row: Row) -> Values:
        """What only custom properties of the users object can hold of a person."""
        names = ("region", "territory", "role", "started_on", "ended_on")
        values: Values = {name: row[name] or None for name in names if name in row}
        if row.get("manager_id"):
            values["manager_id"] = str(self.ids.of("people", row["manager_id"]))
        return values

    def team(self, name: str) -> int:
        """A team's id, by its name."""
        if name not in self.team_ids:
            self.team_ids[name] = 5_000_000 + len(self.team_ids) + 1
            self.portal.teams[self.team_ids[name]] = name
            self.ids.set("teams", name, str(self.team_ids[name]))
        return self.team_ids[name]

    def _rates(self, rows: Rows) -> None:
        for row in rows:
            self.rate(row)

    def rate(self, row: Row) -> Rate:
        """An exchange rate from midnight of its day, in the account's time zone."""
        since = local_midnight(date.fromisoformat(row["on"]), self.portal.time_zone)
        key = row.get("id") or f"{row['currency']}/{row['to']}/{row['on']}"
        rate = Rate(self.ids.of("rates", key), row["currency"], row["to"], Decimal(row["rate"]), since)
        self.portal.rates.append(rate)
        return rate

    def _companies(self, rows: Rows) -> None:
        table = self.portal.store.tables["companies"]
        for row in rows:
            self.add(table, "accounts", row, self.mapper.company(row))
        for row in rows:
            if row.get("parent_id"):
                parent = End(table, self.ids.of("accounts", row["parent_id"]))
                if parent.id in table.live:
                    self.portal.links.join(End(table, self.ids.of("accounts", row["id"])), parent, CHILD_TO_PARENT)

    def add(self, table: Table, record: str, row: Row, values: Values, created: str = "created_at") -> Thing:
        """A row as somebody imported it."""
        made = moment_ms(row.get(created, "")) or moment_ms(row.get("modified_at", "")) or self.now
        changed = moment_ms(row.get("modified_at", "")) or made
        props = {name: value for name, value in values.items() if value is not None}
        thing = Thing(self.ids.of(record, row["id"]), props, made, changed, IMPORT)
        table.add(thing)
        return thing

    def _deals(self, rows: Rows) -> None:
        table = self.portal.store.tables["deals"]
        for row in rows:
            deal_id = self.ids.of("opportunities", row["id"])
            if row.get("merged_into"):
                table.merged[deal_id] = self.ids.of("opportunities", row["merged_into"])
                continue
            deal = self.add(table, "opportunities", row, self.mapper.deal(row))
            if row["id"] in self._past:
                self._remember(deal, row, self._past.pop(row["id"]))
            self.link(End(table, deal.id), "accounts", row.get("account_id", ""), _PRIMARY)
        for loser, winner in table.merged.items():
            if winner in table.live:
                held = table.live[winner].props
                held["hs_merged_object_ids"] = ";".join(filter(None, (held.get("hs_merged_object_ids"), str(loser))))

    def _remember(self, deal: Thing, row: Row, changes: Rows) -> None:
        """Gives a deal its past: each change a version, the newest equal to what the deal holds now."""
        deal.history = {}
        for change in sorted(changes, key=lambda one: one["at"]):
            name = _CHANGES.get(change["field"])
            at_ms = moment_ms(change["at"])
            if name is None or at_ms is None:
                continue
            versions = deal.history.setdefault(name, [])
            old = self._canonical(change["field"], change.get("old", ""), row)
            if not versions and old is not None:
                versions.append(Version(old, deal.created, IMPORT))
            source = self._source(change.get("by", ""))
            versions.append(Version(self._canonical(change["field"], change.get("new", ""), row), at_ms, source))
        for name, versions in deal.history.items():
            if versions[-1].value != deal.props.get(name):
                last = max(versions[-1].at_ms, deal.updated)
                versions.append(Version(deal.props.get(name), last, versions[-1].source))

    def _canonical(self, field: str, text: str, row: Row) -> str | None:
        if not text:
            return None
        mapped = self.mapper.deal({field: text, "pipeline": row.get("pipeline", "")})
        return mapped.get(_CHANGES[field]) or text

    def _source(self, person: str) -> Source:
        owner = self.portal.owners.get(self.ids.find("people", person) or 0) if person else None
        return Source("CRM_UI", f"userId:{owner.user_id}", owner.user_id) if owner else Source("CRM_UI")

    def link(self, end: End, record: str, world_id: str, type_id: int | None = None) -> None:
        """Associates a row with an account or a deal of the world, if that is there."""
        plural = {"accounts": "companies", "opportunities": "deals"}[record]
        table = self.portal.store.tables[plural]
        other = self.ids.find(record, world_id) if world_id else None
        if other in table.live:
            self.portal.links.join(end, End(table, other), type_id)

    def _activities(self, rows: Rows) -> None:
        for row in rows:
            if row.get("kind") in ACTIVITY_TYPES:
                self.activity(row)

    def activity(self, row: Row) -> Thing:
        """A call, meeting, e-mail or task, associated with deal, company and contacts."""
        table = self.portal.store.tables[ACTIVITY_TYPES[row["kind"]]]
        thing = self.add(table, "activities", row, self.mapper.activity(row))
        end = End(table, thing.id)
        self.link(end, "opportunities", row.get("opportunity_id", ""))
        self.link(end, "accounts", row.get("account_id", ""))
        for contact in filter(None, (row.get("contact_ids") or "").split(";")):
            self.portal.links.join(end, End(self.portal.store.tables["contacts"], self.contact(contact, row)))
        return thing

    def contact(self, world_id: str, row: Row) -> int:
        """The id of a contact, who is made at the first mention."""
        table = self.portal.store.tables["contacts"]
        contact_id = self.ids.of("contacts", world_id)
        if contact_id not in table.live:
            created = moment_ms(row.get("created_at", "")) or self.now
            mail = f"contact{contact_id}@example.com"
            table.add(Thing(contact_id, {"email": mail, "firstname": "Contact"}, created, created, IMPORT))
            self.link(End(table, contact_id), "accounts", row.get("account_id", ""))
        return contact_id

    def _rest(self, tables: dict[str, Rows]) -> None:
        for row in tables["line_items"]:
            self.line_item(row)
        for row in tables["splits"]:
            self.split(row)
        for row in tables["targets"]:
            self.add(self.portal.store.tables["goal_targets"], "targets", row, self.mapper.goal(row, self.team_ids))
        for row in tables["surveys"]:
            if row.get("answer"):
                self.survey(row)
        Beside(self).load(tables)

    def line_item(self, row: Row) -> Thing:
        """A line item on its deal."""
        amount, quantity = parse_number(row.get("amount")), parse_number(row.get("quantity"))
        values: Values = {"name": row.get("product") or None, "quantity": row.get("quantity") or None}
        values["amount"] = row.get("amount") or None
        if amount is not None and quantity:
            values["price"] = format(round(amount / quantity, 6).normalize(), "f")
        thing = self.add(self.portal.store.tables["line_items"], "line_items", row, values)
        self.link(End(self.portal.store.tables["line_items"], thing.id), "opportunities", row["opportunity_id"])
        return thing

    def split(self, row: Row) -> None:
        """A share of a deal's revenue; HubSpot knows no overlay."""
        deal = self.ids.find("opportunities", row["opportunity_id"])
        if deal is None or row.get("kind") == "overlay":
            return
        at_ms = moment_ms(row.get("modified_at", "")) or self.now
        owner = self.ids.of("people", row["person_id"])
        split = Split(self.ids.of("splits", row["id"]), owner, row["percentage"], at_ms)
        self.portal.splits.setdefault(deal, []).append(split)

    def survey(self, row: Row) -> Thing:
        """An answered survey, associated with company and deal."""
        table = self.portal.store.tables["feedback_submissions"]
        thing = self.add(table, "surveys", row, self.mapper.feedback(row), "sent_at")
        self.link(End(table, thing.id), "accounts", row.get("account_id", ""))
        self.link(End(table, thing.id), "opportunities", row.get("opportunity_id", ""))
        return thing
