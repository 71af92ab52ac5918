"""Making metadata: custom fields, at most five a call, and custom modules."""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.errors import Refusal, invalid, missing_param, no_module, too_many
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.schema import NUMBERS, Field, Module, api_name_of, read_fields
from connectors.sandbox.zoho.store import Org, Table

MAX_FIELDS = 5
MAX_LABEL = 25
MAX_TOOLTIP = 255
_KEYS = {
    "id", "field_label", "data_type", "length", "filterable", "tooltip", "profiles", "external", "crypt", "encrypt_case",
    "textarea", "unique", "hipaa_compliance_enabled", "private", "pick_list_values", "enable_record_state",
    "default_value", "pick_list_values_sorted_lexically", "enable_colour_code", "global_picklist",
    "history_tracking_enabled", "history_tracking", "separator", "auto_number", "_update_existing_records", "formula",
    "decimal_place", "number_separator", "currency", "rollup_summary", "lookup", "multiselectlookup", "userlookup",
    "multiuserlookup",
}  # fmt: skip
_MODULE_TEXTS = {"singular_label": 25, "plural_label": 25, "api_name": 50}
"""Letters and digits, and how many at most."""

FIELD_QUOTA = 150
_TYPES = {
    "text", "textarea", "email", "phone", "picklist", "multiselectpicklist", "date", "datetime", "integer", "bigint",
    "double", "currency", "percent", "autonumber", "website", "boolean", "lookup", "userlookup", "multiselectlookup",
    "multiuserlookup", "formula", "rollup_summary", "fileupload", "imageupload", "address",
}  # fmt: skip
_EXPECTED: dict[str, tuple[tuple[str, type], ...]] = {
    "double": (("decimal_place", int),), "currency": (("currency", dict),), "lookup": (("lookup", dict),),
    "picklist": (("pick_list_values", list),), "multiselectpicklist": (("pick_list_values", list),),
}  # fmt: skip
"""What must be said of a new field beside its label and type."""
_RESERVED = {"id", "owner", "created_time", "modified_time", "created_by", "modified_by", "tag"}
_CLOSED = {"Quoted_Items", "Notes"}
_OWN = """
id bigid ro
Name text !
Owner ownerlookup
Created_Time datetime ro
Modified_Time datetime ro
Created_By userlookup ro
Modified_By userlookup ro
"""
_FIRST_CODE = 70


class Provision:
    """Handlers that make, change and take away fields and modules."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def _table(self, request: Request) -> Table:
        name = request.first("module")
        if name is None:
            raise missing_param("module")
        table = self.org.table(name)
        if table is None:
            raise no_module()
        if table.module.name in _CLOSED:
            raise Refusal(400, "NOT_SUPPORTED", "the module does not support custom fields", {"module": name})
        return table

    @staticmethod
    def _sent(request: Request, name: str) -> list[Any]:
        body = request.json()
        sent = body.get(name) if isinstance(body, dict) else None
        if not isinstance(sent, list) or not sent:
            details = {"api_name": name, "json_path": f"$.{name}"}
            raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", details)
        return sent

    def create(self, request: Request) -> Reply:
        """``POST /settings/fields?module=``: all of them or, with the first refusal, none."""
        table = self._table(request)
        sent = self._sent(request, "fields")
        if len(sent) > MAX_FIELDS:
            raise too_many(MAX_FIELDS, "only 5 fields can be created at a time", api_name="fields")
        own = sum(one.custom for one in table.module.fields.values())
        if own + len(sent) > FIELD_QUOTA:
            raise too_many(FIELD_QUOTA, "the field quota of the edition is exceeded", limit_due_to="edition")
        try:
            made = [self._field(table.module, one, f"$.fields[{number}]") for number, one in enumerate(sent)]
            labels = [one.label.lower() for one in made]
            if len(set(labels)) < len(labels):
                raise _duplicate(f"$.fields[{len(labels) - 1}].field_label")
        except Refusal as refusal:
            return Reply(400, {"fields": [refusal.body]})
        for one in made:
            one.name = api_name_of(one.label, table.module.fields)
            table.module.add(one)
        return Reply(201, {"fields": [_done("field created", one.id) for one in made]})

    def _field(self, module: Module, sent: Any, path: str) -> Field:
        if not isinstance(sent, Mapping):
            raise invalid("invalid data", expected_data_type="jsonobject", json_path=path)
        for name in ("field_label", "data_type"):
            if not sent.get(name):
                details = {"api_name": name, "json_path": f"{path}.{name}"}
                raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", details)
        _check_field(sent, path)
        label, data_type = str(sent["field_label"]), str(sent["data_type"])
        if data_type not in _TYPES:
            raise invalid("invalid data", api_name="data_type", json_path=f"{path}.data_type")
        if label.lower().replace(" ", "_") in _RESERVED:
            details = {"api_name": "field_label", "json_path": f"{path}.field_label"}
            raise Refusal(400, "RESERVED_KEYWORD_NOT_ALLOWED", "reserved keyword not allowed", details)
        if any(one.label.lower() == label.lower() for one in module.fields.values()):
            raise _duplicate(f"{path}.field_label")
        return self._shaped(Field("", data_type, label, self.org.ids.new(), custom=True), sent, path)

    def _shaped(self, one: Field, sent: Mapping[str, Any], path: str) -> Field:
        """What a type asks for beside its name. Refusal: EXPECTED_FIELD_MISSING."""
        for name, kind in _EXPECTED.get(one.data_type, ()):
            if not isinstance(sent.get(name), kind):
                raise _expected(name, path)
        if one.data_type in {"double", "percent"}:
            one.decimals = int(sent.get("decimal_place", 2))
        if one.data_type == "currency":
            one.decimals = int(sent["currency"].get("precision", 2))
        if one.data_type in {"picklist", "multiselectpicklist"}:
            one.picks = _picks(sent["pick_list_values"])
        one.to = self._target(one, sent, path)
        most = {"text": 255, "textarea": 32_000}.get(one.data_type, 16 if one.data_type in NUMBERS else 255)
        one.length = int(sent.get("length", 9 if one.data_type == "integer" else most))
        if not 1 <= one.length <= most:
            raise invalid("invalid data", api_name="length", maximum_length=most, json_path=f"{path}.length")
        one.unique = bool(sent.get("unique"))
        one.more = {name: sent[name] for name in ("tooltip", "currency") if name in sent}
        return one

    def _target(self, one: Field, sent: Mapping[str, Any], path: str) -> str:
        """The module a lookup leads to; "" for other types."""
        if one.data_type != "lookup":
            return "Users" if one.data_type == "userlookup" else ""
        module = sent["lookup"].get("module")
        name = str(module.get("api_name")) if isinstance(module, Mapping) else ""
        if self.org.table(name) is None:
            raise _expected("lookup.module", path)
        return name

    def _find(self, table: Table, field: object) -> Field:
        key = parse_id(field)
        one = next((one for one in table.module.fields.values() if one.id == key), None)
        if one is None:
            raise invalid("the id given seems to be invalid", resource_path_index=2)
        if not one.custom:
            raise Refusal(400, "NOT_ALLOWED", "a system field cannot be changed", {"id": str(field)})
        return one

    def update_many(self, request: Request) -> Reply:
        """``PATCH /settings/fields?module=``, ids in the fields."""
        table = self._table(request)
        sent = self._sent(request, "fields")
        if len(sent) > MAX_FIELDS:
            raise too_many(MAX_FIELDS, "only 5 fields can be updated at a time", api_name="fields")
        return Reply(body={"fields": [self._update(self._find(table, one.get("id")), one) for one in sent]})

    def update(self, request: Request, field: str) -> Reply:
        """``PATCH /settings/fields/{id}?module=``."""
        table = self._table(request)
        return Reply(body={"fields": [self._update(self._find(table, field), self._sent(request, "fields")[0])]})

    @staticmethod
    def _update(one: Field, sent: Mapping[str, Any]) -> dict[str, Any]:
        one.label = str(sent.get("field_label", one.label))
        if isinstance(sent.get("pick_list_values"), list):
            one.picks |= _picks(sent["pick_list_values"])
        one.more |= {name: sent[name] for name in ("tooltip",) if name in sent}
        return _done("field updated", one.id)

    def delete(self, request: Request, field: str) -> Reply:
        """``DELETE /settings/fields/{id}?module=``: the field with its values."""
        table = self._table(request)
        one = self._find(table, field)
        del table.module.fields[one.name]
        for row in table.rows.values():
            row.pop(one.name, None)
        return Reply(body={"fields": [_done("field deleted", one.id)]})

    def create_modules(self, request: Request) -> Reply:
        """``POST /settings/modules``: custom modules with a Name and the usual system fields."""
        sent = self._sent(request, "modules")
        if len(sent) > 1:
            raise too_many(1, "only 1 module can be created at a time", api_name="modules")
        try:
            return Reply(201, {"modules": [self._module(sent[0])]})
        except Refusal as refusal:
            return Reply(400, {"modules": [refusal.body]})

    def _module(self, sent: Any) -> dict[str, Any]:
        self._check_module(sent)
        name = str(sent["api_name"])
        if self.org.table(name) is not None:
            details = {"api_name": "api_name", "json_path": "$.modules[0].api_name"}
            raise Refusal(400, "DUPLICATE_DATA", "duplicate data", details)
        module = Module(name, str(sent["plural_label"]), str(sent["singular_label"]), _FIRST_CODE, "Name", "custom")
        for one in read_fields(_OWN):
            module.add(one)
        shown = sent.get("display_field")
        if isinstance(shown, Mapping) and shown.get("field_label"):
            module.fields["Name"].label = str(shown["field_label"])
        self.org.open(module)
        return _done("module created successfully", module.id)

    def _check_module(self, sent: Any) -> None:
        """Refusal: something is missing, or is no text of letters and digits, or no profile of this org."""
        for name in (*_MODULE_TEXTS, "profiles"):
            if not isinstance(sent, Mapping) or not sent.get(name):
                details = {"api_name": name, "json_path": f"$.modules[0].{name}"}
                raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", details)
        for name, most in _MODULE_TEXTS.items():
            if not _is_plain(str(sent[name]), most):
                raise invalid("invalid data", api_name=name, maximum_length=most, json_path=f"$.modules[0].{name}")
        profiles = {str(key) for key in self.org.profiles.values()}
        if not all(isinstance(one, Mapping) and one.get("id") in profiles for one in sent["profiles"]):
            raise invalid("invalid data", api_name="profiles", json_path="$.modules[0].profiles")


def _check_field(sent: Mapping[str, Any], path: str) -> None:
    """Refusal: an unknown key, too long a label, or a ``unique`` or ``tooltip`` of another shape."""
    unique, tooltip = sent.get("unique"), sent.get("tooltip")
    if isinstance(unique, Mapping) and not isinstance(unique.get("case_sensitive"), bool):
        raise _expected("unique.case_sensitive", path)
    wrong = [name for name in sent if name not in _KEYS]
    if len(str(sent["field_label"])) > MAX_LABEL:
        wrong.append("field_label")
    if tooltip is not None and not _is_tooltip(tooltip):
        wrong.append("tooltip")
    if wrong:
        raise invalid("invalid data", api_name=wrong[0], json_path=f"{path}.{wrong[0]}")


def _is_plain(text: str, most: int) -> bool:
    return text.isascii() and text.isalnum() and len(text) <= most


def _is_tooltip(given: Any) -> bool:
    if not isinstance(given, Mapping) or given.get("name") not in {"static_text", "info_icon"}:
        return False
    return 0 < len(str(given.get("value", ""))) <= MAX_TOOLTIP


def _picks(values: list[Any]) -> dict[str, str]:
    named = [one for one in values if isinstance(one, Mapping) and one.get("display_value")]
    return {str(one.get("actual_value", one["display_value"])): str(one["display_value"]) for one in named}


def _done(message: str, key: int) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": str(key)}, "message": message, "status": "success"}


def _expected(name: str, path: str) -> Refusal:
    details = {"expected_fields": [{"api_name": name, "json_path": f"{path}.{name}"}], "json_path": path}
    return Refusal(400, "EXPECTED_FIELD_MISSING", "expected field missing", details)


def _duplicate(path: str) -> Refusal:
    return Refusal(400, "DUPLICATE_DATA", "duplicate data", {"api_name": "field_label", "json_path": path})
