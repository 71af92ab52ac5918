"""Bulk Read for first loads that are big, and Bulk Write for many scores at once."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors import zoho_bulk_write, zoho_read
from connectors.base import Value, Window, Write, WriteTarget
from connectors.errors import RejectedError, ResumeLostError, RetryLaterError

MakeOrg = Callable[..., Any]
DEALS = WriteTarget("opportunity")


@pytest.fixture
def small_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bulk pays from a few rows on."""
    monkeypatch.setattr(zoho_read, "ASK_AFTER", 5)
    monkeypatch.setattr(zoho_read, "BULK_FROM", 10)
    monkeypatch.setattr(zoho_bulk_write, "BULK_FROM", 3)


@pytest.mark.usefixtures("small_bulk")
@pytest.mark.parametrize("name", ["opportunity", "call", "history"])
def test_a_big_first_load_brings_the_same_in_bulk_as_by_query(make_org: MakeOrg, many: Any, name: str) -> None:
    plain = make_org(many(23))
    by_query = plain.read(plain.connect(), name)
    org = make_org(many(23), page_cap=5)
    connector = org.connect()
    in_bulk: dict[str, Any] = {}

    cost = org.calls(lambda: in_bulk.update(org.read(connector, name)))

    assert cost["POST /crm/bulk/v8/read"] == (5 if name != "history" else 10)
    assert cost["GET /crm/v8/{module}/actions/count"] == 1
    assert in_bulk == by_query


@pytest.mark.usefixtures("small_bulk")
def test_a_small_module_is_counted_and_read_by_query(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(9), page_cap=5)
    connector = org.connect()

    cost = org.calls(lambda: org.pages(connector, "opportunity"))

    assert cost == {"POST /crm/v8/coql": 2, "GET /crm/v8/{module}/actions/count": 1}


@pytest.mark.usefixtures("small_bulk")
def test_changes_are_never_read_in_bulk(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(23), page_cap=5)
    connector = org.connect()

    cost = org.calls(lambda: org.pages(connector, "opportunity", org.now.replace(year=2020)))

    assert cost == {"POST /crm/v8/coql": 5}


@pytest.mark.usefixtures("small_bulk")
def test_a_bulk_load_goes_on_in_its_file(make_org: MakeOrg, many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.zoho_bulk.PORTION", 4)
    org = make_org(many(23), page_cap=10)
    connector = org.connect()
    places = [page.resume for page in org.pages(connector, "opportunity")]
    window = Window(None, org.now)

    rest = list(org.connect().pull(org.streams["opportunity"], window, places[1]))

    assert places[1] is not None
    assert places[1].startswith('{"job"')
    assert sum(len(page.rows) for page in rest) == 23 - 4
    with pytest.raises(ResumeLostError):
        list(org.connect().pull(org.streams["opportunity"], window, '{"job": "1234567890123456789", "row": 0}'))


@pytest.mark.usefixtures("small_bulk")
def test_a_file_that_is_gone_although_its_job_is_known_starts_the_load_anew(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(23), page_cap=10)
    place = org.pages(org.connect(), "opportunity")[1].resume
    connector = org.connect()
    gone = RejectedError("RESOURCE_NOT_FOUND", "the file is gone", 404)

    def lose(_job: str, _path: str) -> None:
        raise gone

    connector.reader.bulk._download = lose

    with pytest.raises(ResumeLostError):
        list(connector.pull(org.streams["opportunity"], Window(None, org.now), place))


@pytest.mark.usefixtures("small_bulk")
def test_a_new_process_in_the_file_of_another_knows_what_was_hidden_then(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(23), page_cap=10)
    org.arm("missing_field", field="Next_Step", object="Deals", times=None)
    pages = org.pages(org.connect(), "opportunity")

    rest = list(org.connect().pull(org.streams["opportunity"], Window(None, org.now), pages[1].resume))

    assert {page.lacks for page in (*pages, *rest)} == {frozenset({"Next_Step"})}


@pytest.mark.usefixtures("small_bulk")
def test_a_module_that_zoho_does_not_count_is_read_by_query(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(23), page_cap=10)
    connector = org.connect()

    def refuse(_module: str) -> int:
        raise RejectedError("NOT_SUPPORTED", "not for this module", 400)

    connector.api.count = refuse

    assert len(org.read(connector, "opportunity")) == 23


@pytest.mark.usefixtures("small_bulk")
def test_a_job_that_fails_is_made_again_by_the_next_run(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(23), page_cap=5)
    org.arm("failed_job")
    connector = org.connect()

    with pytest.raises(RetryLaterError, match="failed"):
        org.pages(connector, "opportunity")

    assert len(org.read(connector, "opportunity")) == 23


def test_a_job_costs_its_credits_of_our_share(make_org: MakeOrg, many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoho_read, "ASK_AFTER", 5)
    monkeypatch.setattr(zoho_read, "BULK_FROM", 10)
    org = make_org(many(23), page_cap=15)
    connector = org.connect()

    org.pages(connector, "opportunity")

    # Token and clock are counted by our door and cost Zoho nothing.
    assert connector.http.limiter.used_today - 1 == org.emulator.credits.used


def writes(org: Any, count: int, value: Value) -> list[Write]:
    return [Write(org.id("opportunities", f"d{n}"), {"Scoreback_Score": value}) for n in range(count)]


@pytest.mark.usefixtures("small_bulk")
def test_many_scores_go_in_one_job_where_that_is_allowed(make_org: MakeOrg, many: Any, deal_fields: Any) -> None:
    org = make_org(many(6))
    connector = org.connect(bulk_write="on")
    list(connector.provision(deal_fields, dry_run=False))
    org.emulator.remove("opportunities", "d5")

    verdicts: list[Any] = []

    cost = org.calls(lambda: verdicts.extend(connector.write(DEALS, writes(org, 6, Decimal("71.25")))))

    refused = {one.remote_id: one.rejected for one in verdicts if one.rejected}
    assert cost["POST /crm/bulk/v8/write"] == 1
    assert len(verdicts) == 6
    assert {key: one.recovery for key, one in refused.items()} == {org.id("opportunities", "d5"): "gone"}
    ids = [org.id("opportunities", f"d{n}") for n in range(5)]
    assert connector.read_fields(DEALS, ids, ["Scoreback_Score"]) == {
        one: {"Scoreback_Score": Decimal("71.25")} for one in ids
    }


@pytest.mark.usefixtures("small_bulk")
@pytest.mark.parametrize(
    ("extra", "value"),
    [({}, Decimal(5)), ({"bulk_write": "on"}, None), ({"bulk_write": "off", "automation": "on"}, Decimal(5))],
)
def test_scores_go_by_calls_where_a_job_might_start_workflows_or_cannot_empty(
    make_org: MakeOrg, many: Any, deal_fields: Any, extra: dict[str, str], value: Value
) -> None:
    org = make_org(many(6))
    connector = org.connect(**extra)
    list(connector.provision(deal_fields, dry_run=False))

    cost = org.calls(lambda: list(connector.write(DEALS, writes(org, 6, value))))

    assert cost == {"PUT /crm/v8/{module}": 1}


def test_a_job_costs_more_than_few_calls_and_empties_nothing() -> None:
    many = {str(number): {"a": Decimal(1)} for number in range(zoho_bulk_write.BULK_FROM)}

    assert zoho_bulk_write.serves(many)
    assert not zoho_bulk_write.serves(dict(list(many.items())[1:]))
    assert not zoho_bulk_write.serves({**many, "0": {"a": None}})
    assert not zoho_bulk_write.serves({**many, "0": {"b": Decimal(1)}})
