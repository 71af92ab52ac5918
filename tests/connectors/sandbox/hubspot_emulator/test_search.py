"""Search: operators, types, order, the cap of 10,000, limits, and the lagging index."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def deals(hubspot: Any) -> dict[str, str]:
    """Four deals by name, one without an amount."""
    made = {}
    for name, amount in (("Acme renewal", "9"), ("Beta pilot", "10"), ("ACME pilot", "100.50"), ("Delta", "")):
        hubspot.wait(1)
        made[name] = hubspot.deal(dealname=name, amount=amount)
    return made


def names_of(deals: dict[str, str], found: list[str]) -> set[str]:
    """The names of the deals found."""
    return {name for name, one in deals.items() if one in found}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ({"propertyName": "amount", "operator": "EQ", "value": "10.0"}, {"Beta pilot"}),
        ({"propertyName": "amount", "operator": "GT", "value": "9"}, {"Beta pilot", "ACME pilot"}),
        ({"propertyName": "amount", "operator": "GTE", "value": "10"}, {"Beta pilot", "ACME pilot"}),
        ({"propertyName": "amount", "operator": "LT", "value": "10"}, {"Acme renewal"}),
        ({"propertyName": "amount", "operator": "LTE", "value": "10"}, {"Acme renewal", "Beta pilot"}),
        ({"propertyName": "amount", "operator": "NEQ", "value": "9"}, {"Beta pilot", "ACME pilot", "Delta"}),
        (
            {"propertyName": "amount", "operator": "BETWEEN", "value": "9", "highValue": "10"},
            {"Acme renewal", "Beta pilot"},
        ),
        ({"propertyName": "amount", "operator": "HAS_PROPERTY"}, {"Acme renewal", "Beta pilot", "ACME pilot"}),
        ({"propertyName": "amount", "operator": "NOT_HAS_PROPERTY"}, {"Delta"}),
        ({"propertyName": "dealname", "operator": "EQ", "value": "delta"}, {"Delta"}),
        ({"propertyName": "dealname", "operator": "IN", "values": ["delta", "Beta pilot"]}, {"Delta"}),
        (
            {"propertyName": "dealname", "operator": "NOT_IN", "values": ["delta"]},
            {"Acme renewal", "Beta pilot", "ACME pilot"},
        ),
        ({"propertyName": "dealname", "operator": "CONTAINS_TOKEN", "value": "acm*"}, {"Acme renewal", "ACME pilot"}),
        ({"propertyName": "dealname", "operator": "CONTAINS_TOKEN", "value": "acm"}, set()),
        ({"propertyName": "dealname", "operator": "NOT_CONTAINS_TOKEN", "value": "pilot"}, {"Acme renewal", "Delta"}),
        ({"propertyName": "hs_is_closed", "operator": "EQ", "value": "true"}, set()),
        ({"propertyName": "dealstage", "operator": "IN", "values": ["qualifiedtobuy"]},
         {"Acme renewal", "Beta pilot", "ACME pilot", "Delta"}),
    ],
)  # fmt: skip
def test_operators(hubspot: Any, deals: dict[str, str], one: dict[str, Any], expected: set[str]) -> None:
    assert names_of(deals, hubspot.found(one)) == expected


def test_groups_are_or_and_filters_are_and(hubspot: Any, deals: dict[str, str]) -> None:
    big = {"propertyName": "amount", "operator": "GT", "value": "9"}
    acme = {"propertyName": "dealname", "operator": "CONTAINS_TOKEN", "value": "acme"}
    none = {"propertyName": "amount", "operator": "NOT_HAS_PROPERTY"}

    body = hubspot.search({"filterGroups": [{"filters": [big, acme]}, {"filters": [none]}]})

    assert names_of(deals, [row["id"] for row in body["results"]]) == {"ACME pilot", "Delta"}
    assert body["total"] == 2


def test_a_window_of_epoch_milliseconds_is_half_open(hubspot: Any, deals: dict[str, str]) -> None:
    second = hubspot.now_ms() - 2000

    found = hubspot.found(
        {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(second)},
        {"propertyName": "hs_lastmodifieddate", "operator": "LT", "value": str(second + 2000)},
    )

    assert names_of(deals, found) == {"Beta pilot", "ACME pilot"}


@pytest.mark.parametrize("operator", ["GTE", "GT", "LTE", "LT"])
def test_a_stamp_filter_and_a_scan_agree(hubspot: Any, deals: dict[str, str], operator: str) -> None:
    stamp = str(hubspot.now_ms() - 1000)

    found = hubspot.found({"propertyName": "hs_lastmodifieddate", "operator": operator, "value": stamp})
    scanned = hubspot.found({"propertyName": "createdate", "operator": operator, "value": stamp})

    assert found == scanned
    assert 0 < len(found) < 4


def test_one_sort_by_number_date_or_id(hubspot: Any, deals: dict[str, str]) -> None:
    order = list(deals.values())

    def ids(sort: Any) -> list[str]:
        return [row["id"] for row in hubspot.search({"sorts": [sort]})["results"]]

    assert ids({"propertyName": "amount", "direction": "DESCENDING"})[:3] == [order[2], order[1], order[0]]
    assert ids("-hs_lastmodifieddate") == order[::-1]
    assert ids("hs_lastmodifieddate") == order
    assert ids("-hs_object_id") == order[::-1]
    assert ids({"propertyName": "dealname"}) == [order[2], order[0], order[1], order[3]]


def test_descending_ids_keep_to_bounds_and_offsets(hubspot: Any) -> None:
    deals = hubspot.deals(6)
    filters = [
        {"propertyName": "hs_object_id", "operator": "GT", "value": deals[0]},
        {"propertyName": "hs_object_id", "operator": "LTE", "value": deals[4]},
    ]
    body = {"filterGroups": [{"filters": filters}], "sorts": ["-hs_object_id"], "limit": 3}

    first = hubspot.search(body)
    second = hubspot.search({**body, "after": first["paging"]["next"]["after"]})

    assert [row["id"] for row in first["results"]] == [deals[4], deals[3], deals[2]]
    assert [row["id"] for row in second["results"]] == [deals[1]]
    assert (first["total"], "paging" in second) == (4, False)


def test_a_kept_answer_notices_every_change(hubspot: Any, deals: dict[str, str]) -> None:
    big = {"propertyName": "amount", "operator": "GT", "value": "50"}
    assert names_of(deals, hubspot.found(big)) == {"ACME pilot"}

    hubspot.patch(f"/crm/v3/objects/deals/{deals['Delta']}", {"properties": {"amount": "51"}})
    hubspot("DELETE", f"/crm/v3/objects/deals/{deals['ACME pilot']}")

    assert names_of(deals, hubspot.found(big)) == {"Delta"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"limit": 201}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "int"),
        ({"after": "9900", "limit": 101}, "10000"),
        ({"after": "x"}, "after"),
        ({"sorts": ["amount", "dealname"]}, "one sort"),
        ({"sorts": ["nope"]}, "does not exist"),
        ({"sorts": [{"propertyName": "amount", "direction": "UP"}]}, "Enum"),
        ({"query": "x" * 3001}, "query"),
        ({"filters": []}, "Unrecognized"),
        ({"filterGroups": [{"filters": [{"propertyName": "amount"}]}]}, "operator"),
        ({"filterGroups": [{"filters": [{"propertyName": "nope", "operator": "HAS_PROPERTY"}]}]}, "does not exist"),
        ({"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "LIKE", "value": "1"}]}]}, "Enum"),
        ({"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "GT"}]}]}, "value"),
        ({"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "GT", "value": "x"}]}]}, "number"),
        ({"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "IN", "value": "1"}]}]}, "values"),
        ({"filterGroups": [{"filters": []}] * 6}, "at most"),
        ({"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "HAS_PROPERTY"}] * 7}]}, "at most"),
    ],
)
def test_what_search_refuses(hubspot: Any, body: dict[str, Any], words: str) -> None:
    answer = hubspot.search(body, status=400)

    assert answer["category"] == "VALIDATION_ERROR"
    assert words in answer["message"]


def test_the_last_page_below_the_cap_is_served(hubspot: Any) -> None:
    hubspot.deal()

    assert hubspot.search({"after": "9900", "limit": 100})["results"] == []


def test_iso_times_are_passed_over_on_goal_targets_only(hubspot: Any) -> None:
    goal = {"properties": {"hs_goal_name": "G", "hs_start_datetime": "2026-01-01T00:00:00Z"}}
    hubspot.post("/crm/v3/objects/goal_targets", goal, 201)
    deal = hubspot.deal(closedate="2026-05-01")
    late = {"operator": "GT", "value": "2030-01-01T00:00:00Z"}

    goals = hubspot.found({"propertyName": "hs_start_datetime", **late}, kind="goal_targets")

    assert len(goals) == 1
    assert hubspot.found({"propertyName": "closedate", **late}) == []
    assert hubspot.found({"propertyName": "closedate", "operator": "GT", "value": "1767225600000"}) == [deal]


def test_a_lagging_index_shows_old_values_and_no_new_rows(open_portal: Callable[..., Any]) -> None:
    hubspot = open_portal(index_lag_seconds=30)
    deal = hubspot.deal(amount="1")
    anything = {"propertyName": "amount", "operator": "HAS_PROPERTY"}
    new = {"propertyName": "amount", "operator": "EQ", "value": "2"}
    assert hubspot.found(anything) == []

    hubspot.wait(31)
    assert hubspot.found(anything) == [deal]
    hubspot.patch(f"/crm/v3/objects/deals/{deal}", {"properties": {"amount": "2"}})

    assert (hubspot.found(anything), hubspot.found(new)) == ([deal], [])
    hubspot.wait(31)
    assert hubspot.found(new) == [deal]


def test_words_are_looked_for_everywhere(hubspot: Any, deals: dict[str, str]) -> None:
    body = hubspot.search({"query": "pil acme"})

    assert names_of(deals, [row["id"] for row in body["results"]]) == {"ACME pilot"}


def test_an_edited_row_leaves_its_old_window(hubspot: Any, deals: dict[str, str]) -> None:
    first = hubspot.now_ms() - 3000
    old = [
        {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(first)},
        {"propertyName": "hs_lastmodifieddate", "operator": "LTE", "value": str(hubspot.now_ms())},
    ]
    hubspot.wait(60)

    hubspot.patch(f"/crm/v3/objects/deals/{deals['Acme renewal']}", {"properties": {"amount": "1"}})

    assert names_of(deals, hubspot.found(*old)) == {"Beta pilot", "ACME pilot", "Delta"}
    assert hubspot.search({"filterGroups": [{"filters": old[:1]}]})["total"] == 4
