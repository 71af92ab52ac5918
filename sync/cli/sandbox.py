"""demo, sandbox and world: everything without an account anywhere."""

from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectors.errors import ConfigError
from sync.cli.shared import Exit, err, out

if TYPE_CHECKING:
    from connectors.sandbox.emulator import Emulator

EMULATORS = {"salesforce": "SalesforceEmulator", "hubspot": "HubSpotEmulator"}
"""Emulated kinds, with the class in the module of the kind's name in ``connectors.sandbox``."""


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    for command in (demo, sandbox, world):
        app.command()(command)


def emulator_class(kind: str) -> "type[Emulator]":
    """The emulator of a kind. Raises ConfigError for a kind without one."""
    if kind not in EMULATORS:
        message = f"there is no emulator of {kind}; there are {', '.join(EMULATORS)}"
        raise ConfigError(message)
    found: type[Emulator] = getattr(import_module(f"connectors.sandbox.{kind}"), EMULATORS[kind])
    return found


def demo(
    deals: Annotated[int, typer.Option("--deals", min=50, help="Deals of the simulated company.")] = 5000,
    crm: Annotated[list[str] | None, typer.Option("--crm", metavar="KIND", help="CRMs; default all.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running and say how to use it.")] = False,
) -> None:
    """Appraises a simulated company on emulated CRMs, and compares what they hold with what was written."""
    from sync.cli.demo import run_demo

    kinds = crm or list(EMULATORS)
    for kind in kinds:
        emulator_class(kind)
    if not run_demo(deals, kinds, keep=keep, today=datetime.now(UTC).date()):
        raise typer.Exit(Exit.FAILED)


def sandbox(
    kind: Annotated[str, typer.Argument(help="Which CRM: " + ", ".join(EMULATORS))],
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

    from connectors.sandbox.server import serve_forever
    from connectors.sandbox.world import simulate
    from connectors.sandbox.world_settings import World

    emulator = emulator_class(kind)
    if print_connection:
        out.print(connection_file(kind, f"http://127.0.0.1:{port}"), markup=False, end="")
        return
    with TemporaryDirectory(prefix="scoreback-world-") as folder:
        if world_folder is None and deals is not None:
            simulate(World(seed=seed, deals=deals, end=datetime.now(UTC).date())).write(Path(folder))
            world_folder = Path(folder)
        try:
            server = emulator(world_folder, latency_ms=latency_ms, rate=rate, faults=tuple(fault or ()), seed=seed)
        except (ValueError, KeyError) as error:
            err.print(f"{error}", markup=False)
            raise typer.Exit(Exit.WRONG_USE) from None
        out.print(f"{kind} on http://127.0.0.1:{port} - stop with Ctrl-C; counters at /__stats, faults at /__faults")
        serve_forever(server, port)


def connection_file(kind: str, url: str, *, write_back: bool = True) -> str:
    """The default connection file of a kind, pointed at an emulator."""
    import re

    text = (Path(__file__).parent.parent / "defaults" / "connections" / f"{kind}.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^base_url:.*$", f"base_url: {url}", text, flags=re.MULTILINE)
    text = re.sub(r"(client_id|client_secret|token): env:\S+", r"\1: sandbox", text)
    text = re.sub(r"^allowance:.*$", "allowance: {share: 1}", text, flags=re.MULTILINE)
    return text if write_back else text[: text.index("write_back:")]


def world(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; made if it is not there.")],
    deals: Annotated[int, typer.Option("--deals", min=1, help="Deals of the company.")] = 5000,
    people: Annotated[int, typer.Option("--people", min=6, help="People who sell.")] = 44,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same company.")] = 1,
    end: Annotated[
        datetime | None, typer.Option("--end", formats=["%Y-%m-%d"], help="Day of observation; default today.")
    ] = None,
    crm: Annotated[list[str] | None, typer.Option("--crm", metavar="KIND", help="Spread over these CRMs.")] = None,
) -> None:
    """Writes a simulated company as CSV files, with the truth about it in truth.json."""
    from connectors.sandbox.world import simulate
    from connectors.sandbox.world_settings import World

    last: date = end.date() if end else datetime.now(UTC).date()
    try:
        settings = World(seed=seed, deals=deals, people=people, end=last, spread=tuple(crm or ()))
    except ValueError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(Exit.WRONG_USE) from None
    truth = simulate(settings).write(folder)
    out.print(
        f"{folder}: {len(list(folder.glob('*.csv')))} files; the truth is in {folder / 'truth.json'}", markup=False
    )
    planted = ", ".join(sorted(truth.get("planted", {}))) or "nothing"
    out.print(f"planted: {planted}", markup=False)
