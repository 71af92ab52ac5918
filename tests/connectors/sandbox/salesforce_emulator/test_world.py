"""A world folder as a Salesforce org holds it."""

# ruff: noqa: S608 - SOQL for an emulator that has no database

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.salesforce import SalesforceEmulator
from connectors.sandbox.salesforce.ids import checksum
from connectors.sandbox.world import World, simulate

PEOPLE = [
    {"id": "7", "name": "Ann van Lee", "email": "ann@example.com", "active": "true", "manager_id": "8", "team": "North",
     "region": "DACH", "territory": "T1", "role": "AE", "started_on": "2024-01-01", "modified_at": "2026-01-02T03:04:05Z"},
    {"id": "8", "name": "Bo", "email": "bo@example.com", "active": "false", "role": "Manager"},
]  # fmt: skip
STAGES = [
    {"id": "s1", "pipeline": "New", "stage": "Open", "position": "1", "outcome": "open", "probability": "0.2"},
    {"id": "s2", "pipeline": "New", "stage": "Proposal", "position": "2", "outcome": "open", "probability": "0.85"},
    {
        "id": "s3",
        "pipeline": "New",
        "stage": "Won",
        "label": "Gewonnen",
        "position": "3",
        "outcome": "won",
        "probability": "1",
    },
    {"id": "s4", "pipeline": "New", "stage": "Lost", "position": "4", "outcome": "lost", "probability": "0"},
    {"id": "s5", "pipeline": "Renewal", "stage": "Void", "position": "5", "outcome": "omitted", "probability": "0"},
]
DEAL = {
    "id": "100", "name": 'Big, "deal"', "account_id": "50", "owner_id": "7", "pipeline": "New", "stage": "Won",
    "amount": "1000.50", "currency": "EUR", "created_at": "2025-11-01T08:00:00Z", "close_on": "2026-01-15",
    "closed_at": "2026-01-15T10:00:00Z", "type": "New", "source": "Web", "product": "GTX", "next_step": "none",
    "discount": "0.125", "external_id": "X-1", "modified_at": "2026-01-15T10:00:00Z",
}  # fmt: skip
CHANGES = [
    {"id": "1", "record": "opportunity", "record_id": "100", "field": "stage", "old": "Open", "new": "Proposal",
     "at": "2025-12-01T08:00:00Z", "by": "7"},
    {"id": "2", "record": "opportunity", "record_id": "100", "field": "amount", "old": "900", "new": "1000.50",
     "at": "2025-12-01T08:00:00Z", "by": "7"},
    {"id": "3", "record": "opportunity", "record_id": "100", "field": "owner_id", "old": "8", "new": "7",
     "at": "2025-12-05T08:00:00Z", "by": "8"},
    {"id": "4", "record": "opportunity", "record_id": "100", "field": "stage", "old": "Proposal", "new": "Won",
     "at": "2026-01-15T10:00:00Z", "by": "7"},
]  # fmt: skip
ACCOUNTS = [
    {"id": "50", "name": "Acme", "owner_id": "7", "industry": "Retail", "region": "DACH", "created_at": "2025-01-01T00:00:00Z"},
    {"id": "51", "name": "Acme Sub", "parent_id": "50"},
]  # fmt: skip
Build = Callable[..., Any]


@pytest.fixture
def sf(org_of: Build) -> Any:
    """An org with one deal and what hangs on it."""
    return org_of(
        {
            "people": PEOPLE,
            "stages": STAGES,
            "accounts": ACCOUNTS,
            "opportunities": [DEAL],
            "changes": CHANGES,
            "activities": [
                {"id": "1", "kind": "call", "owner_id": "7", "opportunity_id": "100", "account_id": "50",
                 "contact_ids": "c1;c2", "direction": "outbound", "created_at": "2026-01-10T08:00:00Z",
                 "completed_at": "2026-01-10T08:05:00Z", "duration_seconds": "300"},
                {"id": "2", "kind": "email", "owner_id": "7", "account_id": "50", "completed_at": "2026-01-11T08:00:00Z"},
                {"id": "3", "kind": "task", "owner_id": "7", "opportunity_id": "100", "planned_at": "2026-03-10T08:00:00Z"},
                {"id": "4", "kind": "meeting", "owner_id": "7", "opportunity_id": "100",
                 "planned_at": "2026-01-12T08:00:00Z", "completed_at": "2026-01-12T09:00:00Z", "duration_seconds": "3600"},
            ],
            "splits": [{"id": "1", "opportunity_id": "100", "person_id": "7", "percentage": "0.6", "kind": "revenue"},
                       {"id": "2", "opportunity_id": "100", "person_id": "8", "percentage": "0.4", "kind": "overlay"}],
            "line_items": [{"id": "1", "opportunity_id": "100", "product": "GTX", "quantity": "2", "amount": "1000.50"}],
            "targets": [{"id": "1", "subject_kind": "person", "subject_id": "7", "metric": "bookings", "amount": "5000",
                         "period_start": "2026-01-01", "period_end": "2026-03-31", "currency": "EUR"},
                        {"id": "2", "subject_kind": "team", "subject_id": "North", "metric": "bookings", "amount": "9",
                         "period_start": "2026-01-01", "period_end": "2026-03-31", "currency": "EUR"}],
            "rates": [{"id": "1", "currency": "USD", "to": "EUR", "rate": "0.8", "on": "2026-01-01"},
                      {"id": "2", "currency": "USD", "to": "EUR", "rate": "0.5", "on": "2026-02-01"},
                      {"id": "3", "currency": "EUR", "to": "JPY", "rate": "160", "on": "2026-01-01"}],
        }
    )  # fmt: skip


def test_people_are_users(sf: Any) -> None:
    fields = (
        "Name, FirstName, LastName, Email, Username, IsActive, Department, Division, Title, UserRole.Name, Manager.Name"
    )

    rows = sf.rows(f"SELECT {fields}, Territory__c, SystemModstamp FROM User WHERE UserType = 'Standard' ORDER BY Name")

    ann = rows[0]
    assert [ann[name] for name in ("Name", "FirstName", "LastName", "Email", "Department", "Division", "Title")] == [
        "Ann van Lee", "Ann van", "Lee", "ann@example.com", "North", "DACH", "AE",
    ]  # fmt: skip
    assert (ann["UserRole"]["Name"], ann["Manager"]["Name"]) == ("AE", "Bo")
    assert (ann["Territory__c"], ann["SystemModstamp"]) == ("T1", "2026-01-02T03:04:05.000+0000")
    assert [row["IsActive"] for row in rows] == [True, False]


def test_ids_are_the_vendors_and_can_be_looked_up(sf: Any) -> None:
    ids = sf.emulator.ids
    prefixes = {
        "people": "005",
        "accounts": "001",
        "opportunities": "006",
        "targets": "0J9",
        "splits": "1SO",
        "contacts": "003",
    }

    assert {table: {one[:3] for one in ids[table].values()} for table in prefixes} == {
        table: {prefix} for table, prefix in prefixes.items()
    }
    assert ids["activities"]["4"][:3] == "00U"
    assert all(one[15:] == checksum(one[:15]) for table in ids.values() for one in table.values() if len(one) == 18)
    assert sf.rows("SELECT Id, AccountId, OwnerId FROM Opportunity") == [
        {"Id": ids["opportunities"]["100"], "AccountId": ids["accounts"]["50"], "OwnerId": ids["people"]["7"]}
    ]


def test_a_world_id_that_is_one_of_the_vendors_is_kept(org_of: Build) -> None:
    own = "006A0000006Vm9r" + checksum("006A0000006Vm9r")

    sf = org_of({"opportunities": [{**DEAL, "id": own}]})

    assert sf.emulator.ids["opportunities"] == {own: own}


def test_stages_mean_what_the_world_says(sf: Any) -> None:
    rows = sf.rows(
        "SELECT ApiName, MasterLabel, IsClosed, IsWon, DefaultProbability, ForecastCategory, SortOrder FROM OpportunityStage "
        "ORDER BY SortOrder"
    )

    assert [tuple(row.values())[:6] for row in rows] == [
        ("Open", "Open", False, False, 20.0, "Pipeline"),
        ("Proposal", "Proposal", False, False, 85.0, "Forecast"),
        ("Won", "Gewonnen", True, True, 100.0, "Closed"),
        ("Lost", "Lost", True, False, 0.0, "Omitted"),
        ("Void", "Void", False, False, 0.0, "Omitted"),
    ]
    assert [row["Name"] for row in sf.rows("SELECT Name FROM RecordType ORDER BY Name")] == ["New", "Renewal"]


def test_deals_are_opportunities(sf: Any) -> None:
    row = sf.rows(
        "SELECT Name, StageName, Amount, CurrencyIsoCode, CloseDate, Type, LeadSource, NextStep, IsClosed, IsWon, Probability, "
        "ForecastCategoryName, ExpectedRevenue, FiscalYear, FiscalQuarter, CreatedDate, SystemModstamp, LastStageChangeDate, "
        "External_Id__c, Product__c, Discount__c, RecordType.Name, HasOpportunityLineItem FROM Opportunity"
    )[0]

    assert row.pop("RecordType")["Name"] == "New"
    assert list(row.values()) == [
        'Big, "deal"', "Won", 1000.5, "EUR", "2026-01-15", "New", "Web", "none", True, True, 100.0, "Closed", 1000.5, 2026, 1,
        "2025-11-01T08:00:00.000+0000", "2026-01-15T10:00:00.000+0000", "2026-01-15T10:00:00.000+0000", "X-1", "GTX", 12.5, True,
    ]  # fmt: skip


def test_changes_become_history_with_the_values_after_each(sf: Any) -> None:
    rows = sf.rows(
        "SELECT StageName, Amount, Probability, CreatedDate, SystemModstamp, CreatedById FROM OpportunityHistory ORDER BY CreatedDate"
    )
    owners = sf.rows("SELECT Field, OldValue, NewValue, CreatedDate FROM OpportunityFieldHistory")

    assert [list(row.values())[:3] for row in rows] == [
        ["Open", 900.0, 20.0],
        ["Proposal", 1000.5, 85.0],
        ["Won", 1000.5, 100.0],
    ]
    assert [row["CreatedDate"][:10] for row in rows] == ["2025-11-01", "2025-12-01", "2026-01-15"]
    assert [row["SystemModstamp"][:10] for row in rows] == ["2025-12-01", "2026-01-15", "2026-01-15"]
    ids = sf.emulator.ids["people"]
    assert [(row["OldValue"], row["NewValue"]) for row in owners] == [(ids["8"], ids["7"]), ("Bo", "Ann van Lee")]
    assert {row["CreatedDate"] for row in owners} == {"2025-12-05T08:00:00.000+0000"}


def test_the_first_history_row_of_an_unchanged_deal_is_its_creation(org_of: Build) -> None:
    sf = org_of({"stages": STAGES, "opportunities": [DEAL]})

    rows = sf.rows("SELECT StageName, Probability, CreatedDate FROM OpportunityHistory")

    assert rows == [{"StageName": "Won", "Probability": 100.0, "CreatedDate": "2025-11-01T08:00:00.000+0000"}]


def test_activities_are_tasks_and_events(sf: Any) -> None:
    ids = sf.emulator.ids
    tasks = sf.rows(
        "SELECT TaskSubtype, Status, IsClosed, CallType, CallDurationInSeconds, ActivityDate, WhatId, AccountId, WhoId, "
        "CompletedDateTime FROM Task ORDER BY TaskSubtype"
    )
    event = sf.rows(
        "SELECT StartDateTime, EndDateTime, DurationInMinutes, WhatId, IsChild FROM Event WHERE IsChild = false"
    )[0]

    deal, account = ids["opportunities"]["100"], ids["accounts"]["50"]
    assert list(tasks[0].values()) == [
        "Call", "Completed", True, "Outbound", 300, "2026-01-10", deal, account, ids["contacts"]["c1"],
        "2026-01-10T08:05:00.000+0000",
    ]  # fmt: skip
    assert (tasks[1]["TaskSubtype"], tasks[1]["WhatId"], tasks[1]["CallType"]) == ("Email", account, None)
    assert (tasks[2]["Status"], tasks[2]["IsClosed"], tasks[2]["ActivityDate"]) == ("Not Started", False, "2026-03-10")
    assert list(event.values()) == [
        "2026-01-12T08:00:00.000+0000", "2026-01-12T09:00:00.000+0000", 60, deal, False,
    ]  # fmt: skip
    assert len(sf.rows("SELECT Id FROM Contact")) == 2


def test_splits_line_items_and_targets(sf: Any) -> None:
    splits = sf.rows(
        "SELECT SplitPercentage, SplitAmount, SplitType.DeveloperName, SplitType.IsTotalValidated FROM OpportunitySplit"
    )
    item = sf.rows("SELECT Quantity, UnitPrice, TotalPrice, Product2.Name FROM OpportunityLineItem")[0]
    quotas = sf.rows(
        "SELECT QuotaOwnerId, QuotaAmount, StartDate, Period.Type, Period.EndDate, CurrencyIsoCode FROM ForecastingQuota"
    )

    assert [(row["SplitPercentage"], row["SplitAmount"], row["SplitType"]["DeveloperName"]) for row in splits] == [
        (60.0, 600.3, "Revenue"), (40.0, 400.2, "Overlay"),
    ]  # fmt: skip
    assert (item["Quantity"], item["UnitPrice"], item["TotalPrice"], item["Product2"]["Name"]) == (
        2.0,
        500.25,
        1000.5,
        "GTX",
    )
    assert len(quotas) == 1, "only people have quotas"
    assert (quotas[0]["QuotaAmount"], quotas[0]["StartDate"], quotas[0]["Period"]["EndDate"]) == (
        5000.0,
        "2026-01-01",
        "2026-03-31",
    )


def test_rates_are_units_per_one_of_the_corporate_currency(sf: Any) -> None:
    currencies = sf.rows("SELECT IsoCode, ConversionRate, IsCorporate FROM CurrencyType ORDER BY IsoCode")
    dated = sf.rows(
        "SELECT IsoCode, ConversionRate, StartDate, NextStartDate FROM DatedConversionRate ORDER BY IsoCode, StartDate"
    )

    assert [tuple(row.values()) for row in currencies] == [
        ("EUR", 1.0, True),
        ("JPY", 160.0, False),
        ("USD", 2.0, False),
    ]
    assert [tuple(row.values()) for row in dated] == [
        ("JPY", 160.0, "2026-01-01", "9999-12-31"), ("USD", 1.25, "2026-01-01", "2026-02-01"), ("USD", 2.0, "2026-02-01", "9999-12-31"),
    ]  # fmt: skip


def test_an_org_with_one_currency_has_no_currency_fields(org_of: Build) -> None:
    sf = org_of({"opportunities": [DEAL]})

    assert sf.soql("SELECT CurrencyIsoCode FROM Opportunity", status=400)[0]["errorCode"] == "INVALID_FIELD"
    assert sf.soql("SELECT IsoCode FROM CurrencyType", status=400)[0]["errorCode"] == "INVALID_TYPE"
    features = sf.get("connect/organization")["features"]
    assert (features["multiCurrency"], features["defaultCurrencyIsoCode"]) == (False, "EUR")


def test_rows_of_another_crm_stay_out(org_of: Build) -> None:
    people = [{**PEOPLE[0], "connection": "salesforce"}, {**PEOPLE[1], "connection": "hubspot"}]

    sf = org_of({"people": people})

    assert list(sf.emulator.ids["people"]) == ["7"]


def test_a_whole_simulated_company_loads_alike_every_time(tmp_path: Path) -> None:
    company = simulate(
        World(seed=3, deals=60, people=8, days=200, end=date(2026, 3, 2), spread=("salesforce", "hubspot"))
    )
    company.write(tmp_path)
    ours = [row for row in company.tables["opportunities"] if row["connection"] == "salesforce"]

    first, second = (SalesforceEmulator(tmp_path) for _ in range(2))

    assert first.ids == second.ids
    deals = first.org.tables["Opportunity"].rows
    assert set(first.ids["opportunities"]) == {row["id"] for row in ours}
    for row in ours:
        deal = deals[first.ids["opportunities"][row["id"]]]
        assert deal["StageName"] == row["stage"]
        assert deal.get("Amount") == (float(row["amount"]) if row["amount"] else None)
        assert deal["IsWon"] is (row["outcome"] == "won")
    history: dict[str, dict[str, Any]] = {}
    rows = first.org.tables["OpportunityHistory"].rows.values()
    for entry in sorted(rows, key=lambda entry: (entry["CreatedDate"], entry["Id"])):
        history[entry["OpportunityId"]] = entry
    assert all(history[key]["StageName"] == deal["StageName"] for key, deal in deals.items())
