"""What a hurried admin does to the command: each slip ends in a sentence and the right exit code."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from connectors.limiter import Limiter
from sync import cli, log
from sync.cli.emulators import connection_file
from sync.cli.files import WriteError, replacing
from sync.config import Config, load_config
from sync.lock import turn
from sync.store.engine import Store, open_store
from sync.store.state import runs

COMMAND = Path(sys.executable).with_name("scoreback")
Scoreback = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(write_config: Callable[..., Path], pull_all: Callable[[Config, Store], None]) -> Path:
    """A configuration folder with a pulled store."""
    folder = write_config()
    config = load_config(folder)
    with open_store(config.store_url) as store:
        pull_all(config, store)
    return folder


@pytest.fixture
def scoreback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Scoreback:
    """Runs the command in this process and in an empty folder: exit code, standard output and standard error."""
    monkeypatch.setattr(Limiter, "_shared", {})
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["scoreback", *map(str, arguments)])
        capsys.readouterr()
        code = cli._run()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


# --out


@pytest.mark.parametrize("command", [("score",), ("report", "deals", "--format", "csv"), ("report", "deals", "--format", "xlsx")])  # fmt: skip
@pytest.mark.parametrize(
    "name",
    ["state.db", "state.db-wal", "state.db.lock", "token.key", "config/scoreback.yaml", "config/new.csv", "link"],
)
def test_no_file_of_ours_is_written_over(
    folder: Path, scoreback: Scoreback, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    (tmp_path / "link").hardlink_to(tmp_path / "state.db")
    path = tmp_path / name
    before = path.read_bytes() if path.exists() else None

    code, _, said = scoreback("-c", folder, *command, "--out", path)

    assert code == 2
    assert "one of Scoreback's own files" in said
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize(
    ("place", "code", "text"),
    [
        pytest.param("none/x.csv", 2, "No such file or directory", id="no folder"),
        pytest.param(".", 2, "is a folder: name a file in it", id="a folder"),
        pytest.param("/dev/full", 1, "No space left on device", id="a full disk"),
    ],
)
def test_a_place_that_takes_no_file_is_told(
    folder: Path, scoreback: Scoreback, place: str, code: int, text: str
) -> None:
    for command in (("score",), ("report", "deals", "--format", "xlsx")):
        ended, _, said = scoreback("-c", folder, *command, "--out", place)

        assert ended == code
        assert text in said


def test_a_report_takes_the_place_of_the_old_one_whole_and_keeps_its_mode(
    folder: Path, scoreback: Scoreback, tmp_path: Path
) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o644)

    code, _, _ = scoreback("-c", folder, "report", "deals", "--format", "csv", "--out", path)

    assert code == 0
    assert path.read_text(encoding="utf-8").startswith("subject,")
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_fails_on_the_way_leaves_the_old_file_and_no_draft(folder: Path, tmp_path: Path) -> None:
    config, path = load_config(folder), tmp_path / "deals.csv"
    path.write_text("old", encoding="utf-8")
    before = sorted(tmp_path.iterdir())

    def write_half() -> None:
        with replacing(path, config) as draft:
            draft.write_text("half", encoding="utf-8")
            raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match="No space left"):
        write_half()

    assert path.read_text(encoding="utf-8") == "old"
    assert sorted(tmp_path.iterdir()) == before


def test_a_world_is_not_written_among_other_files(scoreback: Scoreback, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "accounts.csv").write_text("ours", encoding="utf-8")

    code, _, said = scoreback("world", "exports", "--deals", 5)

    assert code == 2
    assert "exports holds other files" in said
    assert (tmp_path / "exports" / "accounts.csv").read_text(encoding="utf-8") == "ours"


# options


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    "command", [("score", "--out", "x.csv", "--as-of"), ("report", "metrics", "--as-of"), ("world", "w", "--end")]
)
def test_a_day_out_of_all_calendars_is_wrong_use(scoreback: Scoreback, command: tuple[str, ...], day: str) -> None:
    code, _, said = scoreback(*command, day)

    assert code == 2
    assert f"{day} is not a day of the years 1970 to 2199" in said


def test_a_fault_that_there_is_not_lists_those_that_there_are(scoreback: Scoreback) -> None:
    code, _, said = scoreback("sandbox", "hubspot", "--port", 0, "--fault", "nosuch")

    assert code == 2
    assert "nosuch is not a fault of hubspot; there are bad_gateway, clock_skew" in said


def test_a_port_that_is_taken_is_told(scoreback: Scoreback, taken_port: int) -> None:
    code, _, said = scoreback("sandbox", "hubspot", "--port", taken_port)

    assert code == 2
    assert f"port {taken_port} on 127.0.0.1 cannot be had" in said


def test_a_health_port_that_is_taken_is_told_and_nothing_is_started(
    folder: Path, scoreback: Scoreback, taken_port: int
) -> None:
    with (folder / "scoreback.yaml").open("a", encoding="utf-8") as file:
        file.write(f"service: {{health: {taken_port}}}\n")

    code, _, said = scoreback("-c", folder, "run")

    assert code == 2
    assert f"service.health: port {taken_port} on 127.0.0.1 cannot be had" in said


def test_a_folder_that_may_not_be_read_is_no_empty_folder(
    folder: Path, scoreback: Scoreback, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tests may run as root, who may read everything: the system's answer is what is told here.
    monkeypatch.setattr(os, "access", lambda place, _mode: Path(place).name != "connections")

    code, _, said = scoreback("-c", folder, "check")

    assert code == 2
    assert "connections:1:1: this user may not read the folder" in said


def test_a_zero_byte_in_the_name_of_the_store_is_found_in_its_line(folder: Path, scoreback: Scoreback) -> None:
    (folder / "scoreback.yaml").write_text('store: {url: "sqlite:///a\\0b"}\n', encoding="utf-8")

    code, _, said = scoreback("-c", folder, "status")

    assert code == 2
    assert "scoreback.yaml:1:14: store.url: must not hold a zero byte" in said


# runs


def test_a_run_that_there_was_not_is_not_rolled_back_nor_booked(folder: Path, scoreback: Scoreback) -> None:
    code, _, said = scoreback("-c", folder, "rollback", 999)

    assert code == 2
    assert "run 999 wrote nothing that could be put back" in said
    with open_store(load_config(folder).store_url) as store, store.reading() as tx:
        assert "rollback" not in [run.command for run in runs(tx)]


def test_a_dry_run_waits_for_nobody(folder: Path) -> None:
    url = load_config(folder).store_url

    with turn(url, waiting=lambda: pytest.fail("nobody has the turn")), open_store(url) as store, store.writing():
        done = subprocess.run(  # noqa: S603 - our own command
            [COMMAND, "-c", folder, "push", "--dry-run"], capture_output=True, text=True, timeout=50, check=False
        )

    assert done.returncode == 0, done.stderr
    assert "Nothing was written" in done.stdout


def test_an_error_of_the_only_connection_speaks_of_no_others(
    scoreback: Scoreback, tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    path = tmp_path / "config" / "connections" / "crm.yaml"
    path.parent.mkdir(parents=True)
    text = connection_file("hubspot", f"http://127.0.0.1:{taken_port}")
    path.write_text(text.replace("token: sandbox", "token: env:NO_SUCH"), encoding="utf-8")

    code, _, said = scoreback("pull")

    assert code != 0
    assert "NO_SUCH is not set" in said
    assert "the other connections" not in said


# what nobody foresaw


def test_a_defect_ends_in_a_sentence_and_its_traceback_in_the_log(
    folder: Path, scoreback: Scoreback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_: object, **__: object) -> None:
        message = "a defect"
        raise KeyError(message)

    monkeypatch.setattr("sync.status.status_of", defect)

    code, _, said = scoreback("-c", folder, "status")

    logged, told = said.splitlines()[0], said.splitlines()[-1]
    assert code == 1
    assert told.startswith("scoreback: unexpected KeyError in ")
    assert "report this" in told
    assert '"event": "command_crashed", "level": "error"' in logged
    assert "Traceback (most recent call last)" in logged


@pytest.mark.parametrize(("debug", "times"), [((), 1), (("--debug",), 2)])
def test_a_terminal_is_told_an_error_once(
    folder: Path, scoreback: Scoreback, monkeypatch: pytest.MonkeyPatch, debug: tuple[str, ...], times: int
) -> None:
    monkeypatch.setattr("sync.status.status_of", lambda *_: 1 / 0)
    monkeypatch.setattr(log, "is_terminal", lambda: True)

    _, _, said = scoreback(*debug, "-c", folder, "status")

    assert said.count("unexpected ZeroDivisionError") == times
    assert ("Traceback" in said) == bool(debug)


def test_the_service_tells_its_errors_on_a_terminal_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log, "is_terminal", lambda: True)
    log.configure_log(logging.INFO)

    structlog.get_logger().error("cycle_failed")

    assert "cycle_failed" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_news(folder: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own command
        [COMMAND, "-c", folder, "report", "metrics", "--format", "csv"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()

    assert said == ""
    assert process.returncode == 1  # ended by itself: SIGPIPE would end a run whose CRM hangs up, too
