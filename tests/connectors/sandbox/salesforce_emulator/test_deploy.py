"""Objects by deployments of the Metadata API, and what of them is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.connectors.sandbox.salesforce_emulator.conftest import APPRAISAL, form, manifest, package

NAME = "<nameField><type>Text</type><label>Name</label></nameField>"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        pytest.param(APPRAISAL.replace("<label>Appraisal</label>", ""), "label", id="no label"),
        pytest.param(APPRAISAL.replace(NAME, ""), "nameField", id="no name field"),
        pytest.param(APPRAISAL.replace("<type>Text", "<type>Number"), "nameField", id="a name that is a number"),
        pytest.param(APPRAISAL.replace("<type>Text", "<type>AutoNumber"), "displayFormat", id="numbers of no format"),
        pytest.param(APPRAISAL.replace("ReadWrite", ""), "sharingModel", id="no sharing model"),
        pytest.param(APPRAISAL.replace(NAME, NAME + "<colour>red</colour>"), "colour", id="an unknown element"),
        pytest.param(APPRAISAL.replace("<label>Appraisal", "<label>" + "x" * 41), "too large", id="a long label"),
        pytest.param(APPRAISAL[:-5], "Error parsing", id="no XML"),
        pytest.param("", "not found in zipped directory", id="named and not there"),
    ],
)
def test_a_bad_object_fails_the_deployment(sf: Any, deploy: Callable[..., Any], document: str, problem: str) -> None:
    result = deploy(sf, make="Appraisal__c", document=document)

    assert (result["status"], result["success"]) == ("Failed", False)
    assert problem in result["details"]["componentFailures"][0]["problem"]
    assert sf("GET", "sobjects/Appraisal__c").status == 404


def test_a_deployment_may_take_its_time(org_with: Callable[..., Any], deploy: Callable[..., Any]) -> None:
    sf = org_with(deploy_polls=1)
    looks = [deploy(sf, make="Appraisal__c")]

    looks.append(sf.get(f"metadata/deployRequest/{looks[0]['id']}?includeDetails=true")["deployResult"])

    assert [(look["status"], look["done"]) for look in looks] == [("InProgress", False), ("Succeeded", True)]


def test_what_is_not_there_cannot_be_deleted(sf: Any, deploy: Callable[..., Any]) -> None:
    assert deploy(sf, drop="Appraisal__c")["status"] == "Failed"


def test_an_object_of_that_name_is_there_already(sf: Any, deploy: Callable[..., Any]) -> None:
    deploy(sf, make="Appraisal__c")

    assert "already used" in deploy(sf, make="Appraisal__c")["details"]["componentFailures"][0]["problem"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        pytest.param('{"deployOptions":{"singlePackage":true,"quickly":true}}', 400, id="an unknown option"),
        pytest.param("{}", 400, id="no options"),
    ],
)
def test_options_are_held_to_the_vendors(sf: Any, options: str, status: int) -> None:
    body, kind = form(package({"package.xml": manifest("")}), options)

    assert sf("POST", "metadata/deployRequest", body, content_type=kind).status == status


def test_a_deployment_is_a_form_with_a_zip_archive(sf: Any) -> None:
    assert sf("POST", "metadata/deployRequest", {"deployOptions": {}}).status == 415

    body, kind = form(b"no archive")
    job = sf.body("POST", "metadata/deployRequest", body, status=201, content_type=kind)["id"]

    assert sf.get(f"metadata/deployRequest/{job}")["deployResult"]["status"] == "Failed"
    assert sf("GET", "metadata/deployRequest/0Af000000000001AAA").status == 404
