"""``EntityDefinitions``: tables, columns, option sets and alternate keys as metadata answers them."""

from collections.abc import Callable, Sequence
from typing import Any

from connectors.sandbox.dynamics.errors import Refusal, bad_query, no_property, no_segment
from connectors.sandbox.dynamics.filter import Compare, Group, Node, parse
from connectors.sandbox.dynamics.ids import is_guid
from connectors.sandbox.dynamics.metadata_parts import Shown, by_type, entity_key, managed, option_set
from connectors.sandbox.dynamics.options import Expand, Options, from_texts, read_options
from connectors.sandbox.dynamics.path import pairs_of, split_segment
from connectors.sandbox.dynamics.schema import ATTRIBUTE_TYPES, Column, TableType, label
from connectors.sandbox.dynamics.store import Org
from connectors.sandbox.routing import Reply, Request

_NAMESPACE = "Microsoft.Dynamics.CRM."
_CASTS = {
    f"{name}AttributeMetadata": name for name in (*set(ATTRIBUTE_TYPES.values()), "EntityName", "MultiSelectPicklist")
}
_TYPE_NAMES = {"Uniqueidentifier": "UniqueIdentifier"}
_OPTION_SETS: frozenset[str] = frozenset({"OptionSet", "GlobalOptionSet"})


class Metadata:
    """Answers reads of metadata."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def read(self, request: Request, root: str, parts: Sequence[str]) -> Reply:
        """GET below ``EntityDefinitions``. Refusal 404: no such table, column or key."""
        _, key = split_segment(parts[0])
        options = read_options(request)
        context = f"{root}/$metadata#{'/'.join(parts)}"
        if key is None:
            rows = [self.entity(table) for table in self.tables()]
            found = self._expanded(rows, options)
            return _listed(context, found, options, "EntityMetadata")
        table = self.table(key)
        if len(parts) == 1:
            found = self._expanded([self.entity(table)], options)
            return _single(context, found[0], options, "EntityMetadata")
        return self._below(context, table, parts[1:], options)

    def tables(self) -> list[TableType]:
        """Installed tables."""
        return list(self.org.sets.values())

    def table(self, key: str) -> TableType:
        """A table by ``LogicalName='x'`` or MetadataId. Refusal 404."""
        if is_guid(key):
            found = next((one for one in self.tables() if one.metadata_id == key.lower()), None)
            name = key
        else:
            name = pairs_of(key).get("LogicalName", "")
            found = self.org.tables.get(name)
        if found is None or found.set_name not in self.org.sets:
            text = f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache."
            raise Refusal(404, "0x80060888", f"Could not find an entity with specified entity key: {text}")
        return found

    def column(self, table: TableType, key: str) -> Column:
        """A column by ``LogicalName='x'`` or MetadataId. Refusal 404."""
        name = key if is_guid(key) else pairs_of(key).get("LogicalName", "")
        for column in table.columns.values():
            if name in {column.name, table.attribute_id(column.name)} and self.org.column(table, column.key):
                return column
        raise Refusal(
            404,
            "0x80041103",
            f"Could not find an attribute with specified attribute name/id: {name} on entity {table.name}",
        )

    def _below(self, context: str, table: TableType, rest: Sequence[str], options: Options) -> Reply:
        name, key = split_segment(rest[0])
        if name == "Keys" and key is None and len(rest) == 1:
            return _listed(context, [entity_key(table, one) for one in table.keys], options, "EntityKeyMetadata")
        if name != "Attributes" or len(rest) > 2:
            if len(rest) == 1 and name in (held := self.entity(table)):
                return Reply(200, {"@odata.context": context, "value": held[name]})
            raise no_segment(rest[0])
        cast = _cast(rest[1]) if len(rest) == 2 else None
        kind = rest[1].removeprefix(_NAMESPACE) if cast else "AttributeMetadata"
        if key is None:
            rows = [row for row in self.attributes(table) if cast is None or row["AttributeType"] == cast]
            return _listed(context, self._expanded(rows, options), options, kind)
        row = self.attribute(table, self.column(table, key))
        if cast is not None and row["AttributeType"] != cast:
            raise Refusal(404, "0x80060888", f"Resource not found for the segment '{rest[1]}'.")
        return _single(context, self._expanded([row], options)[0], options, kind)

    def entity(self, table: TableType) -> Shown:
        """``EntityMetadata`` of a table."""
        return {
            "MetadataId": table.metadata_id,
            "LogicalName": table.name,
            "SchemaName": table.schema,
            "EntitySetName": table.set_name,
            "LogicalCollectionName": table.set_name,
            "CollectionSchemaName": table.set_name.capitalize(),
            "PrimaryIdAttribute": table.pk,
            "PrimaryNameAttribute": table.display,
            "ObjectTypeCode": table.code,
            "IsActivity": bool(table.family) or table.name == "activitypointer",
            "IsCustomEntity": table.custom,
            "IsPrivate": False,
            "IsValidForAdvancedFind": True,
            "OwnershipType": "UserOwned" if "ownerid" in table.columns else "OrganizationOwned",
            "ChangeTrackingEnabled": table.tracked,
            "CanChangeTrackingBeEnabled": managed(table.tracked, "canchangetrackingbeenabled"),
            "IsAuditEnabled": managed(table.audited and self.org.auditing, "canmodifyauditsettings"),
            "IsOptimisticConcurrencyEnabled": "versionnumber" in table.columns,
            "DisplayName": label(table.title),
            "DisplayCollectionName": label(f"{table.title}s"),
            "Description": label(""),
        }

    def attributes(self, table: TableType) -> list[Shown]:
        """Every column of a table."""
        return [self.attribute(table, one) for one in table.columns.values() if self.org.column(table, one.key)]

    def attribute(self, table: TableType, column: Column) -> Shown:
        """``AttributeMetadata`` of a column, with what its type adds."""
        kind = ATTRIBUTE_TYPES[column.type]
        primary = column.name == table.pk
        found: Shown = {
            "@odata.type": f"#Microsoft.Dynamics.CRM.{_TYPE_NAMES.get(kind, kind)}AttributeMetadata",
            "MetadataId": table.attribute_id(column.name),
            "LogicalName": column.name,
            "SchemaName": column.schema,
            "EntityLogicalName": table.name,
            "AttributeType": kind,
            "AttributeTypeName": {"Value": f"{kind}Type"},
            "ColumnNumber": column.number,
            "IsCustomAttribute": column.custom,
            "IsPrimaryId": primary,
            "IsPrimaryName": column.name == table.display,
            "IsValidForRead": True,
            "IsValidForCreate": not column.server_set,
            "IsValidForUpdate": not column.server_set and not primary,
            "IsSecured": False,
            "IsAuditEnabled": managed(table.audited, "canmodifyauditsettings"),
            "RequiredLevel": {
                "Value": "SystemRequired" if primary else "None", "CanBeChanged": not primary,
                "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
            },
            "DisplayName": label(column.label),
            "Description": label(column.description),
        }  # fmt: skip
        return found | by_type(column)

    def _expanded(self, rows: list[Shown], options: Options) -> list[Shown]:
        for row in rows:
            for one in options.expand:
                row[one.nav] = self._expand(row, one)
        return rows

    def _expand(self, row: Shown, one: Expand) -> Any:
        inner = from_texts(one.options)
        if "EntitySetName" in row and one.nav in {"Attributes", "Keys"}:
            table = self.org.tables[row["LogicalName"]]
            if one.nav == "Keys":
                return _chosen([entity_key(table, name) for name in table.keys], inner, "EntityKeyMetadata")
            return _chosen(self.attributes(table), inner, "AttributeMetadata")
        if "EntityLogicalName" not in row or one.nav not in _OPTION_SETS:
            raise no_property(one.nav, "EntityMetadata" if "EntitySetName" in row else "AttributeMetadata")
        table = self.org.tables[row["EntityLogicalName"]]
        if row["AttributeType"] not in {"Picklist", "State", "Status", "Boolean"}:
            raise no_property(one.nav, f"{row['AttributeType']}AttributeMetadata")
        if one.nav == "GlobalOptionSet":
            return None
        found = option_set(table, table.columns[row["LogicalName"]])
        return {
            name: value for name, value in found.items() if not inner.select or name in {*inner.select, "@odata.type"}
        }


_COMMON = frozenset(
    {
        "MetadataId", "LogicalName", "SchemaName", "EntityLogicalName", "AttributeType", "AttributeTypeName", "ColumnNumber",
        "IsCustomAttribute", "IsPrimaryId", "IsPrimaryName", "IsValidForRead", "IsValidForCreate", "IsValidForUpdate",
        "IsSecured", "IsAuditEnabled", "RequiredLevel", "DisplayName", "Description",
    }
)  # fmt: skip
"""What every column has; the rest needs a cast to the column's own type."""


def _cast(segment: str) -> str | None:
    name = _CASTS.get(segment.removeprefix(_NAMESPACE))
    if name is None or not segment.startswith(_NAMESPACE):
        raise no_segment(segment)
    return name


def _listed(context: str, rows: list[Shown], options: Options, kind: str) -> Reply:
    return Reply(200, {"@odata.context": context, "value": _chosen(rows, options, kind)})


def _single(context: str, row: Shown, options: Options, kind: str) -> Reply:
    return Reply(200, {"@odata.context": context, **_chosen([row], options, kind)[0]})


def _chosen(rows: list[Shown], options: Options, kind: str) -> list[Shown]:
    for name in options.select:
        if rows and name not in rows[0] and not any(name in row for row in rows):
            raise no_property(name, kind)
        if kind == "AttributeMetadata" and name not in _COMMON:
            raise no_property(name, kind)
    if options.order or options.top:
        raise bad_query("Only $select, $filter and $expand can be used with metadata entities.")
    if options.filter:
        test = _test(parse(options.filter, options.aliases))
        rows = [row for row in rows if test(row)]
    if not options.select:
        return rows
    kept = {*options.select, "MetadataId", "@odata.type", *(one.nav for one in options.expand)}
    return [{name: value for name, value in row.items() if name in kept} for row in rows]


def _test(node: Node) -> Callable[[Shown], bool]:
    if isinstance(node, Group):
        tests = [_test(part) for part in node.parts]
        if node.op == "not":
            return lambda row: not tests[0](row)
        return lambda row: all(test(row) for test in tests) if node.op == "and" else any(test(row) for test in tests)
    if node.op not in {"eq", "ne"}:
        raise bad_query(f"The operator '{node.op}' is not supported for metadata entities.")
    return lambda row: _matches(row, node)


def _matches(row: Shown, node: Compare) -> bool:
    held: Any = row
    for name in node.path.split("/"):
        if not isinstance(held, dict) or name not in held:
            raise no_property(name, "EntityMetadata")
        held = held[name]
    return bool(held == node.literals[0].value) == (node.op == "eq")
