"""Builds the tables of a new environment from the short notation of ``dynamics_tables_sales`` and ``_rest``."""

import re
from decimal import Decimal

from connectors.sandbox.dynamics.schema import LOOKUPS, Column, TableType
from connectors.sandbox.dynamics.tables_options import OPTIONS, STATES
from connectors.sandbox.dynamics.tables_own import OWN
from connectors.sandbox.dynamics.tables_rest import REST
from connectors.sandbox.dynamics.tables_sales import ACTIVITIES, SALES

_WORD = re.compile(r"(?P<name>\w+)(?:\((?P<limit>[^)]*)\))?(?:>(?P<targets>[\w,]+))?")
_STAMPS = """
lookup: createdby>systemuser modifiedby>systemuser
datetime: createdon modifiedon overriddencreatedon
bigint: versionnumber
"""
_OWNED = """
owner: ownerid>systemuser,team
lookup: owninguser>systemuser owningteam>team owningbusinessunit>businessunit
"""
_MONEY_LIMIT = Decimal(922337203685477)


def build() -> dict[str, TableType]:
    """Every table by logical name."""
    activity = [_table(line, _ACTIVITY + text) for line, text in ACTIVITIES]
    tables = [_table(line, text) for line, text in (*SALES, *REST, *OWN)]
    return {table.name: table for table in (*tables, *activity)}


def _table(line: str, text: str) -> TableType:
    """``name set pk code [flags] | Title | display column``."""
    head, title, display = (part.strip() for part in line.split("|"))
    name, set_name, pk, code, *flags = head.split()
    table = TableType(
        name, set_name, pk, title, display, int(code),
        tracked="untracked" not in flags,
        audited="audited" in flags,
        bulk=frozenset() if "slow" in flags else frozenset({"CreateMultiple", "UpdateMultiple", "UpsertMultiple"}),
        family="activitypointer" if "activity" in flags else "",
        read_only="fixed" in flags,
        single_read="listed" not in flags,
    )  # fmt: skip
    table.add([Column(pk, "guid", title, 1, required=True)])
    text += "" if "bare" in flags else _STAMPS
    text += _OWNED if "owned" in flags or "activity" in flags else ""
    for row in text.strip().splitlines():
        kind, _, words = row.partition(":")
        for match in _WORD.finditer(words):
            table.add([_column(table, kind.strip(), match["name"], match["limit"], match["targets"])])
    return table


def _column(table: TableType, kind: str, name: str, limit: str | None, targets: str | None) -> Column:
    column = Column(
        name, kind, name.replace("_", " ").capitalize(), table.next_number(), custom=name.startswith("new_")
    )
    if kind in LOOKUPS:
        column.targets = tuple((targets or "systemuser").split(","))
        column.navs = {target: _nav(table, name, target, len(column.targets)) for target in column.targets}
    if kind in {"string", "memo"}:
        column.length = int(limit or (100 if kind == "string" else 2000))
    elif kind in {"int", "decimal", "money"}:
        low, _, high = (limit or "").partition("..")
        far = _MONEY_LIMIT if kind == "money" else Decimal(2147483647) if kind == "int" else Decimal(100000000000)
        column.low, column.high = Decimal(low) if low else -far, Decimal(high) if high else far
    column.options = dict(OPTIONS.get(f"{table.name}.{name}", OPTIONS.get(name, {})))
    column.states = dict(STATES.get(table.name, {})) if kind == "status" else {}
    if kind == "status" and not column.options:
        column.options, column.states = {1: "Active", 2: "Inactive"}, {1: 0, 2: 1}
    if kind == "date":
        column.behavior = "DateOnly"
    column.shows_day = kind == "date" or limit == "day"
    return column


def _nav(table: TableType, name: str, target: str, count: int) -> str:
    if name == "activityid":
        return "activityid_activitypointer"
    if count == 1 or name == "ownerid":
        return name
    own = table.family and name == "regardingobjectid"  # activities of a kind carry its name at the end
    return f"{name}_{target}_{table.name}" if own else f"{name}_{target}"


_ACTIVITY = """
string: subject(400)
memo: description(2000)
entityname: activitytypecode
lookup: regardingobjectid>opportunity,account,contact,incident transactioncurrencyid>transactioncurrency
guid: seriesid
datetime: scheduledstart scheduledend actualstart actualend senton sortdate lastonholdtime
int: actualdurationminutes(0..2147483647) scheduleddurationminutes(0..2147483647) onholdtime
picklist: prioritycode instancetypecode
state: statecode
status: statuscode
bool: isworkflowcreated isbilled isregularactivity ismapiprivate leftvoicemail
decimal: exchangerate
"""
