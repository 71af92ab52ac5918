"""Grounds of the service's tests: a csv connection pulled into a store, and a company on CRM emulators."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.registry import open_connector
from sync.config import Config, load_config
from sync.pull import Puller
from sync.store.engine import Store, open_store
from sync.store.state import end_run, start_run
from tests.sync.company import Company, open_company, write_world

CONNECTION = "kind: csv\nfolder: ../../world\n"
SETTINGS = "store: {url: sqlite:///../state.db}\norganisation: {time_zone: Europe/Berlin, currency: EUR}\n"

PEOPLE = """id,name,email,team,region,role,active
u1,Ada Berg,Ada@example.com,North,EMEA,AE,true
u2,Ben Carr,ben@example.com,North,EMEA,AE,true
u3,Cyd Dorn,cyd@example.com,South,EMEA,AE,true
"""
STAGES = """id,pipeline,stage,label,position,outcome,probability,qualified
s1,,open,Talking,1,open,0.2,true
s2,,won,Won,2,won,1,true
s3,,lost,Lost,3,lost,0,true
"""
OPPORTUNITIES = """id,name,account_id,owner_id,stage,amount,currency,created_at,close_on,closed_at,product,modified_at
d1,Alpha,a1,u1,won,1000.10,EUR,2025-01-10T09:00:00Z,2025-02-01,2025-02-01T10:00:00Z,GTX,2025-02-01T10:00:00Z
d2,Beta,a1,u1,lost,500,EUR,2025-01-05T09:00:00Z,2025-03-01,2025-03-01T10:00:00Z,GTX,2025-03-01T10:00:00Z
d3,Gamma,a2,u2,won,0.20,EUR,2025-02-10T09:00:00Z,2025-03-31,2025-03-31T10:00:00Z,MG,2025-03-31T10:00:00Z
d4,"=Delta, open",a2,u1,open,700,EUR,2025-03-10T09:00:00Z,2025-05-01,,MG,2025-03-10T09:00:00Z
"""
ACCOUNTS = "id,name,industry\na1,Acme,medical\na2,Bolt,retail\n"
WORLD = {
    "people.csv": PEOPLE,
    "stages.csv": STAGES,
    "opportunities.csv": OPPORTUNITIES,
    "accounts.csv": ACCOUNTS,
}

Pulled = Callable[..., tuple[Config, Store]]


def pull_all(config: Config, store: Store) -> None:
    """Pulls every connection; a failure fails the test."""
    for settings in config.connections.values():
        with store.writing() as tx:
            run = start_run(tx, "pull", at=datetime.now(UTC))
        connector = open_connector(settings)
        try:
            outcome = Puller(connector, store, run=run).pull()
        finally:
            connector.close()
        with store.writing() as tx:
            end_run(tx, run, at=datetime.now(UTC), status="failed" if outcome.failed else "done")
        assert outcome.error is None, outcome.error
        assert not [stream.error for stream in outcome.streams if stream.error]


@pytest.fixture(scope="session", name="pull_all")
def pull_all_fixture() -> Callable[[Config, Store], None]:
    """Pulls every connection of a configuration into a store."""
    return pull_all


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``config/`` with one csv connection ``crm`` and its world; gives the folder."""

    def write(world: Mapping[str, str] = WORLD, **files: str) -> Path:
        folder = tmp_path / "config"
        for part in ("connections", "plans"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (tmp_path / "world").mkdir(exist_ok=True)
        (folder / "scoreback.yaml").write_text(SETTINGS, encoding="utf-8")
        (folder / "connections" / "crm.yaml").write_text(CONNECTION, encoding="utf-8")
        for name, text in world.items():
            (tmp_path / "world" / name).write_text(text, encoding="utf-8")
        for name, text in files.items():
            (folder / "plans" / f"{name}.yaml").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def pulled(write_config: Callable[..., Path], request: pytest.FixtureRequest) -> Pulled:
    """The configuration and its store, filled by a pull; plans by keyword."""

    def make(world: Mapping[str, str] = WORLD, **plans: str) -> tuple[Config, Store]:
        config = load_config(write_config(world, **plans))
        store = open_store(config.store_url)
        request.addfinalizer(store.close)
        pull_all(config, store)
        return config, store

    return make


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world of a small company with logins, people and deals in both CRMs."""
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def company(tmp_path: Path, world: Path) -> Iterator[Company]:
    """The small company on fresh emulators, provisioned, with a configuration and no store yet."""
    with open_company(tmp_path, world) as opened:
        yield opened
