"""Vendor clients that speak through the HTTP door."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import RejectedError
from connectors.http import Manners
from connectors.vendor import rest_client
from tests.connectors.conftest import Badge, OpenDoor


def test_a_vendor_clients_session_goes_through_the_door(script: Any, said: Any, open_door: OpenDoor) -> None:
    from simple_salesforce.api import Salesforce

    script.will(said(503), said(body={"totalSize": 1, "done": True, "records": [{"Amount": 0.1}]}))
    session = open_door(auth=Badge()).session()
    client = Salesforce(session_id="none", instance_url="https://acme.my.salesforce.com", session=session)

    answer = client.query("SELECT Amount FROM Opportunity")

    assert answer["records"][0]["Amount"] == Decimal("0.1")
    assert script.heard[1].headers["Authorization"] == "Bearer secret-token-0"
    assert script.heard[1].target.startswith("/services/data/v59.0/query/?q=SELECT+Amount")


def test_a_vendor_clients_own_sign_in_and_host_are_dropped(script: Any, open_door: OpenDoor) -> None:
    session = open_door().session()

    session.get("https://elsewhere.example.com/a?b=1", headers={"Authorization": "Bearer theirs", "X-Own": "kept"})

    assert script.heard[0].target == "/a?b=1"
    assert "Authorization" not in script.heard[0].headers
    assert script.heard[0].headers["X-Own"] == "kept"


def test_a_vendor_client_gets_our_errors(script: Any, said: Any, open_door: OpenDoor) -> None:
    from simple_salesforce.api import Salesforce

    script.will(said(400, body=[{"message": "unexpected token", "errorCode": "MALFORMED_QUERY"}]))
    client = Salesforce(session_id="none", instance_url="https://acme.my.salesforce.com", session=open_door().session())

    with pytest.raises(RejectedError, match="MALFORMED_QUERY"):
        client.query("SELECT")


def test_a_generated_client_goes_through_the_door_on_rewritten_paths(
    script: Any, said: Any, open_door: OpenDoor
) -> None:
    from hubspot import Client
    from hubspot.crm.deals import PublicObjectSearchRequest

    script.will(said(429, headers={"Retry-After": "1"}), said(body={"results": [{"id": "1"}]}))
    api = Client.create(access_token="theirs", retry=False).crm.deals.search_api
    door = open_door(Manners(buckets={"general": (1000, 1.0), "search": (4, 1.0)}), auth=Badge())
    api.api_client.rest_client = rest_client(
        door, lambda path: path.replace("/crm/v3/objects/", "/crm/objects/2026-03/"), lambda _: "search"
    )

    request = PublicObjectSearchRequest(limit=200, after="0", sorts=[], properties=["amount"], filter_groups=[])
    answer = api.do_search(public_object_search_request=request, _preload_content=False)

    assert answer.json() == {"results": [{"id": "1"}]}
    assert answer.data == b'{"results": [{"id": "1"}]}'
    assert script.heard[1].target == "/crm/objects/2026-03/deals/search"
    assert script.heard[1].headers["Authorization"] == "Bearer secret-token-0"
    assert b'"limit":200' in script.heard[1].body


def test_a_generated_clients_models_are_filled_too(script: Any, said: Any, open_door: OpenDoor) -> None:
    from hubspot import Client

    deal = {"id": "7", "properties": {"amount": "1.5"}, "createdAt": "2026-01-05T09:00:00.000Z", "archived": False}
    script.will(said(body=deal | {"updatedAt": "2026-01-05T09:00:00.000Z"}))
    api = Client.create(access_token="theirs", retry=False).crm.deals.basic_api
    api.api_client.rest_client = rest_client(open_door())

    found = api.get_by_id("7", properties=["amount", "dealname"])

    assert found.properties == {"amount": "1.5"}
    assert script.heard[0].target == "/crm/v3/objects/deals/7?properties=amount&properties=dealname"
