"""The commands that do work: run, pull, score, push, rollback, rename."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from connectors.errors import ConfigError
from scoring.language import Language
from sync import renamed
from sync.cli.files import replacing
from sync.cli.shared import (
    Exit,
    Json,
    Names,
    configuration,
    err,
    out,
    possible_day,
    print_json,
    print_table,
    reading,
    working,
)  # fmt: skip
from sync.figures import counted
from sync.pull import PullOptions, PullOutcome
from sync.push import Planned, PushOutcome, has_written, planned
from sync.run import CycleOutcome
from sync.scored import ScoreOptions
from sync.store.drift import queue_rollback
from sync.store.outbox import unpark
from sync.texts import TITLES, column_head


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    for command in (run, pull, score, push, rollback, rename):
        app.command()(command)


def run(
    context: typer.Context,
    names: Names = None,
    once: Annotated[bool, typer.Option("--once", help="One cycle, then stop.")] = False,
) -> None:
    """Runs the service, or one cycle of pull, score and push."""
    config, chosen = configuration(context, names)
    if not once:
        from sync.daemon import serve

        with working(config, quiet=True, alone=True) as service:
            serve(service, chosen)
        return
    with working(config, alone=True) as service:
        outcome = service.cycle("run", chosen)
    _print_cycle(outcome)
    raise typer.Exit(_code(outcome))


def pull(
    context: typer.Context,
    names: Names = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    accept_emptiness: Annotated[
        bool, typer.Option("--accept-emptiness", help="Believe that rows, or a field, are gone.")
    ] = False,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Compare the ids of all records with the CRM's, and heal what differs.")
    ] = False,
) -> None:
    """Reads what changed in the CRMs."""
    config, chosen = configuration(context, names)
    with working(config) as service, service.run("pull") as book:
        outcome = CycleOutcome(book.number)
        outcome.pulls = service.pull(book.number, chosen, PullOptions(full, accept_emptiness, reconcile))
        book.close(outcome)
    _print_cycle(outcome)
    raise typer.Exit(_code(outcome))


def score(
    context: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Score everything, not only what changed.")] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of", formats=["%Y-%m-%d"], callback=possible_day, help="Score as known at the end of a day."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--out", help="Write deal scores to a CSV file instead.")] = None,
) -> None:
    """Scores what the new facts touch."""
    config, _ = configuration(context)
    options = ScoreOptions(full=full, as_of=as_of.date() if as_of else None)
    with working(config) as service, replacing(output, config) if output else nullcontext() as draft:
        with service.run("score") as book:
            outcome = service.score(book.number, replace(options, out=draft))
            book.summary = outcome.as_dict()
        outcome.out = output
    for line in outcome.lines():
        out.print(line, markup=False)


def push(
    context: typer.Context,
    names: Names = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show old and new, record by record.")] = False,
    retry_parked: Annotated[bool, typer.Option("--retry-parked", help="Try refused rows again.")] = False,
    confirm_drift: Annotated[
        bool, typer.Option("--confirm-drift", help="Write although unusually many scores change at once.")
    ] = False,
    json: Json = False,
) -> None:
    """Writes scores into the CRMs."""
    config, chosen = configuration(context, names)
    if dry_run:
        with reading(config) as store:
            plan = [line for name in chosen for line in planned(store, name)]
            _print_plan(plan, config.settings.organisation.language, diff=diff, json=json)
        return
    with working(config) as service, service.run("push") as book:
        if retry_parked:
            with service.store.writing() as tx:
                again = sum(unpark(tx, name) for name in chosen)
                out.print(f"tried again: {counted(again, 'parked row')}")
        outcome = CycleOutcome(book.number)
        outcome.pushes = service.push(book.number, chosen, confirm_drift=confirm_drift)
        book.close(outcome)
    _print_cycle(outcome)
    raise typer.Exit(_code(outcome))


def rollback(
    context: typer.Context, number: Annotated[int, typer.Argument(metavar="RUN", help="Number of the run; see status.")]
) -> None:
    """Puts back the values that a run's writes replaced."""
    config, _ = configuration(context)
    with reading(config) as store:
        if not has_written(store, number):  # asked before the books are opened: a slip of the hand is no failed run
            err.print(f"run {number} wrote nothing that could be put back")
            raise typer.Exit(Exit.WRONG_USE)
    with working(config) as service, service.run("rollback") as book:
        with service.store.writing() as tx:
            queued = queue_rollback(tx, number, at=datetime.now(UTC), own_run=book.number)
        outcome = CycleOutcome(book.number)
        outcome.pushes = service.push(
            book.number, [name for name in queued if name in config.connections], confirm_drift=True
        )
        book.close(outcome, rolled_back=number)
    _print_cycle(outcome)
    if queued:
        out.print(
            f"What run {number} wrote is not written again until it would be something else; "
            f"scoreback rollback {outcome.run} puts it back"
        )
    else:
        out.print(f"What run {number} wrote was taken back before; nothing was written")
    raise typer.Exit(_code(outcome))


def rename(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The connection's name until now.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its name from now on: connections/NEW.yaml is there.")],
) -> None:
    """Takes over what was read of a connection whose file was given another name."""
    config, _ = configuration(context, [new])
    if old in config.connections:
        message = f"connections/{old}.yaml is there still: give that file the new name first"
        raise typer.BadParameter(message)
    with working(config) as service, service.run("rename", new) as book, service.store.writing() as tx:
        if not renamed.is_read(tx, old):
            message = f"nothing was read of {old}: scoreback status lists what was"
            raise typer.BadParameter(message)
        if renamed.is_read(tx, new):
            message = f"{new} has records of its own, which are not mixed with those of {old}"
            raise typer.BadParameter(message)
        renamed.rename(tx, old, new)
        book.summary = {"old": old, "new": new}
    out.print(f"{old} is called {new} from now on. Where people.yaml or mirrors name {old}, write {new}", markup=False)


def _print_plan(lines: Sequence[Planned], language: Language, *, diff: bool, json: bool) -> None:
    if json:
        print_json([{name: getattr(line, name) for name in line.__slots__} for line in lines])
    elif diff:
        rows = [(line.connection, line.record, line.remote_id, line.field, line.old, line.new) for line in lines]
        columns = [column_head(name, language) for name in ("connection", "record", "remote_id", "field", "old", "new")]
        print_table(TITLES["diff"][language], columns, rows)
    if not json:
        records = {(line.connection, line.record, line.remote_id) for line in lines}
        out.print(f"{counted(len(records), 'record')} would be written. Nothing was written.")


def _print_cycle(outcome: CycleOutcome) -> None:
    others_ran = any(pulled.error is None for pulled in outcome.pulls)
    for pulled in outcome.pulls:
        _print_pull(pulled, others_ran=others_ran)
    if outcome.score is not None:
        for line in outcome.score.lines():
            out.print(line, markup=False)
    for pushed in outcome.pushes:
        _print_push(pushed)
    if outcome.error is not None:
        err.print(str(outcome.error), markup=False)
    out.print(f"run {outcome.run} {'finished with failures: see above' if outcome.failed else 'done'}")


def _print_pull(pulled: PullOutcome, *, others_ran: bool) -> None:
    rows = sum(stream.rows for stream in pulled.streams)
    new = sum(stream.new for stream in pulled.streams)
    changed = sum(stream.changed for stream in pulled.streams)
    # A deal's row may bring its history along: more records than rows.
    out.print(f"{pulled.connection}: {counted(rows, 'row')} read: {counted(new, 'record')} new, {changed:,} changed")
    for stream in pulled.streams:
        if stream.unreadable:
            err.print(
                f"{pulled.connection}: {stream.stream}: {counted(stream.unreadable, 'row')} could not be understood and left out; "
                "`scoreback status` lists them", markup=False,
            )  # fmt: skip
        if stream.error:
            err.print(stream.error, markup=False)
        elif stream.note:
            out.print(f"{pulled.connection}: {stream.stream}: {stream.note}", markup=False)
    if pulled.error is not None:
        kept = "What was read before is kept" + ("; the other connections ran" if others_ran else "")
        err.print(f"{str(pulled.error).rstrip('.')}. {kept}.", markup=False)


def _print_push(pushed: PushOutcome) -> None:
    out.print(f"{pushed.connection}: {counted(pushed.accepted, 'record')} written in {counted(pushed.calls, 'call')}")
    if pushed.refused or pushed.waiting or pushed.gone:
        codes = ", ".join(f"{code} {count}" for code, count in sorted(pushed.refusals.items()))
        err.print(
            f"{pushed.connection}: {pushed.refused} refused and parked, {pushed.waiting} kept for another try, "
            f"{pushed.gone} no longer there ({codes}). `scoreback status` lists them", markup=False,
        )  # fmt: skip
    for text in (pushed.drift, str(pushed.error) if pushed.error else None):
        if text:
            err.print(f"{text.rstrip('.')}. What was not written stays in the outbox.", markup=False)


def _code(outcome: CycleOutcome) -> int:
    if outcome.sign_in_refused:
        return Exit.SIGN_IN
    if _only_misconfigured(outcome):
        return Exit.WRONG_USE
    return Exit.FAILED if outcome.failed else Exit.DONE


def _only_misconfigured(outcome: CycleOutcome) -> bool:
    """Whether the configuration is to blame for all that failed: something that shows only when it is used."""
    errors = [pulled.error for pulled in outcome.pulls if pulled.failed]
    errors += [pushed.error for pushed in outcome.pushes if pushed.failed]
    errors += [outcome.error] if outcome.error is not None else []
    return bool(errors) and all(isinstance(error, ConfigError) for error in errors)
