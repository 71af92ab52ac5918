"""What every part of the simulation stands on: settings, days, the ledger of rows, and the planted truth."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from connectors.sandbox.folder import Sink
from connectors.sandbox.world.calendar import Calendar
from connectors.sandbox.world.settings import FAULT_MEANING, World

FIRST_IDS = {
    "people": 41_629_001,
    "accounts": 7_300_100_001,
    "stages": 1,
    "opportunities": 9_876_500_001,
    "changes": 300_001,
    "activities": 55_010_000_001,
    "splits": 810_001,
    "line_items": 6_640_000_001,
    "targets": 90_001,
    "forecasts": 120_001,
    "surveys": 220_001,
    "payments": 500_001,
    "contracts": 70_001,
    "absences": 10_001,
    "rates": 1_001,
    "ratings": 40_001,
}
"""Where each table's ids begin: decimal texts as long as those of a real CRM."""


class Ledger:
    """Numbers rows and hands them to a sink."""

    def __init__(self, sink: Sink, *, spread: bool) -> None:
        self._add = sink.add
        self._spread = spread
        self._next = dict(FIRST_IDS)
        self.counts = dict.fromkeys(FIRST_IDS, 0)

    def new_id(self, table: str) -> str:
        """The next id of a table: decimal text, never given twice."""
        number = self._next[table]
        self._next[table] = number + 1
        return str(number)

    def add(self, table: str, row_id: str, connection: str, cells: tuple[str, ...]) -> None:
        """Writes one row; ``cells`` follow the table's columns behind ``id``."""
        self.counts[table] += 1
        self._add(table, (row_id, connection, *cells) if self._spread else (row_id, *cells))

    def append(self, table: str, connection: str, cells: tuple[str, ...]) -> None:
        """Writes one row under a new id."""
        self.add(table, self.new_id(table), connection, cells)

    def key(self, connection: str, row_id: str) -> str:
        """How the planted truth names a row: ``connection:id``, or the bare id of a company in one CRM."""
        return f"{connection}:{row_id}" if self._spread else row_id


class Truth:
    """Collects planted records while the company is simulated."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._records: dict[str, list[Any]] = {name: [] for name in FAULT_MEANING}
        self._eligible = dict.fromkeys(FAULT_MEANING, 0)
        self.planted: dict[str, Any] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.territories: dict[str, dict[str, Any]] = {}
        self.mirrors: list[list[str]] = []

    def could(self, fault: str) -> None:
        """Counts a deal that can have the fault."""
        self._eligible[fault] += 1

    def has(self, fault: str, record: Any) -> None:
        """Notes a planted fault: a record's key, or a list of them that belong together."""
        self._records[fault].append(record)

    def as_json(self, counts: Mapping[str, int], model: Mapping[str, Any]) -> dict[str, Any]:
        """The content of ``truth.json``."""
        return {
            "settings": self._world.as_json(),
            "rows": dict(counts),
            "faults": {
                name: {
                    "meaning": meaning,
                    "rate": self._world.faults.get(name, 0.0),
                    "eligible": self._eligible[name],
                    "records": self._records[name],
                }
                for name, meaning in FAULT_MEANING.items()
            },
            "planted": self.planted,
            "people": self.people,
            "territories": self.territories,
            "mirrors": self.mirrors,
            "model": dict(model),
        }


class Ground(NamedTuple):
    """Shared by every part of one simulation."""

    world: World
    calendar: Calendar
    ledger: Ledger
    truth: Truth


def lay_ground(world: World, sink: Sink) -> Ground:
    """A fresh start: no row written, nothing planted."""
    calendar = Calendar(world.first, world.end, world.time_zone)
    return Ground(world, calendar, Ledger(sink, spread=bool(world.spread)), Truth(world))
