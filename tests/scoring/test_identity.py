"""One person, one deal, one customer."""

import polars as pl

from tests.scoring.conftest import Book


def test_a_person_in_two_crms_is_one_by_email(book: Book) -> None:
    book.person("7", connection="sales", email="Lin@Example.com ", name="Lin", team=None)
    book.person("3", connection="hub", email="lin@example.COM", name="Lin H.", team="North", manager_id="9")
    book.person("9", connection="hub", email="boss@example.com")

    people = book.facts().people

    assert people["person"].to_list() == ["hub:3", "hub:9"]
    assert people.row(0, named=True) | {"aliases": None} == {
        "person": "hub:3", "connection": "hub", "remote_id": "3", "name": "Lin H.", "email": "lin@example.COM",
        "active": True, "manager": "hub:9", "team": "North", "territory": None, "region": None, "role": None,
        "started_on": None, "ended_on": None, "deleted": False, "aliases": None,
    }  # fmt: skip
    assert people["aliases"].to_list() == [["hub:3", "sales:7"], ["hub:9"]]


def test_a_map_joins_people_whom_no_email_joins(book: Book) -> None:
    book.person("a", connection="x")
    book.person("b", connection="y")

    people = book.facts(people_map={"y:b": "x:a", "z:gone": "x:a"}).people

    assert people["aliases"].to_list() == [["x:a", "y:b"]]


def test_people_without_email_stay_apart(book: Book) -> None:
    book.person("a", email="")
    book.person("b", email=None)

    assert book.facts().people.height == 2


def test_somebody_deleted_stays_for_the_deals_but_inactive(book: Book) -> None:
    book.person("lin", deleted=True)
    book.deal("d", "Won", 10, close_on="2025-02-01")

    facts = book.facts()

    assert facts.people.select("active", "deleted").row(0) == (False, True)
    assert facts.deals["person"].to_list() == ["crm:lin"]
    assert facts.excluded.rows() == [("person", "deleted", 1)]


def test_the_living_alias_tells_the_team(book: Book) -> None:
    book.person("1", email="l@x", team="Old", deleted=True)
    book.person("2", email="l@x", team="New")
    book.person("3", email="b@x", deleted=True)
    book.person("4", email="b@x", active=None)

    people = book.facts().people

    assert people.select("person", "team", "active").rows() == [("crm:1", "New", True), ("crm:3", None, None)]


def test_a_manager_whom_nobody_knows_keeps_the_key(book: Book) -> None:
    book.person("lin", manager_id="ghost")

    assert book.facts().people["manager"].to_list() == ["crm:ghost"]


def test_a_mirrored_deal_counts_once_as_the_primary_tells_it(book: Book) -> None:
    book.stages("hub")
    book.deal("1", "Open", 100, connection="crm", external_id="X", close_on="2025-02-01")
    book.deal("2", "Won", 90, connection="hub", external_id="X", close_on="2025-02-01")
    book.deal("3", "Open", 5, connection="hub", external_id="")

    by_name, by_choice = book.facts(), book.facts(mirrors_primary="hub")

    columns = ["deal", "outcome", "mirrors"]
    assert by_name.deals.select(columns).rows() == [
        ("crm:1", "open", ["crm:1", "hub:2"]),
        ("hub:3", "open", ["hub:3"]),
    ]
    assert by_choice.deals.select(columns).row(0) == ("hub:2", "won", ["hub:2", "crm:1"])
    assert by_name.excluded.rows() == [("opportunity", "mirror", 1)]


def test_two_deals_of_one_crm_with_one_external_id_stay_two(book: Book) -> None:
    book.deal("1", external_id="X")
    book.deal("2", external_id="X")

    assert book.facts().deals["deal"].to_list() == ["crm:1", "crm:2"]


def test_what_is_logged_on_a_copy_counts_and_what_changes_on_it_does_not(book: Book) -> None:
    book.stages("hub")
    book.deal("1", external_id="X", close_on="2025-05-01")
    book.deal("2", connection="hub", external_id="X", close_on="2025-05-01")
    book.add("activity", connection="hub", kind="call", opportunity_id="2", completed_at="2025-03-01")
    book.change("1", "close_on", "2025-04-01", "2025-05-01", "2025-02-01")
    book.change("2", "close_on", "2025-04-01", "2025-05-01", "2025-02-01", connection="hub")

    deal = book.row("1")

    assert (deal["activities_completed"], deal["push_count"]) == (1, 1)


def test_deleted_and_merged_deals_are_left_out_and_counted(book: Book) -> None:
    book.deal("1")
    book.deal("2", deleted=True)
    book.deal("3", merged_into="1")

    facts = book.facts()

    assert facts.deals["deal"].to_list() == ["crm:1"]
    assert facts.excluded.rows() == [("opportunity", "deleted", 1), ("opportunity", "merged", 1)]


def test_the_customer_is_the_ultimate_parent(book: Book) -> None:
    for account, parent in (("leaf", "mid"), ("mid", "top"), ("top", None), ("orphan", "gone"), ("gone", None)):
        book.add("account", account, parent_id=parent, deleted=account == "gone")

    customers = dict(book.facts().accounts.select("remote_id", "customer").iter_rows())

    assert customers == {"leaf": "crm:top", "mid": "crm:top", "top": "crm:top", "orphan": "crm:orphan"}


def test_a_circle_of_parents_is_one_customer_for_all(book: Book) -> None:
    for account, parent in (("c", "b"), ("b", "a"), ("a", "b"), ("self", "self")):
        book.add("account", account, parent_id=parent)

    customers = book.facts().accounts.sort("remote_id").select("customer").to_series()

    assert customers.to_list() == ["crm:a", "crm:a", "crm:a", "crm:self"]


def test_an_account_that_was_not_read_is_its_own_customer(book: Book) -> None:
    book.deal("1", account_id="unread")

    assert book.facts().deals.select(pl.col("customer", "industry")).row(0) == ("crm:unread", None)
