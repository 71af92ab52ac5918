"""How rows are asked for and how they look: query parameters, the record model, history, inline associations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.store import Table, Thing, Version
from connectors.sandbox.hubspot.values import Property, iso
from connectors.sandbox.routing import Request

_INLINE = 100
"""Associations of one type that a listed row carries at most; the rest is for the associations endpoint."""
_KEYS = {"line_items": "line items"}
"""The list endpoint spells this one type with a space in its answer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer is to hold of each row."""

    properties: Sequence[str] = ()
    history: Sequence[str] = ()
    associations: Sequence[str] = ()
    archived: bool = False


def wanted_of(request: Request) -> Wanted:
    """The query parameters that list and single read share."""
    return Wanted(
        many(request, "properties"),
        many(request, "propertiesWithHistory"),
        many(request, "associations"),
        flag(request, "archived"),
    )


def many(request: Request, name: str) -> list[str]:
    """A list parameter: comma-joined, repeated, or both."""
    return [part for text in request.query.get(name, []) for part in text.split(",") if part]


def flag(request: Request, name: str) -> bool:
    """A true/false parameter, false if absent."""
    text = request.first(name, "false") or "false"
    if text.lower() not in ("true", "false"):
        raise invalid(f"Invalid query parameter value for {name}: {text}")
    return text.lower() == "true"


def limit_of(request: Request, default: int, most: int) -> int:
    """The page size. Raises Refusal (400) beyond the endpoint's limit."""
    text = request.first("limit") or str(default)
    if not text.isdecimal() or not 0 < int(text) <= most:
        raise invalid(f"Invalid limit {text}: it must be between 1 and {most}")
    return int(text)


def after_of(request: Request) -> int:
    """The last id of the page before; -1 at the start."""
    text = request.first("after")
    if not text:
        return -1
    if not text.isdecimal():
        raise invalid(f"Invalid paging token: {text}")
    return int(text)


class Rows:
    """Turns rows into the record model."""

    def __init__(self, portal: Portal, emulator: Emulator) -> None:
        self.portal = portal
        self.emulator = emulator

    def writer(self, table: Table, wanted: Wanted) -> Callable[[Thing], dict[str, Any]]:
        """A function that gives a row's record model; made once per answer, for all of its rows."""
        names = [*(wanted.properties or table.kind.defaults), *wanted.history]
        read = self._spoiled(table, table.reader(self._present(table, names)))
        history = [name for name in self._present(table, wanted.history) if name in table.properties]
        others = [self.portal.store.table(name) for name in wanted.associations]
        prefix = f"https://app.hubspot.com/contacts/{self.portal.portal_id}/record/{table.kind.type_id}/"

        def write(thing: Thing) -> dict[str, Any]:
            row_id = str(thing.id)
            row: dict[str, Any] = {
                "id": row_id,
                "properties": read(thing),
                "createdAt": iso(thing.created),
                "updatedAt": iso(thing.updated),
                "archived": thing.archived is not None,
                "url": prefix + row_id,
            }
            if thing.archived is not None:
                row["archivedAt"] = iso(thing.archived)
            if history:
                row["propertiesWithHistory"] = {name: self._history(table, thing, name) for name in history}
            if others and (associated := self._associations(table, thing, others)):
                row["associations"] = associated
            return row

        return write

    def fields(self, table: Table) -> dict[str, Property]:
        """The property definitions as a portal shows them now, with armed drift applied."""
        shown = {name: table.properties[name] for name in self._present(table, table.properties)}
        fault = self.emulator.faults.find("wrong_type")
        name = str(fault.extra.get("field", "")) if fault else ""
        if name in shown:
            shown[name] = replace(shown[name], type="string", field_type="text")
        return shown

    def _present(self, table: Table, names: Iterable[str]) -> list[str]:
        fault = self.emulator.faults.find("missing_field")
        if fault is None or fault.extra.get("object", table.kind.plural) not in (table.kind.plural, table.kind.type_id):
            return list(names)
        return [name for name in names if name != fault.extra.get("field")]

    def _spoiled(self, table: Table, read: Callable[[Thing], dict[str, Any]]) -> Callable[[Thing], dict[str, Any]]:
        fault = self.emulator.faults.find("wrong_type")
        field = str(fault.extra.get("field", "")) if fault else ""
        if field not in table.properties:
            return read

        def spoil(thing: Thing) -> dict[str, Any]:
            values = read(thing)
            if values.get(field) is not None:
                values[field] = f"about {values[field]}"
            return values

        return spoil

    def _history(self, table: Table, thing: Thing, name: str) -> list[dict[str, Any]]:
        versions = thing.versions(name)
        if not versions and (value := table.value(thing, name)) is not None:
            versions = [Version(value, thing.updated, thing.source)]
        return [_version(one) for one in versions[: -table.kind.history - 1 : -1]]

    def _associations(self, table: Table, thing: Thing, others: Sequence[Table]) -> dict[str, Any]:
        found = {}
        for other in others:
            ends = self.portal.links.of(table, thing.id, other)
            if not ends:
                continue
            rows = [
                {"id": str(other_id), "type": label.name}
                for other_id, labels in list(ends.items())[:_INLINE]
                for label in sorted(labels, key=lambda one: one.label != "Primary")
            ]
            page: dict[str, Any] = {"results": rows}
            if len(ends) > _INLINE:
                last = str(list(ends)[_INLINE - 1])
                path = f"{table.kind.plural}/{thing.id}/associations/{other.kind.plural}"
                link = f"{self.emulator.url}/crm/v3/objects/{path}"
                page["paging"] = {"next": {"after": last, "link": f"{link}?after={last}"}}
            found[_KEYS.get(other.kind.plural, other.kind.plural)] = page
        return found


def _version(version: Version) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "value": version.value or "",
        "timestamp": iso(version.at_ms),
        "sourceType": version.source.kind,
    }
    if version.source.id is not None:
        shown["sourceId"] = version.source.id
    if version.source.user_id is not None:
        shown["updatedByUserId"] = version.source.user_id
    return shown


def batch_reply(results: list[Any], errors: list[dict[str, Any]], started_ms: int, completed_ms: int) -> dict[str, Any]:
    """The batch model; with errors it also counts them."""
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": iso(started_ms),
        "completedAt": iso(completed_ms),
    }
    if errors:
        body["numErrors"] = sum(max(1, len(one["context"].get("ids", ()))) for one in errors)
        body["errors"] = errors
    return body
