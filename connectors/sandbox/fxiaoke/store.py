"""The records of an emulated tenant: one table per object, in order of ``_id`` and of the last change, and its people."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from connectors.sandbox.fxiaoke.ids import WHOLE_COMPANY, new_id
from connectors.sandbox.fxiaoke.schema import ObjectType

Row = dict[str, Any]
"""A record in wire form: numbers are text, moments epoch ms, people lists of FSUID; what is null is absent."""
ZONE = timezone(timedelta(hours=8))
"""Zone of the tenant: GMT+8 without summer time."""


def epoch_ms(moment: datetime) -> int:
    """An aware moment as Fxiaoke writes it."""
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


class Table:
    """All records of one object, the invalid ones too; deleted ones are gone."""

    def __init__(self, kind: ObjectType) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self._ids: list[str] = []
        self._changes: list[tuple[int, str]] = []
        self._stamps: dict[str, int] = {}
        self._moved: set[str] = set()

    def put(self, row: Row) -> None:
        """Stores a new record, or a record's new state."""
        self.rows[row["_id"]] = row
        self._moved.add(row["_id"])

    def drop(self, row_id: str) -> None:
        """Deletes a record for good."""
        del self.rows[row_id]
        self._moved.add(row_id)

    def _sort(self) -> None:
        if not self._moved:
            return
        moved, self._moved = self._moved, set()
        if len(moved) < 50 + len(self.rows) // 50 and self._ids:  # few changes shift long lists, many sort them anew
            for row_id in moved:
                self._take_out(row_id)
                self._put_in(row_id)
            return
        self._ids = sorted(self.rows)
        self._stamps = {row_id: row["last_modified_time"] for row_id, row in self.rows.items()}
        self._changes = sorted((stamp, row_id) for row_id, stamp in self._stamps.items())

    def _take_out(self, row_id: str) -> None:
        stamp = self._stamps.pop(row_id, None)
        if stamp is not None:
            del self._changes[bisect_left(self._changes, (stamp, row_id))]
            if row_id not in self.rows:
                del self._ids[bisect_left(self._ids, row_id)]

    def _put_in(self, row_id: str) -> None:
        row = self.rows.get(row_id)
        if row is None:
            return
        at = bisect_left(self._ids, row_id)
        if at == len(self._ids) or self._ids[at] != row_id:
            self._ids.insert(at, row_id)
        self._stamps[row_id] = row["last_modified_time"]
        entry = (row["last_modified_time"], row_id)
        self._changes.insert(bisect_left(self._changes, entry), entry)

    def __len__(self) -> int:
        return len(self.rows)

    def by_id(self, after: str = "") -> Iterator[Row]:
        """Records by ``_id`` as text, those behind ``after``."""
        self._sort()
        for at in range(bisect_right(self._ids, after), len(self._ids)):
            yield self.rows[self._ids[at]]

    def changed(self, low: int | None, high: int | None) -> tuple[int, Callable[[], list[Row]]]:
        """How many records were last changed within the closed range, and a way to have them."""
        self._sort()
        start = bisect_left(self._changes, (low, "")) if low is not None else 0
        end = bisect_right(self._changes, (high, "~")) if high is not None else len(self._changes)
        return max(0, end - start), lambda: [self.rows[row_id] for _, row_id in self._changes[start:end]]


@dataclass(slots=True)
class Person:
    """An employee."""

    open_id: str
    employee: str
    name: str
    department: int = WHOLE_COMPANY
    email: str = ""
    mobile: str = ""
    position: str = ""
    leader: str = ""
    stopped: bool = False
    hired: str = ""
    created: int = 0
    more_departments: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Department:
    """A department; ``manager`` is a person's FSUID."""

    id: int
    name: str
    parent: int = WHOLE_COMPANY
    manager: str = ""
    order: int = 0
    stopped: bool = False


class Tenant:
    """Everything that one company keeps in Fxiaoke."""

    def __init__(self, objects: Mapping[str, ObjectType]) -> None:
        self.objects = dict(objects)
        self.tables = {name: Table(kind) for name, kind in self.objects.items()}
        self.people: dict[str, Person] = {}
        """Employees by FSUID."""
        self.by_employee: dict[str, str] = {}
        """FSUID by employee number."""
        self.departments: dict[int, Department] = {}
        self.admin = ""
        """FSUID of the CRM administrator."""
        self._made = 0

    def add_object(self, kind: ObjectType) -> None:
        """Adds an object, as an administrator does."""
        self.objects[kind.name] = kind
        self.tables[kind.name] = Table(kind)

    def add_person(self, person: Person) -> None:
        """Adds an employee, or replaces one."""
        self.people[person.open_id] = person
        self.by_employee[person.employee] = person.open_id

    def next_id(self) -> str:
        """The ``_id`` of the next new record."""
        self._made += 1
        return new_id(self._made)

    def find(self, record_id: str) -> tuple[Table, Row] | None:
        """The record of that ``_id`` and its table, of whatever object."""
        for table in self.tables.values():
            row = table.rows.get(record_id)
            if row is not None:
                return table, row
        return None

    def below(self, department: int) -> set[int]:
        """A department and all departments under it."""
        found = {department}
        grown = True
        while grown:
            more = {one.id for one in self.departments.values() if one.parent in found} - found
            found |= more
            grown = bool(more)
        return found
