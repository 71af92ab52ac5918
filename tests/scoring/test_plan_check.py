"""What a plan's file says that is not so, and where."""

from pathlib import Path
from typing import Any

import pytest

from scoring.defaults import default_plan
from scoring.plan import Plan
from scoring.plan_check import overlaps, plan_findings, plan_notes
from sync.yaml_file import read_yaml

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "sync/defaults/plans/default.yaml", ROOT / "config/plans/default.sample.yaml"]
METRIC = {"unit": "count", "over": "deals_closed", "numerator": "COUNT(*)"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_file_is_the_default_plan(path: Path) -> None:
    file = read_yaml(path, path.name)

    assert file.problems == []
    assert list(plan_findings(file.data)) == []
    assert Plan.model_validate(file.data).model_dump_json() == default_plan().model_dump_json()


@pytest.mark.parametrize(
    ("data", "where", "says"),
    [
        ({"who": {"rol": "AE"}}, ("who", "rol"), "who.rol is not a field of a person. Did you mean role?"),
        ({"settings": {"win_rate.denom": "x"}}, ("settings", "win_rate.denom"), "Did you mean win_rate.denominator?"),
        ({"settings": {"cycle.stat": "mode"}}, ("settings", "cycle.stat"), "Input should be 'median' or 'mean'"),
        ({"targets": {"booking": {}}}, ("targets", "booking"), "booking is not a metric. Did you mean bookings?"),
        ({"metrics": {"m": {**METRIC, "over": "deals_close"}}}, ("metrics", "m"), "Did you mean deals_closed?"),
        ({"metrics": {"bookings": METRIC}}, ("metrics", "bookings"), "is the name of one of our metrics"),
        (
            {"scorecard": {"components": [{"metric": "bookings"}, {"metric": "win_rat"}]}},
            ("scorecard", "components", 1, "metric"),
            "win_rat is not a metric. Did you mean win_rate?",
        ),
        (
            {"scorecard": {"gates": [{"id": "g", "when": "scor > 3"}]}},
            ("scorecard", "gates", 0, "when"),
            "scorecard.gates.g: scor is not a column. Did you mean score?",
        ),
        (
            {"opportunity_score": {"rules": [{"id": "r", "when": "days_since_meetin <= 14"}]}},
            ("opportunity_score", "rules", 0, "when"),
            "opportunity_score.rules.r: days_since_meetin is not a column. Did you mean days_since_meeting?",
        ),
        (
            {"opportunity_score": {"rules": [{"when": "is_open", "age": "name"}]}},
            ("opportunity_score", "rules", 0, "age"),
            "opportunity_score.rules.0: age name is not a column of days",
        ),
    ],
)
def test_a_finding_names_its_place_and_the_nearest_word(
    data: dict[str, Any], where: tuple[Any, ...], says: str
) -> None:
    findings = list(plan_findings(data))

    assert [place for place, _ in findings] == [where]
    assert says in findings[0][1]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"who": {"role": "AE"}, "settings": {"cycle.stat": "mean"}},
        {"metrics": {"m": METRIC}, "targets": {"m": {}}, "scorecard": {"components": [{"metric": "m"}]}},
        {"metrics": {"m": METRIC}, "scorecard": {"gates": [{"id": "g", "when": "m > 3 AND win_rate < 0.1"}]}},
        {"opportunity_score": {"rules": [{"id": "r", "when": "age_days > stage_dwell_p80", "age": "age_days"}]}},
    ],
)
def test_what_is_right_is_left_in_peace(data: dict[str, Any]) -> None:
    assert list(plan_findings(data)) == []


@pytest.mark.parametrize(
    "data",
    [
        {"who": "AE", "settings": [], "metrics": {"m": "x"}, "scorecard": [], "opportunity_score": {"rules": {}}},
        {"scorecard": {"components": ["x", {"metric": 3}], "gates": [{"id": "g"}]}},
        {"opportunity_score": {"rules": [{"id": "r", "when": 3, "age": 3}]}},
    ],
)
def test_what_has_the_wrong_form_is_left_to_the_model(data: dict[str, Any]) -> None:
    assert list(plan_findings(data)) == []


def test_all_problems_come_in_one_go() -> None:
    data = {"who": {"rol": "AE"}, "targets": {"booking": {}}, "settings": {"x": 1}}

    assert len(list(plan_findings(data))) == 3


def test_what_this_version_does_not_compute_is_said_and_no_error() -> None:
    data = {"incentives": {"components": []}, "detectors": {"close_date_pushing": {"pushes": 3}}, "expect": [{}]}

    assert list(plan_findings(data)) == []
    assert list(plan_notes({})) == []
    assert list(plan_notes(data)) == [
        (("incentives",), "incentives are kept with the plan, but not computed in this version"),
        (("detectors",), "detectors are kept with the plan, but not computed in this version"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{age_days days old", "a brace stands alone"),
        ("{} days old", "a brace stands alone"),
        ("{amount:.2f}", "a brace stands alone"),
        ("{age_dayz} days old", "{age_dayz} is not a column of a deal. Did you mean age_days?"),
    ],
)
def test_a_place_in_a_reason_that_stays_empty_is_found(text: str, says: str) -> None:
    rule = {"id": "old", "when": "age_days > 90", "reason": {"en": "{age_days} days old", "zh-CN": text}}

    found = list(plan_findings({"opportunity_score": {"rules": [rule]}}))

    assert [where for where, _ in found] == [("opportunity_score", "rules", 0, "reason", "zh-CN")]
    assert says in found[0][1]


def plan(name: str, version: int = 1, **keys: Any) -> Plan:
    return Plan.model_validate({"plan": name, "version": version} | keys)


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        pytest.param([plan("a"), plan("b")], [("a", "b")], id="both for all"),
        pytest.param([plan("a"), plan("b", who={"role": "AE"})], [], id="one takes the rest"),
        pytest.param([plan("a", who={"role": "AE"}), plan("b", who={"role": ["AE"]})], [("a", "b")], id="the same who"),
        pytest.param(
            [plan("a", who={"role": ["AE", "AM"]}), plan("b", who={"role": "AE", "region": "EU"})],
            [("a", "b")],
            id="one within the other",
        ),
        pytest.param([plan("a", who={"role": "AE"}), plan("b", who={"region": "EU"})], [], id="only perhaps"),
        pytest.param(
            [plan("a", effective=["2025-01-01", "2026-01-01"]), plan("b", effective=["2026-01-01", "2027-01-01"])],
            [],
            id="one after the other",
        ),
        pytest.param(
            [plan("a"), plan("a", 2, who={"role": "AE"}), plan("b")], [], id="a later version stands in for the earlier"
        ),
    ],
)
def test_plans_that_name_the_same_people_at_once_are_found(plans: list[Plan], expected: list[tuple[str, str]]) -> None:
    assert [(first.plan, second.plan) for first, second, _ in overlaps(plans)] == expected
