"""Addresses that a configuration may name: of a CRM, of a token host, of a proxy. Checked before anything is called."""

import ipaddress
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
"""One part of a host's name (RFC 1123, 2.1); the underscore is none of that standard, and in use all the same."""

_NEVER = re.compile(r"[\s\x00-\x20\x7f<>\"\\^`{|}]")
"""What no URL holds (RFC 3986, 2)."""

_EXAMPLE = "https://acme.my.salesforce.com"


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(given: Any) -> str:
    """A CRM's address without its last slash. Raises ValueError for what could never be called, or not safely."""
    value = str(given)
    parts = _parts(value, _EXAMPLE)
    if parts.scheme == "http" and not is_loopback(value):
        message = "plain http is accepted for loopback only: write https"
        raise ValueError(message)
    if any(mark in value for mark in "?#"):
        message = "must be scheme, host and path only"
        raise ValueError(message)
    return value.rstrip("/")


def check_proxy(given: Any) -> str:
    """A proxy's address. Raises ValueError, also for one with a user and password in it."""
    value = str(given)
    if "@" in value:
        message = "must not hold a user and password: leave it out and set HTTPS_PROXY where the service is started"
        raise ValueError(message)
    _parts(value, "http://proxy.example.com:3128")
    return value


def _parts(value: str, example: str) -> SplitResult:
    """The address in its parts; the texts of errors never repeat it, for it may hold a password."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", SplitResult("", "", "", "", "")
    if "@" in value:
        message = "must be scheme, host and path only"
        raise ValueError(message)
    if _NEVER.search(value) or parts.scheme not in ("http", "https") or not _is_host(host):
        message = f"must be a URL such as {example}"
        raise ValueError(message)
    if not _is_port(parts):
        message = "the port must be a number from 1 to 65535"
        raise ValueError(message)
    return parts


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass  # a name, then
    else:
        return True
    try:
        name = host.encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        return False
    return 0 < len(name) < 254 and all(_LABEL.fullmatch(label) for label in name.split("."))


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False
