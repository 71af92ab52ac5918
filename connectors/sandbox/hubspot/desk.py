"""What tests do to a portal from outside the API: look at a record, edit it as a user would, delete it."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.hubspot.links import End
from connectors.sandbox.hubspot.mapping import ACTIVITY_TYPES, Row, Values
from connectors.sandbox.hubspot.portal import Owner, Portal
from connectors.sandbox.hubspot.store import Source, Table, Thing
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.hubspot.world import Loader
from connectors.sandbox.hubspot.writes import Writer

_USER = Source("CRM_UI", "userId:123", 123)
_RECORDS = {
    "opportunities": "deals",
    "accounts": "companies",
    "targets": "goal_targets",
    "surveys": "feedback_submissions",
    "line_items": "line_items",
    "contracts": "subscriptions",
}
_PRIMARY = 5


class Admin:
    """A user of the portal with every right. Records go by world names, or by object type with HubSpot's properties."""

    def __init__(self, portal: Portal, loader: Loader, writer: Writer) -> None:
        self.portal = portal
        self.loader = loader
        self.writer = writer

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """A record with all its properties, versions and associations; None if there is none."""
        if record == "people":
            owner = self._owner(record_id)
            return None if owner is None else {**vars(owner), "id": str(owner.id)}
        table, thing = self._find(record, record_id)
        if thing is None:
            return None
        properties = {name: table.value(thing, name) for name, prop in table.properties.items() if not prop.archived}
        return {
            "id": str(thing.id),
            "archived": thing.archived is not None,
            "createdAt": iso(thing.created),
            "updatedAt": iso(thing.updated),
            "properties": {name: value for name, value in properties.items() if value is not None},
            "history": {
                name: [[iso(version.at_ms), version.value] for version in versions]
                for name, versions in (thing.history or {}).items()
            },
            "associations": [
                [plural, str(other), [label.name for label in labels]]
                for plural, other, labels in self.portal.links.all_of(table, thing.id)
            ],
        }

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any], at_ms: int) -> str:
        """Changes a record, or creates it where no id is given or the id is new: the portal's id of it."""
        row = {name: _cell(value) for name, value in fields.items()}
        special: dict[str, Callable[[str | None, Row, int], str]] = {
            "people": self._edit_person,
            "stages": self._edit_stage,
            "rates": self._add_rate,
            "splits": self._add_split,
        }
        if record in special:
            return special[record](record_id, row, at_ms)
        if "merged_into" in row and record_id is not None:
            return self._merge(record, record_id, row["merged_into"], at_ms)
        if record in self.portal.store.tables and record != "line_items":
            return self._edit_plain(record, record_id, row, at_ms)
        return self._edit_record(record, record_id, row, at_ms)

    def remove(self, record: str, record_id: str) -> None:
        """Into the recycle bin. KeyError: no such record."""
        if record == "people":
            owner = self._owner(record_id)
            if owner is None:
                raise KeyError(record_id)
            owner.archived, owner.updated_ms = True, self.portal.now_ms()
            return
        table, thing = self._find(record, record_id)
        if thing is None or thing.archived is not None:
            raise KeyError(record_id)
        self.writer.archive(table, thing, self.portal.now_ms())

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of sight without a trace. KeyError: no such record."""
        table, thing = self._find(record, record_id)
        if thing is None or thing.archived is not None:
            raise KeyError(record_id)
        table.drop(thing, None)

    def _edit_plain(self, record: str, record_id: str | None, row: Row, at_ms: int) -> str:
        """HubSpot's own names, unchecked: a user may set what the API may not."""
        table = self.portal.store.tables[record]
        values: Values = {name: value or None for name, value in row.items()}
        thing = table.find(record_id) if record_id else None
        if record_id and thing is None:
            raise KeyError(record_id)
        if thing is None:
            return str(self.writer.create(table, values, at_ms, _USER).id)
        self.writer.change(table, thing, values, at_ms, _USER)
        return str(thing.id)

    def _edit_record(self, record: str, record_id: str | None, row: Row, at_ms: int) -> str:
        table, thing = self._find(record, record_id or "", row.get("kind", ""))
        if thing is None:
            thing = self._create(table, record, record_id, row, at_ms)
        else:
            values = self._values(table, record, self._with_pipeline(thing, row))
            if record == "activities":
                values = {name: value for name, value in values.items() if _touched(name, row)}
            self.writer.change(table, thing, values, at_ms, _USER)
        self._relink(table, thing, row)
        return str(thing.id)

    def _create(self, table: Table, record: str, record_id: str | None, row: Row, at_ms: int) -> Thing:
        values = self._values(table, record, row)
        number = None
        if record_id is not None:
            number = self.loader.ids.of(record, record_id)
        thing = self.writer.create(table, values, at_ms, _USER, number)
        self.loader.ids.set(record, record_id or str(thing.id), str(thing.id))
        return thing

    def _values(self, table: Table, record: str, row: Row) -> Values:
        mapper = self.loader.mapper
        if record == "opportunities":
            return mapper.deal(row)
        if record == "accounts":
            return mapper.company(row)
        if record == "targets":
            return mapper.goal(row, self.loader.team_ids)
        if record == "surveys":
            return mapper.feedback(row)
        if record == "line_items":
            return {"name": row.get("product"), "quantity": row.get("quantity"), "amount": row.get("amount")}
        kinds = {plural: kind for kind, plural in ACTIVITY_TYPES.items() if kind != "visit"}
        return mapper.activity({"kind": kinds[table.kind.plural], **row})

    def _with_pipeline(self, thing: Thing, row: Row) -> Row:
        """The edit of a deal's stage, read in the deal's own pipeline: several may have a stage of that name."""
        held = self.loader.ids.held
        for name, pipeline in held.get("pipelines", {}).items():
            known = f"{name}/{row.get('stage')}" in held.get("stages", {})
            if known and "pipeline" not in row and pipeline == thing.props.get("pipeline"):
                return {**row, "pipeline": name}
        return row

    def _relink(self, table: Table, thing: Thing, row: Row) -> None:
        for column, record, plural in (
            ("account_id", "accounts", "companies"),
            ("opportunity_id", "opportunities", "deals"),
        ):
            if column not in row:
                continue
            other = self.portal.store.tables[plural]
            for old in list(self.portal.links.of(table, thing.id, other)):
                self.portal.links.part(End(table, thing.id), End(other, old))
            found = self.loader.ids.find(record, row[column]) if row[column] else None
            if found in other.live:
                primary = _PRIMARY if (table.kind.plural, plural) == ("deals", "companies") else None
                self.portal.links.join(End(table, thing.id), End(other, found), primary)

        for contact in filter(None, row.get("contact_ids", "").split(";")):
            contacts = self.portal.store.tables["contacts"]
            self.portal.links.join(End(table, thing.id), End(contacts, self.loader.contact(contact, row)))

    def _edit_person(self, record_id: str | None, row: Row, at_ms: int) -> str:
        owner = self._owner(record_id) if record_id else None
        if owner is None:
            made = record_id or str(self.portal.new_id())
            return str(self.loader.person({"id": made, "modified_at": iso(at_ms), **row}).id)
        if "name" in row:
            owner.first, _, owner.last = row["name"].partition(" ")
        owner.email = row.get("email", owner.email)
        if row.get("team"):
            owner.team_ids = [self.loader.team(row["team"])]
        if "active" in row:
            owner.archived = row["active"] == "false"
        owner.updated_ms = at_ms
        users = self.portal.store.tables["users"]
        values: Values = {
            "hs_email": owner.email,
            "hs_given_name": owner.first,
            "hs_family_name": owner.last,
            "hs_deactivated": "true" if owner.archived else "false",
            **self.loader.person_fields(row),
        }
        self.writer.change(users, users.live[owner.user_record], values, at_ms, _USER)
        return str(owner.id)

    def _edit_stage(self, record_id: str | None, row: Row, at_ms: int) -> str:
        known = self.loader.ids.held.get("stages", {})
        stage_id = known.get(record_id or "", record_id or "")
        for pipeline in self.portal.pipelines["deals"].values():
            stage = pipeline.stages.get(stage_id)
            if stage is None:
                continue
            stage.label = row.get("label", stage.label)
            if "probability" in row:
                stage.metadata["probability"] = row["probability"]
            if "outcome" in row:
                stage.metadata["isClosed"] = "false" if row["outcome"] == "open" else "true"
            stage.updated_ms = at_ms
            return stage.id
        raise KeyError(record_id)

    def _add_rate(self, record_id: str | None, row: Row, at_ms: int) -> str:
        named = {"id": record_id or str(self.portal.new_id()), "on": iso(at_ms)[:10], **row}
        return str(self.loader.rate(named).id)

    def _add_split(self, record_id: str | None, row: Row, at_ms: int) -> str:
        named = {"id": record_id or str(self.portal.new_id()), "modified_at": iso(at_ms), **row}
        self.loader.split(named)
        return str(self.loader.ids.of("splits", named["id"]))

    def _merge(self, record: str, record_id: str, winner_id: str, at_ms: int) -> str:
        table, loser = self._find(record, record_id)
        _, winner = self._find(record, winner_id)
        if loser is None or winner is None:
            raise KeyError(record_id if loser is None else winner_id)
        self.writer.merge(table, winner, loser, at_ms, _USER)
        return str(winner.id)

    def _owner(self, either: str) -> Owner | None:
        return self.portal.owners.get(self.loader.ids.find("people", either) or 0)

    def _find(self, record: str, either: str, kind: str = "") -> tuple[Table, Thing | None]:
        number = self.loader.ids.find(record, either) or 0
        tables = self.portal.store.tables
        if record == "activities":
            for plural in dict.fromkeys(ACTIVITY_TYPES.values()):
                if thing := tables[plural].live.get(number) or tables[plural].gone.get(number):
                    return tables[plural], thing
            return tables[ACTIVITY_TYPES.get(kind, "tasks")], None
        if record == "payments":
            return next(
                (
                    (tables[one], thing)
                    for one in ("commerce_payments", "invoices")
                    if (thing := tables[one].live.get(number))
                ),
                (tables["invoices"], tables["invoices"].gone.get(number)),
            )
        plural = _RECORDS.get(record, record)
        if plural not in tables:
            raise KeyError(record)
        table = tables[plural]
        return table, table.live.get(number) or table.gone.get(number)


def _touched(name: str, row: Row) -> bool:
    """Whether an edit of an activity with these columns is about that property."""
    if name.endswith(("_status", "_outcome", "_completion_date")):
        return "completed_at" in row
    if name.endswith(("_title", "_subject")):
        return "subject_hash" in row
    if name.endswith(("_timestamp", "_time")):
        return bool({"planned_at", "completed_at", "created_at"} & set(row))
    return name != "hs_task_type"


def _cell(value: Any) -> str:
    """A value of JSON as a cell of a world's CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ";".join(str(one) for one in value) if isinstance(value, list) else str(value)
