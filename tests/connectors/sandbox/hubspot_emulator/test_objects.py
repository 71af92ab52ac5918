"""Rows: versions of the paths, lists, single reads, history, merge, archive."""

from typing import Any

import pytest

VERSIONS = ("v3", "2025-09", "2026-03", "2026-09")


def objects(version: str) -> str:
    """Base path of objects in a version."""
    return "/crm/v3/objects" if version == "v3" else f"/crm/objects/{version}"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_serves_the_same_rows(hubspot: Any, version: str) -> None:
    deal = hubspot.deal()

    rows = hubspot.get(f"{objects(version)}/deals")["results"]

    assert [row["id"] for row in rows] == [deal]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_every_path_of_the_table(hubspot: Any, version: str) -> None:
    dated = version != "v3"
    ways = [
        f"/crm/owners/{version}" if dated else "/crm/v3/owners",
        f"/crm/properties/{version}/deals" if dated else "/crm/v3/properties/deals",
        f"/crm/pipelines/{version}/deals" if dated else "/crm/v3/pipelines/deals",
        f"/crm/associations/{version}/deals/companies/labels"
        if dated
        else "/crm/v4/associations/deals/companies/labels",
        f"/settings/currencies/{version}/codes" if dated else "/settings/v3/currencies/codes",
        f"/account-info/{version}/api-usage/daily/private-apps",
        f"/account-info/{version}/details",
    ]

    statuses = [hubspot("GET", way + slash).status for way in ways for slash in ("", "/")]

    assert statuses == [200] * len(statuses)


@pytest.mark.parametrize("version", ["v1", "v2", "v4", "2026-10", "latest"])
def test_a_version_that_does_not_exist_is_no_path(hubspot: Any, version: str) -> None:
    reply = hubspot("GET", f"/crm/{version}/objects/deals")

    assert (reply.status, reply.headers["Content-Type"][:9]) == (404, "text/html")


@pytest.mark.parametrize("spelling", ["deals", "deal", "DEAL", "0-3"])
def test_a_type_has_many_spellings(hubspot: Any, spelling: str) -> None:
    deal = hubspot.deal()

    assert hubspot.get(f"/crm/v3/objects/{spelling}/{deal}")["id"] == deal


def test_an_unknown_type_is_refused(hubspot: Any) -> None:
    assert "Unable to infer" in hubspot.get("/crm/v3/objects/dreams", 400)["message"]


def test_values_are_text_and_computed_ones_are_there(hubspot: Any) -> None:
    deal = hubspot.deal(amount="12000.50", closedate="1795420800000", dealstage="closedwon")
    names = "amount,closedate,hs_is_closed_won,hs_is_closed_lost,hs_deal_stage_probability,hs_projected_amount,nope"

    row = hubspot.get(f"/crm/v3/objects/deals/{deal}?properties={names}&properties=pipeline&properties=description")

    assert row["properties"] == {
        "amount": "12000.50",
        "closedate": "2026-11-23T08:00:00Z",
        "hs_is_closed_won": "true",
        "hs_is_closed_lost": "false",
        "hs_deal_stage_probability": "1.0",
        "hs_projected_amount": "12000.5",
        "pipeline": "default",
        "description": None,
        "hs_object_id": deal,
        "createdate": "2026-03-02T09:30:15.250Z",
        "hs_lastmodifieddate": "2026-03-02T09:30:15.250Z",
    }
    assert (row["createdAt"], row["archived"]) == ("2026-03-02T09:30:15.250Z", False)


def test_a_list_pages_by_ascending_id_to_the_end(hubspot: Any) -> None:
    deals = hubspot.deals(5)

    seen: list[str] = []
    after = ""
    while True:
        page = hubspot.get(f"/crm/v3/objects/deals?limit=2{after}")
        seen += [row["id"] for row in page["results"]]
        if "paging" not in page:
            break
        after = f"&after={page['paging']['next']['after']}"

    assert seen == deals


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=100", 200),
        ("limit=101", 400),
        ("limit=0", 400),
        ("limit=ten", 400),
        ("limit=50&propertiesWithHistory=amount", 200),
        ("limit=51&propertiesWithHistory=amount", 400),
        ("after=x", 400),
        ("archived=maybe", 400),
        ("associations=dreams", 400),
    ],
)
def test_a_list_keeps_to_the_vendors_limits(hubspot: Any, query: str, status: int) -> None:
    hubspot.deal()

    assert hubspot("GET", f"/crm/v3/objects/deals?{query}").status == status


def test_history_is_newest_first_and_at_most_twenty_versions(hubspot: Any) -> None:
    deal = hubspot.deal(amount="0")
    for number in range(1, 26):
        hubspot.wait(1)
        hubspot.patch(f"/crm/v3/objects/deals/{deal}", {"properties": {"amount": str(number)}})

    row = hubspot.get(f"/crm/v3/objects/deals/{deal}?propertiesWithHistory=amount,dealstage")

    versions = row["propertiesWithHistory"]["amount"]
    assert [int(one["value"]) for one in versions] == list(range(25, 5, -1))
    assert versions[0]["timestamp"] == "2026-03-02T09:30:40.250Z"
    assert {one["sourceType"] for one in versions} == {"INTEGRATION"}
    assert len(row["propertiesWithHistory"]["dealstage"]) == 1


def test_an_equal_value_makes_no_version_but_moves_the_stamp(hubspot: Any) -> None:
    deal = hubspot.deal(amount="5")
    hubspot.wait(60)

    hubspot.patch(f"/crm/v3/objects/deals/{deal}", {"properties": {"amount": "5"}})

    row = hubspot.get(f"/crm/v3/objects/deals/{deal}?propertiesWithHistory=amount")
    assert len(row["propertiesWithHistory"]["amount"]) == 1
    assert row["updatedAt"] == row["properties"]["hs_lastmodifieddate"] == "2026-03-02T09:31:15.250Z"


def test_an_archived_row_is_only_in_the_recycle_bin(hubspot: Any) -> None:
    deal = hubspot.deal()

    assert hubspot("DELETE", f"/crm/v3/objects/deals/{deal}").status == 204
    assert hubspot("DELETE", f"/crm/v3/objects/deals/{deal}").status == 204

    assert hubspot.get("/crm/v3/objects/deals")["results"] == []
    (row,) = hubspot.get("/crm/v3/objects/deals?archived=true")["results"]
    assert (row["id"], row["archived"], row["archivedAt"]) == (deal, True, "2026-03-02T09:30:15.250Z")
    assert hubspot.get(f"/crm/v3/objects/deals/{deal}", 404)["category"] == "OBJECT_NOT_FOUND"
    assert hubspot.found({"propertyName": "hs_object_id", "operator": "EQ", "value": deal}) == []


def test_a_merged_row_vanishes_and_its_id_leads_to_the_winner(hubspot: Any) -> None:
    winner, loser = hubspot.deals(2)
    hubspot.patch(f"/crm/v3/objects/deals/{loser}", {"properties": {"hs_next_step": "call"}})

    hubspot.post("/crm/v3/objects/deals/merge", {"primaryObjectId": winner, "objectIdToMerge": loser})

    listed = [hubspot.get(f"/crm/v3/objects/deals?archived={flag}")["results"] for flag in ("false", "true")]
    assert [[row["id"] for row in rows] for rows in listed] == [[winner], []]
    row = hubspot.get(f"/crm/v3/objects/deals/{loser}?properties=hs_merged_object_ids,hs_next_step,amount")
    assert row["id"] == winner
    held = row["properties"]
    assert (held["hs_merged_object_ids"], held["hs_next_step"], held["amount"]) == (loser, "call", "0")


def test_a_gdpr_delete_leaves_nothing(hubspot: Any) -> None:
    contact = hubspot.post("/crm/v3/objects/contacts", {"properties": {"email": "A@example.com"}}, 201)["id"]

    body = {"objectId": "a@example.com", "idProperty": "email"}
    assert hubspot("POST", "/crm/v3/objects/contacts/gdpr-delete", body).status == 204

    assert hubspot.get("/crm/v3/objects/contacts?archived=true")["results"] == []
    hubspot.get(f"/crm/v3/objects/contacts/{contact}", 404)


def test_feedback_is_read_only(hubspot: Any) -> None:
    reply = hubspot("POST", "/crm/v3/objects/feedback_submissions", {"properties": {}})

    assert reply.status == 405


def test_contacts_keep_their_stamp_under_another_name(hubspot: Any) -> None:
    contact = hubspot.post("/crm/v3/objects/contacts", {"properties": {"email": "b@example.com"}}, 201)["id"]

    held = hubspot.get(f"/crm/v3/objects/contacts/{contact}")["properties"]

    assert held["lastmodifieddate"] == held["createdate"] == "2026-03-02T09:30:15.250Z"
    assert "hs_lastmodifieddate" not in held


def test_equal_stamps_by_the_thousand_are_found_by_their_ids(hubspot: Any) -> None:
    table = hubspot.emulator.portal.store.tables["deals"]
    values = {"dealname": "Flood", "dealstage": "closedwon", "pipeline": "default"}
    for _ in range(450):
        hubspot.emulator.admin.writer.create(table, dict(values), hubspot.now_ms(), ("INTEGRATION", None, None))
    stamp = str(hubspot.now_ms())

    seen: list[str] = []
    last = "0"
    while True:
        filters = [
            {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": stamp},
            {"propertyName": "hs_lastmodifieddate", "operator": "LT", "value": str(int(stamp) + 1)},
            {"propertyName": "hs_object_id", "operator": "GT", "value": last},
        ]
        page = hubspot.search({"filterGroups": [{"filters": filters}], "limit": 200})
        if not page["results"]:
            break
        assert page["total"] == 450 - len(seen)
        seen += [row["id"] for row in page["results"]]
        last = seen[-1]

    assert len(set(seen)) == len(seen) == 450
