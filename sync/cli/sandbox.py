"""demo, sandbox and world: everything without an account anywhere."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sync.cli.emulators import connection_file, demo_kinds, emulated_kinds, emulator_class
from sync.cli.files import writing_to
from sync.cli.shared import Exit, err, out, possible_day
from sync.stopping import StopSignal

if TYPE_CHECKING:
    from connectors.sandbox.emulator import Emulator


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    for command in (demo, sandbox, world):
        app.command()(command)


def demo(
    deals: Annotated[int, typer.Option("--deals", min=50, help="Deals of the simulated company.")] = 5000,
    crm: Annotated[
        list[str] | None, typer.Option("--crm", metavar="KIND", help="CRMs; default one kind of each.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running and say how to use it.")] = False,
) -> None:
    """Appraises a simulated company on emulated CRMs, and compares what they hold with what was written."""
    from sync.cli.demo import run_demo

    kinds = crm or demo_kinds()
    for kind in kinds:
        emulator_class(kind)
    if not run_demo(deals, kinds, keep=keep, today=datetime.now(UTC).date()):
        raise typer.Exit(Exit.FAILED)


def sandbox(
    kind: Annotated[str, typer.Argument(help="Which CRM: " + ", ".join(emulated_kinds()))],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1.")] = 8800,
    world_folder: Annotated[
        Path | None, typer.Option("--world", metavar="DIR", exists=True, file_okay=False, help="A world folder.")
    ] = None,
    deals: Annotated[int | None, typer.Option("--deals", min=1, help="Simulate a company instead.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same company.")] = 1,
    latency_ms: Annotated[int, typer.Option("--latency-ms", min=0, help="Wait before each answer.")] = 0,
    rate: Annotated[float | None, typer.Option("--rate", help="Permitted calls per second.")] = None,
    fault: Annotated[list[str] | None, typer.Option("--fault", metavar="NAME", help="Faults to arm.")] = None,
    print_connection: Annotated[
        bool, typer.Option("--print-connection", help="Print the connection file that reaches it, then stop.")
    ] = False,
) -> None:
    """One CRM emulator in the foreground."""
    from tempfile import TemporaryDirectory

    from connectors.sandbox.world import simulate
    from connectors.sandbox.world.settings import World

    emulator = emulator_class(kind)
    if print_connection:
        out.print(connection_file(kind, f"http://127.0.0.1:{port}", company=True), markup=False, end="")
        return
    _check_faults(emulator, fault or ())
    with TemporaryDirectory(prefix="scoreback-world-") as folder:
        if world_folder is None and deals is not None:
            simulate(World(seed=seed, deals=deals, end=datetime.now(UTC).date())).write(Path(folder))
            world_folder = Path(folder)
        try:
            server = emulator(world_folder, latency_ms=latency_ms, rate=rate, faults=tuple(fault or ()), seed=seed)
        except (ValueError, KeyError) as error:
            err.print(str(error), markup=False)
            raise typer.Exit(Exit.WRONG_USE) from None
        _serve(server, port)


def _check_faults(emulator: "type[Emulator]", orders: Sequence[str]) -> None:
    """Refuses names that no fault of this kind has; an order is ``NAME`` or ``NAME:KEY=VALUE,...``."""
    for order in orders:
        name = order.partition(":")[0]
        if name not in emulator.fault_kinds:
            message = f"{name} is not a fault of {emulator.kind}; there are {', '.join(sorted(emulator.fault_kinds))}"
            raise typer.BadParameter(message, param_hint="--fault")


def _serve(emulator: "Emulator", port: int) -> None:
    from connectors.sandbox.server import Server

    try:
        server = Server(emulator, port)
    except OSError as error:
        message = f"port {port} on 127.0.0.1 cannot be had ({error.strerror}): name another one"
        raise typer.BadParameter(message, param_hint="--port") from error
    with suppress(StopSignal), server:  # its usual end
        out.print(f"{emulator.kind} on {server.url} - stop with Ctrl-C; counters at /__stats, faults at /__faults")
        threading.Event().wait()


def world(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; made if it is not there.")],
    deals: Annotated[int, typer.Option("--deals", min=1, help="Deals of the company.")] = 5000,
    people: Annotated[int, typer.Option("--people", min=6, help="People who sell.")] = 44,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same company.")] = 1,
    end: Annotated[
        datetime | None,
        typer.Option("--end", formats=["%Y-%m-%d"], callback=possible_day, help="Day of observation; default today."),
    ] = None,
    crm: Annotated[list[str] | None, typer.Option("--crm", metavar="KIND", help="Spread over these CRMs.")] = None,
) -> None:
    """Writes a simulated company as CSV files, with the truth about it in truth.json."""
    from connectors.sandbox.world import simulate
    from connectors.sandbox.world.settings import World

    last: date = end.date() if end else datetime.now(UTC).date()
    try:
        settings = World(seed=seed, deals=deals, people=people, end=last, spread=tuple(crm or ()))
    except ValueError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(Exit.WRONG_USE) from None
    _refuse_foreign(folder)
    with writing_to(folder):
        truth = simulate(settings).write(folder)
    out.print(
        f"{folder}: {len(list(folder.glob('*.csv')))} files; the truth is in {folder / 'truth.json'}", markup=False
    )
    planted = ", ".join(sorted(truth.get("planted", {}))) or "nothing"
    out.print(f"planted: {planted}", markup=False)


def _refuse_foreign(folder: Path) -> None:
    """Refuses a folder that holds anything but a world: its files might be written over."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "truth.json").exists():
        message = f"{folder} holds other files, and a world might be written over them: name a new folder"
        raise typer.BadParameter(message)
