"""The custom service of the simulated company: business objects of its own, beside the standard service."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from tests.connectors.sandbox.sap_emulator.conftest import WORLD

OWN = "/sap/c4c/odata/cust/v1/company"
PAYMENTS = [
    {"id": f"p{number}", "opportunity_id": "17", "amount": f"{number}.25", "currency": "EUR", "paid_on": "2026-02-20",
     "kind": "payment", "modified_at": f"2026-02-2{number}T10:00:00Z"}
    for number in range(3)
]  # fmt: skip


def test_a_set_of_the_company_is_in_its_own_service_only(tenant_with: Callable[..., Any]) -> None:
    tenant = tenant_with({**WORLD, "payments": PAYMENTS})

    found = tenant.rows(f"{OWN}/PaymentCollection?$orderby=PaidOn,Amount")

    assert [row["Amount"] for row in found] == ["0.250000000000", "1.250000000000", "2.250000000000"]
    assert found[0]["PaidOn"] == "/Date(1771545600000)/"
    assert found[0]["__metadata"]["uri"].startswith(f"http://127.0.0.1:1{OWN}/PaymentCollection(")
    assert tenant("GET", "PaymentCollection").status == 404
    assert tenant("GET", f"{OWN}/OpportunityCollection").status == 404
    assert tenant.rows("OpportunityCollection")


def test_each_service_describes_its_own_sets(tenant_with: Callable[..., Any]) -> None:
    tenant = tenant_with({**WORLD, "payments": PAYMENTS})

    said = [
        {one.get("Name") for one in ET.fromstring(tenant("GET", path).body).iter() if one.tag.endswith("EntitySet")}  # noqa: S314 - our own
        for path in (f"{OWN}/$metadata", "$metadata")
    ]

    assert "PaymentCollection" in said[0]
    assert "PaymentCollection" not in said[1]
    assert "OpportunityCollection" in said[1] - said[0]


def test_pages_of_an_own_set_lead_on_within_its_service(tenant_with: Callable[..., Any]) -> None:
    tenant = tenant_with({**WORLD, "payments": PAYMENTS}, page_cap=2)

    first = tenant.json(f"{OWN}/PaymentCollection?$filter=EntityLastChangedOn ge datetimeoffset'2026-02-20T10:00:00Z'")[
        "d"
    ]
    rest = tenant.rows(first["__next"].removeprefix("http://127.0.0.1:1"))

    assert (len(first["results"]), len(rest)) == (2, 1)


def test_an_edited_own_record_is_stamped_anew(tenant_with: Callable[..., Any]) -> None:
    tenant = tenant_with({**WORLD, "payments": PAYMENTS})
    tenant.emulator.edit("payments", "p1", {"amount": "9"})

    changed = tenant.rows(
        f"{OWN}/PaymentCollection?$filter=EntityLastChangedOn gt datetimeoffset'2026-02-25T00:00:00Z'"
    )

    assert [row["Amount"] for row in changed] == ["9.000000000000"]


def test_a_target_of_a_team_has_no_place(tenant_with: Callable[..., Any]) -> None:
    usual = {
        "id": "1",
        "subject_kind": "person",
        "subject_id": "1",
        "period_start": "2026-01-01",
        "period_end": "2026-12-31",
    }
    tenant = tenant_with(
        {**WORLD, "targets": [usual, {**usual, "id": "2", "subject_kind": "team", "subject_id": "North"}]}
    )

    found = tenant.rows(f"{OWN}/TargetCollection")

    assert [row["PersonID"] for row in found] == [tenant.emulator.ids["people"]["1"]]
