"""Test and internal records, left out by an organisation's own rule and counted (domain guide, 0.9)."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from scoring.condition import ConditionError, compile_condition
from scoring.schemas import SCHEMAS
from scoring.sql import advice

KINDS = ("person", "account", "opportunity", "activity")
"""Records that a rule may leave out."""

_ABOUT = {
    "opportunity": {"account_id": "account"},
    "activity": {"account_id": "account", "opportunity_id": "opportunity"},
}
"""What goes with what: a test account's deals are tests, and so is a call about such a deal."""


class Kept(NamedTuple):
    """Tables without what the rules leave out, and how many records of each kind that was."""

    tables: dict[str, pl.DataFrame]
    counts: dict[str, int]


def compile_exclusions(exclude: Mapping[str, str]) -> dict[str, pl.Expr]:
    """Per record kind the condition on its columns under which a record is left out.

    Raises ConditionError with all problems at once, one per line.
    """
    compiled, problems = {}, []
    for kind, sql in exclude.items():
        if kind not in KINDS:
            problems.append(f"exclude: {kind} cannot be left out by rule. {advice(kind, KINDS)}")
            continue
        try:
            compiled[kind] = compile_condition(f"exclude.{kind}", sql, pl.Schema(SCHEMAS[kind]))
        except ConditionError as error:
            problems.append(str(error))
    if problems:
        raise ConditionError("\n".join(problems))
    return compiled


def without_excluded(tables: Mapping[str, pl.DataFrame], exclude: Mapping[str, str]) -> Kept:
    """The tables of every kind in ``scoring.schemas``, less what the rules name and what belongs to it.

    A deal goes with its account, an activity with its deal or account. Deals of a person who is left out stay: they
    are the company's. Deleted and merged records are counted as such elsewhere, and not here. Raises ConditionError.
    """
    rules = compile_exclusions(exclude)
    kept, counts = dict(tables), dict[str, int]()
    gone: dict[str, pl.Series] = {}
    for kind in KINDS if rules else ():
        holds = rules.get(kind, pl.lit(value=False))
        for column, owner in _ABOUT.get(kind, {}).items():
            holds |= pl.struct("connection", pl.col(column).alias("remote_id")).is_in(gone[owner].implode())
        marked = kept[kind].with_columns((_LIVE.get(kind, _PRESENT) & holds).alias("_out"))
        gone[kind] = marked.filter("_out").select(pl.struct("connection", "remote_id").alias("key"))["key"]
        kept[kind] = marked.filter(~pl.col("_out")).drop("_out")
        counts[kind] = gone[kind].len()
    return Kept(kept, counts)


_PRESENT = pl.col("deleted").not_()
_LIVE = {"opportunity": _PRESENT & pl.col("merged_into").is_null()}
