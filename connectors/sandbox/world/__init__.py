"""A simulated sales company: the same settings give the same files, byte for byte.

``simulate(World(seed=1, deals=500, end=today)).write(folder)`` writes a world folder and ``truth.json``, which says
what was planted. ``quick_deals`` makes a large and plain world for benches. How it behaves: docs/reference/world.md.
"""

import json
from collections.abc import Callable
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from connectors.sandbox.folder import FolderSink, MemorySink, Sink, Tables
from connectors.sandbox.world.accounts import Market
from connectors.sandbox.world.activities import Diary
from connectors.sandbox.world.company import Planning, write_rates, write_stages
from connectors.sandbox.world.deal import Deal
from connectors.sandbox.world.deals import MODEL, Sales
from connectors.sandbox.world.ground import lay_ground
from connectors.sandbox.world.people import Staff
from connectors.sandbox.world.quick import write_quick
from connectors.sandbox.world.rows import Books
from connectors.sandbox.world.settings import END, FAULT_RATES, World

__all__ = ["FAULT_RATES", "Simulated", "World", "quick_deals", "simulate"]

Event = tuple[Callable[[int, Deal], None], Deal]


class Simulated:
    """A company that comes to life when asked for: ``write`` streams it into files, ``tables`` keeps it in memory."""

    def __init__(self, world: World, run: Callable[[World, Sink], dict[str, Any]]) -> None:
        self.world = world
        self._run = run

    @cached_property
    def _kept(self) -> tuple[Tables, dict[str, Any]]:
        sink = MemorySink(spread=bool(self.world.spread))
        truth = self._run(self.world, sink)
        return sink.tables, truth

    @property
    def tables(self) -> Tables:
        """Every table as ``read_world`` would read it back."""
        return self._kept[0]

    @property
    def truth(self) -> dict[str, Any]:
        """The content of ``truth.json``."""
        return self._kept[1]

    def write(self, folder: Path | str) -> dict[str, Any]:
        """Writes the CSV files and ``truth.json`` into the folder, row by row, and returns the truth."""
        path = Path(folder)
        with FolderSink(path, spread=bool(self.world.spread)) as sink:
            truth = self._run(self.world, sink)
        text = json.dumps(truth, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        with (path / "truth.json").open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        return truth


def simulate(world: World) -> Simulated:
    """The company of these settings. Nothing is computed before it is asked for."""
    return Simulated(world, lambda settings, sink: _Company(settings, sink).run())


def quick_deals(
    n: int, seed: int = 1, *, people: int = 50, activities_per_deal: float = 0, days: int = 913, end: date = END
) -> Simulated:
    """A large, plain company in one CRM: ``n`` deals, some people, ``n / 20`` accounts, no history, nothing planted."""
    world = World(
        seed=seed,
        deals=n,
        people=people,
        activities_per_deal=activities_per_deal,
        days=days,
        end=end,
        planted=False,
        faults={},
    )
    return Simulated(world, write_quick)


class _Company:
    """Everything at work on one company, a day at a time."""

    def __init__(self, world: World, sink: Sink) -> None:
        self.ground = lay_ground(world, sink)
        self.agenda: dict[int, list[Event]] = {}
        self.staff = Staff(self.ground)
        self.market = Market(self.ground, self.staff)
        self.books = Books(self.ground, self.staff, self.market)
        self.sales = Sales(self.ground, self.staff, self.market, self._plan, self._finish)
        self.diary = Diary(self.ground, self.sales, self._plan)
        self.planning = Planning(self.ground, self.sales)

    def _plan(self, day: int, action: Callable[[int, Deal], None], deal: Deal) -> None:
        if day < self.ground.calendar.end:
            self.agenda.setdefault(day, []).append((action, deal))

    def _finish(self, deal: Deal) -> None:
        self.books.close(deal)
        self.diary.closed.append(deal)

    def run(self) -> dict[str, Any]:
        """Simulates every day, writes what is left, and returns the truth."""
        write_stages(self.ground)
        write_rates(self.ground)
        self.staff.absences()
        self.planning.set_targets()
        created = 0
        for day in range(self.ground.calendar.first, self.ground.calendar.end):
            self._turn_over(day)
            wanted = int(self.ground.world.deals * self.ground.calendar.share_until(day + 1) + 0.5)
            for _ in range(wanted - created):
                self.sales.create(day)
            created = wanted
            for action, deal in self.agenda.pop(day, ()):
                action(day, deal)
            self.diary.day(day)
        return self._close_books()

    def _turn_over(self, day: int) -> None:
        for seller in self.staff.sellers:
            if seller.ended == day:
                self.sales.leave(seller, day)
                self.market.hand_over(seller, day)
            elif seller.successor is not None and seller.successor.started == day:
                self.market.hand_over(seller, day, seller.successor)

    def _close_books(self) -> dict[str, Any]:
        self.diary.look_ahead()
        for deal in self.sales.open.values():
            self.books.close(deal)
        self.planning.write_forecasts()
        self.planning.write_ratings()
        self.staff.write()
        self.market.write()
        if "padder" in self.ground.truth.planted:
            self.ground.truth.planted["padder"]["bursts"] = self.diary.bursts
        return self.ground.truth.as_json(self.ground.ledger.counts, MODEL)
