"""Explain: from a score down to versions, ending with the hash of its inputs."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import ConfigError
from sync.config import Config
from sync.explain import explain_subject
from sync.explain_text import lines_of
from sync.report import report_metrics
from sync.run import Service
from sync.status import status_of
from sync.store.engine import Store
from tests.sync.conftest import PEOPLE, WORLD

Pulled = Callable[..., tuple[Config, Store]]
PullAll = Callable[[Config, Store], None]


def scored(config: Config, store: Store) -> None:
    with Service(config, store) as service, service.run("score") as book:
        service.score(book.number)


def test_an_open_deal_is_explained_down_to_its_versions(pulled: Pulled) -> None:
    config, store = pulled()
    scored(config, store)

    chain = explain_subject(config, store, "d4")

    assert chain.subject == "opportunity:crm:d4"
    (score,) = chain.scores
    assert score["payload"]["reasons"]
    kinds = {(record.kind, record.remote_id) for record in chain.records}
    assert {("opportunity", "d4"), ("account", "a2"), ("person", "u1"), ("stage", "s1")} <= kinds
    assert all(record.seq and record.recorded_at and len(record.content_hash) == 32 for record in chain.records)
    assert list(lines_of(chain, "en"))[-1] == f"inputs: {score['payload']['inputs']}"


def test_the_points_of_the_reasons_are_printed(pulled: Pulled) -> None:
    config, store = pulled()
    scored(config, store)
    chain = explain_subject(config, store, "deal:crm:d4")

    text = "\n".join(lines_of(chain, "en"))

    for reason in chain.scores[0]["payload"]["reasons"]:
        assert f"{reason['points']}  {reason['rule']}: {reason['text']}" in text


RULES = """plan: ae
opportunity_score:
  start: 40
  rules:
    - {id: a, when: amount > 0, points: 11, reason: {en: "worth {amount}", zh-CN: "价值 {amount}"}}
    - {id: b, when: amount > 0, points: 10}
    - {id: c, when: amount > 0, points: 9}
    - {id: d, when: amount > 0, points: 8}
    - {id: e, when: amount > 0, points: 40}
    - {id: f, when: amount > 0, points: -3}
"""


def test_the_start_every_rule_and_the_limit_add_up_to_the_score(pulled: Pulled) -> None:
    config, store = pulled(ae=RULES)
    scored(config, store)
    chain = explain_subject(config, store, "d4")

    lines = list(lines_of(chain, "en"))

    steps = [line.split(maxsplit=1) for line in lines[2 : lines.index("figures")]]
    told = {text.partition(":")[0]: int(points) for points, text in steps}
    assert told == {"start": 40, "e": 40, "a": 11, "b": 10, "c": 9, "d": 8, "f": -3, "kept within 0 and 100": -15}
    assert sum(told.values()) == int(chain.scores[0]["score"])


def test_figures_are_told_in_peoples_form(pulled: Pulled) -> None:
    config, store = pulled()
    chain = explain_subject(config, store, "d1")

    lines = [line.strip() for line in lines_of(chain, "en")]

    assert {"amount: 1,000.10 EUR", "is_won: yes", "stage_probability: 100 %", "cycle_days: 22 days"} <= set(lines)
    assert not [line for line in lines if re.search(r"\bTrue\b|\bNone\b|\['|Decimal\(|T\d\d:", line)]


def test_a_chain_is_told_in_chinese(pulled: Pulled) -> None:
    config, store = pulled()
    chain = explain_subject(config, store, "d1")

    lines = list(lines_of(chain, "zh-CN"))

    assert "已赢单：只对进行中的商机评分" in lines
    assert lines[-1] == f"输入：{chain.inputs}"


@pytest.mark.parametrize(
    ("named", "subject"),
    [
        pytest.param("alpha", "opportunity:crm:d1", id="a deal, in any case"),
        pytest.param("deal:Gamma", "opportunity:crm:d3", id="a deal, with its kind"),
        pytest.param("Ada Berg", "person:crm:u1", id="a person"),
    ],
)
def test_a_unique_name_is_as_good_as_an_id(pulled: Pulled, named: str, subject: str) -> None:
    config, store = pulled()

    assert explain_subject(config, store, named).subject == subject


def test_a_name_that_several_bear_is_answered_with_their_ids(pulled: Pulled) -> None:
    config, store = pulled({**WORLD, "people.csv": PEOPLE.replace("Ben Carr", "ADA BERG")})

    with pytest.raises(ConfigError, match=r"names 2 subjects\. Write one of person:crm:u1, person:crm:u2"):
        explain_subject(config, store, "Ada Berg")


def test_a_decided_deal_says_why_it_has_no_score(pulled: Pulled) -> None:
    config, store = pulled()

    chain = explain_subject(config, store, "d1")

    assert "won: only open deals are scored" in lines_of(chain, "en")
    assert chain.figures["amount"] == "1000.1"
    assert chain.inputs == chain.records_hash


def test_a_changed_record_shows_both_versions_and_moves_the_hash(
    pulled: Pulled, pull_all: PullAll, tmp_path: Path
) -> None:
    config, store = pulled()
    before = explain_subject(config, store, "d1").records_hash
    deals = tmp_path / "world" / "opportunities.csv"
    deals.write_text(deals.read_text(encoding="utf-8").replace("1000.10", "1200.10"), encoding="utf-8")

    pull_all(config, store)

    chain = explain_subject(config, store, "d1")
    old, new = (record for record in chain.records if record.kind == "opportunity")
    assert (old.current, new.current) == (False, True)
    assert new.seq > old.seq
    assert str(new.said["amount"]) == "1200.1"
    assert "name" not in new.said
    assert chain.records_hash != before


def test_a_person_is_explained_by_metrics_and_the_deals_that_counted(pulled: Pulled) -> None:
    config, store = pulled()

    chain = explain_subject(config, store, "ADA@example.com", periods=["2025-Q1"])

    rate = next(row for row in chain.metrics if row["metric"] == "win_rate")
    assert (rate["value"], rate["numerator"], rate["denominator"]) == ("0.5", "1", "2")
    assert {record.remote_id for record in chain.records if record.kind == "opportunity"} == {"d1", "d2", "d4"}


def test_an_appraisal_is_explained_component_by_component(pulled: Pulled) -> None:
    plan = "plan: ae\nperiod: year\ntargets: {bookings: {person: 1000}}\nscorecard: {components: [{id: results, metric: attainment, weight: 1}]}\n"
    config, store = pulled(ae=plan)
    scored(config, store)

    chain = explain_subject(config, store, "person:crm:u1")

    assert {score["plan"] for score in chain.scores} == {"ae"}
    assert "  results: attainment 100.0 % -> 100.01 x 100 % = 100.01 (weight 100 %, n 1, counted)" in lines_of(
        chain, "en"
    )


WORLD_WITH_TWINS: Mapping[str, str] = {
    "people.csv": "id,name\nx1,Ada\n",
    "opportunities.csv": "id,name,owner_id,stage\nx1,Twin,x1,open\n",
    "stages.csv": "id,stage,outcome\ns1,open,open\n",
}


def test_an_ambiguous_name_is_answered_with_the_spellings(pulled: Pulled) -> None:
    config, store = pulled(WORLD_WITH_TWINS)

    with pytest.raises(ConfigError, match="opportunity:crm:x1, person:crm:x1"):
        explain_subject(config, store, "x1")
    assert explain_subject(config, store, "person:crm:x1").subject == "person:crm:x1"


def test_an_unknown_name_says_how_subjects_are_written(pulled: Pulled) -> None:
    config, store = pulled()

    with pytest.raises(ConfigError, match="KIND:CONNECTION:ID"):
        explain_subject(config, store, "d99")


def test_the_chain_is_the_same_on_either_database(pulled: Pulled, pull_all: PullAll, store: Store) -> None:
    config, sqlite = pulled()
    pull_all(config, store)

    deal = explain_subject(config, store, "d1")
    person = explain_subject(config, store, "ben@example.com", periods=["2025-Q1"])

    assert deal.records_hash == explain_subject(config, sqlite, "d1").records_hash
    assert person.subject == "person:crm:u2"
    assert status_of(config, store, datetime.now(UTC))["freshness"]["crm"]["stale"] is False
    assert len(report_metrics(config, store, by=["team"], periods=["2025-Q1"], only=["bookings"]).rows) == 2
