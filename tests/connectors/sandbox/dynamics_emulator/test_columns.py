"""Metadata of the Dynamics emulator: what it tells of tables and columns, and making columns."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.sandbox.dynamics_emulator.conftest import Caller

ATTRIBUTES = "EntityDefinitions(LogicalName='opportunity')/Attributes"
IN_SOLUTION = {"mscrm.solutionuniquename": "apprsl"}


def column(kind: str = "Decimal", schema: str = "apprsl_Score", **more: Any) -> dict[str, Any]:
    """The body that makes a column."""
    label = {"LocalizedLabels": [{"Label": "Score", "LanguageCode": 1033}]}
    limits = {"MinValue": 0, "MaxValue": 100, "Precision": 2} if kind == "Decimal" else {}
    return {
        "@odata.type": f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "SchemaName": schema,
        "DisplayName": label,
        **limits,
        **more,
    }


def test_columns_are_made_in_a_solution_and_hold_values_at_once(crm: Caller) -> None:
    publisher = {
        "uniquename": "apprsl",
        "friendlyname": "A",
        "customizationprefix": "apprsl",
        "customizationoptionvalueprefix": 72700,
    }
    key = crm("POST", "publishers", publisher).headers["OData-EntityId"].rpartition("/")[2]
    crm(
        "POST",
        "solutions",
        {"uniquename": "apprsl", "friendlyname": "A", "version": "1.0.0.0", "publisherid@odata.bind": f"/{key}"},
    )

    made = crm("POST", ATTRIBUTES, column(), **IN_SOLUTION)
    crm("PATCH", crm.deal("1"), {"apprsl_score": 71.256}, if_match="*")

    assert made.status == 204
    assert crm.get(f"{crm.deal('1')}?$select=apprsl_score")["apprsl_score"] == Decimal("71.26")
    assert crm.code("PATCH", crm.deal("1"), {"apprsl_score": 100.5}, if_match="*") == (400, "0x80044330")
    assert crm.code("POST", ATTRIBUTES, column()) == (400, "0x80047013")
    assert crm.code("POST", ATTRIBUTES, column(schema="other_Score"), **IN_SOLUTION)[0] == 400
    assert crm.get(f"{ATTRIBUTES}(LogicalName='apprsl_score')?$select=AttributeType")["AttributeType"] == "Decimal"


@pytest.mark.parametrize(
    ("kind", "more", "value"),
    [
        ("String", {"MaxLength": 20, "FormatName": {"Value": "Text"}}, "abc"),
        ("Memo", {"MaxLength": 2000, "Format": "TextArea"}, "abc"),
        ("Integer", {"MinValue": 0, "MaxValue": 9, "Format": "None"}, 7),
        ("DateTime", {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}}, "2026-10-02T06:00:00Z"),
        ("DateTime", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}, "2026-10-02"),
        ("Boolean", {"OptionSet": {}}, True),
    ],
)
def test_every_type_of_column_can_be_made(crm: Caller, kind: str, more: dict[str, Any], value: Any) -> None:
    assert crm("POST", ATTRIBUTES, column(kind, "apprsl_Any", **more)).status == 204
    assert crm("PATCH", crm.deal("1"), {"apprsl_any": value}, if_match="*").status == 204
    assert crm.get(crm.deal("1"))["apprsl_any"] == value


def test_metadata_writes_may_find_the_lock_taken(make_crm: Callable[..., Caller]) -> None:
    crm = make_crm(faults=["metadata_lock"])

    assert crm.code("POST", ATTRIBUTES, column()) == (503, "0x80048d3d")
    assert crm("POST", ATTRIBUTES, column()).status == 204


def test_metadata_tells_tables_columns_and_options(crm: Caller) -> None:
    tables = crm.get("EntityDefinitions?$select=LogicalName,EntitySetName&$filter=ChangeTrackingEnabled eq true")[
        "value"
    ]
    stages = crm.get(
        "EntityDefinitions(LogicalName='opportunity')/Attributes(LogicalName='salesstage')"
        "/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)"
    )

    assert "opportunities" in [one["EntitySetName"] for one in tables]
    assert [one["Value"] for one in stages["OptionSet"]["Options"]] == [0, 1, 2, 3]
    assert crm.code("GET", "EntityDefinitions(LogicalName='lead')")[0] == 404


def test_a_table_is_told_with_its_columns_by_one_call_and_hides_what_is_hidden(make_crm: Callable[..., Caller]) -> None:
    crm = make_crm(faults=["missing_field:field=stepname"])

    table = crm.get(
        "EntityDefinitions(LogicalName='opportunity')?$select=LogicalName,ChangeTrackingEnabled"
        "&$expand=Attributes($select=LogicalName,AttributeType)"
    )

    names = {one["LogicalName"] for one in table["Attributes"]}
    assert table["ChangeTrackingEnabled"] is True
    assert "name" in names
    assert "stepname" not in names
