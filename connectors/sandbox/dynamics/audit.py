"""Auditing: a row for every change of an audited table, and the messages that tell what changed."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.sandbox.dynamics.ids import guid
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org, Row

CREATE, UPDATE, DELETE = 1, 2, 3
ASSIGN, SET_STATE, WIN, LOSE = 13, 41, 44, 45

_SILENT = frozenset(
    {"versionnumber", "modifiedon", "_modifiedby_value", "createdon", "_createdby_value", "_owningbusinessunit_value"}
)


def changed_keys(table: TableType, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Properties of a row that differ and that auditing tells of."""
    keys = {key for key in (*old, *new) if "@" not in key and key not in _SILENT}
    return sorted(key for key in keys if old.get(key) != new.get(key) and table.by_key(key) and key != table.pk)


def record(
    org: Org, table: TableType, row_id: str, old: Row, new: Row, *, operation: int, action: int, at: str, by: str
) -> None:
    """Writes the audit row of one change. ``old`` and ``new`` hold what changed, by JSON property."""
    keys = changed_keys(table, old, new)
    columns = [column for key in keys if (column := table.by_key(key)) is not None]
    details = [
        {"logicalName": one.name, "oldValue": _worded(one.key, old), "newValue": _worded(one.key, new)}
        for one in columns
    ]
    held: Row = {
        "auditid": guid("audit", f"{row_id}/{org.version}/{len(org.rows('audit'))}"),
        "operation": operation,
        "action": action,
        "attributemask": ",".join(str(one.number) for one in columns) or None,
        "objecttypecode": table.name,
        "createdon": at,
        "_objectid_value": row_id,
        "_objectid_value@": table.name,
        "_userid_value": by,
        "changedata": json.dumps({"changedAttributes": details}, ensure_ascii=False, default=str),
    }
    org.put("audit", held)


def _worded(key: str, row: Mapping[str, Any]) -> str | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool):
        return "True" if value else "False"
    if key.startswith("_") and key.endswith("_value"):
        return f"{row.get(f'{key}@', '') or 'systemuser'},{value}"
    return str(value)


def detail(org: Org, audit: Row) -> dict[str, Any]:
    """``AttributeAuditDetail`` of one audit row: the values before and after.

    ``changedata@`` holds them where ``changedata`` is the list of old values of an older environment.
    """
    table = org.tables[audit["objecttypecode"]]
    told = audit.get("changedata@") or audit.get("changedata") or '{"changedAttributes": []}'
    changes = json.loads(told)["changedAttributes"]
    kind = f"#Microsoft.Dynamics.CRM.{table.name}"
    before: dict[str, Any] = {"@odata.type": kind}
    after: dict[str, Any] = {"@odata.type": kind}
    for change in changes:
        column = table.columns.get(change["logicalName"])
        if column is None:
            continue
        for side, text in ((before, change["oldValue"]), (after, change["newValue"])):
            if text is not None:
                side[column.key] = _typed(column.type, text)
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.AttributeAuditDetail",
        "InvalidNewValueAttributes": [],
        "LocLabelLanguageCode": 0,
        "DeletedAttributes": {"Count": 0, "Keys": [], "Values": []},
        "OldValue": before,
        "NewValue": after,
    }


def _typed(kind: str, text: str) -> Any:
    if kind in {"int", "bigint", "picklist", "state", "status"}:
        return int(text)
    if kind in {"money", "decimal"}:
        return Decimal(text)
    if kind == "bool":
        return text == "True"
    return text.rpartition(",")[2] if kind in {"lookup", "owner", "customer"} else text


def history(org: Org, table: TableType, row_id: str) -> list[Row]:
    """Audit rows of one record, newest first."""
    rows = [org.rows("audit")[one] for one in org.data["audit"].group("_objectid_value", [row_id])]
    own = [row for row in rows if row["objecttypecode"] == table.name]
    return sorted(own, key=lambda row: (row["createdon"], row["auditid"]), reverse=True)
