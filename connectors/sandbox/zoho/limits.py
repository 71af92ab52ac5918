"""Zoho's limits: credits in 24 hours by edition, calls at the same time, and the header that tells of them."""

import re
from collections import deque
from collections.abc import Callable

from connectors.sandbox.routing import Request

EDITIONS: dict[str, tuple[int, int, int | None, int]] = {
    "free": (5_000, 0, 5_000, 5),
    "standard": (50_000, 250, 100_000, 10),
    "professional": (50_000, 500, 3_000_000, 15),
    "enterprise": (50_000, 1_000, 5_000_000, 20),
    "ultimate": (50_000, 2_000, None, 25),
}
"""Credits, more per user, the most, and calls at once, by edition."""
SUB_CONCURRENCY = 10
REMAINING = "X-API-CREDITS-REMAINING"
"""The header of what is left, sent once half of the budget is used."""
_DAY_SECONDS = 86_400
_BULK_CREATE = {"POST /crm/bulk/read": 50, "POST /crm/bulk/write": 500}
_VERSION = re.compile(r"/v\d+(\.\d+)?")
_LIMIT_CLAUSE = re.compile(r"\blimit\s+(\d+)(?:\s*,\s*(\d+))?", re.IGNORECASE)


class Credits:
    """The ledger of one org's credits in a rolling 24 hours."""

    def __init__(self, most: int, now: Callable[[], int], used: int = 0) -> None:
        self.most = most
        self.now = now
        self._spent: deque[tuple[int, int]] = deque([(now(), used)] if used else [])
        self._sum = used

    @property
    def used(self) -> int:
        """Credits spent in the last 24 hours."""
        while self._spent and self._spent[0][0] <= self.now() - _DAY_SECONDS:
            self._sum -= self._spent.popleft()[1]
        return self._sum

    def take(self, wanted: int) -> bool:
        """Spends credits; False (and nothing spent) where there are not enough."""
        if self.used + wanted > self.most:
            return False
        at = self.now()
        if self._spent and self._spent[-1][0] == at:
            self._spent[-1] = (at, self._spent[-1][1] + wanted)
        else:
            self._spent.append((at, wanted))
        self._sum += wanted
        return True

    def headers(self) -> dict[str, str]:
        """What an answer says of the budget: nothing below its half."""
        used = self.used
        return {REMAINING: str(self.most - used)} if 2 * used >= self.most else {}


def cost(request: Request) -> int:
    """The credits of a call."""
    path = _VERSION.sub("", request.path).rstrip("/")
    if found := _BULK_CREATE.get(f"{request.method} {path}"):
        return found
    if request.method == "POST" and path.endswith("/settings/modules"):
        return 500
    if path.endswith("/coql"):
        return _coql_cost(request)
    if request.method == "GET":
        return 2 if path.endswith("/deleted") else 3 if request.first("cvid") else 1
    return max(1, -(-_records(request) // 10))


def is_heavy(request: Request) -> bool:
    """Whether a call is of the group of which only ten may run at once."""
    if request.path.endswith(("/coql", "/search")):
        return True
    return request.method in {"POST", "PUT"} and _records(request) > 10


def _coql_cost(request: Request) -> int:
    found = _LIMIT_CLAUSE.search(request.body.decode("utf-8", "replace"))
    limit = int(found[2] or found[1]) if found else 200
    return 1 if limit <= 200 else 2 if limit <= 1000 else 3


def _records(request: Request) -> int:
    """Records of a write, by counting braces: the body is read for good only later."""
    if "/settings/" in request.path or "/bulk/" in request.path or len(request.body) < 1000:
        return 1
    try:
        body = request.json()
    except ValueError:
        return 1
    data = body.get("data") if isinstance(body, dict) else None
    return len(data) if isinstance(data, list) else 1
