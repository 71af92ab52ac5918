"""Request models: which keys a body may and must have, and of which type, as HubSpot's interface description says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.hubspot.errors import bad_input, unreadable
from connectors.sandbox.routing import BadJson, Request

Kind = str
"""``str``, ``int``, ``float``, ``bool``, ``list[str]``, ``map``, ``sorts``, a model's name, or ``list[Model]``."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One model: its keys with their kinds, and which of them a body must have."""

    fields: Mapping[str, Kind]
    required: frozenset[str] = frozenset()


def _shape(required: str = "", **fields: Kind) -> Shape:
    return Shape({name.removesuffix("_"): kind for name, kind in fields.items()}, frozenset(required.split()))


_PROPERTY: dict[str, Kind] = {
    "hidden": "bool", "displayOrder": "int", "description": "str", "label": "str", "type": "str", "formField": "bool",
    "groupName": "str", "options": "list[OptionInput]", "calculationFormula": "str", "fieldType": "str",
    "numberDisplayHint": "str", "showCurrencySymbol": "bool", "currencyPropertyName": "str", "textDisplayHint": "str",
}  # fmt: skip
_PROPERTY_ONCE: dict[str, Kind] = {
    **_PROPERTY, "referencedObjectType": "str", "name": "str", "hasUniqueValue": "bool", "externalOptions": "bool",
    "dataSensitivity": "str",
}  # fmt: skip
_STAGE = {"metadata": "map", "displayOrder": "int", "label": "str"}

SHAPES: dict[str, Shape] = {
    "SimplePublicObjectInput": _shape("properties", properties="map"),
    "SimplePublicObjectInputForCreate": _shape(
        "properties", properties="map", associations="list[PublicAssociationsForObject]"
    ),
    "PublicAssociationsForObject": _shape("to types", to="PublicObjectId", types="list[AssociationSpec]"),
    "AssociationSpec": _shape(
        "associationCategory associationTypeId", associationCategory="str", associationTypeId="int"
    ),
    "PublicObjectId": _shape("id", id="str"),
    "SimplePublicObjectId": _shape("id", id="str"),
    "SimplePublicObjectBatchInput": _shape(
        "id properties", id="str", idProperty="str", objectWriteTraceId="str", properties="map"
    ),
    "SimplePublicObjectBatchInputForCreate": _shape(
        "properties",
        associations="list[PublicAssociationsForObject]",
        objectWriteTraceId="str",
        properties="map",
    ),
    "SimplePublicObjectBatchInputUpsert": _shape(
        "id properties", id="str", idProperty="str", objectWriteTraceId="str", properties="map"
    ),
    "BatchInputSimplePublicObjectBatchInput": _shape("inputs", inputs="list[SimplePublicObjectBatchInput]"),
    "BatchInputSimplePublicObjectBatchInputForCreate": _shape(
        "inputs", inputs="list[SimplePublicObjectBatchInputForCreate]"
    ),
    "BatchInputSimplePublicObjectBatchInputUpsert": _shape("inputs", inputs="list[SimplePublicObjectBatchInputUpsert]"),
    "BatchInputSimplePublicObjectId": _shape("inputs", inputs="list[SimplePublicObjectId]"),
    "BatchReadInputSimplePublicObjectId": _shape(
        "inputs properties propertiesWithHistory",
        idProperty="str",
        inputs="list[SimplePublicObjectId]",
        properties="list[str]",
        propertiesWithHistory="list[str]",
    ),
    "PublicMergeInput": _shape("objectIdToMerge primaryObjectId", objectIdToMerge="str", primaryObjectId="str"),
    "PublicGdprDeleteInput": _shape("objectId", objectId="str", idProperty="str"),
    "PublicObjectSearchRequest": _shape(
        after="str",
        filterGroups="list[FilterGroup]",
        limit="int",
        properties="list[str]",
        query="str",
        sorts="sorts",
    ),
    "FilterGroup": _shape("filters", filters="list[Filter]"),
    "Filter": _shape(
        "operator propertyName", highValue="str", operator="str", propertyName="str", value="str", values="list[str]"
    ),
    "PropertyCreate": Shape(_PROPERTY_ONCE, frozenset(("fieldType", "groupName", "label", "name", "type"))),
    "PropertyUpdate": Shape(_PROPERTY),
    "OptionInput": _shape(
        "hidden label value", hidden="bool", displayOrder="int", description="str", label="str", value="str"
    ),
    "PropertyName": _shape("name", name="str"),
    "BatchInputPropertyCreate": _shape("inputs", inputs="list[PropertyCreate]"),
    "BatchInputPropertyName": _shape("inputs", inputs="list[PropertyName]"),
    "BatchReadInputPropertyName": _shape("archived inputs", archived="bool", inputs="list[PropertyName]"),
    "PropertyGroupCreate": _shape("label name", name="str", displayOrder="int", label="str"),
    "PropertyGroupUpdate": _shape(displayOrder="int", label="str"),
    "PipelineInput": _shape(
        "displayOrder label stages", displayOrder="int", stages="list[PipelineStageInput]", label="str"
    ),
    "PipelinePatchInput": _shape(archived="bool", displayOrder="int", label="str"),
    "PipelineStageInput": Shape(_STAGE, frozenset(("displayOrder", "label"))),
    "PipelineStagePatchInput": Shape({**_STAGE, "archived": "bool"}),
    "BatchInputPublicFetchAssociationsBatchRequest": _shape(
        "inputs", inputs="list[PublicFetchAssociationsBatchRequest]"
    ),
    "PublicFetchAssociationsBatchRequest": _shape("id", id="str", after="str"),
    "BatchInputPublicAssociationMultiPost": _shape("inputs", inputs="list[PublicAssociationMultiPost]"),
    "PublicAssociationMultiPost": _shape(
        "from to types", from_="PublicObjectId", to="PublicObjectId", types="list[AssociationSpec]"
    ),
    "BatchInputPublicAssociationMultiArchive": _shape("inputs", inputs="list[PublicAssociationMultiArchive]"),
    "PublicAssociationMultiArchive": _shape("from to", from_="PublicObjectId", to="list[PublicObjectId]"),
    "BatchInputPublicDefaultAssociationMultiPost": _shape("inputs", inputs="list[PublicDefaultAssociationMultiPost]"),
    "PublicDefaultAssociationMultiPost": _shape("from to", from_="PublicObjectId", to="PublicObjectId"),
    "BatchInputPublicObjectId": _shape("inputs", inputs="list[PublicObjectId]"),
    "PublicDealSplitsBatchCreateRequest": _shape("inputs", inputs="list[PublicDealSplitsCreateRequest]"),
    "PublicDealSplitsCreateRequest": _shape("id splits", id="int", splits="list[PublicDealSplitInput]"),
    "PublicDealSplitInput": _shape("ownerId percentage", percentage="float", ownerId="int"),
    "ObjectSchemaEgg": _shape(
        "requiredProperties name associatedObjects properties labels",
        secondaryDisplayProperties="list[str]",
        requiredProperties="list[str]",
        searchableProperties="list[str]",
        primaryDisplayProperty="str",
        name="str",
        description="str",
        associatedObjects="list[str]",
        properties="list[ObjectTypePropertyCreate]",
        labels="ObjectTypeDefinitionLabels",
    ),
    "ObjectTypeDefinitionLabels": _shape(singular="str", plural="str"),
    "ObjectTypePropertyCreate": Shape(
        {**_PROPERTY_ONCE, "optionSortStrategy": "str", "searchableInGlobalSearch": "bool"},
        frozenset(("label", "type", "name", "fieldType")),
    ),
}
"""Every model that a request body may have, by HubSpot's name for it."""

_SCALARS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}


def read_body(request: Request, model: str) -> dict[str, Any]:
    """The body as a checked value of that model. Raises Refusal (400) for anything else."""
    try:
        body = request.json()
    except BadJson:
        raise unreadable() from None
    return check(body, model)


def check(value: Any, model: str) -> dict[str, Any]:
    """``value`` with scalars brought to their model's type. Raises Refusal for unknown, missing and mistyped keys."""
    if not isinstance(value, dict):
        raise bad_input(f"Cannot deserialize value of type `{model}` from {_token(value)}")
    shape = SHAPES[model]
    missing = sorted(name for name in shape.required if value.get(name) is None)
    if missing:
        raise bad_input(f"Some required fields were not set: [{', '.join(missing)}]")
    unknown = [name for name in value if name not in shape.fields]
    if unknown:
        raise bad_input(f'Unrecognized field "{unknown[0]}" (class {model}), not marked as ignorable')
    return {name: None if one is None else _of_kind(one, shape.fields[name], name) for name, one in value.items()}


def _of_kind(value: Any, kind: Kind, name: str) -> Any:
    if kind.startswith("list["):
        if not isinstance(value, list):
            raise bad_input(f'Cannot deserialize "{name}" of type `java.util.List` from {_token(value)}')
        inner = kind[5:-1]
        return [_of_kind(one, inner, name) for one in value]
    if kind == "str":
        return _text(value, name)
    if kind in _SCALARS:
        return _number_or_flag(value, kind, name)
    if kind == "map":
        if not isinstance(value, dict):
            raise bad_input(f'Cannot deserialize "{name}" of type `java.util.Map` from {_token(value)}')
        return {key: None if one is None else _text(one, key) for key, one in value.items()}
    if kind == "sorts":
        return _sorts(value)
    return check(value, kind)


def _text(value: Any, name: str) -> str:
    """Scalars become text as they do in the vendor's JSON reader; objects and arrays do not."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise bad_input(f'Cannot deserialize "{name}" of type `java.lang.String` from {_token(value)}')


def _number_or_flag(value: Any, kind: Kind, name: str) -> Any:
    if isinstance(value, str) and kind != "bool":
        try:
            return int(value) if kind == "int" else float(value)
        except ValueError:
            raise bad_input(f'Cannot deserialize "{name}" of type `{kind}` from String "{value}"') from None
    if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise bad_input(f'Cannot deserialize "{name}" of type `{kind}` from {_token(value)}')
    return value


def _sorts(value: Any) -> list[dict[str, str]]:
    """Both forms in use: ``{"propertyName", "direction"}`` and ``"-createdate"``."""
    if not isinstance(value, list):
        raise bad_input(f'Cannot deserialize "sorts" of type `java.util.List` from {_token(value)}')
    sorts = []
    for one in value:
        if isinstance(one, str):
            sorts.append(
                {"propertyName": one.lstrip("-"), "direction": "DESCENDING" if one[:1] == "-" else "ASCENDING"}
            )
            continue
        if not isinstance(one, dict) or set(one) - {"propertyName", "direction"} or not one.get("propertyName"):
            raise bad_input("Some required fields were not set: [propertyName]")
        direction = one.get("direction") or "ASCENDING"
        if direction not in ("ASCENDING", "DESCENDING"):
            raise bad_input(f'Enum type must be one of: [ASCENDING, DESCENDING], was "{direction}"')
        sorts.append({"propertyName": _text(one["propertyName"], "propertyName"), "direction": direction})
    return sorts


def _token(value: Any) -> str:
    names = {dict: "Object value", list: "Array value", str: "String value", bool: "Boolean value", type(None): "null"}
    return names.get(type(value), "Number value")
