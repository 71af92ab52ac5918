"""What Zoho's documentation permits beyond what an org usually answers: short pages, long lists, other hosts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from connectors.errors import ContractError, RejectedError
from connectors.zoho.manners import fault

MakeOrg = Callable[..., Any]
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def deleted(org: Any, count: int) -> list[str]:
    """Ids of deals, deleted one a second."""
    ids = []
    for number in range(count):
        org.emulator.clock = lambda number=number: org.now + timedelta(seconds=number)
        ids.append(org.id("opportunities", f"d{number}"))
        org.emulator.remove("opportunities", f"d{number}")
    return ids


@pytest.fixture
def short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number no more than ten rows are shown."""
    monkeypatch.setattr("connectors.sandbox.zoho.paging.BY_NUMBER", 10)


@pytest.mark.usefixtures("short_list")
def test_a_long_list_of_deletions_is_read_on_from_the_last_one_told(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(33), page_cap=5, latest_first=False)
    gone = deleted(org, 33)
    connector = org.connect()

    told = org.records(connector, list(connector.deletions(org.streams["opportunity"], SINCE, org.now)))

    assert {one.remote_id for one in told} == set(gone)


@pytest.mark.usefixtures("short_list")
def test_of_a_long_list_with_the_latest_first_those_are_told(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(33), page_cap=5)
    gone = deleted(org, 33)
    connector = org.connect()

    told = org.records(connector, list(connector.deletions(org.streams["opportunity"], SINCE, org.now)))

    assert {one.remote_id for one in told} == set(gone[-10:])


@pytest.mark.usefixtures("short_list")
def test_more_deletions_in_one_second_than_are_shown_end_the_list(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(12), page_cap=5, latest_first=False)
    for number in range(12):
        org.emulator.remove("opportunities", f"d{number}")
    connector = org.connect()

    told = [row for page in connector.deletions(org.streams["opportunity"], SINCE, org.now) for row in page.rows]

    assert len(told) == 10


def test_rows_asked_for_by_id_come_whole_in_pages_shorter_than_asked_for(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(60), page_cap=7)
    connector = org.connect()
    ids = [org.id("opportunities", f"d{number}") for number in range(60)]

    found = org.records(connector, list(connector.fetch(org.streams["opportunity"], ids)))
    calls = org.read(org.connect(), "call")

    assert sorted(one.remote_id for one in found) == sorted(ids)
    assert {one.opportunity_id for one in calls.values()} == set(ids)


def test_a_choice_called_none_is_not_known(org: Any) -> None:
    org.emulator.org.tables["Deals"].rows[int(org.id("opportunities", "100"))]["Type"] = "-None-"

    found = org.read(org.connect(), "opportunity")

    assert found[org.id("opportunities", "100")].type is None


def test_lines_of_a_quote_without_a_deal_are_not_asked_for(org: Any) -> None:
    quotes = org.emulator.org.tables["Quotes"]
    (quote,) = quotes.rows.values()
    quotes.change(quote, "Deal_Name", None)
    connector = org.connect()
    stream = org.streams["line_item"]

    assert org.read(connector, "line_item") == {}
    assert [one for portion in connector.ids(stream) for one in portion] == []
    assert org.read(connector, "line_item", SINCE) == {}


def test_a_module_that_is_not_counted_has_no_known_number_of_rows(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = org.connect()

    def refuse(_module: str) -> int:
        raise RejectedError("NOT_SUPPORTED", "the given module is not supported for count", 400)

    monkeypatch.setattr(connector.api, "count", refuse)

    assert connector.count(org.streams["line_item"]) is None
    assert connector.count(org.streams["history"]) is None


def test_a_pause_may_be_asked_for_until_a_date() -> None:
    answer = requests.Response()
    answer.status_code = 429
    answer._content = b'{"code": "TOO_MANY_REQUESTS", "details": {}, "message": "wait", "status": "error"}'
    answer.headers["Retry-After"] = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)

    found = fault(answer)

    assert found is not None
    assert found.action == "retry"
    assert found.after_seconds == pytest.approx(40, abs=3)


@pytest.mark.parametrize(
    ("base_url", "url", "host"),
    [
        (
            "https://www.zohoapis.eu",
            "https://download-accl.zoho.eu/v2/crm/1/bulk-write/2/2.zip",
            "download-accl.zoho.eu",
        ),
        ("https://www.zohoapis.ca", "https://download-accl.zohocloud.ca/v2/x.zip", "download-accl.zohocloud.ca"),
        ("https://www.zohoapis.eu", "https://content.zohoapis.eu", "content.zohoapis.eu"),
        ("https://www.zohoapis.eu", "https://download-accl.zoho.com/v2/x.zip", None),
        ("https://www.zohoapis.eu", "https://zoho.eu.example.com/x.zip", None),
        ("https://www.zohoapis.eu", "http://download-accl.zoho.eu/x.zip", None),
        ("https://www.zohoapis.eu", "/v2/crm/1/bulk-write/2/2.zip", None),
        ("https://www.zohoapis.eu", "https://www.zohoapis.eu/x.zip", None),
        ("https://zoho.example.com", "https://download-accl.zoho.eu/x.zip", None),
    ],
)
def test_results_are_fetched_from_hosts_of_the_same_data_centre_only(
    org: Any, base_url: str, url: str, host: str | None
) -> None:
    settings = org.settings().model_copy(update={"base_url": base_url})

    assert settings.sibling(url) == (host and f"https://{host}")


def test_a_result_at_a_strangers_host_is_not_fetched(org: Any) -> None:
    connector = org.connect()

    with pytest.raises(ContractError, match="another host"):
        connector.bulk_write._result("1", "https://download.example.com/1.zip")


def test_without_the_scope_for_counting_nothing_is_known_and_everything_is_read(
    make_org: MakeOrg, many: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.zoho.read.ASK_AFTER", 5)
    scopes = ["ZohoCRM.modules.ALL", "ZohoCRM.coql.READ", "ZohoCRM.org.READ", "ZohoCRM.settings.currencies.READ"]
    org = make_org(many(23), page_cap=5, scopes=scopes)
    connector = org.connect()

    assert connector.count(org.streams["opportunity"]) is None
    assert len(org.read(connector, "opportunity")) == 23
