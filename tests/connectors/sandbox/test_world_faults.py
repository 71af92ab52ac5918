"""Planted data faults are where truth.json says they are, as often as their rates say, and nowhere else."""

import math
from collections import Counter, defaultdict
from datetime import date
from statistics import median
from typing import Any

import pytest

from connectors.sandbox.folder import Tables
from connectors.sandbox.world import FAULT_RATES, Simulated, World, simulate

END = date(2026, 6, 30)
UNITS_PER_EURO = {"EUR": 1.0, "USD": 1.09, "JPY": 161.0}


@pytest.fixture(scope="module")
def company() -> Simulated:
    return simulate(World(seed=1, deals=5000, end=END))


@pytest.fixture(scope="module")
def tables(company: Simulated) -> Tables:
    return company.tables


@pytest.fixture(scope="module")
def deals(tables: Tables) -> dict[str, dict[str, str]]:
    return {deal["id"]: deal for deal in tables["opportunities"]}


def records(company: Simulated, fault: str) -> Any:
    return company.truth["faults"][fault]["records"]


def originals(company: Simulated, deals: dict[str, dict[str, str]]) -> list[dict[str, str]]:
    later = {pair[1] for pair in records(company, "duplicate")}
    return [deal for deal in deals.values() if deal["id"] not in later]


def is_early(deal: dict[str, str]) -> bool:
    return deal["stage"] in {"Prospecting", "Renewal open"}


def test_the_default_company_has_forty_thousand_activities_and_forty_who_sell(tables: Tables) -> None:
    sellers = [p for p in tables["people"] if p["role"] == "AE" and p["active"] == "true"]

    assert len(tables["activities"]) >= 40_000
    assert len(sellers) >= 40


@pytest.mark.parametrize("fault", FAULT_RATES)
def test_faults_are_as_frequent_as_their_rate(company: Simulated, fault: str) -> None:
    found = company.truth["faults"][fault]
    rate, eligible = found["rate"], found["eligible"]

    # four standard deviations: the seed is fixed, a changed simulation should not trip over chance
    slack = 4 * math.sqrt(eligible * rate * (1 - rate))
    assert abs(len(found["records"]) - eligible * rate) <= slack
    assert found["records"]


def test_amounts_are_missing_beyond_the_first_stage_only_where_planted(
    company: Simulated, deals: dict[str, dict[str, str]]
) -> None:
    missing = {
        deal["id"]
        for deal in deals.values()
        if not deal["amount"] and (deal["outcome"] == "won" or (deal["outcome"] == "open" and not is_early(deal)))
    }

    planted = set(records(company, "missing_amount"))

    assert missing
    assert missing <= planted
    assert all(deals[deal_id]["amount"] == "" for deal_id in planted)


def test_open_deals_are_past_due_exactly_where_planted(company: Simulated, deals: dict[str, dict[str, str]]) -> None:
    past_due = {d["id"] for d in deals.values() if d["outcome"] == "open" and d["close_on"] < END.isoformat()}

    assert past_due == set(records(company, "past_due"))


def test_owners_are_missing_exactly_where_planted(company: Simulated, deals: dict[str, dict[str, str]]) -> None:
    assert {d["id"] for d in deals.values() if not d["owner_id"]} == set(records(company, "missing_owner"))


def test_next_steps_are_missing_exactly_where_planted(company: Simulated, deals: dict[str, dict[str, str]]) -> None:
    missing = {
        deal["id"]
        for deal in deals.values()
        if deal["outcome"] == "open" and not is_early(deal) and not deal["next_step"]
    }

    assert missing == set(records(company, "no_next_step"))


def test_deals_close_on_their_first_day_exactly_where_planted(
    company: Simulated, deals: dict[str, dict[str, str]]
) -> None:
    same_day = {
        deal["id"]
        for deal in deals.values()
        if deal["outcome"] == "won" and deal["created_at"][:10] == deal["closed_at"][:10]
    }

    assert same_day == set(records(company, "same_day_close"))


def test_currencies_are_unknown_exactly_where_planted(
    company: Simulated, tables: Tables, deals: dict[str, dict[str, str]]
) -> None:
    known = {rate["currency"] for rate in tables["rates"]} | {"EUR"}

    unknown = {deal["id"] for deal in deals.values() if deal["currency"] not in known}

    assert unknown == set(records(company, "unknown_currency"))


def test_outliers_stand_out_and_the_others_do_not(company: Simulated, deals: dict[str, dict[str, str]]) -> None:
    logs: dict[str, dict[str, float]] = defaultdict(dict)
    for deal in deals.values():
        if deal["amount"] and deal["currency"] in UNITS_PER_EURO:
            euros = float(deal["amount"]) / UNITS_PER_EURO[deal["currency"]]
            logs[deal["type"]][deal["id"]] = math.log(euros)

    far = set()
    for values in logs.values():
        middle = median(values.values())
        spread = 1.4826 * median(abs(value - middle) for value in values.values())
        far |= {deal_id for deal_id, value in values.items() if abs(value - middle) > 3.5 * spread}

    planted = {deal_id for deal_id in records(company, "outlier") if deals[deal_id]["amount"]}
    assert planted <= far
    assert len(far - planted) <= 2


def test_no_outlier_that_is_too_large_is_ever_won(company: Simulated, deals: dict[str, dict[str, str]]) -> None:
    won = [deal for deal in deals.values() if deal["outcome"] == "won" and deal["amount"]]

    assert max(float(deal["amount"]) / UNITS_PER_EURO.get(deal["currency"], 1.0) for deal in won) < 250_000


def test_duplicates_agree_in_account_amount_date_and_nearly_in_name(
    company: Simulated, deals: dict[str, dict[str, str]]
) -> None:
    for first_id, later_id in records(company, "duplicate"):
        first, later = deals[first_id], deals[later_id]
        assert (first["account_id"], first["amount"], first["close_on"]) == (
            later["account_id"], later["amount"], later["close_on"],
        )  # fmt: skip
        assert later["name"].startswith(first["name"])
        assert first["created_at"] < later["created_at"]


def test_without_faults_the_data_is_clean() -> None:
    company = simulate(World(seed=2, deals=300, people=10, end=END, faults={}))

    assert not any(fault["records"] for fault in company.truth["faults"].values())
    assert all(deal["owner_id"] for deal in company.tables["opportunities"])
    assert all(deal["amount"] for deal in company.tables["opportunities"] if deal["outcome"] == "won")


def test_salesforce_deals_always_have_an_owner() -> None:
    world = World(
        seed=4, deals=400, people=10, end=END, spread=("salesforce", "hubspot"), faults={"missing_owner": 0.2}
    )

    tables = simulate(world).tables

    ownerless = Counter(deal["connection"] for deal in tables["opportunities"] if not deal["owner_id"])
    assert ownerless["salesforce"] == 0
    assert ownerless["hubspot"] > 10
