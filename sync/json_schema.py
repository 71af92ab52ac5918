"""JSON Schema of the configuration, made from the models, so that editors complete and check the YAML."""

import json
from typing import Any

from pydantic import BaseModel

from connectors.base import Connector
from connectors.records import RECORDS
from connectors.registry import connector_class, kinds
from connectors.settings import ConnectionSettings
from scoring.plan import Plan
from scoring.settings import MetricSettings
from sync.config_checks import PUSHABLE, field_maps
from sync.settings import ScorebackSettings

SCHEMA_NAMES = ("scoreback", "connection", "plan")

_DRAFT = "http://json-schema.org/draft-07/schema#"
"""What editors' YAML servers understand."""

Json = dict[str, Any]


def connection_models() -> dict[str, type[ConnectionSettings]]:
    """The settings model of every kind, by kind."""
    return {kind: connector_class(kind).settings for kind in kinds()}


def json_schema(name: str) -> Json:
    """JSON Schema of one of ``SCHEMA_NAMES``."""
    made = {"scoreback": _scoreback_schema, "connection": _connection_schema, "plan": _plan_schema}[name]()
    definitions = made.pop("definitions", None)
    rest = {"definitions": definitions} if definitions else {}
    return {"$schema": _DRAFT, **_loosened(made), **_loosened(rest)}


def _scoreback_schema() -> Json:
    return _raw(ScorebackSettings) | {"title": "config/scoreback.yaml"}


def _plan_schema() -> Json:
    schema = _raw(Plan) | {"title": "config/plans/NAME.yaml"}
    settings = _raw(MetricSettings)
    definitions = schema["definitions"] | settings.pop("definitions", {})
    # What the models accept besides their own form: the name of a normaliser alone, and one pipeline instead of a list.
    normaliser = definitions["Normaliser"]
    definitions["Normaliser"] = {"anyOf": [{"enum": list(normaliser["properties"])}, normaliser]}
    settings["properties"]["transactional"]["anyOf"].append({"type": "string"})
    schema["properties"]["settings"] = settings
    return schema | {"definitions": definitions}


def _connection_schema() -> Json:
    """One branch per kind, chosen by ``kind``, so that an editor speaks of the mistake and not of all branches."""
    definitions: Json = {}
    branches = []
    for kind, model in connection_models().items():
        branch = _raw(model)
        definitions |= branch.pop("definitions", {})
        branch["properties"] |= _names_of(connector_class(kind)) | {"kind": {"const": kind}}
        branch.pop("title", None)
        branches.append({"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": branch})
    return {
        "title": "config/connections/NAME.yaml",
        "type": "object",
        "properties": {"kind": {"enum": kinds()}},
        "required": ["kind"],
        "allOf": branches,
        "definitions": definitions
        | {f"Fields.{record}": _fields_schema(record) for record in RECORDS}
        | {f"WriteBack.{record}": _write_back_schema(record) for record in PUSHABLE},
    }


def _names_of(connector: type[Connector]) -> Json:
    """The names that a kind knows: its streams, our fields, and what can be written back."""
    maps = {name: {"$ref": f"#/definitions/Fields.{kind}"} for name, kind in sorted(field_maps(connector).items())}
    switch = {"anyOf": [{"$ref": "#/definitions/StreamSettings"}, {"enum": ["on", "off"]}]}
    backs = {record: {"$ref": f"#/definitions/WriteBack.{record}"} for record in PUSHABLE}
    return {
        "streams": _closed(dict.fromkeys((stream.name for stream in connector.streams), switch)),
        "fields": _closed(maps),
        "write_back": _closed(backs),
    }


def _fields_schema(record: str) -> Json:
    source = {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/Constant"}]}
    extra = {"type": "object", "additionalProperties": {"type": "string"}}
    return _closed({field: extra if field == "extra" else source for field in RECORDS[record].model_fields})


def _write_back_schema(record: str) -> Json:
    fields = {"type": "object", "additionalProperties": {"enum": list(PUSHABLE[record])}}
    keyed = _closed({"into": {"type": "string"}, "key": {"type": "string"}, "fields": fields})
    return {
        "if": {"anyOf": [{"required": ["into"]}, {"required": ["key"]}, {"required": ["fields"]}]},
        "then": keyed | {"required": ["into", "key", "fields"]},
        "else": fields,
    }


def _closed(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _raw(model: type[BaseModel]) -> Json:
    schema = model.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    return {("definitions" if key == "$defs" else key): value for key, value in schema.items()}


def _loosened(schema: Any) -> Any:
    """As the loader takes YAML: a number serves as text, no text as a number, and a value may fit several choices."""
    if isinstance(schema, list):
        return [_loosened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    loose = {("anyOf" if key == "oneOf" else key): value for key, value in schema.items()}
    choices = loose.get("anyOf", [])
    if any(choice.get("type") == "number" for choice in choices):  # pydantic takes the digits of a Decimal as text too
        loose["anyOf"] = [choice for choice in choices if choice.get("type") != "string"]
    loose = {key: _loosened(value) for key, value in loose.items()}
    if loose.get("type") == "string" and not {"enum", "const", "format"} & loose.keys():
        loose["type"] = ["string", "number"]
    return loose


def schema_text(name: str) -> str:
    """The schema as the file in ``config/schema`` holds it."""
    return json.dumps(json_schema(name), indent=2, ensure_ascii=False, default=str) + "\n"
