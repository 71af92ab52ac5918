"""What the SAP connector reads, as data: streams, their default mapping, and how each set is asked.

Sets and properties: docs/connectors/sap.md. A path that begins with ``@`` is no property of SAP: the connector makes it from
the properties named in ``Reading.derived``, or from another set.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.base import From, Stream
from connectors.own_streams import own_streams
from connectors.records import RECORDS
from connectors.sap.rows import (
    STAMP,
    as_list,
    closed_at,
    ended_by,
    is_active,
    mail_owner,
    outcome_of,
    own_fields,
    sent_at,
    span_of,
    split_kind,
    task_owner,
)
from connectors.sap.settings import OWN_KINDS, SapSettings
from connectors.sap.values import (
    Row,
    automatic,
    day,
    direction,
    fraction,
    last_day,
    moment,
    noon,
    seconds,
)

CATEGORY = "Category"


def _no_condition(_settings: SapSettings) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one stream's set is asked, beyond its mapping.

    ``where`` always holds; ``derived`` names what the connector makes: our ``@`` path, the properties it takes, and how;
    ``linked`` says that the deal stands in another set, by the row's UUID.
    """

    where: Callable[[SapSettings], str] = _no_condition
    derived: Mapping[str, tuple[tuple[str, ...], Callable[[Row, SapSettings], Any]]] = field(default_factory=dict)
    linked: bool = False


_KEY: dict[str, str | From] = {"remote_id": "ObjectID", "modified_at": From(STAMP, moment)}
_ACTIVITY: dict[str, str | From] = {
    **_KEY,
    "account_id": "MainAccountPartyID",
    "opportunity_id": "@opportunity",
    "contact_ids": From("MainContactPartyID", as_list),
    "auto_logged": From("DataOriginTypeCode", automatic),
    "subject_hash": "Subject",
}
_APPOINTMENT: dict[str, str | From] = {
    **_ACTIVITY,
    "owner_id": "OwnerPartyID",
    "created_at": From("CreatedOn", moment),
    "planned_at": From("StartDate", moment),
    "completed_at": From("@completed", moment),
    "duration_seconds": "@duration",
}
_LINKED = frozenset({"opportunity_id"})
_TIMED: Mapping[str, Any] = {
    "@completed": (("LifeCycleStatusCode", "StartDate", "EndDate"), ended_by("LifeCycleStatusCode")),
    "@duration": (("StartDate", "EndDate"), span_of),
}

STREAMS: tuple[Stream, ...] = (
    Stream(
        "person",
        "EmployeeCollection",
        fields={
            # Deals and activities name people by this number, never by EmployeeID or ObjectID.
            "remote_id": "BusinessPartnerID",
            "modified_at": From(STAMP, moment),
            "name": "BusinessPartnerFormattedName",
            "email": "Email",
            "active": "@active",
            "manager_id": "@manager",
            "team": "@team",
            "role": "@role",
            "region": "RegionCode",
            "started_on": From("EmployeeValidityStartDate", day),
            "ended_on": From("EmployeeValidityEndDate", last_day),
        },
        separate=frozenset({"manager_id", "team", "role"}),
    ),
    Stream(
        "account",
        "CorporateAccountCollection",
        fields={
            "remote_id": "AccountID",
            "modified_at": From(STAMP, moment),
            "name": "Name",
            "parent_id": "ParentAccountID",
            "owner_id": "OwnerID",
            "industry": "IndustrialSectorCode",
            "region": "StateCode",
            "created_at": From("CreationOn", moment),
        },
    ),
    Stream(
        "opportunity",
        "OpportunityCollection",
        fields={
            **_KEY,
            "name": "Name",
            "account_id": "ProspectPartyID",
            "owner_id": "MainEmployeeResponsiblePartyID",
            "pipeline": "SalesCycleCode",
            "stage": "SalesCyclePhaseCode",
            "outcome": "@outcome",
            "amount": "ExpectedRevenueAmount",
            "currency": "ExpectedRevenueAmountCurrencyCode",
            "created_at": From("CreationDateTime", moment),
            "close_on": From("ExpectedProcessingEndDate", day),
            "closed_at": From("@closed", noon),
            "type": "GroupCode",
            "source": "OriginTypeCode",
            "probability": From("ProbabilityPercent", fraction),
            "forecast_category": "SalesForecastCategoryCode",
            "external_id": "ExternalID",
        },
    ),
    Stream(
        "history",
        "OpportunityHistoricalVersionCollection",
        record="change",
        fields={
            "remote_id": "@id",
            "modified_at": From(STAMP, moment),
            "record_id": "ParentObjectID",
            "field": "@field",
            "old": "@old",
            "new": "@new",
            "at": From("CreationDateTime", moment),
            "by": "CreatedBy",
        },
        constants={"record": "opportunity"},
        optional=True,
    ),
    Stream(
        "split",
        "OpportunitySalesTeamPartyCollection",
        fields={
            **_KEY,
            "opportunity_id": "ParentObjectID",
            "person_id": "PartyID",
            # No standard property: map your own, such as ZShare_KUT. A row without a share gives nobody credit.
            "percentage": From("@percentage", fraction),
            "kind": "@kind",
        },
        optional=True,
    ),
    Stream(
        "line_item",
        "OpportunityItemCollection",
        fields={
            **_KEY,
            "opportunity_id": "ParentObjectID",
            "product": "ProductID",
            "quantity": "Quantity",
            "amount": "NetAmount",
        },
        optional=True,
    ),
    Stream(
        "call",
        "PhoneCallCollection",
        record="activity",
        fields={**_APPOINTMENT, "direction": From("Direction", direction)},
        constants={"kind": "call"},
        separate=_LINKED,
        optional=True,
    ),
    Stream(
        "meeting",
        "AppointmentCollection",
        record="activity",
        fields=_APPOINTMENT,
        constants={"kind": "meeting"},
        separate=_LINKED,
    ),
    Stream(
        "visit",
        "AppointmentCollection",
        record="activity",
        fields=_APPOINTMENT,
        constants={"kind": "visit"},
        separate=_LINKED,
    ),
    Stream(
        "email",
        "EMailCollection",
        record="activity",
        fields={
            **_ACTIVITY,
            "owner_id": "@owner",
            "direction": From("Direction", direction),
            "completed_at": From("@sent", moment),
        },
        constants={"kind": "email"},
        separate=_LINKED,
    ),
    Stream(
        "task",
        "TasksCollection",
        record="activity",
        fields={
            **_ACTIVITY,
            "owner_id": "@owner",
            "planned_at": From("DueDateTime", moment),
            "completed_at": From("CompletionDateTime", moment),
            "duration_seconds": From("ActualDuration", seconds),
        },
        constants={"kind": "task"},
        separate=_LINKED,
    ),
    *(
        replace(one, fields={**one.fields, **own_fields(RECORDS[one.name].model_fields)}, separate=frozenset())
        for one in own_streams(_KEY, OWN_KINDS)
    ),
)


def _visits(settings: SapSettings) -> str:
    return "(" + " or ".join(f"{CATEGORY} eq '{code}'" for code in settings.visit_categories) + ")"


def _meetings(settings: SapSettings) -> str:
    return " and ".join(f"{CATEGORY} ne '{code}'" for code in settings.visit_categories)


READINGS: Mapping[str, Reading] = {
    "person": Reading(derived={"@active": (("UserLockedIndicator",), is_active)}),
    "account": Reading(),
    "opportunity": Reading(
        derived={
            "@outcome": (("LifeCycleStatusCode",), outcome_of),
            "@closed": (("LifeCycleStatusCode", "ProcessStatusValidSinceDate"), closed_at),
        }
    ),
    "history": Reading(),
    "split": Reading(derived={"@kind": (("RoleCode",), split_kind)}),
    "line_item": Reading(),
    "call": Reading(derived=_TIMED, linked=True),
    "meeting": Reading(where=_meetings, derived=_TIMED, linked=True),
    "visit": Reading(where=_visits, derived=_TIMED, linked=True),
    "email": Reading(
        derived={
            "@owner": (("OwnerPartyID", "MessageFromPartyID", "Direction"), mail_owner),
            "@sent": (("DateTime", "Status", "Direction"), sent_at),
        },
        linked=True,
    ),
    "task": Reading(
        derived={"@owner": (("ProcessorPartyID", "MainEmployeeResponsiblePartyID"), task_owner)}, linked=True
    ),
    **dict.fromkeys(OWN_KINDS, Reading()),
}
