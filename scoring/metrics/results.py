"""Results: what was won, how often, how fast, and how it stands against the target (domain guide, 1.2 and 2)."""

from collections.abc import Mapping
from typing import Literal

import polars as pl

from scoring.aggregate import mean, median
from scoring.facts import Facts
from scoring.metric import Answer, Metric, Unit, ratio
from scoring.metrics.wins import WIN_RATES
from scoring.money import EXACT
from scoring.settings import MetricSettings

amount = pl.col("amount")
booking = pl.col("booking")
is_won = pl.col("is_won")
is_lost = pl.col("is_lost")
customer = pl.col("customer")
cycle_days = pl.col("cycle_days")
by_chance = amount * pl.coalesce("probability", "stage_probability")

bookings = Metric(
    """Money won.

    Sum of the credited amount of deals won with a close date in the period; negative deals (credit notes) count.
    ``bookings.amount_field`` says which amount. Domain guide 1.2.
    """,
    unit=Unit.MONEY,
    over=Facts.DEALS_CLOSED,
    numerator=booking.filter(is_won).sum(),
    sample=is_won.sum(),
)

won_count = Metric(
    """Deals won.

    Distinct deals won with a close date in the period. Domain guide 1.2.
    """,
    unit=Unit.COUNT,
    over=Facts.DEALS_CLOSED,
    numerator=is_won.sum(),
    sample=is_won.sum(),
)

lost_count = Metric(
    """Deals lost.

    Distinct deals lost with a close date in the period; disqualified ones are neither won nor lost. Domain guide 1.2.
    """,
    unit=Unit.COUNT,
    over=Facts.DEALS_CLOSED,
    numerator=is_lost.sum(),
    sample=is_lost.sum(),
)

average_deal_size = Metric(
    """Mean amount of a won deal.

    bookings / won deals whose amount is known. Domain guide 1.2.
    """,
    unit=Unit.MONEY,
    over=Facts.DEALS_CLOSED,
    numerator=booking.filter(is_won).sum(),
    denominator=booking.filter(is_won).count(),
    sample=booking.filter(is_won).count(),
)

median_deal_size = Metric(
    """Median amount of a won deal.

    One big deal moves the mean; the median stays. Domain guide 1.2.
    """,
    unit=Unit.MONEY,
    over=Facts.DEALS_CLOSED,
    statistic=median(booking.filter(is_won)),
    sample=booking.filter(is_won).count(),
)

new_customers = Metric(
    """Customers won for the first time.

    Distinct ultimate parent accounts whose first ever won deal closed in the period. A customer that comes back after
    ``new_customer.lookback_months`` without a win is a win-back, not new. Domain guide 1.2.
    """,
    unit=Unit.COUNT,
    over=Facts.DEALS_CLOSED,
    numerator=customer.filter(pl.col("is_new_customer_win")).n_unique(),
    sample=is_won.sum(),
)

expansion_bookings = Metric(
    """Money won from customers we already had.

    Bookings of deals of an expansion type; of deals without a type that we know, those of accounts with an earlier win.
    Domain guide 1.2.
    """,
    unit=Unit.MONEY,
    over=Facts.DEALS_CLOSED,
    numerator=booking.filter(is_won & pl.col("is_expansion")).sum(),
    sample=(is_won & pl.col("is_expansion")).sum(),
)

sales_cycle_median = Metric(
    """Median days from creation to the win.

    close date - start in calendar days, won deals only; negative lengths are faults, and zero days count only in
    transactional pipelines. ``cycle.start`` says what the start is. Domain guide 1.2.
    """,
    unit=Unit.DAYS,
    over=Facts.DEALS_CLOSED,
    statistic=median(cycle_days.filter(is_won)),
    sample=cycle_days.filter(is_won).count(),
)

sales_cycle_mean = Metric(
    """Mean days from creation to the win.

    The same lengths as ``sales_cycle_median``. Domain guide 1.2.
    """,
    unit=Unit.DAYS,
    over=Facts.DEALS_CLOSED,
    statistic=mean(cycle_days.filter(is_won)),
    sample=cycle_days.filter(is_won).count(),
)

pipeline_due = Metric(
    """Open money due in the period.

    Sum of the amount of open deals with a close date in the period. Domain guide 1.2.
    """,
    unit=Unit.MONEY,
    over=Facts.DEALS_DUE,
    numerator=amount.sum(),
)

pipeline_due_weighted = Metric(
    """Open money due in the period, by its chance.

    Sum of amount x probability (the deal's own, else its stage's) of open deals with a close date in the period.
    """,
    unit=Unit.MONEY,
    over=Facts.DEALS_DUE,
    numerator=by_chance.sum(),
)

open_qualified = Metric(
    """Open deals that are qualified.

    Open deals at as_of, without those in a stage that is marked as not qualified.
    """,
    unit=Unit.COUNT,
    over=Facts.DEALS_OPEN,
    numerator=pl.col("qualified").fill_null(value=True).sum(),
    sample=pl.col("qualified").fill_null(value=True).sum(),
)

target = Metric(
    """What is to be booked.

    The target of the subject: its own, else the sum of its members'. Domain guide 2.
    """,
    unit=Unit.MONEY,
    target="bookings",
)


def _attained(answers: Mapping[str, Answer]) -> Answer:
    actual, wanted = answers["actual"], answers["target"]
    if not wanted.value:  # 0 or absent
        return Answer(None, actual.value, wanted.value, actual.n, "not_applicable")
    return ratio(actual.value, wanted.value, actual.n)


def attainment_of(name: str, actual: Metric) -> Metric:
    """Attainment of the target that was set for the metric of this name."""
    goal = Metric("The target.", unit=actual.unit, target=name)
    text = f"Share of the {name} target that was reached.\n\n    actual / target, unclipped. Domain guide 2."
    return Metric(text, unit=Unit.RATIO, inputs={"actual": actual, "target": goal}, formula=_attained)


attainment = Metric(
    """Share of the bookings target that was reached.

    bookings / target, unclipped, recomputed for every group and never averaged. Without a target, or with one of 0, it
    is not applicable. Domain guide 2.
    """,
    unit=Unit.RATIO,
    inputs={"actual": bookings, "target": target},
    formula=_attained,
)


def _covered(answers: Mapping[str, Answer]) -> Answer:
    due, goal, actual = answers["due"], answers["target"], answers["actual"]
    if goal.value is None or actual.value is None:
        return Answer(None, due.value, None, due.n, "not_applicable")
    remaining = goal.value - actual.value
    if remaining <= 0:  # the target is met
        return Answer(None, due.value, remaining, due.n, "not_applicable")
    return ratio(due.value, remaining, due.n)


def _covered_in_full(answers: Mapping[str, Answer]) -> Answer:
    due, goal = answers["due"], answers["target"]
    if not goal.value:
        return Answer(None, due.value, goal.value, due.n, "not_applicable")
    return ratio(due.value, goal.value, due.n)


pipeline_coverage_remaining = Metric(
    """Open money due against what is still to be booked.

    open amount due in the period / (target - bookings). Not applicable without a target, or once it is met.
    Domain guide 1.2.
    """,
    unit=Unit.RATIO,
    inputs={"due": pipeline_due, "target": target, "actual": bookings},
    formula=_covered,
)

pipeline_coverage_weighted = Metric(
    """Open money due, by its chance, against what is still to be booked.

    sum of amount x probability of open deals due in the period / (target - bookings). Domain guide 1.2.
    """,
    unit=Unit.RATIO,
    inputs={"due": pipeline_due_weighted, "target": target, "actual": bookings},
    formula=_covered,
)

pipeline_coverage_full = Metric(
    """Open money due against the whole target.

    open amount due in the period / target. Domain guide 1.2.
    """,
    unit=Unit.RATIO,
    inputs={"due": pipeline_due, "target": target},
    formula=_covered_in_full,
)


def _velocity(answers: Mapping[str, Answer]) -> Answer:
    deals, size, rate, cycle = (answers[name] for name in ("deals", "size", "rate", "cycle"))
    if deals.value is None or size.value is None or rate.value is None:
        return Answer(None, None, cycle.value, rate.n)
    money = EXACT.multiply(EXACT.multiply(deals.value, size.value), rate.value)
    answer = ratio(money, cycle.value, rate.n)
    if answer.value is not None and rate.status == "low_sample":
        return Answer(answer.value, answer.numerator, answer.denominator, answer.n, "low_sample")
    return answer


def pipeline_velocity(rate: Metric, statistic: Literal["median", "mean"]) -> Metric:
    """Velocity with this win rate, and with the mean or median cycle."""
    text = f"""Money that the open pipeline yields per day.

    open qualified deals x average deal size x win rate / sales cycle ({statistic}). Domain guide 1.2.
    """
    cycle = sales_cycle_median if statistic == "median" else sales_cycle_mean
    inputs = {"deals": open_qualified, "size": average_deal_size, "rate": rate, "cycle": cycle}
    return Metric(text, unit=Unit.MONEY_PER_DAY, inputs=inputs, formula=_velocity)


COVERAGES = {
    "remaining": pipeline_coverage_remaining,
    "full": pipeline_coverage_full,
    "weighted": pipeline_coverage_weighted,
}


def family(settings: MetricSettings) -> dict[str, Metric]:
    """The results family by name, in the variants that the settings choose."""
    by_count, by_value = WIN_RATES[settings.win_rate_denominator]
    win_rate = by_value if settings.win_rate_by == "value" else by_count
    return {
        "bookings": bookings,
        "won_count": won_count,
        "lost_count": lost_count,
        "average_deal_size": average_deal_size,
        "median_deal_size": median_deal_size,
        "win_rate": win_rate,
        "win_rate_by_value": by_value,
        "new_customers": new_customers,
        "expansion_bookings": expansion_bookings,
        "sales_cycle_median": sales_cycle_median,
        "sales_cycle_mean": sales_cycle_mean,
        "pipeline_coverage": COVERAGES[settings.coverage_base],
        "pipeline_velocity": pipeline_velocity(win_rate, settings.cycle_stat),
        "attainment": attainment,
    }
