"""What the next run costs: read streams are asked once, unread ones are counted, and a first load may take days."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.base import Connector
from connectors.limiter import Limiter
from connectors.registry import open_connector
from connectors.sandbox.folder import write_world
from connectors.sandbox.hubspot import HubSpotEmulator
from connectors.sandbox.server import Server
from connectors.settings import ConnectionSettings
from sync.cli.emulators import connection_file
from sync.config import load_config
from sync.estimate import _seconds, estimate, estimate_findings
from sync.store.books import StreamState
from sync.store.engine import Store
from sync.store.outbox import Queued, queue
from sync.store.state import save_state

NOW = datetime(2026, 3, 2, tzinfo=UTC)
OFF = "streams: {person: off, stage: off, account: off, meeting: off, email: off, task: off, target: off, rate: off,\n  line_item: off, survey: off,\n  invoice: off, commerce_payment: off, refund: off, subscription: off, forecast_submission: off}\n"
DEALS = [{"id": str(number), "name": f"Deal {number}"} for number in range(130)]

Open = Callable[..., Connector]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[HubSpotEmulator]:
    """130 deals and no call."""
    write_world(tmp_path / "world", {"opportunities": DEALS})
    emulator = HubSpotEmulator(tmp_path / "world")
    with Server(emulator):
        yield emulator


@pytest.fixture
def connect(portal: HubSpotEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a connection that reads deals, their history and calls."""
    monkeypatch.setattr(Limiter, "_shared", {})
    opened: list[Connector] = []

    def open_one(allowance: str = "{calls: 1000}") -> Connector:
        text = connection_file("hubspot", portal.url, write_back=False).replace("{share: 1}", allowance) + OFF
        path = tmp_path / "config" / "connections" / "hs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        settings: ConnectionSettings = load_config(tmp_path / "config").connections["hs"]
        opened.append(open_connector(settings))
        return opened[-1]

    yield open_one
    for connector in opened:
        connector.close()


def read_to_the_end(store: Store, *streams: str) -> None:
    """Notes these streams as read."""
    with store.writing() as tx:
        for stream in streams:
            save_state(tx, StreamState(connection="hs", stream=stream, full_done=True, rows=130))


def test_an_unread_connection_is_counted_by_the_crm(
    connect: Open, sqlite_store: Store, portal: HubSpotEmulator
) -> None:
    made = estimate(connect(), sqlite_store)

    assert (made.reads, made.whole) == (3 + 1, ("opportunity", "call"))  # 130 deals by 50, and one page of no calls
    assert made.share is not None
    assert made.share * 1000 == 4
    assert sum(portal.stats.values()) == 2


def test_a_connection_that_was_read_is_asked_for_its_changes_without_a_call_now(
    connect: Open, sqlite_store: Store, portal: HubSpotEmulator
) -> None:
    read_to_the_end(sqlite_store, "opportunity", "change", "call")

    made = estimate(connect(), sqlite_store)

    assert (made.reads, made.whole, made.unknown) == (2, (), ())
    assert not portal.stats


def test_what_was_found_empty_is_not_read_for_the_first_time_again(connect: Open, sqlite_store: Store) -> None:
    read_to_the_end(sqlite_store, "opportunity", "change")
    with sqlite_store.writing() as tx:
        save_state(tx, StreamState(connection="hs", stream="call", pulled_at=NOW))

    assert estimate(connect(), sqlite_store).whole == ()


def test_what_waits_in_the_outbox_is_written_by_the_batch(connect: Open, sqlite_store: Store) -> None:
    read_to_the_end(sqlite_store, "opportunity", "change", "call")
    rows = [
        Queued("hs", "opportunity", "", str(number), {"scoreback_score": "1"}, f"d{number}") for number in range(250)
    ]
    with sqlite_store.writing() as tx:
        queue(tx, rows, at=NOW, run=None)

    made = estimate(connect(), sqlite_store)

    assert (made.writes, made.calls) == (3, 5)


def test_a_load_that_does_not_fit_into_a_day_is_a_warning(connect: Open, sqlite_store: Store) -> None:
    lines = list(estimate_findings(connect("{calls: 3}"), sqlite_store))

    assert [line.level for line in lines] == ["info", "warning"]
    assert "133.3 % of our 3 a day" in lines[0].text
    assert "spread over 2 days" in lines[1].text


def test_a_day_that_nobody_tells_is_not_known(connect: Open, sqlite_store: Store) -> None:
    read_to_the_end(sqlite_store, "opportunity", "change", "call")

    [line] = estimate_findings(connect("{share: 0.2}"), sqlite_store)

    assert "our calls of a day are not known" in line.text
    assert "asks every stream for its changes: about 2 calls" in line.text


def test_a_big_load_in_parts_takes_as_long_as_the_limit_makes_it(connect: Open) -> None:
    hubspot = connect()

    small, big, many_rows = (
        _seconds(hubspot, calls, rows) for calls, rows in ((10, 500), (2000, 100_000), (20, 100_000))
    )

    assert small == pytest.approx(3.0)  # one call after the other
    assert big == pytest.approx(2000 * 10 / 80)  # eighty calls per ten seconds
    assert many_rows == pytest.approx(25.0)  # what we can store
