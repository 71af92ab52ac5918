"""What the tests of every connector stand on: its emulator with a small world in it, and connectors to it."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from connectors.auth import MemoryTokens, TokenStore
from connectors.base import Connector, Page, Stream, Window
from connectors.http import Http
from connectors.limiter import Limiter
from connectors.mapping import Mapper
from connectors.sandbox.emulator import Emulator
from connectors.sandbox.server import Server

KEY = b"0123456789abcdef"
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=50)
"""The emulated clock: behind everything that a world without times is stamped with when it is loaded, however long tests run."""

Tables = dict[str, list[dict[str, str]]]
Made = TypeVar("Made", bound=Connector)


def write_world(folder: Path, tables: Mapping[str, Sequence[Mapping[str, str]]]) -> Path:
    """A world folder of these tables."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


class Rig(Generic[Made]):
    """An emulated CRM, and connectors to it. A subclass names both and says how one signs in."""

    now = NOW
    kind: ClassVar[type[Connector]]
    emulates: ClassVar[type[Emulator]]
    sign_in: ClassVar[Mapping[str, str]]
    sign_in_paths: ClassVar[str] = "oauth"
    """What is in the paths of the sign-in, which the cost of an act does not count."""

    def __init__(self, emulator: Any, url: str) -> None:
        self.emulator = emulator
        self.url = url
        self.streams: Mapping[str, Stream] = {stream.name: stream for stream in self.kind.streams}
        self.slept: list[float] = []
        self._open: list[Made] = []

    def settings(self, **extra: Any) -> Any:
        """A connection file's content."""
        values = {"kind": self.kind.kind, "base_url": self.url, "sign_in": self.sign_in}
        return self.kind.settings.model_validate({**values, **extra}, context={"loopback": True}).named("crm")

    def connect(self, tokens: TokenStore | None = None, **extra: Any) -> Made:
        """A connector as a new process would have it; it never really waits."""
        settings = self.settings(**extra)
        auth = self.kind.auth.bind(settings, tokens or MemoryTokens()) if self.kind.auth else None
        limiter = Limiter(self.kind.manners.buckets, settings.allowance, sleep=self.slept.append)
        made: Any = self.kind(settings, Http(settings, self.kind.manners, auth, limiter, sleep=self.slept.append))
        self._open.append(made)
        return self._open[-1]

    def id(self, table: str, name: str) -> str:
        """The CRM's id of a record of the world."""
        found: str = self.emulator.ids[table][name]
        return found

    def edit(self, table: str, name: str | None, /, **fields: Any) -> str:
        """What a user of the CRM does."""
        with self.emulator.lock:
            return str(self.emulator.edit(table, name, fields))

    def remove(self, table: str, name: str) -> None:
        """A user deletes a record."""
        with self.emulator.lock:
            self.emulator.remove(table, name)

    def arm(self, name: str, **settings: Any) -> None:
        """Arms a fault."""
        self.emulator.faults.arm({"name": name, **settings})

    def calls(self, act: Callable[[], object]) -> dict[str, int]:
        """What ``act`` costs, without sign-in."""
        self.emulator.stats.clear()
        act()
        return {where: count for where, count in self.emulator.stats.items() if self.sign_in_paths not in where}

    def pages(
        self,
        connector: Made,
        name: str,
        start: datetime | None = None,
        end: datetime = NOW,
        *,
        resume: str | None = None,
        **window: Any,
    ) -> list[Page]:
        """Every page of a window; ``resume`` goes on behind one of them."""
        return list(connector.pull(self.streams[name], Window(start, end, **window), resume))

    def records(self, connector: Made, found: Sequence[Page]) -> list[Any]:
        """The rows of pages as records."""
        return [Mapper(raw.stream, connector.connection, key=KEY)(raw.fields) for page in found for raw in page.rows]

    def read(self, connector: Made, name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The records of a window by id."""
        found = self.records(connector, self.pages(connector, name, *args, **kwargs))
        return {record.remote_id: record for record in found}

    def close(self) -> None:
        """Gives back sockets."""
        for connector in self._open:
            connector.close()


Rigged = TypeVar("Rigged", bound=Rig[Any])


@contextmanager
def rigs(cls: type[Rigged], folder: Path, world: Tables) -> Iterator[Callable[..., Rigged]]:
    """Makes rigs: of tables (``world`` by default) and the emulator's switches."""
    with ExitStack() as stack:
        made: list[Rigged] = []

        def make(tables: Tables | None = None, **options: Any) -> Rigged:
            place = write_world(folder / str(len(made)), world if tables is None else tables)
            emulator = cls.emulates(place, **options)
            emulator.clock = lambda: NOW
            made.append(cls(emulator, stack.enter_context(Server(emulator)).url))
            stack.callback(made[-1].close)
            return made[-1]

        yield make
