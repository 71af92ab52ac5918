"""The whole loop on both CRMs: pull, score, push, and what the CRMs hold afterwards."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Value
from sync.push import write_targets
from sync.run import CycleOutcome
from sync.store.books import Result, Subject
from sync.store.drift import queue_rollback
from sync.store.outbox import accepted_fields, parked, push_lines, target_text, unpark
from sync.store.results import current_results
from tests.sync.company import Company, open_company

STREAMS = {
    # person, account, opportunity, history, field_history, call, email, task, meeting, split, line_item; in objects of the
    # company's own: survey, payment, contract, absence, rating
    "salesforce": 16,
    # person (owners, and users for the mapped fields), account, opportunity, call, meeting, email, task, target, line_item,
    # survey, invoice, commerce_payment, refund, subscription, forecast_submission; changes and splits come with the deals;
    # in objects of the company's own: absence, rating
    "hubspot": 18,
}
"""Remote objects that are read in every cycle."""

ONE_RULE = """
plan: simple
version: 1
effective: [2020-01-01, 2099-01-01]
period: quarter
opportunity_score:
  start: 50
  rules:
    - {id: a_little, when: "next_step = 'a little'", points: 1}
    - {id: a_lot, when: "next_step = 'a lot'", points: 4}
  grades: {A: 90, B: 80, C: 10}
"""


@pytest.fixture
def hubspot(tmp_path: Path, world: Path) -> Iterator[Company]:
    """The part of the company that lives in HubSpot, whose plan scores by the next step alone."""
    with open_company(tmp_path, world, ["hubspot"]) as opened:
        (opened.config_folder / "plans").mkdir()
        (opened.config_folder / "plans" / "simple.yaml").write_text(ONE_RULE, encoding="utf-8")
        yield opened


def results(company: Company, kind: Subject) -> dict[tuple[str, str], Result]:
    """Current results by subject and period."""
    with company.store() as store, store.reading() as tx:
        return {(result.subject, result.period): result for result in current_results(tx, kind)}


def accepted(company: Company) -> dict[tuple[str, str, str], Mapping[str, Value]]:
    """What the CRMs accepted, by connection, target object and id."""
    found: dict[tuple[str, str, str], Mapping[str, Value]] = {}
    with company.service() as service, service.store.reading() as tx:
        for name in service.config.connections:
            for target in write_targets(service.connector(name)):
                rows = accepted_fields(tx, name, target.record, target_text(target))
                found |= {(name, target.into or target.record, row): fields for row, fields in rows.items()}
    return found


def read_back(company: Company) -> dict[tuple[str, str, str], Mapping[str, Value]]:
    """What the CRMs hold in the place of what they accepted."""
    known = accepted(company)
    found: dict[tuple[str, str, str], Mapping[str, Value]] = {}
    with company.service() as service:
        for name in service.config.connections:
            connector = service.connector(name)
            for target in write_targets(connector):
                place = target.into or target.record
                ids = [row for other, where, row in known if (other, where) == (name, place)]
                names = sorted({field for key, fields in known.items() if key[:2] == (name, place) for field in fields})
                held = connector.read_fields(target, ids, names)
                found |= {(name, place, row): fields for row, fields in held.items()}
    return found


def accepted_count(outcome: CycleOutcome) -> int:
    return sum(pushed.accepted for pushed in outcome.pushes)


def calls_for_changes(company: Company, count: int) -> tuple[dict[str, int], CycleOutcome]:
    for deal in company.deals("hubspot")[:count]:
        company.edit("hubspot", "opportunities", deal["id"], next_step="a lot")
    company.reset_stats()
    outcome = company.cycle()
    return company.calls(), outcome


def test_the_first_cycle_leaves_in_both_crms_what_was_accepted(company: Company) -> None:
    outcome = company.cycle()

    assert not outcome.failed
    assert outcome.score is not None
    assert outcome.score.deals > 50
    held = read_back(company)
    assert {connection for connection, _, _ in held} == {"salesforce", "hubspot"}
    assert held == accepted(company)


def test_every_open_deal_carries_its_score_in_its_crm(company: Company) -> None:
    company.cycle()

    with company.store() as store, store.reading() as tx:
        scored = {row.subject: row for row in current_results(tx, "opportunity")}
    for kind, name in (("salesforce", "scoreback_score__c"), ("hubspot", "scoreback_score")):
        for deal in company.deals(kind):
            held = company.held(kind, "opportunities", deal["id"])[name]
            result = scored.get(f"{kind}:{deal['remote_id']}")
            assert held is not None
            if result is not None and result.score is not None:
                assert float(held) == round(result.score)


def test_a_second_cycle_with_nothing_changed_makes_one_call_per_stream_and_no_write(company: Company) -> None:
    company.cycle()
    company.reset_stats()

    outcome = company.cycle()

    assert not outcome.failed
    assert outcome.score is not None
    assert (outcome.score.deals, outcome.score.people, outcome.score.queued) == (0, 0, 0)
    assert accepted_count(outcome) == 0
    assert company.calls() == STREAMS


@pytest.mark.parametrize("count", [1, 5, 20])
def test_a_cycle_after_some_changes_scores_and_writes_those_and_no_others(hubspot: Company, count: int) -> None:
    hubspot.cycle()

    calls, outcome = calls_for_changes(hubspot, count)

    assert outcome.score is not None
    assert outcome.score.deals == count
    assert accepted_count(outcome) == count
    # Ten streams; associations, history, people who left and the account for the changed deals together; one write;
    # the written stream once more with its account: no call for each deal.
    assert calls["hubspot"] <= STREAMS["hubspot"] + 8


def test_the_score_of_a_changed_deal_reaches_the_crm(company: Company) -> None:
    company.cycle()
    deal = next(deal for deal in company.deals("salesforce") if deal["next_step"] and not deal["external_id"])
    before = company.held("salesforce", "opportunities", deal["id"])["scoreback_score__c"]
    company.edit("salesforce", "opportunities", deal["id"], next_step=None)

    company.cycle()

    assert company.held("salesforce", "opportunities", deal["id"])["scoreback_score__c"] == before - 10


def test_nothing_is_rescored_or_written_after_our_own_write(company: Company) -> None:
    company.cycle()
    deal = next(deal for deal in company.deals("salesforce") if deal["next_step"])
    company.edit("salesforce", "opportunities", deal["id"], next_step=None)
    assert accepted_count(company.cycle()) > 0
    company.reset_stats()

    outcome = company.cycle()

    assert outcome.score is not None
    assert outcome.score.deals == 0
    assert accepted_count(outcome) == 0
    assert company.calls() == STREAMS


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_a_deleted_deal_leaves_the_scores(company: Company, kind: str) -> None:
    company.cycle()
    deal = next(deal for deal in company.deals(kind) if not deal["external_id"])
    subject = f"{kind}:{deal['remote_id']}"
    assert (subject, "") in results(company, "opportunity")
    company.delete(kind, "opportunities", deal["id"])
    due_now(company)

    outcome = company.cycle()

    assert not outcome.failed
    assert (subject, "") not in results(company, "opportunity")


def due_now(company: Company) -> None:
    """Deletions have a schedule of their own: shorten it."""
    for path in (company.config_folder / "connections").iterdir():
        path.write_text(path.read_text(encoding="utf-8") + "\ndeletions_every: 0s\n", encoding="utf-8")


def test_a_small_move_of_a_score_is_not_worth_a_write(hubspot: Company) -> None:
    hubspot.cycle()
    deal = hubspot.deals("hubspot")[0]
    hubspot.edit("hubspot", "opportunities", deal["id"], next_step="a little")

    outcome = hubspot.cycle()

    assert outcome.score is not None
    assert outcome.score.changed == 1
    assert accepted_count(outcome) == 0
    assert hubspot.held("hubspot", "opportunities", deal["id"])["scoreback_score"] == "50"


def test_small_moves_that_add_up_are_written(hubspot: Company) -> None:
    hubspot.cycle()
    deal = hubspot.deals("hubspot")[0]
    hubspot.edit("hubspot", "opportunities", deal["id"], next_step="a little")
    hubspot.cycle()
    hubspot.edit("hubspot", "opportunities", deal["id"], next_step="a lot")

    outcome = hubspot.cycle()

    assert accepted_count(outcome) == 1
    assert hubspot.held("hubspot", "opportunities", deal["id"])["scoreback_score"] == "54"


def test_the_drift_guard_refuses_many_changes_until_they_are_confirmed(hubspot: Company) -> None:
    hubspot.set("push: {drift_guard: 0.2, drift_guard_from: 10}\n")
    hubspot.cycle()
    deals = hubspot.deals("hubspot")[:15]
    for deal in deals:
        hubspot.edit("hubspot", "opportunities", deal["id"], next_step="a lot")

    refused = hubspot.cycle()
    confirmed = hubspot.cycle(confirm_drift=True)

    assert refused.failed
    assert accepted_count(refused) == 0
    text = refused.pushes[0].drift or ""
    assert "15 of" in text
    assert "--confirm-drift" in text
    assert accepted_count(confirmed) == 15
    assert not confirmed.failed


def test_a_rollback_puts_back_what_stood_before_and_is_not_overwritten(hubspot: Company) -> None:
    hubspot.cycle()
    deal = hubspot.deals("hubspot")[0]
    before = ours(hubspot, deal["id"])
    hubspot.edit("hubspot", "opportunities", deal["id"], next_step="a lot")
    changing = hubspot.cycle()
    assert ours(hubspot, deal["id"])["scoreback_score"] == "54"

    roll_back(hubspot, changing.run)

    assert ours(hubspot, deal["id"]) == before
    assert accepted_count(hubspot.cycle()) == 0
    assert ours(hubspot, deal["id"]) == before


def test_a_rolled_back_score_is_written_again_once_it_is_another(hubspot: Company) -> None:
    hubspot.cycle()
    deal = hubspot.deals("hubspot")[0]
    hubspot.edit("hubspot", "opportunities", deal["id"], next_step="a lot")
    roll_back(hubspot, hubspot.cycle().run)
    hubspot.edit("hubspot", "opportunities", deal["id"], next_step="nothing")
    hubspot.cycle()
    hubspot.edit("hubspot", "opportunities", deal["id"], next_step="a lot")

    hubspot.cycle()

    assert ours(hubspot, deal["id"])["scoreback_score"] == "50"


def ours(company: Company, deal: str) -> dict[str, Any]:
    held = company.held("hubspot", "opportunities", deal)
    return {name: value for name, value in held.items() if name.startswith("scoreback")}


def roll_back(company: Company, run: int) -> None:
    with company.service() as service, service.run("rollback") as book:
        with service.store.writing() as tx:
            queued = queue_rollback(tx, run, at=datetime.now(UTC), own_run=book.number)
        outcomes = service.push(book.number, list(queued), confirm_drift=True)
    assert queued
    assert not any(outcome.failed for outcome in outcomes)


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_a_refused_row_is_parked_with_the_crms_words_and_goes_through_when_retried(company: Company, kind: str) -> None:
    company.arm(kind, "refused_row", match="composite/sobjects" if kind == "salesforce" else "deals/batch/update")
    refused = company.cycle()
    with company.store() as store, store.reading() as tx:
        waiting = parked(tx)
    quiet = company.cycle()

    with company.service() as service, service.run("push") as book:
        with service.store.writing() as tx:
            count = unpark(tx)
        retried = service.push(book.number, list(service.config.connections))

    assert refused.failed
    assert len(waiting) == 1
    assert waiting[0].connection == kind
    assert waiting[0].code
    assert waiting[0].text
    assert accepted_count(quiet) == 0
    assert count == 1
    assert sum(pushed.accepted for pushed in retried) == 1
    assert read_back(company) == accepted(company)


def test_a_mirrored_deal_is_scored_once_and_written_to_both_crms(company: Company) -> None:
    company.cycle()

    scored = results(company, "opportunity")
    by_name = {deal["external_id"]: deal for deal in company.deals("salesforce") if deal["external_id"]}
    pairs = [
        (by_name[deal["external_id"]], deal) for deal in company.deals("hubspot") if deal["external_id"] in by_name
    ]
    assert pairs
    for there, here in pairs:
        subjects = [f"salesforce:{there['remote_id']}", f"hubspot:{here['remote_id']}"]
        assert sum((subject, "") in scored for subject in subjects) == 1
        theirs = company.held("salesforce", "opportunities", there["id"])
        assert (
            float(company.held("hubspot", "opportunities", here["id"])["scoreback_score"])
            == theirs["scoreback_score__c"]
        )


def test_a_person_with_logins_in_both_crms_is_appraised_once_and_told_in_both(company: Company) -> None:
    company.cycle()

    with company.service() as service, service.store.reading() as tx:
        mails = person_keys(tx)
    twice = [keys for keys in mails.values() if len(keys) == 2]
    appraised = {subject for subject, _ in results(company, "person")}
    told = {(connection, row.split(":")[0]) for connection, place, row in accepted(company) if place != "opportunity"}
    assert twice
    for keys in twice:
        assert len(appraised.intersection(keys)) <= 1
    both = [keys for keys in twice if appraised.intersection(keys)]
    assert both
    for keys in both:
        assert {tuple(key.split(":")) for key in keys} <= told


def person_keys(tx: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for connection, remote_id, email in tx.db.exec_driver_sql(
        "SELECT connection, remote_id, lower(email) FROM person WHERE current AND email IS NOT NULL"
    ):
        found.setdefault(email, []).append(f"{connection}:{remote_id}")
    return found


def test_what_a_cycle_wrote_is_in_its_books(company: Company) -> None:
    outcome = company.cycle()

    with company.store() as store, store.reading() as tx:
        lines = push_lines(tx, outcome.run)
    assert len(lines) == accepted_count(outcome)
    assert all(line.accepted for line in lines)
