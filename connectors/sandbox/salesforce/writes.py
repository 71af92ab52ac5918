"""The writing half of Salesforce's REST API: single records, collections of up to 200, upsert by external id."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from connectors.sandbox.routing import Reply, Request, Route
from connectors.sandbox.salesforce.ids import to_18
from connectors.sandbox.salesforce.schema import Field, ObjectType
from connectors.sandbox.salesforce.values import CallError, RowError

if TYPE_CHECKING:
    from connectors.sandbox.salesforce import SalesforceEmulator

MAX_RECORDS, MAX_CHUNKS = 200, 10
Result = dict[str, Any]
Save = Callable[[ObjectType, dict[str, Any]], Result]


def refused(error: RowError) -> Result:
    """The result of a row that was refused."""
    return {"success": False, "errors": [{"statusCode": error.code, "message": error.text, "fields": error.fields}]}


def accepted(record_id: str, **more: Any) -> Result:
    """The result of a row that was written."""
    return {"id": record_id, "success": True, "errors": [], **more}


class Writes:
    """Answers writes."""

    def __init__(self, emulator: "SalesforceEmulator") -> None:
        self._emulator = emulator
        self._org = emulator.org
        self._rows = emulator.rows

    def routes(self) -> list[Route]:
        """The endpoints."""
        root = "/services/data/{version}"
        record, keyed = f"{root}/sobjects/{{object}}/{{id}}", f"{root}/sobjects/{{object}}/{{field}}/{{value}}"
        many = f"{root}/composite/sobjects"
        return [
            ("POST", f"{root}/sobjects/{{object}}", self._create),
            ("GET", record, self._read),
            ("PATCH", record, self._update),
            ("DELETE", record, self._delete),
            ("GET", keyed, self._read_keyed),
            ("PATCH", keyed, self._upsert),
            ("POST", many, self._create_many),
            ("PATCH", many, self._update_many),
            ("DELETE", many, self._delete_many),
            ("PATCH", f"{many}/{{object}}/{{field}}", self._upsert_many),
            ("GET", f"{many}/{{object}}", self._read_many),
            ("POST", f"{many}/{{object}}", self._read_many),
        ]

    # One record.

    def _fields(self, request: Request) -> dict[str, Any]:
        body = request.json()
        if not isinstance(body, dict):
            text = "The HTTP entity body is required, but this request has no entity body."
            raise CallError(400, "JSON_PARSER_ERROR", text)
        return body

    def _create(self, request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        return Reply(201, accepted(self._emulator.saving(lambda: self._rows.insert(kind, self._fields(request)))))

    def _read(self, request: Request, version: str, **path: str) -> Reply:
        base = self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        row = self._rows.find(kind, path["id"])
        return Reply(body=self._emulator.engine.writer(kind, self._asked(kind, request.first("fields")), base)(row))

    def _asked(self, kind: ObjectType, names: str | None) -> list[str]:
        if not names:
            return [one.name for one in kind.fields.values() if self._org.visible(kind, one)]
        asked = []
        for name in names.split(","):
            one = self._org.field(kind, name.strip())
            if one is None:
                raise CallError(400, "INVALID_FIELD", f"No such column '{name}' on entity '{kind.name}'")
            asked.append(one.name)
        return asked

    def _update(self, request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        self._emulator.saving(lambda: self._rows.update(kind, path["id"], self._fields(request)))
        return Reply(204)

    def _delete(self, _request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        self._emulator.saving(lambda: self._rows.delete(kind, path["id"]))
        return Reply(204)

    def _key(self, kind: ObjectType, name: str) -> Field:
        one = self._org.field(kind, name)
        if one is None or not (one.external_id or one.type == "id"):
            text = "Provided external ID field does not exist or is not accessible: " + name
            raise CallError(404, "NOT_FOUND", text)
        return one

    def _read_keyed(self, request: Request, version: str, **path: str) -> Reply:
        base = self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        found = self._rows.matches(kind, self._key(kind, path["field"]), path["value"])
        if not found:
            raise CallError(404, "NOT_FOUND", "The requested resource does not exist")
        if len(found) > 1:
            return Reply(300, [f"{base}/sobjects/{kind.name}/{key}" for key in found])
        row = self._org.tables[kind.name].rows[found[0]]
        return Reply(body=self._emulator.engine.writer(kind, self._asked(kind, request.first("fields")), base)(row))

    def _upsert(self, request: Request, version: str, **path: str) -> Reply:
        base = self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        key = self._key(kind, path["field"])
        found = self._rows.matches(kind, key, path["value"])
        if len(found) > 1:
            return Reply(300, [f"{base}/sobjects/{kind.name}/{one}" for one in found])
        fields = self._fields(request)
        if key.name in fields:
            text = f"The {key.name} field should not be specified in the sobject data."
            raise CallError(400, "INVALID_FIELD", text, [key.name])
        record_id, created = self._emulator.saving(lambda: self.upsert(kind, key, {**fields, key.name: path["value"]}))
        return Reply(201 if created else 200, accepted(record_id, created=created))

    def upsert(self, kind: ObjectType, key: Field, fields: Mapping[str, Any]) -> tuple[str, bool]:
        """Updates the record with this external id, or makes it. Its id, and whether it is new."""
        named = {name.lower(): value for name, value in fields.items()}
        value = named.get(key.name.lower())
        if value in (None, ""):
            raise RowError("MISSING_ARGUMENT", f"{key.name} not specified", [key.name])
        found = self._rows.matches(kind, key, value)
        if len(found) > 1:
            text = f"{key.name}: more than one record found for external id field: {found}"
            raise RowError("DUPLICATE_EXTERNAL_ID", text, [key.name])
        if found:
            self._rows.update(kind, found[0], fields)
            return found[0], False
        return self._rows.insert(kind, fields), True

    # Collections.

    def _records(
        self, request: Request, *, typed: str | None = None
    ) -> tuple[list[dict[str, Any]], list[ObjectType], bool]:
        body = self._fields(request)
        records = body.get("records")
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise CallError(
                400, "JSON_PARSER_ERROR", "Unexpected parameter encountered during deserialization: records"
            )
        if len(records) > MAX_RECORDS:
            text = f"record limit reached. cannot submit more than {MAX_RECORDS} records into this call"
            raise CallError(400, "EXCEEDED_ID_LIMIT", text)
        unknown = set(body) - {"records", "allOrNone"}
        if unknown:
            text = f'Unrecognized field "{min(unknown)}" (Class collections.RecordInput), not marked as ignorable'
            raise CallError(400, "JSON_PARSER_ERROR", text)
        kinds = [self._kind_of(one, typed) for one in records]
        chunks = sum(1 for at, kind in enumerate(kinds) if at == 0 or kind is not kinds[at - 1])
        if chunks > MAX_CHUNKS:
            text = f"Cannot have more than {MAX_CHUNKS} chunks in a single operation. Please rearrange the data to reduce chunking."
            raise CallError(400, "LIMIT_EXCEEDED", text)
        return records, kinds, bool(body.get("allOrNone", False))

    def _kind_of(self, record: Mapping[str, Any], typed: str | None) -> ObjectType:
        attributes = record.get("attributes")
        name = attributes.get("type") if isinstance(attributes, dict) else None
        if not name:
            raise CallError(400, "INVALID_TYPE", "Each record needs its type in attributes")
        kind = self._org.object(str(name))
        if kind is None or (typed is not None and kind.name.lower() != typed.lower()):
            raise CallError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
        for field in record:
            if field != "attributes" and field.lower() != "id" and self._org.field(kind, field) is None:
                raise CallError(400, "INVALID_FIELD", f"No such column '{field}' on sobject of type {kind.name}")
        return kind

    def _create_many(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)

        def one(kind: ObjectType, record: dict[str, Any]) -> Result:
            return accepted(self._rows.insert(kind, record))

        return self._each(request, one)

    def _update_many(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)
        seen: set[str] = set()

        def one(kind: ObjectType, record: dict[str, Any]) -> Result:
            record_id = record.get("id") or record.get("Id")
            if not record_id:
                raise RowError("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
            known = to_18(str(record_id)) or str(record_id)
            if known in seen:
                raise RowError("DUPLICATE_VALUE", f"duplicate id in list: {record_id}", ["Id"])
            seen.add(known)
            self._rows.update(kind, known, record)
            return accepted(known)

        return self._each(request, one)

    def _upsert_many(self, request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        key = self._key(kind, path["field"])
        seen: set[str] = set()

        def one(kind: ObjectType, record: dict[str, Any]) -> Result:
            value = str(record.get(key.name, "")).casefold()
            if value and value in seen:
                raise RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {record[key.name]}", [key.name])
            seen.add(value)
            record_id, created = self.upsert(kind, key, record)
            return accepted(record_id, created=created)

        return self._each(request, one, typed=path["object"])

    def _delete_many(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)
        ids = [one for one in (request.first("ids") or "").split(",") if one]
        if not 0 < len(ids) <= MAX_RECORDS:
            raise CallError(400, "EXCEEDED_ID_LIMIT", f"between 1 and {MAX_RECORDS} ids")
        results = []
        for record_id in ids:
            kind = self._org.object_of(record_id)
            if kind is None:
                results.append({"id": record_id, **refused(RowError("MALFORMED_ID", f"malformed id {record_id}"))})
            else:
                results.append(self._result(self._bury, kind, {"id": record_id}))
        return Reply(body=results)

    def _bury(self, kind: ObjectType, record: dict[str, Any]) -> Result:
        self._rows.delete(kind, record["id"])
        return accepted(record["id"])

    def _read_many(self, request: Request, version: str, **path: str) -> Reply:
        base = self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        if request.method == "POST":
            body = self._fields(request)
            ids, names = body.get("ids", []), ",".join(body.get("fields", []))
        else:
            ids, names = (request.first("ids") or "").split(","), request.first("fields") or ""
        if not names:
            raise CallError(400, "INVALID_FIELD", "fields is required")
        write = self._emulator.engine.writer(kind, self._asked(kind, names), base)
        rows = [self._org.tables[kind.name].rows.get(to_18(one) or "") for one in ids]
        return Reply(
            body="[" + ",".join(write(row) if row and not row.get("IsDeleted") else "null" for row in rows) + "]"
        )

    def _each(self, request: Request, one: Save, *, typed: str | None = None) -> Reply:
        records, kinds, all_or_none = self._records(request, typed=typed)
        trouble = self._emulator.row_trouble(request, records, kinds)
        mixed = any(kind.setup for kind in kinds) and len({kind.name for kind in kinds}) > 1
        mark = self._org.begin() if all_or_none else 0
        results: list[Result] = []
        for at, (kind, record) in enumerate(zip(kinds, records, strict=True)):
            error = _mixed(kind, kinds[0]) if mixed and kind is not kinds[0] else trouble.get(at)
            results.append(_with_id(record, refused(error)) if error else self._result(one, kind, record))
        if all_or_none:
            self._org.end(mark, undo=any(not result["success"] for result in results))
            results = _rolled_back(results)
        return Reply(body=results)

    def _result(self, one: Save, kind: ObjectType, record: dict[str, Any]) -> Result:
        try:
            return self._emulator.saving(partial(one, kind, record))
        except RowError as error:
            return _with_id(record, refused(error))


def _mixed(kind: ObjectType, first: ObjectType) -> RowError:
    text = (
        "DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa): "
        f"{kind.name}, original object: {first.name}"
    )
    return RowError("MIXED_DML_OPERATION", text)


def _with_id(record: Mapping[str, Any], result: Result) -> Result:
    record_id = record.get("id") or record.get("Id")
    return {"id": record_id, **result} if record_id else result


def _rolled_back(results: list[Result]) -> list[Result]:
    if all(result["success"] for result in results):
        return results
    text = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    error = RowError("ALL_OR_NONE_OPERATION_ROLLED_BACK", text)
    return [{"id": result.get("id"), **refused(error)} if result["success"] else result for result in results]
