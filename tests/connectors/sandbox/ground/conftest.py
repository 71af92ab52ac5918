"""A CRM of notes on the ground that all emulators share."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connectors.sandbox.server import Emulator, Fault, Headers, Reply, Request, Route, Server

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Toy(Emulator):
    """A CRM of notes."""

    kind = "toy"
    open_routes = frozenset({"POST /token"})
    unmetered_routes = frozenset({"GET /limits"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.clock = lambda: NOW
        self.notes: dict[str, dict[str, Any]] = {"1": {"text": "one"}}

    def routes(self) -> Sequence[Route]:
        return [
            ("POST", "/token", lambda _request: Reply(body={"token": "t"})),
            ("GET", "/limits", lambda _request: Reply(body={"left": 0})),
            ("GET", "/notes", lambda request: Reply(body={"query": request.query, "notes": self.notes})),
            ("POST", "/notes", lambda request: Reply(201, request.json())),
            ("GET", "/notes/{id}", lambda _request, **path: Reply(body={"id": path["id"]})),
            ("GET", "/notes/all", lambda _request: Reply(204)),
            ("GET", "/text", lambda _request: Reply(body="ä" * 2000, headers={"Content-Type": "text/plain"})),
            ("GET", "/crash", self._crash),
        ]

    def _crash(self, _request: Request) -> Reply:
        raise RuntimeError("an emulator's own defect")

    def sign_in(self, request: Request) -> Reply | None:
        return (
            None if request.headers.get("authorization") == "Bearer sandbox" else Reply(401, {"message": "who are you"})
        )

    def refusal(self, fault: Fault, _request: Request) -> Reply:
        return Reply(429 if fault.name == "too_many" else 500, {"fault": fault.name})

    def unknown(self, _request: Request, allowed: Sequence[str]) -> Reply:
        return Reply(405 if allowed else 404, {"allowed": list(allowed)})

    def show(self, _record: str, record_id: str) -> dict[str, Any] | None:
        return self.notes.get(record_id)

    def edit(self, _record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        self.notes[record_id or "new"].update(fields)
        return record_id or "new"

    def remove(self, _record: str, record_id: str) -> None:
        del self.notes[record_id]

    def ask(self, method: str, path: str, body: Any = None, token: str = "sandbox") -> Reply:  # noqa: S107 - opens nothing
        """The answer to a call without a socket."""
        sent = json.dumps(body).encode() if body is not None else b""
        return self.answer(Request(method, path, {}, Headers(authorization=f"Bearer {token}"), sent))


@pytest.fixture
def toy() -> Toy:
    """A CRM of notes, called without a socket."""
    return Toy()


@pytest.fixture
def toy_with() -> type[Toy]:
    """Makes one with options."""
    return Toy


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Toy()) as running:
        yield running


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer sandbox"
        yield session
