"""What the Zoho connector reads, as data: streams, their default mapping, and how each module is asked.

Modules and fields: docs/connectors/zoho.md. A path that begins with ``@`` is no field of Zoho: the connector makes it
from the fields named in ``Reading.derived``. ``Owner.id`` is the id of a lookup.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connectors.base import From, Stream
from connectors.own_streams import own_streams
from connectors.zoho import coql
from connectors.zoho.settings import OWN_KINDS
from connectors.zoho.values import (
    DIRECTIONS,
    Row,
    call_done_at,
    call_planned_at,
    call_seconds,
    event_end,
    event_seconds,
    event_start,
    fraction,
    mail_direction,
    noon,
    task_done_at,
)

STAMP = "Modified_Time"


@dataclass(frozen=True, slots=True)
class Reading:
    """How one stream's module is asked, beyond its mapping.

    ``since`` makes the condition of a first load that starts at a day; ``derived`` names what the connector makes: our
    ``@`` path, the fields it takes, and how (None: `connectors.zoho.read` fills it in by itself).
    """

    since: Callable[[date], str] | None = None
    deletions: bool = False
    """Whether the module tells what was deleted."""
    needs: str = ""
    """A column without which a row means nothing to us: such rows are not asked for."""
    derived: Mapping[str, tuple[tuple[str, ...], Callable[[Row], Any] | None]] = field(default_factory=dict)


_KEY = {"remote_id": "id", "modified_at": STAMP, "deleted": "@deleted"}
_ACTIVITY: dict[str, str | From] = {
    **_KEY,
    "owner_id": "Owner.id",
    "opportunity_id": "@opportunity_id",
    "account_id": "@account_id",
    "contact_ids": From("Who_Id.id", lambda who: [who]),
    "created_at": "Created_Time",
}
_LINKS: dict[str, tuple[tuple[str, ...], None]] = {
    "@opportunity_id": (("What_Id",), None),
    "@account_id": (("What_Id",), None),
}
_CHANGE = {"remote_id": "id", "record_id": "@deal", "old": "@old", "new": "@new", "at": "@at", "by": "@by"}

STREAMS: tuple[Stream, ...] = (
    Stream(
        "person",
        "users",
        fields={
            **_KEY,
            "name": "full_name",
            "email": "email",
            "active": From("status", lambda status: status == "active"),
            "manager_id": "Reporting_To.id",
            "territory": From("territories", lambda found: found[0].get("name") if found else None),
            "region": "country",
            "role": "role.name",
        },
    ),
    Stream(
        "account",
        "Accounts",
        fields={
            **_KEY,
            "name": "Account_Name",
            "parent_id": "Parent_Account.id",
            "owner_id": "Owner.id",
            "industry": "Industry",
            "region": "Billing_Country",
            "created_at": "Created_Time",
        },
    ),
    Stream(
        "stage",
        "settings/pipeline",
        schedule="metadata",
        fields={
            "remote_id": "@id",
            "pipeline": "@pipeline",
            "stage": "actual_value",
            "label": "display_value",
            "position": "sequence_number",
            "outcome": "@outcome",
        },
    ),
    Stream(
        "opportunity",
        "Deals",
        fields={
            **_KEY,
            "name": "Deal_Name",
            "account_id": "Account_Name.id",
            "owner_id": "Owner.id",
            "pipeline": "Pipeline",
            "stage": "Stage",
            "amount": "Amount",
            "currency": "@currency",
            "created_at": "Created_Time",
            "close_on": "Closing_Date",
            "type": "Type",
            "source": "Lead_Source",
            "probability": From("Probability", fraction),
            "next_step": "Next_Step",
        },
    ),
    Stream(
        "history",
        "DealHistory",
        record="change",
        fields={**_CHANGE, "modified_at": STAMP},
        constants={"record": "opportunity", "field": "stage"},
    ),
    Stream(
        "email",
        "Emails",
        record="activity",
        optional=True,
        fields={
            "remote_id": "message_id",
            "modified_at": "time",
            "owner_id": "owner.id",
            "opportunity_id": "@deal",
            "direction": "@direction",
            "created_at": "time",
            "completed_at": "time",
            "subject_hash": "subject",
        },
        constants={"kind": "email"},
    ),
    Stream(
        "call",
        "Calls",
        record="activity",
        fields={
            **_ACTIVITY,
            "direction": From("Call_Type", DIRECTIONS.get),
            "planned_at": "@planned_at",
            "completed_at": "@completed_at",
            "duration_seconds": "@seconds",
            "subject_hash": "Subject",
        },
        constants={"kind": "call"},
    ),
    Stream(
        "meeting",
        "Events",
        record="activity",
        fields={
            **_ACTIVITY,
            "planned_at": "@planned_at",
            "completed_at": "@completed_at",
            "duration_seconds": "@seconds",
            "subject_hash": "Event_Title",
        },
        constants={"kind": "meeting"},
    ),
    Stream(
        "task",
        "Tasks",
        record="activity",
        fields={
            **_ACTIVITY,
            "planned_at": From("Due_Date", noon),
            "completed_at": "@completed_at",
            "subject_hash": "Subject",
        },
        constants={"kind": "task"},
    ),
    Stream(
        "timeline",
        "__timeline",
        record="change",
        optional=True,
        fields={**_CHANGE, "modified_at": "@at", "field": "@field"},
        constants={"record": "opportunity"},
    ),
    Stream(
        "line_item",
        "Quoted_Items",
        optional=True,
        fields={
            **_KEY,
            "opportunity_id": "Parent_Id.Deal_Name.id",
            "product": "Product_Name.Product_Name",
            "quantity": "Quantity",
            "amount": "Net_Total",
        },
    ),
    Stream(
        "rate",
        "org/currencies",
        schedule="metadata",
        optional=True,
        fields={
            "remote_id": "id",
            "currency": "iso_code",
            "to": "@to",
            "rate": "@rate",
            "on": "@on",
            "until": "@until",
        },
    ),
    *own_streams(_KEY, OWN_KINDS),
)

_CREATED = Reading(since=lambda since: f"Created_Time >= {coql.day_start(since)}")

READINGS: dict[str, Reading] = {
    "person": Reading(),
    "account": Reading(deletions=True),
    "stage": Reading(),
    "opportunity": Reading(
        # Which stages are open only the pipelines tell: a deal that somebody still works on was changed since.
        since=lambda since: f"(Closing_Date >= '{since}' or {STAMP} >= {coql.day_start(since)})",
        deletions=True,
        derived={"@currency": (("Currency",), None)},
    ),
    "history": Reading(),  # its `since` is applied after the comparison with the row before
    "call": Reading(
        since=_CREATED.since,
        deletions=True,
        derived={
            **_LINKS,
            "@planned_at": (("Outgoing_Call_Status", "Call_Start_Time"), call_planned_at),
            "@completed_at": (("Outgoing_Call_Status", "Call_Type", "Call_Start_Time"), call_done_at),
            "@seconds": (("Call_Duration_in_seconds", "Call_Duration"), call_seconds),
        },
    ),
    "meeting": Reading(
        since=_CREATED.since,
        deletions=True,
        derived={
            **_LINKS,
            "@planned_at": (("All_day", "Start_DateTime"), event_start),
            "@completed_at": (("All_day", "End_DateTime"), event_end),
            "@seconds": (("All_day", "Start_DateTime", "End_DateTime"), event_seconds),
        },
    ),
    "task": Reading(
        since=_CREATED.since,
        deletions=True,
        derived={**_LINKS, "@completed_at": (("Status", "Closed_Time", "Due_Date"), task_done_at)},
    ),
    "email": Reading(derived={"@direction": (("sent",), mail_direction)}),
    "timeline": Reading(),
    "line_item": Reading(needs="Parent_Id.Deal_Name"),  # a quote need not belong to a deal
    "rate": Reading(),
    **{kind: Reading(deletions=True) for kind in OWN_KINDS},
}

LOAD_BEARING = frozenset(
    {
        "Amount", "Currency", "Stage", "Closing_Date", "Owner", "Account_Name", "Created_Time", STAMP, "What_Id", "Potential_Name",
        "Call_Start_Time", "Start_DateTime", "End_DateTime", "Status", "Parent_Id.Deal_Name", "Quantity", "Net_Total",
    }
)  # fmt: skip
"""Fields whose absence would make wrong numbers: a stream without one of them stops. Others are left unknown."""

HISTORY_COLUMNS = ("id", STAMP, "Potential_Name", "Stage", "Modified_By")
"""What DealHistory is read with: the mapping sees the changes that ``zoho_history`` makes of rows."""

PER_DEAL = frozenset({"email", "timeline"})
NO_MODULE = frozenset({"person", "stage", "rate", "email", "timeline"})
"""Streams that no query reads."""
