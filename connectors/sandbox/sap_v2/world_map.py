"""Which field of version 2 holds which column of a world, and how its text becomes a value."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.sap.ids import account_number, party_id, uuid
from connectors.sandbox.sap.values import moment_of, read_iso
from connectors.sandbox.sap_v2.store import Doc, wire

EXTENSIONS = {
    "opportunity-service/opportunities": {
        "ZExternalID": "text",
        "ZProduct": "text",
        "ZDiscount": "decimal",
        "ZNextStep": "text",
    },
}
"""Extension fields of the simulated company's own."""
ACTIVITIES = {
    "call": "phone-service/phoneCalls", "email": "email-service/emails", "meeting": "appointment-service/appointments",
    "visit": "visit-service/visits", "task": "task-service/tasks",
}  # fmt: skip
STATUSES = {"open": "OPEN", "won": "WON", "lost": "LOST", "omitted": "STOPPED"}
Read = Callable[[str], Any]


def moment(text: str) -> str:
    """A world's moment as version 2 writes it."""
    if len(text) == 20 and text[-1] == "Z":  # the usual form; parsing a million of them takes its time
        return f"{text[:-1]}.000Z"
    return wire(moment_of(read_iso(text)))


def day(text: str) -> str:
    """The UTC date of a world's date or moment."""
    return moment(text)[:10]


def _person(text: str) -> str:
    return uuid("people", text)


def _account(text: str) -> str:
    return uuid("accounts", text)


def _percent(text: str) -> float:
    return round(float(text) * 100, 6)


def _alive(text: str) -> str:
    return "ACTIVE" if text.lower() == "true" else "BLOCKED"


MAPS: Mapping[str, tuple[str, tuple[tuple[str, str, Read], ...]]] = {
    "people": (
        "employee-service/employees",
        (
            ("name", "formattedName", str), ("email", "workplaceAddress.eMail", str), ("active", "lifeCycleStatus", _alive),
            ("manager_id", "managerId", _person), ("team", "organizationalUnitName", str),
            ("team", "organizationalUnitDisplayId", str), ("team", "organizationalUnitId", lambda text: uuid("units", text)),
            ("region", "workplaceAddress.state", str), ("role", "jobTitle", str),
        ),
    ),
    "accounts": (
        "account-service/accounts",
        (
            ("name", "formattedName", str), ("owner_id", "ownerId", _person), ("parent_id", "parentAccountId", _account),
            ("industry", "industrialSector", str), ("region", "defaultAddress.state", str),
            ("created_at", "adminData.createdOn", moment),
        ),
    ),
    "opportunities": (
        "opportunity-service/opportunities",
        (
            ("name", "name", str), ("account_id", "account.id", _account), ("account_id", "account.displayId", account_number),
            ("owner_id", "owner.id", _person), ("owner_id", "owner.displayId", party_id),
            ("amount", "expectedRevenueAmount.content", float), ("currency", "expectedRevenueAmount.currencyCode", str),
            ("created_at", "adminData.createdOn", moment), ("created_at", "startDate", day), ("close_on", "closeDate", day),
            ("closed_at", "statusDate", day), ("type", "group", str), ("source", "source", str),
            ("probability", "probability", _percent), ("forecast_category", "forecastCategory", str),
            ("product", "extensions.ZProduct", str), ("discount", "extensions.ZDiscount", float),
            ("next_step", "extensions.ZNextStep", str), ("external_id", "extensions.ZExternalID", str),
            ("external_id", "externalId", str),
        ),
    ),
}  # fmt: skip


def put_at(doc: Doc, path: str, value: Any) -> None:
    """Sets the value at a dotted path."""
    *way, last = path.split(".")
    for name in way:
        doc = doc.setdefault(name, {})
    doc[last] = value


def values_of(table: str, cells: Mapping[str, str]) -> Doc:
    """The fields that these cells fill; empty cells fill none."""
    doc: Doc = {}
    for column, path, read in MAPS[table][1]:
        if text := cells.get(column):
            put_at(doc, path, read(text))
    return doc


def _party(cells: Mapping[str, str]) -> Doc:
    doc: Doc = {}
    if owner := cells.get("owner_id"):
        doc["owner"] = {"id": _person(owner), "displayId": party_id(owner)}
        doc["organizer"] = {"id": _person(owner)}
    if account := cells.get("account_id"):
        doc["account"] = {"id": _account(account), "displayId": account_number(account)}
    if contact := (cells.get("contact_ids") or "").split(";")[0]:
        doc["primaryContact"] = {"id": uuid("contacts", contact)}
    if deal := cells.get("opportunity_id"):
        doc["relatedObjects"] = [{"objectId": uuid("opportunities", deal), "type": "72"}]
    return doc


def activity(cells: Mapping[str, str]) -> tuple[str, Doc]:
    """The collection of a world's activity and what its cells say. Who took part stands on appointments only."""
    kind = cells.get("kind") or "task"
    done = cells.get("completed_at")
    doc = _party(cells)
    if "subject_hash" in cells:
        doc["description"] = cells["subject_hash"] or kind.capitalize()
    if done or "completed_at" in cells:
        doc["status"] = "COMPLETED" if done else "OPEN"
    doc |= _MAKERS.get(kind, _task)(cells)
    return ACTIVITIES.get(kind, ACTIVITIES["task"]), doc


def _first(cells: Mapping[str, str], *columns: str) -> str:
    return next((cells[name] for name in columns if cells.get(name)), "")


def _span(cells: Mapping[str, str], start: str, names: tuple[str, str]) -> Doc:
    if not start:
        return {}
    seconds = int(float(cells.get("duration_seconds") or 0))
    return {names[0]: moment(start), names[1]: wire(moment_of(read_iso(start) + seconds * 1_000_000))}


def _at(name: str, text: str) -> Doc:
    return {name: moment(text)} if text else {}


def _done(cells: Mapping[str, str]) -> Doc:
    return _at("completedDateTime", cells.get("completed_at") or "")


def _task(cells: Mapping[str, str]) -> Doc:
    return {**_at("dueDateTime", cells.get("planned_at") or ""), **_done(cells)}


def _scheduled(cells: Mapping[str, str]) -> Doc:
    start = _first(cells, "planned_at", "completed_at", "created_at")
    return {**_span(cells, start, ("scheduledStartDateTime", "scheduledEndDateTime")), **_done(cells)}


def _meeting(cells: Mapping[str, str]) -> Doc:
    people = [{"id": _person(one)} for one in (cells.get("participant_ids") or "").split(";") if one]
    return {**_scheduled(cells), **({"attendees": people} if people else {})}


def _visit(cells: Mapping[str, str]) -> Doc:
    return {**_scheduled(cells), "visitType": "0001"}


def _call(cells: Mapping[str, str]) -> Doc:
    start = _first(cells, "completed_at", "planned_at", "created_at")
    return {**_span(cells, start, ("startDateTime", "endDateTime")), **_done(cells), **_way(cells)}


def _email(cells: Mapping[str, str]) -> Doc:
    return {**_at("sentDateTime", _first(cells, "completed_at", "planned_at")), **_way(cells)}


def _way(cells: Mapping[str, str]) -> Doc:
    return {"direction": cells["direction"].upper()} if cells.get("direction") else {}


_MAKERS = {"task": _task, "meeting": _meeting, "visit": _visit, "call": _call, "email": _email}
