"""The service of the simulated company's own: it answers as the standard ones do."""

from collections.abc import Callable
from typing import Any

from tests.connectors.sandbox.sap_v2_emulator.conftest import WORLD

PAYMENTS = "company-service/payments"
ROWS = [
    {"id": f"p{number}", "opportunity_id": "17", "amount": f"{number}.25", "currency": "EUR", "paid_on": "2026-02-20",
     "kind": "payment", "modified_at": f"2026-02-2{number}T10:00:00Z"}
    for number in range(3)
]  # fmt: skip


def test_an_own_record_has_the_fields_of_its_world(tenant_with: Callable[..., Any]) -> None:
    tenant = tenant_with({**WORLD, "payments": ROWS})

    found = tenant.json(f"{PAYMENTS}/{tenant.emulator.ids['payments']['p1']}")["value"]

    assert (found["amount"], found["paidOn"]) == ({"content": 1.25, "currencyCode": "EUR"}, "2026-02-20")
    assert found["opportunityId"] == tenant.emulator.ids["opportunities"]["17"]
    assert found["adminData"]["updatedOn"] == "2026-02-21T10:00:00.000Z"


def test_own_records_are_paged_filtered_and_counted(tenant_with: Callable[..., Any]) -> None:
    tenant = tenant_with({**WORLD, "payments": ROWS})

    young = tenant.json(
        f"{PAYMENTS}?$filter=adminData.updatedOn ge 2026-02-21T00:00:00Z&$count=true&$top=1&$orderby=id"
    )

    assert (young["count"], len(young["value"])) == (2, 1)
    assert tenant.json(f"{PAYMENTS}?$select=nowhere", 400)["error"]["code"] == "company.1004"


def test_an_own_record_is_changed_by_people_and_by_calls(tenant_with: Callable[..., Any]) -> None:
    tenant = tenant_with({**WORLD, "payments": ROWS})
    path = f"{PAYMENTS}/{tenant.emulator.ids['payments']['p1']}"
    tenant.emulator.edit("payments", "p1", {"amount": "9"})

    reply = tenant("PATCH", path, {"type": "refund"}, if_match=tenant("GET", path).headers["ETag"])

    assert reply.status == 200
    found = tenant.json(path)["value"]
    assert (found["amount"], found["type"]) == ({"content": 9.0, "currencyCode": "EUR"}, "refund")
