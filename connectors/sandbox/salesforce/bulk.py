"""Salesforce's Bulk API 2.0: query jobs and ingest jobs, results as CSV."""

import base64
import csv
import io
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.sandbox.routing import Reply, Request, Route
from connectors.sandbox.salesforce.ingest import Outcome, ingest
from connectors.sandbox.salesforce.query import Found
from connectors.sandbox.salesforce.schema import ObjectType
from connectors.sandbox.salesforce.store import stamp
from connectors.sandbox.salesforce.values import CallError
from connectors.sandbox.salesforce.wire import csv_text

if TYPE_CHECKING:
    from connectors.sandbox.salesforce import SalesforceEmulator

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
MAX_UPLOAD_BYTES = 150 * 1024 * 1024 * 3 // 4
_OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
_UNDELETABLE = {"V2Query": {"UploadComplete", "InProgress"}, "V2Ingest": {"Open", "InProgress"}}
_DEFAULT_RESULT_ROWS = 50_000


@dataclass(slots=True)
class _Job:
    info: dict[str, Any]
    polls: int = 0
    found: Found | None = None
    upload: bytes | None = None
    outcome: Outcome = field(default_factory=Outcome)
    ending: str = "JobComplete"


class Bulk:
    """Keeps jobs and answers about them. A job is done at once but says so only after ``polls`` questions."""

    def __init__(self, emulator: "SalesforceEmulator", polls: int) -> None:
        self.query_jobs = 0
        """Query jobs made so far."""
        self._emulator = emulator
        self._polls = polls
        self._jobs: dict[str, _Job] = {}

    def routes(self) -> list[Route]:
        """The endpoints."""
        query, load = "/services/data/{version}/jobs/query", "/services/data/{version}/jobs/ingest"
        shared: list[Route] = []
        for root in (query, load):
            shared += [
                ("GET", root, self._list),
                ("GET", f"{root}/{{id}}", self._show),
                ("PATCH", f"{root}/{{id}}", self._change),
                ("DELETE", f"{root}/{{id}}", self._drop),
            ]
        return [
            *shared,
            ("POST", query, self._create_query),
            ("GET", f"{query}/{{id}}/results", self._results),
            ("POST", load, self._create_ingest),
            ("PUT", f"{load}/{{id}}/batches", self._upload),
            ("GET", f"{load}/{{id}}/successfulResults", self._successful),
            ("GET", f"{load}/{{id}}/failedResults", self._failed),
            ("GET", f"{load}/{{id}}/unprocessedrecords", self._unprocessed),
            ("GET", f"{load}/{{id}}/unprocessedRecords", self._unprocessed),
        ]

    # Both kinds.

    def _order(self, request: Request, known: Iterable[str]) -> dict[str, Any]:
        order = request.json()
        if not isinstance(order, dict):
            raise CallError(400, "INVALIDJOB", "InvalidJob : the body is no job")
        unknown = set(order) - set(known)
        if unknown:
            raise CallError(400, "INVALIDJOB", f'InvalidJob : Unrecognized field "{min(unknown)}"')
        for name, values in (
            ("columnDelimiter", DELIMITERS),
            ("lineEnding", LINE_ENDINGS),
            ("contentType", {"CSV": ","}),
        ):
            if order.get(name, next(iter(values))) not in values:
                raise CallError(400, "INVALIDJOB", f"InvalidJob : {name} must be one of {', '.join(values)}")
        return order

    def _new(self, version: str, order: dict[str, Any], kind: ObjectType, state: str, job_type: str) -> _Job:
        now = stamp(self._emulator.now())
        info = {
            "id": self._emulator.org.next_id("750"),
            "operation": order["operation"],
            "object": kind.name,
            "createdById": self._emulator.org.running_user,
            "createdDate": now,
            "systemModstamp": now,
            "state": state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(version[1:]),
            "lineEnding": order.get("lineEnding", "LF"),
            "columnDelimiter": order.get("columnDelimiter", "COMMA"),
        }
        job = _Job(info)
        job.info["_type"] = job_type
        self._jobs[info["id"]] = job
        return job

    def _job(self, version: str, job_id: str, job_type: str = "") -> _Job:
        self._emulator.base(version)
        job = next((job for key, job in self._jobs.items() if key[:15] == job_id[:15]), None)
        if job is None or (job_type and job.info["_type"] != job_type):
            raise CallError(404, "NOT_FOUND", "The requested resource does not exist")
        if job.info["apiVersion"] != float(version[1:]):
            raise CallError(409, "API_ERROR", f"Job was created with API version {job.info['apiVersion']}")
        return job

    def _list(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)
        job_type = "V2Query" if "/jobs/query" in request.path else "V2Ingest"
        jobs = [_shown(job) for job in self._jobs.values() if job.info["_type"] == job_type]
        return Reply(body={"done": True, "records": jobs, "nextRecordsUrl": None})

    def _show(self, _request: Request, version: str, **path: str) -> Reply:
        job = self._job(version, path["id"])
        if job.info["state"] in {"UploadComplete", "InProgress"}:
            job.polls += 1
            job.info["state"] = "InProgress" if job.polls <= self._polls else job.ending
        body = {**_shown(job), "jobType": job.info["_type"], "retries": 0, "totalProcessingTime": 10 * job.polls}
        if job.info["_type"] == "V2Query":
            done = job.info["state"] == "JobComplete" and job.found is not None
            body["numberRecordsProcessed"] = len(job.found.rows) if done and job.found else 0
            body["isPkChunkingSupported"] = True
        else:
            done = job.info["state"] in {"JobComplete", "Failed"}
            body["numberRecordsProcessed"] = job.outcome.processed if done else 0
            body["numberRecordsFailed"] = len(job.outcome.failed) if done else 0
            body |= {"apiActiveProcessingTime": 10, "apexProcessingTime": 0}
        if job.info["state"] == "Failed":
            body["errorMessage"] = job.outcome.error
        return Reply(body=body)

    def _change(self, request: Request, version: str, **path: str) -> Reply:
        job = self._job(version, path["id"])
        state = self._order(request, {"state"}).get("state")
        now = job.info["state"]
        if state == "Aborted" and now in {"Open", "UploadComplete", "InProgress"}:
            job.info["state"] = "Aborted"
        elif state == "UploadComplete" and now == "Open":
            self._process(request, job)
        else:
            raise CallError(400, "INVALIDJOBSTATE", f"InvalidJobState : Cannot change state from {now} to {state}")
        return Reply(body=_shown(job))

    def _drop(self, _request: Request, version: str, **path: str) -> Reply:
        job = self._job(version, path["id"])
        if job.info["state"] in _UNDELETABLE[job.info["_type"]]:
            text = "Error encountered when deleting the job because the job is not terminated"
            raise CallError(400, "API_ERROR", text)
        del self._jobs[job.info["id"]]
        return Reply(204)

    # Query jobs.

    def _create_query(self, request: Request, version: str) -> Reply:
        base = self._emulator.base(version)
        order = self._order(request, {"operation", "query", "contentType", "columnDelimiter", "lineEnding"})
        if order.get("operation") not in {"query", "queryAll"} or not order.get("query"):
            raise CallError(400, "INVALIDJOB", "InvalidJob : operation must be query or queryAll, with a query")
        everything = order["operation"] == "queryAll"
        statement, found = self._emulator.engine.run(
            order["query"], everything=everything, base=base, now=self._emulator.now()
        )
        if statement.count or statement.offset:
            text = "Aggregate functions, OFFSET, GROUP BY and TYPEOF are not supported in Bulk Query"
            raise CallError(400, "API_ERROR", text)
        if self._emulator.strike("empty", request):
            found.rows = []
        self.query_jobs += 1
        job = self._new(version, order, found.kind, "UploadComplete", "V2Query")
        job.found = found
        self._spoil(request, job)
        return Reply(body=_shown(job))

    def _results(self, request: Request, version: str, **path: str) -> Reply:
        job = self._job(version, path["id"], "V2Query")
        if job.info["state"] != "JobComplete" or job.found is None:
            text = f"Unable to get results for job {job.info['id']} : current state is {job.info['state']}"
            raise CallError(400, "INVALIDJOBSTATE", text)
        start = _start(request.first("locator"))
        most = int(request.first("maxRecords") or _DEFAULT_RESULT_ROWS)
        rows = job.found.rows[start : start + most]
        columns = self._emulator.engine.columns(job.found.kind, job.found.names)
        cells = ([csv_text(one, get(row)) for one, get in columns] for row in rows)
        head = [] if start and self._emulator.strike("header_once", request) else [job.found.names]
        following = start + len(rows)
        locator = "null" if following >= len(job.found.rows) else base64.b64encode(str(following).encode()).decode()
        reply = self._csv(request, job, [*head, *cells])
        reply.headers |= {"Sforce-NumberOfRecords": str(len(rows)), "Sforce-Locator": locator}
        return reply

    def _csv(self, request: Request, job: _Job, lines: Iterable[Iterable[str]]) -> Reply:
        text = io.StringIO()
        delimiter, ending = DELIMITERS[job.info["columnDelimiter"]], LINE_ENDINGS[job.info["lineEnding"]]
        csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(lines)
        plain = self._emulator.strike("plain_csv", request)
        return Reply(200, text.getvalue(), {"Content-Type": "text/csv" if plain else "text/csv; charset=UTF-8"})

    def _spoil(self, request: Request, job: _Job) -> None:
        if self._emulator.strike("failed_job", request):
            job.ending = "Failed"
            job.outcome = Outcome(error="InternalServerError : Failed to process the job, retries exhausted")

    # Ingest jobs.

    def _create_ingest(self, request: Request, version: str) -> Reply:
        self._emulator.base(version)
        known = {"object", "operation", "contentType", "columnDelimiter", "lineEnding", "externalIdFieldName"}
        order = self._order(request, {*known, "assignmentRuleId"})
        kind = self._emulator.org.object(str(order.get("object", "")))
        if kind is None:
            raise CallError(400, "INVALIDJOB", f"InvalidJob : Unable to find object: {order.get('object')}")
        if order.get("operation") not in _OPERATIONS:
            raise CallError(
                400, "INVALIDJOB", f"InvalidJob : operation must be one of {', '.join(sorted(_OPERATIONS))}"
            )
        key = kind.find(str(order.get("externalIdFieldName", "")))
        if order["operation"] == "upsert" and (key is None or not (key.external_id or key.type == "id")):
            text = "InvalidJob : External ID field name is missing or is not an external ID"
            raise CallError(400, "INVALIDJOB", text)
        job = self._new(version, order, kind, "Open", "V2Ingest")
        if key is not None:
            job.info["externalIdFieldName"] = key.name
        job.info["contentUrl"] = f"services/data/{version}/jobs/ingest/{job.info['id']}/batches"
        return Reply(body=_shown(job))

    def _upload(self, request: Request, version: str, **path: str) -> Reply:
        job = self._job(version, path["id"], "V2Ingest")
        if not request.headers.get("content-type", "").startswith("text/csv"):
            raise CallError(400, "INVALIDCONTENTTYPE", "InvalidContentType : the job takes text/csv")
        if job.info["state"] != "Open" or job.upload is not None:
            text = "InvalidJobState : Found multiple contents for job; close it and make another"
            raise CallError(400, "INVALIDJOBSTATE", text)
        if len(request.body) > MAX_UPLOAD_BYTES:
            raise CallError(413, "CLIENTINPUTERROR", "ClientInputError : upload larger than 150 MB after base64")
        job.upload = request.body
        return Reply(201)

    def _process(self, request: Request, job: _Job) -> None:
        if job.upload is None:
            raise CallError(400, "INVALIDJOBSTATE", "InvalidJobState : nothing was uploaded")
        job.info["state"] = "UploadComplete"
        self._spoil(request, job)
        if job.ending != "Failed":
            job.outcome = ingest(self._emulator, request, job.info, job.upload)
            job.ending = "Failed" if job.outcome.error else "JobComplete"

    def _successful(self, request: Request, version: str, **path: str) -> Reply:
        job = self._finished(version, path["id"])
        return self._csv(request, job, [["sf__Id", "sf__Created", *job.outcome.header], *job.outcome.successful])

    def _failed(self, request: Request, version: str, **path: str) -> Reply:
        job = self._finished(version, path["id"])
        return self._csv(request, job, [["sf__Id", "sf__Error", *job.outcome.header], *job.outcome.failed])

    def _unprocessed(self, request: Request, version: str, **path: str) -> Reply:
        job = self._finished(version, path["id"])
        return self._csv(request, job, [job.outcome.header, *job.outcome.unprocessed])

    def _finished(self, version: str, job_id: str) -> _Job:
        job = self._job(version, job_id, "V2Ingest")
        if job.info["state"] not in {"JobComplete", "Failed", "Aborted"}:
            text = f"InvalidJobState : results of a job that is {job.info['state']}"
            raise CallError(400, "INVALIDJOBSTATE", text)
        return job


def _shown(job: _Job) -> dict[str, Any]:
    return {name: value for name, value in job.info.items() if not name.startswith("_")}


def _start(locator: str | None) -> int:
    if not locator or locator == "null":
        return 0
    try:
        return int(base64.b64decode(locator, validate=True))
    except (ValueError, Base64Error):
        raise CallError(400, "INVALIDLOCATOR", f"Invalid locator {locator}") from None
