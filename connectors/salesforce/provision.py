"""Our fields in Salesforce: made by the Tooling API, granted by a permission set of ours, and taken away again.

An object of ours is made by the Metadata API. A field made by API is invisible to everyone, its maker included, until
field-level security grants it. Where the organisation refuses us a step, the step is told to the admin instead, and the
others go on.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from connectors.base import FieldSpec, Provisioned, WriteTarget
from connectors.errors import ContractError, ForbiddenError, RejectedError
from connectors.salesforce import soql
from connectors.salesforce.api import SalesforceApi
from connectors.salesforce.deploy import delete_object, make_object
from connectors.salesforce.write import remote_object

PERMISSION_SET = "Scoreback_Integration"
VISIBLE_WITHIN_SECONDS = 60
LOOK_EVERY_SECONDS = 3
REFUSALS = (ForbiddenError, RejectedError)

_KEY_LENGTH = 255
_OBJECT_RIGHTS = {
    "PermissionsRead": True,
    "PermissionsCreate": True,
    "PermissionsEdit": True,
    "PermissionsDelete": False,
    "PermissionsViewAllRecords": True,
    "PermissionsModifyAllRecords": False,
}


def metadata(spec: FieldSpec) -> dict[str, Any]:
    """The Tooling API's description of one field. The key of an own object is an external id, or no upsert finds it."""
    common = {"label": spec.label[:40], "description": "Written by Scoreback", "inlineHelpText": spec.help[:510]}
    if spec.target.into and spec.name == spec.target.key:
        unique = {"unique": True, "caseSensitive": True, "externalId": True}
        return {**common, "type": "Text", "length": min(spec.length, _KEY_LENGTH), "required": False, **unique}
    match spec.type:
        case "number":
            return {**common, "type": "Number", "precision": 18, "scale": spec.scale, "required": False}
        case "text":
            return {**common, "type": "Text", "length": min(spec.length, 255), "required": False}
        case "long_text":
            return {**common, "type": "LongTextArea", "length": min(max(spec.length, 256), 131_072), "visibleLines": 3}
        case "datetime":
            return {**common, "type": "DateTime", "required": False}
        case "date":
            return {**common, "type": "Date", "required": False}


def _by_hand(spec: FieldSpec, remote: str, reason: str) -> Provisioned:
    shape = metadata(spec)
    size = {"Number": f"(16 digits, {spec.scale} decimals)", "Text": f"({shape.get('length')})"}.get(shape["type"], "")
    key = ", unique, external ID" if shape.get("externalId") else ""
    return Provisioned(
        f"{remote}.{spec.name}",
        "by_hand",
        f"Salesforce refused: {reason}. Setup > Object Manager > {remote} > Fields & Relationships > New: "
        f"{shape['type']}{size}{key}, label {spec.label}, name {spec.name.removesuffix('__c')}; "
        "visible and editable for the integration user",
    )


def _said(error: Exception) -> str:
    return " ".join(str(error).split())


class Provisioner:
    """One provisioning or its undoing. ``sleep`` waits between looks at fields that are not visible yet."""

    def __init__(self, api: SalesforceApi, *, dry_run: bool, sleep: Callable[[float], object] = time.sleep) -> None:
        self._api = api
        self._dry_run = dry_run
        self._sleep = sleep

    def add(self, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
        """What exists, and what was made; then the grants, until we see the fields ourselves."""
        ungranted: list[tuple[str, str]] = []
        objects: list[str] = []
        for target, specs in _by_target(wanted).items():
            remote = remote_object(target)
            seen = self._api.describe(remote, fresh=True)
            if seen is None:
                step = self._add_object(target, remote)
                yield step
                if step.state in ("by_hand", "failed"):
                    yield from (_by_hand(spec, remote, "the object is not there") for spec in specs)
                    continue
                objects.append(remote)
            ready = {name for name, field in (seen.fields if seen else {}).items() if field.get("updateable")}
            yield from (Provisioned(f"{remote}.{spec.name}", "exists") for spec in specs if spec.name in ready)
            for step in self._add_fields(remote, [spec for spec in specs if spec.name not in ready]):
                yield step
                if step.state in ("created", "exists", "missing"):
                    ungranted.append((remote, step.name.partition(".")[2]))
        if ungranted or objects:
            yield from self._grant(objects, ungranted)

    def _add_fields(self, remote: str, specs: Sequence[FieldSpec]) -> Iterator[Provisioned]:
        there = self._custom_fields(remote) if specs else {}
        for spec in specs:
            yield self._add_field(spec, remote, exists=spec.name in there)

    def remove(self, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
        """Deletes own objects, fields and the permission set; data goes with them (restorable in Setup for 15 days).

        An object that is not called as ours are is the company's: only our fields are deleted there.
        """
        for target, specs in _by_target(wanted).items():
            remote = remote_object(target)
            if target.into and remote.lower().startswith("scoreback"):
                drop = partial(delete_object, self._api, remote, sleep=self._sleep)
                yield self._delete(remote, drop, there=self._custom_object(remote) is not None)
                continue
            fields = self._custom_fields(remote)
            for spec in specs:
                drop = partial(self._api.rest, f"tooling/sobjects/CustomField/{fields.get(spec.name)}", "DELETE")
                yield self._delete(f"{remote}.{spec.name}", drop, there=spec.name in fields)
        permission_set = self._permission_set()
        if permission_set and not self._dry_run:
            for row in self._api.rows(_assignments(permission_set)):
                self._api.rest(f"sobjects/PermissionSetAssignment/{row['Id']}", "DELETE")
        drop = partial(self._api.rest, f"sobjects/PermissionSet/{permission_set}", "DELETE")
        yield self._delete(f"permission set {PERMISSION_SET}", drop, there=permission_set is not None)

    def _delete(self, name: str, drop: Callable[[], object], *, there: bool) -> Provisioned:
        if not there:
            return Provisioned(name, "missing", "was not there")
        if self._dry_run:
            return Provisioned(name, "exists", "would be deleted")
        try:
            drop()
        except REFUSALS as error:
            return Provisioned(name, "by_hand", f"Salesforce refused: {_said(error)}. Delete it in Setup")
        return Provisioned(name, "removed")

    def _add_object(self, target: WriteTarget, remote: str) -> Provisioned:
        if target.into is None:
            return Provisioned(
                remote, "failed", f"the integration user does not see {remote}: grant Read and Edit in a permission set"
            )
        if self._custom_object(remote):
            return Provisioned(remote, "exists", "not yet visible for the integration user")
        if self._dry_run:
            return Provisioned(remote, "missing", "would be created")
        label = remote.removesuffix("__c").replace("_", " ")
        try:
            make_object(self._api, remote, label, sleep=self._sleep)
        except REFUSALS as error:
            return Provisioned(
                remote,
                "by_hand",
                f"Salesforce refused: {_said(error)}. Setup > Object Manager > Create > Custom Object: label {label}, "
                f"name {remote.removesuffix('__c')}, record name Auto Number, sharing Private; then provision again",
            )
        return Provisioned(remote, "created")

    def _add_field(self, spec: FieldSpec, remote: str, *, exists: bool) -> Provisioned:
        name = f"{remote}.{spec.name}"
        if exists:
            return Provisioned(name, "exists", "to be granted to the integration user")
        if self._dry_run:
            return Provisioned(name, "missing", "would be created")
        try:
            self._api.tooling("sobjects/CustomField", "POST", {"FullName": name, "Metadata": metadata(spec)})
        except REFUSALS as error:
            if getattr(error, "code", "") == "DUPLICATE_DEVELOPER_NAME" or "already" in str(error):
                return Provisioned(name, "exists", "to be granted to the integration user")
            return _by_hand(spec, remote, _said(error))
        return Provisioned(name, "created")

    def _custom_object(self, remote: str) -> str | None:
        name = soql.text(remote.removesuffix("__c"))
        rows = self._api.tooling_rows(soql.select(["Id"], "CustomObject", [f"DeveloperName = {name}"]))
        return rows[0]["Id"] if rows else None

    def _custom_fields(self, remote: str) -> dict[str, str]:
        """Ids of an object's custom fields by name, whether we may see them or not."""
        table = self._custom_object(remote) if remote.endswith("__c") else remote
        if table is None:
            return {}
        condition = f"TableEnumOrId = {soql.text(table)}"
        rows = self._api.tooling_rows(soql.select(("Id", "DeveloperName"), "CustomField", [condition]))
        return {f"{row['DeveloperName']}__c": row["Id"] for row in rows}

    def _permission_set(self) -> str | None:
        condition = f"Name = {soql.text(PERMISSION_SET)}"
        rows = list(self._api.rows(soql.select(["Id"], "PermissionSet", [condition])))
        return rows[0]["Id"] if rows else None

    def _grant(self, objects: Sequence[str], fields: Sequence[tuple[str, str]]) -> Iterator[Provisioned]:
        name = f"permission set {PERMISSION_SET}"
        if self._dry_run:
            yield Provisioned(name, "missing", "would grant Read and Edit on these fields to the integration user")
            return
        existed = self._permission_set()
        try:
            parent = existed or self._insert(
                "PermissionSet", {"Name": PERMISSION_SET, "Label": "Scoreback Integration"}
            )
            self._grant_objects(parent, objects)
            self._grant_fields(parent, fields)
            user = self._api.user_id()
            if not any(row["AssigneeId"] == user for row in self._api.rows(_assignments(parent))):
                self._insert("PermissionSetAssignment", {"PermissionSetId": parent, "AssigneeId": user})
        except (*REFUSALS, ContractError) as error:
            names = ", ".join(f"{remote}.{field}" for remote, field in fields)
            yield Provisioned(
                name,
                "by_hand",
                f"Salesforce refused: {_said(error)}. Setup > Permission Sets > New: Read and Edit on "
                f"{names or ', '.join(objects)}; assign it to the integration user",
            )
            return
        yield Provisioned(name, "exists" if existed else "created", "assigned to the integration user")
        yield from self._wait_until_visible(fields)

    def _insert(self, remote: str, values: Mapping[str, Any]) -> str:
        answer = self._api.rest(f"sobjects/{remote}", "POST", json=values)
        identifier: str = answer["id"]
        return identifier

    def _grant_objects(self, parent: str, objects: Sequence[str]) -> None:
        condition = f"ParentId = {soql.text(parent)}"
        granted = {
            row["SobjectType"]
            for row in self._api.rows(soql.select(("Id", "SobjectType"), "ObjectPermissions", [condition]))
        }
        for remote in objects:
            if remote not in granted:
                self._insert("ObjectPermissions", {"ParentId": parent, "SobjectType": remote, **_OBJECT_RIGHTS})

    def _grant_fields(self, parent: str, fields: Sequence[tuple[str, str]]) -> None:
        columns = ("Id", "Field", "PermissionsEdit")
        query = soql.select(columns, "FieldPermissions", [f"ParentId = {soql.text(parent)}"])
        granted = {row["Field"]: row for row in self._api.rows(query)}
        rights = {"PermissionsRead": True, "PermissionsEdit": True}
        for remote, field in fields:
            name = f"{remote}.{field}"
            if name not in granted:
                self._insert("FieldPermissions", {"ParentId": parent, "SobjectType": remote, "Field": name, **rights})
            elif not granted[name]["PermissionsEdit"]:
                self._api.rest(f"sobjects/FieldPermissions/{granted[name]['Id']}", "PATCH", json=rights)

    def _wait_until_visible(self, fields: Sequence[tuple[str, str]]) -> Iterator[Provisioned]:
        waited = 0
        waiting = list(fields)
        while True:
            seen = {remote: self._api.describe(remote, fresh=True) for remote, _ in waiting}
            waiting = [
                (remote, field)
                for remote, field in waiting
                if (found := seen[remote]) is None or not found.fields.get(field, {}).get("updateable")
            ]
            if not waiting or waited >= VISIBLE_WITHIN_SECONDS:
                break
            self._sleep(LOOK_EVERY_SECONDS)
            waited += LOOK_EVERY_SECONDS
        for remote, field in waiting:
            yield Provisioned(
                f"{remote}.{field}",
                "by_hand",
                f"not editable for us after {VISIBLE_WITHIN_SECONDS} s: look at its field-level security in Setup",
            )


def _assignments(permission_set: str) -> str:
    condition = f"PermissionSetId = {soql.text(permission_set)}"
    return soql.select(("Id", "AssigneeId"), "PermissionSetAssignment", [condition])


def _by_target(wanted: Sequence[FieldSpec]) -> dict[WriteTarget, list[FieldSpec]]:
    """Specs by target, each once, the key of an own object first even if nobody asked for it."""
    groups: dict[WriteTarget, dict[str, FieldSpec]] = {}
    for spec in wanted:
        key = spec.target.key
        group = groups.setdefault(
            spec.target, {key: FieldSpec(spec.target, key, "Key", "text")} if spec.target.into and key else {}
        )
        group[spec.name] = spec
    return {target: list(group.values()) for target, group in groups.items()}
