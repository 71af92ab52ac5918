"""Big loads by a query job: the same rows as by REST, in few calls; what a job cannot do is read by REST."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Window
from connectors.errors import ContractError, ResumeLostError
from connectors.salesforce import bulk

MakeOrg = Callable[..., Any]
JOBS = "POST /services/data/{version}/jobs/query"
RESULTS = "GET /services/data/{version}/jobs/query/{id}/results"
QUERY = "GET /services/data/{version}/queryAll"


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs from a few rows on, of small results."""
    values = {"FROM_ROWS": 5, "RESULT_ROWS": 10, "COMMIT_ROWS": 4, "_WAITS": (0.0, 0.0, 0.0)}
    for name, value in values.items():
        monkeypatch.setattr(bulk, name, value)


@pytest.fixture
def many(world: Any) -> Any:
    """Twenty-five deals, with texts that CSV has to quote."""
    twin = world["opportunities"][0]
    names = ['A, "B"', "two\nlines", "Übergröße 大", "tab\there"]
    deals = [{**twin, "id": str(n), "name": f"{names[n % 4]} {n}", "amount": f"{n}.25"} for n in range(103, 125)]
    return {**world, "opportunities": [*world["opportunities"], *deals]}


@pytest.mark.usefixtures("narrow")
def test_a_job_brings_what_rest_brings(make_org: MakeOrg, many: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    org = make_org(many, bulk_polls=0)
    by_job, calls = {}, {}
    for name in ("opportunity", "account", "history", "meeting"):
        calls[name] = org.calls(lambda name=name: by_job.update({name: org.read(org.connect(), name)}))
    monkeypatch.setattr(bulk, "FROM_ROWS", 10_000)

    by_rest = {name: org.read(org.connect(), name) for name in by_job}

    assert by_job == by_rest
    assert calls["opportunity"][JOBS] == 1
    assert calls["opportunity"][RESULTS] == 3
    assert calls["opportunity"][QUERY] == 1
    assert JOBS not in calls["account"]  # two rows


@pytest.mark.usefixtures("narrow")
def test_a_load_goes_on_within_a_result(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many, bulk_polls=0)
    pages = org.pages(org.connect(), "opportunity")

    for number, page in enumerate(pages[:-1], 1):
        rest = list(org.connect().pull(org.streams["opportunity"], Window(None, org.now), page.resume))

        assert [raw.fields["Id"] for one in rest for raw in one.rows] == [
            raw.fields["Id"] for one in pages[number:] for raw in one.rows
        ]
    assert len(pages) == 8  # of 10, 10 and 5 rows, four at once
    assert pages[-1].resume is None


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("fault", ["header_once", "plain_csv", "cut"])
def test_spoilt_results_are_read_all_the_same(make_org: MakeOrg, many: Any, fault: str) -> None:
    org = make_org(many, bulk_polls=0)
    org.emulator.faults.arm({"name": fault, "match": "/results", "times": 1 if fault == "cut" else 9})

    found = org.read(org.connect(), "opportunity")

    assert set(found) == set(org.emulator.ids["opportunities"].values())
    assert {deal.name for deal in found.values()} >= {"Übergröße 大 106", 'A, "B" 104', "two\nlines 105"}


@pytest.mark.usefixtures("narrow")
def test_a_job_that_fails_is_done_by_rest(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many, bulk_polls=0)
    org.emulator.faults.arm({"name": "failed_job"})
    connector = org.connect()

    calls = org.calls(lambda: org.read(connector, "opportunity"))

    assert calls[JOBS] == 1
    assert RESULTS not in calls
    assert len(org.read(connector, "opportunity")) == 25


@pytest.mark.usefixtures("narrow")
def test_an_organisation_that_grants_no_jobs_is_read_by_rest(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many, bulk_polls=0)
    org.emulator.faults.arm({"name": "no_permission", "match": "POST /services/data/v64.0/jobs"})

    assert len(org.read(org.connect(), "opportunity")) == 25


@pytest.mark.usefixtures("narrow")
def test_an_answer_without_results_is_asked_for_again(
    make_org: MakeOrg, many: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = make_org(many, bulk_polls=0)
    connector, empty = org.connect(), requests.Response()
    empty.status_code, empty.raw = 204, io.BytesIO()
    whole, answers = connector.api.stream, [empty]
    monkeypatch.setattr(connector.api, "stream", lambda *args: answers.pop() if answers else whole(*args))

    assert len(org.read(connector, "opportunity")) == 25


def test_a_job_is_looked_at_only_after_a_while(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many, bulk_polls=1)
    waits: list[float] = []
    job = bulk.BulkQuery(org.connect().api, sleep=waits.append)

    place = job.begin("SELECT Id FROM Opportunity", recycled=True)

    assert place is not None
    assert waits == [1.0, 1.0]


@pytest.mark.usefixtures("narrow")
def test_a_job_that_is_gone_is_told_as_a_lost_place(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many, bulk_polls=0)
    place = bulk.Place("750000000000001AAA", "MTA=", 4).text()

    with pytest.raises(ResumeLostError):
        list(org.connect().pull(org.streams["opportunity"], Window(None, org.now), place))


@pytest.mark.usefixtures("narrow")
def test_changes_and_values_of_any_type_are_asked_of_rest(make_org: MakeOrg, many: Any) -> None:
    org = make_org(many, bulk_polls=0)
    connector = org.connect()

    changes = org.calls(lambda: org.read(connector, "opportunity", datetime(2020, 1, 1, tzinfo=UTC)))
    owners = org.calls(lambda: org.read(connector, "field_history"))

    assert JOBS not in changes
    assert JOBS not in owners


@pytest.mark.parametrize(
    ("rows", "left", "expected"),
    [
        pytest.param(50_000, None, False, id="half a minute by REST"),
        pytest.param(50_001, None, True, id="a big load"),
        pytest.param(30_000, 100, True, id="fifteen calls are much of a hundred"),
        pytest.param(30_000, 1000, False, id="and little of a thousand"),
        pytest.param(12_000, 1, False, id="a job would take more calls"),
    ],
)
def test_when_a_job_pays(rows: int, left: int | None, expected: bool) -> None:
    assert bulk.pays(rows, left) is expected


def test_a_row_of_another_length_is_not_guessed_at() -> None:
    with pytest.raises(ContractError):
        list(bulk.read_rows([b'"Id","Name"\n"1"\n'], {"Id": "id", "Name": "string"}))


def test_cells_become_what_rest_tells() -> None:
    types = {"Id": "id", "Won": "boolean", "Amount": "currency", "Count": "int", "Note": "string"}

    rows = list(bulk.read_rows([b"Id,Won,Amount,Count,Note\n1,true,1.2E7,3.0,\n2,false,,,x\x00y\n"], types))

    assert rows == [
        {"Id": "1", "Won": True, "Amount": Decimal(12_000_000), "Count": 3, "Note": None},
        {"Id": "2", "Won": False, "Amount": None, "Count": None, "Note": "xy"},
    ]


@given(
    rows=st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=2, max_size=2), max_size=8
    ),
    size=st.integers(1, 7),
)
def test_texts_survive_wherever_the_chunks_are_cut(rows: list[list[str]], size: int) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([["Id", "Name"], *rows])
    body = text.getvalue().encode()

    def chunks() -> Iterator[bytes]:
        yield from (body[start : start + size] for start in range(0, len(body), size))

    found = list(bulk.read_rows(chunks(), {"Id": "string", "Name": "string"}))

    wanted = [row for row in rows if [cell.lower() for cell in row] != ["id", "name"] or row is not rows[0]]
    assert [[one["Id"] or "", one["Name"] or ""] for one in found] == wanted
