"""Filters against rows: type checks, comparison as Dataverse compares, and what an index can do for a filter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox.dynamics.errors import Refusal, bad_query, no_property
from connectors.sandbox.dynamics.filter import Compare, Group, Literal, Node
from connectors.sandbox.dynamics.schema import EDM, Column, TableType
from connectors.sandbox.dynamics.store import Org, Row, stamp

Test = Callable[[Row], bool]

_FITS = {
    "Edm.Guid": {"guid"}, "Edm.String": {"string", "enum"}, "Edm.Int32": {"number"}, "Edm.Int64": {"number"},
    "Edm.Decimal": {"number"}, "Edm.Double": {"number"}, "Edm.Boolean": {"bool"}, "Edm.Date": {"time"},
    "Edm.DateTimeOffset": {"time"},
}  # fmt: skip
_WRITTEN = {
    "string": "Edm.String", "guid": "Edm.Guid", "number": "Edm.Int32", "bool": "Edm.Boolean",
    "time": "Edm.DateTimeOffset", "enum": "Edm.String",
}  # fmt: skip
_KINDS = {
    "eq": "Equal", "ne": "NotEqual", "gt": "GreaterThan", "ge": "GreaterThanOrEqual", "lt": "LessThan", "le": "LessThanOrEqual",
}  # fmt: skip


@dataclass(slots=True)
class Hints:
    """What a filter surely demands: one of some ids in a GUID column, and bounds (value, inclusive) of a column."""

    members: tuple[str, tuple[Any, ...]] | None = None
    low: dict[str, Any] = field(default_factory=dict)
    high: dict[str, Any] = field(default_factory=dict)


def compile_filter(org: Org, table: TableType, node: Node) -> tuple[Test, Hints]:
    """The test of a filter and its hints. Refusal 400: unknown columns, types that do not compare."""
    hints = Hints()
    return _compile(org, table, node, hints), hints


def _compile(org: Org, table: TableType, node: Node, hints: Hints | None) -> Test:
    if isinstance(node, Compare):
        return _compare(org, table, node, hints)
    if node.op == "not":
        inner = _compile(org, table, node.parts[0], None)
        return lambda row: not inner(row)
    if node.op == "or" and hints is not None:
        _chain(org, table, node, hints)
    tests = [_compile(org, table, part, hints if node.op == "and" else None) for part in node.parts]
    if node.op == "and":
        return lambda row: all(test(row) for test in tests)
    return lambda row: any(test(row) for test in tests)


def _chain(org: Org, table: TableType, node: Group, hints: Hints) -> None:
    """``a eq 1 or a eq 2 or ...`` is as good as membership."""
    parts = [part for part in node.parts if isinstance(part, Compare) and part.op == "eq"]
    paths = {part.path for part in parts}
    if len(parts) == len(node.parts) and len(paths) == 1 and hints.members is None:
        column = org.column(table, parts[0].path)
        if column is not None and EDM[column.type] == "Edm.Guid":
            hints.members = (column.key, tuple(part.literals[0].value for part in parts))


def _compare(org: Org, table: TableType, node: Compare, hints: Hints | None) -> Test:
    head, _, rest = node.path.partition("/")
    if rest:
        return _through(org, table, node, head, rest)
    column = _attribute(org, table, head) if node.op in {"in", "not in"} else org.column(table, head)
    if column is None:
        raise no_property(head, table.name)
    op, values = _prepare(column, node)
    if hints is not None:
        _note(column, op, values, hints)
    return _test(column, op, values)


def _attribute(org: Org, table: TableType, name: str) -> Column:
    """The column that ``In`` means: by its logical name, also of a lookup. Refusal 400."""
    column = table.columns.get(name)
    if column is None or org.column(table, column.key) is None:
        text = f"'{table.title}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'."
        raise Refusal(400, "0x80041103", text)
    return column


def _through(org: Org, table: TableType, node: Compare, nav: str, rest: str) -> Test:
    found = table.nav(nav)
    if found is None:
        raise no_property(nav, table.name)
    column, target = found
    if target not in org.tables:
        raise no_property(rest, target)
    inner = _compare(org, org.tables[target], Compare(rest, node.op, node.literals), None)
    rows = org.rows(target)
    return lambda row: inner(rows.get(row.get(column.key) or "", {}))


def _prepare(column: Column, node: Compare) -> tuple[str, tuple[Any, ...]]:
    edm = EDM[column.type]
    if node.op in {"in", "not in"}:
        return node.op, tuple(_converted(column, literal) for literal in node.literals)
    literal = node.literals[0]
    if node.op in {"contains", "startswith", "endswith"}:
        if edm != "Edm.String" or literal.kind != "string":
            raise bad_query(
                f"No function signature for the function with name '{node.op}' matches the specified arguments."
            )
        return node.op, (str(literal.value).casefold(),)
    if literal.kind != "null" and literal.kind not in _FITS[edm]:
        raise bad_query(
            f"A binary operator with incompatible types was detected. Found operand types '{edm}' and "
            f"'{_WRITTEN[literal.kind]}' for operator kind '{_KINDS[node.op]}'."
        )
    if literal.kind == "time" and edm == "Edm.DateTimeOffset":
        op, value = _moment(node.op, str(literal.value))
        return op, (value,)
    return node.op, (_converted(column, literal),)


def _moment(op: str, text: str) -> tuple[str, str]:
    """A time in whole seconds, and the operator that then says the same (rows have whole seconds)."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise bad_query(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.") from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if found.microsecond:
        if op in {"ge", "lt"}:
            found += timedelta(seconds=1)
        elif op == "eq":
            return "in", "never"
    return op, stamp(found)


def _converted(column: Column, literal: Literal) -> Any:
    edm, value = EDM[column.type], literal.value
    if value is None:
        return None
    if edm == "Edm.String":
        return str(value).casefold()
    if edm == "Edm.Guid":
        return str(value).strip("{}").lower()
    if edm == "Edm.Date":
        return str(value)[:10]
    if edm in {"Edm.Int32", "Edm.Int64"} and literal.kind == "string":
        return int(value)
    return value


def _note(column: Column, op: str, values: tuple[Any, ...], hints: Hints) -> None:
    if op in {"eq", "in"} and EDM[column.type] == "Edm.Guid" and values[0] is not None:
        hints.members = hints.members or (column.key, values)
    elif op in {"gt", "ge"} and values[0] is not None:
        hints.low.setdefault(column.key, values[0])
    elif op in {"lt", "le"} and values[0] is not None:
        hints.high.setdefault(column.key, values[0])


def _test(column: Column, op: str, values: Sequence[Any]) -> Test:
    key, value = column.key, values[0]
    if op in {"in", "not in"}:
        members = frozenset(values)
        read = _folded(key) if EDM[column.type] == "Edm.String" else lambda row: row.get(key)
        wanted = op == "in"
        return lambda row: (read(row) in members) == wanted
    if EDM[column.type] == "Edm.String":
        return _text_test(key, op, value)
    if column.type == "bool" and op in {"eq", "ne"}:
        return lambda row: (row.get(key) == value) == (op == "eq")
    return _plain_test(key, op, value)


def _folded(key: str) -> Callable[[Row], Any]:
    def read(row: Row) -> Any:
        held = row.get(key)
        return held.casefold() if isinstance(held, str) else held

    return read


def _text_test(key: str, op: str, value: Any) -> Test:
    read = _folded(key)
    if op == "contains":
        return lambda row: value in (read(row) or "")
    if op == "startswith":
        return lambda row: (read(row) or "").startswith(value)
    if op == "endswith":
        return lambda row: (read(row) or "").endswith(value)
    return _plain_test(key, op, value, read)


def _plain_test(key: str, op: str, value: Any, read: Callable[[Row], Any] | None = None) -> Test:
    get = read or (lambda row: row.get(key))
    if op == "eq":
        return lambda row: get(row) == value
    if op == "ne":
        return lambda row: get(row) != value  # null is unequal to every value, as the platform has it
    if value is None:
        return lambda _row: False
    compare: dict[str, Callable[[Any], bool]] = {
        "gt": lambda held: held > value,
        "ge": lambda held: held >= value,
        "lt": lambda held: held < value,
        "le": lambda held: held <= value,
    }
    test = compare[op]
    return lambda row: (held := get(row)) is not None and test(held)
