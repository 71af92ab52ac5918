"""init, check, provision, schema, fields."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from connectors.base import Can, Finding
from connectors.errors import ConfigError, ScorebackError, SignInError
from connectors.records import RECORDS
from connectors.registry import kinds
from sync.cli.shared import Exit, Json, Names, config_folder, configuration, err, out, print_json, print_table, working
from sync.config import Config
from sync.crash import unexpected
from sync.renamed import account_of, expect_account
from sync.store.engine import open_store
from sync.terminal import write_out

if TYPE_CHECKING:
    from sync.run import Service

log = structlog.get_logger(__name__)

_MARKS = {"ok": "ok", "info": "--", "warning": "!!", "error": "XX"}
_SIGN_IN = ("sign-in", "sign_in")


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    for command in (init, check, provision, schema, fields):
        app.command()(command)


@contextmanager
def looking(config: Config) -> "Iterator[Service]":
    """The service without the store's lock, for a look at the CRMs beside a running service.

    The store is made if it is not there: a CRM may hand out a new refresh token at any sign-in, and it must be kept.
    """
    from sync.run import Service

    with open_store(config.store_url) as store, Service(config, store) as service:
        yield service


def init(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option("--kind", help="Which CRM: " + ", ".join(kinds()))] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the connection.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Address of the CRM, or a folder for csv.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Such as Europe/Berlin.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Such as EUR.")] = None,
    from_crm: Annotated[
        bool, typer.Option("--from-crm", help="Read fields and stages of the live connections and propose the mapping.")
    ] = False,
) -> None:
    """Asks a few questions and writes a commented configuration."""
    from sync.cli import propose, start

    folder = config_folder(context)
    if from_crm and folder.is_dir():
        config, chosen = configuration(context, [name] if name else None)
        with looking(config) as service:
            for each in chosen:
                write_out(propose.proposal(service.connector(each)))
        return
    answers = start.ask(kind=kind, name=name, base_url=base_url, time_zone=time_zone, currency=currency)
    start.write_new(folder, answers)
    if from_crm:
        out.print("Then once more: scoreback init --from-crm", markup=False)


def check(
    context: typer.Context,
    names: Names = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Calls, share of the day's allowance and minutes of the next run.")
    ] = False,
    json: Json = False,
) -> None:
    """Looks at the configuration and at every connection, and says what to do."""
    config, chosen = configuration(context, names)
    found: list[tuple[str, Finding]] = []
    with looking(config) as service:
        for name in chosen:
            found += [(name, finding) for finding in _twins(config, name)]
            found += [(name, finding) for finding in _renamed(service, name)]
            found += [(name, finding) for finding in _findings(service, name, estimate=estimate)]
    _print_findings(found, json=json)
    if not chosen:
        err.print("there are no connections yet: scoreback init", markup=False)
    errors = [finding for _, finding in found if finding.level == "error"]
    if any(finding.where in _SIGN_IN for finding in errors):
        raise typer.Exit(Exit.SIGN_IN)
    if errors:
        raise typer.Exit(Exit.FAILED)


def _print_findings(found: list[tuple[str, Finding]], *, json: bool) -> None:
    if json:
        keys = ("level", "where", "text", "advice")
        print_json([{"connection": name} | {key: getattr(one, key) for key in keys} for name, one in found])
        return
    for name, finding in found:
        advice = f". {finding.advice[0].upper()}{finding.advice[1:]}" if finding.advice else ""
        text = finding.text.rstrip(".") if advice else finding.text
        out.print(f"{_MARKS[finding.level]}  {name}: {finding.where}: {text}{advice}", markup=False)


def _twins(config: Config, name: str) -> Iterator[Finding]:
    """Says where two files read one account: they share its limits, and each of its deals counts twice."""
    mine = config.connections[name]
    for other, settings in config.connections.items():
        if other != name and account_of(settings) == account_of(mine):
            text = f"reads the same account as {other}: what both read counts twice"
            yield Finding("warning", "connection", text, "take one of the two files away, or switch streams off in one")


def _renamed(service: "Service", name: str) -> Iterator[Finding]:
    """Says what a pull would say of a file that got another name."""
    try:
        expect_account(service.store, service.config.connections[name], service.config.connections)
    except ConfigError as error:
        yield Finding("error", "connection", str(error))


def _findings(service: "Service", name: str, *, estimate: bool) -> list[Finding]:
    """Findings of one connection; what ended them early is the last one, so that the others are looked at too."""
    found: list[Finding] = []
    try:
        connector = service.connector(name)
        connector.http.hurry()
        found.extend(connector.check())
        if estimate:
            from sync.estimate import estimate_findings

            found.extend(estimate_findings(connector, service.store))
    except SignInError as error:
        found.append(Finding("error", "sign-in", str(error)))
    except ScorebackError as error:
        found.append(Finding("error", "connection", str(error)))
    except Exception as error:  # one connector's defect must not hide what the others have to say
        told = unexpected(name, error)
        log.exception("check_crashed", connection=name, advice=str(told))
        found.append(Finding("error", "connection", str(told)))
    return [replace(finding, where="sign-in") if finding.where in _SIGN_IN else finding for finding in found]


def provision(
    context: typer.Context,
    names: Names = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take our fields away again.")] = False,
) -> None:
    """Creates our custom fields where the CRM has an interface for it; prints the admin's steps where it has none."""
    config, chosen = configuration(context, names)
    code, by_hand = Exit.DONE, []
    with working(config, quiet=True) as service:
        for name in chosen:
            try:
                steps = list(_provisioned(service, name, dry_run=dry_run, remove=remove))
            except ScorebackError as error:
                err.print(f"{name}: {error}", markup=False)
                code = max(code, Exit.SIGN_IN if isinstance(error, SignInError) else Exit.FAILED)
                continue
            by_hand += [step for step in steps if step[2] in ("by_hand", "failed")]
    for name, thing, state, text in by_hand:
        err.print(f"{name}: {thing} {'by hand' if state == 'by_hand' else 'failed'}: {text}", markup=False)
    if by_hand:
        err.print("Everything else is as said above; run it again when these steps are done.")
        code = max(code, Exit.FAILED)
    raise typer.Exit(code)


def _provisioned(service: "Service", name: str, *, dry_run: bool, remove: bool) -> Iterator[tuple[str, str, str, str]]:
    """Does it and prints a line per step; (connection, thing, state, text) of each."""
    from sync.provision import provision_connection

    connector = service.connector(name)
    if Can.PROVISION not in connector.can:
        out.print(f"{name}: {connector.kind} needs no fields of ours", markup=False)
        return
    made = list(provision_connection(connector, dry_run=dry_run, remove=remove))
    if not made:
        out.print(f"{name}: nothing is written back, so no field is needed", markup=False)
    for step in made:
        note = f" ({step.text})" if step.text and step.state not in ("by_hand", "failed") else ""
        out.print(f"{step.state.replace('_', ' '):<8} {name}: {step.name}{note}", markup=False)
        yield name, step.name, step.state, step.text


def schema(name: Annotated[str, typer.Argument(help="scoreback, connection or plan")] = "connection") -> None:
    """JSON Schema of the configuration, for editors."""
    from sync.json_schema import SCHEMA_NAMES, schema_text

    if name not in SCHEMA_NAMES:
        message = f"{name} is not one of {', '.join(SCHEMA_NAMES)}"
        raise typer.BadParameter(message)
    sys.stdout.write(schema_text(name))


def fields(
    kind: Annotated[str | None, typer.Argument(help="A record, a stream or deal; all if none is named.")] = None,
    json: Json = False,
) -> None:
    """Our field names: left sides of a mapping, and the columns that a plan may use."""
    from sync.config_errors import nearest
    from sync.reference import fields_page, record_fields

    if kind is None:
        sys.stdout.write(fields_page())
        return
    rows = record_fields(kind)
    if rows is None:
        words = [*RECORDS, "deal"]
        message = f"{kind} is not one of {', '.join(words)}, nor a stream.{nearest(kind, words)}"
        raise typer.BadParameter(message)
    if json:
        print_json([{"field": name, "type": text} for name, text in rows])
    else:
        print_table(kind, ("field", "type"), rows)
