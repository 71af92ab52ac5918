"""Runs SOQL over the org's tables."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NoReturn

from connectors.sandbox.salesforce.schema import Field, ObjectType
from connectors.sandbox.salesforce.soql import parse
from connectors.sandbox.salesforce.soql_match import Compiler, Getter, bounds, sort_rows, wanted_ids
from connectors.sandbox.salesforce.soql_tree import Name, Order, Statement, complain
from connectors.sandbox.salesforce.store import Org, Row
from connectors.sandbox.salesforce.wire import row_writer

_ARCHIVE_DAYS = 365
_SUFFIX = " Please reference your WSDL or the describe call for the appropriate names."


class Found:
    """What a query found: the rows of the moment, and how to write them."""

    __slots__ = ("kind", "names", "rows", "total", "write")

    def __init__(self, kind: ObjectType, names: list[str], rows: list[Row], total: int, write: Callable[[Row], str]):
        self.kind = kind
        self.names = names
        self.rows = rows
        self.total = total
        self.write = write


class Engine:
    """Answers queries for the user we run as."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self._archived_on = ""
        self._writers: dict[tuple[str, ...], object] = {}
        """A mark for each list of fields that was asked, by which rows know what their kept JSON is of."""

    def run(self, text: str, *, everything: bool, base: str, now: datetime) -> tuple[Statement, Found]:
        """Parses and answers one query; SoqlError if the vendor refuses it.

        ``everything``: also deleted rows and archived activities. ``base``: path under which record URLs are written.
        """
        statement = parse(text)
        kind = self._source(statement)
        scope = _Scope(self.org, kind, text)
        names = scope.selected(statement)
        keep = Compiler(text, scope.resolve).predicate(statement.where) if statement.where else None
        scope.check_order(statement.order)
        if kind.name in {"Task", "Event"}:
            self._archive(now)
        rows, sorted_by = self._candidates(statement, kind)
        if not everything:
            rows = [row for row in rows if not row.get("IsDeleted") and not row.get("IsArchived")]
        if keep is not None:
            rows = [row for row in rows if keep(row)]
        rows = _ordered(rows, statement.order, sorted_by, scope)
        if statement.count:
            return statement, Found(kind, [], [], len(rows), str)
        rows = rows[statement.offset :]
        rows = rows if statement.limit is None else rows[: statement.limit]
        return statement, Found(kind, names, rows, len(rows), self.writer(kind, names, base))

    def writer(self, kind: ObjectType, names: list[str], base: str) -> Callable[[Row], str]:
        """A function that gives a row's JSON with these fields, in this order."""
        plan = row_writer(self.org, kind, names, base)
        local = not self.org.mistyped and not any("." in name for name in names)
        key = self._writers.setdefault((base, *names), object())

        def write(row: Row) -> str:
            if local and row.wire is not None and row.wire[0] is key:
                return row.wire[1]
            text = plan(row)
            if local:
                row.wire = (key, text)
            return text

        return write

    def columns(self, kind: ObjectType, names: list[str]) -> list[tuple[Field, Getter]]:
        """The fields at the end of these paths, and how to get their values from a row."""
        scope = _Scope(self.org, kind, "")
        return [scope.resolve(Name(name, 0)) for name in names]

    def _source(self, statement: Statement) -> ObjectType:
        kind = self.org.object(statement.source.path)
        if kind is None:
            name = statement.source.path
            why = (
                f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to "
                f"append the '__c' after the entity name.{_SUFFIX}"
            )
            complain(statement.text, statement.source.at, "INVALID_TYPE", why)
        return kind

    def _candidates(self, statement: Statement, kind: ObjectType) -> tuple[list[Row], str | None]:
        """Rows that may match; and the field they are sorted by (then Id), if any."""
        table = self.org.tables[kind.name]
        wanted = wanted_ids(statement.where)
        if wanted is not None:
            return [table.rows[key] for key in dict.fromkeys(wanted) if key in table.rows], None
        cursor = kind.cursor
        if cursor is None:
            return list(table.rows.values()), None
        low, high = bounds(statement.where, cursor)
        first = statement.order[0].name.path.lower() if statement.order else ""
        if low or high or first == cursor.lower():
            return table.between(low, high), cursor
        return list(table.rows.values()), None

    def _archive(self, now: datetime) -> None:
        """The vendor's nightly archiving: old events and old closed tasks leave ``query`` (guide section 2.3)."""
        today = f"{now:%Y-%m-%d}"
        if self._archived_on == today:
            return
        limit = f"{now - timedelta(days=_ARCHIVE_DAYS):%Y-%m-%d}"
        for name in ("Task", "Event"):
            table = self.org.tables[name]
            for row in list(table.rows.values()):
                if not row.get("IsArchived") and _is_old(name, row, limit):
                    table.put(Row({**row, "IsArchived": True}))
        self._archived_on = today


def _is_old(name: str, row: Row, limit: str) -> bool:
    if name == "Event":
        return bool((row.get("EndDateTime") or row.get("ActivityDate") or limit)[:10] < limit)
    return bool(row.get("IsClosed") and (row.get("ActivityDate") or row["CreatedDate"])[:10] < limit)


class _Scope:
    """Finds fields from one object: by name, or through parents by dots."""

    def __init__(self, org: Org, kind: ObjectType, text: str) -> None:
        self._org = org
        self._kind = kind
        self._text = text

    def selected(self, statement: Statement) -> list[str]:
        """The selected paths as the schema spells them."""
        names: list[str] = []
        for name in statement.select:
            if name.path.startswith("fields("):
                names += self._all_fields(name, statement)
                continue
            canonical, _, _ = self.path(name)
            if canonical in names:
                complain(self._text, name.at, "INVALID_FIELD", f"duplicate field selected: {canonical}")
            names.append(canonical)
        return names

    def _all_fields(self, name: Name, statement: Statement) -> list[str]:
        wanted = name.path[7:-1]
        if wanted != "standard" and (statement.limit is None or statement.limit > 200):
            why = "The SOQL FIELDS function must have a LIMIT of at most 200"
            complain(self._text, name.at, "MALFORMED_QUERY", why)
        fields = (one for one in self._kind.fields.values() if self._org.visible(self._kind, one))
        return [one.name for one in fields if wanted == "all" or one.custom == (wanted == "custom")]

    def check_order(self, order: list[Order]) -> None:
        """Refuses to sort by what cannot be sorted."""
        for key in order:
            one, _ = self.resolve(key.name)
            if not one.sortable:
                why = f"field '{one.name}' can not be sorted in a query call"
                complain(self._text, key.name.at, "MALFORMED_QUERY", why)

    def resolve(self, name: Name) -> tuple[Field, Getter]:
        """The field at the end of a path, and how to get its value from a row."""
        _, one, get = self.path(name)
        return one, get

    def path(self, name: Name) -> tuple[str, Field, Getter]:
        """The path as the schema spells it, the field at its end, and how to get its value from a row."""
        parts = name.path.split(".")
        if len(parts) > 1 and parts[0].lower() == self._kind.name.lower():
            parts = parts[1:]
        kind, spelled, links = self._kind, [], []
        for part in parts[:-1]:
            link = kind.parent(part)
            parent = self._org.object(link.refers[0]) if link is not None and len(link.refers) == 1 else None
            if link is None or parent is None or not self._org.visible(kind, link):
                self._no_relationship(name, part)
            spelled.append(link.relationship or "")
            links.append(link.name)
            kind = parent
        one = self._org.field(kind, parts[-1])
        if one is None:
            why = (
                f"No such column '{parts[-1]}' on entity '{kind.name}'. If you are attempting to use a custom field, "
                f"be sure to append the '__c' after the custom field name.{_SUFFIX}"
            )
            complain(self._text, name.at, "INVALID_FIELD", why)
        return ".".join([*spelled, one.name]), one, self._getter(links, one)

    def _no_relationship(self, name: Name, part: str) -> NoReturn:
        why = (
            f"Didn't understand relationship '{part}' in field path. If you are attempting to use a custom "
            f"relationship, be sure to append the '__r' after the custom relationship name.{_SUFFIX}"
        )
        complain(self._text, name.at, "INVALID_FIELD", why)

    def _getter(self, links: list[str], one: Field) -> Getter:
        # A boolean is never null: what a row does not hold is false.
        last, missing = one.name, False if one.type == "boolean" else None
        if not links:
            return lambda row: row.get(last, missing)
        org = self._org

        def through(row: Mapping[str, Any]) -> Any:
            for link in links:
                parent = org.row(row.get(link))
                if parent is None:
                    return None
                row = parent
            return row.get(last, missing)

        return through


def _ordered(rows: list[Row], order: list[Order], sorted_by: str | None, scope: _Scope) -> list[Row]:
    """Rows in the asked order; free of charge where the index has it already."""
    if not order:
        return rows
    paths = [key.name.path.lower() for key in order]
    one_way = len({key.descending for key in order}) == 1
    if sorted_by and paths in ([sorted_by.lower(), "id"], [sorted_by.lower()]) and one_way:
        return rows[::-1] if order[0].descending else rows
    return sort_rows(rows, order, scope.resolve)
