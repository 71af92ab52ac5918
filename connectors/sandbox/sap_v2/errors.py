"""Refusals in the words of version 2: ``message`` is a text here, where version 1 has an object."""

from collections.abc import Sequence
from typing import Any

from connectors.sandbox.routing import Reply


class RestError(Exception):
    """A refused call."""

    def __init__(self, status: int, code: str, text: str, target: str = "") -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.target = status, code, text, target

    def reply(self, details: Sequence[dict[str, Any]] = ()) -> Reply:
        """The answer."""
        body: dict[str, Any] = {"code": self.code, "message": self.text}
        if self.target:
            body["target"] = self.target
        return Reply(self.status, {"error": {**body, "details": list(details)}})
