"""Rows of a text file: encodings, separators, headers, quotes, and rows that do not fit."""

from pathlib import Path

import pytest
import structlog

from connectors.csv_folder.rows import BadRow, open_table
from connectors.errors import ConfigError, MappingError
from tests.connectors.csv_folder.conftest import Connect, deals


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
