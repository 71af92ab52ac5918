"""Refusals in the words of OData version 2."""

import json
from xml.sax.saxutils import escape

from connectors.sandbox.routing import Reply, Request

XML = "application/xml;charset=utf-8"
JSON = "application/json;charset=utf-8"


class ODataError(Exception):
    """A refused call: status, text, and the code SAP's applications give where they give one."""

    def __init__(self, status: int, text: str, code: str = "") -> None:
        super().__init__(text)
        self.status, self.text, self.code = status, text, code


def wants_json(request: Request) -> bool:
    """Whether the answer is JSON: asked by ``$format`` or, without it, by ``Accept``. Atom and XML are the default."""
    chosen = request.first("$format")
    if chosen is not None:
        return chosen.lower() in {"json", "application/json"}
    return "json" in request.headers.get("accept", "")


def refused(error: ODataError, request: Request) -> Reply:
    """The answer to a refused call."""
    if wants_json(request):
        message = {"lang": "en", "value": error.text}
        return Reply(
            error.status, json.dumps({"error": {"code": error.code, "message": message}}), {"Content-Type": JSON}
        )
    body = (
        '<?xml version="1.0" encoding="utf-8"?><error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
        f'<code>{escape(error.code)}</code><message xml:lang="en">{escape(error.text)}</message></error>'
    )
    return Reply(error.status, body, {"Content-Type": XML})
