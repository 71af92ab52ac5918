"""Salesforce's Tooling API as far as it makes and removes custom fields, and lists them and custom objects."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.sandbox.routing import Reply, Request, Route
from connectors.sandbox.salesforce.fields import field_from_metadata
from connectors.sandbox.salesforce.query import Engine
from connectors.sandbox.salesforce.schema import Field, ObjectType, audited, read_field
from connectors.sandbox.salesforce.store import Org, Row, stamp
from connectors.sandbox.salesforce.values import CallError
from connectors.sandbox.salesforce.wire import row_writer

if TYPE_CHECKING:
    from connectors.sandbox.salesforce import SalesforceEmulator

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*__c")
_MAX_NAME, _MAX_LABEL = 43, 40
_CUSTOM_FIELD = """
DeveloperName string(80)
TableEnumOrId string(80)
NamespacePrefix string(15)
Length int
Precision int
Scale int
InlineHelpText string(510)
Description string(1000)
"""
_CUSTOM_OBJECT = """
DeveloperName string(80)
NamespacePrefix string(15)
Description string(1000)
"""
_OBJECT_KEYS = frozenset(
    {"label", "pluralLabel", "nameField", "deploymentStatus", "sharingModel", "description", "enableReports", "enableHistory",
     "enableActivities", "enableBulkApi", "enableSharing", "enableStreamingApi", "enableSearch", "visibility", "gender"}
)  # fmt: skip


class Tooling:
    """Answers the Tooling API. ``lag_calls``: describes until new field permissions take effect."""

    def __init__(self, emulator: "SalesforceEmulator", *, object_permissions: bool, lag_calls: int) -> None:
        self._emulator = emulator
        self._org = emulator.org
        self._object_permissions = object_permissions
        self._lag_calls = lag_calls
        self._seen = 0
        self._objects_made = 0
        # The Tooling API has tables of its own: the metadata, one row per custom field or object.
        self._own = Org({"CustomField": _table("CustomField", "00N", _CUSTOM_FIELD), "CustomObject": _table("CustomObject", "01I", _CUSTOM_OBJECT)})  # fmt: skip
        self._engine = Engine(self._own)

    def routes(self) -> list[Route]:
        """The endpoints."""
        root = "/services/data/{version}/tooling"
        field, kind = f"{root}/sobjects/CustomField", f"{root}/sobjects/CustomObject"
        return [
            ("GET", f"{root}/query", self._query),
            ("POST", field, self._create_field),
            ("GET", f"{field}/{{id}}", self._show),
            ("PATCH", f"{field}/{{id}}", self._change_field),
            ("DELETE", f"{field}/{{id}}", self._drop_field),
            ("GET", f"{kind}/{{id}}", self._show),
        ]

    def settle(self) -> None:
        """Called before each describe: has a permission changed since the last one, and does it show already?"""
        names = ("FieldPermissions", "ObjectPermissions", "PermissionSetAssignment")
        version = sum(self._org.tables[name].version for name in names)
        if version != self._seen:
            self._seen = version
            self._org.grant_lag = self._lag_calls
            self._emulator.touch_schema()
        elif self._org.grant_lag:
            self._org.grant_lag -= 1
            self._emulator.touch_schema()

    def _query(self, request: Request, version: str) -> Reply:
        base = self._emulator.base(version) + "/tooling"
        text = request.first("q") or ""
        statement, found = self._engine.run(text, everything=False, base=base, now=self._emulator.now())
        rows = [] if statement.count else found.rows
        records = ",".join(map(found.write, rows))
        head = f'"size":{len(rows)},"totalSize":{found.total},"done":true,"queryLocator":null'
        return Reply(body=f'{{{head},"entityTypeName":"{found.kind.name}","records":[{records}]}}')

    def _show(self, request: Request, version: str, **path: str) -> Reply:
        row = self._row(request, path["id"])
        kind = self._own.object_of(row["Id"])
        assert kind is not None  # noqa: S101 - the row was found in a table of this object
        return Reply(
            body=row_writer(self._own, kind, list(kind.fields), self._emulator.base(version) + "/tooling")(row)
        )

    def _row(self, request: Request, record_id: str) -> Row:
        wanted = "00N" if "/CustomField/" in request.path else "01I"
        row = self._own.row(record_id)
        if row is None or not record_id.startswith(wanted):
            raise CallError(404, "NOT_FOUND", "The requested resource does not exist")
        return row

    def _record(self, name: str, values: dict[str, Any]) -> str:
        kind = self._own.objects[name]
        now = stamp(self._emulator.now())
        row = Row(
            {"Id": self._org.next_id(kind.prefix), "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
        )
        row.update({key: value for key, value in values.items() if value not in (None, "")})
        self._own.tables[name].put(row)
        self._emulator.touch_schema()
        return str(row["Id"])

    # Fields.

    def _create_field(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)
        full, metadata = _order(request)
        object_name, _, name = full.partition(".")
        kind = self._org.objects.get(object_name)
        if kind is None or object_name.lower() in self._org.off:
            text = f"Entity Enumeration Or ID: bad value for restricted picklist field: {object_name}"
            raise CallError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, ["TableEnumOrId"])
        _check_name(name)
        if kind.find(name):
            text = f"There is already a field named {name.removesuffix('__c')} on {object_name}."
            raise CallError(400, "DUPLICATE_DEVELOPER_NAME", text)
        one = field_from_metadata(name, metadata, set(self._org.objects))
        kind.add(one)
        if not one.required:
            self._org.hidden_until_granted.add((kind.name, name))
        values = {
            "DeveloperName": name.removesuffix("__c"),
            "TableEnumOrId": kind.durable_id or kind.name,
            "Length": one.length or None,
            "Precision": one.precision or None,
            "Scale": one.scale if one.precision else None,
            "InlineHelpText": one.help_text,
            "Description": metadata.get("description"),
        }
        return _created(self._record("CustomField", values))

    def _change_field(self, request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        kind, one, _ = self._field(request, path["id"])
        _, metadata = _order(request, named=False)
        changed = field_from_metadata(one.name, metadata, set(self._org.objects))
        if changed.type != one.type:
            raise CallError(400, "FIELD_INTEGRITY_EXCEPTION", "Cannot change the type of a field by this emulator")
        kind.add(changed)
        self._emulator.touch_schema()
        return Reply(204)

    def _field(self, request: Request, record_id: str) -> tuple[ObjectType, Field, Row]:
        row = self._row(request, record_id)
        where = row["TableEnumOrId"]
        kind = next(kind for kind in self._org.objects.values() if where in {kind.name, kind.durable_id})
        return kind, kind.fields[f"{row['DeveloperName']}__c"], row

    def _drop_field(self, request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        kind, one, row = self._field(request, path["id"])
        kind.drop(one.name)
        table = self._org.tables[kind.name]
        for old in [old for old in table.rows.values() if one.name in old]:
            table.put(Row({name: value for name, value in old.items() if name != one.name}))
        self._forget(lambda grant: grant["Field"] == f"{kind.name}.{one.name}")
        self._own.tables["CustomField"].purge(row["Id"])
        self._org.hidden_until_granted.discard((kind.name, one.name))
        self._emulator.touch_schema()
        return Reply(204)

    def _forget(self, is_meant: Callable[[Row], bool]) -> None:
        table = self._org.tables["FieldPermissions"]
        for grant in [grant for grant in table.rows.values() if is_meant(grant)]:
            table.purge(grant["Id"])

    # Objects, which only the Metadata API makes and deletes.

    def make_object(self, name: str, metadata: dict[str, Any]) -> None:
        """A custom object of that description; CallError where the vendor refuses it."""
        _check_name(name)
        if name in self._org.objects:
            text = f"The name {name.removesuffix('__c')} is already used by another object."
            raise CallError(400, "DUPLICATE_DEVELOPER_NAME", text)
        _check_object(metadata)
        self._objects_made += 1
        kind = ObjectType(
            name, f"a{self._objects_made - 1:02d}", label=metadata["label"], plural=metadata["pluralLabel"]
        )
        for one in audited("full"):
            kind.add(one)
        numbered = metadata["nameField"].get("type") == "AutoNumber"
        kind.add(Field("Name", "string", length=80, createable=not numbered, updateable=not numbered))
        kind.add(read_field("OwnerId reference>User"))
        self._org.add_object(kind)
        if self._object_permissions:
            self._org.hidden_objects.add(name)
        values = {"DeveloperName": name.removesuffix("__c"), "Description": metadata.get("description")}
        kind.durable_id = self._record("CustomObject", values)

    def drop_object(self, name: str) -> None:
        """Deletes a custom object with its fields and rows; CallError where there is none."""
        rows = self._own.tables["CustomObject"].rows.values()
        row = next((row for row in rows if f"{row['DeveloperName']}__c" == name), None)
        if row is None:
            raise CallError(400, "NOT_FOUND", f"No CustomObject named: {name} found")
        self._org.drop_object(name)
        self._org.hidden_objects.discard(name)
        self._org.hidden_until_granted = {pair for pair in self._org.hidden_until_granted if pair[0] != name}
        self._forget(lambda grant: grant["SobjectType"] == name)
        fields = self._own.tables["CustomField"]
        for key in [key for key, one in fields.rows.items() if one["TableEnumOrId"] == row["Id"]]:
            fields.purge(key)
        self._own.tables["CustomObject"].purge(row["Id"])
        self._emulator.touch_schema()


def _table(name: str, prefix: str, lines: str) -> ObjectType:
    kind = ObjectType(name, prefix, setup=True)
    for one in [*audited("kept"), *(read_field(line) for line in lines.strip().splitlines())]:
        kind.add(one)
    return kind


def _order(request: Request, *, named: bool = True) -> tuple[str, dict[str, Any]]:
    body = request.json()
    if not isinstance(body, dict) or not isinstance(body.get("Metadata"), dict):
        raise CallError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]", ["Metadata"])
    unknown = set(body) - {"FullName", "Metadata"}
    if unknown:
        raise CallError(400, "INVALID_FIELD", f"No such column '{min(unknown)}' on sobject of type CustomField")
    if named and not isinstance(body.get("FullName"), str):
        raise CallError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [FullName]", ["FullName"])
    return body.get("FullName", ""), body["Metadata"]


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        text = (
            f"The name {name} must begin with a letter, hold only letters, digits and single underscores, end in __c, and "
            "have at most 40 characters before that."
        )
        raise CallError(400, "FIELD_INTEGRITY_EXCEPTION", text, ["DeveloperName"])


def _check_object(metadata: dict[str, Any]) -> None:
    unknown = set(metadata) - _OBJECT_KEYS
    if unknown:
        raise CallError(400, "JSON_PARSER_ERROR", f'Unrecognized field "{min(unknown)}" in CustomObject')
    for key in ("label", "pluralLabel", "nameField", "deploymentStatus", "sharingModel"):
        if not metadata.get(key):
            raise CallError(400, "FIELD_INTEGRITY_EXCEPTION", f"Must specify a {key} for the CustomObject", [key])
    if len(metadata["label"]) > _MAX_LABEL or len(metadata["pluralLabel"]) > _MAX_LABEL:
        raise CallError(400, "STRING_TOO_LONG", f"Label: data value too large (max length={_MAX_LABEL})", ["Label"])
    name = metadata["nameField"]
    if not isinstance(name, dict) or name.get("type") not in {"Text", "AutoNumber"} or not name.get("label"):
        raise CallError(
            400, "FIELD_INTEGRITY_EXCEPTION", "nameField needs a label and type Text or AutoNumber", ["nameField"]
        )
    if name["type"] == "AutoNumber" and not name.get("displayFormat"):
        raise CallError(
            400, "FIELD_INTEGRITY_EXCEPTION", "Must specify a displayFormat for an AutoNumber", ["nameField"]
        )


def _created(record_id: str) -> Reply:
    return Reply(201, {"id": record_id, "success": True, "errors": [], "warnings": [], "infos": []})
