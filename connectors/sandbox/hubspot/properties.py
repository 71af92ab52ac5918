"""``/crm/.../properties/{type}``: definitions and groups, one by one and in batches."""

import re
from typing import Any

from connectors.sandbox.hubspot.errors import Refusal, invalid, not_found, row_error, too_many_inputs
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.rows import Rows, batch_reply, flag, many
from connectors.sandbox.hubspot.shapes import read_body
from connectors.sandbox.hubspot.store import Table
from connectors.sandbox.hubspot.values import FIELD_TYPES, Property, iso
from connectors.sandbox.routing import Reply, Request

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_MOST = 100
_MOST_UNIQUE = 10
_MOST_CUSTOM = 1_000
_HINTS = frozenset(("unformatted", "formatted", "currency", "percentage", "duration", "probability"))
_KEPT_AS_SENT = (
    "description", "displayOrder", "hidden", "formField", "numberDisplayHint", "showCurrencySymbol",
    "currencyPropertyName", "textDisplayHint", "referencedObjectType", "externalOptions", "calculationFormula",
    "dataSensitivity",
)  # fmt: skip
Row = dict[str, Any]


class Properties:
    """Handlers of property definitions."""

    def __init__(self, portal: Portal, rows: Rows) -> None:
        self.portal = portal
        self.rows = rows

    def list_all(self, request: Request, kind: str) -> Reply:
        """All definitions in one answer."""
        table = self.portal.store.table(kind)
        archived = flag(request, "archived")
        asked = many(request, "properties")
        shown = [
            self.model(table, prop)
            for name, prop in self.rows.fields(table).items()
            if prop.archived is archived and (not asked or name in asked)
        ]
        return Reply(body={"results": shown})

    def read(self, request: Request, kind: str, name: str) -> Reply:
        """One definition."""
        table = self.portal.store.table(kind)
        prop = self.rows.fields(table).get(name)
        if prop is None or prop.archived is not flag(request, "archived"):
            raise not_found(f'Property "{name}" does not exist')
        return Reply(body=self.model(table, prop))

    def create(self, request: Request, kind: str) -> Reply:
        """A new definition, 201."""
        body = read_body(request, "PropertyCreate")
        table = self.portal.store.table(kind)
        self.check(table, body)
        return Reply(201, self.model(table, self.make(table, body)))

    def update(self, request: Request, kind: str, name: str) -> Reply:
        """Changes label, group, options and what else may change."""
        body = read_body(request, "PropertyUpdate")
        table = self.portal.store.table(kind)
        prop = self._own(table, name)
        _check_form({"type": prop.type, "fieldType": prop.field_type, **body}, table)
        prop.type = body.get("type") or prop.type
        prop.field_type = body.get("fieldType") or prop.field_type
        prop.label = body.get("label") or prop.label
        prop.group = body.get("groupName") or prop.group
        if body.get("options") is not None:
            prop.options = [dict(one) for one in body["options"]]
        prop.extras.update({key: body[key] for key in _KEPT_AS_SENT if body.get(key) is not None})
        prop.updated_ms = self.portal.now_ms()
        return Reply(body=self.model(table, prop))

    def archive(self, request: Request, kind: str, name: str) -> Reply:
        """Takes a definition away; rows no longer show its values. HubSpot's own stay."""
        table = self.portal.store.table(kind)
        self._drop(table, self._own(table, name))
        return Reply(204)

    def batch_read(self, request: Request, kind: str, version: str) -> Reply:
        """Definitions by name."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchReadInputPropertyName")
        table = self.portal.store.table(kind)
        _few(body["inputs"])
        fields = {name: prop for name, prop in self.rows.fields(table).items() if prop.archived is body["archived"]}
        names = [one["name"] for one in body["inputs"]]
        results = [self.model(table, fields[name]) for name in names if name in fields]
        missing = [name for name in names if name not in fields]
        errors = [row_error("OBJECT_NOT_FOUND", f"Properties do not exist: {missing}", {"name": missing})]
        return self._batch(results, errors if missing else [], started, version)

    def batch_create(self, request: Request, kind: str, version: str) -> Reply:
        """New definitions; names that exist are reported in a 207, a wrong form refuses all."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchInputPropertyCreate")
        table = self.portal.store.table(kind)
        _few(body["inputs"])
        results, errors = [], []
        for one in body["inputs"]:
            _check_form(one, table)
        for one in body["inputs"]:
            try:
                self.check(table, one)
            except Refusal as refusal:
                errors.append(row_error(refusal.body["category"], refusal.body["message"], {"name": [one["name"]]}))
                continue
            results.append(self.model(table, self.make(table, one)))
        return self._batch(results, errors, started, version, 201)

    def batch_archive(self, request: Request, kind: str) -> Reply:
        """Takes definitions away; names that are not there are no error."""
        body = read_body(request, "BatchInputPropertyName")
        table = self.portal.store.table(kind)
        _few(body["inputs"])
        for one in body["inputs"]:
            prop = table.properties.get(one["name"])
            if prop is not None and not prop.archived:
                self._drop(table, self._own(table, one["name"]))
        return Reply(204)

    def check(self, table: Table, body: Row) -> None:
        """Raises Refusal for a definition that may not be made: 409 for a name that exists, else 400."""
        _check_form(body, table)
        prop = table.properties.get(body["name"])
        if prop is not None:
            state = "exists as an archived property" if prop.archived else "already exists"
            raise Refusal(409, f'Property "{body["name"]}" {state} on {table.kind.plural}', "OBJECT_ALREADY_EXISTS")
        custom = [one for one in table.properties.values() if not one.own]
        if body.get("hasUniqueValue") and sum(one.unique for one in custom) >= _MOST_UNIQUE:
            raise invalid(f"At most {_MOST_UNIQUE} unique properties are allowed per object type")
        if len(custom) >= _MOST_CUSTOM:
            raise invalid(f"At most {_MOST_CUSTOM} custom properties are allowed per object type")

    def make(self, table: Table, body: Row) -> Property:
        """A new definition from a create model that was checked."""
        now = self.portal.now_ms()
        prop = Property(
            body["name"],
            body["type"],
            body["fieldType"],
            body["label"],
            body.get("groupName") or next(iter(table.groups)),
            options=[dict(one) for one in body.get("options") or []],
            unique=bool(body.get("hasUniqueValue")),
            own=False,
            calculated=body["fieldType"] == "calculation_equation",
            read_only=body["fieldType"] == "calculation_equation",
            owner_picker=bool(body.get("externalOptions")) and body.get("referencedObjectType") == "OWNER",
            created_ms=now,
            updated_ms=now,
            extras={key: body[key] for key in _KEPT_AS_SENT if body.get(key) is not None},
        )
        table.properties[prop.name] = prop
        if prop.unique:
            table.unique[prop.name] = {}
        return prop

    def model(self, table: Table, prop: Property) -> Row:
        """A definition as the API shows it."""
        shown: Row = {
            "name": prop.name,
            "label": prop.label,
            "type": prop.type,
            "fieldType": prop.field_type,
            "groupName": prop.group,
            "description": "",
            "options": self._options(table, prop),
            "displayOrder": -1,
            "calculated": prop.calculated,
            "externalOptions": prop.owner_picker,
            "hasUniqueValue": prop.unique,
            "hidden": False,
            "hubspotDefined": prop.own,
            "formField": False,
            "archived": prop.archived,
            "createdAt": iso(prop.created_ms),
            "updatedAt": iso(prop.updated_ms),
            "modificationMetadata": {
                "archivable": not prop.own,
                "readOnlyDefinition": prop.own,
                "readOnlyValue": prop.read_only,
                "readOnlyOptions": prop.own,
            },
            **prop.extras,
        }
        if prop.owner_picker:
            shown["referencedObjectType"] = "OWNER"
        return shown

    def _options(self, table: Table, prop: Property) -> list[Row]:
        pipelines = self.portal.pipelines.get(table.kind.plural, {})
        if prop.name in ("pipeline", "hs_pipeline"):
            found = [(one.id, one.label) for one in pipelines.values()]
        elif prop.name in ("dealstage", "hs_pipeline_stage"):
            found = [(stage.id, stage.label) for one in pipelines.values() for stage in one.stages.values()]
        elif prop.name == "deal_currency_code":
            found = [(code, code) for code in (self.portal.currency, *self.portal.currencies())]
        else:
            blank = {"hidden": False, "description": ""}
            return [{**blank, "displayOrder": at, **one} for at, one in enumerate(prop.options)]
        return [
            {"label": label, "value": value, "displayOrder": at, "hidden": False, "description": ""}
            for at, (value, label) in enumerate(found)
        ]

    def _own(self, table: Table, name: str) -> Property:
        prop = table.properties.get(name)
        if prop is None or prop.archived:
            raise not_found(f'Property "{name}" does not exist')
        if prop.own:
            raise invalid(f'"{name}" is a HubSpot defined property; its definition cannot be changed.')
        return prop

    def _drop(self, table: Table, prop: Property) -> None:
        prop.archived = True
        table.unique.pop(prop.name, None)
        table.version += 1

    def _batch(self, results: list[Row], errors: list[Row], started: int, version: str, status: int = 200) -> Reply:
        body = batch_reply(results, errors, started, self.portal.now_ms())
        if errors:
            body["numErrors"] = sum(len(one["context"]["name"]) for one in errors)
        return Reply(207 if errors and version != "2026-09" else status, body)


def _few(inputs: list[Row]) -> None:
    if len(inputs) > _MOST:
        raise too_many_inputs(_MOST)


def _check_form(body: Row, table: Table) -> None:
    """What can be wrong with a definition by itself: name, group, type, pair, hint, options."""
    if "name" in body and not _NAME.fullmatch(body["name"]):
        raise invalid(f'Property name "{body["name"]}" must be lower case letters, digits and underscores')
    if body.get("groupName") and body["groupName"] not in table.groups:
        raise invalid(f'Property group "{body["groupName"]}" does not exist')
    allowed = FIELD_TYPES.get(body["type"])
    if allowed is None:
        raise invalid(f"Invalid type {body['type']}: must be one of {sorted(FIELD_TYPES)}")
    if body["fieldType"] not in allowed:
        raise invalid(f"fieldType {body['fieldType']} is not valid for type {body['type']}: {sorted(allowed)}")
    hint = body.get("numberDisplayHint")
    if hint is not None and (hint not in _HINTS or body["type"] != "number"):
        raise invalid(f"numberDisplayHint {hint} is not valid for type {body['type']}")
    values = [one["value"] for one in body.get("options") or []]
    if len(set(values)) < len(values):
        raise invalid("Property options must have different values")
    if body["type"] == "bool" and values and set(values) != {"true", "false"}:
        raise invalid("A bool property has exactly the options true and false")
