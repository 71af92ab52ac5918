"""Bulk Read for first loads that are big, and Bulk Write for many scores at once."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Value, Window, Write, WriteTarget
from connectors.errors import RejectedError, ResumeLostError, RetryLaterError
from connectors.zoho import bulk_write as zoho_bulk_write
from connectors.zoho import read as zoho_read

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
    monkeypatch.setattr("connectors.zoho.bulk.PORTION", 4)
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

    def lose(_path: str, _file: object) -> None:
        raise gone

    connector.reader.bulk._fetched = lose

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
@pytest.mark.parametrize("fault", ["cut", "truncated"])
def test_a_file_that_is_cut_on_its_way_is_fetched_again(make_org: MakeOrg, many: Any, fault: str) -> None:
    org = make_org(many(23))
    connector = org.connect()
    org.arm(fault, match="/result")

    job = list(connector.reader.bulk.rows("Deals", ["id"], None))

    assert sum(len(portion.rows) for portion in job) == 23


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


def test_a_job_carries_what_pays_and_what_empties_nothing() -> None:
    many: dict[str, dict[str, Value]] = {str(number): {"a": Decimal(1)} for number in range(zoho_bulk_write.BULK_FROM)}
    others: dict[str, dict[str, Value]] = {"x": {"a": None}, "y": {"b": Decimal(1)}, "z": {"a": ""}}

    assert zoho_bulk_write.carried({**others, **many}) == many
    assert zoho_bulk_write.carried(dict(list(many.items())[1:])) == {}


@pytest.fixture
def slow_org(make_org: MakeOrg, many: Any, deal_fields: Any) -> Any:
    """An org in which a job takes longer than we wait for it."""
    org = make_org(many(6), bulk_polls=45)
    list(org.connect().provision(deal_fields, dry_run=False))
    return org


@pytest.mark.usefixtures("small_bulk")
def test_a_job_whose_result_does_not_come_is_asked_for_and_not_paid_again(slow_org: Any) -> None:
    first, second = slow_org.connect(bulk_write="on"), slow_org.connect(bulk_write="on")
    with pytest.raises(RetryLaterError, match="not done"):
        list(first.write(DEALS, writes(slow_org, 6, Decimal(5))))
    second.places.update(first.places)
    changed = [*writes(slow_org, 5, Decimal(5)), Write(slow_org.id("opportunities", "d5"), {"Scoreback_Score": 7})]
    verdicts: list[Any] = []

    cost = slow_org.calls(lambda: verdicts.extend(second.write(DEALS, changed)))

    assert second.batch(DEALS, 1) == 100
    assert {one.rejected for one in verdicts} == {None}
    assert len(verdicts) == 6
    assert "POST /crm/bulk/v8/write" not in cost
    assert cost["PUT /crm/v8/{module}"] == 1  # what has changed since
    assert "GET /v2/crm/{org}/bulk-write/{job}/{file}" not in cost  # the counts say that nothing was refused
    held = second.read_fields(DEALS, [one.remote_id for one in changed], ["Scoreback_Score"])
    assert sorted(str(fields["Scoreback_Score"]) for fields in held.values()) == ["5"] * 5 + ["7"]


@pytest.mark.usefixtures("small_bulk")
def test_a_job_is_kept_as_soon_as_it_is_paid(slow_org: Any) -> None:
    connector = slow_org.connect(bulk_write="on")
    kept: list[str] = []
    connector.keep = lambda: kept.append(connector.places["bulk_write"])

    with pytest.raises(RetryLaterError):
        list(connector.write(DEALS, writes(slow_org, 6, Decimal(5))))

    assert kept == [connector.places["bulk_write"]]


@pytest.mark.usefixtures("small_bulk")
def test_an_open_job_is_asked_for_before_few_records_are_sent(slow_org: Any) -> None:
    connector = slow_org.connect(bulk_write="on")

    with pytest.raises(RetryLaterError):
        list(connector.write(DEALS, writes(slow_org, 6, Decimal(5))))

    assert connector.batch(DEALS, 1) == zoho_bulk_write.MOST_ROWS


@pytest.mark.usefixtures("small_bulk")
@pytest.mark.parametrize("lost", ["forgotten", "old"])
def test_a_job_that_zoho_has_forgotten_is_made_again(slow_org: Any, lost: str) -> None:
    connector = slow_org.connect(bulk_write="on")
    with pytest.raises(RetryLaterError):
        list(connector.write(DEALS, writes(slow_org, 6, Decimal(5))))
    place = connector.places["bulk_write"]
    job = json.loads(place)[0]
    changed = {"job": "1234567890123456789"} if lost == "forgotten" else {"at": "2026-01-01T00:00:00+00:00"}
    connector.places["bulk_write"] = json.dumps([{**job, **changed}])

    with pytest.raises(RetryLaterError):
        list(connector.write(DEALS, writes(slow_org, 6, Decimal(5))))

    assert json.loads(connector.places["bulk_write"])[-1]["job"] not in (job["job"], "1234567890123456789")


@pytest.mark.usefixtures("small_bulk")
def test_another_field_with_the_value_of_an_open_job_is_not_taken_for_written(slow_org: Any) -> None:
    connector = slow_org.connect(bulk_write="on")
    with pytest.raises(RetryLaterError):
        list(connector.write(DEALS, writes(slow_org, 6, "5")))
    others = [Write(one.remote_id, {"Scoreback_Reasons": "5"}) for one in writes(slow_org, 2, "5")]

    list(connector.write(DEALS, others))

    held = connector.read_fields(DEALS, [one.remote_id for one in others], ["Scoreback_Reasons"])
    assert {fields["Scoreback_Reasons"] for fields in held.values()} == {"5"}
    assert connector.bulk_write.is_open


@pytest.mark.usefixtures("small_bulk")
def test_a_push_without_an_open_job_asks_for_nothing_more(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many(3))
    connector = org.connect(bulk_write="on")

    assert org.calls(lambda: connector.batch(DEALS, 1)) == {}


@pytest.mark.usefixtures("small_bulk")
def test_what_a_failed_job_does_not_tell_goes_by_calls(
    make_org: MakeOrg, many: Any, deal_fields: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = make_org(many(6))
    connector = org.connect(bulk_write="on")
    list(connector.provision(deal_fields, dry_run=False))
    monkeypatch.setattr(connector.bulk_write, "_state", lambda _job: {"status": "FAILED", "resource": []})
    verdicts: list[Any] = []

    cost = org.calls(lambda: verdicts.extend(connector.write(DEALS, writes(org, 6, Decimal(5)))))

    assert [one.rejected for one in verdicts] == [None] * 6
    assert cost["PUT /crm/v8/{module}"] == 1
    assert not connector.bulk_write.is_open


@pytest.mark.usefixtures("small_bulk")
def test_the_order_for_a_job_is_sent_once(make_org: MakeOrg, many: Any, deal_fields: Any) -> None:
    org = make_org(many(6))
    connector = org.connect(bulk_write="on")
    list(connector.provision(deal_fields, dry_run=False))
    org.arm("server_error", match="/bulk/v8/write")

    def write() -> None:
        with pytest.raises(RetryLaterError):
            list(connector.write(DEALS, writes(org, 6, Decimal(5))))

    assert org.calls(write)["POST /crm/bulk/v8/write"] == 1


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param({"STATUS": "UPDATED", "ERRORS": ""}, None, id="written"),
        pytest.param({"STATUS": "added"}, None, id="made"),
        pytest.param({"STATUS": "SKIPPED", "ERRORS": "INVALID_DATA-id"}, ("INVALID_DATA", "gone"), id="no such id"),
        pytest.param({"STATUS": "SKIPPED", "ERRORS": "INVALID_DATA-Score"}, ("INVALID_DATA", "field"), id="a field"),
        pytest.param(
            {"STATUS": "SKIPPED", "ERRORS": "MANDATORY_NOT_FOUND-Company,Last_Name:DUPLICATE_DATA-Email"},
            ("MANDATORY_NOT_FOUND", "park"),
            id="several",
        ),
        pytest.param({"STATUS": "SKIPPED", "ERRORS": "RECORD_LOCKED-id"}, ("RECORD_LOCKED", "retry"), id="locked"),
        pytest.param({"STATUS": "UNPROCESSED", "ERRORS": None}, ("UNPROCESSED", "retry"), id="not reached"),
    ],
)
def test_errors_of_a_result_are_code_and_column(row: dict[str, str], expected: tuple[str, str] | None) -> None:
    refused = zoho_bulk_write._refused(row)

    assert (refused and (refused.code, refused.recovery)) == expected


@pytest.mark.usefixtures("small_bulk")
def test_a_big_module_that_zoho_does_not_count_is_read_in_bulk_once_that_is_cheaper(
    make_org: MakeOrg, many: Any
) -> None:
    org = make_org(many(40), page_cap=4)
    connector = org.connect()
    found: dict[str, Any] = {}

    def refuse(_module: str) -> int:
        raise RejectedError("NOT_SUPPORTED", "not for this module", 400)

    connector.api.count = refuse

    cost = org.calls(lambda: found.update(org.read(connector, "opportunity")))

    assert len(found) == 40
    assert cost["POST /crm/v8/coql"] == 3
    assert cost["POST /crm/bulk/v8/read"] == 10


@pytest.mark.parametrize(
    ("rows", "calls"),
    [
        pytest.param(0, 1, id="an answer that there are none"),
        pytest.param(2_000, 1, id="one query"),
        pytest.param(20_000, 11, id="ten queries and a count"),
        pytest.param(200_000, 9, id="a query, a count and a job with five looks and its file"),
        pytest.param(400_001, 23, id="three jobs"),
    ],
)
def test_a_first_load_is_estimated_by_what_it_takes(org: Any, rows: int, calls: int) -> None:
    assert org.connect().calls_for(org.streams["opportunity"], rows) == calls
