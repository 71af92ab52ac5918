"""status, report, explain, import and plan check through the real command: what is printed, and the exit codes."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from sync.cli import main
from sync.config import Config, load_config
from sync.store.books import StreamState
from sync.store.engine import Store, open_store
from sync.store.state import save_state
from tests.sync.conftest import OPPORTUNITIES, WORLD

COMMAND = Path(sys.executable).with_name("scoreback")
Scoreback = Callable[..., tuple[int, str, str]]
PLAN = """plan: ae
opportunity_score: {start: 30, rules: [{id: due, when: past_due_days > 0, points: -10}]}
incentives: {measure: {metric: bookings}}
expect:
  - {deal: {past_due_days: 3}, score: SCORE}
  - {credit: 100, earns: {base: 5}}
"""


@pytest.fixture
def folder(write_config: Callable[..., Path], pull_all: Callable[[Config, Store], None]) -> Path:
    """A configuration folder with a pulled store."""
    folder = write_config()
    config = load_config(folder)
    with open_store(config.store_url) as store:
        pull_all(config, store)
    return folder


@pytest.fixture
def scoreback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Scoreback]:
    """Runs the command in this process: exit code, standard output and standard error."""
    umask, broken_pipe = os.umask(0o077), signal.getsignal(signal.SIGPIPE)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["scoreback", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, said.out, said.err

    yield run
    signal.signal(signal.SIGPIPE, broken_pipe)
    os.umask(umask)


def test_the_installed_command_reports_as_csv(folder: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [COMMAND, "-c", folder, "report", "metrics", "--by", "person", "--period", "2025-Q1", "--format", "csv"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {(row["subject"], row["value"]) for row in rows if row["metric"] == "bookings"} == {
        ("u1", "1000.1"),
        ("u2", "0.2"),
        ("u3", "0"),
    }
    assert {row["value"] for row in rows if row["subject"] == "u3" and row["metric"] == "win_rate"} == {""}


def test_repeated_by_and_period_reach_the_report(folder: Path, scoreback: Scoreback) -> None:
    code, text, _ = scoreback(
        "-c", folder, "report", "metrics", "--by", "team", "--by", "product", "--period", "2025-02", "--period",
        "2025-03", "--metric", "won_count", "--format", "json",
    )  # fmt: skip

    rows = json.loads(text)
    assert code == 0
    assert {(row["period"], row["subject"]): row["value"] for row in rows}["2025-02", "North / GTX"] == 1
    assert {row["period"] for row in rows} == {"2025-02", "2025-03"}
    assert {row["by"] for row in rows} == {"team,product"}


def test_a_table_is_for_reading(folder: Path, scoreback: Scoreback) -> None:
    code, text, _ = scoreback("-c", folder, "report", "metrics", "--by", "region", "--period", "2025-Q1")

    assert code == 0
    line = next(line for line in text.splitlines() if "EMEA" in line)
    assert "1,000.30" in line
    assert "66.7*" in line


def test_a_spreadsheet_needs_a_file(folder: Path, scoreback: Scoreback, tmp_path: Path) -> None:
    refused, _, told = scoreback("-c", folder, "report", "metrics", "--format", "xlsx")
    done, _, _ = scoreback("-c", folder, "report", "metrics", "--format", "xlsx", "--out", tmp_path / "r.xlsx")

    assert (refused, done) == (2, 0)
    assert "--out" in told
    sheet = load_workbook(tmp_path / "r.xlsx").active
    assert sheet is not None
    assert sheet["A1"].value == "period"


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        pytest.param(("report", "metrics", "--by", "regoin"), "Did you mean region?", id="dimension"),
        pytest.param(("report", "metrics", "--period", "2025-Q7"), "--period", id="period"),
        pytest.param(("report", "scores", "--plan", "x"), "not one of our plans", id="plan"),
        pytest.param(("report", "quality", "--by", "deel"), "Did you mean deal?", id="quality"),
        pytest.param(("explain", "nobody"), "KIND:CONNECTION:ID", id="subject"),
        pytest.param(("import", "peoples", "x.csv"), "Did you mean people?", id="kind"),
        pytest.param(("import", "people", "x.csv"), "there is no such file", id="file"),
    ],
)
def test_wrong_use_says_what_is_right_and_exits_with_2(
    folder: Path, scoreback: Scoreback, arguments: tuple[str, ...], advice: str
) -> None:
    code, _, told = scoreback("-c", folder, *arguments)

    assert code == 2
    assert advice in told


def test_without_a_store_a_reading_command_says_how_one_is_made(
    write_config: Callable[..., Path], scoreback: Scoreback
) -> None:
    folder = write_config()

    code, _, told = scoreback("-c", folder, "status")

    assert code == 2
    assert "scoreback pull" in told
    assert not (folder.parent / "state.db").exists()


def test_reading_commands_do_not_wait_for_a_writer(folder: Path, scoreback: Scoreback) -> None:
    writer = sqlite3.connect(folder.parent / "state.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE opportunity SET amount = '1'")
    try:
        status, _, _ = scoreback("-c", folder, "status")
        report, text, _ = scoreback(
            "-c", folder, "report", "metrics", "--period", "2025-Q1", "--metric", "bookings", "--format", "csv"
        )
    finally:
        writer.close()

    assert (status, report) == (0, 0)
    assert "1000.1" in text


def test_status_shows_streams_and_the_rest_as_text_and_json(folder: Path, scoreback: Scoreback) -> None:
    _, text, _ = scoreback("-c", folder, "status")
    code, said, _ = scoreback("-c", folder, "status", "--json")

    assert "opportunity" in text
    assert "scores as of never" in text
    state = json.loads(said)
    assert code == 0
    assert set(state) == {
        "streams", "allowance", "outbox", "parked", "unreadable", "runs", "scored_as_of", "freshness",
    }  # fmt: skip


def test_status_names_a_reconciliation_only_where_something_is_wrong_with_it(
    folder: Path, scoreback: Scoreback
) -> None:
    with open_store(load_config(folder).store_url) as store, store.writing() as tx:
        save_state(tx, StreamState(connection="crm", stream="account reconciliation", rows=60))
        save_state(tx, StreamState(connection="crm", stream="opportunity reconciliation", last_error="half are gone"))

    _, text, _ = scoreback("-c", folder, "status")
    _, said, _ = scoreback("-c", folder, "status", "--json")

    assert "account reconciliation" not in text
    assert "opportunity reconciliation" in text
    assert "account reconciliation" in said


def test_status_says_that_a_renamed_connection_still_counts(folder: Path, scoreback: Scoreback) -> None:
    (folder / "connections" / "crm.yaml").rename(folder / "connections" / "crm-eu.yaml")

    _, text, _ = scoreback("-c", folder, "status")

    assert "no longer configured; what was read of it still counts" in text


def test_a_name_out_of_a_crm_cannot_steer_the_terminal(
    write_config: Callable[..., Path], pull_all: Callable[[Config, Store], None], scoreback: Scoreback
) -> None:
    evil = OPPORTUNITIES.replace("Alpha", "Al\x1b[2Jpha\u202e").replace("Gamma", "Al\x1b[2Jpha\u202e")
    folder = write_config({**WORLD, "opportunities.csv": evil})
    config = load_config(folder)
    with open_store(config.store_url) as store:
        pull_all(config, store)

    texts = [
        scoreback("-c", folder, *arguments)
        for arguments in (("explain", "d1"), ("explain", "Al\x1b[2Jpha\u202e"), ("explain", "d1", "--json"),
                          ("report", "quality"), ("report", "metrics", "--by", "\x1b[31mx"))
    ]  # fmt: skip

    assert "Al␛[2Jpha<U+202E>" in texts[0][1]
    assert not [text for _, told, wrong in texts for text in (told, wrong) if "\x1b" in text or "\u202e" in text]


def test_status_and_explain_speak_chinese_where_the_organisation_does(folder: Path, scoreback: Scoreback) -> None:
    settings = folder / "scoreback.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("EUR}", "EUR, language: zh-CN}"), encoding="utf-8")

    _, state, _ = scoreback("-c", folder, "status")
    _, chain, _ = scoreback("-c", folder, "explain", "d1")
    _, rows, _ = scoreback("-c", folder, "report", "metrics", "--period", "2025-Q1", "--format", "csv")

    assert {"数据流", "尚未评分"} <= set(state.splitlines())
    assert "已赢单：只对进行中的商机评分" in chain.splitlines()
    assert rows.startswith("period,by,subject,name,metric,value,unit")


def test_explain_ends_with_the_hash_of_the_inputs(folder: Path, scoreback: Scoreback) -> None:
    _, text, _ = scoreback("-c", folder, "explain", "d1")
    code, said, _ = scoreback("-c", folder, "explain", "opportunity:crm:d1", "--json")

    chain = json.loads(said)
    assert code == 0
    assert list(chain)[-1] == "inputs"
    assert text.splitlines()[-1] == f"inputs: {chain['inputs']}"
    assert {"seq", "recorded_at", "content_hash"} <= set(chain["records"][0])


def test_scores_deals_and_faults_are_reported_after_scoring(folder: Path, scoreback: Scoreback) -> None:
    scored, _, told = scoreback("-c", folder, "score")

    _, people, _ = scoreback("-c", folder, "report", "scores", "--format", "json")
    _, deals, _ = scoreback("-c", folder, "report", "deals", "--format", "json")
    _, faults, _ = scoreback("-c", folder, "report", "quality")

    assert scored == 0, told
    assert {row["subject"] for row in json.loads(people)} == {"u1", "u2", "u3"}
    assert [row["subject"] for row in json.loads(deals)] == ["d4"]
    assert "past_due" in faults


def test_import_tells_every_finding_and_exits_with_2(folder: Path, scoreback: Scoreback, tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_text("subject_id,period,amount,currency\nu1,2025-Q1,x,EUR\nu9,2025-Q1,5,EUR\n", encoding="utf-8")
    wrong, _, told = scoreback("-c", folder, "import", "targets", file)
    file.write_text("subject_id,period,amount,currency\nu1,2025-Q1,2000,EUR\n", encoding="utf-8")

    code, text, _ = scoreback("-c", folder, "import", "targets", file)

    assert (wrong, code) == (2, 0)
    assert "targets.csv row 2, column amount" in told
    assert "targets.csv row 3, column subject_id" in told
    assert "1 new" in text


@pytest.mark.parametrize(("score", "expected"), [("20", 0), ("25", 1)])
def test_plan_check_runs_the_examples(folder: Path, scoreback: Scoreback, score: str, expected: int) -> None:
    (folder / "plans" / "ae.yaml").write_text(PLAN.replace("SCORE", score), encoding="utf-8")

    code, text, told = scoreback("-c", folder, "plan", "check")

    assert code == expected
    assert "not computed in this version" in text
    if expected:
        assert "ae.yaml:5:5: score is 20, expected 25 (-10 due)" in told
    else:
        assert "1 passed, 1 not computed" in text


def test_plan_check_tells_all_mistakes_of_a_file(folder: Path, scoreback: Scoreback, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("plan: new\nperiod: quarterly\nscorcard: {}\n", encoding="utf-8")

    code, _, told = scoreback("-c", folder, "plan", "check", file)

    assert code == 2
    assert "new.yaml:2:9" in told
    assert "Did you mean scorecard?" in told
