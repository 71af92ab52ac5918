"""Inserts, updates, deletes and merges records of an emulated org, with everything the vendor checks and keeps."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.salesforce.ids import to_18
from connectors.sandbox.salesforce.schema import Field, ObjectType
from connectors.sandbox.salesforce.store import Org, Row, stamp
from connectors.sandbox.salesforce.triggers import CASCADE, HISTORY_FIELDS, before_save
from connectors.sandbox.salesforce.values import CallError, RowError, convert

_DEFAULTS: dict[str, dict[str, Any]] = {
    "Task": {"Status": "Not Started", "Priority": "Normal"},
    "User": {"IsActive": True, "UserType": "Standard"},
}
_SECURITY = "Please check the security settings of this field and verify that it is read/write for your profile or permission set."


class Rows:
    """Writes records as the user we run as."""

    def __init__(self, org: Org, now: Callable[[], datetime], tracked: tuple[str, ...] = ("OwnerId",)) -> None:
        self.org = org
        self.late_by = timedelta()
        """How much older than now the next stamps are: a transaction that commits late."""
        self._now = now
        self._tracked = tracked

    def stamp(self) -> str:
        """The stamp of a record saved now."""
        return stamp(self._now() - self.late_by)

    def insert(self, kind: ObjectType, fields: Mapping[str, Any]) -> str:
        """Creates a record; its id."""
        now = self.stamp()
        values = self._accept(kind, fields, creating=True)
        row = Row({name: one.default for name, one in kind.fields.items() if one.default is not None})
        row.update(_DEFAULTS.get(kind.name, {}))
        row["Id"] = self.org.next_id(kind.prefix)
        if "OwnerId" in kind.fields:
            row["OwnerId"] = self.org.running_user
        row.update({name: value for name, value in values.items() if value is not None})
        self._require(kind, row)
        self._audit(kind, row, now, created=True)
        before_save(self.org, kind.name, row, None, now)
        self._check_unique(kind, row)
        self.org.tables[kind.name].put(row)
        if kind.name == "Opportunity":
            self._add_history(row, now)
        return str(row["Id"])

    def update(self, kind: ObjectType, record_id: str, fields: Mapping[str, Any]) -> None:
        """Changes a record. RowError if it is refused, gone or not there."""
        old = self.find(kind, record_id)
        now = self.stamp()
        values = self._accept(kind, fields, creating=False)
        row = Row({name: value for name, value in {**old, **values}.items() if value is not None})
        self._require(kind, row)
        self._audit(kind, row, now, created=False)
        before_save(self.org, kind.name, row, old, now)
        self._check_unique(kind, row)
        self.org.tables[kind.name].put(row)
        if kind.name == "Opportunity":
            self._follow(old, row, now)

    def find(self, kind: ObjectType, record_id: str) -> Row:
        """The live record of that id, or the RowError that says why there is none."""
        known = to_18(record_id)
        if known is None or known[:3] != kind.prefix:
            raise RowError("MALFORMED_ID", f"{kind.name} ID: id value of incorrect type: {record_id}", ["Id"])
        row = self.org.tables[kind.name].rows.get(known)
        if row is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
        if row.get("IsDeleted"):
            raise RowError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    def matches(self, kind: ObjectType, key: Field, value: Any) -> list[str]:
        """Ids of the live records whose external id ``key`` has this value."""
        wanted = convert(self.org, key, value)
        if key.unique:
            found = self.org.tables[kind.name].with_key(key.name, wanted)
            return [found] if found else []
        return [row["Id"] for row in self.org.live(kind.name) if row.get(key.name) == wanted]

    def delete(self, kind: ObjectType, record_id: str) -> None:
        """Moves a record and what hangs on it to the recycle bin (setup records are gone at once)."""
        if not kind.writable or not kind.deletable:
            raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", "entity type cannot be deleted", status=403)
        row = self.find(kind, record_id)
        self._bury(kind, row, self.stamp())

    def merge(self, kind: ObjectType, loser: str, winner: str) -> None:
        """Merges one record into another: the loser is deleted and names its winner, its children move over."""
        gone, kept = self.find(kind, loser), self.find(kind, winner)
        now = self.stamp()
        for child, link in CASCADE.get(kind.name, ()):
            for row in [row for row in self.org.live(child) if row.get(link) == gone["Id"]]:
                moved = Row({**row, link: kept["Id"], "LastModifiedDate": now, "SystemModstamp": now})
                before_save(self.org, child, moved, row, now)
                self.org.tables[child].put(moved)
        self._bury(kind, Row({**gone, "MasterRecordId": kept["Id"]}), now, children=False)

    def _bury(self, kind: ObjectType, row: Row, now: str, *, children: bool = True) -> None:
        for child, link in CASCADE.get(kind.name, ()) if children else ():
            for other in [other for other in self.org.live(child) if other.get(link) == row["Id"]]:
                self._bury(self.org.objects[child], other, now)
        table = self.org.tables[kind.name]
        if "IsDeleted" not in kind.fields:
            table.put(row)
            table.purge(row["Id"])
            return
        dead = Row({**row, "IsDeleted": True})
        self._audit(kind, dead, now, created=False)
        table.put(dead)

    def _accept(self, kind: ObjectType, fields: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        values: dict[str, Any] = {}
        refused: list[str] = []
        for name, value in fields.items():
            if name == "attributes" or name.lower() == "id":
                continue
            one = self.org.field(kind, name)
            if one is None:
                raise CallError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}")
            allowed = one.createable if creating else one.updateable
            if not (allowed and kind.writable and self.org.editable(kind, one)):
                refused.append(one.name)
                continue
            values[one.name] = convert(self.org, one, value)
        if refused:
            text = f"Unable to create/update fields: {', '.join(refused)}. {_SECURITY}"
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", text, refused)
        return values

    def _require(self, kind: ObjectType, row: Row) -> None:
        missing = [
            one.name for one in kind.fields.values() if one.required and one.createable and row.get(one.name) is None
        ]
        if missing:
            raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)

    def _check_unique(self, kind: ObjectType, row: Row) -> None:
        for one in kind.fields.values():
            if not one.unique or row.get(one.name) is None:
                continue
            other = self.org.tables[kind.name].with_key(one.name, row[one.name])
            if other is not None and other != row["Id"]:
                if one.name == "Username":
                    raise RowError("DUPLICATE_USERNAME", f"Duplicate Username: {row[one.name]}", [one.name])
                text = f"duplicate value found: {one.name} duplicates value on record with id: {other[:15]}"
                raise RowError("DUPLICATE_VALUE", text, [one.name])

    def _audit(self, kind: ObjectType, row: Row, now: str, *, created: bool) -> None:
        for name in ("SystemModstamp", "LastModifiedDate"):
            if name in kind.fields:
                row[name] = now
        if "LastModifiedById" in kind.fields:
            row["LastModifiedById"] = self.org.running_user
        if created and "CreatedDate" in kind.fields:
            row["CreatedDate"], row["CreatedById"] = now, self.org.running_user

    def _follow(self, old: Row, row: Row, now: str) -> None:
        if any(old.get(name) != row.get(name) for name in HISTORY_FIELDS):
            self._add_history(row, now)
        for name in self._tracked:
            if old.get(name) != row.get(name):
                self._add_field_history(row, name, old.get(name), row.get(name), now)

    def _add_history(self, row: Row, now: str) -> None:
        """A row with the values after the change; the row before moves its stamp as it is superseded."""
        table = self.org.tables["OpportunityHistory"]
        last = table.latest(row["Id"])
        if last is not None:
            table.put(Row({**last, "SystemModstamp": now}))
        made = {
            name: row[name]
            for name in (*HISTORY_FIELDS, "ExpectedRevenue", "CurrencyIsoCode")
            if row.get(name) is not None
        }
        made |= {
            "OpportunityId": row["Id"],
            "CreatedDate": now,
            "CreatedById": self.org.running_user,
            "SystemModstamp": now,
        }
        table.put(Row({"Id": self.org.next_id("008"), **made}))

    def _add_field_history(self, row: Row, name: str, old: Any, new: Any, now: str) -> None:
        """One row per tracked change; a lookup yields two, of ids and of names (guide section 2.2)."""
        pairs = [(old, new, "EntityId" if name.endswith("Id") else "Text")]
        if name.endswith("Id"):
            pairs.append((_name_of(self.org, old), _name_of(self.org, new), "Text"))
        for before, after, kind in pairs:
            made = {"OpportunityId": row["Id"], "Field": name.removesuffix("Id"), "DataType": kind, "CreatedDate": now}
            made |= {"CreatedById": self.org.running_user, "OldValue": before, "NewValue": after}
            made["Id"] = self.org.next_id("017")
            kept = Row({key: value for key, value in made.items() if value is not None})
            self.org.tables["OpportunityFieldHistory"].put(kept)


def _name_of(org: Org, record_id: str | None) -> str | None:
    row = org.row(record_id)
    return row.get("Name") if row else None
