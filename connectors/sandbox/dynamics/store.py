"""The rows of an environment: by table, with the order of changes, tombstones and the indexes that pages are read from."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.sandbox.dynamics.schema import Column, TableType
from connectors.sandbox.dynamics.tables import build

Row = dict[str, Any]
"""A row by JSON property, without nulls. Times are ISO text in UTC whole seconds, dates ISO text, GUIDs lower case."""


def stamp(moment: datetime) -> str:
    """A moment as Dataverse writes it: UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Data:
    """The rows of one table."""

    pk: str
    rows: dict[str, Row] = field(default_factory=dict)
    log: list[tuple[int, str]] = field(default_factory=list)
    """(version, id) of every write, ascending; an entry whose row has moved on is stale."""
    tombs: dict[str, int] = field(default_factory=dict)
    """Version of the deletion by id."""
    _orders: dict[str, list[tuple[Any, str]]] = field(default_factory=dict)
    _groups: dict[str, dict[Any, set[str]]] = field(default_factory=dict)

    def put(self, row: Row, version: int) -> None:
        """Takes a new version of a row."""
        row_id = row[self.pk]
        self._unlist(row_id)
        self.tombs.pop(row_id, None)
        self.rows[row_id] = row
        self.log.append((version, row_id))
        self._list(row_id, row)

    def restore(self, row_id: str, old: Row | None) -> None:
        """Takes back a write that was rolled back."""
        self._unlist(row_id)
        self.rows.pop(row_id, None)
        if old is not None:
            self.tombs.pop(row_id, None)
            self.rows[row_id] = old
            self._list(row_id, old)

    def drop(self, row_id: str, version: int) -> None:
        """Deletes a row."""
        self._unlist(row_id)
        del self.rows[row_id]
        self.tombs[row_id] = version

    def _list(self, row_id: str, row: Row) -> None:
        for name, order in self._orders.items():
            insort(order, (row.get(name) or "", row_id))
        for name, groups in self._groups.items():
            groups.setdefault(row.get(name), set()).add(row_id)

    def _unlist(self, row_id: str) -> None:
        old = self.rows.get(row_id)
        if old is None:
            return
        for name, order in self._orders.items():
            at = bisect_left(order, (old.get(name) or "", row_id))
            del order[at]
        for name, groups in self._groups.items():
            groups[old.get(name)].discard(row_id)

    def version_of(self, row_id: str) -> int | None:
        """The version of a row; None: deleted."""
        row = self.rows.get(row_id)
        return None if row is None else row.get("versionnumber", 0)

    def order(self, name: str) -> list[tuple[Any, str]]:
        """(value, id) of every row, ascending; kept from the first question on."""
        found = self._orders.get(name)
        if found is None:
            found = self._orders[name] = sorted((row.get(name) or "", row_id) for row_id, row in self.rows.items())
        return found

    def group(self, name: str, values: Iterable[Any]) -> list[str]:
        """Ids of the rows in which a column has one of the values; kept from the first question on."""
        groups = self._groups.get(name)
        if groups is None:
            groups = self._groups[name] = {}
            for row_id, row in self.rows.items():
                groups.setdefault(row.get(name), set()).add(row_id)
        return sorted({row_id for value in values for row_id in groups.get(value, ())})

    def changed(self, after: int, upto: int) -> Iterator[tuple[int, Row]]:
        """(version, row) of what was written after one version and up to another, in that order."""
        if len(self.log) > 3 * len(self.rows) + 1000:
            self.log = [(at, one) for at, one in self.log if self.version_of(one) == at]
        for at in range(bisect_right(self.log, (after, "\uffff")), len(self.log)):
            version, row_id = self.log[at]
            if version > upto:
                return
            row = self.rows.get(row_id)
            if row is not None and row.get("versionnumber", 0) == version:
                yield version, row


def _never(_fault: str, _table: str, _key: str) -> bool:
    return False


class Org:
    """One environment: its tables, its rows and the counter that gives every write a version."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.tables = build()
        self.sets = {table.set_name: table for table in self.tables.values()}
        self.data = {name: Data(table.pk) for name, table in self.tables.items()}
        self.version = 1_000_000
        self.user_id = ""
        self.organization_id = ""
        self.unit_id = ""
        self.base_currency_id = ""
        self.page_cap = 5000
        self.auditing = True
        self._journal: list[tuple[TableType, str, Row | None]] | None = None
        self.spoilt: Callable[[str, str, str], bool] = _never
        """Whether a fault of that name (``missing_field``, ``wrong_type``) is armed for a column."""

    def column(self, table: TableType, key: str) -> Column | None:
        """A column by its JSON property, unless it is (or is made) unknown."""
        found = table.by_key(key)
        return None if found is None or self.spoilt("missing_field", table.name, key) else found

    def mistyped(self, table: TableType, key: str) -> bool:
        """Whether a column shall be answered in another type."""
        return self.spoilt("wrong_type", table.name, key)

    def next_version(self) -> int:
        """A version that no write had."""
        self.version += 1
        return self.version

    def table(self, name: str) -> TableType:
        """A table by logical name. KeyError: there is none."""
        return self.tables[name]

    def rows(self, name: str) -> dict[str, Row]:
        """Rows by id."""
        return self.data[name].rows

    def put(self, name: str, row: Row) -> Row:
        """Keeps a row under a new version; an activity is kept as ``activitypointer`` as well."""
        table = self.tables[name]
        version = self.next_version()
        self._remember(table, row[table.pk])
        if "versionnumber" in table.columns:
            row["versionnumber"] = version
        self.data[name].put(row, version)
        if table.family:
            self.data[table.family].put(row, version)
        return row

    def drop(self, name: str, row_id: str) -> None:
        """Deletes a row, and nothing with it."""
        table = self.tables[name]
        version = self.next_version()
        self._remember(table, row_id)
        self.data[name].drop(row_id, version)
        if table.family:
            self.data[table.family].drop(row_id, version)

    def _remember(self, table: TableType, row_id: str) -> None:
        if self._journal is not None:
            self._journal.append((table, row_id, self.data[table.name].rows.get(row_id)))

    @property
    def in_transaction(self) -> bool:
        """Whether what is written now may still be taken back."""
        return self._journal is not None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written inside stays only if nothing inside is raised; inner transactions join the outer one."""
        if self._journal is not None:
            yield
            return
        self._journal = []
        try:
            yield
        except BaseException:
            for table, row_id, old in reversed(self._journal):
                for name in filter(None, (table.name, table.family)):
                    self.data[name].restore(row_id, old)
            raise
        finally:
            self._journal = None

    def title(self, name: str, row_id: str) -> str | None:
        """What a lookup to that row shows."""
        table = self.tables.get(name)
        row = self.data[name].rows.get(row_id) if table else None
        return None if table is None or row is None else row.get(table.display)

    def stamp(self) -> str:
        """Now, as Dataverse writes it."""
        return stamp(self.now())
