"""The settings are the keys that plans write."""

import pytest
from pydantic import ValidationError

from scoring.settings import MetricSettings

GUIDE = {
    "win_rate.denominator": "resolved", "win_rate.by": "count", "cycle.start": "created", "cycle.stat": "median",
    "coverage.base": "remaining", "attribution.owner": "at_close", "forecast.divisor": "actual",
    "pace.curve": "working_days", "tiers.mode": "marginal", "threshold.pays": "from_first_unit",
    "clawback.mode": "as_paid", "fx.policy": "booking_date", "missing.policy": "reweight", "normaliser.cap": "1.2",
    "bands.forced": False,
}  # fmt: skip


def test_the_defaults_are_the_guides() -> None:
    assert MetricSettings.of(GUIDE) == MetricSettings()


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as refused:
        MetricSettings.of({"win_rate.denominatr": "resolved", "cycle.start": "stage:", "win_rate.by": "weight"})

    assert [error["loc"][0] for error in refused.value.errors()] == [
        "win_rate.by",
        "cycle.start",
        "win_rate.denominatr",
    ]
