"""A plan's examples are run as far as this version computes them, and the rest is said."""

from decimal import Decimal
from typing import Any

import pytest

from scoring.plan import Plan
from sync.plan_examples import run_examples, verdict

RULES = [
    {"id": "meeting", "when": "days_since_meeting <= 14", "points": 20},
    {"id": "stage", "when": "stage = 'Proposal'", "points": 15},
    {"id": "pushed", "when": "push_count >= 2", "points": -10},
    {"id": "stuck", "when": "days_in_stage > stage_dwell_p80", "points": -15},
]
DEAL = {"days_since_meeting": 3, "stage": "Proposal", "push_count": 2, "days_in_stage": 40, "stage_dwell_p80": 21}
CARD = {
    "components": [
        {"id": "results", "metric": "attainment", "weight": Decimal("0.8")},
        {"id": "wins", "metric": "win_rate", "weight": Decimal("0.2"), "normaliser": {"minmax": {"lo": 0, "hi": 1}}},
    ]
}


def run(expect: dict[str, Any], **plan: Any) -> tuple[str, str]:
    made = Plan(
        plan="ae", expect=[expect], **{"opportunity_score": {"start": 30, "rules": RULES}, "scorecard": CARD, **plan}
    )
    (example,) = run_examples(made)
    assert example.where == ("expect", 0)
    return example.status, example.text


@pytest.mark.parametrize(
    ("expect", "status", "text"),
    [
        pytest.param({"deal": DEAL, "score": 40, "grade": "C"}, "passed", "score 40, grade C", id="worked example"),
        pytest.param({"deal": DEAL, "score": 50}, "failed", "score is 40, expected 50", id="another score"),
        pytest.param({"deal": {"stag": "x"}, "score": 1}, "failed", "Did you mean stage?", id="misspelled column"),
        pytest.param({"deal": DEAL, "scor": 1}, "failed", "Did you mean score?", id="misspelled answer"),
        pytest.param({"metrics": {"attainment": Decimal("0.6"), "win_rate": Decimal("0.5")}, "score": 58, "band": "D"},
                     "passed", "score 58, band D", id="scorecard"),
        pytest.param({"metrics": {"attainment": 1}, "score": 99}, "failed", "score is 100, expected 99", id="another total"),
        pytest.param({"metrics": {"atainment": 1}, "score": 99}, "failed", "Did you mean attainment?", id="no metric"),
        pytest.param({"credit": 135000, "target": 100000, "earns": {"base": 8400}}, "not_computed", "incentives", id="pay"),
        pytest.param({"deals": DEAL}, "failed", "Did you mean deal?", id="nothing to compute"),
    ],
)  # fmt: skip
def test_an_example_passes_fails_or_says_why_not(expect: dict[str, Any], status: str, text: str) -> None:
    found = run(expect)

    assert found[0] == status
    assert text in found[1]


def test_a_scorecard_that_compares_people_is_not_tried_on_one() -> None:
    card = {"components": [{"id": "rank", "metric": "bookings", "weight": 1, "normaliser": "percentile"}]}

    found = run({"metrics": {"bookings": 1}, "score": 50}, scorecard=card)

    assert found == ("not_computed", "rank: compared with peers, which an example has not")


def test_the_verdict_counts_what_was_not_computed() -> None:
    plan = Plan(plan="ae", expect=[{"credit": 1, "earns": {}}])

    assert verdict(list(run_examples(plan))) == "1 examples: 1 not computed by this version"
