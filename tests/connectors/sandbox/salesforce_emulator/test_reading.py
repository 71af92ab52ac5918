"""Queries, locators, describe, deletions, limits and versions of the Salesforce emulator."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

import pytest


def filled(sf: Any, count: int) -> list[str]:
    """Ids of new accounts."""
    ids: list[str] = []
    for start in range(0, count, 200):
        records = [
            {"attributes": {"type": "Account"}, "Name": f"Account {number:05d}"}
            for number in range(start, min(start + 200, count))
        ]
        ids += [row["id"] for row in sf.post("composite/sobjects", {"records": records}, status=200)]
    return ids


def pages(sf: Any, text: str, **headers: str) -> list[list[str]]:
    """The names of every page."""
    answer = sf.soql(text, **headers)
    found = [[row["Name"] for row in answer["records"]]]
    while not answer["done"]:
        answer = sf.get(answer["nextRecordsUrl"], **headers)
        found.append([row["Name"] for row in answer["records"]])
    return found


def test_a_query_pages_through_everything_once(sf: Any) -> None:
    filled(sf, 450)

    found = pages(sf, "SELECT Name FROM Account ORDER BY Name", sforce_query_options="batchSize=200")

    assert [len(page) for page in found] == [200, 200, 50]
    assert [name for page in found for name in page] == [f"Account {number:05d}" for number in range(450)]


@pytest.mark.parametrize(
    ("header", "first"), [("batchSize=200", 200), ("batchSize=1", 200), ("batchSize=9999", 450), ("", 450)]
)
def test_the_batch_size_is_held_between_200_and_2000(sf: Any, header: str, first: int) -> None:
    filled(sf, 450)

    answer = sf.soql("SELECT Name FROM Account", sforce_query_options=header)

    assert len(answer["records"]) == first
    assert answer["totalSize"] == 450
    assert ("nextRecordsUrl" in answer) is not answer["done"]


def test_a_page_may_be_smaller_than_asked(org_with: Callable[..., Any]) -> None:
    sf = org_with(page_cap=3)
    filled(sf, 7)

    found = pages(sf, "SELECT Name FROM Account")

    assert [len(page) for page in found] == [3, 3, 1]


def test_an_open_query_keeps_what_it_saw(org_with: Callable[..., Any]) -> None:
    sf = org_with(page_cap=2)
    ids = filled(sf, 4)
    first = sf.soql("SELECT Name FROM Account ORDER BY Name")
    sf.patch(f"sobjects/Account/{ids[3]}", {"Name": "Changed"}, status=204)
    sf.delete(f"sobjects/Account/{ids[2]}")

    second = sf.get(first["nextRecordsUrl"])

    assert [row["Name"] for row in second["records"]] == ["Account 00002", "Account 00003"]


def test_a_page_can_be_read_again(org_with: Callable[..., Any]) -> None:
    sf = org_with(page_cap=2)
    filled(sf, 3)
    url = sf.soql("SELECT Name FROM Account ORDER BY Name")["nextRecordsUrl"]

    assert sf.get(url) == sf.get(url)


@pytest.mark.parametrize("locator", ["01gSb0000000009AAM-2000", "nonsense", "01g-x"])
def test_an_unknown_locator_is_refused(sf: Any, locator: str) -> None:
    answer = sf.get(f"query/{locator}", status=400)

    assert answer == [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]


def test_locators_expire_and_few_can_be_open(org_with: Callable[..., Any]) -> None:
    sf = org_with(page_cap=1, max_cursors=2)
    filled(sf, 2)
    urls = [sf.soql("SELECT Name FROM Account")["nextRecordsUrl"] for _ in range(3)]

    oldest, newest = sf("GET", urls[0]).status, sf("GET", urls[2]).status
    sf.arm("expired_locator")

    assert (oldest, newest, sf("GET", urls[1]).status) == (400, 200, 400)


def test_count_answers_the_size_alone(sf: Any) -> None:
    filled(sf, 3)

    answer = sf.soql("SELECT COUNT() FROM Account WHERE Name != 'Account 00001'")

    assert answer == {"totalSize": 2, "done": True, "records": []}


def test_all_fields_of_a_kind_can_be_asked_for(sf: Any) -> None:
    filled(sf, 1)

    standard = sf.rows("SELECT FIELDS(STANDARD) FROM Account")[0]
    everything = sf.rows("SELECT FIELDS(ALL) FROM Account LIMIT 200")[0]

    assert standard == everything
    assert {"Id", "Name", "SystemModstamp", "MasterRecordId"} <= set(standard)


def test_a_trailing_slash_and_any_known_version_are_fine(sf: Any) -> None:
    for version in ("31.0", "59.0", "66.0"):
        answer = sf.get(f"/services/data/v{version}/query/?q=SELECT+Id+FROM+User")

        assert answer["records"][0]["attributes"]["url"].startswith(f"/services/data/v{version}/sobjects/User/005")


@pytest.mark.parametrize(
    ("version", "status"), [("v25.0", 410), ("v67.0", 404), ("v64", 404), ("64.0", 404), ("v20.0", 404)]
)
def test_a_retired_or_unknown_version_is_refused(sf: Any, version: str, status: int) -> None:
    answer = sf.get(f"/services/data/{version}/limits", status=status)

    assert answer[0]["errorCode"] == ("UNSUPPORTED_API_VERSION" if status == 410 else "NOT_FOUND")


def test_the_list_of_versions_needs_no_token_and_costs_nothing(sf: Any) -> None:
    sf.token = ""

    versions = sf.get("/services/data/")

    assert versions[-1] == {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"}
    assert {row["version"]: row["label"] for row in versions}["64.0"] == "Summer '25"
    assert sf.emulator.api_used == 0


def test_every_data_answer_says_what_is_used(sf: Any) -> None:
    replies = [sf("GET", "limits"), sf("GET", "query?q=nonsense"), sf("GET", "nowhere")]

    assert [reply.headers["Sforce-Limit-Info"] for reply in replies] == [
        f"api-usage={used}/100000" for used in (1, 2, 3)
    ]
    assert sf.get("limits")["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_996}


def test_the_days_end_stops_everything_but_limits(org_with: Callable[..., Any]) -> None:
    sf = org_with(api_max=2, api_used=2)

    answer = sf.get("sobjects", status=403)

    assert answer == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert sf.get("limits")["DailyApiRequests"]["Remaining"] == 0


def test_a_missing_query_and_a_missing_path_are_refused(sf: Any) -> None:
    unasked, nowhere, wrong = sf("GET", "query"), sf("GET", "nowhere"), sf("PUT", "query")

    assert (unasked.status, nowhere.status, wrong.status) == (400, 404, 405)
    assert nowhere.body == [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    assert wrong.body[0]["errorCode"] == "METHOD_NOT_ALLOWED"


def test_describe_tells_fields_and_answers_304_until_something_changes(sf: Any) -> None:
    first = sf("GET", "sobjects/opportunity/describe")
    since = first.headers["Last-Modified"]
    unchanged = sf("GET", "sobjects/Opportunity/describe", if_modified_since=since)
    sf.post(
        "tooling/sobjects/CustomField", {"FullName": "Opportunity.X__c", "Metadata": {"label": "X", "type": "Date"}}
    )
    changed = sf("GET", "sobjects/Opportunity/describe", if_modified_since=since)

    fields = {field["name"]: field for field in first.body["fields"]}
    assert (first.body["name"], first.body["keyPrefix"], first.body["updateable"]) == ("Opportunity", "006", True)
    assert (fields["Amount"]["type"], fields["Amount"]["precision"], fields["Amount"]["scale"]) == ("currency", 18, 2)
    assert fields["OwnerId"]["referenceTo"] == ["User"]
    assert not fields["SystemModstamp"]["updateable"]
    assert not fields["Description"]["filterable"]
    assert (unchanged.status, unchanged.body, changed.status) == (304, None, 200)
    assert sf("GET", "sobjects/Nothing/describe").status == 404


def test_the_list_of_objects_leaves_out_what_is_off(org_with: Callable[..., Any]) -> None:
    sf = org_with(off=["OpportunitySplit"])

    names = [row["name"] for row in sf.get("sobjects")["sobjects"]]

    assert "Opportunity" in names
    assert not {"OpportunitySplit", "DatedConversionRate"} & set(names)
    assert sf.soql("SELECT Id FROM OpportunitySplit", status=400)[0]["errorCode"] == "INVALID_TYPE"
    assert sf.get("sobjects/Opportunity")["objectDescribe"]["keyPrefix"] == "006"


def span(sf: Any, path: str, start: timedelta, end: timedelta, status: int = 200) -> Any:
    """``deleted`` or ``updated`` between two distances from now."""
    times = [quote((sf.moment + distance).isoformat()) for distance in (start, end)]
    return sf.get(f"sobjects/Opportunity/{path}/?start={times[0]}&end={times[1]}", status=status)


def test_deletions_are_listed_even_when_the_bin_was_emptied(sf: Any) -> None:
    ids = [sf.deal(), sf.deal(), sf.deal()]
    sf.wait(3600)
    for one in ids[:2]:
        sf.delete(f"sobjects/Opportunity/{one}")
    in_bin = [row["Id"] for row in sf.rows("SELECT Id FROM Opportunity WHERE IsDeleted = true", everything=True)]
    sf.emulator.empty_bin()

    listed = span(sf, "deleted", timedelta(hours=-2), timedelta(minutes=1))

    assert in_bin == ids[:2]
    assert sf.rows("SELECT Id FROM Opportunity", everything=True) == [{"Id": ids[2]}]
    assert [row["id"] for row in listed["deletedRecords"]] == ids[:2]
    assert listed["deletedRecords"][0]["deletedDate"] == "2026-03-02T10:30:15.000+0000"
    assert listed["latestDateCovered"] == "2026-03-02T10:30:00.000+0000"


def test_updated_ids_are_listed(sf: Any) -> None:
    old = sf.deal()
    sf.wait(7200)
    fresh = sf.deal()

    assert span(sf, "updated", timedelta(hours=-1), timedelta(minutes=1))["ids"] == [fresh]
    assert span(sf, "updated", timedelta(hours=-3), timedelta(minutes=1))["ids"] == [old, fresh]


@pytest.mark.parametrize(
    ("start", "end"),
    [(timedelta(seconds=-30), timedelta()), (timedelta(days=-16), timedelta()), (timedelta(), timedelta(hours=-1))],
)
def test_a_window_of_deletions_has_bounds(sf: Any, start: timedelta, end: timedelta) -> None:
    answer = span(sf, "deleted", start, end, status=400)

    assert answer[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_what_is_not_replicated_has_no_list_of_deletions(sf: Any) -> None:
    answer = sf.get("sobjects/User/deleted?start=2026-03-01T00:00:00Z&end=2026-03-02T00:00:00Z", status=400)

    assert answer[0]["errorCode"] == "INVALID_TYPE"
    assert sf("GET", "sobjects/Account/deleted?start=x&end=y").status == 400


def test_describe_dates_are_whole_seconds(sf: Any) -> None:
    since = format_datetime(sf.moment, usegmt=True)

    assert sf("GET", "sobjects/Account/describe", if_modified_since=since).status == 304
