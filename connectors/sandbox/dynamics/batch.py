"""``$batch``: multipart requests, change sets, continue on error (vendor page 4.2)."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from connectors.sandbox.dynamics.changes import target_of
from connectors.sandbox.dynamics.errors import Refusal, bad_query
from connectors.sandbox.dynamics.faults import RowFaults
from connectors.sandbox.dynamics.render import Preferences, read_preferences
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org
from connectors.sandbox.routing import Headers, Reply, Request

MAX_OPERATIONS = 1000
_BOUNDARY = re.compile(r'multipart/mixed\s*;.*?boundary="?([^";]+)"?', re.IGNORECASE)
_LINE = re.compile(r"(GET|POST|PATCH|PUT|DELETE) (\S.*) HTTP/1\.1")
_REFERENCE = re.compile(r"\$(\w+)(?=$|[/\"?])")

Answer = Callable[[Request, str, Sequence[str], Preferences], Reply]


@dataclass(slots=True)
class Operation:
    """One HTTP request of a batch."""

    request: Request
    content_id: str = ""


@dataclass(slots=True)
class ChangeSet:
    """Requests that succeed or fail together."""

    operations: list[Operation] = field(default_factory=list)


class _Failed(Exception):  # noqa: N818 - takes back a change set
    """A part of a change set was refused."""

    def __init__(self, reply: Reply, content_id: str) -> None:
        super().__init__(reply.status)
        self.reply = reply
        self.content_id = content_id


class Batch:
    """Answers ``$batch`` by handing each part to the API."""

    def __init__(self, answer: Answer, org: Org, faults: RowFaults) -> None:
        self._answer = answer
        self.org = org
        self.faults = faults

    def answer(self, request: Request, root: str, prefer: Preferences) -> Reply:
        """Parts in the order of the requests; without continue-on-error it ends at the first refusal."""
        if request.method != "POST":
            raise Refusal(405, "0x80060888", f"The requested resource does not support http method '{request.method}'.")
        match = _BOUNDARY.match(request.headers.get("content-type", ""))
        if match is None:
            raise bad_query("Invalid content type: a batch request must be multipart/mixed with a boundary.")
        parts = _read(request.body, match[1])
        self._check(parts)
        self.faults.begin(request, self._targets(parts))
        self.faults.nested = True
        try:
            return self._run(parts, root, prefer)
        finally:
            self.faults.nested = False

    def _check(self, parts: list[Operation | ChangeSet]) -> None:
        for part in parts:
            if isinstance(part, ChangeSet) and len(part.operations) > MAX_OPERATIONS:
                raise bad_query(
                    "The current change set contains too many operations. A maximum number of '1000' operations are "
                    "allowed in a change set"
                )
        if sum(len(part.operations) if isinstance(part, ChangeSet) else 1 for part in parts) > MAX_OPERATIONS:
            raise bad_query(
                "The current batch message contains too many parts. A maximum number of '1000' query operations and change sets are allowed in a batch message."
            )

    def _targets(self, parts: list[Operation | ChangeSet]) -> list[tuple[TableType, str]]:
        flat = [one for part in parts for one in (part.operations if isinstance(part, ChangeSet) else [part])]
        found = [target_of(self.org, one.request.path) for one in flat if one.request.method in {"PATCH", "DELETE"}]
        return [one for one in found if one is not None]

    def _run(self, parts: list[Operation | ChangeSet], root: str, prefer: Preferences) -> Reply:
        boundary = f"batchresponse_{uuid4()}"
        texts, status = [], 200
        for part in parts:
            failed: Reply | None
            if isinstance(part, ChangeSet):
                text, failed = self._change_set(part, root)
            else:
                reply = self._one(part, root, {})
                text, failed = _part(reply, part.content_id), reply if reply.status >= 400 else None
            texts.append(f"--{boundary}\r\n{text}")
            if failed is not None and not prefer.go_on:
                status = failed.status
                break
        body = "".join(texts) + f"--{boundary}--\r\n"
        return Reply(status, body, {"Content-Type": f"multipart/mixed; boundary={boundary}"})

    def _change_set(self, part: ChangeSet, root: str) -> tuple[str, Reply | None]:
        made: dict[str, str] = {}
        boundary = f"changesetresponse_{uuid4()}"
        texts = []
        try:
            with self.org.transaction():
                for one in part.operations:
                    reply = self._must(one, root, made)
                    if one.content_id and "OData-EntityId" in reply.headers:
                        made[one.content_id] = reply.headers["OData-EntityId"]
                    texts.append(f"--{boundary}\r\n{_part(reply, one.content_id)}")
        except _Failed as error:
            return _part(error.reply, error.content_id), error.reply
        inner = "".join(texts) + f"--{boundary}--\r\n"
        return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n{inner}", None

    def _must(self, one: Operation, root: str, made: dict[str, str]) -> Reply:
        reply = self._one(one, root, made)
        if reply.status >= 400:
            raise _Failed(reply, one.content_id)
        return reply

    def _one(self, one: Operation, root: str, made: dict[str, str]) -> Reply:
        request = one.request
        if made:
            request = _resolved(request, made)
        base = urlsplit(root).path
        path = urlsplit(request.path).path if "://" in request.path else request.path
        path = path.removeprefix(base).strip("/")
        inner = read_preferences(request.headers.get("prefer", ""))
        names = [unquote(name) for name in path.split("/")] if path else []
        try:
            if names and names[0] == "$batch":
                raise bad_query("A batch request cannot be nested in another one.")
            return self._answer(request, root, names, inner)
        except Refusal as refusal:
            return refusal.reply(verbose="*" in inner.annotations)


def _resolved(request: Request, made: dict[str, str]) -> Request:
    """Replaces ``$1`` by the row that part 1 made."""

    def swap(match: re.Match[str]) -> str:
        return made.get(match[1], match[0])

    path = _REFERENCE.sub(swap, request.path)
    body = _REFERENCE.sub(swap, request.body.decode()) if b"$" in request.body else request.body.decode()
    return Request(request.method, path, request.query, request.headers, body.encode())


def _read(body: bytes, boundary: str) -> list[Operation | ChangeSet]:
    found: list[Operation | ChangeSet] = []
    for headers, content in _sections(body, boundary):
        nested = _BOUNDARY.match(headers.get("content-type", ""))
        if nested is None:
            found.append(_operation(headers, content))
            continue
        inner = [_operation(head, text) for head, text in _sections(content, nested[1])]
        if any(one.request.method == "GET" for one in inner):
            raise bad_query("A change set cannot contain a GET request.")
        found.append(ChangeSet(inner))
    named = [
        one.content_id for part in found if isinstance(part, ChangeSet) for one in part.operations if one.content_id
    ]
    if len(set(named)) != len(named):
        raise bad_query(
            "The content ID was found more than once in the same change set or same batch request. Content IDs have to be unique."
        )
    return found


def _sections(body: bytes, boundary: str) -> list[tuple[Headers, bytes]]:
    """Headers and content of every part. Lines end with CRLF."""
    mark = b"--" + boundary.encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise bad_query(
            "Unexpected end of the batch message: the closing boundary is missing, or lines do not end with CRLF."
        )
    found = []
    for piece in pieces[1:-1]:
        head, mid, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not mid:
            raise bad_query("A batch part has no blank line behind its headers.")
        found.append((_headers(head), content))
    return found


def _headers(text: bytes) -> Headers:
    headers = Headers()
    for line in text.decode().split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip():
            headers[name.strip().lower()] = value.strip()
    return headers


def _operation(headers: Headers, content: bytes) -> Operation:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/http":
        raise bad_query("The content type of a batch part must be 'application/http'.")
    head, _, body = content.partition(b"\r\n\r\n")
    line, _, rest = head.partition(b"\r\n")
    match = _LINE.fullmatch(line.decode().strip())
    if match is None:
        raise bad_query(f"The request line of a batch part cannot be read: '{line.decode()}'.")
    path, _, query = match[2].partition("?")
    request = Request(match[1], path, parse_qs(query, keep_blank_values=True), _headers(rest), body.strip(b"\r\n"))
    return Operation(request, headers.get("content-id", ""))


def _part(reply: Reply, content_id: str) -> str:
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    head += f"Content-ID: {content_id}\r\n" if content_id else ""
    phrase = HTTPStatus(reply.status).phrase
    headers = {"OData-Version": "4.0", **reply.headers}
    body = (
        reply.body
        if isinstance(reply.body, str)
        else ""
        if reply.body is None
        else json.dumps(reply.body, default=float)
    )
    if body:
        headers.setdefault("Content-Type", "application/json; odata.metadata=minimal")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{head}\r\nHTTP/1.1 {reply.status} {phrase}\r\n{lines}\r\n{body}\r\n"
