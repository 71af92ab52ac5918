"""What the Salesforce connector reads, as data: streams, their default mapping, and how each object is asked.

Objects and fields: docs/connectors/salesforce.md. A path that begins with ``@`` is no field of Salesforce: the
connector makes it from the fields named in ``Reading.derived``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any

from connectors.base import From, Stream
from connectors.salesforce.extras import EXTRAS, OWN
from connectors.salesforce.forecasts import AMOUNTS, FORECASTS
from connectors.salesforce.values import (
    DIRECTIONS,
    Row,
    account_id,
    closed_at,
    event_at,
    forecast_category,
    fraction,
    full_id,
    noon,
    opportunity_id,
    outcome,
    since_activity,
    stage_outcome,
    task_done_at,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How one stream's object is asked, beyond its mapping.

    ``where`` always holds; ``since`` makes the condition of a first load that starts at a day; ``derived`` names what
    the connector makes: our ``@`` path, the fields it takes, and how.
    """

    where: str = ""
    since: Callable[[date], str] | None = None
    cursor: str = "SystemModstamp"
    recycled: bool = True
    """Whether the object has IsDeleted, and queryAll shows its deleted (and archived) rows."""
    deletions: bool = False
    """Whether the delete log is read for this stream."""
    derived: Mapping[str, tuple[tuple[str, ...], Callable[[Row], Any]]] = field(default_factory=dict)


_KEY = {"remote_id": "Id", "modified_at": "SystemModstamp"}
_KEPT = {**_KEY, "deleted": "IsDeleted"}
_CHANGE: dict[str, str | From] = {
    "remote_id": "Id",
    "deleted": "IsDeleted",
    "record_id": "OpportunityId",
    "old": "OldValue",
    "new": "NewValue",
    "at": "CreatedDate",
    "by": "CreatedById",
}
_ACTIVITY: dict[str, str | From] = {
    **_KEPT,
    "owner_id": "OwnerId",
    "opportunity_id": From("WhatId", opportunity_id),
    "account_id": "@account_id",
    "contact_ids": From("WhoId", lambda who: [who]),
    "created_at": "CreatedDate",
    "subject_hash": "Subject",
}
_TASK: dict[str, str | From] = {
    **_ACTIVITY,
    "planned_at": From("ActivityDate", noon),
    "completed_at": "@completed_at",
}
_TASK_READING: dict[str, Any] = {
    "since": since_activity,
    "derived": {
        "@account_id": (("AccountId", "WhatId"), account_id),
        "@completed_at": (("IsClosed", "CompletedDateTime", "ActivityDate"), task_done_at),
    },
}

STREAMS: tuple[Stream, ...] = (
    Stream(
        "person",
        "User",
        fields={
            **_KEY,
            "name": "Name",
            "email": "Email",
            "active": "IsActive",
            "manager_id": "ManagerId",
            "team": "Department",
            "region": "Division",
            "role": "Title",
        },
    ),
    Stream(
        "account",
        "Account",
        fields={
            **_KEPT,
            "name": "Name",
            "parent_id": "ParentId",
            "owner_id": "OwnerId",
            "industry": "Industry",
            "region": "BillingCountry",
            "created_at": "CreatedDate",
        },
    ),
    Stream(
        "stage",
        "OpportunityStage",
        schedule="metadata",
        fields={
            **_KEY,
            "stage": "ApiName",
            "label": "MasterLabel",
            "position": "SortOrder",
            "outcome": "@outcome",
            "probability": From("DefaultProbability", fraction),
        },
    ),
    Stream(
        "opportunity",
        "Opportunity",
        fields={
            **_KEPT,
            "name": "Name",
            "account_id": "AccountId",
            "owner_id": "OwnerId",
            "stage": "StageName",
            "outcome": "@outcome",
            "amount": "Amount",
            "currency": "CurrencyIsoCode",
            "created_at": "CreatedDate",
            "close_on": "CloseDate",
            "closed_at": "@closed_at",
            "type": "Type",
            "source": "LeadSource",
            "probability": From("Probability", fraction),
            "forecast_category": From("ForecastCategory", forecast_category),
            "next_step": "NextStep",
        },
    ),
    Stream(
        "history",
        "OpportunityHistory",
        record="change",
        fields={**_CHANGE, "modified_at": "SystemModstamp", "field": "Field"},
        constants={"record": "opportunity"},
    ),
    Stream(
        "field_history",
        "OpportunityFieldHistory",
        record="change",
        fields={
            **_CHANGE,
            "modified_at": "CreatedDate",  # rows never change: the object has no other stamp
            "old": From("OldValue", full_id),
            "new": From("NewValue", full_id),
        },
        constants={"record": "opportunity", "field": "owner_id"},
    ),
    Stream(
        "call",
        "Task",
        record="activity",
        fields={
            **_TASK,
            "direction": From("CallType", DIRECTIONS.get),
            "duration_seconds": "CallDurationInSeconds",
        },
        constants={"kind": "call"},
    ),
    Stream("email", "Task", record="activity", fields=_TASK, constants={"kind": "email"}),
    Stream("task", "Task", record="activity", fields=_TASK, constants={"kind": "task"}),
    Stream(
        "meeting",
        "Event",
        record="activity",
        fields={
            **_ACTIVITY,
            "planned_at": "@planned_at",
            "completed_at": "@completed_at",
            "duration_seconds": From("DurationInMinutes", lambda minutes: int(minutes) * 60),
        },
        constants={"kind": "meeting"},
    ),
    Stream(
        "target",
        "ForecastingQuota",
        schedule="metadata",
        optional=True,
        fields={
            **_KEY,
            "subject_id": "QuotaOwnerId",
            "period_start": "StartDate",
            "period_end": "@period_end",
            "amount": "QuotaAmount",
            "currency": "CurrencyIsoCode",
        },
        constants={"subject_kind": "person", "metric": "bookings"},
    ),
    Stream(
        "rate",
        "CurrencyType",
        schedule="metadata",
        optional=True,
        fields={
            "remote_id": "Id",
            "currency": "IsoCode",
            "to": "@to",
            "rate": "@rate",
            "on": "@on",
            "until": "@until",
        },
    ),
    *EXTRAS,
    FORECASTS,
    *OWN,
)

READINGS: dict[str, Reading] = {
    "person": Reading(where="UserType = 'Standard'", recycled=False),
    "account": Reading(deletions=True),
    "stage": Reading(recycled=False, derived={"@outcome": (("IsClosed", "IsWon", "ForecastCategory"), stage_outcome)}),
    "opportunity": Reading(
        since=lambda since: f"(CloseDate >= {since} OR IsClosed = false)",
        deletions=True,
        derived={
            "@outcome": (("IsClosed", "IsWon"), outcome),
            "@closed_at": (("IsClosed", "LastStageChangeDate"), closed_at),
        },
    ),
    "history": Reading(),  # its `since` is applied after the comparison with the row before
    "field_history": Reading(
        where="Field = 'Owner'", since=lambda since: f"CreatedDate >= {since}T00:00:00Z", cursor="CreatedDate"
    ),
    "call": Reading(where="TaskSubtype = 'Call'", **_TASK_READING),
    "email": Reading(where="TaskSubtype IN ('Email', 'ListEmail')", **_TASK_READING),
    "task": Reading(
        # Null is asked for by name: whether != takes null rows along is not worth relying on.
        where="(TaskSubtype = null OR "
        "(TaskSubtype != 'Call' AND TaskSubtype != 'Email' AND TaskSubtype != 'ListEmail'))",
        deletions=True,  # the delete log names no subtype: one stream reads it for all three
        **_TASK_READING,
    ),
    "meeting": Reading(
        where="IsChild = false",  # a group event has one row more for every invitee
        since=since_activity,
        deletions=True,
        derived={
            "@account_id": (("AccountId", "WhatId"), account_id),
            "@planned_at": (("IsAllDayEvent", "ActivityDate", "StartDateTime"), event_at("StartDateTime")),
            "@completed_at": (("IsAllDayEvent", "ActivityDate", "EndDateTime"), event_at("EndDateTime")),
        },
    ),
    "target": Reading(
        where="IsAmount = true",
        recycled=False,
        # Filled in by the connector from the Period object, before this is asked.
        derived={"@period_end": (("PeriodId",), lambda row: row.get("PeriodEnd"))},
    ),
    "rate": Reading(recycled=False),
    "split": Reading(where="SplitType.IsActive = true"),
    "line_item": Reading(),
    "forecasting_item": Reading(
        where="IsAmount = true AND ProductFamily = null",  # one of a family is a part, and would pass for the whole
        recycled=False,
        # Filled in by the connector, which makes several forecasts of an item.
        derived={"@layer": ((), itemgetter("@layer")), "@amount": (AMOUNTS, itemgetter("@amount"))},
    ),
    **{stream.name: Reading() for stream in OWN},
}

LOAD_BEARING = frozenset(
    {
        "Amount", "StageName", "CloseDate", "IsClosed", "IsWon", "OwnerId", "AccountId", "OpportunityId", "CreatedDate",
        "IsDeleted", "SystemModstamp", "ApiName", "WhatId", "OldValue", "NewValue", "QuotaAmount", "QuotaOwnerId",
        "StartDate", "SplitOwnerId", "SplitPercentage", "SplitType.IsTotalValidated", "TotalPrice",
        "Period.StartDate", "Period.EndDate", *AMOUNTS,
    }
)  # fmt: skip
"""Fields whose absence would make wrong numbers: a stream without one of them stops. Others are left unknown."""

HISTORY_COLUMNS = (
    "Id", "OpportunityId", "StageName", "Amount", "CloseDate", "Probability", "ForecastCategory",
    "CreatedDate", "CreatedById", "SystemModstamp", "IsDeleted",
)  # fmt: skip
"""What OpportunityHistory is read with: the mapping sees the changes that ``salesforce_history`` makes of rows."""
