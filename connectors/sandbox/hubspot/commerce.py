"""Commerce objects and forecasts as a portal has them, and what a world's rows are called there.

Properties and statuses: HubSpot's guides of invoices, commerce payments, subscriptions and forecasts, 2026-03.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.sandbox.hubspot.values import iso_short, local_midnight, to_ms

Row = Mapping[str, str]
Values = dict[str, str | None]

COMMERCE = {
    "products": """
name string text Name
price number number Unit price
hs_sku string text SKU
description string textarea Description
""",
    "invoices": """
hs_number string text Number !
hs_invoice_status enumeration select Invoice status ?
hs_currency string text Currency
hs_invoice_date datetime date Invoice date
hs_due_date datetime date Due date
hs_amount_billed number number Amount billed !
hs_balance_due number number Balance due !
""",
    "commerce_payments": """
hs_payment_id string text Payment ID !
hs_latest_status enumeration select Status ?
hs_initial_amount number number Gross amount
hs_refunds_amount number number Refunded amount
hs_currency_code string text Currency
hs_initiated_date datetime date Payment date
hs_customer_email string text Customer
hs_reference_number string text Reference number
""",
    "subscriptions": """
hs_name string text Name
hs_status enumeration select Status ?!
hs_mrr number number MRR !
hs_currency_code string text Currency
hs_recurring_billing_start_date date date Start date
hs_recurring_billing_frequency enumeration select Billing frequency ?
hs_last_payment_amount number number Last payment amount !
hs_next_payment_amount number number Next payment amount !
hs_next_payment_due_date date date Next payment due date !
""",
    "forecasts": """
hs_amount number number Amount !
hs_milestone string text Milestone !
hs_year number number Year !
hs_forecast_start_date datetime date Start date !
hs_forecast_end_date datetime date End date !
hs_team_id number number Team ID !
hs_deal_pipeline_id string text Pipeline !
hs_included_deal_ids string text Included deals !
""",
}

COMMERCE_OPTIONS: dict[str, tuple[str, ...]] = {
    "hs_invoice_status": ("draft", "open", "paid", "voided"),
    "hs_latest_status": (
        "processing", "succeeded", "failed", "partially_refunded", "refunded", "processing_refund", "disputed_won",
        "disputed_lost", "disputed_action_required", "disputed_awaiting_decision",
    ),
    "hs_status": ("active", "past_due", "unpaid", "canceled", "expired", "scheduled", "paused"),
    "hs_recurring_billing_frequency": ("weekly", "biweekly", "monthly", "quarterly", "per_six_months", "annually"),
}  # fmt: skip


def money(row: Row, zone: ZoneInfo) -> tuple[str, Values]:
    """The object that an invoice or a payment of a world is in, and its properties."""
    day = row.get("paid_on")
    since = iso_short(local_midnight(date.fromisoformat(day), zone)) if day else None
    amount, currency = row.get("amount") or None, row.get("currency") or None
    if row.get("kind") == "invoice":
        return "invoices", {
            "hs_amount_billed": amount, "hs_currency": currency, "hs_invoice_date": since, "hs_invoice_status": "open",
        }  # fmt: skip
    return "commerce_payments", {
        "hs_initial_amount": amount, "hs_currency_code": currency, "hs_initiated_date": since,
        "hs_latest_status": "succeeded",
    }  # fmt: skip


def subscription(row: Row) -> Values:
    """A contract's properties."""
    return {
        "hs_mrr": row.get("recurring_amount") or None,
        "hs_currency_code": row.get("currency") or None,
        "hs_recurring_billing_start_date": row.get("start_on") or None,
        "hs_recurring_billing_frequency": "monthly",
        "hs_status": "active",
    }


def forecast(row: Row, owner: int, user: int, zone: ZoneInfo) -> Values:
    """A forecast submission: from the first moment of its first day to the last millisecond of its last."""
    first, last = (date.fromisoformat(row[name]) for name in ("period_start", "period_end"))
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)
    return {
        "hs_amount": row.get("amount") or None,
        "hs_forecast_start_date": str(local_midnight(first, zone)),
        "hs_forecast_end_date": str(to_ms(end) - 1),
        "hubspot_owner_id": str(owner),
        "hs_created_by_user_id": str(user),
    }
