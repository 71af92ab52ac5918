"""Several calls in one."""

from typing import Any

BASE = "/services/data/v64.0"


def call(reference: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """A part of a composite call."""
    return {"method": method, "url": f"{BASE}/{path}", "referenceId": reference, **({"body": body} if body else {})}


def test_later_parts_use_what_earlier_ones_made_and_it_all_counts_once(sf: Any) -> None:
    deal = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-06-30", "AccountId": "@{acme.id}"}
    calls = [
        call("acme", "POST", "sobjects/Account", {"Name": "Acme"}),
        call("deal", "POST", "sobjects/Opportunity", deal),
        call("read", "GET", "query?q=SELECT+Account.Name+FROM+Opportunity+WHERE+Id+=+'@{deal.id}'"),
        call("again", "GET", "sobjects/Account/@{read.records[0].Account.attributes.url}"),
        call("gone", "PATCH", "sobjects/Account/@{acme.id}", {"Industry": "Retail"}),
    ]

    answer = sf.post("composite", {"compositeRequest": calls}, status=200)["compositeResponse"]

    assert [(part["referenceId"], part["httpStatusCode"]) for part in answer] == [
        ("acme", 201), ("deal", 201), ("read", 200), ("again", 404), ("gone", 204),
    ]  # fmt: skip
    assert answer[2]["body"]["records"][0]["Account"]["Name"] == "Acme"
    assert answer[4]["body"] is None
    assert sf.emulator.api_used == 1
    assert sf.emulator.stats == {"POST /services/data/{version}/composite": 1}


def test_a_reference_to_nothing_halts_its_part(sf: Any) -> None:
    calls = [call("a", "GET", "sobjects/Account/@{b.id}"), call("b", "GET", "limits")]

    answer = sf.post("composite", {"compositeRequest": calls}, status=200)["compositeResponse"]

    assert answer[0]["httpStatusCode"] == 400
    assert answer[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert answer[1]["httpStatusCode"] == 200


def test_five_collections_of_200_are_the_most(sf: Any) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": str(number)} for number in range(200)]
    calls = [call(f"r{number}", "POST", "composite/sobjects", {"records": records}) for number in range(6)]

    refused = sf.post("composite", {"compositeRequest": calls}, status=400)
    taken = sf.post("composite", {"compositeRequest": calls[:5]}, status=200)["compositeResponse"]

    assert refused[0]["errorCode"] == "LIMIT_EXCEEDED"
    assert [sum(row["success"] for row in part["body"]) for part in taken] == [200] * 5
    assert sf.soql("SELECT COUNT() FROM Account")["totalSize"] == 1000


def test_25_parts_with_names_of_their_own(sf: Any) -> None:
    calls = [call(f"r{number}", "GET", "limits") for number in range(26)]

    assert sf("POST", "composite", {"compositeRequest": calls}).status == 400
    assert sf("POST", "composite", {"compositeRequest": calls[:25]}).status == 200
    assert sf("POST", "composite", {"compositeRequest": [calls[0], calls[0]]}).status == 400
    assert sf("POST", "composite", {}).status == 400


def test_all_or_none_takes_back_every_part(sf: Any) -> None:
    calls = [
        call("good", "POST", "sobjects/Account", {"Name": "Acme"}),
        call("bad", "POST", "sobjects/Account", {"Nmae": "typo"}),
    ]

    kept = sf.post("composite", {"compositeRequest": calls}, status=200)["compositeResponse"]
    undone = sf.post("composite", {"compositeRequest": calls, "allOrNone": True}, status=200)["compositeResponse"]

    assert [part["httpStatusCode"] for part in kept] == [201, 400]
    assert [part["body"][0]["errorCode"] for part in undone] == ["PROCESSING_HALTED", "INVALID_FIELD"]
    assert sf.soql("SELECT COUNT() FROM Account")["totalSize"] == 1


def test_undoing_a_whole_undoes_a_collection_that_had_succeeded(sf: Any) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": "A"}]
    calls = [
        call("inner", "POST", "composite/sobjects", {"records": records, "allOrNone": True}),
        call("bad", "GET", "nowhere"),
    ]

    sf.post("composite", {"compositeRequest": calls, "allOrNone": True}, status=200)
    sf.make("Account", Name="after")

    assert sf.rows("SELECT Name FROM Account") == [{"Name": "after"}]


def test_a_batch_counts_every_part(sf: Any) -> None:
    parts = [{"method": "GET", "url": "v64.0/limits"}, {"method": "GET", "url": "v64.0/nowhere"}]

    answer = sf.post("composite/batch", {"batchRequests": parts}, status=200)

    assert answer["hasErrors"] is True
    assert [part["statusCode"] for part in answer["results"]] == [200, 404]
    assert sf.emulator.api_used == 2
    assert sf("POST", "composite/batch", {"batchRequests": []}).status == 400
