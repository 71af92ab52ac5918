"""Draws that come out alike on every machine and in every Python.

Only ``Random.random()`` has a sequence that Python promises to keep, and the C library's ``exp`` and ``log`` differ in
the last bit between systems. So everything here is built from ``random()`` and plain arithmetic.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

_ROOT_3 = 1.7320508075688772
_LN_2 = 0.6931471805599453


def exp(x: float) -> float:
    """e to the power of x, by halving the argument to within ln 2 and a series of fixed length; x within about +-40."""
    shift = int(x / _LN_2)
    rest = x - shift * _LN_2
    total = term = 1.0
    for n in range(1, 16):
        term *= rest / n
        total += term
    scale = float(1 << abs(shift))
    return total * scale if shift >= 0 else total / scale


def logistic(x: float) -> float:
    """The chance whose log-odds are x."""
    return 1.0 / (1.0 + exp(-x))


class Chance:
    """A stream of draws for one purpose: more surveys must not change the deals."""

    def __init__(self, seed: int, purpose: str) -> None:
        self.random = Random(f"{seed}:{purpose}").random

    def happens(self, probability: float) -> bool:
        """Whether something of this probability comes true."""
        return self.random() < probability

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + self.random() * (high - low)

    def normal(self) -> float:
        """About a standard normal: four uniforms added up, so never beyond +-3.47.

        The bound is wanted: an amount further out than that was planted.
        """
        draw = self.random
        return (draw() + draw() + draw() + draw() - 2.0) * _ROOT_3

    def lognormal(self, median: float, sigma: float) -> float:
        """A positive number, skewed to the right."""
        return median * exp(sigma * self.normal())

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely."""
        return items[int(self.random() * len(items))]

    def weighted(self, items: Sequence[T], cumulative: Sequence[float]) -> T:
        """One of the items by cumulative weights (the last is their sum)."""
        point = self.random() * cumulative[-1]
        low, high = 0, len(cumulative) - 1
        while low < high:
            middle = (low + high) // 2
            if cumulative[middle] > point:
                high = middle
            else:
                low = middle + 1
        return items[low]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in another order (Fisher and Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = int(self.random() * (last + 1))
            order[last], order[other] = order[other], order[last]
        return order


def cumulated(weights: Sequence[float]) -> list[float]:
    """Running sums, as ``Chance.weighted`` wants them."""
    sums: list[float] = []
    total = 0.0
    for weight in weights:
        total += weight
        sums.append(total)
    return sums
