"""Collaborative Forecasts: one roll-up becomes what the person says and what the manager makes of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.salesforce.forecasts import category, said

MakeOrg = Callable[..., Any]

QUARTER = {"owner_id": "1", "period_start": "2026-01-01", "period_end": "2026-03-31", "currency": "EUR"}
CALLS = [
    {**QUARTER, "id": "f1", "layer": "rep", "category": "commit", "amount": "50000", "at": "2026-01-05T10:00:00Z"},
    {**QUARTER, "id": "f2", "layer": "rep", "category": "commit", "amount": "60000.5", "at": "2026-02-05T10:00:00Z"},
    {**QUARTER, "id": "f3", "layer": "manager", "category": "commit", "amount": "45000", "at": "2026-02-06T18:00:00Z"},
    {**QUARTER, "id": "f4", "layer": "rep", "category": "best case", "amount": "90000", "at": "2026-02-05T10:00:00Z"},
]
ITEM = {
    "Id": "0G3", "OwnerOnlyAmount": 100, "AmountWithoutAdjustments": 100, "AmountWithoutManagerAdjustment": 120,
    "ForecastAmount": 90, "HasAdjustment": True,
}  # fmt: skip


@pytest.fixture
def forecasting(make_org: MakeOrg, world: Any) -> Any:
    """An organisation whose people have said what they expect."""
    return make_org({**world, "forecasts": CALLS})


def test_what_was_said_last_arrives_by_layer_and_category(forecasting: Any) -> None:
    found = forecasting.read(forecasting.connect(), "forecasting_item").values()

    assert {(one.layer, one.category, one.amount) for one in found} == {
        ("rep", "commit", Decimal("60000.5")),
        ("manager", "commit", Decimal(45000)),
        ("rep", "best case", Decimal(90000)),
    }
    assert {(one.owner_id, one.period_start, one.period_end, one.currency) for one in found} == {
        (forecasting.id("people", "1"), date(2026, 1, 1), date(2026, 3, 31), "EUR")
    }
    assert {one.at for one in found if one.category == "commit"} == {datetime(2026, 2, 6, 18, tzinfo=UTC)}


def test_forecasts_are_one_call_with_the_metadata(forecasting: Any) -> None:
    connector = forecasting.connect()
    connector.now()
    forecasting.read(connector, "target")

    calls = forecasting.calls(lambda: forecasting.pages(connector, "forecasting_item"))

    assert calls == {"GET /services/data/{version}/query": 1}
    assert forecasting.streams["forecasting_item"].schedule == "metadata"


def test_an_organisation_without_forecasts_has_none(make_org: MakeOrg) -> None:
    org = make_org(off=["ForecastingItem"])

    assert org.pages(org.connect(), "forecasting_item") == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, [("rep", 120), ("manager", 90)], id="the person's own word, and the manager's"),
        pytest.param({"HasAdjustment": False}, [("rep", 120)], id="no manager spoke"),
        pytest.param(
            {"AmountWithoutAdjustments": 500, "AmountWithoutManagerAdjustment": 510, "ForecastAmount": 480},
            [("rep", 100), ("manager", 480)],
            id="of a team: own deals, and the whole",
        ),
        pytest.param(
            {"AmountWithoutAdjustments": 500, "HasAdjustment": False},
            [("rep", 100), ("manager", 90)],
            id="unadjusted team",
        ),
    ],
)
def test_whose_word_an_amount_is(changed: dict[str, Any], expected: list[tuple[str, int]]) -> None:
    rows = list(said([{**ITEM, **changed}]))

    assert [(row["@layer"], row["@amount"]) for row in rows] == expected
    assert [row["Id"] for row in rows] == [f"0G3:{layer}" for layer, _ in expected]


def test_cumulative_and_single_roll_ups_are_told_apart() -> None:
    assert category("CommitForecast") == "commit"
    assert category("CommitOnly") == "commit only"
    assert category("Upside") == "Upside"


def test_only_the_forecast_type_that_counts_is_read(forecasting: Any) -> None:
    other = "0Db000000000099AAA"

    assert forecasting.pages(forecasting.connect(forecasting_type=other), "forecasting_item") == []


def test_a_roll_up_of_one_product_family_is_no_forecast_of_the_whole(forecasting: Any) -> None:
    items = forecasting.emulator.org.tables["ForecastingItem"]
    for row in list(items.rows.values()):
        items.put(type(row)({**row, "ProductFamily": "Pumps"}))

    assert forecasting.pages(forecasting.connect(), "forecasting_item") == []
