"""A small simulated company on emulators, with the configuration that reaches them: what the service tests run on."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.limiter import Limiter
from connectors.sandbox.emulator import Emulator
from connectors.sandbox.folder import read_world
from connectors.sandbox.server import Server
from connectors.sandbox.world import World, simulate
from sync.cli.emulators import connection_file, emulator_class
from sync.config import Config, load_config
from sync.provision import provision_connection
from sync.run import CycleOutcome, Service
from sync.store.engine import Store, open_store

KINDS = ("salesforce", "hubspot")
SMALL: Mapping[str, Any] = {"deals": 160, "people": 8, "days": 120, "activities_per_deal": 2.0}
SETTINGS = "organisation: {time_zone: Europe/Berlin, currency: EUR}\nservice: {health: null}\n"
SCOREBACK = Path(sys.executable).with_name("scoreback")


class Company:
    """CRMs on loopback, a configuration folder and a store."""

    def __init__(self, folder: Path, world: Path, emulators: Mapping[str, Emulator], urls: Mapping[str, str]) -> None:
        self.folder = folder
        self.world = world
        self.emulators = emulators
        self.urls = urls

    @property
    def config_folder(self) -> Path:
        return self.folder / "config"

    def config(self) -> Config:
        return load_config(self.config_folder)

    @contextmanager
    def service(self) -> Iterator[Service]:
        """A process's life of its own: neither connectors nor limits are remembered from the one before."""
        Limiter._shared.clear()
        config = self.config()
        with open_store(config.store_url) as store, Service(config, store) as service:
            yield service

    @contextmanager
    def store(self) -> Iterator[Store]:
        with open_store(self.config().store_url) as store:
            yield store

    def provision(self) -> None:
        with self.service() as service:
            for name in service.config.connections:
                for made in provision_connection(service.connector(name), dry_run=False):
                    assert made.state in ("created", "exists"), made

    def cycle(self, **options: Any) -> CycleOutcome:
        with self.service() as service:
            return service.cycle(**options)

    def command(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """The real command, in a process of its own."""
        return subprocess.run(  # noqa: S603 # our own command and arguments
            [SCOREBACK, "-c", self.config_folder, *words], capture_output=True, text=True, timeout=timeout, check=False
        )

    def set(self, yaml: str) -> None:
        """Writes ``scoreback.yaml`` anew: what every test has, and ``yaml``."""
        (self.config_folder / "scoreback.yaml").write_text(SETTINGS + yaml, encoding="utf-8")

    def stats(self, kind: str) -> dict[str, int]:
        """Calls by method and path template since the last reset."""
        found: dict[str, int] = self._call(kind, "GET", "/__stats")
        return found

    def calls(self) -> dict[str, int]:
        """All calls since the last reset, by CRM."""
        return {kind: sum(self.stats(kind).values()) for kind in self.urls}

    def reset_stats(self) -> None:
        for kind in self.urls:
            self._call(kind, "POST", "/__stats/reset")

    def arm(self, kind: str, name: str, **settings: Any) -> None:
        self._call(kind, "POST", "/__faults", {"name": name, **settings})

    def disarm(self) -> None:
        for kind in self.urls:
            self._call(kind, "DELETE", "/__faults")

    def edit(self, kind: str, record: str, record_id: str | None, /, **fields: Any) -> str:
        """What a user of the CRM would do; gives the CRM's id."""
        return str(self._call(kind, "POST", "/__world", {"record": record, "id": record_id, "fields": fields})["id"])

    def delete(self, kind: str, record: str, record_id: str) -> None:
        self._call(kind, "DELETE", f"/__world/{record}/{record_id}")

    def deals(self, kind: str, outcome: str = "open") -> list[dict[str, str]]:
        """The CRM's deals as the world has them, with the CRM's own id as ``remote_id``."""
        ids = self.emulators[kind].ids["opportunities"]
        return [
            {**row, "remote_id": ids[row["id"]]}
            for row in read_world(self.world)["opportunities"]
            if row.get("connection", kind) in (kind, "") and row["outcome"] == outcome and row["id"] in ids
        ]

    def held(self, kind: str, record: str, record_id: str) -> dict[str, Any]:
        """The fields of a record as the CRM holds them, by lower-case names."""
        emulator = self.emulators[kind]
        row = emulator.show(record, record_id) or {}
        return {name.lower(): value for name, value in row.get("properties", row).items()}

    def _call(self, kind: str, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 # loopback only
            self.urls[kind] + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 # loopback only
            text = answer.read()
        return json.loads(text) if text else None


def write_world(folder: Path, kinds: Sequence[str] = KINDS, **settings: Any) -> Path:
    """A company that is alive today, spread over ``kinds``."""
    spread = tuple(kinds) if len(kinds) > 1 else ()
    simulate(World(end=datetime.now(UTC).date(), spread=spread, **{**SMALL, **settings})).write(folder)
    return folder


def write_config(folder: Path, urls: Mapping[str, str]) -> None:
    (folder / "connections").mkdir(parents=True, exist_ok=True)
    (folder / "scoreback.yaml").write_text(SETTINGS, encoding="utf-8")
    for kind, url in urls.items():
        text = connection_file(kind, url, company=True)
        (folder / "connections" / f"{kind}.yaml").write_text(text, encoding="utf-8")


@contextmanager
def open_company(folder: Path, world: Path, kinds: Sequence[str] = KINDS) -> Iterator[Company]:
    """The company, provisioned."""
    with ExitStack() as stack:
        emulators = {kind: emulator_class(kind)(world) for kind in kinds}
        urls = {kind: stack.enter_context(Server(emulator)).url for kind, emulator in emulators.items()}
        write_config(folder / "config", urls)
        found = Company(folder, world, emulators, urls)
        found.provision()
        found.reset_stats()
        yield found
