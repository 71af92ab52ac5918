"""Which kinds there are, and how one is opened."""

from pathlib import Path

import pytest

from connectors import registry
from connectors.csv_folder import CsvFolder
from connectors.csv_folder.settings import CsvSettings
from connectors.errors import ConfigError
from connectors.registry import connector_class, kinds, limiter_for, open_connector
from connectors.settings import ConnectionSettings


class _Entry:
    """An entry point of another package."""

    def __init__(self, value: str) -> None:
        self.value = value

    def load(self) -> object:
        """What the package offers."""
        if self.value == "missing":
            message = "No module named crm"
            raise ImportError(message)
        return Path


@pytest.fixture
def csv_settings(tmp_path: Path) -> CsvSettings:
    settings = CsvSettings(kind="csv", folder=tmp_path).named("exports")
    assert isinstance(settings, CsvSettings)
    return settings


def test_the_kinds_of_this_package_are_there() -> None:
    assert {"salesforce", "hubspot", "csv"} <= set(kinds())


def test_a_kind_has_its_connector() -> None:
    assert connector_class("csv") is CsvFolder


def test_an_unknown_kind_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"kind sales_force is not one we know\. Did you mean salesforce\?"):
        connector_class("sales_force")


def test_a_kind_like_no_other_is_answered_with_the_list() -> None:
    with pytest.raises(ConfigError, match=r"There are csv, .*salesforce"):
        connector_class("xyzzy")


@pytest.mark.parametrize(("value", "message"), [("missing", "cannot be loaded"), ("odd", "is no connector")])
def test_a_broken_package_is_named(value: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_found", lambda: {f"other-{value}": _Entry(value)})

    with pytest.raises(ConfigError, match=message):
        connector_class(f"other-{value}")


def test_an_opened_connector_is_ready(csv_settings: CsvSettings) -> None:
    connector = open_connector(csv_settings)

    assert isinstance(connector, CsvFolder)
    assert connector.connection is csv_settings
    connector.close()


def test_one_sign_in_shares_one_limiter(csv_settings: CsvSettings) -> None:
    first, second = open_connector(csv_settings), open_connector(csv_settings)

    assert first.http.limiter is second.http.limiter is limiter_for(csv_settings)


def salesforce(client: str) -> ConnectionSettings:
    sign_in = {"client_id": "sandbox", "client_secret": "sandbox", "flow": client, "refresh_token": "sandbox"}
    data = {"kind": "salesforce", "base_url": "http://127.0.0.1:1", "sign_in": sign_in}
    return connector_class("salesforce").settings.model_validate(data, context={"loopback": True}).named("crm")


def test_two_sign_ins_of_one_organisation_share_its_limit() -> None:
    one, other = salesforce("client_credentials"), salesforce("refresh_token")

    assert limiter_for(one) is limiter_for(other)
