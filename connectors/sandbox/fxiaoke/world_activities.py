"""Loads the activities of a world: follow-up records, schedules, field visits, and the contacts they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.fxiaoke.ids import option_value, record_id
from connectors.sandbox.fxiaoke.world_map import day_ms, moment_ms, people, values_of

if TYPE_CHECKING:
    from connectors.sandbox.fxiaoke.world import Loader

_WAYS = {"call": "电话", "email": "邮件", "task": "其他"}
_DIRECTIONS = {"inbound": "呼入", "outbound": "呼出"}
_LINKED = (("account_id", "accounts", "AccountObj"), ("opportunity_id", "opportunities", "NewOpportunityObj"))


def load_activities(loader: Loader, activities: Iterable[dict[str, str]]) -> None:
    """Everything that was done, and the meetings and visits to come.

    A follow-up record is of what has happened: calls, e-mails and tasks that wait are not in this CRM.
    """
    for cells in activities:
        kind = cells.get("kind") or "task"
        done = cells.get("completed_at")
        if kind == "meeting" or (kind == "visit" and not done):
            _put(loader, "ScheduleObj", cells, _schedule(cells))
        elif kind == "visit" and done:
            _put(loader, "CheckinsObj", cells, _checkin(cells, done))
        elif done:
            _put(loader, "ActiveRecordObj", cells, follow_up(cells, kind))


def _put(loader: Loader, kind: str, cells: Mapping[str, str], values: dict[str, Any]) -> None:
    linked = links(loader, cells)
    if linked:
        values["related_object_data"] = linked
        if kind == "ActiveRecordObj":
            values["related_api_names"] = list(dict.fromkeys(one["describe_api_name"] for one in linked))
    if "owner" in values:
        values["created_by"] = values["owner"]  # people log their own work
    made = cells.get("created_at") or cells.get("completed_at")
    created = moment_ms(made) if made else None
    modified = moment_ms(cells["modified_at"]) if cells.get("modified_at") else None
    row = loader.put(kind, record_id("activities", cells["id"]), values, created, modified)
    loader.note("activities", cells["id"], row["_id"])
    for one in linked:
        other = loader.tenant.tables[one["describe_api_name"]].rows.get(one["id"])
        if other is not None and one["describe_api_name"] != "ContactObj":
            other["last_followed_time"] = max(other.get("last_followed_time", 0), row["create_time"])


def links(loader: Loader, cells: Mapping[str, str]) -> list[dict[str, str]]:
    """The records that an activity hangs on, of several objects in one list."""
    found = []
    for column, table, kind in _LINKED:
        if cells.get(column):
            row_id = record_id(table, cells[column])
            row = loader.tenant.tables[kind].rows.get(row_id)
            if row is not None:
                found.append({"describe_api_name": kind, "id": row_id, "name": row.get("name", "")})
    contacts = (cells.get("contact_ids") or "").split(";")
    return [*found, *(_contact(loader, text, cells) for text in contacts if text)]


def _contact(loader: Loader, text: str, cells: Mapping[str, str]) -> dict[str, str]:
    row_id = record_id("contacts", text)
    row = loader.tenant.tables["ContactObj"].rows.get(row_id)
    if row is None:
        account = record_id("accounts", cells["account_id"]) if cells.get("account_id") else None
        values = {"name": f"联系人{text}", **({"account_id": account} if account else {})}
        made = moment_ms(cells["created_at"]) if cells.get("created_at") else None
        row = loader.put("ContactObj", row_id, values, made)
        loader.note("contacts", text, row_id)
    return {"describe_api_name": "ContactObj", "id": row_id, "name": row["name"]}


def follow_up(cells: Mapping[str, str], kind: str) -> dict[str, Any]:
    """A call, e-mail or finished task as a follow-up record."""
    values = values_of("activities", cells)
    values["active_record_type"] = option_value("跟进记录")
    values["interactive_types"] = option_value(_WAYS.get(kind, "其他"))
    if cells.get("direction") in _DIRECTIONS:
        values["direction__c"] = option_value(_DIRECTIONS[cells["direction"]])
    return values


def _schedule(cells: Mapping[str, str]) -> dict[str, Any]:
    begin_text = cells.get("planned_at") or cells.get("completed_at") or cells.get("created_at")
    begin = moment_ms(begin_text) if begin_text else None
    seconds = cells.get("duration_seconds")
    values = {
        "owner": people(cells["owner_id"]) if cells.get("owner_id") else None, "content": cells.get("subject_hash"),
        "participants": people(cells.get("participant_ids") or cells.get("owner_id") or ""), "begin_time": begin,
        "end_time": begin + int(float(seconds)) * 1000 if begin and seconds else None,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value}


def _checkin(cells: Mapping[str, str], done: str) -> dict[str, Any]:
    values = {
        "owner": people(cells["owner_id"]) if cells.get("owner_id") else None,
        "customer_id": record_id("accounts", cells["account_id"]) if cells.get("account_id") else None,
        "communicate_record": cells.get("subject_hash"), "checkin_time": moment_ms(done), "new_stat_date": day_ms(done),
    }  # fmt: skip
    return {name: value for name, value in values.items() if value}
