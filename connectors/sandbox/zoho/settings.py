"""Metadata: modules, fields, layouts, pipelines, related lists, roles, profiles."""

from collections.abc import Iterable
from typing import Any

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.errors import invalid, missing_param, no_module
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.schema import LOOKUPS, NUMBERS, Field, Module
from connectors.sandbox.zoho.store import Org, Pipeline, Table

_COLOURS = ("#c4f0b3", "#a1c9ff", "#ffd6bb", "#ffb9b4", "#d2f58a")


class Settings:
    """Handlers of ``/settings`` that read."""

    def __init__(self, org: Org) -> None:
        self.org = org

    def modules(self, request: Request) -> Reply:
        """``GET /settings/modules``."""
        found = [one for one in self.org.modules.values() if one.name.lower() not in self.org.off]
        return Reply(body={"modules": [self._module(one, number) for number, one in enumerate(found)]})

    def module(self, request: Request, name: str) -> Reply:
        """``GET /settings/modules/{api_name}``."""
        found = self._table(name, 2).module
        return Reply(body={"modules": [self._module(found, 0)]})

    def _table(self, name: str | None, index: int = 0) -> Table:
        table = self.org.table(name or "")
        if table is None:
            raise no_module(index)
        return table

    @staticmethod
    def _module(one: Module, number: int) -> dict[str, Any]:
        users = one.name == "Users"
        return {
            "id": str(one.id), "api_name": one.name, "module_name": one.plural, "plural_label": one.plural,
            "singular_label": one.singular, "actual_plural_label": one.plural, "actual_singular_label": one.singular,
            "api_supported": True, "generated_type": one.generated, "viewable": True, "creatable": one.writable,
            "editable": one.writable, "deletable": one.deletable, "status": "system_hidden" if users else "visible",
            "visibility": 1, "show_as_tab": one.generated == "default" and not users, "sequence_number": number,
            "global_search_supported": one.writable, "public_fields_configured": False, "recycle_bin_on_delete": True,
            "has_more_profiles": False, "sub_menu_available": True, "profile_count": 2, "description": None,
            "profiles": [], "modified_time": None, "modified_by": None, "parent_module": {}, "web_link": None,
            "access_type": "org_based", "quick_create": one.writable, "convertable": one.name == "Leads",
            "filter_supported": True, "scoring_supported": one.name == "Deals", "module_type": "ENTITIES",
            "arguments": [], "territory": None, "track_current_data": False, "private_profile": None,
        }  # fmt: skip

    def fields(self, request: Request) -> Reply:
        """``GET /settings/fields?module=``."""
        if request.first("module") is None:
            raise missing_param("module")
        table = self._table(request.first("module"))
        kind = request.first("type")
        if kind not in {None, "all", "used", "unused"}:
            raise invalid("the value given seems to be invalid", param_name="type")
        found = [] if kind == "unused" else self.org.fields(table.module)
        shown = [self.shown(table.module, one, number) for number, one in enumerate(found, start=1)]
        return Reply(body={"fields": shown}) if shown else Reply(204)

    def field(self, request: Request, field: str) -> Reply:
        """``GET /settings/fields/{id}?module=``."""
        if request.first("module") is None:
            raise missing_param("module")
        table = self._table(request.first("module"))
        key = parse_id(field)
        for number, one in enumerate(self.org.fields(table.module), start=1):
            if one.id == key or one.name == field:
                return Reply(body={"fields": [self.shown(table.module, one, number)]})
        raise invalid("the id given seems to be invalid", resource_path_index=2)

    def shown(self, module: Module, one: Field, number: int) -> dict[str, Any]:
        """A field with the keys Zoho sends."""
        writes = not one.read_only and module.writable
        target = self.org.modules.get(one.to)
        lookup = {
            "display_label": one.label, "api_name": one.name, "id": str(one.id + 1),
            "query_details": {"system_query_id": None},
            "module": {"api_name": one.to, "crypt": False, "id": str(target.id if target else one.id)},
        }  # fmt: skip
        picks = [self._pick(one, value, label, place) for place, (value, label) in enumerate(one.picks.items(), 1)]
        number_like = one.data_type in NUMBERS
        return {
            "id": str(one.id), "api_name": one.name, "field_label": one.label, "display_label": one.label,
            "data_type": one.data_type if one.data_type != "bigid" else "bigint", "json_type": one.json_type,
            "length": one.length, "decimal_place": one.decimals if number_like else None, "custom_field": one.custom,
            "read_only": one.read_only, "field_read_only": one.read_only, "system_mandatory": one.mandatory,
            "pick_list_values": picks, "pick_list_values_sorted_lexically": False,
            "lookup": lookup if one.data_type in LOOKUPS and one.to else {},
            "operation_type": {"web_update": writes, "api_create": writes, "web_create": writes, "api_update": writes},
            "visible": True, "searchable": True, "sortable": one.data_type != "textarea",
            "filterable": one.data_type != "textarea", "history_tracking": None, "history_tracking_enabled": False,
            "unique": {"case_sensitive": False} if one.unique else {}, "crypt": None,
            "formula": {}, "rollup_summary": {}, "auto_number": {}, "multiselectlookup": {},
            "currency": one.more.get("currency", {"rounding_option": "normal", "precision": 2})
            if one.data_type == "currency" else {},
            "profiles": [{"permission_type": "read_write" if writes else "read_only", "name": name, "id": str(key)}
                         for name, key in self.org.profiles.items()],
            "tooltip": one.more.get("tooltip"), "type": "used", "ui_type": 1, "display_type": -1,
            "quick_sequence_number": str(number), "created_source": "default" if not one.custom else "custom",
            "webhook": True, "colour_code_enabled_by_system": False, "association_details": None,
            "businesscard_supported": True, "multi_module_lookup": {}, "separator": False, "external": None,
            "enable_colour_code": False, "virtual_field": False, "range": None, "public": False,
            "view_type": {"view": True, "edit": writes, "quick_create": False, "create": writes},
            "email_parser": {"fields_update_supported": writes, "record_operations_supported": writes},
            "convert_mapping": {}, "display_field": one.name == module.name_field, "mass_update": writes,
            "private": None, "blueprint_supported": True, "column_name": one.name.upper(), "hipaa_compliance": None,
            "created_time": None, "modified_time": None, "parent_field": None, "associated_module": None,
            "customizable_properties": None,
        }  # fmt: skip

    def _pick(self, one: Field, value: str, label: str, place: int) -> dict[str, Any]:
        key = self.org.ids.of("picks", f"{one.id}:{value}")
        return {"id": str(key), "display_value": label, "actual_value": value, "reference_value": value,
                "sequence_number": place, "type": "used", "colour_code": "#ffffff"}  # fmt: skip

    def layouts(self, request: Request) -> Reply:
        """``GET /settings/layouts?module=``: every module has one."""
        if request.first("module") is None:
            raise missing_param("module")
        return Reply(body={"layouts": [self._layout(self._table(request.first("module")).module)]})

    def layout(self, request: Request, layout: str) -> Reply:
        """``GET /settings/layouts/{id}?module=``."""
        if request.first("module") is None:
            raise missing_param("module")
        module = self._table(request.first("module")).module
        if parse_id(layout) != self.layout_id(module):
            return Reply(204)
        return Reply(body={"layouts": [self._layout(module)]})

    def layout_id(self, module: Module) -> int:
        """The id of a module's layout."""
        return self.org.ids.of("layouts", module.name)

    def _layout(self, module: Module) -> dict[str, Any]:
        actions = dict.fromkeys(("edit", "rename", "clone", "downgrade", "delete", "deactivate"), False)
        fields = [
            {
                "id": str(one.id), "api_name": one.name, "field_label": one.label, "display_label": one.label,
                "data_type": one.data_type, "required": one.mandatory, "sequence_number": number, "visible": True,
                "read_only": one.read_only, "pick_list_values": [
                    {**self._pick(one, value, label, place), "maps": []}
                    for place, (value, label) in enumerate(one.picks.items(), 1)
                ],
            }
            for number, one in enumerate(self.org.fields(module), start=1)
        ]  # fmt: skip
        layout = self.layout_id(module)
        section = {
            "id": str(layout + 1), "api_name": f"{module.singular} Information", "name": f"{module.singular} Information",
            "display_label": f"{module.singular} Information", "sequence_number": 1, "mode": "view", "column_count": 2,
            "isSubformSection": False, "tab_traversal": "left_to_right", "generated_type": "default", "type": "used",
            "properties": None, "fields": fields,
            "actions_allowed": dict.fromkeys(("add_field", "rename", "change_tab_traversal", "reorder", "delete",
                                              "remove_field", "change_column_count"), True),
        }  # fmt: skip
        view = {"name": "Standard View", "id": str(layout + 2), "type": "layout"}
        profiles = [{"default": True, "name": name, "id": str(key), "_default_view": view,
                     "_default_assignment_view": view} for name, key in self.org.profiles.items()]  # fmt: skip
        return {
            "id": str(layout), "api_name": "Standard", "name": "Standard", "display_label": "Standard",
            "generated_type": "system", "status": "active", "visible": True, "source": "crm", "created_for": None,
            "created_time": None, "created_by": None, "modified_time": None, "modified_by": None,
            "has_more_profiles": False, "show_business_card": True, "profiles": profiles, "sections": [section],
            "convert_mapping": None, "actions_allowed": {**actions, "set_layout_permissions": True},
        }  # fmt: skip

    def pipelines(self, request: Request) -> Reply:
        """``GET /settings/pipeline?layout_id=``."""
        self._check_layout(request)
        return Reply(body={"pipeline": [self._pipeline(one, number) for number, one in enumerate(self.org.pipelines)]})

    def pipeline(self, request: Request, pipeline: str) -> Reply:
        """``GET /settings/pipeline/{id}?layout_id=``."""
        self._check_layout(request)
        found = [self._pipeline(one, at) for at, one in enumerate(self.org.pipelines) if str(one.id) == pipeline]
        return Reply(body={"pipeline": found}) if found else Reply(204)

    def _check_layout(self, request: Request) -> None:
        layout = request.first("layout_id")
        if layout is None:
            raise missing_param("layout_id")
        if parse_id(layout) != self.layout_id(self.org.modules["Deals"]):
            raise invalid("the layout id given seems to be invalid", param_name="layout_id")

    def _pipeline(self, one: Pipeline, number: int) -> dict[str, Any]:
        maps = [
            {
                "id": str(stage.id), "display_value": stage.label, "actual_value": stage.value,
                "sequence_number": stage.position, "forecast_type": stage.forecast,
                "colour_code": _COLOURS[stage.position % len(_COLOURS)],
                "forecast_category": {"name": stage.category, "id": str(self.org.ids.of("categories", stage.category))},
            }
            for stage in one.stages
        ]  # fmt: skip
        return {"id": str(one.id), "display_value": one.name, "actual_value": one.name, "default": number == 0,
                "maps": maps}  # fmt: skip

    def related_lists(self, request: Request) -> Reply:
        """``GET /settings/related_lists?module=``."""
        if request.first("module") is None:
            raise missing_param("module")
        module = self._table(request.first("module")).module
        shown = [self._related(module, *one, number) for number, one in enumerate(module.related, start=1)]
        return Reply(body={"related_lists": shown}) if shown else Reply(204)

    def _related(self, module: Module, name: str, target: str, label: str, number: int) -> dict[str, Any]:
        found = self.org.modules.get(target)
        return {
            "id": str(self.org.ids.of("related_lists", f"{module.name}.{name}")), "sequence_number": str(number),
            "display_label": label, "api_name": name, "name": label, "action": None, "status": "visible",
            "module": {"api_name": target, "id": str(found.id)} if found else None, "visibility": 1,
            "href": f"{module.name}/{{ENTITYID}}/{name}", "type": "default", "connectedmodule": None,
            "linkingmodule": None, "customize_sort": True, "customize_fields": True, "customize_display_label": True,
        }  # fmt: skip

    def roles(self, request: Request) -> Reply:
        """``GET /settings/roles``."""
        return Reply(body={"roles": list(self._named(self.org.roles.items()))})

    def profiles(self, request: Request) -> Reply:
        """``GET /settings/profiles``."""
        shown = [{**one, "type": "normal_profile", "custom": False} for one in self._named(self.org.profiles.items())]
        return Reply(body={"profiles": shown})

    @staticmethod
    def _named(known: Iterable[tuple[str, int]]) -> Iterable[dict[str, Any]]:
        for name, key in known:
            yield {"id": str(key), "name": name, "display_label": name, "description": None}
