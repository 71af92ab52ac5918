"""What the SAP Version 2 connector reads, as data: streams, their default mapping, and what the connector makes of rows.

Services and fields: docs/connectors/sap_v2.md. A path that begins with ``@`` is no field of SAP: the connector makes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.base import From, Stream
from connectors.own_streams import day, own_streams
from connectors.records import RECORDS
from connectors.sap_v2.settings import OWN_KINDS, SapV2Settings
from connectors.sap_v2.values import Row, at_path, fraction, moment, seconds_between, stamp

COMPLETED = "COMPLETED"
DEAL = "72"
"""Type of an opportunity among the objects that an activity is related to."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the connector makes of a stream's rows: our ``@`` path, the fields it takes, and how."""

    derived: Mapping[str, tuple[tuple[str, ...], Callable[[Row, SapV2Settings], Any]]] = field(default_factory=dict)


def _outcome(row: Row, settings: SapV2Settings) -> str | None:
    return settings.statuses.get(str(row.get("status") or ""))


def _types(row: Row) -> list[Row]:
    found = row.get("employeeTypes")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _active(row: Row, _settings: SapV2Settings) -> bool | None:
    status = row.get("lifeCycleStatus")
    return None if not status else status == "ACTIVE"


def _started(row: Row, _settings: SapV2Settings) -> str | None:
    return min((one["validFrom"][:10] for one in _types(row) if one.get("validFrom")), default=None)


def _ended(row: Row, _settings: SapV2Settings) -> str | None:
    last = max((one["validTo"][:10] for one in _types(row) if one.get("validTo")), default=None)
    return None if last is None or last.startswith("9999") else last


def _deal(related: Any) -> str | None:
    """The opportunity among the objects that an activity is related to."""
    rows = related if isinstance(related, list) else []
    return next((str(one["objectId"]) for one in rows if isinstance(one, dict) and one.get("type") == DEAL), None)


def _done(*times: str) -> Callable[[Row, SapV2Settings], str | None]:
    """When a completed activity ended: its own time, else that of its last change, which is not earlier."""

    def at(row: Row, _settings: SapV2Settings) -> str | None:
        if row.get("status") != COMPLETED:
            return None
        return next((str(row[name]) for name in times if row.get(name)), stamp(row) or None)

    return at


def _span(start: str, end: str) -> Callable[[Row, SapV2Settings], int | None]:
    return lambda row, _settings: seconds_between(row.get(start), row.get(end))


def _product(row: Row, _settings: SapV2Settings) -> str | None:
    product: str | None = row.get("productDisplayId") or row.get("productId")
    return product


_KEY: dict[str, str | From] = {"remote_id": "id", "modified_at": From("adminData.updatedOn", moment)}
_ACTIVITY: dict[str, str | From] = {
    **_KEY,
    "owner_id": "owner.id",
    "account_id": "account.id",
    "opportunity_id": From("relatedObjects", _deal),
    "contact_ids": From("primaryContact.id", lambda contact: [contact]),
    "created_at": From("adminData.createdOn", moment),
    "subject_hash": "description",
    "completed_at": From("@completed", moment),
}
_SCHEDULED: dict[str, str | From] = {
    **_ACTIVITY,
    "planned_at": From("scheduledStartDateTime", moment),
    "duration_seconds": "@duration",
}
_DIRECTION = From("direction", {"INBOUND": "inbound", "OUTBOUND": "outbound"}.get)

_TURNS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("period_start", "period_end", "start_on", "end_on", "paid_on", "on", "until"), day),
    **dict.fromkeys(("at", "sent_at", "answered_at", "rated_at"), moment),
    "percentage": fraction,
}


def _own(stream: Stream) -> Stream:
    """A stream of the company's own service: its links are fields of the row, and whatever is a time is read as one."""
    turned = {
        ours: From(f"@{ours}", turn) for ours, turn in _TURNS.items() if ours in RECORDS[stream.kind].model_fields
    }
    return replace(stream, fields={**stream.fields, **turned}, separate=frozenset())


LINE_ITEM = Stream(
    "line_item",
    "opportunity-service/opportunities",
    fields={
        "remote_id": "id",
        "modified_at": From("@updated", moment),
        "opportunity_id": "@deal",
        "product": "@product",
        "quantity": "quantity.content",
        "amount": "netAmount.content",
    },
    filled_by="opportunity",
    optional=True,
)
"""Filled by the pages of ``opportunity``, which bring their items along."""

STREAMS: tuple[Stream, ...] = (
    Stream(
        "person",
        "employee-service/employees",
        fields={
            **_KEY,
            "name": "formattedName",
            "email": "workplaceAddress.eMail",
            "active": "@active",
            "manager_id": "managerId",
            "team": "organizationalUnitName",
            "started_on": "@started",
            "ended_on": "@ended",
        },
    ),
    Stream(
        "account",
        "account-service/accounts",
        fields={
            **_KEY,
            "name": "formattedName",
            "owner_id": "ownerId",
            "region": "defaultAddress.country",
            "created_at": From("adminData.createdOn", moment),
        },
    ),
    Stream(
        "opportunity",
        "opportunity-service/opportunities",
        fields={
            **_KEY,
            "name": "name",
            "account_id": "account.id",
            "owner_id": "owner.id",
            "stage": "salesPhase",
            "outcome": "@outcome",
            "amount": "expectedRevenueAmount.content",
            "currency": "expectedRevenueAmount.currencyCode",
            "created_at": From("adminData.createdOn", moment),
            "close_on": From("closeDate", lambda text: str(text)[:10]),
        },
    ),
    LINE_ITEM,
    Stream(
        "call",
        "phone-service/phoneCalls",
        record="activity",
        fields={
            **_ACTIVITY,
            "planned_at": From("startDateTime", moment),
            "duration_seconds": "@duration",
            "direction": _DIRECTION,
        },
        constants={"kind": "call"},
        optional=True,
    ),
    Stream(
        "meeting",
        "appointment-service/appointments",
        record="activity",
        fields=_SCHEDULED,
        constants={"kind": "meeting"},
        optional=True,
    ),
    Stream(
        "visit",
        "visit-service/visits",
        record="activity",
        fields=_SCHEDULED,
        constants={"kind": "visit"},
        optional=True,
    ),
    Stream(
        "email",
        "email-service/emails",
        record="activity",
        fields={**_ACTIVITY, "direction": _DIRECTION},
        constants={"kind": "email"},
        optional=True,
    ),
    Stream(
        "task",
        "task-service/tasks",
        record="activity",
        fields={
            **_ACTIVITY,
            "planned_at": From("dueDateTime", moment),
            "completed_at": From("@completed", moment, lasting=True),
        },
        constants={"kind": "task"},
    ),
    *(_own(stream) for stream in own_streams(_KEY, OWN_KINDS)),
)

_HELD = ("status", "scheduledStartDateTime", "scheduledEndDateTime")
_SCHEDULE: Mapping[str, Any] = {
    "@completed": (_HELD, _done("scheduledEndDateTime", "scheduledStartDateTime")),
    "@duration": (_HELD, _span("scheduledStartDateTime", "scheduledEndDateTime")),
}
_CALLED = ("status", "startDateTime", "endDateTime")

READINGS: Mapping[str, Reading] = {
    "person": Reading(
        {
            "@active": (("lifeCycleStatus",), _active),
            "@started": (("employeeTypes",), _started),
            "@ended": (("employeeTypes",), _ended),
        }
    ),
    "account": Reading(),
    "opportunity": Reading({"@outcome": (("status",), _outcome)}),
    "line_item": Reading({"@product": ((), _product)}),
    "call": Reading(
        {
            "@completed": (_CALLED, _done("endDateTime", "startDateTime")),
            "@duration": (_CALLED, _span("startDateTime", "endDateTime")),
        }
    ),
    "meeting": Reading(_SCHEDULE),
    "visit": Reading(_SCHEDULE),
    "email": Reading({"@completed": (("status", "sentDateTime"), _done("sentDateTime"))}),
    "task": Reading({"@completed": (("status",), _done())}),
    **dict.fromkeys(OWN_KINDS, Reading()),
}


def items_of(deal: Row) -> list[Row]:
    """The items of a deal as rows of their own."""
    found = deal.get("items")
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [{**one, "@deal": deal["id"], "@updated": at_path(deal, "adminData.updatedOn")} for one in rows]
