"""Writing records: create, update, invalidate, delete, recover, change of owner, lock. One record per call."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.fxiaoke.data import Call, Reading, Settings
from connectors.sandbox.fxiaoke.errors import bad_argument, missing, refused_record, success
from connectors.sandbox.fxiaoke.query import check_keys
from connectors.sandbox.fxiaoke.rows import Rows
from connectors.sandbox.fxiaoke.schema import CALCULATED, SUFFIXES
from connectors.sandbox.fxiaoke.store import Row, Table, Tenant
from connectors.sandbox.fxiaoke.values import stored
from connectors.sandbox.fxiaoke.view import View
from connectors.sandbox.routing import Reply

_POOLED = {"AccountObj", "LeadsObj"}
_OPTIONS = {"isDuplicateSearch", "useValidationRule", "skipFuncValidate"}
_KEYS_OF_THE_RECORD = {"_id", "dataObjectApiName", "object_describe_api_name"}


class Writing:
    """The writing endpoints. ``fired`` counts what a call would have set off: workflows and approvals."""

    def __init__(self, tenant: Tenant, view: View, rows: Rows, reading: Reading, settings: Settings) -> None:
        self._tenant = tenant
        self._view = view
        self._rows = rows
        self._reading = reading
        self._settings = settings
        self.fired: Counter[str] = Counter()
        self.answers_custom_id = True
        """Whether create tells the ``dataId`` of a custom object's record: the manual's example does not."""
        self.empties_unsent_fields = False
        """Whether update puts the record in place of the old one, which the manual does not rule out."""
        self.ignores_unknown_fields = False
        """Whether a field that the object lacks is passed over instead of refused."""
        self._halves: dict[str, bool] = {}
        self._held: set[Any] = set()

    def create(self, call: Call) -> Reply:
        """data/create."""
        known = {"object_data", "details", "optionInfo"}
        if call.custom:
            known |= {"fillOutOwner", "needConvertLookup"}
        data = call.data(known, strict=self._settings.strict)
        given = self._object_data(data)
        table = self._reading.table(given.get("dataObjectApiName"), call)
        self._spoil(call, table, None)
        values = self._values(table, given, call)
        for name, one in table.kind.fields.items():
            if one.required and name not in values:
                raise bad_argument(f"{one.label}({name})为必填项")
        self._check_unique(table, values, None)
        if call.body.get("hasSpecifyTime") is True and isinstance(given.get("create_time"), int):
            values["create_time"] = given["create_time"]
        if call.body.get("hasSpecifyCreatedBy") is True and "created_by" in given:
            values["created_by"] = given["created_by"]
        row = self._rows.make(table, values, call.caller.actor)
        self._fire(call)
        return success(call.trace, {"dataId": row["_id"]} if self.answers_custom_id or not table.kind.custom else {})

    def update(self, call: Call) -> Reply:
        """data/update: the fields that are given; the others stay."""
        known = {"object_data", "details", "optionInfo"} | ({"skipDataStatusValidate"} if call.custom else set())
        data = call.data(known, strict=self._settings.strict)
        given = self._object_data(data)
        table = self._reading.table(given.get("dataObjectApiName"), call)
        if not given.get("_id"):
            raise missing("_id")
        self._spoil(call, table, given["_id"])
        row = self._rows.must(table, given["_id"])
        self._check_open(table, row, skips=data.get("skipDataStatusValidate") is True)
        if "owner" in given and self._settings.strict:
            raise bad_argument("负责人(owner)不能通过编辑修改")
        values = self._values(table, given, call)
        values.pop("owner", None)
        self._check_unique(table, values, row["_id"])
        if self.empties_unsent_fields:
            unsent = (name for name in row.keys() - values.keys() if not table.kind.fields[name].fixed)
            values = {**dict.fromkeys(unsent), **values}
        self._rows.change(table, row, values, call.caller.actor)
        self._fire(call)
        return success(call.trace, {})

    def _object_data(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        given = data.get("object_data")
        if not isinstance(given, dict):
            raise missing("object_data")
        check_keys(data.get("optionInfo"), _OPTIONS, "data.optionInfo", strict=self._settings.strict)
        return given

    def _values(self, table: Table, given: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """The given values as records keep them; derived fields and those of the system are passed over."""
        hidden = self._view.hidden(table.kind.name)
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name in _KEYS_OF_THE_RECORD or (name not in table.kind.fields and name.endswith(SUFFIXES)):
                if name.endswith("__o") and isinstance(value, str):
                    values[name] = value
                continue
            one = table.kind.fields.get(name)
            if one is None or name in hidden:
                if self.ignores_unknown_fields:
                    continue
                raise bad_argument(f"字段{name}不存在")
            if not one.active:
                raise bad_argument(f"字段{name}已禁用")
            if one.type in CALCULATED or one.fixed:
                continue
            values[name] = stored(self._tenant, one, value, call.caller, strict=self._settings.strict)
        return values

    def _check_unique(self, table: Table, values: Mapping[str, Any], own: str | None) -> None:
        for name, one in table.kind.fields.items():
            if one.unique and values.get(name) is not None:
                taken = (row["_id"] for row in table.rows.values() if row.get(name) == values[name])
                if any(row_id != own for row_id in taken):
                    raise refused_record(f"{one.label}({name})的值重复")

    def _check_open(self, table: Table, row: Row, *, skips: bool) -> None:
        """Refuses what is locked, waits for an approval, is invalid, or lies in a pool."""
        if row["life_status"] == "invalid":
            raise refused_record("数据已作废")
        if table.kind.name in _POOLED and not row.get("owner"):
            raise refused_record("无此操作的数据权限")
        if skips:
            return
        if row["lock_status"] == "1":
            raise refused_record("数据已锁定")
        if row["life_status"] in {"under_review", "in_change"}:
            raise refused_record("数据正在审批中")

    def _spoil(self, call: Call, table: Table, row_id: Any) -> None:
        """What the faults of a write do to it."""
        faults = self._settings.faults
        if row_id in table.rows and faults.strike("deleted_meanwhile", call.where):
            table.drop(row_id)
        if faults.strike("refused_row", call.where):
            raise refused_record("不满足验证规则")
        held = table.rows.get(row_id, {})
        if row_id in self._held:  # whoever locked it is done by the next try
            self._held.discard(row_id)
            held["lock_status"] = "0"
        if faults.strike("locked_row", call.where):
            self._held.add(row_id)
            held["lock_status"] = "1"
            raise refused_record("数据已锁定")
        if not faults.find("half_batch", call.where):
            self._halves.clear()
        elif faults.strike("half_batch", call.where) and self._refused_for_good(str(row_id)):
            raise refused_record("不满足验证规则")

    def _refused_for_good(self, row_id: str) -> bool:
        """Every second record, the first of them too, and those again whenever they come."""
        return self._halves.setdefault(row_id, len(self._halves) % 2 == 0)

    def _fire(self, call: Call) -> None:
        """Both switches are on unless the top of the body says false."""
        self.fired["workflow"] += call.body.get("triggerWorkFlow") is not False
        self.fired["approval"] += call.body.get("triggerApprovalFlow") is not False

    def invalidate(self, call: Call) -> Reply:
        """invalid: one record, which stays and can be recovered."""
        data = call.data({"dataObjectApiName", "object_data_id"}, strict=self._settings.strict)
        table = self._reading.table(data.get("dataObjectApiName"), call)
        if not isinstance(data.get("object_data_id"), str):
            raise missing("object_data_id")
        self._set_life(table, [data["object_data_id"]], "normal", "invalid", call)
        return success(call.trace, {})

    def invalidate_many(self, call: Call) -> Reply:
        """The older invalid of custom objects: several records."""
        table, ids = self._listed(call)
        self._set_life(table, ids, "normal", "invalid", call)
        return success(call.trace, {})

    def recover(self, call: Call) -> Reply:
        """recover: invalid records become normal again."""
        table, ids = self._listed(call)
        self._set_life(table, ids, "invalid", "normal", call)
        return success(call.trace, {})

    def delete(self, call: Call) -> Reply:
        """delete: invalid records go for good."""
        table, ids = self._listed(call)
        if any(self._rows.must(table, row_id)["life_status"] != "invalid" for row_id in ids):
            raise refused_record("删除之前请先作废数据")
        for row_id in ids:
            table.drop(row_id)
        return success(call.trace, {})

    def _listed(self, call: Call) -> tuple[Table, list[str]]:
        data = call.data({"dataObjectApiName", "idList"}, strict=self._settings.strict)
        table = self._reading.table(data.get("dataObjectApiName"), call)
        return table, _ids(data, "idList")

    def _set_life(self, table: Table, ids: list[str], old: str, new: str, call: Call) -> None:
        rows = [self._rows.must(table, row_id) for row_id in ids]
        if any((row["life_status"] == "invalid") is not (old == "invalid") for row in rows):
            raise refused_record("数据已作废" if new == "invalid" else "数据未作废")
        for row in rows:
            self._rows.change(table, row, {"life_status": new}, call.caller.actor)

    def change_owner(self, call: Call) -> Reply:
        """changeOwner: the only way to another owner. What lies in a pool has none to change."""
        data = call.data({"dataObjectApiName", "Data"}, strict=self._settings.strict)
        table = self._reading.table(data.get("dataObjectApiName"), call)
        orders = data.get("Data")
        if not isinstance(orders, list) or not orders:
            raise missing("Data")
        changes: list[tuple[Row, Any]] = []
        for order in orders:
            check_keys(order, {"objectDataId", "ownerId"}, "data.Data", strict=self._settings.strict)
            if not isinstance(order, dict) or not order.get("ownerId"):
                raise bad_argument("Data")
            row = self._rows.must(table, order.get("objectDataId"))
            self._check_open(table, row, skips=False)
            owner = stored(self._tenant, table.kind.fields["owner"], order["ownerId"], call.caller, strict=True)
            changes.append((row, owner))
        for row, owner in changes:
            self._rows.change(table, row, {"owner": owner}, call.caller.actor)
        return success(call.trace, {})

    def locker(self, status: str) -> Callable[[Call], Reply]:
        """lock ("1") or unlock ("0")."""

        def answer(call: Call) -> Reply:
            keys = {"dataObjectApiName", "dataIds", "detailObjStrategy"}
            data = call.data(keys, strict=self._settings.strict)
            table = self._reading.table(data.get("dataObjectApiName"), call, any_path=True)
            rows = [self._rows.must(table, row_id) for row_id in _ids(data, "dataIds")]
            for row in rows:
                self._rows.change(table, row, {"lock_status": status}, call.caller.actor)
            return success(call.trace, {})

        return answer


def _ids(data: Mapping[str, Any], name: str) -> list[str]:
    found = data.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise missing(name)
    return found
