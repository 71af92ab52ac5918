"""Writing up to 200 records in a call."""

# ruff: noqa: S608 - SOQL for an emulator that has no database

from typing import Any

import pytest


def codes(results: list[dict[str, Any]]) -> list[str | None]:
    """The status code of each row; None where it was written."""
    return [row["errors"][0]["statusCode"] if row["errors"] else None for row in results]


def test_a_collection_answers_row_by_row_in_order(sf: Any) -> None:
    good, gone, other = sf.deal(), sf.deal(), sf.deal()
    sf.delete(f"sobjects/Opportunity/{gone}")

    results = sf.update_many(
        {"id": good, "NextStep": "one"},
        {"id": gone, "NextStep": "two"},
        {"Id": other[:15], "NextStep": None},
        {"id": "006000000000001AAA", "NextStep": "x"},
        {"NextStep": "no id"},
        {"id": good, "NextStep": "again"},
        {"id": other, "Name": ""},
    )

    assert [row.get("id") for row in results] == [good, gone, other, "006000000000001AAA", None, good, other]
    assert codes(results) == [
        None, "ENTITY_IS_DELETED", None, "INVALID_CROSS_REFERENCE_KEY", "MISSING_ARGUMENT", "DUPLICATE_VALUE", "DUPLICATE_VALUE",
    ]  # fmt: skip
    assert results[0] == {"id": good, "success": True, "errors": []}
    assert sf.rows(f"SELECT NextStep FROM Opportunity WHERE Id = '{good}'") == [{"NextStep": "one"}]


def many(count: int, **fields: Any) -> list[dict[str, Any]]:
    """New accounts."""
    return [{"attributes": {"type": "Account"}, "Name": str(number), **fields} for number in range(count)]


def test_200_records_are_the_most(sf: Any) -> None:
    taken = sf.post("composite/sobjects", {"records": many(200)}, status=200)
    refused = sf.post("composite/sobjects", {"records": many(201)}, status=400)

    assert codes(taken) == [None] * 200
    assert refused == [
        {
            "message": "record limit reached. cannot submit more than 200 records into this call",
            "errorCode": "EXCEEDED_ID_LIMIT",
        }
    ]


def test_ten_changes_of_type_are_the_most(sf: Any) -> None:
    account, user = many(1)[0], {"attributes": {"type": "Product2"}, "Name": "P"}

    taken = sf.post("composite/sobjects", {"records": [account, user] * 5}, status=200)
    refused = sf.post("composite/sobjects", {"records": [account, user] * 5 + [account]}, status=400)

    assert codes(taken) == [None] * 10
    assert refused[0]["errorCode"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"records": "x"}, "JSON_PARSER_ERROR"),
        ({}, "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
        ({"records": [], "allOrNothing": True}, "JSON_PARSER_ERROR"),
        ({"records": [{"Name": "no type"}]}, "INVALID_TYPE"),
        ({"records": [{"attributes": {"type": "Nothing"}}]}, "INVALID_TYPE"),
        ({"records": [{"attributes": {"type": "Account"}, "Foo": 1}]}, "INVALID_FIELD"),
        (b"{", "JSON_PARSER_ERROR"),
    ],
)
def test_a_malformed_collection_is_refused_as_a_whole(sf: Any, body: Any, code: str) -> None:
    answer = sf.post("composite/sobjects", body, status=400)

    assert answer[0]["errorCode"] == code


def test_users_share_no_call_with_other_types(sf: Any) -> None:
    user = {"attributes": {"type": "User"}, "id": sf.emulator.org.running_user, "Title": "x"}
    deal = {"attributes": {"type": "Opportunity"}, "id": sf.deal(), "NextStep": "x"}

    results = sf.patch("composite/sobjects", {"records": [deal, user]})

    assert codes(results) == [None, "MIXED_DML_OPERATION"]


def test_all_or_none_takes_back_what_was_written(sf: Any) -> None:
    deal = sf.deal(Amount=5)
    history = sf.soql("SELECT COUNT() FROM OpportunityHistory")["totalSize"]

    results = sf.update_many({"id": deal, "Amount": 7}, {"id": "006000000000001AAA", "Amount": 7}, allOrNone=True)
    made = sf.post("composite/sobjects", {"records": [*many(2), *many(1, ParentId="x")], "allOrNone": True}, status=200)

    assert codes(results) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_CROSS_REFERENCE_KEY"]
    assert codes(made) == [*["ALL_OR_NONE_OPERATION_ROLLED_BACK"] * 2, "MALFORMED_ID"]
    assert sf.rows("SELECT Amount FROM Opportunity") == [{"Amount": 5.0}]
    assert sf.rows("SELECT Id FROM Account") == []
    assert sf.soql("SELECT COUNT() FROM OpportunityHistory")["totalSize"] == history


def test_many_are_read_and_deleted_by_id(sf: Any) -> None:
    ids = [row["id"] for row in sf.post("composite/sobjects", {"records": many(3)}, status=200)]
    deleted = sf.delete(f"composite/sobjects?ids={ids[0]},006000000000001AAA,nonsense", status=200)

    by_get = sf.get(f"composite/sobjects/Account?ids={','.join(ids)}&fields=Name")
    by_post = sf.post("composite/sobjects/Account", {"ids": ids, "fields": ["Name"]}, status=200)

    assert codes(deleted) == [None, "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"]
    assert by_get == by_post
    assert [row and row["Name"] for row in by_get] == [None, "1", "2"]


@pytest.mark.parametrize(
    ("fault", "options", "expected"),
    [
        ("refused_row", {"row": 1}, [None, "FIELD_CUSTOM_VALIDATION_EXCEPTION", None, None]),
        ("locked_row", {}, ["UNABLE_TO_LOCK_ROW", None, None, None]),
        ("locked_row", {"every": 2, "row": 1}, [None, "UNABLE_TO_LOCK_ROW", None, "UNABLE_TO_LOCK_ROW"]),
        ("locked_record", {"row": 3}, [None, None, None, "ENTITY_IS_LOCKED"]),
        ("half_batch", {}, [None, "FIELD_CUSTOM_VALIDATION_EXCEPTION", None, "FIELD_CUSTOM_VALIDATION_EXCEPTION"]),
        ("deleted_meanwhile", {"row": 2}, [None, None, "ENTITY_IS_DELETED", None]),
    ],
)
def test_rows_of_a_batch_are_refused_on_demand_once(
    sf: Any, fault: str, options: dict[str, int], expected: list[str | None]
) -> None:
    records = [{"id": sf.deal(), "NextStep": "x"} for _ in range(4)]
    sf.arm(fault, **options)

    first, second = sf.update_many(*records), sf.update_many(*records)

    assert codes(first) == expected
    gone = [code if code == "ENTITY_IS_DELETED" else None for code in expected]
    assert codes(second) == gone


def test_a_field_can_be_made_read_only(sf: Any) -> None:
    sf.arm("read_only_field", field="NextStep", object="Opportunity")

    results = sf.update_many({"id": sf.deal(), "NextStep": "x"})

    assert codes(results) == ["INVALID_FIELD_FOR_INSERT_UPDATE"]
    assert results[0]["errors"][0]["fields"] == ["NextStep"]
