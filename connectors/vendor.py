"""Vendor clients through our door: what simple-salesforce and hubspot-api-client take for their own transport."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from connectors.answers import Answer
from connectors.limiter import Bucket

if TYPE_CHECKING:
    from connectors.http import Http

_OURS = frozenset({"authorization", "user-agent", "host", "content-length"})
"""Headers that the door sets, whatever the vendor client thinks."""


def _kept(headers: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (headers or {}).items() if name.lower() not in _OURS}


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


class DoorSession(requests.Session):
    """A requests session that owns no socket: each request goes through the door, to the door's host.

    The vendor client's scheme, host, timeout and Authorization header are replaced by ours. Good answers come back as
    they are, with exact numbers in ``json()``; for others the door raises one of ``connectors.errors``.
    """

    def __init__(self, door: "Http") -> None:
        super().__init__()
        self._door = door

    def request(  # type: ignore[override]  # one signature for all of requests' arguments that vendor clients use
        self, method: str, url: str, **kwargs: Any
    ) -> Answer:
        """The door's answer to ``method`` at the path of ``url``."""
        return self._door.request(
            method,
            self._door.root + _target(url),
            params=kwargs.get("params"),
            json=kwargs.get("json"),
            data=kwargs.get("data"),
            headers=_kept(kwargs.get("headers")),
            stream=bool(kwargs.get("stream")),
        )


class RestAnswer:
    """What generated clients expect back: ``data`` is the body's bytes; ``json()`` reads it with exact numbers."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status_code
        self.reason = answer.reason
        self.headers = answer.headers
        self.data: Any = answer.content  # the client replaces it by text
        self._answer = answer

    def json(self) -> Any:
        """The body's JSON; None for an empty body."""
        return self._answer.json() if self._answer.content else None

    def getheaders(self) -> Mapping[str, str]:
        """All headers."""
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """One header."""
        return self.headers.get(name, default)

    def release_conn(self) -> None:
        """Nothing: the door has read the body and given the socket back."""


class RestClient:
    """The ``rest_client`` of a generated API client (OpenAPI Generator, python), over our door."""

    def __init__(self, door: "Http", rewrite: Callable[[str], str], bucket: Callable[[str], Bucket]) -> None:
        self._door = door
        self._rewrite = rewrite
        self._bucket = bucket

    def request(
        self,
        method: str,
        url: str,
        *,
        query_params: Any = None,
        headers: Mapping[str, Any] | None = None,
        body: Any = None,
        post_params: Any = None,
        _preload_content: bool = True,
        _request_timeout: Any = None,
    ) -> RestAnswer:
        """The door's answer to the rewritten path. The door's own timeouts hold, and the body is always read."""
        path = self._rewrite(_target(url))
        raw = isinstance(body, str | bytes)
        answer = self._door.request(
            method,
            self._door.root + path,
            params=query_params,
            json=None if raw else body,
            data=body if raw else dict(post_params) if post_params else None,
            headers={
                name: value
                for name, value in _kept(headers).items()
                if body is not None or name.lower() != "content-type"
            },
            bucket=self._bucket(path),
        )
        return RestAnswer(answer)

    def GET(self, url: str, **kwargs: Any) -> RestAnswer:  # noqa: N802 - the generated clients' name
        """A GET."""
        return self.request("GET", url, **kwargs)

    def HEAD(self, url: str, **kwargs: Any) -> RestAnswer:  # noqa: N802 - the generated clients' name
        """A HEAD."""
        return self.request("HEAD", url, **kwargs)

    def OPTIONS(self, url: str, **kwargs: Any) -> RestAnswer:  # noqa: N802 - the generated clients' name
        """An OPTIONS."""
        return self.request("OPTIONS", url, **kwargs)

    def DELETE(self, url: str, **kwargs: Any) -> RestAnswer:  # noqa: N802 - the generated clients' name
        """A DELETE."""
        return self.request("DELETE", url, **kwargs)

    def POST(self, url: str, **kwargs: Any) -> RestAnswer:  # noqa: N802 - the generated clients' name
        """A POST."""
        return self.request("POST", url, **kwargs)

    def PUT(self, url: str, **kwargs: Any) -> RestAnswer:  # noqa: N802 - the generated clients' name
        """A PUT."""
        return self.request("PUT", url, **kwargs)

    def PATCH(self, url: str, **kwargs: Any) -> RestAnswer:  # noqa: N802 - the generated clients' name
        """A PATCH."""
        return self.request("PATCH", url, **kwargs)


def rest_client(
    door: "Http",
    rewrite: Callable[[str], str] = lambda path: path,
    bucket: Callable[[str], Bucket] = lambda path: "general",  # noqa: ARG005 - the protocol has it
) -> RestClient:
    """For ``api.api_client.rest_client = rest_client(door, rewrite)`` of a generated client.

    ``rewrite`` turns the client's path (without host) into the one to call; ``bucket`` names the limit of such a path.
    The client's own exceptions never arise: the door raises ours.
    """
    return RestClient(door, rewrite, bucket)
