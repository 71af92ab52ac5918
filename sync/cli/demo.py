"""The demonstration: a simulated company on emulated CRMs, appraised by the very code that customers run."""

import multiprocessing
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.panel import Panel

from connectors.base import Value
from connectors.sandbox.world import simulate
from connectors.sandbox.world.settings import World
from sync.cli.emulators import connection_file, emulator_class
from sync.cli.shared import err, out, working
from sync.cli.tables import show_table
from sync.config import Config, load_config
from sync.facts_of import facts_of, view_of
from sync.provision import provision_connection
from sync.push import write_targets
from sync.report import Report
from sync.report_scores import report_deals, report_scores
from sync.run import CycleOutcome, Service
from sync.stopping import StopSignal
from sync.store.outbox import accepted_fields, target_text

_DEFAULTS = Path(__file__).parent.parent / "defaults"
_START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Compared:
    """Read back from one CRM: values compared and those that differ, as (record, id, field, ours, theirs)."""

    connection: str
    values: int
    records: int
    different: Sequence[tuple[str, str, str, Value, Value]]


def run_demo(deals: int, kinds: Sequence[str], *, keep: bool, today: date) -> bool:
    """Whether what the CRMs hold equals what was pushed. Prints as it goes."""
    folder = Path(tempfile.mkdtemp(prefix="scoreback-demo-"))
    started = time.perf_counter()
    try:
        out.print(Panel("A simulated company on emulated CRMs. Nothing leaves this machine.", title="scoreback demo"))
        people = 44
        spread = tuple(kinds) if len(kinds) > 1 else ()
        # A few kinds of activity have no home, or cost a call per deal, in some CRMs: 40,000 are to be left.
        world = World(deals=deals, people=people, end=today, spread=spread, activities_per_deal=9.0)
        simulate(world).write(folder / "world")
        _say(
            started,
            f"simulated {deals:,} deals of {people} sellers over {len(kinds)} CRM{'s' if len(kinds) > 1 else ''}",
        )
        _say(started, "starting an emulator for each CRM")
        with _emulators(kinds, folder / "world") as urls:
            config = _write_config(folder / "config", urls, world)
            equal = _appraise(config, started)
            if keep:
                _wait(folder, urls)
        return equal
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(started: float, text: str) -> None:
    out.print(f"{time.perf_counter() - started:6.1f} s  {text}", markup=False)


@contextmanager
def _emulators(kinds: Sequence[str], world: Path) -> Iterator[dict[str, str]]:
    """One process per CRM; yields their URLs by kind and ends them afterwards."""
    spawn = multiprocessing.get_context("spawn")
    started = []
    try:
        for kind in kinds:
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(kind, world, theirs), daemon=True)
            process.start()
            started.append((kind, process, ours))
        urls = {}
        for kind, _, pipe in started:
            if not pipe.poll(_START_SECONDS):
                message = f"the {kind} emulator did not start within {_START_SECONDS} s"
                raise RuntimeError(message)
            urls[kind] = pipe.recv()
        yield urls
    finally:
        for _, process, pipe in started:
            pipe.close()
            process.terminate()
            process.join(5)


def _serve(kind: str, world: Path, pipe: Connection) -> None:
    from connectors.sandbox.server import Server

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    with Server(emulator_class(kind)(world)) as server:
        pipe.send(server.url)
        pipe.poll(None)  # until the other end closes


def _write_config(folder: Path, urls: dict[str, str], world: World) -> Config:
    (folder / "connections").mkdir(parents=True)
    text = (_DEFAULTS / "scoreback.yaml").read_text(encoding="utf-8")
    text = text.replace("Europe/Berlin", world.time_zone).replace("currency: EUR", f"currency: {world.currency}")
    (folder / "scoreback.yaml").write_text(text, encoding="utf-8")
    for kind, url in urls.items():
        text = connection_file(kind, url, company=True)
        (folder / "connections" / f"{kind}.yaml").write_text(text, encoding="utf-8")
    return load_config(folder)


def _appraise(config: Config, started: float) -> bool:
    with working(config, quiet=True) as service:  # a live display would wipe the tables below it
        for name in config.connections:
            made = list(provision_connection(service.connector(name), dry_run=False))
            _say(started, f"{name}: {sum(item.state == 'created' for item in made)} custom fields and objects created")
        _say(started, "pulling, scoring and pushing: this takes longest, and is told when all of it is done")
        outcome = service.cycle("demo")
        _say_cycle(started, outcome)
        _say(started, _matched(service))
        compared = [read_back(service, name) for name in config.connections]
        for part in compared:
            verdict = "all equal" if not part.different else f"{len(part.different):,} DIFFERENT"
            _say(started, f"{part.connection}: read back {part.values:,} values of {part.records:,} records: {verdict}")
            for record, remote_id, field, ours, theirs in part.different[:10]:
                err.print(f"  {record} {remote_id} {field}: pushed {ours!r}, the CRM holds {theirs!r}", markup=False)
        _league(service)
        _at_risk(service)
        equal = not outcome.failed and all(part.records > 0 and not part.different for part in compared)
        out.print("what the CRMs hold equals what was pushed" if equal else "the demonstration FAILED: see above")
        out.print("next: with your own CRM, scoreback init and then scoreback check; README.md has the way from here")
        return equal


def _say_cycle(started: float, outcome: CycleOutcome) -> None:
    for pulled in outcome.pulls:
        rows = sum(stream.rows for stream in pulled.streams)
        _say(started, f"{pulled.connection}: {rows:,} rows pulled" + (f"; {pulled.error}" if pulled.error else ""))
        for stream in pulled.streams:
            if stream.error:
                err.print(f"  {stream.error}", markup=False)
    if outcome.score is not None:
        for line in outcome.score.lines():
            _say(started, line)
    for pushed in outcome.pushes:
        _say(
            started,
            f"{pushed.connection}: {pushed.accepted:,} records written in {pushed.calls:,} calls, {pushed.refused} refused",
        )
        if pushed.error:
            err.print(f"  {pushed.error}", markup=False)


def _matched(service: Service) -> str:
    """How one company was made of what several CRMs hold."""
    facts = facts_of(service.config, service.store, view_of(service.config, None), kinds=("person", "opportunity"))
    copies = facts.deals["mirrors"].list.len()
    return (
        f"{facts.aliases.height} users of the CRMs are {facts.people.height} people; {copies.sum():,} deals are "
        f"{facts.deals.height:,}: {int((copies > 1).sum())} stand in several CRMs and count once"
    )


def read_back(service: Service, name: str) -> Compared:
    """Everything that a CRM accepted from us, read from it again and compared value by value."""
    connector = service.connector(name)
    values = records = 0
    different: list[tuple[str, str, str, Value, Value]] = []
    for target in write_targets(connector):
        with service.store.reading() as tx:
            accepted = accepted_fields(tx, name, target.record, target_text(target))
        for chunk in _chunks(accepted.items(), 100):
            held = connector.read_fields(target, [remote_id for remote_id, _ in chunk], sorted(chunk[0][1]))
            for remote_id, fields in chunk:
                records += 1
                theirs = held.get(remote_id, {})
                values += len(fields)
                different += [
                    (target.record, remote_id, field, ours, theirs.get(field))
                    for field, ours in fields.items()
                    if not _same(ours, theirs.get(field))
                ]
    return Compared(name, values, records, different)


def _same(ours: Value, theirs: Value) -> bool:
    return ours == theirs or (ours in (None, "") and theirs in (None, ""))


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _league(service: Service) -> None:
    report = report_scores(service.config, service.store)
    columns = ("period", "name", "team", "score", "band", "status", "confidence", "attainment")
    _print_columns("League table", report, columns, report.rows[:15])


def _at_risk(service: Service) -> None:
    """Open deals with a low grade, the largest first."""
    report = report_deals(service.config, service.store)
    grade, amount = report.columns.index("grade"), report.columns.index("amount")
    low = [row for row in report.rows if row[grade] in ("C", "D") and row[amount] is not None]
    low.sort(key=lambda row: Decimal(row[amount]), reverse=True)
    columns = ("name", "owner", "amount", "currency", "score", "grade", "next_best_action")
    _print_columns("Large open deals that score low", report, columns, low[:10])


def _print_columns(title: str, report: Report, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    places = [report.columns.index(column) for column in columns]
    cells = [[row[place] for place in places] for row in rows]
    show_table(title, columns, cells, language=report.language, numbers=report.numbers)


def _wait(folder: Path, urls: dict[str, str]) -> None:
    out.print(
        f"\nEverything keeps running. In another terminal:\n  export SCOREBACK_CONFIG={folder / 'config'}", markup=False
    )
    program = sys.argv[0]
    for command in ("status", "report metrics --by team", "report deals", "run --once"):
        out.print(f"  {program} {command}", markup=False)
    for kind, url in urls.items():
        out.print(f"  curl {url}/__stats        # calls that {kind} has answered", markup=False)
    out.print("Stop with Ctrl-C; the folder is deleted then.")
    with suppress(StopSignal):
        threading.Event().wait()
