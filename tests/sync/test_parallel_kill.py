"""kill -9 in the middle of a first load in parts and by jobs: the next run reads the rest, and all is as if undisturbed."""

import multiprocessing
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.sync import narrow
from tests.sync.company import Company
from tests.sync.states import State, differing, opened, state

processes = multiprocessing.get_context("forkserver")


def run(company: Company, place: str = "", number: int = 0) -> int | None:
    process = processes.Process(target=narrow.cycle, args=(company.config_folder, place, number))
    process.start()
    process.join(120)
    return process.exitcode


def ended(company: Company) -> State:
    """The end state, with rows of our own object by our key: their ids count on from those of query jobs."""
    found = state(company)
    ours = found["salesforce Scoreback_Appraisal__c"]
    found["salesforce Scoreback_Appraisal__c"] = {
        row["Scoreback_Key__c"]: {**row, "Id": None, "Name": None} for row in ours.values()
    }
    return found


@pytest.fixture(scope="module")
def start() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, world: Path, start: datetime
) -> Iterator[tuple[State, dict[str, int]]]:
    with opened(tmp_path_factory.mktemp("undisturbed"), world, start) as company:
        company.reset_stats()
        assert run(company) == 0
        stats = company.stats("salesforce")
        assert stats["POST /services/data/{version}/jobs/query"] > 0
        assert stats["POST /services/data/{version}/jobs/ingest"] > 0
        yield ended(company), company.calls()


@pytest.mark.parametrize("place", ["before commit", "after call"])
def test_a_first_load_that_is_killed_again_and_again_ends_like_an_undisturbed_one(
    tmp_path: Path, world: Path, start: datetime, undisturbed: tuple[State, dict[str, int]], place: str
) -> None:
    expected, calls = undisturbed
    with opened(tmp_path, world, start) as company:
        company.reset_stats()
        for number in (40, 60, 90):
            assert run(company, place, number) == -signal.SIGKILL
        assert run(company) == 0

        found, made = ended(company), company.calls()

    assert {name: differing(found[name], expected[name]) for name in expected if found[name] != expected[name]} == {}
    in_flight = 3 * 8 + 20  # pages of eight parts, and what every process asks first
    assert made["hubspot"] <= calls["hubspot"] + 3 * in_flight
