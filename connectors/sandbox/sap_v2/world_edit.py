"""Lets a test or a simulated user look at, change, make and delete records of a version 2 tenant."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.folder import COLUMNS
from connectors.sandbox.sap.codes import Phases
from connectors.sandbox.sap.ids import display_id, in_world_ids, uuid
from connectors.sandbox.sap_v2.own import OWN, own_doc, path_of
from connectors.sandbox.sap_v2.services import Service
from connectors.sandbox.sap_v2.store import Doc, Store
from connectors.sandbox.sap_v2.world import DEALS
from connectors.sandbox.sap_v2.world_map import ACTIVITIES, MAPS, STATUSES, activity, put_at, values_of

Apply = Callable[[Service, Doc, Mapping[str, Any]], Doc]


class WorldEditor:
    """Finds records by world name and id (``opportunities``, ``17``) or by collection and UUID."""

    def __init__(self, store: Store, phases: Phases, ids: dict[str, dict[str, str]], apply: Apply) -> None:
        self._store, self._phases, self._ids, self._apply = store, phases, ids, apply

    def show(self, record: str, record_id: str) -> Doc | None:
        """The record as the service holds it; None if there is none."""
        found = self._store.find(self._key(record, record_id))
        return None if found is None else found[1]

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        """Changes (without id: makes) a record; columns of a world, SAP's names and dotted paths are understood."""
        if "merged_into" in fields:
            raise ValueError("nothing is known of how SAP merges records")
        if record_id is not None:
            found = self._store.find(self._key(record, record_id))
            if found is None:
                raise KeyError(record_id)
            service, doc = found
        else:
            service, doc = self._new(record, fields)
        saved = self._apply(service, doc, self._patch(record, service, fields))
        return str(saved["id"])

    def remove(self, record: str, record_id: str) -> None:
        """Deletes a record; nothing of it remains. An item is taken off its deal, which changes. KeyError: there is none."""
        key = self._key(record, record_id)
        found = self._store.find(key)
        if found is not None:
            self._store.tables[found[0].path].delete(key)
            return
        deals = self._store.tables[DEALS].docs.values()
        deal = next((one for one in deals if any(item["id"] == key for item in one.get("items", ()))), None)
        if deal is None:
            raise KeyError(record_id)
        left = [item for item in deal["items"] if item["id"] != key]
        self._apply(self._store.services[DEALS], deal, {"items": left})

    def _key(self, record: str, record_id: str) -> str:
        return self._ids.get(record, {}).get(record_id, record_id)

    def _new(self, record: str, fields: Mapping[str, Any]) -> tuple[Service, Doc]:
        self._store.made += 1
        world_id = str(fields.get("id") or 9_900_000 + self._store.made)
        table = record if record in MAPS or record in OWN or record == "activities" else "items"
        key = uuid(table, world_id)
        self._ids.setdefault(record, {})[world_id] = key
        return self._service(record, fields), {"id": key, "displayId": display_id(world_id)}

    def _service(self, record: str, fields: Mapping[str, Any]) -> Service:
        if record == "activities":
            return self._store.services[activity({"kind": str(fields.get("kind") or "task")})[0]]
        if record in MAPS:
            return self._store.services[MAPS[record][0]]
        if record in OWN:
            return self._store.services[path_of(record)]
        found = next((one for one in self._store.services.values() if record in {one.entity, one.path}), None)
        if found is None:
            raise KeyError(record)
        return found

    def _patch(self, record: str, service: Service, fields: Mapping[str, Any]) -> Doc:
        patch: Doc = {}
        own = {
            name: value
            for name, value in fields.items()
            if name.partition(".")[0] in service.heads and name not in COLUMNS.get(record, ())
        }
        cells = in_world_ids({name: _cell(value) for name, value in fields.items() if name not in own}, self._ids)
        if record == "activities":
            kind = next(kind for kind, path in ACTIVITIES.items() if path == service.path)
            patch = activity({"kind": kind, **cells})[1]
        elif record in MAPS:
            patch = values_of(record, cells)
            for column, path, _ in MAPS[record][1]:
                if column in cells and not cells[column]:
                    put_at(patch, path, None)
            self._compound(record, cells, patch)
        elif record in OWN:
            patch = own_doc(record, cells) or {}
        elif cells.keys() - {"id"}:
            message = f"{record} has no {', '.join(sorted(cells))}"
            raise KeyError(message)
        for path, value in own.items():
            put_at(patch, path, value)
        return {name: value for name, value in patch.items() if name not in {"id", "adminData"}}

    def _compound(self, record: str, cells: Mapping[str, str], patch: Doc) -> None:
        if record == "people" and cells.get("name"):
            patch["givenName"], _, patch["familyName"] = cells["name"].rpartition(" ")
        if record != "opportunities":
            return
        if stage := cells.get("stage"):
            patch["salesPhase"] = self._phases.code_of(stage)
            patch["status"] = STATUSES[self._phases.outcome.get(stage, "open")]
        if outcome := cells.get("outcome"):
            patch["status"] = STATUSES[outcome]
        if pipeline := cells.get("pipeline"):
            patch["salesCycle"] = self._phases.cycle_of(pipeline)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
