"""The whole loop on Fxiaoke: pull, score, push, and what the tenant holds afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.company import Company, open_company, write_world


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """A company of a few people, all of whose deals live in Fxiaoke."""
    world = tmp_path / "company"
    world.mkdir()
    write_world(world, ["fxiaoke"], deals=30, people=6)
    with open_company(tmp_path, world, ["fxiaoke"]) as opened:
        yield opened


def test_scores_arrive_and_a_second_cycle_costs_one_call_a_stream_and_writes_nothing(company: Company) -> None:
    first = company.cycle()
    company.reset_stats()

    second = company.cycle()

    assert not first.failed
    assert not second.failed
    calls = {where.partition("/cgi/")[2]: count for where, count in company.stats("fxiaoke").items()}
    # twelve objects and the orders of payments, five objects of the company's own, the employees; neither create nor update
    assert calls == {"crm/v2/data/query": 13, "crm/custom/v2/data/query": 5, "user/list": 1}
    open_deals = company.deals("fxiaoke")
    held = [company.held("fxiaoke", "opportunities", deal["id"]) for deal in open_deals]
    assert open_deals
    assert all("scoreback_score__c" in one for one in held)
