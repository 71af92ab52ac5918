"""The rows of an emulated org: a table per module with indexes by id and by stamp, and what the org itself is."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.zoho.ids import Ids
from connectors.sandbox.zoho.schema import Field, Module, read_field

Row = dict[str, Any]
"""A record: moments as epoch seconds, dates as text, lookups and ids as numbers, numbers as int or float.

A field without a value is absent.
"""
MAX_ID = 10**19


@dataclass(slots=True)
class Gone:
    """A deleted record: what was, when, by whom, and whether it is still in the recycle bin."""

    row: Row
    at: int
    by: int
    kind: str = "recycle"


class Table:
    """All rows of one module. ``stamp_field``: what ``Modified_Time`` is called there."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.rows: dict[int, Row] = {}
        self.gone: dict[int, Gone] = {}
        self.order: list[int] = []
        self.version = 0
        """Moves with every change."""
        self._stamps: list[tuple[int, int]] = []
        self._moved: set[int] = set()
        self._created: tuple[int, list[tuple[int, int]]] = (-1, [])
        self._ids: tuple[int, list[tuple[int, int]]] = (-1, [])
        self._children: dict[str, dict[Any, set[int]]] = {}

    def put(self, row: Row) -> None:
        """Stores a new row."""
        key = row["id"]
        self.rows[key] = row
        if not self.order or key > self.order[-1]:
            self.order.append(key)
        else:
            insort(self.order, key)
        for name, parents in self._children.items():
            if name in row:
                parents.setdefault(row[name], set()).add(key)
        self.moved(key)

    def load(self, rows: Iterable[Row]) -> None:
        """Stores many rows at once."""
        for row in rows:
            self.rows[row["id"]] = row
            self._moved.add(row["id"])
        self.order = sorted(self.rows)
        self._children.clear()
        self.version += 1

    def moved(self, key: int) -> None:
        """Says that a row's stamp is another."""
        self._moved.add(key)
        self.version += 1

    def change(self, row: Row, name: str, value: Any) -> None:
        """Sets one field of a stored row; None takes the value away."""
        parents = self._children.get(name)
        if parents is not None and name in row:
            parents.get(row[name], set()).discard(row["id"])
        if value is None:
            row.pop(name, None)
        else:
            row[name] = value
            if parents is not None:
                parents.setdefault(value, set()).add(row["id"])
        self.version += 1

    def drop(self, key: int, at: int, by: int) -> None:
        """Deletes a row into the recycle bin."""
        row = self.rows.pop(key)
        del self.order[bisect_left(self.order, key)]
        for name, parents in self._children.items():
            parents.get(row.get(name), set()).discard(key)
        self.gone[key] = Gone(row, at, by)
        self.moved(key)

    def by(self, name: str, value: Any) -> list[int]:
        """Ids of the rows whose field has this value, ascending; quick after the first time."""
        parents = self._children.get(name)
        if parents is None:
            parents = self._children[name] = {}
            for key, row in self.rows.items():
                if name in row:
                    parents.setdefault(row[name], set()).add(key)
        return sorted(parents.get(value, ()))

    def stamps(self) -> list[tuple[int, int]]:
        """(Modified_Time, id) of every row, ascending."""
        if self._moved:
            kept = [entry for entry in self._stamps if entry[1] not in self._moved] if self._stamps else []
            kept += sorted((self.rows[key].get("Modified_Time", 0), key) for key in self._moved if key in self.rows)
            kept.sort()
            self._stamps = kept
            self._moved.clear()
        return self._stamps

    def created(self) -> list[tuple[int, int]]:
        """(Created_Time, id) of every row, ascending."""
        if self._created[0] != self.version:
            entries = sorted((row.get("Created_Time", 0), key) for key, row in self.rows.items())
            self._created = (self.version, entries)
        return self._created[1]

    def by_id(self) -> list[tuple[int, int]]:
        """(id, id) of every row, ascending."""
        if self._ids[0] != self.version:
            self._ids = (self.version, [(key, key) for key in self.order])
        return self._ids[1]

    def ids_between(self, low: int | None, high: int | None) -> list[int]:
        """Ids in a closed range, ascending."""
        start = 0 if low is None else bisect_left(self.order, low)
        return self.order[start : len(self.order) if high is None else bisect_right(self.order, high)]

    def between(self, low: int | None, high: int | None) -> list[int]:
        """Ids of the rows whose Modified_Time is in the closed range, by stamp and id."""
        stamps = self.stamps()
        start = 0 if low is None else bisect_left(stamps, (low, 0))
        end = len(stamps) if high is None else bisect_right(stamps, (high, MAX_ID))
        return [key for _, key in stamps[start:end]]


@dataclass(slots=True)
class Stage:
    """A stage of a pipeline. ``forecast``: Open, Closed Won or Closed Lost."""

    id: int
    value: str
    label: str
    position: int
    forecast: str
    category: str
    probability: int


@dataclass(slots=True)
class Pipeline:
    """A pipeline of deals with its stages in order."""

    id: int
    name: str
    stages: list[Stage] = field(default_factory=list)


@dataclass(slots=True)
class Currency:
    """A currency of the org; ``rate``: its units per unit of the base currency."""

    id: int
    code: str
    rate: float
    modified: int
    is_base: bool = False


@dataclass(slots=True)
class Mail:
    """An e-mail under a record: Zoho keeps them outside its modules."""

    message_id: str
    owner: int
    at: int
    sent: bool
    subject: str
    to: str


@dataclass(slots=True)
class Event:
    """An entry of a record's timeline: fields that changed, from what to what."""

    at: int
    by: int
    action: str
    changes: tuple[tuple[str, Any, Any], ...]
    source: str = "crm_ui"


class Org:
    """Modules and their tables, people's roles, pipelines, currencies; the clock and the zone of the user we run as."""

    def __init__(self, modules: dict[str, Module], ids: Ids, now: Callable[[], datetime], zone: ZoneInfo) -> None:
        self.ids = ids
        self.clock = now
        self.zone = zone
        self.modules: dict[str, Module] = {}
        self.tables: dict[str, Table] = {}
        self._low: dict[str, str] = {}
        self.off: set[str] = set()
        self.user = 0
        """Id of the user we run as."""
        self.currency = "EUR"
        self.duration_column = ""
        self.roles: dict[str, int] = {}
        self.profiles: dict[str, int] = {}
        self.territories: dict[str, int] = {}
        self.pipelines: list[Pipeline] = []
        self.currencies: dict[str, Currency] = {}
        self.mails: dict[tuple[str, int], list[Mail]] = {}
        self.timeline: dict[tuple[str, int], list[Event]] = {}
        self.products: dict[int, list[int]] = {}
        """Product ids by deal id."""
        self.contacts: dict[int, list[int]] = {}
        """Contact ids by deal id."""
        self.gone_fields: set[tuple[str, str]] = set()
        self.mistyped: set[tuple[str, str]] = set()
        """(module or "", field) in lower case: what armed faults hide or answer in another type."""
        for module in modules.values():
            self.open(module)

    def open(self, module: Module) -> None:
        """Makes a module known, with ids for its fields."""
        module.id = self.ids.of("modules", module.name)
        for one in module.fields.values():
            one.id = one.id or self.ids.of("fields", f"{module.name}.{one.name}")
        self.modules[module.name] = module
        self.tables[module.name] = Table(module)
        self._low[module.name.lower()] = module.name

    def table(self, name: str) -> Table | None:
        """The table of a module by API name, or None if this org has no such module."""
        known = self._low.get(name.lower())
        return self.tables[known] if known and known.lower() not in self.off else None

    def add_custom(self, module: str, line: str) -> Field:
        """A custom field that this org's admin has made."""
        one = read_field(line)
        one.custom = True
        one.id = self.ids.of("fields", f"{module}.{one.name}")
        return self.modules[module].add(one)

    def now(self) -> int:
        """The clock in epoch seconds."""
        return int(self.clock().timestamp())

    def field(self, module: Module, name: str) -> Field | None:
        """A module's field by API name, unless a fault took it away."""
        one = module.find(name)
        return None if one is None or (self.gone_fields and is_meant(module, one, self.gone_fields)) else one

    def fields(self, module: Module) -> list[Field]:
        """Every field of a module that is there."""
        if not self.gone_fields:
            return list(module.fields.values())
        return [one for one in module.fields.values() if not is_meant(module, one, self.gone_fields)]

    def stage(self, value: str, pipeline: str | None = None) -> Stage | None:
        """The stage of that actual value, of the given pipeline if it has it there."""
        found = [(one, stage) for one in self.pipelines for stage in one.stages if stage.value == value]
        for one, stage in found:
            if one.name == pipeline:
                return stage
        return found[0][1] if found else None

    def name_of(self, module: str, key: int) -> str | None:
        """What a lookup shows of a record; deleted ones too."""
        table = self.tables.get(module)
        if table is None:
            return None
        row = table.rows.get(key) or (table.gone[key].row if key in table.gone else None)
        value = None if row is None else row.get(table.module.name_field)
        return None if value is None else str(value)


def is_meant(module: Module, one: Field, which: set[tuple[str, str]]) -> bool:
    """Whether a fault's (module, field) pairs mean this field."""
    return ("", one.name.lower()) in which or (module.name.lower(), one.name.lower()) in which
