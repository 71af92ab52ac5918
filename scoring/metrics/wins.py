"""Win rates: by count and by value, over each of the denominators that practitioners use (domain guide, 1.2)."""

import polars as pl

from scoring.facts import Facts
from scoring.metric import Metric, Unit

amount = pl.col("amount")
is_won = pl.col("is_won")
is_decided = pl.col("is_decided")
is_disqualified = pl.col("is_omitted")

win_rate_resolved = Metric(
    """Share of decided deals that were won.

    won / (won + lost), over the deals closed in the period. Domain guide 1.2. Below 10 decided deals it is low_sample.
    """,
    unit=Unit.RATIO,
    over=Facts.DEALS_CLOSED,
    numerator=is_won.sum(),
    denominator=is_decided.sum(),
    sample=is_decided.sum(),
    min_sample=None,
)

win_rate_include_disqualified = Metric(
    """Share of closed deals that were won.

    won / (won + lost + disqualified), over the deals closed in the period. Domain guide 1.2.
    """,
    unit=Unit.RATIO,
    over=Facts.DEALS_CLOSED,
    numerator=is_won.sum(),
    denominator=pl.len(),
    sample=pl.len(),
    min_sample=None,
)

win_rate_created_cohort = Metric(
    """Share of the deals created in the period that have been won since.

    won / created. Not applicable until nine in ten won deals would have closed (P90 of the cycle). Domain guide 1.2.
    """,
    unit=Unit.RATIO,
    over=Facts.DEALS_CREATED,
    numerator=is_won.sum(),
    denominator=is_disqualified.not_().sum(),
    sample=is_disqualified.not_().sum(),
    min_sample=None,
    matures=True,
)

win_rate_by_value_resolved = Metric(
    """Share of decided money that was won.

    won amount / (won amount + lost amount), over the deals closed in the period. Domain guide 1.2. Without decided
    deals it is unknown, not zero.
    """,
    unit=Unit.RATIO,
    over=Facts.DEALS_CLOSED,
    numerator=amount.filter(is_won).sum(),
    denominator=amount.filter(is_decided).sum(),
    sample=is_decided.sum(),
    min_sample=None,
)

win_rate_by_value_include_disqualified = Metric(
    """Share of closed money that was won.

    won amount / (won + lost + disqualified amount), over the deals closed in the period. Domain guide 1.2.
    """,
    unit=Unit.RATIO,
    over=Facts.DEALS_CLOSED,
    numerator=amount.filter(is_won).sum(),
    denominator=amount.sum(),
    sample=pl.len(),
    min_sample=None,
)

win_rate_by_value_created_cohort = Metric(
    """Share of the money created in the period that has been won since.

    won amount / created amount, disqualified deals apart. Not applicable until the cohort is mature. Domain guide 1.2.
    """,
    unit=Unit.RATIO,
    over=Facts.DEALS_CREATED,
    numerator=amount.filter(is_won).sum(),
    denominator=amount.filter(is_disqualified.not_()).sum(),
    sample=is_disqualified.not_().sum(),
    min_sample=None,
    matures=True,
)

WIN_RATES = {
    "resolved": (win_rate_resolved, win_rate_by_value_resolved),
    "include_disqualified": (win_rate_include_disqualified, win_rate_by_value_include_disqualified),
    "created_cohort": (win_rate_created_cohort, win_rate_by_value_created_cohort),
}
"""By the setting ``win_rate.denominator``: by count, by value."""
