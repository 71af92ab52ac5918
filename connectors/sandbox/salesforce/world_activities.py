"""Loads the activities of a world: calls, mails and to-dos as tasks, meetings and visits as events."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.ids import world_id
from connectors.sandbox.salesforce.store import stamp
from connectors.sandbox.salesforce.world_map import moment

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.world import Loader

_SUBTYPES = {"call": "Call", "email": "Email", "task": "Task"}


def load_activities(loader: "Loader", activities: Iterable[Mapping[str, str]]) -> None:
    """Every activity, with a contact for each id it names."""
    for cells in activities:
        event = cells.get("kind") in {"meeting", "visit"}
        kind, prefix = ("Event", "00U") if event else ("Task", "00T")
        values = _shared(loader, cells) | (_event(cells) if event else _task(cells))
        created = moment(cells["created_at"]) if cells.get("created_at") else None
        modified = moment(cells["modified_at"]) if cells.get("modified_at") else None
        row_id = world_id(prefix, cells["id"])
        row = {name: value for name, value in values.items() if value is not None}
        loader.put(kind, row_id, row, created, modified)
        loader.ids.setdefault("activities", {})[cells["id"]] = row_id


def _shared(loader: "Loader", cells: Mapping[str, str]) -> dict[str, Any]:
    deal, account = cells.get("opportunity_id"), cells.get("account_id")
    what = world_id("006", deal) if deal else world_id("001", account) if account else None
    contacts = [one for one in (cells.get("contact_ids") or "").split(";") if one]
    who = [_contact(loader, one, account) for one in contacts]
    return {
        "WhatId": what,
        "WhoId": who[0] if who else None,
        "AccountId": world_id("001", account) if account else None,
        "OwnerId": world_id("005", cells["owner_id"]) if cells.get("owner_id") else None,
        "Subject": cells.get("subject_hash") or (cells.get("kind") or "task").capitalize(),
    }


def _contact(loader: "Loader", name: str, account: str | None) -> str:
    known = loader.ids["contacts"].get(name)
    if known is None:
        known = loader.ids["contacts"][name] = world_id("003", name)
        values = {"LastName": f"Contact {name}", "Name": f"Contact {name}"}
        loader.put("Contact", known, values | ({"AccountId": world_id("001", account)} if account else {}), None, None)
    return known


def _task(cells: Mapping[str, str]) -> dict[str, Any]:
    done = cells.get("completed_at")
    due = cells.get("planned_at") or done or cells.get("created_at")
    seconds = cells.get("duration_seconds")
    call = cells.get("kind") == "call"
    return {
        "TaskSubtype": _SUBTYPES.get(cells.get("kind") or "task", "Task"),
        "Status": "Completed" if done else "Not Started",
        "Priority": "Normal",
        "IsClosed": bool(done),
        "ActivityDate": moment(due)[:10] if due else None,
        "CompletedDateTime": moment(done) if done else None,
        "CallType": (cells.get("direction") or "").capitalize() or None if call else None,
        "CallDurationInSeconds": int(float(seconds)) if seconds and call else None,
    }


def _event(cells: Mapping[str, str]) -> dict[str, Any]:
    start_text = cells.get("planned_at") or cells.get("completed_at") or cells.get("created_at")
    if not start_text:
        return {"EventSubtype": "Event"}
    start = moment(start_text)
    minutes = round(float(cells.get("duration_seconds") or 0) / 60)
    end = datetime.fromisoformat(start) + timedelta(minutes=minutes)
    return {
        "StartDateTime": start,
        "EndDateTime": stamp(end),
        "ActivityDateTime": start,
        "ActivityDate": start[:10],
        "DurationInMinutes": minutes,
        "EventSubtype": "Event",
        "ShowAs": "Busy",
    }
