"""The activity sets, which differ in names and types, and the thin one over all of them."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.sap.ids import account_number, dashed, object_id, party_id
from connectors.sandbox.sap.store import Row, Store
from connectors.sandbox.sap.values import read_iso

SETS = {"call": "PhoneCall", "email": "EMail", "meeting": "Appointment", "visit": "Appointment", "task": "Tasks"}
DOCUMENT_TYPES = {"PhoneCall": "0002", "EMail": "0004", "Appointment": "0001", "Tasks": "0006"}
REFERENCE_TYPES = {"PhoneCall": "86", "EMail": "39", "Appointment": "12", "Tasks": "542"}
"""BusinessTransactionDocumentTypeCode of a reference from an opportunity to the activity."""
_CATEGORIES = {"visit": "0001", "meeting": "0003", "email": "0004", "task": "0005", "call": "0002"}
Cells = Mapping[str, str]
Namer = Callable[[str], str]


def activity_row(cells: Cells, names: Namer) -> tuple[str, Row]:
    """The entity type of a world's activity and its row, without stamps. ``names``: a person's name by world id."""
    kind = cells.get("kind") or "task"
    entity = SETS.get(kind, "Tasks")
    key = object_id("activities", cells["id"])
    account, contact = cells.get("account_id"), (cells.get("contact_ids") or "").split(";")[0]
    row: Row = {
        "ObjectID": key,
        "UUID": dashed(key),
        "DocumentType": DOCUMENT_TYPES[entity],
        "Subject": cells.get("subject_hash") or kind.capitalize(),
        "Category": _CATEGORIES.get(kind),
        "MainAccountPartyID": account_number(account) if account else None,
        "MainContactPartyID": account_number(contact) if contact else None,
        "DataOriginTypeCode": {"true": "2", "false": "1"}.get(cells.get("auto_logged", "")),
        "CreatedOn": _moment(cells, "created_at"),
    }
    row |= _MAKERS[entity](cells, names)
    return entity, {name: value for name, value in row.items() if value is not None}


def _moment(cells: Cells, *columns: str) -> int | None:
    for column in columns:
        if text := cells.get(column):
            return read_iso(text)
    return None


def _owner(cells: Cells) -> tuple[str | None, str | None]:
    """Party number and UUID of who owns it."""
    owner = cells.get("owner_id")
    return (party_id(owner), dashed(object_id("people", owner))) if owner else (None, None)


def _status(cells: Cells) -> str:
    return "3" if cells.get("completed_at") else "1"


def _span(cells: Cells) -> Row:
    start = _moment(cells, "planned_at", "completed_at", "created_at")
    seconds = int(float(cells.get("duration_seconds") or 0))
    return {"StartDate": start, "EndDate": None if start is None else start + seconds * 1_000_000}


def _call(cells: Cells, names: Namer) -> Row:
    party, uuid = _owner(cells)
    return {
        **_span({**cells, "planned_at": cells.get("completed_at") or cells.get("planned_at") or ""}),
        "LifeCycleStatusCode": _status(cells), "Direction": _direction(cells), "OwnerPartyID": party, "OwnerUUID": uuid,
        "OwnerName": names(cells.get("owner_id") or ""), "ReportedDateTime": _moment(cells, "completed_at"),
    }  # fmt: skip


def _direction(cells: Cells) -> str | None:
    return {"inbound": "2", "outbound": "1"}.get(cells.get("direction") or "")


def _email(cells: Cells, names: Namer) -> Row:
    party, uuid = _owner(cells)
    inbound = cells.get("direction") == "inbound"
    return {
        "Status": _status(cells), "Direction": _direction(cells), "DateTime": _moment(cells, "completed_at", "planned_at"),
        "TransmissionStatusCode": "3" if inbound else "2", "OwnerPartyID": party, "OwnerUUID": uuid,
        "OwnerName": names(cells.get("owner_id") or ""),
        "MessageFromPartyID": None if inbound else party,
    }  # fmt: skip


def _appointment(cells: Cells, names: Namer) -> Row:
    party, uuid = _owner(cells)
    done = cells.get("completed_at")
    return {
        **_span(cells), "LifeCycleStatusCode": _status(cells), "OwnerPartyID": party, "Owner": uuid,
        "OwnerName": names(cells.get("owner_id") or ""), "OrganizerPartyID": party, "OrganizerUUID": uuid,
        "CompletionPercent": "100.00" if done else "0.00", "StartDatetimeZoneCode": "UTC", "EnddatetimeZoneCode": "UTC",
        "ReportedDateTime": _moment(cells, "completed_at"),
    }  # fmt: skip


def _task(cells: Cells, names: Namer) -> Row:
    party, uuid = _owner(cells)
    done, seconds = cells.get("completed_at"), cells.get("duration_seconds")
    return {
        "Status": _status(cells), "StartDateTime": _moment(cells, "created_at"), "DueDateTime": _moment(cells, "planned_at"),
        "CompletionDateTime": _moment(cells, "completed_at"), "ProcessorPartyID": party, "ProcessorUUID": uuid,
        "MainEmployeeResponsiblePartyID": party, "OwnerUUID": uuid, "Owner": names(cells.get("owner_id") or ""),
        "Processor": names(cells.get("owner_id") or ""), "CompletionPercent": "100.00" if done else "0.00",
        "ActualDuration": f"PT{int(float(seconds))}S" if seconds else None,
    }  # fmt: skip


_MAKERS: dict[str, Callable[[Cells, Namer], Row]] = {
    "PhoneCall": _call, "EMail": _email, "Appointment": _appointment, "Tasks": _task,
}  # fmt: skip


class ActivityView:
    """``ActivityCollection``: every activity of every kind, made anew when one of them changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: tuple[int, ...] = ()

    def refresh(self) -> None:
        """Brings the collection up to date."""
        tables = self._store.tables
        versions = tuple(tables[name].version for name in DOCUMENT_TYPES)
        if versions == self._seen:
            return
        self._seen = versions
        thin = {
            key: _thin(row, kind) for name, kind in DOCUMENT_TYPES.items() for key, row in tables[name].rows.items()
        }
        tables["Activity"].replace(thin)


def _thin(row: Row, kind: str) -> Row:
    reported = row.get("ReportedDateTime") or row.get("CreatedOn")
    made = row.get("CreatedOn")
    values: dict[str, Any] = {
        "ObjectID": row["ObjectID"], "ID": row.get("ID"), "UUID": row.get("UUID"), "ProcessingTypeCode": kind,
        "SubjectName": row.get("Subject"), "LifeCycleStatusCode": row.get("LifeCycleStatusCode") or row.get("Status"),
        "ReportedDateTime": reported, "CreationDate": made and made - made % 86_400_000_000,
        "InitiatorCode": row.get("Direction"), "EntityLastChangedOn": row["EntityLastChangedOn"], "ETag": row["ETag"],
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}
