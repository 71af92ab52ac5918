"""What faults on demand look like in Fxiaoke's words."""

from collections.abc import Callable

from connectors.sandbox.faults import Fault, FaultKind, Faults
from connectors.sandbox.fxiaoke.errors import (
    BAD_TOKEN,
    BROKEN,
    BUSY,
    DAY_SPENT,
    NO_RIGHT,
    NOT_BOUGHT,
    TIMED_OUT,
    TOO_FAST,
    TOO_FAST_OTHER,
    Refusal,
)
from connectors.sandbox.routing import BAD_GATEWAY, Reply, Request

FAULTS: dict[str, FaultKind] = {
    "server_error": FaultKind("The system is broken: code -2 at status 200; `code` gives another (-1 busy, 50009)."),
    "too_many": FaultKind("The interface is called too often: code 30004, no hint how long to wait."),
    "too_many_retry_after": FaultKind("The interface is called too often: code 14001; Fxiaoke never gives a hint."),
    "half_batch": FaultKind("Every second record that is written is refused for good.", times=None),
    "busy": FaultKind("The system is busy: code -1."),
    "timed_out": FaultKind("The service did not answer in time: code 50009, and nothing was done."),
    "not_bought": FaultKind("The tenant has no pack of calls: code 30003.", times=None),
    "html": FaultKind("A page in HTML at status 200, as from a wrong host."),
    "redirect": FaultKind("A redirect to a page, as from the host for browsers."),
    "http_500": FaultKind("A proxy answers 500 in HTML."),
    "moving_record": FaultKind("Somebody changes the first record of the next page right after it is answered."),
}
"""Fxiaoke's own faults, and the common ones that look different here."""

_CODES = {
    "expired_token": BAD_TOKEN, "revoked": BAD_TOKEN, "too_many": TOO_FAST, "too_many_retry_after": TOO_FAST_OTHER,
    "day_limit": DAY_SPENT, "server_error": BROKEN, "no_permission": NO_RIGHT, "busy": BUSY, "timed_out": TIMED_OUT,
    "not_bought": NOT_BOUGHT,
}  # fmt: skip
_LANDING = "<!DOCTYPE html><html><head><title>纷享销客</title></head><body></body></html>"
_HTML = {"Content-Type": "text/html;charset=utf-8"}


def refusal_of(fault: Fault) -> Reply:
    """The answer of a fault that refuses a call; its ``code`` may be another than usual."""
    if fault.name == "bad_gateway":
        return Reply(502, BAD_GATEWAY, _HTML)
    return Refusal(int(fault.extra.get("code", _CODES[fault.name]))).reply()


def page_instead(faults: Faults, request: Request, *, signing_in: bool) -> Reply | None:
    """What a wrong host, a proxy or a busy system answers in place of the interface, if such a fault is armed.

    The sign-in is spared unless the fault's ``match`` names it.
    """
    for name in ("html", "redirect", "http_500", "not_bought", "busy", "timed_out"):
        armed = faults.find(name, request.where)
        if signing_in and not (armed and armed.match):
            continue
        if fault := faults.strike(name, request.where):
            return _PAGES[name]() if name in _PAGES else refusal_of(fault)
    return None


_PAGES: dict[str, Callable[[], Reply]] = {
    "html": lambda: Reply(200, _LANDING, _HTML),
    "redirect": lambda: Reply(302, _LANDING, {**_HTML, "Location": "https://www.fxiaoke.com/"}),
    "http_500": lambda: Reply(500, BAD_GATEWAY.replace("502 Bad Gateway", "500 Internal Server Error"), _HTML),
}
