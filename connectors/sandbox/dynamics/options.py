"""System query options of a call: which there are, which exclude each other, and the signed cookie of a page."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.sandbox.dynamics.errors import BAD_QUERY, Refusal, bad_query, invalid
from connectors.sandbox.routing import Request

_KNOWN = frozenset({"$select", "$filter", "$orderby", "$expand", "$top", "$count", "$skiptoken", "$deltatoken"})
_ELSEWHERE = frozenset({"fetchXml", "sql", "savedQuery", "userQuery"})
"""Other ways to query, which Dataverse has and this emulator has not."""
_SAFE = "$,()'@:=/*!"


@dataclass(frozen=True, slots=True)
class Expand:
    """One expanded navigation property with the options in its parentheses."""

    nav: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one call, as text where a table is needed to read them."""

    select: tuple[str, ...] = ()
    filter: str = ""
    order: tuple[tuple[str, bool], ...] = ()
    """(column, descending)"""
    expand: tuple[Expand, ...] = ()
    top: int | None = None
    count: bool = False
    skip: str = ""
    delta: str = ""
    aliases: Mapping[str, str] | None = None
    sent: tuple[tuple[str, str], ...] = ()
    """What was sent, but for the two tokens."""

    def link(self, base: str, name: str, token: str) -> str:
        """The same call, to be continued with a token."""
        pairs = [f"{quote(key, safe=_SAFE)}={quote(value, safe=_SAFE)}" for key, value in self.sent]
        return f"{base}?{'&'.join([*pairs, f'{name}={_quoted(token)}'])}"

    @property
    def signature(self) -> str:
        """A short mark of everything that a page token depends on."""
        return hashlib.sha256(repr(self.sent).encode()).hexdigest()[:16]


def read_options(request: Request) -> Options:
    """The options of a call. Refusal 400: one that Dataverse does not have, or that cannot be read."""
    values = {name: held[0] for name, held in request.query.items()}
    for name in values:
        if name == "$skip":
            raise bad_query("Skip Clause is not supported in CRM")
        if name in _ELSEWHERE:
            raise Refusal(501, BAD_QUERY, f"This emulator does not answer queries by {name}.")
        if name.startswith("$") and name not in _KNOWN:
            raise bad_query(f"The query parameter {name} is not supported")
        if len(request.query[name]) > 1 and name.startswith("$"):
            raise bad_query(
                f"Query option '{name}' was specified more than once, but it must be specified at most once."
            )
    return from_texts(values)


def from_texts(values: Mapping[str, str]) -> Options:
    """The options of a call or of the parentheses of an expand."""
    top = values.get("$top")
    if top is not None and not (top.isdigit() and int(top) > 0):
        raise bad_query(
            f"Invalid value '{top}' for $top query option found. The $top query option requires a positive integer value."
        )
    count = values.get("$count", "false")
    if count not in {"true", "false"}:
        raise bad_query(f"Invalid value '{count}' for $count query option found.")
    return Options(
        select=tuple(part.strip() for part in values.get("$select", "").split(",") if part.strip() not in {"", "*"}),
        filter=values.get("$filter", ""),
        order=tuple(_order(part) for part in values.get("$orderby", "").split(",") if part.strip()),
        expand=tuple(_expands(values.get("$expand", ""))),
        top=int(top) if top else None,
        count=count == "true",
        skip=values.get("$skiptoken", ""),
        delta=values.get("$deltatoken", ""),
        aliases={name: value for name, value in values.items() if name.startswith("@")},
        sent=tuple((name, value) for name, value in values.items() if name not in {"$skiptoken", "$deltatoken"}),
    )


def _quoted(token: str) -> str:
    return quote(token, safe="")


def _order(text: str) -> tuple[str, bool]:
    words = text.split()
    if len(words) > 2 or (len(words) == 2 and words[1] not in {"asc", "desc"}):
        raise bad_query(f"Syntax error at position {len(words[0])} in '{text}'.")
    return words[0], len(words) == 2 and words[1] == "desc"


def _expands(text: str) -> list[Expand]:
    found = []
    for part in _apart(text, ","):
        nav, _, rest = part.strip().partition("(")
        if rest and not rest.endswith(")"):
            raise bad_query(f"Term '{part.strip()}' is not valid in a $select or $expand expression.")
        parts_of = (one.partition("=") for one in _apart(rest[:-1], ";"))
        options = {name.strip(): value.strip() for name, _, value in parts_of}
        if wrong := set(options) - _KNOWN:
            raise bad_query(f"Term '{min(wrong)}' is not valid in a $select or $expand expression.")
        found.append(Expand(nav.strip(), options))
    return found


def _apart(text: str, mark: str) -> list[str]:
    """Parts between marks that stand outside parentheses and quotes."""
    parts, depth, quoted = [""], 0, False
    for sign in text:
        quoted ^= sign == "'"
        depth += 0 if quoted else (sign == "(") - (sign == ")")
        if sign == mark and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return [part for part in parts if part.strip()]


_COOKIE = re.compile(r'<cookie pagenumber="(\d+)" pagingcookie="([\w=-]+)" istracking="(True|False)" />')


def make_cookie(options: Options, number: int, state: Mapping[str, Any], *, tracking: bool = False) -> str:
    """The token of a page: its number, where it begins, and a mark that fails when anything was altered."""
    body = json.dumps({**state, "n": number}, separators=(",", ":"))
    sealed = urlsafe_b64encode(f"{_seal(options, body)}{body}".encode()).decode()
    return f'<cookie pagenumber="{number}" pagingcookie="{sealed}" istracking="{tracking}" />'


def open_cookie(options: Options, text: str) -> dict[str, Any]:
    """Where a page begins (``n`` is its number). Refusal 400: the link was altered."""
    match = _COOKIE.fullmatch(text)
    try:
        held = urlsafe_b64decode(match[2]).decode() if match else ""
    except (Base64Error, ValueError):
        held = ""
    if len(held) < 17 or held[:16] != _seal(options, held[16:]):
        raise invalid("Malformed XML in the Paging Cookie")
    state: dict[str, Any] = json.loads(held[16:])
    if match is not None and int(match[1]) != state["n"]:
        raise invalid("Malformed XML in the Paging Cookie")
    return state


def _seal(options: Options, body: str) -> str:
    return hashlib.sha256(f"{options.signature}{body}".encode()).hexdigest()[:16]


def forbid_with_tracking(options: Options) -> None:
    """Refuses what change tracking cannot do."""
    for name, given in (
        ("filter", options.filter), ("orderby", options.order), ("expand", options.expand), ("top", options.top),
    ):  # fmt: skip
        if given:
            text = f'The "${name}" query parameter isn\'t supported when Change Tracking is enabled.'
            raise Refusal(400, "0x80060888", text)
