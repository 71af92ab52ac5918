"""What connectors learnt outlives the process, and not the time after which the CRM's set-up is asked again."""

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.base import Connector, WriteTarget
from connectors.csv_folder.settings import CsvSettings
from connectors.registry import open_connector
from sync import learnt
from sync.push import Pusher
from sync.settings import PushSettings
from sync.store.engine import Store
from sync.store.state import get_meta
from tests.sync.conftest import Pulled


def opened(folder: Path, **settings: timedelta) -> Connector:
    return open_connector(CsvSettings(kind="csv", folder=folder, **settings).named("exports"))


def keep(store: Store, connector: Connector) -> None:
    with store.writing() as tx:
        learnt.keep(tx, connector)


def test_the_next_process_knows_what_was_learnt_and_where_it_stood(sqlite_store: Store, tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.learnt["zone"] = "Europe/Berlin"
    first.places["opportunity"] = "link 1"
    keep(sqlite_store, first)

    learnt.recall(sqlite_store, second)

    assert second.learnt == {"zone": "Europe/Berlin"}
    assert second.places == {"opportunity": "link 1"}


def test_what_is_too_old_is_forgotten_also_by_a_connector_that_stays_open(sqlite_store: Store, tmp_path: Path) -> None:
    connector = opened(tmp_path, metadata_every=timedelta())
    connector.learnt["zone"] = "Europe/Berlin"
    keep(sqlite_store, connector)

    learnt.recall(sqlite_store, connector)

    assert connector.learnt == {}


def test_what_was_learnt_anew_is_new_again_though_it_says_the_same(sqlite_store: Store, tmp_path: Path) -> None:
    connector = opened(tmp_path, metadata_every=timedelta())
    connector.learnt["zone"] = "Europe/Berlin"
    keep(sqlite_store, connector)
    with sqlite_store.reading() as tx:
        before = get_meta(tx, "learnt:exports")

    keep(sqlite_store, connector)

    with sqlite_store.reading() as tx:
        assert get_meta(tx, "learnt:exports") != before


def test_what_is_known_of_other_things_is_not_lost_by_learning_one_more(sqlite_store: Store, tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.learnt["zone"] = "Europe/Berlin"
    keep(sqlite_store, first)
    second.learnt["currency"] = "EUR"

    learnt.recall(sqlite_store, second)
    keep(sqlite_store, second)

    third = opened(tmp_path)
    learnt.recall(sqlite_store, third)
    assert third.learnt == {"zone": "Europe/Berlin", "currency": "EUR"}


def test_what_a_push_pays_for_is_kept_before_its_verdicts(
    pulled: Pulled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = pulled()
    connector = opened(tmp_path)

    def dies(*_args: object) -> None:
        connector.places["bulk_write"] = "a job"
        connector.keep()
        raise KeyboardInterrupt

    monkeypatch.setattr(Pusher, "_target", dies)
    monkeypatch.setattr(Pusher, "_drift", lambda *_: None)
    monkeypatch.setattr("sync.push.write_targets", lambda _: [WriteTarget("opportunity")])
    with pytest.raises(KeyboardInterrupt):
        Pusher(connector, store, run=1, settings=PushSettings()).push()

    with store.reading() as tx:
        assert get_meta(tx, "places:exports") == '{"bulk_write": "a job"}'
