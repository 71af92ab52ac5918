"""What Salesforce itself does when records are saved, merged, deleted or grow old."""

# ruff: noqa: S608 - SOQL for an emulator that has no database

from collections.abc import Callable
from typing import Any

import pytest

HISTORY = "SELECT StageName, Amount, Probability, ForecastCategory, CloseDate, CreatedDate, SystemModstamp"


def history(sf: Any) -> list[dict[str, Any]]:
    """Rows of OpportunityHistory in order."""
    rows: list[dict[str, Any]] = sf.rows(f"{HISTORY} FROM OpportunityHistory ORDER BY CreatedDate, Id")
    return rows


def test_the_stage_decides_what_follows_from_it(sf: Any) -> None:
    deal = sf.deal(Amount=1000)
    fields = "IsClosed, IsWon, Probability, ForecastCategory, ForecastCategoryName, ExpectedRevenue"
    before = sf.rows(f"SELECT {fields} FROM Opportunity")[0]

    sf.patch(f"sobjects/Opportunity/{deal}", {"StageName": "Closed Won"}, status=204)

    assert list(before.values()) == [False, False, 10.0, "Pipeline", "Pipeline", 100.0]
    after = sf.rows(f"SELECT {fields} FROM Opportunity")[0]
    assert list(after.values()) == [True, True, 100.0, "Closed", "Closed", 1000.0]


def test_a_probability_of_ones_own_survives_the_stage(sf: Any) -> None:
    deal = sf.deal()

    sf.patch(f"sobjects/Opportunity/{deal}", {"StageName": "Value Proposition", "Probability": 33}, status=204)

    assert sf.rows("SELECT Probability FROM Opportunity") == [{"Probability": 33.0}]


def test_history_keeps_the_values_after_each_change(sf: Any) -> None:
    deal = sf.deal(Amount=5)
    for fields in ({"Amount": 7}, {"NextStep": "no history"}, {"StageName": "Closed Lost", "CloseDate": "2026-05-01"}):
        sf.wait(60)
        sf.patch(f"sobjects/Opportunity/{deal}", fields, status=204)

    rows = history(sf)

    assert [(row["StageName"], row["Amount"], row["CloseDate"]) for row in rows] == [
        ("Prospecting", 5.0, "2026-06-30"), ("Prospecting", 7.0, "2026-06-30"), ("Closed Lost", 7.0, "2026-05-01"),
    ]  # fmt: skip
    assert [row["CreatedDate"][14:19] for row in rows] == ["30:15", "31:15", "33:15"]
    # A row's stamp moves when the next one supersedes it.
    assert [row["SystemModstamp"][14:19] for row in rows] == ["31:15", "33:15", "33:15"]
    assert rows[2]["ForecastCategory"] == "Omitted"


def test_a_change_of_owner_yields_two_rows_of_field_history(sf: Any) -> None:
    me = sf.emulator.org.running_user
    ann = sf.make("User", Username="ann@example.com", FirstName="Ann", LastName="Lee", Email="ann@example.com")
    deal = sf.deal()

    sf.patch(f"sobjects/Opportunity/{deal}", {"OwnerId": ann}, status=204)

    rows = sf.rows(
        "SELECT OpportunityId, Field, DataType, OldValue, NewValue, CreatedById FROM OpportunityFieldHistory"
    )
    assert [list(row.values()) for row in rows] == [
        [deal, "Owner", "EntityId", me, ann, me],
        [deal, "Owner", "Text", "Integration", "Ann Lee", me],
    ]
    assert sf.soql("SELECT SystemModstamp FROM OpportunityFieldHistory", status=400)[0]["errorCode"] == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("settings", "year", "quarter"),
    [
        ({}, 2026, 2),
        ({"FiscalYearStartMonth": 2}, 2027, 2),
        ({"FiscalYearStartMonth": 7}, 2026, 4),
        ({"FiscalYearStartMonth": 2, "UsesStartDateAsFiscalYearName": True}, 2026, 2),
    ],
)
def test_the_fiscal_period_follows_the_orgs_calendar(
    sf: Any, settings: dict[str, Any], year: int, quarter: int
) -> None:
    org = sf.rows("SELECT Id FROM Organization")[0]["Id"]
    sf("POST", "/__world", {"record": "Organization", "id": org, "fields": settings})

    sf.deal(CloseDate="2026-06-30")

    row = sf.rows("SELECT FiscalYear, FiscalQuarter, Fiscal FROM Opportunity")[0]
    assert list(row.values()) == [year, quarter, f"{year} {quarter}"]


def test_a_task_takes_its_account_from_what_it_is_about(sf: Any) -> None:
    account = sf.make("Account", Name="Acme")
    deal = sf.deal(AccountId=account)
    task = sf.make("Task", WhatId=deal, TaskSubtype="Call", CallType="Outbound")
    sf.wait(60)

    sf.patch(f"sobjects/Task/{task}", {"Status": "Completed"}, status=204)

    row = sf.rows("SELECT AccountId, IsClosed, Status, CompletedDateTime, IsArchived FROM Task")[0]
    assert list(row.values()) == [account, True, "Completed", "2026-03-02T09:31:15.000+0000", False]


def test_old_activities_are_archived_out_of_query_but_not_out_of_query_all(sf: Any) -> None:
    deal = sf.deal()
    sf.make("Task", WhatId=deal, Status="Completed", ActivityDate="2025-03-01", Subject="old and done")
    sf.make("Task", WhatId=deal, ActivityDate="2025-03-01", Subject="old and open")
    sf.make("Task", WhatId=deal, Status="Completed", ActivityDate="2025-03-03", Subject="not a year old")
    sf.make("Event", WhatId=deal, StartDateTime="2025-02-01T10:00:00Z", Subject="old event", DurationInMinutes=30)

    tasks = [row["Subject"] for row in sf.rows("SELECT Subject FROM Task ORDER BY Subject")]
    everything = sf.rows("SELECT Subject, IsArchived, SystemModstamp FROM Task ORDER BY Subject", everything=True)

    assert tasks == ["not a year old", "old and open"]
    assert [(row["Subject"], row["IsArchived"]) for row in everything] == [
        ("not a year old", False), ("old and done", True), ("old and open", False),
    ]  # fmt: skip
    assert {row["SystemModstamp"] for row in everything} == {"2026-03-02T09:30:15.000+0000"}, "archiving moves no stamp"
    assert sf.rows("SELECT Id FROM Event") == []
    assert len(sf.rows("SELECT Id FROM Event", everything=True)) == 1


def test_time_alone_archives(sf: Any) -> None:
    sf.make("Event", StartDateTime="2026-03-01T10:00:00Z", DurationInMinutes=30)
    before = len(sf.rows("SELECT Id FROM Event"))

    sf.wait(370 * 86400)

    assert (before, sf.rows("SELECT Id FROM Event")) == (1, [])


def test_an_event_needs_a_start(sf: Any) -> None:
    answer = sf.post("sobjects/Event", {"Subject": "when?"}, status=400)

    assert answer[0]["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_deleting_a_parent_takes_its_children_along(sf: Any) -> None:
    account = sf.make("Account", Name="Acme")
    deal = sf.deal(AccountId=account)
    sf.make("Task", WhatId=deal)
    sf.wait(60)

    sf.delete(f"sobjects/Account/{account}")

    for kind in ("Account", "Opportunity", "OpportunityHistory", "Task"):
        assert sf.rows(f"SELECT Id FROM {kind}") == []
        gone = sf.rows(f"SELECT IsDeleted, SystemModstamp FROM {kind}", everything=True)
        assert gone == [{"IsDeleted": True, "SystemModstamp": "2026-03-02T09:31:15.000+0000"}]


def test_merging_deletes_the_loser_and_moves_its_children(sf: Any) -> None:
    winner, loser = sf.make("Account", Name="Winner"), sf.make("Account", Name="Loser")
    deal = sf.deal(AccountId=loser)
    sf.make("Task", WhatId=deal)
    sf.wait(60)

    sf("POST", "/__world", {"record": "accounts", "id": loser, "fields": {"MasterRecordId": winner}})

    assert sf.rows("SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true", everything=True) == [
        {"Id": loser, "MasterRecordId": winner}
    ]
    assert sf.rows("SELECT AccountId, SystemModstamp FROM Opportunity") == [
        {"AccountId": winner, "SystemModstamp": "2026-03-02T09:31:15.000+0000"}
    ]


def test_a_quota_snaps_to_its_period(org_of: Callable[..., Any]) -> None:
    target = {"id": "1", "subject_id": "7", "period_start": "2026-01-01", "period_end": "2026-03-31", "amount": "10"}
    sf = org_of({"people": [{"id": "7", "name": "Ann Lee"}], "targets": [target]})
    owner = sf.emulator.ids["people"]["7"]

    made = sf.make("ForecastingQuota", QuotaOwnerId=owner, QuotaAmount=5, StartDate="2026-02-14")
    refused = sf.post("sobjects/ForecastingQuota", {"QuotaOwnerId": owner, "StartDate": "2030-01-01"}, status=400)

    row = sf.rows(f"SELECT StartDate, IsAmount, IsQuantity FROM ForecastingQuota WHERE Id = '{made}'")[0]
    assert list(row.values()) == ["2026-01-01", True, False]
    assert refused[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"


def test_a_late_commit_shows_up_with_an_older_stamp(sf: Any) -> None:
    deal = sf.deal()
    sf.wait(600)
    sf.arm("late_commit", seconds=120)

    sf("POST", "/__world", {"record": "Opportunity", "id": deal, "fields": {"NextStep": "late"}})

    rows = sf.rows("SELECT NextStep, SystemModstamp FROM Opportunity")
    assert rows == [{"NextStep": "late", "SystemModstamp": "2026-03-02T09:38:15.000+0000"}]


def test_a_product_line_is_priced(sf: Any) -> None:
    product, deal = sf.make("Product2", Name="GTX"), sf.deal()

    sf.make("OpportunityLineItem", OpportunityId=deal, Product2Id=product, Quantity=3, UnitPrice=10.5)

    row = sf.rows("SELECT Name, TotalPrice, Product2.Name FROM OpportunityLineItem")[0]
    assert (row["Name"], row["TotalPrice"], row["Product2"]["Name"]) == ("GTX", 31.5, "GTX")
