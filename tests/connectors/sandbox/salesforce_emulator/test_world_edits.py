"""What a test or a simulated user does to the records of an org."""

from collections.abc import Callable
from typing import Any

import pytest

STAGES = [
    {"id": "s1", "stage": "Open", "outcome": "open", "probability": "0.2"},
    {"id": "s2", "stage": "Lost", "outcome": "lost", "probability": "0"},
]
PEOPLE = [
    {"id": "7", "name": "Ann van Lee", "email": "ann@example.com", "active": "true"},
    {"id": "8", "name": "Bo", "email": "bo@example.com", "active": "false"},
]
DEAL = {
    "id": "100", "name": "Deal", "account_id": "50", "owner_id": "7", "stage": "Open", "amount": "1000.50",
    "created_at": "2025-11-01T08:00:00Z", "close_on": "2026-01-15", "next_step": "call",
}  # fmt: skip


@pytest.fixture
def sf(org_of: Callable[..., Any]) -> Any:
    """An org with one deal."""
    accounts = [{"id": "50", "name": "Acme", "owner_id": "7"}]
    return org_of({"people": PEOPLE, "stages": STAGES, "accounts": accounts, "opportunities": [DEAL]})


def test_edits_in_the_worlds_words_are_made_as_a_user_would(sf: Any) -> None:
    edit = {
        "record": "opportunities",
        "id": "100",
        "fields": {"stage": "Lost", "amount": "5.50", "next_step": None, "owner_id": "7"},
    }

    made = sf("POST", "/__world", edit)

    shown = sf("GET", "/__world/opportunities/100").body
    assert made.body == {"id": sf.emulator.ids["opportunities"]["100"]}
    assert (shown["StageName"], shown["Amount"], shown["IsWon"], "NextStep" in shown) == ("Lost", 5.5, False, False)
    assert shown["SystemModstamp"] == "2026-03-02T09:30:15.000+0000"
    assert len(sf.rows("SELECT Id FROM OpportunityHistory")) == 2


def test_records_are_made_and_deleted_over_control(sf: Any) -> None:
    fields = {"name": "New", "stage": "Open", "close_on": "2026-05-01", "account_id": "50"}
    made = sf("POST", "/__world", {"record": "opportunities", "fields": fields}).body["id"]

    gone = sf("DELETE", f"/__world/opportunities/{made}")

    assert gone.status == 204
    assert sf.rows("SELECT Name FROM Opportunity WHERE IsDeleted = true", everything=True) == [{"Name": "New"}]
    assert sf("GET", "/__world/opportunities/none").status == 404
    assert sf("POST", "/__world", {"record": "opportunities", "id": "none", "fields": {}}).status == 400


def test_a_user_can_be_renamed_and_leave(sf: Any) -> None:
    sf("POST", "/__world", {"record": "people", "id": "7", "fields": {"name": "Ann Ray", "active": "false"}})

    row = sf.rows("SELECT Name, LastName, IsActive FROM User WHERE Email = 'ann@example.com'")[0]
    assert list(row.values()) == ["Ann Ray", "Ray", False]


def test_a_refused_edit_says_why(sf: Any) -> None:
    reply = sf(
        "POST",
        "/__world",
        {"record": "opportunities", "id": "100", "fields": {"OwnerId": sf.emulator.ids["people"]["8"]}},
    )

    assert reply.status == 400
    assert "INACTIVE_OWNER_OR_USER" in reply.body["message"]
