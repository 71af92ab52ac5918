"""What the Dynamics 365 connector reads, as data: streams and their default mapping.

Tables and columns: docs/connectors/dynamics.md. A path is a column as JSON spells it (lookups: ``_ownerid_value``);
``column@label`` is what Dynamics shows for its value; a path that begins with ``@`` the connector makes, and ``id`` (of
a company's own tables) too.
"""

from collections.abc import Mapping
from dataclasses import replace

from connectors.base import From, Stream
from connectors.dynamics import values
from connectors.dynamics.settings import OWN_KINDS
from connectors.own_streams import day, own_streams

CURRENCY, PIPELINE, TEAM, CONTACTS, PARTICIPANTS = "@currency", "@pipeline", "@team", "@contacts", "@participants"
METRIC, RATE, ID = "@metric", "@rate", "id"

FILLED: Mapping[str, tuple[str, ...]] = {
    CURRENCY: ("_transactioncurrencyid_value",),
    PIPELINE: ("processid",),
    METRIC: ("_metricid_value", "_metricid_value@label"),
    RATE: ("exchangerate",),
}
"""Paths that take rows of other tables, with the columns that lead there: ``dynamics_lookups`` fills them in."""

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
    made = "kind" in more
    return Stream(
        name,
        remote,
        record="activity",
        fields={**_ACTIVITY, **more},
        constants={} if made else {"kind": name},
        separate=_PARTIES,
        covers={"kind": frozenset({"meeting", "visit"})} if made else {},
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
        "invoice",
        "invoices",
        record="payment",
        fields={
            **_STAMP,
            "remote_id": "invoiceid",
            "opportunity_id": "_opportunityid_value",
            "amount": "totalamount",
            "currency": CURRENCY,
            "paid_on": From("createdon", day),
        },
        constants={"kind": "invoice"},
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
    # Links are columns of the table: no call of their own tells them.
    *(replace(stream, separate=frozenset()) for stream in own_streams({**_STAMP, "remote_id": ID}, OWN_KINDS)),
)
