"""Names of a configuration that stand in queries and addresses: no more than names, for every CRM."""

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.csv_folder.settings import CsvSettings
from connectors.hubspot.settings import HubSpotSettings
from connectors.salesforce.settings import SalesforceSettings
from connectors.sap_v2.settings import SapV2Settings
from connectors.settings import ConnectionSettings
from connectors.zoho.settings import ZohoSettings

CONNECTED: dict[type[ConnectionSettings], dict[str, Any]] = {
    SalesforceSettings: {"client_id": "env:A", "client_secret": "env:B"},
    ZohoSettings: {"client_id": "env:A", "client_secret": "env:B", "refresh_token": "env:C"},
    HubSpotSettings: {"token": "env:A"},
    SapV2Settings: {"username": "env:A", "password": "env:B"},
}
STRANGE = [
    "Deal WHERE Id != null",
    "a'b",
    "../../oauth",
    "..",
    "a?b=c",
    "a#b",
    "https://elsewhere.example/x",
    "a%2e",
    " ",
    "a\nb",
]


def settings(kind: type[ConnectionSettings], **given: Any) -> ConnectionSettings:
    base = {
        "kind": kind.__name__.removesuffix("Settings").lower().replace("v2", "_v2"),
        "base_url": "https://crm.example",
    }
    return kind.model_validate({**base, "sign_in": CONNECTED[kind], **given})


@pytest.mark.parametrize("kind", CONNECTED)
@pytest.mark.parametrize("name", STRANGE)
def test_an_object_is_a_name_and_no_part_of_a_query_or_an_address(kind: type[ConnectionSettings], name: str) -> None:
    with pytest.raises(ValidationError, match="is not what an object is called"):
        settings(kind, streams={"rating": {"object": name}})


@pytest.mark.parametrize("kind", CONNECTED)
@pytest.mark.parametrize("path", ["Name FROM User", "a'b", "toLabel(x)", "a,b", "a?b", "a&$expand=c", ""])
def test_a_field_is_a_name_too(kind: type[ConnectionSettings], path: str) -> None:
    with pytest.raises(ValidationError, match="is not what a field is called"):
        settings(kind, fields={"opportunity": {"extra": {"x": path}}})


def test_usual_names_of_objects_and_fields_are_taken() -> None:
    for kind, name in zip(CONNECTED, ("Bill__c", "Bills", "2-12345", "custom-service/bills"), strict=True):
        paths = {
            "amount": "Amount__c",
            "type": {"value": "any text, at all"},
            "extra": {"a": "Owner.Name", "b": "x@label"},
        }

        made = settings(kind, streams={"rating": {"object": name}}, fields={"opportunity": paths})

        assert made.object_of("rating") == name


def test_a_column_of_a_file_may_be_called_anything() -> None:
    fields = {"opportunity": {"amount": "Deal amount (EUR), net?"}}

    assert CsvSettings.model_validate({"kind": "csv", "folder": "x", "fields": fields}).fields == fields


@pytest.mark.parametrize("target", [{"key": "Invoice_No__c"}, {"into": "../User"}])
def test_rows_are_found_by_a_field_of_ours_in_an_object_by_its_name(target: dict[str, str]) -> None:
    keyed = {
        "into": "Scoreback_A__c",
        "key": "Scoreback_Key__c",
        "fields": {"Scoreback_Score__c": "appraisal"},
        **target,
    }

    with pytest.raises(ValidationError, match=r"not one of our fields|not what an object is called"):
        settings(SalesforceSettings, write_back={"person": keyed})
