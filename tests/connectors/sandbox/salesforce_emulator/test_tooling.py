"""Custom fields and objects, and who sees them."""

from collections.abc import Callable
from typing import Any

import pytest

SCORE = {"label": "Score", "type": "Number", "precision": 5, "scale": 2}


def field(sf: Any, name: str = "Opportunity.Score__c", status: int = 201, **metadata: Any) -> Any:
    """The answer to making a field."""
    wanted = {key: value for key, value in {**SCORE, **metadata}.items() if value is not None}
    return sf.post("tooling/sobjects/CustomField", {"FullName": name, "Metadata": wanted}, status=status)


def names(sf: Any, kind: str = "Opportunity") -> list[str]:
    """The custom fields that describe shows."""
    return [one["name"] for one in sf.get(f"sobjects/{kind}/describe")["fields"] if one["custom"]]


def test_a_new_field_is_invisible_until_it_is_granted(sf: Any, grant: Callable[..., None]) -> None:
    deal = sf.deal()
    made = field(sf)
    hidden = names(sf), sf.soql("SELECT Score__c FROM Opportunity", status=400)[0]["errorCode"]
    refused = sf.patch(f"sobjects/Opportunity/{deal}", {"Score__c": 1}, status=400)

    grant(sf, "Opportunity.Score__c")

    assert (made["success"], made["id"][:3]) == (True, "00N")
    assert hidden == ([], "INVALID_FIELD")
    assert refused[0]["errorCode"] == "INVALID_FIELD"
    assert names(sf) == ["Score__c"]
    sf.patch(f"sobjects/Opportunity/{deal}", {"Score__c": 87.256}, status=204)
    assert sf.rows("SELECT Score__c FROM Opportunity WHERE Score__c > 87") == [{"Score__c": 87.26}]


def test_reading_is_not_writing(sf: Any) -> None:
    deal = sf.deal()
    field(sf)
    granted = sf.make("PermissionSet", Name="Readers", Label="Readers")
    sf.make("PermissionSetAssignment", PermissionSetId=granted, AssigneeId=sf.emulator.org.running_user)
    right = sf.make(
        "FieldPermissions",
        ParentId=granted,
        SobjectType="Opportunity",
        Field="Opportunity.Score__c",
        PermissionsRead=True,
    )
    described = {one["name"]: one["updateable"] for one in sf.get("sobjects/Opportunity/describe")["fields"]}
    refused = sf.update_many({"id": deal, "Score__c": 1})

    sf.patch(f"sobjects/FieldPermissions/{right}", {"PermissionsEdit": True}, status=204)

    assert described["Score__c"] is False
    assert refused[0]["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert sf.update_many({"id": deal, "Score__c": 1})[0]["success"]


def test_a_grant_without_an_assignment_shows_nothing_and_taking_it_back_hides(
    sf: Any, grant: Callable[..., None]
) -> None:
    field(sf)
    grant(sf, "Opportunity.Score__c")
    before = names(sf)
    assigned = sf.rows("SELECT Id FROM PermissionSetAssignment")[0]["Id"]

    sf.delete(f"sobjects/PermissionSetAssignment/{assigned}")

    assert (before, names(sf)) == (["Score__c"], [])


def test_a_grant_to_somebody_else_shows_nothing(sf: Any, grant: Callable[..., None]) -> None:
    field(sf)
    grant(sf, "Opportunity.Score__c")
    other = sf.make("User", Username="ann@example.com", LastName="Ann", Email="ann@example.com")
    row = sf.rows("SELECT Id, PermissionSetId FROM PermissionSetAssignment")[0]
    sf.delete(f"sobjects/PermissionSetAssignment/{row['Id']}")

    sf.make("PermissionSetAssignment", PermissionSetId=row["PermissionSetId"], AssigneeId=other)

    assert names(sf) == []


def test_grants_can_lag_behind(org_with: Callable[..., Any], grant: Callable[..., None]) -> None:
    sf = org_with(permission_lag=2)
    field(sf)
    grant(sf, "Opportunity.Score__c")

    seen = [names(sf) for _ in range(4)]

    assert seen == [[], [], ["Score__c"], ["Score__c"]]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Field": "Opportunity.Nothing__c"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Field": "Account.Score__c"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Field": "Opportunity.Name"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"PermissionsRead": False}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"ParentId": "0PS000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({}, "DUPLICATE_VALUE"),
    ],
)
def test_a_bad_grant_is_refused(sf: Any, grant: Callable[..., None], changed: dict[str, Any], code: str) -> None:
    field(sf)
    grant(sf, "Opportunity.Score__c")
    parent = sf.rows("SELECT Id FROM PermissionSet")[0]["Id"]
    good = {"ParentId": parent, "SobjectType": "Opportunity", "Field": "Opportunity.Score__c"}

    answer = sf.post(
        "sobjects/FieldPermissions", {**good, "PermissionsRead": True, "PermissionsEdit": True, **changed}, status=400
    )

    assert answer[0]["errorCode"] == code


def test_permission_sets_and_assignments_exist_once(sf: Any, grant: Callable[..., None]) -> None:
    grant(sf)
    row = sf.rows("SELECT PermissionSetId, AssigneeId FROM PermissionSetAssignment")[0]

    assert (
        sf.post("sobjects/PermissionSet", {"Name": "test", "Label": "x"}, status=400)[0]["errorCode"]
        == "DUPLICATE_DEVELOPER_NAME"
    )
    assert sf.post("sobjects/PermissionSetAssignment", row, status=400)[0]["errorCode"] == "DUPLICATE_VALUE"


def test_a_permission_set_takes_its_grants_along(sf: Any, grant: Callable[..., None]) -> None:
    field(sf)
    grant(sf, "Opportunity.Score__c")

    made = sf.rows("SELECT Id FROM PermissionSet")[0]["Id"]
    sf.delete(f"sobjects/PermissionSet/{made}")

    assert names(sf) == []
    assert sf.rows("SELECT Id FROM FieldPermissions") == sf.rows("SELECT Id FROM PermissionSetAssignment") == []


@pytest.mark.parametrize(
    ("name", "metadata", "code"),
    [
        ("Opportunity.Score__c", {"label": None}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Score__c", {"label": "x" * 41}, "STRING_TOO_LONG"),
        ("Opportunity.Score__c", {"scale": None}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Score__c", {"precision": 19}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Score__c", {"precision": 2, "scale": 3}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Score__c", {"length": 5}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Score__c", {"type": "Magic"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Score__c", {"type": "Text", "precision": None, "scale": None, "length": 256}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Score__c", {"type": "Date", "precision": None, "scale": None, "unique": True}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Score", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.1Score__c", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Two__Scores__c", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity." + "x" * 41 + "__c", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Nothing__c.Score__c", {}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    ],
)  # fmt: skip
def test_bad_metadata_is_refused(sf: Any, name: str, metadata: dict[str, Any], code: str) -> None:
    answer = field(sf, name, status=400, **metadata)

    assert answer[0]["errorCode"] == code
    assert names(sf) == []


@pytest.mark.parametrize(
    ("metadata", "good", "bad", "code"),
    [
        ({"type": "Text", "length": 3}, "abc", "abcd", "STRING_TOO_LONG"),
        ({"type": "Number", "precision": 5, "scale": 2}, 999.99, 1000, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"type": "Checkbox", "defaultValue": "false"}, True, None, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"type": "Date"}, "2026-01-31", "2026-02-31", "JSON_PARSER_ERROR"),
        ({"type": "DateTime"}, "2026-01-31T08:00:00Z", "soon", "JSON_PARSER_ERROR"),
        ({"type": "LongTextArea", "length": 256, "visibleLines": 3}, "x" * 256, "x" * 257, "STRING_TOO_LONG"),
        ({"type": "Lookup", "referenceTo": "User", "relationshipName": "Deals"}, None, "001000000000001AAA", "MALFORMED_ID"),
        (
            {"type": "Picklist", "valueSet": {"restricted": True, "valueSetDefinition": {"value": [{"fullName": "A", "label": "A"}]}}},
            "A", "B", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
    ],
)  # fmt: skip
def test_a_field_of_each_type_takes_what_fits(
    sf: Any, grant: Callable[..., None], metadata: dict[str, Any], good: Any, bad: Any, code: str
) -> None:
    deal = sf.deal()
    sf.post("tooling/sobjects/CustomField", {"FullName": "Opportunity.X__c", "Metadata": {"label": "X", **metadata}})
    grant(sf, "Opportunity.X__c")

    sf.patch(f"sobjects/Opportunity/{deal}", {"X__c": good}, status=204)
    refused = sf.patch(f"sobjects/Opportunity/{deal}", {"X__c": bad}, status=400)

    assert refused[0]["errorCode"] == code


def test_a_field_is_found_changed_and_removed(sf: Any, grant: Callable[..., None]) -> None:
    deal = sf.deal()
    made = field(sf)["id"]
    grant(sf, "Opportunity.Score__c")
    sf.patch(f"sobjects/Opportunity/{deal}", {"Score__c": 5}, status=204)
    twice = field(sf, status=400)
    query = "SELECT+Id,DeveloperName+FROM+CustomField+WHERE+TableEnumOrId='Opportunity'+AND+DeveloperName='Score'"
    found = sf.get(f"tooling/query/?q={query}")
    sf.patch(f"tooling/sobjects/CustomField/{made}", {"Metadata": {**SCORE, "precision": 10}}, status=204)

    shown = sf.get(f"tooling/sobjects/CustomField/{made}")
    retyped = sf("PATCH", f"tooling/sobjects/CustomField/{made}", {"Metadata": {"label": "Score", "type": "Date"}})
    sf.delete(f"tooling/sobjects/CustomField/{made}")

    assert (shown["DeveloperName"], shown["TableEnumOrId"], retyped.status) == ("Score", "Opportunity", 400)
    assert twice[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"
    assert [row["Id"] for row in found["records"]] == [made]
    assert sf.get(f"tooling/query?q={query}")["totalSize"] == 0
    assert names(sf) == []
    assert sf.rows("SELECT Id FROM FieldPermissions") == []
    assert sf("GET", f"tooling/sobjects/CustomField/{made}").status == 404


def test_an_own_object_is_made_filled_and_removed(
    sf: Any, deploy: Callable[..., Any], grant: Callable[..., None]
) -> None:
    deploy(sf, make="Appraisal__c")
    made = sf.get("tooling/query?q=SELECT+Id+FROM+CustomObject+WHERE+DeveloperName='Appraisal'")["records"][0]["Id"]
    key = {"label": "Key", "type": "Text", "length": 80, "externalId": True, "unique": True}
    lookup = {"label": "Rep", "type": "Lookup", "referenceTo": "User", "relationshipName": "Appraisals"}
    for name, metadata in (("Key__c", key), ("Rep__c", lookup)):
        sf.post("tooling/sobjects/CustomField", {"FullName": f"Appraisal__c.{name}", "Metadata": metadata})
    grant(sf, "Appraisal__c.Key__c", "Appraisal__c.Rep__c")
    me = sf.emulator.org.running_user
    listed = sf.get(f"tooling/query?q=SELECT+DeveloperName+FROM+CustomField+WHERE+TableEnumOrId='{made}'")

    record = sf.patch("sobjects/Appraisal__c/Key__c/7-2026", {"Rep__c": me, "Name": "Ann"}, status=201)["id"]

    assert sf.rows("SELECT Name, Rep__r.Name FROM Appraisal__c")[0]["Rep__r"]["Name"] == "Integration"
    assert record[:3] == "a00"
    assert listed["totalSize"] == 2
    assert deploy(sf, drop="Appraisal__c")["success"]
    assert sf.soql("SELECT Id FROM Appraisal__c", status=400)[0]["errorCode"] == "INVALID_TYPE"
    assert sf.rows("SELECT Id FROM FieldPermissions") == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_the_tooling_api_makes_and_deletes_no_objects(sf: Any, method: str) -> None:
    path = "tooling/sobjects/CustomObject" + ("/01I000000000001AAA" if method == "DELETE" else "")

    assert sf(method, path, {"FullName": "Appraisal__c", "Metadata": {}}).status in {404, 405}


def test_an_own_object_may_need_object_permissions(org_with: Callable[..., Any], deploy: Callable[..., Any]) -> None:
    sf = org_with(object_permissions=True)
    deploy(sf, make="Appraisal__c")
    hidden = sf.soql("SELECT Id FROM Appraisal__c", status=400)[0]["errorCode"]
    granted = sf.make("PermissionSet", Name="Test", Label="Test")
    sf.make("PermissionSetAssignment", PermissionSetId=granted, AssigneeId=sf.emulator.org.running_user)

    sf.make("ObjectPermissions", ParentId=granted, SobjectType="Appraisal__c", PermissionsRead=True)

    assert hidden == "INVALID_TYPE"
    assert sf.rows("SELECT Id FROM Appraisal__c") == []
    again = {"ParentId": granted, "SobjectType": "Appraisal__c", "PermissionsRead": True}
    assert sf.post("sobjects/ObjectPermissions", again, status=400)[0]["errorCode"] == "DUPLICATE_VALUE"
    assert sf("POST", "sobjects/ObjectPermissions", {**again, "SobjectType": "Nothing__c"}).status == 400
