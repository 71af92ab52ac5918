"""init, check, provision, schema and fields, through the real command against the emulators."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors.csv_folder.settings import CsvSettings
from connectors.limiter import Limiter
from connectors.sandbox.emulator import Emulator
from connectors.sandbox.folder import write_world
from connectors.sandbox.hubspot import HubSpotEmulator
from connectors.sandbox.salesforce import SalesforceEmulator
from connectors.sandbox.server import Server
from sync import cli
from sync.cli.emulators import connection_file
from sync.config import load_config
from sync.lock import only_instance

WORLD: dict[str, list[dict[str, str]]] = {
    "people": [{"id": "1", "name": "Ann Lee", "email": "ann@example.com", "territory": "North"}],
    "accounts": [{"id": "10", "name": "Acme", "owner_id": "1"}],
    "stages": [
        {"id": "s1", "stage": "Prospecting", "label": "Prospecting", "position": "1", "outcome": "open", "probability": "0.1"},
        {"id": "s2", "stage": "Closed Won", "label": "Closed Won", "position": "2", "outcome": "won", "probability": "1"},
    ],
    "opportunities": [
        {"id": str(number), "name": f"Deal {number}", "account_id": "10", "owner_id": "1", "stage": "Prospecting",
         "outcome": "open", "amount": "100", "currency": "EUR", "external_id": f"X{number}",
         "created_at": "2026-01-10T08:00:00Z", "close_on": "2026-04-30"}
        for number in range(120)
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """How the command ended and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _own_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limiters live as long as a process: a test starts with none."""
    monkeypatch.setattr(Limiter, "_shared", {})


@pytest.fixture
def scoreback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCOREBACK_CONFIG", raising=False)

    def run(*arguments: object, say: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["scoreback", *(str(argument) for argument in arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(say))
        code = cli._run()
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture(params=[HubSpotEmulator, SalesforceEmulator], ids=["hubspot", "salesforce"])
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator]:
    """Each emulated CRM in turn, with a small company in it."""
    write_world(tmp_path / "world", WORLD)
    emulator: Emulator = request.param(tmp_path / "world")
    with Server(emulator):
        yield emulator


@pytest.fixture
def connected(tmp_path: Path) -> Callable[..., Path]:
    """Writes a connection to an emulator; the path of its file."""

    def write(emulator: Emulator, name: str = "crm", **options: Any) -> Path:
        path = tmp_path / "config" / "connections" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(connection_file(emulator.kind, emulator.url, **options), encoding="utf-8")
        return path

    return write


# init


def test_init_asks_what_it_was_not_told_and_writes_a_folder_that_loads(scoreback: Run, tmp_path: Path) -> None:
    answers = "fiddle\nsalesforce\nbad name\nsales-eu\nhttp://acme.my.salesforce.com\nhttps://acme.my.salesforce.com\nBerlin\n\nchf\n"

    ran = scoreback("init", say=answers)

    assert ran.code == 0
    assert "fiddle: not one of csv, dynamics" in ran.out
    assert "plain http is accepted for loopback only" in ran.out
    assert "Now set SF_ID and SF_SECRET in the environment, then: scoreback check" in ran.out
    config = load_config(tmp_path / "config")
    assert config.connections["sales-eu"].base_url == "https://acme.my.salesforce.com"
    assert config.settings.organisation.time_zone == "Europe/Berlin"
    assert config.settings.organisation.currency == "CHF"
    assert [plan.plan for plan in config.plans] == ["default"]


@pytest.mark.parametrize("folder", ["exports", "my exports: 2025"])
def test_a_folder_given_to_init_starts_where_init_was_started(scoreback: Run, tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()

    ran = scoreback(
        "init", "--kind", "csv", "--name", "files", "--base-url", folder, "--time-zone", "UTC", "--currency", "EUR"
    )

    assert ran.code == 0
    text = (tmp_path / "config" / "connections" / "files.yaml").read_text(encoding="utf-8")
    assert f"../../{folder}" in text
    settings = load_config(tmp_path / "config").connections["files"]
    assert isinstance(settings, CsvSettings)
    assert settings.folder.resolve() == (tmp_path / folder).resolve()


def test_init_takes_flags_and_leaves_files_alone_that_are_there(scoreback: Run, tmp_path: Path) -> None:
    flags = ("--time-zone", "Asia/Shanghai", "--currency", "cny")
    scoreback("-c", "here", "init", "--kind", "hubspot", "--name", "one", *flags)
    (tmp_path / "here" / "scoreback.yaml").write_text("push: {hysteresis: 5}\n", encoding="utf-8")

    ran = scoreback("-c", "here", "init", "--kind", "csv", "--name", "two", "--base-url", "../data", *flags)

    assert ran.code == 0
    assert "here/scoreback.yaml exists: left as it is" in ran.err
    config = load_config(tmp_path / "here")
    assert sorted(config.connections) == ["one", "two"]
    assert config.settings.push.hysteresis == 5


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        pytest.param(("--kind", "fiddle"), "fiddle: not one of csv, dynamics", id="kind"),
        pytest.param(("--kind", "csv", "--name", "a b"), "letters, digits", id="name"),
        pytest.param(("--kind", "hubspot", "--name", "a", "--base-url", "ftp://x"), "must be a URL", id="address"),
        pytest.param(("--kind", "csv", "--name", "a", "--time-zone", "Berlin"), "not an IANA time zone", id="zone"),
    ],
)
def test_a_flag_that_makes_no_sense_is_wrong_use(
    scoreback: Run, tmp_path: Path, flags: tuple[str, ...], said: str
) -> None:
    ran = scoreback("init", *flags)

    assert ran.code == 2
    assert said in ran.err
    assert not (tmp_path / "config").exists()


def test_a_question_that_is_never_answered_stops_it(scoreback: Run, tmp_path: Path) -> None:
    ran = scoreback("init", say="hubspot\n")

    assert ran.code == 1
    assert not (tmp_path / "config").exists()


def test_from_crm_proposes_fields_and_stages_as_yaml(scoreback: Run, crm: Emulator, connected: Any) -> None:
    path = connected(crm)

    ran = scoreback("init", "--from-crm")

    assert ran.code == 0
    proposed = YAML(typ="safe").load(ran.out)
    external = {"hubspot": "external_id", "salesforce": "External_Id__c"}[crm.kind]
    assert proposed["fields"]["opportunity"]["external_id"] == external
    assert "Prospecting" in ran.out
    assert "outcome: won" in ran.out
    stages = "\n".join(line.removeprefix("# ") for line in ran.out[ran.out.index("# stages:") :].splitlines())
    general = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(general | proposed | YAML(typ="safe").load(stages), file)
    assert load_config(path.parent.parent).connections["crm"].fields["opportunity"]["external_id"] == external


# check


def test_check_names_what_is_missing_with_what_to_do_until_it_is_there(
    scoreback: Run, crm: Emulator, connected: Any
) -> None:
    connected(crm)

    before = scoreback("check")
    made = scoreback("provision")
    after = scoreback("check")

    assert (before.code, made.code, after.code) == (1, 0, 0)
    assert [line for line in before.out.splitlines() if line.startswith("XX") and "crm: write_back.opportunity" in line]
    assert "scoreback provision" in before.out.replace("`", "")
    assert "XX" not in after.out


def test_check_in_json_has_a_row_per_finding(scoreback: Run, crm: Emulator, connected: Any) -> None:
    connected(crm)

    rows = json.loads(scoreback("check", "--json").out)

    assert {row["connection"] for row in rows} == {"crm"}
    assert {"level", "where", "text", "advice"} < rows[0].keys()
    assert [row["level"] for row in rows if row["where"] == "sign-in"] == ["ok"]


def test_a_refused_sign_in_ends_with_3_and_the_other_connection_is_looked_at(
    scoreback: Run, crm: Emulator, connected: Any, tmp_path: Path
) -> None:
    connected(crm)
    crm.faults.arm({"name": "revoked", "times": None})
    (tmp_path / "config" / "connections" / "zfiles.yaml").write_text("kind: csv\nfolder: ../../world\n")

    ran = scoreback("check")

    assert ran.code == 3
    assert "XX  crm: sign-in: " in ran.out
    assert "ok  zfiles: opportunity: opportunities.csv: 120 rows" in ran.out


def test_a_secret_that_cannot_be_had_is_told_and_the_other_connection_is_looked_at(
    scoreback: Run, crm: Emulator, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    connected(crm, "good")
    path = connected(crm, "bad")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("token: sandbox", "token: env:NO_SUCH").replace(
            "client_secret: sandbox", "client_secret: env:NO_SUCH"
        ),
        encoding="utf-8",
    )

    ran = scoreback("check")

    assert ran.code == 1
    assert "the environment variable NO_SUCH is not set" in ran.out
    assert "ok  good: sign-in: " in ran.out


def test_check_looks_beside_a_running_service(scoreback: Run, crm: Emulator, connected: Any, tmp_path: Path) -> None:
    connected(crm, write_back=False)
    config = load_config(tmp_path / "config")

    with only_instance(config.store_url):
        ran = scoreback("check")

    assert ran.code == 0


def test_a_wrong_configuration_ends_with_2_before_anything_is_asked(
    scoreback: Run, crm: Emulator, connected: Any
) -> None:
    path = connected(crm)
    path.write_text(path.read_text(encoding="utf-8").replace("every: 5m", "everz: 5m"), encoding="utf-8")

    ran = scoreback("check")

    assert ran.code == 2
    assert ": everz is not a key we know. Did you mean every?" in ran.err
    assert "1 problem in the configuration. Nothing was done." in ran.err
    assert not crm.stats


def test_an_unknown_connection_is_wrong_use(scoreback: Run, crm: Emulator, connected: Any) -> None:
    connected(crm)

    ran = scoreback("check", "crmm")

    assert ran.code == 2
    assert "crmm is not one of our connections (crm)" in ran.err


def test_the_estimate_of_a_first_run_counts_pages_by_cheap_questions(
    scoreback: Run, crm: Emulator, connected: Any
) -> None:
    path = connected(crm, write_back=False)
    streams = {
        "hubspot": "stage person call meeting email task target rate split line_item survey"
        " invoice commerce_payment refund subscription forecast_submission",
        "salesforce": "person stage history field_history call email task meeting target rate split line_item forecasting_item",
    }
    off = ", ".join(f"{name}: off" for name in streams[crm.kind].split())
    path.write_text(path.read_text(encoding="utf-8") + f"streams: {{{off}}}\n", encoding="utf-8")

    ran = scoreback("check", "--estimate")

    calls = {"hubspot": 4, "salesforce": 2}[crm.kind]  # 120 deals: 50 a page with their history, or 2,000 a page
    assert ran.code == 0
    assert f"about {calls} calls (0 of them writes)" in ran.out
    assert "the next run reads account, opportunity from the beginning" in ran.out


def test_the_estimate_of_a_csv_folder_is_no_calls(scoreback: Run, tmp_path: Path) -> None:
    write_world(tmp_path / "world", WORLD)
    path = tmp_path / "config" / "connections" / "files.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("kind: csv\nfolder: ../../world\n", encoding="utf-8")

    ran = scoreback("check", "--estimate")

    assert "files: estimate: the next run makes no calls" in ran.out


# provision


def test_a_dry_run_says_what_is_missing_and_makes_nothing(scoreback: Run, crm: Emulator, connected: Any) -> None:
    connected(crm)

    ran = scoreback("provision", "--dry-run")

    assert ran.code == 0
    assert "missing  crm: " in ran.out
    assert not [where for where in crm.stats if where.startswith(("PATCH", "PUT", "DELETE"))]
    assert scoreback("check").code == 1


def test_what_was_made_exists_the_second_time_and_can_be_taken_away(
    scoreback: Run, crm: Emulator, connected: Any
) -> None:
    connected(crm)

    first, second, away = scoreback("provision"), scoreback("provision"), scoreback("provision", "--remove")

    assert (first.code, second.code, away.code) == (0, 0, 0)
    assert "created  crm: " in first.out
    assert "exists   crm: " in second.out
    assert "created" not in second.out
    assert "removed  crm: " in away.out
    assert scoreback("check").code == 1


def test_steps_by_hand_are_printed_and_end_with_1(scoreback: Run, connected: Any) -> None:
    with Server(HubSpotEmulator(None)) as server:
        connected(server.emulator)
        server.emulator.faults.arm({"name": "no_permission", "match": "POST /crm/properties", "times": None})
        ran = scoreback("provision")

    assert ran.code == 1
    assert "by hand  crm: scoreback_score\n" in ran.out
    assert "crm: scoreback_score by hand: " in ran.err
    assert "run it again when these steps are done" in ran.err


def test_a_refused_sign_in_ends_provisioning_with_3(scoreback: Run, crm: Emulator, connected: Any) -> None:
    connected(crm)
    crm.faults.arm({"name": "revoked", "times": None})

    ran = scoreback("provision")

    assert ran.code == 3
    assert ran.err.startswith("crm: ")


def test_a_folder_of_files_needs_no_fields(scoreback: Run, tmp_path: Path) -> None:
    write_world(tmp_path / "world", WORLD)
    path = tmp_path / "config" / "connections" / "files.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("kind: csv\nfolder: ../../world\n", encoding="utf-8")

    ran = scoreback("provision")

    assert (ran.code, ran.out) == (0, "files: csv needs no fields of ours\n")


def test_provisioning_works_beside_a_running_service(
    scoreback: Run, crm: Emulator, connected: Any, tmp_path: Path
) -> None:
    connected(crm)

    with only_instance(load_config(tmp_path / "config").store_url):
        ran = scoreback("provision")

    assert ran.code == 0
    assert "created" in ran.out


# schema, fields and wrong use


@pytest.mark.parametrize("name", ["scoreback", "connection", "plan"])
def test_schema_prints_json_schema(scoreback: Run, name: str) -> None:
    ran = scoreback("schema", name)

    assert ran.code == 0
    assert json.loads(ran.out)["title"].startswith("config/")


def test_fields_lists_a_record_a_stream_and_the_deal(scoreback: Run) -> None:
    rows = json.loads(scoreback("fields", "call", "--json").out)

    assert {"field": "duration_seconds", "type": "whole number"} in rows
    assert "days_since_meeting" in scoreback("fields", "deal").out
    assert "## opportunity" in scoreback("fields").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "Usage: scoreback", id="nothing"),
        pytest.param(("chexk",), "No such command 'chexk'", id="command"),
        pytest.param(("check", "--nope"), "No such option: --nope", id="option"),
        pytest.param(("schema", "plans"), "plans is not one of scoreback, connection, plan", id="schema"),
        pytest.param(("fields", "oportunity"), "Did you mean opportunity?", id="field kind"),
        pytest.param(("-c", "nowhere", "check"), "there is no configuration folder", id="folder"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_is_right(scoreback: Run, arguments: tuple[str, ...], said: str) -> None:
    ran = scoreback(*arguments)

    assert ran.code == 2
    assert said in ran.out + ran.err


def test_the_folder_comes_from_the_environment_where_c_names_none(
    scoreback: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "scoreback.yaml").write_text("everz: 5m\n", encoding="utf-8")
    monkeypatch.setenv("SCOREBACK_CONFIG", str(tmp_path / "etc"))

    ran = scoreback("check")

    assert "etc/scoreback.yaml:1:1: everz is not a key we know." in ran.err


def test_the_installed_command_ends_with_the_same_codes() -> None:
    command = Path(sys.executable).parent / "scoreback"

    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    wrong = subprocess.run([command, "check", "--nope"], capture_output=True, text=True, check=False)  # noqa: S603 - our own command

    assert (version.returncode, wrong.returncode) == (0, 2)
    assert version.stdout.startswith("scoreback ")
    assert "Usage: scoreback check" in wrong.stderr


def test_an_emulators_connection_file_does_not_call_its_credentials_references(scoreback: Run) -> None:
    ran = scoreback("sandbox", "salesforce", "--print-connection")

    assert ran.code == 0
    assert "client_id: sandbox\n" in ran.out


def test_check_says_where_two_files_read_one_account(
    scoreback: Run, crm: Emulator, connected: Callable[..., Path]
) -> None:
    connected(crm, "eu")
    connected(crm, "us")

    ran = scoreback("check")

    assert "us: connection: reads the same account as eu: what both read counts twice" in ran.out


def test_check_says_of_a_renamed_file_what_a_pull_would_say(
    scoreback: Run, crm: Emulator, connected: Callable[..., Path]
) -> None:
    file = connected(crm, "eu")
    scoreback("pull")
    file.rename(file.with_name("us.yaml"))

    ran = scoreback("check")

    assert ran.code == 1
    assert "scoreback rename eu us takes over what was read" in ran.out


def test_check_notes_nothing_that_binds_a_name(scoreback: Run, crm: Emulator, connected: Callable[..., Path]) -> None:
    file = connected(crm, "eu")
    scoreback("check")
    file.rename(file.with_name("us.yaml"))

    ran = scoreback("pull")

    assert ran.code == 0
