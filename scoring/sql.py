"""The SQL that an admin may write: its words, functions and columns, checked before Polars sees it.

No clock, no float, no division: what is not listed here is refused, with what to write instead.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

AGGREGATES = ("SUM", "COUNT", "MIN", "MAX")
FUNCTIONS = (*AGGREGATES, "COALESCE", "NULLIF", "ABS", "LOWER", "UPPER", "STARTS_WITH", "ENDS_WITH", "LENGTH")
WORDS = frozenset(
    ("AND", "OR", "NOT", "IN", "IS", "NULL", "TRUE", "FALSE", "LIKE", "ILIKE", "BETWEEN", "CASE", "WHEN", "THEN",
     "ELSE", "END", "FILTER", "WHERE", "DISTINCT", "DATE")
)  # fmt: skip
SYMBOLS = frozenset(("(", ")", ",", "+", "-", "*", "=", "<", ">", "<=", ">=", "<>", "!="))
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"[^"]+")
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<symbol><=|>=|<>|!=|.))""",
    re.DOTALL | re.VERBOSE,
)

LONGEST = 10_000
"""Characters of a condition or metric: a list of some hundred names behind IN."""

MOST_STEPS = 100
"""Operators and brackets: Polars takes time that grows with the square of them, and a stack that grows with each."""

_STEPS = frozenset(("AND", "OR", "NOT", "WHEN", "BETWEEN", "(", "+", "-", "*"))
_LONGEST_SHOWN = 120


class MetricError(ValueError):
    """A metric, grouping or condition that cannot be computed. The message says what to write instead."""


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """Kind (text, quoted, number, word, symbol) and spelling of every token, in order."""
    for match in _TOKEN.finditer(sql.rstrip()):
        kind = str(match.lastgroup)
        yield kind, match[kind]


def bounded_tokens(where: str, sql: str) -> list[tuple[str, str]]:
    """All tokens. Raises MetricError for more than a machine should be asked to read."""
    if len(sql) > LONGEST:
        raise MetricError(f"{where}: is {len(sql)} characters long, {LONGEST} are taken: make several of it")
    words = list(tokens(sql))
    steps = sum(text.upper() in _STEPS for kind, text in words if kind in ("word", "symbol"))
    if steps > MOST_STEPS:
        advice = "write IN (...) for many values, or make several of it"
        raise MetricError(f"{where}: has {steps} operators and brackets, {MOST_STEPS} are taken: {advice}")
    return words


def shown(sql: str) -> str:
    """The SQL, or its beginning, for the text of an error."""
    return sql if len(sql) <= _LONGEST_SHOWN else f"{sql[:_LONGEST_SHOWN]}…"


def check_words(
    where: str,
    words: Sequence[tuple[str, str]],
    columns: Iterable[str],
    *,
    functions: Sequence[str] = FUNCTIONS,
    aggregate: bool = True,
) -> None:
    """Raises MetricError for a function, symbol or column that is not allowed, or if it must aggregate and does not."""
    known = set(columns)
    aggregates = False
    following = [text for _, text in [*words[1:], ("", "")]]
    for (kind, text), after in zip(words, following, strict=False):  # an empty text has no tokens
        is_call = kind == "word" and after == "(" and text.upper() not in WORDS
        aggregates = aggregates or (is_call and text.upper() in AGGREGATES)
        _check_word(where, kind, text, known, functions if is_call else None)
    if aggregate and not aggregates:
        raise MetricError(f"{where}: must aggregate, with {', '.join(AGGREGATES)}")


def _check_word(where: str, kind: str, text: str, known: Collection[str], functions: Sequence[str] | None) -> None:
    """One token; ``functions`` are those allowed where the token is a call."""
    if functions is not None:
        if text.upper() not in functions:
            raise MetricError(f"{where}: {text} is not allowed. Allowed are {', '.join(functions)}")
        return
    if kind == "symbol" and text not in SYMBOLS:
        hint = " Write what it divides by as the denominator." if text == "/" else ""
        raise MetricError(f"{where}: {text} is not allowed.{hint}")
    is_column = kind == "quoted" or (kind == "word" and text.upper() not in WORDS)
    if is_column and text.strip('"') not in known:
        raise MetricError(f"{where}: {text} is not a column. {advice(text, known)}")


def advice(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them."""
    words = sorted(known)
    near = get_close_matches(word.strip('"').lower(), words, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known are {', '.join(words)}"
