"""Test and internal records are left out by rule, and the count is published."""

from typing import Any

import pytest

from scoring.condition import ConditionError
from tests.scoring.conftest import Book


@pytest.fixture
def tried(book: Book) -> Book:
    """A real account and a test one, each with a deal and a call, and a call about nothing."""
    book.person("lin", email="lin@acme.com")
    book.person("robot", email="robot@test.acme.com")
    book.add("account", "real", name="Real Corp")
    book.add("account", "test", name="Test Account")
    book.deal("good", account_id="real", name="Good")
    book.deal("bad", account_id="test", name="Fine as such")
    for number, linked in enumerate(
        ({"opportunity_id": "good"}, {"opportunity_id": "bad"}, {"account_id": "test"}, {})
    ):
        book.add("activity", str(number), kind="call", owner_id="lin", completed_at="2025-03-01", **linked)
    return book


def counted(book: Book, **options: Any) -> dict[tuple[str, str], int]:
    return {(kind, reason): count for kind, reason, count in book.facts(**options).excluded.iter_rows()}


def test_without_a_rule_nothing_is_left_out(tried: Book) -> None:
    assert tried.facts().deals["remote_id"].to_list() == ["bad", "good"]
    assert counted(tried) == counted(tried, exclude={}) == {}


def test_a_test_account_takes_its_deals_and_their_activities_along(tried: Book) -> None:
    facts = tried.facts(exclude={"account": "name ILIKE 'test%'"})

    assert facts.deals["remote_id"].to_list() == ["good"]
    assert facts.activities.height == 2
    assert sorted(facts.excluded.iter_rows()) == [
        ("account", "rule", 1),
        ("activity", "rule", 2),
        ("opportunity", "rule", 1),
    ]


def test_the_same_id_in_another_crm_is_another_record(tried: Book) -> None:
    tried.deal("elsewhere", connection="other", account_id="test")

    facts = tried.facts(exclude={"account": "name = 'Test Account' AND connection = 'crm'"})

    assert "elsewhere" in facts.deals["remote_id"].to_list()


def test_a_person_who_is_left_out_leaves_the_deals(tried: Book) -> None:
    tried.deal("robots", owner_id="robot")

    facts = tried.facts(exclude={"person": "ENDS_WITH(email, '@test.acme.com')"})

    assert facts.people["name"].to_list() == ["Lin"]
    assert "robots" in facts.deals["remote_id"].to_list()
    assert list(facts.excluded.iter_rows()) == [("person", "rule", 1)]


def test_a_deleted_or_merged_record_is_counted_once_as_that(tried: Book) -> None:
    tried.deal("gone", name="Test", deleted=True)
    tried.deal("lost twin", name="Test", merged_into="good")
    tried.deal("trial", name="Test")

    found = counted(tried, exclude={"opportunity": "name = 'Test'"})

    assert found == {("opportunity", "deleted"): 1, ("opportunity", "merged"): 1, ("opportunity", "rule"): 1}


def test_what_is_unknown_is_not_left_out(tried: Book) -> None:
    tried.deal("nameless")

    facts = tried.facts(exclude={"opportunity": "name <> 'Good'"})

    assert facts.deals["remote_id"].to_list() == ["good", "nameless"]


def test_rules_that_cannot_be_read_are_all_reported_at_once(book: Book) -> None:
    rules = {"opportunity": "nme = 'Test'", "oportunities": "deleted", "account": "name"}

    with pytest.raises(ConditionError) as refused:
        book.facts(exclude=rules)

    assert str(refused.value).splitlines() == [
        "exclude.opportunity: nme is not a column. Did you mean name?",
        "exclude: oportunities cannot be left out by rule. Did you mean opportunity?",
        "exclude.account: name gives String: write a condition, such as days_since_meeting <= 14",
    ]
