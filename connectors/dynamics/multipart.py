"""The body of an OData ``$batch``: single requests without a change set, so that one refusal costs one row."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from connectors.answers import read_json, write_json
from connectors.errors import ContractError, ForbiddenError, RejectedError, RetryLaterError, ScorebackError

BOUNDARY = "batch_scoreback"
_END = "\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch: ``path`` begins with ``/api/data/``."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to one part."""

    status: int
    body: Any
    retry_after: str = ""

    @property
    def error(self) -> tuple[str, str]:
        """The vendor's code and text."""
        said = self.body.get("error") if isinstance(self.body, dict) else None
        said = said if isinstance(said, dict) else {}
        return str(said.get("code") or self.status), str(said.get("message") or "refused without a word")

    @property
    def passes(self) -> bool:
        """Whether the refusal is one of the moment: limits, and what the service itself could not do."""
        return self.status == 429 or self.status in (502, 503, 504)

    def failure(self) -> ScorebackError:
        """The error of a read that was refused."""
        code, text = self.error
        if self.passes:
            after = float(self.retry_after) if self.retry_after.isdigit() else None
            return RetryLaterError(f"{code}: {text}", after)
        if self.status == 403:
            return ForbiddenError(f"{code}: {text}")
        return RejectedError(code, text, self.status)


def compose(parts: Sequence[Part]) -> bytes:
    """The body of a batch (vendor page 4.2: CRLF, an empty line after each block of headers)."""
    pieces: list[bytes] = []
    for part in parts:
        lines = [
            f"--{BOUNDARY}", "Content-Type: application/http", "Content-Transfer-Encoding: binary", "",
            f"{part.method} {part.path} HTTP/1.1", "Accept: application/json",
            *(f"{name}: {value}" for name, value in part.headers.items()),
        ]  # fmt: skip
        if part.body is not None:
            lines.append("Content-Type: application/json; type=entry")
        content = b"" if part.body is None else write_json(part.body)
        pieces.append((_END.join(lines) + _END * 2).encode() + content + _END.encode())
    return b"".join(pieces) + f"--{BOUNDARY}--{_END}".encode()


def parse(content_type: str, body: bytes) -> list[Said] | None:
    """The answers in the order of the requests; None for a body that was cut. Raises ContractError for one that is no batch."""
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str):
        raise ContractError("a batch was answered without parts", body[:500].decode(errors="replace"))
    _, *pieces = body.replace(b"\r\n", b"\n").split(f"--{boundary}".encode())
    if not pieces or not pieces[-1].startswith(b"--"):
        return None
    return [_said(piece.strip(b"\n")) for piece in pieces[:-1]]


def _said(piece: bytes) -> Said:
    _, _, inner = piece.partition(b"\n\n")
    head, _, content = inner.partition(b"\n\n")
    status_line, *lines = head.decode().split("\n")
    words = status_line.split(" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise ContractError("a part of a batch has no status", piece[:500].decode(errors="replace"))
    named = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    try:
        value = read_json(content) if content.strip() else None
    except json.JSONDecodeError:
        value = None
    return Said(int(words[1]), value, named.get("retry-after", ""))
