"""The calls that the Zoho connector makes, with answers as plain dictionaries; and what they cost in credits."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from connectors.answers import Answer
from connectors.errors import AllowanceError, ConfigError, ContractError, RejectedError, RetryLaterError
from connectors.http import Http, Usage
from connectors.zoho.coql import MOST_ROWS, behind, select
from connectors.zoho.manners import BUSY, CREDITS_LEFT, error_of, words

log = structlog.get_logger("connectors.zoho")

Json = Mapping[str, Any]
Fields = Mapping[str, Mapping[str, Any]]

PAGE = 200
BUSY_SECONDS = 900.0
"""How long nothing is sent after "too many requests" again and again: then it is the day that is spent, not a second."""

_NO_MORE_PAGES = frozenset({"DISCRETE_PAGINATION_LIMIT_EXCEEDED", "PAGINATION_LIMIT_EXCEEDED"})

_BUDGETS: dict[str, tuple[int, int, int | None]] = {
    "free": (5_000, 0, 5_000),
    "standard": (50_000, 250, 100_000),
    "starter": (50_000, 250, 100_000),
    "professional": (50_000, 500, 3_000_000),
    "enterprise": (50_000, 1_000, 5_000_000),
    "zohooneenterprise": (50_000, 1_000, 5_000_000),
    "zohoonestandard": (50_000, 250, 100_000),
    "ultimate": (50_000, 2_000, None),
    "crmplus": (50_000, 2_000, None),
    "crmplusstarter": (50_000, 250, 100_000),
}
"""Credits in 24 hours by ``paid_type``: base, more per user, at most (Zoho CRM developer documentation, "API limits").

What the page does not name of the small editions has the smallest paid budget here.
"""


class ZohoApi:
    """One org over our door. ``learnt`` outlives the process: the org's currency, id and credits."""

    def __init__(self, http: Http, name: str, version: str, learnt: dict[str, str]) -> None:
        self.http = http
        self.name = name
        self.version = version
        self.learnt = learnt
        self._fields: dict[str, Fields] = {}

    def call(self, method: str, path: str, *, price: int = 1, door: Http | None = None, **kwargs: Any) -> Answer:
        """One call, for ``price`` credits. AllowanceError where Zoho goes on saying that there are too many."""
        try:
            answer = (door or self.http).request(method, path, **kwargs)
        except RetryLaterError as error:
            if isinstance(error, AllowanceError) or BUSY not in str(error) or kwargs.get("bucket") == "download":
                raise  # files are limited by themselves, ten a minute
            # Too many at once passes in seconds; a spent day says the same, and does not.
            self.http.limiter.shut(BUSY_SECONDS)
            raise AllowanceError(f"{error}. The org's credits seem to be spent", BUSY_SECONDS) from None
        self.http.limiter.charge(price - 1)
        self._learn_usage(answer)
        return answer

    def json(self, method: str, path: str, **kwargs: Any) -> Any:
        """The JSON of a call; None for 204 and 304, which have no body."""
        answer = self.call(method, path, json_only=True, **kwargs)
        return answer.json() if answer.content and answer.status_code not in (204, 304) else None

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET below ``/crm/v8``."""
        return self.json("GET", f"/crm/{self.version}/{path}", params=params)

    def coql(self, query: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
        """Rows of a query, and whether there are more."""
        price = 1 if limit <= 200 else 2 if limit <= 1000 else 3
        path = f"/crm/{self.version}/coql"
        answer = self.json("POST", path, price=price, json={"select_query": query})
        if answer is None:
            return [], False
        return list(rows_of(answer, "data")), bool((answer.get("info") or {}).get("more_records"))

    def rows(
        self, columns: Sequence[str], module: str, where: Sequence[str], limit: int = MOST_ROWS
    ) -> Iterator[list[dict[str, Any]]]:
        """All rows of a module under some conditions, by id. ``columns`` begin with the id."""
        last = ""
        while True:
            rest = behind(None, "", last) if last else ""
            found, more = self.coql(select(columns, module, [*where, rest], "id asc", limit), limit)
            yield found
            if not more:
                return
            if not found or found[-1]["id"] == last:
                raise ContractError(f"{module}: Zoho says that there are more rows, and gives none")
            last = str(found[-1]["id"])

    def users(self, sort: str, since: datetime | None = None) -> Iterator[list[dict[str, Any]]]:
        """Pages of users of one type, changed later than ``since``."""
        yield from self._pages("users", "users", since, type=sort)

    def deleted(self, module: str, since: datetime | None) -> Iterator[list[dict[str, Any]]]:
        """Pages of a module's deleted rows.

        By number Zoho shows 2,000 at most, and this list has no page tokens. Where it is told from the oldest on, it is
        asked again from the last one told; else what lies behind the latest 2,000 is left to the comparison of ids.
        """
        while True:
            times: list[datetime] = []
            try:
                for rows in self._pages(f"{module}/deleted", "data", since, price=2, type="all"):
                    times += [datetime.fromisoformat(row["deleted_time"]) for row in rows if row.get("deleted_time")]
                    yield rows
            except RejectedError as error:
                if error.code not in _NO_MORE_PAGES or not times:
                    raise
                if times[-1] <= max(times[0], since or times[0]):
                    log.warning("deletions_cut", connection=self.name, module=module, told=len(times))
                    return
                since = times[-1]
                continue
            return

    def _pages(
        self,
        path: str,
        key: str,
        since: datetime | None,
        *,
        price: int = 1,
        **params: Any,
    ) -> Iterator[list[dict[str, Any]]]:
        # Second precision, and "later than" leaves out the second itself.
        headers = {} if since is None else {"If-Modified-Since": _moment(since - timedelta(seconds=1))}
        page = 1
        while True:
            asked = {**params, "page": page, "per_page": PAGE}
            answer = self.json("GET", f"/crm/{self.version}/{path}", price=price, params=asked, headers=headers)
            if answer is None:
                return
            yield rows_of(answer, key)
            if not (answer.get("info") or {}).get("more_records"):
                return
            page += 1

    def count(self, module: str) -> int:
        """How many rows a module has that we may see."""
        return int(self.get(f"{module}/actions/count")["count"])

    def fields(self, module: str, *, fresh: bool = False) -> Fields:
        """A module's fields by API name, as we see them; none where Zoho has no such module. Asked once unless ``fresh``."""
        if fresh or module not in self._fields:
            try:
                answer = self.get("settings/fields", module=module, type="all")
            except RejectedError as error:
                if error.code != "INVALID_MODULE":
                    raise
                answer = None
            self._fields[module] = {} if answer is None else {one["api_name"]: one for one in rows_of(answer, "fields")}
        return self._fields[module]

    def pipelines(self) -> Iterator[tuple[Json, Json]]:
        """Each layout of Deals with each of its pipelines."""
        for layout in rows_of(self.get("settings/layouts", module="Deals"), "layouts"):
            answer = self.get("settings/pipeline", layout_id=layout["id"])
            for pipeline in rows_of(answer, "pipeline") if answer else ():
                yield layout, pipeline

    def currencies(self) -> list[dict[str, Any]]:
        """The org's currencies; none where it has one only."""
        answer = self.get("org/currencies")
        return rows_of(answer, "currencies") if answer else []

    def org(self) -> dict[str, Any]:
        """The org. What is worth knowing of it is kept in ``learnt``."""
        org = rows_of(self.get("org"), "org")[0]
        licence = org.get("license_details") or {}
        budget = credits_a_day(str(licence.get("paid_type") or ""), int(licence.get("users_license_purchased") or 0))
        self.learnt.update(currency=str(org.get("iso_code") or ""), org=str(org.get("zgid") or ""))
        self.learnt["budget"] = "" if budget is None else str(budget)
        self._learn_budget()
        return org

    def org_fact(self, name: str) -> str:
        """``currency``, ``org`` (its number) or ``budget``, asked for while nobody remembers it; "" is unknown."""
        if name not in self.learnt:
            self.org()
        return self.learnt.get(name, "")

    def _learn_budget(self) -> None:
        budget = self.learnt.get("budget")
        if budget and self.http.limiter.day_max is None:
            self.http.limiter.learn("general", Usage(day_max=int(budget)))

    def _learn_usage(self, answer: Answer) -> None:
        self._learn_budget()
        left, budget = answer.headers.get(CREDITS_LEFT, "").strip(), self.learnt.get("budget")
        if budget and left.isdigit():
            used = max(0, int(budget) - int(left))
            self.http.limiter.learn("general", Usage(day_max=int(budget), day_used=used))


def credits_a_day(edition: str, users: int) -> int | None:
    """An org's credits in 24 hours; None for an edition we do not know, or without a limit to speak of."""
    known = _BUDGETS.get(edition.lower().replace(" ", "").replace("_", ""))
    if known is None:
        return None
    base, each, most = known
    return base + each * users if most is None else min(base + each * users, most)


def rows_of(answer: Any, key: str) -> list[dict[str, Any]]:
    """The list in an answer. Raises ContractError for another thing."""
    found = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise ContractError(f"Zoho answered with something that holds no {key}", str(answer))
    return found


def refuse_unless(answer: Answer, key: str, count: int) -> Sequence[dict[str, Any]]:
    """The verdicts of a batch, one for each record in its order. RejectedError where the call as a whole was refused."""
    body = answer.json() if answer.content else None
    found = body.get(key) if isinstance(body, dict) else None
    if isinstance(found, list) and len(found) == count:
        return found
    error = error_of(body)
    if answer.status_code >= 400:
        raise RejectedError(str(error.get("code") or answer.status_code), words(error), answer.status_code)
    raise ContractError(f"{count} records were sent, and the answer speaks of another number", str(body))


def missing_module(name: str, module: str) -> ConfigError:
    """What to say where a module that the configuration names is not there."""
    return ConfigError(f"{name}: Zoho has no module {module}. Run scoreback provision, or correct its API name")


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
