"""``make bench``: measures the service beside a minimal program on the same emulator, and shows the targets.

Nothing here fails for being slow: figures depend on the machine, so they are shown and judged by people.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import least, ours
from tests.bench.first_load import first_load
from tests.bench.measure import Cost, run
from tests.bench.portal import make_world, portal
from tests.bench.table import Figure, show

DEALS = 100_000
CPU_MOST, MEMORY_MOST_MIB = 3.0, 150.0
SCORED_DEALS, ACTIVITIES_PER_DEAL, DEALS_PER_PERSON = 200_000, 5.0, 100
SCORE_MOST_SECONDS, RESCORE_MOST_SECONDS = 30.0, 1.0
CHANGED = 100
LIST = "GET /crm/objects/2026-03/{type}"
BATCH = "POST /crm/objects/2026-03/{type}/batch/update"
QUICK = 10


def pull(folder: Path, deals: int) -> Iterator[Figure]:
    """Pull: CPU and memory beside the minimal loop, calls beside the least possible number, and growth of memory."""
    costs: dict[int, Cost] = {}
    for size in (deals, 3 * deals):
        world = _world(folder, size)
        with portal(world) as crm:
            if size == deals:
                loop = run(least.pull, url=crm.url, store=str(folder / "least.db"))
            crm.calls()
            costs[size] = run(ours.pull, url=crm.url, store=str(folder / f"pull-{size}.db"), history=False)
            calls = crm.calls()
        _expect(costs[size], size)
        if size == deals:
            _expect(loop, size)
            yield from _step(f"pull {size:,} deals", costs[size], loop)
            yield Figure("  calls to the list endpoint", _called(calls, LIST), "calls", ceil(size / 100), 1, 0)
            yield Figure("  other calls", sum(calls.values()) - _called(calls, LIST), "calls", places=0)
    small, large = (costs[size].peak_mib for size in (deals, 3 * deals))
    yield Figure(f"pull {3 * deals:,} deals: peak memory", large, "MiB", most=MEMORY_MOST_MIB)
    yield Figure("  beside that of a third", large, "MiB", small, 1.1)


def history(folder: Path, deals: int) -> Iterator[Figure]:
    """Pull with the history of each deal's properties: 50 deals per call, five more rows per deal."""
    with portal(_world(folder, deals)) as crm:
        loop = run(least.pull, url=crm.url, store=str(folder / "least-history.db"))
        crm.calls()
        cost = run(ours.pull, url=crm.url, store=str(folder / "history.db"), history=True)
        calls = crm.calls()
    yield Figure(f"pull {deals:,} deals with history: CPU", cost.cpu_seconds, "s", loop.cpu_seconds)
    yield Figure("  rows stored", cost.told["rows"], "rows", places=0)
    yield Figure("  peak memory", cost.peak_mib, "MiB", most=MEMORY_MOST_MIB)
    yield Figure("  calls to the list endpoint", _called(calls, LIST), "calls", ceil(deals / 50), 1, 0)


def push(folder: Path, deals: int) -> Iterator[Figure]:
    """Push: a score for every deal, beside a minimal loop that keeps the same books."""
    real, small = str(folder / "push.db"), str(folder / "least-push.db")
    with portal(_world(folder, deals)) as crm:
        run(ours.pull, url=crm.url, store=real, history=False)
        run(ours.queue, url=crm.url, store=real)
        run(least.queue, store=small, deals=real)
        loop = run(least.push, url=crm.url, store=small)
        crm.calls()
        cost = run(ours.push, url=crm.url, store=real)
        calls = crm.calls()
    _expect(loop, deals)
    _expect(cost, deals)
    yield from _step(f"push {deals:,} scores", cost, loop)
    yield Figure("  calls to batch update", _called(calls, BATCH), "calls", ceil(deals / 100), 1, 0)
    yield Figure("  other calls", sum(calls.values()) - _called(calls, BATCH), "calls", places=0)


def score(folder: Path, deals: int) -> Iterator[Figure]:
    """Score: everything, and again after a hundred deals have changed. Elapsed time, for this step uses all cores."""
    world = folder / "world"
    made = {"deals": deals, "activities_per_deal": ACTIVITIES_PER_DEAL, "people": deals // DEALS_PER_PERSON}
    run(make_world, folder=str(world), **made)
    config = str(folder / "score" / "config")
    run(ours.configure, folder=config, world=str(world))
    filled = run(ours.pull_folder, folder=config)
    yield Figure(f"pull a folder of {filled.told['rows']:,} rows: CPU", filled.cpu_seconds, "s")
    yield Figure("  peak memory", filled.peak_mib, "MiB")
    full = run(ours.score, folder=config, full=True)
    yield Figure(
        f"score {deals:,} deals and {int(deals * ACTIVITIES_PER_DEAL):,} activities: elapsed",
        full.told["wall_seconds"], "s", most=SCORE_MOST_SECONDS,
    )  # fmt: skip
    yield Figure("  CPU", full.cpu_seconds, "s")
    yield Figure("  peak memory", full.peak_mib, "MiB")
    yield Figure("  open deals scored", full.told["rows"], "deals", places=0)
    _expect(run(ours.touch, folder=config, deals=CHANGED), CHANGED)
    again = run(ours.score, folder=config, full=False)
    yield Figure(
        f"score again after {CHANGED} changed deals: elapsed",
        again.told["wall_seconds"], "s", most=RESCORE_MOST_SECONDS, places=2,
    )  # fmt: skip
    yield Figure("  CPU", again.cpu_seconds, "s", places=2)
    yield Figure("  open deals scored", again.told["rows"], "deals", places=0)


SECTIONS: dict[str, tuple[Callable[[Path, int], Iterator[Figure]], int]] = {
    "pull": (pull, DEALS),
    "history": (history, DEALS),
    "first-load": (first_load, DEALS),
    "push": (push, DEALS),
    "score": (score, SCORED_DEALS),
}


def _step(name: str, cost: Cost, loop: Cost) -> Iterator[Figure]:
    yield Figure(f"{name}: CPU", cost.cpu_seconds, "s", loop.cpu_seconds, CPU_MOST, 2)
    yield Figure("  of it until the first call", cost.told["started"], "s", places=2)
    yield Figure("  peak memory", cost.peak_mib, "MiB", most=MEMORY_MOST_MIB)
    yield Figure("  peak memory of the minimal loop", loop.peak_mib, "MiB")


def _called(calls: dict[str, int], template: str) -> int:
    return calls.get(template, 0)


def _expect(cost: Cost, rows: int) -> None:
    """Raises if a program did less or more than it was to do: its figure would mean nothing."""
    if cost.told["rows"] != rows:
        message = f"{cost.told['rows']} rows instead of {rows}"
        raise RuntimeError(message)


def _world(folder: Path, deals: int) -> Path:
    world = folder / f"world-{deals}"
    run(make_world, folder=str(world), deals=deals)
    return world


def main() -> None:
    """Runs the chosen sections and prints a table for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size: start-up weighs heavily then")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    sys.stdout.write(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, load {load}\n\n")
    for name in arguments.sections or SECTIONS:
        measure, size = SECTIONS[name]
        with TemporaryDirectory(prefix="scoreback-bench-") as folder:
            show(list(measure(Path(folder), size // QUICK if arguments.quick else size)))


if __name__ == "__main__":
    main()
