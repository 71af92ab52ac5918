"""What the settings get wrong, and what a check says."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.errors import ConfigError
from tests.connectors.csv_folder.conftest import Connect, deals


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


def test_check_says_what_is_read_and_what_is_not(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text("id,name,colour\n1,a,red\n", encoding="utf-8")

    findings = [(finding.level, finding.text) for finding in connect(streams={"rate": "off"}).check()]

    assert ("ok", "opportunities.csv: 1 rows, 3 columns") in findings
    assert ("info", "opportunities.csv: not read: colour") in findings
    assert "rates.csv" not in findings[-1][1]
    assert "payments.csv" in findings[-1][1]


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
