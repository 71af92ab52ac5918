"""What the connector sends and the emulator answers, held against both sets of Zoho's interface descriptions."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors.base import FieldSpec, Window, Write, WriteTarget
from connectors.zoho import Zoho

FOLDER = Path(__file__).parents[4] / "shared" / "specs" / "zoho"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the descriptions are not part of the project: no ../shared"
)

OLD, NEW = "openapi-3.0-2025-06", "openapi-3.1-2026-08"
FILES: dict[str, tuple[str, str]] = {
    # beginning of the path behind the version: file of 2025, file of 2026
    "/coql": ("coql", "coql"),
    "/read": ("bulk_read", "bulk-read"),
    "/write": ("bulk_write", "bulk-write"),
    "/upload": ("bulk_write", "upload"),
    "/users": ("users", "users"),
    "/org/currencies": ("currencies", "currencies"),
    "/org": ("org", "org"),
    "/settings/fields": ("fields", "fields"),
    "/settings/modules": ("modules", "modules"),
    "/settings/layouts": ("layouts", "layouts"),
    "/settings/pipeline": ("pipeline", "pipeline"),
    "/{}/{}/__timeline": ("timelines", "timelines"),
    "/{}/actions/count": ("record_count", "record-count"),
    "/{}": ("record", "record"),
}
DEFECTS = {
    OLD: {
        ("", ": missing"),  # the models are shared: they mark as required what belongs to other calls
        ("", ": NoneType is no "),  # they do not tell what may be null
        ("bulk_write", "status: 'INPROGRESS'"),  # the descriptions of 2026 write it so; both are understood
        ("bulk_write", "file_id: str is no integer"),  # a string in 2026
        ("modules", "no answer 201"),  # 201 since 2026
        ("users", "_format: "),  # one sample value stands for the type
        ("users", "number_separator: "),
        ("users", "time_zone: str is no object"),  # a string in 2026
    },
    NEW: {
        ("coql", "data: more items than 200"),  # a query brings 2,000 rows
        (
            "bulk-read",
            "query.module: missing",
        ),  # a page token stands alone (developer documentation, Create Bulk Read Job)
        ("bulk-read", "query.page_token: not described"),
        ("bulk-read", "Attachment_Source__s: missing"),  # belongs to jobs for attachments
        ("bulk-read", "File_Id__s: missing"),
        ("bulk-write", "callback: "),
        ("fields", "include: missing"),  # not among the parameters of 2025, and every sample does without
        ("record", "data.action: not described"),  # which of the two an upsert did (documentation, Upsert Records)
        ("record", "data.duplicate_field: not described"),
        ("users", "Reporting_To: dict"),  # an object with name and id in every answer; both are understood
    },
}
"""Where the descriptions say otherwise than the vendor's pages: file ("": any), and part of the complaint."""


@cache
def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


class Description:
    """One file: finds operations, and says what of a value it does not allow."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        wanted = _parts(path)
        best: tuple[int, dict[str, Any]] | None = None
        for template, ways in (load(self.path).get("paths") or {}).items():
            parts = _parts(template.removeprefix("/crm/bulk/v8").removeprefix("/crm/v8"))
            same = len(parts) == len(wanted) and all(
                a == b or a.startswith("{") for a, b in zip(parts, wanted, strict=True)
            )
            exact = sum(a == b for a, b in zip(parts, wanted, strict=False))
            if same and method.lower() in ways and (best is None or exact > best[0]):
                both = [*ways.get("parameters", ()), *ways[method.lower()].get("parameters", ())]
                best = exact, {**ways[method.lower()], "parameters": both}
        return best and best[1]

    def resolved(self, part: Any) -> tuple[Any, "Description"]:
        where = self
        while isinstance(part, dict) and "$ref" in part:
            file, _, place = part["$ref"].partition("#")
            where = Description(where.path.parent / Path(urlsplit(file).path).name) if file else where
            part = load(where.path)
            for name in place.strip("/").split("/"):
                part = part.get(name.replace("~1", "/"), {}) if isinstance(part, dict) else {}
        return part, where

    def complaints(self, schema: Any, value: Any, at: str = "") -> Iterator[str]:
        schema, here = self.resolved(schema)
        if not schema or (value is None and schema.get("nullable")):
            return
        kinds = schema.get("type")
        if kinds and not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
            yield f"{at}: {type(value).__name__} is no {kinds}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{at}: {value!r} is none of {schema['enum'][:9]}"
        if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
            yield f"{at}: longer than {schema['maxLength']}"
        for choice in ("oneOf", "anyOf"):
            found = [list(here.complaints(one, value, at)) for one in schema.get(choice, ())]
            if found and all(found):
                yield from min(found, key=len)
        for one in schema.get("allOf", ()):
            yield from here.complaints(one, value, at)
        yield from here._inside(schema, value, at)

    def _inside(self, schema: Any, value: Any, at: str) -> Iterator[str]:
        if isinstance(value, list):
            if len(value) > schema.get("maxItems", len(value)):
                yield f"{at}: more items than {schema['maxItems']}"
            for one in value:
                yield from self.complaints(schema.get("items"), one, at)
        if isinstance(value, dict):
            known = schema.get("properties") or {}
            begin = f"{at}." if at else ""
            yield from (f"{begin}{name}: missing" for name in schema.get("required", ()) if name not in value)
            for name, one in value.items():
                if name in known:
                    yield from self.complaints(known[name], one, f"{begin}{name}")
                elif schema.get("additionalProperties") is False:
                    yield f"{begin}{name}: not described"


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/")


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, types[kind])


def described(response: requests.Response) -> tuple[str, str, str]:
    """Method, path behind the version with its key in FILES."""
    path = urlsplit(str(response.request.path_url)).path.removeprefix("/crm/bulk/v8").removeprefix("/crm/v8")
    for key in FILES:
        wanted, parts = _parts(key), _parts(path)
        if all(a in ("{}", b) for a, b in zip(wanted, parts, strict=False)) and len(parts) >= len(wanted):
            return str(response.request.method), path, key
    raise AssertionError(path)


def complaints_of(response: requests.Response, which: int, folder: str) -> Iterator[str]:
    """What one description says against one call and its answer; nothing where it has no such operation."""
    method, path, key = described(response)
    name = FILES[key][which]
    file = f"{name}.json" if folder == OLD else f"zoho-crm-{name}-openapi.json"
    description = Description(FOLDER / folder / file)
    operation = description.operation(method, path)
    if operation is None:
        return
    found = [*_of_request(description, operation, response), *_of_answer(description, operation, response)]
    for one in found:
        if not any(known in (name, "") and text in one for known, text in DEFECTS[folder]):
            yield f"{file} {method} {path} {response.status_code}: {one}"


def _of_request(description: Description, operation: Any, response: requests.Response) -> Iterator[str]:
    params = [description.resolved(one)[0] for one in operation["parameters"]]
    sent = parse_qs(urlsplit(str(response.request.url)).query)
    known = {one["name"]: one for one in params if one.get("in") == "query"}
    yield from (f"{name}: no such parameter" for name in sent if name not in known)
    yield from (f"{name}: missing" for name, one in known.items() if one.get("required") and name not in sent)
    body = (operation.get("requestBody") or {}).get("content", {}).get("application/json")
    if body and response.request.body:
        yield from description.complaints(body["schema"], json.loads(response.request.body))


def _of_answer(description: Description, operation: Any, response: requests.Response) -> Iterator[str]:
    # A status of its own for mixed verdicts is on the vendor's pages and in no description.
    status = response.status_code
    said = operation["responses"].get(str(200 if status == 207 else status))
    if said is None:
        if status not in (204, 304):
            yield f"no answer {status} is described"
        return
    content = description.resolved(said)[0].get("content", {}).get("application/json")
    if content and response.content and status < 207:
        yield from description.complaints(content.get("schema"), response.json())


DEALS = WriteTarget("opportunity")
OURS = WriteTarget("person", into="ScorebackAppraisals", key="Scoreback_Key")


def work(org: Any, connector: Zoho) -> None:
    """Everything that the connector does with an org, once."""
    list(connector.check())
    specs = [
        FieldSpec(DEALS, "Scoreback_Score", "Scoreback score", "number"),
        FieldSpec(DEALS, "Scoreback_Reasons", "Scoreback reasons", "long_text"),
        FieldSpec(OURS, "Scoreback_Band", "Scoreback band", "text", length=2, help="S to D"),
        FieldSpec(OURS, "Scoreback_Scored_At", "Scoreback scored at", "datetime"),
    ]
    list(connector.provision(specs, dry_run=False))
    for stream in connector.streams:
        if connector.connection.stream(stream.name) is not None:
            list(connector.pull(stream, Window(None, org.now), None))
            list(connector.pull(stream, Window(org.now.replace(year=2025), org.now), None))
            list(connector.deletions(stream, None, org.now))
            connector.count(stream)
    deal = org.id("opportunities", "100")
    list(
        connector.write(
            DEALS, [Write(deal, {"Scoreback_Score": 5}), Write("1111111111111111111", {"Scoreback_Score": 5})]
        )
    )
    list(connector.write(OURS, [Write("u:2026-Q1", {"Scoreback_Band": "A"})]))
    connector.read_fields(DEALS, [deal], ["Scoreback_Score"])
    connector.read_fields(OURS, ["u:2026-Q1"], ["Scoreback_Band"])
    list(connector.reader.bulk.rows("Deals", ["id", "Amount"], None))
    list(connector.unprovision(specs[:1], dry_run=False))


@pytest.fixture
def exchanged(make_org: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> list[requests.Response]:
    """Every answer to the connector's work, with its request."""
    monkeypatch.setattr("connectors.zoho.bulk_write.BULK_FROM", 2)
    org = make_org(latest_first=False)
    org.emulator.remove("opportunities", "101")
    connector = org.connect(bulk_write="on", streams={"email": "on", "timeline": "on"})
    heard: list[requests.Response] = []
    connector.http._session.hooks["response"].append(lambda response, **_kwargs: heard.append(response))
    work(org, connector)
    return [one for one in heard if urlsplit(str(one.url)).path.startswith("/crm/") and "/Emails" not in str(one.url)]


@pytest.mark.parametrize(("which", "folder"), [(0, OLD), (1, NEW)])
def test_calls_and_answers_are_as_described(exchanged: list[requests.Response], which: int, folder: str) -> None:
    assert {described(one)[2] for one in exchanged} == set(FILES) - {"/settings/modules/{}"}

    found = {complaint for response in exchanged for complaint in complaints_of(response, which, folder)}

    assert not found, "\n".join(sorted(found))
