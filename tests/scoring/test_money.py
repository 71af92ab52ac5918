"""Money is exact until somebody is paid or reads it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.money import RateBook, allocate, divided, minor_unit, plain, rate_frame, round_money, stored
from tests.scoring.conftest import Book

D = Decimal
MONEY = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.0000005", "0"),
        ("0.0000015", "0.000002"),
        ("1E+3", "1000"),
        ("-0.0000001", "0"),
        ("50.0000", "50"),
        ("0.48648648648648", "0.486486"),
    ],
)
def test_a_shown_number_is_plain(value: str, text: str) -> None:
    assert plain(D(value)) == text


def test_a_stored_number_never_rounds_twice() -> None:
    just_over_half = D("0.0000005000000000004")

    assert plain(stored(just_over_half)) == "0.000001"


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("895.061075", "USD", "895.06"),
        ("0.825", "USD", "0.82"),
        ("61727.5", "JPY", "61728"),
        ("1.0005", "KWD", "1.000"),
    ],
)
def test_a_posted_line_is_rounded_half_even_to_its_minor_unit(amount: str, currency: str, rounded: str) -> None:
    assert round_money(D(amount), currency) == D(rounded)


def test_the_guides_split_comes_out_to_the_cent() -> None:
    parts = allocate(D("7777.77"), [D("0.5"), D("0.3"), D("0.2")], "USD")

    assert parts == [D("3888.89"), D("2333.33"), D("1555.55")]


def test_a_tie_goes_to_the_earlier_share() -> None:
    assert allocate(D("0.01"), [D("0.5"), D("0.5")], "USD") == [D("0.01"), D(0)]


def test_dust_of_a_conversion_goes_to_the_first_share() -> None:
    assert allocate(D("10.004"), [D("0.5"), D("0.5")], "USD") == [D("5.004"), D("5.00")]


def test_nobody_gets_nothing() -> None:
    assert allocate(D(5), [], "USD") == []


@given(MONEY, st.lists(st.integers(1, 50), min_size=1, max_size=6), st.sampled_from(["USD", "JPY", "KWD"]))
def test_shares_always_add_up_to_the_amount(amount: Decimal, weights: list[int], currency: str) -> None:
    parts = [D(weight) / sum(weights) for weight in weights]
    shares = [*parts[:-1], 1 - sum(parts[:-1], D(0))]

    allocated = allocate(amount, shares, currency)

    assert sum(allocated) == amount
    assert all(part % minor_unit(currency) == 0 for part in allocated[1:])


def test_the_newest_rate_of_the_last_seven_days_holds(book: Book) -> None:
    book.add("rate", currency="EUR", to="USD", rate="1.1", on="2025-01-01")
    book.add("rate", currency="EUR", to="USD", rate="1.2", on="2025-01-05")

    rates = RateBook.of(book.table("rate"))

    assert rates.rate("EUR", "USD", date(2025, 1, 4)) == D("1.1")
    assert rates.rate("EUR", "USD", date(2025, 1, 12)) == D("1.2")
    assert rates.rate("EUR", "USD", date(2025, 1, 13)) is None
    assert rates.rate("EUR", "USD", date(2024, 12, 31)) is None


def test_a_rate_with_a_last_day_holds_that_long_and_no_longer(book: Book) -> None:
    book.add("rate", currency="EUR", to="USD", rate="1.1", on="2025-01-01", until="2025-02-28")

    rates = RateBook.of(book.table("rate"))

    assert rates.rate("EUR", "USD", date(2025, 2, 28)) == D("1.1")
    assert rates.rate("EUR", "USD", date(2025, 3, 1)) is None
    assert rates.rate("EUR", "USD", date(2024, 12, 31)) is None


def test_a_rate_without_end_holds_until_the_next_one(book: Book) -> None:
    book.add("rate", currency="EUR", to="USD", rate="1.1", on="1970-01-01", until="9999-12-31")
    book.add("rate", currency="EUR", to="USD", rate="1.2", on="2025-03-01", until="9999-12-31")

    rates = RateBook.of(book.table("rate"))

    assert rates.rate("USD", "EUR", date(2025, 2, 28)) == divided(D(1), D("1.1"))
    assert rates.rate("EUR", "USD", date(2025, 3, 1)) == D("1.2")
    assert rates.rate("EUR", "USD", date(2035, 3, 1)) == D("1.2")


def test_a_newer_quotation_ends_the_rate_before_it_for_good(book: Book) -> None:
    book.add("rate", currency="EUR", to="USD", rate="1.1", on="2025-01-01", until="9999-12-31")
    book.add("rate", currency="EUR", to="USD", rate="1.2", on="2025-03-01")

    rates = RateBook.of(book.table("rate"))

    assert rates.rate("EUR", "USD", date(2025, 3, 8)) == D("1.2")
    assert rates.rate("EUR", "USD", date(2025, 3, 9)) is None


def test_an_imported_rate_beats_the_crms(book: Book) -> None:
    book.add("rate", connection="acme", currency="EUR", to="USD", rate="1.1", on="2025-01-05")
    book.add("rate", connection="import", currency="EUR", to="USD", rate="1.2", on="2025-01-01")

    assert RateBook.of(book.table("rate")).rate("EUR", "USD", date(2025, 1, 5)) == D("1.2")


@pytest.mark.parametrize(
    ("currency", "to", "rate"),
    [
        pytest.param("USD", "USD", "1", id="itself"),
        pytest.param("USD", "EUR", "0.8", id="inverse"),
        pytest.param("JPY", "USD", "0.0075", id="through a third"),
        pytest.param("JPY", "CHF", None, id="no way"),
    ],
)
def test_a_rate_is_found_any_way_round(book: Book, currency: str, to: str, rate: str | None) -> None:
    book.add("rate", currency="EUR", to="USD", rate="1.25", on="2025-01-01")
    book.add("rate", currency="JPY", to="EUR", rate="0.006", on="2025-01-01")
    book.add("rate", currency="JPY", to="CHF", rate="0", on="2025-01-01")
    book.add("rate", currency="JPY", to="CHF", rate="7", on="2025-01-01", deleted=True)

    found = RateBook.of(book.table("rate")).rate(currency, to, date(2025, 1, 1))

    assert found == (None if rate is None else D(rate))


def test_a_frame_of_rates_says_where_there_is_none(book: Book) -> None:
    book.add("rate", currency="EUR", to="USD", rate="1.25", on="2025-01-01")
    day = date(2025, 1, 1)

    frame = rate_frame(RateBook.of(book.table("rate")), [("EUR", day), ("EUR", day + timedelta(days=8))], "USD")

    assert frame["rate"].to_list() == [D("1.25"), None]


def test_a_rate_that_no_amount_could_bear_is_none(book: Book) -> None:
    book.add("rate", currency="USD", to="EUR", rate="999999999999999999", on="2025-01-01")

    rates = rate_frame(RateBook.of(book.table("rate")), [("USD", date(2025, 1, 1))], "EUR")

    assert rates["rate"].to_list() == [None]
