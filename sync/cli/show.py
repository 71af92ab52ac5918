"""The commands that only read: status, report, explain. They never wait for a writer."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sync.cli.files import replacing
from sync.cli.shared import Json, configuration, out, possible_day, print_json, reading
from sync.cli.tables import show_table
from sync.config import Config
from sync.terminal import visible_line

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
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], callback=possible_day, help="As known at the end of that day."),
]
As = Annotated[Format, typer.Option("--format", help="How to write it.")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write; needed for xlsx.")]
PlanName = Annotated[str | None, typer.Option("--plan", help="Whose settings count; default the plan in effect.")]


_OFF_TERMINAL = 200
"""Characters of a metric table that goes into a file or a pipe."""


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(status)
    app.command()(explain)
    app.add_typer(report_app, name="report")


def status(context: typer.Context, json: Json = False) -> None:
    """Where every stream stands, what waits, what was refused."""
    from sync.cli.status_tables import show_status
    from sync.status import status_of

    config, _ = configuration(context)
    with reading(config) as store:
        state = status_of(config, store, datetime.now(UTC))
    if json:
        print_json(state)
        return
    show_status(state, config.settings.organisation.language)


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
    as_of: AsOf = None,
    plan: PlanName = None,
    format: As = Format.table,  # noqa: A002
    output: Out = None,
    json: Json = False,
) -> None:
    """Appraisal scores of people: the stored ones, or with --as-of those of a past day by the plan of that day."""
    from sync.report_scores import report_scores

    _report(
        context,
        lambda config, store: report_scores(config, store, periods=period, plan_name=plan, as_of=_day(as_of)),
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
    from sync.explain_text import lines_of

    config, _ = configuration(context)
    with reading(config) as store:
        chain = explain_subject(config, store, subject, periods=period, plan_name=plan)
    if json:
        print_json(chain.as_dict())
        return
    for line in lines_of(chain, config.settings.organisation.language):
        out.print(visible_line(line), markup=False)


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
    if output is not None:
        with replacing(output, config) as draft:
            write_report(report, form.value, draft)
        return
    if form is not Format.table:
        write_report(report, form.value, None)
        return
    for table in tables_of(report, out.width if out.is_terminal else _OFF_TERMINAL):
        if table.columns:
            show_table(table.title, table.columns, table.rows, language=table.language, numbers=table.numbers)
        else:
            out.print(table.title, markup=False)
