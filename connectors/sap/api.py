"""The calls that the connector makes to a tenant's OData service: pages, counts, metadata, and changes in batches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from urllib.parse import quote, urljoin

from connectors.answers import Answer
from connectors.errors import ContractError, RejectedError
from connectors.http import Http
from connectors.sap.batch import CONTENT_TYPE, Change, Outcome, batch_body, batch_outcomes
from connectors.sap.manners import STALE_TOKEN
from connectors.sap.metadata import Metadata, Property, parse
from connectors.sap.values import Row, text_literal

KEYS_PER_CALL = 90
"""How many keys one filter names: with the usual ones it stays below 8,000 characters of URL."""

_LONGEST_FILTER = 6_000
"""Characters of such a filter as a URL has them, for keys that are longer than the usual ones."""

METADATA_SECONDS = 60.0
"""How old the metadata may be where something seems to be missing from it: it is megabytes long."""

_SAFE = "$',()/:"


@dataclass(frozen=True, slots=True)
class Rows:
    """One page: its rows, the CRM's count if it was asked for, and the address of the next page."""

    rows: list[Row]
    total: int | None
    following: str | None


class SapApi:
    """One service of one tenant. Errors are those of the door."""

    def __init__(self, http: Http, service: str) -> None:
        self._http = http
        self.service = service
        self._metadata: dict[str, tuple[float, Metadata]] = {}
        self._session: Mapping[str, str] | None = None

    # Reading.

    def page(self, path: str, options: Mapping[str, str]) -> Rows:
        """The first page of a set."""
        return self._rows(f"{self._at(path)}?{_query({'$format': 'json', **options})}")

    def more(self, following: str) -> Rows:
        """The page behind a next link, which is followed as it is."""
        return self._rows(following)

    def pages(self, path: str, options: Mapping[str, str]) -> Iterator[Rows]:
        """Every page of a set, by the server's next links."""
        page = self.page(path, options)
        yield page
        while page.following is not None:
            page = self.more(page.following)
            yield page

    def by_key(
        self, entity_set: str, key: str, values: Sequence[str], columns: Iterable[str], where: str = ""
    ) -> Iterator[list[Row]]:
        """Rows whose ``key`` is one of the values, as many at a time as a URL holds. ``where`` holds for all."""
        terms = [f"{key} eq {text_literal(one)}" for one in dict.fromkeys(values)]
        size = max(len(quote(f"{term} or ", safe=_SAFE)) for term in terms) if terms else 1
        step = max(1, min(KEYS_PER_CALL, _LONGEST_FILTER // size))
        for start in range(0, len(terms), step):
            part = " or ".join(terms[start : start + step])
            condition = f"({part}) and {where}" if where else part
            options = {"$select": ",".join(dict.fromkeys(columns)), "$filter": condition}
            for page in self.pages(entity_set, options):
                yield page.rows

    def count(self, entity_set: str, where: str = "") -> int:
        """How many rows a set has."""
        query = f"?{_query({'$filter': where})}" if where else ""
        path = f"{self._at(entity_set)}/$count{query}"
        text = self._http.request("GET", path, headers={"Accept": "text/plain"}).text.strip()
        if not text.isdigit():
            raise ContractError(f"{entity_set}/$count does not answer with a number", text)
        return int(text)

    def _at(self, entity_set: str) -> str:
        """The path of a set: one that begins with a slash is of another service."""
        return entity_set if entity_set.startswith("/") else f"{self.service}/{entity_set}"

    def _rows(self, path: str) -> Rows:
        answer = self._http.request("GET", path, json_only=True)
        body = answer.json() if answer.content else None
        found = body.get("d") if isinstance(body, dict) else None
        rows = found.get("results") if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise ContractError("a set was answered with something that is no page of rows", str(body))
        total = found.get("__count") if isinstance(found, dict) else None
        following = found.get("__next") if isinstance(found, dict) else None
        if following and "://" not in following:  # OData wants a whole address; gateways in front write the rest of one
            following = urljoin(answer.url, following)
        return Rows(rows, None if total is None else int(total), following)

    # Metadata.

    def metadata(self, service: str = "", *, fresh: bool = False) -> Metadata:
        """A service's description: one call, and another where ``fresh`` is asked for and it is a minute old."""
        service = service or self.service
        known = self._metadata.get(service)
        if known is not None and not (fresh and monotonic() - known[0] >= METADATA_SECONDS):
            return known[1]
        answer = self._http.request("GET", f"{service}/$metadata?sap-label=true", headers={"Accept": "application/xml"})
        found = parse(answer.content)
        self._metadata[service] = monotonic(), found
        return found

    def described(self, entity_set: str, *, fresh: bool = False) -> Mapping[str, Property] | None:
        """The properties of a set of this service, or of the one that its path names; None if that has no such set."""
        service, _, name = entity_set.rpartition("/")
        return self.metadata(service, fresh=fresh).of(name)

    def properties(self, entity_set: str, wanted: Iterable[str] = ()) -> Mapping[str, Property] | None:
        """The properties of a set; asked anew if one of ``wanted`` is not among those that are known."""
        found = self.metadata().of(entity_set)
        if found is None or not set(wanted) <= found.keys():
            found = self.metadata(fresh=True).of(entity_set)
        return found

    # Changes.

    def change(self, changes: Sequence[Change]) -> list[Outcome]:
        """What became of each change, in order. A batch that is refused as a whole is sent again in halves.

        One that creates records is not repeated when its answer is lost: RetryLaterError, and whoever sends it again looks
        first which of them are there.
        """
        try:
            return self._batch(changes)
        except RejectedError as error:
            if error.status not in (400, 413):
                raise
            if len(changes) == 1:  # this one's verdict: others of the same write may stand by now
                return [Outcome(error.status, error.code, error.text)]
        middle = len(changes) // 2
        return [*self.change(changes[:middle]), *self.change(changes[middle:])]

    def _batch(self, changes: Sequence[Change]) -> list[Outcome]:
        body, once = batch_body(changes), any(change.method == "POST" for change in changes)
        try:
            answer = self._post(body, once=once)
        except RejectedError as error:
            if error.code != STALE_TOKEN:
                raise
            self._session = None  # the token or its session is forgotten there: a new one, and once more
            answer = self._post(body, once=once)
        return batch_outcomes(answer.headers.get("Content-Type", ""), answer.content, len(changes))

    def _post(self, body: bytes, *, once: bool) -> Answer:
        headers = {"Content-Type": CONTENT_TYPE, "Accept": "multipart/mixed", **self._signed()}
        return self._http.request("POST", f"{self.service}/$batch", data=body, headers=headers, once=once)

    def _signed(self) -> Mapping[str, str]:
        """CSRF token and the cookies of its session: one is worth nothing without the other.

        Fetched at the service's root with its slash; below a record C4C answers 500 (SAP/cloud-sdk-js issue 1185). A
        technical user may be given no token, and needs none then.
        """
        if self._session is None:
            path = f"{self.service}/?$format=json"
            answer = self._http.request("GET", path, headers={"x-csrf-token": "fetch"})
            token = answer.headers.get("x-csrf-token")
            cookies = "; ".join(f"{one.name}={one.value}" for one in answer.cookies)
            self._session = {
                **({"X-CSRF-Token": token} if token else {}),
                **({"Cookie": cookies} if cookies else {}),
            }
        return self._session


def _query(options: Mapping[str, str]) -> str:
    """Query options with the ``$`` of their names as it is, which some servers want."""
    return "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in options.items())
