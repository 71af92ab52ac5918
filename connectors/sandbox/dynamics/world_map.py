"""Cells of a world to properties of Dataverse, per record; nothing is kept for an empty cell."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.sandbox.dynamics.store import stamp

Cells = Mapping[str, str]

FORECASTS = {
    "pipeline": 100000001, "best case": 100000002, "commit": 100000003, "committed": 100000003, "omitted": 100000004,
    "closed": 100000005, "won": 100000005, "lost": 100000006,
}  # fmt: skip
"""msdyn_forecastcategory by the world's word."""

STATUS = {"open": (0, 1), "won": (1, 3), "omitted": (2, 4), "lost": (2, 5)}
"""State and status of an opportunity by the world's outcome: an omitted one was canceled, a lost one out-sold."""

KINDS = {"call": "phonecall", "meeting": "appointment", "visit": "appointment", "email": "email", "task": "task"}
"""Tables of activities by the world's kind."""

PEOPLE = {
    "territory": "_territoryid_value",
    "region": "new_region",
    "started_on": "new_startedon",
    "ended_on": "new_endedon",
    "role": "jobtitle",
    "email": "internalemailaddress",
}
DEALS = {
    "name": "name", "external_id": "new_externalid", "product": "new_product", "source": "new_source", "type": "new_type",
    "next_step": "new_nextstep", "stage": "stepname", "close_on": "estimatedclosedate",
}  # fmt: skip
"""Columns that are kept as they are."""


def moment(text: str | None) -> str | None:
    """A world's moment or date as Dataverse writes it."""
    if not text:
        return None
    if len(text) == 20 and text[-1] == "Z":
        return text  # as a world writes nearly all of them
    found = datetime.fromisoformat(text)
    return stamp(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))


def number(text: str | None) -> Decimal | None:
    """A world's number."""
    return Decimal(text) if text else None


def percent(text: str | None) -> Decimal | None:
    """A fraction as percent."""
    found = number(text)
    return None if found is None else found * 100


def person_fields(cells: Cells) -> dict[str, Any]:
    """Plain columns of a systemuser."""
    found: dict[str, Any] = {
        PEOPLE[name]: cells[name] or None for name in PEOPLE if name in cells and name != "territory"
    }
    if "name" in cells:
        first, _, last = cells["name"].rpartition(" ")
        found |= {"fullname": cells["name"], "firstname": first or None, "lastname": last or None}
    if cells.get("email"):
        found["domainname"] = cells["email"]
    if "active" in cells:
        found["isdisabled"] = cells["active"] == "false"
    return found


def deal_fields(cells: Cells) -> dict[str, Any]:
    """Plain columns of an opportunity."""
    found: dict[str, Any] = {DEALS[name]: cells[name] or None for name in DEALS if name in cells}
    if "amount" in cells:
        found["estimatedvalue"] = number(cells["amount"])
    if "probability" in cells:
        share = percent(cells["probability"])
        found["closeprobability"] = None if share is None else int(share)
    if "discount" in cells:
        found["discountpercentage"] = percent(cells["discount"])
    if "forecast_category" in cells:
        found["msdyn_forecastcategory"] = FORECASTS.get(cells["forecast_category"].lower())
    if "closed_at" in cells:
        found["actualclosedate"] = cells["closed_at"][:10] or None
    return found


def activity_fields(kind: str, cells: Cells) -> dict[str, Any]:
    """Plain columns of an activity; ``kind`` is the world's."""
    done, planned = moment(cells.get("completed_at")), moment(cells.get("planned_at"))
    seconds = number(cells.get("duration_seconds"))
    minutes = None if seconds is None else round(seconds / 60)
    found: dict[str, Any] = {
        "subject": cells.get("subject_hash") or kind.capitalize(),
        "actualend": done,
        "actualstart": _earlier(done, minutes),
        "actualdurationminutes": minutes if done else None,
        "scheduledstart": planned,
        "scheduledend": _earlier(planned, -(minutes or 0)),
        "scheduleddurationminutes": minutes if planned else None,
        "isworkflowcreated": cells.get("auto_logged") == "true",
        "instancetypecode": 0,
        "prioritycode": 1,
        "isregularactivity": True,
        "activitytypecode": KINDS[kind],
    }
    return found | _by_kind(kind, cells, done)


def _by_kind(kind: str, cells: Cells, done: str | None) -> dict[str, Any]:
    outbound = cells.get("direction") != "inbound"
    if kind == "call":
        status = (1, 2 if outbound else 4) if done else (0, 1)
        left = {"leftvoicemail": cells["two_way"] == "false"} if cells.get("two_way") else {}
        return {"directioncode": outbound, "statecode": status[0], "statuscode": status[1], **left}
    if kind == "email":
        status = (1, 3 if outbound else 4) if done else (0, 1)
        return {"directioncode": outbound, "senton": done, "statecode": status[0], "statuscode": status[1]}
    if kind == "task":
        return {"percentcomplete": 100 if done else 0, "statecode": 1 if done else 0, "statuscode": 5 if done else 2}
    status = (1, 3) if done else (3, 5)
    visit = {"category": "Visit"} if kind == "visit" else {}
    return {"isalldayevent": False, "statecode": status[0], "statuscode": status[1], **visit}


def _earlier(text: str | None, minutes: int | None) -> str | None:
    if text is None or minutes is None:
        return text
    return stamp(datetime.fromisoformat(text) - timedelta(minutes=minutes))


def fiscal_period(start: str) -> dict[str, int]:
    """Fiscal quarter and year of a goal that begins on a day."""
    day = date.fromisoformat(start)
    return {"fiscalperiod": (day.month - 1) // 3 + 1, "fiscalyear": day.year}
