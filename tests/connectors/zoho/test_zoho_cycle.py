"""The whole way: a small company is pulled from Zoho, appraised, and what Zoho then holds is what was accepted."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.limiter import Limiter
from connectors.sandbox.server import Server
from connectors.sandbox.world import World, simulate
from connectors.sandbox.zoho import ZohoEmulator
from sync.cli.emulators import connection_file
from sync.config import load_config
from sync.provision import provision_connection
from sync.push import write_targets
from sync.run import Service
from sync.store.engine import open_store
from sync.store.outbox import accepted_fields, target_text

SETTINGS = (
    "store: {url: 'sqlite:///../state.db'}\n"
    "organisation: {time_zone: Europe/Berlin, currency: EUR}\n"
    "service: {health: null}\n"
)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[tuple[Path, ZohoEmulator]]:
    """The configuration folder, and the org that it reaches."""
    world = tmp_path / "world"
    simulate(
        World(deals=120, people=8, days=120, activities_per_deal=2, end=datetime.now(UTC).date(), spread=("zoho",))
    ).write(world)
    emulator = ZohoEmulator(world)
    (tmp_path / "config" / "connections").mkdir(parents=True)
    (tmp_path / "config" / "scoreback.yaml").write_text(SETTINGS, encoding="utf-8")
    with Server(emulator) as server:
        file = tmp_path / "config" / "connections" / "zoho.yaml"
        file.write_text(connection_file("zoho", server.url), encoding="utf-8")
        yield tmp_path / "config", emulator


def test_what_zoho_holds_after_a_cycle_is_what_it_accepted(company: tuple[Path, ZohoEmulator]) -> None:
    folder, emulator = company
    Limiter._shared.clear()
    config = load_config(folder)
    with open_store(config.store_url) as store, Service(config, store) as service:
        connector = service.connector("zoho")
        states = {made.state for made in provision_connection(connector, dry_run=False)}

        first = service.cycle()
        emulator.triggers.clear()
        again = service.cycle()

        assert states == {"created"}
        assert not first.failed, first
        assert [pushed.accepted for pushed in again.pushes] in ([], [0])
        assert emulator.triggers == []
        for target in write_targets(connector):
            with store.reading() as tx:
                known = accepted_fields(tx, "zoho", target.record, target_text(target))
            assert known, target
            names = sorted({name for fields in known.values() for name in fields})
            held = connector.read_fields(target, list(known), names)
            # A text that says nothing is an empty field in Zoho.
            wanted = {key: {name: fields.get(name) or None for name in names} for key, fields in known.items()}
            assert {key: {name: value or None for name, value in row.items()} for key, row in held.items()} == wanted
