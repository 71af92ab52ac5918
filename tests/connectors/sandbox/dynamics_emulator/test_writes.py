"""Writing to the Dynamics emulator: PATCH and its conditions, checks of values, batches, bulk messages, columns."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.sandbox.dynamics_emulator.conftest import Caller, data_of

NOBODY = "00000000-0000-0000-0000-000000000001"
BULK = "opportunities/Microsoft.Dynamics.CRM."


def target(crm: Caller, world_id: str, **fields: Any) -> dict[str, Any]:
    """A target of a bulk message."""
    row_id = crm.emulator.ids["opportunities"][world_id]
    return {"@odata.type": "Microsoft.Dynamics.CRM.opportunity", "opportunityid": row_id, **fields}


def multipart(parts: list[str], boundary: str = "b1") -> bytes:
    """A batch body of plain HTTP parts."""
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    return ("".join(f"--{boundary}\r\n{head}{one}\r\n" for one in parts) + f"--{boundary}--\r\n").encode()


def patch(address: str, body: str) -> str:
    """A PATCH as it stands in a batch."""
    return f"PATCH /api/data/v9.2/{address} HTTP/1.1\r\nContent-Type: application/json\r\nIf-Match: *\r\n\r\n{body}"


def send_batch(crm: Caller, body: bytes, prefer: str = "") -> Any:
    """The answer to a batch."""
    return crm("POST", "$batch", body, content_type='multipart/mixed; boundary="b1"', prefer=prefer)


def test_a_patch_stamps_the_row_and_names_us(crm: Caller) -> None:
    before = crm.get(crm.deal("2"))

    reply = crm("PATCH", crm.deal("2"), {"estimatedvalue": 300}, if_match="*")

    after = crm.get(crm.deal("2"))
    assert reply.status == 204
    assert reply.headers["OData-EntityId"].endswith(crm.deal("2"))
    assert after["_modifiedby_value"] == crm.get("WhoAmI")["UserId"]
    assert after["modifiedon"] == "2026-03-02T09:30:15Z"
    assert after["versionnumber"] > before["versionnumber"]
    assert after["estimatedvalue_base"] == Decimal(150)


def test_a_patch_makes_the_row_unless_if_match_forbids_it(crm: Caller) -> None:
    refused = crm.code("PATCH", f"opportunities({NOBODY})", {"name": "x"}, if_match="*")
    made = crm("PATCH", f"opportunities({NOBODY})", {"name": "x"}, if_none_match="null")
    again = crm.code("PATCH", f"opportunities({NOBODY})", {"name": "y"}, if_none_match="*")

    assert refused == (404, "0x80040217")
    assert made.status == 204
    assert crm.get(f"opportunities({NOBODY})")["name"] == "x"
    assert again == (412, "0x80040237")


def test_a_stale_etag_is_refused(crm: Caller) -> None:
    etag = crm.get(crm.deal("1"))["@odata.etag"]
    crm("PATCH", crm.deal("1"), {"name": "x"}, if_match=etag)

    assert crm.code("PATCH", crm.deal("1"), {"name": "y"}, if_match=etag) == (412, "0x80060882")


def test_an_alternate_key_addresses_and_upserts(crm: Caller) -> None:
    crm("PATCH", "accounts(accountnumber='a1')", {"name": "Acme 2"})
    crm("PATCH", "accounts(accountnumber='a9')", {"name": "Nine"})

    assert [one["name"] for one in crm.get("accounts?$select=name&$orderby=name asc")["value"]] == ["Acme 2", "Nine"]
    assert crm.code("GET", "accounts(accountnumber='none')") == (404, "0x80060891")
    assert crm.code("GET", "accounts(name='Nine')") == (400, "0x80060890")
    assert crm.code("POST", "accounts", {"accountnumber": "a9"}) == (412, "0x80060892")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"nope": 1}, "0x80048d19"),
        ({"name": 7}, "0x80048d19"),
        ({"name": "x" * 301}, "0x80044331"),
        ({"salesstage": 9}, "0x8004431a"),
        ({"closeprobability": 101}, "0x8004432f"),
        ({"discountpercentage": 101}, "0x80044330"),
        ({"estimatedclosedate": "2026-04-01T00:00:00Z"}, "0x80048d19"),
        ({"statecode": 1}, "0x80100005"),
        ({"statuscode": 3}, "0x80100005"),
        ({"_ownerid_value": NOBODY}, "0x80060888"),
        ({"OwnerId@odata.bind": f"/systemusers({NOBODY})"}, "0x80048d19"),
        ({"parentaccountid@odata.bind": f"/systemusers({NOBODY})"}, "0x80048d19"),
    ],
)
def test_bodies_that_dataverse_refuses_are_refused_and_change_nothing(
    crm: Caller, body: dict[str, Any], code: str
) -> None:
    before = crm.get(crm.deal("1"))

    assert crm.code("PATCH", crm.deal("1"), body, if_match="*") == (400, code)
    assert crm.get(crm.deal("1")) == before


def test_lookups_are_bound_and_loosened(crm: Caller) -> None:
    other = crm.emulator.ids["people"]["p2"]
    team = crm.get("teams")["value"][0]["teamid"]

    crm("PATCH", crm.deal("1"), {"ownerid@odata.bind": f"/systemusers({other})", "parentaccountid@odata.bind": None})
    owned = crm.get(crm.deal("1"))
    crm("PATCH", crm.deal("1"), {"ownerid@odata.bind": f"/teams({team})"})

    assert (owned["_owninguser_value"], owned["_parentaccountid_value"]) == (other, None)
    assert (crm.get(crm.deal("1"))["_owninguser_value"], crm.get(crm.deal("1"))["_owningteam_value"]) == (None, team)


def test_a_status_that_belongs_to_another_state_is_refused(crm: Caller) -> None:
    call = f"phonecalls({crm.emulator.ids['activities']['c1']})"

    assert crm.code("PATCH", call, {"statecode": 2, "statuscode": 4}, if_match="*") == (400, "0x80048408")


def test_winning_is_a_message_of_its_own_with_a_close_activity(crm: Caller) -> None:
    close = {"subject": "Done", "opportunityid@odata.bind": f"/{crm.deal('1')}"}

    reply = crm("POST", "WinOpportunity", {"OpportunityClose": close, "Status": 3})

    row = crm.get(crm.deal("1"))
    assert reply.status == 204
    assert (row["statecode"], row["actualvalue"], row["actualclosedate"]) == (1, Decimal("100.5"), "2026-03-02")
    deal = crm.emulator.ids["opportunities"]["1"]
    found = crm.get(f"opportunitycloses?$filter=_opportunityid_value eq {deal}")["value"]
    assert [one["subject"] for one in found] == ["Done"]


def test_update_multiple_is_all_or_nothing(crm: Caller) -> None:
    good, bad = target(crm, "1", name="new"), target(crm, "2", closeprobability=101)
    before = crm.get(crm.deal("1"))

    refused = crm.code("POST", f"{BULK}UpdateMultiple", {"Targets": [good, bad]})

    assert refused == (400, "0x8004432f")
    assert crm.get(crm.deal("1")) == before
    assert crm("POST", f"{BULK}UpdateMultiple", {"Targets": [good]}).status == 204
    assert crm.get(crm.deal("1"))["name"] == "new"


def test_update_multiple_names_a_missing_row_and_wants_type_and_key(crm: Caller) -> None:
    gone = {"@odata.type": "Microsoft.Dynamics.CRM.opportunity", "opportunityid": NOBODY, "name": "x"}

    reply = crm("POST", f"{BULK}UpdateMultiple", {"Targets": [gone]})

    assert reply.body["error"]["message"] == f"Opportunity With Ids = {NOBODY} Do Not Exist"
    assert crm.code("POST", f"{BULK}UpdateMultiple", {"Targets": [{"opportunityid": NOBODY}]}) == (400, "0x80048d19")


def test_create_and_upsert_multiple(crm: Caller) -> None:
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.account"}

    made = crm(
        "POST",
        "accounts/Microsoft.Dynamics.CRM.CreateMultiple",
        {"Targets": [{**kind, "name": "A"}, {**kind, "name": "B"}]},
    )
    put = {"Targets": [{**kind, "@odata.id": "accounts(accountnumber='a7')", "name": "C"}]}

    assert len(made.body["Ids"]) == 2
    assert crm("POST", "accounts/Microsoft.Dynamics.CRM.UpsertMultiple", put).status == 204
    assert crm.get("accounts(accountnumber='a7')")["name"] == "C"


def test_a_table_may_lack_bulk_messages_and_says_so_beforehand(make_crm: Callable[..., Caller]) -> None:
    crm = make_crm(slow=["opportunity"])
    query = "sdkmessagefilters?$filter=sdkmessageid/name eq @m and primaryobjecttypecode eq @t&@m='UpdateMultiple'&@t="

    assert crm.get(f"{query}'opportunity'")["value"] == []
    assert len(crm.get(f"{query}'account'")["value"]) == 1
    assert crm("POST", f"{BULK}UpdateMultiple", {"Targets": [target(crm, "1")]}).status == 400


def test_a_batch_goes_on_after_an_error_only_if_told_to(crm: Caller) -> None:
    body = multipart(
        [patch(crm.deal("1"), '{"name":"a"}'), patch(crm.deal("2"), '{"nope":1}'), patch(crm.deal("4"), '{"name":"c"}')]
    )

    stopped = send_batch(crm, body)
    third = crm.get(crm.deal("4"))["name"]
    whole = send_batch(crm, body, "odata.continue-on-error")

    assert (stopped.status, stopped.body.count("HTTP/1.1"), third) == (400, 2, "Deal 4")
    assert (whole.status, whole.body.count("HTTP/1.1 204"), whole.body.count("HTTP/1.1 400")) == (200, 2, 1)
    assert crm.get(crm.deal("4"))["name"] == "c"


def test_a_change_set_stands_or_falls_as_one(crm: Caller) -> None:
    inner = multipart([patch(crm.deal("1"), '{"name":"a"}'), patch(crm.deal("2"), '{"nope":1}')], "c1").decode()
    body = f"--b1\r\nContent-Type: multipart/mixed; boundary=c1\r\n\r\n{inner}\r\n--b1--\r\n".encode()

    reply = send_batch(crm, body, "odata.continue-on-error")

    assert reply.body.count("HTTP/1.1 400") == 1
    assert crm.get(crm.deal("1"))["name"] == "Deal 1"


def test_a_batch_has_a_thousand_parts_at_most_and_crlf_lines(crm: Caller) -> None:
    get = "GET /api/data/v9.2/WhoAmI HTTP/1.1\r\nAccept: application/json\r\n"

    assert send_batch(crm, multipart([get] * 1001)).status == 400
    assert send_batch(crm, multipart([get]).replace(b"\r\n", b"\n")).status == 400
    assert "UserId" in send_batch(crm, multipart([get])).body


def test_a_batch_part_may_spell_its_address_with_blanks_as_the_vendors_own_client_does(crm: Caller) -> None:
    where = "https://crm.test/api/data/v9.2/EntityDefinitions?$select=LogicalName,IsPrivate&$filter=LogicalName eq 'account'"

    reply = send_batch(crm, multipart([f"GET {where} HTTP/1.1\r\nAccept: application/json\r\n"]))

    assert '"LogicalName": "account"' in reply.body


@pytest.mark.parametrize(("fault", "status"), [("refused_row", 400), ("locked_row", 500), ("deleted_meanwhile", 404)])
def test_row_faults_fail_the_bulk_message_and_name_the_row_in_the_batch(
    make_crm: Callable[..., Caller], fault: str, status: int
) -> None:
    crm = make_crm(faults=[fault])
    bulk = {"Targets": [target(crm, one, name="n") for one in ("1", "2", "4")]}
    body = multipart([patch(crm.deal(one), '{"name":"n"}') for one in ("1", "2", "4")])

    refused = crm("POST", f"{BULK}UpdateMultiple", bulk)
    reply = send_batch(crm, body, "odata.continue-on-error")

    assert refused.status == status
    assert reply.body.count("HTTP/1.1 204") == (3 if fault == "locked_row" else 2)


def test_an_edit_in_the_app_is_audited_and_may_commit_late(make_crm: Callable[..., Caller]) -> None:
    crm = make_crm(faults=["late_commit"])
    deal = crm.emulator.ids["opportunities"]["1"]

    crm.emulator.edit("opportunities", "1", {"stage": "Won"})

    row = crm.get(crm.deal("1"))
    assert (row["statecode"], row["stepname"], row["modifiedon"]) == (1, "Won", "2026-03-02T09:25:15Z")
    assert 44 in [one["action"] for one in crm.get(f"audits?$filter=_objectid_value eq {deal}")["value"]]


def test_a_deleted_deal_takes_its_children_along(crm: Caller) -> None:
    assert crm("DELETE", crm.deal("1")).status == 204

    assert crm.get("opportunityproducts")["value"] == []
    assert crm.get("phonecalls")["value"] == []
    assert data_of(crm("GET", crm.deal("1")))["error"]["code"] == "0x80040217"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_does_not_say_that_it_is_json_is_refused(crm: Caller, kind: str) -> None:
    assert crm.code("PATCH", crm.deal("1"), {"name": "New"}, if_match="*", content_type=kind) == (415, "0x80060888")
    assert crm.get(crm.deal("1"))["name"] == "Deal 1"
