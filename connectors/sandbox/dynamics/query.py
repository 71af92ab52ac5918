"""Collections: filter, order, pages by next link, counts, expands."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.dynamics.errors import no_property, no_segment
from connectors.sandbox.dynamics.filter import parse
from connectors.sandbox.dynamics.match import Hints, Test, compile_filter
from connectors.sandbox.dynamics.options import Expand, Options, from_texts, make_cookie, open_cookie
from connectors.sandbox.dynamics.render import Preferences, Projection
from connectors.sandbox.dynamics.schema import Column, TableType
from connectors.sandbox.dynamics.store import Org, Row

MAX_PAGE = 5000
_INDEXED = frozenset({"modifiedon", "createdon", "versionnumber"})

CHILDREN: dict[tuple[str, str], tuple[str, str]] = {
    ("opportunity", "product_opportunities"): ("opportunityproduct", "_opportunityid_value"),
    ("opportunity", "Opportunity_ActivityPointers"): ("activitypointer", "_regardingobjectid_value"),
    ("account", "opportunity_customer_accounts"): ("opportunity", "_customerid_value"),
    ("account", "opportunity_parent_account"): ("opportunity", "_parentaccountid_value"),
    ("activitypointer", "activitypointer_activity_parties"): ("activityparty", "_activityid_value"),
    **{
        (name, f"{name}_activity_parties"): ("activityparty", "_activityid_value")
        for name in ("phonecall", "appointment", "task", "email")
    },
}
"""Collection-valued navigation properties: child table and the column that points back."""


@dataclass(slots=True)
class Page:
    """One page as it goes out."""

    texts: list[str]
    next_link: str | None = None
    total: int | None = None


class Queries:
    """Answers collection reads of one environment."""

    def __init__(self, org: Org, repeat: Callable[[], bool]) -> None:
        self.org = org
        self.repeat = repeat
        """Whether the fault ``repeated_row`` strikes: a page in an order without the key begins with the row before."""
        self._walks: dict[str, list[str]] = {}

    def page(
        self, table: TableType, options: Options, prefer: Preferences, base: str, within: Iterable[str] | None = None
    ) -> Page:
        """The page that the options ask for; ``within`` narrows to some ids."""
        writer = self.writer(table, options, prefer, base)
        test, hints = self.test(table, options)
        state = open_cookie(options, options.skip) if options.skip else {"n": 1}
        size = self._size(options, prefer)
        plan = None if within is not None else self._plan(table, options, hints)
        keyless = table.pk not in [name for name, _ in options.order] and plan != (table.pk, False)
        rows, position = (
            self._indexed(table, plan, hints, test, state, size, keyless=keyless)
            if plan
            else self._sorted(table, options, hints, test, state, size, within)
        )
        page = Page([writer(row) for row in rows])
        if position is not None and not (options.top and prefer.page is None):
            page.next_link = options.link(base, "$skiptoken", make_cookie(options, state["n"] + 1, position))
        if options.count:
            page.total = self.count(table, test, within)
        return page

    def _size(self, options: Options, prefer: Preferences) -> int:
        if prefer.page is not None:
            return min(prefer.page, self.org.page_cap)
        return min(options.top or MAX_PAGE, self.org.page_cap)

    def test(self, table: TableType, options: Options) -> tuple[Test | None, Hints]:
        """The compiled filter; None: there is none."""
        if not options.filter:
            return None, Hints()
        return compile_filter(self.org, table, parse(options.filter, options.aliases))

    def count(self, table: TableType, test: Test | None, within: Iterable[str] | None = None) -> int:
        """How many rows there are, 5,000 at most."""
        rows = self.org.rows(table.name)
        found = rows.values() if within is None else [rows[one] for one in within if one in rows]
        if test is None:
            return min(len(found), MAX_PAGE)
        total = 0
        for row in found:
            total += test(row)
            if total >= MAX_PAGE:
                break
        return total

    # Two ways to walk: along an index by position, or through a sorted list that is kept between pages.

    def _plan(self, table: TableType, options: Options, hints: Hints) -> tuple[str, bool] | None:
        for name, _ in options.order:
            if self.org.column(table, name) is None:
                raise no_property(name, table.name)
        if hints.members is not None:
            return None
        order = list(options.order)
        if len(order) == 2 and order[1] == (table.pk, order[0][1]):
            order.pop()
        if not order:
            bound = next((name for name in ("modifiedon", "versionnumber") if name in hints.low), None)
            return bound or table.pk, False
        name, down = order[0]
        return (name, down) if len(order) == 1 and name in _INDEXED | {table.pk} else None

    def _indexed(
        self,
        table: TableType,
        plan: tuple[str, bool],
        hints: Hints,
        test: Test | None,
        state: dict[str, Any],
        size: int,
        *,
        keyless: bool,
    ) -> tuple[list[Row], dict[str, Any] | None]:
        name, down = plan
        data = self.org.data[table.name]
        order = data.order(name)
        low = bisect_left(order, (hints.low[name], "")) if name in hints.low and name != table.pk else 0
        high = (
            bisect_right(order, (hints.high[name], "\uffff")) if name in hints.high and name != table.pk else len(order)
        )
        if "at" in state:
            mark = (state["at"][0], state["at"][1])
            again = keyless and self.repeat()
            if down:
                high = min(high, bisect_left(order, mark) + again)
            else:
                low = max(low, bisect_right(order, mark) - again)
        places: Iterator[int] = iter(range(high - 1, low - 1, -1) if down else range(low, high))
        rows: list[Row] = []
        last = None
        for place in places:
            row = data.rows[order[place][1]]
            if test is not None and not test(row):
                continue
            if len(rows) == size:
                return rows, {"at": last}
            rows.append(row)
            last = order[place]
        return rows, None

    def _sorted(
        self, table: TableType, options: Options, hints: Hints, test: Test | None, state: dict[str, Any], size: int,
        within: Iterable[str] | None,
    ) -> tuple[list[Row], dict[str, Any] | None]:  # fmt: skip
        data = self.org.data[table.name]
        walk = str(state.get("walk", f"{table.name}{options.signature}{self.org.version}"))
        ids = self._walks.get(walk)
        if ids is None or within is not None:
            ids = self._ordered(table, options, hints, test, within)
            self._walks[walk] = ids
            while len(self._walks) > 16:
                self._walks.pop(next(iter(self._walks)))
        start = int(state.get("from", 0))
        if start and table.pk not in [name for name, _ in options.order] and self.repeat():
            start -= 1
        rows = [data.rows[one] for one in ids[start : start + size] if one in data.rows]
        end = start + size
        return rows, {"from": end, "walk": walk} if end < len(ids) else None

    def _ordered(
        self, table: TableType, options: Options, hints: Hints, test: Test | None, within: Iterable[str] | None
    ) -> list[str]:
        data = self.org.data[table.name]
        found: Iterable[str] = data.rows
        if within is not None:
            found = [one for one in within if one in data.rows]
        elif hints.members is not None:
            key, values = hints.members
            found = [one for one in values if one in data.rows] if key == table.pk else data.group(key, values)
        ids = sorted({one for one in found if test is None or test(data.rows[one])})
        for name, down in reversed(options.order):
            ids.sort(key=_sorter(data.rows, name), reverse=down)
        return ids

    # Expands.

    def writer(self, table: TableType, options: Options, prefer: Preferences, base: str) -> Callable[[Row], str]:
        """What turns a row into JSON text, expands included."""
        plain = Projection(self.org, table, options.select, prefer)
        if not options.expand:
            return plain.text
        parts = [self._expand(table, one, prefer, base) for one in options.expand]
        return lambda row: f"{plain.text(row)[:-1]},{','.join(part(row) for part in parts)}}}"

    def _expand(self, table: TableType, expand: Expand, prefer: Preferences, base: str) -> Callable[[Row], str]:
        inner = from_texts(expand.options)
        if (table.name, expand.nav) in CHILDREN:
            return self._children(CHILDREN[table.name, expand.nav], table, expand.nav, inner, prefer, base)
        found = table.nav(expand.nav)
        if found is None:
            raise no_property(expand.nav, table.name)
        head = f"{json.dumps(expand.nav)}:"
        if table.name == "audit":  # the vendor's page: always null there
            return lambda _row: head + "null"
        column, target = found
        if column.name == "ownerid":
            return self._principal(head, inner)
        if target not in self.org.tables:
            raise no_segment(target)
        writer = self.writer(self.org.tables[target], inner, prefer, base)
        rows = self.org.rows(target)

        def write(row: Row) -> str:
            other = rows.get(row.get(column.key) or "")
            return head + ("null" if other is None or not _points(column, row, target) else writer(other))

        return write

    def _principal(self, head: str, inner: Options) -> Callable[[Row], str]:
        """``ownerid`` is a principal, who has a key and nothing else."""
        for name in inner.select:
            if name != "ownerid":
                raise no_property(name, "principal")
        return lambda row: head + json.dumps({"ownerid": row.get("_ownerid_value")})

    def _children(
        self, child: tuple[str, str], table: TableType, nav: str, inner: Options, prefer: Preferences, base: str
    ) -> Callable[[Row], str]:
        name, key = child
        kind = self.org.tables[name]
        writer = self.writer(kind, inner, prefer, base)
        test, _ = self.test(kind, inner)

        def write(row: Row) -> str:
            rows = [self.org.rows(name)[one] for one in self.org.data[name].group(key, [row[table.pk]])]
            texts = [writer(one) for one in rows if test is None or test(one)][:MAX_PAGE]
            return f"{json.dumps(nav)}:[{','.join(texts)}]"

        return write


def _points(column: Column, row: Row, target: str) -> bool:
    return str(row.get(f"{column.key}@") or column.targets[0]) == target


def _sorter(rows: dict[str, Row], name: str) -> Callable[[str], tuple[bool, Any]]:
    def key(row_id: str) -> tuple[bool, Any]:
        value = rows[row_id].get(name)
        return (value is not None, value.casefold() if isinstance(value, str) else value if value is not None else 0)

    return key
