"""The SAP emulator at its edges: other literals, other formats, wrong places and fields."""

from collections.abc import Callable
from typing import Any

import pytest

UUID = "00163e0b-1ee0-0300-0000-000000000011"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"UUID eq guid'{UUID}'", ["Deal 17"]),
        ("HeaderRevenueSchedule eq false and Score eq 0", ["Deal 17", "Deal 18"]),
        ("HeaderRevenueSchedule eq true", []),
        ("ExpectedProcessingEndDate eq null", ["Deal 18"]),
        ("ExpectedRevenueAmountCurrencyCode ne null", ["Deal 17"]),
        ("ProbabilityPercent ge 10 or ProbabilityPercent eq 0", ["Deal 17", "Deal 18"]),
        ("Name ne '*17'", ["Deal 18"]),
        ("EntityLastChangedOn le datetimeoffset'2026-02-01T08:00:00Z'", ["Deal 17"]),
        ("EntityLastChangedOn eq datetimeoffset'2026-02-10T10:00:00.0000000Z'", ["Deal 18"]),
    ],
)
def test_literals_of_every_type_are_understood(tenant: Any, text: str, names: list[str]) -> None:
    assert [row["Name"] for row in tenant.rows(f"OpportunityCollection?$filter={text}&$orderby=Name")] == names


@pytest.mark.parametrize(
    "query",
    [
        "$filter=Name eq 'a' 'b'",
        "$filter=(Name eq 'a'",
        "$filter=Name",
        "$filter=Name like 'a'",
        "$filter='a' eq Name",
        "$filter=startswith('a',Name)",
        "$filter=startswith(Name,'a') eq false",
        "$filter=startswith(Score,'a')",
        "$filter=Name eq %C2%A7",
        "$filter=EntityLastChangedOn ge datetimeoffset'soon'",
        "$orderby=Name sideways",
        "$orderby=ETag",
        "$inlinecount=some",
        "$select=OpportunityItem/ProductID",
    ],
)
def test_more_that_is_refused(tenant: Any, query: str) -> None:
    assert tenant("GET", f"OpportunityCollection?{query}").status == 400


def test_rows_are_sorted_by_values_not_by_texts(tenant: Any) -> None:
    found = tenant.rows("OpportunityCollection?$orderby=ExpectedRevenueAmount desc,CreationDate&$search=deal")

    assert [row["Name"] for row in found] == ["Deal 17", "Deal 18"]


def test_moments_can_carry_an_offset(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(date_offset=True)

    row = sap.rows("OpportunityCollection?$filter=Name eq 'Deal 17'")[0]

    assert row["EntityLastChangedOn"] == "/Date(1769932800000+0000)/"
    assert row["LastDataHugSyncDateTime"] is None


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("NoCollection", 404),
        ("NoCollection/$count", 404),
        ("OpportunityCollection('x')/Nothing", 404),
        ("OpportunityCollection('x')/$count", 404),
        ("Opportunity;Collection", 400),
        ("OpportunityCollection/x/y/z", 404),
        ("OpportunityOriginTypeCodeCollection", 406),
    ],
)
def test_a_place_that_is_none_is_refused(tenant: Any, target: str, status: int) -> None:
    assert tenant("GET", target).status == status


def test_elsewhere_on_the_host_the_log_on_page_answers(tenant: Any) -> None:
    reply = tenant("GET", "/index.html")

    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html;charset=utf-8")


def test_a_tenants_own_service_answers_at_its_own_path(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(service="cust/v1/scores")

    row = sap.json("/sap/c4c/odata/cust/v1/scores/OpportunityCollection?$top=1")["d"]["results"][0]

    assert row["__metadata"]["uri"].startswith("http://127.0.0.1:1/sap/c4c/odata/cust/v1/scores/OpportunityCollection(")
    assert sap("GET", "OpportunityCollection").status == 404


def test_the_parent_is_reached_from_the_child(tenant: Any) -> None:
    item = tenant.emulator.ids["line_items"]["51"]

    assert tenant.json(f"OpportunityItemCollection('{item}')/Opportunity")["d"]["results"]["Name"] == "Deal 17"


def test_services_collections_and_codes_are_listed(tenant: Any) -> None:
    catalogue = tenant.rows("/sap/c4c/odata/v1/odataservicecatalog/ODataServiceCollection")
    sets = tenant.json("/sap/c4c/odata/v1/c4codataapi/")["d"]["EntitySets"]
    codes = tenant.rows("OpportunitySalesCyclePhaseCodeCollection")

    assert catalogue[0]["ServiceUrl"].endswith("/c4codataapi")
    assert "OpportunityCollection" in sets
    assert [(row["Code"], row["Description"]) for row in codes] == [
        ("001", "Talk"),
        ("002", "Offer"),
        ("003", "Won it"),
    ]


def test_metadata_carries_labels_on_demand(tenant: Any) -> None:
    tenant("POST", "/__fields", {"entity": "Opportunity", "name": "ZLabel", "label": "Our label"})

    assert 'sap:label="Our label"' in tenant("GET", "$metadata?sap-label=true").body
    assert "sap:label" not in tenant("GET", "$metadata").body


def test_atom_shows_one_record_with_its_nulls(tenant: Any) -> None:
    key = tenant.emulator.ids["opportunities"]["17"]

    body = tenant("GET", f"OpportunityCollection('{key}')").body

    assert '<d:ExpectedProcessingEndDate m:type="Edm.DateTime">2026-04-30T00:00:00.0000000</d:' in body
    assert '<d:LastDataHugSyncDateTime m:type="Edm.DateTimeOffset" m:null="true"/>' in body
    assert '<d:HeaderRevenueSchedule m:type="Edm.Boolean">false</d:' in body


def test_fields_are_listed_and_taken_away(tenant: Any) -> None:
    tenant("POST", "/__fields", {"entity": "Opportunity", "name": "ZHidden", "in_service": False})
    listed = {(row["name"], row["in_service"]) for row in tenant("GET", "/__fields").body}
    for name in ("ZHidden_KUT", "ZOppScore_KUT"):
        tenant("DELETE", "/__fields", {"entity": "Opportunity", "name": name})

    assert {("ZHidden_KUT", False), ("ZOppScore_KUT", True)} <= listed
    assert {row["name"] for row in tenant("GET", "/__fields").body}.isdisjoint({"ZHidden_KUT", "ZOppScore_KUT"})
    assert tenant("POST", "/__fields", {"entity": "Opportunity", "name": "Z Bad"}).status == 400


def test_values_of_every_type_are_written(tenant: Any) -> None:
    key = tenant.sign().emulator.ids["opportunities"]["17"]
    sent = {
        "HeaderRevenueSchedule": True,
        "Score": 7,
        "ExpectedProcessingStartDate": "2026-05-01T13:00:00",
        "LastMeetingOn": "/Date(1772323200000+0000)/",
        "LastChangedByUUID": None,
        "MainEmployeeResponsiblePartyID": tenant.emulator.ids["people"]["2"],
    }

    reply = tenant("PATCH", f"OpportunityCollection('{key}')", sent)

    shown = tenant.emulator.show("opportunities", "17")
    assert reply.status == 204
    assert (shown["HeaderRevenueSchedule"], shown["Score"]) == (True, 7)
    assert (shown["ExpectedProcessingStartDate"], shown["LastMeetingOn"][:10]) == ("2026-05-01", "2026-03-01")
    assert shown["MainEmployeeResponsiblePartyName"] == "Bo Chen"


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("PATCH", "OpportunityCollection", {}, 405),
        ("PATCH", "NoCollection('x')", {}, 404),
        ("PATCH", "OpportunityCollection('x')/OpportunityItem", {}, 404),
        ("POST", "NoCollection", {}, 404),
        ("POST", "OpportunityItemCollection", {"ParentObjectID": "x"}, 400),
        ("POST", "OpportunityCollection", [], 400),
        ("POST", "OpportunityCollection", {"Name": "x", "OpportunityItem": {}}, 400),
        ("POST", "OpportunityCollection", {"Name": "x", "LastChangedByUUID": "x"}, 400),
        ("POST", "OpportunityCollection", {"Name": "x", "ProbabilityPercent": "1" * 30}, 400),
        ("POST", "OpportunityCollection", {"Name": "x", "ExpectedProcessingEndDate": 5}, 400),
        ("POST", "OpportunityCollection", {"Name": 5}, 400),
        ("POST", "OpportunityCollection", b"{", 400),
        ("POST", "$metadata", {}, 405),
    ],
)
def test_a_change_in_the_wrong_place_or_form_is_refused(
    tenant: Any, method: str, target: str, body: Any, status: int
) -> None:
    tenant.sign()

    assert tenant(method, target, body, content_type="application/json").status == status


def test_another_media_type_is_refused(tenant: Any) -> None:
    assert (
        tenant.sign()("POST", "OpportunityCollection", b"<entry/>", content_type="application/atom+xml").status == 415
    )


def test_an_unknown_method_in_disguise_is_refused(tenant: Any) -> None:
    key = tenant.sign().emulator.ids["opportunities"]["17"]

    assert tenant("POST", f"OpportunityCollection('{key}')", {}, x_http_method="TRACE").status == 405


def test_a_child_is_made_below_its_parent(tenant: Any) -> None:
    path = f"OpportunityCollection('{tenant.sign().emulator.ids['opportunities']['18']}')"

    made = tenant("POST", f"{path}/OpportunityItem", {"ProductID": "P2"})

    assert made.status == 201
    assert [row["ProductID"] for row in tenant.rows(f"{path}/OpportunityItem")] == ["P2"]
    assert tenant("POST", f"{path}/Nothing", {}).status == 404


def test_a_silent_write_is_answered_and_not_done(tenant: Any) -> None:
    key = tenant.sign().emulator.ids["opportunities"]["17"]
    tenant.arm("silent_write")

    assert tenant("PATCH", f"OpportunityCollection('{key}')", {"Name": "x"}).status == 204
    assert tenant.emulator.show("opportunities", "17")["Name"] == "Deal 17"


def test_a_filter_can_fail_although_it_is_allowed(tenant: Any) -> None:
    tenant.arm("failing_filter")

    assert (
        tenant("GET", "AppointmentCollection?$filter=StartDate ge datetimeoffset'2026-01-01T00:00:00Z'").status == 500
    )


def test_a_mistyped_field_is_an_object(tenant: Any) -> None:
    tenant.arm("wrong_type", field="Name", object="Opportunity")

    assert tenant.rows("OpportunityCollection?$filter=Name eq 'Deal 17'")[0]["Name"] == {"content": "Deal 17"}


def test_nothing_is_answered_as_nothing(tenant: Any) -> None:
    tenant.arm("empty")

    assert tenant.rows("OpportunityCollection") == []


def test_a_revoked_user_gets_no_token_either(tenant: Any) -> None:
    tenant.arm("revoked")

    assert tenant("GET", "OpportunityCollection").status == 401
    assert tenant("POST", "/sap/bc/sec/oauth2/token", b"").status == 400
