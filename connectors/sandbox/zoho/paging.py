"""Pages of lists: by number for the first 2,000 rows, by token up to 100,000, bound to their parameters for 24 hours."""

import base64
import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.routing import Request
from connectors.sandbox.zoho.errors import Refusal, invalid, too_many
from connectors.sandbox.zoho.store import MAX_ID

MAX_PAGE = 200
BY_NUMBER = 2_000
BY_TOKEN = 100_000
TOKEN_SECONDS = 86_400
_FREE = frozenset({"page", "page_token"})
Entry = tuple[int, int]
"""(sort key, id)"""


@dataclass(slots=True)
class Place:
    """Where a page begins. ``after``: the last entry of the page before; ``seen``: how many rows came before."""

    page: int
    after: Entry | None
    seen: int


def number_of(request: Request, name: str, default: int, most: int | None = None) -> int:
    """A whole number of the query, 1 or more. Refusal: it is none, or more than ``most``."""
    text = request.first(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise invalid("the value given seems to be invalid", param_name=name, expected_data_type="integer")
    if most is not None and int(text) > most:
        raise too_many(most, "the given per_page value exceeds the limit", param_name=name)
    return int(text)


def page_size(request: Request, cap: int | None) -> int:
    """``per_page``, not above 200 nor the emulator's own cap."""
    size = number_of(request, "per_page", MAX_PAGE, MAX_PAGE)
    return min(size, cap) if cap else size


class Pager:
    """Reads and writes page tokens of one user."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now

    def place(self, request: Request, size: int) -> Place:
        """Where the asked page begins. Refusal: past the limits, or a token that is not good here."""
        token = request.first("page_token")
        if token is None:
            page = number_of(request, "page", 1)
            if page * size > BY_NUMBER and (page - 1) * size >= BY_NUMBER:
                message = "You can fetch only the first 2000 records with page. Use page_token for more"
                raise Refusal(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", message, {"limit": BY_NUMBER})
            return Place(page, None, (page - 1) * size)
        if request.first("page") is not None:
            message = "page and page_token cannot be given together"
            both = [{"param_name": "page"}, {"param_name": "page_token"}]
            raise Refusal(400, "AMBIGUITY_DURING_PROCESSING", message, {"ambiguity_due_to": both})
        held = self._open(token)
        if held["bound"] != _bound(request):
            message = "the parameters are not those with which the page token was made"
            raise Refusal(400, "TOKEN_BOUND_DATA_MISMATCH", message, {"param_name": "page_token"})
        if held["until"] <= self.now():
            raise Refusal(400, "EXPIRED_VALUE", "the page token has expired", {"param_name": "page_token"})
        if held["seen"] >= BY_TOKEN:
            message = "no more than 100000 records can be fetched with page_token"
            raise Refusal(400, "PAGINATION_LIMIT_EXCEEDED", message, {"limit": BY_TOKEN})
        return Place(held["page"], tuple(held["after"]), held["seen"])

    def token(self, request: Request, place: Place, last: Entry, count: int) -> tuple[str, int]:
        """A token for the page after this one, and when it expires."""
        until = self.now() + TOKEN_SECONDS
        held = {
            "bound": _bound(request),
            "after": last,
            "page": place.page + 1,
            "seen": place.seen + count,
            "until": until,
        }
        return base64.urlsafe_b64encode(json.dumps(held).encode()).decode(), until

    @staticmethod
    def _open(token: str) -> dict[str, Any]:
        try:
            held = json.loads(base64.urlsafe_b64decode(token))
        except ValueError:
            held = None
        if not isinstance(held, dict):
            raise invalid("the page token given seems to be invalid", param_name="page_token")
        return held


def _bound(request: Request) -> str:
    params: Mapping[str, Any] = {name: values for name, values in request.query.items() if name not in _FREE}
    since = request.headers.get("If-Modified-Since", "")
    return hashlib.sha256(json.dumps([request.path, sorted(params.items()), since]).encode()).hexdigest()[:16]


def cut(entries: Sequence[Entry], place: Place, size: int, *, descending: bool) -> tuple[list[Entry], bool]:
    """The entries of one page of an ascending sequence, read either way, and whether more follow."""
    count = len(entries)
    if descending:
        end = count - place.seen if place.after is None else bisect_left(entries, place.after)
        start = max(0, end - size)
        return list(entries[start : max(0, end)])[::-1], start > 0
    start = place.seen if place.after is None else bisect_right(entries, place.after)
    return list(entries[start : start + size]), start + size < count


def since(entries: Sequence[Entry], moment: int) -> Sequence[Entry]:
    """The entries of an ascending sequence by stamp that are later than a moment."""
    return entries[bisect_right(entries, (moment, MAX_ID)) :]
