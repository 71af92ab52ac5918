"""Properties, groups, pipelines, associations, account, currencies, splits."""

from typing import Any

import pytest

NUMBER = {
    "name": "scoreback_score", "label": "Score", "type": "number", "fieldType": "number", "groupName": "dealinformation",
    "numberDisplayHint": "formatted", "description": "0-100",
}  # fmt: skip
PROPERTIES = "/crm/v3/properties/deals"


def test_a_new_property_is_listed_written_and_taken_away(hubspot: Any) -> None:
    made = hubspot.post(PROPERTIES, NUMBER, 201)

    deal = hubspot.deal(scoreback_score="87.5")
    held = hubspot.get(f"/crm/v3/objects/deals/{deal}?properties=scoreback_score")["properties"]
    assert held["scoreback_score"] == "87.5"
    assert (made["numberDisplayHint"], made["hubspotDefined"]) == ("formatted", False)
    assert hubspot("DELETE", f"{PROPERTIES}/scoreback_score").status == 204
    held = hubspot.get(f"/crm/v3/objects/deals/{deal}?properties=scoreback_score")["properties"]
    assert "scoreback_score" not in held
    listed = hubspot.get(f"{PROPERTIES}?archived=true")["results"]
    assert [one["name"] for one in listed] == ["scoreback_score"]
    assert hubspot.post(PROPERTIES, NUMBER, 409)["category"] == "OBJECT_ALREADY_EXISTS"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Score"},
        {"name": "1score"},
        {"name": "x" * 101},
        {"groupName": "nowhere"},
        {"type": "money"},
        {"fieldType": "text"},
        {"numberDisplayHint": "pretty"},
        {"type": "string", "fieldType": "text"},
        {"colour": "red"},
        {"label": None},
    ],
)
def test_definitions_are_checked(hubspot: Any, change: dict[str, Any]) -> None:
    hubspot.post(PROPERTIES, {**NUMBER, **change}, 400)

    hubspot.get(f"{PROPERTIES}/{NUMBER['name']}", 404)


def test_a_batch_of_definitions_reports_those_that_exist(hubspot: Any) -> None:
    hubspot.post(PROPERTIES, NUMBER, 201)
    other = {**NUMBER, "name": "scoreback_pace"}

    body = hubspot.post(f"{PROPERTIES}/batch/create", {"inputs": [NUMBER, other]}, 207)

    assert [one["name"] for one in body["results"]] == ["scoreback_pace"]
    assert (body["numErrors"], body["errors"][0]["context"]) == (1, {"name": ["scoreback_score"]})
    read = {"archived": False, "inputs": [{"name": "scoreback_pace"}, {"name": "nope"}]}
    assert hubspot.post(f"{PROPERTIES}/batch/read", read, 207)["numErrors"] == 1
    names = {"inputs": [{"name": "scoreback_pace"}, {"name": "scoreback_score"}]}
    assert hubspot("POST", f"{PROPERTIES}/batch/archive", names).status == 204
    hubspot.get(f"{PROPERTIES}/scoreback_pace", 404)


def test_a_wrong_form_refuses_the_whole_batch_of_definitions(hubspot: Any) -> None:
    hubspot.post(f"{PROPERTIES}/batch/create", {"inputs": [NUMBER, {**NUMBER, "type": "money"}]}, 400)

    hubspot.get(f"{PROPERTIES}/scoreback_score", 404)


def test_hubspots_own_definitions_stay(hubspot: Any) -> None:
    assert hubspot("DELETE", f"{PROPERTIES}/amount").status == 400
    assert hubspot("PATCH", f"{PROPERTIES}/amount", {"label": "Money"}).status == 400
    shown = hubspot.get(f"{PROPERTIES}/hs_is_closed_won")
    assert (shown["calculated"], shown["modificationMetadata"]["readOnlyValue"]) == (True, True)


def test_options_of_stages_and_labels_of_definitions_change(hubspot: Any) -> None:
    hubspot.post(PROPERTIES, NUMBER, 201)

    hubspot.patch(f"{PROPERTIES}/scoreback_score", {"label": "Rating", "description": "new"})

    shown = hubspot.get(f"{PROPERTIES}/scoreback_score")
    assert (shown["label"], shown["description"]) == ("Rating", "new")
    stages = [one["value"] for one in hubspot.get(f"{PROPERTIES}/dealstage")["options"]]
    assert stages[0] == "appointmentscheduled"


def test_groups(hubspot: Any) -> None:
    group = {"name": "scoreback", "label": "Scoreback", "displayOrder": -1}
    hubspot.post(f"{PROPERTIES}/groups", group, 201)

    hubspot.post(f"{PROPERTIES}/groups", group, 409)
    hubspot.patch(f"{PROPERTIES}/groups/scoreback", {"label": "Appraisal"})

    assert hubspot.get(f"{PROPERTIES}/groups/scoreback")["label"] == "Appraisal"
    assert [one["name"] for one in hubspot.get(f"{PROPERTIES}/groups")["results"]] == ["dealinformation", "scoreback"]
    assert hubspot("DELETE", f"{PROPERTIES}/groups/dealinformation").status == 400
    assert hubspot("DELETE", f"{PROPERTIES}/groups/scoreback").status == 204
    hubspot.get(f"{PROPERTIES}/groups/scoreback", 404)


def test_definitions_drift_on_demand(hubspot: Any) -> None:
    deal = hubspot.deal(amount="5")
    hubspot.control("POST", "/__faults", {"name": "missing_field", "field": "closedate", "object": "deals"})
    hubspot.control("POST", "/__faults", {"name": "wrong_type", "field": "amount"})

    held = hubspot.get(f"/crm/v3/objects/deals/{deal}?properties=amount,closedate")["properties"]

    assert held["amount"] == "about 5"
    assert "closedate" not in held
    assert hubspot.get(f"{PROPERTIES}/amount")["type"] == "string"
    hubspot.get(f"{PROPERTIES}/closedate", 404)


def test_pipelines_tell_open_won_and_lost(hubspot: Any) -> None:
    (pipeline,) = hubspot.get("/crm/v3/pipelines/deals")["results"]

    stages = {one["id"]: one["metadata"] for one in pipeline["stages"]}

    assert pipeline["createdAt"] == "1970-01-01T00:00:00Z"
    assert stages["closedwon"] == {"probability": "1.0", "isClosed": "true"}
    assert stages["closedlost"] == {"probability": "0.0", "isClosed": "true"}
    assert stages["qualifiedtobuy"] == {"probability": "0.4", "isClosed": "false"}


def test_a_stage_lives_and_dies_and_its_edits_stamp_the_deals(hubspot: Any) -> None:
    pipelines = "/crm/v3/pipelines/deals"
    stage = {"label": "Trial", "displayOrder": 9, "metadata": {"probability": "0.3"}}
    made = hubspot.post(f"{pipelines}/default/stages", stage, 201)
    deal = hubspot.deal(dealstage=made["id"])
    hubspot.wait(60)

    hubspot.patch(f"{pipelines}/default/stages/{made['id']}", {"metadata": {"probability": "0.35"}})

    held = hubspot.get(f"/crm/v3/objects/deals/{deal}?properties=hs_deal_stage_probability")
    assert held["properties"]["hs_deal_stage_probability"] == "0.35"
    assert held["updatedAt"] == "2026-03-02T09:31:15.250Z"
    assert hubspot("DELETE", f"{pipelines}/default/stages/{made['id']}").status == 400
    hubspot("DELETE", f"/crm/v3/objects/deals/{deal}")
    assert hubspot("DELETE", f"{pipelines}/default/stages/{made['id']}").status == 204
    actions = [one["action"] for one in hubspot.get(f"{pipelines}/default/audit")["results"]]
    assert actions == ["DELETE", "UPDATE", "CREATE"]


def test_pipelines_are_made_changed_and_taken_away(hubspot: Any) -> None:
    stage = {"label": "Only", "displayOrder": 0, "metadata": {"probability": "1.0"}}
    body = {"label": "Partners", "displayOrder": 1, "stages": [stage]}

    made = hubspot.post("/crm/pipelines/2026-03/deals", body, 201)

    assert made["stages"][0]["metadata"] == {"probability": "1.0", "isClosed": "true"}
    hubspot.post("/crm/pipelines/2026-03/deals", body, 409)
    hubspot.post("/crm/pipelines/2026-03/deals", {**body, "label": "None", "stages": []}, 400)
    wrong = {**stage, "metadata": {"probability": "2"}}
    hubspot.post("/crm/pipelines/2026-03/deals", {**body, "label": "Wrong", "stages": [wrong]}, 400)
    target = f"/crm/pipelines/2026-03/deals/{made['id']}"
    assert hubspot.patch(target, {"label": "Friends"})["label"] == "Friends"
    assert hubspot("PUT", target, body).body["label"] == "Partners"
    assert hubspot("DELETE", f"{target}?validateReferencesBeforeDelete=true").status == 204
    hubspot.get(target, 404)


@pytest.fixture
def pair(hubspot: Any) -> tuple[str, str, str]:
    """A deal and two companies."""
    companies = [
        hubspot.post("/crm/v3/objects/companies", {"properties": {"name": name}}, 201)["id"] for name in ("A", "B")
    ]
    return hubspot.deal(), companies[0], companies[1]


def primary_of(hubspot: Any, deal: str) -> list[str]:
    """Companies with the label Primary, by batch read."""
    body = hubspot.post("/crm/v4/associations/deals/companies/batch/read", {"inputs": [{"id": deal}]})
    (row,) = body["results"]
    return [
        end["toObjectId"] for end in row["to"] if any(kind["label"] == "Primary" for kind in end["associationTypes"])
    ]


def test_a_deal_has_one_primary_company(hubspot: Any, pair: tuple[str, str, str]) -> None:
    deal, first, second = pair
    for company in (first, second):
        spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
        hubspot("PUT", f"/crm/v4/objects/deals/{deal}/associations/companies/{company}", spec)

    assert primary_of(hubspot, deal) == [second]
    row = hubspot.get(f"/crm/v3/objects/deals/{deal}?associations=companies")
    assert row["associations"]["companies"]["results"] == [
        {"id": first, "type": "deal_to_company_unlabeled"},
        {"id": second, "type": "deal_to_company"},
        {"id": second, "type": "deal_to_company_unlabeled"},
    ]
    back = hubspot.get(f"/crm/v4/objects/companies/{second}/associations/deals")["results"]
    assert [kind["typeId"] for kind in back[0]["associationTypes"]] == [342, 6]


def test_associations_end(hubspot: Any, pair: tuple[str, str, str]) -> None:
    deal, first, second = pair
    for company in (first, second):
        hubspot("PUT", f"/crm/v4/objects/deals/{deal}/associations/default/companies/{company}")
    hubspot("DELETE", f"/crm/v4/objects/deals/{deal}/associations/companies/{first}")
    body = {"inputs": [{"from": {"id": deal}, "to": [{"id": second}]}]}

    assert hubspot("POST", "/crm/v4/associations/deals/companies/batch/archive", body).status == 204

    answer = hubspot.post("/crm/v4/associations/deals/companies/batch/read", {"inputs": [{"id": deal}]}, 207)
    assert answer["errors"][0]["context"]["fromObjectId"] == [deal]


def test_a_label_is_taken_without_the_association(hubspot: Any, pair: tuple[str, str, str]) -> None:
    deal, company, _ = pair
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}
    row = {"from": {"id": deal}, "to": {"id": company}, "types": [spec]}
    hubspot.post("/crm/v4/associations/deals/companies/batch/create", {"inputs": [row]}, 201)
    assert primary_of(hubspot, deal) == [company]

    hubspot("POST", "/crm/v4/associations/deals/companies/batch/labels/archive", {"inputs": [row]})

    assert primary_of(hubspot, deal) == []
    assert len(hubspot.get(f"/crm/v4/objects/deals/{deal}/associations/companies")["results"]) == 1


def test_long_association_lists_go_on_by_after(hubspot: Any, pair: tuple[str, str, str]) -> None:
    _, company, _ = pair
    deals = hubspot.deals(120)
    rows = [{"from": {"id": company}, "to": {"id": deal}} for deal in deals]
    hubspot.post("/crm/v4/associations/companies/deals/batch/associate/default", {"inputs": rows})
    hubspot.emulator._desk.associations.page = 50

    inline = hubspot.get(f"/crm/v3/objects/companies/{company}?associations=deals")["associations"]["deals"]
    seen: list[str] = []
    asked = {"id": company}
    while True:
        target = "/crm/associations/2026-09/companies/deals/batch/read"
        (row,) = hubspot.post(target, {"inputs": [asked]})["results"]
        seen += [end["toObjectId"] for end in row["to"]]
        if "paging" not in row:
            break
        asked = {"id": company, "after": row["paging"]["next"]["after"]}

    assert seen == deals
    assert len(inline["results"]) == 100
    after = inline["paging"]["next"]["after"]
    rest = hubspot.get(f"/crm/v4/objects/companies/{company}/associations/deals?after={after}")["results"]
    assert [end["toObjectId"] for end in rest] == deals[100:]


def test_association_batches_hold_a_thousand(hubspot: Any) -> None:
    inputs = [{"id": str(number)} for number in range(1001)]
    target = "/crm/v4/associations/deals/companies/batch/read"

    assert hubspot("POST", target, {"inputs": inputs}).status == 400
    assert hubspot("POST", target, {"inputs": inputs[:1000]}).body["numErrors"] == 1000


def test_2026_09_has_no_single_association_read(hubspot: Any, pair: tuple[str, str, str]) -> None:
    path = f"/crm/objects/{{}}/deals/{pair[0]}/associations/companies"

    statuses = [hubspot("GET", path.format(version)).status for version in ("2025-09", "2026-03", "2026-09")]

    assert statuses == [200, 200, 404]


def test_labels_name_primary(hubspot: Any) -> None:
    labels = hubspot.get("/crm/associations/v4/deals/companies/labels")["results"]

    assert labels == [
        {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None},
        {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"},
    ]


def test_a_row_is_created_with_its_associations(hubspot: Any, pair: tuple[str, str, str]) -> None:
    deal = pair[0]
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 206}
    body = {"properties": {"hs_timestamp": "1772409600000"}, "associations": [{"to": {"id": deal}, "types": [spec]}]}

    call = hubspot.post("/crm/v3/objects/calls", body, 201)["id"]

    ends = hubspot.get(f"/crm/v4/objects/calls/{call}/associations/deals")["results"]
    assert [end["toObjectId"] for end in ends] == [deal]


def test_splits_sum_to_one_and_name_the_owner(hubspot: Any) -> None:
    deal = hubspot.deal(hubspot_owner_id="1001")
    target = "/crm/objects/v3/deals/splits/batch"

    def upsert(*splits: tuple[int, float]) -> int:
        rows = [{"ownerId": owner, "percentage": share} for owner, share in splits]
        return int(hubspot("POST", f"{target}/upsert", {"inputs": [{"id": int(deal), "splits": rows}]}).status)

    assert [upsert((1001, 0.6)), upsert((1, 1.0)), upsert((1001, 0.6), (1, 0.4))] == [400, 400, 200]
    body = hubspot.post("/deal-splits/2026-03/batch/read", {"inputs": [{"id": deal}, {"id": "1"}]}, 207)
    (row,) = body["results"]
    assert [one["properties"]["hs_deal_split_percentage"] for one in row["splits"]] == ["0.6", "0.4"]
