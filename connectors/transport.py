"""The pool of sockets under the HTTP door: TLS, proxy, private CA, no cookies, no redirects to other hosts."""

import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, ReadTimeout
from requests.utils import get_environ_proxies
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from connectors.addresses import is_loopback
from connectors.settings import ConnectionSettings

POOL_SIZE = 16
"""Sockets kept open per CRM: as many as the service has threads for one connection."""

LONGEST_BODY = 128 * 2**20
"""Bytes of an answer that is read into memory: a page of the largest CRM takes a tenth of it."""

LONGEST_ANSWER = 5
"""How many times ``network.read_timeout`` a whole answer may take: one that drips in would hold up its connection for ever."""

_PIECE = 65_536


class TooLongError(requests.RequestException):
    """An answer does not end within LONGEST_BODY."""


def origin(url: str) -> str:
    """Scheme, host and port of a URL, spelled one way; the same words for all that are none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return "an address that is not valid"
    return f"{parts.scheme}://{parts.hostname}:{port}"


class _Session(requests.Session):
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """As requests does. Unless the body is left unread, raises TooLongError for one that would fill the memory, and
        ReadTimeout for one that never ends."""
        unread = kwargs.pop("stream", False)
        response = super().send(request, stream=True, **kwargs)
        if not unread:
            _read_whole(response, time.monotonic() + LONGEST_ANSWER * kwargs["timeout"][1])
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Follows within one host only: an answer must not send our token elsewhere."""
        target: Any = super().get_redirect_target(resp)
        if target is None or ("://" in target and origin(target) != origin(resp.url)) or target.startswith("//"):
            return None
        return str(target)


def _read_whole(response: requests.Response, until: float) -> None:
    body = bytearray()
    while piece := _next_piece(response):
        body += piece
        if len(body) > LONGEST_BODY:
            response.close()
            raise TooLongError
        if time.monotonic() > until:
            response.close()
            raise ReadTimeout
    response._content = bytes(body)  # noqa: SLF001  # where requests itself keeps a body that was read


def _next_piece(response: requests.Response) -> bytes:
    """What has arrived, where requests itself would wait for a full piece; errors as requests words them."""
    try:
        return bytes(response.raw.read1(_PIECE, decode_content=True))
    except ReadTimeoutError as error:
        raise ReadTimeout(error) from None
    except DecodeError as error:
        raise ContentDecodingError(error) from None
    except HTTPError as error:
        raise ChunkedEncodingError(error) from None


def new_session(connection: ConnectionSettings) -> requests.Session:
    """A session for one connection, usable by several threads.

    ``trust_env`` is off, for a ``.netrc`` would replace our sign-in. Where ``network.proxy`` is not set, the
    environment's proxy is taken as other programs do, except for loopback.
    """
    session = _Session()
    session.trust_env = False
    session.max_redirects = 5
    session.headers.update({"User-Agent": "Scoreback", "Accept": "application/json"})
    session.cookies = RequestsCookieJar(
        policy=DefaultCookiePolicy(allowed_domains=[])
    )  # a CRM's cookies are for browsers
    network, base_url = connection.network, connection.base_url or ""
    if network.ca_file is not None:
        session.verify = str(network.ca_file)
    if network.proxy:
        session.proxies = {"http": network.proxy, "https": network.proxy}
    elif base_url and not is_loopback(base_url):
        session.proxies = dict(get_environ_proxies(base_url))
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=POOL_SIZE)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def reason_lost(error: requests.RequestException) -> str:
    """Why there was no whole answer, in words that hold no URL."""
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not answer"
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS handshake failed"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "the answer broke off"
    return "the connection failed"


def is_untrusted_certificate(error: requests.RequestException) -> bool:
    """Whether TLS failed for the certificate's sake, which no further attempt mends."""
    return isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)
