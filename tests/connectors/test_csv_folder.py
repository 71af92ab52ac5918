"""A folder of table files as a connection."""

import csv
import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
import structlog
from pydantic import ValidationError

from connectors.base import Window, Write, WriteTarget
from connectors.csv_folder import PAGE_ROWS, CsvFolder
from connectors.csv_folder.rows import BadRow, open_table
from connectors.csv_folder.settings import CsvSettings
from connectors.errors import ConfigError, ContractError, MappingError, ResumeLostError, RetryLaterError
from connectors.mapping import Mapper
from connectors.records import Opportunity, Record
from connectors.registry import open_connector

KEY = b"a store's own key"
MAVEN = Path(__file__).parents[3] / "shared" / "data" / "maven-crm-sales"
SCORES = WriteTarget("opportunity")
EVERYTHING = Window(None, datetime(2100, 1, 1, tzinfo=UTC))

Connect = Callable[..., CsvFolder]


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    """Opens the test's folder: ``connect(files=..., fields=...)``."""

    def make(**settings: Any) -> CsvFolder:
        model = CsvSettings.model_validate({"kind": "csv", "folder": "."} | settings, context={"folder": tmp_path})
        connector = open_connector(model.named("exports"))
        assert isinstance(connector, CsvFolder)
        return connector

    return make


def records(connector: CsvFolder, kind: str, window: Window = EVERYTHING) -> list[Record]:
    stream = next(stream for stream in connector.streams if stream.name == kind)
    mapper = Mapper(stream, connector.connection, key=KEY)
    return [mapper(raw.fields) for page in connector.pull(stream, window, None) for raw in page.rows]


def deals(connector: CsvFolder) -> list[Any]:
    return records(connector, "opportunity")


def deal(**fields: Any) -> Opportunity:
    return Opportunity.model_validate({"remote_id": "1"} | fields)


def stream_of(kind: str) -> Any:
    return next(stream for stream in CsvFolder.streams if stream.name == kind)


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_usual_encoding_and_separator(tmp_path: Path, connect: Connect, encoding: str, separator: str) -> None:
    text = separator.join(["id", "name", "type"]) + "\r\n" + separator.join(["1", '"Müller\r\n& Söhne"', "é"]) + "\r\n"
    (tmp_path / "opportunities.csv").write_bytes(text.encode(encoding))

    (found,) = deals(connect())

    assert (found.remote_id, found.name, found.type) == ("1", "Müller\r\n& Söhne", "é")


def test_a_named_encoding_goes_before_the_guess(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_bytes("id,name\n1,中国公司\n".encode("gb18030"))

    assert deals(connect(encoding="gb18030"))[0].name == "中国公司"


def test_a_file_that_is_not_utf8_is_reported(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_bytes("id,name\n1,Müller\n".encode("cp1252"))

    findings = list(connect().check())

    assert any(finding.level == "warning" and "Windows-1252" in finding.text for finding in findings)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.234,50", "1234.5"),
        ("1234,5", "1234.5"),
        ("1.500", "1500"),
        ("-12.345.678,9", "-12345678.9"),
        ("1\u00a0234,50", "1234.5"),
    ],
)
def test_a_decimal_comma_where_the_settings_say_so(tmp_path: Path, connect: Connect, cell: str, amount: str) -> None:
    (tmp_path / "opportunities.csv").write_text(f"id;amount\n1;{cell}\n", encoding="utf-8")

    assert deals(connect(decimal=","))[0].amount == Decimal(amount)


@pytest.mark.parametrize(("cell", "amount"), [("1,234.50", "1234.5"), ("1,234,567", "1234567"), ("60%", "0.6")])
def test_groups_that_can_only_be_groups_are_read(tmp_path: Path, connect: Connect, cell: str, amount: str) -> None:
    (tmp_path / "opportunities.csv").write_text(f"id;amount\n1;{cell}\n", encoding="utf-8")

    assert deals(connect())[0].amount == Decimal(amount)


@pytest.mark.parametrize(("decimal", "cell"), [(".", "1,500"), (",", "1.5"), (".", "12 apples")])
def test_a_number_that_could_mean_two_things_is_not_guessed(
    tmp_path: Path, connect: Connect, decimal: str, cell: str
) -> None:
    (tmp_path / "opportunities.csv").write_text(f"id;amount\n1;{cell}\n", encoding="utf-8")

    with pytest.raises(MappingError, match=r"opportunities\.csv row 2: amount \(from amount\)"):
        deals(connect(decimal=decimal))


def test_dates_in_the_firms_own_form(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text(
        "id,close_on,created_at\n1,05.12.2026,06.12.2026\n2,2026-12-05,2026-12-06\n", encoding="utf-8"
    )

    first, second = deals(connect(date_format="%d.%m.%Y", time_zone="Europe/Berlin"))

    assert first.close_on == second.close_on == date(2026, 12, 5)
    assert first.created_at == second.created_at == datetime(2026, 12, 6, 11, tzinfo=UTC), "noon in Berlin"


def test_times_that_name_no_zone_are_in_the_settings_zone(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text(
        "id,created_at\n1,2026-07-01 10:00\n2,2026-07-01T10:00:00+00:00\n", encoding="utf-8"
    )

    first, second = deals(connect(time_zone="Asia/Shanghai"))

    assert first.created_at == datetime(2026, 7, 1, 2, tzinfo=UTC)
    assert second.created_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_one_column_may_feed_a_date_and_a_moment(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text("id,done\n1,2026-12-31\n", encoding="utf-8")
    fields = {"opportunity": {"close_on": "done", "closed_at": "done"}}

    (found,) = deals(connect(fields=fields, time_zone="Pacific/Auckland"))

    assert found.close_on == date(2026, 12, 31)
    assert found.closed_at == datetime(2026, 12, 30, 23, tzinfo=UTC)


def test_a_bad_row_is_reported_with_its_place_and_the_rest_goes_on(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text("id,name,type\n1,a,x\n2,b\n\n3,c,z\n", encoding="utf-8")
    connector = connect()

    with structlog.testing.capture_logs() as logs:
        found = deals(connector)

    assert [row.remote_id for row in found] == ["1", "3"]
    assert [(entry["event"], entry["where"]) for entry in logs] == [("row_skipped", "opportunities.csv row 3")]
    assert any(finding.where == "opportunities.csv row 3" for finding in connector.check())


def test_a_misfit_names_file_row_and_column(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "sales.csv").write_text("id,value\n1,5\n2,lots\n", encoding="utf-8")
    connector = connect(files={"opportunity": "sales.csv"}, fields={"opportunity": {"amount": "value"}})

    with pytest.raises(MappingError, match=r"exports: sales\.csv row 3: amount \(from value\)"):
        deals(connector)


def workbook(path: Path, rows: Sequence[Sequence[Any]], sheet: str = "Sheet") -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    book.save(path)


def test_a_spreadsheet_reads_as_its_csv_would(tmp_path: Path, connect: Connect) -> None:
    rows: list[list[Any]] = [
        ["id", "name", "amount", "close_on", "created_at", "discount"],
        [1001, "Acme", 1234.1, date(2026, 12, 1), datetime.fromisoformat("2026-01-05T09:30"), None],
        [None, None, None, None, None, None],
        ["A-2", 17, 5, "2026-12-02", None, 1.125],
    ]
    workbook(tmp_path / "opportunities.xlsx", rows)

    first, second = deals(connect(decimal=","))

    assert first == deal(
        remote_id="1001", name="Acme", amount="1234.1", close_on="2026-12-01", created_at="2026-01-05T09:30:00Z"
    )
    assert second == deal(remote_id="A-2", name="17", amount="5", close_on="2026-12-02", discount="1.125")


def test_a_sheet_can_be_named(tmp_path: Path, connect: Connect) -> None:
    workbook(tmp_path / "book.xlsx", [["id"], [1]], sheet="Deals")

    assert len(deals(connect(files={"opportunity": "book.xlsx#Deals"}))) == 1
    with pytest.raises(ConfigError, match="there is no sheet Leads; there are Deals"):
        deals(connect(files={"opportunity": "book.xlsx#Leads"}))


def test_a_file_that_is_no_spreadsheet_is_named(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.xlsx").write_text("id,name", encoding="utf-8")

    with pytest.raises(ConfigError, match="not a readable XLSX file"):
        deals(connect())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"files": {"opportunity": "none.csv"}}, r"none\.csv: there is no such file"),
        (
            {"fields": {"opportunity": {"amount": "valeu"}}},
            r"fields\.opportunity\.amount: valeu \(did you mean value\?\)",
        ),
        ({"folder": "nowhere"}, "there is no such folder"),
    ],
)
def test_what_the_settings_name_and_is_not_there(
    tmp_path: Path, connect: Connect, settings: dict[str, Any], message: str
) -> None:
    (tmp_path / "opportunities.csv").write_text("id,value\n1,5\n", encoding="utf-8")
    connector = connect(**settings)

    with pytest.raises(ConfigError, match=message):
        deals(connector)

    assert any(finding.level == "error" for finding in connector.check())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nAcme\n", "has no column id: name the one that identifies a row"),
        ("id,name,name\n1,a,b\n", "column name is there twice"),
        ("\n1,2\n", "the first row must name the columns"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(tmp_path: Path, connect: Connect, text: str, message: str) -> None:
    (tmp_path / "opportunities.csv").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=message):
        deals(connect())


def test_check_says_what_is_read_and_what_is_not(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text("id,name,colour\n1,a,red\n", encoding="utf-8")

    findings = [(finding.level, finding.text) for finding in connect(streams={"rate": "off"}).check()]

    assert ("ok", "opportunities.csv: 1 rows, 3 columns") in findings
    assert ("info", "opportunities.csv: not read: colour") in findings
    assert "rates.csv" not in findings[-1][1]
    assert "payments.csv" in findings[-1][1]


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


def test_scores_are_merged_and_read_back_as_they_were_written(tmp_path: Path, connect: Connect) -> None:
    connector = connect()
    scored_at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    connector.write(
        SCORES, [Write("1", {"score": Decimal("71.50"), "grade": "B", "reasons": "=1+1", "scored_at": scored_at})]
    )
    verdicts = list(
        connector.write(SCORES, [Write("2", {"score": Decimal(9)}), Write("1", {"score": Decimal(80), "grade": None})])
    )

    held = connector.read_fields(SCORES, ["1", "2", "3"], ["score", "grade", "reasons", "scored_at"])

    assert [(verdict.remote_id, verdict.rejected) for verdict in verdicts] == [("2", None), ("1", None)]
    assert held == {
        "1": {"score": Decimal(80), "grade": None, "reasons": "=1+1", "scored_at": scored_at},
        "2": {"score": Decimal(9), "grade": None, "reasons": None, "scored_at": None},
    }
    text = (tmp_path / "scores.csv").read_text(encoding="utf-8-sig")
    assert (
        text
        == "record,id,score,grade,reasons,scored_at\nopportunity,1,80,,'=1+1,2026-11-23T08:00:00Z\nopportunity,2,9,,,\n"
    )


def test_a_text_that_looks_like_a_number_stays_text(connect: Connect) -> None:
    connector = connect()
    person = WriteTarget("person", into="appraisals", key="key")
    connector.write(person, [Write("5/2017", {"period": "2017", "appraisal": Decimal("101.25")})])

    held = connector.read_fields(person, ["5/2017"], ["period", "appraisal"])

    assert held == {"5/2017": {"period": "2017", "appraisal": Decimal("101.25")}}


def test_ids_and_texts_that_look_like_formulas_are_defused_and_read_back_equal(
    tmp_path: Path, connect: Connect
) -> None:
    connector = connect()
    texts = {"=D1": " =1+1", "'D2": "'quoted", "-D3": "a\rb", "D4": "\tx"}
    list(connector.write(SCORES, [Write(remote_id, {"reasons": text}) for remote_id, text in texts.items()]))

    held = connector.read_fields(SCORES, list(texts), ["reasons"])

    assert held == {remote_id: {"reasons": text} for remote_id, text in texts.items()}
    with (tmp_path / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.strip()[:1] in ("=", "-")]


def test_another_programs_scores_file_is_left_alone(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "scores.csv").write_text("mine\n1\n", encoding="utf-8")

    with pytest.raises(ContractError, match="is not ours"):
        connect().write(SCORES, [Write("1", {"score": Decimal(1)})])

    assert (tmp_path / "scores.csv").read_text(encoding="utf-8") == "mine\n1\n"


def test_a_folder_that_cannot_be_written_is_for_later_and_the_old_file_stands(
    tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = connect()
    connector.write(SCORES, [Write("1", {"score": Decimal(1)})])

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(RetryLaterError, match="No space left"):
        connector.write(SCORES, [Write("1", {"score": Decimal(2)})])

    assert connector.read_fields(SCORES, ["1"], ["score"]) == {"1": {"score": Decimal(1)}}
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"files": {"oportunity": "x.csv"}}, "oportunity is not a record we know. Did you mean opportunity?"),
        ({"time_zone": "Europe/Berlinn"}, "must be a time zone"),
        ({"encoding": "utf-9"}, "must be an encoding"),
        ({"date_fromat": "%d"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_setting_is_refused(connect: Connect, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        connect(**settings)

    assert message in str(caught.value)


OPEN_QUOTE = [
    pytest.param('id,name\n1,"Deal\n2,b\n3,c\n', 2, id="in the first row"),
    pytest.param('id,name\n0,"two\nlines"\n1,b\n2,"c\n3,d', 5, id="in the last column, which swallows the rest"),
    pytest.param('id,name\n1,"' + "x,y\n" * 40_000, 2, id="more than a cell holds"),
    pytest.param('id,"name\n1,a\n', 1, id="in the header"),
]


@pytest.mark.parametrize(("text", "line"), OPEN_QUOTE)
def test_a_quote_left_open_stops_the_file_and_is_told_by_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=rf"deals.csv: line {line}: a quote \(\"\) begins in this row"):
        list(open_table(path).rows())


def test_a_row_of_several_lines_that_does_not_fit_is_told_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text('id,name,stage\n1,"a\n2,b\n3,c",x,y\n', encoding="utf-8")

    bad, *_ = open_table(path).rows()

    assert isinstance(bad, BadRow)
    assert "under 3 columns in lines 2 to 4" in bad.text


def test_a_foreign_file_is_refused_without_a_word_of_it(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text(
        "zoe:x:0:0:zoe:/home/zoe:/bin/sh\nbob:x:1:1::/home/bob:/bin/sh\n", encoding="utf-8"
    )
    connector = connect(files=dict.fromkeys(("person", "rate", "opportunity"), "passwd"))

    said = [str(finding) for finding in connector.check()]

    assert not any("zoe" in text or "bob" in text for text in said)
    assert sum("has none of the columns" in text for text in said) == 3


def test_columns_that_do_not_look_like_names_are_counted(connect: Connect, tmp_path: Path) -> None:
    token = "pat-na1-0f3e2d1c-aaaa-bbbb-cccc-1234567890ab"
    (tmp_path / "people.csv").write_text(f"id,name,Head of sales,{token},{token}:x\n1,Ada,b,c,d\n", encoding="utf-8")

    said = [finding.text for finding in connect().check()]

    assert "people.csv: not read: Head of sales, 2 that do not look like the name of a column" in said


def packed(path: Path, sheet: bytes) -> Path:
    """A workbook with this text in the place of its rows."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id", "name"])
    book.save(path.with_name("plain.xlsx"))
    with ZipFile(path.with_name("plain.xlsx")) as plain, ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name in plain.namelist():
            text = plain.read(name)
            archive.writestr(name, text.replace(b"</sheetData>", sheet + b"</sheetData>") if "sheet1" in name else text)
    return path


def test_a_workbook_that_unpacks_to_many_times_its_size_is_refused_unread(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "bomb.xlsx", b"<row><c/></row>" * 1_500_000)

    with pytest.raises(ConfigError, match="unpacks to 21 MiB"):
        open_table(bomb)


def test_a_cell_that_no_spreadsheet_takes_is_told_by_its_place(tmp_path: Path) -> None:
    text = b"<row><c><v>1</v></c><c t='inlineStr'><is><t>" + b"x" * 40_000 + b"</t></is></c></row>"
    table = open_table(packed(tmp_path / "cell.xlsx", text))

    with pytest.raises(ConfigError, match="row 2, column 2: a cell of 40000 characters, 32767 are the most"):
        list(table.rows())


def test_a_workbook_whose_rows_break_off_is_told(tmp_path: Path) -> None:
    table = open_table(packed(tmp_path / "broken.xlsx", b"<row><c><v>1</v>"))

    with pytest.raises(ConfigError, match="not a readable XLSX file"):
        list(table.rows())
