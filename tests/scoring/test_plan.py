"""What a plan refuses, and what it says instead."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from scoring.plan import Normaliser, Plan

COMPONENT = {"id": "a", "metric": "bookings", "weight": 1}


def card(*components: Any, **fields: Any) -> dict[str, Any]:
    return {"plan": "p", "scorecard": {"components": components or (COMPONENT,), **fields}}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param({"plan": "p", "scorecards": {}}, "Extra inputs are not permitted", id="an unknown key"),
        pytest.param({"plan": "a plan"}, "String should match pattern", id="a name with a space"),
        pytest.param(card({**COMPONENT, "weight": "0.9"}), "weights must sum to exactly 1, they sum to 0.9", id="weights"),
        pytest.param(card({**COMPONENT, "weight": "0.5"}, {**COMPONENT, "weight": "0.5"}), "component ids must differ",
                     id="two components of one id"),
        pytest.param(card(bands={"A": 50, "B": 80}), "lower bounds must fall", id="bands that rise"),
        pytest.param(card(gates=[{"id": "g", "when": "score > 1"}]), "exactly one of cap, floor, block", id="an idle gate"),
        pytest.param(card({**COMPONENT, "normaliser": {"minmax": {"lo": 3, "hi": 3}}}), "lo and hi must differ", id="minmax"),
        pytest.param(card({**COMPONENT, "normaliser": {"piecewise": {"points": [[1, 0], [1, 9]]}}}),
                     "points must be strictly increasing in x", id="piecewise"),
        pytest.param(card({**COMPONENT, "normaliser": {"minmax": {"lo": 3, "hi": 4}, "zscore": {}}}),
                     "name exactly one of attainment, piecewise", id="two normalisers"),
        pytest.param({"plan": "p", "opportunity_score": {"rules": [{"id": "r", "when": "is_open", "points": 1}] * 2}},
                     "rule ids must differ", id="two rules of one id"),
        pytest.param({"plan": "p", "opportunity_score": {"start": 101}}, "less than or equal to 100", id="start above 100"),
        pytest.param({"plan": "p", "effective": [date(2025, 1, 1), date(2025, 1, 1)]}, "the first must come before the second",
                     id="effective for no day"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused(body: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Plan.model_validate(body)


def test_a_normaliser_may_be_just_its_name() -> None:
    assert Normaliser.model_validate("percentile").chosen == ["percentile"]


def test_a_plan_is_in_effect_from_its_first_day_to_the_day_before_its_last() -> None:
    plan = Plan.model_validate({"plan": "p", "effective": [date(2025, 1, 1), date(2026, 1, 1)]})

    assert plan.effective == (date(2025, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize(("band", "above"), [("S", None), ("A", 110), ("C", 80), ("D", 60)])
def test_the_bound_above_a_band_is_that_of_the_next_better_one(band: str, above: int | None) -> None:
    plan = Plan.model_validate(card())

    assert plan.scorecard is not None
    assert plan.scorecard.bound_above(band) == above
