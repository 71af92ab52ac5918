"""Pieces of metadata answers: option sets, alternate keys, what a column's type adds."""

from typing import Any

from connectors.sandbox.dynamics.ids import guid
from connectors.sandbox.dynamics.schema import ATTRIBUTE_TYPES, Column, TableType, label

Shown = dict[str, Any]
"""A piece of metadata as JSON."""


def entity_key(table: TableType, name: str) -> Shown:
    """``EntityKeyMetadata`` of an alternate key."""
    return {
        "MetadataId": guid("entitykey", f"{table.name}/{name}"), "LogicalName": name, "SchemaName": name,
        "EntityLogicalName": table.name, "KeyAttributes": list(table.keys[name]), "EntityKeyIndexStatus": "Active",
        "DisplayName": label(name),
    }  # fmt: skip


def option_set(table: TableType, column: Column) -> Shown:
    """The option set of a picklist, state, status or boolean column."""
    base: Shown = {
        "MetadataId": guid("optionset", f"{table.name}/{column.name}"), "Name": f"{table.name}_{column.name}",
        "IsGlobal": False, "IsCustomOptionSet": column.custom,
    }  # fmt: skip
    if column.type == "bool":
        sides = {"TrueOption": {"Value": 1, "Label": label("Yes")}, "FalseOption": {"Value": 0, "Label": label("No")}}
        return {
            "@odata.type": "#Microsoft.Dynamics.CRM.BooleanOptionSetMetadata",
            **base,
            "OptionSetType": "Boolean",
            **sides,
        }
    options = []
    for value, text in column.options.items():
        one: Shown = {"Value": value, "Label": label(text), "Description": label(""), "Color": None, "IsManaged": True}
        if column.type == "status":
            one = {
                "@odata.type": "#Microsoft.Dynamics.CRM.StatusOptionMetadata",
                **one,
                "State": column.states.get(value, 0),
            }
        if column.type == "state":
            first = next((code for code, state in _status_of(table).items() if state == value), 1)
            one = {
                "@odata.type": "#Microsoft.Dynamics.CRM.StateOptionMetadata",
                **one,
                "DefaultStatus": first,
                "InvariantName": text,
            }
        options.append(one)
    kind = ATTRIBUTE_TYPES[column.type]
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.OptionSetMetadata",
        **base,
        "OptionSetType": kind,
        "Options": options,
    }


def _status_of(table: TableType) -> dict[int, int]:
    status = table.columns.get("statuscode")
    return status.states if status else {}


def managed(value: bool, name: str) -> Shown:
    """A managed property."""
    return {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": name}


def by_type(column: Column) -> Shown:
    """What the type of a column adds to its metadata."""
    if column.type in {"string", "memo"}:
        text = {"MaxLength": column.length, "Format": "Text" if column.type == "string" else "TextArea"}
        return text | ({"FormatName": {"Value": "Text"}} if column.type == "string" else {})
    if column.type in {"int", "decimal", "money"}:
        found: Shown = {"MinValue": column.low, "MaxValue": column.high}
        if column.type == "int":
            return found | {"Format": "None"}
        return found | {"Precision": column.precision} | ({"PrecisionSource": 2} if column.type == "money" else {})
    if column.type in {"date", "datetime"}:
        return {
            "Format": "DateOnly" if column.shows_day else "DateAndTime", "DateTimeBehavior": {"Value": column.behavior},
        }  # fmt: skip
    return {"Targets": list(column.targets)} if column.is_lookup else {}
