"""Requests, replies and routes: the words in which emulators speak of HTTP."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote


class BadJson(ValueError):  # noqa: N818 - the name both emulators were promised
    """The body of a request is not JSON."""


class Headers(dict[str, str]):
    """Header values by lower-case name; looking up ignores case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The value of that header, else ``default``."""
        return super().get(name.lower(), default)


@dataclass(slots=True)
class Request:
    """One call. ``path`` is still percent-encoded and has no query; ``query`` is decoded."""

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=Headers)
    body: bytes = b""
    route: str = ""
    """``METHOD /template`` of the matched route; "" if none matched."""

    @property
    def where(self) -> str:
        """``METHOD /path``, what a fault's ``match`` looks at."""
        return f"{self.method} {self.path}"

    def names(self, word: str) -> bool:
        """Whether path, query or body speak of this object of the CRM, as a whole word; "" is always there."""
        if not word:
            return True
        values = [value for values in self.query.values() for value in values]
        said = (self.path, *values, self.body.decode("utf-8", "replace"))
        return any(re.search(rf"\b{re.escape(word)}\b", unquote(text)) for text in said)

    def json(self) -> Any:
        """The body as JSON; BadJson if it is none."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise BadJson(str(error)) from error

    def form(self) -> dict[str, str]:
        """The body as a form (the last of equal names wins)."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def first(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default


@dataclass(slots=True)
class Reply:
    """One answer. ``body``: dict or list goes out as JSON, str and bytes as they are, None as nothing."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Close the connection in the middle of the body."""
    truncated: bool = False
    """Send half of the body as if it were all of it."""
    delay_seconds: float = 0.0


Handler = Callable[..., Reply]
Route = tuple[str, str, Handler]


class Router:
    """Finds the handler of a path. A literal part wins over a ``{placeholder}``; a trailing slash means nothing."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._root: dict[str, Any] = {}
        for method, template, handler in routes:
            node = self._root
            parts = template.strip("/").split("/")
            for part in parts:
                node = node.setdefault("{}" if part.startswith("{") else part, {})
            names = [part[1:-1] for part in parts if part.startswith("{")]
            node.setdefault("/", {})[method] = (template, names, handler)

    def match(self, path: str) -> tuple[Mapping[str, tuple[str, list[str], Handler]], list[str]]:
        """The methods of the path, each with template, names and handler, and the values of its placeholders."""
        found = self._walk(self._root, path.strip("/").split("/"), 0, [])
        return found or ({}, [])

    def _walk(self, node: dict[str, Any], parts: list[str], at: int, values: list[str]) -> tuple[Any, list[str]] | None:
        if at == len(parts):
            return (node["/"], values) if "/" in node else None
        if parts[at] in node and (found := self._walk(node[parts[at]], parts, at + 1, values)):
            return found
        if "{}" in node and parts[at]:
            return self._walk(node["{}"], parts, at + 1, [*values, unquote(parts[at])])
        return None


BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
"""What a proxy in front of a CRM answers in its place."""
