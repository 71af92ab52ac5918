"""Changes, tags, batches and their transactions in the SAP emulator."""

import json
from collections.abc import Callable
from typing import Any

import pytest

TAG = "__metadata"


def changeset(*calls: str) -> str:
    """A changeset of request texts."""
    inner = "".join(
        f"--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{one}\r\n" for one in calls
    )
    return f"Content-Type: multipart/mixed; boundary=c\r\n\r\n{inner}--c--\r\n"


def get(target: str) -> str:
    """A GET part, with the two blank lines behind it."""
    return (
        f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET {target} HTTP/1.1\r\n\r\n\r\n"
    )


def patch(key: str, body: dict[str, Any], *headers: str) -> str:
    """A PATCH for a changeset."""
    lines = ["Content-Type: application/json", "Accept: application/json", *headers]
    return f"PATCH OpportunityCollection('{key}') HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n" + json.dumps(body)


def send(sap: Any, *parts: str) -> Any:
    """The answer to a batch."""
    body = "".join(f"--b\r\n{part}" for part in parts) + "--b--\r\n"
    return sap("POST", "$batch", body.encode(), content_type="multipart/mixed; boundary=b")


def statuses(reply: Any) -> list[str]:
    """The status of every inner answer, in order."""
    return [line.split()[1] for line in reply.body.split("\r\n") if line.startswith("HTTP/1.1")]


def entity(sap: Any, key: str) -> dict[str, Any]:
    """An opportunity."""
    found: dict[str, Any] = sap.json(f"OpportunityCollection('{key}')")["d"]["results"]
    return found


def test_a_change_moves_stamp_and_tag(sap: Any) -> None:
    key = sap.sign().make()
    before = entity(sap, key)
    sap.wait(10)

    reply = sap("PATCH", f"OpportunityCollection('{key}')", {"Name": "New"}, if_match=before[TAG]["etag"])
    after = entity(sap, key)

    assert reply.status == 204
    assert after["Name"] == "New"
    assert after["EntityLastChangedOn"] == "/Date(1772443825000)/"
    assert after[TAG]["etag"] != before[TAG]["etag"]


@pytest.mark.parametrize("wrong", ["W/\"datetimeoffset'2026-01-01T00%3A00%3A00.0000000Z'\"", "x"])
def test_a_wrong_tag_is_412_and_changes_nothing(sap: Any, wrong: str) -> None:
    key = sap.sign().make("Old")

    reply = sap("PATCH", f"OpportunityCollection('{key}')", {"Name": "New"}, if_match=wrong)

    assert reply.status == 412
    assert entity(sap, key)["Name"] == "Old"


def test_a_change_of_a_child_moves_the_parents_tag_only(sap: Any) -> None:
    key = sap.sign().make(OpportunityItem=[{"ProductID": "P1"}])
    child = sap.rows("OpportunityItemCollection")[0]["ObjectID"]
    before = entity(sap, key)
    sap.wait(60)

    sap("PATCH", f"OpportunityItemCollection('{child}')", {"Quantity": "3"})
    after = entity(sap, key)

    assert after["EntityLastChangedOn"] == before["EntityLastChangedOn"]
    assert after[TAG]["etag"] != before[TAG]["etag"]


def test_what_is_read_only_is_passed_over_in_silence(sap: Any) -> None:
    key = sap.sign().make()

    reply = sap("PATCH", f"OpportunityCollection('{key}')", {"CreatedBy": "me", "ETag": "/Date(0)/"})

    assert reply.status == 204
    assert entity(sap, key)["CreatedBy"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {"ZNo_KUT": "1"},
        {"ExpectedRevenueAmount": 5},
        {"ExpectedRevenueAmount": "abc"},
        {"ExpectedProcessingEndDate": "tomorrow"},
        {"HeaderRevenueSchedule": "true"},
        {"Score": "5"},
        {"SalesCyclePhaseCode": "999"},
        {"OpportunityItem": []},
    ],
)
def test_a_value_that_does_not_fit_is_refused(sap: Any, body: dict[str, Any]) -> None:
    key = sap.sign().make()

    assert sap("PATCH", f"OpportunityCollection('{key}')", body).status == 400


def test_a_text_longer_than_its_field_is_refused(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(fields=[{"entity": "Opportunity", "name": "ZWhy", "max_length": 5}]).sign()
    target = f"OpportunityCollection('{sap.emulator.ids['opportunities']['17']}')"

    answers = [sap("PATCH", target, {"ZWhy_KUT": text}).status for text in ("12345", "123456")]

    assert answers == [204, 400]


def test_put_empties_what_is_not_sent(sap: Any) -> None:
    key = sap.sign().make(ExpectedRevenueAmount="5", ExpectedRevenueAmountCurrencyCode="EUR")

    sap("PUT", f"OpportunityCollection('{key}')", {"Name": "Only"})

    assert entity(sap, key)["ExpectedRevenueAmount"] == "0.000000"


def test_merge_by_post_is_a_change(sap: Any) -> None:
    key = sap.sign().make()

    reply = sap("POST", f"OpportunityCollection('{key}')", {"Name": "Merged"}, x_http_method="MERGE")

    assert (reply.status, entity(sap, key)["Name"]) == (204, "Merged")


def test_a_new_record_needs_its_mandatory_fields(sap: Any) -> None:
    assert sap.sign()("POST", "OpportunityCollection", {"ExternalID": "x"}).status == 400


@pytest.mark.parametrize("name", ["ActivityCollection", "OpportunityHistoricalVersionCollection"])
def test_a_view_and_the_history_cannot_be_written(tenant: Any, name: str) -> None:
    key = tenant.sign().rows(name)[0]["ObjectID"]

    assert tenant("POST", name, {}).status == 405
    assert tenant("PATCH", f"{name}('{key}')", {}).status == 405


def test_a_new_phase_is_dated_and_kept_as_a_version(tenant: Any) -> None:
    key = tenant.sign().emulator.ids["opportunities"]["17"]

    tenant("PATCH", f"OpportunityCollection('{key}')", {"SalesCyclePhaseCode": "003"})
    versions = tenant.rows(f"OpportunityCollection('{key}')/OpportunityHistoricalVersion?$orderby=CreationDateTime")

    assert entity(tenant, key)["SalesCyclePhaseStartDate"] == "/Date(1772409600000)/"
    assert [row["SalesCyclePhaseCode"] for row in versions] == ["001", "002", "003"]


def test_a_deleted_record_leaves_nothing(sap: Any) -> None:
    key = sap.sign().make(OpportunityItem=[{"ProductID": "P1"}])

    assert sap("DELETE", f"OpportunityCollection('{key}')").status == 204
    assert sap.rows("OpportunityCollection") == sap.rows("OpportunityItemCollection") == []


def test_a_batch_answers_every_part_by_itself(sap: Any) -> None:
    key = sap.sign().make()

    reply = send(
        sap,
        changeset(patch(key, {"Name": "One"})),
        changeset(patch("0" * 32, {"Name": "Two"})),
        get(f"OpportunityCollection('{key}')?$format=json&$select=Name"),
    )

    assert reply.status == 202
    assert statuses(reply) == ["204", "404", "200"]
    assert '"Name":"One"' in reply.body


def test_one_bad_call_takes_its_whole_changeset_back(sap: Any) -> None:
    first, second = sap.sign().make("First"), sap.make("Second")

    reply = send(sap, changeset(patch(first, {"Name": "x"}), patch(second, {"Nme": "y"})))

    assert statuses(reply) == ["400"]
    assert entity(sap, first)["Name"] == "First"


def test_a_changeset_checks_tags(sap: Any) -> None:
    key = sap.sign().make()
    tag = entity(sap, key)[TAG]["etag"]

    reply = send(
        sap,
        changeset(patch(key, {"Name": "x"}, f"If-Match: {tag}")),
        changeset(patch(key, {"Name": "y"}, f"If-Match: {tag}")),
    )

    assert statuses(reply) == ["204", "412"]


def test_a_long_filter_fits_into_a_batch(sap: Any) -> None:
    key = sap.sign().make("Found")
    terms = " or ".join(f"ObjectID eq '{n:032X}'" for n in range(4999)).replace(" ", "%20")

    reply = send(
        sap, get(f"OpportunityCollection?$format=json&$top=5000&$filter=ObjectID%20eq%20'{key}'%20or%20{terms}")
    )

    assert reply.body.count('"Name":"Found"') == 1


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(changeset("GET OpportunityCollection HTTP/1.1\r\n\r\n"), id="a GET in a changeset"),
        pytest.param(
            "Content-Type: application/http\r\n\r\nGET OpportunityCollection HTTP/1.1\r\n",
            id="one blank line behind a GET",
        ),
        pytest.param(
            "Content-Type: application/http\r\n\r\n" + patch("1", {}) + "\r\n", id="a change outside a changeset"
        ),
        pytest.param("Content-Type: text/plain\r\n\r\nx\r\n", id="not application/http"),
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(sap: Any, part: str) -> None:
    sap.sign()

    assert send(sap, part).status == 400


def test_searching_in_a_batch_is_refused(sap: Any) -> None:
    sap.sign()

    assert statuses(send(sap, get("OpportunityCollection?$search=x"))) == ["400"]
    assert sap("GET", "OpportunityCollection?$search=x").status == 200


def test_a_batch_can_be_too_long(tenant_with: Callable[..., Any]) -> None:
    sap = tenant_with(batch_parts=1).sign()

    assert send(sap, get("OpportunityCollection"), get("OpportunityCollection")).status == 400


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("refused_row", ["400", "204", "204"]),
        ("locked_row", ["500", "204", "204"]),
        ("half_batch", ["204", "400", "204"]),
        ("deleted_meanwhile", ["404", "204", "204"]),
    ],
)
def test_faults_spoil_rows_of_a_batch(sap: Any, fault: str, expected: list[str]) -> None:
    keys = [sap.sign().make(), sap.make(), sap.make()]
    sap.arm(fault)

    reply = send(sap, *(changeset(patch(key, {"Name": "x"})) for key in keys))

    assert statuses(reply) == expected
