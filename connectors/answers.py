"""How an HTTP answer is read and spoken of: JSON with exact numbers, the CRM's words for an error, nothing secret."""

import json
import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from connectors.errors import RetryLaterError

_CODE_KEYS = ("errorCode", "category", "code", "error", "status", "errorType")
_TEXT_KEYS = ("message", "error_description", "description", "detail", "title")
_IDENTIFIER = re.compile(r"\d{4,}|(?=[^/]*\d)[0-9A-Za-z]{15,}(-\d+)?|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")
_PERIOD = re.compile(r"(19|20)\d\d")
_NAMED_SECRET = re.compile(
    r"(?i)((?:access_token|refresh_token|id_token|client_secret|assertion|password|api_?key)[\"']?\s*[=:]\s*[\"']?"
    r"|\btoken=)[^\s&\"',}]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic|zoho-oauthtoken)\s+[\w.~+/!=-]{6,}")


class Answer(requests.Response):
    """A response whose JSON is read once, with Decimal for numbers that have a fraction; vendor clients get it too."""

    _value: Any
    _read: bool = False

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        """The body piece by piece. Raises RetryLaterError if it breaks off."""
        try:
            yield from super().iter_content(chunk_size, decode_unicode)
        except requests.RequestException:
            raise RetryLaterError(f"{path_template(self.url)}: the answer broke off; the next run asks again") from None

    def json(self, **_kwargs: Any) -> Any:
        """The body's JSON. Arguments are ignored: a vendor client that asks for floats gets exact numbers too."""
        if not self._read:
            self._value, self._read = read_json(self.content), True
        return self._value


def answer_of(response: requests.Response) -> Answer:
    """The same response as an Answer."""
    answer = Answer()
    answer.__dict__.update(response.__dict__)
    return answer


def read_json(body: bytes) -> Any:
    """JSON text as Python values. Raises ValueError for anything else; NaN and Infinity stay visible as Decimals, and so
    does a number whose exponent no Decimal holds: one such value makes one row unreadable, not the whole page.

    NUL characters are taken out of texts: no database takes them, and they mean nothing to people.
    """
    try:
        value = json.loads(body, parse_float=_number, parse_constant=Decimal)
    except RecursionError:
        raise ValueError("brackets in brackets without end") from None
    return _without_nul(value) if b"\\u0000" in body else value


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("-Infinity" if text.startswith("-") else "Infinity")


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nul(item) for key, item in value.items()}
    return value


def _exact(value: Any) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no JSON spelling: spell it in the connector")
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise ValueError("a number has more digits than JSON carries: send it as text")
    return number


def write_json(value: Any) -> bytes:
    """Compact JSON. A Decimal becomes a number if that keeps every digit, else ValueError."""
    return json.dumps(value, default=_exact, ensure_ascii=False, separators=(",", ":")).encode()


def claims_json(response: requests.Response) -> bool:
    """Whether the body says of itself that it is JSON."""
    return "json" in response.headers.get("Content-Type", "").lower()


def error_words(response: requests.Response) -> tuple[str, str]:
    """The CRM's code and text for an error, found in the shapes that CRMs use; else status and reason."""
    try:
        body = response.json()
    except ValueError:
        return str(response.status_code), response.reason or ""
    while isinstance(body, list):
        body = body[0] if body else {}
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]  # OData
    if not isinstance(body, dict):
        return str(response.status_code), response.reason or ""
    return _first(body, _CODE_KEYS) or str(response.status_code), _first(body, _TEXT_KEYS) or (response.reason or "")


def _first(body: dict[str, Any], keys: Iterable[str]) -> str:
    for key in keys:
        value = body.get(key)
        if isinstance(value, dict):
            value = value.get("value")  # OData v2 wraps its message
        if value not in (None, "", "error"):
            return str(value)
    return ""


def retry_after_seconds(response: requests.Response) -> float | None:
    """What ``Retry-After`` asks for, as seconds from now; None if it is absent or unreadable (RFC 9110, 10.2.3)."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass  # not a number of seconds: the other spelling is a date
    try:
        until = _http_date(text)
    except ValueError:
        return None
    sent = server_time(response) or datetime.now(UTC)
    return max(0.0, (until - sent).total_seconds())


def seconds_told(value: Any) -> float | None:
    """A stretch of time in seconds out of a body; None where it is no finite number."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None


def server_time(response: requests.Response) -> datetime | None:
    """The answer's Date header as aware UTC; None if it has none that can be read."""
    try:
        return _http_date(response.headers.get("Date", ""))
    except ValueError:
        return None


def _http_date(text: str) -> datetime:
    """A date of a header as aware UTC. Raises ValueError for what is none, a year that no date has among it."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a date out of range") from None


def path_template(url: str) -> str:
    """A URL's path without query and with ``{id}`` for ids: safe to log, and the same for every record."""
    segments = urlsplit(url).path.split("/")
    return "/".join(
        "{id}" if _IDENTIFIER.fullmatch(part) and not _PERIOD.fullmatch(part) else part for part in segments
    )


def scrub(text: str, secrets: Iterable[str] = (), limit: int = 500) -> str:
    """A remote text on one line, cut to ``limit``, without the given secrets and without what looks like one."""
    for secret in secrets:
        if len(secret) > 5:  # a shorter one would blank out words of the text
            text = text.replace(secret, "***")
    text = _BEARER.sub(r"\1 ***", _NAMED_SECRET.sub(r"\1***", text))
    text = " ".join(text.split()).replace("\x00", "")
    return text if len(text) <= limit else text[: limit - 1] + "…"
