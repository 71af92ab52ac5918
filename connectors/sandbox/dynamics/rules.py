"""What the platform does by itself when a row is saved: stamps, owners, states, base amounts, names, keys."""

from decimal import ROUND_HALF_EVEN, Decimal

from connectors.sandbox.dynamics.errors import Refusal
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org, Row

_CLOSED_BY_MESSAGE = {1: "Won", 2: "Lost"}


def before_save(org: Org, table: TableType, row: Row, old: Row | None) -> None:
    """Completes a row that is about to be kept. Refusal: states that do not go together, a doubled key."""
    if old is None:
        _check_name(org, table, row)
        _defaults(org, table, row)
    _owner(org, table, row, old)
    _state(table, row, old)
    _amounts(org, table, row, old)
    if "fullname" in table.columns and ("firstname" in row or "lastname" in row):
        row["fullname"] = " ".join(part for part in (row.get("firstname"), row.get("lastname")) if part)
    if table.name == "account":
        row.setdefault("merged", False)
    check_keys(org, table, row)


def _defaults(org: Org, table: TableType, row: Row) -> None:
    if "createdby" in table.columns:
        row.setdefault("_createdby_value", org.user_id)
    if "ownerid" in table.columns and table.name != "activityparty":
        row.setdefault("_ownerid_value", org.user_id)
    if "transactioncurrencyid" in table.columns and any(row.get(name) is not None for name in table.money):
        row.setdefault("_transactioncurrencyid_value", org.base_currency_id)
    if table.family:
        row.setdefault("activitytypecode", table.name)
        row.setdefault("instancetypecode", 0)
        row.setdefault("isworkflowcreated", False)
        row.setdefault("prioritycode", 1)


def _owner(org: Org, table: TableType, row: Row, old: Row | None) -> None:
    if "owninguser" not in table.columns:
        return
    if old is not None and old.get("_ownerid_value") == row.get("_ownerid_value"):
        return
    team = row.get("_ownerid_value@") == "team"
    for name in ("_owninguser_value", "_owningteam_value"):
        row.pop(name, None)
    if row.get("_ownerid_value"):
        row["_owningteam_value" if team else "_owninguser_value"] = row["_ownerid_value"]
    row["_owningbusinessunit_value"] = org.unit_id


def _state(table: TableType, row: Row, old: Row | None) -> None:
    status = table.columns.get("statuscode")
    if status is None or "statecode" not in table.columns:
        return
    before = old or {}
    if old is None and "statecode" not in row:
        row["statecode"] = status.states.get(row.get("statuscode", -1), 0)
    if "statuscode" not in row or (
        row["statuscode"] == before.get("statuscode") and row["statecode"] != before.get("statecode")
    ):
        row["statuscode"] = next((code for code, state in status.states.items() if state == row["statecode"]), 1)
    elif old is not None and row["statecode"] == old.get("statecode") and row["statuscode"] != old.get("statuscode"):
        row["statecode"] = status.states.get(row["statuscode"], row["statecode"])
    if status.states.get(row["statuscode"], row["statecode"]) != row["statecode"]:
        text = f"{row['statuscode']} is not a valid status code for state code {row['statecode']} on {table.name}."
        raise Refusal(400, "0x80048408", text)
    if table.name == "opportunity" and row["statecode"] != before.get("statecode", 0):
        _closing(row["statecode"])


def _closing(state: int) -> None:
    """An opportunity is won, lost and (vendor page 2.4) reopened by messages of their own."""
    word = _CLOSED_BY_MESSAGE.get(state)
    if word:
        message = f"{'Win' if word == 'Won' else 'Lose'}Opportunity"
        text = (
            f"This message can not be used to set the state of opportunity to {word}. In order to set state of "
            f"opportunity to {word}, use the {message} message instead."
        )
        raise Refusal(400, "0x80100005", text)


def _amounts(org: Org, table: TableType, row: Row, old: Row | None) -> None:
    if "exchangerate" not in table.columns or "transactioncurrencyid" not in table.columns:
        return
    before = old or {}
    moved = row.get("_transactioncurrencyid_value") != before.get("_transactioncurrencyid_value")
    moved |= any(row.get(name) != before.get(name) for name in table.money)
    if not moved:
        return
    currency = org.rows("transactioncurrency").get(row.get("_transactioncurrencyid_value") or "", {})
    rate = currency.get("exchangerate")
    row["exchangerate"] = rate
    for name in table.money:
        row[f"{name}_base"] = in_base(row.get(name), rate)


def in_base(amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """An amount in the organization's currency (vendor page 2.8: divided by the row's rate)."""
    if amount is None or not rate:
        return None
    return (amount / rate).quantize(Decimal("0.0000000001"), ROUND_HALF_EVEN)


_SINGLE = {"solution": "0x8004f023", "publisher": "0x80040237"}
"""Tables in which a unique name is taken once, with the code of the refusal."""


def _check_name(org: Org, table: TableType, row: Row) -> None:
    name = row.get("uniquename")
    if table.name in _SINGLE and any(one.get("uniquename") == name for one in org.rows(table.name).values()):
        text = f"The {table.name} unique name '{name}' is already being used and cannot be used again."
        raise Refusal(400, _SINGLE[table.name], text)


def check_keys(org: Org, table: TableType, row: Row) -> None:
    """Refuses a second row with the same alternate key."""
    for name, columns in table.keys.items():
        keys = [table.columns[column].key for column in columns]
        values = [row.get(key) for key in keys]
        if any(value is None for value in values):
            continue
        for other in org.data[table.name].group(keys[0], [values[0]]):
            held = org.rows(table.name)[other]
            if other != row[table.pk] and [held.get(key) for key in keys] == values:
                text = (
                    f"Entity Key {name} violated. A record with the same value for {', '.join(columns)} already exists. "
                    "A duplicate record cannot be created. Select one or more unique values and try again."
                )
                raise Refusal(412, "0x80060892", text)
