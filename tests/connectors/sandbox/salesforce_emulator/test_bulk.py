"""Bulk API 2.0 of the Salesforce emulator: query and ingest jobs."""

# ruff: noqa: S608 - SOQL for an emulator that has no database

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest


def query_job(sf: Any, text: str, **order: str) -> Any:
    """A finished query job."""
    job = sf.post("jobs/query", {"operation": "query", "query": text, **order}, status=200)
    while sf.get(f"jobs/query/{job['id']}")["state"] not in {"JobComplete", "Failed"}:
        continue
    return sf.get(f"jobs/query/{job['id']}")


def ingest_job(sf: Any, upload: str, operation: str = "update", kind: str = "Opportunity", **order: str) -> Any:
    """A finished ingest job."""
    made = sf.post("jobs/ingest", {"object": kind, "operation": operation, **order}, status=200)
    path = f"jobs/ingest/{made['id']}"
    assert sf("PUT", f"{path}/batches", upload.encode(), content_type="text/csv; charset=UTF-8").status == 201
    sf.patch(path, {"state": "UploadComplete"})
    while sf.get(path)["state"] not in {"JobComplete", "Failed"}:
        continue
    return sf.get(path)


def table(sf: Any, path: str) -> list[list[str]]:
    """A CSV answer as rows."""
    reply = sf("GET", path)
    assert reply.status == 200, reply.body
    return list(csv.reader(io.StringIO(reply.body, newline="")))


def test_a_query_job_gives_csv_in_the_order_of_its_fields(sf: Any) -> None:
    ann = sf.make("Account", Name='Line\nbreak, "quoted", ü')
    sf.deal("Deal", AccountId=ann, Amount=2.5e7, StageName="Closed Won")

    job = query_job(
        sf, "SELECT Id, Account.Name, Amount, IsWon, NextStep, CloseDate, CreatedDate, FiscalYear FROM Opportunity"
    )
    header, row = table(sf, f"jobs/query/{job['id']}/results")

    assert header == ["Id", "Account.Name", "Amount", "IsWon", "NextStep", "CloseDate", "CreatedDate", "FiscalYear"]
    assert row[1:] == [
        'Line\nbreak, "quoted", ü', "2.5E7", "true", "", "2026-06-30", "2026-03-02T09:30:15.000Z", "2026",
    ]  # fmt: skip
    assert (job["jobType"], job["numberRecordsProcessed"], job["apiVersion"]) == ("V2Query", 1, 64.0)


def test_results_come_in_pages_each_with_its_header(sf: Any) -> None:
    for name in "abc":
        sf.deal(name)
    job = query_job(sf, "SELECT Name FROM Opportunity")
    path = f"jobs/query/{job['id']}/results?maxRecords=2"

    first = sf("GET", path)
    last = sf("GET", f"{path}&locator={first.headers['Sforce-Locator']}")

    assert first.body == '"Name"\n"a"\n"b"\n'
    assert last.body == '"Name"\n"c"\n'
    assert [reply.headers["Sforce-NumberOfRecords"] for reply in (first, last)] == ["2", "1"]
    assert last.headers["Sforce-Locator"] == "null"
    assert last.headers["Content-Type"] == "text/csv; charset=UTF-8"


def test_the_other_variants_of_csv_can_be_had(sf: Any) -> None:
    for name in "ab":
        sf.deal(name)
    sf.arm("header_once")
    sf.arm("plain_csv")
    job = query_job(sf, "SELECT Name FROM Opportunity", columnDelimiter="TAB", lineEnding="CRLF")
    path = f"jobs/query/{job['id']}/results?maxRecords=1"

    first = sf("GET", path)
    last = sf("GET", f"{path}&locator={first.headers['Sforce-Locator']}")

    assert (first.body, last.body) == ('"Name"\r\n"a"\r\n', '"b"\r\n')
    assert first.headers["Content-Type"] == "text/csv"


def test_a_query_that_finds_nothing_gives_a_header(sf: Any) -> None:
    job = query_job(sf, "SELECT Id FROM Opportunity")

    reply = sf("GET", f"jobs/query/{job['id']}/results")

    assert (reply.body, reply.headers["Sforce-NumberOfRecords"], reply.headers["Sforce-Locator"]) == (
        '"Id"\n',
        "0",
        "null",
    )


def test_query_all_jobs_see_the_deleted(sf: Any) -> None:
    sf.delete(f"sobjects/Opportunity/{sf.deal()}")

    seen = [
        query_job(sf, "SELECT Id FROM Opportunity", operation=one)["numberRecordsProcessed"]
        for one in ("query", "queryAll")
    ]

    assert seen == [0, 1]


def test_a_job_passes_through_its_states(org_with: Callable[..., Any]) -> None:
    sf = org_with(bulk_polls=2)
    job = sf.post("jobs/query", {"operation": "query", "query": "SELECT Id FROM User"}, status=200)
    early = sf.get(f"jobs/query/{job['id']}/results", status=400)

    states = [job["state"], *(sf.get(f"jobs/query/{job['id']}")["state"] for _ in range(3))]

    assert early[0]["errorCode"] == "INVALIDJOBSTATE"
    assert states == ["UploadComplete", "InProgress", "InProgress", "JobComplete"]
    assert sf.get("limits")["DailyBulkV2QueryJobs"]["Remaining"] == 9999


def test_another_version_does_not_get_at_a_job(sf: Any) -> None:
    job = query_job(sf, "SELECT Id FROM User")

    answer = sf.get(f"/services/data/v65.0/jobs/query/{job['id']}/results", status=409)

    assert "64.0" in answer[0]["message"]


def test_jobs_are_listed_aborted_and_deleted(sf: Any) -> None:
    job = sf.post("jobs/query", {"operation": "query", "query": "SELECT Id FROM User"}, status=200)
    path = f"jobs/query/{job['id']}/"

    listed = [row["id"] for row in sf.get("jobs/query")["records"]]
    aborted = sf.patch(path, {"state": "Aborted"})
    again = sf.patch(path, {"state": "Aborted"}, status=400)
    sf.delete(path)

    assert (listed, aborted["state"], again[0]["errorCode"]) == ([job["id"]], "Aborted", "INVALIDJOBSTATE")
    assert sf("GET", path).status == 404
    assert sf.get("jobs/ingest")["records"] == []


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"operation": "query", "query": "SELECT Id FROM Nothing"}, "INVALID_TYPE"),
        ({"operation": "query", "query": "SELECT"}, "MALFORMED_QUERY"),
        ({"operation": "query", "query": "SELECT COUNT() FROM User"}, "API_ERROR"),
        ({"operation": "query", "query": "SELECT Id FROM User OFFSET 5"}, "API_ERROR"),
        ({"operation": "update", "query": "SELECT Id FROM User"}, "INVALIDJOB"),
        ({"operation": "query"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id FROM User", "columnDelimiter": ","}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id FROM User", "more": 1}, "INVALIDJOB"),
        ([], "INVALIDJOB"),
    ],
)
def test_a_bad_query_job_is_refused(sf: Any, order: Any, code: str) -> None:
    assert sf.post("jobs/query", order, status=400)[0]["errorCode"] == code


def test_an_ingest_job_tells_what_became_of_every_row(sf: Any) -> None:
    good, gone = sf.deal(NextStep="old", Amount=5), sf.deal()
    sf.delete(f"sobjects/Opportunity/{gone}")

    job = ingest_job(sf, f'Id,NextStep,Amount\n{good},"a\nb",\n{gone},x,1\n{good},x,lots\n')
    path = f"jobs/ingest/{job['id']}"

    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    assert table(sf, f"{path}/successfulResults") == [
        ["sf__Id", "sf__Created", "Id", "NextStep", "Amount"], [good, "false", good, "a\nb", ""],
    ]  # fmt: skip
    failed = table(sf, f"{path}/failedResults")
    assert failed[0] == ["sf__Id", "sf__Error", "Id", "NextStep", "Amount"]
    assert failed[1] == [gone, "ENTITY_IS_DELETED:entity is deleted:--", gone, "x", "1"]
    assert failed[2][1].startswith("INVALID_TYPE_ON_FIELD_IN_RECORD:")
    assert table(sf, f"{path}/unprocessedrecords/") == table(sf, f"{path}/unprocessedRecords")
    assert sf.rows("SELECT NextStep, Amount FROM Opportunity") == [{"NextStep": "a\nb", "Amount": 5.0}]


def test_an_empty_cell_is_left_alone_and_na_clears(sf: Any) -> None:
    deal = sf.deal(NextStep="old", Amount=5)

    ingest_job(sf, f"Id,NextStep,Amount\n{deal},,#N/A\n")

    assert sf.rows("SELECT NextStep, Amount FROM Opportunity") == [{"NextStep": "old", "Amount": None}]


def test_rows_are_made_and_deleted(sf: Any) -> None:
    made = ingest_job(sf, "Name\nA\nB\n", operation="insert", kind="Account")
    ids = [row[0] for row in table(sf, f"jobs/ingest/{made['id']}/successfulResults")[1:]]

    deleted = ingest_job(sf, f"Id\n{ids[0]}\nnonsense\n", operation="delete", kind="Account")

    assert (made["numberRecordsFailed"], deleted["numberRecordsFailed"]) == (0, 1)
    assert sf.rows("SELECT Name FROM Account") == [{"Name": "B"}]


def test_rows_are_upserted_by_key(sf: Any, grant: Callable[..., None]) -> None:
    metadata = {"label": "Key", "type": "Text", "length": 40, "externalId": True, "unique": True}
    sf.post("tooling/sobjects/CustomField", {"FullName": "Account.Key__c", "Metadata": metadata})
    grant(sf, "Account.Key__c")
    sf.make("Account", Name="old", Key__c="1")

    job = ingest_job(sf, "Key__c,Name\n1,new\n2,made\n", "upsert", "Account", externalIdFieldName="Key__c")

    created = [row[1] for row in table(sf, f"jobs/ingest/{job['id']}/successfulResults")[1:]]
    assert created == ["false", "true"]
    assert sf.rows("SELECT Name FROM Account ORDER BY Key__c") == [{"Name": "new"}, {"Name": "made"}]


@pytest.mark.parametrize(
    ("upload", "says"),
    [
        ("Id,Foo__c\n006000000000001AAA,1\n", "InvalidBatch : Field name not found : Foo__c"),
        ("Id,NextStep\r\n006000000000001AAA,1\r\n", "LineEnding is invalid"),
        ("", "empty"),
    ],
)
def test_a_wrong_upload_fails_the_whole_job(sf: Any, upload: str, says: str) -> None:
    job = ingest_job(sf, upload)

    assert job["state"] == "Failed"
    assert says in job["errorMessage"]
    assert job["numberRecordsProcessed"] == 0


def test_an_upload_must_be_utf8_with_even_rows(sf: Any) -> None:
    made = sf.post("jobs/ingest", {"object": "Account", "operation": "insert"}, status=200)
    path = f"jobs/ingest/{made['id']}"
    sf("PUT", f"{path}/batches", "Name\nZürich\n".encode("latin-1"), content_type="text/csv")
    sf.patch(path, {"state": "UploadComplete"})
    states = [sf.get(path)["state"] for _ in range(2)]

    uneven = ingest_job(sf, "Name,Type\nA\nB,x\n" + "C" * 256 + ",x\n" + "D" * 32_001 + ",x\n", "insert", "Account")

    errors = [row[1].partition(":")[0] for row in table(sf, f"jobs/ingest/{uneven['id']}/failedResults")[1:]]
    assert states[-1] == "Failed"
    assert errors == ["INVALID_CSV", "STRING_TOO_LONG", "STRING_TOO_LONG"]
    assert sf.rows("SELECT Name FROM Account") == [{"Name": "B"}]


def test_an_upload_happens_once_in_the_right_type(sf: Any) -> None:
    job = sf.post("jobs/ingest", {"object": "Account", "operation": "insert"}, status=200)
    path = f"jobs/ingest/{job['id']}"
    wrong = sf("PUT", f"{path}/batches", b"Name\nA\n", content_type="application/json")
    early = sf.patch(path, {"state": "UploadComplete"}, status=400)

    statuses = [sf("PUT", f"{path}/batches", b"Name\nA\n", content_type="text/csv").status for _ in range(2)]

    assert (job["state"], wrong.status, early[0]["errorCode"]) == ("Open", 400, "INVALIDJOBSTATE")
    assert job["contentUrl"] == f"services/data/v64.0/{path}/batches"
    assert statuses == [201, 400]
    assert sf("GET", f"{path}/failedResults").status == 400
    assert sf("DELETE", path).status == 400, "an open job is aborted before it is deleted"


@pytest.mark.parametrize(
    "order",
    [
        {"object": "Nothing", "operation": "insert"},
        {"object": "Account", "operation": "merge"},
        {"object": "Account", "operation": "upsert"},
        {"object": "Account", "operation": "upsert", "externalIdFieldName": "Name"},
        {"object": "Account", "operation": "insert", "contentType": "JSON"},
    ],
)
def test_a_bad_ingest_job_is_refused(sf: Any, order: dict[str, str]) -> None:
    assert sf.post("jobs/ingest", order, status=400)[0]["errorCode"] == "INVALIDJOB"


def test_rows_and_jobs_fail_on_demand(sf: Any) -> None:
    first, second = sf.deal(), sf.deal()
    sf.arm("locked_row", row=1)
    locked = ingest_job(sf, f"Id,NextStep\n{first},x\n{second},x\n")
    sf.arm("failed_job")

    broken = ingest_job(sf, f"Id,NextStep\n{first},y\n")

    failed = table(sf, f"jobs/ingest/{locked['id']}/failedResults")[1]
    assert failed[:2] == [second, "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"]
    assert broken["state"] == "Failed"
    assert sf.rows(f"SELECT NextStep FROM Opportunity WHERE Id = '{first}'") == [{"NextStep": "x"}]


def test_a_query_job_that_is_not_at_its_end_cannot_be_deleted(sf: Any) -> None:
    job = sf.post("jobs/query", {"operation": "query", "query": "SELECT Id FROM Opportunity"}, status=200)["id"]

    refused = sf.delete(f"jobs/query/{job}", status=400)

    assert refused[0]["errorCode"] == "API_ERROR"
    sf.patch(f"jobs/query/{job}", {"state": "Aborted"})
    sf.delete(f"jobs/query/{job}")
