"""``$batch`` as text: one changeset for each change, so that a refused one leaves the others standing.

The outer status of an answer says nothing: each part has its own (docs/connectors/sap.md, section Writing).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any

from connectors.answers import read_json, write_json
from connectors.errors import ContractError

BOUNDARY = "scoreback_batch"
CONTENT_TYPE = f"multipart/mixed; boundary={BOUNDARY}"


@dataclass(frozen=True, slots=True)
class Change:
    """One PATCH or POST below the service root. ``tag`` is the ETag that the record must still have, byte for byte."""

    method: str
    path: str
    body: Mapping[str, Any]
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change: its own status, the CRM's code and text where it was refused, the new ETag if it is told."""

    status: int
    code: str = ""
    text: str = ""
    tag: str = ""

    @property
    def done(self) -> bool:
        """Whether the change stands."""
        return 200 <= self.status < 300


def batch_body(changes: Sequence[Change]) -> bytes:
    """The body of a batch; lines end with CRLF, and no part shares its transaction with another."""
    lines: list[bytes] = []
    for number, change in enumerate(changes, 1):
        inner = f"changeset_{number}"
        body = write_json(change.body)
        lines += [
            f"--{BOUNDARY}".encode(),
            f"Content-Type: multipart/mixed; boundary={inner}".encode(),
            b"",
            f"--{inner}".encode(),
            b"Content-Type: application/http",
            b"Content-Transfer-Encoding: binary",
            f"Content-ID: {number}".encode(),
            b"",
            f"{change.method} {change.path} HTTP/1.1".encode(),
            b"Content-Type: application/json",
            b"Accept: application/json",
            *([f"If-Match: {change.tag}".encode()] if change.tag else []),
            f"Content-Length: {len(body)}".encode(),
            b"",
            body,
            f"--{inner}--".encode(),
        ]
    lines += [f"--{BOUNDARY}--".encode(), b""]
    return b"\r\n".join(lines)


def batch_outcomes(content_type: str, body: bytes, count: int) -> list[Outcome]:
    """What became of ``count`` changes, in order. Raises ContractError for an answer that does not speak of each."""
    whole = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    parts = _parts(whole)
    outcomes = [next((_outcome(inner) for inner in _leaves(part)), None) for part in parts]
    if len(outcomes) != count or None in outcomes:
        told = body.decode("utf-8", "replace")
        raise ContractError(f"{count} changes were sent in a batch, and the answer speaks of {len(outcomes)}", told)
    return [outcome for outcome in outcomes if outcome is not None]


def _parts(message: Message) -> list[Message]:
    return [part for part in message.get_payload() if isinstance(part, Message)] if message.is_multipart() else []


def _leaves(part: Message) -> Iterator[Message]:
    """The answers in a part: a changeset's are wrapped, a refused changeset's single one may stand bare."""
    for one in _parts(part) or [part]:
        if one.get_content_type() == "application/http":
            yield one


def _outcome(part: Message) -> Outcome:
    payload = part.get_payload(decode=True)
    text = payload if isinstance(payload, bytes) else b""
    head, _, body = text.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    words = head.split(b"\n", 1)[0].split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ContractError("a part of a batch's answer has no status line", text.decode("utf-8", "replace"))
    status = int(words[1])
    if status < 400:
        tags = [line.partition(b":")[2] for line in head.split(b"\n") if line.lower().startswith(b"etag:")]
        return Outcome(status, tag=tags[0].strip().decode("latin-1") if tags else "")
    code, said = _words(body)
    return Outcome(status, code or str(status), said or f"refused with {status}")


def _words(body: bytes) -> tuple[str, str]:
    try:
        error = read_json(body)["error"]
        message = error["message"]
        return str(error.get("code") or ""), str(message["value"] if isinstance(message, dict) else message)
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError):
        return "", body.decode("utf-8", "replace").strip()  # XML, or a page of a gateway
