"""The reading half of Salesforce's REST API: versions, limits, describe, queries, locators, deleted and updated."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from connectors.sandbox.routing import Reply, Request, Route
from connectors.sandbox.salesforce.ids import base62
from connectors.sandbox.salesforce.query import Found
from connectors.sandbox.salesforce.schema import ObjectType
from connectors.sandbox.salesforce.store import stamp
from connectors.sandbox.salesforce.values import CallError

if TYPE_CHECKING:
    from connectors.sandbox.salesforce import SalesforceEmulator

PAGE_ROWS = 2000
_DELETED_DAYS, _UPDATED_DAYS = 15, 30
_MAX_REPLICATED = 600_000
_KEPT_LOCATORS = 50
NEWEST, OLDEST = 66, 31


@dataclass(slots=True)
class _Cursor:
    found: Found
    done: bool = False


class Data:
    """Answers reads."""

    def __init__(self, emulator: "SalesforceEmulator", max_cursors: int) -> None:
        self._emulator = emulator
        self._org = emulator.org
        self._max_cursors = max_cursors
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._opened = 0

    def routes(self) -> list[Route]:
        """The endpoints."""
        root = "/services/data/{version}"
        return [
            ("GET", "/services/data", self._versions),
            ("GET", root, self._resources),
            ("GET", f"{root}/limits", self._limits),
            ("GET", f"{root}/connect/organization", self._organization),
            ("GET", f"{root}/query", self._query),
            ("GET", f"{root}/queryAll", self._query_all),
            ("GET", f"{root}/query/{{locator}}", self._more),
            ("GET", f"{root}/queryAll/{{locator}}", self._more),
            ("GET", f"{root}/sobjects", self._objects),
            ("GET", f"{root}/sobjects/{{object}}", self._object),
            ("GET", f"{root}/sobjects/{{object}}/describe", self._describe),
            ("GET", f"{root}/sobjects/{{object}}/deleted", self._deleted),
            ("GET", f"{root}/sobjects/{{object}}/updated", self._updated),
        ]

    def drop_cursors(self) -> None:
        """Every open query is forgotten."""
        self._cursors.clear()

    def page(self, request: Request, locator: str, start: int, base: str) -> str:
        """One page of an open query, from row ``start``, as JSON text."""
        cursor = self._cursors[locator]
        found = cursor.found
        size = self._page_rows(request)
        rows = found.rows[start : start + size]
        cursor.done = start + len(rows) >= len(found.rows)
        following = "" if cursor.done else f'"nextRecordsUrl":"{base}/query/{locator}-{start + len(rows)}",'
        records = ",".join(map(found.write, rows))
        return f'{{"totalSize":{found.total},"done":{str(cursor.done).lower()},{following}"records":[{records}]}}'

    def _page_rows(self, request: Request) -> int:
        asked = re.search(r"batchSize\s*=\s*(\d+)", request.headers.get("Sforce-Query-Options", ""))
        size = min(max(int(asked[1]), 200), PAGE_ROWS) if asked else PAGE_ROWS
        return min(size, self._emulator.page_cap) if self._emulator.page_cap else size

    def _versions(self, _request: Request) -> Reply:
        listed = [
            {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(OLDEST, NEWEST + 1)
        ]
        return Reply(body=listed)

    def _resources(self, _request: Request, version: str) -> Reply:
        base = self._emulator.base(version)
        names = ("sobjects", "query", "queryAll", "limits", "composite", "tooling", "jobs")
        org = next(iter(self._org.tables["Organization"].rows))
        identity = f"{self._emulator.url}/id/{org}/{self._org.running_user}"
        return Reply(body={**{name: f"{base}/{name}" for name in names}, "identity": identity})

    def _limits(self, _request: Request, version: str) -> Reply:
        self._emulator.base(version)
        used, most = self._emulator.api_used, self._emulator.api_max
        spent = self._emulator.faults.find("day_limit") is not None
        body = {
            "DailyApiRequests": {"Max": most, "Remaining": 0 if spent else max(0, most - used)},
            "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000},
            "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000 - self._emulator.bulk.query_jobs},
            "DailyBulkV2QueryFileStorageMB": {"Max": 976562, "Remaining": 976562},
            "DailyAsyncApexExecutions": {"Max": 250000, "Remaining": 250000},
            "DataStorageMB": {"Max": 1024, "Remaining": 512},
        }
        return Reply(body=body)

    def _organization(self, _request: Request, version: str) -> Reply:
        """Connect REST API: a default currency is told by an org that has no other."""
        self._emulator.base(version)
        several = "currencytype" not in self._org.off
        org = next(iter(self._org.tables["Organization"].rows.values()))
        only = {} if several else {"defaultCurrencyIsoCode": self._org.currency}
        features = {"chatter": False, "multiCurrency": several, **only}
        return Reply(body={"name": org["Name"], "orgId": org["Id"], "features": features, "maintenanceInfo": []})

    def _query(self, request: Request, version: str) -> Reply:
        return self._open(request, version, everything=False)

    def _query_all(self, request: Request, version: str) -> Reply:
        return self._open(request, version, everything=True)

    def _open(self, request: Request, version: str, *, everything: bool) -> Reply:
        base = self._emulator.base(version)
        text = request.first("q")
        if not text:
            raise CallError(400, "MALFORMED_QUERY", "A query string has to be specified")
        if self._emulator.strike("query_timeout", request):
            raise CallError(400, "QUERY_TIMEOUT", "Your query request was running for too long.")
        statement, found = self._emulator.engine.run(text, everything=everything, base=base, now=self._emulator.now())
        if self._emulator.strike("empty", request):
            found.rows, found.total = [], 0
        if statement.count:
            return Reply(body={"totalSize": found.total, "done": True, "records": []})
        self._opened += 1
        locator = f"01gSb0{base62(self._opened)}AAM"
        self._cursors[locator] = _Cursor(found)
        page = self.page(request, locator, 0, base)
        self._evict()
        return Reply(body=page)

    def _evict(self) -> None:
        """A user has few open cursors: the oldest one that was not drained goes when another is opened."""
        open_ones = [locator for locator, cursor in self._cursors.items() if not cursor.done]
        for locator in open_ones[: -self._max_cursors]:
            del self._cursors[locator]
        while len(self._cursors) > _KEPT_LOCATORS:
            self._cursors.popitem(last=False)

    def _more(self, request: Request, version: str, locator: str) -> Reply:
        base = self._emulator.base(version)
        if self._emulator.strike("expired_locator", request):
            self.drop_cursors()
        name, _, start = locator.rpartition("-")
        if name not in self._cursors or not start.isdigit():
            raise CallError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return Reply(body=self.page(request, name, int(start), base))

    def _objects(self, _request: Request, version: str) -> Reply:
        base = self._emulator.base(version)
        kinds = [kind for name in self._org.objects if (kind := self._org.object(name))]
        listed = [{**kind.brief(), "urls": _urls(base, kind)} for kind in kinds]
        return Reply(body={"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})

    def _object(self, _request: Request, version: str, **path: str) -> Reply:
        kind = self._emulator.kind_named(path["object"])
        brief = {**kind.brief(), "urls": _urls(self._emulator.base(version), kind)}
        return Reply(body={"objectDescribe": brief, "recentItems": []})

    def _describe(self, request: Request, version: str, **path: str) -> Reply:
        base = self._emulator.base(version)
        kind = self._emulator.kind_named(path["object"])
        self._emulator.tooling.settle()
        changed = self._emulator.schema_changed.replace(microsecond=0)
        headers = {"Last-Modified": format_datetime(changed, usegmt=True)}
        since = request.headers.get("If-Modified-Since")
        if since and changed <= parsedate_to_datetime(since):
            return Reply(304, None, headers)
        visible = [one for one in kind.fields.values() if self._org.visible(kind, one)]
        editable = {one.name: self._org.editable(kind, one) and kind.writable for one in visible}
        return Reply(200, kind.describe(f"{base}/sobjects/{kind.name}", visible, editable), headers)

    def _deleted(self, request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        kind, start, end = self._window(request, path["object"], _DELETED_DAYS)
        table = self._org.tables[kind.name]
        times = {row["Id"]: row["SystemModstamp"] for row in table.between(start, end) if row.get("IsDeleted")}
        times |= {key: time for key, time in table.purged.items() if start <= time <= end}
        if len(times) > _MAX_REPLICATED:
            raise CallError(400, "EXCEEDED_ID_LIMIT", "too many ids in the window")
        now = self._emulator.now()
        earliest = (now - timedelta(days=_DELETED_DAYS)).replace(hour=0, minute=0, second=0)
        body = {
            "deletedRecords": [
                {"id": key, "deletedDate": time} for key, time in sorted(times.items(), key=lambda pair: pair[1])
            ],
            "earliestDateAvailable": stamp(earliest),
            "latestDateCovered": min(end, _minute(now)),
        }
        return Reply(body=body)

    def _updated(self, request: Request, version: str, **path: str) -> Reply:
        self._emulator.base(version)
        kind, start, end = self._window(request, path["object"], _UPDATED_DAYS)
        rows = self._org.tables[kind.name].between(start, end)
        ids = [row["Id"] for row in rows if not row.get("IsDeleted")]
        return Reply(body={"ids": ids, "latestDateCovered": min(end, _minute(self._emulator.now()))})

    def _window(self, request: Request, name: str, days: int) -> tuple[ObjectType, str, str]:
        kind = self._emulator.kind_named(name)
        if not kind.brief()["replicateable"]:
            raise CallError(400, "INVALID_TYPE", f"entity type {kind.name} is not replicable")
        moments = []
        for which in ("start", "end"):
            try:
                moment = datetime.fromisoformat(request.first(which) or "")
            except ValueError:
                raise CallError(400, "INVALID_REPLICATION_DATE", f"{which}Date is not a valid date") from None
            if moment.tzinfo is None:
                raise CallError(400, "INVALID_REPLICATION_DATE", f"{which}Date needs a time zone")
            moments.append(moment.astimezone(UTC).replace(second=0, microsecond=0))
        start, end = moments
        if end - start <= timedelta(minutes=1):
            text = "startDate must precede endDate by more than one minute"
            raise CallError(400, "INVALID_REPLICATION_DATE", text)
        if start < self._emulator.now() - timedelta(days=days):
            raise CallError(400, "INVALID_REPLICATION_DATE", "startDate before org replication enabled date")
        return kind, stamp(start), stamp(end)


def _minute(moment: datetime) -> str:
    return stamp(moment.replace(second=0))


def _urls(base: str, kind: ObjectType) -> dict[str, str]:
    url = f"{base}/sobjects/{kind.name}"
    return {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"}


def _label(number: int) -> str:
    year, season = divmod(number - 30, 3)
    return f"{('Spring', 'Summer', 'Winter')[season]} '{year + 14 + (season == 2):02d}"
