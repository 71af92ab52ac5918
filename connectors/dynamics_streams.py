"""What the Dynamics 365 connector reads, as data: streams, their default mapping, and how each table is asked.

Tables and columns: docs/connectors/dynamics.md. A path is a column as JSON spells it (lookups: ``_ownerid_value``);
``column@label`` is what Dynamics shows for its value; a path that begins with ``@`` the connector makes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connectors import dynamics_values as values
from connectors.base import From, Stream
from connectors.dynamics_settings import DynamicsSettings

Derived = Mapping[str, tuple[tuple[str, ...], Callable[[values.Row, DynamicsSettings], Any]]]


@dataclass(frozen=True, slots=True)
class Reading:
    """How one stream's table is asked, beyond its mapping.

    ``table`` is its logical name, ``key`` its primary key. ``tracked``: read by change tracking where the table has it.
    ``where`` always holds (only for tables that are not tracked: change tracking takes no filter); ``since`` makes the
    condition of a first load that starts at a day; ``alive`` leaves out of id lists what counts as deleted; ``also``
    are columns wanted beside the mapping.
    """

    table: str
    key: str
    tracked: bool = True
    where: str = ""
    alive: str = ""
    cursor: str = "modifiedon"
    since: Callable[[date], str] | None = None
    derived: Derived = field(default_factory=dict)
    also: tuple[str, ...] = ()


CURRENCY, PIPELINE, TEAM, CONTACTS, PARTICIPANTS = "@currency", "@pipeline", "@team", "@contacts", "@participants"
METRIC, RATE = "@metric", "@rate"

FILLED: Mapping[str, tuple[str, ...]] = {
    CURRENCY: ("_transactioncurrencyid_value",),
    PIPELINE: ("processid",),
    METRIC: ("_metricid_value", "_metricid_value@label"),
    RATE: ("exchangerate",),
}
"""Paths that take rows of other tables, with the columns that lead there: ``dynamics_lookups`` fills them in."""

SHARE = "@share"
"""Where a split's share would come from: Dynamics has no column for it, so that the admin must name one."""

_MADE: Derived = {
    "@owner": (("_ownerid_value",), values.owner),
    "@deleted": ((), lambda _row, _settings: False),
}
_ABOUT: Derived = {
    **_MADE,
    "@opportunity": (("_regardingobjectid_value",), values.regarding("opportunity")),
    "@account": (("_regardingobjectid_value",), values.regarding("account")),
    "@planned_at": (("scheduledstart", "scheduledend"), values.planned_at),
    "@due_at": (("scheduledstart", "scheduledend"), values.due_at),
    "@completed_at": (("statecode", "actualend", "scheduledend", "scheduledstart"), values.done_at),
    "@sent_at": (("statecode", "senton", "actualend"), values.sent_at),
    "@seconds": (("actualdurationminutes", "scheduleddurationminutes"), values.seconds),
    "@talked": (("leftvoicemail", "statecode"), values.talked),
    "@kind": (("category",), values.meeting_kind),
}

_STAMP = {"modified_at": "modifiedon", "deleted": "@deleted"}
_ACTIVITY: dict[str, str | From] = {
    **_STAMP,
    "remote_id": "activityid",
    "owner_id": "@owner",
    "opportunity_id": "@opportunity",
    "account_id": "@account",
    "contact_ids": CONTACTS,
    "participant_ids": PARTICIPANTS,
    "auto_logged": "isworkflowcreated",
    "created_at": "createdon",
    "planned_at": "@planned_at",
    "completed_at": "@completed_at",
    "duration_seconds": "@seconds",
    "subject_hash": "subject",
}
_PARTIES = frozenset({"contact_ids", "participant_ids"})
_DIRECTION = From("directioncode", values.direction)


def _activity(name: str, remote: str, **more: str | From) -> Stream:
    constants = {} if "kind" in more else {"kind": name}
    return Stream(
        name, remote, record="activity", fields={**_ACTIVITY, **more}, constants=constants, separate=_PARTIES
    )


STREAMS: tuple[Stream, ...] = (
    Stream(
        "person",
        "systemusers",
        fields={
            **_STAMP,
            "remote_id": "systemuserid",
            "name": "fullname",
            "email": "internalemailaddress",
            "active": "@active",
            "manager_id": "_parentsystemuserid_value",
            "team": TEAM,
            "territory": "_territoryid_value@label",
            "role": "jobtitle",
        },
        separate=frozenset({"team"}),
    ),
    Stream(
        "account",
        "accounts",
        fields={
            **_STAMP,
            "remote_id": "accountid",
            "name": "name",
            "parent_id": "_parentaccountid_value",
            "owner_id": "@owner",
            "industry": "industrycode@label",
            "region": "address1_country",
            "created_at": "createdon",
        },
    ),
    Stream(
        "stage",
        "processstages",
        schedule="metadata",
        fields={
            "remote_id": "processstageid",
            "pipeline": "_processid_value@label",
            "stage": From("stagename", values.plain_stage),
            "label": "stagename",
            "position": From("stagecategory", lambda category: int(category) + 1),
            "outcome": "@outcome",
        },
    ),
    Stream(
        "opportunity",
        "opportunities",
        fields={
            **_STAMP,
            "remote_id": "opportunityid",
            "name": "name",
            "account_id": "@account",
            "owner_id": "@owner",
            "pipeline": PIPELINE,
            "stage": "@stage",
            "outcome": "@outcome",
            "amount": "estimatedvalue",
            "currency": CURRENCY,
            "created_at": "createdon",
            "close_on": "estimatedclosedate",
            "closed_at": "@closed_at",
            "probability": From("closeprobability", values.fraction),
            "forecast_category": From("msdyn_forecastcategory", values.forecast_category),
            "discount": From("discountpercentage", values.fraction),
        },
    ),
    Stream(
        "history",
        "audits",
        record="change",
        fields={name: name for name in ("remote_id", "record_id", "field", "old", "new", "at", "by")},
        constants={"record": "opportunity"},
    ),
    _activity("call", "phonecalls", direction=_DIRECTION, two_way="@talked"),
    _activity("meeting", "appointments", kind="@kind"),
    _activity("task", "tasks", planned_at="@due_at"),
    _activity("email", "emails", direction=_DIRECTION, completed_at="@sent_at"),
    Stream(
        "line_item",
        "opportunityproducts",
        fields={
            **_STAMP,
            "remote_id": "opportunityproductid",
            "opportunity_id": "_opportunityid_value",
            "product": "@product",
            "quantity": "quantity",
            "amount": "extendedamount",
        },
        optional=True,
    ),
    Stream(
        "split",
        "connections",
        fields={
            **_STAMP,
            "remote_id": "connectionid",
            "opportunity_id": "_record1id_value",
            "person_id": "_record2id_value",
            "percentage": From(SHARE, values.fraction),
        },
        optional=True,
    ),
    Stream(
        "case",
        "incidents",
        record="survey",
        fields={
            **_STAMP,
            "remote_id": "incidentid",
            "person_id": "@owner",
            "account_id": "@account",
            "answer": "customersatisfactioncode",
            "sent_at": "createdon",
            "answered_at": "modifiedon",
        },
        constants={"scale": "csat5"},
        optional=True,
    ),
    Stream(
        "survey",
        "msfp_surveyresponses",
        fields={
            **_STAMP,
            "remote_id": "activityid",
            "person_id": "@owner",
            "opportunity_id": "@opportunity",
            "account_id": "@account",
            "answer": "msfp_npsscore",
            "sent_at": "createdon",
            "answered_at": "msfp_submitdate",
        },
        constants={"scale": "nps"},
        optional=True,
    ),
    Stream(
        "target",
        "goals",
        schedule="metadata",
        fields={
            **_STAMP,
            "remote_id": "goalid",
            "subject_kind": "@subject_kind",
            "subject_id": "@subject",
            "metric": METRIC,
            "period_start": From("goalstartdate", values.whole_day),
            "period_end": From("goalenddate", values.whole_day),
            "amount": "@amount",
            "currency": CURRENCY,
        },
        optional=True,
    ),
    Stream(
        "rate",
        "transactioncurrencies",
        schedule="metadata",
        fields={
            "remote_id": "transactioncurrencyid",
            "currency": "isocurrencycode",
            "to": "@to",
            "rate": RATE,
            "on": "@on",
            "until": "@until",
        },
        optional=True,
    ),
)

_STATES = ("statecode", "statuscode")
READINGS: dict[str, Reading] = {
    "person": Reading(
        "systemuser",
        "systemuserid",
        derived={
            **_MADE,
            "@active": (("isdisabled", "accessmode", "applicationid"), values.is_active),
        },
    ),
    "account": Reading(
        "account",
        "accountid",
        alive="merged ne true",
        derived={**_MADE, "@deleted": (("merged",), values.merged_away)},
    ),
    "stage": Reading(
        "processstage",
        "processstageid",
        tracked=False,
        where="primaryentitytypecode eq 'opportunity'",
        derived={"@outcome": ((), lambda row, _settings: row.get("@outcome") or "open")},
    ),
    "opportunity": Reading(
        "opportunity",
        "opportunityid",
        since=values.since_deals,
        derived={
            **_MADE,
            "@account": (("_parentaccountid_value", "_customerid_value"), values.account_of),
            "@stage": (("stepname", *_STATES), values.stage),
            "@outcome": (_STATES, values.outcome),
            "@closed_at": (("statecode", "actualclosedate"), values.closed_at),
        },
        also=("actualvalue", "statecode"),
    ),
    "history": Reading("audit", "auditid", tracked=False, cursor="createdon"),
    "call": Reading("phonecall", "activityid", since=values.since_activities, derived=_ABOUT),
    "meeting": Reading("appointment", "activityid", since=values.since_activities, derived=_ABOUT),
    "task": Reading("task", "activityid", since=values.since_activities, derived=_ABOUT),
    "email": Reading("email", "activityid", since=values.since_activities, derived=_ABOUT),
    "line_item": Reading(
        "opportunityproduct",
        "opportunityproductid",
        derived={**_MADE, "@product": (("_productid_value@label", "productdescription"), values.product)},
    ),
    "split": Reading(
        "connection",
        "connectionid",
        tracked=False,
        # 3 is an opportunity, 8 a user; of two mirrored rows this is one. 0 is active.
        where="record1objecttypecode eq 3 and record2objecttypecode eq 8",
        alive="statecode eq 0",
        derived={**_MADE, "@deleted": (("statecode",), lambda row, _settings: row.get("statecode") == 1)},
    ),
    "case": Reading(
        "incident",
        "incidentid",
        tracked=False,
        where="customersatisfactioncode ne null",
        derived={**_MADE, "@account": (("_customerid_value",), values.customer)},
    ),
    "survey": Reading(
        "msfp_surveyresponse", "activityid", tracked=False, where="msfp_npsscore ne null", derived=_ABOUT
    ),
    "target": Reading(
        "goal",
        "goalid",
        tracked=False,
        where="statuscode ne 2",  # Discarded
        derived={
            **_MADE,
            "@subject": (("_goalownerid_value", "_goalownerid_value@label"), values.goal_subject),
            "@subject_kind": (("_goalownerid_value",), values.goal_subject_kind),
            "@amount": (("amountdatatype", "targetmoney", "targetdecimal", "targetinteger"), values.goal_amount),
        },
    ),
    "rate": Reading(
        "transactioncurrency",
        "transactioncurrencyid",
        tracked=False,
        where="statecode eq 0",
    ),
}
