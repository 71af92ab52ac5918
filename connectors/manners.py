"""The contract between a connector and the HTTP door: what an answer means, what its headers say, how to sign in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import requests

from connectors.answers import error_words, retry_after_seconds
from connectors.limiter import Bucket, Usage

if TYPE_CHECKING:
    from connectors.http import Http


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
    """The reading that fits most servers: 2xx, 304 fine; 401 expired; 403 forbidden; 429, 5xx retry; else rejected."""
    status = response.status_code
    if 200 <= status < 300 or status == 304:
        return None
    code, text = error_words(response)
    if status == 401:
        return Fault("expired", code, text)
    if status == 403:
        return Fault("forbidden", code, text)
    if status in (408, 425, 429) or status >= 500:
        return Fault("retry", code, text, retry_after_seconds(response))
    return Fault("rejected", code, text)


def sign_headers(request: requests.PreparedRequest, signed: Mapping[str, str]) -> None:
    """Puts a sign-in where nearly every CRM wants it: among the headers."""
    request.prepare_headers({**request.headers, **signed})


@dataclass(frozen=True, slots=True)
class Manners:
    """How one CRM speaks HTTP: what an answer means, what its headers say of limits, and what we start with.

    ``buckets``: calls and seconds per short limit before any header was seen. ``fault`` returns None for a good answer.
    ``max_url`` caps the request target in characters. ``clock_path`` is what ``server_now`` asks, without a sign-in,
    while no answer has told the time yet: any answer does, even a refusal. ``sign`` prepares each single sending.
    """

    fault: Callable[[requests.Response], Fault | None] = plain_fault
    usage: Callable[[requests.Response], Usage | None] = lambda response: None  # noqa: ARG005 - the protocol has it
    buckets: Mapping[Bucket, tuple[int, float]] = field(default_factory=lambda: {"general": (20, 1.0)})
    tries: int = 5
    max_url: int = 16_000
    clock_path: str = "/"
    sign: Callable[[requests.PreparedRequest, Mapping[str, str]], None] = sign_headers


class Auth(Protocol):
    """A way to sign in, usable by several threads: see ``connectors/auth.py``."""

    def headers(self, door: "Http") -> Mapping[str, str]:
        """The headers that carry the sign-in; fetches a token first if there is none."""
        ...

    def renew(self, door: "Http", refused: Mapping[str, str]) -> bool:
        """After an ``expired`` answer to ``refused`` headers: gets a new token. False if this flow has no way to."""
        ...


def token_fault(response: requests.Response) -> Fault | None:
    """The reading of a token endpoint: only 429 and 5xx are worth another try, every other refusal is final."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    code, text = error_words(response)
    if status == 429 or status >= 500:
        return Fault("retry", code, text, retry_after_seconds(response))
    return Fault("sign_in", code, text)
