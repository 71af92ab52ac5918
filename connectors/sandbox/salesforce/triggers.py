"""What Salesforce itself does when a record is saved: derived fields, stage history, field history, checks."""

from collections.abc import Callable
from datetime import date
from typing import Any

from connectors.sandbox.salesforce.store import Org, Row
from connectors.sandbox.salesforce.values import RowError

HISTORY_FIELDS = ("StageName", "Amount", "CloseDate", "Probability", "ForecastCategory")
"""A change of one of these makes a row of OpportunityHistory (guide section 2.2)."""

CASCADE: dict[str, tuple[tuple[str, str], ...]] = {
    "Account": (
        ("Opportunity", "AccountId"), ("Contact", "AccountId"), ("Task", "WhatId"), ("Event", "WhatId"), ("Case", "AccountId"),
    ),
    "Opportunity": (
        ("OpportunityHistory", "OpportunityId"), ("OpportunityFieldHistory", "OpportunityId"),
        ("OpportunityLineItem", "OpportunityId"), ("OpportunitySplit", "OpportunityId"),
        ("OpportunityTeamMember", "OpportunityId"), ("OpportunityContactRole", "OpportunityId"), ("Task", "WhatId"),
        ("Event", "WhatId"),
    ),
    "PermissionSet": (
        ("FieldPermissions", "ParentId"), ("ObjectPermissions", "ParentId"), ("PermissionSetAssignment", "PermissionSetId"),
    ),
}  # fmt: skip
"""Children that go with their parent."""


def before_save(org: Org, kind: str, row: Row, old: Row | None, now: str) -> None:
    """Fills what the server derives; RowError where it refuses the record."""
    check = _BEFORE.get(kind)
    if check:
        check(org, row, old, now)


def stage_row(org: Org, stage: str | None) -> Row | None:
    """What the org says of a stage, by its API name."""
    return next((row for row in org.tables["OpportunityStage"].rows.values() if row.get("ApiName") == stage), None)


def fiscal(org: Org, day: str) -> dict[str, Any]:
    """FiscalYear, FiscalQuarter and Fiscal of a day in the org's fiscal calendar."""
    settings = next(iter(org.tables["Organization"].rows.values()), Row())
    start = int(settings.get("FiscalYearStartMonth", 1))
    when = date.fromisoformat(day)
    months = when.year * 12 + when.month - start
    year = months // 12
    if start > 1 and not settings.get("UsesStartDateAsFiscalYearName"):
        year += 1
    quarter = months % 12 // 3 + 1
    return {"FiscalYear": year, "FiscalQuarter": quarter, "Fiscal": f"{year} {quarter}"}


def derive_opportunity(org: Org, row: Row, old: Row | None, now: str) -> None:
    """Everything on an opportunity that follows from its stage, amount and close date."""
    stage = stage_row(org, row.get("StageName"))
    turned = old is None or old.get("StageName") != row.get("StageName")
    if turned:
        row["LastStageChangeDate"] = now
    if turned and stage is not None:
        for name in ("IsClosed", "IsWon", "ForecastCategory", "ForecastCategoryName"):
            row[name] = stage.get(name)
        if (old is None and row.get("Probability") is None) or (
            old is not None and row.get("Probability") == old.get("Probability")
        ):
            row["Probability"] = stage.get("DefaultProbability")
    if row.get("Amount") is not None and row.get("Probability") is not None:
        row["ExpectedRevenue"] = round(row["Amount"] * row["Probability"] / 100, 2)
    else:
        row.pop("ExpectedRevenue", None)
    if row.get("CloseDate"):
        row.update(fiscal(org, row["CloseDate"]))


def _task(org: Org, row: Row, old: Row | None, now: str) -> None:
    row.setdefault("TaskSubtype", "Task")
    row["IsClosed"] = row.get("Status") == "Completed"
    row["IsHighPriority"] = row.get("Priority") == "High"
    if row["IsClosed"] and not (old and old.get("IsClosed")):
        row["CompletedDateTime"] = now
    elif not row["IsClosed"]:
        row.pop("CompletedDateTime", None)
    _activity_account(org, row)


def _event(org: Org, row: Row, _old: Row | None, _now: str) -> None:
    start = row.get("StartDateTime") or row.get("ActivityDateTime")
    if start is None and not (row.get("IsAllDayEvent") and row.get("ActivityDate")):
        raise RowError("REQUIRED_FIELD_MISSING", "Required fields are missing: [StartDateTime]", ["StartDateTime"])
    if start:
        row["StartDateTime"] = row["ActivityDateTime"] = start
        row["ActivityDate"] = start[:10]
    _activity_account(org, row)


def _activity_account(org: Org, row: Row) -> None:
    what = org.row(row.get("WhatId"))
    if what is None:
        row.pop("AccountId", None)
        return
    row["AccountId"] = what["Id"] if what["Id"].startswith("001") else what.get("AccountId")


def _named(_org: Org, row: Row, _old: Row | None, _now: str) -> None:
    row["Name"] = " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)


def _quota(org: Org, row: Row, _old: Row | None, _now: str) -> None:
    row["IsAmount"], row["IsQuantity"] = row.get("QuotaAmount") is not None, row.get("QuotaQuantity") is not None
    day = row["StartDate"]
    periods = [one for one in org.tables["Period"].rows.values() if one["StartDate"] <= day <= one["EndDate"]]
    if not periods:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION", "No forecast period begins in the month of this start date", ["StartDate"]
        )
    period = min(periods, key=lambda one: (one["EndDate"], one["Id"]))
    row["PeriodId"], row["StartDate"] = period["Id"], period["StartDate"]


def _line_item(org: Org, row: Row, _old: Row | None, _now: str) -> None:
    if row.get("UnitPrice") is not None and row.get("Quantity") is not None and row.get("TotalPrice") is None:
        row["TotalPrice"] = round(row["UnitPrice"] * row["Quantity"], 2)
    product = org.row(row.get("Product2Id"))
    if product is not None:
        row["Name"], row["ProductCode"] = product.get("Name"), product.get("ProductCode")


def _field_permission(org: Org, row: Row, old: Row | None, _now: str) -> None:
    kind = org.objects.get(row["SobjectType"])
    name = row["Field"].partition(".")[2]
    one = kind.fields.get(name) if kind else None
    if kind is None or one is None or not row["Field"].startswith(f"{kind.name}."):
        text = f"Field Name: bad value for restricted picklist field: {row['Field']}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, ["Field"])
    if one.required:
        text = f"You can't change field permissions for a required field: {row['Field']}"
        raise RowError("FIELD_INTEGRITY_EXCEPTION", text, ["Field"])
    if row.get("PermissionsEdit") and not row.get("PermissionsRead"):
        text = "Permission Read Field depends on permission(s): Edit Field"
        raise RowError("FIELD_INTEGRITY_EXCEPTION", text, ["PermissionsRead"])
    _only_once(org, "FieldPermissions", row, old, ("ParentId", "Field"))


def _object_permission(org: Org, row: Row, old: Row | None, _now: str) -> None:
    if row["SobjectType"] not in org.objects:
        text = f"SobjectType: bad value for restricted picklist field: {row['SobjectType']}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, ["SobjectType"])
    _only_once(org, "ObjectPermissions", row, old, ("ParentId", "SobjectType"))


def _assignment(org: Org, row: Row, old: Row | None, _now: str) -> None:
    _only_once(org, "PermissionSetAssignment", row, old, ("PermissionSetId", "AssigneeId"))


def _permission_set(org: Org, row: Row, old: Row | None, _now: str) -> None:
    row.setdefault("IsCustom", True)
    for other in org.tables["PermissionSet"].rows.values():
        if other["Name"].lower() == row["Name"].lower() and (old is None or other["Id"] != old["Id"]):
            text = f"The name you entered is already in use by another permission set: {row['Name']}"
            raise RowError("DUPLICATE_DEVELOPER_NAME", text, ["Name"])


def _only_once(org: Org, kind: str, row: Row, old: Row | None, names: tuple[str, ...]) -> None:
    for other in org.tables[kind].rows.values():
        if all(other.get(name) == row.get(name) for name in names) and (old is None or other["Id"] != old["Id"]):
            text = f"duplicate value found: {names[-1]} duplicates value on record with id: {other['Id'][:15]}"
            raise RowError("DUPLICATE_VALUE", text)


_BEFORE: dict[str, Callable[[Org, Row, Row | None, str], None]] = {
    "Opportunity": derive_opportunity,
    "Task": _task,
    "Event": _event,
    "User": _named,
    "Contact": _named,
    "ForecastingQuota": _quota,
    "OpportunityLineItem": _line_item,
    "FieldPermissions": _field_permission,
    "ObjectPermissions": _object_permission,
    "PermissionSetAssignment": _assignment,
    "PermissionSet": _permission_set,
}
