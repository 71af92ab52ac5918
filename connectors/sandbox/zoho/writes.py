"""Writing records: insert, update, upsert and delete, with an answer for each record in the order of the request."""

from collections.abc import Callable, Iterable
from typing import Any

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import Fault
from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.changes import Changes
from connectors.sandbox.zoho.errors import Refusal, invalid, too_many
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.lists import Lists
from connectors.sandbox.zoho.schema import Field
from connectors.sandbox.zoho.store import Row, Table
from connectors.sandbox.zoho.times import text_of
from connectors.sandbox.zoho.values import mandatory, read_value

MAX_RECORDS = 100
_AUTOMATION = {"workflow", "approval", "blueprint", "pathfinder", "orchestration"}
Result = tuple[int, dict[str, Any]]
_READ_ONLY_KEYS = {"id", "Created_Time", "Modified_Time", "Created_By", "Modified_By"}


class Writes:
    """Handlers of everything that changes records of a module."""

    def __init__(self, lists: Lists, changes: Changes, emulator: Emulator) -> None:
        self.org = lists.org
        self.lists = lists
        self.rows = lists.rows
        self.changes = changes
        self.emulator = emulator
        self.triggers: list[Any] = []
        """The ``trigger`` of every write so far; None where it was left out, so that all automation ran."""

    def insert(self, request: Request, module: str) -> Reply:
        """``POST /{module}``."""
        table, sent = self._begin(request, module)
        return self._all(request, table, sent, lambda one, number: self._insert(table, one, number), 201)

    def update(self, request: Request, module: str) -> Reply:
        """``PUT /{module}``, ids in the records."""
        table, sent = self._begin(request, module)
        return self._all(request, table, sent, lambda one, number: self._update(request, table, one, number), 200)

    def update_one(self, request: Request, module: str, record: str) -> Reply:
        """``PUT /{module}/{id}``."""
        table, sent = self._begin(request, module)
        self.lists.row(table, record)
        sent = [{**one, "id": record} for one in sent[:1]]
        return self._all(request, table, sent, lambda one, number: self._update(request, table, one, number), 200)

    def upsert(self, request: Request, module: str) -> Reply:
        """``POST /{module}/upsert``; the fields to compare stand in the body, a header is not looked at."""
        table, sent = self._begin(request, module)
        names = request.json().get("duplicate_check_fields", [])
        checks = self._checks(table, names)
        return self._all(
            request, table, sent, lambda one, number: self._upsert(request, table, one, number, checks), 200
        )

    def delete(self, request: Request, module: str) -> Reply:
        """``DELETE /{module}?ids=``."""
        table = self._writable(module)
        if not request.first("ids"):
            details = {"param_name": "ids"}
            raise Refusal(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", details)
        ids = (request.first("ids") or "").split(",")
        if len(ids) > MAX_RECORDS:
            raise too_many(MAX_RECORDS, "Maximum number of ids is exceeded", param_name="ids")
        return _answer([self._delete(table, one) for one in ids], 200)

    def delete_one(self, request: Request, module: str, record: str) -> Reply:
        """``DELETE /{module}/{id}``."""
        return _answer([self._delete(self._writable(module), record)], 200)

    # One record.

    def _delete(self, table: Table, record: str) -> Result:
        key = parse_id(record)
        if key not in table.rows or key is None:
            return 400, invalid("the id given seems to be invalid", id=record).body
        self.changes.delete(table, key, self.org.user, self.org.now())
        return 200, _success("record deleted", {"id": record})

    def _insert(self, table: Table, sent: dict[str, Any], number: int) -> Result:
        values = self.values(table, sent, number)
        mandatory(table.module, values, number)
        self._check_unique(table, values, None, number)
        row = self.changes.create(table, values, self.org.user, self.org.now())
        return 201, _success("record added", self._details(row))

    def _update(self, request: Request, table: Table, sent: dict[str, Any], number: int) -> Result:
        if "id" not in sent:
            details = {"api_name": "id", "json_path": f"$.data[{number}].id"}
            raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", details)
        key = parse_id(sent["id"])
        row = table.rows.get(key) if key is not None else None
        if row is None:
            raise invalid("the id given seems to be invalid", api_name="id", json_path=f"$.data[{number}].id")
        moment = self.lists.modified_since(request)
        if moment is not None and row["Modified_Time"] > moment:
            details = self._details(row)
            raise Refusal(412, "ALREADY_MODIFIED", "the record has been modified since the given time", details)
        if row.get("Locked__s"):
            raise locked(number)
        values = self.values(table, sent, number)
        self._check_cleared(table, values, number)
        self._check_unique(table, values, row, number)
        self.changes.update(table, row, values, self.org.user, self.org.now())
        return 200, _success("record updated", self._details(row))

    def _upsert(self, request: Request, table: Table, sent: dict[str, Any], number: int, checks: list[Field]) -> Result:
        values = self.values(table, sent, number)
        if "id" in sent:
            found: tuple[int | None, str | None] = (parse_id(sent["id"]), None)
        else:
            found = self._duplicate(table, values, checks)
        if found[0] is None:
            _, body = self._insert(table, sent, number)
            action = "insert"
        else:
            _, body = self._update(request, table, {**sent, "id": found[0]}, number)
            action = "update"
        return 200, {**body, "action": action, "duplicate_field": found[1]}

    @staticmethod
    def _duplicate(table: Table, values: dict[str, Any], checks: Iterable[Field]) -> tuple[int | None, str | None]:
        for one in checks:
            if values.get(one.name) is not None and (keys := table.by(one.name, values[one.name])):
                return keys[0], one.name
        return None, None

    def _checks(self, table: Table, names: Any) -> list[Field]:
        found = [self.org.field(table.module, str(name)) for name in names] if isinstance(names, list) else [None]
        if None in found:
            message = "the duplicate check field given seems to be invalid"
            raise invalid(message, api_name="duplicate_check_fields", json_path="$.duplicate_check_fields")
        given = [one for one in found if one is not None]
        return given + [one for one in table.module.fields.values() if one.unique and one not in given]

    # What records have in common.

    def _writable(self, module: str) -> Table:
        table = self.lists.table(module)
        if not table.module.writable:
            message = "the module does not support this operation"
            raise Refusal(400, "NOT_SUPPORTED", message, {"resource_path_index": 0})
        return table

    def _begin(self, request: Request, module: str) -> tuple[Table, list[dict[str, Any]]]:
        table = self._writable(module)
        body = request.json()
        sent = body.get("data") if isinstance(body, dict) else None
        if not isinstance(sent, list):
            details = {"expected_data_type": "jsonarray", "api_name": "data", "json_path": "$.data"}
            code = "INVALID_DATA" if sent is not None else "MANDATORY_NOT_FOUND"
            raise Refusal(400, code, "invalid data" if sent is not None else "required field not found", details)
        if not sent or not all(isinstance(one, dict) for one in sent):
            raise invalid("invalid data", expected_data_type="jsonobject", api_name="data", json_path="$.data")
        if len(sent) > MAX_RECORDS:
            raise too_many(MAX_RECORDS, "more records are given than allowed", api_name="data", json_path="$.data")
        trigger = body.get("trigger")
        if trigger is not None and not (isinstance(trigger, list) and _AUTOMATION.issuperset(map(str, trigger))):
            raise invalid("invalid data", expected_data_type="jsonarray", api_name="trigger", json_path="$.trigger")
        self.triggers.append(trigger)
        return table, sent

    def _all(
        self,
        request: Request,
        table: Table,
        sent: list[dict[str, Any]],
        handle: Callable[[dict[str, Any], int], Result],
        good: int,
    ) -> Reply:
        refused = self._faults(request, table, sent)
        results: list[Result] = []
        for number, one in enumerate(sent):
            try:
                if number in refused:
                    raise refused[number]
                results.append(handle(one, number))
            except Refusal as refusal:
                results.append((refusal.status, refusal.body))
        return _answer(results, good)

    def _faults(self, request: Request, table: Table, sent: list[dict[str, Any]]) -> dict[int, Refusal]:
        """What armed faults do to records of this batch."""
        if gone := self.emulator.strike("deleted_meanwhile", request):
            key = parse_id(sent[_row(gone, sent)].get("id"))
            if key is not None and key in table.rows:
                self.changes.delete(table, key, self.org.user, self.org.now())
        refused: dict[int, Refusal] = {}
        for fault in self.emulator.faults.strike_all("refused_row", request.where):
            number = _row(fault, sent)
            details = {"id": sent[number].get("id"), "json_path": f"$.data[{number}]"}
            refused[number] = Refusal(400, "AUTHORIZATION_FAILED", "User does not have sufficient privilege", details)
        for fault in self.emulator.faults.strike_all("locked_row", request.where):
            refused[_row(fault, sent)] = locked(_row(fault, sent))
        if self.emulator.strike("half_batch", request):
            for number in range(1, len(sent), 2):
                refused[number] = invalid("invalid data", api_name="id", json_path=f"$.data[{number}]")
        return refused

    def values(self, table: Table, sent: dict[str, Any], number: int) -> dict[str, Any]:
        """The values of a record that its module takes. Keys it does not know are passed over, as Zoho does."""
        values: dict[str, Any] = {}
        for name, value in sent.items():
            one = self.org.field(table.module, name)
            if one is None or name in _READ_ONLY_KEYS or one.read_only or one.name != name:
                continue
            values[name] = read_value(self.org, one, value, f"$.data[{number}].{name}")
        if isinstance(sent.get("$se_module"), str):
            values["$se_module"] = sent["$se_module"]
        if values.get("Stage") is not None and table.module.name == "Deals":
            self._check_stage(values["Stage"], number)
        return values

    def _check_stage(self, stage: str, number: int) -> None:
        if self.org.stage(stage) is None:
            details = {"expected_data_type": "picklist", "api_name": "Stage", "json_path": f"$.data[{number}].Stage"}
            raise invalid("invalid data", **details)

    @staticmethod
    def _check_cleared(table: Table, values: dict[str, Any], number: int) -> None:
        for name, value in values.items():
            if value is None and not name.startswith("$") and table.module.fields[name].mandatory:
                details = {"api_name": name, "json_path": f"$.data[{number}].{name}"}
                raise Refusal(400, "MANDATORY_NOT_FOUND", "required field not found", details)

    def _check_unique(self, table: Table, values: dict[str, Any], row: Row | None, number: int) -> None:
        for one in table.module.fields.values():
            if not one.unique or values.get(one.name) is None:
                continue
            others = [key for key in table.by(one.name, values[one.name]) if row is None or key != row["id"]]
            if others:
                details = {"api_name": one.name, "json_path": f"$.data[{number}].{one.name}", "id": str(others[0])}
                raise Refusal(400, "DUPLICATE_DATA", "duplicate data", details)

    def _details(self, row: Row) -> dict[str, Any]:
        zone = self.org.zone
        return {
            "Modified_Time": text_of(row["Modified_Time"], zone), "Modified_By": self.rows.user(row["Modified_By"]),
            "Created_Time": text_of(row["Created_Time"], zone), "id": str(row["id"]),
            "Created_By": self.rows.user(row["Created_By"]), "$approval_state": "approved",
        }  # fmt: skip


def locked(number: int) -> Refusal:
    """A record that somebody has locked."""
    return Refusal(400, "RECORD_LOCKED", "record is locked", {"json_path": f"$.data[{number}]"})


def _row(fault: Fault, sent: list[dict[str, Any]]) -> int:
    return min(int(fault.extra.get("row", 0)), len(sent) - 1)


def _success(message: str, details: dict[str, Any]) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}


def _answer(results: list[Result], good: int) -> Reply:
    """The status of a whole write: all good, mixed (207), or what the only refusal (or 400) is."""
    bad = [status for status, _ in results if status >= 400]
    status = good if not bad else 207 if len(bad) < len(results) else bad[0] if len(set(bad)) == 1 else 400
    return Reply(status, {"data": [body for _, body in results]})
