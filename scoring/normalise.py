"""The five ways to bring a metric to a scale of 0..100 (domain guide 3.2).

Computed in whole fractions, exact at every step, so that a score of exactly 80 is never 79.999... and in the wrong band.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from scoring.money import EXACT
from scoring.plan import AttainmentOptions, MinMaxOptions, PeerOptions, PiecewiseOptions

Person = str
Place = Mapping[str, str | None]
"""A person's role, region and tenure band."""

LEAST_PEERS = {"percentile": 8, "zscore": 15}
_ROBUST = Fraction("1.4826")  # makes the MAD of a normal distribution its standard deviation
_FARTHEST = 3


def attainment(value: Fraction, target: Fraction, cap: Fraction) -> Fraction:
    """100 x clamp(value / target, 0, cap). The target is not 0."""
    return 100 * min(max(value / target, Fraction(0)), cap)


def attained(value: Fraction, options: AttainmentOptions, cap: Decimal) -> Fraction:
    """Attainment against the plan's fixed target; without one the value already is a share of its target."""
    target = Fraction(1) if options.target is None else Fraction(options.target)
    return attainment(value, target, Fraction(cap))


def piecewise(value: Fraction, options: PiecewiseOptions) -> Fraction:
    """Linear between the points, level before the first and behind the last."""
    points = [(Fraction(x), Fraction(y)) for x, y in options.points]
    place = bisect_right([x for x, _ in points], value)
    if place == 0:
        return points[0][1]
    if place == len(points):
        return points[-1][1]
    (left, low), (right, high) = points[place - 1], points[place]
    return low + (high - low) * (value - left) / (right - left)


def minmax(value: Fraction, options: MinMaxOptions) -> Fraction:
    """100 x clamp((value - lo) / (hi - lo), 0, 1); lo above hi where lower is better."""
    low, high = Fraction(options.lo), Fraction(options.hi)
    return 100 * min(max((value - low) / (high - low), Fraction(0)), Fraction(1))


def percentile(value: Fraction, peers: Sequence[Fraction]) -> Fraction:
    """100 x (below + ties / 2) / n, where the peers include the value itself."""
    below = sum(peer < value for peer in peers)
    ties = sum(peer == value for peer in peers)
    return 100 * (below + Fraction(ties, 2)) / len(peers)


def zscore(value: Fraction, peers: Sequence[Fraction], *, robust: bool = False) -> Fraction:
    """50 + 10 z, z clamped to -3..3; 50 where the peers do not differ.

    The spread is the standard deviation of the whole group (the peers include the value itself), or with ``robust``
    1.4826 x the median absolute deviation from the median.
    """
    centre = median(peers) if robust else sum(peers, Fraction(0)) / len(peers)
    spread = _ROBUST * median([abs(peer - centre) for peer in peers]) if robust else _deviation(peers, centre)
    if spread == 0:
        return Fraction(50)
    return 50 + 10 * min(max((value - centre) / spread, Fraction(-_FARTHEST)), Fraction(_FARTHEST))


def median(values: Sequence[Fraction]) -> Fraction:
    """The middle, or halfway between the two middle ones. Not of nothing."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _deviation(values: Sequence[Fraction], mean: Fraction) -> Fraction:
    """Standard deviation of the whole group, to 60 digits."""
    variance = sum(((value - mean) ** 2 for value in values), Fraction(0)) / len(values)
    return Fraction(EXACT.sqrt(EXACT.divide(Decimal(variance.numerator), Decimal(variance.denominator))))


@dataclass(frozen=True, slots=True)
class Peers:
    """The values a person is compared with, the person's own among them, and what they have in common."""

    values: tuple[Fraction, ...]
    alike_in: tuple[str, ...]
    widened: bool


def peer_group(
    person: Person,
    value: Fraction,
    values: Mapping[Person, Fraction],
    places: Mapping[Person, Place],
    options: PeerOptions,
    minimum: int,
) -> Peers | None:
    """The person's peers: like-for-like, widened by the last dimension first until there are ``minimum``; None if never.

    The person's own value counts as it is now, whatever the day's stored figures say.
    """
    others = {**values, person: value}
    for length in range(len(options.peers), -1, -1):
        alike_in = options.peers[:length]
        group = _alike(person, others, places, alike_in)
        if len(group) >= minimum:
            return Peers(tuple(sorted(group)), alike_in, widened=length < len(options.peers))
    return None


def _alike(
    person: Person, values: Mapping[Person, Fraction], places: Mapping[Person, Place], names: Collection[str]
) -> list[Fraction]:
    own = places.get(person, {})
    return [
        value
        for other, value in values.items()
        if all(places.get(other, {}).get(name) == own.get(name) for name in names)
    ]
