"""Changes, tags, extensions of the SAP Sales Cloud Version 2 emulator."""

from collections.abc import Callable
from typing import Any

import pytest

DEALS = "opportunity-service/opportunities"


def test_a_change_answers_the_record_and_a_new_tag(tenant: Any) -> None:
    before = tenant("GET", tenant.path()).headers["ETag"]

    reply = tenant.patch({"extensions": {"ZOppScore": 71.5}})

    assert before == '"2026-02-01T08:00:00.000Z"'
    assert reply.status == 200
    assert reply.body["value"]["extensions"] == {"ZExternalID": "X-17", "ZOppScore": 71.5}
    assert reply.headers["ETag"] == '"2026-03-02T09:30:15.000Z"'


def test_two_changes_in_a_moment_have_two_tags(tenant: Any) -> None:
    tags = {tenant.patch({"name": name}).headers["ETag"] for name in "abc"}

    assert len(tags) == 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 428), ({"if_match": '"2026-01-01T00:00:00.000Z"'}, 412), ({"if_match": "2026-02-01T08:00:00.000Z"}, 200)],
    ids=["none", "stale", "without quotes"],
)
def test_a_change_needs_the_present_tag(tenant: Any, headers: dict[str, str], status: int) -> None:
    assert tenant("PATCH", tenant.path(), {"name": "x"}, **headers).status == status


def test_a_tenant_may_not_ask_for_tags(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(if_match=False)

    assert sap("PATCH", sap.path(), {"name": "x"}).status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"items": []}, "opportunity.2042"),
        ({"adminData": {}}, "opportunity.1011"),
        ({"closeDate": "tomorrow"}, "opportunity.1013"),
        ({"expectedRevenueAmount": {"content": "5"}}, "opportunity.1013"),
        ({"nme": "x"}, "opportunity.1014"),
        ({"extensions": {"ZNo": 1}}, "opportunity.1014"),
        ({"extensions": {"ZOppScore": "1"}}, "opportunity.1013"),
        ({"salesPhase": "999"}, "opportunity.1015"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(tenant: Any, body: dict[str, Any], code: str) -> None:
    reply = tenant.patch(body)

    assert (reply.status, tenant.code(reply)) == (400, code)


def test_children_in_a_header_are_named(tenant: Any) -> None:
    error = tenant.patch({"items": []}).body["error"]

    assert (error["message"], error["target"]) == (
        "Subnodes must not be present in Opportunity header patch payload",
        "items",
    )


def test_an_unknown_extension_may_be_ignored(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(ignore_unknown=True)

    reply = sap.patch({"extensions": {"ZNo": 1}})

    assert (reply.status, "ZNo" in reply.body["value"]["extensions"]) == (200, False)


def test_null_deletes_a_value(tenant: Any) -> None:
    tenant.patch({"closeDate": None, "extensions": {"ZExternalID": None}})

    doc = tenant.json(tenant.path())["value"]
    assert "closeDate" not in doc
    assert doc["extensions"] == {}


def test_another_content_type_is_refused(tenant: Any) -> None:
    assert tenant.patch({"name": "x"}, content_type="text/plain").status == 415
    assert tenant.patch({"name": "x"}, content_type="application/json").status == 200


def test_a_silent_service_answers_204(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(silent=[DEALS])

    reply = sap.patch({"name": "x"})

    assert (reply.status, reply.body) == (204, None)


def test_a_change_of_phase_is_dated_and_kept_as_a_snapshot(tenant: Any) -> None:
    tenant.patch({"salesPhase": "002", "status": "WON"})

    doc = tenant.json(tenant.path())["value"]
    assert (doc["salesPhaseStartDate"], doc["statusDescription"]) == ("2026-03-02", "Won")
    assert [shot["salesPhase"] for shot in doc["snapshots"]] == ["001", "002"]


def test_a_record_is_made_read_and_deleted(tenant: Any) -> None:
    made = tenant("POST", DEALS, {"name": "New"})
    path = f"{DEALS}/{made.body['value']['id']}"

    deleted = tenant("DELETE", path)

    assert (made.status, deleted.status, tenant("GET", path).status) == (201, 204, 404)
    assert tenant("POST", DEALS, {"status": "OPEN"}).status == 400


def test_a_field_is_made_by_the_administrator(tenant: Any) -> None:
    refused = tenant.patch({"extensions": {"ZBand": "B"}}).status
    tenant("POST", "/__fields", {"entity": "opportunities", "name": "ZBand", "type": "text"})

    assert (refused, tenant.patch({"extensions": {"ZBand": "B"}}).status) == (400, 200)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("amount", {"content": 5, "currencyCode": "EUR"}, {"amount": 5}),
        ("int", 5, 5.5),
        ("moment", "2026-03-01T00:00:00Z", "2026-03-01"),
        ("date", "2026-03-01", "soon"),
        ("flag", True, "true"),
        ("list", "20", 20),
    ],
)
def test_an_extension_takes_values_of_its_type(tenant: Any, kind: str, good: Any, bad: Any) -> None:
    tenant("POST", "/__fields", {"entity": "opportunities", "name": "ZField", "type": kind})

    assert tenant.patch({"extensions": {"ZField": good}}).status == 200
    assert tenant.patch({"extensions": {"ZField": bad}}).status == 400


@pytest.mark.parametrize("body", [[], {"extensions": 5}, {"account": 5}])
def test_a_body_of_another_shape_is_refused(tenant: Any, body: Any) -> None:
    assert tenant.patch(body).status == 400
