"""Secrets are references: where they are found, what is said when they are not, and that they are never shown."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest
from keyring.errors import KeyringLocked

from connectors.errors import ConfigError
from connectors.hubspot.settings import HubSpotSignIn
from connectors.secrets import Secret
from sync.config import Config, ConfigProblemsError, load_config


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring does not annotate it
        self.locked = locked
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("very-secret")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture
def ring() -> Iterator[Ring]:
    """An empty keyring in place of the machine's."""
    before = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def load(folder: Path, token: str, *, base_url: str = "https://api.hubapi.com") -> Config:
    """A configuration with one connection that signs in with this token."""
    path = folder / "config" / "connections" / "hs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(f"kind: hubspot\nbase_url: {base_url}\nsign_in: {{token: {token}}}\n", encoding="utf-8")
    return load_config(folder / "config")


def token_of(config: Config) -> Secret:
    """The reference, unresolved."""
    sign_in = config.connections["hs"].sign_in
    assert isinstance(sign_in, HubSpotSignIn)
    assert sign_in.token is not None
    return sign_in.token


def test_a_secret_of_the_environment_is_read_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(load(tmp_path, "env:HUBSPOT_TOKEN"))
    monkeypatch.setenv("HUBSPOT_TOKEN", "very-secret")

    assert token.reveal() == "very-secret"


def test_a_variable_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBSPOT_TOKEN", raising=False)
    token = token_of(load(tmp_path, "env:HUBSPOT_TOKEN"))

    with pytest.raises(ConfigError, match="the environment variable HUBSPOT_TOKEN is not set"):
        token.reveal()


def test_a_secret_file_starts_at_the_file_that_names_it_and_loses_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "config" / "connections").mkdir(parents=True)
    (tmp_path / "config" / "connections").rmdir()
    (tmp_path / "config" / "token").write_text("very-secret\n", encoding="utf-8")
    token = token_of(load(tmp_path, "file:../token"))

    assert token.reveal() == "very-secret"


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    token = token_of(load(tmp_path, "file:/run/secrets/none-such"))

    with pytest.raises(ConfigError, match="file:/run/secrets/none-such: No such file"):
        token.reveal()


def test_a_secret_of_the_keyring_is_asked_by_service_and_name(tmp_path: Path, ring: Ring) -> None:
    ring.set_password("scoreback", "hubspot", "very-secret")
    token = token_of(load(tmp_path, "keyring:scoreback/hubspot"))

    assert token.reveal() == "very-secret"


def test_a_keyring_without_the_entry_and_a_locked_one_are_told_apart(tmp_path: Path, ring: Ring) -> None:
    token = token_of(load(tmp_path, "keyring:scoreback/hubspot"))

    with pytest.raises(ConfigError, match="has no such entry"):
        token.reveal()
    ring.locked = True
    with pytest.raises(ConfigError, match=r"does not answer \(KeyringLocked\)$"):
        token.reveal()


def test_the_word_sandbox_serves_on_loopback_only(tmp_path: Path) -> None:
    config = load(tmp_path, "sandbox", base_url="http://127.0.0.1:8800")

    assert token_of(config).reveal() == "sandbox"
    with pytest.raises(ConfigProblemsError, match="a secret must not stand in the configuration"):
        load(tmp_path / "away", "sandbox")


def test_a_configuration_never_shows_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", "very-secret")
    config = load(tmp_path, "env:HUBSPOT_TOKEN")
    token_of(config).reveal()

    assert "very-secret" not in repr(config) + config.connections["hs"].model_dump_json()


def test_the_database_password_is_a_reference_put_in_at_the_last_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_PASSWORD", "p@ss/w:rd")
    (tmp_path / "scoreback.yaml").write_text(
        "store: {url: postgresql://scoreback@db.example.com:5432/sales, password: env:PG_PASSWORD}\n", encoding="utf-8"
    )
    config = load_config(tmp_path)

    assert config.store_url == "postgresql://scoreback:p%40ss%2Fw%3Ard@db.example.com:5432/sales"
    assert "p@ss" not in repr(config)


def test_a_password_needs_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_PASSWORD", "very-secret")
    (tmp_path / "scoreback.yaml").write_text(
        "store: {url: postgresql:///sales, password: env:PG_PASSWORD}\n", encoding="utf-8"
    )

    with pytest.raises(ConfigError, match="name the user"):
        _ = load_config(tmp_path).store_url
