"""A file with ten mistakes gets ten findings, each at its line and column, with what to write instead."""

import textwrap
from pathlib import Path

import pytest

from connectors.errors import ConfigError
from connectors.registry import kinds
from sync.config import ConfigProblemsError, load_config

SALESFORCE = """
    kind: salesforce
    base_url: http://acme.my.salesforce.com
    sign_in: {flow: client_credential, client_id: env:SF_ID, client_secret: 3MVG9-very-secret}
    api_version: 40.0
    everz: 5m
    every: 5 minutes
    allowance: {share: 1.5}
    streams:
      emial: off
      call: {since: yesterday}
    fields:
      opportunity: {amuont: Amount, extra: Partner__c}
      oportunity: {amount: Amount}
    stages:
      Default:
        - {stage: Closed Won, outcome: wonn}
    write_back:
      opportunity: {Scoreback_Score__c: scoer, NextStep: reasons}
      deal: {Scoreback_Score__c: score}
    automation: off
    automation: on
    network: {proxy: "http://joe:very-secret@proxy.example.com:3128"}
"""

SALESFORCE_FINDINGS = """
    2:11: base_url: plain http is accepted for loopback only: write https
    3:17: sign_in.flow must be one of 'client_credentials', 'jwt', 'refresh_token' or 'password'. Did you mean client_credentials?
    3:73: sign_in.client_secret: a secret must not stand in the configuration: write env:NAME, file:/path or keyring:SERVICE/NAME instead of the secret itself
    4:14: api_version: api_version 40.0 is too old: 52.0 is the oldest we can read with
    5:1: everz is not a key we know. Did you mean every?
    6:8: every: must be a duration such as 30s, 5m, 1h or 7d
    7:20: allowance.share must be at most 1
    9:3: streams.emial is not a stream of salesforce. Did you mean email?
    10:17: streams.call.since must be a date such as 2025-01-31
    12:17: fields.opportunity.amuont is not a field we know. Did you mean amount? Run "scoreback fields opportunity" for the list
    12:40: fields.opportunity.extra must be a map of names to remote fields
    13:3: fields.oportunity is neither a stream nor a record of salesforce. Did you mean opportunity?
    16:36: stages.Default.0.outcome must be one of 'open', 'won', 'lost' or 'omitted'. Did you mean won?
    18:37: write_back.opportunity.Scoreback_Score__c: scoer is not something that we can write here. Did you mean score?
    18:44: write_back.opportunity.NextStep is not one of our fields, whose names begin with Scoreback: nothing else is ever written
    19:3: write_back.deal must be one of 'opportunity' or 'person'
    21:1: automation is written twice, first in line 20: keep one
    22:18: network.proxy: must not hold a user and password: leave it out and set HTTPS_PROXY where the service is started
"""

HUBSPOT = """
    kind: hubspot
    base_url: api.hubapi.com
    sign_in: {tokn: env:HUBSPOT_TOKEN, client_secret: pat-na1-very-secret}
    api_version: v9
    every: 0s
    allowance: {share: 0, calls: many}
    streams: {deals: off}
    fields:
      call: {duration: hs_call_duration}
      opportunity: [amount]
    stages: {default: [{stage: 12345, outcome: won, probability: 40}, {outcome: lost}]}
    write_back:
      person: {into: 2-123, fields: {scoreback_band: bnad}}
    automation: yes
    language: fr
"""

HUBSPOT_FINDINGS = """
    2:11: base_url: must be a URL such as https://acme.my.salesforce.com
    3:11: sign_in.tokn is not a key we know. Did you mean token?
    3:51: sign_in.client_secret: a secret must not stand in the configuration: write env:NAME, file:/path or keyring:SERVICE/NAME instead of the secret itself
    4:14: api_version must be one of 'v3', '2025-09', '2026-03' or '2026-09'
    5:8: every must be at least 1 second
    6:20: allowance.share must be more than 0
    6:30: allowance.calls must be a whole number
    7:11: streams.deals is not a stream of hubspot. There are stage, person, account, opportunity, change, call, meeting, email, task, target, rate, split, line_item, survey, invoice, commerce_payment, refund, subscription, forecast_submission, payment, contract, forecast, absence, rating.
    9:10: fields.call.duration is not a field we know. Did you mean duration_seconds? Run "scoreback fields call" for the list
    10:16: fields.opportunity must be a map of keys to values
    11:62: stages.default.0.probability must be at most 1
    11:67: stages.default.1.stage is missing: add it
    13:11: write_back.person.key is missing: add it
    13:50: write_back.person.fields.scoreback_band: bnad is not something that we can write here. Did you mean band?
    14:13: automation must be one of 'on' or 'off'
    15:11: language must be one of 'en' or 'zh-CN'
"""

CSV = """
    kind: csv
    folders: ../exports
    files: {oportunity: pipeline.csv}
    decimal: ";"
    time_zone: Berlin
    encoding: utf-99
    streams: {calls: off}
    fields:
      opportunity: {owner: Rep, currency: {value: 7, unit: USD}}
    stages:
      default: [{stage: Won, outcome: win}]
    write_back: {opportunity: {Punkte: points}}
    every: soon
    overlap: -5m
"""

CSV_FINDINGS = """
    1:1: folder is missing: add it
    2:1: folders is not a key we know. Did you mean folder?
    3:8: files: oportunity is not a record we know. Did you mean opportunity?
    4:10: decimal must be one of '.' or ','
    5:12: time_zone: must be a time zone such as Europe/Berlin
    6:11: encoding: must be an encoding such as utf-8, cp1252 or gb18030
    7:11: streams.calls is not a stream of csv. There are person, account, stage, opportunity, change, activity, split, line_item, target, forecast, survey, payment, contract, absence, rate, rating.
    9:17: fields.opportunity.owner is not a field we know. Did you mean owner_id? Run "scoreback fields opportunity" for the list
    9:50: fields.opportunity.currency.unit is not a key we know.
    11:35: stages.default.0.outcome must be one of 'open', 'won', 'lost' or 'omitted'. Did you mean won?
    12:36: write_back.opportunity.Punkte: points is not something that we can write here. There are score, grade, reasons, next_best_action, scored_at, plan, digest, confidence.
    13:8: every: must be a duration such as 30s, 5m, 1h or 7d
    14:10: overlap: must be a duration such as 30s, 5m, 1h or 7d
"""


def found_in(folder: Path, text: str, name: str = "connections/crm.yaml") -> list[str]:
    """Findings of a file, each as line:column: text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    with pytest.raises(ConfigProblemsError) as caught:
        load_config(folder)
    return [f"{one.line}:{one.column}: {one.text}" for one in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(SALESFORCE, SALESFORCE_FINDINGS, id="salesforce"),
        pytest.param(HUBSPOT, HUBSPOT_FINDINGS, id="hubspot"),
        pytest.param(CSV, CSV_FINDINGS, id="csv"),
    ],
)
def test_every_mistake_is_found_where_it_is_with_what_to_write(tmp_path: Path, text: str, expected: str) -> None:
    found = found_in(tmp_path, text)

    assert found == textwrap.dedent(expected).strip().splitlines()
    assert len(found) >= 10


@pytest.mark.parametrize("text", [SALESFORCE, HUBSPOT])
def test_a_literal_secret_is_never_repeated(tmp_path: Path, text: str) -> None:
    found = found_in(tmp_path, text)

    assert "very-secret" not in "\n".join(found)


@pytest.mark.parametrize(
    "literal",
    [
        pytest.param("*very-secret", id="read as an alias"),
        pytest.param("!very-secret!rest x", id="read as a tag"),
        pytest.param("&very-secret", id="read as an anchor"),
        pytest.param("[very-secret", id="a list that does not close"),
        pytest.param("{a: very-secret}", id="a map"),
        pytest.param("2025-99-99very-secret", id="nearly a date"),
        pytest.param("very-secret: x", id="two colons"),
    ],
)
def test_a_secret_that_yaml_stumbles_over_is_not_repeated_either(tmp_path: Path, literal: str) -> None:
    text = f"kind: hubspot\nsign_in:\n  token: {literal}\n"

    found = found_in(tmp_path, text)

    assert found
    assert "very-secret" not in "\n".join(found)


def test_an_unknown_kind_names_the_nearest_and_stops_there(tmp_path: Path) -> None:
    found = found_in(tmp_path, "kind: salesforc\nevry: 5m\n")

    assert found == [
        "1:7: kind: salesforc is not a CRM we know. Did you mean salesforce? The rest of the file was not looked at"
    ]


def test_a_kind_is_needed(tmp_path: Path) -> None:
    [said] = found_in(tmp_path, "every: 5m\n")

    assert said == f"1:1: kind is missing: add one of {', '.join(kinds())}"


def test_the_mistakes_of_the_general_file(tmp_path: Path) -> None:
    text = """
        store: {url: "postgresql://joe:very-secret@db/scoreback"}
        organisation: {time_zone: Europe/Berln, currency: eur, language: de}
        calendar: {fiscal_start: 13, holidays: Germany}
        push: {drift_guard: 2}
        service: {health: off}
    """

    found = found_in(tmp_path, text, "scoreback.yaml")

    assert found == [
        "1:14: store.url: a secret must not stand in the configuration: take the password out and name it in store.password",
        "2:27: organisation.time_zone: must be an IANA time zone such as Europe/Berlin. Did you mean Europe/Berlin?",
        "2:51: organisation.currency must look like EUR",
        "2:66: organisation.language must be one of 'en' or 'zh-CN'",
        "3:26: calendar.fiscal_start must be at most 12",
        "3:40: calendar.holidays: must be the two letters of a country whose holidays are known, such as DE",
        "4:21: push.drift_guard must be at most 1",
        "5:19: service.health must be a whole number",
    ]


def test_the_mistakes_of_a_plan(tmp_path: Path) -> None:
    text = """
        plan: ae
        version: 0
        effective: [2026-01-01, 2025-01-01]
        period: week
        scorecard:
          components:
            - {id: results, metric: attainment, weighd: 0.5}
            - {id: wins, metric: win_rate, weight: 1.5}
          bands: {A: 60, B: 80}
        targets: {bookings: {form: [plan]}}
    """

    found = found_in(tmp_path, text, "plans/ae.yaml")

    assert [said.split(" ")[0] for said in found[:3]] == ["2:10:", "3:12:", "4:9:"]
    assert "7:41: scorecard.components.0.weighd is not a key we know. Did you mean weight?" in found
    assert "8:44: scorecard.components.1.weight must be at most 1" in found
    assert any(said.startswith("9:10: scorecard.bands: bands are written from the best down") for said in found)
    assert any(
        said.startswith("10:22: targets.bookings.form is not a key we know. Did you mean from?") for said in found
    )


TOKEN = "pat-na1-0f3e2d1c-aaaa-bbbb-cccc-1234567890ab"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (f"kind: {TOKEN}", "1:7: kind: this is not a CRM we know. "),
        (f"kind: hubspot\nsign_in: {{{TOKEN}: x}}", "2:11: sign_in.*** is not a key we know."),
        ("kind: hubspot\nsign_in: {hunter2hunter: x}", "2:11: sign_in.*** is not a key we know."),
        (f"kind: hubspot\nsign_in: {{token: env:{TOKEN}}}", "2:18: sign_in.token: what stands after env: must be the"),
        (f"kind: hubspot\n{TOKEN}: x", "2:1: *** is not a key we know."),
        (f"kind: hubspot\nstreams: {{{TOKEN}: off}}", "2:11: streams.*** is not a stream of hubspot."),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path, lines: str, expected: str) -> None:
    path = tmp_path / "connections" / "crm.yaml"
    path.parent.mkdir()
    path.write_text(lines + "\n", encoding="utf-8")

    with pytest.raises(ConfigProblemsError) as caught:
        load_config(tmp_path)

    assert f"crm.yaml:{expected}" in str(caught.value)
    assert "0f3e2d1c" not in str(caught.value)


ALIASES = "x0: &x0 [lol, lol]\n" + "".join(
    f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}, *x{n - 1}, *x{n - 1}]\n" for n in range(1, 15)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(ALIASES, "is not taken: there are more values than a configuration has", id="aliases"),
        pytest.param(
            "x: " + "[" * 1500 + "]" * 1500, "1:43: is not taken: maps and lists stand more than 40", id="deep"
        ),
        pytest.param("x: " + "{a: " * 900 + "1" + "}" * 900, "is not taken: maps and lists stand more than", id="maps"),
        pytest.param("x: y" + "y" * 300_000, "1:1: is larger than 256 KiB", id="large"),
        pytest.param(
            "push: {hysteresis: 1e999}", "1:20: push.hysteresis is a number beyond all measure", id="exponent"
        ),
        pytest.param("push: {hysteresis: 1e-999999999}", "1:20: push.hysteresis is a number beyond", id="tiny"),
        pytest.param("push: {drift_guard_from: 0x" + "f" * 9_000 + "}", "1:26: push.drift_guard_from is a", id="hex"),
        pytest.param("service: {jitter: 999999999999d}", "1:19: service.jitter: must be at most 3650d", id="duration"),
        pytest.param('a: 1\nb: "\x01"', "2:5: is not valid YAML: a character that YAML does not take", id="control"),
    ],
)
def test_a_file_that_would_take_for_ever_is_a_finding(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "scoreback.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigProblemsError) as caught:
        load_config(tmp_path)

    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("network", "says"), [("connect_timeout: 0s", "at least 1 second"), ("read_timeout: 99d", "at most 1 hour")]
)
def test_a_timeout_that_no_socket_takes_is_found(tmp_path: Path, network: str, says: str) -> None:
    path = tmp_path / "connections" / "crm.yaml"
    path.parent.mkdir()
    path.write_text(f"kind: csv\nfolder: .\nnetwork: {{{network}}}\n", encoding="utf-8")

    with pytest.raises(ConfigProblemsError, match=says):
        load_config(tmp_path)


@pytest.mark.parametrize(
    "name", ["plans/ae.YAML", "plans/ae.yml", "connections/crm.YML", "scoreback.yml", "People.yaml"]
)
def test_a_file_whose_name_keeps_it_from_being_read_is_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("plan: ae\n", encoding="utf-8")

    with pytest.raises(ConfigProblemsError) as caught:
        load_config(tmp_path)

    assert f"{path.name}:1:1: is not read: name it {path.stem.lower()}.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("targets: {bookings: {person: -5}}", "targets.bookings.person must be at least 0"),
        ("version: 99999999999999999999", "version must be at most 1000000"),
        ("opportunity_score: {rules: [{id: r, when: amount > 1, points: 1000000}]}", "points must be at most 1000"),
    ],
)
def test_a_plan_s_numbers_have_bounds(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "ae.yaml").write_text(f"plan: ae\n{line}\n", encoding="utf-8")

    with pytest.raises(ConfigProblemsError, match=says):
        load_config(tmp_path)


def test_two_plans_for_the_same_people_are_found_at_the_second_one_s_who(tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "a.yaml").write_text("plan: a\nwho: {role: [AE, AM]}\n", encoding="utf-8")
    (tmp_path / "plans" / "b.yaml").write_text(
        "plan: b\neffective: [2025-01-01, 2026-01-01]\nwho: {role: AE}\n", encoding="utf-8"
    )

    with pytest.raises(ConfigProblemsError) as caught:
        load_config(tmp_path)

    assert "b.yaml:3:6: plan b: whoever it names is in plan a too from 2025-01-01 on." in str(caught.value)


def test_a_folder_of_something_else_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root", encoding="utf-8")

    with pytest.raises(ConfigError, match="holds nothing of ours"):
        load_config(tmp_path)
