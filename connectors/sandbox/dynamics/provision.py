"""Making columns and alternate keys: what ``EntityDefinitions`` takes by POST and DELETE (vendor page 5)."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connectors.sandbox.dynamics.errors import Refusal, invalid, no_segment
from connectors.sandbox.dynamics.faults import SOLUTION_BUSY, WRITE_LOCK
from connectors.sandbox.dynamics.metadata import Metadata
from connectors.sandbox.dynamics.metadata_parts import entity_key
from connectors.sandbox.dynamics.path import pairs_of, split_segment
from connectors.sandbox.dynamics.schema import Column, TableType
from connectors.sandbox.dynamics.store import Org
from connectors.sandbox.dynamics.values import read_json
from connectors.sandbox.faults import Faults
from connectors.sandbox.routing import Reply, Request

_TYPES = {
    "Decimal": "decimal", "String": "string", "Integer": "int", "DateTime": "datetime", "Memo": "memo", "Boolean": "bool",
    "Money": "money", "Picklist": "picklist",
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9]{1,7}_[A-Za-z]\w*")


class Provision:
    """Changes the metadata of one environment."""

    def __init__(self, org: Org, metadata: Metadata, faults: Faults) -> None:
        self.org = org
        self.metadata = metadata
        self.faults = faults

    def write(self, request: Request, root: str, parts: Sequence[str]) -> Reply:
        """POST or DELETE below ``EntityDefinitions``."""
        if self.faults.strike("metadata_lock", request.where):
            raise WRITE_LOCK
        if self.faults.strike("solution_busy", request.where):
            raise SOLUTION_BUSY
        _, key = split_segment(parts[0])
        if key is None or len(parts) != 2:
            raise no_segment(parts[-1])
        table = self.metadata.table(key)
        name, inner = split_segment(parts[1])
        if (request.method, name, inner) == ("POST", "Attributes", None):
            return self._add(request, f"{root}/{parts[0]}", table)
        if (request.method, name, inner) == ("POST", "Keys", None):
            return self._add_key(request, f"{root}/{parts[0]}", table)
        if request.method == "DELETE" and name == "Attributes" and inner is not None:
            return self._drop(table, self.metadata.column(table, inner))
        if request.method == "DELETE" and name == "Keys" and inner is not None:
            table.keys.pop(pairs_of(inner).get("LogicalName", ""), None)
            return Reply(204)
        raise Refusal(405, "0x80060888", f"The requested resource does not support http method '{request.method}'.")

    def _add(self, request: Request, where: str, table: TableType) -> Reply:
        body = read_json(request.body, "EntityDefinitions")
        solution = request.headers.get("mscrm.solutionuniquename")
        prefix = self._prefix(solution)
        schema = str(body.get("SchemaName", ""))
        if not _NAME.fullmatch(schema) or (prefix and not schema.startswith(f"{prefix}_")):
            text = (
                f"The schema name '{schema}' is not valid: it must begin with the customization prefix of a publisher."
            )
            raise Refusal(400, "0x80044366", text)
        if schema.lower() in table.columns:
            raise Refusal(400, "0x80047013", f"An attribute with the specified name {schema.lower()} already exists")
        column = self._column(table, schema, body)
        column.solution = solution
        table.add([column])
        return Reply(204, None, {"OData-EntityId": f"{where}/Attributes({table.attribute_id(column.name)})"})

    def _prefix(self, solution: str | None) -> str | None:
        if solution is None:
            return None
        for row in self.org.rows("solution").values():
            if row.get("uniquename") == solution:
                publisher = self.org.rows("publisher").get(row.get("_publisherid_value", ""), {})
                return publisher.get("customizationprefix") if solution != "Default" else None
        raise Refusal(404, "0x80040217", f"The solution with unique name '{solution}' does not exist.")

    def _column(self, table: TableType, schema: str, body: dict[str, Any]) -> Column:
        kind = str(body.get("@odata.type", "")).removeprefix("#").removeprefix("Microsoft.Dynamics.CRM.")
        our_type = _TYPES.get(kind.removesuffix("AttributeMetadata"))
        if our_type is None or not kind.endswith("AttributeMetadata"):
            raise invalid(f"Attributes of type '{kind}' cannot be created.")
        if body.get("Format") == "DateOnly" and our_type == "datetime":
            our_type = "date"
        column = Column(
            schema.lower(), our_type, _worded(body.get("DisplayName")), table.next_number(), schema=schema, custom=True,
            description=_worded(body.get("Description"), needed=False),
        )  # fmt: skip
        self._limits(column, body)
        return column

    def _limits(self, column: Column, body: dict[str, Any]) -> None:
        if column.type in {"string", "memo"}:
            column.length = int(body.get("MaxLength", 0))
            most = 4000 if column.type == "string" else 1_048_576
            if not 1 <= column.length <= most:
                raise Refusal(400, "0x80044331", f"The maximum length of '{column.name}' must be from 1 to {most}.")
        elif column.type in {"decimal", "int", "money"}:
            far = Decimal(2147483647) if column.type == "int" else Decimal(100000000000)
            column.low = Decimal(str(body.get("MinValue", -far)))
            column.high = Decimal(str(body.get("MaxValue", far)))
            column.precision = int(body.get("Precision", 2))
            if column.low > column.high or not 0 <= column.precision <= 10:
                raise invalid(f"MinValue, MaxValue or Precision of '{column.name}' is out of range.")
        elif column.type in {"date", "datetime"}:
            standard = "DateOnly" if column.type == "date" else "UserLocal"
            column.shows_day = body.get("Format") == "DateOnly"
            column.behavior = str((body.get("DateTimeBehavior") or {}).get("Value", standard))
        elif column.type == "picklist":
            options = (body.get("OptionSet") or {}).get("Options") or []
            column.options = {int(one["Value"]): _worded(one.get("Label")) for one in options}

    def _add_key(self, request: Request, where: str, table: TableType) -> Reply:
        body = read_json(request.body, "EntityDefinitions")
        name, columns = str(body.get("SchemaName", "")).lower(), body.get("KeyAttributes")
        if not name or not isinstance(columns, list) or not all(one in table.columns for one in columns):
            raise invalid("SchemaName and KeyAttributes of a key are required, and the attributes must exist.")
        if name in table.keys:
            raise Refusal(
                400, "0x80060893", f"An entity key with the name {name} already exists on entity {table.name}."
            )
        table.keys[name] = tuple(columns)
        return Reply(204, None, {"OData-EntityId": f"{where}/Keys({entity_key(table, name)['MetadataId']})"})

    def _drop(self, table: TableType, column: Column) -> Reply:
        if not column.custom:
            raise Refusal(400, "0x8004f032", f"The attribute {column.name} is not customizable and cannot be deleted.")
        table.drop(column.name)
        for row in self.org.rows(table.name).values():
            row.pop(column.key, None)
        return Reply(204)


def _worded(found: Any, *, needed: bool = True) -> str:
    labels = found.get("LocalizedLabels") if isinstance(found, dict) else None
    if labels and isinstance(labels[0], dict) and "Label" in labels[0]:
        return str(labels[0]["Label"])
    if needed:
        raise invalid("DisplayName is required: a Label with one LocalizedLabel at least.")
    return ""
