"""Bulk Read: a job per 200,000 rows, looked at until it is done, and its zipped CSV as rows like those of a query.

Jobs of one org run one after the other, so there is never more than one of ours.
"""

import csv
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from connectors.errors import ContractError, RejectedError, ResumeLostError, RetryLaterError
from connectors.zoho.api import ZohoApi, rows_of

PER_JOB = 200_000
JOB_CREDITS = 50
PORTION = 2_000
"""Rows of one page, as many as a query has."""

IN_MEMORY = 4 * 1024 * 1024
CHUNK = 256 * 1024
FIRST_LOOK_SECONDS = 1.0
LONGEST_LOOK_SECONDS = 60.0
PATIENCE_SECONDS = 1_800.0
"""How long a job is waited for; the next run looks at it again from its beginning."""

DOWNLOADS = 3
"""Tries for a file that arrives broken."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows of one answer, and where to go on behind them; ``resume`` None: these were the last."""

    rows: list[dict[str, Any]]
    resume: str | None


def looks(sleep: Callable[[float], object]) -> Iterator[None]:
    """Moments at which to look at a job, further and further apart, as long as it is waited for."""
    waited, pause = 0.0, FIRST_LOOK_SECONDS
    while waited < PATIENCE_SECONDS:
        yield
        sleep(pause)
        waited, pause = waited + pause, min(pause * 2, LONGEST_LOOK_SECONDS)


class BulkRead:
    """Whole modules by jobs. ``resume`` is JSON of the job and of the rows of its file that are done."""

    def __init__(self, api: ZohoApi, name: str, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._api = api
        self._name = name
        self.sleep = sleep

    def rows(self, module: str, columns: Sequence[str], resume: str | None) -> Iterator[Portion]:
        """All rows of a module, or those behind ``resume``. Raises ResumeLostError if Zoho has forgotten the job."""
        place: dict[str, Any] = json.loads(resume) if resume else {"job": "", "row": 0}
        job, done = str(place["job"]), int(place["row"])
        if not job:
            job = self._create({"module": {"api_name": module}, "fields": list(columns), "page": 1})
        while True:
            with ExitStack() as held:
                try:
                    result = self._result(job)
                    archive = held.enter_context(self._file(job, str(result["download_url"])))
                except RejectedError as error:
                    if resume:  # jobs and files are kept for a day
                        raise ResumeLostError(f"{self._name}: Zoho has forgotten bulk job {job}: {error}") from None
                    raise
                rows = islice(_rows_in(archive), done, None)
                while portion := list(islice(rows, PORTION)):
                    done += len(portion)
                    yield Portion(portion, json.dumps({"job": job, "row": done}))
            if not result.get("more_records"):
                yield Portion([], None)
                return
            job, done, resume = self._create({"page_token": str(result["next_page_token"])}), 0, None

    def _create(self, query: dict[str, Any]) -> str:
        answer = self._api.json(
            "POST",
            f"/crm/bulk/{self._api.version}/read",
            price=JOB_CREDITS,
            json={"query": query, "file_type": "csv"},
        )
        return str(rows_of(answer, "data")[0]["details"]["id"])

    def _result(self, job: str) -> dict[str, Any]:
        for _ in looks(self.sleep):
            found = rows_of(self._api.json("GET", f"/crm/bulk/{self._api.version}/read/{job}"), "data")[0]
            if found["state"] == "COMPLETED":
                result: dict[str, Any] = found["result"]
                return result
            if found["state"] == "FAILURE":
                raise RetryLaterError(f"{self._name}: Zoho's bulk job {job} failed: the next run makes another")
        raise RetryLaterError(f"{self._name}: Zoho's bulk job {job} is not done after {PATIENCE_SECONDS / 60:.0f} min")

    @contextmanager
    def _file(self, job: str, path: str) -> Iterator[zipfile.ZipFile]:
        """The file of a job, kept on disk where it is big: rows of it are read as they are wanted."""
        for _ in range(DOWNLOADS):
            with SpooledTemporaryFile(IN_MEMORY) as file:
                archive = self._fetched(path, file)
                if archive is not None:
                    yield archive
                    return
        raise RetryLaterError(f"{self._name}: the file of Zoho's bulk job {job} arrives broken")

    def _fetched(self, path: str, file: IO[bytes]) -> zipfile.ZipFile | None:
        """The file; None if it was cut on its way, for then it is still there."""
        with closing(self._api.call("GET", path, bucket="download", stream=True)) as answer:
            try:
                file.writelines(answer.iter_content(CHUNK))
                archive = zipfile.ZipFile(file)
                return archive if len(archive.namelist()) == 1 and archive.testzip() is None else None
            except (zipfile.BadZipFile, RetryLaterError):
                return None


def _rows_in(archive: zipfile.ZipFile) -> Iterator[dict[str, Any]]:
    """Rows of the one CSV in a file, with the keys of a query's answer; an empty cell is None."""
    with archive.open(archive.namelist()[0]) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        names = ["id" if name == "Id" else name for name in next(reader, [])]
        for cells in reader:
            if len(cells) != len(names):
                raise ContractError("a row of a bulk file has another number of cells than its header")
            yield {name: cell or None for name, cell in zip(names, cells, strict=True)}
