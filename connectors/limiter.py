"""The short limits and the day share of one sign-in, kept by waiting before a call is sent."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from connectors.errors import AllowanceError
from connectors.settings import Allowance

Bucket = str
"""A CRM's name for one of its rate limits: "general", or for HubSpot also "search"."""

GENERAL: Bucket = "general"
"""The limit that every call counts in, whatever narrower one it has besides."""

HEADROOM = 0.9
"""How much of a limit that a header names we use: other programs sign in with the same key, and clocks differ."""

PROBE_SECONDS = 900.0
"""How long the door stays shut after the CRM said that its day is spent: some days roll, so one call asks again."""

DAY_RESERVE = 0.95
"""Beyond this part of the whole account's day we leave the rest to people, whatever is left of our own share."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer's headers say about limits. None: the answer did not say.

    ``day_used``/``day_max``: calls of the whole account today. ``bucket_max`` per ``bucket_seconds``: the short limit.
    """

    day_used: int | None = None
    day_max: int | None = None
    bucket_max: int | None = None
    bucket_remaining: int | None = None
    bucket_seconds: float | None = None


@dataclass(slots=True)
class _Window:
    """At most ``calls`` sends within any ``seconds``; ``factor`` shrinks when the CRM complains, then recovers."""

    calls: int
    seconds: float
    factor: float = 1.0
    sent: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    held_until: float = 0.0

    def turn(self, now: float) -> float:
        """The moment at which the next call may go."""
        allowed = max(1, int(self.calls * self.factor))
        at = max(now, self.held_until)
        return max(at, self.sent[-allowed] + self.seconds) if len(self.sent) >= allowed else at


class Limiter:
    """Keeps the calls of one sign-in under the CRM's short limits and under our share of its day.

    One per sign-in (``Limiter.shared(key, ...)``), safe for threads: a call waits for its bucket's turn, and raises
    AllowanceError before anything is sent when our share of the day is spent. Days are UTC days. Our count of them
    survives a restart through ``start_used`` and ``snapshot``.
    """

    _shared: ClassVar[dict[str, "Limiter"]] = {}
    _shared_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        buckets: Mapping[Bucket, tuple[int, float]] | None = None,
        allowance: Allowance | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.away = False  # whether this CRM was last seen away: doors come and go, the limiter stays
        self.day_max: int | None = None
        self.day_used: int | None = None
        self._allowance = allowance or Allowance()
        self._windows = {name: _Window(*limit) for name, limit in (buckets or {GENERAL: (20, 1.0)}).items()}
        self._sleep, self._monotonic, self._now = sleep, monotonic, now
        self._lock = threading.Lock()
        self._day, self._used = now().date(), 0
        self._shut_until = 0.0

    @classmethod
    def shared(
        cls, key: str, buckets: Mapping[Bucket, tuple[int, float]] | None = None, allowance: Allowance | None = None
    ) -> "Limiter":
        """The process's one limiter for this sign-in; made at first use."""
        with cls._shared_lock:
            limiter = cls._shared.get(key)
            if limiter is None:
                limiter = cls._shared[key] = cls(buckets, allowance)
            elif allowance is not None:
                limiter._allowance = allowance  # a reloaded configuration takes effect
            return limiter

    @property
    def day_share(self) -> int | None:
        """How many calls a day are ours; None while nobody has said how many there are."""
        if self._allowance.calls is not None:
            return self._allowance.calls
        return None if self.day_max is None else max(1, int(self.day_max * self._allowance.share))

    @property
    def used_today(self) -> int:
        """Calls that passed since midnight UTC."""
        return self.snapshot()[1]

    def start_used(self, day: date, calls: int) -> None:
        """Takes over a count from before a restart; one of another day is forgotten."""
        with self._lock:
            self._turn_day()
            if day == self._day:
                self._used = max(self._used, calls)

    def snapshot(self) -> tuple[date, int]:
        """The day and our calls in it, to be stored."""
        with self._lock:
            self._turn_day()
            return self._day, self._used

    def admit(self, bucket: Bucket) -> None:
        """Returns when the call may be sent, and counts it. Raises AllowanceError instead when the day is spent."""
        with self._lock:
            self._turn_day()
            self._check_day()
            self._used += 1
            now = self._monotonic()
            windows = {id(window): window for window in (self._window(bucket), self._windows.get(GENERAL)) if window}
            turn = max(window.turn(now) for window in windows.values())
            for window in windows.values():
                window.sent.append(turn)
            wait_seconds = turn - now
        if wait_seconds > 0:
            self._sleep(wait_seconds)

    def learn(self, bucket: Bucket, usage: Usage) -> None:
        """Takes in what an answer's headers said."""
        with self._lock:
            window = self._window(bucket)
            window.factor = min(1.0, window.factor + 0.01)
            if usage.bucket_max is not None and usage.bucket_max > 0:
                window.calls = max(1, int(usage.bucket_max * HEADROOM))
                window.seconds = usage.bucket_seconds or window.seconds
            if usage.bucket_remaining == 0:  # other processes share this sign-in: give the CRM's own count time to fall
                window.held_until = self._monotonic() + window.seconds / 2
            self.day_max = self.day_max if usage.day_max is None else usage.day_max
            self.day_used = self.day_used if usage.day_used is None else usage.day_used
            if usage.day_max and usage.day_used is not None and usage.day_used >= usage.day_max * DAY_RESERVE:
                self._shut_until = self._monotonic() + PROBE_SECONDS

    def charge(self, calls: int) -> None:
        """Counts so many calls more: for a CRM in which one call costs several of the day's."""
        with self._lock:
            self._turn_day()
            self._used += calls

    def throttled(self, bucket: Bucket) -> None:
        """The CRM said "too many": a fifth fewer from now on, growing back by a hundredth with each good answer."""
        with self._lock:
            window = self._window(bucket)
            window.factor = max(0.1, window.factor * 0.8)

    def shut(self, seconds: float | None = None) -> None:
        """The CRM said that the day's calls are spent: nothing is sent for this long."""
        with self._lock:
            self._shut_until = self._monotonic() + (PROBE_SECONDS if seconds is None else seconds)

    def _window(self, bucket: Bucket) -> _Window:
        window = self._windows.get(bucket)
        if window is None:
            raise KeyError(f"no limit is declared for the bucket {bucket!r}: name it in Manners.buckets")
        return window

    def _turn_day(self) -> None:
        today = self._now().date()
        if today != self._day:
            self._day, self._used = today, 0

    def _check_day(self) -> None:
        wait_seconds = self._shut_until - self._monotonic()
        if wait_seconds > 0:
            used = "" if self.day_used is None else f" ({self.day_used} of {self.day_max} calls used by all programs)"
            raise AllowanceError(
                f"the CRM's calls of the day are spent{used}: asked again in {wait_seconds / 60:.0f} min", wait_seconds
            )
        share = self.day_share
        if share is not None and self._used >= share:
            now = self._now()
            midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
            raise AllowanceError(
                f"our {share} calls of the day are spent: raise `allowance`, or wait until 00:00 UTC",
                (midnight - now).total_seconds(),
            )
