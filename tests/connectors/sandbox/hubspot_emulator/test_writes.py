"""Writes: what is refused as a whole, what is reported row by row, and what HubSpot makes of values."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.sandbox.hubspot.portal import RequiredRule

DEALS = "/crm/v3/objects/deals"


def update(*rows: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A batch of updates."""
    return {"inputs": [{"id": one, "properties": properties} for one, properties in rows]}


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"nope": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"amount": "1,5"}, "INVALID_NUMBER"),
        ({"amount": "1e3"}, "INVALID_NUMBER"),
        ({"closedate": "tomorrow"}, "INVALID_DATE"),
        ({"hs_manual_forecast_category": "PERHAPS"}, "INVALID_OPTION"),
        ({"dealstage": "nowhere"}, "INVALID_OPTION"),
        ({"pipeline": "nowhere"}, "INVALID_OPTION"),
        ({"hubspot_owner_id": "77"}, "INVALID_OWNER_ID"),
        ({"hs_object_id": "1"}, "READ_ONLY_VALUE"),
        ({"hs_is_closed_won": "true"}, "READ_ONLY_VALUE"),
        ({"description": "x" * 65_537}, "PROPERTY_VALUE_TOO_LONG"),
    ],
)
def test_one_bad_value_refuses_the_whole_batch(hubspot: Any, properties: dict[str, str], code: str) -> None:
    first, second = hubspot.deals(2)

    body = hubspot.post(f"{DEALS}/batch/update", update((first, {"amount": "99"}), (second, properties)), 400)

    assert body["category"] == "VALIDATION_ERROR"
    assert body["message"].startswith('Property values were not valid: [{"isValid":false,')
    (error,) = body["errors"]
    assert (error["code"], error["context"]["propertyName"]) == (code, [error["in"]])
    assert hubspot.get(f"{DEALS}/{first}")["properties"]["amount"] == "0"


def test_a_row_that_is_gone_is_reported_and_the_rest_written(hubspot: Any) -> None:
    first, second, gone = hubspot.deals(3)
    hubspot("DELETE", f"{DEALS}/{gone}")

    body = hubspot.post(
        f"{DEALS}/batch/update",
        update((first, {"amount": "5"}), (gone, {"amount": "5"}), ("xyz", {"amount": "5"})),
        207,
    )

    assert (body["numErrors"], len(body["errors"])) == (2, 1)
    assert body["errors"][0]["context"] == {"ids": [gone, "xyz"]}
    assert [row["id"] for row in body["results"]] == [first]
    assert body["results"][0]["properties"]["amount"] == "5"
    assert hubspot.get(f"{DEALS}/{second}")["properties"]["amount"] == "1"


def test_from_2026_09_on_partial_errors_come_with_status_200(hubspot: Any) -> None:
    deal = hubspot.deal()

    body = hubspot.post("/crm/objects/2026-09/deals/batch/update", update((deal, {}), ("1", {})), 200)

    assert (body["numErrors"], body["errors"][0]["category"]) == (1, "OBJECT_NOT_FOUND")


def test_an_id_may_stand_only_once_in_a_batch(hubspot: Any) -> None:
    deal = hubspot.deal()

    body = hubspot.post(f"{DEALS}/batch/update", update((deal, {"amount": "5"}), (deal, {"amount": "6"})), 400)

    assert deal in body["message"]


@pytest.mark.parametrize("what", ["update", "upsert", "create", "read", "archive"])
def test_batches_hold_at_most_a_hundred(hubspot: Any, what: str) -> None:
    values: dict[str, Any] = {"properties": {}} if what in ("update", "upsert", "create") else {}
    extra: dict[str, Any] = {"properties": [], "propertiesWithHistory": []} if what == "read" else {}
    inputs = [values if what == "create" else {"id": str(number), **values} for number in range(101)]

    assert "100" in hubspot.post(f"{DEALS}/batch/{what}", {"inputs": inputs, **extra}, 400)["message"]


def test_history_halves_the_size_of_a_batch_read(hubspot: Any) -> None:
    inputs = [{"id": str(number)} for number in range(51)]
    body = {"inputs": inputs, "properties": [], "propertiesWithHistory": ["amount"]}

    answer = hubspot.post(f"{DEALS}/batch/read", body, 400)

    assert answer["message"] == (
        "The maximum number of inputs supported in a batch request for property histories is 50"
    )


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (f"{DEALS}/batch/read", {"inputs": [{"id": "1"}]}),
        (f"{DEALS}/batch/read", {"inputs": [{}], "properties": [], "propertiesWithHistory": []}),
        (f"{DEALS}/batch/update", {"inputs": [{"id": "1"}]}),
        (f"{DEALS}/batch/update", {"inputs": {"id": "1"}}),
        (f"{DEALS}/batch/update", {"inputs": [{"id": "1", "properties": {"amount": {"value": "1"}}}]}),
        (f"{DEALS}/batch/update", {"inputs": [{"id": "1", "properties": {}, "note": "?"}]}),
        (f"{DEALS}/batch/update", []),
        (DEALS, {"dealname": "x"}),
        (f"{DEALS}/merge", {"primaryObjectId": "1"}),
    ],
)
def test_bodies_of_another_shape_are_refused(hubspot: Any, target: str, body: Any) -> None:
    answer = hubspot.post(target, body, 400)

    assert answer["message"].startswith("Invalid input JSON")


def test_a_body_that_is_no_json_gets_the_generic_answer(hubspot: Any) -> None:
    reply = hubspot("POST", DEALS, b"{", content_type="application/json; charset=utf-8")

    assert (reply.status, reply.body["message"]) == (400, "There was a problem with the request.")
    assert "category" not in reply.body


@pytest.mark.parametrize(
    "sent", [{}, {"content_type": "text/plain"}, {"content_type": "application/x-www-form-urlencoded"}]
)
def test_a_body_that_does_not_say_json_is_refused(hubspot: Any, sent: dict[str, str]) -> None:
    assert hubspot("POST", DEALS, b'{"properties": {"dealname": "D", "dealstage": "closedwon"}}', **sent).status == 415


def test_scalars_become_text_and_empty_text_clears(hubspot: Any) -> None:
    deal = hubspot.deal(description="old")

    hubspot.patch(f"{DEALS}/{deal}", {"properties": {"amount": 12.5, "description": ""}})

    held = hubspot.get(f"{DEALS}/{deal}?properties=amount,description&propertiesWithHistory=description")
    assert (held["properties"]["amount"], held["properties"]["description"]) == ("12.5", None)
    assert [one["value"] for one in held["propertiesWithHistory"]["description"]] == ["", "old"]


def test_new_rows_need_what_their_type_requires(hubspot: Any) -> None:
    deal = hubspot.post(DEALS, {"properties": {"dealname": "x"}}, 400)
    call = hubspot.post("/crm/v3/objects/calls", {"properties": {"hs_call_title": "x"}}, 400)

    assert deal["context"] == {"properties": ["dealstage"]}
    assert call["context"] == {"properties": ["hs_timestamp"]}


def test_a_unique_value_belongs_to_one_row(hubspot: Any) -> None:
    contacts = "/crm/v3/objects/contacts"
    first = hubspot.post(contacts, {"properties": {"email": "a@example.com"}}, 201)["id"]
    second = hubspot.post(contacts, {"properties": {"email": "b@example.com"}}, 201)["id"]

    again = hubspot.post(contacts, {"properties": {"email": "A@example.com"}}, 409)
    moved = hubspot.patch(f"{contacts}/{second}", {"properties": {"email": "a@example.com"}}, 400)

    assert (again["category"], again["message"]) == ("CONFLICT", f"Contact already exists. Existing ID: {first}")
    assert moved["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"
    hubspot("DELETE", f"{contacts}/{first}")
    assert hubspot.patch(f"{contacts}/{second}", {"properties": {"email": "a@example.com"}})["id"] == second


def test_rows_are_found_by_a_unique_property(hubspot: Any) -> None:
    contacts = "/crm/v3/objects/contacts"
    hubspot.post(contacts, {"properties": {"email": "a@example.com"}}, 201)

    row = {"id": "a@example.com", "idProperty": "email", "properties": {"firstname": "Ann"}}
    hubspot.post(f"{contacts}/batch/update", {"inputs": [row]})

    assert hubspot.get(f"{contacts}/a@example.com?idProperty=email")["properties"]["firstname"] == "Ann"
    hubspot.get(f"{contacts}/Ann?idProperty=firstname", 400)


def test_goal_targets_have_no_upsert_in_2026_09(hubspot: Any) -> None:
    row = {"id": "1", "idProperty": "hs_object_id", "properties": {"hs_goal_name": "G"}}

    statuses = [
        hubspot("POST", f"/crm/objects/{version}/goal_targets/batch/upsert", {"inputs": [row]}).status
        for version in ("2026-03", "2026-09")
    ]

    assert statuses[0] != 404
    assert statuses[1] == 404


def test_an_admins_rule_holds_for_2026_09_only(hubspot: Any) -> None:
    won = hubspot.deal(dealstage="closedwon")
    hubspot.emulator.portal.rules.append(RequiredRule("deals", {"dealstage": "closedwon"}, ("closed_won_reason",)))
    body = update((won, {"amount": "5"}))

    old = hubspot("POST", "/crm/objects/2026-03/deals/batch/update", body)
    new = hubspot("POST", "/crm/objects/2026-09/deals/batch/update", body)

    assert (old.status, new.status, new.body["category"]) == (200, 400, "VALIDATION_ERROR")
    assert new.body["errors"][0]["in"] == "closed_won_reason"
    assert hubspot("POST", "/crm/objects/2026-09/deals/batch/update", update((hubspot.deal(), {}))).status == 200


def test_multi_select_adds_behind_a_semicolon(hubspot: Any) -> None:
    options = [{"label": one, "value": one, "hidden": False} for one in "abc"]
    made = {"name": "tags", "label": "Tags", "type": "enumeration", "fieldType": "checkbox", "options": options}
    hubspot.post("/crm/v3/properties/deals", {**made, "groupName": "dealinformation"}, 201)
    deal = hubspot.deal(tags="a;b")

    hubspot.patch(f"{DEALS}/{deal}", {"properties": {"tags": ";c;a"}})

    assert hubspot.get(f"{DEALS}/{deal}?properties=tags")["properties"]["tags"] == "a;b;c"


def test_a_date_is_midnight_utc(hubspot: Any) -> None:
    made = {"name": "due", "label": "Due", "type": "date", "fieldType": "date", "groupName": "dealinformation"}
    hubspot.post("/crm/v3/properties/deals", made, 201)

    deal = hubspot.deal(due="1772409600000")

    assert hubspot.get(f"{DEALS}/{deal}?properties=due")["properties"]["due"] == "2026-03-02"
    answer = hubspot.patch(f"{DEALS}/{deal}", {"properties": {"due": "1772409600001"}}, 400)
    assert "not midnight" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("fault", "refused"), [("refused_row", 1), ("locked_row", 1), ("half_batch", 2), ("deleted_meanwhile", 1)]
)
def test_rows_are_spoiled_on_demand_and_once(hubspot: Any, fault: str, refused: int) -> None:
    deals = hubspot.deals(4)
    hubspot.control("POST", "/__faults", {"name": fault})
    body = update(*((deal, {"amount": "50"}) for deal in deals))

    answer = hubspot.post(f"{DEALS}/batch/update", body, 207)

    named = [one for error in answer["errors"] for one in error["context"]["ids"]]
    assert len(named) == answer["numErrors"] == refused
    assert {row["id"] for row in answer["results"]} == set(deals) - set(named)
    assert hubspot("POST", f"{DEALS}/batch/update", body).status == (207 if fault == "deleted_meanwhile" else 200)


def test_users_are_written_through_their_own_object(hubspot: Any, open_portal: Callable[..., Any]) -> None:
    made = {"name": "scoreback_band", "label": "Band", "type": "string", "fieldType": "text"}
    hubspot.post("/crm/v3/properties/users", {**made, "groupName": "userinformation"}, 201)

    hubspot.post("/crm/v3/objects/users/batch/update", update(("3001", {"scoreback_band": "A"})))

    row = hubspot.get("/crm/v3/objects/users/?properties=scoreback_band,hs_email,hubspot_owner_id")["results"][0]
    assert row["properties"]["scoreback_band"] == "A"
    assert (row["properties"]["hs_email"], row["properties"]["hubspot_owner_id"]) == ("admin@example.com", "1001")


def test_a_batch_creates_and_archives(hubspot: Any) -> None:
    rows = [{"properties": {"dealname": name, "dealstage": "closedwon"}, "objectWriteTraceId": name} for name in "ab"]

    made = hubspot.post(f"{DEALS}/batch/create", {"inputs": rows}, 201)["results"]

    assert {row["objectWriteTraceId"]: row["properties"]["dealname"] for row in made} == {"a": "a", "b": "b"}
    gone = {"inputs": [{"id": made[0]["id"]}, {"id": "404"}]}
    assert hubspot("POST", f"{DEALS}/batch/archive", gone).status == 204
    assert [row["id"] for row in hubspot.get(DEALS)["results"]] == [made[1]["id"]]


def test_single_rows_that_are_not_there(hubspot: Any) -> None:
    hubspot.patch(f"{DEALS}/404", {"properties": {}}, 404)
    assert hubspot("DELETE", f"{DEALS}/404").status == 404
    hubspot.post(f"{DEALS}/merge", {"primaryObjectId": "404", "objectIdToMerge": "405"}, 404)
    hubspot.post("/crm/v3/objects/contacts/gdpr-delete", {"objectId": "404"}, 404)
    deal = hubspot.deal()
    hubspot.post(f"{DEALS}/merge", {"primaryObjectId": deal, "objectIdToMerge": deal}, 400)
    hubspot.post("/crm/v3/objects/calls/merge", {"primaryObjectId": "1", "objectIdToMerge": "2"}, 404)
