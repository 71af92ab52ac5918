"""A connection whose first load was interrupted: the others are scored meanwhile, and it is scored when it is whole."""

from collections import Counter
from collections.abc import Collection

import polars as pl
import pytest
import tenacity

from connectors import http
from scoring.identity import match_people
from sync.store.books import Result
from sync.store.facts import load
from sync.store.state import book
from tests.sync.company import Company


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_BACKOFF", tenacity.wait_none())


def scored(company: Company) -> dict[str, set[str]]:
    """Subjects of the current results by kind."""
    results = book(Result)
    with company.store() as store, store.reading() as tx:
        rows = tx.db.execute(results.select().where(results.c.current)).all()
    return {kind: {row.subject for row in rows if row.kind == kind} for kind in ("opportunity", "person")}


def connections(subjects: Collection[str]) -> Counter[str]:
    return Counter(subject.partition(":")[0] for subject in subjects)


def in_both(company: Company) -> set[str]:
    """Keys of the accounts of people who are in both CRMs."""
    with company.store() as store:
        aliases = match_people(load(store, ("person",))["person"])
    twice = (
        aliases.group_by("person").agg(pl.col("key").str.split(":").list.first().n_unique()).filter(pl.col("key") > 1)
    )
    return set(aliases.join(twice, on="person", how="semi")["key"])


def test_the_other_connections_are_scored_and_who_is_in_both_waits(company: Company) -> None:
    company.arm("hubspot", "server_error", times=None, match="/calls")

    interrupted = company.cycle()
    meanwhile, waiting = scored(company), in_both(company)
    company.disarm()
    whole = company.cycle()
    afterwards = scored(company)

    assert interrupted.failed
    assert interrupted.score is not None
    assert any("the first load is not finished" in note for note in interrupted.score.notes)
    assert waiting
    assert set(connections(meanwhile["opportunity"])) == {"salesforce"}
    assert set(connections(meanwhile["person"])) == {"salesforce"}
    assert not meanwhile["person"] & waiting
    assert not whole.failed
    assert set(connections(afterwards["opportunity"])) == {"salesforce", "hubspot"}
    assert afterwards["person"] & waiting
    assert meanwhile["person"] < afterwards["person"]
