"""What the service's metadata says: properties with Edm types and flags, entity types, sets, and extension fields."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.sap.entities import (
    CHILDREN,
    ENTITIES,
    HISTORY_ENTITY,
    MANDATORY,
    NAVIGATIONS,
    STAMPED,
)

EDM = {
    "code": "Edm.String", "text": "Edm.String", "guid": "Edm.Guid", "date": "Edm.DateTime", "moment": "Edm.DateTimeOffset",
    "decimal": "Edm.Decimal", "percent": "Edm.Decimal", "flag": "Edm.Boolean", "int": "Edm.Int32",
}  # fmt: skip
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*_KUT")


@dataclass(slots=True)
class Property:
    """One property. ``kind`` is a key of ``EDM``; ``code_of``: this is the text of that code."""

    name: str
    kind: str
    creatable: bool = True
    updatable: bool = True
    filterable: bool = True
    nullable: bool = True
    extension: bool = False
    max_length: int | None = None
    scale: int = 6
    label: str = ""
    code_of: str = ""

    @property
    def edm(self) -> str:
        """The Edm type."""
        return EDM[self.kind]


@dataclass(slots=True)
class EntityType:
    """One entity type with its set. ``navigations``: name to (entity type, is it many).

    ``service``: the path of the custom service that shows it; "" is the standard one.
    """

    name: str
    properties: dict[str, Property] = field(default_factory=dict)
    navigations: dict[str, tuple[str, bool]] = field(default_factory=dict)
    parent: str = ""
    service: str = ""

    @property
    def set_name(self) -> str:
        """The entity set."""
        return f"{self.name}Collection"

    def add(self, one: Property) -> None:
        """Adds a property; a code brings its read-only text."""
        self.properties[one.name] = one
        if one.kind == "code":
            text = Property(
                f"{one.name}Text", "text", creatable=False, updatable=False, filterable=False, code_of=one.name
            )
            self.properties[text.name] = text


class Schema:
    """Every entity type of the service, and the extension fields that an administrator switched on."""

    def __init__(self, *, history: bool = True) -> None:
        self.types: dict[str, EntityType] = {name: _entity(name) for name in ENTITIES}
        self.hidden: dict[tuple[str, str], Property] = {}
        """Extension fields that exist but were not added to the service, by entity type and name."""
        self.version = 0
        """Grows with every change of the metadata."""
        if not history:
            kept = {"ObjectID", "ParentObjectID", "EntityLastChangedOn", "ETag"}
            known = self.types[HISTORY_ENTITY].properties
            self.types[HISTORY_ENTITY].properties = {name: one for name, one in known.items() if name in kept}
        for parent, children in CHILDREN.items():
            for child in children:
                self._link(parent, child)
        self.service = ""
        """The service that is being asked: calls come one at a time."""
        self.services: dict[str, dict[str, EntityType]] = {"": {one.set_name: one for one in self.types.values()}}
        """The entity types that each service shows, by their sets."""

    @property
    def sets(self) -> dict[str, EntityType]:
        """The entity types that the service shows which is being asked."""
        return self.services.get(self.service, {})

    def _link(self, parent: str, child: str) -> None:
        """Navigation to the children, and the implicit ones back to the parent."""
        self.types[parent].navigations[NAVIGATIONS.get(child, child)] = (child, True)
        self.types[child].navigations[parent] = (parent, False)
        self.types[child].parent = parent

    def codes(self) -> Iterator[tuple[EntityType, Property]]:
        """Every property with a code list."""
        for one in self.sets.values():
            yield from ((one, known) for known in one.properties.values() if known.kind == "code")

    def add_field(self, order: dict[str, Any]) -> str:
        """Adds an extension field as a key user would; its name.

        ``entity`` (Opportunity), ``name`` (with or without ``_KUT``), ``type`` (text, code, decimal, moment, date, flag,
        int), ``max_length`` (of a text: 255), ``in_service`` (default true), ``label``. KeyError or ValueError if it cannot be.
        """
        entity = self.types[str(order["entity"])]
        name = str(order["name"])
        name = name if name.endswith("_KUT") else f"{name}_KUT"
        kind = str(order.get("type", "text"))
        if not _FIELD_NAME.fullmatch(name) or kind not in EDM or kind == "guid":
            message = f"no extension field {name!r} of type {kind!r}"
            raise ValueError(message)
        length = int(order.get("max_length", 255)) if kind == "text" else None
        one = Property(name, kind, extension=True, max_length=length, label=str(order.get("label", name)))
        self.hidden.pop((entity.name, name), None)
        if order.get("in_service", True):
            entity.add(one)
        else:
            self.hidden[entity.name, name] = one
            entity.properties.pop(name, None)
        self.version += 1
        return name

    def drop_field(self, entity: str, name: str) -> None:
        """Takes an extension field away. KeyError: there is none."""
        if self.hidden.pop((entity, name), None) is None:
            del self.types[entity].properties[name]
        self.version += 1


def _entity(name: str) -> EntityType:
    entity = EntityType(name)
    entity.add(Property("ObjectID", "text", creatable=False, updatable=False, nullable=False))
    if any(name in children for children in CHILDREN.values()):
        entity.add(Property("ParentObjectID", "text", updatable=False))
    for kind, names in ENTITIES[name].items():
        for one in names.split():
            own = one in STAMPED
            needed = MANDATORY.get(name) == one
            scale = 2 if kind == "percent" else 6
            entity.add(Property(one, kind, creatable=not own, updatable=not own, nullable=not needed, scale=scale))
    entity.add(Property("EntityLastChangedOn", "moment", creatable=False, updatable=False))
    entity.add(Property("ETag", "moment", creatable=False, updatable=False, filterable=False))
    return entity
