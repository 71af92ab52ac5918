"""What we read of HubSpot, as data. Paths that begin with "@" are made by the connector, the others are properties.

Every property is named in docs/connectors/hubspot.md. A property that an account does not have is silently left out
by HubSpot, and is unknown to us.
"""

from collections.abc import Mapping
from typing import Any

from connectors.base import From, Stream
from connectors.hubspot.splits import COUNT
from connectors.own_streams import KINDS, day, own_streams

ALWAYS = ("hs_lastmodifieddate",)
"""Requested of every object whatever the mapping says."""

CLOSED_FLAGS = ("hs_is_closed", "hs_is_closed_won", "hs_is_closed_lost")
MERGED = "hs_merged_object_ids"
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "opportunity": (*CLOSED_FLAGS, "deal_currency_code", COUNT),
    "call": ("hs_timestamp", "hs_call_status", "hs_call_disposition"),
    "meeting": ("hs_timestamp", "hs_meeting_start_time", "hs_meeting_end_time", "hs_meeting_outcome"),
    "email": ("hs_timestamp", "hs_email_direction", "hs_email_status"),
    "task": ("hs_timestamp", "hs_task_status", "hs_task_completion_date"),
    "target": (
        "hs_start_datetime", "hs_end_datetime", "hubspot_owner_id", "hs_assignee_user_id", "hs_assignee_team_id",
        "hs_goal_type",
    ),
    "survey": ("hs_survey_type",),
    "invoice": ("hs_invoice_status",),
    "commerce_payment": ("hs_latest_status",),
    "refund": ("hs_latest_status", "hs_refunds_amount"),
    "subscription": ("hs_status",),
    "forecast_submission": (
        "hs_forecast_start_date", "hs_forecast_end_date", "hubspot_owner_id", "hs_created_by_user_id",
    ),
}  # fmt: skip
"""Properties from which the connector makes its "@" paths."""

TOUCHED = {"deals": "@deal", "companies": "@company", "contacts": "@contacts"}
"""What a row may be associated with, and the path that each fills."""

LINKS: Mapping[str, Mapping[str, str]] = {
    "opportunity": {"companies": "@company"},
    "call": TOUCHED,
    "meeting": TOUCHED,
    "email": TOUCHED,
    "task": TOUCHED,
    "line_item": {"deals": "@deal"},
    "survey": {"companies": "@company"},
    "invoice": {"deals": "@deal"},
    "commerce_payment": {"deals": "@deal"},
    "refund": {"deals": "@deal"},
    "subscription": {"companies": "@company"},
}
"""Associated objects of each stream, and the path that each fills."""


def seconds(value: Any) -> int:
    """Whole seconds of milliseconds."""
    return int(float(value)) // 1000


def direction(value: Any) -> str | None:
    """Ours for HubSpot's words for calls and e-mails; None for a forwarded e-mail, which may be either."""
    return {"INBOUND": "inbound", "INCOMING_EMAIL": "inbound", "OUTBOUND": "outbound", "EMAIL": "outbound"}.get(value)


def forecast_category(value: Any) -> str:
    """``best case`` for ``BEST_CASE``: pipeline, best case, commit, closed, omitted; another word in small letters."""
    word = str(value).lower().replace("_", " ")
    return {"omit": "omitted"}.get(word, word)


def auto_logged(value: Any) -> bool | None:
    """Whether a program wrote the activity down; None where HubSpot's word for its origin does not tell."""
    word = str(value)
    if word.startswith(("CRM_UI", "MOBILE")):
        return False
    return True if word in ("INTEGRATION", "EMAIL_INTEGRATION", "EMAIL") else None


_COMMON: Mapping[str, str | From] = {"remote_id": "id", "deleted": "archived", "modified_at": "hs_lastmodifieddate"}
_LINKED = frozenset({"opportunity_id", "account_id", "contact_ids"})


def _activity(name: str, remote: str, subject: str, fields: Mapping[str, str | From]) -> Stream:
    common = {
        **_COMMON, "owner_id": "hubspot_owner_id", "opportunity_id": "@deal", "account_id": "@company",
        "contact_ids": "@contacts", "created_at": "hs_createdate", "planned_at": "@planned",
        "completed_at": "@completed", "two_way": "@two_way", "subject_hash": subject,
        "auto_logged": From("hs_object_source", auto_logged),
    }  # fmt: skip
    return Stream(name, remote, "activity", {**common, **fields}, constants={"kind": name}, separate=_LINKED)


def _payment(name: str, remote: str, fields: Mapping[str, str | From]) -> Stream:
    return Stream(
        name,
        remote,
        "payment",
        fields={**_COMMON, "remote_id": "@key", "opportunity_id": "@deal", **fields},
        constants={"kind": name.removeprefix("commerce_")},
        separate=frozenset({"opportunity_id", *(("paid_on",) if name == "refund" else ())}),
        optional=True,
    )


DEALS = Stream(
    "opportunity",
    "deals",
    fields={
        **_COMMON, "name": "dealname", "account_id": "@company", "owner_id": "hubspot_owner_id",
        "pipeline": "pipeline", "stage": "dealstage", "amount": "amount", "currency": "@currency",
        "created_at": "createdate", "close_on": From("closedate", day), "closed_at": "@turned", "type": "dealtype",
        "probability": "hs_deal_stage_probability", "source": "hs_analytics_source",
        "forecast_category": From("hs_manual_forecast_category", forecast_category),
        "next_step": "hs_next_step", "merged_into": "@winner",
    },
    separate=frozenset({"account_id", "closed_at"}),
)  # fmt: skip

CHANGE = Stream(
    "change",
    "deals",
    fields={
        "remote_id": "id", "modified_at": "at", "record_id": "deal", "field": "field", "new": "new", "at": "at",
        "by": "by",
    },
    constants={"record": "opportunity"},
    filled_by="opportunity",
)  # fmt: skip
"""Filled by the pages of ``opportunity``: one call brings a deal and the history of its properties."""

SPLIT = Stream(
    "split",
    "deals",
    fields={
        "remote_id": "id", "deleted": "archived", "opportunity_id": "@deal", "person_id": "hubspot_owner_id",
        "percentage": "hs_deal_split_percentage",
    },
    constants={"kind": "revenue"},
    separate=frozenset({"person_id", "percentage"}),
    optional=True,
    filled_by="opportunity",
)  # fmt: skip
"""Filled by the pages of ``opportunity``: splits are asked for by deal."""

INSTEAD: Mapping[str, str] = {
    "invoice": "payment", "commerce_payment": "payment", "refund": "payment", "subscription": "contract",
    "forecast_submission": "forecast",
}  # fmt: skip
"""Streams of HubSpot's own objects that are off where the company keeps such records in an object of its own."""

SIFTED = frozenset({"line_item", "survey", *INSTEAD})
"""Streams of whose rows some are none of ours, such as line items of quotes, or are kept under another id."""

OWN_KINDS = tuple(kind for kind in KINDS if kind != "survey")

STREAMS: tuple[Stream, ...] = (
    Stream(
        "stage",
        "pipelines",
        fields={
            "remote_id": "id", "pipeline": "pipeline", "stage": "stage", "label": "label", "position": "position",
            "outcome": "outcome", "probability": "probability",
        },
        schedule="metadata",
    ),
    Stream(
        "person",
        "owners",
        fields={
            "remote_id": "id", "modified_at": "updatedAt", "name": "@name", "email": "email", "active": "@active",
            "team": "@team",
        },
    ),
    Stream(
        "account",
        "companies",
        fields={
            **_COMMON, "name": "name", "parent_id": "hs_parent_company_id", "owner_id": "hubspot_owner_id",
            "industry": "industry", "region": "country", "created_at": "createdate",
        },
    ),
    DEALS,
    CHANGE,
    _activity(
        "call", "calls", "hs_call_title",
        {
            "direction": From("hs_call_direction", direction),
            "duration_seconds": From("hs_call_duration", seconds),
        },
    ),
    _activity(
        "meeting", "meetings", "hs_meeting_title",
        {"duration_seconds": "@duration", "participant_ids": "hs_attendee_owner_ids"},
    ),
    _activity("email", "emails", "hs_email_subject", {"direction": From("hs_email_direction", direction)}),
    _activity("task", "tasks", "hs_task_subject", {}),
    Stream(
        "target",
        "goal_targets",
        fields={
            **_COMMON, "subject_kind": "@subject_kind", "subject_id": "@subject_id", "metric": "@metric",
            "period_start": "@start", "period_end": "@end", "amount": "hs_target_amount", "currency": "@currency",
        },
        optional=True,
    ),
    Stream(
        "rate",
        "exchange-rates",
        fields={
            "remote_id": "id", "modified_at": "updatedAt", "currency": "fromCurrencyCode", "to": "toCurrencyCode",
            "rate": "conversionRate", "on": "@on", "until": "@until",
        },
        schedule="metadata",
        optional=True,
    ),
    SPLIT,
    Stream(
        "line_item",
        "line_items",
        fields={**_COMMON, "opportunity_id": "@deal", "product": "name", "quantity": "quantity", "amount": "amount"},
        separate=frozenset({"opportunity_id"}),
        optional=True,
    ),
    Stream(
        "survey",
        "feedback_submissions",
        fields={
            **_COMMON, "person_id": "hubspot_owner_id", "account_id": "@company", "scale": "@scale", "answer": "hs_value",
            "answered_at": "hs_submission_timestamp",
        },
        separate=frozenset({"account_id"}),
        optional=True,
    ),
    _payment("invoice", "invoices", {
        "amount": "hs_amount_billed", "currency": "hs_currency", "paid_on": From("hs_invoice_date", day),
    }),
    _payment("commerce_payment", "commerce_payments", {
        "amount": "hs_initial_amount", "currency": "hs_currency_code", "paid_on": From("hs_initiated_date", day),
    }),
    _payment("refund", "commerce_payments", {
        "amount": "hs_refunds_amount", "currency": "hs_currency_code", "paid_on": From("@refunded_at", day),
    }),
    Stream(
        "subscription",
        "subscriptions",
        "contract",
        fields={
            **_COMMON, "account_id": "@company", "recurring_amount": "hs_mrr", "currency": "hs_currency_code",
            "start_on": From("hs_recurring_billing_start_date", day), "end_on": From("@ended_at", day),
        },
        separate=frozenset({"account_id", "end_on"}),
        optional=True,
    ),
    Stream(
        "forecast_submission",
        "forecasts",
        "forecast",
        fields={
            **_COMMON, "owner_id": "hubspot_owner_id", "period_start": "@start", "period_end": "@end", "layer": "@layer",
            "amount": "hs_amount", "currency": "@currency", "at": "hs_lastmodifieddate",
        },
        optional=True,
    ),
    *own_streams(_COMMON, OWN_KINDS),
)  # fmt: skip
