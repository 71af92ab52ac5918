"""A server that says what a test tells it to say, a door to it that never really sleeps, and ways to sign in there."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from connectors.auth import MemoryTokens, SignInWay
from connectors.http import Auth, Http, Limiter, Manners
from connectors.settings import ConnectionSettings, SecretRef, SignIn


@dataclass
class Said:
    """One scripted answer. ``cut`` closes the connection in the middle of the body."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    def bytes(self) -> bytes:
        """The body as it is sent."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Heard:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Script:
    """Answers in order; the last one is said for ever after."""

    def __init__(self) -> None:
        self.answers: list[Said] = [Said()]
        self.heard: list[Heard] = []
        self.callers: set[tuple[str, int]] = set()
        self.url = ""

    def will(self, *answers: Said) -> None:
        """What to answer from now on."""
        self.answers = list(answers)

    def next(self) -> Said:
        """The answer whose turn it is."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            heard = Heard(self.command, self.path, dict(self.headers), self.rfile.read(length))
            script.heard.append(heard)
            script.callers.add(self.client_address)
            said = script.next()
            body = said.bytes()
            self.send_response(said.status)
            if body:
                self.send_header("Content-Type", said.headers.get("Content-Type", "application/json"))
            for name, value in said.headers.items():
                if name != "Content-Type":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if said.cut else body)
            self.wfile.flush()
            if said.cut:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            """Nothing."""

    return Handler


@pytest.fixture
def script() -> Iterator[Script]:
    """A server on loopback that follows a script."""
    followed = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(followed))
    server.daemon_threads = True
    followed.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield followed
    server.shutdown()
    server.server_close()
    thread.join()


class Clock:
    """A monotonic clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Passes the time at once."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock that only sleeping moves."""
    return Clock()


OpenDoor = Callable[..., Http]
WIDE = {"general": (1000, 1.0)}
"""Limits that nothing reaches."""


class Badge:
    """A sign-in whose token a test can look at; ``renewals`` counts."""

    def __init__(self, *, renewable: bool = True) -> None:
        self.renewals = 0
        self.renewable = renewable

    def headers(self, door: Http) -> Mapping[str, str]:
        """The current token."""
        return {"Authorization": f"Bearer secret-token-{self.renewals}"}

    def renew(self, door: Http, refused: Mapping[str, str]) -> bool:
        """The next token."""
        self.renewals += 1
        return self.renewable


@pytest.fixture
def open_door(script: Script, clock: Clock) -> Iterator[OpenDoor]:
    """Opens a door to the scripted server: ``open_door(manners, auth, **settings)``."""
    doors: list[Http] = []

    def make(manners: Manners | None = None, auth: Auth | None = None, **settings: Any) -> Http:
        connection = ConnectionSettings.model_validate(
            {"kind": "test", "base_url": script.url, "network": {"connect_timeout": "2s", "read_timeout": "5s"}}
            | settings
        ).named("sales")
        manners = manners or Manners(buckets=WIDE)
        limiter = Limiter(manners.buckets, connection.allowance, sleep=clock.sleep, monotonic=clock)
        doors.append(Http(connection, manners, auth, limiter, sleep=clock.sleep, monotonic=clock))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def said() -> type[Said]:
    """One scripted answer: ``said(status, body, headers, cut)``."""
    return Said


TOKEN_URL = "{host}/oauth/token"
OPERATOR = {"client_id": "env:ID", "client_secret": "env:SECRET", "refresh_token": "env:REFRESH"}


class AnySignIn(SignIn):
    """Every key that a way may want."""

    flow: str | None = None
    client_id: SecretRef | None = None
    client_secret: SecretRef | None = None
    refresh_token: SecretRef | None = None
    token: SecretRef | None = None
    username: str | None = None
    password: SecretRef | None = None
    security_token: SecretRef | None = None
    private_key: SecretRef | None = None


class AnySettings(ConnectionSettings):
    """A connection that may sign in any way."""

    sign_in: AnySignIn = AnySignIn()


@pytest.fixture
def sign_in(script: Script, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Http, Any]]:
    """A door that signs in that way; returns it with the bound sign-in."""
    monkeypatch.setenv("ID", "the-id")
    monkeypatch.setenv("SECRET", "the-secret")
    monkeypatch.setenv("REFRESH", "first-refresh")

    def make(way: SignInWay, tokens: Any = None, folder: Path = Path(), **keys: Any) -> tuple[Http, Any]:
        settings = AnySettings.model_validate(
            {"kind": "test", "base_url": script.url, "sign_in": OPERATOR | keys}, context={"folder": folder}
        ).named("sales")
        auth = way.bind(settings, tokens or MemoryTokens())
        limiter = Limiter(WIDE, sleep=clock.sleep, monotonic=clock)
        return Http(settings, Manners(), auth, limiter, sleep=clock.sleep, monotonic=clock), auth

    return make


def form_of(heard: Heard) -> dict[str, str]:
    """The fields of a form as it arrived."""
    return {name: values[0] for name, values in parse_qs(heard.body.decode()).items()}
