"""Explain: from a score down to versions, ending with the hash of its inputs."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import ConfigError
from sync.config import Config
from sync.explain import explain_subject
from sync.report import report_metrics
from sync.run import Service
from sync.status import status_of
from sync.store.engine import Store

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
    assert list(chain.lines())[-1] == f"inputs: {score['payload']['inputs']}"


def test_the_points_of_the_reasons_are_printed(pulled: Pulled) -> None:
    config, store = pulled()
    scored(config, store)
    chain = explain_subject(config, store, "deal:crm:d4")

    text = "\n".join(chain.lines())

    for reason in chain.scores[0]["payload"]["reasons"]:
        assert f"{reason['points']}  {reason['rule']}: {reason['text']}" in text


def test_a_decided_deal_says_why_it_has_no_score(pulled: Pulled) -> None:
    config, store = pulled()

    chain = explain_subject(config, store, "d1")

    assert chain.note == "won: only open deals are scored"
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
    assert any(line.startswith("  results: attainment") for line in chain.lines())


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
