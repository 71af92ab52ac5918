"""What a portal holds: rows per object type with their versions, and the indexes that make big lists quick."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.sandbox.hubspot.catalog import TYPES, ObjectType, standard_properties
from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.hubspot.values import Property, iso


class Source(NamedTuple):
    """Who changed a value: INTEGRATION by the API, CRM_UI by a user."""

    kind: str
    id: str | None = None
    user_id: int | None = None


class Version(NamedTuple):
    """One value of a property, since ``at_ms``."""

    value: str | None
    at_ms: int
    source: Source


IMPORT = Source("IMPORT")
INTEGRATION = Source("INTEGRATION", "sandbox")


@dataclass(slots=True)
class Thing:
    """One row. ``history`` has a property's versions, oldest first, only once it changed or came with a past."""

    id: int
    props: dict[str, str]
    created: int
    updated: int
    source: Source = IMPORT
    archived: int | None = None
    history: dict[str, list[Version]] | None = None

    def versions(self, name: str) -> list[Version]:
        """All versions of a property, oldest first."""
        if self.history and name in self.history:
            return self.history[name]
        value = self.props.get(name)
        return [] if value is None else [Version(value, self.created, self.source)]

    def put(self, name: str, value: str | None, at_ms: int, source: Source) -> None:
        """Sets a property and keeps what was before. An equal value makes no version."""
        if value == self.props.get(name):
            return
        versions = [*self.versions(name), Version(value, at_ms, source)]
        if self.history is None:
            self.history = {}
        self.history[name] = versions
        if value is None:
            del self.props[name]
        else:
            self.props[name] = value

    def copy(self) -> "Thing":
        """The row as it is now, for an index that lags behind."""
        return Thing(self.id, dict(self.props), self.created, self.updated, self.source, self.archived, self.history)


@dataclass
class Table:
    """All rows of one object type."""

    kind: ObjectType
    properties: dict[str, Property]
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    live: dict[int, Thing] = field(default_factory=dict)
    gone: dict[int, Thing] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    unique: dict[str, dict[str, int]] = field(default_factory=dict)
    calculated: dict[str, Callable[[Thing], str | None]] = field(default_factory=dict)
    version: int = 0
    """Moves with every change of any row: what was computed from the rows before is stale."""
    lagging: dict[int, tuple[int, Thing | None]] = field(default_factory=dict)
    """Rows the search index has not caught up with: since when, and what it still shows (None: nothing)."""
    _stamps: list[tuple[int, int]] = field(default_factory=list)
    _sorted: bool = True

    def __post_init__(self) -> None:
        group = next(iter(self.properties.values())).group
        self.groups.setdefault(
            group, {"name": group, "label": group.capitalize(), "displayOrder": 0, "archived": False}
        )
        for name, prop in self.properties.items():
            if prop.unique:
                self.unique[name] = {}

    def add(self, thing: Thing) -> None:
        """Puts in a new or restored row."""
        self.live[thing.id] = thing
        if not self.order or thing.id > self.order[-1]:
            self.order.append(thing.id)
        else:
            insort(self.order, thing.id)
        self._index(thing)
        self.touch(thing, thing.updated)

    def touch(self, thing: Thing, at_ms: int) -> None:
        """Stamps a row. Old places in the index stay and are passed over until there are too many of them."""
        thing.updated = at_ms
        stamp = (at_ms, thing.id)
        if self._stamps and stamp < self._stamps[-1]:
            self._sorted = False
        self._stamps.append(stamp)
        self.version += 1

    def drop(self, thing: Thing, at_ms: int | None) -> None:
        """Archives a row, or with ``at_ms`` None removes it for good."""
        if self.live.pop(thing.id, None):
            del self.order[bisect_left(self.order, thing.id)]
        self.gone.pop(thing.id, None)
        for name, index in self.unique.items():
            if index.get(thing.props.get(name, "").lower()) == thing.id:
                del index[thing.props[name].lower()]
        thing.archived = at_ms
        if at_ms is not None:
            self.gone[thing.id] = thing
        self.version += 1

    def _index(self, thing: Thing) -> None:
        for name, index in self.unique.items():
            if value := thing.props.get(name):
                index[value.lower()] = thing.id

    def put(self, thing: Thing, name: str, value: str | None, at_ms: int, source: Source) -> None:
        """Sets one property of a live row and keeps the unique index true."""
        index = self.unique.get(name)
        if index is not None and (old := thing.props.get(name)):
            index.pop(old.lower(), None)
        thing.put(name, value, at_ms, source)
        if index is not None and value:
            index[value.lower()] = thing.id

    def window(self, low_ms: int, high_ms: int) -> list[int]:
        """Ids of live rows with ``low_ms <= updated < high_ms``, by stamp and id."""
        self._tidy()
        first, last = bisect_left(self._stamps, (low_ms, -1)), bisect_left(self._stamps, (high_ms, -1))
        live = self.live
        found = []
        before = None
        for stamp in self._stamps[first:last]:
            thing = live.get(stamp[1])
            if thing is not None and thing.updated == stamp[0] and stamp != before:
                found.append(stamp[1])
            before = stamp
        return found

    def _tidy(self) -> None:
        if len(self._stamps) > 2 * len(self.live) + 1000:
            self._stamps = [(thing.updated, thing.id) for thing in self.live.values()]
            self._sorted = False
        if not self._sorted:
            self._stamps.sort()
            self._sorted = True

    def after(self, last_id: int, count: int, *, archived: bool) -> list[Thing]:
        """Up to ``count`` rows with ids above ``last_id``, ascending."""
        if archived:
            ids = [one for one in sorted(self.gone) if one > last_id][:count]
            return [self.gone[one] for one in ids]
        start = bisect_left(self.order, last_id + 1)
        return [self.live[one] for one in self.order[start : start + count]]

    def find(self, key: str, id_property: str | None = None) -> Thing | None:
        """A live row by id, or by a unique property. A merged-away id leads to the winner."""
        if id_property and id_property != "hs_object_id":
            found = self.unique.get(id_property, {}).get(key.lower())
            return None if found is None else self.live[found]
        if not key.isdecimal():
            return None
        number = int(key)
        while number in self.merged:
            number = self.merged[number]
        return self.live.get(number)

    def value(self, thing: Thing, name: str) -> str | None:
        """A property as text; computed ones are computed."""
        value = thing.props.get(name)
        if value is None and (compute := self.calculated.get(name)):
            return compute(thing)
        return value

    def reader(self, names: Iterable[str]) -> Callable[[Thing], dict[str, Any]]:
        """A function that gives a row's properties: those asked for that exist, with id and stamps always."""
        known = [
            name for name in dict.fromkeys(names) if name in self.properties and not self.properties[name].archived
        ]
        created, modified = self.kind.created, self.kind.modified
        always = ("hs_object_id", created, modified)
        computed = [(name, self.calculated[name]) for name in known if name in self.calculated and name not in always]

        def read(thing: Thing) -> dict[str, Any]:
            props = thing.props
            values: dict[str, Any] = {name: props.get(name) for name in known}
            for name, compute in computed:
                if values[name] is None:
                    values[name] = compute(thing)
            values["hs_object_id"] = str(thing.id)
            values[created] = iso(thing.created)
            values[modified] = iso(thing.updated)
            return values

        return read


class Store:
    """The tables of a portal by plural name, and every spelling of a type."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self._names: dict[str, str] = {}
        for kind in TYPES.values():
            self.open(kind, standard_properties(kind.plural))

    def open(self, kind: ObjectType, properties: Mapping[str, Property], spellings: Sequence[str] = ()) -> Table:
        """Makes an object type known, under these spellings or else those of HubSpot's own types."""
        table = Table(kind, dict(properties))
        table.calculated.update(
            {
                "hs_object_id": lambda thing: str(thing.id),
                kind.created: lambda thing: iso(thing.created),
                kind.modified: lambda thing: iso(thing.updated),
            }
        )
        self.tables[kind.plural] = table
        for spelling in spellings or (kind.plural, kind.singular, kind.type_id):
            self._names[spelling.lower()] = kind.plural
        return table

    def close(self, plural: str) -> None:
        """Forgets an object type."""
        del self.tables[plural]
        self._names = {spelling: name for spelling, name in self._names.items() if name != plural}

    def table(self, spelling: str) -> Table:
        """The table of a type, spelled ``deals``, ``deal``, ``DEAL`` or ``0-3``. Raises Refusal (400) for no type."""
        found = self._names.get(spelling.lower())
        if found is None:
            raise invalid(f"Unable to infer object type from: {spelling}")
        return self.tables[found]

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables.values())
