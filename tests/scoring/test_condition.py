"""Conditions in SQL: what they may say, and what is unknown."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from scoring.condition import ConditionError, columns_in, compile_condition

TYPES: dict[str, pl.DataType] = {
    "amount": pl.Decimal(38, 12),
    "days": pl.Int64(),
    "name": pl.String(),
    "is_won": pl.Boolean(),
    "close_on": pl.Date(),
    "order": pl.String(),
}
SCHEMA = pl.Schema(TYPES)
KNOWN = pl.DataFrame([(Decimal("9.5"), 14, "Big", True, date(2025, 1, 31), "x")], schema=SCHEMA, orient="row")
UNKNOWN = KNOWN.clear(1)


@pytest.mark.parametrize(
    "sql",
    [
        "amount > 9 AND days <= 14",
        "amount = 9.5",
        "9 < amount",
        "days IN (13, 14)",
        "days NOT IN (1)",
        "days BETWEEN 1 AND 20",
        "close_on < DATE '2025-02-01'",
        "is_won",
        "is_won = TRUE",
        "LOWER(name) = 'big'",
        "name LIKE 'B%' OR name IS NULL",
        "\"order\" = 'x'",
        "COALESCE(amount, 0) >= 0",
        "CASE WHEN is_won THEN days > 3 ELSE FALSE END",
    ],
)
def test_conditions_that_hold(sql: str) -> None:
    assert KNOWN.select(compile_condition("here", sql, SCHEMA)).item() is True


@pytest.mark.parametrize(
    "sql", ["amount > 9", "NOT (amount > 9)", "days IN (14)", "is_won", "name = 'Big' AND days > 1"]
)
def test_what_is_unknown_does_not_hold(sql: str) -> None:
    assert UNKNOWN.select(compile_condition("here", sql, SCHEMA)).item() is False


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("amont > 3", r"^here: amont is not a column. Did you mean amount\?"),
        ("NOW() > close_on", "NOW is not allowed. Allowed are COALESCE"),
        ("SUM(amount) > 3", "SUM is not allowed"),
        ("amount / 2 > 3", "/ is not allowed"),
        ("amount + 1", "write a condition, such as days_since_meeting <= 14"),
        ("amount > > 3", "cannot be read"),
        ("", "cannot be read"),
        ("amount > '9'", "amount is a number and compared with a text: write a number without quotes"),
        ("'9' < amount", "amount is a number and compared with a text"),
        ("days NOT IN ('14')", "days is a number and compared with a text"),
        ("days BETWEEN '3' AND '10'", "days is a number and compared with a text"),
        ("name = 3", "name is a text and compared with a number: write text between single quotes"),
        ("is_won = 'yes'", "is_won is a truth and compared with a text: write TRUE or FALSE"),
        ("close_on > 3", "close_on is a date and compared with a number: write DATE '2025-01-31'"),
        ("close_on > '2025-01-01'", "close_on is a date and compared with a text"),
        ("LENGTH(name) > 'x'", "cannot be read"),
    ],
)
def test_conditions_that_are_refused_say_what_to_write(sql: str, says: str) -> None:
    with pytest.raises(ConditionError, match=says):
        compile_condition("here", sql, SCHEMA)


def test_columns_are_found_and_words_within_text_are_not() -> None:
    assert columns_in("name = 'days' AND \"order\" IS NULL AND amount > 3", SCHEMA) == {"name", "order", "amount"}


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        pytest.param(" OR ".join(["days > 1"] * 200), "has 199 operators and brackets, 100 are taken", id="many ORs"),
        pytest.param("(" * 101 + "is_won" + ")" * 101, "has 101 operators and brackets", id="deep"),
        pytest.param(f"name = '{'x' * 10_000}'", "is 10009 characters long, 10000 are taken", id="long"),
    ],
)
def test_a_condition_has_bounds(sql: str, says: str) -> None:
    with pytest.raises(ConditionError, match=says):
        compile_condition("rule", sql, SCHEMA)


def test_many_values_fit_behind_in() -> None:
    listed = ", ".join(f"'name {number}'" for number in range(500))

    compile_condition("rule", f"name IN ({listed})", SCHEMA)


def test_a_condition_that_cannot_be_read_is_quoted_by_its_beginning() -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition("rule", f"name = '{'x' * 5_000}' AND", SCHEMA)

    assert len(str(caught.value)) < 600
