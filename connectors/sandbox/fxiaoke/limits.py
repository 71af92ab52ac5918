"""Fxiaoke's limits: calls of one interface within 20 seconds, and packs of calls for a day. No header tells of them."""

from collections import deque
from collections.abc import Callable
from datetime import date, datetime, timedelta

from connectors.sandbox.fxiaoke.errors import DAY_SPENT, NOT_BOUGHT, TOO_FAST, Refusal
from connectors.sandbox.fxiaoke.store import ZONE

_WINDOW_SECONDS = 20
_VENDOR_CALLS = 100
_PACK_CALLS = 100_000


class Limits:
    """The counters of one tenant. ``rate``: calls per second and interface, in place of the vendor's five."""

    def __init__(
        self, now: Callable[[], datetime], *, strict: bool, rate: float | None, packs: int | None, day_used: int
    ) -> None:
        self.most = max(1, int(rate * _WINDOW_SECONDS)) if rate is not None else _VENDOR_CALLS if strict else None
        """Calls of one interface within 20 seconds; None: no limit."""
        self.packs = packs if packs is not None else 1 if strict else None
        """Packs of 100,000 calls a day; 0: none bought; None: no limit."""
        self.day_used = day_used
        self._now = now
        self._calls: dict[str, deque[datetime]] = {}
        self._day: date | None = None

    @property
    def permitted(self) -> float | None:
        """Calls per second that one interface takes in the long run; None: as many as you like."""
        return None if self.most is None else self.most / _WINDOW_SECONDS

    def take(self, path: str) -> None:
        """Counts a call. Refusal: it is one too many."""
        now = self._now()
        self._take_day(now)
        if self.most is None:
            return
        calls = self._calls.setdefault(path, deque())
        while calls and calls[0] <= now - timedelta(seconds=_WINDOW_SECONDS):
            calls.popleft()
        if len(calls) >= self.most:
            raise Refusal(TOO_FAST)
        calls.append(now)

    def _take_day(self, now: datetime) -> None:
        today = now.astimezone(ZONE).date()
        if self._day is not None and today != self._day:
            self.day_used = 0
        self._day = today
        if self.packs is None:
            self.day_used += 1
            return
        if not self.packs:
            raise Refusal(NOT_BOUGHT)
        if self.day_used >= self.packs * _PACK_CALLS:
            raise Refusal(DAY_SPENT)
        self.day_used += 1
