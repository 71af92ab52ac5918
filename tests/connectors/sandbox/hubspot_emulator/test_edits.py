"""Edits as a user of the portal makes them, through the control endpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_user_edits_a_deal_in_world_words(company: Any) -> None:
    fields = {"stage": "Closed Won", "closed_at": "2026-03-02T09:00:00Z", "amount": 77}

    company.control("POST", "/__world", {"record": "opportunities", "id": "d-2", "fields": fields})

    more = "&propertiesWithHistory=dealstage,amount"
    found = company.row("deals", "opportunities", "d-2", "hs_is_closed_won,hs_deal_stage_probability,closedate", more)
    assert found["properties"]["hs_is_closed_won"] == "true"
    assert found["properties"]["hs_deal_stage_probability"] == "1.0"
    assert found["properties"]["closedate"] == "2026-03-02T09:00:00Z"
    versions = found["propertiesWithHistory"]["dealstage"]
    assert [one["value"] for one in versions] == ["closedwon", "talk"]
    assert (versions[0]["sourceType"], versions[0]["sourceId"]) == ("CRM_UI", "userId:123")
    assert found["updatedAt"] == versions[0]["timestamp"] == "2026-03-02T09:30:15.250Z"


def test_a_user_makes_moves_merges_and_deletes(company: Any) -> None:
    made = company.control("POST", "/__world", {
        "record": "opportunities", "id": "new-1",
        "fields": {"name": "Fresh", "pipeline": "New", "stage": "Talk", "account_id": "100", "owner_id": "7"},
    })["id"]  # fmt: skip
    shown = company.control("GET", "/__world/opportunities/new-1")
    assert (shown["id"], shown["properties"]["dealname"]) == (made, "Fresh")
    assert ["companies", "100", ["deal_to_company_unlabeled", "deal_to_company"]] in shown["associations"]

    company.control("POST", "/__world", {"record": "opportunities", "id": "new-1", "fields": {"account_id": "top"}})
    ends = company.get(f"/crm/v4/objects/deals/{made}/associations/companies")["results"]
    assert [end["toObjectId"] for end in ends] == [company.emulator.ids["accounts"]["top"]]

    company.control("POST", "/__world", {"record": "opportunities", "id": "new-1", "fields": {"merged_into": "500"}})
    assert company.get(f"/crm/v3/objects/deals/{made}")["id"] == "500"

    company.control("DELETE", "/__world/opportunities/d-2")
    assert company("DELETE", "/__world/opportunities/nope").status == 404
    assert [deal["id"] for deal in company.get("/crm/v3/objects/deals")["results"]] == ["500"]


def test_a_user_edits_people_activities_stages_and_rates(company: Any) -> None:
    def edit(record: str, record_id: str | None, **fields: Any) -> None:
        company.control("POST", "/__world", {"record": record, "id": record_id, "fields": fields})

    edit("people", "7", name="Ann Lee", team="South", active=False, region="APAC")
    edit("activities", "2", completed_at="2025-03-06T10:00:00Z")
    edit("activities", None, kind="call", owner_id="boss", opportunity_id="500", contact_ids=["c-9"])
    edit("stages", "New/Talk", probability="0.2", label="Chat")
    edit("rates", None, currency="USD", to="EUR", rate="0.5", on="2025-04-02")
    edit("deals", "500", hs_next_step="sing", hs_is_closed_won=None)

    (left, _) = company.get("/crm/v3/owners?archived=true")["results"]
    assert (left["lastName"], left["teams"][0]["name"]) == ("Lee", "South")
    assert company.row("users", "user_records", "7", "region,role")["properties"]["region"] == "APAC"
    held = company.row("meetings", "activities", "2", "hs_meeting_title,hs_meeting_outcome,hs_meeting_end_time")
    assert held["properties"]["hs_meeting_outcome"] == "COMPLETED"
    assert held["properties"]["hs_meeting_title"] == "Meeting"
    assert len(company.get("/crm/v3/objects/calls")["results"]) == 2
    stage = company.get("/crm/v3/pipelines/deals/default/stages/talk")
    assert (stage["label"], stage["metadata"]["probability"]) == ("Chat", "0.2")
    held = company.row("deals", "opportunities", "500", "amount_in_home_currency,hs_next_step")["properties"]
    assert (held["amount_in_home_currency"], held["hs_next_step"]) == ("500.25", "sing")


def test_a_stage_that_two_pipelines_have_is_the_one_of_the_deals_own(
    open_portal: Callable[..., Any], world: Callable[..., Path]
) -> None:
    stages = [{"pipeline": name, "stage": stage} for name in ("New", "Old") for stage in ("Talk", "Done")]
    deal = {"id": "1", "name": "D", "pipeline": "Old", "stage": "Talk"}
    portal = open_portal(world=world(stages=stages, opportunities=[deal]))

    portal.control("POST", "/__world", {"record": "opportunities", "id": "1", "fields": {"stage": "Done"}})

    held = portal.get("/crm/v3/objects/deals/1")["properties"]
    assert held["pipeline"] == portal.emulator.ids["pipelines"]["Old"]
    assert held["dealstage"] == portal.emulator.ids["stages"]["Old/Done"]


def test_edits_of_nothing_say_so(company: Any) -> None:
    for record, one in (("stages", "nope"), ("deals", "1"), ("dreams", "1")):
        order = {"record": record, "id": one, "fields": {"label": "x"}}

        assert company("POST", "/__world", order).status == 400
