"""Single values of Fxiaoke in our types."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.fxiaoke import values

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPTIONS = {"a1": "制造业"}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", "100.01", Decimal("100.01")),
        ("currency", 5, Decimal(5)),
        ("currency", "many", "many"),
        ("percentile", "60", Decimal("0.6")),
        ("date", 1772294400000, date(2026, 3, 1)),
        ("date", "1772294400000", date(2026, 3, 1)),
        ("date", "2026-03-01", "2026-03-01"),
        ("date_time", 1772294400000, datetime(2026, 2, 28, 16, tzinfo=UTC)),
        ("date_time", 10**18, 10**18),
        ("employee", ["FSUID_1"], "FSUID_1"),
        ("employee", ["FSUID_1", "FSUID_2"], ["FSUID_1", "FSUID_2"]),
        ("employee", [], None),
        ("employee_many", ["FSUID_1"], "FSUID_1"),
        ("department_many", ["1001", "1002"], ["1001", "1002"]),
        ("select_one", "a1", "制造业"),
        ("select_one", "zz", "zz"),
        ("select_many", ["a1", "zz"], ["制造业", "zz"]),
        ("select_one", {"value": "a1"}, {"value": "a1"}),
        ("text", "x", "x"),
        ("text", None, None),
    ],
)
def test_a_value_is_read_by_the_type_of_its_field(kind: str, value: Any, expected: Any) -> None:
    assert values.read(value, kind, OPTIONS, SHANGHAI) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("60", Decimal("0.6")), (100, Decimal(1)), ("0.6", Decimal("0.6")), (1, Decimal(1)), ("-5", Decimal("-0.05")),
        ("much", "much"), (None, None), (True, True),
    ],
)  # fmt: skip
def test_a_share_above_1_is_a_percentage(value: Any, expected: Any) -> None:
    assert values.share(value) == expected


def test_a_share_that_is_no_number_is_left_to_the_record() -> None:
    assert values.share("NaN").is_nan()


@pytest.mark.parametrize(("value", "expected"), [("CNY", "CNY"), ("opt9", "USD"), ("opt8", "opt8"), (None, None)])
def test_a_currency_is_its_iso_code(value: Any, expected: Any) -> None:
    assert values.currency(value, {"opt9": "USD - US Dollar", "opt8": "人民币"}) == expected


def test_a_day_goes_out_as_it_came_in() -> None:
    assert values.day(values.midnight_ms(date(2026, 3, 1), SHANGHAI), SHANGHAI) == date(2026, 3, 1)
