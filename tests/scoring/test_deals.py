"""What is known of one deal: outcome, owner, money, the customer's story, and its own clock."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scoring.settings import MetricSettings
from tests.scoring.conftest import Book

D = Decimal


def set_to(**settings: Any) -> MetricSettings:
    return MetricSettings.of({key.replace("__", "."): value for key, value in settings.items()})


def test_the_stage_of_the_deals_own_pipeline_counts_first() -> None:
    book = Book()
    book.add("stage", "1", pipeline="renewals", stage="Done", outcome="won", position=3, label="Done!", probability="1")
    book.add("stage", "2", pipeline=None, stage="Done", outcome="lost")
    book.add("stage", "3", pipeline="renewals", stage="Talk", outcome="open", position=2, qualified=True)
    book.deal("own", "Done", pipeline="renewals")
    book.deal("any", "Done", pipeline="other")
    book.deal("record", "Odd", pipeline="other", outcome="open")
    book.deal("lone", "Talk", pipeline=None)
    book.deal("nobody", "Odd", pipeline="renewals")

    facts = book.facts()

    outcomes = dict(facts.deals.select("remote_id", "outcome").iter_rows())
    assert outcomes == {"own": "won", "any": "lost", "record": "open", "lone": "open", "nobody": None}
    own = book.row("own")
    assert [own[name] for name in ("stage_label", "stage_position", "last_position", "stage_probability")] == [
        "Done!", 3, 2, D(1),
    ]  # fmt: skip
    assert book.row("lone")["qualified"] is True
    assert facts.unmapped_stages.rows() == [("crm", "renewals", "Odd", 1)]
    assert (
        facts.deals.select("is_open", "is_won", "is_lost", "is_omitted", "is_decided").null_count().sum_horizontal()[0]
        == 0
    )


def test_a_living_stage_explains_before_a_deleted_one() -> None:
    book = Book()
    book.add("stage", "1", stage="Gone", outcome="lost", deleted=True)
    book.add("stage", "2", stage="Back", outcome="lost", deleted=True)
    book.add("stage", "3", stage="Back", outcome="won")
    book.deal("a", "Gone")
    book.deal("b", "Back")

    assert book.facts().deals["outcome"].to_list() == ["lost", "won"]


@pytest.mark.parametrize(
    ("changes", "person"),
    [
        pytest.param([], "crm:lin", id="no history: today's owner"),
        pytest.param([("kim", "lin", "2025-02-09")], "crm:lin", id="changed before the close"),
        pytest.param([("kim", "lin", "2025-02-20")], "crm:kim", id="changed after the close"),
        pytest.param([("kim", "bo", "2025-01-09"), ("bo", "lin", "2025-02-20")], "crm:bo", id="changed twice"),
        pytest.param([("kim", "lin", "2025-02-10T12:00")], "crm:lin", id="changed with the close"),
        pytest.param([(None, "lin", "2025-02-20")], None, id="nobody knows who it was"),
    ],
)
def test_a_closed_deal_belongs_to_its_owner_at_the_close(book: Book, changes: list[Any], person: str | None) -> None:
    book.deal("d", "Won", close_on="2025-02-10", closed_at="2025-02-10T12:00")
    for old, new, at in changes:
        book.change("d", "owner_id", old, new, at)

    assert (book.row("d")["person"], book.row("d")["owner"]) == (person, "crm:lin")
    assert book.row("d", settings=set_to(attribution__owner="current_owner"))["person"] == "crm:lin"


def test_an_open_deal_belongs_to_todays_owner(book: Book) -> None:
    book.deal("d", owner_id="bo")
    book.change("d", "owner_id", "lin", "bo", "2025-03-20")

    assert book.row("d")["person"] == "crm:bo"


def test_without_closed_at_the_turn_of_the_stage_is_the_moment(book: Book) -> None:
    book.deal("d", "Won", close_on=None)
    book.change("d", "stage", "Open", "Won", "2025-02-10T23:30")
    book.change("d", "owner_id", "kim", "lin", "2025-02-11T00:30")

    deal = book.row("d", time_zone="Europe/Berlin")

    assert (deal["close_on"], deal["person"]) == (date(2025, 2, 11), "crm:kim")


@pytest.mark.parametrize(
    ("zone", "day", "changed", "owner"),
    [
        pytest.param("UTC", "2025-02-10", "2025-02-10T23:59", "crm:lin", id="still that day"),
        pytest.param("UTC", "2025-02-10", "2025-02-11T00:01", "crm:kim", id="the next day"),
        pytest.param("Asia/Tokyo", "2025-02-10", "2025-02-10T15:01", "crm:kim", id="the next day there"),
        pytest.param("America/Santiago", "2024-09-07", "2024-09-08T04:01", "crm:kim", id="no midnight that night"),
    ],
)
def test_with_a_close_date_alone_the_deal_closes_when_that_day_ends(
    book: Book, zone: str, day: str, changed: str, owner: str
) -> None:
    book.deal("d", "Won", close_on=day, created_at="2024-01-01")
    book.change("d", "owner_id", "kim", "lin", changed)

    assert book.row("d", time_zone=zone)["person"] == owner


def test_the_crms_own_close_date_goes_before_the_time_of_closing(book: Book) -> None:
    book.deal("d", "Won", close_on="2025-02-28", closed_at="2025-03-02")
    book.deal("e", "Lost", close_on=None, closed_at="2025-03-31T22:30")

    assert book.row("d")["close_on"] == date(2025, 2, 28)
    assert book.row("e", time_zone="Europe/Berlin")["close_on"] == date(2025, 4, 1)


def test_the_team_is_the_one_at_the_close(book: Book) -> None:
    book.person("lin", team="South", region="EU")
    book.deal("d", "Won", close_on="2025-02-10")
    book.deal("o")
    book.change("lin", "team", "North", "South", "2025-03-01", record="person")

    assert (book.row("d")["team"], book.row("o")["team"], book.row("d")["region"]) == ("North", "South", "EU")


def test_a_closed_deal_is_converted_at_its_close_and_an_open_one_now(book: Book) -> None:
    book.add("rate", currency="EUR", to="USD", rate="1.0850", on="2025-02-08")
    book.add("rate", currency="EUR", to="USD", rate="1.12", on="2025-03-30")
    book.deal("won", "Won", 40000, currency="eur ", close_on="2025-02-10")
    book.deal("open", "Open", 40000, currency="EUR", close_on="2025-05-10")
    book.deal("late", "Won", 40000, currency="EUR", close_on="2025-06-10")
    book.deal("stale", "Won", 40000, currency="EUR", close_on="2025-03-01")
    book.deal("none", "Won", 40000, currency=None, close_on="2025-03-01")
    book.deal("empty", "Won", None, currency=None, close_on="2025-03-01")

    deals = {row["remote_id"]: row for row in book.facts().deals.iter_rows(named=True)}

    amounts = {name: (deal["amount"], deal["rate_fault"]) for name, deal in deals.items()}
    assert amounts == {
        "won": (D(43400), False), "open": (D(44800), False), "late": (D(44800), False), "stale": (None, True),
        "none": (None, True), "empty": (None, False),
    }  # fmt: skip
    assert (deals["won"]["amount_original"], deals["won"]["currency"]) == (D(40000), "EUR")


def test_bookings_may_rest_on_a_field_of_the_admins(book: Book) -> None:
    book.deal("d", "Won", 100, extra={"first year": "40.50", "other": None}, close_on="2025-02-01")

    deal = book.row("d", settings=set_to(bookings__amount_field="extra.first year"))

    assert (deal["amount"], deal["booking"]) == (D(100), D("40.50"))


def test_the_first_win_of_a_customer_is_new_and_a_late_one_a_win_back(book: Book) -> None:
    book.add("account", "top")
    book.add("account", "sub", parent_id="top", region="EU", industry="steel")
    book.deal("first", "Won", account_id="top", created_at="2020-01-01", close_on="2020-06-01")
    book.deal("next", "Won", account_id="sub", created_at="2020-01-01", close_on="2022-06-01")
    book.deal("back", "Won", account_id="sub", created_at="2020-01-01", close_on="2024-06-02")
    book.deal("early", "Lost", account_id="sub", created_at="2020-01-01", close_on="2020-05-01")
    book.deal("open", "Open", account_id="sub", close_on="2020-02-01")
    book.deal("typed", "Won", account_id="sub", created_at="2020-01-01", close_on="2024-06-03", type=" Renewal")
    book.deal("nameless", "Won", account_id=None, close_on="2025-01-03")

    deals = {row["remote_id"]: row for row in book.facts().deals.iter_rows(named=True)}

    flags = {name: (deal["is_new_customer_win"], deal["is_win_back"], deal["business"]) for name, deal in deals.items()}
    assert flags == {
        "first": (True, False, "new"), "next": (False, False, "expansion"), "back": (False, True, "expansion"),
        "early": (False, False, "new"), "open": (False, False, "expansion"), "typed": (False, False, "renewal"),
        "nameless": (False, False, None),
    }  # fmt: skip
    assert (deals["next"]["account_region"], deals["next"]["industry"]) == ("EU", "steel")
    assert (deals["first"]["is_new_business"], deals["nameless"]["is_new_business"]) == (True, None)


@pytest.mark.parametrize(
    ("created", "transactional", "days"),
    [
        ("2024-12-21", (), 51),
        ("2025-02-11", (), None),
        ("2025-02-10", (), None),
        ("2025-02-10", "shop", 0),
        ("2025-02-10", True, 0),
        ("2025-02-10", "other", None),
    ],
)
def test_the_cycle_is_in_calendar_days(book: Book, created: str, transactional: Any, days: int | None) -> None:
    book.deal("d", "Won", created_at=created, close_on="2025-02-10", pipeline="shop")

    assert book.row("d", settings=set_to(transactional=transactional))["cycle_days"] == days


@pytest.mark.parametrize(
    ("start", "days"),
    [
        pytest.param("qualified", 20, id="a qualified stage"),
        pytest.param("stage:Demo", 20, id="a stage by name"),
        pytest.param("stage:Demonstration", 20, id="a stage by label"),
        pytest.param("stage:Talk", 40, id="born in it"),
        pytest.param("stage:Signed", None, id="never entered"),
    ],
)
def test_the_cycle_may_start_with_a_stage(book: Book, start: str, days: int | None) -> None:
    book.add("stage", "t", stage="Talk", outcome="open")
    book.add("stage", "d", stage="Demo", label="Demonstration", outcome="open", qualified=True, pipeline="shop")
    book.add("stage", "s", stage="Signed", outcome="open")
    book.deal("d", "Won", created_at="2025-01-01", close_on="2025-02-10", pipeline="shop")
    book.change("d", "stage", "Talk", "Demo", "2025-01-21")
    book.change("d", "stage", "Demo", "Talk", "2025-01-25")
    book.change("d", "stage", "Talk", "Demo", "2025-01-26")
    book.deal("o", "Lost", created_at="2025-01-01", close_on="2025-02-10")

    assert book.row("d", settings=set_to(cycle__start=start))["cycle_days"] == days


def test_a_push_is_a_later_date_written_while_the_deal_was_open(book: Book) -> None:
    book.deal("d", "Won", close_on="2025-03-10", closed_at="2025-03-10T09:00")
    for old, new, at in (
        ("2025-01-31", "2025-02-10", "2025-01-20"),
        (None, "2025-02-28T00:00:00Z", "2025-02-05"),  # the CRM does not repeat the old one
        ("2025-02-28", "2025-02-20", "2025-02-07"),
        ("2025-02-20", "2025-03-10", "2025-03-10T09:00"),  # written by the CRM with the close
        ("2025-03-10", "2025-03-20", "2025-03-12"),
        ("soon", "2025-03-20", "2025-01-12"),
    ):
        book.change("d", "close_on", old, new, at)
    book.change("x", "close_on", "2025-01-01", "2025-02-01", "2025-01-01")
    book.deal("calm")

    assert (book.row("d")["push_count"], book.row("d")["push_days"]) == (2, 28)
    assert (book.row("calm")["push_count"], book.row("calm")["push_days"]) == (0, 0)


def test_days_run_to_as_of_in_the_organisations_zone(book: Book) -> None:
    book.deal("d", created_at="2025-03-01T23:30", close_on="2025-03-21")
    book.change("d", "stage", "Talk", "Open", "2025-03-10T23:30")
    book.change("d", "stage", "Open", "Talk", "2025-03-05")
    book.deal("fresh", created_at="2025-03-30", close_on="2025-04-21")
    book.deal("done", "Won", close_on="2025-03-21")

    deal = book.row("d", time_zone="Europe/Berlin")

    assert (deal["age_days"], deal["days_in_stage"], deal["past_due_days"]) == (29, 20, 10)
    fresh, done = book.row("fresh"), book.row("done")
    assert (fresh["days_in_stage"], fresh["past_due_days"]) == (1, 0)
    assert (done["age_days"], done["days_in_stage"], done["past_due_days"]) == (None, None, None)


def test_activities_tell_how_alive_a_deal_is(book: Book) -> None:
    book.deal("d")
    book.deal("quiet")
    for kind, completed, options in (
        ("meeting", "2025-03-08", {"two_way": True, "contact_ids": ["c1", "c2"]}),
        ("visit", "2025-03-18", {"two_way": True, "contact_ids": ["c2"]}),
        ("call", "2025-03-28", {"two_way": False, "contact_ids": ["c3"]}),
        ("email", "2025-03-30", {"auto_logged": True, "two_way": True, "contact_ids": ["c4"]}),
        ("task", None, {"planned_at": "2025-04-04"}),
        ("task", None, {"planned_at": "2025-03-04"}),
        ("call", "2025-03-29", {"deleted": True}),
    ):
        book.add("activity", kind=kind, opportunity_id="d", completed_at=completed, **options)
    book.add("activity", kind="call", opportunity_id=None, completed_at="2025-03-31")
    columns = ("days_since_activity", "days_since_meeting", "next_activity_in_days", "contacts", "activities_completed")

    alive, quiet = book.row("d"), book.row("quiet")
    with_mail = book.row("d", settings=set_to(activity__include_auto_logged=True))

    assert [alive[name] for name in columns] == [3, 13, 4, 2, 3]
    assert [quiet[name] for name in columns] == [None, None, None, 0, 0]
    assert [with_mail[name] for name in columns] == [1, 13, 4, 3, 4]


def test_a_meeting_whose_end_lies_ahead_is_planned_and_did_not_take_place(book: Book) -> None:
    book.deal("d")
    book.add(
        "activity", kind="meeting", opportunity_id="d", planned_at="2025-04-08T09:00", completed_at="2025-04-08T10:00"
    )

    deal = book.row("d")

    assert (deal["next_activity_in_days"], deal["days_since_meeting"], deal["activities_completed"]) == (8, None, 0)


def test_without_a_source_its_columns_are_unknown(book: Book) -> None:
    book.deal("d")

    deal = book.row("d")
    told = book.row("d", sources={"crm": frozenset({"opportunity", "change", "activity"})})

    columns = ("push_count", "push_days", "days_in_stage", "contacts", "activities_completed")
    assert [deal[name] for name in columns] == [None] * 5
    assert [told[name] for name in columns] == [0, 0, 89, 0, 0]
    assert book.facts().sources == {"crm": frozenset({"opportunity", "stage"})}


def test_line_items_are_converted_at_the_deals_own_rate(book: Book) -> None:
    book.add("rate", currency="EUR", to="USD", rate="2", on="2025-02-08")
    book.deal("d", "Won", 100, currency="EUR", close_on="2025-02-10")
    book.add("line_item", "i", opportunity_id="d", product="X", quantity=2, amount=60)
    book.add("line_item", "j", opportunity_id="d", product="Y", amount=None)
    book.add("line_item", "k", opportunity_id="d", product="Z", amount=1, deleted=True)

    items = book.facts().line_items

    assert items.select("line_item", "deal", "product", "amount").rows() == [
        ("crm:i", "crm:d", "X", D(120)), ("crm:j", "crm:d", "Y", None),
    ]  # fmt: skip


def test_splits_share_the_deal_and_leave_the_rest_to_the_owner(book: Book) -> None:
    book.deal("d", "Won", "7777.77", close_on="2025-02-10")
    for person, share, kind in (("a", "0.5", "revenue"), ("b", "0.3", "revenue"), ("se", "0.1", "overlay")):
        book.add("split", opportunity_id="d", person_id=person, percentage=share, kind=kind)
    book.add("split", opportunity_id="d", person_id="x", percentage=None)

    splits = book.facts().splits

    assert splits.select("person", "kind", "amount").rows() == [
        ("crm:se", "overlay", D("777.78")),
        ("crm:a", "revenue", D("3888.89")), ("crm:b", "revenue", D("2333.33")), ("crm:lin", "revenue", D("1555.55")),
    ]  # fmt: skip


def test_splits_beyond_the_whole_are_a_fault_and_do_not_count(book: Book) -> None:
    book.deal("d", "Won", None, close_on="2025-02-10")
    book.deal("sound", "Won", 5, close_on="2025-02-10")
    for person in ("a", "b"):
        book.add("split", opportunity_id="d", person_id=person, percentage="0.6")
    book.add("split", opportunity_id="sound", person_id="a", percentage=1)
    book.add("split", opportunity_id="sound", person_id="o", percentage="0.5", kind="overlay")
    book.add("split", opportunity_id="d", person_id="o", percentage="0.5", kind="overlay")

    facts = book.facts()

    assert facts.splits.select("deal", "person", "kind", "amount").rows() == [
        ("crm:d", "crm:o", "overlay", None), ("crm:d", "crm:lin", "revenue", None),
        ("crm:sound", "crm:o", "overlay", D("2.50")), ("crm:sound", "crm:a", "revenue", D(5)),
    ]  # fmt: skip
    assert facts.deals["split_fault"].to_list() == [True, False]
