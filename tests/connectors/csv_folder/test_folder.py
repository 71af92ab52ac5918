"""A folder of table files as a connection: what is read, when, and from where on."""

import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Window
from connectors.csv_folder import PAGE_ROWS, CsvFolder
from connectors.csv_folder.settings import CsvSettings
from connectors.errors import ResumeLostError
from connectors.registry import open_connector
from tests.connectors.csv_folder.conftest import EVERYTHING, Connect, deal, deals, records, stream_of

MAVEN = Path(__file__).parents[4] / "shared" / "data" / "maven-crm-sales"


def test_a_rate_may_say_how_long_it_is_in_force(tmp_path: Path, connect: Connect) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("currency,to,rate,on,until\nUSD,EUR,0.9,2026-01-01,2026-03-31\nCHF,EUR,1.1,2026-01-01,\n", "utf-8")

    found: list[Any] = records(connect(), "rate")

    assert [(rate.currency, rate.until) for rate in found] == [("USD", date(2026, 3, 31)), ("CHF", None)]


def test_a_world_folder_reads_without_any_mapping(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text(
        "id,name,amount,currency,created_at,close_on,outcome,modified_at\n"
        '7,"Big, ""Deal""",1200.50,EUR,2026-01-05T09:00:00Z,2026-12-01,,2026-02-01T00:00:00Z\n'
        "8,,,,,,won,\n",
        encoding="utf-8",
    )
    (tmp_path / "activities.csv").write_text(
        "id,kind,two_way,contact_ids,duration_seconds\n1,call,true,c1;c2,90\n", encoding="utf-8"
    )

    first, second = deals(connect())
    (call,) = records(connect(), "activity")

    assert first == deal(
        remote_id="7",
        name='Big, "Deal"',
        amount="1200.5",
        currency="EUR",
        created_at="2026-01-05T09:00:00Z",
        close_on="2026-12-01",
        modified_at="2026-02-01T00:00:00Z",
    )
    assert (second.amount, second.outcome) == (None, "won")
    assert call.model_dump(include={"kind", "two_way", "duration_seconds"}) == {
        "kind": "call",
        "two_way": True,
        "duration_seconds": 90,
    }


def test_a_file_of_the_usual_name_need_not_be_there(connect: Connect) -> None:
    assert records(connect(), "payment") == []


@pytest.mark.skipif(not MAVEN.is_dir(), reason="the public sample data is not beside this checkout")
def test_the_public_sample_reads_as_it_is(tmp_path: Path) -> None:
    settings = CsvSettings.model_validate(
        {
            "kind": "csv",
            "folder": str(MAVEN),
            "files": {"person": "sales_teams.csv", "account": "accounts.csv", "opportunity": "sales_pipeline.csv"},
            "fields": {
                "person": {"remote_id": "sales_agent", "name": "sales_agent", "team": "manager", "region": "regional_office"},
                "account": {"remote_id": "account", "name": "account", "industry": "sector"},
                "opportunity": {
                    "remote_id": "opportunity_id", "owner_id": "sales_agent", "account_id": "account", "product": "product",
                    "stage": "deal_stage", "amount": "close_value", "currency": {"value": "USD"},
                    "created_at": "engage_date", "closed_at": "close_date",
                },
            },
        }
    ).named("exports")  # fmt: skip
    connector = open_connector(settings)
    assert isinstance(connector, CsvFolder)

    found = deals(connector)

    assert len(found) == 8800
    assert sum(row.amount or 0 for row in found if row.stage == "Won") == Decimal(10005534)
    assert sum(row.account_id is None for row in found) == 1425
    assert {row.currency for row in found} == {"USD"}
    assert max(row.closed_at.date() for row in found if row.closed_at) == date(2017, 12, 31)
    assert (len(records(connector, "person")), len(records(connector, "account"))) == (35, 85)


def test_rows_of_a_company_spread_over_crms_are_read_where_they_live(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "people.csv").write_text(
        "id,connection,name\n1,hubspot,a\n2,csv,b\n3,exports,c\n4,,d\n", encoding="utf-8"
    )

    assert [person.remote_id for person in records(connect(), "person")] == ["2", "3", "4"]


def test_an_untouched_file_is_not_read_again(tmp_path: Path, connect: Connect) -> None:
    file = tmp_path / "opportunities.csv"
    file.write_text("id\n1\n", encoding="utf-8")
    connector = connect()
    later = connector.now() + timedelta(minutes=1)
    earlier = later - timedelta(minutes=2)

    untouched = records(connector, "opportunity", Window(later, later + timedelta(hours=1)))
    touched = records(connector, "opportunity", Window(earlier, later))

    assert (len(untouched), len(touched)) == (0, 1)


def test_a_file_put_in_place_with_an_old_stamp_counts_as_touched(tmp_path: Path, connect: Connect) -> None:
    file = tmp_path / "opportunities.csv"
    file.write_text("id\n1\n", encoding="utf-8")
    os.utime(file, (0, 0))
    connector = connect()

    found = records(connector, "opportunity", Window(connector.now() - timedelta(minutes=1), connector.now()))

    assert len(found) == 1


def test_a_pull_resumes_behind_the_page_it_had(tmp_path: Path, connect: Connect) -> None:
    lines = "".join(f"{number}\n" for number in range(PAGE_ROWS + 5))
    (tmp_path / "opportunities.csv").write_text("id\n" + lines, encoding="utf-8")
    connector = connect()

    first, second = connector.pull(stream_of("opportunity"), EVERYTHING, None)
    (resumed,) = connector.pull(stream_of("opportunity"), EVERYTHING, first.resume)

    assert (len(first.rows), len(second.rows)) == (PAGE_ROWS, 5)
    assert [raw.fields["id"] for raw in resumed.rows] == [raw.fields["id"] for raw in second.rows]


def test_a_pull_does_not_resume_in_another_file(tmp_path: Path, connect: Connect) -> None:
    file = tmp_path / "opportunities.csv"
    file.write_text("id\n1\n2\n", encoding="utf-8")
    connector = connect()
    (page,) = connector.pull(stream_of("opportunity"), EVERYTHING, None)
    file.write_text("id\n0\n1\n2\n", encoding="utf-8")

    with pytest.raises(ResumeLostError, match="has changed since its row 2 was read"):
        list(connector.pull(stream_of("opportunity"), EVERYTHING, page.resume))


def test_what_is_present_is_told_when_it_may_have_changed(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text("id\n1\n2\n", encoding="utf-8")
    connector = connect()

    pages = connector.present(stream_of("opportunity"), None)

    assert pages is not None
    assert [raw.fields["id"] for page in pages for raw in page.rows] == ["1", "2"]
    assert connector.present(stream_of("opportunity"), connector.now() + timedelta(minutes=1)) is None
    assert connector.present(stream_of("payment"), None) is None
