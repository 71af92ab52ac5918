"""Bulk Write: one zipped CSV to the upload host, a job over it, and a file that tells what became of each row.

A job costs 500 credits, whatever its size: it pays from about 5,100 records. Zoho does not document whether workflows
run for it, and there is no way to ask that they do not.
"""

import csv
import io
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from urllib3.filepost import encode_multipart_formdata

from connectors.base import Rejection, Written
from connectors.errors import ContractError, RetryLaterError
from connectors.http import Http
from connectors.types import canonical_text
from connectors.zoho_api import ZohoApi
from connectors.zoho_write import Records, rejection, spelled

BULK_FROM = 5_100
"""Records from which a job costs fewer credits than calls of 100."""

MOST_ROWS = 25_000
JOB_CREDITS = 500
FIRST_LOOK_SECONDS = 1.0
LONGEST_LOOK_SECONDS = 60.0
PATIENCE_SECONDS = 1_800.0
_DONE = frozenset({"COMPLETED", "SKIPPED", "FAILED"})
_WRITTEN = frozenset({"ADDED", "UPDATED"})


def serves(records: Records) -> bool:
    """Whether a file can carry these records: alike in their fields, and nothing to be emptied."""
    if len(records) < BULK_FROM:
        return False
    shapes = {tuple(sorted(fields)) for fields in records.values()}
    return len(shapes) == 1 and all(value is not None for fields in records.values() for value in fields.values())


class BulkWrite:
    """Updates of one module by id."""

    def __init__(self, api: ZohoApi, upload: Http, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._api = api
        self._upload = upload
        self.sleep = sleep

    def write(self, module: str, records: Records) -> Iterator[Written]:
        """A verdict for each row that the job's result names; a row that it leaves out gets none."""
        names = list(next(iter(records.values())))
        job = self._create(module, names, self._send(self._file(module, names, records)))
        for row in self._outcome(job):
            name = row.get("id") or row.get("RECORD_ID") or ""
            if name in records:
                yield Written(name, _refused(row))

    def _file(self, module: str, names: Sequence[str], records: Records) -> bytes:
        fields = self._api.fields(module)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["id", *names])
        for record, values in records.items():
            writer.writerow([record, *(_cell(spelled(values[name], fields.get(name, {}))) for name in names)])
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("scoreback.csv", text.getvalue())
        return packed.getvalue()

    def _send(self, content: bytes) -> str:
        body, kind = encode_multipart_formdata({"file": ("scoreback.zip", content, "application/zip")})
        headers = {"Content-Type": kind, "feature": "bulk-write", "X-CRM-ORG": self._api.org_fact("org")}
        path = f"/crm/{self._api.version}/upload"
        answer = self._api.json("POST", path, door=self._upload, data=body, headers=headers)
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
        body = {"operation": "update", "ignore_empty": True, "resource": [resource]}
        answer = self._api.json("POST", f"/crm/bulk/{self._api.version}/write", price=JOB_CREDITS, json=body)
        return str(answer["details"]["id"])

    def _outcome(self, job: str) -> list[dict[str, str]]:
        waited, pause = 0.0, FIRST_LOOK_SECONDS
        while waited < PATIENCE_SECONDS:
            found = self._api.json("GET", f"/crm/bulk/{self._api.version}/write/{job}")
            url = (found.get("result") or {}).get("download_url")
            if url:
                return _rows(self._api.call("GET", str(url), bucket="download").content)
            if found.get("status") in _DONE:
                raise ContractError(f"bulk job {job} is {found['status']} and tells nothing of its rows", str(found))
            self.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_LOOK_SECONDS)
        raise RetryLaterError(f"Zoho's bulk job {job} is not done after {PATIENCE_SECONDS / 60:.0f} min")


def _rows(content: bytes) -> list[dict[str, str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
    except (zipfile.BadZipFile, IndexError) as error:
        raise ContractError("the result of a bulk job is no zipped file") from error
    return list(csv.DictReader(io.StringIO(text)))


def _refused(row: dict[str, str]) -> Rejection | None:
    if (row.get("STATUS") or "").upper() in _WRITTEN:
        return None
    code, _, text = (row.get("ERRORS") or "UNKNOWN").partition(":")
    field = text.strip()
    if code.strip() == "INVALID_DATA" and field == "id":
        return Rejection("INVALID_DATA", "the id given seems to be invalid", "gone")
    return rejection(code.strip(), f"refused by bulk write ({field or code})", {"api_name": field or None})


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return canonical_text(value) if hasattr(value, "as_tuple") else str(value)
