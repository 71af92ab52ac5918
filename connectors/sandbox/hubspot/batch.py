"""``/crm/.../objects/{type}/batch/...``: whole batches refused for one bad value, single rows reported in a 207."""

from collections.abc import Sequence
from typing import Any

from connectors.sandbox.hubspot.errors import invalid, not_found, row_error, rows_not_found, too_many_inputs
from connectors.sandbox.hubspot.objects import Objects, writable
from connectors.sandbox.hubspot.rows import Wanted, batch_reply, flag
from connectors.sandbox.hubspot.shapes import read_body
from connectors.sandbox.hubspot.store import INTEGRATION, Table, Thing
from connectors.sandbox.hubspot.writes import Values, no_duplicates
from connectors.sandbox.routing import Reply, Request

_MOST, _MOST_WITH_HISTORY = 100, 50
Row = dict[str, Any]


class Batches:
    """Handlers of batches."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.portal = objects.portal
        self.writer = objects.writer

    def read(self, request: Request, kind: str, version: str) -> Reply:
        """Rows by id or by a unique property; those that are gone are named in a 207."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchReadInputSimplePublicObjectId")
        table = self.portal.store.table(kind)
        ids = [one["id"] for one in body["inputs"]]
        if body["propertiesWithHistory"] and len(ids) > _MOST_WITH_HISTORY:
            raise invalid(
                f"The maximum number of inputs supported in a batch request for property histories is "
                f"{_MOST_WITH_HISTORY}"
            )
        _few(ids)
        key = self._key(table, body.get("idProperty"))
        wanted = Wanted(body["properties"], body["propertiesWithHistory"], archived=flag(request, "archived"))
        found: dict[int, Thing] = {}
        missing = []
        for one in ids:
            thing = table.gone.get(int(one)) if wanted.archived and one.isdecimal() else table.find(one, key)
            if thing is None:
                missing.append(one)
            else:
                found[thing.id] = thing
        write = self.objects.rows.writer(table, wanted)
        # The vendor does not keep the order of the inputs: by id, highest first, is an order nobody may count on.
        results = [write(found[one]) for one in sorted(found, reverse=True)]
        return self._reply(results, [rows_not_found(table.kind.singular, missing)] if missing else [], started, version)

    def update(self, request: Request, kind: str, version: str) -> Reply:
        """Values into rows that are there."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchInputSimplePublicObjectBatchInput")
        table = writable(self.portal.store.table(kind))
        inputs = body["inputs"]
        ids = [one["id"] for one in inputs]
        _few(ids)
        no_duplicates(ids)
        spoiled = self._spoil(request, table, inputs)
        plan: list[tuple[Thing, Values, Row]] = []
        missing = []
        for one in inputs:
            thing = table.find(one["id"], self._key(table, one.get("idProperty")))
            values = self._checked(table, one["properties"], thing, version)
            if thing is None:
                missing.append(one["id"])
            elif one["id"] not in spoiled:
                plan.append((thing, values, _trace(one)))
        at_ms = self.objects.stamp(request)
        for thing, values, _ in plan:
            self.writer.change(table, thing, values, at_ms, INTEGRATION)
        results = self._written(table, inputs, [(thing, trace) for thing, _, trace in plan])
        errors = list(spoiled.values())
        if missing:
            errors.append(rows_not_found(table.kind.singular, missing))
        return self._reply(results, errors, started, version)

    def upsert(self, request: Request, kind: str, version: str) -> Reply:
        """Values into rows found by a unique property, which are made where there are none."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchInputSimplePublicObjectBatchInputUpsert")
        table = writable(self.portal.store.table(kind))
        if version == "2026-09" and table.kind.plural == "goal_targets":
            raise not_found()
        inputs = body["inputs"]
        ids = [one["id"] for one in inputs]
        _few(ids)
        no_duplicates(ids)
        spoiled = self._spoil(request, table, inputs)
        plan: list[tuple[Thing | None, Values, Row]] = []
        for one in inputs:
            key = self._key(table, one.get("idProperty"))
            if key is None:
                raise invalid("idProperty is required: it names the unique property that the ids are values of")
            thing = table.find(one["id"], key)
            values = self._checked(table, {key: one["id"], **one["properties"]}, thing, version)
            if thing is None:
                self.writer.require(table, values)
            if one["id"] not in spoiled:
                plan.append((thing, values, _trace(one)))
        at_ms = self.objects.stamp(request)
        results = []
        for thing, values, trace in plan:
            results.append({**self._upsert_one(table, thing, values, at_ms), "new": thing is None, **trace})
        return self._reply(results, list(spoiled.values()), started, version)

    def _upsert_one(self, table: Table, thing: Thing | None, values: Values, at_ms: int) -> Row:
        names = list(values)
        if thing is None:
            thing = self.writer.create(table, values, at_ms, INTEGRATION)
        else:
            self.writer.change(table, thing, values, at_ms, INTEGRATION)
        return self.objects.rows.writer(table, Wanted(names))(thing)

    def create(self, request: Request, kind: str, version: str) -> Reply:
        """New rows, 201; one that may not be made refuses all."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchInputSimplePublicObjectBatchInputForCreate")
        table = writable(self.portal.store.table(kind))
        _few(body["inputs"])
        for one in body["inputs"]:
            values = self._checked(table, one["properties"], None, version)
            self.writer.require(table, values)
            self.writer.free(table, values, None)
        at_ms = self.objects.stamp(request)
        made = [self.objects.make(table, one, version, at_ms) for one in body["inputs"]]
        results = self._written(table, body["inputs"], list(zip(made, map(_trace, body["inputs"]), strict=True)))
        return Reply(201, batch_reply(results, [], started, self.portal.now_ms()))

    def archive(self, request: Request, kind: str) -> Reply:
        """Rows into the recycle bin; ids that are not there are no error."""
        body = read_body(request, "BatchInputSimplePublicObjectId")
        table = writable(self.portal.store.table(kind))
        _few(body["inputs"])
        for one in body["inputs"]:
            thing = table.find(one["id"])
            if thing is not None:
                self.writer.archive(table, thing, self.portal.now_ms())
        return Reply(204)

    def _checked(self, table: Table, properties: Row, thing: Thing | None, version: str) -> Values:
        values = self.writer.prepare(table, properties, thing)
        if thing is not None:
            self.writer.free(table, values, thing)
            if version == "2026-09":
                self.writer.obey(table, values, thing)
        return values

    def _written(self, table: Table, inputs: Sequence[Row], things: Sequence[tuple[Thing, Row]]) -> list[Row]:
        """The rows of a write's answer hold what was written and the stamps, in no order worth counting on."""
        names = dict.fromkeys(name for one in inputs for name in one["properties"])
        write = self.objects.rows.writer(table, Wanted(list(names)))
        return [{**write(thing), **trace} for thing, trace in sorted(things, key=lambda one: -one[0].id)]

    def _key(self, table: Table, name: str | None) -> str | None:
        if name and name != "hs_object_id" and name not in table.unique:
            raise invalid(f'Property "{name}" is not a unique property of {table.kind.plural}')
        return name

    def _spoil(self, request: Request, table: Table, inputs: Sequence[Row]) -> dict[str, Row]:
        """Applies the armed faults of single rows: errors by id of the rows that are not to be written."""
        ids = [one["id"] for one in inputs]
        emulator = self.objects.emulator
        spoiled: dict[str, Row] = {}
        if ids and emulator.strike("deleted_meanwhile", request):
            thing = table.find(ids[0], inputs[0].get("idProperty"))
            if thing is not None:
                self.writer.archive(table, thing, self.portal.now_ms())
        if ids and emulator.strike("refused_row", request):
            spoiled[ids[-1]] = row_error("VALIDATION_ERROR", "This record may not be edited", {"ids": [ids[-1]]})
        if ids and emulator.strike("locked_row", request):
            message = "The record is being changed by another request"
            spoiled[ids[-1]] = row_error("CONFLICT", message, {"ids": [ids[-1]]})
        if emulator.strike("half_batch", request):
            for one in ids[1::2]:
                spoiled[one] = row_error("VALIDATION_ERROR", "This record may not be edited", {"ids": [one]})
        return spoiled

    def _reply(self, results: list[Row], errors: list[Row], started_ms: int, version: str) -> Reply:
        """207 for partial success; 2026-09 carries the errors in its ordinary 200 model."""
        body = batch_reply(results, errors, started_ms, self.portal.now_ms())
        return Reply(207 if errors and version != "2026-09" else 200, body)


def _few(inputs: Sequence[object]) -> None:
    if len(inputs) > _MOST:
        raise too_many_inputs(_MOST)


def _trace(one: Row) -> Row:
    """What the caller gave a row to know its answer by."""
    return {"objectWriteTraceId": one["objectWriteTraceId"]} if one.get("objectWriteTraceId") else {}
