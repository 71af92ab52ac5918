"""An admin's own metric: exact, aggregated, and checked before it runs."""

from decimal import Decimal

import pytest

from scoring.custom import compile_metric, compile_metrics
from scoring.metric import MetricError
from scoring.plan import CustomMetric
from tests.scoring.conftest import Book, values

D = Decimal


def value(book: Book, numerator: str, denominator: str | None = None, over: str = "deals_closed") -> Decimal | None:
    custom = CustomMetric(unit="money", over=over, numerator=numerator, denominator=denominator)
    metrics = {"own": compile_metric("own", custom)}
    found = values(metrics, book.facts(), by=("organisation",))["all", "own"]["value"]
    assert found is None or isinstance(found, Decimal)
    return found


@pytest.fixture
def sold(book: Book) -> Book:
    book.deal("a", "Won", "100.10", product="GTX", name="it's SUM(", close_on="2025-02-01")
    book.deal("b", "Won", 30, product="MG", close_on="2025-02-01")
    book.deal("c", "Lost", 50, product="GTX", close_on="2025-02-01")
    book.deal("d", "Lost", None, product="Zero", close_on="2025-02-01")
    return book


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SUM(amount) FILTER (WHERE outcome = 'won' AND product = 'GTX')", "100.10"),
        ("sum(amount) filter (where name like 'it''s SUM(%')", "100.10"),
        ("SUM(amount * 0.1)", "18.010"),
        ("SUM(cycle_days * 0.5)", "62.0"),
        ("SUM(amount) - SUM(booking) FILTER (WHERE is_lost)", "130.10"),
        ("COUNT(*) FILTER (WHERE product IN ('GTX', 'MG'))", "3"),
        ("COUNT(DISTINCT product)", "3"),
        ("MAX(amount)", "100.10"),
        ('MIN("amount")', "30"),
        ("COUNT(*) FILTER (WHERE close_on >= DATE '2025-02-01')", "4"),
        ("SUM(CASE WHEN is_won THEN amount END)", "130.10"),
        pytest.param("SUM(amount) FILTER (WHERE product = 'none')", "0", id="a sum of nothing is zero"),
        pytest.param("SUM(CASE WHEN product = 'none' THEN amount END)", "0", id="also written as CASE"),
        pytest.param("SUM(amount) FILTER (WHERE product = 'Zero')", None, id="of unknown amounts it is unknown"),
        pytest.param("SUM(CASE WHEN product = 'Zero' THEN amount END)", None, id="also written as CASE"),
        pytest.param("MAX(amount) FILTER (WHERE product = 'none')", None, id="the largest of nothing is unknown"),
        pytest.param("SUM(CASE WHEN is_won THEN amount ELSE 0 END)", "130.10", id="with an ELSE"),
    ],
)
def test_sql_says_the_same_as_our_own_metrics(sold: Book, sql: str, expected: str | None) -> None:
    assert value(sold, sql) == (None if expected is None else D(expected))


def test_the_engine_divides_exactly(sold: Book) -> None:
    share = value(sold, "SUM(amount) FILTER (WHERE is_won)", "COUNT(amount) FILTER (WHERE is_won)")

    assert share == D("65.05")


@pytest.mark.parametrize(
    ("sql", "advice"),
    [
        ("SUM(amont)", "amont is not a column. Did you mean amount?"),
        ("SUM(qqqqq)", "Known are account"),
        ("SUM(amount) / COUNT(*)", "as the denominator"),
        ("AVG(amount)", "AVG is not allowed. Allowed are SUM"),
        ("NOW()", "NOW is not allowed"),
        ("COUNT(*) FILTER (WHERE close_on > CURRENT_DATE)", "CURRENT_DATE is not a column"),
        ("CAST(SUM(amount) AS DOUBLE)", "CAST is not allowed"),
        ("SUM(amount::float)", ": is not allowed"),
        ("amount", "must aggregate"),
        ("1", "must aggregate"),
        ("", "must aggregate"),
        ("SUM(amount) + amount", "must aggregate every column"),
        ("MAX(name)", "not exact"),
        ("SUM(amount", "cannot be read"),
        ("SUM(name)", "cannot be read|not exact"),
    ],
)
def test_what_is_not_exact_or_not_known_is_refused_with_advice(sql: str, advice: str) -> None:
    with pytest.raises(MetricError, match=advice) as refused:
        compile_metric("own", CustomMetric(unit="money", over="deals_closed", numerator=sql))

    assert str(refused.value).startswith("metrics.own.numerator: ")


def test_all_problems_come_at_once_and_good_metrics_pass() -> None:
    good = CustomMetric(unit="count", over="deals_open", numerator="COUNT(*)", min_sample=5)
    customs = {
        "far": CustomMetric(unit="count", over="deals_opened", numerator="COUNT(*)"),
        "below": CustomMetric(unit="ratio", over="deals_open", numerator="COUNT(*)", denominator="COUNT(x)"),
        "good": good,
    }

    with pytest.raises(MetricError, match=r"(?s)far\.over: deals_opened.*deals_open\?\nmetrics\.below\.denominator"):
        compile_metrics(customs)
    assert compile_metrics({"good": good})["good"].min_sample == 5
