"""Many writes by one ingest job: the same verdicts and values as by collections, in few calls."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import FieldSpec, Write, WriteTarget
from connectors.salesforce import Salesforce, ingest

DEALS = WriteTarget("opportunity")
APPRAISALS = WriteTarget("person", into="Scoreback_Appraisal__c", key="Scoreback_Key__c")
NAMES = ["Scoreback_Score__c", "Scoreback_Reasons__c", "Scoreback_Scored_At__c"]
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = "POST /services/data/{version}/jobs/ingest"
COLLECTIONS = "PATCH /services/data/{version}/composite/sobjects"


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job from two writes on, asked for its state without a pause."""
    monkeypatch.setattr(ingest, "FROM_ROWS", 2)
    monkeypatch.setattr(ingest, "_WAITS", (0.0, 0.0, 0.0))


@pytest.fixture
def deals(org: Any) -> list[str]:
    """Ids of the three deals."""
    return list(org.emulator.ids["opportunities"].values())


def scores(deals: list[str], text: str | None = 'two\nlines, "quoted", größer') -> list[Write]:
    return [
        Write(deal, dict(zip(NAMES, (Decimal("61.25") + number, text, AT), strict=True)))
        for number, deal in enumerate(deals)
    ]


@pytest.mark.usefixtures("early")
def test_a_job_writes_what_collections_write(org: Any, writer: Salesforce, deals: list[str]) -> None:
    calls = org.calls(lambda: list(writer.write(DEALS, scores(deals))))

    held = writer.read_fields(DEALS, deals, NAMES)

    assert calls[JOB] == 1
    assert COLLECTIONS not in calls
    assert held == {write.remote_id: write.fields for write in scores(deals)}


@pytest.mark.usefixtures("early")
def test_none_empties_a_field_and_a_field_not_named_stays(writer: Salesforce, deals: list[str]) -> None:
    list(writer.write(DEALS, scores(deals)))

    list(writer.write(DEALS, [Write(deals[0], {NAMES[1]: None}), Write(deals[1], {NAMES[0]: Decimal(7)})]))

    held = writer.read_fields(DEALS, deals, NAMES)
    assert held[deals[0]][NAMES[1]] is None
    assert held[deals[0]][NAMES[0]] == Decimal("61.25")
    assert held[deals[1]][NAMES[0]] == 7
    assert held[deals[1]][NAMES[1]] is not None


@pytest.mark.usefixtures("early")
def test_every_record_has_its_own_verdict(writer: Salesforce, deals: list[str]) -> None:
    gone = deals[0][:10] + "zzzzz" + "AAA"

    found = {one.remote_id: one.rejected for one in writer.write(DEALS, scores([*deals, gone]))}

    assert found.keys() == {*deals, gone}
    assert [found[deal] for deal in deals] == [None, None, None]
    refused = found[gone]
    assert refused is not None
    assert refused.recovery == "gone"


@pytest.mark.usefixtures("early")
def test_rows_of_our_own_object_go_by_our_key(org: Any, writer: Salesforce, appraisal_fields: list[FieldSpec]) -> None:
    rows = [Write(f"005:{period}", {appraisal_fields[0].name: "A"}) for period in ("2026-Q1", "2026-Q2")]

    calls = org.calls(lambda: [list(writer.write(APPRAISALS, rows)) for _ in range(2)])

    held = writer.read_fields(APPRAISALS, [row.remote_id for row in rows], [appraisal_fields[0].name])
    assert held == {row.remote_id: row.fields for row in rows}
    assert calls[JOB] == 2
    assert len(org.emulator.org.tables["Scoreback_Appraisal__c"].rows) == 2


@pytest.mark.usefixtures("early")
def test_a_job_that_fails_is_done_by_collections(org: Any, writer: Salesforce, deals: list[str]) -> None:
    org.emulator.faults.arm({"name": "failed_job"})

    calls = org.calls(lambda: list(writer.write(DEALS, scores(deals))))

    assert calls[JOB] == 1
    assert calls[COLLECTIONS] == 1
    assert set(writer.read_fields(DEALS, deals, NAMES)) == set(deals)


@pytest.mark.usefixtures("early")
def test_an_organisation_that_grants_no_jobs_is_written_by_collections(
    org: Any, writer: Salesforce, deals: list[str]
) -> None:
    org.emulator.faults.arm({"name": "no_permission", "match": "POST /services/data/v64.0/jobs"})

    calls = org.calls(lambda: list(writer.write(DEALS, scores(deals))))

    assert calls[COLLECTIONS] == 1


@pytest.mark.parametrize(
    ("target", "waiting", "expected"),
    [
        pytest.param(DEALS, 1999, 200, id="ten calls"),
        pytest.param(DEALS, 2000, 2000, id="one job"),
        pytest.param(DEALS, 90_000, 25_000, id="what memory bears"),
        pytest.param(WriteTarget("person"), 5000, 200, id="users are a setup object"),
        pytest.param(APPRAISALS, 5000, 5000, id="rows of our own object"),
    ],
)
def test_how_many_writes_are_taken_at_once(org: Any, target: WriteTarget, waiting: int, expected: int) -> None:
    assert org.connect().batch(target, waiting) == expected


def test_a_document_spells_values_as_the_job_reads_them() -> None:
    text = ingest.document(
        "Id", {"1": {"Open__c": True, "Note__c": ""}, "2": {"Amount__c": Decimal("1.5E+2")}}
    ).decode()

    assert text == '"Id","Amount__c","Note__c","Open__c"\n"1","","#N/A","true"\n"2","150","",""\n'
