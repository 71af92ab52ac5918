"""Bulk Write: the upload host takes a zipped CSV, a job writes its rows, a zipped CSV tells what became of each."""

import csv
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.errors import Refusal, check_keys
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.org import ORG_ID
from connectors.sandbox.zoho.schema import LOOKUPS, NUMBERS, Field
from connectors.sandbox.zoho.store import Table
from connectors.sandbox.zoho.times import text_of
from connectors.sandbox.zoho.values import mandatory, read_value
from connectors.sandbox.zoho.writes import Writes

MAX_ROWS = 25_000
MAX_COLUMNS = 200
MAX_BYTES = 25 * 1024 * 1024
SHOWN_COLUMNS = 3
PATH = "/v2/crm/{org}/bulk-write/{job}/{job}.zip"
"""Where the result of a job is, in words of ``format``."""

_UNSUPPORTED = {"Calls", "Events", "Notes", "Attachments", "Users"}
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_OPERATIONS = {"insert", "update", "upsert"}
_ORDER = {"operation", "resource", "callback", "character_encoding", "ignore_empty"}
_RESOURCE = {"type", "module", "file_id", "file_names", "find_by", "ignore_empty", "field_mappings"}


@dataclass
class Job:
    """One job: its order, the rows it was given, and in the end what became of each."""

    id: int
    operation: str
    table: Table
    resource: dict[str, Any]
    mappings: list[tuple[Field, int]]
    find_by: str
    header: list[str]
    rows: list[list[str]]
    file: str
    created: int
    ignore_empty: bool
    polls: int
    status: str = "ADDED"
    fails: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


def refuse(code: str, message: str, **details: Any) -> Refusal:
    """400 in Bulk Write's words."""
    return Refusal(400, code, message, details)


class BulkWrite:
    """Handlers of ``/crm/{version}/upload`` and ``/crm/bulk/{version}/write``."""

    def __init__(self, writes: Writes, emulator: Emulator) -> None:
        self.org = writes.org
        self.rows = writes.rows
        self.writes = writes
        self.emulator = emulator
        self.polls = 1
        """Times that a job is asked for before it is done."""
        self._files: dict[int, list[list[str]]] = {}
        self._jobs: dict[int, Job] = {}

    def upload(self, request: Request) -> Reply:
        """``POST /upload``: multipart, with ``feature: bulk-write`` and ``X-CRM-ORG``."""
        for name, wanted in (("feature", "bulk-write"), ("X-CRM-ORG", str(ORG_ID))):
            if request.headers.get(name) is None:
                raise refuse("MANDATORY_NOT_FOUND", f"required header {name} is not found", header=name)
            if request.headers.get(name) != wanted:
                raise refuse("INVALID_DATA", "the value given seems to be invalid", header=name)
        key = self.org.ids.new()
        self._files[key] = _read_zip(_part(request))
        details = {"file_id": str(key), "created_time": text_of(self.org.now(), self.org.zone)}
        return Reply(
            200, {"status": "success", "code": "FILE_UPLOAD_SUCCESS", "message": "file uploaded.", "details": details}
        )

    def create(self, request: Request) -> Reply:
        """``POST /write``: a job over an uploaded file."""
        body = request.json()
        if not isinstance(body, dict):
            raise refuse("INVALID_REQUEST", "the request is invalid")
        check_keys(body, _ORDER)
        for name in ("operation", "resource"):
            if name not in body:
                raise refuse("MISSING_REQUIRED_KEY", f"Required key {name} is not available", json_path=f"$.{name}")
        resources = body["resource"]
        if body["operation"] not in _OPERATIONS or not isinstance(resources, list) or len(resources) != 1:
            raise refuse("INVALID_REQUEST", "the request is invalid")
        if not isinstance(resources[0], dict):
            raise refuse("INVALID_REQUEST", "the request is invalid")
        check_keys(resources[0], _RESOURCE)
        job = self._job(body, resources[0])
        job.fails = self.emulator.strike("failed_job", request) is not None
        self._jobs[job.id] = job
        details = {"id": str(job.id), "created_by": self.rows.user(self.org.user)}
        return Reply(201, {"status": "success", "code": "SUCCESS", "message": "success", "details": details})

    def _job(self, body: Mapping[str, Any], resource: dict[str, Any]) -> Job:
        for name in ("type", "module", "file_id", "field_mappings"):
            if name not in resource:
                path = f"$.resource[0].{name}"
                raise refuse("MISSING_REQUIRED_KEY", f"Required key {name} is not available", json_path=path)
        if resource["type"] != "data":
            raise refuse("INVALID_DATA", "the type is invalid", api_name="type", json_path="$.resource[0].type")
        named = resource["module"]
        name = named.get("api_name", "") if isinstance(named, dict) else ""
        table = self.org.table(name)
        if table is None or name in _UNSUPPORTED or not table.module.writable:
            raise refuse("MODULE_NOT_AVAILABLE", "the module is not available", module=name)
        rows = self._files.get(parse_id(resource["file_id"]) or 0)
        if rows is None:
            raise refuse("FILE_NOT_FOUND", "the file is not found", file_id=resource["file_id"])
        operation, find_by = str(body["operation"]), str(resource.get("find_by", ""))
        if operation != "insert" and not find_by:
            raise refuse(
                "MANDATORY_NOT_FOUND", "Required key find_by is not available", json_path="$.resource[0].find_by"
            )
        mappings = self._mappings(table, resource["field_mappings"], len(rows[0]))
        if operation != "insert" and find_by not in {one.name for one, _ in mappings}:
            raise refuse("MANDATORY_FIELDS_NOT_MAPPED", "mandatory fields are not mapped", fields=[find_by])
        ignore = bool(resource.get("ignore_empty", body.get("ignore_empty", False)))
        file = (resource.get("file_names") or ["data.csv"])[0]
        return Job(self.org.ids.new(), operation, table, resource, mappings, find_by, rows[0], rows[1:], file,
                   self.org.now(), ignore, self.polls)  # fmt: skip

    def _mappings(self, table: Table, given: Any, width: int) -> list[tuple[Field, int]]:
        found = []
        for number, one in enumerate(given if isinstance(given, list) else []):
            known = self.org.field(table.module, str(one.get("api_name")))
            path = f"$.resource[0].field_mappings[{number}]"
            if known is None or known.hidden or (known.read_only and known.name != "id"):
                raise refuse("INVALID_DATA", "the field is invalid", api_name=one.get("api_name"), json_path=path)
            if not isinstance(one.get("index"), int) or not 0 <= one["index"] < width:
                raise refuse("INVALID_DATA", "the index is invalid", api_name="index", json_path=path)
            found.append((known, one["index"]))
        if not found:
            raise refuse("MANDATORY_FIELDS_NOT_MAPPED", "mandatory fields are not mapped")
        return found

    def show(self, request: Request, job: str) -> Reply:
        """``GET /write/{id}``: its state, and counts when it is done."""
        found = self._find(job)
        if found.status in {"ADDED", "INPROGRESS"}:
            found.polls -= 1
            found.status = "INPROGRESS"
            if found.polls < 0:
                self._run(found)
        return Reply(body=self._shown(found))

    def _find(self, job: str) -> Job:
        found = self._jobs.get(parse_id(job) or 0)
        if found is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "the requested resource is not found", {"resource": job})
        return found

    def _shown(self, job: Job) -> dict[str, Any]:
        counts = {
            name: job.counts.get(name, 0) for name in ("added_count", "skipped_count", "updated_count", "total_count")
        }
        module = job.table.module
        resource = {
            "status": job.status, "type": "data", "module": {"api_name": module.name, "id": str(module.id)},
            "ignore_empty": job.ignore_empty, "code": job.status,
            "field_mappings": [{"api_name": one.name, "index": index} for one, index in job.mappings],
            "file": {"status": job.status, "name": job.file, **counts},
        }  # fmt: skip
        shown: dict[str, Any] = {
            "status": job.status, "character_encoding": "UTF-8", "resource": [resource], "id": str(job.id),
            "created_by": self.rows.user(self.org.user), "operation": job.operation,
            "created_time": text_of(job.created, self.org.zone), "callback": None,
        }  # fmt: skip
        if job.body:
            shown["result"] = {"download_url": f"{self.emulator.url}{PATH}".format(org=ORG_ID, job=job.id)}
        return shown

    def download(self, request: Request, org: str, job: str, file: str) -> Reply:
        """The rows with what became of each. Zoho has these files on a host of its own, with the same sign-in."""
        found = self._find(job)
        if not found.body or org != str(ORG_ID) or file != f"{job}.zip":
            raise Refusal(404, "RESOURCE_NOT_FOUND", "the requested resource is not found", {"resource": job})
        return Reply(body=found.body, headers={"Content-Type": "application/zip"})

    # Running.

    def _run(self, job: Job) -> None:
        job.status = "SKIPPED" if job.fails else "COMPLETED"
        job.counts = dict.fromkeys(("added_count", "updated_count", "skipped_count"), 0)
        job.counts["total_count"] = len(job.rows)
        shown = [index for _, index in job.mappings[:SHOWN_COLUMNS]]
        told = [[*(job.header[index] for index in shown), "STATUS", "RECORD_ID", "ERRORS"]]
        for number, cells in enumerate(job.rows):
            told.append([*(cells[index] for index in shown), *self._write(job, cells, number)])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(told)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{job.table.module.name}-{job.file}", text.getvalue())
        job.body = packed.getvalue()

    def _write(self, job: Job, cells: list[str], number: int) -> tuple[str, str, str]:
        try:
            if job.fails:
                raise refuse("INTERNAL_SERVER_ERROR", "Internal Server Error")
            values = self._values(job, cells, number)
            return self._store(job, values, cells, number)
        except Refusal as refusal:
            job.counts["skipped_count"] += 1
            return "SKIPPED", "", f"{refusal.code}-{self._column(job, str(refusal.details.get('api_name', '')))}"

    @staticmethod
    def _column(job: Job, name: str) -> str:
        return next((job.header[index] for one, index in job.mappings if one.name == name), name)

    def _values(self, job: Job, cells: list[str], number: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for one, index in job.mappings:
            text = cells[index]
            if one.name == "id" or (text == "" and job.ignore_empty):
                continue
            values[one.name] = read_value(self.org, one, _typed(one, text), f"$.data[{number}]")
        return values

    def _store(self, job: Job, values: dict[str, Any], cells: list[str], number: int) -> tuple[str, str, str]:
        table, now = job.table, self.org.now()
        wanted = next((cells[index] for one, index in job.mappings if one.name == job.find_by), "")
        key = parse_id(wanted) if job.find_by == "id" else next(iter(table.by(job.find_by, wanted)), None)
        row = table.rows.get(key) if key is not None else None
        if row is None and job.operation == "update":
            raise refuse("INVALID_DATA", "the id given seems to be invalid", api_name=job.find_by)
        if row is not None and job.operation != "insert":
            self.writes.changes.update(table, row, values, self.org.user, now)
            job.counts["updated_count"] += 1
            return "UPDATED", str(row["id"]), ""
        mandatory(table.module, values, number)
        made = self.writes.changes.create(table, values, self.org.user, now)
        job.counts["added_count"] += 1
        return "ADDED", str(made["id"]), ""


def _typed(one: Field, text: str) -> Any:
    """A cell as the JSON value of its field; what does not read as one stays text and is refused later."""
    if text == "" or one.data_type in LOOKUPS:
        return text or None
    if one.data_type in NUMBERS:
        try:
            value = float(text)
        except ValueError:
            return text
        return int(value) if value.is_integer() else value
    return {"true": True, "false": False}.get(text.lower(), text) if one.data_type == "boolean" else text


def _part(request: Request) -> bytes:
    """The file of a multipart body. Refusal: there is none."""
    found = _BOUNDARY.search(request.headers.get("Content-Type", ""))
    for part in request.body.split(f"--{found[1]}".encode()) if found else ():
        head, _, content = part.partition(b"\r\n\r\n")
        if b'name="file"' in head:
            return content.removesuffix(b"\r\n")
    raise refuse("MANDATORY_NOT_FOUND", "required part file is not found", api_name="file")


def _read_zip(content: bytes) -> list[list[str]]:
    """Header and rows of the one CSV in a zip. Refusal: no zip, not one file, too much of it."""
    wrong = refuse("INVALID_FILE_FORMAT", "the file format is invalid")
    if len(content) > MAX_BYTES:
        raise wrong
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(names) != 1 or not names[0].endswith(".csv"):
                raise wrong
            text = archive.read(names[0]).decode("utf-8-sig")
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise wrong from error
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or len(rows) - 1 > MAX_ROWS or len(rows[0]) > MAX_COLUMNS:
        raise wrong
    if any(len(row) != len(rows[0]) for row in rows):
        raise wrong
    return rows
