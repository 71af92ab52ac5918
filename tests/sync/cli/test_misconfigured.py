"""A configuration whose mistake shows only when it is used ends with the code of a wrong configuration."""

import sys
from pathlib import Path

import pytest

from connectors.errors import ConfigError, RetryLaterError
from sync import cli
from sync.cli import work
from sync.cli.shared import Exit
from sync.pulled import PullOutcome
from sync.run import CycleOutcome


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A csv connection with one person and one deal; the command works on it."""
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "people.csv").write_text("id,name,email\nu1,Ada,ada@example.com\n", encoding="utf-8")
    (tmp_path / "exports" / "opportunities.csv").write_text(
        "id,owner_id,outcome,amount,currency\nd1,u1,open,5,EUR\n", encoding="utf-8"
    )
    for folder in ("connections", "plans"):
        (tmp_path / "config" / folder).mkdir(parents=True)
    (tmp_path / "config" / "connections" / "files.yaml").write_text("kind: csv\nfolder: ../../exports\n")
    monkeypatch.setenv("SCOREBACK_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def code_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["scoreback", *arguments])
    return cli._run()


def hubspot(config: Path, sign_in: str) -> None:
    text = f"kind: hubspot\nbase_url: http://127.0.0.1:1\nsign_in: {{{sign_in}}}\n"
    (config / "connections" / "crm.yaml").write_text(text, encoding="utf-8")


def test_a_secret_that_is_not_there(
    config: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    hubspot(config, "token: env:NO_SUCH_TOKEN")

    assert code_of(monkeypatch, "pull") == Exit.WRONG_USE
    assert "files: 2 rows read" in capfd.readouterr().out


def test_a_folder_that_is_not_there(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (config.parent / "exports").rename(config.parent / "elsewhere")

    assert code_of(monkeypatch, "pull") == Exit.WRONG_USE


def test_a_person_in_two_plans(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (config / "plans" / "a.yaml").write_text("plan: a\nwho: {name: Ada}\n", encoding="utf-8")
    (config / "plans" / "b.yaml").write_text("plan: b\nwho: {email: ada@example.com}\n", encoding="utf-8")

    assert code_of(monkeypatch, "run", "--once") == Exit.WRONG_USE


def test_a_crm_that_is_away_is_a_failed_run_whatever_else_is_wrong() -> None:
    wrong = PullOutcome("files", error=ConfigError("files: there is no such folder"))
    away = PullOutcome("crm", error=RetryLaterError("crm: no answer in time"))

    assert work._code(CycleOutcome(1, pulls=[wrong, PullOutcome("other")])) == Exit.WRONG_USE
    assert work._code(CycleOutcome(1, pulls=[wrong, away])) == Exit.FAILED
