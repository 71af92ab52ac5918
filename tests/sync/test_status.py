"""Status: where streams stand, what waits, and what is too old."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sync.config import Config
from sync.status import lag_text, status_of
from sync.store.engine import Store
from sync.store.outbox import Queued, Verdict, next_batch, queue, settle
from sync.store.state import save_calls
from sync.store.unreadable import note_unreadable

Pulled = Callable[..., tuple[Config, Store]]


def test_every_stream_tells_cursor_rows_and_lag(pulled: Pulled) -> None:
    config, store = pulled()

    state = status_of(config, store, datetime.now(UTC) + timedelta(hours=3))

    deals = next(row for row in state["streams"] if row["stream"] == "opportunity")
    assert (deals["connection"], deals["rows"], deals["last_error"]) == ("crm", 4, None)
    assert deals["lag"].startswith("3 h")
    assert state["runs"][0]["command"] == "pull"
    assert state["scored_as_of"] is None


def test_a_refused_write_is_listed_with_the_words_of_the_crm(pulled: Pulled) -> None:
    config, store = pulled()
    now = datetime.now(UTC)
    with store.writing() as tx:
        rows = [Queued("crm", "opportunity", "", name, {"score": 1}, name) for name in ("d4", "d5")]
        queue(tx, rows, at=now, run=None)
        first, _ = next_batch(tx, "crm", "opportunity", "", 10, now)
        settle(tx, [Verdict(first.id or 0, "d4", "park", code="LOCKED", text="is locked")], at=now, run=None)

    state = status_of(config, store, now)

    assert state["outbox"] == {"pending": 1, "parked": 1}
    (parked,) = state["parked"]
    assert (parked["remote_id"], parked["code"], parked["text"]) == ("d4", "LOCKED", "is locked")


def test_unreadable_rows_and_our_own_calls_are_told(pulled: Pulled) -> None:
    config, store = pulled()
    now = datetime.now(UTC)
    with store.writing() as tx:
        note_unreadable(tx, "crm", "opportunity", {"d9": "amount: must be a number"}, at=now, run=1)
        save_calls(tx, "crm", now.date(), 17)

    state = status_of(config, store, now)

    assert [row["remote_id"] for row in state["unreadable"]] == ["d9"]
    assert state["allowance"] == {"crm": 17}


@pytest.mark.parametrize(
    ("later", "stale"),
    [
        pytest.param(timedelta(minutes=14), False, id="within three pulls"),
        pytest.param(timedelta(minutes=16), True, id="three pulls missed"),
    ],
)
def test_a_connection_is_stale_when_it_missed_three_pulls(pulled: Pulled, later: timedelta, stale: bool) -> None:
    config, store = pulled()

    state = status_of(config, store, datetime.now(UTC) + later)

    assert state["freshness"]["crm"]["stale"] is stale
    assert bool(state["freshness"]["crm"]["late"]) is stale


@pytest.mark.parametrize(
    ("lag", "text"),
    [
        pytest.param(timedelta(seconds=-3), "0 s", id="a clock ahead of ours"),
        pytest.param(timedelta(seconds=40), "40 s", id="seconds"),
        pytest.param(timedelta(minutes=12, seconds=5), "12 min", id="minutes"),
        pytest.param(timedelta(hours=3, minutes=20), "3 h 20 min", id="hours"),
        pytest.param(timedelta(days=3, hours=4, minutes=9), "3 d 4 h", id="days"),
    ],
)
def test_a_lag_is_told_in_its_largest_units(lag: timedelta, text: str) -> None:
    assert lag_text(lag) == text
