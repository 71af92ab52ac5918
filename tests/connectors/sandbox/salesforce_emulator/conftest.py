"""A caller of the Salesforce emulator without a socket, and a small world for it."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from urllib3.filepost import encode_multipart_formdata

from connectors.sandbox.folder import write_world
from connectors.sandbox.routing import Headers, Reply, Request
from connectors.sandbox.salesforce import SalesforceEmulator

START = datetime(2026, 3, 2, 9, 30, 15, 250_000, tzinfo=UTC)
BASE = "/services/data/v64.0"


SPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
APPRAISAL = (
    f"<CustomObject {SPACE}><label>Appraisal</label><pluralLabel>Appraisals</pluralLabel><nameField><type>Text</type>"
    "<label>Name</label></nameField><deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>"
    "</CustomObject>"
)


def manifest(name: str) -> str:
    """A package's list of contents: one object, or none."""
    types = f"<types><members>{name}</members><name>CustomObject</name></types>" if name else ""
    return f"<Package {SPACE}>{types}<version>64.0</version></Package>"


def package(files: Mapping[str, str]) -> bytes:
    """A zip archive of these files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    return archive.getvalue()


def form(archive: bytes, options: str = '{"deployOptions":{"singlePackage":true}}') -> tuple[bytes, str]:
    """The body of a request to deploy, and its content type."""
    return encode_multipart_formdata(
        [("json", ("x.json", options, "application/json")), ("file", ("x.zip", archive, "application/zip"))]
    )


class Caller:
    """Calls an emulator in this thread and moves its clock."""

    def __init__(self, world: Path | None = None, **options: Any) -> None:
        self.moment = START
        self.emulator = SalesforceEmulator(world, clock=lambda: self.moment, **options)
        self.emulator.url = "http://127.0.0.1:1"
        self.token = "sandbox"

    def wait(self, seconds: float) -> None:
        """Lets time pass for the emulator."""
        self.moment += timedelta(seconds=seconds)

    def __call__(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """The whole answer. A target without a leading slash is below ``/services/data/v64.0``."""
        parts = urlsplit(target if target.startswith("/") else f"{BASE}/{target}")
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = Headers({name.lower().replace("_", "-"): value for name, value in headers.items()})
        if self.token:
            named.setdefault("authorization", f"Bearer {self.token}")
        return self.emulator.answer(
            Request(method, parts.path, parse_qs(parts.query, keep_blank_values=True), named, sent)
        )

    def body(self, method: str, target: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        """The body of a call that must answer ``status``."""
        reply = self(method, target, body, **headers)
        shown = json.loads(reply.body) if isinstance(reply.body, str) and reply.body else reply.body
        assert reply.status == status, (reply.status, shown)
        return shown

    def get(self, target: str, status: int = 200, **headers: str) -> Any:
        """The body of a GET."""
        return self.body("GET", target, status=status, **headers)

    def post(self, target: str, body: Any, status: int = 201) -> Any:
        """The body of a POST."""
        return self.body("POST", target, body, status=status)

    def patch(self, target: str, body: Any, status: int = 200) -> Any:
        """The body of a PATCH."""
        return self.body("PATCH", target, body, status=status)

    def delete(self, target: str, status: int = 204) -> Any:
        """The body of a DELETE."""
        return self.body("DELETE", target, status=status)

    def soql(self, text: str, *, everything: bool = False, status: int = 200, **headers: str) -> Any:
        """The answer to a query."""
        verb = "queryAll" if everything else "query"
        return self.body("GET", f"{verb}/?q={quote(text)}", status=status, **headers)

    def rows(self, text: str, *, everything: bool = False) -> list[dict[str, Any]]:
        """The records of a query of one page, without their attributes."""
        answer = self.soql(text, everything=everything)
        assert answer["done"], "more than one page"
        return [{name: value for name, value in row.items() if name != "attributes"} for row in answer["records"]]

    def make(self, kind: str, **fields: Any) -> str:
        """The id of a new record."""
        return str(self.post(f"sobjects/{kind}", fields)["id"])

    def deal(self, name: str = "Deal", **fields: Any) -> str:
        """The id of a new opportunity."""
        return self.make("Opportunity", Name=name, **{"StageName": "Prospecting", "CloseDate": "2026-06-30", **fields})

    def update_many(self, *records: Mapping[str, Any], kind: str = "Opportunity", **more: Any) -> Any:
        """The results of a collection update."""
        typed = [{"attributes": {"type": kind}, **record} for record in records]
        return self.patch("composite/sobjects", {"records": typed, **more})

    def arm(self, name: str, **options: Any) -> None:
        """Arms a fault."""
        reply = self("POST", "/__faults", {"name": name, **options})
        assert reply.status == 200, reply.body


@pytest.fixture
def sf() -> Caller:
    """An org without records."""
    return Caller()


@pytest.fixture
def org_with() -> Callable[..., Caller]:
    """Makes an org with options of its own."""
    return Caller


@pytest.fixture
def grant() -> Callable[[Caller, str], None]:
    """Lets the user we run as see and edit custom fields ``Object.Field__c``."""

    def give(sf: Caller, *fields: str) -> None:
        granted = sf.make("PermissionSet", Name="Test", Label="Test")
        sf.make("PermissionSetAssignment", PermissionSetId=granted, AssigneeId=sf.emulator.org.running_user)
        for field in fields:
            sf.make(
                "FieldPermissions",
                ParentId=granted,
                SobjectType=field.partition(".")[0],
                Field=field,
                PermissionsRead=True,
                PermissionsEdit=True,
            )

    return give


@pytest.fixture
def deploy() -> Callable[..., Any]:
    """Makes or deletes an object by a package; the result of the deployment."""

    def run(sf: Caller, make: str = "", drop: str = "", document: str = APPRAISAL) -> Any:
        files = {"package.xml": manifest(make)}
        files |= {f"objects/{make}.object": document} if make and document else {}
        files |= {"destructiveChanges.xml": manifest(drop)} if drop else {}
        body, kind = form(package(files))
        job = sf.body("POST", "metadata/deployRequest", body, status=201, content_type=kind)["id"]
        return sf.get(f"metadata/deployRequest/{job}?includeDetails=true")["deployResult"]

    return run


@pytest.fixture
def org_of(tmp_path: Path) -> Callable[..., Caller]:
    """Makes an org from world tables."""

    def build(tables: Mapping[str, Sequence[Mapping[str, str]]], **options: Any) -> Caller:
        write_world(tmp_path / "world", tables)
        return Caller(tmp_path / "world", **options)

    return build
