"""What a file may say beyond its form: known kinds, streams, fields and names. Findings are added to the file."""

import re
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from connectors.base import Connector
from connectors.errors import ConfigError
from connectors.records import RECORDS
from connectors.registry import connector_class, kinds
from connectors.settings import ConnectionSettings
from scoring.plan import Plan
from sync.config_errors import nearest
from sync.yaml_file import YamlFile

OPPORTUNITY_VALUES = (
    "score", "grade", "reasons", "next_best_action", "scored_at", "plan", "digest", "confidence",
)  # fmt: skip
PERSON_VALUES = (
    "appraisal", "band", "attainment", "period", "reasons", "confidence", "scored_at", "plan", "digest",
)  # fmt: skip
PUSHABLE = {"opportunity": OPPORTUNITY_VALUES, "person": PERSON_VALUES}
"""What may be written back, by record: right-hand sides of ``write_back``."""


class ConnectionModel:
    """The settings model of one kind, and the checks that need its connector's streams."""

    def __init__(self, connector: type[Connector]) -> None:
        self.connector = connector
        self.settings: type[ConnectionSettings] = connector.settings

    def check(self, file: YamlFile) -> None:
        """Names in ``streams``, ``fields`` and ``write_back``, each finding at its own line."""
        self._streams(file)
        self._fields(file)
        for record, target in _map(file.data, "write_back").items():
            if record in PUSHABLE and isinstance(target, dict):
                self._write_back(file, record, target)

    def _streams(self, file: YamlFile) -> None:
        known = [stream.name for stream in self.connector.streams]
        for name in _map(file.data, "streams"):
            if name not in known:
                advice = nearest(name, known) or f" There are {', '.join(known)}."
                text = f"streams.{name} is not a stream of {self.connector.kind}.{advice}"
                file.problem(("streams", name), text, at_key=True)

    def _fields(self, file: YamlFile) -> None:
        known = field_maps(self.connector)
        for name, mapping in _map(file.data, "fields").items():
            if name not in known:
                text = f"fields.{name} is neither a stream nor a record of {self.connector.kind}.{nearest(name, known)}"
                file.problem(("fields", name), text, at_key=True)
                continue
            ours = RECORDS[known[name]].model_fields
            for field, source in mapping.items() if isinstance(mapping, dict) else ():
                where = ("fields", name, field)
                if field not in ours:
                    text = (
                        f"fields.{name}.{field} is not a field we know.{nearest(field, ours)} "
                        f'Run "scoreback fields {name}" for the list'
                    )
                    file.problem(where, text, at_key=True)
                elif (field == "extra") != (isinstance(source, dict) and "value" not in source):
                    must = "map of names to remote fields" if field == "extra" else "remote field or {value: TEXT}"
                    file.problem(where, f"fields.{name}.{field} must be a {must}")

    def _write_back(self, file: YamlFile, record: str, target: dict[str, Any]) -> None:
        keyed = bool({"into", "key", "fields"} & target.keys())
        where: tuple[str, ...] = ("write_back", record, *(("fields",) if keyed else ()))
        fields = target.get("fields") if keyed else target
        known = PUSHABLE[record]
        for remote, ours in fields.items() if isinstance(fields, dict) else ():
            here = (*where, remote)
            name = ".".join(here)
            if self.settings.own_names_only and "scoreback" not in remote.lower():
                text = (
                    f"{name} is not one of our fields, whose names begin with Scoreback: nothing else is ever written"
                )
                file.problem(here, text, at_key=True)
            if not isinstance(ours, str) or ours not in known:
                advice = nearest(str(ours), known) or f" There are {', '.join(known)}."
                file.problem(here, f"{name}: {ours} is not something that we can write here.{advice}")


def field_maps(connector: type[Connector]) -> dict[str, str]:
    """What ``fields`` of a connection may map, streams and records by name, with the record that each fills."""
    return {stream.kind: stream.kind for stream in connector.streams} | {
        stream.name: stream.kind for stream in connector.streams
    }


def connection_model(file: YamlFile) -> ConnectionModel | None:
    """The model of the file's ``kind``; None, with a finding, where that is missing or unknown."""
    known = ", ".join(kinds())
    kind = file.data.get("kind")
    if kind is None:
        file.problem((), f"kind is missing: add one of {known}")
        return None
    if kind not in kinds():
        advice = nearest(str(kind), kinds()) or f" There are {known}."
        said = kind if re.fullmatch("[A-Za-z_]{1,20}", str(kind)) else "this"  # not what was pasted into the wrong line
        file.problem(("kind",), f"kind: {said} is not a CRM we know.{advice} The rest of the file was not looked at")
        return None
    try:
        return ConnectionModel(connector_class(kind))
    except ConfigError as error:
        file.problem(("kind",), str(error))
        return None


def check_plan(file: YamlFile) -> None:
    """Names that a plan uses: metrics, columns of conditions, settings."""
    from scoring.plan_check import plan_findings

    for where, text in plan_findings(file.data):
        if not file.has_problem_within(where):
            file.problem(where, text)


def check_versions(plans: Sequence[Plan], files: Sequence[YamlFile]) -> None:
    """One plan version is written once."""
    seen: set[tuple[str, int]] = set()
    for plan in plans:
        identity = (plan.plan, plan.version)
        if identity in seen:
            for file in files:
                data = file.data if isinstance(file.data, dict) else {}
                if (data.get("plan"), data.get("version", 1)) == identity:
                    text = (
                        f"plan {plan.plan} version {plan.version} is written in more than one file: raise the version"
                    )
                    file.problem(("plan",), text)
        seen.add(identity)


def check_overlaps(plans: Sequence[Plan], files: Sequence[YamlFile]) -> None:
    """No two plans name the same people at once."""
    if len(plans) < 2:
        return
    from scoring.plan_check import overlaps  # brings Polars along

    for first, second, day in overlaps(plans):
        since = "" if day == date.min else f" from {day.isoformat()} on"
        what = "whoever it names is" if second.who else "it names nobody with who, so everybody is"
        text = f"{what} in plan {first.plan} too{since}. A person is in one plan at a time: make their who differ"
        for file in files:
            data = file.data if isinstance(file.data, dict) else {}
            if (data.get("plan"), data.get("version", 1)) == (second.plan, second.version):
                file.problem(("who",) if second.who else (), f"plan {second.plan}: {text}")


def people_map(file: YamlFile, connections: Collection[str]) -> dict[str, str]:
    """``people.yaml``: a person's name to the list of their ids, written ``connection:remote_id``."""
    matched: dict[str, str] = {}
    for name, ids in (file.data if isinstance(file.data, dict) else {}).items():
        if not isinstance(ids, list) or not all(isinstance(item, str) and ":" in item for item in ids):
            file.problem((name,), f"{name} must be a list of ids written connection:remote_id")
            continue
        for position, item in enumerate(ids):
            connection = item.partition(":")[0]
            if connection not in connections:
                text = f"{item}: {connection} is not one of our connections.{nearest(connection, connections)}"
                file.problem((name, position), text)
            elif item in matched:
                file.problem((name, position), f"{item} already belongs to {matched[item]}")
            matched[item] = name
    return matched


def _map(data: Any, key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
