"""The rows of an emulated org: tables with a sorted index on the cursor field, metadata, and who sees what."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from connectors.sandbox.salesforce.ids import new_id, to_18
from connectors.sandbox.salesforce.schema import Field, ObjectType


class Row(dict[str, Any]):
    """One record as it was at one time: never changed in place, so that an open query keeps what it saw.

    Values are in wire form: datetimes ``2026-11-23T08:00:00.000+0000``, dates ``2026-11-23``, numbers float, absent for
    null. ``wire`` keeps the record's JSON for the last list of fields that was asked.
    """

    __slots__ = ("wire",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wire: tuple[object, str] | None = None

    def __missing__(self, name: str) -> None:
        return None


def stamp(moment: datetime) -> str:
    """An aware UTC moment as rows hold it; Salesforce stamps whole seconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


class Table:
    """All rows of one object, the deleted ones too."""

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.purged: dict[str, str] = {}
        """Id and time of deletion of rows that left the recycle bin."""
        self._keys: dict[str, dict[Any, str]] = {}
        self._index: list[tuple[str, str]] = []
        self._moved: set[str] = set()
        self._latest: dict[str, str] = {}
        self.version = 0
        """Counts changes."""
        self.journal: list[tuple[Table, str, Row | None]] | None = None

    def put(self, row: Row) -> None:
        """Stores a new state of a row."""
        key = row["Id"]
        old = self.rows.get(key)
        if self.journal is not None:
            self.journal.append((self, key, old))
        self.version += 1
        self.rows[key] = row
        self._moved.add(key)
        if self._latest and old is None:
            self._latest[row["OpportunityId"]] = key
        for name, values in self._keys.items():
            if old is not None and old.get(name) is not None and values.get(_fold(old[name])) == key:
                del values[_fold(old[name])]
            if row.get(name) is not None and not row.get("IsDeleted"):
                values[_fold(row[name])] = key

    def restore(self, key: str, old: Row | None) -> None:
        """Puts a row back as it was; None: it was not there."""
        if old is not None:
            self.put(old)
            return
        self.put(Row({**self.rows[key], "IsDeleted": True}))  # lets go of its unique keys
        del self.rows[key]
        self._latest.clear()

    def purge(self, key: str) -> None:
        """Forgets a deleted row for good."""
        row = self.rows.pop(key)
        self.version += 1
        self.purged[key] = row.get("SystemModstamp", "")
        self._moved.add(key)

    def with_key(self, name: str, value: Any) -> str | None:
        """The id of the live row whose unique field ``name`` has this value."""
        if name not in self._keys:
            live = (row for row in self.rows.values() if row.get(name) is not None and not row.get("IsDeleted"))
            self._keys[name] = {_fold(row[name]): row["Id"] for row in live}
        return self._keys[name].get(_fold(value))

    def latest(self, parent: str) -> Row | None:
        """The newest row of OpportunityHistory for one opportunity."""
        if not self._latest:
            for row in sorted(self.rows.values(), key=lambda row: (row["CreatedDate"], row["Id"])):
                self._latest[row["OpportunityId"]] = row["Id"]
        key = self._latest.get(parent)
        return self.rows.get(key) if key else None

    def between(self, low: str | None, high: str | None) -> list[Row]:
        """Rows by (cursor field, Id), ascending, whose cursor is within the closed range."""
        index = self.sorted_index()
        start = bisect_left(index, (low, "")) if low else 0
        end = bisect_right(index, (high, "~")) if high else len(index)
        return [self.rows[key] for _, key in index[start:end]]

    def sorted_index(self) -> list[tuple[str, str]]:
        """(cursor, Id) of every row, ascending."""
        cursor = self.kind.cursor
        if self._moved and cursor:
            kept = [entry for entry in self._index if entry[1] not in self._moved] if self._index else []
            fresh = [(self.rows[key].get(cursor) or "", key) for key in self._moved if key in self.rows]
            self._index = sorted(kept + sorted(fresh))
            self._moved.clear()
        return self._index


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


class Org:
    """Objects, their tables and the rights of the user we run as."""

    def __init__(self, objects: dict[str, ObjectType], off: Iterable[str] = ()) -> None:
        self.off = {name.lower() for name in off}
        self.objects: dict[str, ObjectType] = {}
        self.tables: dict[str, Table] = {}
        self.hidden_until_granted: set[tuple[str, str]] = set()
        """(object, field) made by API: invisible until FieldPermissions say otherwise."""
        self.hidden_objects: set[str] = set()
        self.running_user = ""
        self.currency = "USD"
        """The corporate currency, or the only one."""
        self._lower: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._made = 0
        self._depth = 0
        self._journal: list[tuple[Table, str, Row | None]] = []
        self.grant_lag = 0
        """Describes still to come before new field permissions take effect."""
        self.gone: set[tuple[str, str]] = set()
        self.mistyped: set[tuple[str, str]] = set()
        self.locked_fields: set[tuple[str, str]] = set()
        """(object or "", field), lower case: what armed faults hide, mistype or lock."""
        for kind in objects.values():
            self.add_object(kind)

    def add_object(self, kind: ObjectType) -> None:
        """Makes an object known."""
        self.objects[kind.name] = kind
        self.tables[kind.name] = Table(kind)
        self._lower[kind.name.lower()] = kind.name
        self._prefixes[kind.prefix] = kind.name

    def drop_object(self, name: str) -> None:
        """Forgets an object and its rows."""
        kind = self.objects.pop(name)
        del self.tables[name], self._lower[name.lower()], self._prefixes[kind.prefix]

    def object(self, name: str) -> ObjectType | None:
        """The object of that name if this org has it and we may see it; case does not matter."""
        known = self._lower.get(name.lower())
        if known is None or name.lower() in self.off:
            return None
        if known in self.hidden_objects and not self._sees_object(known):
            return None
        return self.objects[known]

    def object_of(self, record_id: str) -> ObjectType | None:
        """The object to which an id belongs, by its first three characters."""
        name = self._prefixes.get(record_id[:3])
        return self.objects[name] if name else None

    def row(self, record_id: str | None) -> Row | None:
        """The record of that id, deleted or not."""
        kind = self.object_of(record_id) if record_id else None
        known = to_18(record_id) if record_id else None
        return self.tables[kind.name].rows.get(known) if kind and known else None

    def live(self, name: str) -> Iterator[Row]:
        """The rows of an object that are not deleted."""
        return (row for row in self.tables[name].rows.values() if not row.get("IsDeleted"))

    def begin(self) -> int:
        """From now on every change is remembered; the mark to which ``end`` can undo. May be nested."""
        self._depth += 1
        for table in self.tables.values() if self._depth == 1 else ():
            table.journal = self._journal
        return len(self._journal)

    def end(self, mark: int, *, undo: bool) -> None:
        """The end of what ``begin`` began; with ``undo`` every change since is taken back."""
        self._depth -= 1
        done = self._journal[mark:]
        for table in self.tables.values():
            table.journal = None
        for table, key, old in reversed(done) if undo else ():
            table.restore(key, old)
        del self._journal[mark if undo or self._depth == 0 else len(self._journal) :]
        for table in self.tables.values() if self._depth else ():
            table.journal = self._journal

    def next_id(self, prefix: str) -> str:
        """An id nobody has had."""
        self._made += 1
        return new_id(prefix, self._made)

    # Rights of the user we run as.

    def _sets(self) -> set[str]:
        assigned = self.tables["PermissionSetAssignment"].rows.values()
        return {row["PermissionSetId"] for row in assigned if row["AssigneeId"] == self.running_user}

    def _granted(self, kind: str, one: str, right: str) -> bool:
        if self.grant_lag:
            return False
        sets = self._sets()
        rows = self.tables["FieldPermissions"].rows.values()
        wanted = f"{kind}.{one}"
        return any(row["Field"] == wanted and row.get(right) and row["ParentId"] in sets for row in rows)

    def _sees_object(self, kind: str) -> bool:
        sets = self._sets()
        rows = self.tables["ObjectPermissions"].rows.values()
        return any(
            row["SobjectType"] == kind and row.get("PermissionsRead") and row["ParentId"] in sets for row in rows
        )

    def visible(self, kind: ObjectType, one: Field) -> bool:
        """Whether field-level security lets us read the field."""
        if self.gone and _is_meant(kind, one, self.gone):
            return False
        if (kind.name, one.name) not in self.hidden_until_granted:
            return True
        return self._granted(kind.name, one.name, "PermissionsRead")

    def editable(self, kind: ObjectType, one: Field) -> bool:
        """Whether field-level security lets us write the field."""
        if self.locked_fields and _is_meant(kind, one, self.locked_fields):
            return False
        if (kind.name, one.name) not in self.hidden_until_granted:
            return True
        return self._granted(kind.name, one.name, "PermissionsEdit")

    def wrong(self, kind: ObjectType, one: Field) -> bool:
        """Whether the field is answered in a wrong type just now."""
        return _is_meant(kind, one, self.mistyped)

    def field(self, kind: ObjectType, name: str) -> Field | None:
        """The field of that name if we may see it; case does not matter."""
        one = kind.find(name)
        return one if one is not None and self.visible(kind, one) else None


def _is_meant(kind: ObjectType, one: Field, which: set[tuple[str, str]]) -> bool:
    return ("", one.name.lower()) in which or (kind.name.lower(), one.name.lower()) in which
