"""The one HTTP door: every byte to and from a CRM passes here.

SKELETON: the signatures and docstrings are the contract; the bodies are being written.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import requests

Bucket = str
"""A CRM's name for one of its rate limits: "general", or for HubSpot also "search"."""


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


@dataclass(frozen=True, slots=True)
class Fault:
    """How one unwelcome answer is to be taken.

    ``retry``: try again (after ``after_seconds`` or with backoff); ``expired``: sign in again once, repeat once;
    ``sign_in``: SignInError; ``forbidden``: ForbiddenError; ``allowance``: AllowanceError, nothing more today;
    ``rejected``: RejectedError(code, text); ``resume_lost``: ResumeLostError; ``contract``: ContractError.
    """

    action: Literal["retry", "expired", "sign_in", "forbidden", "allowance", "rejected", "resume_lost", "contract"]
    code: str = ""
    text: str = ""
    after_seconds: float | None = None


def plain_fault(response: requests.Response) -> Fault | None:
    """The reading that fits most servers: 2xx and 304 fine, 401 expired, 403 forbidden, 429/5xx retry, else rejected."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Manners:
    """How one CRM speaks HTTP: what an answer means, what its headers say of limits, and what we start with.

    ``buckets``: calls and seconds per short limit before any header was seen. ``fault`` returns None for a good answer.
    ``max_url`` caps the request target in characters.
    """

    fault: Callable[[requests.Response], Fault | None] = plain_fault
    usage: Callable[[requests.Response], Usage | None] = lambda response: None
    buckets: Mapping[Bucket, tuple[int, float]] = field(default_factory=lambda: {"general": (20, 1.0)})
    tries: int = 5


class Limiter:
    """Keeps the calls of one sign-in under the CRM's short limits and under our share of its day.

    One per sign-in (``Limiter.shared(key, ...)``), safe for threads: a call waits for its bucket's turn, and raises
    AllowanceError before anything is sent when our share of the day is spent. ``used_today`` counts our calls since the
    account's midnight and survives restarts through ``start_used``/``on_call``.
    """


class Auth(Protocol):
    """A way to sign in, usable by several threads: see ``connectors/auth.py``."""

    def headers(self, door: "Http") -> Mapping[str, str]:
        """The headers that carry the sign-in; fetches a token first if there is none."""
        ...

    def renew(self, door: "Http", refused: Mapping[str, str]) -> bool:
        """After an ``expired`` answer to ``refused`` headers: gets a new token. False if this flow has no way to."""
        ...


class Http:
    """A requests session with our manners: timeouts, verified TLS (or a private CA), proxy, sign-in, retry, limits.

    Every method returns only for a good answer, else raises one of ``connectors.errors``. ``path`` is joined to the
    connection's ``base_url``; an absolute URL is taken as it is if it has the same host (next-links), refused otherwise.
    JSON comes back with Decimal for numbers that have a fraction.
    """

    def get(self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None, bucket: Bucket = "general") -> Any:
        """The JSON of a GET; None for 204 and 304."""
        raise NotImplementedError

    def post(self, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None, bucket: Bucket = "general") -> Any:
        """The JSON of a POST (also `put`, `patch`, `delete`)."""
        raise NotImplementedError

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        bucket: Bucket = "general",
        stream: bool = False,
        sign_in: bool = True,
        accept: tuple[int, ...] = (),
    ) -> requests.Response:
        """The answer itself. ``accept`` names statuses that are good here although ``Manners.fault`` frowns on them."""
        raise NotImplementedError

    def session(self) -> requests.Session:
        """A requests session for vendor clients: every request it sends goes through this door, at this door's host.

        simple-salesforce writes ``https://host`` itself: scheme and host are replaced by those of ``base_url``.
        """
        raise NotImplementedError

    def server_now(self) -> datetime:
        """The CRM's clock (aware UTC, whole seconds): from the newest Date header seen plus the time since; asks `clock_path` once if none was seen."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the pool."""
        raise NotImplementedError
