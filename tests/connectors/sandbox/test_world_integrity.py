"""The simulated company hangs together: references, histories, money and time."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from connectors.sandbox.folder import Tables
from connectors.sandbox.world import Simulated, World, simulate

REFERENCES = [
    ("people", "manager_id", "people"),
    ("accounts", "owner_id", "people"),
    ("accounts", "parent_id", "accounts"),
    ("opportunities", "owner_id", "people"),
    ("opportunities", "account_id", "accounts"),
    ("changes", "by", "people"),
    ("activities", "owner_id", "people"),
    ("activities", "opportunity_id", "opportunities"),
    ("activities", "account_id", "accounts"),
    ("splits", "opportunity_id", "opportunities"),
    ("splits", "person_id", "people"),
    ("line_items", "opportunity_id", "opportunities"),
    ("forecasts", "owner_id", "people"),
    ("surveys", "person_id", "people"),
    ("surveys", "account_id", "accounts"),
    ("surveys", "opportunity_id", "opportunities"),
    ("payments", "opportunity_id", "opportunities"),
    ("contracts", "account_id", "accounts"),
    ("absences", "person_id", "people"),
    ("ratings", "subject_id", "people"),
    ("ratings", "rater_id", "people"),
]
END = date(2026, 6, 30)


@pytest.fixture(scope="module")
def company() -> Simulated:
    return simulate(World(seed=3, deals=900, people=20, end=END, spread=("salesforce", "hubspot")))


@pytest.fixture(scope="module")
def tables(company: Simulated) -> Tables:
    return company.tables


def by_id(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in rows}


def local_date(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo("Europe/Berlin")).date().isoformat()


def moves(tables: Tables, field: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for change in tables["changes"]:
        if change["record"] == "opportunity" and change["field"] == field:
            found.setdefault(change["record_id"], []).append(change)
    return found


@pytest.mark.parametrize(("table", "column", "target"), REFERENCES)
def test_every_reference_leads_to_a_row_of_the_same_connection(
    tables: Tables, table: str, column: str, target: str
) -> None:
    homes = {row["id"]: row["connection"] for row in tables[target]}

    wrong = [row["id"] for row in tables[table] if row[column] and homes.get(row[column]) != row["connection"]]

    assert not wrong
    assert any(row[column] for row in tables[table])


def test_changes_and_person_targets_lead_to_rows_of_their_connection(tables: Tables) -> None:
    homes = {
        name: {row["id"]: row["connection"] for row in tables[table]}
        for name, table in (("opportunity", "opportunities"), ("account", "accounts"), ("person", "people"))
    }

    assert all(homes[change["record"]][change["record_id"]] == change["connection"] for change in tables["changes"])
    assert all(
        homes["person"][target["subject_id"]] == target["connection"]
        for target in tables["targets"]
        if target["subject_kind"] == "person"
    )


def test_owners_in_the_history_are_known_people(tables: Tables) -> None:
    people = by_id(tables["people"])
    owners = [c for c in tables["changes"] if c["field"] == "owner_id"]

    unknown = [c["id"] for c in owners if c["old"] not in people or c["new"] not in people]

    assert owners
    assert not unknown


def test_participants_are_known_people(tables: Tables) -> None:
    people = by_id(tables["people"])

    unknown = [a["id"] for a in tables["activities"] if not set(a["participant_ids"].split(";")) <= set(people)]

    assert not unknown


@pytest.mark.parametrize("field", ["stage", "close_on", "amount", "owner_id"])
def test_history_leads_without_a_gap_to_what_the_deal_says_now(tables: Tables, company: Simulated, field: str) -> None:
    ownerless = {key.split(":")[1] for key in company.truth["faults"]["missing_owner"]["records"]}
    deals = by_id(tables["opportunities"])

    for deal_id, changes in moves(tables, field).items():
        assert all(earlier["new"] == later["old"] for earlier, later in pairwise(changes))
        assert all(earlier["at"] <= later["at"] for earlier, later in pairwise(changes))
        assert all(deals[deal_id]["created_at"] < change["at"] <= deals[deal_id]["modified_at"] for change in changes)
        if not (field == "owner_id" and deal_id in ownerless):
            assert changes[-1]["new"] == deals[deal_id][field]


def test_a_deal_is_closed_by_a_change_at_that_moment_and_on_that_day(tables: Tables) -> None:
    stages = moves(tables, "stage")

    for deal in tables["opportunities"]:
        if deal["outcome"] == "open":
            assert deal["closed_at"] == ""
        else:
            assert stages[deal["id"]][-1]["at"] == deal["closed_at"] == deal["modified_at"]
            assert deal["close_on"] == local_date(deal["closed_at"])


def test_outcome_and_probability_are_those_of_the_stage(tables: Tables) -> None:
    stages = {(row["connection"], row["pipeline"], row["stage"]): row for row in tables["stages"]}

    for deal in tables["opportunities"]:
        stage = stages[deal["connection"], deal["pipeline"], deal["stage"]]
        assert (deal["outcome"], deal["probability"]) == (stage["outcome"], stage["probability"])


def test_no_stage_name_occurs_in_two_pipelines(tables: Tables) -> None:
    names = Counter((row["connection"], row["stage"]) for row in tables["stages"])

    assert set(names.values()) == {1}


def test_nothing_is_recorded_on_or_after_the_day_of_observation(tables: Tables) -> None:
    limit = "2026-06-29T22:00:00Z"  # midnight in Berlin
    moments = ("created_at", "modified_at", "closed_at", "completed_at", "at", "sent_at", "answered_at", "rated_at")

    late = [
        (table, row["id"], column) for table, rows in tables.items() for row in rows for column in moments
        if row.get(column, "") >= limit
    ]  # fmt: skip

    assert not late


def test_only_plans_reach_into_the_future(tables: Tables) -> None:
    planned = [a for a in tables["activities"] if a["planned_at"] >= "2026-06-29T22:00:00Z"]

    assert planned
    assert all(a["completed_at"] == "" for a in planned)
    assert all(by_id(tables["opportunities"])[a["opportunity_id"]]["outcome"] == "open" for a in planned)


def test_money_is_written_with_the_places_of_its_currency(tables: Tables) -> None:
    for deal in tables["opportunities"]:
        places = 0 if deal["currency"] == "JPY" else 2
        assert deal["amount"] == "" or Decimal(deal["amount"]).as_tuple().exponent == -places
    assert {"EUR", "USD", "JPY"} <= {deal["currency"] for deal in tables["opportunities"]}


def test_line_items_add_up_to_their_deal(tables: Tables) -> None:
    deals = by_id(tables["opportunities"])
    sums: dict[str, Decimal] = {}
    for item in tables["line_items"]:
        sums[item["opportunity_id"]] = sums.get(item["opportunity_id"], Decimal(0)) + Decimal(item["amount"])

    assert all(Decimal(deals[deal]["amount"]) == total for deal, total in sums.items())


def test_revenue_splits_add_up_to_the_whole_deal(tables: Tables) -> None:
    sums: dict[str, Decimal] = {}
    for split in tables["splits"]:
        if split["kind"] == "revenue":
            share = Decimal(split["percentage"])
            sums[split["opportunity_id"]] = sums.get(split["opportunity_id"], Decimal(0)) + share

    assert set(sums.values()) == {Decimal(1)}
    assert any(split["kind"] == "overlay" for split in tables["splits"])


def test_refunds_follow_payments_and_are_not_larger_than_the_deal(tables: Tables) -> None:
    deals = by_id(tables["opportunities"])
    paid = {p["opportunity_id"]: p["paid_on"] for p in reversed(tables["payments"]) if p["kind"] == "payment"}
    refunds = [payment for payment in tables["payments"] if payment["kind"] == "refund"]

    assert refunds
    assert all(paid[r["opportunity_id"]] < r["paid_on"] for r in refunds)
    assert all(Decimal(0) < Decimal(r["amount"]) <= Decimal(deals[r["opportunity_id"]]["amount"]) for r in refunds)


def test_every_currency_but_the_unknown_has_a_rate_each_week(tables: Tables) -> None:
    days = {c: sorted(r["on"] for r in tables["rates"] if r["currency"] == c) for c in ("USD", "JPY")}

    for on in days.values():
        gaps = [date.fromisoformat(b) - date.fromisoformat(a) for a, b in pairwise(on)]
        assert max(gap.days for gap in gaps) <= 3
        assert on[0] < "2023-12-30"
        assert on[-1] >= "2026-06-26"
    assert {rate["to"] for rate in tables["rates"]} == {"EUR"}


def test_people_in_two_crms_share_an_address_but_not_its_case_nor_their_id(tables: Tables) -> None:
    homes: dict[str, list[dict[str, str]]] = {}
    for person in tables["people"]:
        homes.setdefault(person["email"].casefold(), []).append(person)
    double = [rows for rows in homes.values() if len(rows) == 2]

    assert 0 < len(double) < len(homes) / 2
    assert all({row["connection"] for row in rows} == {"salesforce", "hubspot"} for rows in double)
    assert all(rows[0]["id"] != rows[1]["id"] and rows[0]["email"] != rows[1]["email"] for rows in double)


def test_mirrored_deals_carry_one_external_id_and_the_same_business(tables: Tables, company: Simulated) -> None:
    deals = {f"{deal['connection']}:{deal['id']}": deal for deal in tables["opportunities"]}
    same = ("external_id", "name", "stage", "amount", "currency", "close_on", "created_at", "closed_at")

    mirrors = company.truth["mirrors"]

    assert mirrors
    for pair in mirrors:
        one, two = (deals[key] for key in pair)
        assert one["connection"] != two["connection"]
        assert one["external_id"]
        assert [one[name] for name in same] == [two[name] for name in same]
    externals = Counter(deal["external_id"] for deal in deals.values() if deal["external_id"])
    assert set(externals.values()) == {2}
    assert len(externals) == len(mirrors)
