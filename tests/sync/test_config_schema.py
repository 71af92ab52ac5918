"""The JSON Schema that editors use says what the loader says: the samples pass, a mistake does not."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from connectors.registry import connector_class, kinds
from sync.cli.emulators import connection_file
from sync.config import SAMPLE, load_config
from sync.config_checks import PUSHABLE
from sync.json_schema import SCHEMA_NAMES, json_schema, schema_text
from sync.key_meanings import MEANINGS
from sync.provision import _TYPES
from sync.reference import configuration_page, fields_page, keys_without_meaning, record_fields
from sync.yaml_file import read_yaml

ROOT = Path(__file__).parents[2]
SAMPLES = [ROOT / "config" / "scoreback.yaml", *sorted((ROOT / "config").rglob(f"*{SAMPLE}"))]
EVERYTHING = """
kind: salesforce
base_url: https://acme.my.salesforce.com
sign_in: {flow: client_credentials, client_id: env:SF_ID, client_secret: env:SF_SECRET}
api_version: 64.0
every: 5m
allowance: {share: 0.2}
streams: {call: {since: 2024-01-01}, email: off}
fields:
  opportunity: {amount: Amount, external_id: Legacy_Id__c, currency: {value: USD}, extra: {partner: Partner__c}}
  call: {duration_seconds: Length__c}
stages:
  Default: [{stage: Prospecting, outcome: open, probability: 0.1}, {stage: 7, outcome: won}]
write_back:
  opportunity: {Scoreback_Score__c: score}
  person: {into: Scoreback_Appraisal__c, key: Scoreback_Key__c, fields: {Scoreback_Band__c: band}}
automation: off
"""


def plain(value: Any) -> Any:
    """YAML values as JSON has them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def faults(name: str, path: Path) -> list[str]:
    """What the schema says against a file."""
    schema = json.loads(schema_text(name))
    data = plain(read_yaml(path, path.name).data)
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(data)]


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_the_schemas_are_schemas_and_the_files_hold_them(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(json_schema(name))

    assert (ROOT / "config" / "schema" / f"{name}.json").read_text(encoding="utf-8") == schema_text(name)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample_names_its_schema_and_passes_it(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)

    assert named
    schema = path.parent / named[1]
    assert schema.exists()
    assert faults(schema.stem, path) == []


def test_a_file_with_everything_passes_both_the_schema_and_the_loader(tmp_path: Path) -> None:
    path = tmp_path / "connections" / "sales.yaml"
    path.parent.mkdir()
    path.write_text(EVERYTHING, encoding="utf-8")

    assert faults("connection", path) == []
    assert list(load_config(tmp_path).connections) == ["sales"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("every: 5m", "everz: 5m", id="key"),
        pytest.param("every: 5m", "every: 5 minutes", id="duration"),
        pytest.param("kind: salesforce", "kind: salesforc", id="kind"),
        pytest.param("amount: Amount", "amuont: Amount", id="our field"),
        pytest.param("email: off", "emial: off", id="stream"),
        pytest.param("email: off", "email: no", id="switch"),
        pytest.param("env:SF_SECRET", "hunter2", id="literal secret"),
        pytest.param("share: 0.2", "share: 1.5", id="share"),
        pytest.param("outcome: won", "outcome: wonn", id="outcome"),
        pytest.param("Scoreback_Score__c: score", "Scoreback_Score__c: scoer", id="value to write"),
        pytest.param("key: Scoreback_Key__c, ", "", id="key of our object"),
        pytest.param("flow: client_credentials", "flow: magic", id="flow"),
    ],
)
def test_the_schema_refuses_a_mistake(tmp_path: Path, right: str, wrong: str) -> None:
    path = tmp_path / "sales.yaml"
    path.write_text(EVERYTHING.replace(right, wrong, 1), encoding="utf-8")

    assert faults("connection", path)


def test_the_samples_load_once_their_names_say_so(tmp_path: Path) -> None:
    for path in SAMPLES:
        copy = tmp_path / path.relative_to(ROOT / "config").with_name(path.name.replace(SAMPLE, ".yaml"))
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())

    config = load_config(tmp_path)

    assert sorted(config.connections) == kinds()
    assert [plan.plan for plan in config.plans] == ["default"]


def test_the_folder_as_it_comes_holds_together_and_the_samples_are_what_init_writes() -> None:
    config = load_config(ROOT / "config")

    assert config.connections == {}
    for path in SAMPLES:
        source = (
            ROOT / "sync" / "defaults" / path.relative_to(ROOT / "config").with_name(path.name.replace(SAMPLE, ".yaml"))
        )
        assert path.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_the_connection_file_of_an_emulator_loads(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "connections" / "crm.yaml"
    path.parent.mkdir()
    path.write_text(connection_file(kind, "http://127.0.0.1:8800"), encoding="utf-8")

    assert load_config(tmp_path).connections["crm"].base_url == "http://127.0.0.1:8800"
    assert faults("connection", path) == []


def test_every_stream_and_kind_of_crm_completes() -> None:
    schema = json_schema("connection")
    branches = {branch["if"]["properties"]["kind"]["const"]: branch["then"] for branch in schema["allOf"]}

    for kind in kinds():
        streams = {stream.name for stream in connector_class(kind).streams}
        assert branches[kind]["properties"]["streams"]["properties"].keys() == streams
        assert streams <= branches[kind]["properties"]["fields"]["properties"].keys()


def test_every_key_has_a_meaning_and_every_meaning_a_key() -> None:
    page = configuration_page()

    assert keys_without_meaning() == []
    assert [key for key in MEANINGS if f"| `{key}` |" not in page] == []


def test_fields_are_those_of_records_streams_and_deals() -> None:
    assert ("amount", "number") in (record_fields("opportunity") or [])
    assert record_fields("call") == record_fields("activity") == record_fields("meeting")
    assert ("days_since_meeting", "whole number") in (record_fields("deal") or [])
    assert ("stage_dwell_p80", "whole number") in (record_fields("deal") or [])
    assert record_fields("cal") is None
    assert "## opportunity" in fields_page()


def test_whatever_can_be_written_back_has_a_type_to_be_made_with() -> None:
    assert {name for names in PUSHABLE.values() for name in names} <= _TYPES.keys()
