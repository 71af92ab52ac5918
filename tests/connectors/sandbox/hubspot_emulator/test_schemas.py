"""Custom objects: their schemas, and upserts by their unique key."""

from typing import Any


def test_upsert_creates_once_and_then_changes(hubspot: Any, schema: str) -> None:
    target = f"/crm/v3/objects/{schema}/batch/upsert"
    row = {"idProperty": "scoreback_key", "id": "7:2026-Q1", "properties": {"scoreback_score": "80"}}

    made = hubspot.post(target, {"inputs": [{**row, "objectWriteTraceId": "t1"}]})["results"][0]
    changed = hubspot.post(target, {"inputs": [{**row, "properties": {"scoreback_score": "81"}}]})["results"][0]

    assert (made["new"], changed["new"], made["id"]) == (True, False, changed["id"])
    assert made["objectWriteTraceId"] == "t1"
    assert changed["properties"]["scoreback_score"] == "81"
    assert len(hubspot.get(f"/crm/v3/objects/{schema}")["results"]) == 1


def test_upsert_wants_a_unique_property(hubspot: Any, schema: str) -> None:
    target = f"/crm/v3/objects/{schema}/batch/upsert"

    for row in ({"id": "1", "properties": {}}, {"id": "1", "idProperty": "scoreback_score", "properties": {}}):
        assert hubspot("POST", target, {"inputs": [row]}).status == 400


def test_a_custom_object_is_known_by_all_its_names(hubspot: Any, schema: str) -> None:
    spellings = (schema, "p_scoreback_appraisal", "p62515_scoreback_appraisal", "scoreback_appraisal")

    statuses = [hubspot("GET", f"/crm/objects/2026-03/{one}").status for one in spellings]

    assert statuses == [200, 200, 200, 400]  # its bare name is no type
    assert hubspot.get("/crm-object-schemas/2026-03/schemas")["results"][0]["objectTypeId"] == schema


def test_a_schema_is_made_once_and_checked(hubspot: Any, schema: str) -> None:
    held = hubspot.get(f"/crm/v3/schemas/{schema}")
    egg = {name: held[name] for name in ("name", "labels", "requiredProperties")}
    egg |= {"associatedObjects": [], "properties": []}

    hubspot.post("/crm-object-schemas/v3/schemas", egg | {"requiredProperties": []}, 409)
    hubspot.post("/crm-object-schemas/v3/schemas", egg | {"name": "other"}, 400)
    hubspot.post("/crm-object-schemas/v3/schemas", {"name": "other"}, 400)
    hubspot.post("/crm-object-schemas/v3/schemas", egg | {"name": "deals"}, 400)


def test_a_schema_goes_when_its_rows_are_gone(hubspot: Any, schema: str) -> None:
    row = hubspot.post(f"/crm/v3/objects/{schema}", {"properties": {"scoreback_key": "k"}}, 201)["id"]

    assert hubspot("DELETE", f"/crm/v3/schemas/{schema}").status == 400
    hubspot("DELETE", f"/crm/v3/objects/{schema}/{row}")
    assert hubspot("DELETE", f"/crm/v3/schemas/{schema}").status == 204

    assert hubspot("GET", f"/crm/v3/objects/{schema}").status == 400
