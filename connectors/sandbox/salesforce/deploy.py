"""Salesforce's Metadata API by REST, as far as a deployment makes and deletes custom objects."""

import io
import json
import zipfile
from collections import Counter
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from connectors.sandbox.routing import Reply, Request, Route
from connectors.sandbox.salesforce.values import CallError

if TYPE_CHECKING:
    from connectors.sandbox.salesforce import SalesforceEmulator

_SPACE = "{http://soap.sforce.com/2006/04/metadata}"
_OPTIONS = frozenset(
    {"allowMissingFiles", "autoUpdatePackage", "checkOnly", "ignoreWarnings", "performRetrieve", "purgeOnDelete",
     "rollbackOnError", "runTests", "singlePackage", "testLevel"}
)  # fmt: skip


class Deployments:
    """Takes packages. A deployment is done at once but says so only after ``polls`` questions."""

    def __init__(self, emulator: "SalesforceEmulator", polls: int) -> None:
        self._emulator = emulator
        self._polls = polls
        self._results: dict[str, dict[str, Any]] = {}
        self._asked: Counter[str] = Counter()

    def routes(self) -> list[Route]:
        """The endpoints."""
        root = "/services/data/{version}/metadata/deployRequest"
        return [("POST", root, self._begin), ("GET", f"{root}/{{id}}", self._show)]

    def _begin(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)
        parts = _parts(request)
        if set(parts) != {"json", "file"}:
            raise CallError(400, "INVALID_MULTIPART_REQUEST", "The request needs one part json and one part file")
        if parts["json"][0] != "application/json" or parts["file"][0] != "application/zip":
            raise CallError(415, "UNSUPPORTED_MEDIA_TYPE", "The parts must be application/json and application/zip")
        options = json.loads(parts["json"][1]).get("deployOptions")
        if not isinstance(options, dict) or set(options) - _OPTIONS or not options.get("singlePackage"):
            raise CallError(
                400, "JSON_PARSER_ERROR", "deployOptions: an option is unknown, or singlePackage is not set"
            )
        job = self._emulator.org.next_id("0Af")
        self._results[job] = self._result(parts["file"][1])
        return Reply(201, {"id": job, "deployOptions": options, "deployResult": None})

    def _show(self, request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        job = path["id"]
        if job not in self._results:
            raise CallError(404, "NOT_FOUND", "The requested resource does not exist")
        result = {"id": job, "status": "InProgress", "done": False, "success": False}
        if self._asked[job] >= self._polls:
            details = self._results[job]["details"] if request.first("includeDetails") == "true" else None
            result = {"id": job, **self._results[job], "details": details}
        self._asked[job] += 1
        return Reply(body={"id": job, "deployResult": result})

    def _result(self, archive: bytes) -> dict[str, Any]:
        tooling, made = self._emulator.tooling, list[str]()
        failures: list[dict[str, str]] = []
        try:
            files = _files(archive)
            for name in _members(files, "package.xml"):
                tooling.make_object(name, _described(files, f"objects/{name}.object"))
                made.append(name)
            for name in _members(files, "destructiveChanges.xml"):
                tooling.drop_object(name)
        except CallError as error:
            failures.append({"componentType": "CustomObject", "problem": error.text, "problemType": "Error"})
            for name in made:
                tooling.drop_object(name)
        status = "Failed" if failures else "Succeeded"
        details = {"componentFailures": failures, "componentSuccesses": []}
        return {"status": status, "done": True, "success": not failures, "details": details}


def _parts(request: Request) -> dict[str, tuple[str, bytes]]:
    """Content type and content of the parts of a form, by name."""
    kind = request.headers.get("Content-Type", "")
    if not kind.startswith("multipart/form-data"):
        raise CallError(415, "UNSUPPORTED_MEDIA_TYPE", f"The content type {kind or 'of nothing'} is not supported")
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    found: dict[str, tuple[str, bytes]] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="Content-Disposition")
        found[str(name)] = part.get_content_type(), part.get_content()
    return found


def _files(archive: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as package:
            files = {name: package.read(name) for name in package.namelist()}
    except zipfile.BadZipFile:
        raise CallError(400, "", "The file is not a zip archive") from None
    if "package.xml" not in files:
        raise CallError(400, "", "No package.xml found")
    return files


def _members(files: dict[str, bytes], manifest: str) -> list[str]:
    """Custom objects that a manifest names."""
    if manifest not in files:
        return []
    return [
        member.text or ""
        for types in _root(files[manifest]).findall(f"{_SPACE}types")
        if types.findtext(f"{_SPACE}name") == "CustomObject"
        for member in types.findall(f"{_SPACE}members")
    ]


def _root(document: bytes) -> ET.Element:
    try:
        return ET.fromstring(document)  # noqa: S314 - on loopback, from whoever runs the emulator
    except ET.ParseError as error:
        raise CallError(400, "", f"Error parsing file: {error}") from None


def _described(files: dict[str, bytes], name: str) -> dict[str, Any]:
    """The object's metadata, nested as in the document."""
    if name not in files:
        raise CallError(400, "", f"{name} was named in package.xml, but was not found in zipped directory")
    return {
        child.tag.removeprefix(_SPACE): {one.tag.removeprefix(_SPACE): one.text for one in child} or child.text
        for child in _root(files[name])
    }
