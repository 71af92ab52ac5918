"""Property groups, and schemas of custom objects."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.hubspot.catalog import ObjectType, standard_properties
from connectors.sandbox.hubspot.errors import Refusal, invalid, not_found
from connectors.sandbox.hubspot.links import labels_between
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.properties import Properties
from connectors.sandbox.hubspot.rows import flag
from connectors.sandbox.hubspot.shapes import read_body
from connectors.sandbox.hubspot.store import Table
from connectors.sandbox.hubspot.values import Property, iso
from connectors.sandbox.routing import Reply, Request

Row = dict[str, Any]


def open_custom(portal: Portal, name: str, properties: Mapping[str, Property], schema: Row) -> Table:
    """Makes a custom object type known: by type id and full name, for its bare name is no type to the API."""
    number = len(portal.schemas) + 1
    kind = ObjectType(
        name,
        name,
        f"2-{portal.portal_id}{number:03d}",
        tuple(one["name"] for one in schema["properties"][:1]),
        required=tuple(schema["requiredProperties"]),
        read_scopes=("crm.objects.custom.read",),
        write_scopes=("crm.objects.custom.write",),
    )
    table = portal.store.open(kind, properties, (kind.type_id, portal.full_name(name), f"p_{name}"))
    portal.compute_common(table)
    now = portal.now_ms()
    portal.schemas[name] = {**schema, "id": str(number), "created": now, "updated": now}
    return table


class Groups:
    """Handlers of property groups."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def list_all(self, request: Request, kind: str) -> Reply:
        """All groups of a type."""
        return Reply(body={"results": list(self.portal.store.table(kind).groups.values())})

    def read(self, request: Request, kind: str, name: str) -> Reply:
        """One group."""
        return Reply(body=self._group(self.portal.store.table(kind), name))

    def create(self, request: Request, kind: str) -> Reply:
        """A new group, 201; 409 for a name that exists."""
        body = read_body(request, "PropertyGroupCreate")
        table = self.portal.store.table(kind)
        if body["name"] in table.groups:
            raise Refusal(409, f'Property group "{body["name"]}" already exists', "OBJECT_ALREADY_EXISTS")
        group = {"name": body["name"], "label": body["label"], "displayOrder": body.get("displayOrder", -1)}
        table.groups[body["name"]] = {**group, "archived": False}
        return Reply(201, table.groups[body["name"]])

    def update(self, request: Request, kind: str, name: str) -> Reply:
        """Changes label or order."""
        body = read_body(request, "PropertyGroupUpdate")
        group = self._group(self.portal.store.table(kind), name)
        group.update({key: value for key, value in body.items() if value is not None})
        return Reply(body=group)

    def archive(self, request: Request, kind: str, name: str) -> Reply:
        """Takes an empty group away."""
        table = self.portal.store.table(kind)
        self._group(table, name)
        if any(prop.group == name and not prop.archived for prop in table.properties.values()):
            raise invalid(f'Property group "{name}" still has properties')
        del table.groups[name]
        return Reply(204)

    def _group(self, table: Table, name: str) -> Row:
        if name not in table.groups:
            raise not_found(f'Property group "{name}" does not exist')
        return table.groups[name]


class Schemas:
    """Handlers of custom object types."""

    def __init__(self, portal: Portal, properties: Properties) -> None:
        self.portal = portal
        self.properties = properties

    def list_all(self, request: Request) -> Reply:
        """Every custom object type of the portal."""
        if flag(request, "archived"):
            return Reply(body={"results": []})
        return Reply(body={"results": [self._model(name) for name in self.portal.schemas]})

    def read(self, request: Request, kind: str) -> Reply:
        """One type, by name, full name or type id."""
        return Reply(body=self._model(self._named(kind)))

    def create(self, request: Request) -> Reply:
        """A new custom object type with its properties, 201."""
        body = read_body(request, "ObjectSchemaEgg")
        name = body["name"]
        if name in self.portal.store.tables or not name.replace("_", "").isalnum() or not name[0].isalpha():
            taken = name in self.portal.schemas
            category = "OBJECT_ALREADY_EXISTS" if taken else "VALIDATION_ERROR"
            raise Refusal(409 if taken else 400, f'Object type name "{name}" is taken or not valid', category)
        _check_names(body)
        kind = ObjectType(name, name, "", ())
        trial = Table(kind, standard_properties(name))
        for one in body["properties"]:
            self.properties.check(trial, one)
            self.properties.make(trial, one)
        open_custom(self.portal, name, trial.properties, body)
        return Reply(201, self._model(name))

    def archive(self, request: Request, kind: str) -> Reply:
        """Takes a type away, if it has no rows."""
        name = self._named(kind)
        if self.portal.store.tables[name].live:
            raise invalid(f"Cannot delete object type {name}: it still has records")
        self.portal.store.close(name)
        del self.portal.schemas[name]
        return Reply(204)

    def _named(self, spelling: str) -> str:
        name = self.portal.store.table(spelling).kind.plural
        if name not in self.portal.schemas:
            raise not_found(f"{spelling} is not a custom object type")
        return name

    def _model(self, name: str) -> Row:
        held, table = self.portal.schemas[name], self.portal.store.tables[name]
        others = [self.portal.store.table(one) for one in held["associatedObjects"]]
        return {
            "id": held["id"],
            "name": name,
            "labels": held["labels"],
            "objectTypeId": table.kind.type_id,
            "fullyQualifiedName": self.portal.full_name(name),
            "requiredProperties": held["requiredProperties"],
            "searchableProperties": held.get("searchableProperties") or [],
            "primaryDisplayProperty": held.get("primaryDisplayProperty"),
            "secondaryDisplayProperties": held.get("secondaryDisplayProperties") or [],
            "description": held.get("description"),
            "archived": False,
            "createdAt": iso(held["created"]),
            "updatedAt": iso(held["updated"]),
            "properties": [self.properties.model(table, prop) for prop in table.properties.values()],
            "associations": [
                {
                    "id": str(label.type_id),
                    "name": label.name,
                    "fromObjectTypeId": near.kind.type_id,
                    "toObjectTypeId": far.kind.type_id,
                }
                for other in others
                for near, far in ((table, other), (other, table))
                for label in labels_between(near, far)
            ],
        }


def _check_names(body: Row) -> None:
    """Raises Refusal (400) where a schema refers to properties that it does not define."""
    named = [one["name"] for one in body["properties"]]
    for key in ("requiredProperties", "searchableProperties", "secondaryDisplayProperties"):
        unknown = [one for one in body.get(key) or [] if one not in named]
        if unknown:
            raise invalid(f"{key} names properties that are not defined: {unknown}")
