"""One connector, its emulator and a store: what every claim of the contract is made about.

The claims know our words only (worlds, records, faults of the catalogue); what is peculiar to a CRM stays behind its
emulator's ``edit``, ``remove`` and ``ids``.
"""

import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.auth import MemoryTokens
from connectors.base import Can, Connector, Stream
from connectors.http import Http
from connectors.limiter import Limiter
from connectors.records import Record
from connectors.registry import connector_class
from connectors.sandbox.emulator import Emulator
from connectors.sandbox.server import Server
from sync.cli.emulators import connection_file, emulator_class
from sync.config import load_config
from sync.pull import Puller, PullOptions, PullOutcome
from sync.store.engine import Store, open_store
from sync.store.state import end_run, start_run
from sync.store.versions import current_records, ids_of
from tests.contract.folder_side import FolderSide

SETTINGS = "store: {url: 'sqlite:///../state.db'}\norganisation: {time_zone: Europe/Berlin, currency: EUR}\n"
Row = Mapping[str, object]

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date()


def moment(ago: timedelta = timedelta()) -> str:
    """A world's spelling of a moment in the past."""
    return (NOW - ago).strftime("%Y-%m-%dT%H:%M:%SZ")


PEOPLE: Sequence[Row] = (
    {"id": "p1", "name": "Ada Berg", "email": "ada@example.com", "active": "true", "team": "North", "modified_at": moment(timedelta(days=90))},
    {"id": "p2", "name": "Ben Carr", "email": "ben@example.com", "active": "true", "team": "South", "modified_at": moment(timedelta(days=90))},
)  # fmt: skip
ACCOUNTS: Sequence[Row] = (
    {"id": "a1", "name": "Acme", "owner_id": "p1", "industry": "medical", "created_at": moment(timedelta(days=300)), "modified_at": moment(timedelta(days=90))},
    {"id": "a2", "name": "Bolt", "owner_id": "p2", "industry": "retail", "created_at": moment(timedelta(days=300)), "modified_at": moment(timedelta(days=90))},
)  # fmt: skip
STAGES: Sequence[Row] = (
    {"id": "s1", "pipeline": "Default", "stage": "Talking", "label": "Talking", "position": 1, "outcome": "open", "probability": "0.2"},
    {"id": "s2", "pipeline": "Default", "stage": "Offer", "label": "Offer", "position": 2, "outcome": "open", "probability": "0.5"},
    {"id": "s3", "pipeline": "Default", "stage": "Won", "label": "Won", "position": 3, "outcome": "won", "probability": "1"},
    {"id": "s4", "pipeline": "Default", "stage": "Lost", "label": "Lost", "position": 4, "outcome": "lost", "probability": "0"},
)  # fmt: skip


def deal(number: int, **cells: object) -> Row:
    """An open deal of a world; ``cells`` say what is special about it."""
    usual: dict[str, object] = {
        "id": f"d{number}", "name": f"Deal {number}", "account_id": "a1", "owner_id": "p1", "pipeline": "Default",
        "stage": "Talking", "outcome": "open", "amount": "1000.50", "currency": "EUR",
        "created_at": moment(timedelta(days=60)), "close_on": str(TODAY + timedelta(days=30)),
        "modified_at": moment(timedelta(days=40, seconds=-number)),
    }  # fmt: skip
    return {**usual, **cells}


_HEADERS: Mapping[str, Sequence[Row]] = {"opportunities": [deal(0)]}
"""What an empty table still says of its columns."""


def write_world(folder: Path, **tables: Sequence[Row]) -> Path:
    """A world folder of these tables."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        columns = list(dict.fromkeys(key for row in (*rows, *_HEADERS.get(name, ())) for key in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


@dataclass
class Rig:
    """A connector under test. Pauses between repeats are taken off: the claims are about what follows, not how soon."""

    kind: str
    emulator: Emulator
    url: str
    folder: Path
    store: Store
    paused: list[float] = field(default_factory=list)

    @property
    def connector_class(self) -> type[Connector]:
        return connector_class(self.kind)

    @property
    def signs_in(self) -> bool:
        """Whether tokens are fetched with lasting credentials, and can be fetched anew."""
        sign_in = load_config(self.folder / "config").connections["crm"].sign_in
        return all(getattr(sign_in, lasting, None) is None for lasting in ("token", "password"))

    def can(self, what: Can) -> bool:
        return what in self.connector_class.can

    def reads(self, stream: Stream) -> bool:
        """Whether the connection file as it comes has this stream on."""
        return load_config(self.folder / "config").connections["crm"].stream(stream.name) is not None

    @contextmanager
    def connector(self) -> Iterator[Connector]:
        """The connector as the configuration file of ``scoreback sandbox --print-connection`` opens it."""
        settings = load_config(self.folder / "config").connections["crm"]
        cls = connector_class(settings.kind)
        auth = None if cls.auth is None else cls.auth.bind(settings, MemoryTokens())
        limiter = Limiter(cls.manners.buckets, settings.allowance, sleep=self.paused.append)
        opened = cls(settings, Http(settings, cls.manners, auth, limiter, sleep=self.paused.append))
        try:
            yield opened
        finally:
            opened.close()

    def pull(self, **options: Any) -> PullOutcome:
        """One pull as the service makes it, in a process life of its own."""
        with self.store.writing() as tx:
            run = start_run(tx, "pull", at=datetime.now(UTC))
        with self.connector() as connector:
            outcome = Puller(connector, self.store, run=run, options=PullOptions(**options)).pull()
        with self.store.writing() as tx:
            end_run(tx, run, at=datetime.now(UTC), status="failed" if outcome.failed else "done")
        return outcome

    def pull_whole(self, **options: Any) -> PullOutcome:
        """A pull in which nothing may fail."""
        outcome = self.pull(**options)
        assert outcome.error is None, outcome.error
        assert not (failed := [stream.error for stream in outcome.streams if stream.error]), failed
        return outcome

    def sweep(self) -> PullOutcome:
        """The daily reconciliation: what the pages of changes did not tell."""
        return self.pull_whole(reconcile=True)

    def versions(self, kind: str) -> int:
        """How many versions of a kind are stored."""
        with self.store.reading() as tx:
            return int(tx.cursor().execute(f'SELECT COUNT(*) FROM "{kind}"').fetchone()[0])  # noqa: S608 - a kind

    def records(self, kind: str) -> dict[str, Any]:
        """What the store knows now of a kind, by the world's id where there is one; deleted records included."""
        names = {remote: world for world, remote in self.ids(kind).items()}
        with self.store.reading() as tx:
            every = [row[0] for row in tx.cursor().execute(f'SELECT remote_id FROM "{kind}" WHERE current')]  # noqa: S608 - a kind
            found: Mapping[str, Record] = current_records(tx, "crm", kind, every)
        return {names.get(remote, remote): record for remote, record in found.items()}

    def present(self, kind: str) -> set[str]:
        """Ids of the records of a kind that are not deleted, in the world's words."""
        names = {remote: world for world, remote in self.ids(kind).items()}
        with self.store.reading() as tx:
            return {names.get(remote, remote) for remote in ids_of(tx, "crm", kind)}

    def ids(self, kind: str) -> Mapping[str, str]:
        """The CRM's id of each record of the world."""
        return self.emulator.ids.get(_TABLES[kind], {})

    def remote(self, kind: str, world_id: str) -> str:
        """The CRM's id of one record of the world; another id is one of the CRM's already."""
        return self.ids(kind).get(world_id, world_id)

    def edit(self, kind: str, record_id: str | None, **fields: object) -> str:
        """What a user of the CRM does: gives the CRM's id."""
        with self.emulator.lock:
            return self.emulator.edit(_TABLES[kind], record_id, fields)

    def create(self, row: Row) -> str:
        """A user of the CRM makes a deal like one of a world."""
        cells = ("name", "account_id", "owner_id", "stage", "amount", "close_on")
        return self.edit("opportunity", None, **{name: row[name] for name in cells})

    def merge(self, kind: str, *, loser: str, winner: str) -> None:
        """A user of the CRM merges two records. Skips the test for a CRM that merges none of this kind."""
        try:
            self.edit(kind, loser, merged_into=self.remote(kind, winner))
        except (KeyError, ValueError) as reason:
            pytest.skip(f"{self.kind} does not merge: {reason}")

    def remove(self, kind: str, record_id: str) -> None:
        """A user of the CRM deletes a record."""
        with self.emulator.lock:
            self.emulator.remove(_TABLES[kind], record_id)

    def hide(self, kind: str, record_id: str) -> None:
        """The CRM shows our user a record no longer, and says nothing of it."""
        with self.emulator.lock:
            self.emulator.hide(_TABLES[kind], record_id)

    def map(self, **fields: Mapping[str, str]) -> None:
        """Maps remote fields in the connection file, as an admin would."""
        file = self.folder / "config" / "connections" / "crm.yaml"
        text, mark, rest = file.read_text(encoding="utf-8").partition("\nwrite_back:")
        file.write_text(f"{text}\nfields: {json.dumps(fields)}{mark}{rest}", encoding="utf-8")

    def arm(self, name: str, **settings: object) -> None:
        """Arms a fault."""
        self.emulator.faults.arm({"name": name, **settings})

    def forbid(self, stream: Stream) -> None:
        """The CRM's admin takes the right to one object away from our user."""
        self.arm("no_permission", object=stream.remote)

    def calls(self) -> int:
        """Calls since the last time this was asked."""
        made = sum(self.emulator.stats.values())
        self.emulator.stats.clear()
        return made


_TABLES = {
    "person": "people", "account": "accounts", "opportunity": "opportunities", "stage": "stages", "activity": "activities",
    "change": "changes", "target": "targets", "split": "splits", "line_item": "line_items",
    "payment": "payments", "contract": "contracts", "survey": "surveys", "forecast": "forecasts", "rate": "rates",
    "absence": "absences", "rating": "ratings",
}  # fmt: skip


CSV = """kind: csv
folder: ../../world
write_back:
  opportunity: {score: score, grade: grade, reasons: reasons, next_best_action: next_best_action, scored_at: scored_at,
                plan: plan, digest: digest}
"""


@contextmanager
def rig(kind: str, folder: Path, world: Path, blank: Path, *, company: bool = False, **emulator: Any) -> Iterator[Rig]:
    """The connector of a kind on its emulator, which holds ``world``, with a copy of the ``blank`` store."""
    config = folder / "config"
    (config / "connections").mkdir(parents=True)
    (config / "scoreback.yaml").write_text(SETTINGS, encoding="utf-8")
    file = config / "connections" / "crm.yaml"
    with ExitStack() as stack:
        played: Any = FolderSide(world) if kind == "csv" else emulator_class(kind)(world, **emulator)
        url = "" if kind == "csv" else stack.enter_context(Server(played)).url
        text = CSV if kind == "csv" else connection_file(kind, url, company=company)
        file.write_text(text, encoding="utf-8")
        shutil.copyfile(blank, folder / "state.db")  # the migrations take longer than most claims
        store = stack.enter_context(open_store(f"sqlite:///{folder / 'state.db'}", create=False))
        yield Rig(kind, played, url, folder, store)
