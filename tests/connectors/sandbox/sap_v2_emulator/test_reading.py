"""Lists, filters, paging and sign-in of the SAP Sales Cloud Version 2 emulator."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.sandbox.sap_v2.query import Manners

DEALS = "opportunity-service/opportunities"


def many(count: int) -> dict[str, list[dict[str, str]]]:
    """A world with so many deals, all changed at the same moment."""
    at = "2026-01-05T10:00:00Z"
    return {"opportunities": [{"id": str(n), "name": f"D{n}", "modified_at": at} for n in range(1, count + 1)]}


def test_nobody_is_served_without_a_sign_in(tenant: Any) -> None:
    tenant.sent.clear()

    assert tenant("GET", DEALS).status == 401
    assert tenant("GET", "iam-service/token").status == 401


def test_a_token_works_as_bearer_and_beside_basic(tenant: Any) -> None:
    token = tenant("GET", "iam-service/token").body["value"]["access_token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))

    beside = tenant("GET", DEALS, x_sap_crm_token=token).status
    wrong = tenant("GET", DEALS, x_sap_crm_token="x").status
    alone = tenant("GET", DEALS, authorization=f"Bearer {token}").status

    assert (beside, wrong, alone) == (200, 401, 200)
    assert claims["exp"] - claims["iat"] == 3600


def test_a_token_ends(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(token_ttl=0)
    token = sap("GET", "iam-service/token").body["value"]["access_token"]

    assert sap("GET", DEALS, authorization=f"Bearer {token}").status == 401


def test_a_list_has_a_count_only_when_asked(tenant: Any) -> None:
    assert tenant.json(f"{DEALS}?$count=true&$top=1")["count"] == 2
    assert "count" not in tenant.json(f"{DEALS}?$top=1")


def test_an_opportunity_looks_like_version_2(tenant: Any) -> None:
    doc = tenant.json(tenant.path())["value"]

    assert doc["expectedRevenueAmount"] == {"content": 1200.5, "currencyCode": "EUR"}
    assert (doc["status"], doc["salesPhase"], doc["closeDate"]) == ("OPEN", "001", "2026-04-30")
    assert doc["account"]["description"] == "Hooli"
    assert doc["owner"]["id"] == tenant.emulator.ids["people"]["1"]
    assert doc["items"][0]["productDisplayId"] == "GTX"
    assert doc["extensions"] == {"ZExternalID": "X-17"}
    assert doc["adminData"]["updatedOn"] == "2026-02-01T08:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("adminData.updatedOn ge 2026-02-10T10:00:00Z", ["Deal 18"]),
        ("adminData.updatedOn ge 2026-02-01T08:00:00Z and adminData.updatedOn lt 2026-02-10T10:00:00Z", ["Deal 17"]),
        ("expectedRevenueAmount.content gt 1000", ["Deal 17"]),
        ("status eq 'WON'", ["Deal 18"]),
        ("status eq 'WON' or name eq 'Deal 17'", ["Deal 17", "Deal 18"]),
        ("(status eq 'WON' or status eq 'OPEN') and closeDate le 2026-12-31", ["Deal 17"]),
        ("extensions.ZExternalID eq 'X-17'", ["Deal 17"]),
        ("extensions.ZExternalID eq null", ["Deal 18"]),
    ],
)
def test_a_filter_finds(tenant: Any, text: str, names: list[str]) -> None:
    assert tenant.names(f"$filter={text}&$orderby=name") == names


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("$top=1000", "opportunity.1001"),
        ("$skip=10000", "opportunity.1002"),
        ("$expand=account", "opportunity.1003"),
        ("$top=1&$top=2", "opportunity.1003"),
        ("$filter=nme eq 'a'", "opportunity.1004"),
        ("$select=nme", "opportunity.1004"),
        ("$orderby=nme", "opportunity.1004"),
        ("$filter=contains(name,'a')", "opportunity.1005"),
        ("$filter=name like 'a'", "opportunity.1005"),
        ("$filter=name eq 5", "opportunity.1005"),
        ("$filter=adminData.updatedOn ge '2026-01-01T00:00:00Z'", "opportunity.1005"),
        ("$filter=name eq 'a", "opportunity.1005"),
    ],
)
def test_what_the_service_does_not_take_is_refused(tenant: Any, query: str, code: str) -> None:
    reply = tenant("GET", f"{DEALS}?{query}")

    assert (reply.status, tenant.code(reply)) == (400, code)


def test_an_operator_that_is_not_allowed_is_named(tenant: Any) -> None:
    reply = tenant("GET", f"{DEALS}?$filter=contains(name,'a')")

    assert reply.body["error"]["message"] == "Invalid operator: contains"


def test_an_option_without_its_dollar_is_no_option(tenant: Any) -> None:
    assert tenant.names("filter=name eq 'Deal 18'&$orderby=name") == ["Deal 17", "Deal 18"]


def test_keyset_paging_reaches_beyond_the_wall(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(many(2100))
    seen: list[str] = []

    while True:
        more = f"&$filter=id gt '{seen[-1]}'" if seen else ""
        page = sap.json(f"{DEALS}?$orderby=id&$top=999&$select=id{more}")["value"]
        seen += [row["id"] for row in page]
        if len(page) < 999:
            break

    assert len(seen) == len(set(seen)) == 2100


def test_a_window_and_a_keyset_go_together(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(many(5))
    window = "adminData.updatedOn ge 2026-01-05T00:00:00Z and adminData.updatedOn lt 2026-01-06T00:00:00Z"
    ids = sorted(sap.emulator.ids["opportunities"].values())

    found = sap.json(f"{DEALS}?$orderby=id&$filter={window} and id gt '{ids[2]}'")["value"]

    assert [row["id"] for row in found] == ids[3:]


def test_select_and_exclude_cut_the_record(tenant: Any) -> None:
    selected = tenant.json(f"{DEALS}?$select=id,name&$top=1")["value"][0]
    excluded = tenant.json(f"{DEALS}?$exclude=snapshots,items&$top=1")["value"][0]

    assert selected.keys() == {"id", "name"}
    assert not excluded.keys() & {"snapshots", "items"}


def test_a_tenant_may_refuse_the_filter_and_the_order_by_stamp(tenant_with: Callable[..., Any]) -> None:
    off = frozenset({"adminData.updatedOn"})
    sap = tenant_with(manners=Manners(filter_off=off, order_off=off))

    filtered = sap("GET", f"{DEALS}?$filter=adminData.updatedOn ge 2026-01-01T00:00:00Z")
    ordered = sap("GET", f"{DEALS}?$orderby=adminData.updatedOn desc")

    assert (filtered.status, filtered.body["error"]["message"][:16]) == (400, "Invalid operator")
    assert ordered.status == 400


def test_a_tenant_may_cut_a_large_page_instead(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(many(1001), manners=Manners(clamp_top=True))

    assert len(sap.json(f"{DEALS}?$top=5000&$select=id")["value"]) == 999


def test_a_tenant_may_spell_the_count_in_another_way(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(manners=Manners(count_name="@odata.count"))

    assert sap.json(f"{DEALS}?$count=true")["@odata.count"] == 2


def test_there_is_no_batch(tenant: Any) -> None:
    assert tenant("POST", "opportunity-service/$batch", {}).status == 404


def test_children_have_paths_of_their_own(tenant: Any) -> None:
    assert [row["productDisplayId"] for row in tenant.json(f"{tenant.path()}/items")["value"]] == ["GTX"]
    assert tenant.json(f"{tenant.path()}/contacts")["value"] == []
    assert tenant("GET", f"{tenant.path()}/nothing").status == 404
