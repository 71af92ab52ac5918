"""HubSpot's words for no: the error bodies of the CRM API, raised by handlers and sent by the emulator."""

import itertools
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox.routing import Reply

_numbers = itertools.count(1)


def correlation_id() -> str:
    """A fresh id of the kind HubSpot puts into errors and the X-HubSpot-Correlation-Id header."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"correlation:{next(_numbers)}"))


class Refusal(Exception):  # noqa: N818 - the vendor's answer, not a failure of ours
    """An answer other than success. ``extra`` joins the generic body: category, errors, context."""

    def __init__(self, status: int, message: str, category: str | None = "VALIDATION_ERROR", **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"status": "error", "message": message, "correlationId": correlation_id()}
        if category:
            self.body["category"] = category
        self.body.update(extra)

    def reply(self) -> Reply:
        """What goes over the line."""
        return Reply(self.status, self.body)


def not_found(what: str = "resource not found") -> Refusal:
    """404 in the generic model."""
    return Refusal(404, what, "OBJECT_NOT_FOUND")


def invalid(message: str, **extra: Any) -> Refusal:
    """400 VALIDATION_ERROR."""
    return Refusal(400, message, **extra)


def bad_input(message: str) -> Refusal:
    """400 for a body that is JSON, but not the JSON of this endpoint."""
    return invalid(f"Invalid input JSON on line 1, column 1: {message}")


def unreadable() -> Refusal:
    """400 for a body that is not JSON at all: the generic answer without a category."""
    return Refusal(400, "There was a problem with the request.", None)


def too_many_inputs(limit: int) -> Refusal:
    """400 for a batch over its limit."""
    return invalid(f"The maximum number of inputs supported in a batch request is {limit}")


def invalid_properties(problems: Sequence["Problem"]) -> Refusal:
    """400 for property values: the message carries a JSON array as text, ``errors`` the same as data."""
    listed = json.dumps([problem.listed() for problem in problems], ensure_ascii=False, separators=(",", ":"))
    return invalid(
        f"Property values were not valid: {listed}",
        errors=[problem.detail() for problem in problems],
        context={},
        links={},
    )


class Problem:
    """One property value that HubSpot does not take."""

    def __init__(self, name: str, code: str, message: str) -> None:
        self.name = name
        self.code = code
        self.message = message

    def listed(self) -> dict[str, Any]:
        """The form inside ``message``."""
        return {
            "isValid": False,
            "message": self.message,
            "error": self.code,
            "name": self.name,
            "localizedErrorMessage": self.message,
        }

    def detail(self) -> dict[str, Any]:
        """The form inside ``errors``."""
        return {
            "message": self.message,
            "code": self.code,
            "in": self.name,
            "context": {"propertyName": [self.name]},
        }


def missing_scopes(scopes: Sequence[str]) -> Refusal:
    """403 for a token without one of these scopes."""
    return Refusal(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        "https://developers.hubspot.com/scopes.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(scopes)},
            }
        ],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )


def row_error(category: str, message: str, context: Mapping[str, Sequence[str]], **extra: Any) -> dict[str, Any]:
    """One entry of ``errors`` in a 207: the StandardError model."""
    return {
        "status": "error",
        "category": category,
        "message": message,
        "context": {key: list(values) for key, values in context.items()},
        "errors": [],
        "links": {},
        **extra,
    }


def rows_not_found(singular: str, ids: Sequence[str]) -> dict[str, Any]:
    """The 207 entry for ids that are archived, merged away or never were."""
    return row_error(
        "OBJECT_NOT_FOUND",
        f"Could not get some {singular.upper()} objects, they may be deleted or not exist. Check that ids are valid.",
        {"ids": ids},
    )


EDGE_530 = (
    "<!DOCTYPE html><html><head><title>Origin DNS error</title></head>"
    "<body><h1>Error 1016</h1><p>HTTP 530</p></body></html>"
)
"""What the edge answers, in place of HubSpot, to a token of a malformed shape."""
