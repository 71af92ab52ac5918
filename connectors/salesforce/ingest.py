"""Writing many records by one Bulk API 2.0 ingest job: seven calls or so, whatever their number.

Every row of the results echoes what was sent, so verdicts are matched by our own id or key, never by order. JobComplete says
nothing of success, and a job that fails as a whole is done again by collections, whose verdicts name the reason.
"""

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any

import structlog

from connectors.base import Rejection, Value, WriteTarget
from connectors.errors import ForbiddenError, RejectedError
from connectors.salesforce.api import SalesforceApi
from connectors.salesforce.bulk import read_lines
from connectors.salesforce.write import rejection, remote_object, spelled

log = structlog.get_logger("connectors.salesforce")

FROM_ROWS = 2000
"""A job with three looks at its state takes seven calls: fewer than collections from 1,400 records on."""

MOST_ROWS = 25_000
"""What is held in memory at once, and far below the 100 MB of an upload."""

EMPTY = "#N/A"
"""Empties a field: an empty cell leaves it as it is."""

_WAITS = (1.0, 1.0, 2.0, 5.0, 10.0)
_LAST_WAIT = 30.0
_LOOKS = 120

Records = Mapping[str, Mapping[str, Value]]


class Ingest:
    """Ingest jobs of one organisation."""

    def __init__(self, api: SalesforceApi, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api = api
        self._sleep = sleep

    def write(self, target: WriteTarget, records: Records) -> dict[str, Rejection | None] | None:
        """Verdicts by id or key; a record that the job says nothing of has none. None: the job could not do it at all."""
        key = target.key if target.into and target.key else None
        order = {"object": remote_object(target), "operation": "upsert" if key else "update", "contentType": "CSV",
                 "columnDelimiter": "COMMA", "lineEnding": "LF"}  # fmt: skip
        if key:
            order["externalIdFieldName"] = key
        try:
            job = self._api.rest("jobs/ingest", "POST", json=order)["id"]
            self._api.upload(f"jobs/ingest/{job}/batches", document(key or "Id", records))
            self._api.rest(f"jobs/ingest/{job}", "PATCH", json={"state": "UploadComplete"})
        except (RejectedError, ForbiddenError) as error:
            log.info("bulk_refused", reason=str(error))
            return None
        done = self._wait(job)
        if done["state"] != "JobComplete":
            log.warning("bulk_failed", job=job, state=done["state"], text=done.get("errorMessage"), writes="by REST")
            return None
        return self._verdicts(job, done, key or "Id", records)

    def _wait(self, job: str) -> Mapping[str, Any]:
        for look in range(_LOOKS):
            self._sleep(_WAITS[look] if look < len(_WAITS) else _LAST_WAIT)
            told: Mapping[str, Any] = self._api.rest(f"jobs/ingest/{job}")
            if told["state"] not in ("UploadComplete", "InProgress"):
                return told
        self._api.rest(f"jobs/ingest/{job}", "PATCH", json={"state": "Aborted"})
        return {"state": "Aborted", "errorMessage": "it took too long"}

    def _verdicts(self, job: str, done: Mapping[str, Any], key: str, records: Records) -> dict[str, Rejection | None]:
        failed: dict[str, Rejection | None] = {}
        if done["numberRecordsFailed"]:
            for row in self._rows(f"jobs/ingest/{job}/failedResults"):
                code, _, text = row["sf__Error"].partition(":")
                failed[row[key]] = rejection(code, text, keyed=key != "Id")
        counted = done["numberRecordsProcessed"] == len(records) and done["numberRecordsFailed"] == len(failed)
        if counted:
            return {**dict.fromkeys(records), **failed}
        written = {row[key] for row in self._rows(f"jobs/ingest/{job}/successfulResults")}
        return {**dict.fromkeys(written & records.keys()), **failed}

    def _rows(self, path: str) -> list[dict[str, str]]:
        with closing(self._api.stream(path, {})) as answer:
            lines = read_lines(answer.iter_content(65_536))
            names = next(lines, [])
            return [dict(zip(names, cells, strict=True)) for cells in lines]


def document(key: str, records: Records) -> bytes:
    """The CSV of some records. A field that a record does not name is left as it is there."""
    names = sorted({name for fields in records.values() for name in fields})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([key, *names])
    writer.writerows([one, *_cells(fields, names)] for one, fields in records.items())
    return text.getvalue().encode()


def _cells(fields: Mapping[str, Value], names: Sequence[str]) -> list[str]:
    return [_cell(fields[name]) if name in fields else "" for name in names]


def _cell(value: Value) -> str:
    plain = spelled(value)
    if plain in (None, ""):
        return EMPTY
    if isinstance(plain, Decimal):
        return format(plain, "f")  # never with an exponent
    return str(plain).lower() if isinstance(plain, bool) else str(plain)
