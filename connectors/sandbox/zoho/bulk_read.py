"""Bulk Read: jobs that run one after the other, their states, and their results as a zipped CSV."""

import csv
import hashlib
import io
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.bulk_criteria import criteria
from connectors.sandbox.zoho.errors import Refusal, check_keys, scope_mismatch, too_many_requests
from connectors.sandbox.zoho.ids import parse_id
from connectors.sandbox.zoho.lists import Lists
from connectors.sandbox.zoho.rows import cell
from connectors.sandbox.zoho.schema import Field
from connectors.sandbox.zoho.scopes import covers, needed
from connectors.sandbox.zoho.store import Row, Table
from connectors.sandbox.zoho.times import text_of

PER_JOB = 200_000
MAX_PAGE = 50
DOWNLOADS = 10
_TOKEN_SECONDS = 86_400
_UNSUPPORTED = {"Notes", "Attachments", "Emails", "Users"}
Test = Callable[[Row], bool]


@dataclass
class Job:
    """One job: what it asks for, how far it is, and in the end its rows as zipped CSV."""

    id: int
    table: Table
    fields: list[Field]
    asked: list[str]
    criteria: dict[str, Any] | None
    test: Test
    page: int
    after: int
    created: int
    polls: int
    state: str = "ADDED"
    fails: bool = False
    count: int = 0
    more: bool = False
    token: str = ""
    body: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class _Next:
    """What a page token stands for."""

    job: Job
    after: int
    until: int


def refuse(code: str, message: str, **details: Any) -> Refusal:
    """400 in Bulk Read's words."""
    return Refusal(400, code, message, details)


def _everything(_: Row) -> bool:
    return True


class BulkRead:
    """Handlers of ``/crm/bulk/{version}/read``."""

    def __init__(self, lists: Lists, emulator: Emulator, granted: Callable[[Request], frozenset[str] | None]) -> None:
        self.org = lists.org
        self.rows = lists.rows
        self.emulator = emulator
        self.granted = granted
        self.polls = 1
        """Times that a job is asked for before it is done."""
        self._jobs: dict[int, Job] = {}
        self._queue: deque[Job] = deque()
        self._tokens: dict[str, _Next] = {}
        self._downloads: deque[float] = deque()

    def create(self, request: Request) -> Reply:
        """``POST``: a new job."""
        body = request.json()
        query = body.get("query") if isinstance(body, dict) else None
        if not isinstance(query, dict) or not query:
            raise refuse("REQUEST_BODY_IS_EMPTY", "The request body is empty")
        check_keys(body, {"query", "file_type", "callback"})
        check_keys(query, {"module", "fields", "page", "page_token", "criteria", "cvid", "file_type"})
        if body.get("file_type", "csv") not in {"csv", "ics"}:
            raise refuse("INVALID_DATA", "invalid file type", api_name="file_type", supported_values=["ics", "csv"])
        job = self._from_token(query) if "page_token" in query else self._job(request, query)
        job.fails = self.emulator.strike("failed_job", request) is not None
        self._jobs[job.id] = job
        self._queue.append(job)
        details = {"id": str(job.id), "operation": "read", "state": "ADDED", "created_by": self.rows.user(self.org.user),
                   "created_time": text_of(job.created, self.org.zone)}  # fmt: skip
        added = {
            "status": "success",
            "code": "ADDED_SUCCESSFULLY",
            "message": "Added successfully.",
            "details": details,
        }
        return Reply(201, {"data": [added], "info": {}})

    def _new(self, table: Table, fields: list[Field], asked: list[str], page: int, after: int) -> Job:
        return Job(self.org.ids.new(), table, fields, asked, None, _everything, page, after, self.org.now(), self.polls)

    def _from_token(self, query: dict[str, Any]) -> Job:
        held = self._tokens.get(str(query["page_token"]))
        if held is None:
            raise refuse("INVALID_DATA", "the page token given seems to be invalid", api_name="page_token")
        if held.until <= self.org.now():
            raise refuse("EXPIRED_VALUE", "the page token has expired")
        before = held.job
        job = self._new(before.table, before.fields, before.asked, before.page + 1, held.after)
        job.criteria, job.test = before.criteria, before.test
        return job

    def _job(self, request: Request, query: dict[str, Any]) -> Job:
        table = self._table(request, query)
        page = query.get("page", 1)
        if isinstance(page, bool) or not isinstance(page, int) or not 1 <= page <= MAX_PAGE:
            raise refuse("PAGE_RANGE_EXCEEDED", "the page is out of range", max_limit=MAX_PAGE)
        asked = query.get("fields") or []
        fields = self._fields(table, asked)
        job = self._new(table, fields, asked, page, 0)
        if query.get("criteria"):
            job.criteria = query["criteria"]
            job.test = criteria(self.org, table.module, query["criteria"])
        return job

    def _table(self, request: Request, query: dict[str, Any]) -> Table:
        named = query.get("module")
        name = named.get("api_name", "") if isinstance(named, dict) else named if isinstance(named, str) else ""
        if name in _UNSUPPORTED:
            raise refuse("MODULE_NOT_SUPPORTED", "the module is not supported")
        table = self.org.table(name)
        if table is None:
            raise refuse("MODULE_NOT_AVAILABLE", "the module is not available", api_name="module", module=name)
        granted = self.granted(request)
        if granted is not None and not covers(granted, needed("modules.READ", table.module.name)):
            raise scope_mismatch()
        return table

    def _fields(self, table: Table, asked: Any) -> list[Field]:
        if not isinstance(asked, list):
            raise refuse("INVALID_REQUEST", "fields must be a list", api_name="fields")
        usable = [one for one in self.org.fields(table.module) if not one.hidden]
        if not asked:
            return usable
        known = {one.name: one for one in usable}
        for name in asked:
            if name not in known and name in table.module.fields:
                raise refuse("FIELD_NOT_SUPPORTED", "the field is not supported", api_name=name)
            if name not in known and name != "Id":
                raise refuse("FIELD_NOT_AVAILABLE", "the field is not available")
        return [known["id" if name == "Id" else name] for name in dict.fromkeys(["id", *asked])]

    # States.

    def show(self, request: Request, job: str) -> Reply:
        """``GET /{id}``: its state. Every look moves the job at the head of the queue."""
        found = self._find(job)
        self._advance()
        return Reply(body={"data": [self._shown(found)]})

    def _find(self, job: str) -> Job:
        found = self._jobs.get(parse_id(job) or 0)
        if found is None:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "the requested resource is not found", {"resource": job})
        return found

    def _advance(self) -> None:
        head = self._queue[0] if self._queue else None
        for waiting in list(self._queue)[1:]:
            waiting.state = "QUEUED"
        if head is None:
            return
        head.state = "IN PROGRESS"
        head.polls -= 1
        if head.polls < 0:
            self._queue.popleft()
            self._finish(head)

    def _shown(self, job: Job) -> dict[str, Any]:
        query: dict[str, Any] = {"module": {"api_name": job.table.module.name, "id": str(job.table.module.id)},
                                 "page": job.page, "fields": job.asked}  # fmt: skip
        if job.criteria:
            query["criteria"] = job.criteria
        shown = {"id": str(job.id), "operation": "read", "state": job.state, "file_type": "csv", "query": query,
                 "created_by": self.rows.user(self.org.user), "created_time": text_of(job.created, self.org.zone)}  # fmt: skip
        if job.state == "COMPLETED":
            shown["result"] = self._result(job)
        if job.state == "FAILURE":
            shown["result"] = {"error_message": {"code": "INTERNAL_SERVER_ERROR", "message": "Internal Server Error"}}
        return shown

    @staticmethod
    def _result(job: Job) -> dict[str, Any]:
        url = f"/crm/bulk/v8/read/{job.id}/result"
        result = {
            "page": job.page,
            "per_page": PER_JOB,
            "count": job.count,
            "download_url": url,
            "more_records": job.more,
        }
        return {**result, "next_page_token": job.token} if job.token else result

    def _finish(self, job: Job) -> None:
        if job.fails:
            job.state = "FAILURE"
            return
        size = self.emulator.page_cap or PER_JOB
        keys = job.table.ids_between(job.after + 1 if job.after else None, None)
        rows = [row for key in keys if self._kept(job.table, row := job.table.rows[key]) and job.test(row)]
        if self.emulator.faults.strike("empty", f"POST /crm/bulk/read {job.table.module.name}"):
            rows = []
        start = 0 if job.after else (job.page - 1) * size
        chosen, job.more = rows[start : start + size], len(rows) > start + size
        job.count = len(chosen)
        job.body = self._zip(job, chosen)
        job.state = "COMPLETED"
        if job.more:
            job.token = hashlib.sha256(str(job.id).encode()).hexdigest()
            self._tokens[job.token] = _Next(job, chosen[-1]["id"], self.org.now() + _TOKEN_SECONDS)

    @staticmethod
    def _kept(table: Table, row: Row) -> bool:
        """Whether Bulk Read has the row at all: history of a deleted deal is left out."""
        return table.module.name != "DealHistory" or "Potential_Name" in row

    def _zip(self, job: Job, rows: Iterable[Row]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        readers = self.rows.readers(job.table.module, job.fields, "csv")
        writer.writerow(["Id" if name == "id" else name for name, _ in readers])
        writer.writerows([cell(read(row)) for _, read in readers] for row in rows)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(f"{job.id}.csv", text.getvalue())
        return packed.getvalue()

    def download(self, request: Request, job: str) -> Reply:
        """``GET /{id}/result``: ten a minute."""
        found = self._find(job)
        if found.state != "COMPLETED":
            raise Refusal(404, "RESOURCE_NOT_FOUND", "the requested resource is not found", {"resource": job})
        now = time.monotonic()
        while self._downloads and self._downloads[0] <= now - 60:
            self._downloads.popleft()
        if len(self._downloads) >= DOWNLOADS:
            raise too_many_requests()
        self._downloads.append(now)
        name = f"attachment;filename={found.id}.zip"
        return Reply(body=found.body, headers={"Content-Type": "application/zip", "Content-Disposition": name})
