"""The commands that do work: run, pull, score, push, rollback."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sync.cli.shared import Exit, Json, Names, configuration, err, out, print_json, print_table, working
from sync.pull import PullOptions, PullOutcome
from sync.push import Planned, PushOutcome, planned
from sync.run import CycleOutcome, summary
from sync.score import ScoreOptions
from sync.store.drift import queue_rollback
from sync.store.outbox import unpark


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    for command in (run, pull, score, push, rollback):
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
        bool, typer.Option("--accept-emptiness", help="Believe a stream that suddenly answers nothing.")
    ] = False,
) -> None:
    """Reads what changed in the CRMs."""
    config, chosen = configuration(context, names)
    with working(config) as service, service.run("pull") as book:
        outcome = CycleOutcome(book.number)
        outcome.pulls = service.pull(book.number, chosen, PullOptions(full=full, accept_emptiness=accept_emptiness))
        book.failed, book.summary = outcome.failed, summary(outcome)
    _print_cycle(outcome)
    raise typer.Exit(_code(outcome))


def score(
    context: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Score everything, not only what changed.")] = False,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Score as known at the end of a day.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--out", help="Write deal scores to a CSV file instead.")] = None,
) -> None:
    """Scores what the new facts touch."""
    config, _ = configuration(context)
    options = ScoreOptions(full=full, as_of=as_of.date() if as_of else None, out=output)
    with working(config) as service, service.run("score") as book:
        outcome = service.score(book.number, options)
        book.summary = outcome.as_dict()
    for line in outcome.lines():
        out.print(line)


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
    with working(config) as service:
        if dry_run:
            _print_plan([line for name in chosen for line in planned(service.store, name)], diff=diff, json=json)
            return
        with service.run("push") as book:
            if retry_parked:
                with service.store.writing() as tx:
                    out.print(f"{sum(unpark(tx, name) for name in chosen)} parked rows are tried again")
            outcome = CycleOutcome(book.number)
            outcome.pushes = service.push(book.number, chosen, confirm_drift=confirm_drift)
            book.failed, book.summary = outcome.failed, summary(outcome)
    _print_cycle(outcome)
    raise typer.Exit(_code(outcome))


def rollback(
    context: typer.Context, number: Annotated[int, typer.Argument(metavar="RUN", help="Number of the run; see status.")]
) -> None:
    """Puts back the values that a run's writes replaced."""
    config, _ = configuration(context)
    with working(config) as service, service.run("rollback") as book:
        with service.store.writing() as tx:
            queued = queue_rollback(tx, number, at=datetime.now(UTC), own_run=book.number)
        if not queued:
            err.print(f"run {number} wrote nothing that could be put back")
            raise typer.Exit(Exit.WRONG_USE)
        outcome = CycleOutcome(book.number)
        outcome.pushes = service.push(
            book.number, [name for name in queued if name in config.connections], confirm_drift=True
        )
        book.failed, book.summary = outcome.failed, {**summary(outcome), "rolled_back": number}
    _print_cycle(outcome)
    out.print(
        f"What run {number} wrote is not written again until it would be something else; "
        f"scoreback rollback {outcome.run} puts it back"
    )
    raise typer.Exit(_code(outcome))


def _print_plan(lines: Sequence[Planned], *, diff: bool, json: bool) -> None:
    if json:
        print_json([{name: getattr(line, name) for name in line.__slots__} for line in lines])
    elif diff:
        rows = [(line.connection, line.record, line.remote_id, line.field, line.old, line.new) for line in lines]
        print_table("What a push would write", ("connection", "record", "id", "field", "old", "new"), rows)
    if not json:
        records = {(line.connection, line.record, line.remote_id) for line in lines}
        out.print(f"{len(records)} records would be written. Nothing was written.")


def _print_cycle(outcome: CycleOutcome) -> None:
    for pulled in outcome.pulls:
        _print_pull(pulled)
    if outcome.score is not None:
        for line in outcome.score.lines():
            out.print(line)
    for pushed in outcome.pushes:
        _print_push(pushed)
    if outcome.error is not None:
        err.print(str(outcome.error), markup=False)
    out.print(f"run {outcome.run} {'finished with failures: see above' if outcome.failed else 'done'}")


def _print_pull(pulled: PullOutcome) -> None:
    rows = sum(stream.rows for stream in pulled.streams)
    new = sum(stream.new for stream in pulled.streams)
    changed = sum(stream.changed for stream in pulled.streams)
    out.print(f"{pulled.connection}: {rows:,} rows read, {new:,} new, {changed:,} changed")
    for stream in pulled.streams:
        if stream.unreadable:
            err.print(
                f"{pulled.connection}: {stream.unreadable} rows of {stream.stream} could not be understood and were left out; "
                "`scoreback status` lists them", markup=False,
            )  # fmt: skip
        if stream.error:
            err.print(stream.error, markup=False)
    if pulled.error is not None:
        err.print(
            f"{str(pulled.error).rstrip('.')}. What was read before is kept; the other connections ran.", markup=False
        )


def _print_push(pushed: PushOutcome) -> None:
    out.print(f"{pushed.connection}: {pushed.accepted:,} records written in {pushed.calls:,} calls")
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
    return Exit.FAILED if outcome.failed else Exit.DONE
