"""Loads what a world says of money beside its deals: line items, contracts, payments and targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from connectors.sandbox.fxiaoke.ids import department_id, person_id, record_id
from connectors.sandbox.fxiaoke.world_map import PAYMENTS, day_ms, moment_ms

if TYPE_CHECKING:
    from connectors.sandbox.folder import Tables
    from connectors.sandbox.fxiaoke.store import Row
    from connectors.sandbox.fxiaoke.world import Loader

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_CENT = Decimal("0.01")


def load_money(loader: Loader, tables: Tables) -> None:
    """Line items with their products, contracts, and payments on the orders of their deals."""
    deals = loader.tenant.tables["NewOpportunityObj"].rows
    for cells in tables.get("line_items", []):
        row = loader.load("line_items", cells, sales_price=_price(cells))
        if cells.get("product"):
            _put_product(loader, cells["product"])
        deal = deals.get(row.get("new_opportunity_id", ""))
        if deal is not None and cells.get("amount"):
            deal["opp_lines_sum"] = str(Decimal(deal.get("opp_lines_sum", "0")) + Decimal(cells["amount"]))
    for cells in tables.get("contracts", []):
        loader.load("contracts", cells)
    for cells in tables.get("payments", []):
        _load_payment(loader, cells)


def _price(cells: Mapping[str, str]) -> str | None:
    if not cells.get("amount") or not cells.get("quantity") or not Decimal(cells["quantity"]):
        return None
    return f"{(Decimal(cells['amount']) / Decimal(cells['quantity'])).quantize(_CENT):f}"


def _put_product(loader: Loader, name: str) -> None:
    row_id = record_id("products", name)
    if row_id not in loader.tenant.tables["ProductObj"].rows:
        loader.put("ProductObj", row_id, {"name": name, "product_status": "1"})
        loader.note("products", name, row_id)


def _load_payment(loader: Loader, cells: Mapping[str, str]) -> None:
    kind, amount, day = PAYMENTS[cells.get("kind") or "payment"]
    deal = loader.tenant.tables["NewOpportunityObj"].rows.get(
        record_id("opportunities", cells.get("opportunity_id") or "-")
    )
    values: dict[str, Any] = {}
    if deal is not None:
        values["order_id"] = _put_order(loader, cells["opportunity_id"], deal)
        values |= {name: deal[name] for name in ("account_id", "owner") if name in deal}
    if cells.get("amount"):
        values[amount] = f"{Decimal(cells['amount']):f}"
    if cells.get("paid_on"):
        values[day] = day_ms(cells["paid_on"])
    if cells.get("currency") and "mc_currency" in loader.tenant.objects[kind].fields:
        values["mc_currency"] = cells["currency"]
    modified = moment_ms(cells["modified_at"]) if cells.get("modified_at") else None
    row = loader.put(kind, record_id("payments", cells["id"]), values, None, modified)
    loader.note("payments", cells["id"], row["_id"])


def _put_order(loader: Loader, opportunity: str, deal: Row) -> str:
    """The order of a deal, to which its payments belong."""
    row_id = record_id("orders", opportunity)
    if row_id not in loader.tenant.tables["SalesOrderObj"].rows:
        values = {"new_opportunity_id": deal["_id"], "order_status": "7"}
        values |= {
            name: deal[name] for name in ("account_id", "owner", "mc_currency", "mc_exchange_rate") if name in deal
        }
        if "amount" in deal:
            values["order_amount"] = deal["amount"]
        if "stg_changed_time" in deal:
            values["order_time"] = deal["stg_changed_time"]
        loader.put("SalesOrderObj", row_id, values, deal.get("stg_changed_time"))
        loader.note("orders", opportunity, row_id)
    return row_id


def load_targets(loader: Loader, targets: Iterable[Mapping[str, str]]) -> None:
    """Goal values: one record for each subject, metric and year; a quarter's target is spread over its months."""
    for cells in targets:
        if not cells.get("amount"):
            continue
        start, end = date.fromisoformat(cells["period_start"]), date.fromisoformat(cells["period_end"])
        months = [(year, month) for year in range(start.year, end.year + 1) for month in range(1, 13)
                  if (start.year, start.month) <= (year, month) <= (end.year, end.month)]  # fmt: skip
        for (year, month), amount in zip(months, spread(Decimal(cells["amount"]), len(months)), strict=True):
            row = _goal(loader, cells, year)
            name = f"{MONTHS[month - 1]}_value"
            row[name] = f"{Decimal(row.get(name, '0')) + amount:f}"
            row["annual_value"] = f"{Decimal(row.get('annual_value', '0')) + amount:f}"
            loader.note("targets", cells["id"], row["_id"])


def spread(amount: Decimal, parts: int) -> list[Decimal]:
    """The amount in equal parts of whole cents; what is left over goes to the last."""
    part = (amount / parts).quantize(_CENT, ROUND_DOWN)
    return [part] * (parts - 1) + [amount - part * (parts - 1)]


def _goal(loader: Loader, cells: Mapping[str, str], year: int) -> Row:
    metric = cells.get("metric") or "bookings"
    kind, subject = cells.get("subject_kind") or "person", cells.get("subject_id") or ""
    row_id = record_id("targets", f"{kind}/{subject}/{metric}/{year}")
    table = loader.tenant.tables["GoalValueObj"]
    modified = moment_ms(cells["modified_at"]) if cells.get("modified_at") else None
    if row_id in table.rows:
        row = table.rows[row_id]
        row["last_modified_time"] = max(row["last_modified_time"], modified or 0)
        return row
    values = {
        "goal_rule_id": _rule(loader, metric), "goal_type": "2" if kind == "person" else "1", "fiscal_year": str(year),
        "check_object_id": person_id(subject) if kind == "person" else str(_department(kind, subject)),
    }  # fmt: skip
    return loader.put("GoalValueObj", row_id, values, None, modified)


def _rule(loader: Loader, metric: str) -> str:
    row_id = record_id("goal rules", metric)
    if row_id not in loader.tenant.tables["GoalRuleObj"].rows:
        loader.put("GoalRuleObj", row_id, {"name": metric})
        loader.note("goal_rules", metric, row_id)
    return row_id


def _department(kind: str, subject: str) -> int:
    return department_id("" if kind == "organisation" else subject)
