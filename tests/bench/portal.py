"""A HubSpot emulator in a process of its own, so that its work is not counted as ours."""

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
    """A running emulator."""

    url: str

    def calls(self) -> dict[str, int]:
        """Calls since the last time this was asked, by ``METHOD /path/template``."""
        with urlopen(f"{self.url}/__stats") as answer:  # noqa: S310 - loopback
            found: dict[str, int] = json.load(answer)
        with urlopen(f"{self.url}/__stats/reset", data=b"{}"):  # noqa: S310 - loopback
            return found


def serve(folder: str) -> dict[str, Any]:
    """Serves the world in ``folder`` until the input ends; prints its URL first."""
    from connectors.sandbox.hubspot import HubSpotEmulator
    from connectors.sandbox.server import Server

    with Server(HubSpotEmulator(Path(folder))) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    return {}


def make_world(folder: str, deals: int, activities_per_deal: float = 0, people: int = 50) -> dict[str, Any]:
    """Writes a plain world of so many deals."""
    from connectors.sandbox.world import quick_deals

    quick_deals(deals, activities_per_deal=activities_per_deal, people=people).write(folder)
    return {}


@contextmanager
def portal(folder: Path) -> Iterator[Portal]:
    """An emulator that serves ``folder`` while the block runs."""
    line = command(serve.__module__, serve.__name__, folder=str(folder))
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            message = "the emulator did not start: its own words are above"
            raise RuntimeError(message)
        try:
            yield Portal(url)
        finally:
            process.communicate()
