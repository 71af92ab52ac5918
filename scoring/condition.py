"""SQL conditions of a plan (rules, gates): checked against the columns they may use, then compiled to Polars."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import polars as pl
from polars.exceptions import PolarsError

from scoring.sql import AGGREGATES, FUNCTIONS, MetricError, advice, bounded_tokens, check_words, shown, tokens

_ROW_FUNCTIONS = tuple(name for name in FUNCTIONS if name not in AGGREGATES)
_COMPARE = frozenset(("=", "<", ">", "<=", ">=", "<>", "!="))
_WRITE = {
    "number": "write a number without quotes",
    "text": "write text between single quotes",
    "date": "write DATE '2025-01-31'",
    "truth": "write TRUE or FALSE",
}

Token = tuple[str, str]


class ConditionError(MetricError):
    """A condition that cannot be used. The message says where, and what to write instead."""


def columns_in(sql: str, schema: pl.Schema) -> frozenset[str]:
    """The columns of ``schema`` that a condition mentions."""
    return frozenset(
        text.strip('"') for kind, text in tokens(sql) if kind in ("word", "quoted") and text.strip('"') in schema
    )


def compile_condition(where: str, sql: str, schema: pl.Schema) -> pl.Expr:
    """A Boolean expression, never null: what is unknown does not hold. Raises ConditionError."""
    return _compiled(where, sql, tuple(schema.items()))


@lru_cache(maxsize=1024)  # a plan's conditions are the same in every cycle, and reading one takes a millisecond
def _compiled(where: str, sql: str, columns: tuple[tuple[str, pl.DataType], ...]) -> pl.Expr:
    schema = pl.Schema(columns)
    try:
        words = bounded_tokens(where, sql)
        check_words(where, words, schema.names(), functions=_ROW_FUNCTIONS, aggregate=False)
    except MetricError as error:
        raise ConditionError(str(error)) from None
    for column, literal in _compared(words, schema):
        kind = _kind_of(schema[column])
        if kind != literal:  # Polars compares a decimal with text, or a date with a number, as if that meant something
            message = f"{where}: {column} is a {kind} and compared with a {literal}: {_WRITE[kind]}"
            raise ConditionError(message)
    try:
        expression = pl.sql_expr(sql)
        dtype = _blank_row(columns).select(expression.alias("holds")).schema["holds"]
    except PolarsError as error:
        message = f"{where}: {shown(sql)} cannot be read: {shown(str(error).splitlines()[0])}"
        raise ConditionError(message) from None
    if dtype != pl.Boolean:
        message = f"{where}: {shown(sql)} gives {dtype}: write a condition, such as days_since_meeting <= 14"
        raise ConditionError(message)
    return expression.fill_null(value=False)


@lru_cache(maxsize=16)
def _blank_row(columns: tuple[tuple[str, pl.DataType], ...]) -> pl.DataFrame:
    """A row of unknowns to try conditions on; making one costs more than trying."""
    return pl.DataFrame(schema=dict(columns)).clear(1)


def _compared(words: Sequence[Token], schema: pl.Schema) -> Iterator[tuple[str, str]]:
    """Columns with the kind of the literal that they are compared with."""
    end: Token = ("", "")
    for place, (_, text) in enumerate(words):
        left = words[place - 1] if place else end
        right = words[place + 1] if place + 1 < len(words) else end
        if text.upper() == "IN" and right == ("symbol", "(") and place + 2 < len(words):
            right = words[place + 2]
        if left[1].upper() == "NOT" and place > 1:
            left = words[place - 2]
        if text in _COMPARE or text.upper() in ("IN", "BETWEEN"):
            for one, other in ((left, right), (right, left)):
                column, literal = one[1].strip('"'), _literal(other)
                if one[0] in ("word", "quoted") and column in schema and literal is not None:
                    yield column, literal


def _literal(token: Token) -> str | None:
    kind, text = token
    if kind in ("text", "number"):
        return kind
    return {"DATE": "date", "TRUE": "truth", "FALSE": "truth"}.get(text.upper()) if kind == "word" else None


def _kind_of(dtype: pl.DataType) -> str:
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "date"
    return "truth" if dtype == pl.Boolean else "text"


__all__ = ["ConditionError", "advice", "columns_in", "compile_condition"]
