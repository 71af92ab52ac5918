"""The records of a tenant: rows by entity type, in order of change, with their children; undone where a changeset fails."""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.sap.ids import new_object_id
from connectors.sandbox.sap.schema import EntityType, Schema
from connectors.sandbox.sap.values import iso, micros

Row = dict[str, Any]
_REMEMBERED = 16


class Table:
    """The rows of one entity type by ObjectID."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.version = 0
        """Grows with every change."""
        self._order: list[tuple[int, str]] | None = None
        self._children: dict[str, dict[str, None]] = {}
        self._answers: OrderedDict[Any, tuple[int, Sequence[str]]] = OrderedDict()

    def put(self, row: Row) -> None:
        """Stores a row, in place of the one with its ObjectID."""
        key = row["ObjectID"]
        if (old := self.rows.get(key)) is not None:
            self._forget(old)
        self.rows[key] = row
        self.version += 1
        if self._order is not None:
            insort(self._order, (row["EntityLastChangedOn"], key))
        if parent := row.get("ParentObjectID"):
            self._children.setdefault(parent, {})[key] = None

    def delete(self, key: str) -> Row:
        """Removes a row for good. KeyError: there is none."""
        row = self.rows.pop(key)
        self._forget(row)
        self.version += 1
        return row

    def replace(self, rows: dict[str, Row]) -> None:
        """Holds these rows and no others."""
        self.rows, self._order = rows, None
        self.version += 1

    def _forget(self, row: Row) -> None:
        key = row["ObjectID"]
        if self._order is not None:
            del self._order[bisect_left(self._order, (row["EntityLastChangedOn"], key))]
        if parent := row.get("ParentObjectID"):
            self._children[parent].pop(key, None)

    def order(self) -> list[tuple[int, str]]:
        """Every (EntityLastChangedOn, ObjectID), sorted."""
        if self._order is None:
            self._order = sorted((row["EntityLastChangedOn"], key) for key, row in self.rows.items())
        return self._order

    def children(self, parent: str) -> list[str]:
        """The rows that hang on that one."""
        return list(self._children.get(parent, ()))

    def remembered(self, question: Any, find: Callable[[], Sequence[str]]) -> Sequence[str]:
        """The answer to a question, found once for as long as nothing changes: further pages cost nothing."""
        known = self._answers.get(question)
        if known is None or known[0] != self.version:
            known = (self.version, find())
            self._answers[question] = known
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        self._answers.move_to_end(question)
        return known[1]


class Store:
    """Every table, the code lists, and the way each change takes: stamps, the parent's ETag, the journal."""

    def __init__(self, schema: Schema, now: Callable[[], datetime]) -> None:
        self.schema = schema
        self.now = now
        self.tables: dict[str, Table] = {name: Table() for name in schema.types}
        self.codes: dict[tuple[str, str], dict[str, str]] = {}
        """Texts of codes, by entity type and property."""
        self.late_by = timedelta()
        """How much older than now the stamps of the next change are."""
        self._journal: list[tuple[Table, str, Row | None]] | None = None
        self._made = 0
        self._last = 0

    def open(self, entity: EntityType) -> None:
        """Makes a business object of the tenant's own known."""
        self.schema.types[entity.name] = entity
        self.schema.services.setdefault(entity.service, {})[entity.set_name] = entity
        self.tables[entity.name] = Table()

    def stamp(self) -> int:
        """A moment for a change, in microseconds: later than the one before, so that no two states share an ETag."""
        at = micros(self.now())
        if not self.late_by:
            self._last = at = max(at, self._last + 1)
        return at - int(self.late_by.total_seconds() * 1_000_000)

    def new_key(self, table: str = "") -> str:
        """A fresh ObjectID."""
        self._made += 1
        return new_object_id(table, self._made)

    @property
    def made(self) -> int:
        """How many keys were given out."""
        return self._made

    def row(self, entity: str, key: str) -> Row | None:
        """A row as stored; not to be changed in place."""
        return self.tables[entity].rows.get(key)

    def find(self, key: str) -> tuple[EntityType, Row] | None:
        """The record of that ObjectID, whatever it is."""
        for name, table in self.tables.items():
            if key in table.rows:
                return self.schema.types[name], table.rows[key]
        return None

    def save(self, entity: EntityType, row: Mapping[str, Any]) -> Row:
        """Stores a new or changed row with fresh stamps; its parents' ETags move, their own stamps do not.

        SAP: EntityLastChangedOn belongs to the node, ETag to the whole object.
        """
        at = self.stamp()
        saved = {name: value for name, value in row.items() if value is not None}
        saved["EntityLastChangedOn"] = saved["ETag"] = at
        for name in ("LastChangeDateTime", "ChangedOn"):
            if name in entity.properties:
                saved[name] = at
        if "LastChangeDate" in entity.properties:
            saved["LastChangeDate"] = at - at % 86_400_000_000
        self._put(entity.name, saved)
        self._touch_parents(entity, saved, at)
        return saved

    def delete(self, entity: EntityType, key: str) -> None:
        """Removes a record and everything that hangs on it, without a trace. KeyError: there is none."""
        table = self.tables[entity.name]
        row = table.rows[key]
        for child, many in entity.navigations.values():
            if many:
                for one in self.tables[child].children(key):
                    self.delete(self.schema.types[child], one)
        self._note(table, key)
        table.delete(key)
        self._touch_parents(entity, row, self.stamp())

    def _touch_parents(self, entity: EntityType, row: Row, at: int) -> None:
        while entity.parent and (parent := self.row(entity.parent, row.get("ParentObjectID", ""))):
            entity, row = self.schema.types[entity.parent], {**parent, "ETag": at}
            self._put(entity.name, row)

    def _put(self, entity: str, row: Row) -> None:
        table = self.tables[entity]
        self._note(table, row["ObjectID"])
        table.put(row)

    def _note(self, table: Table, key: str) -> None:
        if self._journal is not None:
            self._journal.append((table, key, table.rows.get(key)))

    def begin(self) -> None:
        """Starts to note changes, so that they can be taken back."""
        self._journal = []

    def commit(self) -> None:
        """Keeps what was done."""
        self._journal = None

    def roll_back(self) -> None:
        """Takes back everything since ``begin``."""
        for table, key, old in reversed(self._journal or []):
            if old is not None:
                table.put(old)
            elif key in table.rows:
                table.delete(key)
        self._journal = None

    def text_of(self, entity: str, name: str, code: str) -> str:
        """The text of a code; "" for a code without one."""
        return self.codes.get((entity, name), {}).get(code, "")


def shown(row: Row, schema_type: EntityType) -> dict[str, Any]:
    """A row for people: dates and moments in ISO, everything else as it is."""
    readable: dict[str, Any] = {}
    for name, value in row.items():
        one = schema_type.properties.get(name)
        dated = one is not None and one.kind in {"date", "moment"}
        readable[name] = (iso(value)[:10] if one and one.kind == "date" else iso(value)) if dated else value
    return readable
