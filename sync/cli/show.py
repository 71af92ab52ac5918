"""The commands that only read: status, report, explain. They never wait for a writer."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync.cli.shared import Json, configuration, out, print_json, print_table, reading
from sync.config import Config

if TYPE_CHECKING:
    from sync.report import Report
    from sync.store.engine import Store

report_app = typer.Typer(help="Results, scores and data quality, as tables or files.", no_args_is_help=True)


class Format(StrEnum):
    """How a report is written."""

    table = "table"
    csv = "csv"
    json = "json"
    xlsx = "xlsx"
    html = "html"


Periods = Annotated[
    list[str] | None, typer.Option("--period", metavar="PERIOD", help="Such as 2017-Q1; may be repeated.")
]
AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="As known at the end of that day.")
]
As = Annotated[Format, typer.Option("--format", help="How to write it.")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write; needed for xlsx.")]
PlanName = Annotated[str | None, typer.Option("--plan", help="Whose settings count; default the plan in effect.")]


_OFF_TERMINAL = 200
"""Characters of a metric table that goes into a file or a pipe."""

_PARKED = ("connection", "record", "remote_id", "code", "text")


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(status)
    app.command()(explain)
    app.add_typer(report_app, name="report")


def status(context: typer.Context, json: Json = False) -> None:
    """Where every stream stands, what waits, what was refused."""
    from sync.status import status_of

    config, _ = configuration(context)
    with reading(config) as store:
        state = status_of(config, store, datetime.now(UTC))
    if json:
        print_json(state)
        return
    print_table(
        "Streams",
        ("connection", "stream", "cursor", "lag", "rows", "last error"),
        [
            [row[key] for key in ("connection", "stream", "cursor", "lag", "rows", "last_error")]
            for row in state["streams"]
        ],
        right=("rows",),
    )
    for name, used in state["allowance"].items():
        fresh = state["freshness"].get(name)
        out.print(f"{name}: {used} calls of our own today; {_freshness(fresh)}", markup=False)
    out.print(f"outbox: {state['outbox']['pending']} waiting, {state['outbox']['parked']} parked")
    for title, key, columns in (
        ("Parked: refused by the CRM; scoreback push --retry-parked tries again", "parked", _PARKED),
        ("Rows that could not be understood", "unreadable", ("connection", "stream", "remote_id", "text")),
        ("Last runs", "runs", ("run", "command", "started", "status")),
    ):
        if state[key]:
            print_table(title, columns, [[row[column] for column in columns] for row in state[key]])
    out.print(f"scores as of {state['scored_as_of'] or 'never'}")


def _freshness(fresh: dict[str, Any] | None) -> str:
    if fresh is None:
        return "no longer configured"
    if fresh["age"] is None:
        return "never read"
    late = f": STALE, late are {', '.join(fresh['late'])}" if fresh["stale"] else ""
    return f"read {fresh['age']} ago{late}"


@report_app.command("metrics")
def metrics(
    context: typer.Context,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="person, team, region, product, ... may be repeated.")
    ] = None,
    period: Periods = None,
    as_of: AsOf = None,
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Only these metrics; may be repeated.")] = None,
    plan: PlanName = None,
    format: As = Format.table,  # noqa: A002  # the option's name is the user's word
    output: Out = None,
    json: Json = False,
) -> None:
    """Results per person or along any dimension."""
    from sync.report import report_metrics

    _report(
        context,
        lambda config, store: report_metrics(
            config, store, by=by or ["person"], periods=period, as_of=_day(as_of), plan_name=plan, only=metric
        ),
        Format.json if json else format,
        output,
    )


@report_app.command("scores")
def scores(
    context: typer.Context,
    period: Periods = None,
    plan: PlanName = None,
    format: As = Format.table,  # noqa: A002
    output: Out = None,
    json: Json = False,
) -> None:
    """Appraisal scores of people."""
    from sync.report_scores import report_scores

    _report(
        context,
        lambda config, store: report_scores(config, store, periods=period, plan_name=plan),
        Format.json if json else format,
        output,
    )


@report_app.command("deals")
def deals(context: typer.Context, format: As = Format.table, output: Out = None, json: Json = False) -> None:  # noqa: A002
    """Scores of open deals, with reasons and what to do next."""
    from sync.report_scores import report_deals

    _report(context, report_deals, Format.json if json else format, output)


@report_app.command("quality")
def quality(
    context: typer.Context,
    by: Annotated[str, typer.Option("--by", help="deal, person or fault")] = "deal",
    as_of: AsOf = None,
    format: As = Format.table,  # noqa: A002
    output: Out = None,
    json: Json = False,
) -> None:
    """Data faults, deal by deal, with what they cost."""
    from sync.report_scores import report_quality

    _report(
        context,
        lambda config, store: report_quality(config, store, by=by, as_of=_day(as_of)),
        Format.json if json else format,
        output,
    )


def explain(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="A deal or person: its id, or KIND:CONNECTION:ID.")],
    period: Periods = None,
    plan: PlanName = None,
    json: Json = False,
) -> None:
    """The chain behind one score, down to records and versions."""
    from sync.explain import explain_subject

    config, _ = configuration(context)
    with reading(config) as store:
        chain = explain_subject(config, store, subject, periods=period, plan_name=plan)
    if json:
        print_json(chain.as_dict())
        return
    for line in chain.lines():
        out.print(line, markup=False)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _report(
    context: typer.Context, make: "Callable[[Config, Store], Report]", form: Format, output: Path | None
) -> None:
    from sync.cli.formats import tables_of, write_report

    if form is Format.xlsx and output is None:
        message = "--format xlsx needs --out FILE"
        raise typer.BadParameter(message)
    config, _ = configuration(context)
    with reading(config) as store:
        report = make(config, store)
    if form is not Format.table or output is not None:
        write_report(report, form.value, output)
        return
    for table in tables_of(report, out.width if out.is_terminal else _OFF_TERMINAL):
        if table.columns:
            print_table(table.title, table.columns, table.rows, right=tuple(table.numbers))
        else:
            out.print(table.title, markup=False)
