"""hubspot-api-client 12.0.0 itself against the emulator."""

from collections.abc import Callable
from typing import Any

import hubspot as vendor
import pytest
from hubspot.crm.associations.v4.models import (
    BatchInputPublicFetchAssociationsBatchRequest,
    PublicFetchAssociationsBatchRequest,
)
from hubspot.crm.deals import (
    BatchInputSimplePublicObjectBatchInput,
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInput,
    SimplePublicObjectId,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.deals.exceptions import ApiException
from hubspot.crm.properties import OptionInput, PropertyCreate


@pytest.fixture
def client(served: Any) -> Any:
    url = served.emulator.url
    return vendor.Client.create(access_token="sandbox", host=url, base_url=url, retry=False)


def test_the_client_creates_reads_and_pages_deals(client: Any) -> None:
    api = client.crm.deals.basic_api
    for number in range(3):
        made = SimplePublicObjectInputForCreate(properties={"dealname": f"D{number}", "dealstage": "closedwon"})
        api.create(simple_public_object_input_for_create=made)

    first = api.get_page(limit=2, properties=["dealname", "hs_is_closed_won"])
    second = api.get_page(limit=2, after=first.paging.next.after, properties_with_history=["dealstage"])

    assert [row.properties["dealname"] for row in first.results] == ["D0", "D1"]
    assert first.results[0].properties["hs_is_closed_won"] == "true"
    assert second.paging is None
    assert second.results[0].properties_with_history["dealstage"][0].source_type == "INTEGRATION"


def test_the_client_sees_a_207_as_a_value(served: Any, client: Any) -> None:
    deal = served.deal()
    rows = [SimplePublicObjectBatchInput(id=one, properties={"amount": "7"}) for one in (deal, "404")]

    answer = client.crm.deals.batch_api.update(BatchInputSimplePublicObjectBatchInput(inputs=rows))

    assert answer.num_errors == 1
    assert answer.errors[0].category == "OBJECT_NOT_FOUND"
    assert [row.id for row in answer.results] == [deal]


def test_the_client_searches_and_reads_batches(served: Any, client: Any) -> None:
    deals = served.deals(3)
    after = {"propertyName": "hs_object_id", "operator": "GT", "value": deals[0]}
    order = {"propertyName": "hs_object_id", "direction": "ASCENDING"}

    found = client.crm.deals.search_api.do_search(
        PublicObjectSearchRequest(filter_groups=[{"filters": [after]}], sorts=[order], properties=["amount"], limit=2)
    )
    read = client.crm.deals.batch_api.read(
        BatchReadInputSimplePublicObjectId(
            inputs=[SimplePublicObjectId(id=deals[0])], properties=["amount"], properties_with_history=["amount"]
        )
    )

    assert (found.total, [row.id for row in found.results]) == (2, deals[1:])
    assert read.results[0].properties_with_history["amount"][0].value == "0"


def test_the_client_raises_its_own_exception_for_a_refusal(client: Any) -> None:
    with pytest.raises(ApiException) as refused:
        client.crm.deals.basic_api.get_page(limit=101)

    assert refused.value.status == 400
    assert "VALIDATION_ERROR" in refused.value.body


def test_the_client_reads_owners_pipelines_and_associations(served: Any, client: Any) -> None:
    deal = served.deal()

    owners = client.crm.owners.owners_api.get_page(limit=10)
    pipelines = client.crm.pipelines.pipelines_api.get_all("deals")
    ends = client.crm.associations.v4.batch_api.get_page(
        "deals",
        "companies",
        BatchInputPublicFetchAssociationsBatchRequest(inputs=[PublicFetchAssociationsBatchRequest(id=deal)]),
    )

    assert [owner.id for owner in owners.results] == ["1001"]
    assert pipelines.results[0].stages[-1].metadata["probability"] == "0.0"
    assert ends.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"


def test_the_client_makes_properties_and_schemas(client: Any) -> None:
    band = PropertyCreate(
        name="scoreback_band",
        label="Band",
        type="enumeration",
        field_type="select",
        group_name="dealinformation",
        options=[OptionInput(label="A", value="A", hidden=False)],
    )

    made = client.crm.properties.core_api.create("deals", band)

    assert made.modification_metadata.read_only_value is False
    assert client.crm.schemas.core_api.get_all().results == []


def test_the_client_refreshes_a_token(served: Any) -> None:
    client = vendor.Client.create(host=served.emulator.url, retry=False)

    tokens = client.oauth.tokens_api.create(
        grant_type="refresh_token", client_id="sandbox", client_secret="sandbox", refresh_token="sandbox"
    )

    assert tokens.token_type == "bearer"
    assert tokens.refresh_token.startswith("na1-")


def test_a_429_with_a_wait_reaches_the_client_at_once(
    open_portal: Callable[..., Any], served: Any, client: Any
) -> None:
    served.control("POST", "/__faults", {"name": "too_many_retry_after"})

    with pytest.raises(ApiException) as refused:
        client.crm.deals.basic_api.get_page()

    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
