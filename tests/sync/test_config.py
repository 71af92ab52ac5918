"""What a configuration folder means: values as written, paths from the file that names them, files that are not read."""

import textwrap
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.csv_folder.settings import CsvSettings
from connectors.errors import ConfigError
from connectors.settings import Constant, StreamSettings
from sync.config import Config, ConfigProblemsError, load_config

CSV = """
    kind: csv
    folder: ../exports
    """


def write(folder: Path, **files: str) -> Path:
    """Files of a configuration by path without ending, ``__`` for a slash."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).strip() + "\n", encoding="utf-8")
    return folder


def load(folder: Path, **files: str) -> Config:
    """A configuration of these files."""
    return load_config(write(folder, **files))


def problems_of(folder: Path, **files: str) -> list[str]:
    """What is wrong with these files, each as line:column: text."""
    with pytest.raises(ConfigProblemsError) as caught:
        load(folder, **files)
    return [f"{one.line}:{one.column}: {one.text}" for one in caught.value.problems]


def test_an_empty_folder_has_a_default_for_everything(tmp_path: Path) -> None:
    config = load(tmp_path)

    assert config.settings.push.hysteresis == 2
    assert config.connections == {}
    assert config.plans == ()


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="scoreback init"):
        load_config(tmp_path / "nowhere")


def test_a_number_is_the_decimal_of_its_text(tmp_path: Path) -> None:
    config = load(tmp_path, scoreback="push: {hysteresis: 0.1000000000000000055511151231257827}")

    assert config.settings.push.hysteresis == Decimal("0.1000000000000000055511151231257827")


def test_on_and_off_are_words(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        connections__files=CSV + "streams: {email: off, activity: on}\n    automation: on".replace("email: off, ", ""),
    )

    assert config.connections["files"].automation == "on"
    assert config.connections["files"].stream("activity") == StreamSettings()


def test_a_stream_that_is_off_is_not_read_and_since_limits_another(tmp_path: Path) -> None:
    config = load(tmp_path, connections__files=CSV + "streams: {target: off, activity: {since: 2024-01-01}}")

    assert config.connections["files"].stream("target") is None
    assert config.connections["files"].stream("activity") == StreamSettings(since=date(2024, 1, 1))


def test_durations_are_written_with_a_unit(tmp_path: Path) -> None:
    config = load(tmp_path, connections__files=CSV + "every: 90s\n    metadata_every: 2h")

    assert config.connections["files"].every == timedelta(seconds=90)
    assert config.connections["files"].metadata_every == timedelta(hours=2)


def test_a_version_keeps_its_text_and_an_id_its_zeros(tmp_path: Path) -> None:
    stages = (
        "stages: {default: [{stage: 007, outcome: open}, {stage: 1.10, outcome: won}, {stage: 2025-09, outcome: lost}]}"
    )
    config = load(tmp_path, connections__files=CSV + stages)

    assert [stage.stage for stage in config.connections["files"].stages["default"]] == ["007", "1.10", "2025-09"]


def test_a_mapping_may_name_a_constant(tmp_path: Path) -> None:
    config = load(tmp_path, connections__files=CSV + "fields: {opportunity: {currency: {value: USD}, amount: Value}}")

    assert config.connections["files"].fields["opportunity"] == {"currency": Constant(value="USD"), "amount": "Value"}


def test_relative_paths_start_at_the_file_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    folder = tmp_path / "etc" / "config"

    config = load(
        folder,
        scoreback="store: {url: sqlite:///../state.db, token_key: file:../token.key}",
        connections__files=CSV + "network: {ca_file: ca.pem}",
    )

    files = config.connections["files"]
    assert isinstance(files, CsvSettings)
    assert files.folder.resolve() == tmp_path / "etc" / "config" / "exports"
    assert files.network.ca_file == folder / "connections" / "ca.pem"
    assert config.store_url == f"sqlite:///{tmp_path / 'etc' / 'state.db'}"
    assert config.settings.token_key(config.folder).folder == folder


def test_samples_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, connections__salesforce="kind: nonsense")
    (tmp_path / "connections" / "salesforce.yaml").rename(tmp_path / "connections" / "salesforce.sample.yaml")

    assert load_config(tmp_path).connections == {}


def test_a_file_with_the_other_ending_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    write(tmp_path, connections__files=CSV)
    (tmp_path / "connections" / "files.yaml").rename(tmp_path / "connections" / "files.yml")

    assert problems_of(tmp_path) == ["1:1: is not read: name it files.yaml"]


def test_a_connection_is_named_by_its_file_and_the_name_must_do_as_one(tmp_path: Path) -> None:
    write(tmp_path, connections__files=CSV)
    (tmp_path / "connections" / "files.yaml").rename(tmp_path / "connections" / "my files.yaml")

    [said] = problems_of(tmp_path)

    assert "use letters, digits, - and _ only" in said


def test_findings_of_all_files_come_at_once_in_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        scoreback="organisation: {currency: euro}\nmirrors: {primary: slaes}",
        connections__sales=CSV + "everz: 5m",
        connections__other="kind: fiddle",
        plans__ae="plan: ae\nverzion: 2",
    )

    with pytest.raises(ConfigProblemsError) as caught:
        load_config(tmp_path)

    assert [Path(one.file).name for one in caught.value.problems] == [
        "other.yaml", "sales.yaml", "ae.yaml", "scoreback.yaml", "scoreback.yaml",
    ]  # fmt: skip
    assert "Did you mean version?" in str(caught.value)
    assert "mirrors.primary: slaes is not one of our connections. Did you mean sales?" in str(caught.value)


def test_one_plan_version_is_written_once(tmp_path: Path) -> None:
    said = problems_of(tmp_path, plans__a="plan: ae\nversion: 2", plans__b="plan: ae\nversion: 2")

    assert len(said) == 2
    assert all("is written in more than one file: raise the version" in one for one in said)


def test_people_are_matched_by_ids_of_known_connections(tmp_path: Path) -> None:
    config = load(tmp_path, connections__files=CSV, people='Ann Lee: ["files:1", "files:2"]')

    assert config.people == {"files:1": "Ann Lee", "files:2": "Ann Lee"}


def test_a_person_of_two_names_and_a_strange_connection_are_findings(tmp_path: Path) -> None:
    said = problems_of(
        tmp_path, connections__files=CSV, people='Ann: ["files:1", "filez:2"]\nBo: ["files:1"]\nCy: files:3'
    )

    assert said == [
        "1:18: filez:2: filez is not one of our connections. Did you mean files?",
        "2:6: files:1 already belongs to Ann",
        "3:5: Cy must be a list of ids written connection:remote_id",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: [1", "is not valid YAML", id="not closed"),
        pytest.param("a: 1\n---\nb: 2", "another document", id="two documents"),
        pytest.param("- a", "the file must be a map of keys to values", id="a list"),
        pytest.param("a: &x {b: *x}", "inside of its own anchor", id="an alias of itself"),
        pytest.param("? [a]\n: 1", "a key must be one word", id="a list as key"),
    ],
)
def test_what_is_no_map_of_keys_is_a_finding_and_no_crash(tmp_path: Path, text: str, said: str) -> None:
    [found] = problems_of(tmp_path, scoreback=text)

    assert said in found


def test_text_in_another_encoding_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "scoreback.yaml").write_bytes("organisation: {language: \xe4}".encode("latin-1"))

    assert problems_of(tmp_path) == ["1:1: cannot be read: is not UTF-8 text"]


def test_a_week_based_calendar_needs_its_first_day(tmp_path: Path) -> None:
    [said] = problems_of(tmp_path, scoreback="calendar: {kind: 4-4-5}")

    assert said.startswith("1:11: calendar: a week-based calendar needs starts")


@pytest.mark.parametrize(("country", "known"), [("DE", True), ("ZZ", False)])
def test_holidays_are_those_of_a_country_that_is_known(tmp_path: Path, country: str, known: bool) -> None:
    text = f"calendar: {{holidays: {country}}}"

    if known:
        assert load(tmp_path, scoreback=text).settings.calendar.holidays == country
    else:
        assert "such as DE" in problems_of(tmp_path, scoreback=text)[0]


def test_rules_over_several_keys_are_told_beside_mistakes_elsewhere(tmp_path: Path) -> None:
    text = """
        kind: salesforce
        base_url: https://acme.my.salesforce.com
        sign_in: {flow: password, client_id: env:A, client_secret: env:B, username: ann, password: env:C}
        api_version: 65.0
        everz: 5m
        allowance: {share: 2}
        """

    said = problems_of(tmp_path, connections__sales=text)

    assert said == [
        "1:1: the file: flow password ends with api_version 64.0: use client_credentials or jwt",
        "5:1: everz is not a key we know. Did you mean every?",
        "6:20: allowance.share must be at most 1",
    ]


def test_a_mistake_is_not_told_again_as_what_follows_from_it(tmp_path: Path) -> None:
    text = """
        kind: salesforce
        base_url: https://acme.my.salesforce.com
        sign_in: {flow: jwtt, client_id: env:A, username: ann, private_key: env:B}
        """

    [said] = problems_of(tmp_path, connections__sales=text)

    assert said.startswith("3:17: sign_in.flow must be one of")
