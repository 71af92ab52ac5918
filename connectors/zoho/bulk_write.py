"""Bulk Write: one zipped CSV to the upload host, a job over it, and a file that tells what became of each row.

A job costs 500 credits, whatever its size: it pays from about 5,100 records. Zoho does not document whether workflows
run for it, and there is no way to ask that they do not. A job whose result has not come yet is remembered with digests
of its rows: what it was given is not sent again before Zoho has told what became of it, or has forgotten the job.
"""

import csv
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from urllib3.filepost import encode_multipart_formdata

from connectors.base import Rejection, Value, WriteTarget, Written
from connectors.errors import RejectedError, RetryLaterError
from connectors.http import Http
from connectors.types import canonical_text
from connectors.zoho.api import ZohoApi
from connectors.zoho.bulk import DOWNLOADS, PATIENCE_SECONDS, looks
from connectors.zoho.write import Records, rejection, spelled

BULK_FROM = 5_100
"""Records from which a job costs fewer credits than calls of 100."""

MOST_ROWS = 25_000
JOB_CREDITS = 500
TARGET = WriteTarget("opportunity")
"""What jobs write to."""

PLACE = "bulk_write"
"""Where open jobs are remembered among the connector's places."""

_KEPT = timedelta(hours=24)
"""How long Zoho keeps the result of a job."""

_DIGEST = 12
_DONE = frozenset({"COMPLETED", "SKIPPED", "FAILED"})
_WRITTEN = frozenset({"ADDED", "UPDATED"})
_NO_SUCH_RECORD = frozenset({"INVALID_DATA", "RESOURCE_NOT_FOUND"})

log = structlog.get_logger("connectors.zoho")

Outcome = Mapping[str, Rejection | None]


@dataclass(frozen=True, slots=True)
class _Job:
    """A job that was made, and what it was given: digests of its rows."""

    job: str
    at: str
    rows: str

    def digests(self) -> frozenset[str]:
        return frozenset(self.rows[start : start + _DIGEST] for start in range(0, len(self.rows), _DIGEST))


def carried(records: Records) -> Records:
    """Those of the records that one job takes with profit: alike in their fields, with nothing to be emptied."""
    groups: dict[tuple[str, ...], dict[str, Mapping[str, Value]]] = {}
    for name, fields in records.items():
        if not any(value in (None, "") for value in fields.values()):
            groups.setdefault(tuple(sorted(fields)), {})[name] = fields
    largest = max(groups.values(), key=len, default={})
    return largest if len(largest) >= BULK_FROM else {}


class BulkWrite:
    """Updates of one module by id. ``places`` outlives the process, and ``keep`` stores it; ``door`` leads to an absolute
    address."""

    def __init__(
        self,
        api: ZohoApi,
        upload_url: str,
        door: Callable[[str], Http],
        places: dict[str, str],
        keep: Callable[[], None],
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._api = api
        self._upload_url = upload_url
        self._door = door
        self._places = places
        self._keep = keep
        self.sleep = sleep

    @property
    def is_open(self) -> bool:
        """Whether there is a job of which nobody knows yet what it did."""
        return bool(self._open())

    def write(
        self, module: str, records: Records, by_calls: Callable[[Records], Iterator[Written]]
    ) -> Iterator[Written]:
        """Verdicts of jobs, of those that are open and of a new one, and of calls for what no job told.

        RetryLaterError: a job is not done. It is remembered, and the next call asks for it before it sends anything.
        """
        told: dict[str, Rejection | None] = {}
        later = []
        open_jobs = self._open()
        digests = self._digests(module, records) if open_jobs else {}
        for one in open_jobs:
            given = one.digests()
            names = [name for name, digest in digests.items() if name not in told and digest in given]
            if names:
                told |= self._outcome(one, names)
            else:
                later.append(one)
        group = carried({name: fields for name, fields in records.items() if name not in told})
        if group:
            told |= self._outcome(self._order(module, group), list(group))
        yield from (Written(name, rejected) for name, rejected in told.items())
        yield from by_calls({name: fields for name, fields in records.items() if name not in told})
        self._remember(later)  # last: what was told is asked for again if the calls failed

    def _open(self) -> list[_Job]:
        held = self._places.get(PLACE)
        if not held:
            return []
        now = self._api.http.server_now()
        jobs = [_Job(**one) for one in json.loads(held)]
        return [one for one in jobs if now - datetime.fromisoformat(one.at) < _KEPT]

    def _remember(self, jobs: Sequence[_Job]) -> None:
        # Never taken out of the places: they are kept by name, and an older one would come back.
        self._places[PLACE] = json.dumps([asdict(one) for one in jobs]) if jobs else ""

    def _order(self, module: str, records: Records) -> _Job:
        names = sorted(next(iter(records.values())))
        rows = ([name, *self._cells(module, fields).values()] for name, fields in records.items())
        job = self._create(module, names, self._send(_packed([["id", *names], *rows])))
        digests = self._digests(module, records).values()
        made = _Job(job, self._api.http.server_now().isoformat(), "".join(digests))
        self._remember([*self._open(), made])
        self._keep()  # now: it is paid, and minutes pass before its verdicts are stored
        return made

    def _cells(self, module: str, values: Mapping[str, Value]) -> dict[str, str]:
        fields = self._api.fields(module)
        return {name: _cell(spelled(values[name], fields.get(name, {}))) for name in sorted(values)}

    def _digests(self, module: str, records: Records) -> dict[str, str]:
        """What tells whether a record still has the very values that a job was given."""
        told = ({"id": name, **self._cells(module, fields)} for name, fields in records.items())
        return {one["id"]: hashlib.sha256(json.dumps(one).encode()).hexdigest()[:_DIGEST] for one in told}

    def _send(self, content: bytes) -> str:
        body, kind = encode_multipart_formdata({"file": ("scoreback.zip", content, "application/zip")})
        headers = {"Content-Type": kind, "feature": "bulk-write", "X-CRM-ORG": self._api.org_fact("org")}
        path = f"/crm/{self._api.version}/upload"
        answer = self._api.json("POST", path, door=self._door(self._upload_url), data=body, headers=headers)
        return str(answer["details"]["file_id"])

    def _create(self, module: str, names: Sequence[str], file: str) -> str:
        resource = {
            "type": "data",
            "module": {"api_name": module},
            "file_id": file,
            "file_names": ["scoreback.csv"],
            "find_by": "id",
            "ignore_empty": True,
            "field_mappings": [{"api_name": name, "index": place} for place, name in enumerate(["id", *names])],
        }
        body = {"operation": "update", "resource": [resource]}
        path = f"/crm/bulk/{self._api.version}/write"
        # Once: a second job would cost its credits again, and no list tells of the first.
        answer = self._api.json("POST", path, price=JOB_CREDITS, json=body, once=True)
        return str(answer["details"]["id"])

    def _outcome(self, made: _Job, names: Sequence[str]) -> Outcome:
        """What became of each record; nothing where the job does not tell. Raises RetryLaterError while it runs."""
        for _ in looks(self.sleep):
            found = self._state(made.job)
            url = (found.get("result") or {}).get("download_url")
            if _updated_all(found, len(made.rows) // _DIGEST):
                return dict.fromkeys(names)
            if url:
                told = {next(iter(row.values())): _refused(row) for row in self._result(made.job, str(url))}
                return {name: told[name] for name in names if name in told}
            if not found or found.get("status") in _DONE:
                log.warning("bulk_write_untold", job=made.job, status=found.get("status") or "forgotten")
                return {}
        raise RetryLaterError(f"Zoho's bulk job {made.job} is not done after {PATIENCE_SECONDS / 60:.0f} min")

    def _state(self, job: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._api.json("GET", f"/crm/bulk/{self._api.version}/write/{job}")
        except RejectedError as error:
            if error.code != "RESOURCE_NOT_FOUND":
                raise
            return {}
        return found

    def _result(self, job: str, url: str) -> list[dict[str, str]]:
        for _ in range(DOWNLOADS):
            content = self._api.call("GET", url, door=self._door(url), bucket="download").content
            try:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
            except (zipfile.BadZipFile, IndexError):
                continue  # cut on its way: the file is still there
            return list(csv.DictReader(io.StringIO(text)))
        raise RetryLaterError(f"the result of Zoho's bulk job {job} arrives broken")


def _updated_all(found: Mapping[str, Any], count: int) -> bool:
    """Whether the job's own counts say that no row was refused: then its file need not be fetched."""
    counts = [(one.get("file") or {}) for one in found.get("resource") or ()]
    return (
        found.get("status") == "COMPLETED"
        and len(counts) == 1
        and counts[0].get("updated_count") == counts[0].get("total_count") == count
    )


def _packed(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scoreback.csv", text.getvalue())
    return packed.getvalue()


def _refused(row: Mapping[str, str]) -> Rejection | None:
    """``CODE-column``, several of them with colons between (developer documentation, "Download Bulk Write Result")."""
    state = (row.get("STATUS") or "").upper()
    if state in _WRITTEN:
        return None
    said = row.get("ERRORS") or state or "UNKNOWN"
    code, _, columns = said.partition(":")[0].partition("-")
    field = columns.partition(",")[0].strip()
    if state == "UNPROCESSED":
        return Rejection(code, f"not processed by bulk write ({said})", "retry")
    if field == "id" and code in _NO_SUCH_RECORD:
        return Rejection(code, f"the id given seems to be invalid ({said})", "gone")
    return rejection(code, f"refused by bulk write ({said})", {"api_name": field or None})


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return canonical_text(value) if hasattr(value, "as_tuple") else str(value)
