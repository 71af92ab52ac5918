"""Our columns in Dataverse: made within a solution of ours, whose publisher's prefix stands before their names.

Metadata are written one at a time: an environment takes one such change at once, and says so with 503, which the door
asks again. Where the environment refuses us a step, the step is told to the admin instead, and the others go on.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.base import FieldSpec, Provisioned
from connectors.dynamics.api import DynamicsApi, address
from connectors.dynamics.write import TABLES
from connectors.errors import ForbiddenError, RejectedError

SOLUTION = "scoreback"
OPTION_PREFIX = 72_700
"""First digits of option values of our publisher; Dataverse wants some, and we make no options."""

REFUSALS = (ForbiddenError, RejectedError)
_EXISTS = frozenset({"0x80047013", "0x80060304"})
_LARGEST = 100_000_000_000
_LONGEST = {"text": 4_000, "long_text": 1_048_576}
_TYPE_NAMES = {
    "number": "Decimal number", "text": "Single line of text", "long_text": "Multiple lines of text",
    "datetime": "Date and time", "date": "Date only",
}  # fmt: skip


def schema_name(name: str) -> str:
    """A logical name with the capitals that Dataverse shows: ``sb_scoreback_score`` is ``sb_Scoreback_Score``."""
    prefix, _, rest = name.partition("_")
    return f"{prefix}_{'_'.join(word.capitalize() for word in rest.split('_'))}"


def label(text: str) -> dict[str, Any]:
    """A label in English."""
    kind = "Microsoft.Dynamics.CRM.LocalizedLabel"
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.Label",
        "LocalizedLabels": [{"@odata.type": kind, "Label": text, "LanguageCode": 1033}],
    }


def metadata(spec: FieldSpec) -> dict[str, Any]:
    """The description of one column (vendor page 5). Numbers are Decimal: Money would drag a currency along."""
    match spec.type:
        case "number":
            limits = {"MinValue": -_LARGEST, "MaxValue": _LARGEST, "Precision": spec.scale}
            return _attribute(spec, "Decimal", "Decimal", limits)
        case "text":
            size = {"MaxLength": min(spec.length, _LONGEST["text"]), "FormatName": {"Value": "Text"}}
            return _attribute(spec, "String", "String", size)
        case "long_text":
            size = {"MaxLength": min(max(spec.length, 2_000), _LONGEST["long_text"]), "Format": "TextArea"}
            return _attribute(spec, "Memo", "Memo", size)
        case "datetime":
            shape = {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}}
            return _attribute(spec, "DateTime", "DateTime", shape)
        case "date":
            shape = {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}
            return _attribute(spec, "DateTime", "DateTime", shape)


def _attribute(spec: FieldSpec, kind: str, name: str, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "@odata.type": f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "AttributeType": name,
        "AttributeTypeName": {"Value": f"{name}Type"},
        "SchemaName": schema_name(spec.name),
        "RequiredLevel": {
            "Value": "None",
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "DisplayName": label(spec.label),
        "Description": label(spec.help or "Written by Scoreback"),
        **more,
    }


class Provisioner:
    """One provisioning or its undoing."""

    def __init__(self, api: DynamicsApi, *, dry_run: bool) -> None:
        self._api = api
        self._dry_run = dry_run

    def add(self, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
        """What exists, and what was made; publisher and solution first if a column is missing."""
        missing: list[FieldSpec] = []
        for spec in wanted:
            if self._there(spec):
                yield Provisioned(_name(spec), "exists")
            else:
                missing.append(spec)
        if not missing:
            return
        prefixes = sorted({spec.name.partition("_")[0] for spec in missing})
        solutions: dict[str, str] = {}
        for prefix in prefixes:
            step, solutions[prefix] = self._solution(prefix)
            yield step
        for spec in missing:
            yield self._add(spec, solutions[spec.name.partition("_")[0]])
        if not self._dry_run:
            yield from self._publish(sorted({TABLES[spec.target.record][0] for spec in missing}))

    def remove(self, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
        """Takes the columns away with what they hold, then the solution and the publisher if they are ours."""
        for spec in wanted:
            path = f"{_attributes(spec)}(LogicalName='{spec.name}')"
            yield self._delete(_name(spec), path if self._there(spec) else None)
        for prefix in sorted({spec.name.partition("_")[0] for spec in wanted}):
            name = _solution_name(prefix)
            yield self._delete(f"solution {name}", self._row("solutions", "solutionid", f"uniquename eq '{name}'"))
            where = f"uniquename eq '{name}'"  # a publisher of the customer's own has another name, and stays
            yield self._delete(f"publisher {name}", self._row("publishers", "publisherid", where))

    def _there(self, spec: FieldSpec) -> bool:
        seen = self._api.describe(TABLES[spec.target.record][0])
        return seen is not None and spec.name in seen.columns

    def _row(self, remote: str, key: str, where: str) -> str | None:
        rows = self._api.rows(address(remote, select=key, filter=where))
        return f"{remote}({rows[0][key]})" if rows else None

    def _solution(self, prefix: str) -> tuple[Provisioned, str]:
        """The solution of a prefix, made if it is not there, with its publisher."""
        name = _solution_name(prefix)
        step, where = f"solution {name}", f"uniquename eq '{name}'"
        if self._row("solutions", "solutionid", where):
            return Provisioned(step, "exists"), name
        if self._dry_run:
            return Provisioned(step, "missing", f"would be created, with a publisher of prefix {prefix}"), name
        try:
            publisher = self._made("publishers", "publisherid", f"customizationprefix eq '{prefix}'", {
                "uniquename": name, "friendlyname": "Scoreback", "customizationprefix": prefix,
                "customizationoptionvalueprefix": OPTION_PREFIX,
            })  # fmt: skip
            self._made("solutions", "solutionid", where, {
                "uniquename": name, "friendlyname": "Scoreback", "version": "1.0.0.0",
                "publisherid@odata.bind": f"/{publisher}",
            })  # fmt: skip
        except REFUSALS as error:
            text = f"refused: {_said(error)}. In make.powerapps.com > Solutions > New solution: name {name}, prefix {prefix}"
            return Provisioned(step, "by_hand", text), ""
        return Provisioned(step, "created"), name

    def _made(self, remote: str, key: str, where: str, body: dict[str, Any]) -> str | None:
        """A row, made if it is not there. A refused repetition of a request whose answer was lost is no failure."""
        found = self._row(remote, key, where)
        if found is not None:
            return found
        try:
            self._api.send("POST", remote, body)
        except RejectedError:
            if self._row(remote, key, where) is None:
                raise
        return self._row(remote, key, where)

    def _add(self, spec: FieldSpec, solution: str) -> Provisioned:
        name = _name(spec)
        if self._dry_run:
            return Provisioned(name, "missing", "would be created")
        if not solution:
            return _by_hand(spec, "the solution is not there")
        try:
            self._api.send("POST", _attributes(spec), metadata(spec), **{"MSCRM.SolutionUniqueName": solution})
        except REFUSALS as error:
            if getattr(error, "code", "") in _EXISTS:
                # It was not there a moment ago: the answer to our first try was lost.
                return Provisioned(name, "created")
            return _by_hand(spec, _said(error))
        return Provisioned(name, "created")

    def _publish(self, tables: Sequence[str]) -> Iterator[Provisioned]:
        """Makes labels visible. A column works without it, so that a refusal is a note only."""
        named = "".join(f"<entity>{table}</entity>" for table in tables)
        body = {"ParameterXml": f"<importexportxml><entities>{named}</entities></importexportxml>"}
        try:
            self._api.send("POST", "PublishXml", body)
        except REFUSALS as error:
            yield Provisioned(
                "publish", "by_hand", f"refused: {_said(error)}. In make.powerapps.com: Publish all customizations"
            )
        for table in tables:
            self._api.describe(table, fresh=True)

    def _delete(self, name: str, path: str | None) -> Provisioned:
        if path is None:
            return Provisioned(name, "missing", "was not there")
        if self._dry_run:
            return Provisioned(name, "exists", "would be deleted")
        try:
            self._api.send("DELETE", path)
        except REFUSALS as error:
            return Provisioned(name, "by_hand", f"refused: {_said(error)}. Take it off forms and views, then delete it")
        return Provisioned(name, "removed")


def _solution_name(prefix: str) -> str:
    return f"{SOLUTION}_{prefix}"


def _attributes(spec: FieldSpec) -> str:
    return f"EntityDefinitions(LogicalName='{TABLES[spec.target.record][0]}')/Attributes"


def _name(spec: FieldSpec) -> str:
    return f"{TABLES[spec.target.record][0]}.{spec.name}"


def _by_hand(spec: FieldSpec, reason: str) -> Provisioned:
    shape = metadata(spec)
    size = {"number": f", {spec.scale} decimals", "text": f", {shape.get('MaxLength')} characters"}.get(spec.type, "")
    return Provisioned(
        _name(spec),
        "by_hand",
        f"refused: {reason}. In make.powerapps.com > Tables > {TABLES[spec.target.record][0]} > Columns > New column: "
        f"{_TYPE_NAMES[spec.type]}{size}, display name {spec.label}, schema name {schema_name(spec.name)}",
    )


def _said(error: Exception) -> str:
    return " ".join(str(error).split())
