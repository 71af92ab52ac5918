"""Every API of hubspot-api-client 12.0.0 that the emulator speaks: the client reads each answer with its own checks on."""

from collections.abc import Mapping
from typing import Any

import hubspot as vendor
import pytest
from hubspot.crm import associations, companies, objects, pipelines, properties

LINKED = {"association_category": "HUBSPOT_DEFINED", "association_type_id": 341}


@pytest.fixture
def client(served: Any) -> Any:
    url = served.emulator.url
    return vendor.Client.create(access_token="sandbox", host=url, base_url=url, retry=False)


def made(client: Any, **values: str) -> str:
    """The id of a new company."""
    body = companies.SimplePublicObjectInputForCreate(properties=values)
    return str(client.crm.companies.basic_api.create(body).id)


def ids(*chosen: str) -> objects.BatchInputSimplePublicObjectId:
    return objects.BatchInputSimplePublicObjectId(inputs=[{"id": one} for one in chosen])


def test_one_object_is_created_read_changed_and_archived(client: Any) -> None:
    api = client.crm.companies.basic_api
    acme = made(client, name="Acme")

    changed = api.update(acme, companies.SimplePublicObjectInput(properties={"name": "Acme SE"}))
    read = api.get_by_id(acme, properties=["name"], properties_with_history=["name"], associations=["deals"])
    api.archive(acme)
    gone = api.get_page(archived=True).results

    assert (changed.properties["name"], read.archived) == ("Acme SE", False)
    assert [one.value for one in read.properties_with_history["name"]] == ["Acme SE", "Acme"]
    assert [(one.id, one.archived, one.archived_at is not None) for one in gone] == [(acme, True, True)]


def test_batches_of_objects(client: Any, schema: str) -> None:
    api = client.crm.objects.batch_api
    keyed = {"id": "7:2026", "idProperty": "scoreback_key", "properties": {"scoreback_score": "8"}}

    first = api.create("companies", {"inputs": [{"properties": {"name": name}} for name in ("A", "B")]})
    one, two = (row.id for row in sorted(first.results, key=lambda row: row.properties["name"]))  # in no order
    changed = api.update("companies", {"inputs": [{"id": one, "properties": {"name": "C"}}]})
    asked = {"inputs": [{"id": one}, {"id": two}], "properties": ["name"], "propertiesWithHistory": []}
    read = api.read("companies", asked)
    kept = api.upsert(schema, objects.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[keyed]))
    api.archive("companies", ids(one, two))
    empty = client.crm.objects.search_api.do_search("companies", objects.PublicObjectSearchRequest(limit=1))

    assert (first.status, changed.results[0].id, kept.results[0].new) == ("COMPLETE", one, True)
    assert {row.properties["name"] for row in read.results} == {"B", "C"}
    assert (empty.total, empty.results) == (0, [])


def test_associations_one_by_one_and_in_batches(served: Any, client: Any) -> None:
    api, deal, acme = client.crm.associations.v4, served.deal(), made(client, name="Acme")
    pair = {"_from": {"id": deal}, "to": {"id": acme}}

    usual = api.basic_api.create_default("deals", deal, "companies", acme)
    listed = api.basic_api.get_page("deals", deal, "companies", limit=500).results
    api.basic_api.archive("deals", deal, "companies", acme)
    label = associations.v4.AssociationSpec(**LINKED)
    many = associations.v4.PublicAssociationMultiPost(types=[label], **pair)
    joined = api.batch_api.create("deals", "companies", {"inputs": [many]})
    read = api.batch_api.get_page("deals", "companies", {"inputs": [{"id": deal}]})
    api.batch_api.archive("deals", "companies", {"inputs": [{"from": {"id": deal}, "to": [{"id": acme}]}]})
    none = api.basic_api.get_page("deals", deal, "companies").results

    assert usual.results[0].to.id == acme
    assert [one.to_object_id for one in listed] == [acme]
    assert joined.results[0].to_object_id == acme
    assert [one.to_object_id for one in read.results[0].to] == [acme]
    assert none == []


def test_pipelines_and_their_stages(client: Any) -> None:
    stage = pipelines.PipelineStageInput(label="Won", display_order=0, metadata={"probability": "1.0"})
    new = pipelines.PipelineInput(label="Renewals", display_order=1, stages=[stage])

    pipeline = client.crm.pipelines.pipelines_api.create("deals", new)
    lost = pipelines.PipelineStageInput(label="Lost", display_order=1, metadata={"probability": "0.0"})
    added = client.crm.pipelines.pipeline_stages_api.create("deals", pipeline.id, lost)
    patch = pipelines.PipelineStagePatchInput(label="Gone", metadata={"probability": "0.0"})
    renamed = client.crm.pipelines.pipeline_stages_api.update("deals", pipeline.id, added.id, patch)
    read = client.crm.pipelines.pipelines_api.get_by_id("deals", pipeline.id)
    audit = client.crm.pipelines.pipeline_audits_api.get_audit("deals", pipeline.id)

    assert (renamed.label, [one.label for one in read.stages]) == ("Gone", ["Won", "Gone"])
    assert audit.results


def test_properties_their_groups_and_batches(client: Any) -> None:
    api = client.crm.properties
    group = api.groups_api.create("deals", properties.PropertyGroupCreate(name="scoreback", label="Scoreback"))
    number = {
        "name": "scoreback_score",
        "label": "Score",
        "type": "number",
        "fieldType": "number",
        "groupName": "scoreback",
    }
    text = {**number, "name": "scoreback_grade", "type": "string", "fieldType": "text"}

    both = api.batch_api.create("deals", {"inputs": [number, text]})
    named = {"inputs": [{"name": "scoreback_score"}], "archived": False}
    read = api.batch_api.read("deals", named)
    shown = api.core_api.update("deals", "scoreback_score", properties.PropertyUpdate(label="Points"))
    api.core_api.archive("deals", "scoreback_grade")
    api.batch_api.archive("deals", {"inputs": [{"name": "scoreback_score"}]})
    gone = [one.name for one in api.core_api.get_all("deals", archived=True).results]

    assert (group.archived, len(both.results), read.results[0].type) == (False, 2, "number")
    assert (shown.label, sorted(gone)) == ("Points", ["scoreback_grade", "scoreback_score"])


def test_owners_and_users_of_the_account(client: Any) -> None:
    owner = client.crm.owners.owners_api.get_by_id(1001)
    user = client.settings.users.users_api.get_page().results[0]

    assert (owner.type, owner.user_id, owner.archived) == ("PERSON", 2001, False)
    assert client.settings.users.users_api.get_by_id(user.id).email == owner.email
    assert isinstance(client.settings.users.teams_api.get_all().results, list)


def test_tokens_tell_of_themselves(served: Any) -> None:
    client = vendor.Client.create(host=served.emulator.url, retry=False)
    form = {"client_id": "sandbox", "client_secret": "sandbox", "refresh_token": "sandbox"}
    tokens = client.oauth.tokens_api.create(grant_type="refresh_token", **form)

    told = client.oauth.access_tokens_api.get(tokens.access_token)
    kept = client.oauth.refresh_tokens_api.get(tokens.refresh_token)

    assert (told.hub_id, told.token_type) == (62515, "access")
    assert (kept.hub_id, kept.token_type) == (62515, "refresh")


PACKAGES: Mapping[str, str] = {
    "commerce.invoices": "invoices", "objects.calls": "calls", "objects.meetings": "meetings", "objects.emails": "emails",
    "objects.tasks": "tasks", "objects.notes": "notes", "objects.goals": "goal_targets",
    "objects.feedback_submissions": "feedback_submissions", "tickets": "tickets", "line_items": "line_items",
    "products": "products", "contacts": "contacts",
}  # fmt: skip


@pytest.mark.parametrize(("package", "table"), PACKAGES.items())
def test_each_package_of_the_client_lists_and_searches_its_object(
    served: Any, client: Any, package: str, table: str
) -> None:
    with served.emulator.lock:
        row = served.emulator.edit(table, None, {"hs_timestamp": "2026-03-02T09:00:00Z"} if table == "calls" else {})
    api: Any = client.crm
    for part in package.split("."):
        api = getattr(api, part)

    listed = api.basic_api.get_page(limit=5).results
    found = api.search_api.do_search({"limit": 5})

    assert [one.id for one in listed] == [row]
    assert (found.total, [one.id for one in found.results]) == (1, [row])
