"""Service protection limits: requests, execution time and concurrency in a sliding window (vendor page 6.1)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.sandbox.dynamics.errors import Refusal

WINDOW_SECONDS = 300
REQUESTS = 6000
EXECUTION_SECONDS = 1200
CONCURRENT = 52

MESSAGES = {
    "0x80072322": f"Number of requests exceeded the limit of {REQUESTS} over time window of {WINDOW_SECONDS} seconds.",
    "0x80072321": (
        "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 "
        "seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later."
    ),
    "0x80072326": f"Number of concurrent requests exceeded the limit of {CONCURRENT}.",
}


def too_many(code: str, after: int | None) -> Refusal:
    """429 with the code of a limit."""
    return Refusal(429, code, MESSAGES[code], {} if after is None else {"Retry-After": str(after)})


@dataclass(slots=True)
class Limits:
    """The sliding window of one user on one web server. ``strict`` off: counted and shown, never refused."""

    strict: bool
    rate: float | None
    clock: Callable[[], float]
    calls: deque[float] = field(default_factory=deque)
    spent: deque[tuple[float, float]] = field(default_factory=deque)
    refused: int = 0

    @property
    def permitted(self) -> float | None:
        """Calls per second that are let through for long; None: all."""
        return self.rate or (REQUESTS / WINDOW_SECONDS if self.strict else None)

    def take(self) -> Refusal | None:
        """Counts a call, or refuses it."""
        now = self.clock()
        while self.calls and self.calls[0] <= now - WINDOW_SECONDS:
            self.calls.popleft()
        while self.spent and self.spent[0][0] <= now - WINDOW_SECONDS:
            self.spent.popleft()
        if self.rate is not None and self._in_last_second(now) >= self.rate:
            return too_many("0x80072322", 1)
        if self.strict and (len(self.calls) >= REQUESTS or self.seconds >= EXECUTION_SECONDS):
            self.refused += 1  # the wait grows while a client keeps hammering
            oldest = self.calls[0] if len(self.calls) >= REQUESTS else self.spent[0][0]
            wait = max(1, round(oldest + WINDOW_SECONDS - now)) + min(self.refused, 60) - 1
            return too_many("0x80072322" if len(self.calls) >= REQUESTS else "0x80072321", wait)
        self.refused = 0
        self.calls.append(now)
        return None

    def _in_last_second(self, now: float) -> int:
        found = 0
        for moment in reversed(self.calls):
            if moment <= now - 1.0:
                break
            found += 1
        return found

    @property
    def seconds(self) -> float:
        """Execution time in the window."""
        return sum(cost for _, cost in self.spent)

    def charge(self, seconds: float) -> None:
        """Adds the execution time of a call."""
        self.spent.append((self.clock(), seconds))

    def headers(self) -> dict[str, str]:
        """What every answer tells (for debugging, the vendor says)."""
        left = max(0, REQUESTS - len(self.calls))
        spare = max(0.0, EXECUTION_SECONDS - self.seconds) if self.strict else float(EXECUTION_SECONDS)
        return {
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(left if self.strict else REQUESTS - 1),
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{spare:,.2f}",
        }
