"""A CRM's emulator in a process of its own, so that its work is not counted as ours."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.bench.measure import ROOT, command


@dataclass(frozen=True, slots=True)
class Portal:
    """A running emulator. ``permitted`` is how many calls a second it allows; None: it does not count them."""

    url: str
    permitted: float | None = None

    def calls(self) -> dict[str, int]:
        """Calls since the last time this was asked, by ``METHOD /path/template``."""
        with urlopen(f"{self.url}/__stats") as answer:  # noqa: S310 - loopback
            found: dict[str, int] = json.load(answer)
        with urlopen(f"{self.url}/__stats/reset", data=b"{}"):  # noqa: S310 - loopback
            return found

    def change(self, deals: list[str]) -> None:
        """Gives some deals of the world another amount, as a user of the CRM would."""
        for deal in deals:
            order = {"record": "opportunities", "id": deal, "fields": {"amount": "4321"}}
            with urlopen(f"{self.url}/__world", data=json.dumps(order).encode()):  # noqa: S310 - loopback
                pass


def serve(folder: str, kind: str, **options: Any) -> dict[str, Any]:
    """Serves the world in ``folder`` until the input ends; prints its URL and the calls a second it permits first."""
    from connectors.sandbox.server import Server
    from sync.cli.emulators import emulator_class

    emulator = emulator_class(kind)(Path(folder), **options)
    permitted = getattr(emulator, "permitted", None) or emulator.rate
    with Server(emulator) as server:
        sys.stdout.write(json.dumps({"url": server.url, "permitted": permitted}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    return {}


def make_world(folder: str, deals: int, activities_per_deal: float = 0, people: int = 50) -> dict[str, Any]:
    """Writes a plain world of so many deals."""
    from connectors.sandbox.world import quick_deals

    quick_deals(deals, activities_per_deal=activities_per_deal, people=people).write(folder)
    return {}


@contextmanager
def portal(folder: Path, kind: str = "hubspot", **options: Any) -> Iterator[Portal]:
    """An emulator that serves ``folder`` while the block runs; ``options`` as its constructor takes them."""
    line = command(serve.__module__, serve.__name__, folder=str(folder), kind=kind, **options)
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        assert process.stdout is not None
        told = process.stdout.readline().strip()
        if not told:
            message = "the emulator did not start: its own words are above"
            raise RuntimeError(message)
        try:
            yield Portal(**json.loads(told))
        finally:
            process.communicate()
