"""Modules and fields of an org: what there is, of which type, and who may write it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

NUMBERS = frozenset({"integer", "bigint", "double", "currency", "percent"})
LOOKUPS = frozenset({"lookup", "ownerlookup", "userlookup"})
JSON_TYPES = {
    "integer": "integer", "bigint": "string", "double": "double", "currency": "double", "percent": "double",
    "boolean": "boolean", "lookup": "jsonobject", "ownerlookup": "jsonobject", "userlookup": "jsonobject",
    "multiselectpicklist": "jsonarray", "profileimage": "string", "subform": "jsonarray", "bigid": "string",
}  # fmt: skip
"""``json_type`` by data type; what is not here is a string."""


@dataclass(slots=True)
class Field:
    """One field of a module. ``to``: the module a lookup leads to. ``picks``: display value by actual value."""

    name: str
    data_type: str
    label: str
    id: int = 0
    to: str = ""
    mandatory: bool = False
    read_only: bool = False
    custom: bool = False
    unique: bool = False
    length: int = 255
    decimals: int | None = None
    picks: dict[str, str] = field(default_factory=dict)
    hidden: bool = False
    """Only records hold it: lists, COQL and bulk read do not know it (``Events.Participants``)."""
    more: dict[str, Any] = field(default_factory=dict)
    """What the creator said of it and nothing here depends on."""

    @property
    def json_type(self) -> str:
        """The JSON type Zoho names for it."""
        return JSON_TYPES.get(self.data_type, "string")


@dataclass(slots=True)
class Module:
    """One module. ``code``: two digits that its records' ids carry. ``name_field``: what a lookup shows of a row."""

    name: str
    plural: str
    singular: str
    code: int
    name_field: str
    generated: str = "default"
    id: int = 0
    writable: bool = True
    deletable: bool = True
    related: tuple[tuple[str, str, str], ...] = ()
    """(API name, module, label) of its related lists."""
    fields: dict[str, Field] = field(default_factory=dict)

    def add(self, one: Field) -> Field:
        """Makes a field known."""
        self.fields[one.name] = one
        return one

    def find(self, name: str) -> Field | None:
        """The field of that API name, in any case of letters."""
        if name in self.fields:
            return self.fields[name]
        low = name.lower()
        return next((one for one in self.fields.values() if one.name.lower() == low), None)


_OPTIONS = {"!": "mandatory", "ro": "read_only", "custom": "custom", "hidden": "hidden", "unique": "unique"}


def read_field(line: str) -> Field:
    """A field from ``Name type[:Module] [!] [ro] [custom] [hidden] [unique] [a|b c|d]`` (the last: picklist values)."""
    line, _, picks = line.partition("[")
    name, kind, *options = line.split()
    data_type, _, to = kind.partition(":")
    one = Field(name, data_type, label_of(name), to="Users" if data_type in {"ownerlookup", "userlookup"} else to)
    for option in options:
        setattr(one, _OPTIONS[option], True)
    if picks:
        one.picks = {value: value for value in picks.rstrip("]").split("|")}
    if data_type in {"double", "currency", "percent"}:
        one.decimals = 2
    if data_type in NUMBERS:
        one.length = 9 if data_type == "integer" else 16
    if data_type == "textarea":
        one.length = 32_000
    return one


def read_fields(lines: str) -> Iterable[Field]:
    """A field per line."""
    return (read_field(line) for line in lines.splitlines() if line)


def label_of(name: str) -> str:
    """The label of a standard field."""
    return name.removesuffix("__s").replace("_", " ").strip()


def api_name_of(label: str, taken: Iterable[str]) -> str:
    """The API name Zoho makes of a label: other characters become ``_``; a taken name gets a number."""
    base = re.sub(r"\W+", "_", label, flags=re.ASCII).strip("_") or "Field"
    if base[0].isdigit():
        base = f"field_{base}"
    low = {name.lower() for name in taken}
    name, number = base, 0
    while name.lower() in low:
        number += 1
        name = f"{base}{number}"
    return name
