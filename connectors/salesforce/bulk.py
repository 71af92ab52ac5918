"""Reading a big object by one Bulk API 2.0 query job: its rows come as CSV, streamed, 50,000 a call.

A job has a start-up and is asked for its state, so it pays for big loads only; what it cannot do, and what fails there, is
read by REST. Results live seven days, and a page of them may be fetched again: a place is the job, its page, and how many
rows of it were read.
"""

import codecs
import csv
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from math import ceil
from typing import Any, Self

import structlog

from connectors.errors import ContractError, ForbiddenError, RejectedError, ResumeLostError, RetryLaterError
from connectors.salesforce.api import SalesforceApi

log = structlog.get_logger("connectors.salesforce")

FROM_ROWS = 50_000
"""REST brings so many in half a minute; only beyond does a job's start-up not matter."""

FROM_ROWS_WHEN_SHORT = 12_000
"""A job takes fewer calls from here on: what counts when REST would take much of what is left of our day."""

PAGE_ROWS = 2000
"""Rows of a REST page."""
RESULT_ROWS = 50_000
COMMIT_ROWS = 1000
"""Rows of a result that are handed on at once: what is in memory several times over."""
USUAL_POLLS = 3
_WAITS = (1.0, 1.0, 2.0, 5.0, 10.0)
_LAST_WAIT = 30.0
_PATIENCE_SECONDS = 3600.0
_TRIES = 4
_PLACE = "bulk:"
_NUMBERS = frozenset({"double", "currency", "percent", "int", "long"})

Rows = list[dict[str, Any]]


def calls_for(rows: int) -> int:
    """Calls of a load by a job: how many rows there are, what sort its columns are, the job, its polls, and its pages."""
    return 3 + USUAL_POLLS + ceil(rows / RESULT_ROWS)


def pays(rows: int, left_today: int | None) -> bool:
    """Whether so many rows are worth a job. ``left_today``: what is left of our share of the day's calls."""
    short = left_today is not None and ceil(rows / PAGE_ROWS) > left_today / 10
    return rows > (FROM_ROWS_WHEN_SHORT if short else FROM_ROWS)


@dataclass(frozen=True, slots=True)
class Place:
    """Behind ``read`` rows of the result page at ``locator`` of a job; "" is the first page."""

    job: str
    locator: str = ""
    read: int = 0

    @classmethod
    def of(cls, resume: str | None) -> Self | None:
        """The place that a text tells; None for one of another way of reading."""
        return cls(*json.loads(resume.removeprefix(_PLACE))) if resume and resume.startswith(_PLACE) else None

    def text(self) -> str:
        """What ``of`` reads."""
        return _PLACE + json.dumps([self.job, self.locator, self.read])


class BulkQuery:
    """Query jobs of one organisation."""

    def __init__(self, api: SalesforceApi, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api = api
        self._sleep = sleep

    def begin(self, soql: str, *, recycled: bool) -> Place | None:
        """Makes a job and waits for it. None if the object cannot be read so, or the job failed: REST can do it."""
        order = {"operation": "queryAll" if recycled else "query", "query": soql, "contentType": "CSV",
                 "columnDelimiter": "COMMA", "lineEnding": "LF"}  # fmt: skip
        try:
            job = self._api.rest("jobs/query", "POST", json=order)["id"]
        except (RejectedError, ForbiddenError) as error:  # not of this object, none left today, or not in this edition
            log.info("bulk_refused", reason=str(error))
            return None
        state = self._wait(job)
        if state == "JobComplete":
            return Place(job)
        log.warning("bulk_failed", job=job, state=state, reads="by REST")
        return None

    def _wait(self, job: str) -> str:
        waited = 0.0
        polls = 0
        while True:
            seconds = _WAITS[polls] if polls < len(_WAITS) else _LAST_WAIT
            self._sleep(seconds)  # before the first look, too: no job is done at once
            waited, polls = waited + seconds, polls + 1
            state: str = self._api.rest(f"jobs/query/{job}")["state"]
            if state not in ("UploadComplete", "InProgress"):
                return state
            if waited >= _PATIENCE_SECONDS:
                self._api.rest(f"jobs/query/{job}", "PATCH", json={"state": "Aborted"})
                return state

    def pages(self, place: Place, types: Mapping[str, str]) -> Iterator[tuple[Rows, Place | None]]:
        """Rows behind a place, some at once, with the place behind them. ``types``: those of describe, by column.

        Raises ResumeLostError for a job that is no more.
        """
        tries = _TRIES
        following: Place | None = place
        while following is not None:
            at = following
            try:
                for rows, following in self._result(at, types):
                    yield rows, following
                    tries = _TRIES
                    at = following or at
            except RetryLaterError:  # broken off: what was read of the page is skipped when it comes again
                tries -= 1
                if not tries:
                    raise
                following = at

    def _result(self, place: Place, types: Mapping[str, str]) -> Iterator[tuple[Rows, Place | None]]:
        try:
            answer = self._api.stream(
                f"jobs/query/{place.job}/results",
                {"maxRecords": str(RESULT_ROWS), **({"locator": place.locator} if place.locator else {})},
            )
        except RejectedError as error:
            raise ResumeLostError(f"the results of query job {place.job} are gone: {error}") from error
        with closing(answer):
            if answer.status_code == 204:  # what the guide says of a request that fails
                raise RetryLaterError(f"query job {place.job} gives no results just now")
            told = int(answer.headers["Sforce-NumberOfRecords"])
            locator = answer.headers.get("Sforce-Locator") or "null"
            behind = None if locator == "null" else Place(place.job, locator)
            rows = islice(read_rows(answer.iter_content(65_536), types), place.read, None)
            read = place.read
            while part := list(islice(rows, COMMIT_ROWS)):
                read += len(part)
                if len(part) < COMMIT_ROWS and read < told:
                    raise RetryLaterError(f"query job {place.job} promised {told} rows and brought {read}")
                yield part, behind if read >= told else replace(place, read=read)
            if read < told:
                raise RetryLaterError(f"query job {place.job} promised {told} rows and brought {read}")
            if not told and behind is not None:
                yield [], behind


def read_rows(chunks: Iterable[bytes], types: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of a CSV document as REST would tell them: null for an empty cell, numbers and truth by ``types``.

    The document's first row names the columns; a further page may lack it (observed by others), then ``types`` in its
    order is what was selected.
    """
    lines = read_lines(chunks)
    names = list(types)
    readers = [_reader(types[name]) for name in names]
    for number, cells in enumerate(lines):
        if number == 0 and [cell.lower() for cell in cells] == [name.lower() for name in names]:
            continue
        if len(cells) != len(names):
            raise ContractError(f"a row of {len(cells)} cells in a result of {len(names)} columns", str(cells))
        yield {name: read(cell) if cell else None for name, read, cell in zip(names, readers, cells, strict=True)}


def read_lines(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """The cells of a CSV document, row by row."""
    return csv.reader(_lines(chunks))


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines of a UTF-8 document with their ends, whatever characters the chunks' borders cut. NUL is taken out."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + decoder.decode(chunk).replace("\x00", "")).split("\n")
        for line in whole:
            yield line + "\n"
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def _reader(kind: str) -> Callable[[str], Any]:
    if kind == "boolean":
        return "true".__eq__
    if kind in ("int", "long"):
        return lambda cell: int(Decimal(cell))
    return Decimal if kind in _NUMBERS else str


def types_of(described: Mapping[str, Mapping[str, Any]], columns: Sequence[str]) -> dict[str, str] | None:
    """The type of each column; None if one is not to be read from CSV: another object's, or of any type (an old value)."""
    if any(column not in described for column in columns):
        return None
    types = {column: str(described[column]["type"]) for column in columns}
    return None if "anyType" in types.values() else types
