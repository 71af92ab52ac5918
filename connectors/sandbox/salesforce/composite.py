"""Salesforce's composite and batch resources: several calls in one."""

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from connectors.sandbox.routing import Reply, Request, Route, Router
from connectors.sandbox.salesforce.values import CallError

if TYPE_CHECKING:
    from connectors.sandbox.salesforce import SalesforceEmulator

MAX_REQUESTS, MAX_HEAVY = 25, 5
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_HEAVY = re.compile(r"/services/data/v[\d.]+/(query|queryAll|composite/sobjects)\b")
_HALTED = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back since another operation in the same transaction failed."}]  # fmt: skip


class Composite:
    """Answers calls that hold calls."""

    def __init__(self, emulator: "SalesforceEmulator") -> None:
        self._emulator = emulator
        self._inner: Router | None = None

    def routes(self) -> list[Route]:
        """The endpoints."""
        root = "/services/data/{version}/composite"
        return [("POST", root, self._composite), ("POST", f"{root}/batch", self._batch)]

    def _run(self, request: Request, method: str, url: str, body: Any, headers: dict[str, str]) -> Reply:
        if self._inner is None:
            self._inner = Router(self._emulator.routes())
        path, _, query = url.partition("?")
        methods, values = self._inner.match(path)
        inner = Request(method, path, parse_qs(query, keep_blank_values=True), request.headers, b"")
        if body is not None:
            inner.body = json.dumps(body).encode()
        if headers:
            inner.headers = type(request.headers)({**request.headers, **{k.lower(): v for k, v in headers.items()}})  # type: ignore[call-arg]  # the server's case-blind mapping
        if method not in methods:
            return self._emulator.unknown(inner, sorted(methods))
        _, names, handler = methods[method]
        return handler(inner, **dict(zip(names, values, strict=True)))

    def _composite(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)
        order = request.json()
        calls = order.get("compositeRequest") if isinstance(order, dict) else None
        if not isinstance(calls, list) or not calls:
            raise CallError(400, "JSON_PARSER_ERROR", "compositeRequest is required")
        self._check(calls)
        whole = bool(order.get("allOrNone", False))
        mark = self._emulator.org.begin() if whole else 0
        answers: dict[str, Any] = {}
        replies = [self._sub(request, call, answers) for call in calls]
        failed = [_has_failed(reply) for reply in replies]
        if whole:
            self._emulator.org.end(mark, undo=any(failed))
            if any(failed):
                for reply, bad in zip(replies, failed, strict=True):
                    reply.update({} if bad else {"body": _HALTED, "httpStatusCode": 400})
        return Reply(body={"compositeResponse": replies})

    def _check(self, calls: list[dict[str, Any]]) -> None:
        if len(calls) > MAX_REQUESTS:
            raise CallError(
                400, "LIMIT_EXCEEDED", f"Limit reached. A maximum of {MAX_REQUESTS} subrequests can be used."
            )
        heavy = sum(1 for call in calls if _HEAVY.match(str(call.get("url", ""))))
        if heavy > MAX_HEAVY:
            text = f"Limit reached. A maximum of {MAX_HEAVY} query or sObject Collections operations can be used."
            raise CallError(400, "LIMIT_EXCEEDED", text)
        names = [str(call.get("referenceId", "")) for call in calls]
        if not all(names) or len(set(names)) < len(names):
            raise CallError(400, "INVALID_INPUT", "Each subrequest needs a referenceId of its own")

    def _sub(self, request: Request, call: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
        name = str(call["referenceId"])
        try:
            url = _filled(str(call.get("url", "")), answers)
            body = _filled_body(call.get("body"), answers)
            reply = self._run(request, str(call.get("method", "GET")).upper(), url, body, call.get("httpHeaders") or {})
        except CallError as error:
            reply = Reply(error.status, error.body())
        shown = json.loads(reply.body) if isinstance(reply.body, str) and reply.body else reply.body
        answers[name] = shown
        return {"body": shown, "httpHeaders": {}, "httpStatusCode": reply.status, "referenceId": name}

    def _batch(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)
        order = request.json()
        calls = order.get("batchRequests") if isinstance(order, dict) else None
        if not isinstance(calls, list) or not 0 < len(calls) <= MAX_REQUESTS:
            raise CallError(400, "INVALID_INPUT", f"batchRequests holds 1 to {MAX_REQUESTS} requests")
        results = []
        for call in calls:
            url = f"/services/data/{str(call.get('url', '')).lstrip('/')}"
            reply = self._run(request, str(call.get("method", "GET")).upper(), url, call.get("richInput"), {})
            shown = json.loads(reply.body) if isinstance(reply.body, str) and reply.body else reply.body
            results.append({"statusCode": reply.status, "result": shown})
        # Unlike a composite, every request of a batch counts as a call.
        self._emulator.api_used += len(calls) - 1
        return Reply(body={"hasErrors": any(one["statusCode"] >= 400 for one in results), "results": results})


def _has_failed(reply: dict[str, Any]) -> bool:
    rows = reply["body"] if isinstance(reply["body"], list) else []
    return reply["httpStatusCode"] >= 400 or any(isinstance(row, dict) and row.get("success") is False for row in rows)


def _filled(text: str, answers: dict[str, Any]) -> str:
    return _REFERENCE.sub(lambda match: str(_referred(match, answers)), text)


def _filled_body(body: Any, answers: dict[str, Any]) -> Any:
    if isinstance(body, str):
        whole = _REFERENCE.fullmatch(body)
        return _referred(whole, answers) if whole else _filled(body, answers)
    if isinstance(body, dict):
        return {key: _filled_body(value, answers) for key, value in body.items()}
    return [_filled_body(value, answers) for value in body] if isinstance(body, list) else body


def _referred(match: re.Match[str], answers: dict[str, Any]) -> Any:
    found = answers.get(match[1])
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", match[2]):
        try:
            found = found[name] if name else found[int(index)]  # type: ignore[index]  # whatever the answer holds
        except (KeyError, IndexError, TypeError):
            found = None
            break
    if found is None:
        text = f"Invalid reference specified. No value for {match[0][2:-1]} found in {match[1]}."
        raise CallError(400, "PROCESSING_HALTED", text)
    return found
