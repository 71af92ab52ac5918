"""An object of a CRM that does not answer for days: everything else of that CRM goes on, deletions among it."""

import pytest
import tenacity

from connectors import http
from sync.pull import PullOptions, PullOutcome
from tests.sync.company import Company


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_BACKOFF", tenacity.wait_none())


def pulled(company: Company, options: PullOptions | None = None) -> PullOutcome:
    """One pull of HubSpot."""
    with company.service() as service, service.run("pull") as book:
        (outcome,) = service.pull(book.number, ["hubspot"], options)
        book.summary = {}
    return outcome


def errors(outcome: PullOutcome) -> list[str]:
    return [part.stream for part in outcome.streams if part.error]


def test_a_dead_object_does_not_hide_what_was_deleted_elsewhere(company: Company) -> None:
    assert pulled(company).error is None
    deal = next(deal for deal in company.deals("hubspot") if not deal["external_id"])
    company.delete("hubspot", "opportunities", deal["id"])
    company.arm("hubspot", "server_error", times=None, match="objects/2026-03/companies")

    outcome = pulled(company, PullOptions(reconcile=True))

    assert outcome.error is None
    assert errors(outcome) == ["account"]
    assert any(part.changed for part in outcome.streams if part.stream == "opportunity deletions")


def test_a_list_of_deletions_that_does_not_answer_stops_nothing_else(company: Company) -> None:
    assert pulled(company).error is None
    deal = next(deal for deal in company.deals("hubspot") if not deal["external_id"])
    company.delete("hubspot", "opportunities", deal["id"])
    company.arm("hubspot", "server_error", times=None, match="GET /crm/objects/2026-03/companies")

    outcome = pulled(company, PullOptions(reconcile=True))

    assert outcome.error is None
    assert errors(outcome) == ["account deletions"]
    assert any(part.changed for part in outcome.streams if part.stream == "opportunity deletions")
