"""The simulated company: the same every time, valid as records, and as large as asked for."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.records import RECORDS
from connectors.sandbox.folder import COLUMNS, Tables, read_world
from connectors.sandbox.world import Simulated, World, quick_deals, simulate

KINDS = {
    "people": "person", "accounts": "account", "stages": "stage", "opportunities": "opportunity", "changes": "change",
    "activities": "activity", "splits": "split", "line_items": "line_item", "targets": "target",
    "forecasts": "forecast", "surveys": "survey", "payments": "payment", "contracts": "contract",
    "absences": "absence", "rates": "rate", "ratings": "rating",
}  # fmt: skip
END = date(2026, 6, 30)


@pytest.fixture(scope="module")
def company() -> Simulated:
    return simulate(World(seed=3, deals=900, people=20, end=END, spread=("salesforce", "hubspot")))


@pytest.fixture(scope="module")
def tables(company: Simulated) -> Tables:
    return company.tables


def digest(folder: Path) -> str:
    files = sorted(folder.iterdir())
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()


def by_id(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in rows}


def test_the_same_settings_give_the_same_bytes(tmp_path: Path) -> None:
    world = World(seed=11, deals=150, people=8, days=200, end=END, spread=("salesforce", "hubspot"))

    simulate(world).write(tmp_path / "one")
    simulate(world).write(tmp_path / "two")

    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_the_bytes_are_those_of_every_other_machine(tmp_path: Path) -> None:
    simulate(World(seed=11, deals=150, people=8, days=200, end=END)).write(tmp_path)

    assert digest(tmp_path) == "9c4e05669b2196b69a2ab08a39f215f761a1390f56c10d5c42b6ae928cb22f73"


def test_another_seed_is_another_company() -> None:
    one, two = (simulate(World(seed=seed, deals=60, people=8, days=120, end=END)).tables for seed in (1, 2))

    assert one["opportunities"] != two["opportunities"]


def test_files_read_back_as_the_tables_in_memory(company: Simulated, tmp_path: Path) -> None:
    truth = company.write(tmp_path)

    assert read_world(tmp_path) == company.tables
    assert json.loads((tmp_path / "truth.json").read_text("utf-8")) == truth == company.truth


def test_every_column_is_a_field_of_its_record() -> None:
    for table, columns in COLUMNS.items():
        unknown = set(columns) - {"id"} - set(RECORDS[KINDS[table]].model_fields)

        assert not unknown, table


@pytest.mark.parametrize("table", COLUMNS)
def test_every_row_is_a_valid_record(tables: Tables, table: str) -> None:
    record = RECORDS[KINDS[table]]
    rows = tables[table]

    for row in rows:
        fields: dict[str, Any] = {name: cell for name, cell in row.items() if cell and name not in {"id", "connection"}}
        for name in {"contact_ids", "participant_ids"} & set(fields):
            fields[name] = fields[name].split(";")
        record.model_validate({"remote_id": row["id"], **fields})

    assert rows


def test_ids_are_decimal_and_never_given_twice(tables: Tables) -> None:
    for table, rows in tables.items():
        ids = [row["id"] for row in rows]

        assert all(row_id.isdecimal() and row_id[0] != "0" for row_id in ids), table
        assert len(set(ids)) == len(ids), table


def test_a_company_in_one_crm_has_no_connection_column() -> None:
    tables = simulate(World(deals=60, people=8, days=120, end=END)).tables

    assert not any("connection" in row for rows in tables.values() for row in rows)


def test_deals_people_and_activities_come_as_many_as_asked_for() -> None:
    company = simulate(World(deals=400, people=12, days=500, end=END, activities_per_deal=5, planted=False))
    sellers = [p for p in company.tables["people"] if p["role"] in {"AE", "SDR"} and p["active"] == "true"]

    duplicates = len(company.truth["faults"]["duplicate"]["records"])
    assert len(company.tables["opportunities"]) == 400 + duplicates
    assert len(sellers) == 12
    assert 2000 <= len(company.tables["activities"]) <= 2500


def test_without_activities_there_are_none() -> None:
    assert simulate(World(deals=60, people=8, days=120, end=END, activities_per_deal=0)).tables["activities"] == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"people": 3}, "people must be 6 or more"),
        ({"deals": -1}, "deals must not be negative"),
        ({"days": 5}, "30 days or longer"),
        ({"currency": "XTS"}, "currency must be one of"),
        ({"faults": {"typo": 0.1}}, "faults are"),
        ({"faults": {"outlier": 1.5}}, "chances from 0 to 1"),
        ({"faults": {"outlier": 0.6, "duplicate": 0.6}}, "must not exceed 1 together"),
        ({"spread": ("hubspot", "hubspot")}, "each CRM kind once"),
    ],
)
def test_settings_that_make_no_company_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        World(**settings)


def test_a_company_may_count_in_another_currency_and_zone() -> None:
    world = World(deals=80, people=8, days=200, end=END, currency="JPY", time_zone="America/New_York")

    tables = simulate(world).tables

    assert {rate["to"] for rate in tables["rates"]} == {"JPY"}
    assert {rate["currency"] for rate in tables["rates"]} == {"EUR", "USD"}
    assert all("." not in target["amount"] for target in tables["targets"])


def test_a_quick_world_is_whole_and_as_large_as_asked_for() -> None:
    tables = quick_deals(500, seed=2, activities_per_deal=1.5).tables
    people, accounts, deals = (by_id(tables[table]) for table in ("people", "accounts", "opportunities"))

    assert (len(people), len(accounts), len(deals), len(tables["activities"])) == (50, 25, 500, 750)
    assert all(deal["owner_id"] in people and deal["account_id"] in accounts for deal in deals.values())
    assert all(activity["opportunity_id"] in deals for activity in tables["activities"])
    assert {deal["outcome"] for deal in deals.values()} == {"open", "won", "lost"}


def test_a_quick_world_is_the_same_each_time(tmp_path: Path) -> None:
    quick_deals(50, seed=5).write(tmp_path / "one")
    quick_deals(50, seed=5).write(tmp_path / "two")

    assert digest(tmp_path / "one") == digest(tmp_path / "two")
