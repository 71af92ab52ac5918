"""Numbers, dates and times as the settings say."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.errors import MappingError
from tests.connectors.csv_folder.conftest import Connect, deals


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.234,50", "1234.5"),
        ("1234,5", "1234.5"),
        ("1.500", "1500"),
        ("-12.345.678,9", "-12345678.9"),
        ("1\u00a0234,50", "1234.5"),
    ],
)
def test_a_decimal_comma_where_the_settings_say_so(tmp_path: Path, connect: Connect, cell: str, amount: str) -> None:
    (tmp_path / "opportunities.csv").write_text(f"id;amount\n1;{cell}\n", encoding="utf-8")

    assert deals(connect(decimal=","))[0].amount == Decimal(amount)


@pytest.mark.parametrize(("cell", "amount"), [("1,234.50", "1234.5"), ("1,234,567", "1234567"), ("60%", "0.6")])
def test_groups_that_can_only_be_groups_are_read(tmp_path: Path, connect: Connect, cell: str, amount: str) -> None:
    (tmp_path / "opportunities.csv").write_text(f"id;amount\n1;{cell}\n", encoding="utf-8")

    assert deals(connect())[0].amount == Decimal(amount)


@pytest.mark.parametrize(("decimal", "cell"), [(".", "1,500"), (",", "1.5"), (".", "12 apples")])
def test_a_number_that_could_mean_two_things_is_not_guessed(
    tmp_path: Path, connect: Connect, decimal: str, cell: str
) -> None:
    (tmp_path / "opportunities.csv").write_text(f"id;amount\n1;{cell}\n", encoding="utf-8")

    with pytest.raises(MappingError, match=r"opportunities\.csv row 2: amount \(from amount\)"):
        deals(connect(decimal=decimal))


def test_dates_in_the_firms_own_form(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text(
        "id,close_on,created_at\n1,05.12.2026,06.12.2026\n2,2026-12-05,2026-12-06\n", encoding="utf-8"
    )

    first, second = deals(connect(date_format="%d.%m.%Y", time_zone="Europe/Berlin"))

    assert first.close_on == second.close_on == date(2026, 12, 5)
    assert first.created_at == second.created_at == datetime(2026, 12, 6, 11, tzinfo=UTC), "noon in Berlin"


def test_times_that_name_no_zone_are_in_the_settings_zone(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text(
        "id,created_at\n1,2026-07-01 10:00\n2,2026-07-01T10:00:00+00:00\n", encoding="utf-8"
    )

    first, second = deals(connect(time_zone="Asia/Shanghai"))

    assert first.created_at == datetime(2026, 7, 1, 2, tzinfo=UTC)
    assert second.created_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_one_column_may_feed_a_date_and_a_moment(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "opportunities.csv").write_text("id,done\n1,2026-12-31\n", encoding="utf-8")
    fields = {"opportunity": {"close_on": "done", "closed_at": "done"}}

    (found,) = deals(connect(fields=fields, time_zone="Pacific/Auckland"))

    assert found.close_on == date(2026, 12, 31)
    assert found.closed_at == datetime(2026, 12, 30, 23, tzinfo=UTC)
