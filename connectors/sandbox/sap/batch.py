"""``$batch``: a multipart body of GETs and changesets, each answered by a part of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from connectors.sandbox.routing import BadJson, Headers, Reply, Request
from connectors.sandbox.sap.errors import ODataError, refused

if TYPE_CHECKING:
    from connectors.sandbox.sap import SapEmulator

_BOUNDARY = re.compile(r'boundary="?([^";,\s]+)"?')
_LINE = re.compile(r"(GET|POST|PUT|PATCH|MERGE|DELETE) (\S+) HTTP/1\.1")
_VERBS = frozenset({"POST", "PUT", "PATCH", "MERGE", "DELETE"})


@dataclass(slots=True)
class Call:
    """One inner call, with the Content-ID that its answer repeats."""

    request: Request
    parts: list[str]
    content_id: str = ""


@dataclass(slots=True)
class Part:
    """A GET alone, or the calls of a changeset."""

    calls: list[Call] = field(default_factory=list)
    changeset: bool = False


class Batch:
    """Answers a batch; an outer success says nothing of the parts."""

    def __init__(self, emulator: "SapEmulator") -> None:
        self._emulator = emulator

    def answer(self, request: Request) -> Reply:
        """The whole batch, in order."""
        boundary = _boundary(request.headers)
        read = [_part(headers, body, self._emulator.base) for headers, body in _split(request.body, boundary)]
        limit = self._emulator.batch_parts
        if not read or (limit is not None and len(read) > limit):
            raise ODataError(400, f"A batch has 1 to {limit} parts" if limit else "The batch is empty")
        writes = [call for part in read if part.changeset for call in part.calls]
        trouble = self._emulator.row_trouble(request, writes)
        place = {id(call): at for at, call in enumerate(writes)}
        shown: list[str] = []
        for part in read:
            if part.changeset:
                refuse = {id(call): trouble[place[id(call)]] for call in part.calls if place[id(call)] in trouble}
                shown.append(self._changeset(part, refuse, len(shown)))
            else:
                shown.append(_http(self._guarded(part.calls[0], None), ""))
        answer = "".join(f"--{_OUTER}\r\n{one}" for one in shown) + f"--{_OUTER}--\r\n"
        return Reply(
            self._emulator.batch_status,
            answer,
            {"Content-Type": f"multipart/mixed; boundary={_OUTER}", "DataServiceVersion": "2.0"},
        )

    def _changeset(self, part: Part, refuse: Mapping[int, ODataError], number: int) -> str:
        """All or nothing: the first refused call takes everything back and is the only answer."""
        store, inner = self._emulator.store, f"changeset_answer_{number}"
        store.begin()
        answers = []
        made: dict[str, str] = {}
        for call in part.calls:
            call.parts = [made.get(one, one) for one in call.parts]
            reply = self._guarded(call, refuse.get(id(call)))
            if reply.status >= 400:
                store.roll_back()
                return _http(reply, call.content_id)
            if call.content_id and (place := reply.headers.get("location")):
                made[f"${call.content_id}"] = place.rpartition("/")[2]
            answers.append(f"--{inner}\r\n{_http(reply, call.content_id)}")
        store.commit()
        body = "".join(answers) + f"--{inner}--\r\n"
        return f"Content-Type: multipart/mixed; boundary={inner}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"

    def _guarded(self, call: Call, refusal: ODataError | None) -> Reply:
        request = call.request
        try:
            if refusal is not None:
                raise refusal
            if request.method == "GET":
                return self._emulator.reads.get(request, call.parts, batch=True)
            return self._emulator.saving(lambda: self._emulator.writes.write(request, call.parts))
        except ODataError as error:
            return refused(error, request)
        except BadJson as error:
            return refused(ODataError(400, f"Malformed JSON: {error}"), request)


_OUTER = "batch_answer"


def _boundary(headers: Mapping[str, str]) -> str:
    match = _BOUNDARY.search(headers.get("content-type", ""))
    if match is None or not headers.get("content-type", "").lower().startswith("multipart/mixed"):
        raise ODataError(400, "A batch must be multipart/mixed with a boundary")
    return match[1]


def _split(body: bytes, boundary: str) -> list[tuple[Headers, bytes]]:
    """The parts of a multipart body with their headers. Lines end with CRLF; SAP does not check Content-Length."""
    mark = b"--" + boundary.encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ODataError(400, f"The batch does not end with its boundary '{boundary}'")
    found = []
    for piece in pieces[1:-1]:
        head, blank, rest = piece.partition(b"\r\n\r\n")
        if not blank:
            raise ODataError(400, "A part of the batch has no blank line behind its headers")
        found.append((_headers(head), rest))
    return found


def _headers(text: bytes) -> Headers:
    headers = Headers()
    for line in text.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers


def _part(headers: Headers, body: bytes, base: str) -> Part:
    kind = headers.get("content-type", "").lower()
    if kind.startswith("multipart/mixed"):
        calls = [_call(inner, rest, base) for inner, rest in _split(body, _boundary(headers))]
        if any(call.request.method == "GET" for call in calls):
            raise ODataError(400, "A changeset must not contain a GET")
        return Part(calls, changeset=True)
    call = _call(headers, body, base)
    if call.request.method != "GET":
        raise ODataError(400, "A change must stand in a changeset")
    return Part([call])


def _call(headers: Headers, body: bytes, base: str) -> Call:
    if headers.get("content-type", "").partition(";")[0].strip() != "application/http":
        raise ODataError(400, "A call of the batch must be application/http")
    line, _, rest = body.partition(b"\r\n")
    match = _LINE.fullmatch(line.decode("latin-1").strip())
    if match is None:
        raise ODataError(400, f"Not a request line: '{line.decode('latin-1')[:60]}'")
    # "\r\n" before: a call without headers begins with the blank line that ends them
    head, blank, sent = (b"\r\n" + rest).partition(b"\r\n\r\n")
    if match[1] == "GET" and not blank:
        raise ODataError(400, "A GET must be followed by two blank lines")
    path, _, query = match[2].partition("?")
    inner = _headers(head)
    request = Request(
        match[1], path, parse_qs(query, keep_blank_values=True), inner, sent if match[1] in _VERBS else b""
    )
    return Call(request, _relative(path, base), headers.get("content-id", inner.get("content-id", "")))


def _relative(path: str, base: str) -> list[str]:
    """The segments below the service root, of a relative or an absolute address."""
    below = path.partition(f"{base}/")[2] if base in path else path
    return [unquote(one) for one in below.strip("/").split("/")]


def _http(reply: Reply, content_id: str) -> str:
    body = reply.body or ""
    phrase = HTTPStatus(reply.status).phrase
    headers = dict(reply.headers) | {"Content-Length": str(len(str(body).encode())), "DataServiceVersion": "2.0"}
    inner = f"HTTP/1.1 {reply.status} {phrase}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    inner += f"\r\n{body}\r\n"
    named = f"Content-ID: {content_id}\r\n" if content_id else ""
    return (
        f"Content-Type: application/http\r\nContent-Length: {len(inner.encode())}\r\n"
        f"Content-Transfer-Encoding: binary\r\n{named}\r\n{inner}"
    )
