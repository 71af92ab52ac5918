"""Records as the service writes them in JSON: ``__metadata``, ``__deferred``, initial values, texts of codes."""

from collections.abc import Callable, Sequence
from json import dumps
from typing import Any

from connectors.sandbox.sap.schema import EntityType
from connectors.sandbox.sap.store import Row, Store
from connectors.sandbox.sap.values import etag, initial_json, json_writer


class Writer:
    """Writes rows of one entity type for one ``$select`` and ``$expand``.

    Most values of a record are initial, so a row starts as a copy of the initial text and only what it has is written.
    """

    def __init__(
        self,
        store: Store,
        entity: EntityType,
        root: str,
        select: tuple[str, ...] = (),
        expand: tuple[str, ...] = (),
        *,
        bent: frozenset[str] = frozenset(),
        offset: bool = False,
    ) -> None:
        self._store, self._entity, self._root = store, entity, root
        self._initial: list[str] = []
        self._slots: dict[str, tuple[int, str, Callable[[Any], str]]] = {}
        self._texts: list[tuple[int, str, str, dict[str, str]]] = []
        self._inner: list[tuple[str, Writer, bool]] = []
        names = [name for name in entity.properties if not select or name in select]
        for name in names:
            one = entity.properties[name]
            write = json_writer(one.kind, offset=offset)
            self._slots[name] = (len(self._initial), f'"{name}":', _bent(write) if name in bent else write)
            if one.code_of:
                texts = store.codes.get((entity.name, one.code_of), {})
                self._texts.append((len(self._initial), f'"{name}":', one.code_of, texts))
            self._initial.append(f'"{name}":{initial_json(one)}')
        for name, (target, many) in entity.navigations.items():
            if name in expand:
                inner = tuple(part.partition("/")[2] for part in select if part.startswith(f"{name}/"))
                self._inner.append(
                    (name, Writer(store, store.schema.types[target], root, inner, bent=bent, offset=offset), many)
                )
        self._deferred = [name for name in entity.navigations if name not in expand and (not select or name in select)]

    def row(self, row: Row) -> str:
        """One record."""
        parts = self._initial.copy()
        slots = self._slots
        for name, value in row.items():
            if slot := slots.get(name):
                parts[slot[0]] = slot[1] + slot[2](value)
        for at, head, code, texts in self._texts:
            if (value := row.get(code)) and value in texts:
                parts[at] = head + dumps(texts[value], ensure_ascii=False)
        entity = self._entity
        uri = f"{self._root}/{entity.set_name}('{row['ObjectID']}')"
        tag = etag(row["ETag"]).replace('"', '\\"')
        meta = f'{{"__metadata":{{"uri":"{uri}","type":"c4codataapi.{entity.name}","etag":"{tag}"}}'
        for name in self._deferred:
            parts.append(f'"{name}":{{"__deferred":{{"uri":"{uri}/{name}"}}}}')
        for name, writer, many in self._inner:
            parts.append(f'"{name}":{self._expanded(row, name, writer, many=many)}')
        return ",".join([meta, *parts]) + "}"

    def _expanded(self, row: Row, name: str, writer: "Writer", *, many: bool) -> str:
        target = self._entity.navigations[name][0]
        if not many:
            parent = self._store.row(target, row.get("ParentObjectID", ""))
            return "null" if parent is None else writer.row(parent)
        table = self._store.tables[target]
        return "[" + ",".join(writer.row(table.rows[key]) for key in table.children(row["ObjectID"])) + "]"

    def rows(self, keys: Sequence[str]) -> str:
        """Records as a JSON array."""
        table = self._store.tables[self._entity.name].rows
        return "[" + ",".join([self.row(table[key]) for key in keys]) + "]"


def _bent(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """The value as an object: what a field whose type was changed answers."""
    return lambda value: f'{{"content":{write(value)}}}'


def listing(records: str, total: int | None, following: str | None) -> str:
    """The body of a collection."""
    count = f'"__count":"{total}",' if total is not None else ""
    ending = f',"__next":{dumps(following)}' if following else ""
    return f'{{"d":{{{count}"results":{records}{ending}}}}}'


def single(record: str) -> str:
    """The body of one record: an object where a collection has an array."""
    return f'{{"d":{{"results":{record}}}}}'
