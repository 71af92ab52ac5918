"""Refusals in Zoho's words: ``{"code", "details", "message", "status": "error"}``."""

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.sandbox.routing import Reply


class Refusal(Exception):  # noqa: N818 - an answer of the CRM, not an error of ours
    """A call, or one record of a call, that Zoho refuses."""

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details or {})

    @property
    def body(self) -> dict[str, Any]:
        """The error object."""
        return {"code": self.code, "details": self.details, "message": self.message, "status": "error"}

    def reply(self) -> Reply:
        """The whole call refused, in a bare object."""
        return Reply(self.status, self.body)


def invalid(message: str, **details: Any) -> Refusal:
    """400 INVALID_DATA."""
    return Refusal(400, "INVALID_DATA", message, details)


def check_keys(sent: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refusal of the Bulk APIs: a key that no description knows."""
    unknown = [name for name in sent if name not in known]
    if unknown:
        raise Refusal(400, "REQUEST_BODY_NOT_SUPPORTED", "the request body is not supported", {"keys": unknown})


def missing_param(name: str) -> Refusal:
    """400 for a query parameter that must be there."""
    return Refusal(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", {"param_name": name})


def too_many(limit: int, message: str = "the limit has been exceeded", **details: Any) -> Refusal:
    """400 LIMIT_EXCEEDED."""
    return Refusal(400, "LIMIT_EXCEEDED", message, {"limit": limit, **details})


def no_module(index: int = 0) -> Refusal:
    """400 for a module that is not there; ``index``: its place in the path."""
    message = "the module name given seems to be invalid"
    return Refusal(400, "INVALID_MODULE", message, {"resource_path_index": index})


def no_path() -> Refusal:
    """404 for a path that is none of the API's."""
    return Refusal(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")


def wrong_method() -> Refusal:
    """400 for a method that a path does not have."""
    return Refusal(400, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one")


def no_permission(right: str) -> Refusal:
    """403 for a right that the user's profile lacks (``Crm_Implied_View_Deals``)."""
    return Refusal(403, "NO_PERMISSION", "permission denied", {"permissions": [right]})


def scope_mismatch() -> Refusal:
    """401 for a token without the scope of the path."""
    return Refusal(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")


def invalid_token() -> Refusal:
    """401 for an access token that is unknown or past its time."""
    return Refusal(401, "INVALID_TOKEN", "invalid oauth token")


def not_signed_in() -> Refusal:
    """401 for a call without ``Authorization: Zoho-oauthtoken ...``."""
    return Refusal(401, "AUTHENTICATION_FAILURE", "Authentication failed")


def too_many_requests() -> Refusal:
    """429 for the budget of the day, and for too many calls at once."""
    return Refusal(429, "TOO_MANY_REQUESTS", "You have exceeded the API request limit, please try again later")


def as_list(name: str, error: Refusal) -> Reply:
    """The refusal wrapped as the one element of ``data[]``, ``users[]`` or ``fields[]``."""
    return Reply(error.status, {name: [error.body]})
