"""test-connector: the contract suite against one kind of connector and its emulator."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

import sync
from connectors.errors import ConfigError
from connectors.registry import connector_class
from sync.cli.emulators import emulator_class
from sync.cli.shared import Exit

_ROOT = Path(sync.__file__).resolve().parent.parent
_SUITE = _ROOT / "tests" / "contract"
_NOTHING_ASKED = 5
"""pytest's exit code where nothing was selected."""


def register(app: typer.Typer) -> None:
    """Adds this module's command."""
    app.command("test-connector")(hold_contract)


def hold_contract(
    kind: Annotated[str, typer.Argument(help="A kind of this installation, also from a package of your own.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="WORDS", help="Claims that hold these words. Repeatable.")
    ] = None,
) -> None:
    """Holds the contract of connectors against one of them and its emulator: each claim passes, fails or says why not."""
    connector_class(kind)
    if kind != "csv":
        emulator_class(kind)
    if not _SUITE.is_dir() or importlib.util.find_spec("pytest") is None:
        message = "the contract suite is in a checkout of Scoreback after `make setup`: run this command there"
        raise ConfigError(message)
    words = ["-k", " or ".join(text.strip().replace(" ", "_") for text in only)] if only else []
    shown = ["--claims", "-q", "--no-header", "--tb=short", "--show-capture=no", "-p", "no:randomly"]
    command = [sys.executable, "-m", "pytest", str(_SUITE), "--kind", kind, *shown, *words]
    # The suite must not depend on the configuration of whoever runs it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCOREBACK_")}
    done = subprocess.run(command, cwd=_ROOT, env=environment, check=False)  # noqa: S603 # our own suite, a kind we know
    if done.returncode == _NOTHING_ASKED:
        message = f"no claim holds {' or '.join(only or ())}: leave --only out to see them all"
        raise typer.BadParameter(message)
    if done.returncode:
        raise typer.Exit(Exit.FAILED)
