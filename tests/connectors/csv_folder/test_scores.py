"""Scores written beside the files, and read back."""

import csv
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.base import Write, WriteTarget
from connectors.errors import ContractError, RetryLaterError
from tests.connectors.csv_folder.conftest import Connect

SCORES = WriteTarget("opportunity")


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
