"""HubSpot's limits: calls per ten seconds, searches per second, calls per day, with their headers and 429 bodies."""

import time
from collections import deque
from collections.abc import Callable
from datetime import date

from connectors.sandbox.hubspot.errors import correlation_id
from connectors.sandbox.routing import Reply

_INTERVAL_SECONDS = 10.0
_NO_LIMIT = 1_000_000_000


class Limits:
    """The counters of one portal. ``general`` calls per ten seconds; the day turns at the account's midnight."""

    def __init__(self, *, strict: bool, rate: float | None, portal_id: int, today: Callable[[], date]) -> None:
        limited = strict or rate is not None
        self.general = int(rate * _INTERVAL_SECONDS) if rate is not None else 190 if strict else _NO_LIMIT
        self.oauth = min(self.general, 110) if strict else self.general
        self.search = 5 if strict else _NO_LIMIT
        self.day_max = 625_000 if strict else _NO_LIMIT
        self.retry_after: int | None = None
        """Seconds that a 429 tells to wait; None: it does not say."""
        self._portal_id = portal_id
        self._today = today
        self._day = today()
        self._used = 0
        self._calls: deque[float] | None = deque() if limited else None
        self._searches: deque[float] = deque()

    @property
    def day_used(self) -> int:
        """Calls since the account's midnight."""
        today = self._today()
        if today != self._day:
            self._day, self._used = today, 0
        return self._used

    def take(self, *, search: bool, oauth: bool) -> Reply | None:
        """Counts a call; a 429 if it is one too many."""
        if self.day_used >= self.day_max:
            return self.refuse("DAILY")
        self._used += 1
        now = time.monotonic()
        if search and self.search < _NO_LIMIT:
            if _full(self._searches, self.search, now, 1.0):
                return self.refuse("SECONDLY")
            self._searches.append(now)
        if self._calls is not None:
            if _full(self._calls, self.oauth if oauth else self.general, now, _INTERVAL_SECONDS):
                return self.refuse("TEN_SECONDLY_ROLLING")
            self._calls.append(now)
        return None

    def refuse(self, policy: str, retry_after: int | None = None) -> Reply:
        """The 429 of a policy: DAILY, SECONDLY or TEN_SECONDLY_ROLLING."""
        words = {"DAILY": "daily", "SECONDLY": "secondly", "TEN_SECONDLY_ROLLING": "ten_secondly_rolling"}[policy]
        body = {
            "status": "error",
            "message": f"You have reached your {words} limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": correlation_id(),
            "policyName": policy,
        }
        if policy == "TEN_SECONDLY_ROLLING":
            body["groupName"] = f"publicapi:private-app-api-calls-ten-secondly:{self._portal_id}"
        else:
            body["requestId"] = correlation_id()
        wait = self.retry_after if retry_after is None else retry_after
        return Reply(429, body, {} if wait is None else {"Retry-After": str(wait)})

    def headers(self, *, search: bool, oauth: bool) -> dict[str, str]:
        """What an answer says of the limits: nothing on searches, nothing of the day to an OAuth app."""
        if search:
            return {}
        most = self.oauth if oauth else self.general
        spent = len(self._calls) if self._calls is not None else 0
        headers = {
            "X-HubSpot-RateLimit-Max": str(most),
            "X-HubSpot-RateLimit-Remaining": str(max(0, most - spent)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(_INTERVAL_SECONDS * 1000)),
        }
        if not oauth:
            headers["X-HubSpot-RateLimit-Daily"] = str(self.day_max)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self.day_max - self.day_used))
        return headers


def _full(calls: deque[float], most: int, now: float, seconds: float) -> bool:
    while calls and calls[0] <= now - seconds:
        calls.popleft()
    return len(calls) >= most
