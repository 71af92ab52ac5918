"""An admin's own metric: SQL from a plan, checked and compiled to the same ``Metric`` that ours are.

It must aggregate columns of a facts frame with the functions below: no clock, no float, no division (the engine divides
the numerator by the denominator, exactly).
"""

from collections.abc import Mapping
from datetime import date
from functools import cache

import polars as pl
from polars.exceptions import PolarsError

from scoring.facts import Facts, Organisation, Selector, prepare
from scoring.metric import Metric, Unit
from scoring.plan import CustomMetric
from scoring.settings import MetricSettings
from scoring.sql import AGGREGATES, MetricError, advice, bounded_tokens, check_words, shown


def compile_metrics(customs: Mapping[str, CustomMetric]) -> dict[str, Metric]:
    """Every custom metric of a plan by its name. Raises MetricError with all problems at once, one per line."""
    compiled, problems = {}, []
    for name, custom in customs.items():
        try:
            compiled[name] = compile_metric(name, custom)
        except MetricError as error:
            problems.append(str(error))
    if problems:
        raise MetricError("\n".join(problems))
    return compiled


def compile_metric(name: str, custom: CustomMetric) -> Metric:
    """The metric that ``custom`` writes in SQL. Raises MetricError, which says what to write instead."""
    where = f"metrics.{name}"
    selectors = {selector.name: selector for selector in Facts.SELECTORS}
    if custom.over not in selectors:
        raise MetricError(f"{where}.over: {custom.over} is not known. {advice(custom.over, selectors)}")
    over = selectors[custom.over]
    below = custom.denominator
    return Metric(
        f"{name}: {custom.numerator}" + (f" / {below}" if below else ""),
        unit=Unit(custom.unit),
        over=over,
        numerator=_compiled(f"{where}.numerator", custom.numerator, over),
        denominator=None if below is None else _compiled(f"{where}.denominator", below, over),
        min_sample=custom.min_sample or 0,
    )


@cache
def _frames() -> Facts:
    return prepare({}, Organisation(), date.min, MetricSettings(), sources={})


def _compiled(where: str, sql: str, over: Selector) -> pl.Expr:
    words = bounded_tokens(where, sql)
    frame: pl.DataFrame = getattr(_frames(), over.frame)
    check_words(where, words, frame.columns)
    try:
        expression = pl.sql_expr(" ".join(_zeros_for_nothing([text for _, text in words])))
        two_rows = frame.clear(2).select(expression)
    except PolarsError as error:
        raise MetricError(f"{where}: {shown(sql)} cannot be read: {shown(str(error).splitlines()[0])}") from None
    if two_rows.height != 1:
        raise MetricError(f"{where}: {shown(sql)} must aggregate every column, with {', '.join(AGGREGATES)}")
    kind = two_rows.dtypes[0]
    if not (kind.is_decimal() or kind.is_integer() or kind == pl.Null):
        hint = "sum or count whole numbers or amounts, and leave fractions to numerator and denominator"
        raise MetricError(f"{where}: {shown(sql)} gives {kind}, which is not exact: {hint}")
    return expression


def _zeros_for_nothing(tokens: list[str]) -> list[str]:
    """Every SUM with its FILTER inside ``COALESCE(..., 0)``: in SQL a sum of nothing is NULL, with us it is 0."""
    written: list[str] = []
    place = 0
    while place < len(tokens):
        if tokens[place].upper() != "SUM":
            written.append(tokens[place])
            place += 1
            continue
        end = _closing(tokens, place + 1)
        if end < len(tokens) and tokens[end].upper() == "FILTER":
            end = _closing(tokens, end + 1)
        written += ["COALESCE", "(", *tokens[place:end], ",", "0", ")"]
        place = end
    return written


def _closing(tokens: list[str], start: int) -> int:
    """The place behind the bracket that closes the one at ``start``."""
    depth = 0
    for place in range(start, len(tokens)):
        depth += (tokens[place] == "(") - (tokens[place] == ")")
        if depth <= 0:
            return place + 1
    return len(tokens)
