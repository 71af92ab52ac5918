"""A custom field from the metadata that describes it, with what the vendor demands of each type."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.salesforce.schema import Field
from connectors.sandbox.salesforce.values import CallError

_MAX_LABEL, _MAX_DIGITS = 40, 18
_COMMON = frozenset(
    {"label", "type", "required", "description", "inlineHelpText", "externalId", "unique", "trackHistory", "trackTrending",
     "trackFeedHistory", "defaultValue", "fullName"}
)  # fmt: skip
_TYPES: dict[str, tuple[str, frozenset[str], frozenset[str]]] = {
    "Number": ("double", frozenset({"precision", "scale"}), frozenset()),
    "Percent": ("percent", frozenset({"precision", "scale"}), frozenset()),
    "Currency": ("currency", frozenset({"precision", "scale"}), frozenset()),
    "Text": ("string", frozenset({"length"}), frozenset({"caseSensitive"})),
    "TextArea": ("textarea", frozenset(), frozenset()),
    "LongTextArea": ("textarea", frozenset({"length", "visibleLines"}), frozenset()),
    "Checkbox": ("boolean", frozenset({"defaultValue"}), frozenset()),
    "Date": ("date", frozenset(), frozenset()),
    "DateTime": ("datetime", frozenset(), frozenset()),
    "Email": ("email", frozenset(), frozenset()),
    "Url": ("url", frozenset(), frozenset()),
    "Phone": ("phone", frozenset(), frozenset()),
    "Picklist": ("picklist", frozenset({"valueSet"}), frozenset()),
    "Lookup": ("reference", frozenset({"referenceTo", "relationshipName"}), frozenset({"relationshipLabel", "deleteConstraint"})),
}  # fmt: skip
"""Vendor's type: our type, what it needs, what else it may have."""
_KEYED = frozenset({"Number", "Text", "Email"})


def field_from_metadata(name: str, metadata: Mapping[str, Any], objects: set[str]) -> Field:
    """The field; CallError where the vendor refuses the metadata. ``objects``: what a lookup may point to."""
    kind = metadata.get("type")
    if kind not in _TYPES:
        raise _refusal(f"Invalid field type: {kind}", "Type")
    ours, needed, allowed = _TYPES[kind]
    label = _label(metadata.get("label"))
    for key in needed:
        if metadata.get(key) in (None, ""):
            raise _refusal(f"Must specify '{key}' for a CustomField of type {kind}", key)
    for key in metadata:
        if key not in _COMMON | needed | allowed:
            raise _refusal(f"Can not specify '{key}' for a CustomField of type {kind}", key)
    one = Field(name, ours, label=label, help_text=str(metadata.get("inlineHelpText") or ""))
    one.nillable = not metadata.get("required", False) and ours != "boolean"
    one.unique, one.external_id = bool(metadata.get("unique")), bool(metadata.get("externalId"))
    if (one.unique or one.external_id) and kind not in _KEYED:
        raise _refusal(f"Can not specify 'externalId' or 'unique' for a CustomField of type {kind}", "externalId")
    _SIZES.get(kind, _plain_size)(one, metadata)
    if one.refers and one.refers[0] not in objects:
        raise _refusal(
            f"referenceTo value of '{one.refers[0]}' does not resolve to a valid sObject type", "referenceTo"
        )
    return one


def _label(label: Any) -> str:
    if not isinstance(label, str) or not label:
        raise _refusal("Must specify a label for the CustomField", "Label")
    if len(label) > _MAX_LABEL:
        text = f"Label: data value too large: {label} (max length={_MAX_LABEL})"
        raise CallError(400, "STRING_TOO_LONG", text, ["Label"])
    return label


def _number_size(one: Field, metadata: Mapping[str, Any]) -> None:
    one.precision, one.scale = int(metadata["precision"]), int(metadata["scale"])
    if not 0 <= one.scale <= one.precision <= _MAX_DIGITS or one.precision < 1:
        raise _refusal(f"Precision must be 1 to {_MAX_DIGITS} digits and hold the scale", "precision")


def _text_size(one: Field, metadata: Mapping[str, Any]) -> None:
    one.length = _length(metadata, 1, 255)
    one.case_sensitive = bool(metadata.get("caseSensitive"))


def _long_size(one: Field, metadata: Mapping[str, Any]) -> None:
    one.length = _length(metadata, 256, 131_072)
    one.filterable = False


def _checkbox(one: Field, metadata: Mapping[str, Any]) -> None:
    one.default = str(metadata["defaultValue"]).lower() == "true"


def _lookup(one: Field, metadata: Mapping[str, Any]) -> None:
    one.refers, one.length = (str(metadata["referenceTo"]),), 18


def _plain_size(one: Field, _metadata: Mapping[str, Any]) -> None:
    one.length = {"textarea": 255, "email": 80, "url": 255, "phone": 40}.get(one.type, 0)


def _length(metadata: Mapping[str, Any], least: int, most: int) -> int:
    length = int(metadata["length"])
    if not least <= length <= most:
        raise _refusal(f"Length must be between {least} and {most}", "length")
    return length


def _picklist(one: Field, metadata: Mapping[str, Any]) -> None:
    value_set = metadata["valueSet"]
    definition = value_set.get("valueSetDefinition") if isinstance(value_set, dict) else None
    values = definition.get("value") if isinstance(definition, dict) else None
    if not isinstance(values, list) or not values:
        raise _refusal("Must specify either a valueSetDefinition or a valueSetName", "valueSet")
    # Versions spell the key of a value differently.
    one.picklist = tuple(str(value.get("fullName") or value.get("valueName") or value.get("label")) for value in values)
    one.restricted = bool(value_set.get("restricted"))
    one.length = 255


def _refusal(text: str, key: str) -> CallError:
    return CallError(400, "FIELD_INTEGRITY_EXCEPTION", text, [key])


_SIZES = {
    "Number": _number_size, "Percent": _number_size, "Currency": _number_size, "Text": _text_size,
    "LongTextArea": _long_size, "Checkbox": _checkbox, "Picklist": _picklist, "Lookup": _lookup,
}  # fmt: skip
