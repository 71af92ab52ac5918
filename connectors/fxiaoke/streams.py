"""What the Fxiaoke connector reads, as data: streams, their default mapping, and how each object is asked.

Objects and fields: docs/connectors/fxiaoke.md. A path that begins with ``@`` is no field of Fxiaoke: the connector makes it
from the fields named in ``DERIVED``.
"""

from collections.abc import Mapping
from typing import Any

from connectors.base import From, Stream

DEAL = "NewOpportunityObj"

MONTH_VALUES = tuple(
    f"{month}_value"
    for month in (
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    )
)  # fmt: skip
YEAR_VALUE = "annual_value"

DIRECTIONS: Mapping[str, str] = {
    "呼入": "inbound", "呼出": "outbound", "Inbound": "inbound", "Outbound": "outbound",
}  # fmt: skip
"""Labels of a field of the tenant's own that says who called whom; which one it is, is mapped by the admin."""

_KEY = {"remote_id": "_id", "modified_at": "last_modified_time", "deleted": "@deleted"}
_ACTIVITY: dict[str, str | From] = {
    **_KEY,
    "owner_id": "owner",
    "opportunity_id": "@opportunity_id",
    "account_id": "@account_id",
    "contact_ids": "@contact_ids",
    "created_at": "create_time",
}
_PAYMENT: dict[str, str | From] = {**_KEY, "opportunity_id": "@opportunity_id", "currency": "mc_currency"}

STREAMS: tuple[Stream, ...] = (
    Stream(
        "person",
        "user",
        fields={
            "remote_id": "openUserId",
            "name": "name",
            "email": "email",
            "active": From("isStop", lambda stopped: not stopped),
            "manager_id": "leaderId",
            "team": "@team",
            "region": "@region",
            "role": "position",
            "started_on": "@started_on",
        },
    ),
    Stream(
        "account",
        "AccountObj",
        fields={
            **_KEY,
            "name": "name",
            "parent_id": "parent_account_id",
            "owner_id": "owner",
            "industry": "industry",
            "created_at": "create_time",
        },
    ),
    Stream(
        "stage",
        DEAL,
        schedule="metadata",
        fields={"remote_id": "value", "stage": "value", "label": "label", "position": "position"},
    ),
    Stream(
        "opportunity",
        DEAL,
        fields={
            **_KEY,
            "name": "name",
            "account_id": "account_id",
            "owner_id": "owner",
            "pipeline": "sales_process_id",
            "stage": "sales_stage",
            "outcome": "@outcome",
            "amount": "amount",
            "currency": "mc_currency",
            "created_at": "create_time",
            "close_on": "close_date",
            "closed_at": "@closed_at",
            "probability": "probability",
            "discount": "opp_discount",
        },
    ),
    Stream(
        "history",
        DEAL,
        record="change",
        filled_by="opportunity",
        fields={name: name for name in ("remote_id", "record_id", "field", "new", "at")},
        constants={"record": "opportunity"},
    ),
    Stream(
        "line_item",
        "NewOpportunityLinesObj",
        optional=True,
        fields={
            **_KEY,
            "opportunity_id": "new_opportunity_id",
            "product": "@product",
            "quantity": "quantity",
            "amount": "sales_amount",
        },
    ),
    Stream(
        "follow_up",
        "ActiveRecordObj",
        record="activity",
        fields={
            **_ACTIVITY,
            "kind": "@kind",
            "direction": From("@direction", DIRECTIONS.get),
            "completed_at": "create_time",
            "subject_hash": "active_record_content",
        },
    ),
    Stream(
        "meeting",
        "ScheduleObj",
        record="activity",
        optional=True,
        fields={
            **_ACTIVITY,
            "participant_ids": "participants",
            "planned_at": "begin_time",
            "completed_at": "end_time",
            "duration_seconds": "@duration",
            "subject_hash": "content",
        },
        constants={"kind": "meeting"},
    ),
    Stream(
        "visit",
        "CheckinsObj",
        record="activity",
        optional=True,
        fields={**_ACTIVITY, "account_id": "customer_id", "completed_at": "@visited_at"},
        constants={"kind": "visit"},
    ),
    Stream(
        "target",
        "GoalValueObj",
        optional=True,
        fields={
            "remote_id": "@remote_id",
            "modified_at": "last_modified_time",
            "deleted": "@deleted",
            "subject_kind": "@subject_kind",
            "subject_id": "@subject_id",
            "metric": "@metric",
            "period_start": "@period_start",
            "period_end": "@period_end",
            "amount": "@amount",
        },
    ),
    *(
        Stream(
            name,
            remote,
            record="payment",
            optional=True,
            fields={**_PAYMENT, "amount": amount, "paid_on": day},
            constants={"kind": name},
        )
        for name, remote, amount, day in (
            ("payment", "PaymentObj", "@amount", "payment_time"),
            ("refund", "RefundObj", "refunded_amount", "refunded_time"),
            ("invoice", "InvoiceApplicationObj", "invoice_applied_amount", "invoice_date"),
        )
    ),
    Stream(
        "contract",
        "ContractObj",
        optional=True,
        fields={
            **_KEY,
            "account_id": "account_id",
            "recurring_amount": "contract_amount",
            "currency": "mc_currency",
            "start_on": "start_date",
            "end_on": "end_date",
        },
    ),
    Stream("survey", "CasesObj", optional=True, fields={**_KEY, "account_id": "account_id"}),
    *(Stream(name, "", optional=True, fields=_KEY) for name in ("split", "forecast", "absence", "rate", "rating")),
)

BY_NAME: Mapping[str, Stream] = {stream.name: stream for stream in STREAMS}

_LINKS = ("related_object_data",)
_STATUS = ("sales_status",)
_DELETED = ("life_status", "is_deleted")
_PAYMENTS: dict[str, tuple[str, ...]] = {"@deleted": _DELETED, "@opportunity_id": ("order_id",)}
_LINKED: dict[str, tuple[str, ...]] = {
    "@deleted": _DELETED, "@opportunity_id": _LINKS, "@account_id": _LINKS, "@contact_ids": _LINKS,
}  # fmt: skip

DERIVED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "account": {"@deleted": _DELETED},
    "opportunity": {
        "@deleted": _DELETED, "@outcome": _STATUS, "@closed_at": (*_STATUS, "stg_changed_time"),
    },
    "line_item": {"@deleted": _DELETED, "@product": ("product_id",)},
    "follow_up": {
        **_LINKED, "@kind": ("interactive_types",), "@opportunity_id": ("new_opportunity_id", *_LINKS),
        "@account_id": ("account_id", *_LINKS),
    },
    "meeting": {**_LINKED, "@duration": ("begin_time", "end_time")},
    "visit": {**_LINKED, "@visited_at": ("checkin_time", "new_stat_date")},
    "target": {
        "@deleted": _DELETED, "@remote_id": (), "@subject_kind": ("goal_type", "check_object_id"),
        "@subject_id": ("check_object_id",), "@metric": ("goal_rule_id", "goal_rule_detail_id"), "@period_start": ("fiscal_year",),
        "@period_end": ("fiscal_year",), "@amount": (*MONTH_VALUES, YEAR_VALUE),
    },
    "payment": {**_PAYMENTS, "@amount": ("amount", "payment_amount")},
    "refund": _PAYMENTS,
    "invoice": _PAYMENTS,
}  # fmt: skip
"""Which fields each ``@`` path takes, by stream."""

NAMED: Mapping[str, tuple[str, ...]] = {
    "line_item": ("product_id__r",), "target": ("goal_rule_id__r", "goal_rule_detail_id__r"),
}  # fmt: skip
"""Names of linked records, which come beside their ids and are in no description."""

OFTEN_MISSING = frozenset({"mc_currency", "goal_rule_detail_id"})
"""Fields that whole tenants do without: one currency, goals without parts. Their absence is no reason to look again."""

EITHER: Mapping[str, tuple[str, ...]] = {
    "visit": ("checkin_time", "new_stat_date"), "payment": ("amount", "payment_amount"),
}  # fmt: skip
"""Fields of which editions have one or the other, by stream: one is enough."""

LOAD_BEARING: Mapping[str, frozenset[str]] = {"opportunity": frozenset({"sales_stage", "amount", "close_date"})}
"""Fields without which a stream stops, for its scores would be wrong."""

OUTCOMES: Mapping[str, Any] = {
    "进行中": "open", "赢单": "won", "输单": "lost", "无效": "omitted",
    "進行中": "open", "贏單": "won", "輸單": "lost", "無效": "omitted",
    "in progress": "open", "won": "won", "lost": "lost", "invalid": "omitted",
}  # fmt: skip
"""Labels of ``sales_status`` as Fxiaoke ships them, case-folded; others are named under ``outcomes`` of the connection."""

ACTIVITY_KINDS: Mapping[str, Any] = {
    "电话": "call", "邮件": "email", "拜访": "visit", "上门拜访": "visit", "会议": "meeting",
    "電話": "call", "郵件": "email", "拜訪": "visit", "上門拜訪": "visit", "會議": "meeting",
    "phone": "call", "call": "call", "email": "email", "visit": "visit", "meeting": "meeting",
}  # fmt: skip
"""Labels of ``interactive_types``, case-folded; any other is a task, unless ``activity_kinds`` of the connection says what
it is."""
