"""What was known of people, accounts, activities and the rest before our first load."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.records import (
    Absence,
    Account,
    Activity,
    Change,
    Contract,
    Forecast,
    LineItem,
    Opportunity,
    Payment,
    Person,
    Rate,
    Rating,
    Record,
    Split,
    Survey,
    Target,
)  # fmt: skip
from sync.store.engine import Store
from sync.store.facts import load
from sync.store.versions import save_records

LOADED = datetime(2025, 6, 1, tzinfo=UTC)
"""When the first load read everything."""

AS_OF = datetime(2025, 3, 31, 23, 59, 59, 999999, tzinfo=ZoneInfo("Europe/Berlin"))

Row = dict[str, Any]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def won(remote_id: str, closed_at: datetime) -> Opportunity:
    return Opportunity(remote_id=remote_id, outcome="won", created_at=at("2025-01-10"), closed_at=closed_at)


def save(store: Store, *records: Record) -> None:
    with store.writing() as tx:
        for record in records:
            save_records(tx, "sf", record.kind_name, [record], recorded_at=LOADED, run=None, first_load=True)


def rows(store: Store, kind: str) -> list[Row]:
    return load(store, [kind], as_of=AS_OF)[kind].to_dicts()


def known(row: Row) -> Row:
    """What a row says, apart from its keys."""
    keys = {"connection", "recorded_at", "remote_id", "deleted", "seq", "first_load"}
    return {name: value for name, value in row.items() if name not in keys and value is not None}


def test_people_are_known_by_name_and_their_team_by_history(store: Store) -> None:
    save(store, Person(remote_id="eva", name="Eva", email="eva@example.com", team="North", role="AE", active=True))
    save(store, Person(remote_id="max", name="Max", team="North"))
    moved = Change(
        remote_id="m", record="person", record_id="eva", field="team", old="South", new="North", at=at("2025-04-05")
    )
    save(store, moved)

    eva, other = rows(store, "person")

    assert known(eva) == {"name": "Eva", "email": "eva@example.com", "team": "South"}
    assert known(other) == {"name": "Max", "team": "North"}


def test_accounts_are_known_from_their_creation_on(store: Store) -> None:
    save(store, Account(remote_id="1", name="Acme", industry="Steel", created_at=at("2025-01-01")))
    save(store, Account(remote_id="2", name="Bolt", created_at=at("2025-04-02")), Account(remote_id="3", name="Core"))

    assert [known(row) for row in rows(store, "account")] == [
        {"name": "Acme", "created_at": at("2025-01-01")},
        {"name": "Core"},
    ]


def test_an_activity_is_what_it_was_before_it_was_done(store: Store) -> None:
    done: Row = {
        "completed_at": at("2025-03-10"),
        "planned_at": at("2025-03-10"),
        "two_way": True,
        "duration_seconds": 60,
    }
    later: Row = {
        "completed_at": at("2025-04-10"),
        "planned_at": at("2025-04-10"),
        "two_way": True,
        "duration_seconds": 60,
    }
    save(store, Activity(remote_id="done", kind="call", owner_id="eva", created_at=at("2025-03-01"), **done))
    save(store, Activity(remote_id="planned", kind="call", owner_id="eva", created_at=at("2025-03-01"), **later))
    save(store, Activity(remote_id="logged late", kind="call", created_at=at("2025-04-01"), **done))
    save(store, Activity(remote_id="without stamp", kind="call"))

    first, second = rows(store, "activity")

    assert (first["remote_id"], first["completed_at"], first["two_way"]) == ("done", at("2025-03-10"), True)
    assert known(second) == {"kind": "call", "owner_id": "eva", "created_at": at("2025-03-01")}


def test_an_answer_counts_from_when_it_was_given(store: Store) -> None:
    save(
        store,
        Survey(remote_id="1", scale="nps", answer=Decimal(9), sent_at=at("2025-03-01"), answered_at=at("2025-04-01")),
    )

    (row,) = rows(store, "survey")

    assert (row["answer"], row["answered_at"], row["sent_at"]) == (None, None, at("2025-03-01"))


def test_shares_and_lines_belong_to_what_a_closing_fixed(store: Store) -> None:
    save(store, won("closed", at("2025-03-20")), won("open", at("2025-05-20")))
    for deal in ("closed", "open"):
        save(
            store,
            Split(remote_id=deal, opportunity_id=deal, person_id="max"),
            LineItem(remote_id=deal, opportunity_id=deal),
        )

    assert [row["opportunity_id"] for row in rows(store, "split")] == ["closed"]
    assert [row["opportunity_id"] for row in rows(store, "line_item")] == ["closed"]


BEFORE, AFTER = date(2025, 3, 31), date(2025, 4, 1)
EARLY, LATE = at("2025-03-31T21:00:00"), at("2025-03-31T22:30:00")
STAMPED: dict[str, Callable[[str, date, datetime], Record]] = {
    "change": lambda name, _, moment: Change(
        remote_id=name, record="opportunity", record_id="1", field="stage", at=moment
    ),
    "target": lambda name, day, _: Target(remote_id=name, period_start=day, period_end=date(2025, 12, 31)),
    "forecast": lambda name, _, moment: Forecast(
        remote_id=name, owner_id="1", period_start=BEFORE, period_end=AFTER, at=moment
    ),
    "payment": lambda name, day, _: Payment(remote_id=name, kind="payment", paid_on=day),
    "contract": lambda name, day, _: Contract(remote_id=name, account_id="1", start_on=day),
    "absence": lambda name, day, _: Absence(remote_id=name, person_id="1", start_on=day, end_on=date(2025, 12, 31)),
    "rate": lambda name, day, _: Rate(remote_id=name, currency="USD", to="EUR", on=day),
    "rating": lambda name, _, moment: Rating(remote_id=name, subject_id="1", rater_id="2", item="x", rated_at=moment),
}


@pytest.mark.parametrize("kind", STAMPED)
def test_a_row_counts_from_its_own_stamp_by_the_organisations_day(kind: str, store: Store) -> None:
    save(store, STAMPED[kind]("before", BEFORE, EARLY), STAMPED[kind]("after", AFTER, LATE))

    assert [row["remote_id"] for row in rows(store, kind)] == ["before"]
