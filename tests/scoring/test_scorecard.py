"""The composite score: Lin's worked example (domain guide, 3.5), missing parts, gates, bands, confidence."""

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoring.appraisal import Appraisal
from scoring.condition import ConditionError
from scoring.confidence import DataQuality, confidence, label, weighted_mean
from scoring.metric import SCHEMA, measure
from scoring.metrics.targets import Targets
from scoring.money import stored
from scoring.period import parse_period
from scoring.plan import Plan
from scoring.scorecard import appraise, metrics_of, row_of
from scoring.settings import MetricSettings
from tests.scoring.conftest import Book

SURE = DataQuality(Fraction(1), 96)
LIN: dict[str, Mapping[str, Any]] = {
    "results": {"metric": "attainment", "weight": "0.50"},
    "wins": {"metric": "win_rate", "weight": "0.20", "normaliser": {"attainment": {"target": "0.4"}}},
    "speed": {"metric": "hours", "weight": "0.15", "normaliser": {"minmax": {"lo": 45, "hi": 5}}, "group": "process"},
    "csat": {"metric": "csat", "weight": "0.15", "normaliser": {"attainment": {"target": 90}}, "group": "customer"},
}
OWN = {"unit": "count", "over": "deals_closed", "numerator": "COUNT(*)"}


def plan_of(parts: Mapping[str, Mapping[str, Any]] = LIN, *, settings: Any = None, **card: Any) -> Plan:
    """A plan whose scorecard has these components; ``hours`` and ``csat`` stand for metrics of its own."""
    components = [{"id": name, **part} for name, part in parts.items()]
    body = {"plan": "p", "metrics": {"hours": OWN, "csat": OWN}, "settings": settings or {}}
    return Plan.model_validate({**body, "scorecard": {"components": components, **card}})


def changed(name: str, **fields: Any) -> dict[str, Mapping[str, Any]]:
    return {**LIN, name: {**LIN[name], **fields}}


def rows_of(**values: Any) -> pl.DataFrame:
    """Metric rows of Lin: a value, or (value, n, status), or (numerator, denominator, n, status)."""
    rows = []
    for metric, told in values.items():
        parts = told if isinstance(told, tuple) else (told, 100, "ok" if told is not None else "no_data")
        value, n, status = parts[-3:] if len(parts) == 3 else (None, *parts[-2:])
        numerator = denominator = None
        if len(parts) == 4:
            numerator, denominator = (Decimal(str(part)) for part in parts[:2])
            value = stored(numerator / denominator)
        row = {
            "period": "2025-Q1",
            "by": "person",
            "subject": "lin",
            "metric": metric,
            "unit": "ratio",
            "key": "crm:lin",
        }
        value = None if value is None else Decimal(str(value))
        rows.append(
            {**row, "value": value, "numerator": numerator, "denominator": denominator, "n": n, "status": status}
        )
    return pl.DataFrame(rows, schema=SCHEMA)


def lin_rows(**other: Any) -> pl.DataFrame:
    return rows_of(
        **{"attainment": (90, 150, 3, "ok"), "win_rate": (3, 6, 6, "low_sample"), "hours": 18, "csat": 85} | other
    )


def lin_score(plan: Plan, rows: pl.DataFrame | None = None, quality: DataQuality = SURE, **baseline: Any) -> Appraisal:
    table = lin_rows() if rows is None else rows
    return appraise(plan, ["crm:lin"], table, {"crm:lin": quality}, baseline, "2025-Q1")[0]


@pytest.mark.parametrize(
    ("parts", "settings", "expected"),
    [
        pytest.param(changed("wins", low_sample="include"), {}, "78.29", id="six deals included"),
        pytest.param(changed("wins", low_sample="include"), {"normaliser.cap": Decimal(1)}, "74.29", id="a cap of 1.0"),
        pytest.param(LIN, {}, "67.86", id="six deals dropped, the default"),
    ],
)
def test_lins_scorecard(parts: Mapping[str, Mapping[str, Any]], settings: dict[str, Any], expected: str) -> None:
    one = lin_score(plan_of(parts, settings=settings))

    assert one.score is not None
    assert (one.score.quantize(Decimal("0.01")), one.band, one.status) == (Decimal(expected), "C", "ok")


def test_a_component_says_why_it_does_not_count() -> None:
    one = lin_score(plan_of())

    texts = {part.id: part.text("en") for part in one.components}
    assert texts["wins"] == "win rate not counted: 6 of 10 needed"
    assert "赢单率未计入：需要 10，仅有 6" in one.reasons_text("zh-CN")


def test_shrinking_pulls_a_small_sample_to_the_peers_rate() -> None:
    peers = {"2025-Q1": {"values": {}, "priors": {"win_rate": "0.25"}}}

    one = lin_score(plan_of(changed("wins", low_sample="shrink")), peers=peers)

    part = one.components[1]
    assert (part.value, part.shrunk_from) == (Decimal("0.307692307692"), Decimal("0.5"))  # (3 + 20 x 0.25) / 26


def test_a_small_sample_without_a_peers_rate_is_dropped() -> None:
    one = lin_score(plan_of(changed("wins", low_sample="shrink")))

    assert one.components[1].standing == "low_sample"


MISSING: dict[str, Mapping[str, Any]] = {
    "a": {"metric": "bookings", "weight": "0.50", "normaliser": {"minmax": {"lo": 0, "hi": 100}}},
    "b": {"metric": "won_count", "weight": "0.20", "normaliser": {"minmax": {"lo": 0, "hi": 100}}},
    "c": {"metric": "lost_count", "weight": "0.15", "normaliser": {"minmax": {"lo": 0, "hi": 100}}},
    "d": {"metric": "csat", "weight": "0.15", "normaliser": {"minmax": {"lo": 0, "hi": 100}}},
}


def test_a_structurally_missing_component_leaves_its_weight_to_the_others() -> None:
    one = lin_score(plan_of(MISSING), rows_of(bookings=96, won_count=75, lost_count=60, csat=None))

    assert one.shown == Decimal("84.70")  # 72 / 0.85 = 84.7058..., cut off
    weights = [part.payload()["effective_weight"] for part in one.components]
    assert weights == ["0.588235", "0.235294", "0.176471", "0"]


@pytest.mark.parametrize(
    ("part", "settings"),
    [({"missing": "zero"}, {}), ({}, {"missing.policy": "zero"})],
    ids=["by the component", "by the plan"],
)
def test_what_the_person_could_have_filled_in_counts_0(part: dict[str, str], settings: dict[str, str]) -> None:
    parts = {**MISSING, "d": {**MISSING["d"], **part}}

    one = lin_score(plan_of(parts, settings=settings), rows_of(bookings=96, won_count=75, lost_count=60, csat=None))

    assert (one.shown, one.components[3].text("en")) == (Decimal("72.00"), "csat counts 0: not filled in")


def test_a_plan_that_drops_a_component_overrules_the_setting() -> None:
    parts = {**MISSING, "d": {**MISSING["d"], "missing": "reweight"}}

    one = lin_score(
        plan_of(parts, settings={"missing.policy": "zero"}), rows_of(bookings=96, won_count=75, lost_count=60)
    )

    assert one.shown == Decimal("84.70")


def test_what_is_not_applicable_never_counts_0() -> None:
    parts = {**MISSING, "d": {**MISSING["d"], "missing": "zero"}}

    rows = rows_of(bookings=96, won_count=75, lost_count=60, csat=(None, 0, "not_applicable"))

    assert lin_score(plan_of(parts), rows).shown == Decimal("84.70")


def test_a_metric_on_hold_does_not_count() -> None:
    one = lin_score(plan_of(MISSING), rows_of(bookings=96, won_count=75, lost_count=60, csat=(50, 9, "blocked")))

    assert one.components[3].text("en") == "csat not counted: held for its data quality"


def test_below_the_minimum_weight_nobody_is_rated() -> None:
    one = lin_score(plan_of(MISSING), rows_of(bookings=96, won_count=None))

    assert (one.status, one.score, one.shown, one.band) == ("not_rated", None, None, None)
    assert one.reasons_text().startswith("not rated: only 0.50 of the weight is available; ")


def test_without_any_row_nobody_is_rated_even_at_a_minimum_of_0() -> None:
    one = lin_score(plan_of(MISSING, minimum_weight=0), rows_of())

    assert (one.status, one.available_weight) == ("not_rated", Fraction(0))


ONE: dict[str, Mapping[str, Any]] = {
    "a": {"metric": "csat", "weight": 1, "normaliser": {"minmax": {"lo": 0, "hi": 100}}}
}


def test_two_thirds_of_a_target_reach_a_band_that_begins_there() -> None:
    parts = {"a": {"metric": "attainment", "weight": 1}}

    one = lin_score(plan_of(parts, bands={"B": "66.666666666666666"}), rows_of(attainment=(2, 3, 9, "ok")))

    assert one.band == "B"  # 66.666666666666 as stored would not


def test_the_minimum_weight_is_enough() -> None:
    one = lin_score(plan_of(MISSING, minimum_weight="0.70"), rows_of(bookings=96, won_count=75))

    assert one.status == "ok"


def test_the_lower_bound_of_a_band_belongs_to_it() -> None:
    assert lin_score(plan_of(ONE), rows_of(csat=80)).band == "B"


def test_a_band_goes_by_the_unrounded_score() -> None:
    parts = {"a": {"metric": "csat", "weight": 1, "normaliser": {"minmax": {"lo": 0, "hi": 100}}}}

    one = lin_score(plan_of(parts), rows_of(csat="94.996"))

    assert (one.band, one.shown) == ("B", Decimal("94.99"))


def test_a_cap_holds_the_score_under_the_next_band_and_lists_what_it_was() -> None:
    plan = plan_of(ONE, gates=[{"id": "breach", "when": "lost_count > 3", "cap": "C"}])

    one = lin_score(plan, rows_of(csat=97, lost_count=4))

    assert (one.band, one.shown) == ("C", Decimal("79.99"))
    assert one.before_gates == 97
    assert one.gates[0].text("en") == "breach: at most band C, 97.00 before"
    assert one.payload()["gates"][0] == {
        "id": "breach", "kind": "cap", "limit": "C", "before": "97", "after": "79.99",
        "text": {"en": "breach: at most band C, 97.00 before", "zh-CN": "breach：最高等级 C，此前 97.00"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("gate", "score", "expected"),
    [
        pytest.param({"cap": "C"}, 50, "50.00", id="a cap never raises"),
        pytest.param({"cap": "S"}, 97, "97.00", id="a cap at the best band does nothing"),
        pytest.param({"cap": "D"}, 97, "59.99", id="a cap at the lowest band"),
        pytest.param({"floor": 60}, 50, "60.00", id="a floor raises"),
        pytest.param({"floor": 60}, 97, "97.00", id="a floor never lowers"),
    ],
)
def test_gates(gate: dict[str, Any], score: int, expected: str) -> None:
    one = lin_score(plan_of(ONE, gates=[{"id": "g", "when": "score >= 0", **gate}]), rows_of(csat=score))

    assert one.shown == Decimal(expected)


def test_a_block_says_so_in_the_reasons() -> None:
    plan = plan_of(ONE, gates=[{"id": "audit", "when": "score > 0", "block": True}])

    assert lin_score(plan, rows_of(csat=97)).reasons_text() == "audit: no band; csat 97.00 x 1"


def test_a_block_leaves_the_score_and_takes_the_band() -> None:
    plan = plan_of(ONE, gates=[{"id": "audit", "when": "resolved >= 1 AND quality = 1", "block": True}])

    one = lin_score(plan, rows_of(csat=97))

    assert (one.status, one.band, one.shown, one.gates[0].text("en")) == (
        "blocked", None, Decimal("97.00"), "audit: no band",
    )  # fmt: skip


def test_a_gate_on_something_unknown_does_not_hold() -> None:
    plan = plan_of(ONE, gates=[{"id": "g", "when": "NOT (win_rate > 0.5)", "cap": "D"}])

    assert lin_score(plan, rows_of(csat=97)).gates == ()


def test_a_gate_on_something_that_does_not_exist_is_refused() -> None:
    plan = plan_of(ONE, gates=[{"id": "g", "when": "win_rat > 0.5", "cap": "D"}])

    with pytest.raises(ConditionError, match=r"scorecard.gates.g: win_rat is not a column. Did you mean win_rate\?"):
        lin_score(plan, rows_of(csat=97))


@pytest.mark.parametrize(
    ("fault", "gates"),
    [
        ("band E is not one of S, A, B, C, D", [{"id": "g", "when": "score > 0", "cap": "E"}]),
        ("gate ids must differ", [{"id": "g", "when": "score > 0", "cap": "C"}] * 2),
    ],
)
def test_a_plan_refuses_gates_that_cannot_be(fault: str, gates: list[Any]) -> None:
    with pytest.raises(ValidationError, match=fault):
        plan_of(ONE, gates=gates)


def test_a_plan_without_a_scorecard_appraises_nobody() -> None:
    with pytest.raises(ValueError, match="plan p has no scorecard"):
        appraise(Plan(plan="p"), ["crm:lin"], rows_of(), {}, {}, "2025-Q1")


def test_confidence_of_the_guide_is_0_5534_and_medium() -> None:
    deals = [(Decimal(50000), Decimal(1)), (Decimal(30000), Decimal("0.76")), (Decimal(20000), Decimal("0.70"))]

    mean = weighted_mean(deals)

    assert mean == Fraction("0.868")
    found = confidence(DataQuality(mean, 12), Fraction("0.85"))
    assert (round(Decimal(found.numerator) / Decimal(found.denominator), 4), label(found)) == (
        Decimal("0.5534"),
        "medium",
    )


def test_low_confidence_takes_the_band_and_leaves_the_score() -> None:
    one = lin_score(plan_of(ONE), rows_of(csat=97), quality=DataQuality(Fraction(1), 3))

    assert (one.status, one.band, one.shown) == ("low_confidence", None, Decimal("97.00"))
    assert one.reasons_text() == "no band: confidence 0.42; csat 97.00 x 1"


def test_of_somebody_without_deals_nothing_is_sure() -> None:
    one = appraise(plan_of(ONE), ["crm:lin"], rows_of(csat=97), {}, {}, "2025-Q1")[0]

    assert (one.status, one.confidence) == ("low_confidence", Decimal(0))


@pytest.mark.parametrize(("value", "word"), [("0.49", "low"), ("0.5", "medium"), ("0.74", "medium"), ("0.75", "high")])
def test_confidence_in_a_word(value: str, word: str) -> None:
    assert label(Decimal(value)) == word


@pytest.mark.parametrize(
    ("deals", "expected"),
    [
        pytest.param([], None, id="nobody's deals"),
        pytest.param(
            [(None, Decimal("0.5")), (Decimal(10), Decimal(1))], Fraction("0.75"), id="no amount weighs the mean"
        ),
        pytest.param(
            [(None, Decimal("0.5")), (None, Decimal(1))], Fraction("0.75"), id="no amounts at all weigh alike"
        ),
        pytest.param(
            [(Decimal(-30), Decimal(1)), (Decimal(10), Decimal("0.6"))], Fraction("0.9"), id="a refund weighs"
        ),
    ],
)
def test_weighted_quality(deals: list[tuple[Decimal | None, Decimal]], expected: Fraction | None) -> None:
    assert weighted_mean(deals) == expected


PEER_PLAN = {"a": {"metric": "bookings", "weight": 1, "normaliser": "percentile"}}


def test_a_percentile_is_taken_among_the_stored_peers() -> None:
    values = {f"crm:p{n}": str(n) for n in range(9)}
    peers = {"2025-Q1": {"values": {"bookings": values}, "priors": {}}}

    one = lin_score(plan_of(PEER_PLAN), rows_of(bookings=8), peers=peers)

    assert one.score == 90  # 8 below, 2 alike, of 10
    assert one.components[0].text("en") == "bookings 90.00 x 1"


def test_too_few_peers_are_said_and_not_counted() -> None:
    one = lin_score(plan_of(PEER_PLAN), rows_of(bookings=8))

    assert (one.status, one.components[0].text("en")) == ("not_rated", "bookings not counted: fewer than 8 peers")


def test_peers_that_had_to_be_widened_are_named() -> None:
    values = {f"crm:p{n}": str(n) for n in range(9)}
    places = {person: {"role": "AE", "region": "EU", "tenure": None} for person in values}
    places["crm:lin"] = {"role": "AE", "region": "US", "tenure": None}
    peers = {"2025-Q1": {"values": {"bookings": values}, "priors": {}}}
    plan = plan_of({"a": {"metric": "bookings", "weight": 1, "normaliser": "zscore"}})
    fifteen = {**peers["2025-Q1"]["values"]["bookings"], **{f"crm:q{n}": "4" for n in range(6)}}
    peers["2025-Q1"]["values"]["bookings"] = fifteen

    one = lin_score(plan, rows_of(bookings=4), peers=peers, places=places)

    assert one.components[0].text("en") == "bookings 50.00 x 1 (peers widened to everybody)"
    assert one.components[0].text("zh-CN") == "签约额 50.00 x 1（同类范围放宽到全体）"


def test_an_attainment_of_a_small_sample_is_a_small_sample() -> None:
    plan = plan_of({"a": {"metric": "win_rate", "weight": 1}})

    one = lin_score(plan, rows_of(**{"attainment:win_rate": "1.1", "win_rate": ("0.5", 6, "low_sample")}))

    assert one.components[0].text("en") == "win rate not counted: 6 of 10 needed"


def test_a_piecewise_component_follows_its_points() -> None:
    points = {"points": [[0, 0], [10, 80], [20, 100]]}

    one = lin_score(
        plan_of({"a": {"metric": "csat", "weight": 1, "normaliser": {"piecewise": points}}}), rows_of(csat=15)
    )

    assert one.shown == Decimal("90.00")


def test_many_components_are_cut_between_two() -> None:
    parts = {f"c{n}": {**ONE["a"], "metric": "sales_cycle_median", "weight": "0.1"} for n in range(10)}

    text = lin_score(plan_of(parts), rows_of(sales_cycle_median=50)).reasons_text()

    assert text == "; ".join(["sales cycle median 50.00 x 0.1"] * 8)  # 254 characters


def test_a_component_reads_the_attainment_of_its_metric() -> None:
    plan = plan_of({"a": {"metric": "won_count", "weight": "0.5"}, "b": {"metric": "attainment", "weight": "0.5"}})

    assert plan.scorecard is not None
    assert [row_of(part) for part in plan.scorecard.components] == ["attainment:won_count", "attainment"]
    assert "attainment:won_count" in metrics_of(plan, MetricSettings())


def test_from_facts_to_a_band(lin: Book) -> None:
    plan = plan_of(
        {
            "results": {"metric": "attainment", "weight": "0.7"},
            "wins": {"metric": "win_rate", "weight": "0.3", "normaliser": {"minmax": {"lo": 0, "hi": 1}}},
        },
        settings={"win_rate.min_sample": 5},
    )
    facts = lin.facts()
    settings = MetricSettings.of(plan.settings)
    rows = measure(
        metrics_of(plan, settings), facts, [parse_period("2025-Q1")], settings=settings, targets=Targets(facts)
    )

    one = appraise(plan, ["crm:lin"], rows, {"crm:lin": SURE}, {}, "2025-Q1")[0]

    assert (one.score, one.band) == (Decimal("57.000000000000"), "D")  # 60 x 0.7 + 50 x 0.3


# What holds for any scorecard (domain guide, 13.5, 13.9)

VALUES = st.lists(st.none() | st.decimals(0, 150, places=2), min_size=4, max_size=4)


@settings(deadline=None, max_examples=20)
@given(values=VALUES)
def test_weights_sum_to_one_and_a_score_lies_between_its_parts(values: list[Decimal | None]) -> None:
    names = ("bookings", "won_count", "lost_count", "csat")

    one = lin_score(plan_of(MISSING, minimum_weight=0), rows_of(**dict(zip(names, values, strict=True))))

    parts = [part.normalised for part in one.components if part.normalised is not None]
    if parts:
        assert one.exact is not None
        assert sum(part.effective_weight for part in one.components) == 1
        assert min(parts) <= one.exact <= max(parts)
        assert all(0 <= part <= 100 for part in parts)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_and_people_changes_nothing(seed: int) -> None:
    rows = pl.concat([lin_rows(), lin_rows(csat=70).with_columns(pl.lit("crm:bo").alias("key"))])
    people = ["crm:lin", "crm:bo"]
    quality = {"crm:lin": SURE, "crm:bo": DataQuality(Fraction("0.7"), 8)}
    places = list(range(rows.height))
    Random(seed).shuffle(places)

    shuffled = appraise(plan_of(), people[::-1], rows[places], quality, {}, "2025-Q1")

    usual = appraise(plan_of(), people, rows, quality, {}, "2025-Q1")
    assert json.dumps([one.payload() for one in shuffled]) == json.dumps([one.payload() for one in usual])


def test_a_payload_says_everything_in_json_without_floats() -> None:
    text = json.dumps(lin_score(plan_of()).payload(), ensure_ascii=False)

    told = json.loads(text, parse_float=lambda number: pytest.fail(f"a float: {number}"))
    assert (told["score"], told["shown"], told["band"], told["confidence"]) == ("67.864583", "67.86", "C", "0.768")
