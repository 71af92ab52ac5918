"""One service, and turns between it and the commands beside it."""

import threading
from pathlib import Path

import pytest

from connectors.errors import ConfigError
from sync.lock import AlreadyRunningError, only_instance, turn


def nobody_waits() -> None:
    pytest.fail("nobody else has the turn")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return str(request.getfixturevalue("postgres").url("postgres"))


def test_a_second_instance_is_refused_at_once_and_welcome_afterwards(url: str) -> None:
    with only_instance(url), pytest.raises(AlreadyRunningError, match="another Scoreback"), only_instance(url):
        pytest.fail("two at once")

    with only_instance(url):
        pass


def test_a_turn_is_waited_for(url: str) -> None:
    told, done = threading.Event(), []

    def second() -> None:
        with turn(url, waiting=told.set):
            done.append("second")

    with turn(url, waiting=nobody_waits):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(20)
        done.append("first")
    thread.join(20)

    assert done == ["first", "second"]


def test_a_turn_beside_a_running_instance_is_free(url: str) -> None:
    with only_instance(url), turn(url, waiting=nobody_waits):
        pass


def test_a_lock_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "state.db.lock").mkdir()
    url = f"sqlite:///{tmp_path / 'state.db'}"

    with pytest.raises(ConfigError, match="nobody can tell whether another Scoreback works"), only_instance(url):
        pytest.fail("nobody knows")


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept", encoding="utf-8")
    (tmp_path / "state.db.lock").symlink_to(victim)

    with pytest.raises(ConfigError, match=r"state\.db\.lock"), only_instance(f"sqlite:///{tmp_path / 'state.db'}"):
        pytest.fail("followed")

    assert victim.read_text(encoding="utf-8") == "kept"


def test_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    url = f"postgresql://nobody@/nothing?host={tmp_path}"

    with pytest.raises(ConfigError, match="the database does not answer"), only_instance(url):
        pytest.fail("nobody knows")
