"""Lists, single records, deleted ones, COQL, search and Bulk Read of the Zoho emulator."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

FIELDS = "/crm/v8/Deals?fields=Deal_Name,Amount"


def walk(zoho: Any, target: str) -> list[str]:
    """The ids of a list, by page tokens."""
    found: list[str] = []
    more = ""
    while True:
        body = zoho.get(f"{target}{more}")
        found += [row["id"] for row in body["data"]]
        if not body["info"]["more_records"]:
            return found
        more = f"&page_token={body['info']['next_page_token']}"


@pytest.mark.parametrize("order", ["sort_order=asc", "sort_by=Modified_Time&sort_order=desc", "sort_by=Created_Time"])
def test_page_tokens_reach_every_row_once(zoho: Any, order: str) -> None:
    made = zoho.deals(2150)

    found = walk(zoho, f"{FIELDS}&{order}")

    assert sorted(found) == sorted(made)


def test_numbered_pages_end_at_two_thousand_rows(zoho: Any) -> None:
    zoho.deals(2001)

    tenth = zoho.get(f"{FIELDS}&page=10")

    assert tenth["info"]["more_records"] is True
    assert zoho.get(f"{FIELDS}&page=11", 400)["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("&page=2", "AMBIGUITY_DURING_PROCESSING"),
        ("&sort_by=Modified_Time", "TOKEN_BOUND_DATA_MISMATCH"),
        ("", "EXPIRED_VALUE"),
    ],
)
def test_a_page_token_is_bound_and_ends(zoho: Any, change: str, code: str) -> None:
    zoho.deals(3)
    token = zoho.get(f"{FIELDS}&per_page=1")["info"]["next_page_token"]
    zoho.wait(86_400)

    refused = zoho.get(f"{FIELDS}&per_page=1&page_token={token}{change}", 400)

    assert refused["code"] == code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "REQUIRED_PARAM_MISSING"),
        ("?fields=" + ",".join(f"F{number}" for number in range(51)), "LIMIT_EXCEEDED"),
        ("?fields=id&per_page=201", "LIMIT_EXCEEDED"),
        ("?fields=id&sort_by=Amount", "INVALID_DATA"),
    ],
)
def test_a_list_refuses_what_zoho_refuses(zoho: Any, query: str, code: str) -> None:
    assert zoho.get(f"/crm/v8/Deals{query}", 400)["code"] == code


def test_version_2_needs_no_fields(zoho: Any) -> None:
    zoho.deals(1)

    assert zoho.get("/crm/v2/Deals")["data"][0]["Deal_Name"] == "Deal 0"


def test_nothing_is_204_and_nothing_new_is_304(zoho: Any) -> None:
    assert zoho.get(FIELDS, 204) is None

    zoho.deals(1)

    assert zoho.get(FIELDS, 304, if_modified_since="2026-03-02T09:30:15+00:00") is None
    assert zoho.get(FIELDS, if_modified_since="2026-03-02T09:30:14+00:00")["info"]["count"] == 1


def test_deleted_records_are_listed(zoho: Any) -> None:
    made = zoho.deals(2)
    zoho.send("DELETE", f"/crm/v8/Deals/{made[0]}", None)

    body = zoho.get("/crm/v8/Deals/deleted?type=all")

    assert [(row["id"], row["type"]) for row in body["data"]] == [(made[0], "recycle")]
    assert zoho.get(f"/crm/v8/Deals/{made[0]}", 204) is None


def test_a_keyset_query_walks_everything_once(zoho: Any) -> None:
    made = zoho.deals(450)
    found: list[str] = []
    where = "id is not null"
    while True:
        text = "select id, Modified_Time from Deals where WHERE order by Modified_Time asc, id asc limit 200"
        body = zoho.coql(text.replace("WHERE", where))
        found += [row["id"] for row in body["data"]]
        at, last = body["data"][-1]["Modified_Time"], found[-1]
        where = f"(Modified_Time > '{at}' or (Modified_Time = '{at}' and id > {last}))"
        if not body["info"]["more_records"]:
            break

    assert found == made


def test_a_query_shows_lookups_as_bare_ids_and_walks_over_them(company: Any) -> None:
    body = company.coql("select Potential_Name, Potential_Name.Owner, Stage from DealHistory where Moved_To__s = 'Won'")

    ids = company.emulator.ids
    (row,) = body["data"]
    assert row["Potential_Name"] == {"id": ids["opportunities"]["500"]}
    assert row["Potential_Name.Owner"] == {"id": ids["people"]["7"]}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select id from Deals", "SYNTAX_ERROR"),
        ("select id from Deals where Amount > 1 and Amount > 2 and Amount > 3", "SYNTAX_ERROR"),
        ("select id form Deals where id is not null", "SYNTAX_ERROR"),
        ("select Bogus from Deals where id is not null", "INVALID_QUERY"),
        ("select id from Deals where Modified_Time > '2026-01-01T00:00:00Z'", "INVALID_QUERY"),
        ("select id from Deals where Description = 'x'", "INVALID_QUERY"),
        ("select id from Deals where id is not null limit 2001", "LIMIT_EXCEEDED"),
        ("select id from Deals where id is not null limit 2000 offset 98001", "LIMIT_EXCEEDED"),
        ("select id from Emails where id is not null", "INVALID_MODULE"),
        ("select id, id from Deals where id is not null", "DUPLICATE_DATA"),
    ],
)
def test_a_query_refuses_what_zoho_refuses(zoho: Any, query: str, code: str) -> None:
    assert zoho.coql(query, 400)["code"] == code


def test_a_query_filters_sorts_groups_and_pages(zoho: Any) -> None:
    zoho.deals(10)

    some = zoho.coql(
        "select Deal_Name from Deals where (Amount between 2 and 5 and Deal_Name not like '%4') order by Amount desc"
    )
    sums = zoho.coql("select SUM(Amount) as total, Stage from Deals where Amount in (1, 2) group by Stage")
    page = zoho.coql("select Deal_Name from Deals where id is not null order by Amount limit 3 offset 8")

    assert [row["Deal_Name"] for row in some["data"]] == ["Deal 5", "Deal 3", "Deal 2"]
    assert sums["data"] == [{"total": 3, "Stage": "Qualification"}]
    assert [row["Deal_Name"] for row in page["data"]] == ["Deal 8", "Deal 9"]
    assert page["info"]["more_records"] is False


def test_a_search_by_criteria(zoho: Any) -> None:
    zoho.deals(10)

    body = zoho.get("/crm/v8/Deals/search?criteria=((Amount:greater_than:7)and(Stage:equals:Qualification))&fields=id")

    assert body["info"]["count"] == 2
    assert zoho.get("/crm/v8/Deals/search?criteria=(Amount:greater_than", 400)["code"] == "INVALID_QUERY"


def read(zoho: Any, query: dict[str, Any], polls: int = 2) -> tuple[Any, list[str]]:
    """The result of a Bulk Read job and the lines of its file."""
    answer = zoho.send("POST", "/crm/bulk/v8/read", {"query": query, "file_type": "csv"}, 201)
    job = answer["data"][0]["details"]["id"]
    for _ in range(polls):
        shown = zoho.get(f"/crm/bulk/v8/read/{job}")["data"][0]
    content = zoho.get(shown["result"]["download_url"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return shown["result"], archive.read(f"{job}.csv").decode().splitlines()


def test_bulk_read_gives_zipped_rows_with_bare_ids_page_by_page(open_org: Callable[..., Any]) -> None:
    zoho = open_org(page_cap=2)
    made = zoho.deals(3)

    first, lines = read(zoho, {"module": {"api_name": "Deals"}, "fields": ["Deal_Name", "Owner"]})
    second, more = read(zoho, {"page_token": first["next_page_token"]})

    assert lines[0] == "Id,Deal_Name,Owner"
    assert [line.split(",")[0] for line in lines[1:] + more[1:]] == made
    assert lines[1].endswith(f",{zoho.emulator.org.user}")
    assert (first["more_records"], second["more_records"]) == (True, False)


def test_bulk_jobs_run_one_after_the_other(zoho: Any) -> None:
    query = {"query": {"module": {"api_name": "Deals"}}}
    jobs = [zoho.send("POST", "/crm/bulk/v8/read", query, 201)["data"][0]["details"]["id"] for _ in range(2)]

    states = [zoho.get(f"/crm/bulk/v8/read/{jobs[number]}")["data"][0]["state"] for number in (0, 1, 0, 1)]

    assert states == ["IN PROGRESS", "QUEUED", "COMPLETED", "COMPLETED"]


def test_history_of_deleted_deals_loses_its_deal_and_is_left_out_of_bulk_read(company: Any) -> None:
    company.emulator.remove("opportunities", "500")

    lists = company.get("/crm/v8/DealHistory?fields=Potential_Name,Stage")["data"]
    _, lines = read(company, {"module": {"api_name": "DealHistory"}, "fields": ["Stage"]})

    assert sum(row["Potential_Name"] is None for row in lists) == 3
    assert len(lines) == len(lists) - 3 + 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"module": {"api_name": "Notes"}}, "MODULE_NOT_SUPPORTED"),
        ({"module": {"api_name": "Nothing"}}, "MODULE_NOT_AVAILABLE"),
        ({"module": {"api_name": "Deals"}, "fields": ["Bogus"]}, "FIELD_NOT_AVAILABLE"),
        ({"module": {"api_name": "Deals"}, "page": 51}, "PAGE_RANGE_EXCEEDED"),
        ({"page_token": "none"}, "INVALID_DATA"),
        ({}, "REQUEST_BODY_IS_EMPTY"),
    ],
)
def test_bulk_read_refuses_what_zoho_refuses(zoho: Any, query: dict[str, Any], code: str) -> None:
    assert zoho.send("POST", "/crm/bulk/v8/read", {"query": query}, 400)["code"] == code


def test_a_page_may_repeat_or_lose_a_row_on_demand(zoho: Any) -> None:
    made = zoho.deals(6)
    zoho.wait(10)
    zoho.emulator.faults.arm({"name": "duplicate_rows"})
    repeated = walk(zoho, f"{FIELDS}&per_page=2&sort_order=asc")
    zoho.emulator.faults.arm({"name": "moved_row"})
    moved = walk(zoho, f"{FIELDS}&per_page=2&sort_by=Modified_Time&sort_order=asc")

    assert repeated.count(made[1]) == 2
    assert moved == [made[0], made[1], made[3], made[4], made[5], made[2]]
