"""plan check, and import: what an admin brings besides the CRMs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sync.cli.shared import Exit, Json, configuration, err, out, print_json
from sync.figures import counted

if TYPE_CHECKING:
    from scoring.plan import Plan
    from sync.plan_examples import Example
    from sync.yaml_file import YamlFile

plan_app = typer.Typer(help="Plans: targets, scorecards, opportunity scores.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.add_typer(plan_app, name="plan")
    app.command("import")(import_)


@plan_app.command("check")
def check(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Plan files; default all of config/plans.")
    ] = None,
    json: Json = False,
) -> None:
    """Validates plans and runs their examples; says what this version does not compute."""
    from scoring.plan_check import plan_notes
    from sync.plan_examples import run_examples, verdict

    checked = [_read(path) for path in files] if files else _configured(context)
    failed = False
    lines = []
    for shown, plan, file in checked:
        examples = list(run_examples(plan))
        failed = failed or any(example.status == "failed" for example in examples)
        notes = [note for _, note in plan_notes(file.data)]
        lines.append({
            "file": shown, "plan": plan.plan, "version": plan.version,
            "examples": [{"place": e.where[-1], "status": e.status, "text": e.text} for e in examples],
            "not_computed": notes,
        })  # fmt: skip
        if not json:
            out.print(f"{shown}: plan {plan.plan} version {plan.version} is valid; {verdict(examples)}", markup=False)
            for example in examples:
                _print_example(example, file)
            for note in notes:
                out.print(f"  {note}", markup=False)
    if json:
        print_json(lines)
    elif not checked:
        out.print("no plan is configured: the default plan counts (scoreback schema, config/plans/default.sample.yaml)")
    raise typer.Exit(Exit.FAILED if failed else Exit.DONE)


def _print_example(example: "Example", file: "YamlFile") -> None:
    line, column = file.values.get(example.where, (1, 1))
    screen = err if example.status == "failed" else out
    word = {"passed": "ok", "failed": "FAILED", "not_computed": "--"}[example.status]
    screen.print(f"  {word} {file.shown}:{line}:{column}: {example.text}", markup=False)


def _read(path: Path) -> "tuple[str, Plan, YamlFile]":
    """One plan file by itself. Raises ConfigProblemsError with every finding."""
    from scoring.plan import Plan
    from sync import config_checks
    from sync.config import ConfigProblemsError, shown, validated
    from sync.yaml_file import read_yaml

    file = read_yaml(path, shown(path))
    if not file.problems and not isinstance(file.data, dict):
        file.problem((), "the file must be a map of keys to values")
    if isinstance(file.data, dict):
        config_checks.check_plan(file)
    plan = validated(file, Plan)
    if plan is None or file.problems:
        raise ConfigProblemsError(file.problems)
    return file.shown, plan, file


def _configured(context: typer.Context) -> "list[tuple[str, Plan, YamlFile]]":
    config, _ = configuration(context)  # all findings of all files first, also those between files
    paths = sorted((config.folder / "plans").glob("*.yaml"))
    return [_read(path) for path in paths if not path.name.endswith(".sample.yaml")]


def import_(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="people, targets, ratings, surveys, payments or rates")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XLSX, columns named as our fields.")],
    decimal_comma: Annotated[bool, typer.Option("--decimal-comma", help="Numbers are written 1.250,50.")] = False,
    json: Json = False,
) -> None:
    """Reads a file whole or not at all."""
    from sync.imports import import_file
    from sync.store.engine import open_store

    config, _ = configuration(context)
    mark: Literal[".", ","] = "," if decimal_comma else "."
    with open_store(config.store_url) as store:  # no instance lock: one transaction, which a running service waits for
        done = import_file(config, store, kind, file, decimal=mark)
    counts = done.counts
    if json:
        print_json({"rows": done.rows, "new": counts.new, "changed": counts.changed, "same": counts.same, "warnings": done.warnings})  # fmt: skip
        return
    for warning in done.warnings:
        err.print(warning, markup=False)
    out.print(
        f"{file.name}: {counted(done.rows, 'row')}: {counts.new:,} new, {counts.changed:,} changed, {counts.same:,} known already",
        markup=False,
    )
