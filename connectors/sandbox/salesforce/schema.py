"""What an emulated Salesforce org's objects and fields are, and how describe tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "double": "xsd:double", "currency": "xsd:double",
    "percent": "xsd:double", "int": "xsd:int", "date": "xsd:date", "datetime": "xsd:dateTime", "anyType": "xsd:anyType",
}  # fmt: skip
NUMBERS = frozenset({"double", "currency", "percent", "int"})
TEXTS = frozenset({"string", "textarea", "picklist", "email", "phone", "url", "anyType"})
_UNSORTABLE = frozenset({"anyType"})


@dataclass(slots=True)
class Field:
    """One field. ``size`` is the length of text or (digits, decimals) of a number."""

    name: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    calculated: bool = False
    restricted: bool = False
    refers: tuple[str, ...] = ()
    picklist: tuple[str, ...] = ()
    label: str = ""
    help_text: str = ""
    default: Any = None

    @property
    def custom(self) -> bool:
        """Whether an admin made it."""
        return self.name.endswith("__c")

    @property
    def required(self) -> bool:
        """Whether every record needs a value; a boolean always has one."""
        return not self.nillable and self.type != "boolean"

    @property
    def sortable(self) -> bool:
        """Whether ORDER BY may name it."""
        return self.filterable and self.type not in _UNSORTABLE

    @property
    def relationship(self) -> str | None:
        """The name of the parent in a field path: ``Owner`` for ``OwnerId``."""
        if self.type != "reference":
            return None
        if self.custom:
            return self.name[:-1] + "r"
        return self.name.removesuffix("Id") or None

    def describe(self, *, editable: bool) -> dict[str, Any]:
        """The field as describe answers it to a user who may (or may not) edit it."""
        return {
            "name": self.name, "label": self.label or self.name, "type": self.type,
            "soapType": _SOAP.get(self.type, "xsd:string"), "length": self.length, "byteLength": self.length * 3,
            "precision": self.precision, "scale": self.scale, "digits": 8 if self.type == "int" else 0,
            "nillable": self.nillable, "createable": self.createable and editable,
            "updateable": self.updateable and editable, "filterable": self.filterable, "sortable": self.sortable,
            "groupable": self.filterable and self.type not in {"double", "currency", "percent", "datetime", "anyType"},
            "aggregatable": True, "unique": self.unique, "externalId": self.external_id,
            "caseSensitive": self.case_sensitive, "calculated": self.calculated, "custom": self.custom,
            "idLookup": self.type == "id" or self.external_id, "nameField": self.name == "Name",
            "defaultedOnCreate": self.default is not None or self.type == "boolean", "autoNumber": False,
            "restrictedPicklist": self.restricted, "referenceTo": list(self.refers),
            "relationshipName": self.relationship, "polymorphicForeignKey": len(self.refers) > 1,
            "inlineHelpText": self.help_text or None, "deprecatedAndHidden": False,
            "permissionable": self.custom and not self.required,
            "picklistValues": [
                {"value": value, "label": value, "active": True, "defaultValue": False, "validFor": None}
                for value in self.picklist
            ],
        }  # fmt: skip


@dataclass(slots=True)
class ObjectType:
    """One sObject type. ``cursor`` is the field that moves when a row does; ``setup``: no mixing with other types."""

    name: str
    prefix: str
    fields: dict[str, Field] = field(default_factory=dict)
    setup: bool = False
    writable: bool = True
    deletable: bool = True
    label: str = ""
    plural: str = ""
    durable_id: str = ""
    _by_lower: dict[str, str] = field(default_factory=dict)

    @property
    def cursor(self) -> str | None:
        """The field by which a reader asks what is new."""
        return next((name for name in ("SystemModstamp", "CreatedDate") if name in self.fields), None)

    @property
    def custom(self) -> bool:
        """Whether an admin made it."""
        return self.name.endswith("__c")

    def add(self, one: Field) -> None:
        """Adds a field (or replaces the one of that name)."""
        self.fields[one.name] = one
        self._by_lower[one.name.lower()] = one.name

    def drop(self, name: str) -> None:
        """Takes a field away."""
        del self.fields[name]
        del self._by_lower[name.lower()]

    def find(self, name: str) -> Field | None:
        """The field of that name; case does not matter."""
        known = self._by_lower.get(name.lower())
        return self.fields[known] if known else None

    def parent(self, relationship: str) -> Field | None:
        """The reference field that a field path calls ``relationship``."""
        wanted = relationship.lower()
        return next((one for one in self.fields.values() if (one.relationship or "").lower() == wanted), None)

    def brief(self) -> dict[str, Any]:
        """The object's line in the list of objects."""
        return {
            "name": self.name, "label": self.label or self.name, "labelPlural": self.plural or f"{self.name}s",
            "keyPrefix": self.prefix, "custom": self.custom, "createable": self.writable, "updateable": self.writable,
            "deletable": self.writable and self.deletable, "undeletable": self.writable and self.deletable,
            "queryable": True, "retrieveable": True, "searchable": self.writable, "layoutable": self.writable,
            "replicateable": "SystemModstamp" in self.fields and "IsDeleted" in self.fields,
            "triggerable": self.writable, "mergeable": self.name == "Account", "customSetting": False,
            "deprecatedAndHidden": False, "feedEnabled": False, "hasSubtypes": False, "isSubtype": False,
        }  # fmt: skip

    def describe(self, base: str, visible: Iterable[Field], editable: Mapping[str, bool]) -> dict[str, Any]:
        """The whole describe answer for a user who sees the ``visible`` fields. ``base``: URL of the object."""
        return {
            **self.brief(),
            "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
            "fields": [one.describe(editable=editable.get(one.name, True)) for one in visible],
            "childRelationships": [],
            "recordTypeInfos": [],
        }


_AUDIT: dict[str, tuple[str, ...]] = {
    "full": ("IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"),
    "kept": ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"),
    "history": ("IsDeleted", "CreatedDate", "CreatedById", "SystemModstamp"),
    "log": ("IsDeleted", "CreatedDate", "CreatedById"),
    "role": ("LastModifiedDate", "LastModifiedById", "SystemModstamp"),
    "stamp": ("SystemModstamp",),
}
_AUDIT_TYPES = {"IsDeleted": "boolean", "CreatedById": "reference", "LastModifiedById": "reference"}


def audited(kind: str) -> list[Field]:
    """``Id`` and the audit fields of one kind of object, all kept by the server."""
    found = [Field("Id", "id", length=18, nillable=False, createable=False, updateable=False)]
    for name in _AUDIT[kind]:
        one = Field(name, _AUDIT_TYPES.get(name, "datetime"), nillable=False, createable=False, updateable=False)
        if one.type == "reference":
            one.length, one.refers = 18, ("User",)
        found.append(one)
    return found


def read_field(line: str) -> Field:
    """A field from a line of ``salesforce_objects``: ``Name type[size][>Object|Object] flag...``."""
    name, kind, *flags = line.split()
    kind, _, refers = kind.partition(">")
    kind, _, size = kind.rstrip(")").partition("(")
    digits, _, scale = size.partition(",")
    one = Field(name, kind, refers=tuple(refers.split("|")) if refers else ())
    if kind in NUMBERS:
        one.precision, one.scale = int(digits or 18), int(scale or (0 if kind == "int" else 2))
    elif kind in TEXTS or kind in {"id", "reference"}:
        one.length = int(digits or (18 if kind in {"id", "reference"} else 255))
    if kind == "boolean":
        one.nillable = False
    for flag in flags:
        _apply(one, flag)
    return one


def own_object(name: str, prefix: str, lines: Iterable[str]) -> ObjectType:
    """An object that an admin made, with a number for a name."""
    found = ObjectType(name, prefix)
    for one in [
        *audited("full"),
        read_field("Name string(80) ro"),
        read_field("OwnerId reference>User"),
        *map(read_field, lines),
    ]:
        found.add(one)
    return found


_FLAGS: dict[str, dict[str, Any]] = {
    "ro": {"createable": False, "updateable": False},
    "fixed": {"updateable": False},
    "req": {"nillable": False},
    "nofilter": {"filterable": False},
    "unique": {"unique": True},
}


def _apply(one: Field, flag: str) -> None:
    if flag.startswith("="):
        one.picklist = tuple(flag[1:].split("|"))
        return
    for name, value in _FLAGS[flag].items():
        setattr(one, name, value)
