"""Objects and fields as Fxiaoke describes them, read from one line each.

``amount currency:2 商机金额`` is name, type with an argument, label. The argument is the decimals of a number, the
length of a text, the object of a reference, or the options ``value=label`` of a selection (value left out: made from
the label). ``!`` behind the type: required; ``?``: not changed by callers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.sandbox.fxiaoke.ids import option_value

NUMBERS = frozenset({"number", "currency", "percentile"})
MOMENTS = frozenset({"date", "date_time", "time"})
CALCULATED = frozenset({"formula", "count", "quote", "auto_number"})
PEOPLE = frozenset({"employee"})
REFERENCES = frozenset({"object_reference", "master_detail"})
_TYPES = {"one": "select_one", "many": "select_many", "ref": "object_reference", "of": "master_detail"}
_LENGTHS = {"text": 256, "long_text": 5000, "email": 100, "phone_number": 100, "url": 500}
SUFFIXES = ("__r", "__l", "__o", "__v", "__p", "__e", "__relation_ids")
"""What Fxiaoke adds to names of fields whose value it derives."""


@dataclass(slots=True)
class Field:
    """One field. ``options``: label by value. ``kind``: what a calculated field returns."""

    name: str
    type: str
    label: str
    decimals: int | None = None
    length: int | None = None
    target: str = ""
    options: dict[str, str] = field(default_factory=dict)
    required: bool = False
    unique: bool = False
    fixed: bool = False
    active: bool = True

    @property
    def numeric(self) -> bool:
        """Whether values are compared as numbers."""
        return self.type in NUMBERS or self.type in MOMENTS or self.type in {"count", "formula"}

    def describe(self) -> dict[str, Any]:
        """The field in the answer of describe."""
        body: dict[str, Any] = {
            "api_name": self.name, "label": self.label, "type": self.type, "is_required": self.required,
            "is_unique": self.unique, "is_active": self.active, "status": "released",
            "define_type": "custom" if self.name.endswith("__c") else "system" if self.fixed else "package",
        }  # fmt: skip
        if self.decimals is not None:
            body["decimal_places"] = self.decimals
        if self.length is not None:
            body["max_length"] = self.length
        if self.target:
            body["target_api_name"] = self.target
        if self.type in {"select_one", "select_many"}:
            body["options"] = [{"label": label, "value": value} for value, label in self.options.items()]
        if self.type in {"date", "date_time"}:
            body["time_zone"] = "GMT+8"
            body["date_format"] = "yyyy-MM-dd" if self.type == "date" else "yyyy-MM-dd HH:mm"
        return body


def read_field(line: str) -> Field:
    """A field from its line."""
    name, kind, label = line.split(" ", 2)
    kind, fixed, required = kind.replace("?", "").replace("!", ""), "?" in kind, "!" in kind
    kind, _, argument = kind.partition(":")
    found = Field(name, _TYPES.get(kind, kind), label, required=required, fixed=fixed)
    if found.type in NUMBERS or found.type in {"count", "formula"}:
        found.decimals = int(argument or 2)
    elif found.type in _LENGTHS:
        found.length = int(argument or _LENGTHS[found.type])
    elif found.type in REFERENCES:
        found.target = argument
    elif argument:
        for option in argument.split(","):
            value, _, text = option.rpartition("=")
            found.options[value or option_value(text)] = text
    return found


@dataclass(slots=True)
class ObjectType:
    """One object with its fields."""

    name: str
    label: str
    fields: dict[str, Field] = field(default_factory=dict)
    active: bool = True
    public: bool = False

    @property
    def custom(self) -> bool:
        """Whether an administrator made it; such objects live under other paths."""
        return self.name.endswith("__c")

    def add(self, line: str) -> Field:
        """Adds a field from its line."""
        found = read_field(line)
        self.fields[found.name] = found
        return found

    def listed(self) -> dict[str, Any]:
        """The object in the answer of object/list."""
        return {
            "describeApiName": self.name, "describeDisplayName": self.label,
            "defineType": "custom" if self.custom else "package", "isActive": self.active, "iconPath": "",
            "iconIndex": 0, "hideButton": False, "publicObject": self.public,
        }  # fmt: skip

    def describe(self, bent: Mapping[str, str], gone: Iterable[str]) -> dict[str, Any]:
        """The answer of describe. ``bent``: fields that pretend another type; ``gone``: fields that vanished."""
        hidden = set(gone)
        fields = {}
        for name, one in self.fields.items():
            if name not in hidden:
                fields[name] = replace(one, type=bent[name]).describe() if name in bent else one.describe()
        return {
            "api_name": self.name, "display_name": self.label, "label": self.label, "is_active": self.active,
            "define_type": "custom" if self.custom else "package", "fields": fields,
        }  # fmt: skip


def read_object(name: str, label: str, lines: Iterable[str]) -> ObjectType:
    """An object from the lines of its fields."""
    kind = ObjectType(name, label)
    for line in lines:
        kind.add(line)
    return kind
