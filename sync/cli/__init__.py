"""The ``scoreback`` command. Only this package turns errors into printed words and exit codes."""

import io
import logging
import os
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import structlog
import typer
from typer.exceptions import TyperException

from connectors.errors import ConfigError, ScorebackError, SignInError
from sync.cli import contract, plans, sandbox, setup, show, work
from sync.cli.shared import Exit, err, out
from sync.config import ConfigProblemsError
from sync.crash import unexpected
from sync.lock import AlreadyRunningError
from sync.log import configure_log
from sync.stopping import THREADS, StopSignal, listening

log = structlog.get_logger(__name__)

app = typer.Typer(
    name="scoreback",
    help="Appraises a sales team and its pipeline from the CRM you already have, and writes the result back into it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(value: bool) -> None:
    if value:
        out.print(f"scoreback {version('scoreback')}")
        raise typer.Exit


@app.callback()
def common(
    config: Annotated[  # noqa: ARG001 - read by shared.config_folder
        Path | None,
        typer.Option("-c", "--config", metavar="DIR", help="Folder of YAML; default $SCOREBACK_CONFIG, ./config."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log more, and show tracebacks on a terminal.")] = False,
    show_version: Annotated[  # noqa: ARG001 - its callback has printed it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of every command."""
    configure_log(logging.INFO if verbose or debug else logging.WARNING, told=not debug)


for module in (setup, work, show, plans, sandbox, contract):
    module.register(app)


_CODES = (
    (AlreadyRunningError, Exit.LOCKED),
    (SignInError, Exit.SIGN_IN),
    (ConfigError, Exit.WRONG_USE),
    (ScorebackError, Exit.FAILED),
)
"""Exit codes by error, the narrower ones first."""


def main() -> None:
    """Runs the command and exits with a code of product.md section 3."""
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal has no letters for
    with listening():
        code = _flushed(_run())
    if any(thread.name.startswith(THREADS) for thread in threading.enumerate()):
        os._exit(code)  # a call that does not come back: Python would wait for its thread
    sys.exit(code)


def _run() -> int:
    try:
        # Without its standalone mode typer returns the code of typer.Exit, and None from a command that just ended.
        return int(app(prog_name="scoreback", standalone_mode=False) or Exit.DONE)
    except StopSignal as stop:
        err.print(str(stop), markup=False)
        return Exit.FAILED
    except typer.Abort:
        err.print("stopped; what was stored or accepted so far is kept")
        return Exit.FAILED
    except TyperException as error:
        _show_wrong_use(error)
        return Exit.WRONG_USE
    except ScorebackError as error:
        return _say(error)
    except Exception as error:  # the last door: in words for people, with its traceback for the log
        told = unexpected("scoreback", error)
        log.exception("command_crashed", advice=str(told))
        return _say(told)


def _flushed(code: int) -> int:
    """The exit code when all is out that was printed: a reader that went away is no news, a full disk is."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries again at its end, and says so
        if not isinstance(error, BrokenPipeError):
            err.print(f"standard output: {error.strerror}: what was printed is not whole", markup=False)
        return code or Exit.FAILED
    return code


def _say(error: ScorebackError) -> int:
    err.print(str(error), markup=False)
    if isinstance(error, ConfigProblemsError):
        count = len(error.problems)
        err.print(f"{count} problem{'s' if count != 1 else ''} in the configuration. Nothing was done.")
    return next(code for kind, code in _CODES if isinstance(error, kind))


def _show_wrong_use(error: TyperException) -> None:
    """Usage, what is wrong, and where the help is; typer gives its usage errors a way to show themselves."""
    show = getattr(error, "show", None)
    if show is None:
        err.print(error.format_message(), markup=False)
    else:
        show()
