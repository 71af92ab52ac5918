"""What every command needs: the configuration, the store, printing, progress and exit codes."""

import json as json_module
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.types import canonical_text
from sync.config import Config, load_config
from sync.lock import only_instance
from sync.store.engine import Store, open_store
from sync.terminal import Terminal, escaped, visible_line

if TYPE_CHECKING:
    from sync.run import Service

out = Terminal()
err = Terminal(stderr=True)

_ANY_WIDTH = 100_000


class Exit(IntEnum):
    """Exit codes (product.md section 3)."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    SIGN_IN = 3
    LOCKED = 4


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_YEARS = (1970, 2199)
"""Years that a day given by hand may lie in: calendars and zones can be reckoned with on either side of it."""


def possible_day(moment: datetime | None) -> datetime | None:
    """For options that are days. Raises BadParameter for one that only a slip of the hand can mean."""
    if moment is not None and not _YEARS[0] <= moment.year <= _YEARS[1]:
        message = f"{moment.date()} is not a day of the years {_YEARS[0]} to {_YEARS[1]}"
        raise typer.BadParameter(message)
    return moment


Names = Annotated[
    list[str] | None, typer.Argument(metavar="[CONNECTION]...", help="Connections; all if none is named.")
]


def config_folder(context: typer.Context) -> Path:
    """The folder of -c, else $SCOREBACK_CONFIG, else ./config."""
    chosen = context.find_root().params.get("config")
    return Path(chosen or os.environ.get("SCOREBACK_CONFIG") or "config")


def configuration(context: typer.Context, names: Sequence[str] | None = None) -> tuple[Config, list[str]]:
    """The configuration, and the chosen connections; an unknown name is wrong use."""
    config = load_config(config_folder(context))
    for name in names or ():
        if name not in config.connections:
            known = ", ".join(config.connections) or "none"
            message = f"{name} is not one of our connections ({known})"
            raise typer.BadParameter(message)
    return config, list(names or config.connections)


@contextmanager
def reading(config: Config) -> Iterator[Store]:
    """The store for a command that only reads: it never waits for a writer, and makes no store where there is none."""
    with open_store(config.store_url, create=False) as store:
        yield store


@contextmanager
def working(config: Config, *, quiet: bool = False, alone: bool = False) -> "Iterator[Service]":
    """The service for a command that writes: beside a running one it waits for the cycle in hand.

    ``alone`` is for ``run``, of which there is one at a time: AlreadyRunningError where another holds the lock.
    """
    from sync.run import Service  # brings the connectors and scoring along, which reading commands can do without

    with (
        only_instance(config.store_url) if alone else nullcontext(),
        open_store(config.store_url) as store,
        _progress(quiet=quiet) as report,
        Service(config, store, progress=report) as service,
    ):
        yield service


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, str, str, int], None]]:
    if quiet or not err.is_terminal:
        yield lambda *_: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        tasks: dict[tuple[str, str, str], Any] = {}

        def report(step: str, connection: str, what: str, rows: int) -> None:
            key = (step, connection, what)
            if key not in tasks:
                tasks[key] = progress.add_task(f"{step} {connection} {what}", total=None)
            progress.update(tasks[key], completed=rows)

        yield report


def print_json(value: Any) -> None:
    """JSON with plain decimals."""
    sys.stdout.write(escaped(json_module.dumps(value, ensure_ascii=False, indent=2, default=_plain)) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return canonical_text(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[str] = ()
) -> None:
    """A table for people; unknown values are shown as a dash."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape("–" if cell is None else _cell(cell)) for cell in row))
    # Off a terminal nothing is folded: whoever reads it has lines of any length, and greps them.
    _unfolded(table).print(table)


def _unfolded(table: Table) -> Terminal:
    if out.is_terminal:
        return out
    needed = out.measure(table, options=out.options.update(width=_ANY_WIDTH)).maximum
    return Terminal(width=max(needed, out.width))


def _cell(value: Any) -> str:
    return value.astimezone().isoformat(" ", "seconds") if isinstance(value, datetime) else visible_line(str(value))
