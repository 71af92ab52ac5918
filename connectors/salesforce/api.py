"""simple-salesforce over our door: the one file that knows the client, and keeps its defects away from the rest.

The client is built on a token of its own making, so that it never signs in or repeats anything: our door does both.
It writes https and the host by itself (the door puts ours there), asks for indented bodies (that header is taken away)
and reads numbers as floats (the door's answers are exact). Its SFType objects are not used: they recurse on a 401.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

from requests import Response
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from connectors.errors import ContractError, RejectedError
from connectors.http import Http

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Description:
    """What one object's describe says about its fields, for the integration user: what it may not see is not there."""

    fields: Mapping[str, Mapping[str, Any]]
    relationships: frozenset[str]

    def has(self, path: str) -> bool:
        """Whether a field, or the relationship that a dotted path begins with, is visible."""
        first, dot, _ = path.partition(".")
        return first in self.relationships if dot else path in self.fields


class SalesforceApi:
    """The calls that the connector makes, with answers as plain dictionaries."""

    def __init__(self, http: Http, base_url: str, version: str) -> None:
        self._http = http
        self._base_url = base_url
        self.version = version
        self._descriptions: dict[str, Description] = {}

    @cached_property
    def _client(self) -> Any:
        from simple_salesforce.api import Salesforce as Client  # pulls in zeep and lxml: a third of a second

        client = Client(
            session_id="kept by the door",
            instance_url=self._base_url,
            version=self.version,
            session=self._http.session(),
            object_pairs_hook=dict,
        )
        del client.headers["X-PrettyPrint"], client.headers["Authorization"]
        client.headers["Sforce-Query-Options"] = "batchSize=2000"
        return client

    def query(self, soql: str, *, recycled: bool = False) -> Answer:
        """The first page. ``recycled`` takes deleted and archived rows along (queryAll)."""
        return _page(self._client.query(soql, include_deleted=recycled))

    def more(self, next_records_url: str) -> Answer:
        """A further page. Raises ResumeLostError if the server has forgotten the query."""
        return _page(self._client.query_more(next_records_url, identifier_is_url=True))

    def rows(self, soql: str, *, recycled: bool = False) -> Iterator[dict[str, Any]]:
        """Every row of a small query."""
        answer = self.query(soql, recycled=recycled)
        yield from answer["records"]
        while not answer["done"]:
            answer = self.more(answer["nextRecordsUrl"])
            yield from answer["records"]

    def rest(
        self, path: str, method: Method = "GET", *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Any:
        """The JSON of a call below ``/services/data/vXX.X/``; None for an empty answer."""
        return self._client.restful(path, params=params, method=method, json=json)

    def stream(self, path: str, params: Mapping[str, str]) -> Response:
        """An answer in CSV whose body is not read yet: close it."""
        path = f"/services/data/v{self.version}/{path}"
        return self._http.request("GET", path, params=params, headers={"Accept": "text/csv"}, stream=True)

    def upload(self, path: str, document: bytes) -> None:
        """Puts a CSV document below ``/services/data/vXX.X/``."""
        path = f"/services/data/v{self.version}/{path}"
        self._http.put(path, data=document, headers={"Content-Type": "text/csv; charset=UTF-8"})

    def deploy(self, package: bytes) -> str:
        """Begins a deployment of a zip archive by the Metadata API; its id."""
        options = '{"deployOptions":{"rollbackOnError":true,"singlePackage":true}}'
        parts = [RequestField("json", options), RequestField("file", package, "package.zip")]
        for part, kind in zip(parts, ("application/json", "application/zip"), strict=True):
            part.make_multipart(content_type=kind)
        body, kind = encode_multipart_formdata(parts)
        path = f"/services/data/v{self.version}/metadata/deployRequest"
        job: str = self._http.post(path, data=body, headers={"Content-Type": kind})["id"]
        return job

    def left_today(self) -> int | None:
        """How many calls are left of our share of the day; None while nobody has said how many there are."""
        share, used = self._http.limiter.day_share, self._http.limiter.used_today
        return None if share is None else max(0, share - used)

    def tooling(self, path: str, method: Method = "GET", body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a call to the Tooling API."""
        return self._client.toolingexecute(path, method=method, data=body)

    def tooling_rows(self, soql: str) -> list[dict[str, Any]]:
        """Rows of a Tooling query that fits in one page."""
        rows: list[dict[str, Any]] = _page(self.tooling(f"query/?q={quote(soql)}"))["records"]
        return rows

    def describe(self, remote: str, *, fresh: bool = False) -> Description | None:
        """What the integration user sees of an object; None if nothing. Asked once unless ``fresh``."""
        if fresh or remote not in self._descriptions:
            self._descriptions.pop(remote, None)
            try:
                answer = self.rest(f"sobjects/{remote}/describe")
            except RejectedError as error:
                if error.code in ("NOT_FOUND", "INVALID_TYPE"):
                    return None
                raise
            fields = {field["name"]: field for field in answer["fields"]}
            self._descriptions[remote] = Description(
                fields, frozenset(name for field in answer["fields"] if (name := field.get("relationshipName")))
            )
        return self._descriptions[remote]

    def user_id(self) -> str:
        """Our own user's id: the end of the identity URL in the list of resources, else what userinfo says."""
        identity = (self.rest("") or {}).get("identity")
        user = str(identity or self._http.get("/services/oauth2/userinfo")["user_id"]).rpartition("/")[2]
        if not user.startswith("005"):
            raise ContractError("Salesforce does not say which user we are", user)
        return user


def _page(body: Any) -> Answer:
    if not isinstance(body, dict) or "records" not in body or "done" not in body:
        raise ContractError("a query was answered with something that is no page of rows", str(body))
    return body
