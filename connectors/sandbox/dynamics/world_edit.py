"""Lets a test or a simulated user look at, change, make and delete records of an environment."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from connectors.sandbox.dynamics.audit import LOSE, WIN
from connectors.sandbox.dynamics.ids import guid
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org, Row, stamp
from connectors.sandbox.dynamics.values import unknown_member
from connectors.sandbox.dynamics.world import Loader
from connectors.sandbox.dynamics.world_activities import load_activity, regarding
from connectors.sandbox.dynamics.world_map import KINDS, activity_fields, deal_fields, number, person_fields
from connectors.sandbox.dynamics.world_own import OWN_TABLES, OWN_WORDS, load_own, own_fields
from connectors.sandbox.dynamics.writes import Writer

RECORDS = {
    "people": "systemuser", "accounts": "account", "opportunities": "opportunity", "activities": "activitypointer",
    "splits": "connection", "line_items": "opportunityproduct", "targets": "goal", "contacts": "contact",
    "stages": "processstage", "teams": "team", **OWN_TABLES,
}  # fmt: skip
"""The table of each record of a world; surveys have two."""


class Editor:
    """Finds records by world name and id (``opportunities``, ``17``) or by table or set name and GUID."""

    def __init__(self, org: Org, loader: Loader, writer: Writer) -> None:
        self.org = org
        self.loader = loader
        self.writer = writer

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        """The row as it is held, without nulls."""
        try:
            table = self._table(record, record_id)
        except KeyError:
            return None
        row = self.org.rows(table.name).get(self._id(record, record_id))
        return None if row is None else {key: value for key, value in row.items() if not key.endswith("@")}

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any], late_seconds: float = 0.0) -> str:
        """Changes (without id: makes) a record with its stamps and audit. KeyError: there is no such record."""
        at = stamp(self.org.now() - timedelta(seconds=late_seconds))
        if record_id is None:
            return self._make(record, fields, at)
        table, row_id = self._table(record, record_id), self._id(record, record_id)
        old = self.org.rows(table.name)[row_id]
        values = self._values(record, table, old, fields)
        by = values.pop("_modifiedby_value", None) or old.get("_ownerid_value")
        moment = values.pop("modifiedon", None) or at
        closing = table.name == "opportunity" and values.get("statecode") != old.get("statecode")
        action = _CLOSING.get(values.get("statecode", 0)) if closing else None
        kept = self.writer.save(table, values, old, at=moment, by=by, check=False, action=action)
        if table.name == "opportunity" and {"statecode", "stageid"} & set(values):
            owner = next((key for key, one in self.loader.ids.known.get("people", {}).items() if one == by), "")
            closed = moment if kept["statecode"] else ""
            self.loader.deals.follow(kept, {"owner_id": owner, "closed_at": closed, "modified_at": moment})
        return row_id

    def _make(self, record: str, fields: Mapping[str, Any], at: str) -> str:
        cells = {name: _cell(value) for name, value in fields.items()}
        makers = {
            "people": self.loader.person, "accounts": self.loader.account, "opportunities": self.loader.deals.deal,
            "splits": self.loader.split, "line_items": self.loader.line_item, "targets": self.loader.target,
            "surveys": self.loader.survey,
        }  # fmt: skip
        if record == "activities":
            return str(load_activity(self.loader, self._cells(cells, at))["activityid"])
        if record in OWN_TABLES:
            kept = load_own(self.loader, record, self._cells(cells, at))
            return str(kept[self._table(record, "").pk])
        if record in makers:
            row = makers[record](self._cells(cells, at))
            if row is None:
                raise ValueError(f"{record}: this row has no place in Dynamics 365")
            return str(row[self._table(record, self.org_key(row)).pk])
        table = self._table(record, "")
        row_id = str(uuid4())
        self.writer.save(table, {**self._plain(table, fields), table.pk: row_id}, None, at=at)
        return row_id

    def org_key(self, row: Row) -> str:
        """The id of a row whose table is not known."""
        for name in self.org.tables:
            key = row.get(self.org.tables[name].pk)
            if key in self.org.rows(name):
                return str(key)
        raise KeyError("row")

    def _cells(self, cells: Mapping[str, str], at: str) -> dict[str, str]:
        """What a new row needs: an id and the moment it was made."""
        given = dict(cells)
        given.setdefault("id", str(uuid4()))
        given.setdefault("created_at", at)
        given["modified_at"] = at
        return given

    def _values(self, record: str, table: TableType, old: Row, fields: Mapping[str, Any]) -> Row:
        cells = {name: _cell(value) for name, value in fields.items()}
        known = self._worded(record, table, old, cells)
        rest = {name: value for name, value in fields.items() if name not in _WORDS.get(record, frozenset())}
        return {**known, **self._plain(table, rest)}

    def _plain(self, table: TableType, fields: Mapping[str, Any]) -> Row:
        """The CRM's own names; what only the server writes is taken as well."""
        own = {
            name: value
            for name, value in fields.items()
            if (column := table.by_key(name)) and (column.server_set or column.is_lookup)
        }
        bound = {name: value for name, value in fields.items() if name not in own}
        for name in bound:
            if "@" not in name and table.by_key(name) is None:
                raise unknown_member(table, name)
        return {**own, **self.writer.values(table, bound)}

    def _worded(self, record: str, table: TableType, old: Row, cells: dict[str, str]) -> Row:
        given = {name: text for name, text in cells.items() if name in _WORDS.get(record, frozenset())}
        if not given:
            return {}
        if record == "opportunities":
            return self._deal(old, given)
        if record == "people":
            return self._person(old, given)
        if record == "accounts":
            return self._account(given)
        if record == "activities":
            return self._activity(old, given)
        if record == "line_items":
            return self._line_item(given)
        if record in OWN_TABLES:
            return own_fields(self.loader, record, given)
        return {"targetmoney": number(given["amount"])} if "amount" in given else {}

    def _owner(self, given: Mapping[str, str]) -> Row:
        if "owner_id" not in given:
            return {}
        owner = self._known("people", given["owner_id"]) if given["owner_id"] else self.org.user_id
        return {"_ownerid_value": owner, "_ownerid_value@": None}

    def _known(self, record: str, world_id: str) -> str:
        known = self.loader.ids.known.get(record, {})
        return known.get(world_id) or (world_id if world_id in known.values() else guid(record, world_id))

    def _deal(self, old: Row, given: dict[str, str]) -> Row:
        found = deal_fields(given) | self._owner(given)
        pipeline = given.get("pipeline") or self.org.title("workflow", old.get("processid", "")) or ""
        if {"stage", "outcome", "pipeline"} & set(given):
            found |= self.loader.deals.stage_fields({"stage": old.get("stepname", ""), **given, "pipeline": pipeline})
            if found["statecode"] and "actualclosedate" not in found:
                found["actualclosedate"] = old.get("actualclosedate") or self.org.stamp()[:10]
            if found["statecode"] == 1:
                found["actualvalue"] = found.get("estimatedvalue", old.get("estimatedvalue"))
            if not found["statecode"]:
                found["actualclosedate"] = None
        if "account_id" in given:
            found |= self.loader.deals.account_fields(given)
        if given.get("currency"):
            found |= self.loader.money("opportunity", given, {})
        return found

    def _person(self, old: Row, given: dict[str, str]) -> Row:
        if given.get("team"):
            self.loader.join(old["systemuserid"], given["team"])
        found = person_fields(given)
        if "manager_id" in given:
            found["_parentsystemuserid_value"] = (
                self._known("people", given["manager_id"]) if given["manager_id"] else None
            )
        if given.get("territory"):
            found["_territoryid_value"] = self.loader.named("territory", "territories", given["territory"])
        return found

    def _account(self, given: dict[str, str]) -> Row:
        found: Row = self._owner(given)
        found |= {
            new: given[old] or None for old, new in (("name", "name"), ("region", "address1_country")) if old in given
        }
        if "industry" in given:
            found["industrycode"] = self.loader.industry(given["industry"]) if given["industry"] else None
        if "parent_id" in given:
            found["_parentaccountid_value"] = (
                self._known("accounts", given["parent_id"]) if given["parent_id"] else None
            )
        if given.get("merged_into"):  # vendor page 7.9: the loser of a merge stays, inactive
            master = self._known("accounts", given["merged_into"])
            found |= {"merged": True, "_masterid_value": master, "statecode": 1, "statuscode": 2}
        return found

    def _activity(self, old: Row, given: dict[str, str]) -> Row:
        words = {table: kind for kind, table in KINDS.items() if kind != "visit"}
        kind = given.get("kind") or words[old["activitytypecode"]]
        said = activity_fields(kind, {"subject_hash": old.get("subject", ""), **given})
        kept = {key for name in given for key in _ACTIVITY_KEYS.get(name, ())}
        found = {key: value for key, value in said.items() if key in kept} | self._owner(given)
        return found | (regarding(self.loader, given) if {"opportunity_id", "account_id"} & set(given) else {})

    def _line_item(self, given: dict[str, str]) -> Row:
        found: Row = {}
        if "amount" in given:
            found |= {"extendedamount": number(given["amount"]), "baseamount": number(given["amount"])}
        if "quantity" in given:
            found["quantity"] = number(given["quantity"])
        return found

    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record; a user is disabled instead. KeyError: there is none."""
        table, row_id = self._table(record, record_id), self._id(record, record_id)
        if table.name == "systemuser":
            self.writer.save(table, {"isdisabled": True}, self.org.rows(table.name)[row_id], check=False)
            return
        self.writer.remove(table, row_id)

    def hide(self, record: str, record_id: str) -> None:
        """Takes a record out of sight without a trace. KeyError: there is none."""
        self.org.data[self._table(record, record_id).name].restore(self._id(record, record_id), None)

    def _id(self, record: str, record_id: str) -> str:
        return self.loader.ids.known.get(record, {}).get(record_id, record_id)

    def _table(self, record: str, record_id: str) -> TableType:
        """The table of a record; an activity's is that of its kind. KeyError."""
        names = ("msfp_surveyresponse", "incident") if record == "surveys" else (RECORDS.get(record, record),)
        for name in names:
            table = self.org.sets[name] if name in self.org.sets else self.org.tables[name]
            row = self.org.rows(table.name).get(self._id(record, record_id))
            if row is not None:
                return self.org.tables[row["activitytypecode"]] if table.name == "activitypointer" else table
        if record_id:
            raise KeyError(record_id)
        return table


def _cell(value: Any) -> str:
    """A value as a world's cell spells it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_CLOSING = {1: WIN, 2: LOSE}
"""What the audit calls an edit that closes an opportunity."""

_WORDS: dict[str, frozenset[str]] = {
    "opportunities": frozenset(
        {
            "name", "account_id", "owner_id", "pipeline", "stage", "outcome", "amount", "currency", "close_on", "closed_at",
            "type", "source", "product", "probability", "forecast_category", "next_step", "discount", "external_id",
        }
    ),
    "people": frozenset({"name", "email", "active", "manager_id", "team", "territory", "region", "role", "started_on", "ended_on"}),
    "accounts": frozenset({"name", "parent_id", "owner_id", "industry", "region", "merged_into"}),
    "activities": frozenset(
        {
            "kind", "owner_id", "opportunity_id", "account_id", "direction", "two_way", "auto_logged", "planned_at",
            "completed_at", "duration_seconds", "subject_hash",
        }
    ),
    "line_items": frozenset({"amount", "quantity"}),
    "targets": frozenset({"amount"}),
    **OWN_WORDS,
}  # fmt: skip
"""The world's columns that an edit takes."""

_ACTIVITY_KEYS: dict[str, tuple[str, ...]] = {
    "subject_hash": ("subject",),
    "completed_at": (
        "actualend",
        "actualstart",
        "actualdurationminutes",
        "statecode",
        "statuscode",
        "senton",
        "percentcomplete",
    ),
    "planned_at": ("scheduledstart", "scheduledend", "scheduleddurationminutes"),
    "duration_seconds": ("actualdurationminutes", "scheduleddurationminutes"),
    "auto_logged": ("isworkflowcreated",),
    "direction": ("directioncode",),
    "two_way": ("leftvoicemail",),
}
"""The properties that follow from a column of an activity."""
