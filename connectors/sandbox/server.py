"""The HTTP server under every emulator, on 127.0.0.1 only.

``with Server(emulator) as server: server.url`` serves from a daemon thread; ``serve_forever`` from this one. Written on
``socketserver`` because ``http.server`` spends more on a request line and headers than an emulator on the answer.
"""

import contextlib
import gzip
import json
import logging
import socket
import socketserver
import threading
from decimal import Decimal
from email.utils import format_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import CATALOGUE, Fault, FaultKind, Faults
from connectors.sandbox.routing import BAD_GATEWAY, BadJson, Handler, Headers, Reply, Request, Route

__all__ = [
    "BAD_GATEWAY", "CATALOGUE", "BadJson", "Emulator", "Fault", "FaultKind", "Faults", "Handler", "Headers", "Reply",
    "Request", "Route", "Server", "serve_forever",
]  # fmt: skip

_log = logging.getLogger(__name__)
_GZIP_FROM_BYTES = 1024
_MAX_HEADERS = 200


class _Unreadable(Exception):  # noqa: N818 - a state of the line, answered with a status
    """The bytes on the line are no HTTP request that we answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Connection(socketserver.StreamRequestHandler):
    """One kept-alive connection: reads a request, sends its whole answer in one piece, and again."""

    server: "_Listener"
    disable_nagle_algorithm = True
    rbufsize = 65_536

    def handle(self) -> None:
        try:
            while self._one():
                pass
        except (ConnectionError, TimeoutError, ValueError):
            # The client went away, or the server was stopped under us: there is nobody left to tell.
            return

    def _one(self) -> bool:
        try:
            read = self._read()
        except _Unreadable as error:
            self._send(
                Reply(error.status, f"<html><body>{error.status}</body></html>", {"Content-Type": "text/html"}), None
            )
            return False
        if read is None:
            return False
        request, keep = read
        try:
            reply = self.server.emulator.answer(request)
        except Exception:  # noqa: BLE001 - an emulator's own defect must show: a 500 that no vendor sends, a traceback
            _log.exception("emulator_failed")
            reply = Reply(500, {"emulator": "failed; see its log", "path": request.path})
        return self._send(reply, request) and keep

    def _read(self) -> tuple[Request, bool] | None:
        line = self.rfile.readline(self.server.emulator.max_target + 2)
        if not line:
            return None
        if not line.endswith(b"\n"):
            raise _Unreadable(414)
        words = line.decode("latin-1").split()
        if len(words) != 3:
            raise _Unreadable(400)
        method, target, version = words
        headers = self._read_headers()
        path, _, query = target.partition("?")
        request = Request(method, path, parse_qs(query, keep_blank_values=True), headers, self._read_body(headers))
        connection = headers.get("connection", "").lower()
        return request, connection != "close" and (version != "HTTP/1.0" or connection == "keep-alive")

    def _read_headers(self) -> Headers:
        headers = Headers()
        for _ in range(_MAX_HEADERS):
            line = self.rfile.readline(65_537)
            if line in (b"\r\n", b"\n", b""):
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        raise _Unreadable(431)

    def _read_body(self, headers: Headers) -> bytes:
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._read_chunks()
        else:
            body = self.rfile.read(int(headers.get("content-length", 0)))
        return gzip.decompress(body) if body and headers.get("content-encoding", "").lower() == "gzip" else body

    def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(self.rfile.readline(100).split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline(10)
        while self.rfile.readline(65_537) not in (b"\r\n", b"\n", b""):
            pass
        return b"".join(chunks)

    def _send(self, reply: Reply, request: Request | None) -> bool:
        emulator = self.server.emulator
        body, headers = _encode(reply.body, emulator.content_type)
        headers.update(reply.headers)
        if reply.truncated:
            body = body[: len(body) // 2]
        if request and len(body) > _GZIP_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        headers["Date"] = format_datetime(emulator.now(), usegmt=True)
        if reply.status not in (204, 304):
            headers["Content-Length"] = str(len(body))
        head = f"HTTP/1.1 {reply.status} {_phrase(reply.status)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        if reply.status in (204, 304) or (request and request.method == "HEAD"):
            body = b""
        if reply.cut:
            body = body[: len(body) // 2]
        self.wfile.write(head.encode("latin-1") + body)
        return not reply.cut


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, emulator: Emulator, port: int) -> None:
        self.emulator = emulator
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.exception("connection_failed")

    def close_all(self) -> None:
        """Ends every open connection and waits for its thread."""
        for connection, thread in list(self._open.items()):
            with contextlib.suppress(OSError):  # the client was quicker
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


class Server:
    """Serves an emulator on 127.0.0.1 from a thread of its own, until the ``with`` block ends."""

    def __init__(self, emulator: Emulator, port: int = 0) -> None:
        self.emulator = emulator
        self._listener = _Listener(emulator, port)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        emulator.url = self.url
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def start(self) -> Self:
        """Begins to serve."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends serving and closes every connection."""
        self._listener.shutdown()
        self._thread.join()
        self._listener.close_all()
        self._listener.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve_forever(emulator: Emulator, port: int) -> None:
    """Serves an emulator in the foreground until interrupted (KeyboardInterrupt passes to the caller)."""
    listener = _Listener(emulator, port)
    emulator.url = f"http://127.0.0.1:{listener.server_address[1]}"
    try:
        listener.serve_forever(poll_interval=0.1)
    finally:
        listener.close_all()
        listener.server_close()


def _encode(body: Any, content_type: str) -> tuple[bytes, dict[str, str]]:
    if body is None:
        return b"", {}
    if isinstance(body, bytes):
        return body, {"Content-Type": content_type}
    if isinstance(body, str):
        return body.encode(), {"Content-Type": content_type}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.encode(), {"Content-Type": content_type}


def _plain(value: object) -> float | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    message = f"{type(value).__name__} cannot be sent as JSON"
    raise TypeError(message)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
