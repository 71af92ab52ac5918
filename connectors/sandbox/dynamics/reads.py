"""Reading rows over HTTP: collections, single rows, properties, navigation, counts."""

import json
from collections.abc import Sequence
from typing import Any

from connectors.sandbox.dynamics.delta import Changes
from connectors.sandbox.dynamics.errors import Refusal, denied, no_row, no_segment
from connectors.sandbox.dynamics.options import Options, read_options
from connectors.sandbox.dynamics.path import no_key, row_id_of, split_segment
from connectors.sandbox.dynamics.query import CHILDREN, Page, Queries
from connectors.sandbox.dynamics.render import Preferences, Projection
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org, Row
from connectors.sandbox.routing import Reply, Request


class Reads:
    """Answers GET on the tables of one environment. ``lacking`` names privileges that our user does not have."""

    def __init__(self, org: Org, queries: Queries, lacking: frozenset[str]) -> None:
        self.org = org
        self.queries = queries
        self.changes = Changes(org, queries)
        self.lacking = lacking
        self.empty = False
        """Whether the fault ``empty`` strikes this call."""

    def check(self, verb: str, table: TableType) -> None:
        """Refusal 403 where our user lacks a privilege on a table."""
        name = "prvReadAuditSummary" if table.name == "audit" else f"prv{verb}{table.schema}"
        if name in self.lacking:
            raise denied(name, table.name)

    def collection(self, request: Request, root: str, table: TableType, prefer: Preferences) -> Reply:
        """One page of a table."""
        self.check("Read", table)
        options = read_options(request)
        tracking = prefer.track or bool(options.delta) or 'istracking="True"' in options.skip
        base = f"{root}/{table.set_name}"
        link, answers_delta = None, False
        if tracking:
            page, link, answers_delta = self.changes.page(table, options, prefer, base)
        else:
            page = self.queries.page(table, options, prefer, base)
        if self.empty:
            page = Page([], total=0 if options.count else None)
        context = f"{root}/$metadata#{table.set_name}{shape(options)}{'/$delta' if answers_delta else ''}"
        return Reply(200, page_text(context, page, prefer, link), applied(prefer))

    def children(
        self, request: Request, root: str, table: TableType, row_id: str, nav: str, prefer: Preferences
    ) -> Reply:
        """One page of a collection-valued navigation property."""
        child, key = CHILDREN[table.name, nav]
        kind = self.org.tables[child]
        self.check("Read", kind)
        options = read_options(request)
        ids = self.org.data[child].group(key, [row_id])
        page = self.queries.page(kind, options, prefer, f"{root}/{table.set_name}({row_id})/{nav}", ids)
        return Reply(200, page_text(f"{root}/$metadata#{kind.set_name}{shape(options)}", page, prefer), applied(prefer))

    def count(self, request: Request, table: TableType) -> Reply:
        """``/$count``: a bare number."""
        self.check("Read", table)
        options = read_options(request)
        if options.delta:
            total = self.changes.count(table, options.delta)
        else:
            total = self.queries.count(table, self.queries.test(table, options)[0])
        return Reply(200, str(0 if self.empty else total), {"Content-Type": "text/plain"})

    def row(self, table: TableType, key: str) -> Row:
        """The row that a key names. Refusal 404."""
        row_id, _ = row_id_of(self.org, table, key)
        if not row_id:
            raise no_key(table)
        row = self.org.rows(table.name).get(row_id)
        if row is None:
            raise no_row(table.name, row_id)
        return row

    def single(self, request: Request, root: str, table: TableType, key: str, prefer: Preferences) -> Reply:
        """One row; 304 if the caller has this version already."""
        self.check("Read", table)
        if not table.single_read:
            raise Refusal(400, "0x80040800", f"The 'Retrieve' method does not support entities of type '{table.name}'.")
        row = self.row(table, key)
        options = read_options(request)
        etag = f'W/"{row.get("versionnumber")}"'
        known = request.headers.get("if-none-match", "")
        if known == etag and not options.expand and not prefer.annotations:
            return Reply(304, None, {"ETag": etag})
        return self.shown(root, table, row, options, prefer)

    def shown(
        self, root: str, table: TableType, row: Row, options: Options, prefer: Preferences, status: int = 200
    ) -> Reply:
        """One row as an answer."""
        text = self.queries.writer(table, options, prefer, f"{root}/{table.set_name}")(row)
        context = json.dumps(f"{root}/$metadata#{table.set_name}{shape(options)}/$entity")
        head = f'{{"@odata.context":{context},'
        return Reply(status, head + text[1:], applied(prefer) | {"ETag": f'W/"{row.get("versionnumber")}"'})

    def below(
        self, request: Request, root: str, table: TableType, key: str, rest: Sequence[str], prefer: Preferences
    ) -> Reply:
        """What stands behind a row in the path: a property, its raw value, another row, a reference to it."""
        self.check("Read", table)
        row = self.row(table, key)
        name, inner = split_segment(rest[0])
        if inner is None and (table.name, name) in CHILDREN and len(rest) == 1:
            return self.children(request, root, table, row[table.pk], name, prefer)
        column = self.org.column(table, name)
        if column is not None and inner is None and len(rest) <= 2:
            return self._property(root, table, row, name, rest)
        found = table.nav(name)
        if found is None or inner is not None or len(rest) > 2:
            raise no_segment(rest[0])
        return self._linked(request, root, table, row, found, rest, prefer)

    def _property(self, root: str, table: TableType, row: Row, name: str, rest: Sequence[str]) -> Reply:
        value = row.get(name)
        if value is None:
            return Reply(204)
        if len(rest) == 2:
            if rest[1] != "$value":
                raise no_segment(rest[1])
            return Reply(200, str(value), {"Content-Type": "text/plain"})
        text = Projection(self.org, table, [name], Preferences()).writers[0](row).partition(":")[2]
        context = json.dumps(f"{root}/$metadata#{table.set_name}({row[table.pk]})/{name}")
        return Reply(200, f'{{"@odata.context":{context},"value":{text}}}')

    def _linked(
        self, request: Request, root: str, table: TableType, row: Row, found: tuple[Any, str], rest: Sequence[str],
        prefer: Preferences,
    ) -> Reply:  # fmt: skip
        column, target = found
        other_id = row.get(column.key)
        held = row.get(f"{column.key}@") or column.targets[0]
        if other_id is None or (column.name != "ownerid" and held != target):
            return Reply(204)
        other = self.org.tables.get(str(held))
        if other is None:
            raise no_segment(str(held))
        if len(rest) == 2:
            if rest[1] != "$ref":
                raise no_segment(rest[1])
            return Reply(
                200, {"@odata.context": f"{root}/$metadata#$ref", "@odata.id": f"{root}/{other.set_name}({other_id})"}
            )
        linked = self.org.rows(other.name).get(other_id)
        if linked is None:
            raise no_row(other.name, other_id)
        return self.shown(root, other, linked, read_options(request), prefer)


def shape(options: Options) -> str:
    """The columns of a context URL."""
    names = [*options.select, *(f"{one.nav}({one.options.get('$select', '')})" for one in options.expand)]
    return f"({','.join(names)})" if names else ""


def page_text(context: str, page: Page, prefer: Preferences, delta: str | None = None) -> str:
    """A page as JSON."""
    parts = [f'"@odata.context":{json.dumps(context)}']
    if page.total is not None:
        parts.append(f'"@odata.count":{page.total}')
    if prefer.wants("Microsoft.Dynamics.CRM.totalrecordcount"):
        total = -1 if page.total is None else page.total
        over = "true" if page.total is not None and page.total >= 5000 else "false"
        parts.append(f'"@Microsoft.Dynamics.CRM.totalrecordcount":{total}')
        parts.append(f'"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":{over}')
    parts.append(f'"value":[{",".join(page.texts)}]')
    if page.next_link:
        parts.append(f'"@odata.nextLink":{json.dumps(page.next_link)}')
    if delta:
        parts.append(f'"@odata.deltaLink":{json.dumps(delta)}')
    return "{" + ",".join(parts) + "}"


def applied(prefer: Preferences) -> dict[str, str]:
    """The header that tells which preferences were followed."""
    return {"Preference-Applied": ", ".join(prefer.applied)} if prefer.applied else {}
