"""Pages, filters, formats, children and metadata of the SAP emulator."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXTRACT = Path(__file__).parents[5] / "shared" / "specs" / "sap" / "c4codataapi_subset_reconstructed.edmx"
WINDOW = "EntityLastChangedOn ge datetimeoffset'2026-02-01T08:00:00Z'"
TENANTS_OWN = {"dataloader1_KUT", "mul1"}
"""Extension fields of the tenant that the extract was taken from."""
MOMENTS = {
    "StartDate", "EndDate", "SurveyCreationDate", "FirstEmailReceivedOn", "FirstEmailSentOn", "LastEmailReceivedOn",
    "LastEmailSentOn", "LastMeetingOn", "NextMeetingOn",
}  # fmt: skip
"""Timestamps whose type the extract could not infer from its samples."""


def xml(text: str) -> ET.Element:
    """The root of a document."""
    return ET.fromstring(text)  # noqa: S314 - the emulator's own words


def many(count: int) -> dict[str, list[dict[str, str]]]:
    """A world with so many deals, all changed at the same moment."""
    at = "2026-01-05T10:00:00Z"
    return {"opportunities": [{"id": str(n), "name": f"D{n}", "modified_at": at} for n in range(1, count + 1)]}


def follow(sap: Any, target: str) -> list[list[str]]:
    """The ObjectIDs of every page, by the server's own links."""
    pages = []
    while True:
        found = sap.json(target)["d"]
        pages.append([row["ObjectID"] for row in found["results"]])
        if "__next" not in found:
            return pages
        target = found["__next"].removeprefix("http://127.0.0.1:1")


def test_a_collection_comes_in_pages_of_1000(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(many(2001))

    pages = follow(sap, "OpportunityCollection?$select=ObjectID&$orderby=ObjectID&$top=5000")

    assert [len(page) for page in pages] == [1000, 1000, 1]
    assert len({key for page in pages for key in page}) == 2001


def test_a_page_with_expand_has_100_rows(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(many(101))

    pages = follow(sap, "OpportunityCollection?$expand=OpportunityItem&$select=ObjectID,OpportunityItem")

    assert [len(page) for page in pages] == [100, 1]


def test_skip_and_top_cut_out_a_part_and_the_count_is_of_all(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(many(30))

    found = sap.json("OpportunityCollection?$orderby=Name&$skip=10&$top=5&$inlinecount=allpages")["d"]

    assert found["__count"] == "30"
    assert [row["Name"] for row in found["results"]] == ["D19", "D2", "D20", "D21", "D22"]
    assert "__next" not in found


def test_count_is_a_bare_number(tenant: Any) -> None:
    reply = tenant("GET", "OpportunityCollection/$count?$filter=Name eq 'Deal 17'")

    assert (reply.body, reply.headers["Content-Type"]) == ("1", "text/plain;charset=utf-8")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("EntityLastChangedOn ge datetimeoffset'2026-02-10T10:00:00Z'", ["Deal 18"]),
        ("EntityLastChangedOn gt datetimeoffset'2026-02-10T10:00:00Z'", []),
        (f"{WINDOW} and EntityLastChangedOn lt datetimeoffset'2026-02-10T10:00:00Z'", ["Deal 17"]),
        ("ExpectedRevenueAmount gt 1200m", ["Deal 17"]),
        ("ExpectedProcessingEndDate eq datetime'2026-04-30T00:00:00'", ["Deal 17"]),
        ("Name eq 'Deal 17' or Name eq 'Deal 18'", ["Deal 17", "Deal 18"]),
        ("(Name eq 'Deal 17' or Name eq 'Deal 18') and LifeCycleStatusCode eq '4'", ["Deal 18"]),
        ("startswith(Name,'Deal')", ["Deal 17", "Deal 18"]),
        ("endswith(Name,'18') eq true", ["Deal 18"]),
        ("substringof('al 17',Name)", ["Deal 17"]),
        ("Name eq '*17'", ["Deal 17"]),
        ("Name ne 'Deal 17'", ["Deal 18"]),
    ],
)
def test_a_filter_finds(tenant: Any, text: str, names: list[str]) -> None:
    found = tenant.rows(f"OpportunityCollection?$filter={text}&$orderby=Name")

    assert [row["Name"] for row in found] == names


@pytest.mark.parametrize(
    "query",
    [
        "$filter=ETag ge datetimeoffset'2026-01-01T00:00:00Z'",
        "$filter=Name eq 'a' or ID eq '1'",
        "$filter=Nme eq 'a'",
        "$filter=Name eq 1",
        "$filter=EntityLastChangedOn ge datetime'2026-01-01T00:00:00'",
        "$filter=ExpectedRevenueAmount gt '5'",
        "$filter=length(Name) gt 5",
        "$filter=not (Name eq 'a')",
        "$filter=OpportunityItem/ProductID eq 'a'",
        "$filter=Name eq 'a",
        "$filter=LifeCycleStatusCodeText eq 'Won'",
        "$orderby=Nme",
        "$select=Nme",
        "$expand=Items",
        "$top=-1",
        "$top=1&$top=2",
        "$skiptoken=x",
        "$apply=x",
        "$format=csv",
    ],
)
def test_what_the_service_does_not_know_is_refused(tenant: Any, query: str) -> None:
    assert tenant("GET", f"OpportunityCollection?{query}").status == 400


def test_a_refusal_names_the_unknown_property(tenant: Any) -> None:
    refused = tenant.refusal("OpportunityCollection?$filter=Nme eq 'a'")

    assert refused == "Property Nme not found in entity Opportunity"


def test_values_look_like_odata_version_2(tenant: Any) -> None:
    key = tenant.emulator.ids["opportunities"]["17"]

    row = tenant.json(f"OpportunityCollection('{key}')")["d"]["results"]

    assert row["ExpectedRevenueAmount"] == "1200.500000"
    assert row["ProbabilityPercent"] == "60.000000"
    assert row["ExpectedProcessingEndDate"] == "/Date(1777507200000)/"
    assert row["EntityLastChangedOn"] == "/Date(1769932800000)/"
    assert row["SalesCyclePhaseCodeText"] == "Offer"
    assert row["LastDataHugSyncDateTime"] is None
    assert row["UUID"].replace("-", "") == row["ObjectID"] == key
    assert row["__metadata"]["etag"] == "W/\"datetimeoffset'2026-02-01T08%3A00%3A00.0000000Z'\""
    assert row["OpportunityItem"]["__deferred"]["uri"].endswith(f"OpportunityCollection('{key}')/OpportunityItem")


def test_without_a_wish_the_answer_is_atom(tenant: Any) -> None:
    reply = tenant("GET", "OpportunityCollection?$top=1&$inlinecount=allpages")
    feed = xml(reply.body)

    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    assert feed.findtext("{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}count") == "2"
    assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == 1


def test_an_atom_refusal_is_xml(tenant: Any) -> None:
    reply = tenant("GET", "OpportunityCollection?$filter=Nme eq 'a'")

    assert xml(reply.body).tag.endswith("}error")


def test_children_are_a_set_an_expansion_and_a_path(tenant: Any) -> None:
    key = tenant.emulator.ids["opportunities"]["17"]

    alone = tenant.rows(f"OpportunityItemCollection?$filter=ParentObjectID eq '{key}'&$expand=Opportunity")
    expanded = tenant.json(f"OpportunityCollection('{key}')?$expand=OpportunityItem")["d"]["results"]
    below = tenant.rows(f"OpportunityCollection('{key}')/OpportunityItem")

    assert [row["ProductID"] for row in alone] == ["GTX"]
    assert alone[0]["Opportunity"]["Name"] == "Deal 17"
    assert [row["ObjectID"] for row in expanded["OpportunityItem"]] == [below[0]["ObjectID"]] == [alone[0]["ObjectID"]]


def test_activities_of_all_kinds_stand_in_one_thin_set(tenant: Any) -> None:
    found = tenant.rows("ActivityCollection?$orderby=ProcessingTypeCode")

    assert [(row["ProcessingTypeCode"], row["ID"]) for row in found] == [("0001", "1"), ("0006", "1")]


def test_a_record_that_is_gone_is_404(tenant: Any) -> None:
    tenant.emulator.remove("opportunities", "17")

    key = tenant.emulator.ids["opportunities"]["17"]

    assert tenant("GET", f"OpportunityCollection('{key}')").status == 404
    assert tenant.rows("OpportunityItemCollection") == []


def test_sorting_by_the_stamp_can_be_refused(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(order_by_stamp=False)

    assert sap("GET", "OpportunityCollection?$orderby=EntityLastChangedOn").status == 400


def test_metadata_shows_a_field_only_after_an_administrator_made_it(sap: Any) -> None:
    before = sap("GET", "$metadata").body
    sap("POST", "/__fields", {"entity": "Opportunity", "name": "ZOppScore", "type": "decimal"})
    after = sap("GET", "$metadata").body

    assert "ZOppScore_KUT" not in before
    assert re.search(r'<Property Name="ZOppScore_KUT" Type="Edm.Decimal"[^>]* sap:updatable="true"', after)


def test_a_field_outside_the_service_is_not_seen(sap: Any) -> None:
    sap("POST", "/__fields", {"entity": "Opportunity", "name": "ZHidden", "in_service": False})

    assert "ZHidden_KUT" not in sap("GET", "$metadata").body
    assert sap("GET", "OpportunityCollection?$select=ZHidden_KUT").status == 400


def test_metadata_agrees_with_the_extract_of_the_service(sap: Any) -> None:
    if not EXTRACT.exists():
        pytest.skip("the extract of the service's metadata is not on this machine")
    edm = "{http://schemas.microsoft.com/ado/2008/09/edm}"

    def read(text: str) -> dict[tuple[str, str], str]:
        types = xml(text).iter(f"{edm}EntityType")
        return {
            (one.get("Name", ""), p.get("Name", "")): p.get("Type", "")
            for one in types
            for p in one.iter(f"{edm}Property")
        }

    ours, theirs = read(sap("GET", "$metadata").body), read(EXTRACT.read_text(encoding="utf-8"))
    different = {place for place, kind in theirs.items() if ours.get(place) != kind}

    assert {name for _, name in different} <= TENANTS_OWN | MOMENTS
    assert all(ours[place] == "Edm.DateTimeOffset" for place in different if place[1] in MOMENTS)


def test_the_links_of_the_metadata_fit_together(sap: Any) -> None:
    edm = "{http://schemas.microsoft.com/ado/2008/09/edm}"
    root = xml(sap("GET", "$metadata").body)

    roles = {
        one.get("Name"): {end.get("Role") for end in one.iter(f"{edm}End")} for one in root.iter(f"{edm}Association")
    }

    links = list(root.iter(f"{edm}NavigationProperty"))
    assert links
    for link in links:
        known = roles[link.get("Relationship", "").removeprefix("c4codataapi.")]
        assert {link.get("FromRole"), link.get("ToRole")} == known
