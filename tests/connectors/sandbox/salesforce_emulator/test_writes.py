"""Writing records one by one and by their keys: what is kept, what is refused, in which words."""

from collections.abc import Callable
from typing import Any

import pytest


def codes(results: list[dict[str, Any]]) -> list[str | None]:
    """The status code of each row; None where it was written."""
    return [row["errors"][0]["statusCode"] if row["errors"] else None for row in results]


def test_a_record_is_made_read_changed_and_deleted(sf: Any) -> None:
    made = sf.post("sobjects/Account", {"Name": "Acme", "NumberOfEmployees": 5})
    one = f"sobjects/Account/{made['id']}"
    sf.wait(60)
    sf.patch(one, {"Name": "Acme 2", "NumberOfEmployees": None}, status=204)

    changed = sf.get(f"{one}?fields=Name,NumberOfEmployees,CreatedDate,LastModifiedDate,SystemModstamp,OwnerId")
    sf.delete(one)

    assert made == {"id": made["id"], "success": True, "errors": []}
    assert {name: value for name, value in changed.items() if name != "attributes"} == {
        "Name": "Acme 2",
        "NumberOfEmployees": None,
        "CreatedDate": "2026-03-02T09:30:15.000+0000",
        "LastModifiedDate": "2026-03-02T09:31:15.000+0000",
        "SystemModstamp": "2026-03-02T09:31:15.000+0000",
        "OwnerId": sf.emulator.org.running_user,
    }
    assert sf.get(one, status=404) == [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]


@pytest.mark.parametrize(
    ("fields", "code", "status", "says"),
    [
        ({"Foo": 1}, "INVALID_FIELD", 400, "No such column 'Foo' on sobject of type Opportunity"),
        (
            {"IsClosed": True},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            400,
            "Unable to create/update fields: IsClosed. Please check",
        ),
        ({"Name": None}, "REQUIRED_FIELD_MISSING", 400, "Required fields are missing: [Name]"),
        ({"Name": "x" * 121}, "STRING_TOO_LONG", 400, "(max length=120)"),
        (
            {"Amount": "lots"},
            "JSON_PARSER_ERROR",
            400,
            "Cannot deserialize instance of double from VALUE_STRING value lots",
        ),
        ({"Amount": True}, "JSON_PARSER_ERROR", 400, "Cannot deserialize instance of double from VALUE_TRUE"),
        ({"Amount": 1e18}, "NUMBER_OUTSIDE_VALID_RANGE", 400, "value outside of valid range on numeric field"),
        ({"CloseDate": "31.12.2026"}, "JSON_PARSER_ERROR", 400, "Cannot deserialize instance of date"),
        ({"Name": {"a": 1}}, "JSON_PARSER_ERROR", 400, "START_OBJECT"),
        ({"OwnerId": "Ann"}, "MALFORMED_ID", 400, "id value of incorrect type: Ann"),
        ({"OwnerId": "006000000000001AAA"}, "MALFORMED_ID", 400, "id value of incorrect type"),
        ({"OwnerId": "005000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY", 400, "invalid cross reference id"),
    ],
)
def test_a_bad_value_is_refused(sf: Any, fields: dict[str, Any], code: str, status: int, says: str) -> None:
    deal = sf.deal()

    answer = sf.patch(f"sobjects/Opportunity/{deal}", fields, status=status)

    assert answer[0]["errorCode"] == code
    assert says in answer[0]["message"]
    assert sf.rows("SELECT Name, Amount FROM Opportunity") == [{"Name": "Deal", "Amount": None}]


def test_numbers_in_text_are_read_and_surplus_decimals_rounded(sf: Any) -> None:
    sf.deal(Amount="1234.565")

    assert sf.rows("SELECT Amount FROM Opportunity") == [{"Amount": 1234.57}]


def test_a_new_record_needs_its_required_fields(sf: Any) -> None:
    answer = sf.post("sobjects/Opportunity", {"Name": "x"}, status=400)

    assert answer[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert answer[0]["fields"] == ["StageName", "CloseDate"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("Opportunity/006000000000001AAA", "NOT_FOUND", 404),
        ("Opportunity/001000000000001AAA", "MALFORMED_ID", 400),
        ("Nothing/006000000000001AAA", "NOT_FOUND", 404),
    ],
)
def test_a_record_that_is_not_there(sf: Any, method: str, path: str, code: str, status: int) -> None:
    answer = sf.body(method, f"sobjects/{path}", {} if method == "PATCH" else None, status=status)

    assert answer[0]["errorCode"] == code


def test_15_characters_of_an_id_are_enough(sf: Any) -> None:
    deal = sf.deal()

    sf.patch(f"sobjects/Opportunity/{deal[:15]}", {"NextStep": "call"}, status=204)

    assert sf.rows("SELECT NextStep FROM Opportunity") == [{"NextStep": "call"}]


def test_what_cannot_be_written_or_deleted(sf: Any) -> None:
    stage = sf.rows("SELECT Id FROM OpportunityStage LIMIT 1")[0]["Id"]

    assert sf.patch(f"sobjects/OpportunityStage/{stage}", {"MasterLabel": "x"}, status=400)[0]["errorCode"] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )
    assert sf.delete(f"sobjects/User/{sf.emulator.org.running_user}", status=403)[0]["errorCode"] == (
        "INSUFFICIENT_ACCESS_OR_READONLY"
    )


def test_an_inactive_user_owns_nothing_new(sf: Any) -> None:
    gone = sf.make("User", Username="gone@example.com", LastName="Gone", Email="gone@example.com", IsActive=False)

    answer = sf.patch(f"sobjects/Opportunity/{sf.deal()}", {"OwnerId": gone}, status=400)

    assert answer[0]["errorCode"] == "INACTIVE_OWNER_OR_USER"


def test_usernames_are_taken_once(sf: Any) -> None:
    user = {"Username": "Ann@example.com", "LastName": "Ann", "Email": "ann@example.com"}
    sf.make("User", **user)

    answer = sf.post("sobjects/User", {**user, "Username": "ann@EXAMPLE.com"}, status=400)

    assert answer[0]["errorCode"] == "DUPLICATE_USERNAME"


# Upsert by an external id.


@pytest.fixture
def keyed(sf: Any, grant: Callable[..., None]) -> Any:
    """An org whose accounts have a unique external id."""
    metadata = {"label": "Key", "type": "Text", "length": 40, "externalId": True, "unique": True}
    sf.post("tooling/sobjects/CustomField", {"FullName": "Account.Key__c", "Metadata": metadata})
    grant(sf, "Account.Key__c")
    return sf


def test_one_record_is_upserted_by_its_key(keyed: Any) -> None:
    path = "sobjects/Account/Key__c/a%20b%2Fc"

    first = keyed.patch(path, {"Name": "Acme"}, status=201)
    second = keyed.patch(path, {"Name": "Acme 2"}, status=200)

    assert (first["created"], second["created"], first["id"]) == (True, False, second["id"])
    assert keyed.get(f"{path}?fields=Name,Key__c")["Key__c"] == "a b/c"
    assert keyed.patch(path, {"Name": "x", "Key__c": "y"}, status=400)[0]["errorCode"] == "INVALID_FIELD"
    assert keyed.get("sobjects/Account/Key__c/none", status=404)[0]["errorCode"] == "NOT_FOUND"


def test_a_collection_is_upserted_by_its_key(keyed: Any) -> None:
    def upsert(*pairs: tuple[str | None, str]) -> Any:
        records = [{"attributes": {"type": "Account"}, "Key__c": key, "Name": name} for key, name in pairs]
        return keyed.patch("composite/sobjects/Account/Key__c", {"records": records})

    first = upsert(("a", "A"), ("b", "B"))
    second = upsert(("b", "B2"), ("c", "C"), (None, "none"), ("C", "twice"))

    assert [row["created"] for row in first] == [True, True]
    assert [row.get("created") for row in second] == [False, True, None, None]
    assert codes(second) == [None, None, "MISSING_ARGUMENT", "DUPLICATE_VALUE"]
    assert [row["Name"] for row in keyed.rows("SELECT Name FROM Account ORDER BY Name")] == ["A", "B2", "C"]


def test_a_unique_key_is_taken_once_and_free_after_deletion(keyed: Any) -> None:
    first = keyed.make("Account", Name="A", Key__c="k")
    refused = keyed.post("sobjects/Account", {"Name": "B", "Key__c": "K"}, status=400)

    keyed.delete(f"sobjects/Account/{first}")

    assert refused[0]["errorCode"] == "DUPLICATE_VALUE"
    assert first[:15] in refused[0]["message"]
    assert keyed.make("Account", Name="B", Key__c="k") != first


def test_a_key_that_is_not_unique_may_match_several(sf: Any, grant: Callable[..., None]) -> None:
    metadata = {"label": "Key", "type": "Text", "length": 40, "externalId": True}
    sf.post("tooling/sobjects/CustomField", {"FullName": "Account.Key__c", "Metadata": metadata})
    grant(sf, "Account.Key__c")
    ids = [sf.make("Account", Name=name, Key__c="k") for name in ("A", "B")]

    answer = sf.patch("sobjects/Account/Key__c/k", {"Name": "C"}, status=300)

    assert answer == [f"/services/data/v64.0/sobjects/Account/{one}" for one in ids]


def test_a_field_that_is_no_key_upserts_nothing(sf: Any) -> None:
    answer = sf.patch("sobjects/Account/Name/x", {}, status=404)

    assert answer[0]["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize("path", ["composite/sobjects", "jobs/query", "jobs/ingest"])
def test_a_body_of_another_type_than_json_is_refused(sf: Any, path: str) -> None:
    method = "PATCH" if path.startswith("composite") else "POST"

    refused = sf.body(method, path, b"<records/>", status=415, content_type="text/xml")

    assert refused[0]["errorCode"] == "UNSUPPORTED_MEDIA_TYPE"
