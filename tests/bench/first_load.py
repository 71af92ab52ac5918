"""First loads through 200 ms of latency: calls beside the least possible, the share of the permitted rate, memory."""

import csv
from collections.abc import Iterator
from pathlib import Path

from connectors.registry import kinds
from sync.cli.emulators import emulated_kinds
from tests.bench import ours
from tests.bench.measure import run
from tests.bench.portal import Portal, make_world, portal
from tests.bench.table import Figure

LATENCY_MS = 200
OPTIONS = {"hubspot": {"rate": 19}, "fxiaoke": {"rate": 5}}
"""The vendors' limits, where an emulator has none by itself: 190 calls per ten seconds (professional plans of HubSpot), 100
per 20 seconds (Fxiaoke)."""

CALLS_MOST, RATE_LEAST, MEMORY_MOST_MIB = 1.02, 0.85, 200.0
MANY_CALLS = 200
"""Fewer are over before a limit is felt, and what every process asks first weighs more than the rows."""

CHANGED_SHARE = 0.01


def first_load(folder: Path, deals: int) -> Iterator[Figure]:
    """Every kind that has a connector and an emulator: a first load of deals, then an idle cycle, then one of changes."""
    run(make_world, folder=str(folder / "world"), deals=deals)
    for kind in emulated_kinds():
        if kind in kinds():
            with portal(folder / "world", kind, latency_ms=LATENCY_MS, **OPTIONS.get(kind, {})) as crm:
                yield from _kind(folder, kind, deals, crm)


def _kind(folder: Path, kind: str, deals: int, crm: Portal) -> Iterator[Figure]:
    place = {"kind": kind, "url": crm.url, "folder": str(folder / kind)}
    crm.calls()
    loaded = run(ours.load, **place, deals_only=True)
    made = sum(crm.calls().values())
    if loaded.told["rows"] != deals:
        message = f"{kind}: {loaded.told['rows']} deals instead of {deals}"
        raise RuntimeError(message)
    least = loaded.told["least"]
    most = CALLS_MOST if least >= MANY_CALLS else None
    yield Figure(f"{kind}: first load of {deals:,} deals: calls", made, "calls", least, most, 0)
    seconds = loaded.told["wall_seconds"]
    yield Figure("  elapsed", seconds, "s")
    if crm.permitted is not None:
        slowest = RATE_LEAST if made >= max(MANY_CALLS, 10 * crm.permitted) else None
        yield Figure("  calls a second", made / seconds, "calls/s", crm.permitted, least=slowest)
    yield Figure("  CPU", loaded.cpu_seconds, "s")
    yield Figure("  peak memory", loaded.peak_mib, "MiB", most=MEMORY_MOST_MIB)
    run(ours.load, **place, deals_only=False)
    crm.calls()
    run(ours.load, **place, deals_only=False)
    yield Figure("  calls of an idle cycle", sum(crm.calls().values()), "calls", places=0)
    changed = int(deals * CHANGED_SHARE)
    crm.change(_ids(folder / "world", changed))
    run(ours.load, **place, deals_only=False)
    yield Figure(f"  calls of a cycle with {changed:,} changed deals", sum(crm.calls().values()), "calls", places=0)


def _ids(world: Path, count: int) -> list[str]:
    with (world / "opportunities.csv").open(encoding="utf-8", newline="") as file:
        return [row["id"] for row, _ in zip(csv.DictReader(file), range(count), strict=False)]
