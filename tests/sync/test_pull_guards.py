"""What a pull does not believe: fields and rows that vanish at once, values of another type. Nothing is erased by accident."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import tenacity

from connectors import http
from connectors.salesforce.values import full_id
from sync.pull import PullOptions, PullOutcome
from sync.run import CycleOutcome
from sync.store.books import StreamState
from sync.store.state import book
from sync.store.tables import table_of
from sync.store.versions import current_records, save_records
from tests.sync.company import Company, write_world
from tests.sync.states import opened

BOTH = ["salesforce", "hubspot"]


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("world"), deals=40, people=6)


@pytest.fixture
def company(tmp_path: Path, small_world: Path, request: pytest.FixtureRequest) -> Iterator[Company]:
    """One CRM, pulled, scored and pushed once."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
    with opened(tmp_path, small_world, start, [request.param]) as found:
        assert not found.cycle().failed
        yield found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_BACKOFF", tenacity.wait_none())


def kind_of(company: Company) -> str:
    return next(iter(company.urls))


def stored(company: Company, kind: str, column: str) -> dict[str, Any]:
    """The newest value of one column by remote id, of what is not deleted."""
    table = table_of(kind)
    with company.store() as store, store.reading() as tx:
        rows = tx.db.execute(table.select().where(table.c.current, table.c.deleted.is_(False)))
        return {row.remote_id: getattr(row, column) for row in rows}


def unknown_id(remote_id: str) -> str:
    """An id of the same form that no record has."""
    return f"9{remote_id}" if remote_id.isdecimal() else full_id(remote_id[:8] + remote_id[12:15] + "zzzz")


def pull(company: Company, **options: Any) -> PullOutcome:
    with company.service() as service, service.run("pull") as book:
        return service.pull(book.number, list(service.config.connections), PullOptions(**options))[0]


def errors(outcome: PullOutcome | CycleOutcome) -> str:
    pulls = [outcome] if isinstance(outcome, PullOutcome) else outcome.pulls
    return "\n".join(stream.error for part in pulls for stream in part.streams if stream.error)


@pytest.mark.parametrize(
    ("company", "field", "object_name", "ours", "key"),
    [
        ("salesforce", "Amount", "Opportunity", "amount", "fields.opportunity"),
        ("salesforce", "NextStep", "Opportunity", "next_step", "fields.opportunity.next_step"),
        ("hubspot", "amount", "deals", "amount", "fields.opportunity.amount"),
        ("hubspot", "hs_next_step", "deals", "next_step", "fields.opportunity.next_step"),
    ],
    indirect=["company"],
)
def test_a_field_that_vanishes_stops_its_stream_until_it_is_back(
    company: Company, field: str, object_name: str, ours: str, key: str
) -> None:
    kind = kind_of(company)
    before = stored(company, "opportunity", ours)
    deal = company.deals(kind)[0]
    company.arm(kind, "missing_field", field=field, object=object_name)
    company.edit(kind, "opportunities", deal["id"], amount="98765.00")

    gone = company.cycle()
    kept = stored(company, "opportunity", ours)
    company.disarm()
    healed = company.cycle()

    assert gone.failed
    assert field in errors(gone)
    assert key in errors(gone)
    assert kept == before
    assert not healed.failed, errors(healed)
    assert stored(company, "opportunity", "amount")[deal["remote_id"]] == Decimal(98765)


@pytest.mark.parametrize("company", ["hubspot"], indirect=True)
def test_a_field_that_is_gone_for_good_is_given_up_when_a_person_says_so(company: Company) -> None:
    deal = company.deals("hubspot")[0]
    company.arm("hubspot", "missing_field", field="hs_next_step", object="deals")
    company.edit("hubspot", "opportunities", deal["id"], amount="98765.00")
    assert pull(company).failed

    accepted, after = pull(company, accept_emptiness=True), pull(company)

    assert not accepted.failed, errors(accepted)
    assert not after.failed
    assert stored(company, "opportunity", "amount")[deal["remote_id"]] == Decimal(98765)


@pytest.mark.parametrize("company", ["hubspot"], indirect=True)
def test_a_field_that_turns_up_again_is_read_for_all_rows(company: Company) -> None:
    before = stored(company, "opportunity", "next_step")
    deal = company.deals("hubspot")[0]
    company.arm("hubspot", "missing_field", field="hs_next_step", object="deals")
    pull(company, full=True, accept_emptiness=True)
    without = stored(company, "opportunity", "next_step")
    company.disarm()
    company.edit("hubspot", "opportunities", deal["id"], amount="98765.00")

    pull(company)
    pull(company)

    assert not any(without.values())
    assert stored(company, "opportunity", "next_step") == before


@pytest.mark.parametrize(
    ("company", "field", "object_name"),
    [("salesforce", "Amount", "Opportunity"), ("hubspot", "amount", "deals")],
    indirect=["company"],
)
def test_values_of_another_type_leave_what_was_known(company: Company, field: str, object_name: str) -> None:
    kind = kind_of(company)
    before = stored(company, "opportunity", "amount")
    company.arm(kind, "wrong_type", field=field, object=object_name)

    outcome = pull(company, full=True)
    kept = stored(company, "opportunity", "amount")
    company.disarm()
    healed = pull(company, full=True)

    assert "could not be understood" in errors(outcome)
    assert kept == before
    assert not healed.failed
    assert stored(company, "opportunity", "amount") == before


@pytest.mark.parametrize("company", BOTH, indirect=True)
def test_a_stream_that_is_empty_stays_stopped_until_its_rows_are_back_or_a_person_accepts_it(company: Company) -> None:
    kind = kind_of(company)
    before = stored(company, "opportunity", "amount")
    company.arm(kind, "empty")

    full = pull(company, full=True)
    next_one = pull(company)
    company.disarm()
    back = pull(company)

    assert "opportunity had" in errors(full)
    assert "opportunity had" in errors(next_one)
    assert not back.failed, errors(back)
    assert stored(company, "opportunity", "amount") == before


@pytest.mark.parametrize("company", BOTH, indirect=True)
def test_an_emptiness_that_a_person_accepts_deletes_what_was_known(company: Company) -> None:
    company.arm(kind_of(company), "empty")
    pull(company, full=True)

    accepted, after = pull(company, accept_emptiness=True), pull(company)

    assert not accepted.failed, errors(accepted)
    assert not after.failed, errors(after)
    assert stored(company, "opportunity", "amount") == {}


@pytest.mark.parametrize("company", BOTH, indirect=True)
def test_a_reconciliation_finds_what_was_missed_and_what_is_gone(company: Company) -> None:
    before = stored(company, "opportunity", "amount")
    lost, ghost = sorted(before)[:2]
    table = table_of("opportunity")
    with company.store() as store, store.writing() as tx:
        tx.db.execute(table.delete().where(table.c.remote_id == lost))
        tx.db.execute(table.update().where(table.c.remote_id == ghost).values(remote_id=unknown_id(ghost)))

    outcome = pull(company, reconcile=True)

    notes = {stream.stream: stream.note for stream in outcome.streams if stream.note}
    assert not outcome.failed, errors(outcome)
    assert (
        notes["opportunity reconciliation"]
        == f"{len(before)} ids compared, 2 of {len(before)} missing, fetched; 1 gone"
    )
    assert ", 0 of " in notes["account reconciliation"]
    assert stored(company, "opportunity", "amount") == before


@pytest.mark.parametrize("company", BOTH, indirect=True)
def test_equal_counts_spare_the_sweep(company: Company) -> None:
    states = book(StreamState)
    two_days_ago = datetime.now(UTC) - timedelta(days=2)
    with company.store() as store, store.writing() as tx:
        tx.db.execute(states.update().where(states.c.stream.endswith("reconciliation")).values(pulled_at=two_days_ago))

    outcome = pull(company)

    notes = {stream.stream: stream.note for stream in outcome.streams if stream.note}
    assert "counted, as many as the CRM has" in notes["opportunity reconciliation"]


@pytest.mark.parametrize("company", BOTH, indirect=True)
def test_a_sweep_that_misses_too_much_stops_and_says_so_in_every_run_until_it_is_accepted(company: Company) -> None:
    accounts = sorted(stored(company, "account", "name"))
    table = table_of("account")
    with company.store() as store, store.writing() as tx:
        for remote_id in accounts[: len(accounts) // 2]:
            tx.db.execute(table.update().where(table.c.remote_id == remote_id).values(remote_id=unknown_id(remote_id)))

    stopped = pull(company, reconcile=True)
    later = pull(company)
    kept = stored(company, "account", "name")
    accepted = pull(company, accept_emptiness=True)

    assert "are not in the CRM any more" in errors(stopped)
    assert errors(later) == errors(stopped)
    assert unknown_id(accounts[0]) in kept
    assert not accepted.failed, errors(accepted)
    assert sorted(stored(company, "account", "name")) == accounts


@pytest.mark.parametrize("company", ["hubspot"], indirect=True)
def test_an_association_that_changes_is_found_by_the_reconciliation(company: Company) -> None:
    before = stored(company, "opportunity", "account_id")
    with company.store() as store, store.writing() as tx:
        deals = current_records(tx, "hubspot", "opportunity", list(before))
        elsewhere = [deal.model_copy(update={"account_id": "1"}) for deal in deals.values()]
        save_records(tx, "hubspot", "opportunity", elsewhere, recorded_at=datetime.now(UTC), run=None)

    pull(company, reconcile=True)

    assert stored(company, "opportunity", "account_id") == before
