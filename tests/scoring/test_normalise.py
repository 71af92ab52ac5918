"""Metrics on one scale: the figures of the domain guide, 3.2, and what holds for any value."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.normalise import attained, median, minmax, peer_group, percentile, piecewise, zscore
from scoring.plan import AttainmentOptions, MinMaxOptions, PeerOptions, PiecewiseOptions

PEERS = [Fraction(value) for value in (42, 55, 55, 60, 61, 70, 75, 88, 90, 97)]
NUMBERS = st.fractions(min_value=-1000, max_value=1000)
BOUNDS = st.decimals(-1000, 1000, places=3)
UNHURRIED = settings(deadline=None, max_examples=50)


def test_response_time_of_18_hours_between_45_and_5_is_67_50() -> None:
    options = MinMaxOptions(lo=Decimal(45), hi=Decimal(5))

    assert minmax(Fraction(18), options) == Fraction("67.5")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(55, "20", id="ties count half"),
        pytest.param(70, "55", id="in the middle"),
        pytest.param(97, "95", id="the best"),
        pytest.param(42, "5", id="the worst"),
    ],
)
def test_percentile_among_ten_peers(value: int, expected: str) -> None:
    assert percentile(Fraction(value), PEERS) == Fraction(expected)


def test_a_z_of_one_and_a_half_is_65() -> None:
    peers = [Fraction(52), Fraction(68)]  # mean 60, standard deviation 8

    assert zscore(Fraction(72), peers) == 65


def test_z_is_50_where_nobody_differs() -> None:
    assert zscore(Fraction(3), [Fraction(3)] * 15) == 50


def test_z_ends_at_three_deviations() -> None:
    assert zscore(Fraction(1000), [Fraction(52), Fraction(68)]) == 80
    assert zscore(Fraction(-1000), [Fraction(52), Fraction(68)]) == 20


def test_a_robust_z_ignores_one_far_value() -> None:
    peers = [Fraction(value) for value in (58, 59, 60, 61, 1_000_000)]  # median 60, MAD 1

    assert zscore(Fraction("61.4826"), peers, robust=True) == 60


@pytest.mark.parametrize(
    ("value", "target", "cap", "expected"),
    [
        pytest.param("0.6", None, "1.2", "60", id="a share of the target already"),
        pytest.param("0.5", "0.4", "1.2", "120", id="capped"),
        pytest.param("0.5", "0.4", "1.0", "100", id="another cap"),
        pytest.param("-5", None, "1.2", "0", id="never below nothing"),
    ],
)
def test_attainment(value: str, target: str | None, cap: str, expected: str) -> None:
    options = AttainmentOptions(target=None if target is None else Decimal(target))

    assert attained(Fraction(value), options, Decimal(cap)) == Fraction(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-5, 0), (0, 0), (5, 25), (10, 50), (15, 75), (20, 100), (99, 100)],
)
def test_piecewise_is_linear_between_its_points_and_level_outside(value: int, expected: int) -> None:
    points = [(Decimal(0), Decimal(0)), (Decimal(10), Decimal(50)), (Decimal(20), Decimal(100))]

    assert piecewise(Fraction(value), PiecewiseOptions(points=points)) == expected


def test_the_median_of_an_even_number_is_halfway() -> None:
    assert median([Fraction(4), Fraction(1), Fraction(2), Fraction(3)]) == Fraction("2.5")


PLACES = {f"p{n}": {"role": "AE", "region": "EU" if n < 5 else "US", "tenure": None} for n in range(8)}
VALUES = {person: Fraction(number) for number, person in enumerate(PLACES)}


def test_peers_are_like_for_like_where_there_are_enough() -> None:
    peers = peer_group("p0", Fraction(0), VALUES, PLACES, PeerOptions(), 5)

    assert peers is not None
    assert (peers.values, peers.alike_in, peers.widened) == (
        tuple(Fraction(number) for number in range(5)), ("role", "region", "tenure"), False,
    )  # fmt: skip


def test_peers_widen_from_the_right_until_there_are_enough() -> None:
    peers = peer_group("p0", Fraction(0), VALUES, PLACES, PeerOptions(), 8)

    assert peers is not None
    assert (len(peers.values), peers.alike_in, peers.widened) == (8, ("role",), True)


def test_the_widest_group_is_everybody() -> None:
    places = {**PLACES, "p7": {"role": "SE", "region": "US", "tenure": None}}

    peers = peer_group("p0", Fraction(0), VALUES, places, PeerOptions(), 8)

    assert peers is not None
    assert (len(peers.values), peers.alike_in) == (8, ())


def test_too_few_peers_even_among_everybody_are_none() -> None:
    assert peer_group("p0", Fraction(0), VALUES, PLACES, PeerOptions(), 9) is None


def test_ones_own_value_counts_as_it_is_now_not_as_it_was_in_the_morning() -> None:
    peers = peer_group("p0", Fraction(99), VALUES, PLACES, PeerOptions(peers=("role",)), 8)

    assert peers is not None
    assert peers.values == tuple(Fraction(number) for number in (1, 2, 3, 4, 5, 6, 7, 99))


@UNHURRIED
@given(value=NUMBERS, lo=BOUNDS, hi=BOUNDS, peers=st.lists(NUMBERS, min_size=2, max_size=20))
def test_every_normalised_value_is_within_its_bounds(
    value: Fraction, lo: Decimal, hi: Decimal, peers: list[Fraction]
) -> None:
    group = [*peers, value]

    assert 0 < percentile(value, group) < 100
    assert 20 <= zscore(value, group) <= 80
    assert 20 <= zscore(value, group, robust=True) <= 80
    if lo != hi:
        assert 0 <= minmax(value, MinMaxOptions(lo=lo, hi=hi)) <= 100


@UNHURRIED
@given(values=st.lists(NUMBERS, min_size=1, max_size=20))
def test_percentiles_of_a_group_average_50(values: list[Fraction]) -> None:
    assert sum(percentile(value, values) for value in values) == 50 * len(values)
