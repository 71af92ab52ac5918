"""simple-salesforce 1.12.10, a client that others wrote, against the emulator over a real socket."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from connectors.sandbox.salesforce import SalesforceEmulator
from connectors.sandbox.server import Server


class ToLoopback(HTTPAdapter):
    """The library writes https and the vendor's host into every URL: this sends them to the emulator instead."""

    def __init__(self, base: str) -> None:
        self._base = urlsplit(base)
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends to the emulator."""
        url = urlsplit(request.url or "")
        request.url = urlunsplit((self._base.scheme, self._base.netloc, str(url.path), str(url.query), ""))
        return super().send(request, *args, **kwargs)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(SalesforceEmulator(page_cap=200)) as running:
        yield running


@pytest.fixture
def session(server: Server) -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.mount("https://", ToLoopback(server.url))
        yield made


@pytest.fixture
def library(session: requests.Session) -> Any:
    return Salesforce(
        consumer_key="sandbox", consumer_secret="sandbox", domain="acme.my", session=session, version="64.0"
    )


@pytest.fixture
def deal(library: Any) -> str:
    fields = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-01", "Amount": 12_000_000}
    return str(library.Opportunity.create(fields)["id"])


def test_it_signs_in_with_client_credentials(library: Any, server: Server) -> None:
    assert library.session_id
    assert library.sf_instance == urlsplit(server.url).netloc


def test_it_is_refused_with_a_wrong_secret(session: requests.Session) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        Salesforce(consumer_key="sandbox", consumer_secret="wrong", domain="acme.my", session=session)


def test_it_takes_a_static_token(session: requests.Session, server: Server) -> None:
    library = Salesforce(session_id="sandbox", instance_url=server.url, session=session)

    assert library.limits()["DailyApiRequests"]["Max"] == 100_000


def test_it_reads_page_after_page(library: Any) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": str(number)} for number in range(200)]
    for _ in range(3):
        library.restful("composite/sobjects", method="POST", json={"records": records})

    lazily = [row["Id"] for row in library.query_all_iter("SELECT Id FROM Account")]
    first = library.query("SELECT Id FROM Account")
    second = library.query_more(first["nextRecordsUrl"], identifier_is_url=True)

    assert len(set(lazily)) == first["totalSize"] == 600
    assert [row["Id"] for row in second["records"]] == lazily[200:400]


def test_its_record_methods_work(library: Any, deal: str) -> None:
    assert library.Opportunity.update(deal, {"StageName": "Closed Won"}) == 204
    assert library.Opportunity.get(deal)["IsWon"] is True
    assert library.Opportunity.metadata()["objectDescribe"]["name"] == "Opportunity"
    assert library.Opportunity.delete(deal) == 204
    assert library.query("SELECT Id FROM Opportunity")["totalSize"] == 0
    assert library.query("SELECT Id FROM Opportunity", include_deleted=True)["totalSize"] == 1


def test_it_reads_deletions_and_updates(library: Any, deal: str, server: Server) -> None:
    server.emulator.skew = timedelta(minutes=5)
    library.Opportunity.delete(deal)
    now = datetime.now(UTC)

    deleted = library.Opportunity.deleted(now - timedelta(days=1), now + timedelta(minutes=10))
    updated = library.Opportunity.updated(now - timedelta(days=1), now + timedelta(minutes=10))

    assert [row["id"] for row in deleted["deletedRecords"]] == [deal]
    assert updated["ids"] == []


def test_it_provisions_and_upserts(library: Any) -> None:
    metadata = {"label": "Key", "type": "Text", "length": 40, "externalId": True}
    made = library.toolingexecute("sobjects/CustomField", "POST", {"FullName": "Account.Key__c", "Metadata": metadata})
    granted = library.PermissionSet.create({"Name": "SA", "Label": "SA"})["id"]
    me = library.restful("")["identity"].rpartition("/")[2]
    library.PermissionSetAssignment.create({"PermissionSetId": granted, "AssigneeId": me})
    right = {"SobjectType": "Account", "Field": "Account.Key__c", "PermissionsRead": True, "PermissionsEdit": True}
    library.FieldPermissions.create({"ParentId": granted, **right})

    statuses = [library.Account.upsert("Key__c/k-1", {"Name": "Acme"}) for _ in range(2)]
    library.Account.create({"Name": "Twin", "Key__c": "k-1"})

    assert made["success"]
    assert statuses == [201, 200]
    assert "Key__c" in {one["name"] for one in library.Account.describe()["fields"]}
    with pytest.raises(SalesforceMoreThanOneRecord):
        library.Account.get_by_custom_id("Key__c", "k-1")


def test_its_errors_are_raised_with_the_vendors_body(library: Any, server: Server) -> None:
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        library.query("SELECT Foo__c FROM Account")
    with pytest.raises(SalesforceResourceNotFound):
        library.Opportunity.get("006000000000001AAA")
    server.emulator.faults.arm({"name": "day_limit", "times": 1})
    with pytest.raises(SalesforceRefusedRequest):
        library.query("SELECT Id FROM Account")

    body: Any = malformed.value.content
    assert body[0]["errorCode"] == "INVALID_FIELD"


def test_it_renews_an_expired_session_by_itself(library: Any, server: Server) -> None:
    old = library.session_id
    server.emulator.faults.arm({"name": "expired_token"})

    answer = library.query("SELECT Id FROM Account")

    assert answer["done"]
    assert library.session_id != old


def test_a_static_session_cannot_be_renewed(session: requests.Session, server: Server) -> None:
    library = Salesforce(session_id="wrong", instance_url=server.url, session=session)

    with pytest.raises(SalesforceExpiredSession):
        library.query("SELECT Id FROM Account")


def test_its_bulk_query_gives_csv_pages(library: Any) -> None:
    for name in ("Zürich, AG", "line\nbreak", "c"):
        library.Account.create({"Name": name})

    texts = list(library.bulk2.Account.query("SELECT Id, Name FROM Account", max_records=2, wait=0.01))

    rows = [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert len(texts) == 2
    assert [row["Name"] for row in rows] == ["Zürich, AG", "line\nbreak", "c"]


def test_its_bulk_writes_report_failures(library: Any, deal: str) -> None:
    records = [{"Id": deal, "NextStep": "call"}, {"Id": "006000000000001AAA", "NextStep": "x"}]

    job = library.bulk2.Opportunity.update(records=records, wait=0.01)[0]
    made = library.bulk2.Account.insert(records=[{"Name": "A"}, {"Name": "B"}], wait=0.01)[0]

    assert (job["numberRecordsFailed"], job["numberRecordsProcessed"]) == (1, 2)
    assert "INVALID_CROSS_REFERENCE_KEY" in library.bulk2.Opportunity.get_failed_records(job["job_id"])
    assert deal in library.bulk2.Opportunity.get_successful_records(job["job_id"])
    assert library.bulk2.Opportunity.get_unprocessed_records(job["job_id"])
    assert made["numberRecordsFailed"] == 0
    assert library.query("SELECT NextStep FROM Opportunity")["records"][0]["NextStep"] == "call"
